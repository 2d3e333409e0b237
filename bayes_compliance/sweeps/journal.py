"""Results of tasks on disk: an append-only file of JSON lines, the first of which says what is done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_compliance import runs, store
from bayes_compliance.errors import Refused

if TYPE_CHECKING:
    from os import PathLike


def own_models(names: Iterable[str]) -> dict[str, Any]:
    """What a header says of users' own models: the SHA-256 of each file by its path; nothing where there is none."""
    found = {name: store.sha256(name) for name in names if name.endswith(".py")}
    return {runs.MODEL: found} if found else {}


@contextmanager
def at_work(out: str | PathLike[str], kind: str) -> Iterator[Path]:
    """A folder to work in; where work is refused before its first task was done, nothing of it stays."""
    store.check_work(out, kind)
    folder = Path(out)
    journal = folder / store.JOURNAL
    begun = journal.exists()
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        yield folder
    except Refused:
        if not begun and journal.exists() and len(journal.read_bytes().splitlines()) < 2:
            journal.unlink()
            with suppress(OSError):  # another process has put something there
                for place in made:
                    place.rmdir()
        raise


class Journal:
    """Results by the key of their task, on disk only; each line is there before the next result is taken.

    Parameters
    ----------
    path : Path
    header : dict
        What is done: inputs, settings, versions. A file that says otherwise is refused.
    what : str
        What the header speaks of, for the refusal.

    Raises
    ------
    Refused
        If the file was begun for something else, is no such file, or cannot be made.
    """

    def __init__(self, path: Path, header: dict[str, Any], what: str = "sweep") -> None:
        self.path, self._what, self._start = path, what, dict[str, int]()
        lines = self._lines()
        _, first = next(lines, (0, b""))
        if not first.endswith(b"\n"):
            self._begin(first, header)
            return
        self._check(first, header)
        for number, (start, line) in enumerate(lines, 2):
            if not line.endswith(b"\n"):
                os.truncate(path, start)  # it was cut short
                break
            self._start[self._key(number, line)] = start

    def __contains__(self, key: str) -> bool:
        return key in self._start

    def __getitem__(self, key: str) -> Any:
        with open(self.path, "rb") as file:
            file.seek(self._start[key])
            return json.loads(file.readline())["result"]

    def add(self, key: str, result: Any) -> None:
        """Enter a result."""
        self._start[key] = self._add({"task": key, "result": result})

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Where each line starts, and the line."""
        if not self.path.exists():
            return
        with open(self.path, "rb") as file:
            start = 0
            for line in file:
                yield start, line
                start += len(line)

    def _check(self, first: bytes, header: dict[str, Any]) -> None:
        """Refuse a file that was begun for something else."""
        ours, theirs = json.loads(json.dumps(header)), self._read(1, first)
        if theirs != ours:
            other = ", ".join(sorted(k for k in {*ours, *theirs} if ours.get(k) != theirs.get(k)))
            raise self._refused(1, f"another {self._what} was begun here (other {other})")

    def _begin(self, first: bytes, header: dict[str, Any]) -> None:
        """Write the first line, anew where it was cut short."""
        if not json.dumps(header).encode().startswith(first):
            raise self._refused(1, f"this is no file of a {self._what}")
        try:
            if first:
                os.truncate(self.path, 0)
            self._add(header)
        except OSError as error:
            raise Refused(
                f"{self.path}: cannot be written ({error.strerror}); allowed: a place where folders can be made"
            ) from error

    def _key(self, number: int, line: bytes) -> str:
        try:
            return str(self._read(number, line)["task"])
        except KeyError:
            raise self._refused(number, f"this is no result of a {self._what}") from None

    def _read(self, number: int, line: bytes) -> dict[str, Any]:
        with suppress(ValueError, RecursionError):
            found = json.loads(line)
            if isinstance(found, dict):
                return found
        raise self._refused(number, f"this is no line of a {self._what}")

    def _refused(self, number: int, why: str) -> Refused:
        return Refused(f"{self.path}: line {number}: {why}; allowed: the same one, or a new folder")

    def _add(self, line: dict[str, Any]) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "ab") as file:
            start = file.tell()
            file.write((json.dumps(line) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
        return start
