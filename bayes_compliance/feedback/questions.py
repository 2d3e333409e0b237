"""Questions of a new case that nobody has answered yet: rows by the analyst whom `bayes-compliance new` names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayes_compliance.case import Case

NOBODY = "to be answered"
"""Stands in the column analyst until there is one."""


def unanswered(case: Case) -> Iterator[str]:
    """What is still to be answered, by row of judgements.csv: the question stands in the rationale."""
    for judgement in sorted(case.judgements, key=lambda j: j.row):
        if judgement.analyst == NOBODY:
            yield f"judgements.csv:{judgement.row}: {judgement.rationale}"
