"""The commands `backtest`, `calibrate` and `ledger` as functions; light to import, heavy when called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayes_compliance import runs, store
from bayes_compliance.case import load_case
from bayes_compliance.inference import check_settings

if TYPE_CHECKING:
    from os import PathLike

    from bayes_compliance.validation.backtest import Backtest


def backtest(
    case: str | PathLike[str],
    out: str | PathLike[str],
    *,
    model: str = "coalition",
    rivals: Sequence[str] = ("unitary", "managerial"),
    engine: str = "nuts",
    seed: int = 1,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    ahead: int = 1,
    learn: int | None = None,
    origins: int | None = None,
    renew: bool = False,
    progress: bool = False,
) -> Backtest:
    """Forecast each decision from what was known the day before, and score it beside those who know no theory.

    Parameters
    ----------
    case : path
        A case folder.
    out : path
        A folder for predictions.csv, scores.csv, backtest.html and summary.json; replaced whole, or left as it was.
    model : str
    rivals : sequence of str
        Models that are fitted at the same origins (always by NUTS).
    engine, seed, draws, tune, chains, progress
        As in `run`; one compilation serves all origins of a model.
    ahead : int
        Decision dates to forecast from each origin, conduct between them simulated.
    learn : int or None
        Compliance decisions known at the first origin; default one in five, two at least.
    origins : int or None
        At most so many, evenly spaced; default one for each date with decisions.
    renew : bool
        Judgements as known at each origin (a compilation for each change) instead of those of the first.

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

    check_settings(engine, seed, draws, tune, chains)
    store.check_target(out)
    found = load_case(case)
    done = backtests.run(
        found, model, rivals, engine=engine, seed=seed, draws=draws, tune=tune, chains=chains, ahead=ahead,
        learn=learn, most=origins, renew=renew, progress=progress,
    )  # fmt: skip
    with store.new_run(out) as folder:
        runs.write_summary(folder, runs.done_with(found, done.checks, {"model": model, **done.settings}))
        backtest_page.write(done, folder)
    return done
