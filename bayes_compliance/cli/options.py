"""What commands share: how one is added, options by groups and how they are handed on, exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from datetime import date
from io import TextIOWrapper
from typing import Any, TextIO, cast

from bayes_compliance.inference import CHAINS, DRAWS, TUNE
from bayes_compliance.models import DEFAULT

DONE, FAILED_DIAGNOSTIC, REFUSED, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 130
EPILOG = """exit codes: 0 done; 1 done, but a diagnostic failed its mark, update cannot tell or calibrate found a
departure; 2 refused, nothing written; 3 internal error, or a disk that is full or takes nothing; 130 interrupted"""

SAMPLER = ("seed", "draws", "tune", "chains")
SPREAD = ("workers", "scheduler")

MOST, MOST_CHAINS = 1_000_000, 1_000
"""More draws, or tasks, than anybody has memory or time for: a slip of the finger."""


class _Heard:
    """A stream that cannot be written, as after ``| head`` or on a full disk: this, and all that follows, is lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except OSError:
            self._drop()
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


@contextmanager
def heard() -> Iterator[None]:
    """Whether or not what is printed here can be read, the work is done, and its exit code is what it deserves."""
    with ExitStack() as until_the_end:
        streams = [until_the_end.enter_context(_nowhere()) if s is None else s for s in (sys.stdout, sys.stderr)]
        for stream in streams:
            if isinstance(stream, TextIOWrapper):  # of a terminal that has not all letters, say
                stream.reconfigure(errors="backslashreplace")
        out, err = (cast(TextIO, _Heard(stream)) for stream in streams)
        with redirect_stdout(out), redirect_stderr(err):
            try:
                yield
            finally:
                out.flush()
                err.flush()


def _nowhere() -> TextIO:
    """What stands for a stream that is closed, in processes started here too: else a file of theirs gets its number."""
    number = os.open(os.devnull, os.O_WRONLY)
    os.set_inheritable(number, True)
    return os.fdopen(number, "w", encoding="utf-8")


def command(
    commands: Any, name: str, call: Callable[[argparse.Namespace], int], text: str, light: bool = False
) -> argparse.ArgumentParser:
    """A new command, which `call` does; a light one imports neither ArviZ nor what draws."""
    made = commands.add_parser(name, help=text, description=text, epilog=EPILOG)
    made.set_defaults(command=call, light=light)
    return made


def day(text: str) -> date:
    """The type of an option that is a date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; allowed: an ISO date such as 2030-01-01") from None


def model(to: argparse.ArgumentParser) -> None:
    """Which model."""
    to.add_argument("--model", default=DEFAULT, help="a shipped model, or the path of a .py file")


def pool(to: argparse.ArgumentParser) -> None:
    """How several analysts are pooled."""
    to.add_argument(
        "--pool", default="linear", help="several analysts of one quantity: linear, log or cooke (by seeds.csv)"
    )


def as_of(to: argparse.ArgumentParser) -> None:
    """What was known."""
    to.add_argument("--as-of", type=day, metavar="DATE", help="use only what was known on this date")


def up_to(most: int) -> Callable[[str], int]:
    """The type of an option that is a number which memory must hold so many of: its least value is told later."""

    def number(text: str) -> int:
        try:
            found = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number; allowed: {most} at most") from None
        if found > most:
            raise argparse.ArgumentTypeError(f"{text} is too many; allowed: {most} at most")
        return found

    return number


def engine(to: argparse.ArgumentParser) -> None:
    """Which engine."""
    to.add_argument(
        "--engine", default="nuts", help="nuts (default); smc, which compiles nothing; exact, for linear cases"
    )


def seed(to: argparse.ArgumentParser) -> None:
    """Which seed."""
    to.add_argument("--seed", type=int, default=1)


def size(to: argparse.ArgumentParser, *, draws: int = DRAWS, chains: int = CHAINS) -> None:
    """How many draws."""
    to.add_argument("--draws", type=up_to(MOST), default=draws, help="kept draws of each chain")
    to.add_argument("--tune", type=up_to(MOST), default=TUNE, help="discarded draws of each chain")
    to.add_argument("--chains", type=up_to(MOST_CHAINS), default=chains, help="two at least, since R-hat compares them")


def spread(to: argparse.ArgumentParser) -> None:
    """Of a command whose tasks other processes can do."""
    to.add_argument("--workers", type=int, default=1, metavar="N", help="processes of this machine (default 1)")
    to.add_argument("--scheduler", default="local", metavar="ADDRESS", help="a Dask cluster, such as tcp://...")


def taken(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Options as arguments, by their names."""
    return {name: getattr(options, name) for name in names}


def listed(text: str) -> list[str]:
    """What is parted by commas."""
    return [part.strip() for part in text.split(",")]


def say_failures(checks: Sequence[Any], of: str = "") -> None:
    """Diagnostics that missed their mark, and what to do about it, on the standard error."""
    missed = [check for check in checks if not check.passed]
    for check in missed:
        print(f"diagnostic failed: {of}{check}", file=sys.stderr)
    if missed:
        from bayes_compliance.inference.remedies import remedy

        print(f"{of}{remedy(missed)}", file=sys.stderr)
