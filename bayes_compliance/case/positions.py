"""On which line of a TOML file each key and table stands: `tomllib` does not tell."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any

Path = tuple[Any, ...]
"""Keys and, for arrays, indices: `("rules", 0, "states")`."""

_SPACE = re.compile(r"[ \t\r]*")
_NOTHING = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*(?:"((?:\\.|[^"\\\n])*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*""")
_SCALAR = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[^,\]}\n#]+''',
    re.DOTALL,
)


class Positions:
    """Lines of the keys and tables of a valid TOML document.

    Parameters
    ----------
    text : str
        What stands in a text that `tomllib` refuses is found as far as it can be read.

    Examples
    --------
    >>> Positions("a = 1\\n[[b]]\\nc = [\\n  7,\\n  8]\\n").line(("b", 0, "c", 1))
    5
    """

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._counts: dict[Path, int] = {}
        self._lines: dict[Path, int] = {}
        try:
            self._document()
        except (ValueError, RecursionError):
            return

    def line(self, path: Path) -> int:
        """The line of a key or table, or of the nearest one around it; 1 for the document."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._lines:
                return self._lines[path[:end]]
        return 1

    def _note(self, path: Path) -> None:
        self._lines.setdefault(path, bisect_right(self._starts, self._at))

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError("not TOML")
        self._at = match.end()
        return match.group()

    def _take(self, mark: str) -> bool:
        if not self._text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _keys(self) -> Path:
        found = []
        while True:
            match = _KEY.match(self._text, self._at)
            if match is None:
                raise ValueError("not a key")
            self._at = match.end()
            found.append(next(part for part in match.groups() if part is not None))
            if not self._take("."):
                return tuple(found)

    def _under(self, keys: Path) -> Path:
        """The path of a table header, with the latest index of each array of tables on its way."""
        path: Path = ()
        for key in keys:
            path += (key,)
            if path in self._counts:
                path += (self._counts[path] - 1,)
        return path

    def _document(self) -> None:
        table: Path = ()
        while True:
            self._skip(_NOTHING)
            if self._at >= len(self._text):
                return
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        start = self._at
        several = self._take("[[")
        if not several:
            self._take("[")
        keys = self._keys()
        path = self._under(keys[:-1]) + keys[-1:] if several else self._under(keys)
        if several:
            self._counts[path] = self._counts.get(path, 0) + 1
            path += (self._counts[path] - 1,)
        end, self._at = self._at, start
        for n in range(1, len(path) + 1):
            self._note(path[:n])
        self._at = end
        if not self._take("]]" if several else "]"):
            raise ValueError("not a header")
        return path

    def _pair(self, table: Path) -> None:
        self._skip(_NOTHING)
        start = self._at
        keys = self._keys()
        end, self._at = self._at, start
        for n in range(1, len(keys) + 1):
            self._note(table + keys[:n])
        self._at = end
        if not self._take("="):
            raise ValueError("not a pair")
        self._value(table + keys)

    def _value(self, path: Path) -> None:
        self._skip(_SPACE)
        self._note(path)
        if self._take("["):
            self._items(path)
        elif self._take("{"):
            self._inline(path)
        else:
            self._skip(_SCALAR)

    def _items(self, path: Path) -> None:
        index = 0
        while True:
            self._skip(_NOTHING)
            if self._take("]"):
                return
            if not self._take(","):
                self._value((*path, index))
                index += 1

    def _inline(self, path: Path) -> None:
        while True:
            self._skip(_NOTHING)
            if self._take("}"):
                return
            if not self._take(","):
                self._pair(path)
