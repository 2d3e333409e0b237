"""Problems in a case folder: each has a place, what is wrong and what is allowed; all of them are raised at once."""

from __future__ import annotations

import datetime
import difflib
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from bayes_compliance.errors import Refused

MOST = 1000
"""Problems of one file that are listed; the next one says that there are more."""

SHOWN = 60
"""Characters of a refused value that a message shows."""

MOST_NAMES = 30
"""Names that a message lists: all keys of case.toml and all quantities are fewer."""

_CONTROLS = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What moves a terminal or turns the order of letters around; tabs and the ends of lines do no harm."""

LONGEST_NAME = 80
"""Longer text than this gets no suggestion: it is no slip of the pen, and comparing it is slow."""


class Problem(NamedTuple):
    """One thing wrong in a case folder.

    Attributes
    ----------
    file : str
        Name of the file in the folder.
    row : int
        Line of the file, from 1.
    column : str
        Column of a CSV file, or key of a TOML file such as ``rules[bananas].states``.
    what : str
        What is wrong, with the value.
    allowed : str
        What would be accepted.
    """

    file: str
    row: int
    column: str
    what: str
    allowed: str

    def __str__(self) -> str:
        return one_line(f"{self.file}:{self.row}: {self.column}: {self.what}; allowed: {self.allowed}")


class CaseError(Refused):
    """A case was refused.

    Parameters
    ----------
    problems : iterable of Problem
        Kept without repetition in `problems`, sorted by file and row; the text has one line for each.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: list[Problem] = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


class Problems:
    """Problems found so far, at most `MOST` of each file and one that says so: a file of rubbish fills no memory."""

    def __init__(self) -> None:
        self._found: dict[str, list[Problem]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(map(len, self._found.values()))

    def add(self, file: str, row: int, column: str, what: str, allowed: str) -> None:
        """Note a problem, unless its file is full."""
        if not self.full(file):
            self._found[file].append(Problem(file, row, column, what, allowed))
        if len(self._found[file]) == MOST:
            more = Problem(file, row + 1, "file", f"{MOST} problems up to here", "fewer: what follows is not listed")
            self._found[file].append(more)

    def full(self, file: str) -> bool:
        """Whether no more problems of this file are listed."""
        return len(self._found[file]) > MOST

    def raise_if_any(self) -> None:
        """Raise all problems at once.

        Raises
        ------
        CaseError
        """
        if len(self):
            raise CaseError(problem for each in self._found.values() for problem in each)


def controls(text: str) -> tuple[str, str] | None:
    """What is wrong, and what is allowed, of a text that has control characters in it; else None."""
    if not (found := set(_CONTROLS.findall(text))):
        return None
    return f"the control character {one_of(sorted(map(ascii, found)))}", "printable text and line ends"


def one_line(text: str) -> str:
    """The text with every character that is not printable escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def show(value: Any) -> str:
    """A refused value as its author wrote it, cut to a readable length."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def one_of(names: Iterable[str]) -> str:
    """`a, b or c`, each once, cut after `MOST_NAMES`."""
    listed = list(dict.fromkeys(names))
    if len(listed) > MOST_NAMES:
        return f"{', '.join(listed[:MOST_NAMES])} or {len(listed) - MOST_NAMES} more"
    return " or ".join(filter(None, [", ".join(listed[:-1]), *listed[-1:]])) or "none is declared"


def suggest(name: str, names: Iterable[str]) -> str:
    """The names that are allowed, after a nearest one if `name` looks like a slip of it.

    Examples
    --------
    >>> suggest("bananna", ["bananas", "oranges"])
    "bananas or oranges (did you mean 'bananas'?)"
    """
    return _suggest(name, tuple(names))


@lru_cache(maxsize=1024)
def _suggest(name: str, names: tuple[str, ...]) -> str:
    nearest = nearest_name(name, names)
    return one_of(names) + (f" (did you mean {nearest!r}?)" if nearest else "")


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """The name that `name` is a likely slip of, ignoring case, or None."""
    folded = {candidate.casefold(): candidate for candidate in names}
    if len(name) > LONGEST_NAME:
        return None
    found = difflib.get_close_matches(name.casefold(), folded, n=1)
    return folded[found[0]] if found else None
