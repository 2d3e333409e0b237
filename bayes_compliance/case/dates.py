"""Dates as an analyst knows them: a day, a month or a year."""

from __future__ import annotations

import datetime
import re
from calendar import monthrange
from datetime import date
from typing import NamedTuple

DATE_FORMS = "an ISO date 2001-05-17, a month 2001-05 or a year 2001"

FIRST_YEAR, LAST_YEAR = 1500, 2999
"""Years that a case may speak of: any treaty, and far from the ends of the calendar, where adding days overflows."""

LAST_DAY = date(2262, 4, 10)
"""The last whole day that a date of forecast.nc can be: nanoseconds since 1970, in 64 bits."""
TOO_LATE = ("is too late to be kept in forecast.nc", f"{LAST_DAY} at the latest")
"""What is wrong with a later one as the end of a forecast, and what is allowed."""

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)

_CITED = re.compile(
    r"(?<![\w.])(1[5-9]\d\d|20\d\d|2100)(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?(?!\d))?(?!\w|\.\d)", re.ASCII
)


DAYS_PER_YEAR = 365.25


def years_between(start: date, end: date) -> float:
    """Years from one date to another, days / 365.25; negative when `end` is earlier."""
    return (end - start).days / DAYS_PER_YEAR


class Period(NamedTuple):
    """A day, month or year: its first day, the day that stands for it, and its last day."""

    start: datetime.date
    date: datetime.date
    end: datetime.date


def _period(year: int, month: int | None, day: int | None) -> Period:
    if month is None:
        return Period(date(year, 1, 1), date(year, 7, 1), date(year, 12, 31))
    if day is None:
        return Period(date(year, month, 1), date(year, month, 15), date(year, month, monthrange(year, month)[1]))
    return Period(*[date(year, month, day)] * 3)


def parse_period(text: str) -> Period:
    """Read a date of a CSV cell.

    Parameters
    ----------
    text : str
        ``1994-03-21``, ``1994-03`` (stood for by the 15th) or ``1994`` (stood for by 1 July).

    Returns
    -------
    Period

    Raises
    ------
    ValueError
        When the text has another form or there is no such day.

    Examples
    --------
    >>> parse_period("1994-02")
    Period(start=datetime.date(1994, 2, 1), date=datetime.date(1994, 2, 15), end=datetime.date(1994, 2, 28))
    """
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no date")
    year, month, day = (None if part is None else int(part) for part in match.groups())
    if year is None or not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"{text!r} is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    try:
        return _period(year, month, day)
    except ValueError:
        raise ValueError(f"{text!r} is not in the calendar") from None


def cell_of(day: date, end: date) -> str:
    """A period as a cell has it, by the day that stands for it and its last one: what `parse_period` reads.

    Raises
    ------
    ValueError
        When these are not of a day, a month or a year.

    Examples
    --------
    >>> cell_of(date(1994, 2, 15), date(1994, 2, 28))
    '1994-02'
    """
    cell = day.isoformat() if day == end else day.isoformat()[: 7 if day.month == end.month else 4]
    if parse_period(cell)[1:] != (day, end):
        raise ValueError(f"date {day} and date_end {end} are no day, month or year; allowed: {DATE_FORMS}")
    return cell


def latest_cited(source: str) -> tuple[str, date] | None:
    """The latest date, month or year from 1500 to 2100 named in a source, with the first day of that period.

    Examples
    --------
    >>> latest_cited("USITC report 3071 (1997); update of 1999-05")
    ('1999-05', datetime.date(1999, 5, 1))
    """
    found = []
    for match in _CITED.finditer(source):
        try:
            found.append((match.group(), parse_period(match.group()).start))
        except ValueError:  # 2001-02-30
            found.append((match.group()[:7], parse_period(match.group()[:7]).start))
    return max(found, key=lambda item: item[1], default=None)
