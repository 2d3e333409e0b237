"""The RUN folder on disk: written beside its place and put there in one step, so that it is whole or not there.

While ``NAME`` is being written, these stand beside it (``XXXX`` is random, the same in all three):

    .NAME.lock-XXXX   locked by the process that writes: a lock dies with its owner, a process id may be used again
    .NAME.new-XXXX    the new folder; after an exchange of the two names, the old one until it is removed
    .NAME.old-XXXX    the old folder, only where names cannot be exchanged in one step
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from bayes_compliance import disk
from bayes_compliance.arguments import check_path, is_path, shown
from bayes_compliance.errors import Refused

FILES = ("posterior.nc", "forecast.nc", "forecast.csv", "report.html", "summary.json")
TOOL = "bayes_compliance"

RUN, PANEL = "of one case", "of a panel"
"""The kinds of RUN: one does not replace the other."""

JOURNAL = "tasks.jsonl"

WORK = {
    "backtest.html": "back-test", "calibration.html": "calibration", "forecasts.csv": "sweep",
    JOURNAL: "back-test, calibration or sweep",
}  # fmt: skip
"""Files that no RUN has, and what has written them: work that takes hours, and that no RUN replaces."""

_LONGEST_NAME = 240  # bytes; a file name has 255, and ours adds 15
_ATTEMPTS = 1000
_OCCUPIED = {errno.ENOTEMPTY, errno.EEXIST}


class RunFolderError(Refused):
    """A path that cannot be, or is not, a RUN folder."""


def sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_summary(run: str | os.PathLike[str]) -> dict[str, Any]:
    """What ``summary.json`` of a RUN holds.

    Raises
    ------
    RunFolderError
        If the folder has no readable ``summary.json`` that names this tool, or is that of a back-test, a calibration or
        a sweep.
    """
    check_path("run", run, "a RUN")
    if work := _work(run):
        raise RunFolderError(_no_run(run, f"it is the folder of a {work}"))
    if is_case(run):
        raise RunFolderError(_no_run(run, "it is a case folder"))
    file = Path(run, "summary.json")
    if file.exists() and not file.is_file():  # a pipe would be waited for
        raise RunFolderError(_no_run(run, "its summary.json is no regular file"))
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunFolderError(_no_run(run, "it has no summary.json")) from None
    except (OSError, ValueError, RecursionError) as error:
        raise RunFolderError(_no_run(run, f"its summary.json cannot be read ({error})")) from error
    if not isinstance(summary, dict) or summary.get("tool") != TOOL:
        raise RunFolderError(_no_run(run, f'its summary.json does not say "tool": "{TOOL}"'))
    return summary


def is_case(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder is that of a case, and of no RUN."""
    return Path(folder, "case.toml").is_file() and not Path(folder, "summary.json").exists()


def is_run(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder is that of a RUN, and of no case."""
    return Path(folder, "posterior.nc").is_file() and not Path(folder, "case.toml").exists()


def check_kind(run: str | os.PathLike[str], kind: str) -> None:
    """Refuse a RUN of another kind."""
    if (found := _kind(Path(run))) not in (None, kind):
        raise RunFolderError(f"{os.fspath(run)} is a RUN {found}; allowed: one {kind}")


def check_work(path: str | os.PathLike[str], kind: str) -> None:
    """Refuse a folder in which a back-test, a calibration or a sweep cannot begin or go on.

    Parameters
    ----------
    path
        It may be new, be empty, or hold the journal of the same work.
    kind : str
        ``back-test``, ``calibration`` or ``sweep``.

    Raises
    ------
    RunFolderError
        If it is a file, holds anything else (a RUN, say, or work of another kind), or cannot be written.
    """
    allowed = f"a new folder, or one in which the same {kind} was begun"
    problem = _unnameable(path)
    if problem is None:
        target = Path(os.path.realpath(path))
        problem = _foreign_to(kind, target) if os.path.lexists(target) else _unwritable(target)
    if problem:
        raise RunFolderError(f"--out: {_shown(path)} {problem}; allowed: {allowed}")


def check_target(path: str | os.PathLike[str], kind: str | None = None) -> Path:
    """Refuse a path where no RUN can be put.

    Parameters
    ----------
    path
        Where the RUN is to be; a symbolic link stands for what it points to. Parents may be missing.
    kind : str or None
        Of the RUN that is to be put there, `RUN` or `PANEL`, where it is known already.

    Returns
    -------
    Path
        The absolute path, links resolved.

    Raises
    ------
    RunFolderError
        If the path is a file, a folder with other content than a RUN of that kind, a mount point, or cannot be written.
    """
    if (problem := _unnameable(path)) is None:
        target = Path(os.path.realpath(path))
        problem = _occupied(target, kind) or _unwritable(target)
    if problem:
        earlier = f"an earlier RUN {kind}" if kind else "an earlier RUN"
        raise RunFolderError(f"{_shown(path)} {problem}; allowed: a new folder, an empty one or {earlier}")
    return target


@contextmanager
def new_run(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A fresh folder beside ``path`` that takes its place, whole, when the block ends well.

    When the block raises (KeyboardInterrupt and SystemExit too) the fresh folder is removed and what stood at ``path``
    is untouched; a process that is killed leaves the rest to `recover`. Of two writers the last one wins.

    Parameters
    ----------
    path
        Where the RUN is to be. Missing parents come with it, and not before.

    Yields
    ------
    Path
        The folder to write into: ``.NAME.new-XXXX`` beside ``path``, or below the like for its first missing parent.

    Raises
    ------
    RunFolderError
        If `check_target` refuses the path, before the block or after it.
    """
    recover(path)
    target = check_target(path)
    slot, lock = _claim(_first_missing(target))
    try:
        new = slot.new / target.relative_to(slot.top)
        new.mkdir(parents=True)
        yield new
        disk.sync_tree(slot.new)
        _put_in_place(slot, new, target)
        disk.sync(slot.top.parent)
        disk.sync(target.parent)
    finally:
        _release(slot, lock)


def recover(path: str | os.PathLike[str]) -> None:
    """Tidy up after writers of ``path`` that were killed.

    An old run that was moved aside returns if nothing stands in its place; unfinished folders are removed. Folders of
    writers that still run are left alone. Does nothing where nothing may be written.
    """
    target = Path(os.path.realpath(path))
    for place in (target, *target.parents):
        for slot in _slots(place):
            with suppress(OSError):
                _sweep(slot)


class _Slot(NamedTuple):
    """One writer's names beside ``top``, the first folder on the way to the RUN that it puts in place."""

    top: Path
    token: str

    def _beside(self, kind: str) -> Path:
        return self.top.with_name(f".{self.top.name}.{kind}-{self.token}")

    @property
    def lock(self) -> Path:
        return self._beside("lock")

    @property
    def new(self) -> Path:
        return self._beside("new")

    @property
    def old(self) -> Path:
        return self._beside("old")


def _no_run(run: str | os.PathLike[str], why: str) -> str:
    return f"{os.fspath(run)} is no RUN: {why}; allowed: a folder that `bayes-compliance run` or `fit` has written"


def _shown(path: str | os.PathLike[str]) -> str:
    """A path on one line, and not nothing at all."""
    if not is_path(path):
        return shown(path)
    text = os.fspath(path)
    return text if text.strip() and text.isprintable() else repr(text)


def _unnameable(path: str | os.PathLike[str]) -> str | None:
    if not is_path(path):
        return "is no path"
    text = os.fspath(path)
    return "is no name of a folder" if not text.strip() or "\0" in text else None


def _work(folder: str | os.PathLike[str]) -> str | None:
    """What but a RUN has been written into a folder, if anything."""
    with suppress(OSError, ValueError):
        names = set(os.listdir(folder))
        return next((what for name, what in WORK.items() if name in names), None)
    return None


def _kind(folder: Path) -> str | None:
    """The kind of a RUN by its files; None where it has no posterior."""
    if not (folder / "posterior.nc").exists():
        return None
    return PANEL if (folder / "reputation.nc").exists() else RUN


def _foreign_to(kind: str, folder: Path) -> str | None:
    """What a folder holds that work of a kind would not go on with."""
    if not folder.is_dir():
        return "is no folder"
    try:
        names = os.listdir(folder)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if names and JOURNAL not in names:
        return "holds other files"
    others = [what for name, what in WORK.items() if name in names and name != JOURNAL and what != kind]
    return f"holds a {others[0]}" if others else None


def _occupied(target: Path, kind: str | None) -> str | None:
    if not os.path.lexists(target):
        return None
    if not os.path.isdir(target):
        return "is no folder"
    if os.path.ismount(target):
        return "is a mount point, which cannot be exchanged for a new folder"
    for _ in range(_ATTEMPTS):
        before = _identity(target)
        problem = _foreign(target, kind)
        if problem is None or _identity(target) == before:
            return problem
    return "is replaced by other processes all the time"


def _identity(target: Path) -> tuple[int, int] | None:
    """Which folder stands there now: another writer may have exchanged it while it was read."""
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _foreign(target: Path, kind: str | None) -> str | None:
    try:
        if not os.listdir(target):
            return None
        if work := _work(target):
            return f"is a folder with files in it and no RUN (those of a {work})"
        read_summary(target)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except RunFolderError:
        return f'is a folder with files in it and no RUN (no summary.json that says "tool": "{TOOL}")'
    found = _kind(target)
    if found is None:
        return "is a folder with files in it and no RUN (no posterior.nc)"
    return f"is a RUN {found}, which one {kind} does not replace" if kind and found != kind else None


def _unwritable(target: Path) -> str | None:
    top = _first_missing(target)
    if not os.path.isdir(top.parent):
        return f"lies below {top.parent}, which is no folder"
    if not os.access(top.parent, os.W_OK | os.X_OK):
        return f"cannot be written: {top.parent} is not writable"
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in (top.name, target.name)):
        return f"has a name of more than {_LONGEST_NAME} bytes"
    return _takes_none(top)


def _takes_none(top: Path) -> str | None:
    """Why no folder can be made beside a path, whatever its rights say: one is made, and is gone."""
    probe = _Slot(top, secrets.token_hex(4)).new
    try:
        os.mkdir(probe)
    except OSError as error:
        return f"cannot be written: no folder can be made in {top.parent} ({error.strerror})"
    with suppress(OSError):  # a writer who tidies up may have been quicker
        os.rmdir(probe)
    return None


def _first_missing(target: Path) -> Path:
    """The target, or its topmost parent that does not exist."""
    top = target
    while not os.path.lexists(top.parent):
        top = top.parent
    return top


def _claim(top: Path) -> tuple[_Slot, int]:
    while True:
        slot = _Slot(top, secrets.token_hex(4))
        with suppress(FileExistsError):
            try:
                lock = os.open(slot.lock, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
                raise RunFolderError(
                    f"{top} cannot be written ({error.strerror}); allowed: a place where folders can be made"
                ) from error
            if disk.held(lock) and os.path.exists(slot.lock):  # else a sweeper came between open and lock
                return slot, lock
            os.close(lock)


def _slots(place: Path) -> set[_Slot]:
    """Every writer's slot beside a path, at work or abandoned."""
    pattern = re.compile(rf"\.{re.escape(place.name)}\.(?:lock|new|old)-([0-9a-f]{{8}})")
    try:
        matches = [pattern.fullmatch(name) for name in os.listdir(place.parent)]
    except OSError:
        return set()
    return {_Slot(place, match[1]) for match in matches if match}


def _sweep(slot: _Slot) -> None:
    """Settle a slot whose owner is gone: nobody holds its lock, or it has none (made first, removed last)."""
    try:
        lock = os.open(slot.lock, os.O_RDWR)
    except FileNotFoundError:
        return _settle(slot)
    try:
        orphaned = disk.try_lock(lock)
    except OSError:
        orphaned = False
    if orphaned:
        return _release(slot, lock)
    return os.close(lock)


def _release(slot: _Slot, lock: int) -> None:
    try:
        with suppress(OSError):
            _settle(slot)
    finally:
        os.close(lock)
    with suppress(OSError):
        slot.lock.unlink(missing_ok=True)


def _settle(slot: _Slot) -> None:
    _put_back(slot.old, slot.top)
    shutil.rmtree(slot.new, ignore_errors=True)


def _put_back(old: Path, target: Path) -> None:
    """The old run returns where its place is free; where it is taken it has been replaced, and goes."""
    try:
        os.rename(old, target)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in _OCCUPIED:
            raise
        shutil.rmtree(old, ignore_errors=True)


def _put_in_place(slot: _Slot, new: Path, target: Path) -> None:
    if slot.top != target:
        if _moved(slot.new, slot.top):
            return
        target.parent.mkdir(parents=True, exist_ok=True)  # another process has made some of the parents
    old = _Slot(target, slot.token).old
    for _ in range(_ATTEMPTS):
        check_target(target, _kind(new))
        if _moved(new, target) or _exchanged(new, target, old):
            return
    raise RunFolderError(f"{target} is replaced by other processes all the time; allowed: one writer at a time")


def _moved(new: Path, target: Path) -> bool:
    """Rename where the target is absent or an empty folder; False where it is taken."""
    try:
        os.rename(new, target)
    except OSError as error:
        if error.errno not in _OCCUPIED:
            raise
        return False
    return True


def _exchanged(new: Path, target: Path, old: Path) -> bool:
    """Put the new folder in the old one's place; False if the target has changed meanwhile."""
    try:
        if disk.exchange(new, target):
            return True
        os.rename(target, old)
        os.rename(new, target)
    except BaseException as error:
        _put_back(old, target)
        if isinstance(error, OSError) and error.errno in _OCCUPIED | {errno.ENOENT}:
            return False
        raise
    shutil.rmtree(old, ignore_errors=True)
    return True
