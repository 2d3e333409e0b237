"""The commands as functions of Python, by the same names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from os import PathLike
from typing import TYPE_CHECKING, Any

from bayes_compliance import models as theories
from bayes_compliance import reopening, running, runs, store
from bayes_compliance.arguments import check_list, check_path, flag, is_path, shown
from bayes_compliance.case import Case
from bayes_compliance.case.loading import inputs_of
from bayes_compliance.case.writing import checked
from bayes_compliance.check import check as check
from bayes_compliance.errors import Refused
from bayes_compliance.inference import CHAINS, DRAWS, TUNE, diagnose
from bayes_compliance.models import DEFAULT, RIVALS, name_of, prepare
from bayes_compliance.newcase import new as new
from bayes_compliance.panel.command import panel as panel
from bayes_compliance.runs import Run
from bayes_compliance.sweeps.command import sweep as sweep
from bayes_compliance.validation.commands import backtest as backtest
from bayes_compliance.validation.commands import calibrate as calibrate
from bayes_compliance.validation.commands import ledger_add as ledger_add
from bayes_compliance.validation.commands import ledger_score as ledger_score
from bayes_compliance.validation.commands import ledger_verify as ledger_verify

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.forecast import Forecast
    from bayes_compliance.updating import Updated
    from bayes_compliance.validation.comparison import Comparison


def run(
    case: str | PathLike[str],
    out: str | PathLike[str],
    *,
    model: str | PathLike[str] = DEFAULT,
    engine: str = "nuts",
    pool: str = "linear",
    seed: int = 1,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int = CHAINS,
    until: date | None = None,
    as_of: date | None = None,
    progress: bool = False,
    tell: Callable[[Case, Forecast], None] | None = None,
) -> Run:
    """Check a case, fit it, forecast, and write the RUN folder.

    Parameters
    ----------
    case : path
        A case folder.
    out : path
        The RUN folder: new, empty or an earlier RUN. It is replaced whole at the end, or left as it was.
    model : str
        A shipped model by name, or the path of a .py file.
    engine : str
        ``nuts``, ``exact`` or ``smc``: see `bayes_compliance.inference.fit`.
    pool : str
        How several analysts of one quantity are pooled: ``linear``, ``log`` or ``cooke`` (by seeds.csv).
    seed : int
        Same seed, inputs and versions: the same forecast.csv, byte for byte.
    draws, tune, chains : int
        Kept and discarded draws of each chain, and chains: two at least, since R-hat compares them.
    until : date or None
        Forecast up to this date instead of the case's horizon.
    as_of : date or None
        Use only what was known on this date.
    progress : bool
        Show progress where the standard error is a terminal.
    tell : callable or None
        Called with the case and the forecast as soon as this is there: before the diagnostics, which may yet fail, and
        before anything is written.

    Returns
    -------
    Run

    Raises
    ------
    Refused
        Bad input; nothing was written.
    Unwritten
        A section of the report failed; all else was written.
    """
    if tell is not None and not callable(tell):
        raise Refused(f"tell: {shown(tell)} cannot be called; allowed: a function of a case and a forecast")
    settings = running.asked(model, engine, seed, draws, tune, chains, until, as_of, pool)
    return running.made(case, out, settings, progress, ahead=True, tell=tell)


def prior(
    case: str | PathLike[str],
    *,
    model: str | PathLike[str] = DEFAULT,
    pool: str = "linear",
    seed: int = 1,
    draws: int = 2000,
    as_of: date | None = None,
) -> xr.DataTree:
    """What the judgements of a case say before any decision has spoken; neither PyMC nor a sampler is needed.

    Parameters
    ----------
    case, model, pool, seed, as_of
        As in `run`.
    draws : int
        Of the prior.

    Returns
    -------
    DataTree
        Groups `prior` (every quantity, with `support` in points and `p_comply` of each row of the case), and
        `prior_predictive` (`outcome`: 0 violate, 1 partial, 2 comply; decisions taken in sequence, each met by the
        conduct that came before it), (chain, draw, ...), with one chain; `observed_data` and `constant_data`, as in
        posterior.nc of a RUN.

    Raises
    ------
    Refused
        Bad input.

    Examples
    --------
    How often would a state have complied, had the judgements alone spoken?

    >>> found = prior("case_studies/bananas", seed=1)
    >>> complied = found["prior_predictive"]["outcome"].sel(decision="2002-03-01 H bananas compliance") == 2
    >>> round(float(complied.mean()), 1)
    0.5
    """
    from bayes_compliance.inference.tree import prior_tree

    settings = running.asked(model, "nuts", seed, draws, TUNE, CHAINS, None, as_of, pool)
    prepared = prepare(settings["model"], running.open_case(case, settings), pool=pool)
    return prior_tree(prepared, settings["seed"], settings["draws"])


def fit(
    case: str | PathLike[str],
    out: str | PathLike[str],
    *,
    model: str | PathLike[str] = DEFAULT,
    engine: str = "nuts",
    pool: str = "linear",
    seed: int = 1,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int = CHAINS,
    as_of: date | None = None,
    progress: bool = False,
) -> Run:
    """Check a case and fit it; the RUN folder holds the posterior and the summary.

    Arguments and errors are those of `run`; the `forecast` of the Run is None, and `forecast` makes one.
    """
    settings = running.asked(model, engine, seed, draws, tune, chains, None, as_of, pool)
    return running.made(case, out, settings, progress, ahead=False)


def forecast(case: str | PathLike[str], run: str | PathLike[str], *, until: date | None = None) -> Run:
    """Forecast from the posterior of a RUN, anew, and its report.

    Parameters
    ----------
    case : path
        The case folder that the RUN was fitted to; what no fit depends on may have changed since (title, horizon,
        comments, sources and notes, scenarios, proxies that are only shown).
    run : path
        A RUN folder; it is replaced whole.
    until : date or None
        Default: what the RUN was asked for, or the case's horizon.

    Returns
    -------
    Run

    Raises
    ------
    Refused
        If the RUN is none, or of another case, or `until` is not after the last decision; it is as it was.
    Unwritten
        As in `run`.
    """
    _check_order("forecast(case, run) and report(case, run), `forecast CASE RUN` and `report CASE RUN`", case, run)
    check_path("run", run, "a RUN")
    prepared, tree, summary = reopening.fit_of(case, run, until)
    tree = runs.keep_case(tree, inputs_of(case, prepared.case))
    return running.again(run, prepared, tree, summary["settings"], summary["seconds"])


def report(case: str | PathLike[str], run: str | PathLike[str]) -> Run:
    """The report of a RUN, anew, from its posterior; its forecast too, and all else as in `forecast`."""
    return forecast(case, run)


def compare(
    case: str | PathLike[str],
    models: Sequence[str | PathLike[str]] = (DEFAULT, *RIVALS),
    *,
    engine: str = "nuts",
    seed: int = 1,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int = CHAINS,
    as_of: date | None = None,
    progress: bool = False,
) -> Comparison:
    """Fit several models to the same decisions, with the same seed and settings, and score what each expects of them.

    Parameters
    ----------
    case : path
        A case folder.
    models : sequence of str
        At least two, each once; by name or by the path of a .py file.
    engine, seed, draws, tune, chains, as_of, progress
        As in `run`.

    Returns
    -------
    Comparison
        Expected log predictive densities (PSIS leave-one-out, depth rows not counted), the highest first.

    Raises
    ------
    Refused
        Bad input, or models that do not have the same decisions.
    """
    from bayes_compliance import inference
    from bayes_compliance.inference.tree import grow
    from bayes_compliance.inference.trial import tried
    from bayes_compliance.validation import comparison

    sampler: dict[str, Any] = {"engine": engine, "seed": seed, "draws": draws, "tune": tune, "chains": chains}
    names = _names_of(models)
    comparison.check_models(names)
    modules = {name: theories.load(name, "--models") for name in names}
    found = running.open_case(case, running.asked(names[0], until=None, as_of=as_of, **sampler))
    prepared = {name: prepare(module, found) for name, module in modules.items()}
    decisions = comparison.same_decisions(list(prepared.items()))
    fits: dict[str, xr.DataTree] = {}
    scores = []
    for name, plain in prepared.items():
        ready, drawn = tried(plain, **sampler, progress=progress)
        fitted_as = getattr(ready.model, "FITTED_AS", name) if drawn is None else name
        if drawn is not None:
            fits[fitted_as] = grow(ready, *drawn[:2], seed, drawn.attrs)
        elif fitted_as not in fits:
            fits[fitted_as] = inference.fit(ready, **sampler, progress=progress)
        tree = fits[fitted_as]
        scores.append(comparison.score(ready, tree, name, diagnose(ready, tree)))
    return comparison.compared(found.name, decisions, scores)


def _names_of(models: Sequence[str | PathLike[str]]) -> list[str]:
    """Names of models that are listed, or of one that stands alone."""
    if is_path(models):
        return [name_of(models, "--models")]
    check_list("--models", models, "two or more models, each once")
    return [name_of(model, "--models") for model in models]


def _check_order(call: str, case: Any, run: Any) -> None:
    """Refuse a case where a RUN is called for, and a RUN where a case is."""
    if isinstance(run, Case) or (is_path(run) and store.is_case(run)):
        which = f"{run.name!r} is a Case" if isinstance(run, Case) else f"{run} is a case folder"
        raise Refused(f"{which}, not a RUN; allowed: {call}")
    if isinstance(case, Run) or (is_path(case) and store.is_run(case)):
        which = f"{case!r} is a Run" if isinstance(case, Run) else f"{case} is a RUN"
        raise Refused(f"{which}, not a case; allowed: {call}")


def load(run: str | PathLike[str]) -> Run:
    """A RUN as `run` has returned it, from its folder alone: nothing is fitted or simulated again.

    A user's own model must lie where it lay, by the path that the run was told, and be what it was.

    Parameters
    ----------
    run : path
        A RUN folder with a forecast.

    Returns
    -------
    Run
        Its fit, forecast, diagnostics and summary.

    Raises
    ------
    Refused
        If the folder is no such RUN, keeps no copy of its case, or is not whole.

    Examples
    --------
    Any analysis, of a run of yesterday::

        from bayes_compliance.analysis.lock_in import lock_in

        done = api.load("run")
        lock_in(done.prepared, done.tree)
    """
    check_path("run", run, "a RUN")
    return reopening.whole(run)


def update(
    done: Run | str | PathLike[str], case: Case | str | PathLike[str], *, refit: bool = True, draws: int | None = None
) -> Updated:
    """What a run would say had it known more; see `bayes_compliance.updating.update`.

    Parameters
    ----------
    done : Run or path
        What `run`, `forecast` or `load` has returned, or a RUN folder.
    case, refit, draws
        As there; of a path, what was known as of the day that the run was asked for. A Case that was made or changed in
        Python is checked as a folder would be.

    Raises
    ------
    Refused
        Bad input.

    Examples
    --------
    What a decision more makes of a run, given a copy of its case folder to which the decision was added::

        found = api.update("run", "case with a decision more")
        found.how                                # "reweighted": the draws of the run could carry it
        found.until                              # the last date of the run's forecast
        found.before["H", "r"], found.after["H", "r"]   # P(comply) of state H on rule r on that date
    """
    _check_order("update(run, case), or the command `update CASE RUN`", case, done)
    refit = flag("refit", refit)
    if not isinstance(case, Case):
        # a bad case is refused before a RUN is read
        settings = reopening.summary_of(done)["settings"]
        case = running.open_case(case, settings)
    else:
        case = checked(case)
    done = done if isinstance(done, Run) else load(done)
    from bayes_compliance import updating

    return updating.update(done, case, refit=refit, draws=draws)


def scenario(case: str | PathLike[str], run: Run | str | PathLike[str], *, id: str | None = None) -> xr.Dataset:
    """What the scenarios of a case do to the forecast of a RUN; nothing is fitted again, and nothing is written.

    Parameters
    ----------
    case : path
        The case folder that the RUN was fitted to; its scenarios.toml may have changed since, and what else `forecast`
        allows for.
    run : Run or path
        What `run`, `forecast` or `load` has returned, or a RUN folder.
    id : str or None
        One scenario; default all.

    Returns
    -------
    Dataset
        See `bayes_compliance.analysis.scenarios.scenarios`; the base is the forecast of the RUN. The attribute
        `failed` names the diagnostics that missed their mark.

    Raises
    ------
    Refused
        If `id` is no text, there is no such scenario, it is hidden by the RUN's `as_of`, or it changes nothing; or the
        RUN's model has no lobbies.
    """
    from bayes_compliance.analysis.scenarios import choose, scenarios

    if not isinstance(id, str | None):
        raise Refused(f"--id: {shown(id)} is no text; allowed: the id of one scenario, or None for all")
    _check_order("scenario(case, run), or the command `scenario CASE RUN`", case, run)
    settings = reopening.summary_of(run)["settings"]
    reopening.refuse_hidden(case, settings["as_of"], id)
    choose(running.open_case(case, settings), None if id is None else [id])
    prepared, tree, summary = reopening.fit_of(case, run)
    if not prepared.case.scenarios:
        raise Refused(
            f"RUN: {settings['model']} has no lobbies that a scenario could change; allowed: a model that has"
        )
    ids, until = None if id is None else [id], runs.until_of(settings)
    found = scenarios(prepared, tree, ids=ids, seed=settings["seed"], until=until)
    failed = [check["name"] for check in summary["diagnostics"] if not check["passed"]]
    return found.assign_attrs(failed=failed)
