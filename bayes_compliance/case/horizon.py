"""The last date of a forecast, as somebody asks for it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from bayes_compliance.case.checks_rows import MOST_STEPS
from bayes_compliance.case.dates import LAST_DAY, TOO_LATE, years_between
from bayes_compliance.errors import Refused

if TYPE_CHECKING:
    from bayes_compliance.case.case import Case


def check_until(case: Case, until: date, step_years: float | None = None) -> None:
    """Refuse a last date that is past already, or to which no forecast can be made.

    Parameters
    ----------
    case : Case
    until : date
    step_years : float or None
        Between the dates of the forecast; default the case's.
    """
    last = case.last_decision_date()
    if until <= last:
        raise Refused(f"--until: {until} is not after the last decision; allowed: a date after {last}")
    if until > LAST_DAY:
        raise Refused(f"--until: {until} {TOO_LATE[0]}; allowed: {TOO_LATE[1]}")
    per_year = max(
        [1 / (step_years or case.horizon.step_years), 1.0, *(rule.decisions_per_year for rule in case.rules)]
    )
    if (most := per_year * years_between(last, until)) > MOST_STEPS:
        raise Refused(
            f"--until: {most:.0f} dates from the last decision ({last}) up to {until}; allowed: an earlier date: "
            f"{MOST_STEPS} dates at most"
        )
