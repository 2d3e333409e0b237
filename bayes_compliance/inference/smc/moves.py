"""Chains of one run: preconditioned Crank-Nicolson steps that leave a tempered density as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bayes_compliance.inference.smc.reference import Reference
    from bayes_compliance.inference.smc.target import Target

ACCEPTANCE = 0.28
"""Share of steps to accept; for many latents the best is near a quarter."""

SHORTEST, LONGEST = 0.02, 1.0

WIDER = 2.0
"""Of the wider Gaussian, how many times the standard deviations."""


class Cloud(NamedTuple):
    """Particles of one run.

    Attributes
    ----------
    z : (n, size)
    log_q, log_p : (n, component)
        Log density of each component under the first reference, and under prior and likelihood, but for the 2 pi.
    ancestor : (n, component) int
        The particle at the start from which each component descends.
    """

    z: NDArray
    log_q: NDArray
    log_p: NDArray
    ancestor: NDArray

    @property
    def log_ratio(self) -> NDArray:
        return self.log_p - self.log_q

    def chosen(self, index: NDArray, component_of: NDArray) -> Cloud:
        """Particles put together from the components of others, ``index`` (m, component)."""
        take = (
            index[:, np.maximum(component_of, 0)] if index.shape[1] else np.zeros((len(index), len(component_of)), int)
        )
        z = np.take_along_axis(self.z, take, axis=0)
        return Cloud(z, *(np.take_along_axis(v, index, axis=0) for v in (self.log_q, self.log_p, self.ancestor)))

    def joined(self, others: list[Cloud]) -> Cloud:
        """These particles and others, chain by chain: the states of a chain stand one after the other."""
        clouds = [self, *others]
        return Cloud(*(_chain_major(parts) for parts in zip(*clouds, strict=True)))


class Walked(NamedTuple):
    """States kept of each chain, step sizes after, and the share of accepted steps, (2, component) each."""

    states: Cloud
    last: Cloud
    size: NDArray
    accepted: NDArray


def _chain_major(values: Sequence[NDArray]) -> NDArray:
    return np.stack(values, axis=1).reshape(len(values) * len(values[0]), -1)


def log_posterior(target: Target, z: NDArray, log_likelihood: NDArray) -> NDArray:
    """Log of prior and likelihood of each component, (n, component), but for the 2 pi."""
    square = np.stack([(z[:, columns] ** 2).sum(axis=1) for columns in target.columns], axis=1)
    return log_likelihood - square / 2


def walk(
    target: Target,
    start: Reference,
    about: Reference,
    clouds: Sequence[Cloud],
    t: NDArray,
    sizes: Sequence[NDArray],
    rngs: Sequence[np.random.Generator],
    *,
    kept: int,
    every: int = 1,
    adapt: bool = True,
) -> list[Walked]:
    """Move each particle of each run, and keep every so many-th state: ``kept`` of each chain.

    Each component is proposed at once and accepted by itself, with the chance min(1, ratio) of
    ``pi_t(z') q(xi) / (pi_t(z) q(xi'))``, for q about which the step is reversible. Every other step is about a wider
    Gaussian: where the posterior's tail is the heavier, chains would enter it as rarely as they leave it.

    Parameters
    ----------
    target : Target
    start, about : Reference
        Where tempering starts, and the Gaussian about which steps are taken.
    clouds : sequence of Cloud
        One for each run, of one size: they step side by side, each by its own chance.
    t : (component,)
        Temperature.
    sizes : sequence of (2, component)
        Step size b in (0, 1] of each run, about the wider Gaussian and about the other.
    rngs : sequence of Generator
    kept, every : int
    adapt : bool
        Let step sizes follow the share accepted; else they stay.
    """
    runs, n = len(clouds), len(clouds[0].z)
    states: list[Cloud] = []
    size, shares = np.stack(sizes), np.zeros((runs, *sizes[0].shape))
    tempered = bool((t < 1).any())
    abouts = (about.widened(WIDER), about)
    b_of = np.maximum(target.component_of, 0)
    cloud = together(clouds)
    for step in range(1, kept * every + 1):
        which = step % 2
        near = abouts[which]
        xi = near.back(cloud.z)
        b = np.where(target.component_of >= 0, size[:, which, b_of], 1.0).repeat(n, axis=0)
        moved = np.sqrt(1 - b**2) * xi + b * np.concatenate([rng.standard_normal((n, target.size)) for rng in rngs])
        z = near.place(moved)
        log_p = log_posterior(target, z, target.log_likelihood(z))
        log_q = start.log_density(start.back(z)) if tempered else cloud.log_q
        gain = t * (log_p - cloud.log_p) + (1 - t) * (log_q - cloud.log_q)
        gain -= near.log_density(moved) - near.log_density(xi)
        accept = np.log(np.concatenate([rng.random((n, len(t))) for rng in rngs])) < gain
        cloud = cloud._replace(
            z=np.where(accept[:, b_of], z, cloud.z), log_q=np.where(accept, log_q, cloud.log_q),
            log_p=np.where(accept, log_p, cloud.log_p),
        )  # fmt: skip
        share = accept.reshape(runs, n, -1).mean(axis=1)
        shares[:, which] += share
        if adapt:
            size[:, which] = np.clip(size[:, which] * np.exp(share - ACCEPTANCE), SHORTEST, LONGEST)
        if step % every == 0:
            states.append(cloud)
    whole = states[0].joined(states[1:])
    share = shares / (kept * every / 2)
    each = zip(apart(whole, runs), apart(cloud, runs), size, share, strict=True)
    return [Walked(*one) for one in each]


def together(clouds: Sequence[Cloud]) -> Cloud:
    """Particles of several runs, one run after the other."""
    return Cloud(*(np.concatenate(parts) for parts in zip(*clouds, strict=True)))


def apart(cloud: Cloud, runs: int) -> list[Cloud]:
    """The runs of `together`."""
    return [Cloud(*parts) for parts in zip(*(np.split(values, runs) for values in cloud), strict=True)]
