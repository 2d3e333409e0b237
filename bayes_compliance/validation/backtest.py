"""Back-test: from each origin, forecast the decisions that came next, and compare with those who know no theory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import runs, seeds, sweeps
from bayes_compliance.errors import Refused
from bayes_compliance.inference import enough
from bayes_compliance.inference.diagnostics import Check, failed
from bayes_compliance.inference.exact.linear import Linear
from bayes_compliance.models import RIVALS, prepare
from bayes_compliance.theory import COMPLY
from bayes_compliance.validation import scores as scoring
from bayes_compliance.validation.at_origins import MC_ERROR, NEEDED, REFITS, AtOrigins
from bayes_compliance.validation.foretelling import known_of
from bayes_compliance.validation.origins import View

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.sweeps import Schedule, Teller
    from bayes_compliance.validation.origins import Origin

ENGINES = ("nuts", "exact")
DIVERGENCES = 1e-3


class Prediction(NamedTuple):
    """One forecaster's probabilities for one held-out decision, and what came."""

    forecaster: str
    origin: date
    step: int
    state: str
    rule: str
    date: date
    outcome: int
    p_violate: float
    p_partial: float
    p_comply: float


class Trace(NamedTuple):
    """How it went at an origin: a fit, or the draws of an earlier one, weighted, with Pareto k."""

    forecaster: str
    origin: date
    divergences: int
    draws: int
    mc_error: float
    pareto_k: float = 0.0

    @property
    def fitted(self) -> bool:
        """Whether the model was fitted at this origin; else an earlier fit was weighted."""
        return self.draws > 0


@dataclass(frozen=True, repr=False)
class Backtest:
    """What was foretold, by whom, and what came.

    Attributes
    ----------
    case, model : str
    predictions : tuple of Prediction
    blocks : tuple of (origin, array (world,), int)
        For each origin the model's simulated numbers of compliances among its decisions, and the number that came.
    traces : tuple of Trace
    settings : dict
    """

    case: str
    model: str
    predictions: tuple[Prediction, ...]
    blocks: tuple[tuple[date, NDArray, int], ...]
    traces: tuple[Trace, ...]
    settings: dict[str, Any]

    def __repr__(self) -> str:
        checks, origins = self.checks, len({one.origin for one in self.predictions})
        return (
            f"<Backtest: {self.case}, forecasters: {', '.join(self.forecasters)}, origins: {origins}, predictions: "
            f"{len(self.predictions)}, {len(failed(checks))} of {len(checks)} diagnostics failed>"
        )

    @cached_property
    def forecasters(self) -> list[str]:
        """Names, the model first."""
        return list(dict.fromkeys(prediction.forecaster for prediction in self.predictions))

    @cached_property
    def steps(self) -> list[int]:
        """Decision dates ahead, rising."""
        return sorted({prediction.step for prediction in self.predictions})

    def of(self, forecaster: str, step: int = 1) -> tuple[NDArray, NDArray, list[Prediction]]:
        """A forecaster's probabilities (n, 3), outcomes (n,) and predictions at one step."""
        found = [one for one in self.predictions if one.forecaster == forecaster and one.step == step]
        p = np.array([one[-3:] for one in found]).reshape(-1, 3)
        return p, np.array([one.outcome for one in found], int), found

    def scores(self, forecaster: str, step: int = 1) -> dict[str, NDArray]:
        """Scores of each decision at one step, by name."""
        p, outcome, _ = self.of(forecaster, step)
        return scoring.each(p, outcome)

    def skill(self, other: str, score: str = "rps", step: int = 1) -> scoring.Skill:
        """The model's skill over another forecaster, with a band from resampled rules."""
        rules = [one.rule for one in self.of(self.model, step)[2]]
        rng = seeds.generator(self.settings["seed"], f"skill {other} {score} {step}")
        mine, theirs = (self.scores(name, step)[score] for name in (self.model, other))
        return scoring.skill(mine, theirs, rules, rng)

    def reliability(self) -> scoring.Reliability:
        """The model's CORP reliability of p_comply, one date ahead."""
        p, outcome, _ = self.of(self.model)
        return scoring.corp(p[:, COMPLY], outcome == COMPLY, seeds.generator(self.settings["seed"], "corp"))

    @property
    def coverage(self) -> scoring.Coverage:
        """Coverage of the number of compliances among the decisions after each origin; blocks do not overlap."""
        apart = self.blocks[:: self.settings["ahead"]]
        return scoring.coverage([drawn for _, drawn, _ in apart], [came for _, _, came in apart])

    @property
    def checks(self) -> list[Check]:
        """Diagnostics of the fits, their worst, with their marks."""
        if not self.traces:
            return []
        worst = max(self.traces, key=lambda t: t.mc_error)
        diverged, drawn = sum(t.divergences for t in self.traces), sum(t.draws for t in self.traces)
        share = diverged / drawn if drawn else 0.0
        return [
            Check("Monte Carlo error of p_comply", worst.mc_error, f"< {MC_ERROR}",
                  f"{worst.forecaster}, {worst.origin}", bool(worst.mc_error < MC_ERROR)),
            Check("divergent transitions", share, f"< {DIVERGENCES:g} of all", f"{diverged} of {drawn}",
                  share < DIVERGENCES),
        ]  # fmt: skip

    @property
    def passed(self) -> bool:
        """Whether every diagnostic met its mark."""
        return all(check.passed for check in self.checks)


def run(
    case: Case,
    model: str,
    rivals: Sequence[str] = RIVALS,
    *,
    journal: Path,
    engine: str,
    seed: int,
    draws: int,
    tune: int,
    chains: int,
    ahead: int = 1,
    learn: int | None = None,
    most: int | None = None,
    renew: bool = False,
    refit: str = NEEDED,
    schedule: Schedule | None = None,
    tell: Teller | None = None,
) -> Backtest:
    """Back-test a model on a case; see `bayes_compliance.api.backtest`."""
    ahead = enough("ahead", ahead, 1, " decision dates")
    learn = None if learn is None else enough("learn", learn, 0, " decisions")
    most = None if most is None else enough("origins", most, 1)
    if engine not in ENGINES:
        raise Refused(f"--engine: {engine!r} fits no origins; allowed in backtest: {', '.join(ENGINES)}")
    if refit not in REFITS:
        raise Refused(f"--refit: {refit!r} is unknown; allowed: {', '.join(REFITS)}")
    names = (model, *(name for name in dict.fromkeys(rivals) if name != model))
    sampler: dict[str, Any] = {"engine": engine, "seed": seed, "draws": draws, "tune": tune, "chains": chains}
    asked: dict[str, Any] = {"ahead": ahead, "learn": learn, "renew": renew, "refit": refit}
    job = AtOrigins(case, names, **sampler, **asked, most=most)
    _check_models(job)
    header = {"models": names, "origins": len(job.origins), **sampler, **asked}
    header |= runs.made_by(case) | sweeps.own_models(names)
    book = sweeps.Journal(journal, header, "back-test")
    told = dict(zip(job.tasks, sweeps.run(job, job.tasks, book, schedule, tell), strict=True))
    return _gathered(job, told, sampler | asked | {"origins": len(job.origins)})


def _check_models(job: AtOrigins) -> None:
    """Refuse a model that is none, or that cannot have this case, before the first fit and before anything is written.

    The last origin of an epoch knows the most: what engine `exact` can do there it can do at each.
    """
    tested, *rivals = job.models
    for known, some in job.epochs:
        prepared = prepare(tested, known)
        if job.engine == "exact":
            Linear(known_of(prepared, View(prepared.layout, some[-1].day)))
        for name in rivals:
            try:
                prepare(name, known)
            except Refused as refused:
                raise Refused(str(refused).replace("--model:", "--rivals:")) from refused


def _gathered(job: AtOrigins, told: dict[str, Any], settings: dict[str, Any]) -> Backtest:
    tested, at = job.models[0], {origin.day: origin for origin in job.origins}
    predictions: list[Prediction] = []
    blocks, traces = [], []
    for key, entries in told.items():
        name = key.rsplit("|", 2)[0]
        for entry in entries:
            origin = at[date.fromisoformat(entry["origin"])]
            for who, p in entry["says"].items():
                predictions += _entries(who, origin, p)
            traces.append(Trace(name, origin.day, *(entry[field] for field in Trace._fields[2:])))
            if name == tested:
                counts = np.repeat(np.arange(len(entry["counts"])), entry["counts"])
                blocks.append((origin.day, counts, sum(target.outcome == COMPLY for target in origin.targets)))
    return Backtest(job.case.name, tested, tuple(predictions), tuple(blocks), tuple(traces), settings)


def _entries(name: str, origin: Origin, p: Sequence[Sequence[float]]) -> list[Prediction]:
    return [
        Prediction(name, origin.day, t.step, t.item.state, t.item.rule, t.item.date, t.outcome, *row)
        for t, row in zip(origin.targets, p, strict=True)
    ]
