"""Files of a case folder: their bytes, text and CSV rows, each refused with its place."""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bayes_compliance.case.problems import Problems, controls, nearest_name, one_of, show
from bayes_compliance.case.vocabulary import WORDS

LIMIT = 10_000_000
"""Bytes that a file may have; its size is asked before it is read."""

BOM, OF_UTF_16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
KNOWN = ("case.toml", "judgements.csv", "decisions.csv", "proxies.csv", "seeds.csv", "scenarios.toml")
"""Names of the files of a case: none of them is a slip of another."""

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""What parts cells where it is not the comma."""

KINDS = {".csv": "a CSV file with its header", ".toml": "a TOML file"}
SAVED = {".csv": "save it as 'CSV UTF-8'", ".toml": "save it as UTF-8"}


class Source(NamedTuple):
    """A file that could be read: its name, its text, composed as Unicode's NFC, and the SHA-256 of its bytes."""

    name: str
    text: str
    sha256: str


class Row(NamedTuple):
    """A record of a CSV file: the line on which it starts, from 1, and its cells by column."""

    number: int
    cells: dict[str, str]


class _Unreadable(Exception):
    """Why a file cannot be read: what is wrong, on which line, and what mends it, if that is known."""

    def __init__(self, what: str, row: int = 1, mend: str = "") -> None:
        super().__init__(what)
        self.what, self.row, self.mend = what, row, mend


def read(path: Path, required: bool, problems: Problems) -> Source | None:
    """Read a file of at most `LIMIT` bytes of UTF-8; None where there is none, or a problem with it."""
    try:
        if not required and not path.exists() and not path.is_symlink():
            return None
        data = _bytes(path)
        return Source(path.name, _text(data, path.suffix), hashlib.sha256(data).hexdigest())
    except _Unreadable as bad:
        what, row, mend = bad.what, bad.row, bad.mend
    except OSError as error:
        what, row, mend = f"the file cannot be read ({error.strerror or type(error).__name__})", 1, ""
    allowed = f"{KINDS[path.suffix]} in UTF-8, not empty, of at most {LIMIT // 10**6} MB{mend and f' ({mend})'}"
    problems.add(path.name, row, "file", what, allowed)
    return None


def _bytes(path: Path) -> bytes:
    if path.is_symlink() and not path.exists():
        raise _Unreadable("this is a link, and there is nothing where it leads")
    if not path.exists():
        raise _Unreadable("there is no such file", mend=_misnamed(path))
    if not path.is_file():
        raise _Unreadable("this is no regular file")
    if path.stat().st_size <= LIMIT:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
        if len(data) <= LIMIT:
            return data
    raise _Unreadable(f"the file has {path.stat().st_size / 1e6:.1f} MB")


def slip_of(name: str, there: Iterable[Path]) -> str:
    """The name of what there is instead of a missing file, if it is a likely slip; else blank."""
    missing = Path(name)
    alike = (one for one in sorted(there) if one.suffix.lower() == missing.suffix and one.name not in KNOWN)
    others = {one.stem: one.name for one in alike}
    return others.get(nearest_name(missing.stem, others) or "", "")


def _misnamed(path: Path) -> str:
    found = slip_of(path.name, path.parent.iterdir())
    return f"rename {show(found)} to {path.name}?" if found else ""


def _text(data: bytes, suffix: str) -> str:
    """The text of a file, composed: a letter and its accent are one character, however the system writes them."""
    if data.startswith(OF_UTF_16):
        raise _Unreadable("this is UTF-16 and not UTF-8", mend=SAVED[suffix])
    plain = data.removeprefix(BOM)
    if not plain.strip():
        raise _Unreadable("the file is empty")
    if b"\0" in plain[:2]:
        raise _Unreadable("this is UTF-16 and not UTF-8", mend=SAVED[suffix])
    try:
        return unicodedata.normalize("NFC", plain.decode("utf-8"))
    except UnicodeDecodeError as error:
        row = plain.count(b"\n", 0, error.start) + 1
        raise _Unreadable(f"byte 0x{plain[error.start]:02x} is not UTF-8", row, SAVED[suffix]) from error


def rows(source: Source, header: Sequence[str], problems: Problems, more: Sequence[str] = ()) -> Iterator[Row]:
    """Records of a CSV file with cells stripped of blanks; blank lines are passed over.

    The columns `more` may stand behind those of the header, each or none; cells of those that do not are blank. Blank
    cells behind the last column of the header, or of every row, make no difference, nor do those missing at the end of
    a row that may be blank: some spreadsheets save them so.

    Nothing comes after a wrong header, a broken quotation or a cell too long for the `csv` module; a ragged row is
    noted and passed over.
    """
    reader = csv.reader(io.StringIO(source.text, newline=""), strict=True)
    line, seen, behind = 1, False, 0
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            stripped = [cell.strip() for cell in cells]
            if not any(stripped):
                continue
            if not seen:
                named = stripped[: max(i for i, name in enumerate(stripped, 1) if name)]
                if not _right_header(source.name, start, named, header, more, problems):
                    return
                behind = len(stripped) - len(named) or _blank_behind(source.text, len(named))
                header, seen = named, True
                continue
            stripped = _fitted(stripped, header, more, behind)
            if _fits(source.name, start, stripped, header, problems):
                yield Row(start, dict.fromkeys(more, "") | dict(zip(header, stripped, strict=True)))
            if problems.full(source.name):
                return
    except csv.Error as error:
        allowed = 'comma-separated cells; one with a comma or a quotation mark in "..." with the marks inside doubled'
        problems.add(source.name, line, "row", f"the row cannot be read ({error})", allowed)


def _blank_behind(text: str, columns: int) -> int:
    """How many cells every row has behind the last column, if all of these are blank.

    One row that has some is another thing: a comma in a cell without quotation marks.
    """
    least = 0
    with suppress(csv.Error):
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = (cells for cells in reader if any(map(str.strip, cells)))
        next(rows)
        least = min((len(cells) - columns for cells in rows), default=0)
    return max(least, 0)


def _fitted(cells: list[str], header: Sequence[str], more: Sequence[str], behind: int) -> list[str]:
    """A row without the blank cells behind it, and with blanks for what may be missing at its end.

    These are words, and the columns of `more`.
    """
    if behind and len(cells) == len(header) + behind and not any(cells[-behind:]):
        return cells[:-behind]
    missing = header[len(cells) :]
    return [*cells, *("" for _ in missing)] if {*missing} <= {*WORDS, *more} else cells


def _right_header(
    file: str, row: int, found: list[str], header: Sequence[str], more: Sequence[str], problems: Problems
) -> bool:
    if found == ["sep="]:
        what = "a line for a spreadsheet, 'sep=,', stands above the header"
        problems.add(file, row, "header", what, f"{_allowed(header, more)} (leave that line out)")
        return False
    if (mark := _other_separator(found)) is not None:
        what = f"cells are parted by {mark}, not by commas"
        problems.add(
            file, row, "header", what, f"{_allowed(header, more)} (save it as CSV with the comma as separator)"
        )
        return False
    behind = found[len(header) :]
    if found[: len(header)] == list(header) and set(behind) <= set(more) and len(set(behind)) == len(behind):
        return True
    blank = [str(i + 1) for i, name in enumerate(found) if not name]
    unknown = [name for name in found if name and name not in header and name not in more]
    missing = [name for name in header if name not in found]
    twice = [name for name in (*header, *more) if found.count(name) > 1]
    parts = [f"the header is blank in column {one_of(blank).replace(' or ', ' and ')}"] if blank else []
    parts += [f"column {show(name)} is unknown{_hint(name, [*missing, *more])}" for name in unknown[:5]]
    parts += [f"column {name} is missing" for name in missing] + [f"column {name} stands twice" for name in twice]
    problems.add(file, row, "header", "; ".join(parts) or "columns in another order", _allowed(header, more))
    return False


def _other_separator(found: Sequence[str]) -> str | None:
    """What parts the cells of a header without commas, as spreadsheets write it in many countries."""
    return next((name for mark, name in SEPARATORS.items() if len(found) == 1 and mark in found[0]), None)


def _allowed(header: Sequence[str], more: Sequence[str]) -> str:
    return ",".join(header) + (f", and behind these, if needed, {one_of(more)}" if more else "")


def _hint(name: str, names: Sequence[str]) -> str:
    nearest = nearest_name(name, names)
    return f" (did you mean {nearest!r}?)" if nearest else ""


def _fits(file: str, row: int, cells: list[str], header: Sequence[str], problems: Problems) -> bool:
    if len(cells) != len(header):
        mend = " (one with a comma in it needs quotation marks)" if len(cells) > len(header) else ""
        problems.add(file, row, "row", f"{len(cells)} cells", f"{len(header)} cells{mend}: {','.join(header)}")
        return False
    bad = {column: said for column, cell in zip(header, cells, strict=True) if (said := controls(cell))}
    for column, said in bad.items():
        problems.add(file, row, column, *said)
    return not bad
