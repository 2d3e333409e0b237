"""Back-test: from each origin, forecast the decisions that came next, and compare with those who know no theory."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import seeds
from bayes_compliance.errors import Refused
from bayes_compliance.inference.diagnostics import MC_ERROR, Check
from bayes_compliance.latents import Draws
from bayes_compliance.models import Prepared, prepare
from bayes_compliance.theory import COMPLY
from bayes_compliance.validation import baselines
from bayes_compliance.validation import scores as scoring
from bayes_compliance.validation.foretelling import Foretold, foretell, known_of
from bayes_compliance.validation.origins import Origin, View, epochs, known_by, origins
from bayes_compliance.validation.shared import Shared

if TYPE_CHECKING:
    from bayes_compliance.case import Case

BASE, PERSISTENCE, PRIOR, SUM = "base rate", "persistence", "prior only", "weighted sum"
RIVALS = ("unitary", "managerial")
PRIOR_DRAWS = 2000
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
    """How a fit at an origin went."""

    forecaster: str
    origin: date
    divergences: int
    draws: int
    mc_error: float


@dataclass(frozen=True)
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

    def reliability(self, step: int = 1) -> scoring.Reliability:
        """The model's CORP reliability of p_comply."""
        p, outcome, _ = self.of(self.model, step)
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


class Fits:
    """Posteriors of one prepared model at any origin, with one compilation (or by the exact engine).

    Parameters
    ----------
    prepared : Prepared
        Of all decisions, with the judgements known at the first origin.
    engine : str
    seed, draws, tune, chains : int
    """

    def __init__(self, prepared: Prepared, *, engine: str, seed: int, draws: int, tune: int, chains: int) -> None:
        self.prepared, self.engine, self.seed = prepared, engine, seed
        self.size = {"draws": draws, "tune": tune, "chains": chains}
        self._shared = Shared(prepared) if engine == "nuts" else None

    def at(self, view: View) -> tuple[Draws, int]:
        """Draws (chain, draw, item) of the latents of what was known, and the number of divergences."""
        seed = seeds.integer(self.seed, f"backtest {view.day}")
        if self._shared is None:
            from bayes_compliance.inference import exact

            found, _ = exact.sample(
                known_of(self.prepared, view), draws=self.size["draws"], chains=self.size["chains"], seed=seed
            )
            return found, 0
        found, stats = self._shared.sample(view.data, **self.size, seed=seed)
        return view.carried(found), int(stats["diverging"].sum())


def run(
    case: Case,
    model: str,
    rivals: Sequence[str] = RIVALS,
    *,
    engine: str,
    seed: int,
    draws: int,
    tune: int,
    chains: int,
    ahead: int = 1,
    learn: int | None = None,
    most: int | None = None,
    renew: bool = False,
    progress: bool = False,
) -> Backtest:
    """Back-test a model on a case; see `bayes_compliance.api.backtest`."""
    if ahead < 1:
        raise Refused(f"--ahead: {ahead} is too few; allowed: 1 or more decision dates")
    rivals = [name for name in dict.fromkeys(rivals) if name != model]
    sampler: dict[str, Any] = {"engine": engine, "seed": seed, "draws": draws, "tune": tune, "chains": chains}
    found = origins(case, ahead=ahead, learn=learn, most=most)
    predictions: list[Prediction] = []
    blocks, traces = [], []
    for known, some in epochs(case, found, renew=renew):
        for name in (model, *rivals):
            engine_of = sampler if name == model else sampler | {"engine": "nuts"}
            fits = Fits(prepare(name, known), **engine_of)
            for i, origin in enumerate(some):
                _say(progress, f"{name}: origin {i + 1} of {len(some)}, {origin.day}")
                foretold, trace = _fitted(fits, origin, name)
                predictions += _entries(name, origin, foretold.p)
                traces.append(trace)
                if name == model:
                    came = sum(target.outcome == COMPLY for target in origin.targets)
                    blocks.append((origin.day, foretold.compliances, came))
                    predictions += _plain(fits.prepared, origin, seed)
    settings = sampler | {"ahead": ahead, "learn": learn, "origins": len(found), "renew": renew}
    return Backtest(case.name, model, tuple(predictions), tuple(blocks), tuple(traces), settings)


def _say(progress: bool, text: str) -> None:
    if progress and sys.stderr.isatty():
        print(text, file=sys.stderr)


def _fitted(fits: Fits, origin: Origin, name: str) -> tuple[Foretold, Trace]:
    view = View(fits.prepared.layout, origin.day)
    draws, divergences = fits.at(view)
    seed = seeds.integer(fits.seed, f"foretell {origin.day}")
    foretold = foretell(known_of(fits.prepared, view), draws, origin.targets, seed)
    drawn = int(np.prod(draws["innovation"].shape[:2]))
    return foretold, Trace(name, origin.day, divergences, drawn, foretold.mc_error)


def _plain(prepared: Prepared, origin: Origin, seed: int) -> Iterator[Prediction]:
    """What the forecasters without a fit say at an origin."""
    view = View(prepared.layout, origin.day)
    known, items = known_of(prepared, view), [target.item for target in origin.targets]
    drawn = baselines.prior_draws(view.layout, PRIOR_DRAWS, seeds.generator(seed, f"prior {origin.day}"))
    prior = foretell(known, {k: v[None] for k, v in drawn.items()}, origin.targets, seed, observed=False)
    record = known_by(prepared.case, origin.day)
    yield from _entries(PRIOR, origin, prior.p)
    yield from _entries(SUM, origin, baselines.weighted_sum(known, items))
    yield from _entries(BASE, origin, np.tile(baselines.base_rate(record), (len(items), 1)))
    yield from _entries(PERSISTENCE, origin, baselines.persistence(record, items))


def _entries(name: str, origin: Origin, p: NDArray) -> list[Prediction]:
    return [
        Prediction(name, origin.day, t.step, t.item.state, t.item.rule, t.item.date, t.outcome, *map(float, row))
        for t, row in zip(origin.targets, p, strict=True)
    ]
