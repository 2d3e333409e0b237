"""The commands as functions of Python, by the same names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_compliance import models, runs, store
from bayes_compliance.case import Case, CaseError, load_case
from bayes_compliance.case.horizon import check_kept, check_until
from bayes_compliance.case.loading import inputs_of
from bayes_compliance.check import check as check
from bayes_compliance.errors import Refused, Unwritten
from bayes_compliance.inference import CHAINS, DRAWS, TUNE, check_settings, diagnose
from bayes_compliance.models import prepare
from bayes_compliance.newcase import new as new
from bayes_compliance.panel.command import panel as panel
from bayes_compliance.runs import Run, Timer
from bayes_compliance.sweeps.command import sweep as sweep
from bayes_compliance.validation.commands import backtest as backtest
from bayes_compliance.validation.commands import calibrate as calibrate
from bayes_compliance.validation.commands import ledger_add as ledger_add
from bayes_compliance.validation.commands import ledger_score as ledger_score
from bayes_compliance.validation.commands import ledger_verify as ledger_verify

if TYPE_CHECKING:
    from os import PathLike

    import xarray as xr

    from bayes_compliance.forecast import Forecast
    from bayes_compliance.inference.diagnostics import Check
    from bayes_compliance.latents import Draws
    from bayes_compliance.updating import Updated
    from bayes_compliance.validation.comparison import Comparison

ANEW = ("forecast", "diagnose")
"""Stages that `forecast` does anew."""


def run(
    case: str | PathLike[str],
    out: str | PathLike[str],
    *,
    model: str = "coalition",
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
    settings = _settings(model, engine, seed, draws, tune, chains, until, as_of, pool)
    return _run(case, out, settings, progress, ahead=True, tell=tell)


def fit(
    case: str | PathLike[str],
    out: str | PathLike[str],
    *,
    model: str = "coalition",
    engine: str = "nuts",
    pool: str = "linear",
    seed: int = 1,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int = CHAINS,
    as_of: date | None = None,
    progress: bool = False,
) -> Run:
    """Check a case and fit it; the RUN folder holds the posterior and the summary. Arguments as in `run`."""
    settings = _settings(model, engine, seed, draws, tune, chains, None, as_of, pool)
    return _run(case, out, settings, progress, ahead=False)


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
    """
    prepared, tree, summary = _reopen(case, run, until)
    settings, tree = summary["settings"], runs.keep_case(tree, inputs_of(case, prepared.case))
    timer = Timer({stage: seconds for stage, seconds in summary["seconds"].items() if stage not in ANEW})
    with timer("forecast"):
        from bayes_compliance.inference.tree import draws_of

        foretold = _foretold(prepared, draws_of(tree)[0], settings)
    fitted = Run(prepared, tree, foretold, [], runs.summarise(prepared, [], settings, timer.seconds))
    with store.new_run(run) as folder:
        done, unwritten = _written(folder, fitted, timer)
    return _whole(done, unwritten)


def report(case: str | PathLike[str], run: str | PathLike[str]) -> Run:
    """The report of a RUN, anew, from its posterior."""
    return forecast(case, run)


def compare(
    case: str | PathLike[str],
    models: Sequence[str] = ("coalition", "unitary", "managerial"),
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
    comparison.check_models(models)
    found = open_case(case, _settings(models[0], until=None, as_of=as_of, **sampler))
    prepared = {name: prepare(name, found) for name in models}
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
    from bayes_compliance.inference.diagnostics import FORECAST, Check

    folder = Path(run)
    settings = _settings_of(run)
    if settings["model"].endswith(".py") and not Path(settings["model"]).is_file():
        raise store.RunFolderError(f"{run}: fitted with {settings['model']}, which is not here; allowed: where it lies")
    tree, summary = runs.read(folder)
    with runs.kept_case(tree, run) as case:
        try:
            prepared = _as_fitted(_prepared(case, settings), run, tree, summary)
        except CaseError as bad:
            lines = [f"{run}: the case that it holds: {line}" for line in str(bad).splitlines()]
            raise store.RunFolderError("\n".join(lines)) from bad
    checks = [Check.recalled(one) for one in summary["diagnostics"]]
    error = next((check.value for check in checks if check.name == FORECAST), float("nan"))
    forecast = runs.read_forecast(folder, error)
    return Run(prepared, tree, forecast, checks, summary)


def update(
    done: Run | str | PathLike[str], case: Case | str | PathLike[str], *, refit: bool = True, draws: int | None = None
) -> Updated:
    """What a run would say had it known more; see `bayes_compliance.updating.update`.

    Parameters
    ----------
    done : Run or path
        What `run`, `forecast` or `load` has returned, or a RUN folder.
    case, refit, draws
        As there; of a path, what was known as of the day that the run was asked for.

    Examples
    --------
    What a decision more makes of a run, given a copy of its case folder to which the decision was added::

        found = api.update("run", "case with a decision more")
        found.how                                # "reweighted": the draws of the run could carry it
        found.until                              # the last date of the run's forecast
        found.before["H", "r"], found.after["H", "r"]   # P(comply) of state H on rule r on that date
    """
    if not isinstance(case, Case):
        # a bad case is refused before a RUN is read
        settings = done.summary["settings"] if isinstance(done, Run) else _settings_of(done)
        case = open_case(case, settings | {"until": None})
    done = done if isinstance(done, Run) else load(done)
    from bayes_compliance import updating

    return updating.update(done, case, refit=refit, draws=draws)


def scenario(case: str | PathLike[str], run: str | PathLike[str], *, id: str | None = None) -> xr.Dataset:
    """What the scenarios of a case do to the forecast of a RUN; nothing is fitted again, and nothing is written.

    Parameters
    ----------
    case : path
        The case folder that the RUN was fitted to; its scenarios.toml may have changed since, and what else `forecast`
        allows for.
    run : path
        A RUN folder.
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
        If there is no such scenario, it is hidden by the RUN's `as_of`, or it changes nothing.
    """
    from bayes_compliance.analysis.scenarios import choose, scenarios

    settings = _settings_of(run)
    _refuse_hidden(case, settings["as_of"], id)
    choose(open_case(case, settings), None if id is None else [id])
    prepared, tree, summary = _reopen(case, run)
    until = date.fromisoformat(settings["until"]) if settings["until"] else None
    found = scenarios(prepared, tree, ids=None if id is None else [id], seed=settings["seed"], until=until)
    failed = [check["name"] for check in summary["diagnostics"] if not check["passed"]]
    return found.assign_attrs(failed=failed)


def _settings_of(run: str | PathLike[str]) -> dict[str, Any]:
    """What a RUN of one case was asked for."""
    summary = store.read_summary(run)
    store.check_kind(run, store.RUN)
    if "settings" not in summary:
        raise store.RunFolderError(f"{run}: its summary.json has no settings; allowed: a whole RUN")
    return summary["settings"]


def _refuse_hidden(case: str | PathLike[str], as_of: str | None, id: str | None) -> None:
    """Refuse scenarios that begin after the day as of which a RUN knows its case: they were not known then."""
    every = load_case(case).scenarios if as_of else ()
    later = [scenario for scenario in every if as_of and scenario.from_ > date.fromisoformat(as_of)]
    asked = [scenario for scenario in later if id in (None, scenario.id)]
    if asked and (id is not None or len(later) == len(every)):
        named = ", ".join(f"{scenario.id!r} (from {scenario.from_})" for scenario in asked)
        raise Refused(
            f"scenarios.toml: {named}: not known on {as_of}, as of which the RUN was made (--as-of); allowed: a RUN "
            "without --as-of, or of a later day"
        )


def _settings(
    model: str, engine: str, seed: int, draws: int, tune: int, chains: int, until: date | None, as_of: date | None,
    pool: str = "linear",
) -> dict[str, Any]:  # fmt: skip
    check_settings(engine, seed, draws, tune, chains)
    # the default is known to be good, and a bad case is refused before anything heavy is imported
    if pool != "linear":
        from bayes_compliance.elicitation.pooling import check_pool

        check_pool(pool)
    return {
        "model": model, "engine": engine, "pool": pool, "seed": seed, "draws": draws, "tune": tune, "chains": chains,
        "until": until.isoformat() if until else None, "as_of": as_of.isoformat() if as_of else None,
    }  # fmt: skip


def open_case(case: str | PathLike[str], settings: dict[str, Any]) -> Case:
    """A case as its settings have it: with what was known `as_of`, if any."""
    found = load_case(case)
    if settings["as_of"]:
        found = found.as_of(date.fromisoformat(settings["as_of"]))
    if until := settings.get("until"):
        check_until(found, date.fromisoformat(until))
    return found


def _run(
    case: str | PathLike[str], out: str | PathLike[str], settings: dict[str, Any], progress: bool, *, ahead: bool,
    tell: Callable[[Case, Forecast], None] | None = None,
) -> Run:  # fmt: skip
    store.check_target(out, store.RUN)
    timer = Timer()
    with timer("check"):
        opened = open_case(case, settings)
        files = inputs_of(case, opened)
        if ahead and not settings["until"]:
            check_kept("case.toml: horizon", opened.horizon.until)
        prepared = models.prepare(settings["model"], opened, pool=settings["pool"])
    with timer("fit"):
        from bayes_compliance.inference.tree import grow
        from bayes_compliance.inference.trial import settled

        sampler = {name: settings[name] for name in ("engine", "seed", "draws", "tune", "chains")}
        prepared, drawn = settled(prepared, **sampler, progress=progress)
    foretold = None
    if ahead:
        with timer("forecast"):
            whole = {name: v.reshape(v.shape[0] * v.shape[1], -1) for name, v in drawn.draws.items()}
            foretold = _foretold(prepared, whole, settings)
        if tell is not None:
            tell(prepared.case, foretold)
    with timer("diagnose"):
        tree = runs.keep_case(grow(prepared, *drawn[:2], settings["seed"], drawn.attrs), files)
    fitted = Run(prepared, tree, foretold, [], runs.summarise(prepared, [], settings, timer.seconds))
    with store.new_run(out) as folder:
        done, unwritten = _written(folder, fitted, timer)
    return _whole(done, unwritten)


def _written(folder: Path, fitted: Run, timer: Timer) -> tuple[Run, Unwritten | None]:
    """A run with its diagnostics, all of whose files are in the folder; and what of its report could not be written.

    Diagnostics and report are made side by side, while the posterior is written.
    """
    from bayes_compliance.parallel import beside

    with ExitStack() as stack:
        diagnosed = stack.enter_context(beside(lambda tree: diagnose(fitted.prepared, tree), [fitted.tree]))
        page = stack.enter_context(_begun(fitted)) if fitted.forecast is not None else None
        with timer("diagnose"):
            runs.write_posterior(folder, fitted.tree)
            if fitted.forecast is not None:
                runs.write_forecast(folder, fitted.forecast)
            [checks] = diagnosed()
            found = _diagnosed(fitted, checks, timer)
        runs.write_summary(folder, found.summary)
        return found, None if page is None else _put(page, found, folder / "report.html")


def _put(page: Callable[[Run], str], found: Run, file: Path) -> Unwritten | None:
    """Write the page; what of it could not be written."""
    unwritten = None
    try:
        html = page(found)
    except Unwritten as error:
        html, unwritten = error.page, error
    file.write_text(html, encoding="utf-8")
    return unwritten


def _begun(fitted: Run) -> AbstractContextManager[Callable[[Run], str]]:
    from bayes_compliance.report import begun

    return begun(fitted)


def _diagnosed(fitted: Run, checks: list[Check], timer: Timer) -> Run:
    from bayes_compliance.inference.diagnostics import check_forecast

    if fitted.forecast is not None:
        checks = [*checks, check_forecast(fitted.forecast.mc_error)]
    settings = fitted.summary["settings"]
    return replace(fitted, checks=checks, summary=runs.summarise(fitted.prepared, checks, settings, timer.seconds))


def _foretold(prepared: models.Prepared, draws: Draws, settings: dict[str, Any]) -> Forecast:
    from bayes_compliance.forecast import simulate

    until = date.fromisoformat(settings["until"]) if settings["until"] else None
    chains, seed = settings["chains"], settings["seed"]
    return simulate(prepared.model, prepared.layout, draws, chains, seed=seed, until=until)


def _whole(found: Run, unwritten: Unwritten | None) -> Run:
    """The run, once its folder is in place, if all of it could be written."""
    if unwritten is not None:
        unwritten.run = found
        raise unwritten
    return found


def _reopen(
    case: str | PathLike[str], run: str | PathLike[str], until: date | None = None
) -> tuple[models.Prepared, xr.DataTree, dict]:
    """The fit of a RUN, and its summary: asked for up to a new date, if one is given, whatever it was before."""
    settings = _settings_of(run) | ({"until": until.isoformat()} if until else {})
    prepared = _prepared(case, settings)
    tree, summary = runs.read(Path(run))
    return _as_fitted(prepared, run, tree, summary), tree, summary | {"settings": settings}


def _prepared(case: str | PathLike[str], settings: dict[str, Any]) -> models.Prepared:
    """A case as the model of a RUN sees it."""
    found = open_case(case, settings)
    if not settings["until"]:
        check_kept("case.toml: horizon", found.horizon.until)
    return models.prepare(settings["model"], found, pool=settings.get("pool", "linear"))


def _as_fitted(
    prepared: models.Prepared, run: str | PathLike[str], tree: xr.DataTree, summary: dict[str, Any]
) -> models.Prepared:
    """The same as it was fitted, if it is what the RUN was fitted to."""
    runs.same_inputs(prepared.case, summary, Path(run))
    from bayes_compliance.inference.trial import as_fitted

    return as_fitted(prepared, tree.attrs)
