"""The command `new`: a case to fill in, which is sound as it stands and asks its questions in words."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from bayes_compliance import disk

if TYPE_CHECKING:
    from os import PathLike

FILES = ("README.md", "case.toml", "decisions.csv", "judgements.csv", "proxies.csv", "scenarios.toml")


def new(folder: str | PathLike[str]) -> list[Path]:
    """Write a case to fill in.

    Parameters
    ----------
    folder : path
        New or empty; the case is named after it.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    Refused
        If the folder has files in it, is no folder, or cannot be written.
    """
    with disk.new_folder(folder) as place:
        return [_write(place / name) for name in FILES]


def _write(path: Path) -> Path:
    name = path.resolve().parent.name or "case"
    shown = json.dumps(name, ensure_ascii=False)[1:-1] if path.suffix == ".toml" else name
    text = files(__name__).joinpath("template", path.name).read_text(encoding="utf-8")
    path.write_text(text.replace("{name}", shown), encoding="utf-8", newline="")
    return path
