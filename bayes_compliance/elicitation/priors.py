"""Pooled priors: one for each quantity of each lobby or state, from the analysts' judgements or a stated default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from bayes_compliance.case.vocabulary import LEVELS
from bayes_compliance.elicitation.families import Component
from bayes_compliance.elicitation.pooling import log_pool


@dataclass(frozen=True)
class Prior:
    """A mixture of fitted distributions, such as a linear pool, or a known constant.

    Parameters
    ----------
    components : tuple of Component
        Empty for a constant.
    weights : tuple of float
        Weights of the components, summing to 1.
    value : float
        The constant; NaN otherwise.
    """

    components: tuple[Component, ...] = ()
    weights: tuple[float, ...] = ()
    value: float = float("nan")

    @property
    def is_constant(self) -> bool:
        """Whether this is a known constant and no free variable."""
        return not self.components

    def sample(self, rng: np.random.Generator, n: int) -> NDArray:
        """Independent draws, shape (n,), by inversion."""
        if self.is_constant:
            return np.full(n, self.value)
        which = rng.choice(len(self.components), size=n, p=self.weights)
        uniform = rng.random(n)
        drawn = np.empty(n)
        for k, component in enumerate(self.components):
            drawn[which == k] = component.quantiles(uniform[which == k])
        return drawn

    def logpdf(self, x: ArrayLike) -> NDArray:
        """Log density; 0 for a constant."""
        if self.is_constant:
            return np.zeros(np.shape(x))
        parts = [np.log(w) + c.distribution.logpdf(x) for w, c in zip(self.weights, self.components, strict=True)]
        return parts[0] if len(parts) == 1 else special.logsumexp(parts, axis=0)

    def cdf(self, x: ArrayLike) -> NDArray:
        """Distribution function of the pool: the weighted mean of the components'."""
        if self.is_constant:
            return (np.asarray(x) >= self.value).astype(float)
        parts = [w * c.distribution.cdf(x) for w, c in zip(self.weights, self.components, strict=True)]
        return np.sum(parts, axis=0)

    def quantile(self, levels: ArrayLike = LEVELS) -> NDArray:
        """Quantiles of the pool, by bisection between the components' own."""
        levels = np.asarray(levels, float)
        if self.is_constant:
            return np.full(levels.shape, self.value)
        each = np.stack([c.quantiles(levels) for c in self.components])
        low, high = each.min(axis=0), each.max(axis=0)
        for _ in range(80 if len(each) > 1 else 0):
            mid = (low + high) / 2
            below = self.cdf(mid) < levels
            low, high = np.where(below, mid, low), np.where(below, high, mid)
        return (low + high) / 2

    @property
    def median(self) -> float:
        return float(self.quantile(0.5))


def pool(
    members: Sequence[tuple[Component | float, float]], refuse: Callable[[str], Exception], how: str = "linear"
) -> Prior:
    """Opinion pool: linear, ``f(x) = sum_i w_i f_i(x)``, or ``log`` (see `bayes_compliance.elicitation.pooling`).

    Parameters
    ----------
    members : sequence of (Component or constant, weight)
        Weights above 0; they are normalised.
    refuse : callable
        Makes the error to raise when a constant meets anything else.
    how : str
        ``log``, or anything else for a linear pool.
    """
    constants = {m for m, _ in members if isinstance(m, float)}
    if constants:
        if len(constants) > 1 or any(not isinstance(m, float) for m, _ in members):
            raise refuse("a known constant is judged otherwise by another analyst")
        return Prior(value=constants.pop())
    if how == "log":
        pooled = log_pool([m for m, _ in members if isinstance(m, Component)], [weight for _, weight in members])
        return Prior(pooled.components, pooled.weights)
    total = sum(weight for _, weight in members)
    components = tuple(m for m, _ in members if isinstance(m, Component))
    return Prior(components, tuple(weight / total for _, weight in members))
