"""The command line: thin over `bayes_compliance.api`, and nothing heavy imported before it is needed."""

from __future__ import annotations

import argparse
import gc
import sys
import traceback
from collections.abc import Sequence

from bayes_compliance import __doc__ as summary
from bayes_compliance import __version__, disk
from bayes_compliance.cli import elicitation, fitting, panel, sweep, validation
from bayes_compliance.cli.options import DONE, EPILOG, FAILED_DIAGNOSTIC, INTERNAL, INTERRUPTED, REFUSED, heard
from bayes_compliance.errors import Refused, Unwritten

__all__ = ["DONE", "FAILED_DIAGNOSTIC", "INTERNAL", "INTERRUPTED", "REFUSED", "main", "parser"]

OBJECTS = 50_000
"""New objects between two collections of garbage: at Python's 2,000 a report spends a twentieth of its time there."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is the result."""
    gc.set_threshold(OBJECTS, *gc.get_threshold()[1:])
    with heard():
        return _done(arguments)


def _done(arguments: Sequence[str] | None) -> int:
    try:
        options = parser().parse_args(arguments)
        return _worked(options)
    except SystemExit as end:  # argparse: usage errors are 2 already
        return int(end.code or 0)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    except Unwritten as unwritten:
        print(unwritten, file=sys.stderr)
        return INTERNAL
    except KeyboardInterrupt:
        print("interrupted; no RUN was changed, and tasks that were done are kept", file=sys.stderr)
        return INTERRUPTED
    except Exception:
        traceback.print_exc()
        return INTERNAL


def _worked(options: argparse.Namespace) -> int:
    """A command, or in words what the machine would not take of it."""
    if sys.flags.optimize > 1 and not options.light:
        raise Refused("PYTHONOPTIMIZE (-OO): drops the docstrings that ArviZ needs; allowed: 0 or 1 (-O)")
    try:
        return options.command(options)
    except OSError as error:
        named = (getattr(options, name, None) for name in ("out", "ledger", "folder", "run"))
        if (said := disk.unwritten(error, next(filter(None, named), "the result"))) is None:
            raise
        print(f"{said}; no RUN was changed, and tasks that were done are kept", file=sys.stderr)
        return INTERNAL


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    top = argparse.ArgumentParser(prog="bayes-compliance", description=summary, epilog=EPILOG)
    top.add_argument("--version", action="version", version=f"bayes-compliance {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for room in (fitting, elicitation, validation, panel, sweep):
        room.add(commands)
    return top
