"""The commands `backtest`, `calibrate` and `ledger` as functions; light to import, heavy when called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bayes_compliance import runs, sweeps
from bayes_compliance.arguments import check_list, check_path, flag, given_twice
from bayes_compliance.case import load_case
from bayes_compliance.disk import replace
from bayes_compliance.errors import Refused
from bayes_compliance.inference import FEWER_CHAINS, FEWER_DRAWS, RANKED_DRAWS, TUNE, check_settings
from bayes_compliance.models import DEFAULT, RIVALS, name_of
from bayes_compliance.store import JOURNAL
from bayes_compliance.sweeps import Schedule

if TYPE_CHECKING:
    from os import PathLike

    from bayes_compliance.validation.backtest import Backtest
    from bayes_compliance.validation.calibration import Calibration
    from bayes_compliance.validation.ledger import Settled


def backtest(
    case: str | PathLike[str],
    out: str | PathLike[str],
    *,
    model: str | PathLike[str] = DEFAULT,
    rivals: Sequence[str | PathLike[str]] = RIVALS,
    engine: str = "nuts",
    seed: int = 1,
    draws: int = FEWER_DRAWS,
    tune: int = TUNE,
    chains: int = FEWER_CHAINS,
    ahead: int = 1,
    learn: int | None = None,
    origins: int | None = None,
    renew: bool = False,
    refit: str = "needed",
    scheduler: str = "local",
    workers: int = 1,
    progress: bool = False,
) -> Backtest:
    """Forecast each decision from what was known the day before, and score it beside those who know no theory.

    Parameters
    ----------
    case : path
        A case folder.
    out : path
        A folder for predictions.csv, scores.csv, backtest.html, summary.json and tasks.jsonl, in which each block of
        origins is entered when it is done: a back-test that was interrupted goes on there.
    model : str
        A shipped model by name, or the path of a .py file.
    rivals : sequence of str
        Models that are fitted at the same origins (always by NUTS).
    engine : str
        ``nuts`` or ``exact``.
    seed, draws, tune, chains, progress
        As in `run`, with fewer draws of fewer chains by default: a forecast from an origin is made of 500 draws. One
        compilation serves all origins of a model.
    ahead : int
        Decision dates to forecast from each origin, conduct between them simulated.
    learn : int or None
        Compliance decisions known at the first origin, 0 or more; default one in five, two at least.
    origins : int or None
        At most so many (1 or more), evenly spaced; default one for each date with decisions.
    renew : bool
        Judgements as known at each origin (a compilation for each change) instead of those of the first.
    refit : str
        ``needed``: between fits the draws are weighted by what has become known, while Pareto k allows (Bürkner, Gabry
        and Vehtari 2020); ``always``: a fit at each origin.
    scheduler : str
        ``local``, or the address of a Dask cluster (``tcp://...``); results are the same bytes.
    workers : int
        Processes of this machine.

    Returns
    -------
    Backtest

    Raises
    ------
    Refused
        Bad input; nothing was written.
    """
    from bayes_compliance.validation import backtest as backtests
    from bayes_compliance.validation import backtest_page

    sampler = check_settings(engine, seed, draws, tune, chains)
    schedule = Schedule(scheduler, workers)
    schedule.check()
    renew = flag("renew", renew)
    check_list("--rivals", rivals, "models, each by name or by the path of a .py file; [] for none")
    model, others = name_of(model), [name_of(rival, "--rivals") for rival in rivals]
    if twice := given_twice(others):
        raise Refused(f"--rivals: {', '.join(twice)} is given twice; allowed: each once")
    found = load_case(case)
    with sweeps.at_work(out, "back-test") as folder:
        done = backtests.run(
            found, model, others, journal=folder / JOURNAL, engine=engine, **sampler, ahead=ahead, learn=learn,
            most=origins, renew=renew, refit=refit, schedule=schedule,
            tell=sweeps.say("blocks of origins") if progress else None,
        )  # fmt: skip
    backtest_page.write(done, folder)
    runs.write_summary(folder, runs.done_with(found, done.checks, {"model": model, **done.settings}))
    return done


def shipped(name: str) -> Path:
    """The folder of a shipped case, in a checkout or in a wheel."""
    here = Path(__file__).resolve().parents[1]
    places = [place / "case_studies" / name for place in (here.parent, here)]
    return next((place for place in places if (place / "case.toml").is_file()), places[0])


def calibrate(
    out: str | PathLike[str],
    case: str | PathLike[str] | None = None,
    *,
    model: str | PathLike[str] = DEFAULT,
    simulations: int = 200,
    seed: int = 1,
    draws: int = RANKED_DRAWS,
    tune: int = TUNE,
    chains: int = FEWER_CHAINS,
    given: bool = False,
    scheduler: str = "local",
    workers: int = 1,
    progress: bool = False,
) -> Calibration:
    """Simulation-based calibration: does the fit find what decisions were made from, as often as it says?

    Parameters
    ----------
    out : path
        A folder for tasks.jsonl, calibration.html and summary.json. A run that was interrupted goes on there.
    case : path or None
        A case folder of some 12 decisions, whose dates, rules and judgements the simulated worlds have; default the
        shipped `bananas`.
    model : str
        A shipped model by name, or the path of a .py file.
    simulations : int
        20 at least. Among 33 quantities 200 find, in 19 cases of 20, one posterior that is too narrow by 30%, too
        wide by half or off by .4 of its standard deviations; 20 find only gross errors.
    seed, draws, tune, chains, progress
        As in `run`, for each fit.
    given : bool
        Truths from the posterior given the case's decisions instead of from the prior: is the fit right where it is
        used? See `bayes_compliance.validation.given`. The only way for a case that measures proxies.
    scheduler, workers
        As in `backtest`.

    Returns
    -------
    Calibration

    Raises
    ------
    Refused
        Bad input, or a folder in which another calibration was begun.
    """
    from bayes_compliance.validation import calibration, calibration_page

    sampler = check_settings("nuts", seed, draws, tune, chains)
    schedule = Schedule(scheduler, workers)
    schedule.check()
    model, given = name_of(model), flag("given", given)
    found = load_case(shipped("bananas") if case is None else case)
    with sweeps.at_work(out, "calibration") as folder:
        done = calibration.run(
            found, simulations, folder / JOURNAL, model=model, **sampler, given=given, schedule=schedule,
            tell=sweeps.say("simulations") if progress else None,
        )  # fmt: skip
    settings = {"model": model, **sampler, "simulations": len(done.ranks), "given": given}
    summary = runs.done_with(found, [], settings)
    replace(folder / "calibration.html", calibration_page.render(done))
    runs.write_summary(folder, summary | {"passed": done.passed, "verdict": str(done.verdict)})
    return done


def ledger_add(ledger: str | PathLike[str], run: str | PathLike[str]) -> str:
    """Seal the forecast of a RUN in a ledger; see `bayes_compliance.validation.ledger.add`."""
    from bayes_compliance.validation import ledger as ledgers

    check_path("run", run, "a RUN")
    return ledgers.add(ledger, run)


def ledger_verify(ledger: str | PathLike[str], head: str | None = None) -> str:
    """Check every seal of a ledger; see `bayes_compliance.validation.ledger.verify`."""
    from bayes_compliance.validation import ledger as ledgers

    return ledgers.verify(ledger, head)


def ledger_score(ledger: str | PathLike[str], case: str | PathLike[str]) -> Settled:
    """Score sealed forecasts by the decisions that came; see `bayes_compliance.validation.ledger.score`."""
    from bayes_compliance.validation import ledger as ledgers

    return ledgers.score(ledger, load_case(case))
