"""Commands of validation: `backtest`, `calibrate`, `ledger`; thin over `bayes_compliance.api`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayes_compliance.cli import options as shared
from bayes_compliance.cli.options import DONE, FAILED_DIAGNOSTIC, SAMPLER, SPREAD
from bayes_compliance.inference import FEWER_CHAINS, FEWER_DRAWS, RANKED_DRAWS
from bayes_compliance.models import RIVALS

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    backtest = shared.command(
        commands, "backtest", _backtest, "forecast each decision from the day before, and score it"
    )
    backtest.add_argument("case", metavar="CASE", help="a case folder")
    _out(backtest)
    shared.model(backtest)
    backtest.add_argument("--rivals", default=",".join(RIVALS), metavar="A,B,...", help="models beside it")
    backtest.add_argument("--ahead", type=int, default=1, metavar="N", help="decision dates to forecast at a time")
    backtest.add_argument("--learn", type=int, metavar="N", help="decisions known at the first origin (one in five)")
    backtest.add_argument("--origins", type=int, metavar="N", help="at most so many origins, evenly spaced")
    backtest.add_argument("--renew", action="store_true", help="judgements as known at each origin, not at the first")
    backtest.add_argument("--refit", default="needed", metavar="WHEN", help="needed (else weighted), or always")
    shared.spread(backtest)
    backtest.add_argument("--engine", default="nuts", help="nuts (default); exact, for linear cases")
    shared.seed(backtest)
    shared.size(backtest, draws=FEWER_DRAWS, chains=FEWER_CHAINS)

    calibrate = shared.command(
        commands, "calibrate", _calibrate, "does the fit find what simulated decisions were made from?"
    )
    calibrate.add_argument("case", metavar="CASE", nargs="?", help="a case folder (default: the shipped bananas)")
    _out(calibrate)
    shared.model(calibrate)
    calibrate.add_argument("--given", action="store_true", help="given the case's decisions (posterior SBC)")
    calibrate.add_argument("--simulations", type=shared.up_to(shared.MOST), default=200, metavar="N")
    shared.seed(calibrate)
    shared.size(calibrate, draws=RANKED_DRAWS, chains=FEWER_CHAINS)
    shared.spread(calibrate)

    _ledger(shared.command(commands, "ledger", _verify, "sealed forecasts that nobody can better afterwards", True))


def _out(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", required=True, metavar="FOLDER", help="where to write; goes on with what is there")


def _ledger(ledger: argparse.ArgumentParser) -> None:
    acts = ledger.add_subparsers(title="acts", metavar="ACT", required=True)
    add = shared.command(acts, "add", _add, "seal the forecast of a RUN", True)
    verify = shared.command(acts, "verify", _verify, "check every seal, and that a published one is there", True)
    score = shared.command(acts, "score", _score, "score sealed forecasts by the decisions that have come", True)
    for act in (add, verify, score):
        act.add_argument("ledger", metavar="LEDGER", help="a file of JSON lines")
    add.add_argument("run", metavar="RUN")
    verify.add_argument("--head", metavar="SEAL", help="a seal that was published")
    score.add_argument("case", metavar="CASE", help="the case folder with the decisions that have come")


def _backtest(options: argparse.Namespace) -> int:
    from bayes_compliance import api
    from bayes_compliance.validation.backtest_words import headline

    asked = shared.taken(options, "model", "ahead", "learn", "origins", "renew", "refit", "engine", *SAMPLER, *SPREAD)
    rivals = [name for name in shared.listed(options.rivals) if name]
    done = api.backtest(options.case, options.out, rivals=rivals, **asked, progress=True)
    shared.say_failures(done.checks)
    print(headline(done))
    print(f"{options.out}/backtest.html")
    return DONE if done.passed else FAILED_DIAGNOSTIC


def _calibrate(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    asked = shared.taken(options, "case", "model", "simulations", "given", *SAMPLER, *SPREAD)
    done = api.calibrate(options.out, **asked, progress=True)
    print(done.verdict)
    print(f"{options.out}/calibration.html")
    return DONE if done.passed else FAILED_DIAGNOSTIC


def _add(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    print(api.ledger_add(options.ledger, options.run))
    return DONE


def _verify(options: argparse.Namespace) -> int:
    from bayes_compliance import api
    from bayes_compliance.validation.ledger import FIRST

    last = api.ledger_verify(options.ledger, options.head)
    print("it holds no forecast, and so no seal" if last == FIRST else f"whole; the last seal is {last}")
    return DONE


def _score(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    print(api.ledger_score(options.ledger, options.case))
    return DONE
