"""The command `panel`; thin over `bayes_compliance.api`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayes_compliance.cli import options as shared
from bayes_compliance.cli.options import DONE, FAILED_DIAGNOSTIC, SAMPLER, SPREAD
from bayes_compliance.errors import Refused

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the command to the parser."""
    panel = shared.command(commands, "panel", _panel, "many states, many rules: which states are readier to comply?")
    panel.add_argument("folder", metavar="FOLDER", help="case folders side by side, or decisions.csv with column case")
    panel.add_argument("--out", metavar="RUN", help="where to write; replaced whole, or left as it was")
    panel.add_argument("--cases", metavar="A,B,...", help="of the case folders, those to take (default: all)")
    panel.add_argument("--outcomes", type=int, metavar="N", help="of a table: 2 or 3 outcomes (default: 3)")
    panel.add_argument("--until", type=shared.day, metavar="DATE", help="the horizon")
    panel.add_argument("--pooling", default="partial", help="of states: partial, none or complete")
    panel.add_argument("--paths", action="store_true", help="P2 + G2 of each state moves in steps of five years")
    panel.add_argument(
        "--leave-out",
        type=int,
        default=0,
        metavar="N",
        help="score states left out, in N refits (default: 0, not done)",
    )
    shared.seed(panel)
    shared.size(panel)
    shared.spread(panel)
    panel.add_argument(
        "--simulate", type=int, metavar="N", help="write a synthetic panel of N states into FOLDER, and its truth"
    )
    panel.add_argument(
        "--decisions",
        type=shared.up_to(shared.MOST),
        metavar="N",
        help="of --simulate: compliance decisions drawn, of which those of states that join are kept (default: 1200)",
    )


def _panel(options: argparse.Namespace) -> int:
    if options.simulate is not None:
        return _simulate(options)
    if options.decisions is not None:
        raise Refused("--decisions: stands without --simulate; allowed: both or neither")
    if options.out is None:
        raise Refused("--out: nothing is named; allowed: a folder to write the RUN to")
    from bayes_compliance import api
    from bayes_compliance.analysis.reputation import verdict

    asked = shared.taken(options, "outcomes", "until", "pooling", "paths", "leave_out", *SAMPLER, *SPREAD)
    cases = None if options.cases is None else shared.listed(options.cases)
    done = api.panel(options.folder, options.out, cases=cases, **asked, progress=True)
    shared.say_failures(done.checks)
    if options.pooling != "complete":
        print(verdict(done.reputation))
    print(f"{options.out}/report.html")
    return DONE if done.passed else FAILED_DIAGNOSTIC


def _simulate(options: argparse.Namespace) -> int:
    from bayes_compliance.inference import check_settings
    from bayes_compliance.panel.synthetic import synthetic, write

    if options.out is not None:
        raise Refused("--out: stands beside --simulate; allowed: one of them")
    if options.outcomes not in (None, 2, 3):
        raise Refused(f"--outcomes: {options.outcomes} is refused; allowed: 2 or 3")
    check_settings("nuts", options.seed, options.draws, options.tune, options.chains)
    made = synthetic(
        options.simulate, decisions=1200 if options.decisions is None else options.decisions, seed=options.seed,
        outcomes=options.outcomes or 3, paths=options.paths,
    )  # fmt: skip
    for path in write(options.folder, made):
        print(path)
    return DONE
