"""The command `sweep` as a function; light to import, heavy when called."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import product
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_compliance import models as models_of
from bayes_compliance import runs, sweeps
from bayes_compliance.arguments import check_list, day_of, given_twice, shown
from bayes_compliance.case import load_case
from bayes_compliance.case.horizon import check_until
from bayes_compliance.disk import write_csv
from bayes_compliance.errors import Refused
from bayes_compliance.inference import CHAINS, DRAWS, SEEDS, TUNE, check_seed, check_settings
from bayes_compliance.store import JOURNAL
from bayes_compliance.sweeps.grid import Grid
from bayes_compliance.sweeps.scheduling import Schedule
from bayes_compliance.wording import listed

if TYPE_CHECKING:
    from os import PathLike

    from bayes_compliance.case import Case

CELL = ("case", "model", "noise", "seed")
DIAGNOSTIC = ("name", "value", "where", "passed")
FITS = "those of run"
"""In the journal's header: fits that were made otherwise are not gone on with."""

NOISES = 1e-3, 1e3
"""Multiples of the noise beyond which decisions are told by nothing, or by nothing else."""


def sweep(
    cases: Sequence[str | PathLike[str]],
    out: str | PathLike[str],
    *,
    models: Sequence[str | PathLike[str]] = (models_of.DEFAULT,),
    noises: Sequence[float] = (1.0,),
    seeds: Sequence[int] = (1,),
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int = CHAINS,
    until: date | None = None,
    scheduler: str = "local",
    workers: int = 1,
    progress: bool = False,
) -> dict[str, Any]:
    """Fit and forecast a grid: every case by every model, decision noise and seed, by NUTS.

    Parameters
    ----------
    cases : sequence of path
        Case folders, each with a name of its own.
    out : path
        A folder for forecasts.csv, diagnostics.csv, summary.json and tasks.jsonl, in which each fit is entered when it
        is done: a sweep that was interrupted goes on there.
    models : sequence of str
    noises : sequence of float, .001 to 1000
        Multiples of the judged decision noise: how much hangs on it?
    seeds : sequence of int
    draws, tune, chains, until
        As in `run`, whose forecast each fit's is, at a noise of 1, to the last digit.
    scheduler, workers
        As in `backtest`.
    progress : bool

    Returns
    -------
    dict
        What summary.json holds: `failed`, the fits that missed a mark, and `model_notes`, how those of a model that may
        be fitted in two ways (`reciprocity`) were, among it.

    Raises
    ------
    Refused
        Bad input; nothing was written.
    """
    schedule = Schedule(scheduler, workers)
    schedule.check()
    cases = _listed("CASE", cases, "case folders")
    models = _listed("--models", models, "models, each by name or by the path of a .py file")
    noises, seeds = _listed("--noise", noises, "numbers"), _listed("--seeds", seeds, "whole numbers")
    seeds, until = [check_seed(seed) for seed in seeds], day_of("until", until)
    sizes = check_settings("nuts", SEEDS[0], draws, tune, chains)
    del sizes["seed"]
    for noise in noises:
        number = isinstance(noise, Real)
        if not number or not NOISES[0] <= noise <= NOISES[1]:
            said = f"{noise:g}" if number else shown(noise)
            raise Refused(f"--noise: {said} is out of range; allowed: {NOISES[0]:g} to {NOISES[1]:g}")
    with sweeps.at_work(out, "sweep") as folder:
        grid = _grid(cases, models, noises, seeds, **sizes, until=until)
        cells, made = grid.cells, {case.name: runs.made_by(case) for case in grid.cases}
        settings = {"models": grid.models, "noises": grid.noises, "seeds": grid.seeds, **sizes}
        settings["until"] = until.isoformat() if until else None
        header = {**settings, "cases": made, "fits": FITS, **sweeps.own_models(grid.models)}
        book = sweeps.Journal(folder / JOURNAL, header)
        for _ in sweeps.run(grid, list(cells), book, schedule, sweeps.say("fits") if progress else None):
            pass
    failed = _write(folder, cells, book)
    summary = {"settings": settings, "cases": made, "fits": len(cells), "failed": failed, "passed": not failed}
    summary["model_notes"] = {key: book[key]["note"] for key in cells if book[key]["note"]}
    summary = json.loads(json.dumps(summary))
    runs.write_summary(folder, summary)
    return summary


def _listed(option: str, given: Any, of: str) -> list[Any]:
    check_list(option, given, of)
    return list(given)


def _grid(
    cases: Sequence[str | PathLike[str]], asked: Sequence[str | PathLike[str]], noises: Sequence[float],
    seeds: Sequence[int], **more: Any,
) -> Grid:  # fmt: skip
    found, names = tuple(load_case(case) for case in cases), [models_of.name_of(model) for model in asked]
    _check_names(cases, found)
    for what, given in (
        ("CASE", [case.name for case in found]), ("--models", names), ("--noise", noises), ("--seeds", seeds),
    ):  # fmt: skip
        twice = given_twice(given)
        if twice or not given:
            problem = f"{', '.join(twice)} is given twice" if twice else "nothing is given"
            raise Refused(f"{what}: {problem}; allowed: one or more, each once")
    for case in found:
        if more["until"] is not None:
            check_until(case, more["until"])
    for name, case, noise in product(names, found, noises):
        models_of.prepare(name, case, noise)
    return Grid(found, tuple(names), tuple(float(noise) for noise in noises), tuple(seeds), **more)


def _check_names(places: Sequence[str | PathLike[str]], found: Sequence[Case]) -> None:
    """Refuse folders with one name: rows of forecasts.csv are told by it."""
    for name in given_twice(case.name for case in found):
        own = [place for place, case in zip(places, found, strict=True) if case.name == name]
        if len({Path(place).resolve() for place in own}) > 1:
            what = f"{name!r} is the `name` in the case.toml of {listed([str(place) for place in own])}"
            raise Refused(f"CASE: {what}; allowed: a name of its own for each")


def _write(folder: Path, cells: dict[str, Any], book: sweeps.Journal) -> list[str]:
    """forecasts.csv and diagnostics.csv, fit by fit; the fits that missed a mark."""
    from bayes_compliance.forecast import COLUMNS, written

    failed = []

    def forecasts() -> Iterable[list[Any]]:
        for key, cell in cells.items():
            yield from ([*cell.written, *written(row)] for row in book[key]["forecast"])

    def diagnostics() -> Iterable[list[Any]]:
        for key, cell in cells.items():
            found = book[key]["diagnostics"]
            if not all(one[-1] for one in found):
                failed.append(key)
            yield from ([*cell.written, *one] for one in found)

    write_csv(folder / "forecasts.csv", (*CELL, *COLUMNS), forecasts())
    write_csv(folder / "diagnostics.csv", (*CELL, *DIAGNOSTIC), diagnostics())
    return failed
