"""The command `sweep`; thin over `bayes_compliance.api`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from bayes_compliance.cli import options as shared
from bayes_compliance.cli.options import DONE, FAILED_DIAGNOSTIC, SPREAD
from bayes_compliance.models import DEFAULT


def add(commands: Any) -> None:
    """Add the command to the parser."""
    sweep = shared.command(commands, "sweep", _sweep, "many fits: cases by models by decision noises by seeds")
    sweep.add_argument("cases", metavar="CASE", nargs="+", help="case folders")
    sweep.add_argument("--out", required=True, metavar="FOLDER", help="where to write; goes on with what is there")
    sweep.add_argument("--models", type=_each(str), default=[DEFAULT], metavar="A,B,...")
    sweep.add_argument("--noise", type=_each(float), default=[1.0], metavar="X,Y,...", help="multiples of the noise")
    sweep.add_argument("--seeds", type=_each(int), default=[1], metavar="1,2,...")
    sweep.add_argument("--until", type=shared.day, metavar="DATE", help="forecast up to this date")
    shared.size(sweep)
    shared.spread(sweep)


def _each(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    def parts(text: str) -> list[Any]:
        try:
            return [kind(part) for part in shared.listed(text)]
        except ValueError:
            what = "numbers" if kind is float else "whole numbers"
            raise argparse.ArgumentTypeError(f"{text!r}: allowed: {what}, parted by commas") from None

    return parts


def _sweep(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    asked = shared.taken(options, "models", "seeds", "until", "draws", "tune", "chains", *SPREAD)
    done = api.sweep(options.cases, options.out, noises=options.noise, **asked, progress=True)
    for key in done["failed"]:
        print(f"diagnostic failed: {key}; see diagnostics.csv", file=sys.stderr)
    print(f"{options.out}/forecasts.csv")
    return DONE if done["passed"] else FAILED_DIAGNOSTIC
