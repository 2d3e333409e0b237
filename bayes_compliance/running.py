"""From a case to a RUN: checked, fitted, forecast, diagnosed and reported, and put on disk in one step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import date
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_compliance import models, runs, store
from bayes_compliance.arguments import day_of
from bayes_compliance.case import Case, load_case
from bayes_compliance.case.horizon import check_until
from bayes_compliance.case.loading import inputs_of
from bayes_compliance.errors import Unwritten
from bayes_compliance.inference import check_settings, diagnose
from bayes_compliance.runs import Run, Timer

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.forecast import Forecast
    from bayes_compliance.inference.diagnostics import Check
    from bayes_compliance.latents import Draws

ANEW = ("forecast", "diagnose")
"""Stages that a forecast from an earlier fit does anew."""


def asked(
    model: str | PathLike[str], engine: str, seed: int, draws: int, tune: int, chains: int, until: date | None,
    as_of: date | None, pool: str = "linear",
) -> dict[str, Any]:  # fmt: skip
    """What a RUN is asked for, as its summary holds it; Refused where that cannot be."""
    model = models.name_of(model)
    sizes = check_settings(engine, seed, draws, tune, chains)
    days = {"until": day_of("until", until), "as_of": day_of("as-of", as_of)}
    # the default is known to be good, and a bad case is refused before anything heavy is imported
    if pool != "linear":
        from bayes_compliance.elicitation.pooling import check_pool

        check_pool(pool)
    return {
        "model": model, "engine": engine, "pool": pool, **sizes,
        **{name: day.isoformat() if day else None for name, day in days.items()},
    }  # fmt: skip


def open_case(case: str | PathLike[str], settings: dict[str, Any]) -> Case:
    """A case as its settings have it: with what was known `as_of`, if any."""
    found = load_case(case)
    return found.as_of(date.fromisoformat(settings["as_of"])) if settings["as_of"] else found


def check_horizon(case: Case, settings: dict[str, Any]) -> None:
    """Refuse a last date that is asked for and to which nothing can be foretold; the case's own is checked already."""
    if until := runs.until_of(settings):
        check_until(case, until)


def made(
    case: str | PathLike[str], out: str | PathLike[str], settings: dict[str, Any], progress: bool, *, ahead: bool,
    tell: Callable[[Case, Forecast], None] | None = None,
) -> Run:  # fmt: skip
    """A RUN of a case, written; `ahead` tells whether it has a forecast, of which the caller may be told at once."""
    store.check_target(out, store.RUN)
    timer = Timer()
    with timer("check"):
        opened = open_case(case, settings)
        files = inputs_of(case, opened)
        if ahead:
            check_horizon(opened, settings)
        prepared = models.prepare(settings["model"], opened, pool=settings["pool"])
    with timer("fit"):
        from bayes_compliance.inference.trial import settled

        sampler = {name: settings[name] for name in ("engine", "seed", "draws", "tune", "chains")}
        prepared, drawn = settled(prepared, **sampler, progress=progress)
    foretold = None
    if ahead:
        with timer("forecast"):
            from bayes_compliance.latents import end_to_end

            foretold = _foretold(prepared, end_to_end(drawn.draws), settings)
        if tell is not None:
            tell(prepared.case, foretold)
    with timer("diagnose"):
        from bayes_compliance.inference.tree import grow

        tree = runs.keep_case(grow(prepared, *drawn[:2], settings["seed"], drawn.attrs), files)
    return _put_in_place(out, prepared, tree, foretold, settings, timer)


def again(
    run: str | PathLike[str], prepared: models.Prepared, tree: xr.DataTree, settings: dict[str, Any],
    seconds: dict[str, float],
) -> Run:  # fmt: skip
    """A RUN with its forecast and report made anew from its fit; `seconds` are those of what was done before."""
    from bayes_compliance.inference.tree import draws_of

    timer = Timer({stage: spent for stage, spent in seconds.items() if stage not in ANEW})
    with timer("forecast"):
        foretold = _foretold(prepared, draws_of(tree)[0], settings)
    return _put_in_place(run, prepared, tree, foretold, settings, timer)


def _put_in_place(
    out: str | PathLike[str], prepared: models.Prepared, tree: xr.DataTree, foretold: Forecast | None,
    settings: dict[str, Any], timer: Timer,
) -> Run:  # fmt: skip
    """A fit and its forecast as a RUN in its place; `Unwritten`, with the RUN, where a part of its report failed."""
    fitted = Run(prepared, tree, foretold, [], runs.summarise(prepared, [], settings, timer.seconds))
    with store.new_run(out) as folder:
        done, unwritten = _written(folder, fitted, timer)
    if unwritten is not None:
        unwritten.run = done
        raise unwritten
    return done


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

    chains, seed = settings["chains"], settings["seed"]
    return simulate(prepared.model, prepared.layout, draws, chains, seed=seed, until=runs.until_of(settings))
