"""What to do where a diagnostic misses its mark, in a phrase for each kind of mark."""

from __future__ import annotations

from collections.abc import Iterable

from bayes_compliance.wording import listed

DRAWS, TUNING, NUTS = "more draws (--draws, twice as many)", "more tuning (--tune, twice as many)", "--engine nuts"

BY_MARK = {
    "R-hat": DRAWS, "bulk ESS": DRAWS, "tail ESS": DRAWS, "Monte Carlo error of p_comply": DRAWS,
    "divergences": TUNING, "divergent transitions": TUNING, "E-BFMI": TUNING, "error of the log evidence": DRAWS,
    "share of steps accepted": NUTS, "correlation with the start of a chain": NUTS, "distinct ancestors": DRAWS,
    "drift within chains": NUTS,
}  # fmt: skip
"""By the name of a diagnostic: what a run needs more of, or the engine that does without it."""


def remedy(missed: Iterable[str]) -> str:
    """What to run again with, by the names of the diagnostics that failed; blank where none did.

    >>> remedy(["R-hat", "bulk ESS", "divergences"])
    'What to do: fit it again with more draws (--draws, twice as many) and more tuning (--tune, twice as many).'
    >>> remedy(["a mark of one's own"])
    "What to do: look at the judgements of what is named beside “a mark of one's own”."
    """
    missed = list(missed)
    unknown = [f"“{name}”" for name in missed if name not in BY_MARK]
    known = list(dict.fromkeys(BY_MARK[name] for name in missed if name in BY_MARK))
    told = [f"fit it again with {listed(known)}"] if known else []
    told += [f"look at the judgements of what is named beside {listed(unknown)}"] if unknown else []
    return f"What to do: {'; '.join(told)}." if told else ""
