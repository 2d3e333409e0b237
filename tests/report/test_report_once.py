"""The same page whatever the threads; what several sections ask for is worked out once."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from bayes_compliance.report import render
from bayes_compliance.report.answers import answers
from bayes_compliance.runs import Run


def test_answers_are_worked_out_once_for_a_run(oranges: Run) -> None:
    assert answers(oranges) is answers(oranges)
    assert answers(replace(oranges)) is not answers(oranges)


@pytest.mark.parametrize("cores", [1, 4])
def test_the_page_does_not_depend_on_the_cores(oranges: Run, monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    here = render(replace(oranges))
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert render(replace(oranges)) == here
