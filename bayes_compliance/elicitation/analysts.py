"""A case without one of its analysts: what hangs on whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_compliance.case.completeness import incomplete
from bayes_compliance.case.problems import CaseError, Problem, one_of

if TYPE_CHECKING:
    from bayes_compliance.case import Case


def analysts(case: Case) -> list[str]:
    """All who judge something, sorted."""
    return sorted({judgement.analyst for judgement in case.judgements})


def left_out(case: Case, analyst: str) -> Case:
    """The case without an analyst's judgements; what nobody else judges has its default again.

    Raises
    ------
    CaseError
        If there is no such analyst, or something that has no default is judged by nobody else.
    """
    if analyst not in analysts(case):
        what = f"unknown analyst {analyst!r}"
        raise CaseError([Problem("judgements.csv", 1, "analyst", what, one_of(analysts(case)))])
    kept = tuple(judgement for judgement in case.judgements if judgement.analyst != analyst)
    gaps = list(incomplete(case.states, case.lobbies, {judgement.key for judgement in kept}))
    if gaps:
        raise CaseError(
            Problem("judgements.csv", 1, "analyst", f"without {analyst!r} {gap.what}", gap.allowed) for gap in gaps
        )
    return case.model_copy(update={"judgements": kept})
