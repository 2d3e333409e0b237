"""The probability of a box under a multivariate normal, and independent draws from the normal inside it.

Separation of variables (Genz 1992) with the most constrained row first (Gibson, Glasbey and Elston 1994), under the
minimax exponential tilt of Z. I. Botev, "The normal law under linear restrictions: simulation and estimation via
minimax tilting", Journal of the Royal Statistical Society B 79 (2017). With X = L e, e standard normal and L lower
triangular, row k of the box bounds e_k given e_1 .. e_{k-1}: each e_k is drawn from a normal of mean mu_k truncated to
those bounds, and a whole point has the weight exp psi(e; mu),

    psi(e; mu) = sum_k mu_k^2 / 2 - e_k mu_k + log{Phi(u_k - c_k - mu_k) - Phi(l_k - c_k - mu_k)}

with L and the bounds divided by the diagonal of L, and c = (L - I) e.

The mean weight is the probability. At the saddle point (e*, mu*) the weights are at most exp psi(e*; mu*), so that
accepting a point with the chance of its weight over that bound leaves exact draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

BATCH = 400_000
"""Largest number of coordinates proposed at once."""

EPSILON = 2.0**-53

FAR = -30.0
"""Below this an interval's mass is taken in logs, at three times the cost."""

LOG_SQRT_2PI = float(np.log(2 * np.pi) / 2)


class NoSaddle(ArithmeticError):
    """No tilt was found under which the weights are bounded."""


@dataclass(frozen=True)
class Box:
    """A box `lower < X < upper` under X ~ N(0, covariance), ordered, factored and tilted.

    Attributes
    ----------
    order : (n,) int
        Rows as they are taken: the most constrained first.
    factor : (n, n)
        Lower-triangular L with covariance[order][:, order] = L L'.
    scaled : (n, n)
        L with each row divided by its diagonal, less the identity.
    lower, upper : (n,)
        Bounds in that order, divided by the diagonal of L; they may be infinite.
    tilt : (n,)
        Means mu of the proposal; the last is 0.
    bound : float
        Largest log weight, psi at the saddle point.
    """

    order: NDArray
    factor: NDArray
    scaled: NDArray
    lower: NDArray
    upper: NDArray
    tilt: NDArray
    bound: float

    def __len__(self) -> int:
        return len(self.order)


def box(covariance: NDArray, lower: NDArray, upper: NDArray) -> Box:
    """Order, factor and tilt a box.

    Parameters
    ----------
    covariance : (n, n)
        Positive definite.
    lower, upper : (n,)
        lower < upper; infinite where there is no bound.

    Raises
    ------
    NoSaddle
        If the tilt cannot be found.
    """
    order, factor = _ordered(covariance, lower, upper)
    diagonal = np.diag(factor)
    scaled = factor / diagonal[:, None] - np.eye(len(order))
    low, high = lower[order] / diagonal, upper[order] / diagonal
    tilt, bound = _saddle(scaled, low, high)
    return Box(order, factor, scaled, low, high, tilt, bound)


def propose(of: Box, uniform: NDArray) -> tuple[NDArray, NDArray]:
    """Points e of the tilted proposal and their log weights psi.

    Parameters
    ----------
    of : Box
    uniform : (point, n)
        In (0, 1): random or quasi-random.

    Returns
    -------
    (point, n) and (point,) arrays
    """
    # an end of (0, 1) would be an infinite point
    columns = np.ascontiguousarray(np.clip(uniform, EPSILON, 1 - EPSILON).T)
    e = np.zeros_like(columns)
    log_weight = np.zeros(len(uniform))
    for k, mu in enumerate(of.tilt):
        shift = of.scaled[k, :k] @ e[:k] + mu
        mass, inner = _truncated(columns[k], of.lower[k] - shift, of.upper[k] - shift)
        e[k] = mu + inner
        log_weight += mass + mu * (mu / 2 - e[k])
    return e.T, log_weight


def draw(of: Box, n: int, rng: np.random.Generator) -> tuple[NDArray, float]:
    """Independent exact draws of X inside the box, shape (n, row), and the share of proposals that was accepted."""
    kept: list[NDArray] = []
    have = tried = 0
    size = n
    while have < n:
        e, log_weight = propose(of, rng.random((size, len(of))))
        if len(e) and log_weight.max() > of.bound + 1e-6:
            raise NoSaddle(f"a weight is above its bound by {log_weight.max() - of.bound:.3g} log units")
        kept.append(e[rng.standard_exponential(size) > of.bound - log_weight])
        have, tried = have + len(kept[-1]), tried + size
        # somewhat more than the share so far asks for, so that two rounds mostly do
        wanted = 1.2 * (n - have) * tried / max(have, 1) + 16
        size = int(min(wanted, max(BATCH // max(len(of), 1), 1)))
    x = np.empty((n, len(of)))
    x[:, of.order] = np.concatenate(kept)[:n] @ of.factor.T
    return x, have / tried


def log_mass(lower: NDArray, upper: NDArray) -> NDArray:
    """``log{Phi(upper) - Phi(lower)}``, exact in both tails."""
    low, high, _ = _mirrored(lower, upper)
    at_high = special.log_ndtr(high)
    return at_high + np.log1p(-np.exp(special.log_ndtr(low) - at_high))


def _mirrored(lower: NDArray, upper: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    # an interval whose middle is above 0 is mirrored, so that Phi tells its ends apart
    mirrored = lower + upper > 0
    return np.where(mirrored, -upper, lower), np.where(mirrored, -lower, upper), mirrored


def _truncated(uniform: NDArray, lower: NDArray, upper: NDArray) -> tuple[NDArray, NDArray]:
    """Log mass of the interval and the standard normal inside it, by inversion."""
    low, high, mirrored = _mirrored(lower, upper)
    rest = np.where(mirrored, uniform, 1 - uniform)
    if high.min() > FAR:
        at_high = special.ndtr(high)
        width = at_high - special.ndtr(low)
        mass, x = np.log(width), special.ndtri(at_high - rest * width)
    else:
        log_high = special.log_ndtr(high)
        left_out = np.exp(special.log_ndtr(low) - log_high)
        mass = log_high + np.log1p(-left_out)
        x = special.ndtri_exp(log_high + np.log1p(-rest * (1 - left_out)))
    return mass, np.clip(np.where(mirrored, -x, x), lower, upper)


def _ordered(covariance: NDArray, lower: NDArray, upper: NDArray) -> tuple[NDArray, NDArray]:
    """Order and lower Cholesky factor: next comes the row least likely to lie in its bounds, given the means so far."""
    n = len(lower)
    order, factor, means = np.arange(n), np.zeros((n, n)), np.zeros(n)
    for j in range(n):
        rest = order[j:]
        sd = np.sqrt(covariance[rest, rest] - (factor[j:, :j] ** 2).sum(axis=1))
        at = factor[j:, :j] @ means[:j]
        low, high = (lower[rest] - at) / sd, (upper[rest] - at) / sd
        mass = log_mass(low, high)
        k = int(np.argmin(mass))
        order[[j, j + k]], factor[[j, j + k]] = order[[j + k, j]], factor[[j + k, j]]
        factor[j, j] = sd[k]
        below = covariance[order[j + 1 :], order[j]] - factor[j + 1 :, :j] @ factor[j, :j]
        factor[j + 1 :, j] = below / sd[k]
        means[j] = _density(low[k], mass[k]) - _density(high[k], mass[k])
    return order, factor


def _density(x: NDArray, mass: NDArray) -> NDArray:
    # normal density over the mass of the interval; 0 at an infinite end
    return np.exp(-(x**2) / 2 - LOG_SQRT_2PI - mass)


def _saddle(scaled: NDArray, lower: NDArray, upper: NDArray) -> tuple[NDArray, float]:
    """The tilt mu* and psi(e*; mu*), by a root of the gradient of psi."""
    n = len(lower)
    if n < 2:
        return np.zeros(n), float(log_mass(lower, upper).sum())
    found = optimize.root(_gradient, np.zeros(2 * (n - 1)), (scaled, lower, upper), jac=True, method="hybr")
    if abs(found.fun).max() > 1e-6:
        found = optimize.root(_gradient, np.zeros(2 * (n - 1)), (scaled, lower, upper), jac=True, method="lm")
    if abs(found.fun).max() > 1e-6:
        raise NoSaddle(f"the gradient of psi stays at {abs(found.fun).max():.3g}")
    e, mu = _split(found.x)
    shift = scaled @ e + mu
    psi = log_mass(lower - shift, upper - shift) + mu * (mu / 2 - e)
    return mu, float(psi.sum())


def _split(point: NDArray) -> tuple[NDArray, NDArray]:
    # the last coordinate of both is 0: it moves no other row
    return np.append(point[: len(point) // 2], 0.0), np.append(point[len(point) // 2 :], 0.0)


def _gradient(point: NDArray, scaled: NDArray, lower: NDArray, upper: NDArray) -> tuple[NDArray, NDArray]:
    """Gradient of psi in (e, mu) without their last coordinates, and its Jacobian."""
    e, mu = _split(point)
    shift = scaled @ e + mu
    low, high = lower - shift, upper - shift
    mass = log_mass(low, high)
    at_low, at_high = _density(low, mass), _density(high, mass)
    pull = at_low - at_high
    slope = _times(low, at_low) - _times(high, at_high) - pull**2
    moved = slope[:, None] * scaled
    mixed = moved - np.eye(len(e))
    first = scaled.T @ pull - mu, mu - e + pull
    second = [[scaled.T @ moved, mixed.T], [mixed, np.diag(1 + slope)]]
    return (
        np.concatenate([part[:-1] for part in first]),
        np.block([[part[:-1, :-1] for part in row] for row in second]),
    )


def _times(x: NDArray, density: NDArray) -> NDArray:
    return np.where(np.isfinite(x), x, 0.0) * density
