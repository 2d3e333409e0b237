"""Any case that is sound has a page, without a warning and without a number that is none."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from bayes_compliance.check import check
from bayes_compliance.errors import Refused
from bayes_compliance.feedback.words import text
from bayes_compliance.report import render
from tests.anycase import any_case

MODELS = ("coalition", "reciprocity", "information", "opportunism", "spells", "unitary", "managerial")
ASKED_TOO_MUCH = "allowed in model reciprocity: L lobbies on the log scale"
NO_NUMBER = re.compile(r"\b(?:nan|NaN|inf|NaT)\b")


def page_of(folder: Path, tools: SimpleNamespace, seed: int) -> str:
    """What is said of a case at random, or why its model refuses it."""
    place, model = any_case(folder, seed), MODELS[seed % len(MODELS)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return text(check(place, model=model)) + render(tools.make_run(place, draws=60, seed=seed, model=model))
        except Refused as refused:
            if ASKED_TOO_MUCH not in str(refused):
                raise
            return ""


@pytest.mark.parametrize("seed", range(7))
def test_any_case_has_a_page(tmp_path: Path, tools: SimpleNamespace, seed: int) -> None:
    assert not NO_NUMBER.search(page_of(tmp_path, tools, seed))


@pytest.mark.slow
def test_most_random_cases_have_a_page(tmp_path: Path, tools: SimpleNamespace) -> None:
    pages = [page_of(tmp_path / str(seed), tools, seed) for seed in range(100, 200)]
    assert not [page for page in pages if NO_NUMBER.search(page)]
    assert sum(page != "" for page in pages) > 90
