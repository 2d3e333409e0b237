"""What to do where a diagnostic misses its mark, in a phrase for each kind of mark."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import TYPE_CHECKING

from bayes_compliance.wording import listed

if TYPE_CHECKING:
    from bayes_compliance.inference.diagnostics import Check

DRAWS, TUNING, NUTS = "more draws (--draws, {} as many)", "more tuning (--tune, {} as many)", "--engine nuts"

BY_MARK = {
    "R-hat": DRAWS, "bulk ESS": DRAWS, "tail ESS": DRAWS, "Monte Carlo error of p_comply": DRAWS,
    "divergences": TUNING, "divergent transitions": TUNING, "E-BFMI": TUNING, "error of the log evidence": DRAWS,
    "share of steps accepted": NUTS, "correlation with the start of a chain": NUTS, "distinct ancestors": DRAWS,
    "drift within chains": NUTS,
}  # fmt: skip
"""By the name of a diagnostic: what a run needs more of, or the engine that does without it."""

GROWS = {"bulk ESS": 1.0, "tail ESS": 1.0, "Monte Carlo error of p_comply": -0.5}
"""With which power of the number of draws."""


def remedy(missed: Iterable[Check]) -> str:
    """What to run again with, by the diagnostics that failed; blank where none did.

    >>> from bayes_compliance.inference.diagnostics import Check
    >>> def bad(name, value, mark):
    ...     return Check(name, value, mark, "", False)
    >>> remedy([bad("R-hat", 1.2, "< 1.01"), bad("bulk ESS", 120.0, "> 400"), bad("divergences", 3.0, "none")])
    'What to do: fit it again with more draws (--draws, 4 times as many) and more tuning (--tune, twice as many).'
    >>> remedy([bad("a mark of one's own", 1.0, "none")])
    "What to do: look at the judgements of what is named beside “a mark of one's own”."
    """
    missed = list(missed)
    factors: dict[str, int] = {}
    for check in missed:
        if what := BY_MARK.get(check.name):
            factors[what] = max(factors.get(what, 2), _factor(check))
    known = [what.format("twice" if n == 2 else f"{n:,} times") for what, n in factors.items()]
    unknown = [f"“{check.name}”" for check in missed if check.name not in BY_MARK]
    told = [f"fit it again with {listed(known)}"] if known else []
    told += [f"look at the judgements of what is named beside {listed(unknown)}"] if unknown else []
    return f"What to do: {'; '.join(told)}." if told else ""


def _factor(check: Check) -> int:
    """How many times as many draws bring a value to its mark, at least twice; where that cannot be known, twice."""
    power = GROWS.get(check.name)
    if power is None or not check.value > 0:
        return 2
    return max(2, ceil((float(check.mark.strip("<> ")) / check.value) ** (1 / power) - 1e-9))
