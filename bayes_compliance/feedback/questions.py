"""What `bayes-compliance new` asks and nobody has answered yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Judgement

NOBODY = "to be answered"
"""Stands in the column analyst until there is one."""

UNNAMED = "To be named"


def unanswered(case: Case) -> Iterator[str]:
    """Questions that are open, with their places: the title, decisions, and rows that no analyst has taken on."""
    if case.title.startswith(UNNAMED):
        yield "case.toml: title: which state has promised what to whom?"
    if not case.decisions:
        yield "decisions.csv: when did the state join, and what has been decided since? No decision is on record."
    for judgement in sorted(placeholders(case), key=lambda j: j.row):
        yield f"judgements.csv:{judgement.row}: {judgement.rationale}"


def placeholders(case: Case) -> list[Judgement]:
    """Rows whose numbers are those of the template, since no analyst has taken them on."""
    return [judgement for judgement in case.judgements if judgement.analyst == NOBODY]
