"""Figures of a panel say in words and as a table what they draw."""

from __future__ import annotations

import re

import numpy as np
import xarray as xr

from bayes_compliance.panel import plots


def readier(p_ab: float) -> xr.Dataset:
    """B and A, where A is readier than B with a probability."""
    p = np.array([[[0.0, 1 - p_ab], [p_ab, 0.0]]])
    values = {"median": (("kind", "state"), [[0.1, 0.9]]), "p_readier": (("kind", "state", "other"), p)}
    return xr.Dataset(values, {"kind": ["compliance"], "state": ["B", "A"]})


def test_the_matrix_has_its_numbers_as_a_table() -> None:
    made = str(plots.pairs_in_numbers(readier(0.85)))
    assert made.startswith("<details>\n<summary>The same as a table</summary>")
    rows = re.findall(r'<tr><th scope="row">(\w)</th>(.*?)</tr>', made, re.S)
    assert [(name, re.findall(r">([^<>]+)</td>", cells)) for name, cells in rows] == [
        ("A", ["–", "85%"]), ("B", ["15%", "–"]),
    ]  # fmt: skip


def test_the_words_of_the_matrix_name_whom_it_tells_apart() -> None:
    assert "1 of 1 pairs are told apart, the surest first: A than B 85%." in plots.pairs(readier(0.85))
    assert "No pair is told apart: the largest probability is 75%." in plots.pairs(readier(0.75))
