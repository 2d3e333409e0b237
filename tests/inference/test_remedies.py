"""What to do where a diagnostic misses its mark: how many times as many draws."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_compliance.inference.diagnostics import Check
from bayes_compliance.inference.remedies import remedy


@pytest.mark.parametrize(
    ("name", "value", "mark", "told"),
    [
        ("bulk ESS", 120.0, "> 400", "4 times"), ("tail ESS", 399.0, "> 400", "twice"),
        ("bulk ESS", 200.0, "> 400", "twice"), ("bulk ESS", 100.0, "> 400", "4 times"),
        ("tail ESS", np.nan, "> 400", "twice"), ("bulk ESS", 0.3, "> 400", "1,334 times"),
        ("Monte Carlo error of p_comply", 0.03, "< 0.01", "9 times"),
        ("Monte Carlo error of p_comply", 0.011, "< 0.01", "twice"), ("R-hat", 9.0, "< 1.01", "twice"),
    ],
)  # fmt: skip
def test_draws_are_as_many_times_more_as_bring_the_value_to_its_mark(name, value, mark, told):
    assert remedy([Check(name, value, mark, "", False)]) == (
        f"What to do: fit it again with more draws (--draws, {told} as many)."
    )


def test_of_several_factors_the_largest_is_told():
    checks = [Check(f"{kind} ESS", value, "> 400", "", False) for kind, value in (("bulk", 90.0), ("tail", 150.0))]
    assert "--draws, 5 times as many)" in remedy(checks)
    assert remedy([]) == ""
