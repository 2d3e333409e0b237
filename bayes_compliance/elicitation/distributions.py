"""Distributions with what is needed of them, on `scipy.special` alone: `scipy.stats` takes a second to import.

Each has `ppf`, `cdf` and `logpdf`, elementwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

LOG_ROOT_2PI = 0.9189385332046727


class Distribution(Protocol):
    """A distribution on an interval: quantiles, distribution function and log density (-inf outside)."""

    def ppf(self, p: ArrayLike) -> NDArray: ...

    def cdf(self, x: ArrayLike) -> NDArray: ...

    def logpdf(self, x: ArrayLike) -> NDArray: ...


class Normal(NamedTuple):
    mean: float
    sd: float

    def ppf(self, p: ArrayLike) -> NDArray:
        return self.mean + self.sd * special.ndtri(p)

    def cdf(self, x: ArrayLike) -> NDArray:
        return special.ndtr((np.asarray(x) - self.mean) / self.sd)

    def logpdf(self, x: ArrayLike) -> NDArray:
        z = (np.asarray(x) - self.mean) / self.sd
        return -(z**2) / 2 - LOG_ROOT_2PI - np.log(self.sd)


class Transformed(NamedTuple):
    """A normal on another scale: `to` and `back` lead there and back, `log_slope` is log |d to / dx|."""

    normal: Normal
    high: float
    to: Callable[..., NDArray]
    back: Callable[..., NDArray]
    log_slope: Callable[..., NDArray]

    def ppf(self, p: ArrayLike) -> NDArray:
        return self.back(self.normal.ppf(p))

    def cdf(self, x: ArrayLike) -> NDArray:
        return self.normal.cdf(self.to(np.clip(x, 0.0, self.high)))

    def logpdf(self, x: ArrayLike) -> NDArray:
        x = np.asarray(x, float)
        inside = (x > 0) & (x < self.high)
        some = np.where(inside, x, 0.5)
        return np.where(inside, self.normal.logpdf(self.to(some)) + self.log_slope(some), -np.inf)


def lognormal(mu: float, sigma: float) -> Transformed:
    """exp of a normal."""
    return Transformed(Normal(mu, sigma), np.inf, _log, np.exp, lambda x: -np.log(x))


def logit_normal(mu: float, sigma: float) -> Transformed:
    """Logistic function of a normal."""
    return Transformed(Normal(mu, sigma), 1.0, special.logit, special.expit, lambda x: -np.log(x) - np.log1p(-x))


def _log(x: ArrayLike) -> NDArray:
    with np.errstate(divide="ignore"):
        return np.log(x)


class Below(NamedTuple):
    """A distribution given that it falls below an upper end."""

    whole: Transformed
    high: float

    def ppf(self, p: ArrayLike) -> NDArray:
        return self.whole.ppf(np.asarray(p) * self.whole.cdf(self.high))

    def cdf(self, x: ArrayLike) -> NDArray:
        return self.whole.cdf(np.minimum(x, self.high)) / self.whole.cdf(self.high)

    def logpdf(self, x: ArrayLike) -> NDArray:
        x = np.asarray(x, float)
        return np.where(x < self.high, self.whole.logpdf(x) - np.log(self.whole.cdf(self.high)), -np.inf)


def lognormal_below(mu: float, sigma: float, high: float) -> Below:
    """exp of a normal, given that it falls below an upper end."""
    return Below(lognormal(mu, sigma), high)


class Gamma(NamedTuple):
    shape: float
    scale: float

    def ppf(self, p: ArrayLike) -> NDArray:
        return self.scale * special.gammaincinv(self.shape, p)

    def cdf(self, x: ArrayLike) -> NDArray:
        return special.gammainc(self.shape, np.maximum(x, 0) / self.scale)

    def logpdf(self, x: ArrayLike) -> NDArray:
        x = np.asarray(x, float)
        z = np.where(x > 0, x, 1.0) / self.scale
        density = special.xlogy(self.shape - 1, z) - z - special.gammaln(self.shape) - np.log(self.scale)
        return np.where(x > 0, density, -np.inf)


class Beta(NamedTuple):
    a: float
    b: float

    def ppf(self, p: ArrayLike) -> NDArray:
        return special.betaincinv(self.a, self.b, p)

    def cdf(self, x: ArrayLike) -> NDArray:
        return special.betainc(self.a, self.b, np.clip(x, 0, 1))

    def logpdf(self, x: ArrayLike) -> NDArray:
        x = np.asarray(x, float)
        inside = np.where((x > 0) & (x < 1), x, 0.5)
        density = special.xlogy(self.a - 1, inside) + special.xlog1py(self.b - 1, -inside)
        return np.where((x > 0) & (x < 1), density - special.betaln(self.a, self.b), -np.inf)


class StudentT(NamedTuple):
    df: float
    location: float
    scale: float

    def ppf(self, p: ArrayLike) -> NDArray:
        return self.location + self.scale * special.stdtrit(self.df, p)

    def cdf(self, x: ArrayLike) -> NDArray:
        return special.stdtr(self.df, (np.asarray(x) - self.location) / self.scale)

    def logpdf(self, x: ArrayLike) -> NDArray:
        z = (np.asarray(x, float) - self.location) / self.scale
        half = self.df / 2
        normed = special.gammaln(half + 0.5) - special.gammaln(half) - np.log(np.pi * self.df) / 2 - np.log(self.scale)
        return normed - (half + 0.5) * np.log1p(z**2 / self.df)


class SkewNormal(NamedTuple):
    location: float
    scale: float
    shape: float

    def ppf(self, p: ArrayLike) -> NDArray:
        # between the quantiles of -|N| and |N|, the family's ends, by bisection
        p = np.asarray(p, float)
        low, high = special.ndtri(p / 2) - 1e-9, special.ndtri((1 + p) / 2) + 1e-9
        low, high = np.maximum(low, -40.0), np.minimum(high, 40.0)
        for _ in range(70):
            middle = (low + high) / 2
            below = self._standard(middle) < p
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        inside = self.location + self.scale * (low + high) / 2
        return np.where(p <= 0, -np.inf, np.where(p >= 1, np.inf, inside))

    def cdf(self, x: ArrayLike) -> NDArray:
        return self._standard((np.asarray(x, float) - self.location) / self.scale)

    def _standard(self, z: NDArray) -> NDArray:
        return np.clip(special.ndtr(z) - 2 * special.owens_t(z, self.shape), 0, 1)

    def logpdf(self, x: ArrayLike) -> NDArray:
        z = (np.asarray(x, float) - self.location) / self.scale
        return np.log(2 / self.scale) - z**2 / 2 - LOG_ROOT_2PI + special.log_ndtr(self.shape * z)


MADE: dict[str, Callable[..., Any]] = {
    "normal": Normal,
    "lognormal": lognormal,
    "lognormal-below": lognormal_below,
    "gamma": Gamma,
    "beta": Beta,
    "student-t": StudentT,
    "skew-normal": SkewNormal,
    "logit-normal": logit_normal,
}
"""By family: from its parameters to the distribution."""
