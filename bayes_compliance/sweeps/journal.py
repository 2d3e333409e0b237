"""Results of tasks on disk: an append-only file of JSON lines, the first of which says what is done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bayes_compliance.errors import Refused


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
        If the file was begun for something else.
    """

    def __init__(self, path: Path, header: dict[str, Any], what: str = "sweep") -> None:
        self.path, self._start = path, dict[str, int]()
        whole = self._whole_lines()
        first = next(whole, None)
        if first is None:
            self._add(header)
        elif (theirs := json.loads(first[1])) != (ours := json.loads(json.dumps(header))):
            other = ", ".join(sorted(k for k in {*ours, *theirs} if ours.get(k) != theirs.get(k)))
            raise Refused(
                f"{path}: line 1: another {what} was begun here (other {other}); allowed: the same one, or a new folder"
            )
        for start, line in whole:
            self._start[json.loads(line)["task"]] = start

    def __contains__(self, key: str) -> bool:
        return key in self._start

    def __getitem__(self, key: str) -> Any:
        with open(self.path, "rb") as file:
            file.seek(self._start[key])
            return json.loads(file.readline())["result"]

    def add(self, key: str, result: Any) -> None:
        """Enter a result."""
        self._start[key] = self._add({"task": key, "result": result})

    def _whole_lines(self) -> Iterator[tuple[int, bytes]]:
        """Where each line starts, and the line; a last one that was cut short is taken off."""
        if not self.path.exists():
            return
        with open(self.path, "rb") as file:
            start = 0
            for line in file:
                if not line.endswith(b"\n"):
                    os.truncate(self.path, start)
                    return
                yield start, line
                start += len(line)

    def _add(self, line: dict[str, Any]) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "ab") as file:
            start = file.tell()
            file.write((json.dumps(line) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
        return start
