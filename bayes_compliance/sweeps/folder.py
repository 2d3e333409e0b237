"""The folder of a sweep: its journal, and what is made of it at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bayes_compliance.errors import Refused

if TYPE_CHECKING:
    from os import PathLike

JOURNAL = "tasks.jsonl"


def working_folder(out: str | PathLike[str]) -> Path:
    """A folder that is not there yet, is empty, or holds a sweep that was begun; nothing is made.

    Raises
    ------
    Refused
        If it holds anything else.
    """
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise Refused(f"--out: {folder} is no folder; allowed: a new folder, or one in which the same was begun")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / JOURNAL).is_file():
        raise Refused(f"--out: {folder} holds other files; allowed: a new folder, or one in which the same was begun")
    return folder
