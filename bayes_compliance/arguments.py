"""Arguments of the wrong kind, refused in words before anything else is done with them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from numbers import Real
from os import PathLike
from typing import Any, TypeGuard
from urllib.parse import SplitResult, urlsplit

from bayes_compliance.errors import Refused

SHOWN = 160
"""Letters of a refused value that a message shows."""


def shown(value: Any) -> str:
    """A refused value on one line that is not too long, as a message names it."""
    first, *more = repr(value).splitlines() or [""]
    return f"{first[:SHOWN]}..." if more or len(first) > SHOWN else first


def is_path(value: Any) -> TypeGuard[str | PathLike[str]]:
    """Whether an argument can name a file or a folder."""
    return isinstance(value, str | PathLike)


def split_address(text: str) -> SplitResult:
    """The parts of an address; blank ones of what is none, such as http://[x, for which there would be an error."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


def check_path(name: str, value: Any, of: str) -> None:
    """Refuse what is no path."""
    if not is_path(value):
        raise Refused(f"{name}: {shown(value)} is no path; allowed: that of {of}")


def check_list(option: str, value: Any, of: str) -> None:
    """Refuse what is no list, and a text, which would be one of letters."""
    if is_path(value) or not isinstance(value, Iterable):
        raise Refused(f"{option}: {shown(value)} is no list; allowed: a list of {of}")


def given_twice(given: Iterable[Any]) -> list[str]:
    """What is given more than once, as it is shown.

    >>> given_twice(["b", "a", "b", 1.0])
    ['b']
    """
    every = list(given)
    return sorted({str(one) for one in every if every.count(one) > 1})


def check_above_0(name: str, value: Any) -> None:
    """Refuse what is no number above 0."""
    if isinstance(value, bool) or not isinstance(value, Real) or not float(value) > 0:
        raise Refused(f"{name}: {shown(value)} does not do; allowed: a number above 0")


def flag(name: str, value: Any) -> bool:
    """An option that is yes or no, as JSON takes it; Refused for a text: any, "no" too, would be a yes."""
    if isinstance(value, str):
        raise Refused(f"--{name}: {value!r} is a text; allowed: True or False")
    return bool(value)


def day_of(name: str, value: Any) -> date | None:
    """An option that is a date or None; Refused where it is neither."""
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise Refused(f"--{name}: {shown(value)} is no datetime.date; allowed: one, such as date(2030, 1, 1)")
