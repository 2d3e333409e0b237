"""How long the promise lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from bayes_compliance.report import findings
from bayes_compliance.report.answers import answers, day_of, last_day
from bayes_compliance.report.comparison import pairs
from bayes_compliance.report.parts import Number, Section, bullets, join, paragraph, table, unbroken, when
from bayes_compliance.report.sentences import percent

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr

    from bayes_compliance.case import Case
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "Each decision may be likely to go well and still one of many goes wrong. These are the probabilities that no "
    "decision on a rule, from the last one on record to that day, is a violation; partial or late performance is none."
)


def duration(run: Run) -> Section | None:
    """No violation up to each date, and when one becomes more likely than not."""
    found, case = answers(run).found["survival"], run.prepared.case
    turns: dict[str, dict[str, date | None]] = {}
    for state, rule, here in pairs(found, case):
        turn = here["more_likely_than_not"].values
        turns.setdefault(state, {})[rule] = None if np.isnat(turn) else day_of(turn)
    said = [findings.lasting(state, rules, last_day(found)) for state, rules in turns.items()]
    body = join([paragraph(INTRODUCTION), bullets(said), _table(found, case, turns)])
    return Section("How long the promise lasts", "duration", body)


def _table(found: xr.Dataset, case: Case, turns: dict[str, dict[str, date | None]]) -> Markup:
    times = found.sizes["time"]
    some = np.unique(np.linspace(0, times - 1, min(times, 4)).round().astype(int))
    dates = [str(day_of(value)) for value in found["time"].values[some]]
    columns = ["State", "Rule", *(Number(f"None by {unbroken(d)}") for d in dates), "Violation likelier than not from"]
    rows = [
        [state, rule, *(_percent(float(p)) for p in here["p_no_violation"].values[some]),
         when(turn) if (turn := turns[state][rule]) else "not by then"]
        for state, rule, here in pairs(found, case)
    ]  # fmt: skip
    return table("The probability of no violation, by rule", columns, rows)


def _percent(p: float) -> str:
    """A share of worlds; where it is all of them, no decision falls due."""
    return "none due" if p == 1 else percent(p)
