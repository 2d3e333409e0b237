"""The command line: thin over `bayes_compliance.api`, and nothing heavy imported before it is needed."""

from __future__ import annotations

import argparse
import gc
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from bayes_compliance import __doc__ as summary
from bayes_compliance import __version__, cli_elicitation, cli_panel, cli_sweep, cli_validation
from bayes_compliance.errors import Refused
from bayes_compliance.inference import CHAINS, DRAWS, TUNE

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.forecast import Forecast
    from bayes_compliance.runs import Run

DONE, FAILED_DIAGNOSTIC, REFUSED, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 130
OBJECTS = 50_000
"""New objects between two collections of garbage: at Python's 2,000 a report spends a twentieth of its time there."""

EPILOG = """exit codes: 0 done; 1 done, but a diagnostic failed its mark; 2 refused, nothing written; 3 internal error;
130 interrupted"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is the result."""
    gc.set_threshold(OBJECTS, *gc.get_threshold()[1:])
    try:
        options = parser().parse_args(arguments)
        return options.command(options)
    except SystemExit as end:  # argparse: usage errors are 2 already
        return int(end.code or 0)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    except Exception:
        traceback.print_exc()
        return INTERNAL


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; allowed: an ISO date such as 2030-01-01") from None


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    top = argparse.ArgumentParser(prog="bayes-compliance", description=summary, epilog=EPILOG)
    top.add_argument("--version", action="version", version=f"bayes-compliance {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = _command(commands, "run", _run, "check, fit, forecast and report")
    _fitting(run)
    run.add_argument(
        "--until", type=_day, metavar="DATE", help="forecast up to this date (default: the case's horizon)"
    )

    fit = _command(commands, "fit", _fit, "check and fit only: posterior.nc and summary.json")
    _fitting(fit)

    forecast = _command(commands, "forecast", _forecast, "forecast anew from the posterior of a RUN")
    forecast.add_argument("case", metavar="CASE")
    forecast.add_argument("run", metavar="RUN")
    forecast.add_argument("--until", type=_day, metavar="DATE", help="forecast up to this date")

    report = _command(commands, "report", _report, "write the report of a RUN anew")
    report.add_argument("case", metavar="CASE")
    report.add_argument("run", metavar="RUN")
    compare = _command(commands, "compare", _compare, "rival models on the same decisions: which expects them best?")
    compare.add_argument("case", metavar="CASE", help="a case folder")
    compare.add_argument(
        "--models", default="coalition,unitary,managerial", metavar="A,B,...", help="two or more, parted by commas"
    )
    compare.add_argument("--json", action="store_true", help="print JSON")
    _sampling(compare)

    scenario = _command(commands, "scenario", _scenario, "what if? base and scenarios side by side, on one posterior")
    scenario.add_argument("case", metavar="CASE")
    scenario.add_argument("run", metavar="RUN")
    scenario.add_argument("--id", metavar="ID", help="one scenario of scenarios.toml (default: all)")
    scenario.add_argument("--every-date", action="store_true", help="all dates instead of the first and the last")

    cli_elicitation.add(commands, _command, _day)
    cli_validation.add(commands, _command, _sampling)
    cli_panel.add(commands, _command, _day)
    cli_sweep.add(commands, _command, _day)
    return top


def _command(commands: Any, name: str, call: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=text, description=text, epilog=EPILOG)
    made.set_defaults(command=call)
    return made


def _fitting(command: argparse.ArgumentParser) -> None:
    command.add_argument("case", metavar="CASE", help="a case folder")
    command.add_argument(
        "--out", required=True, metavar="RUN", help="where to write; replaced whole, or left as it was"
    )
    command.add_argument("--model", default="coalition", help="a shipped model, or the path of a .py file")
    cli_elicitation.pool_option(command)
    _sampling(command)


def _sampling(
    command: argparse.ArgumentParser, *, as_of: bool = True, draws: int = DRAWS, chains: int = CHAINS
) -> None:
    command.add_argument(
        "--engine", default="nuts", help="nuts (default); smc, which compiles nothing; exact, for linear cases"
    )
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--draws", type=int, default=draws, help="kept draws of each chain")
    command.add_argument("--tune", type=int, default=TUNE, help="discarded draws of each chain")
    command.add_argument("--chains", type=int, default=chains)
    if as_of:
        command.add_argument("--as-of", type=_day, metavar="DATE", help="use only what was known on this date")


def _sampler(options: argparse.Namespace) -> dict[str, Any]:
    names = ("model", "engine", "pool", "seed", "draws", "tune", "chains", "as_of")
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    return given | {"progress": sys.stderr.isatty()}


def _run(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    done = api.run(options.case, options.out, until=options.until, tell=_tell, **_sampler(options))
    return _finish(done, f"{options.out}/report.html")


def _tell(case: Case, forecast: Forecast) -> None:
    from bayes_compliance.answer import answer

    print(answer(case, forecast), end="\n\n", flush=True)


def _fit(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    return _finish(api.fit(options.case, options.out, **_sampler(options)), f"{options.out}/posterior.nc")


def _forecast(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    return _finish(api.forecast(options.case, options.run, until=options.until), f"{options.run}/forecast.csv")


def _report(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    return _finish(api.report(options.case, options.run), f"{options.run}/report.html")


def _compare(options: argparse.Namespace) -> int:
    import json

    from bayes_compliance import api

    found = api.compare(options.case, options.models.split(","), **_sampler(options))
    for score in found.scores:
        for check in score.checks:
            if not check.passed:
                print(f"diagnostic failed: {score.model}: {check}", file=sys.stderr)
    print(json.dumps(found.as_dict(), indent=2) if options.json else found)
    return DONE if found.passed else FAILED_DIAGNOSTIC


def _scenario(options: argparse.Namespace) -> int:
    from bayes_compliance import api
    from bayes_compliance.analysis.side_by_side import side_by_side

    found = api.scenario(options.case, options.run, id=options.id)
    print(side_by_side(found, options.every_date))
    for name in found.attrs["failed"]:
        print(f"diagnostic failed: {name}, in the fit or the forecast of {options.run}", file=sys.stderr)
    return FAILED_DIAGNOSTIC if found.attrs["failed"] else DONE


def _finish(done: Run, written: str) -> int:
    for check in done.checks:
        if not check.passed:
            print(f"diagnostic failed: {check}", file=sys.stderr)
    print(written)
    return DONE if done.passed else FAILED_DIAGNOSTIC
