"""Arguments of the wrong kind, refused in words before anything else is done with them."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import Any, TypeGuard
from urllib.parse import SplitResult, urlsplit

from bayes_compliance.errors import Refused


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
        raise Refused(f"{name}: {value!r} is no path; allowed: that of {of}")


def check_list(option: str, value: Any, of: str) -> None:
    """Refuse what is no list, and a text, which would be one of letters."""
    if is_path(value) or not isinstance(value, Iterable):
        raise Refused(f"{option}: {value!r} is no list; allowed: a list of {of}")
