"""The command `sweep`; thin over `bayes_compliance.api`."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bayes_compliance.cli import options as shared
from bayes_compliance.cli.options import DONE, FAILED_DIAGNOSTIC, SPREAD
from bayes_compliance.models import DEFAULT

MOST = 30
"""Rows of the table that compares noises."""


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
    if done["failed"]:
        print(_remedy(Path(options.out) / "diagnostics.csv"), file=sys.stderr)
    for key, note in done["model_notes"].items():
        print(f"{key}: {note}", file=sys.stderr)
    for line in compared(Path(options.out) / "forecasts.csv"):
        print(line)
    print(f"{options.out}/forecasts.csv")
    return DONE if done["passed"] else FAILED_DIAGNOSTIC


def _remedy(diagnostics: Path) -> str:
    """What to do about the marks that any fit missed."""
    from bayes_compliance.inference.diagnostics import ESS, FORECAST, MC_ERROR, Check
    from bayes_compliance.inference.remedies import remedy

    marks = {"bulk ESS": ESS, "tail ESS": ESS, FORECAST: MC_ERROR}
    rows = csv.DictReader(diagnostics.read_text(encoding="utf-8").splitlines())
    return remedy(
        Check(row["name"], float(row["value"] or "nan"), str(marks.get(row["name"], "")), row["where"], False)
        for row in rows
        if row["passed"] == "False"
    )


def compared(forecasts: Path) -> list[str]:
    """P(comply) on the last date side by side at each noise, those first that noise moves most; at most `MOST` rows.

    Nothing where there is one noise only.
    """
    from bayes_compliance.feedback.words import table
    from bayes_compliance.wording import rule_name, short

    rows = list(csv.DictReader(forecasts.read_text(encoding="utf-8").splitlines()))
    noises = list(dict.fromkeys(row["noise"] for row in rows))
    of = ("case", "model", "seed", "state", "rule")
    last = {row["case"]: row["date"] for row in sorted(rows, key=lambda row: row["date"])}
    if len(noises) < 2:
        return []
    told: dict[tuple[str, ...], dict[str, float]] = {}
    for row in rows:
        if row["date"] == last[row["case"]]:
            told.setdefault(tuple(row[name] for name in of), {})[row["noise"]] = float(row["p_comply"])
    order = sorted(told.items(), key=lambda item: min(item[1].values()) - max(item[1].values()))
    varied = [k for k, name in enumerate(of) if name in ("state", "rule") or len({key[k] for key in told}) > 1]
    header = [*(of[k] for k in varied), "date", *(f"noise {noise}" for noise in noises)]
    cells = [
        [*(rule_name(key[k]) if of[k] == "rule" else key[k] for k in varied), last[key[0]],
         *(short(p[noise]) for noise in noises)]
        for key, p in order[:MOST]
    ]  # fmt: skip
    said = list(table("P(comply) at each multiple of the decision noise", header, cells))
    return [*said, f"  and {len(order) - MOST} more, which noise moves less"] if len(order) > MOST else said
