"""Families of distributions: three judged quantiles in, a fitted distribution out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

LEVELS = (0.05, 0.5, 0.95)
Z95 = float(special.ndtri(0.95))
"""1.6449: 90% of a normal lies within this many sd."""

T_DF = 4.0
"""Degrees of freedom of a judged student-t: three quantiles do not tell them."""


class _LogitNormal:
    """A normal on the logit scale, with the methods of a frozen SciPy distribution that are used here."""

    def __init__(self, mu: float, sigma: float) -> None:
        self._normal = stats.norm(mu, sigma)

    def ppf(self, p: ArrayLike) -> NDArray:
        return special.expit(self._normal.ppf(p))

    def cdf(self, x: ArrayLike) -> NDArray:
        return self._normal.cdf(special.logit(np.clip(x, 0, 1)))

    def logpdf(self, x: ArrayLike) -> NDArray:
        inside = np.clip(x, 1e-300, 1 - 1e-16)
        density = self._normal.logpdf(special.logit(inside)) - np.log(inside) - np.log1p(-inside)
        return np.where((np.asarray(x) > 0) & (np.asarray(x) < 1), density, -np.inf)


_FROZEN: dict[str, Callable[..., Any]] = {
    "normal": stats.norm,
    "lognormal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
    "gamma": lambda shape, scale: stats.gamma(shape, scale=scale),
    "beta": stats.beta,
    "student-t": stats.t,
    "skew-normal": lambda loc, scale, shape: stats.skewnorm(shape, loc, scale),
    "logit-normal": _LogitNormal,
}


@dataclass(frozen=True)
class Component:
    """One fitted distribution.

    Parameters
    ----------
    family : str
        ``normal`` (mean, sd), ``lognormal`` and ``logit-normal`` (mean and sd on that scale), ``gamma`` (shape,
        scale), ``beta`` (a, b), ``student-t`` (df, location, scale) or ``skew-normal`` (location, scale, shape).
    parameters : tuple of float
    """

    family: str
    parameters: tuple[float, ...]

    @cached_property
    def distribution(self) -> Any:
        """The distribution with SciPy's methods ppf, cdf and logpdf."""
        return _FROZEN[self.family](*self.parameters)

    def quantiles(self, levels: ArrayLike = LEVELS) -> NDArray:
        """Quantiles at the levels."""
        return np.asarray(self.distribution.ppf(levels), float)


def fit(family: str, quantiles: tuple[float, float, float]) -> Component:
    """The member of a family whose 5%, 50% and 95% quantiles come nearest to the judged ones.

    Exact for a normal with symmetric quantiles (mean p50, sd (p95 - p05) / 3.28971) and for a lognormal or a
    logit-normal that is symmetric on its own scale; otherwise least squares of the quantiles.

    Parameters
    ----------
    family : str
    quantiles : tuple of float
        p05 <= p50 <= p95, not all equal, inside the family's support.
    """
    q = np.array(quantiles, float)
    if family == "normal":
        return Component("normal", _location_scale(q, Z95))
    if family == "lognormal":
        return Component("lognormal", _location_scale(np.log(q), Z95))
    if family == "logit-normal":
        return Component("logit-normal", _location_scale(special.logit(q), Z95))
    if family == "student-t":
        return Component("student-t", (T_DF, *_location_scale(q, float(stats.t(T_DF).ppf(0.95)))))
    if family == "skew-normal":
        return _skew_normal(q)
    return _least_squares(family, q)


def _location_scale(q: NDArray, z: float) -> tuple[float, float]:
    # least squares of location + scale * (-z, 0, z); the location is q[1] where q is symmetric
    symmetric = abs(q[0] + q[2] - 2 * q[1]) <= 1e-12 * max(1.0, float(abs(q).max()))
    return float(q[1] if symmetric else q.mean()), float((q[2] - q[0]) / (2 * z))


def _skew_normal(q: NDArray) -> Component:
    # the shape from the ratio of the two half-widths, as far as the family goes (ratio 1.98 at shape 30)
    def lean(shape: float) -> float:
        low, mid, high = stats.skewnorm.ppf(LEVELS, shape)
        return float(np.log((high - mid) / (mid - low)))

    width = q[2] - q[0]
    wanted = float(np.log(max(q[2] - q[1], 1e-9 * width) / max(q[1] - q[0], 1e-9 * width)))
    most = lean(30.0)
    inside = abs(wanted) < most
    shape = optimize.brentq(lambda s: lean(s) - wanted, -30, 30) if inside else float(np.copysign(30.0, wanted))
    low, mid, high = stats.skewnorm.ppf(LEVELS, shape)
    scale = width / (high - low)
    return Component("skew-normal", (float(q[1] - scale * mid), float(scale), float(shape)))


def _least_squares(family: str, q: NDArray) -> Component:
    mean, sd = q.mean(), (q[2] - q[0]) / (2 * Z95)
    if family == "gamma":
        start = np.log([(mean / sd) ** 2, sd**2 / mean])
    else:
        size = max(mean * (1 - mean) / sd**2 - 1, 0.1)
        start = np.log([mean * size, (1 - mean) * size])

    def misfit(log_parameters: NDArray) -> NDArray:
        return (_FROZEN[family](*np.exp(log_parameters)).ppf(LEVELS) - q) / (q[2] - q[0])

    found = optimize.least_squares(misfit, start, xtol=1e-12, ftol=1e-12, gtol=1e-12)
    return Component(family, tuple(float(v) for v in np.exp(found.x)))
