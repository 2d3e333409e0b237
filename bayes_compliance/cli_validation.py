"""The command line of validation: `backtest`, `calibrate`, `ledger`; thin over `bayes_compliance.api`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from bayes_compliance.inference import FEWER_CHAINS, FEWER_DRAWS

Make = Callable[..., argparse.ArgumentParser]
DONE, FAILED = 0, 1


def add(commands: Any, make: Make, sampling: Callable[..., None]) -> None:
    """Add the commands.

    Parameters
    ----------
    commands : the subparsers of argparse
    make : callable
        (commands, name, function, text) -> parser.
    sampling : callable
        Adds the sampler's options to a parser.
    """
    backtest = make(commands, "backtest", _backtest, "forecast each decision from the day before, and score it")
    backtest.add_argument("case", metavar="CASE", help="a case folder")
    backtest.add_argument("--out", required=True, metavar="FOLDER", help="where to write; goes on with what is there")
    backtest.add_argument("--model", default="coalition", help="a shipped model, or the path of a .py file")
    backtest.add_argument("--rivals", default="unitary,managerial", metavar="A,B,...", help="models beside it")
    backtest.add_argument("--ahead", type=int, default=1, metavar="N", help="decision dates to forecast at a time")
    backtest.add_argument("--learn", type=int, metavar="N", help="decisions known at the first origin (one in five)")
    backtest.add_argument("--origins", type=int, metavar="N", help="at most so many origins, evenly spaced")
    backtest.add_argument("--renew", action="store_true", help="judgements as known at each origin, not at the first")
    backtest.add_argument("--refit", default="needed", metavar="WHEN", help="needed (else weighted), or always")
    spread(backtest)
    sampling(backtest, as_of=False, draws=FEWER_DRAWS, chains=FEWER_CHAINS)

    calibrate = make(commands, "calibrate", _calibrate, "does the fit find what simulated decisions were made from?")
    calibrate.add_argument("case", metavar="CASE", nargs="?", help="a case folder (default: the shipped bananas)")
    calibrate.add_argument("--out", required=True, metavar="FOLDER", help="where to write; goes on with what is there")
    calibrate.add_argument("--model", default="coalition", help="a shipped model, or the path of a .py file")
    calibrate.add_argument("--given", action="store_true", help="given the case's decisions (posterior SBC)")
    calibrate.add_argument("--simulations", type=int, default=200, metavar="N")
    for name, default in (("seed", 1), ("draws", 250), ("tune", 500), ("chains", 2)):
        calibrate.add_argument(f"--{name}", type=int, default=default)
    spread(calibrate)

    _ledger(make(commands, "ledger", _verify, "sealed forecasts that nobody can better afterwards"), make)


def spread(command: argparse.ArgumentParser) -> None:
    """Options of a command whose tasks other processes can do."""
    command.add_argument("--workers", type=int, default=1, metavar="N", help="processes of this machine (default 1)")
    command.add_argument("--scheduler", default="local", metavar="ADDRESS", help="a Dask cluster, such as tcp://...")


def _ledger(ledger: argparse.ArgumentParser, make: Make) -> None:
    acts = ledger.add_subparsers(title="acts", metavar="ACT", required=True)
    add = make(acts, "add", _add, "seal the forecast of a RUN")
    verify = make(acts, "verify", _verify, "check every seal, and that a published one is there")
    score = make(acts, "score", _score, "score sealed forecasts by the decisions that have come")
    for act in (add, verify, score):
        act.add_argument("ledger", metavar="LEDGER", help="a file of JSON lines")
    add.add_argument("run", metavar="RUN")
    verify.add_argument("--head", metavar="SEAL", help="a seal that was published")
    score.add_argument("case", metavar="CASE", help="the case folder with the decisions that have come")


def sampler(options: argparse.Namespace) -> dict[str, Any]:
    """The sampler's options as arguments."""
    names = ("engine", "seed", "draws", "tune", "chains")
    return {name: getattr(options, name) for name in names} | {"progress": sys.stderr.isatty()}


def _backtest(options: argparse.Namespace) -> int:
    from bayes_compliance import api
    from bayes_compliance.validation.backtest_words import headline

    names = ("model", "ahead", "learn", "origins", "renew", "refit", "scheduler", "workers")
    asked = {name: getattr(options, name) for name in names}
    rivals = [name for name in options.rivals.split(",") if name]
    done = api.backtest(options.case, options.out, rivals=rivals, **asked, **sampler(options) | {"progress": True})
    say_failures(done.checks)
    print(headline(done))
    print(f"{options.out}/backtest.html")
    return DONE if done.passed else FAILED


def _calibrate(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    names = ("case", "model", "simulations", "seed", "draws", "tune", "chains", "given", "scheduler", "workers")
    asked = {name: getattr(options, name) for name in names}
    done = api.calibrate(options.out, **asked, progress=True)
    print(done.verdict)
    print(f"{options.out}/calibration.html")
    return DONE if done.passed else FAILED


def _add(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    print(api.ledger_add(options.ledger, options.run))
    return DONE


def _verify(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    print(f"whole; the last seal is {api.ledger_verify(options.ledger, options.head)}")
    return DONE


def _score(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    print(api.ledger_score(options.ledger, options.case))
    return DONE


def say_failures(checks: Sequence[Any]) -> None:
    """Diagnostics that missed their mark, on the standard error."""
    for check in checks:
        if not check.passed:
            print(f"diagnostic failed: {check}", file=sys.stderr)
