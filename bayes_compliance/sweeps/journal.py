"""Results of tasks on disk: an append-only file of JSON lines, the first of which says what is done."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from bayes_compliance.errors import Refused


class Journal:
    """Results by the key of their task; each line is on disk before the next task's is taken.

    Parameters
    ----------
    path : Path
    header : dict
        What is done: inputs, settings, versions. A file that says otherwise is refused.
    what : str
        What the header speaks of, for the refusal.

    Attributes
    ----------
    done : dict
        Results by key.

    Raises
    ------
    Refused
        If the file was begun for something else.
    """

    def __init__(self, path: Path, header: dict[str, Any], what: str = "sweep") -> None:
        self.path, self.done = path, dict[str, Any]()
        lines = self._whole_lines()
        if not lines:
            self._add(header)
        elif lines[0] != (ours := json.loads(json.dumps(header))):
            other = ", ".join(sorted(k for k in {*ours, *lines[0]} if ours.get(k) != lines[0].get(k)))
            raise Refused(
                f"{path}: line 1: another {what} was begun here (other {other}); allowed: the same one, or a new folder"
            )
        for line in lines[1:]:
            self.done[line["task"]] = line["result"]

    def _whole_lines(self) -> list[dict[str, Any]]:
        """What the file holds; a last line that was cut short is taken off."""
        if not self.path.exists():
            return []
        raw = self.path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if len(whole) < len(raw):
            os.truncate(self.path, len(whole))
        return [json.loads(line) for line in whole.splitlines()]

    def add(self, key: str, result: Any) -> None:
        """Enter a result."""
        line = {"task": key, "result": result}
        self._add(line)
        self.done[key] = json.loads(json.dumps(result))

    def _add(self, line: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "ab") as file:
            file.write((json.dumps(line) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
