"""The command `panel` as a function; light to import, heavy when called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_compliance import runs, store
from bayes_compliance.arguments import flag
from bayes_compliance.errors import Refused, Unwritten
from bayes_compliance.inference import CHAINS, DRAWS, TUNE, check_settings, enough
from bayes_compliance.runs import Timer
from bayes_compliance.sweeps.scheduling import Schedule

if TYPE_CHECKING:
    from os import PathLike

    import xarray as xr
    from numpy.typing import NDArray

    from bayes_compliance.inference.diagnostics import Check
    from bayes_compliance.panel.ahead import PanelForecast
    from bayes_compliance.panel.holding import HeldOut
    from bayes_compliance.panel.layout import PanelLayout

POOLINGS = ("partial", "none", "complete")


@dataclass(frozen=True, eq=False, repr=False)
class PanelRun:
    """A fitted panel.

    Attributes
    ----------
    layout : PanelLayout
    tree : DataTree
        See `bayes_compliance.panel.fitting.grow`.
    reputation : Dataset
        See `bayes_compliance.analysis.reputation.reputation`; of the states with decisions.
    effects : Dataset or None
        Of the covariates of states, where there are any and states are pooled partially.
    forecast : PanelForecast
    left_out : HeldOut or None
        Scores with states left out, where they were asked for.
    checks : list of Check
    summary : dict
        What summary.json holds.
    """

    layout: PanelLayout
    tree: xr.DataTree
    reputation: xr.Dataset
    effects: xr.Dataset | None
    forecast: PanelForecast
    left_out: HeldOut | None
    checks: list[Check]
    summary: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether every diagnostic met its mark."""
        return all(check.passed for check in self.checks)

    def __repr__(self) -> str:
        asked, missed = self.summary["settings"], sum(not check.passed for check in self.checks)
        layout, sizes = self.layout, self.tree["posterior"].sizes
        return (
            f"<PanelRun: {layout.panel.name}, states: {len(layout.states)}, rules: {len(layout.rules)}, pooling "
            f"{asked['pooling']}, seed {asked['seed']}, {sizes['chain']} chains of {sizes['draw']} draws, forecast to "
            f"{layout.panel.until}, {missed} of {len(self.checks)} diagnostics failed>"
        )


def panel(
    folder: str | PathLike[str],
    out: str | PathLike[str],
    *,
    cases: Sequence[str] | None = None,
    outcomes: int | None = None,
    until: date | None = None,
    pooling: str = "partial",
    paths: bool = False,
    leave_out: int = 0,
    seed: int = 1,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int = CHAINS,
    scheduler: str = "local",
    workers: int = 1,
    progress: bool = False,
) -> PanelRun:
    """Estimate P2 + G2 of many states from decisions on many rules, rank the states, and forecast.

    Parameters
    ----------
    folder : path
        Case folders side by side, or one long table: see `bayes_compliance.panel.load_panel`.
    out : path
        A folder for posterior.nc, forecast.nc, forecast.csv, reputation.nc, report.html and summary.json, and
        left_out.csv where states were left out; replaced whole, or left as it was.
    cases, outcomes, until
        As in `load_panel`.
    pooling : str
        Of states: ``partial``, ``none`` (each on its own) or ``complete`` (all alike).
    paths : bool
        Whether P2 + G2 moves, in steps of five years.
    leave_out : int
        Refit so many times with a share of the states left out, and score their decisions; as many as there are
        states leave one out at a time. 0: not done. Each refit is entered into a file beside `out` when it is done,
        until the RUN is written: the same command goes on there after an interruption.
    seed, draws, tune, chains, progress
        As in `bayes_compliance.api.run`.
    scheduler, workers
        Where the refits are done, as in `bayes_compliance.api.backtest`.

    Returns
    -------
    PanelRun

    Raises
    ------
    Refused
        Bad input; nothing was written.
    Unwritten
        If sections of the report fail; all else is written, and the page says so.
    """
    from bayes_compliance import sweeps
    from bayes_compliance.panel import load_panel
    from bayes_compliance.panel.fitting import Fitter, diagnose, grow
    from bayes_compliance.panel.holding import begun, held_out
    from bayes_compliance.panel.layout import PanelLayout

    paths = flag("paths", paths)
    sampler: dict[str, Any] = check_settings("nuts", seed, draws, tune, chains)
    schedule = Schedule(scheduler, workers)
    schedule.check()
    if pooling not in POOLINGS:
        raise Refused(f"--pooling: {pooling!r} is unknown; allowed: {', '.join(POOLINGS)}")
    target = store.check_target(out, store.PANEL)
    timer = Timer()
    with timer("check"):
        found = load_panel(folder, cases=cases, outcomes=outcomes, until=until)
        outcomes, leave_out = outcomes and int(outcomes), _folds_of(leave_out, len(found.observed_states))
        layout = PanelLayout(found, pooling, paths)  # type: ignore[arg-type]
        journal = target.with_name(f"{target.name}.left-out.jsonl")
        folds = _folds(layout, leave_out, sampler, journal)
    settings = sampler | {
        "model": "panel", "pooling": pooling, "paths": paths, "leave_out": leave_out, "until": found.until,
        "cases": None if cases is None else ",".join(cases), "outcomes": outcomes, "engine": "nuts", "as_of": None,
    }  # fmt: skip
    with timer("compile"):
        fitter = Fitter(layout)
    with timer("fit"):
        values, stats, how = fitter.sample(**sampler, progress=progress)
        tree = grow(layout, values, stats, seed, {k: str(v) for k, v in settings.items()} | how)
    with timer("diagnose"):
        checks = diagnose(layout, tree)
    left = None
    if folds is not None:
        with timer("leave out"):
            book, tell = begun(layout, folds, sampler, journal), sweeps.say("refits") if progress else None
            left = held_out(fitter, folds, **sampler, journal=book, schedule=schedule, tell=tell)
    done = _finished(layout, tree, checks, left, settings, timer)
    with store.new_run(out) as place:
        unwritten = _write(place, done)
    journal.unlink(missing_ok=True)
    if unwritten is not None:
        unwritten.run = done
        raise unwritten
    return done


def _folds_of(asked: int, states: int) -> int:
    folds = enough("leave-out", asked, 0)
    if folds and not 2 <= folds <= states:
        raise Refused(f"--leave-out: {folds} is out of range; allowed: 0, or 2 to {states}, the states with rows")
    return folds


def _folds(layout: PanelLayout, folds: int, sampler: dict[str, int], journal: Path) -> NDArray | None:
    """Fold of each row, if states are to be left out; refused at once if another panel's refits are begun there."""
    from bayes_compliance.panel.holding import begun, by_state

    if not folds:
        return None
    found = by_state(layout, folds, sampler["seed"])
    if journal.exists():
        begun(layout, found, sampler, journal)
    return found


def _finished(
    layout: PanelLayout, tree: xr.DataTree, checks: list[Check], left: HeldOut | None, settings: dict[str, Any],
    timer: Timer,
) -> PanelRun:  # fmt: skip
    from bayes_compliance.analysis.reputation import effects, reputation
    from bayes_compliance.inference.diagnostics import check_forecast
    from bayes_compliance.latents import end_to_end
    from bayes_compliance.panel.ahead import forecast
    from bayes_compliance.panel.fitting import draws_of

    draws = draws_of(tree)
    flat = end_to_end(draws)
    with timer("forecast"):
        ahead = forecast(layout, draws, settings["seed"])
        seen = [layout.state_index[state] for state in layout.panel.observed_states]
        ranked = reputation(flat["p2_g2"][:, seen], flat["step"][:, seen], 1.0, layout.panel.observed_states)
        found = effects(flat["state_effect"], layout.panel.states.columns) if "state_effect" in flat else None
    checks = [*checks, check_forecast(ahead.mc_error)]
    summary = runs.done_with(layout.panel, checks, settings) | {"seconds": timer.seconds}
    if left is not None:
        gain, standard_error = left.better
        summary["left_out"] = {"decisions": len(left.score), "gain": gain, "standard_error": standard_error}
    return PanelRun(layout, tree, ranked, found, ahead, left, checks, summary)


def _write(place: Path, done: PanelRun) -> Unwritten | None:
    """Write all files; what of the page could not be written."""
    from bayes_compliance.forecast import to_csv
    from bayes_compliance.panel.holding import COLUMNS as LEFT_OUT
    from bayes_compliance.panel.holding import by_state_table
    from bayes_compliance.panel.page import render

    runs.write_posterior(place, done.tree)
    runs.write_summary(place, done.summary)
    (place / "forecast.csv").write_bytes(to_csv(done.forecast.table).encode())
    data = done.forecast.dataset
    runs.write_netcdf(place / "forecast.nc", data, encoding={name: {"zlib": True} for name in data})
    if done.left_out is not None:
        table = by_state_table(done.left_out, done.layout.states)
        (place / "left_out.csv").write_bytes(to_csv(table, LEFT_OUT).encode())
    runs.write_netcdf(place / "reputation.nc", done.reputation)
    page, unwritten = "", None
    try:
        page = render(done)
    except Unwritten as error:
        page, unwritten = error.page, error
    (place / "report.html").write_text(page, encoding="utf-8")
    return unwritten
