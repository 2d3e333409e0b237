"""Anticipation: could the losers have stopped it at the outset, and should they have?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from bayes_compliance.analysis.sentences_b import anticipation_sentences
from bayes_compliance.report.answers import answers
from bayes_compliance.report.comparison import pairs
from bayes_compliance.report.parts import Number, Section, bullets, join, paragraph, table
from bayes_compliance.report.sentences import number, percent

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.case import Case
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "Compliance can entrench itself: those who gain by it settle in, and opponents leave. Those who lose can foresee "
    "that, and their best moment is before the state joins. That a state joined shows which way one decision went, "
    "noise included, not that support was above its threshold."
)


def foresight(run: Run) -> Section | None:
    """How much stronger the losers would have had to be to block the agreement, and what they lose later."""
    found, case = answers(run).found.get("anticipation"), run.prepared.case
    if found is None:
        return None
    said = bullets(anticipation_sentences(found, _joined(case)))
    body = join([paragraph(INTRODUCTION), said, _table(found, case)])
    return Section("Could the losers have stopped it?", "anticipation", body)


def _joined(case: Case) -> set[str]:
    """States on record as having joined."""
    return {d.state for d in case.decisions if d.kind == "adherence" and d.decision == "adhere"}


def _three(here: xr.Dataset) -> tuple[float, float, float]:
    low, middle, high = here["factor"].values.tolist()
    return low, middle, high


def _table(found: xr.Dataset, case: Case) -> Markup:
    rows = []
    for state, rule, here in pairs(found, case):
        low, middle, high = ("–" if np.isinf(k) else f"{number(k)} ×" for k in _three(here))
        rows.append([state, rule, middle, f"{low} to {high}", percent(float(here["p_blocks"]))])
    columns = ["State", "Rule", *map(Number, ("Times as strong", "5% to 95%", "Outweighed the rest"))]
    caption = (
        "What blocking would have taken of those who lose, and the probability that they outweighed the rest on the "
        "day of joining, had each rule been put to a vote by itself"
    )
    return table(caption, columns, rows)
