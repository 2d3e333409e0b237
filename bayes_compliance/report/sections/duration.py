"""How long the promise lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from bayes_compliance.forecast import decision_dates
from bayes_compliance.report import findings
from bayes_compliance.report.answers import answers, day_of, last_day
from bayes_compliance.report.comparison import SAMPLE, pairs
from bayes_compliance.report.parts import Number, Section, bullets, join, paragraph, table, unbroken, when
from bayes_compliance.report.sentences import percent

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr

    from bayes_compliance.case import Case
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "Each decision may be likely to go well and still one of many goes wrong. These are the probabilities that no "
    "decision on a rule, from the last one on record to that day, is a violation; partial or late performance is none. "
    "A violation is said to be more likely than not by the first forecast date on which that probability is below one "
    "half; decisions fall due on fixed dates, which need not be that one."
)


def duration(run: Run) -> Section | None:
    """No violation up to each date, and when one becomes more likely than not."""
    found, case = answers(run).found["survival"], run.prepared.case
    turns: dict[str, dict[str, date | None]] = {}
    for state, rule, here in pairs(found, case):
        turn = here["more_likely_than_not"].values
        turns.setdefault(state, {})[rule] = None if np.isnat(turn) else day_of(turn)
    said = [findings.lasting(state, rules, last_day(found)) for state, rules in turns.items()]
    body = join([paragraph(INTRODUCTION), bullets(said), _table(found, case, turns), SAMPLE])
    return Section("How long the promise lasts", "duration", body)


def _table(found: xr.Dataset, case: Case, turns: dict[str, dict[str, date | None]]) -> Markup:
    times = found.sizes["time"]
    some = np.unique(np.linspace(0, times - 1, min(times, 4)).round().astype(int))
    dates = [day_of(value) for value in found["time"].values[some]]
    columns = ["State", "Rule", *(Number(f"None by {unbroken(str(d))}") for d in dates)]
    rows = [
        [state, rule,
         *(percent(float(p)) if _due(case, rule, d) else "none due"
           for d, p in zip(dates, here["p_no_violation"].values[some], strict=True)),
         when(turn) if (turn := turns[state][rule]) else "not by then"]
        for state, rule, here in pairs(found, case)
    ]  # fmt: skip
    columns.append("Violation likelier than not by")
    return table("The probability of no violation, by rule", columns, rows)


def _due(case: Case, rule: str, day: date) -> bool:
    """Whether a decision on the rule falls due after the last one on record and up to a day."""
    return bool(decision_dates(case.last_decision_date(), day, case.rule(rule).decisions_per_year))
