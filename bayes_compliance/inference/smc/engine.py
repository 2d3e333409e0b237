"""From a prepared model to draws, evidence and what speaks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.inference.smc.finish import Finished, by_chain, collected, largest_t
from bayes_compliance.inference.smc.moves import WIDER, Cloud, Walked, log_posterior, walk
from bayes_compliance.inference.smc.reference import at_mode
from bayes_compliance.inference.smc.target import Target
from bayes_compliance.parallel import in_threads, single

if TYPE_CHECKING:
    from bayes_compliance.inference import Drawn
    from bayes_compliance.models import Prepared

PARTICLES = 2000
"""Particles of all runs together while the posterior is approached."""

KEPT = 5
"""States of each chain that are kept at each temperature."""

HALF = 0.5
"""Effective share of the particles after a change of temperature."""

CHAINS = 50
"""Chains of each run at the posterior."""

ROUND, LEAST_ROUNDS, MOST_ROUNDS = 20, 5, 25
"""Steps after which the Gaussian is fitted again at the posterior, and how often."""

STAYS = 3.5
"""Chains have arrived when no latent's mean moves from round to round by more standard errors."""

WANTED = 2500
"""Effective draws that the final chains are made long enough for."""

FIRST_SIZE = 0.9


def sample(prepared: Prepared, *, draws: int, chains: int, seed: int) -> Drawn:
    """Independent runs, their draws in chains one after the other, and the evidence.

    Parameters
    ----------
    prepared : Prepared
    draws, chains : int
        Draws of each run, and runs.
    seed : int
        Same seed, inputs and versions: the same draws, bit for bit, however many processors there are.

    Raises
    ------
    Refused
        If the model's likelihood is not known to be a function of net support.
    """
    *own, common = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(chains + 1))
    with single():
        runs = Runs(Target(prepared, common), own)
        runs.anneal()
        runs.settle()
        return collected(runs.finish(draws), runs.temperatures, draws, common)


class Runs:
    """Runs side by side: each resamples and walks by itself; temperatures and the Gaussian are common to all.

    Parameters
    ----------
    target : Target
    rngs : sequence of Generator
        One for each run.
    """

    def __init__(self, target: Target, rngs: Sequence[np.random.Generator]) -> None:
        self.target, self.rngs = target, rngs
        self.start = self.about = at_mode(target).widened(WIDER)
        self.t = np.zeros(len(target.columns))
        self.sizes = [np.full((2, len(target.columns)), FIRST_SIZE) for _ in rngs]
        n = -(-PARTICLES // len(rngs))
        self.clouds = [self._first(n, rng, i) for i, rng in enumerate(rngs)]

    def anneal(self) -> None:
        """From the Gaussian at the mode to the posterior, temperature by temperature."""
        self.temperatures = 0
        while (self.t < 1).any():
            ratio = np.concatenate([cloud.log_ratio for cloud in self.clouds])
            rise = np.array([next_rise(r, 1 - t) for r, t in zip(ratio.T, self.t, strict=True)])
            weights = [np.exp(rise * (cloud.log_ratio - ratio.max(axis=0))) for cloud in self.clouds]
            self._refit(weights)
            self.t = np.where(self.t + rise > 1 - 1e-9, 1.0, self.t + rise)
            chains = len(self.clouds[0].z) // KEPT
            self.clouds = [self._resampled(i, weight, chains) for i, weight in enumerate(weights)]
            self._walk(kept=KEPT)
            self.temperatures += 1

    def settle(self) -> None:
        """At the posterior: walk, and fit the Gaussian again to where the chains have been, until they stay there."""
        even = [np.ones(cloud.log_p.shape) for cloud in self.clouds]
        self._refit(even)
        self.clouds = [self._resampled(i, weight, CHAINS) for i, weight in enumerate(even)]
        before: NDArray | None = None
        for self.rounds in range(1, MOST_ROUNDS + 1):
            walked = self._walk(kept=ROUND)
            now = np.concatenate([by_chain(cloud.z, CHAINS).mean(axis=1) for cloud in self.clouds])
            self._refit([np.ones(cloud.log_p.shape) for cloud in self.clouds])
            self.clouds = [one.last for one in walked]
            if self.rounds >= LEAST_ROUNDS and before is not None and largest_t(now - before)[0] < STAYS:
                break
            before = now

    def finish(self, draws: int) -> Finished:
        """The final chains of each run, with steps and Gaussian as they are."""
        chains, first = min(CHAINS, draws), self.clouds
        self.sizes = [np.mean(self.sizes, axis=0)] * len(self.rngs)
        every = spacing(self.sizes[0], np.mean(self.accepted, axis=0), draws * len(self.rngs))
        self.clouds = [first_of(cloud, chains) for cloud in first]
        walked = self._walk(kept=-(-draws // chains), every=every, adapt=False)
        ahead = [one.states for one in walked]
        return Finished(self.target, self.about, [first_of(c, chains) for c in first], ahead, self.accepted, every)

    def _first(self, n: int, rng: np.random.Generator, run: int) -> Cloud:
        xi = rng.standard_normal((n, self.target.size))
        z = self.start.place(xi)
        log_p = log_posterior(self.target, z, self.target.log_likelihood(z))
        ancestor = np.tile(run * n + np.arange(n)[:, None], len(self.t))
        return Cloud(z, self.start.log_density(xi), log_p, ancestor)

    def _resampled(self, run: int, weight: NDArray, chains: int) -> Cloud:
        rng = self.rngs[run]
        index = np.stack([rng.permutation(systematic(w, chains, rng)) for w in weight.T], axis=1)
        return self.clouds[run].chosen(index, self.target.component_of)

    def _walk(self, **settings: Any) -> list[Walked]:
        each = [slice(i, i + 1) for i in range(len(self.rngs))]
        groups = [slice(None)] if self.target.small else each

        def some(runs: slice) -> list[Walked]:
            own = self.clouds[runs], self.t, self.sizes[runs], self.rngs[runs]
            return walk(self.target, self.start, self.about, *own, **settings)

        walked = [one for group in in_threads(some, groups) for one in group]
        self.clouds, self.sizes = [one.states for one in walked], [one.size for one in walked]
        self.accepted = [one.accepted for one in walked]
        return walked

    def _refit(self, weights: Sequence[NDArray]) -> None:
        z = np.concatenate([cloud.z for cloud in self.clouds])
        self.about = self.about.refitted(z, np.concatenate(weights))


def first_of(cloud: Cloud, n: int) -> Cloud:
    """The first particles."""
    return Cloud(*(values[:n] for values in cloud))


def effective(log_weight: NDArray) -> float:
    """Effective share of weighted particles, ``(sum w)^2 / (n sum w^2)``, in (0, 1]."""
    weight = np.exp(log_weight - log_weight.max())
    return float(weight.sum() ** 2 / (weight**2).sum() / len(weight))


def next_rise(log_ratio: NDArray, left: float) -> float:
    """By how much the temperature can rise, at most by what is left, so that half of the particles stay effective."""
    if effective(left * log_ratio) >= HALF:
        return left
    low, high = 0.0, left
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle * log_ratio) >= HALF else (low, middle)
    return low


def systematic(weight: NDArray, n: int, rng: np.random.Generator) -> NDArray:
    """Positions of n particles drawn with these weights, evenly spaced in the sum of weights."""
    total = np.cumsum(weight)
    return np.minimum(np.searchsorted(total / total[-1], (np.arange(n) + rng.random()) / n), len(weight) - 1)


def spacing(size: NDArray, accepted: NDArray, draws: int) -> int:
    """Steps between kept states that make the draws worth `WANTED`: a chain forgets by b^2 times acceptance."""
    forgets = 4 / (size**2 * np.maximum(accepted, 0.05)).mean(axis=0)
    return max(1, int(np.ceil(WANTED * forgets.max(initial=1.0) / draws)))
