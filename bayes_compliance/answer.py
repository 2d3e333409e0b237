"""The answer as it stands on a terminal, before any report is written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from bayes_compliance.feedback.questions import placeholders
from bayes_compliance.feedback.words import band, table
from bayes_compliance.forecast import any_due
from bayes_compliance.wording import NONE_DUE, rule_name, short

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.forecast import Forecast

HEADER = ("date", "state", "rule", "P(comply)", "if we saw that day", "full knowledge of today", "no violation until")


def answer(case: Case, forecast: Forecast) -> str:
    """P(comply) of each state and rule at the first date ahead and at the horizon, with both bands, 5% to 95%."""
    return "\n".join(_lines(case, forecast))


def _lines(case: Case, forecast: Forecast) -> Iterator[str]:
    yield f"{case.name}: {case.title}"
    if n := len(placeholders(case)):
        yield f"judgements still those of the template, which no analyst has taken on: {n} (`check` lists them)"
    dates = sorted({row["date"] for row in forecast.table})
    for when in dict.fromkeys((dates[0], dates[-1])):
        rows = [row for row in forecast.table if row["date"] == when]
        title = f"Will it comply, if a decision falls due on {when}?"
        yield from table(title, HEADER, [_row(case, row) for row in rows])


def _row(case: Case, row: dict) -> tuple[str, ...]:
    return (
        row["date"], row["state"], rule_name(row["rule"]), short(row["p_comply"]),
        band(row["p_lower"], row["p_upper"]), band(row["p_today_lower"], row["p_today_upper"]),
        short(row["p_no_violation"]) if any_due(case, row["rule"], date.fromisoformat(row["date"])) else NONE_DUE,
    )  # fmt: skip
