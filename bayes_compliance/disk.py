"""What the operating system gives for whole files and folders: a lock, an exchange of two names, a sync to the disk."""

from __future__ import annotations

import csv
import errno
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from bayes_compliance.arguments import check_path
from bayes_compliance.errors import Refused

_OF_THE_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES}
_NO_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}


def try_lock(lock: int) -> bool:
    """Lock an open file; False if another process has it, OSError where there are no locks."""
    if sys.platform == "win32":
        import msvcrt

        with suppress(PermissionError):
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
            return True
    else:
        import fcntl

        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def held(lock: int) -> bool:
    """As `try_lock`; True where the file system has no locks, and nobody else can have it."""
    try:
        return try_lock(lock)
    except OSError:
        return True


def exchange(new: Path, target: Path) -> bool:
    """Exchange two names in one step; False where the system or the file system cannot."""
    call = _system_call()
    if call is None:
        return False
    number = call(os.fsencode(new), os.fsencode(target))
    if number and number not in _NO_EXCHANGE:
        raise OSError(number, os.strerror(number), str(new), None, str(target))
    return number == 0


@cache
def _system_call() -> Callable[[bytes, bytes], int] | None:
    """The system's call, as a function of two names that returns an error number, or None."""
    import ctypes

    if sys.platform not in ("linux", "darwin"):
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
        return lambda a, b: library.renameat2(here, a, here, b, exchange) and ctypes.get_errno()
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        swap = 2  # RENAME_SWAP
        return lambda a, b: library.renamex_np(a, b, swap) and ctypes.get_errno()
    return None


def unwritten(error: OSError, made: str) -> str | None:
    """In words what could not be written and why, where the machine would not have it; None where that is our fault.

    Parameters
    ----------
    error : OSError
    made : str
        What was being made, if the error names no file.
    """
    if error.errno in _OF_THE_MACHINE:
        what = "opened" if error.errno == errno.EACCES else "written"
        return f"{error.filename or made} could not be {what} ({os.strerror(error.errno)})"
    # so says `tempfile`, and with which folders it has tried
    if "No usable temporary directory" in str(error.strerror):
        return f"no temporary file could be written ({error.strerror}); TMPDIR names another"
    return None


@contextmanager
def named(path: Path) -> Iterator[None]:
    """What the system says of a file that is open, it says without its name: it is given one."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def new_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """A folder to write files into, new or empty, and so again where not all can be written.

    Raises
    ------
    Refused
        If it is no path, has no name or files in it, is no folder, or cannot be written.
    """
    check_path("folder", folder, "a new or an empty folder")
    place = Path(folder)
    if not os.fspath(folder).strip():
        raise Refused(f"{os.fspath(folder)!r} is no name of a folder; allowed: a new or an empty folder")
    try:
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise Refused(f"{place}: this is no empty folder; allowed: a new or an empty one")
        with _whole(place):
            yield place
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Refused(f"{place}: cannot be written ({why}); allowed: a new or an empty folder") from error


@contextmanager
def _whole(place: Path) -> Iterator[None]:
    made = [one for one in (place, *place.parents) if not one.exists()]
    try:
        place.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with suppress(OSError):  # another process has put something there
            for file in place.glob("*"):
                file.unlink()
        for one in made:
            with suppress(OSError):
                one.rmdir()
        raise


def append(file: IO[bytes], path: Path, data: bytes) -> None:
    """Add to an open file without a buffer, on the disk when this returns; all of it or nothing."""
    size = file.seek(0, os.SEEK_END)
    try:
        with named(path):
            while data:
                data = data[file.write(data) :]
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            file.truncate(size)
        raise


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of another at the end: a file is whole, or as it was.

    It is another for each writer, and is gone if the block fails.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        with named(path):
            yield beside
            os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def replace(path: Path, text: str) -> None:
    """Write a file whole, or leave it as it was."""
    with replacing(path) as beside:
        beside.write_bytes(text.encode())


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table whole, row by row as they come, or leave the file as it was."""
    with replacing(path) as beside, open(beside, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def sync_tree(folder: Path) -> None:
    for place, _, names in folder.walk(top_down=False):
        for name in names:
            sync(place / name)
        sync(place)


def sync(path: Path) -> None:
    """Have the disk hold a file's bytes, or a folder's names, before the next step."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot sync a folder
            raise
    finally:
        os.close(handle)
