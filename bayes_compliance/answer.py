"""The answer as it stands on a terminal, before any report is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from bayes_compliance.feedback.questions import placeholders
from bayes_compliance.feedback.words import band, table
from bayes_compliance.forecast import n_due
from bayes_compliance.wording import NONE_DUE, rounded, rule_name, short

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.forecast import Forecast

ABOUT = 2
"""Percentage points below which two probabilities, as shown, are about the same."""

A_LITTLE = 1 / 50
"""Share of support's band by which its median must move for that to be more than a little: worth about 2.6 points."""

Two = tuple[float, float]


def answer(case: Case, forecast: Forecast) -> str:
    """P(comply) of each state and rule at the first date ahead and at the horizon, with both bands, 5% to 95%."""
    return "\n".join(_lines(case, forecast))


def _lines(case: Case, forecast: Forecast) -> Iterator[str]:
    yield f"{case.name}: {case.title}"
    if n := len(placeholders(case)):
        yield f"judgements still those of the template, which no analyst has taken on: {n} (`check` lists them)"
    yield today(case)
    dates = sorted({row["date"] for row in forecast.table})
    for when in dict.fromkeys((dates[0], dates[-1])):
        rows = [row for row in forecast.table if row["date"] == when]
        title = f"Will it comply, if a decision falls due on {when}?"
        yield from table(title, _header(case), [_row(case, row) for row in rows])
    if len(dates) > 1 and (said := nearing(forecast)):
        yield said


def today(case: Case, where: str = "here", told: Callable[[date], str] = str) -> str:
    """The day up to which decisions are known, whatever day it is when that is read."""
    day = told(case.last_decision_date())
    if all(d.decision == "pending" for d in case.decisions):
        return f"No outcome is on record: “today” {where} is {day}, the day of joining."
    return f"The last decision on record is of {day} and no later outcome is known here: “today” {where} is that day."


def _header(case: Case) -> tuple[str, ...]:
    known = f"full knowledge of {case.last_decision_date()}"
    return "date", "state", "rule", "P(comply)", "if we saw that day", known, "no violation until (due)"


def _row(case: Case, row: dict) -> tuple[str, ...]:
    due = n_due(case, row["rule"], date.fromisoformat(row["date"]))
    return (
        row["date"], row["state"], rule_name(row["rule"]), short(row["p_comply"]),
        band(row["p_lower"], row["p_upper"]), band(row["p_today_lower"], row["p_today_upper"]),
        f"{short(row['p_no_violation'])} ({due})" if due else NONE_DUE,
    )  # fmt: skip


def drawn(p: Two, support: Two, width: Two) -> str:
    """How median support moves where p only nears one half since less is known so far ahead; blank elsewhere.

    That is where the probabilities as shown differ by `ABOUT` points or more, the later is nearer to one half and not
    across it, the band of support is the wider, and its median does not move the same way by more than `A_LITTLE` of
    the first band. For a normal band from 5% to 95%, so much is worth .02 * 3.29 * .4 of a probability at most.

    Parameters
    ----------
    p, support, width : (float, float)
        Probability, median support and the width of its band, on the first date and on the last.

    Examples
    --------
    >>> drawn((0.25, 0.32), (-23.7, -25.2), (270, 522)), drawn((0.25, 0.32), (-30, -10), (270, 522))
    ('hardly moves', '')
    >>> drawn((0.77, 0.70), (78, 86), (230, 430)), drawn((0.44, 0.58), (10, 10), (230, 430))
    ('rises', '')
    """
    first, last = p
    nearer = first < last <= 0.5 or 0.5 <= last < first
    moved, little = support[1] - support[0], A_LITTLE * width[0]
    with_p = moved if last > first else -moved
    if abs(rounded(last) - rounded(first)) < ABOUT or not nearer or width[1] <= width[0] or with_p > little:
        return ""
    return "hardly moves" if with_p >= -little else "rises" if moved > 0 else "falls"


def nearing(forecast: Forecast) -> str:
    """On how many of the states' rules p nears one half, from the first date to the last, only as less is known."""
    ends = forecast.dataset.isel(time=[0, -1])
    median = ends["support"].median("sample").transpose("state", "rule", "time")
    named = ("p_comply_mean", "support_upper", "support_lower")
    p, upper, lower = (ends[name].transpose("state", "rule", "time").values for name in named)
    owed = ~np.isnan(p).any(axis=-1)
    each = zip(p[owed].tolist(), median.values[owed].tolist(), (upper - lower)[owed].tolist(), strict=True)
    n = sum(bool(drawn(*((first, last) for first, last in three))) for three in each)
    if not n:
        return ""
    return (
        f"On {n} of the {int(owed.sum())} rows the probability nears one half between the two dates though median "
        "support moves that way little or not at all: less is known so far ahead."
    )
