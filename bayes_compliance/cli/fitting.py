"""Commands on one case: `run` and its parts, `compare`, `scenario`; thin over `bayes_compliance.api`."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import date
from inspect import signature
from typing import TYPE_CHECKING, Any

from bayes_compliance.cli import options as shared
from bayes_compliance.cli.options import DONE, FAILED_DIAGNOSTIC, SAMPLER
from bayes_compliance.errors import Refused
from bayes_compliance.models import DEFAULT, RIVALS
from bayes_compliance.proposals import after_a_run, command

if TYPE_CHECKING:
    import argparse

    from bayes_compliance.case import Case
    from bayes_compliance.forecast import Forecast
    from bayes_compliance.runs import Run
    from bayes_compliance.updating import Updated

UNSEEN = 0.0005
"""A change of a probability that three decimals do not show."""


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    run = shared.command(commands, "run", _run, "check, fit, forecast and report")
    _fitting(run)
    run.add_argument(
        "--until", type=shared.day, metavar="DATE", help="forecast up to this date (default: the case's horizon)"
    )

    _fitting(shared.command(commands, "fit", _fit, "check and fit only: posterior.nc and summary.json"))

    forecast = shared.command(commands, "forecast", _forecast, "forecast anew from the posterior of a RUN")
    forecast.add_argument("case", metavar="CASE")
    forecast.add_argument("run", metavar="RUN")
    forecast.add_argument(
        "--until",
        type=shared.day,
        metavar="DATE",
        help="forecast up to this date (default: what the RUN was last asked for, else the case's horizon)",
    )

    report = shared.command(commands, "report", _report, "write the report of a RUN anew")
    report.add_argument("case", metavar="CASE")
    report.add_argument("run", metavar="RUN")

    compare = shared.command(
        commands, "compare", _compare, "rival models on the same decisions: which expects them best?"
    )
    compare.add_argument("case", metavar="CASE", help="a case folder")
    compare.add_argument(
        "--models", default=",".join((DEFAULT, *RIVALS)), metavar="A,B,...", help="two or more, parted by commas"
    )
    compare.add_argument("--json", action="store_true", help="print JSON")
    _sampling(compare)

    scenario = shared.command(
        commands, "scenario", _scenario, "what if? base and scenarios side by side, on one posterior"
    )
    scenario.add_argument("case", metavar="CASE")
    scenario.add_argument("run", metavar="RUN")
    scenario.add_argument("--id", metavar="ID", help="one scenario of scenarios.toml (default: all)")
    scenario.add_argument("--every-date", action="store_true", help="all dates instead of the first and the last")

    update = shared.command(
        commands, "update", _update, "what a decision more, or a judgement changed, makes of a RUN's forecast"
    )
    update.add_argument("case", metavar="CASE", help="the case folder as it is now")
    update.add_argument(
        "run",
        metavar="RUN",
        help="fitted to the case as it was (--as-of DATE: as it was known then, and so compared); it stays as it is",
    )
    update.add_argument("--refit", action="store_true", help="fit anew where weights cannot carry the change")
    update.add_argument("--json", action="store_true", help="print JSON")


def _fitting(command: argparse.ArgumentParser) -> None:
    command.add_argument("case", metavar="CASE", help="a case folder")
    command.add_argument(
        "--out", required=True, metavar="RUN", help="where to write; replaced whole, or left as it was"
    )
    shared.model(command)
    shared.pool(command)
    _sampling(command)


def _sampling(command: argparse.ArgumentParser) -> None:
    shared.engine(command)
    shared.seed(command)
    shared.size(command)
    shared.as_of(command)


def _sampler(options: argparse.Namespace) -> dict[str, Any]:
    return shared.taken(options, "engine", "as_of", *SAMPLER) | {"progress": sys.stderr.isatty()}


def _fit_of(options: argparse.Namespace) -> dict[str, Any]:
    return shared.taken(options, "model", "pool") | _sampler(options)


def _run(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    _say_doubts(options.case, options.as_of)
    done = api.run(options.case, options.out, until=options.until, tell=_tell, **_fit_of(options))
    for proposed in after_a_run(done.prepared.case, done.summary["settings"]["model"], options.case, options.out):
        print(f"next: {proposed}")
    return _finish(done, f"{options.out}/report.html")


def _say_doubts(case: str, as_of: date | None = None) -> None:
    """What the case, as it was known, says and may not mean, on the standard error; what comes after refuses it."""
    from bayes_compliance.case import load_case
    from bayes_compliance.case.doubts import doubts, not_yet, told

    today = date.today()
    with suppress(Refused):
        found = load_case(case)
        if as_of is not None:
            found = found.as_of(as_of)
        past = as_of is not None and as_of < today  # what is later than that day is not among its rows
        for line in told([*not_yet(as_of, today), *doubts(found, None if past else today)]):
            print(line, file=sys.stderr)


def _tell(case: Case, forecast: Forecast) -> None:
    from bayes_compliance.answer import answer

    print(answer(case, forecast), end="\n\n", flush=True)


def _fit(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    _say_doubts(options.case, options.as_of)
    return _finish(api.fit(options.case, options.out, **_fit_of(options)), f"{options.out}/posterior.nc")


def _forecast(options: argparse.Namespace) -> int:
    from bayes_compliance import api
    from bayes_compliance.reopening import summary_of

    with suppress(Refused):
        as_of = summary_of(options.run)["settings"]["as_of"]
        _say_doubts(options.case, as_of and date.fromisoformat(as_of))
    return _finish(api.forecast(options.case, options.run, until=options.until), f"{options.run}/forecast.csv")


def _report(options: argparse.Namespace) -> int:
    from bayes_compliance import api

    return _finish(api.report(options.case, options.run), f"{options.run}/report.html")


def _compare(options: argparse.Namespace) -> int:
    import json

    from bayes_compliance import api

    found = api.compare(options.case, shared.listed(options.models), **_sampler(options))
    for score in found.scores:
        shared.say_failures(score.checks, f"{score.model}: ")
    print(json.dumps(found.as_dict(), indent=2) if options.json else found)
    return DONE if found.passed else FAILED_DIAGNOSTIC


def _scenario(options: argparse.Namespace) -> int:
    from bayes_compliance import api
    from bayes_compliance.analysis.side_by_side import side_by_side
    from bayes_compliance.inference.diagnostics import Check
    from bayes_compliance.reopening import summary_of

    found = api.scenario(options.case, options.run, id=options.id)
    print(side_by_side(found, options.every_date))
    shared.say_failures([Check.recalled(one) for one in summary_of(options.run)["diagnostics"]], f"{options.run}: ")
    return FAILED_DIAGNOSTIC if found.attrs["failed"] else DONE


def _update(options: argparse.Namespace) -> int:
    import json

    from bayes_compliance import api
    from bayes_compliance.forecast import MAX_DRAWS

    found = api.update(options.run, options.case, refit=options.refit, draws=MAX_DRAWS)
    print(json.dumps(found.as_dict(), indent=2) if options.json else _updated(found))
    for of, checks in found.whose.items():
        shared.say_failures(checks, f"{of}: ")
    if not found.after:
        renewed = _renewing(options.case, options.run)
        print(f"weights cannot carry the change; --refit fits anew, and so does {renewed}", file=sys.stderr)
    elif found.changed and not found.still:
        renewed = _renewing(options.case, options.run)
        print(f"the RUN and its page stay as they are: {renewed} renews both", file=sys.stderr)
    return DONE if found.passed else FAILED_DIAGNOSTIC


def _renewing(case: str, run: str) -> str:
    """The command that makes a RUN again of a case, with what it was asked for."""
    from bayes_compliance import api
    from bayes_compliance.reopening import summary_of

    usual = signature(api.run).parameters
    asked = {name: value for name, value in summary_of(run)["settings"].items() if value != usual[name].default}
    options = [part for name, value in asked.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    return command("run", case, "--out", run, *options)


def _updated(found: Updated) -> str:
    """What has changed; where nothing has, that, and no table of zeros."""
    still = found.after and all(abs(found.after[pair] - p) < UNSEEN for pair, p in found.before.items())
    if found.changed or not still:
        return str(found)
    return f"no decision, judgement or proxy has changed, and so nothing changes: {found.how}, {found.unmoved}"


def _finish(done: Run, written: str) -> int:
    shared.say_failures(done.checks)
    print(written)
    return DONE if done.passed else FAILED_DIAGNOSTIC
