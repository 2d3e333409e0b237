"""Families of distributions: judged quantiles in, a fitted distribution out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from bayes_compliance.arguments import shown
from bayes_compliance.case.vocabulary import LEVELS
from bayes_compliance.elicitation.distributions import MADE, Distribution, SkewNormal
from bayes_compliance.errors import Refused

T_DF = 4.0
"""Degrees of freedom of a judged student-t: three quantiles do not tell them."""

STEEPEST = float(np.arcsinh(30.0))
"""Largest lean of a skew-normal, as arcsinh of its shape: beyond shape 30 its quantiles hardly change."""

MET = 1e-18
"""Sum of squares, as a share of the squared width, below which quantiles are met and no other start is tried."""

WIDE = (2.0, 1.0, 0.3)
"""Sizes of the further starts: a gamma's shape, a beta's a + b."""


@dataclass(frozen=True)
class Component:
    """One fitted distribution.

    Parameters
    ----------
    family : str
        ``normal`` (mean, sd), ``lognormal`` and ``logit-normal`` (mean and sd on that scale), ``lognormal-below``
        (the same two and an upper end), ``gamma`` (shape, scale), ``beta`` (a, b), ``student-t`` (df, location,
        scale) or ``skew-normal`` (location, scale, shape).
    parameters : tuple of float
    """

    family: str
    parameters: tuple[float, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        """Without its distribution, which may hold functions that no pickle takes."""
        return Component, (self.family, self.parameters)

    @cached_property
    def distribution(self) -> Distribution:
        """The distribution, with ppf, cdf and logpdf."""
        return MADE[self.family](*self.parameters)

    def quantiles(self, levels: ArrayLike = LEVELS) -> NDArray:
        """Quantiles at the levels."""
        return np.asarray(self.distribution.ppf(levels), float)


def fit(family: str, quantiles: Sequence[float], levels: Sequence[float] = LEVELS) -> Component:
    """The member of a family whose quantiles at some levels come nearest to the judged ones.

    Exact for two quantiles of any family but student-t's tails and skew-normal's lean (which two do not tell), for a
    normal with symmetric quantiles (mean p50, sd (p95 - p05) / 3.28971) and for a lognormal or a logit-normal that is
    symmetric on its own scale; otherwise least squares of the quantiles, on the scale of the underlying normal if the
    family has one.

    Parameters
    ----------
    family : str
        One of those of a `Component` but ``lognormal-below``, of which see `fit_below`.
    quantiles : sequence of float
        Two or more, rising, inside the family's support; two of three may be equal but not all.
    levels : sequence of float
        Their levels, rising, between 0 and 1.

    Raises
    ------
    Refused
        If there is no such family, or not as many quantiles as levels.
    """
    if family not in (known := sorted(MADE.keys() - {"lognormal-below"})):
        raise Refused(f"family: {shown(family)} is unknown; allowed: {', '.join(known)}")
    if len(quantiles) != len(levels) or len(levels) < 2:
        raise Refused(f"quantiles: {len(quantiles)} at {len(levels)} levels; allowed: two or more, each at its level")
    return _fit(family, tuple(map(float, quantiles)), tuple(map(float, levels)))


@lru_cache(maxsize=4096)
def _fit(family: str, quantiles: tuple[float, ...], levels: tuple[float, ...]) -> Component:
    # a case that is prepared again, with one judgement changed, has its other fits at once
    q, p = np.array(quantiles, float), np.array(levels, float)
    if family == "normal":
        return Component("normal", _location_scale(q, special.ndtri(p)))
    if family == "lognormal":
        return Component("lognormal", _location_scale(np.log(q), special.ndtri(p)))
    if family == "logit-normal":
        return Component("logit-normal", _location_scale(special.logit(q), special.ndtri(p)))
    if family == "student-t":
        return Component("student-t", (T_DF, *_location_scale(q, special.stdtrit(T_DF, p))))
    if family == "skew-normal":
        return _skew_normal(q, p)
    return _two_parameters(family, q, p)


def fit_below(high: float, quantiles: Sequence[float], levels: Sequence[float] = LEVELS) -> Component:
    """The lognormal below an upper end whose quantiles come near to the judged ones on the log scale.

    Exact for two quantiles, unless they lean further towards 0 than any member's do.
    """
    return _fit_below(float(high), tuple(map(float, quantiles)), tuple(map(float, levels)))


@lru_cache(maxsize=4096)
def _fit_below(high: float, quantiles: tuple[float, ...], levels: tuple[float, ...]) -> Component:
    q, p, end, mass, before = np.log(quantiles), np.array(levels, float), np.log(high), 1.0, 0.0
    for _ in range(60):
        mu, sigma = _location_scale(q, special.ndtri(p * mass))
        before, mass = mass, float(special.ndtr((end - mu) / sigma))
    if abs(mass - before) < 1e-12 * mass:
        return Component("lognormal-below", (mu, sigma, high))

    def misfit(x: NDArray) -> NDArray:
        scale = np.exp(x[1])
        return (x[0] + scale * special.ndtri(p * special.ndtr((end - x[0]) / scale)) - q) / (q[-1] - q[0])

    location, log_scale = least_squares(misfit, np.array([mu, np.log(sigma)]))
    return Component("lognormal-below", (float(location), float(np.exp(log_scale)), high))


def _location_scale(q: NDArray, z: NDArray) -> tuple[float, float]:
    # least squares of location + scale * z; the location is q[1] where three are symmetric
    if len(q) == 3 and abs(z[0] + z[2]) < 1e-9 and abs(z[1]) < 1e-9:
        symmetric = abs(q[0] + q[2] - 2 * q[1]) <= 1e-12 * max(1.0, float(abs(q).max()))
        return float(q[1] if symmetric else q.mean()), float((q[2] - q[0]) / (2 * z[2]))
    scale = float(((z - z.mean()) * (q - q.mean())).sum() / ((z - z.mean()) ** 2).sum())
    return float(q.mean() - scale * z.mean()), scale


def _skew_normal(q: NDArray, p: NDArray) -> Component:
    """Location and scale by least squares for each lean; the lean by a search over the family's range."""
    if len(q) == 2:
        return Component("skew-normal", (*_location_scale(q, special.ndtri(p)), 0.0))

    def at(lean: float) -> tuple[float, tuple[float, float, float]]:
        shape = float(np.sinh(lean))
        z = SkewNormal(0.0, 1.0, shape).ppf(p)
        location, scale = _location_scale(q, z)
        return float(((location + scale * z - q) ** 2).sum()), (location, scale, shape)

    best = 0.0
    step = STEEPEST / 8
    while step > 1e-8:
        near = np.clip(best + step * np.arange(-8, 9), -STEEPEST, STEEPEST)
        best = float(min(near, key=lambda lean: at(lean)[0]))
        step /= 6
    return Component("skew-normal", at(best)[1])


def _two_parameters(family: str, q: NDArray, p: NDArray) -> Component:
    """Gamma or beta: least squares of quantiles over the logs of the parameters, the better from two starts.

    The first has like mean and sd. Where it does not lead to the quantiles, wide members of like mean are drawn near by
    their distribution function, and the nearest is the second: the quantiles of a U shape hardly move, so that
    least squares of them lead nowhere.
    """

    def misfit(log_parameters: NDArray) -> NDArray:
        return (MADE[family](*np.exp(log_parameters)).ppf(p) - q) / (q[-1] - q[0])

    def of_levels(log_parameters: NDArray) -> NDArray:
        below = MADE[family](*np.exp(log_parameters)).cdf(q)
        return special.ndtri(np.clip(below, 1e-300, 1 - 1e-16)) - special.ndtri(p)

    def missed(log_parameters: NDArray) -> float:
        return float((misfit(log_parameters) ** 2).sum())

    sd = (q[-1] - q[0]) / (special.ndtri(p[-1]) - special.ndtri(p[0]))
    first, *others = _starts(family, q.mean(), sd)
    best = least_squares(misfit, first)
    if missed(best) > MET:
        nearest = min((least_squares(of_levels, start, 30) for start in others), key=missed)
        other = least_squares(misfit, nearest, 50)
        best = other if missed(other) < 0.999 * missed(best) else best
    return Component(family, tuple(float(v) for v in np.exp(best)))


def _starts(family: str, mean: float, sd: float) -> list[NDArray]:
    """Logs of the parameters: of like mean and sd, then of like mean and wide."""
    if family == "gamma":
        return [np.log([(mean / sd) ** 2, sd**2 / mean]), *(np.log([size, mean / size]) for size in WIDE)]
    sizes = (max(mean * (1 - mean) / sd**2 - 1, 0.1), *WIDE)
    return [np.log([mean * size, (1 - mean) * size]) for size in sizes]


def least_squares(misfit: Callable[[NDArray], NDArray], start: NDArray, steps: int = 200) -> NDArray:
    """Where the sum of squares is least near a start, by Levenberg and Marquardt's steps with forward differences."""
    x, r, damping = start, misfit(start), 1e-3
    for _ in range(steps):
        nudged = x + 1e-6 * np.eye(len(x))
        slope = np.stack([(misfit(one) - r) / 1e-6 for one in nudged], axis=1)
        if not np.isfinite(slope).all():
            break
        normal = slope.T @ slope
        damped = normal + damping * (np.diag(np.diag(normal)) + 1e-12 * np.eye(len(x)))
        if np.linalg.det(damped) == 0:  # slopes alike, and too little damping to tell them apart
            damping = 1e-3
            continue
        step = np.linalg.solve(damped, -slope.T @ r)
        new = x + np.clip(step, -2, 2)
        value = misfit(new)
        if np.isfinite(value).all() and value @ value < r @ r:
            x, r, damping = new, value, damping / 5
        else:
            damping *= 5
        if damping > 1e12 or abs(step).max() < 1e-13:
            break
    return x
