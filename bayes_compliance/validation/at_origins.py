"""The fits of a back-test: the posterior of what was known at each origin, and what it foretells.

From one origin to the next a decision or two become known. Until they weigh too much, the draws of an earlier fit
serve, weighted by the likelihood of what has become known since, Pareto-smoothed; where Pareto k says that weights
cannot carry it, or the Monte Carlo error of a forecast would miss its mark, the model is fitted anew (leave-future-out
by PSIS: Bürkner, Gabry and Vehtari 2020). Origins are done in blocks of `BLOCK`, each with a fit of its own at its
start: tasks that know nothing of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import seeds
from bayes_compliance.forecast import thin
from bayes_compliance.importance import good_k, weights_of
from bayes_compliance.inference.density import log_likelihood
from bayes_compliance.latents import Draws, Latents, end_to_end
from bayes_compliance.models import Prepared, prepare
from bayes_compliance.validation import baselines
from bayes_compliance.validation.foretelling import Foretold, foretell, known_of
from bayes_compliance.validation.origins import Origin, View, epochs, known_by, origins
from bayes_compliance.validation.shared import Shared

if TYPE_CHECKING:
    from bayes_compliance.case import Case

BASE, PERSISTENCE, PRIOR, SUM = "base rate", "persistence", "prior only", "weighted sum"
BLOCK = 8
MC_ERROR = 0.02
"""Mark of the Monte Carlo error of p_comply in a back-test: it adds at most its square, .0004, to a Brier score."""
PRIOR_DRAWS = 2000
NEEDED = "needed"
REFITS = (NEEDED, "always")


class Told(NamedTuple):
    """Draws (chain, draw, item) of what was known, their weights (draw,) with sum 1, and how they were come by."""

    draws: Draws
    weights: NDArray | None
    pareto_k: float
    divergences: int


class _Fit(NamedTuple):
    """Draws of a fit, thinned as a forecast is, of all the latents of the whole, and of its view."""

    view: View
    draws: Draws


class Fits:
    """Posteriors of one prepared model at any origin, with one compilation (or by the exact engine).

    Parameters
    ----------
    prepared : Prepared
        Of all decisions, with the judgements known at the first origin.
    engine : str
    seed, draws, tune, chains : int
    refit : str
        ``needed``: only where weights cannot carry an earlier fit; or ``always``.
    """

    def __init__(
        self, prepared: Prepared, *, engine: str, seed: int, draws: int, tune: int, chains: int, refit: str = NEEDED
    ) -> None:
        self.prepared, self.engine, self.seed, self.refit = prepared, engine, seed, refit
        self.size = {"draws": draws, "tune": tune, "chains": chains}
        self._shared = Shared(prepared) if engine == "nuts" else None
        self._last: _Fit | None = None

    def forget(self) -> None:
        """Let the next origin have a fit of its own."""
        self._last = None

    def at(self, view: View) -> Told:
        """The posterior of what was known on the view's day."""
        if self._shared is None:
            from bayes_compliance.inference import exact

            seed = seeds.integer(self.seed, f"backtest {view.day}")
            size = {"draws": self.size["draws"], "chains": self.size["chains"]}
            return Told(_cut(exact.sample(known_of(self.prepared, view), **size, seed=seed)[0]), None, 0.0, 0)
        told = self._reweighted(view) if self._last and self.refit == NEEDED else None
        return told or self._fitted(view)

    def _fitted(self, view: View) -> Told:
        assert self._shared is not None
        seed = seeds.integer(self.seed, f"backtest {view.day}")
        found, stats = self._shared.sample(view.data, **self.size, seed=seed)
        draws, divergences = _cut(found), int(stats["diverging"].sum())
        self._last = _Fit(view, draws)
        return Told(view.carried(draws), None, 0.0, divergences)

    def _reweighted(self, view: View) -> Told | None:
        assert self._last is not None
        before = self._last.view
        draws = view.carried(self._last.draws)
        now = log_likelihood(known_of(self.prepared, view), draws)
        then = log_likelihood(known_of(self.prepared, before), before.carried(self._last.draws))
        weights, k = weights_of((now - then).ravel())
        return Told(draws, weights, k, 0) if k <= good_k(len(weights)) else None


def _cut(draws: Draws) -> Draws:
    """Draws (chain, draw, item), as many as a forecast uses."""
    kept, chains = thin(end_to_end(draws), len(draws["innovation"]))
    each = len(kept["innovation"]) // chains
    return {name: values.reshape(chains, each, *values.shape[1:]) for name, values in kept.items()}


@dataclass(frozen=True)
class AtOrigins:
    """The job of a back-test: each task is a block of origins for one model.

    Attributes
    ----------
    case : Case
    models : tuple of str
        The first is the one that is tested.
    engine, seed, draws, tune, chains
        Rivals are fitted by NUTS.
    ahead, learn, most, renew
        See `bayes_compliance.validation.origins.origins` and `epochs`.
    refit : str
    """

    case: Case
    models: tuple[str, ...]
    engine: str
    seed: int
    draws: int
    tune: int
    chains: int
    ahead: int
    learn: int | None
    most: int | None
    renew: bool
    refit: str

    @cached_property
    def origins(self) -> list[Origin]:
        """All of them."""
        return origins(self.case, ahead=self.ahead, learn=self.learn, most=self.most)

    @cached_property
    def epochs(self) -> list[tuple[Case, list[Origin]]]:
        """Origins with the same judgements, and the case with these."""
        return epochs(self.case, self.origins, renew=self.renew)

    @property
    def tasks(self) -> list[str]:
        """Keys, in the order of time, a model's together: model, epoch and the first origin of a block."""
        return [
            f"{name}|{e}|{start}"
            for e, (_, some) in enumerate(self.epochs)
            for name in self.models
            for start in range(0, len(some), BLOCK)
        ]

    def open(self) -> Callable[[str], list[dict[str, Any]]]:
        """Ready for any task; compiled once for each model and epoch."""
        held: dict[str, Fits] = {}

        def do(key: str) -> list[dict[str, Any]]:
            name, e, start = key.rsplit("|", 2)
            known, some = self.epochs[int(e)]
            whose = f"{name}|{e}"
            if whose not in held:
                held.clear()
                held[whose] = self._fits(name, known)
            held[whose].forget()
            return [self._one(held[whose], origin, name) for origin in some[int(start) :][:BLOCK]]

        return do

    def _fits(self, name: str, known: Case) -> Fits:
        engine = self.engine if name == self.models[0] else "nuts"
        size = {"seed": self.seed, "draws": self.draws, "tune": self.tune, "chains": self.chains}
        return Fits(prepare(name, known), engine=engine, **size, refit=self.refit)

    def _one(self, fits: Fits, origin: Origin, name: str) -> dict[str, Any]:
        """What a model says at an origin, and for the tested one what those say that need no fit."""
        view = View(fits.prepared.layout, origin.day)
        told = fits.at(view)
        foretold = self._foretold(fits, view, told, origin)
        if told.weights is not None and foretold.mc_error >= MC_ERROR:
            fits.forget()
            told = fits.at(view)
            foretold = self._foretold(fits, view, told, origin)
        says = {name: foretold.p.tolist()}
        if name == self.models[0]:
            says |= {other: p.tolist() for other, p in _plain(fits.prepared, origin, self.seed)}
        return {
            "origin": origin.day.isoformat(), "says": says, "counts": np.bincount(foretold.compliances).tolist(),
            "divergences": told.divergences, "draws": 0 if told.weights is not None else self.draws * self.chains,
            "pareto_k": told.pareto_k, "mc_error": foretold.mc_error,
        }  # fmt: skip

    def _foretold(self, fits: Fits, view: View, told: Told, origin: Origin) -> Foretold:
        seed = seeds.integer(self.seed, f"foretell {origin.day}")
        return foretell(known_of(fits.prepared, view), told.draws, origin.targets, seed, weights=told.weights)


def _plain(prepared: Prepared, origin: Origin, seed: int) -> Iterator[tuple[str, NDArray]]:
    """What the forecasters without a fit say at an origin, (target, 3) each."""
    view = View(prepared.layout, origin.day)
    known, items = known_of(prepared, view), [target.item for target in origin.targets]
    drawn = Latents(view.layout).draw_all(PRIOR_DRAWS, seeds.generator(seed, f"prior {origin.day}"))
    record = known_by(prepared.case, origin.day)
    yield PRIOR, foretell(known, {k: v[None] for k, v in drawn.items()}, origin.targets, seed, observed=False).p
    yield SUM, baselines.weighted_sum(known, items)
    yield BASE, np.tile(baselines.base_rate(record), (len(items), 1))
    yield PERSISTENCE, baselines.persistence(record, items)
