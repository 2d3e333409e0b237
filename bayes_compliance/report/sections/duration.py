"""How long the promise lasts."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from bayes_compliance.report import facts, findings
from bayes_compliance.report.answers import owed
from bayes_compliance.report.parts import Number, Section, bullets, join, paragraph, table, unbroken, when

if TYPE_CHECKING:
    from bayes_compliance.runs import Run

Series = dict[tuple[str, str], dict[date, dict]]

INTRODUCTION = (
    "Each decision may be likely to go well and still one of many goes wrong. These are the probabilities that no "
    "decision on a rule, from the last one on record to that day, is a violation; partial or late performance is none. "
    "A violation is said to be more likely than not by the first forecast date on which that probability is below one "
    "half; decisions fall due on fixed dates, which need not be that one. In brackets is how many fall due by then: "
    "only rules on which as many do can be compared, since each decision is one more that may go wrong. They are the "
    "forecast's own numbers, p_no_violation in its forecast.csv."
)


def duration(run: Run) -> Section | None:
    """No violation up to each date, and when one becomes more likely than not."""
    told = facts.series(run)
    found: Series = {
        (state, rule): {date.fromisoformat(row["date"]): row for row in told[state, rule]}
        for state, rules in owed(run.prepared.case).items()
        for rule in rules
    }
    if not found:
        return None
    turns: dict[str, dict[str, date | None]] = {}
    for (state, rule), rows in found.items():
        below = (day for day, row in rows.items() if row["p_no_violation"] < 0.5)
        turns.setdefault(state, {})[rule] = next(below, None)
    days = sorted({day for rows in found.values() for day in rows})
    said = [findings.lasting(state, rules, days[-1]) for state, rules in turns.items()]
    body = join([paragraph(INTRODUCTION), bullets(said), _table(run, found, days, turns)])
    return Section("How long the promise lasts", "duration", body)


def _table(run: Run, found: Series, days: list[date], turns: dict[str, dict[str, date | None]]) -> Markup:
    some = np.unique(np.linspace(0, len(days) - 1, min(len(days), 4)).round().astype(int))
    dates = [days[at] for at in some]
    columns = ["State", "Rule", *(Number(f"None by {unbroken(str(d))}") for d in dates)]
    rows = [
        [state, rule,
         *(facts.no_violation(run, at[d]) for d in dates),
         when(turn) if (turn := turns[state][rule]) else "not by then"]
        for (state, rule), at in found.items()
    ]  # fmt: skip
    columns.append("Violation likelier than not by")
    return table("The probability of no violation, by rule, and how many decisions fall due", columns, rows)
