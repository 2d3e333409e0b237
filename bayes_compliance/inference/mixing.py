"""R-hat and effective sample sizes of many series at once, as ArviZ has them for one.

Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), "Rank-normalization, folding, and localization: an improved
R-hat for assessing convergence of MCMC", Bayesian Analysis 16. A posterior has hundreds of series, and a loop over them
in Python takes longer than their arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from bayes_compliance.parallel import in_threads

LEAST_DRAWS = 4
TAILS = (0.05, 0.95)
AT_ONCE = 64
"""Series that are worked on together."""


class Mixing(NamedTuple):
    """Of every series, (...,): R-hat, and effective sample sizes of the bulk and of the tails."""

    rhat: NDArray
    bulk: NDArray
    tail: NDArray


def mixing(series: NDArray) -> Mixing:
    """How well chains have mixed.

    Parameters
    ----------
    series : array (..., chain, draw)

    Returns
    -------
    Mixing
        `rhat`, rank-normalised and split, the larger of bulk and tail: NaN for a single chain and a constant. `bulk`,
        the effective sample size of the rank-normalised series; `tail`, the smaller of those of the 5% and 95%
        quantiles; the number of draws for a constant. All are NaN where a series has a NaN or fewer than 4 draws.
    """
    return Mixing(*_each(_mixing, series))


def mcse_mean(series: NDArray) -> NDArray:
    """Monte Carlo standard error of the mean by its effective sample size, (...,), from (..., chain, draw)."""
    (size,) = _each(lambda values: _ess(_split(values))[None], series)
    return series.std(axis=(-2, -1), ddof=1) / np.sqrt(size)


def _each(function: Callable[[NDArray], NDArray], series: NDArray) -> NDArray:
    """A function from (series, chain, draw) to (number, series), for any leading shape; NaN where it has no sense."""
    flat = np.asarray(series, float).reshape(-1, *series.shape[-2:])
    good = np.flatnonzero(~np.isnan(flat).any(axis=(1, 2)))
    if flat.shape[-1] < LEAST_DRAWS:
        good = good[:0]
    some = [good[i : i + AT_ONCE] for i in range(0, len(good), AT_ONCE)] or [good]
    parts = in_threads(lambda at: function(flat[at]), some) if len(good) else [np.zeros((3, 0))]
    found = np.full((len(parts[0]), len(flat)), np.nan)
    found[:, good] = np.concatenate(parts, axis=1)
    return found.reshape(-1, *series.shape[:-2])


def _mixing(values: NDArray) -> NDArray:
    halves = _split(values)
    scores, folded = _normal_scores(halves), abs(halves - np.median(halves, axis=(1, 2), keepdims=True))
    rhat = np.maximum(_between_within(scores), _between_within(_normal_scores(folded)))
    alone = np.full(len(values), np.nan)
    low, high = np.quantile(values, TAILS, axis=(1, 2))
    tails = (_ess(_split(values <= q[:, None, None]).astype(float)) for q in (low, high))
    return np.stack([alone if values.shape[1] < 2 else rhat, _ess(scores), np.minimum(*tails)])


def _split(values: NDArray) -> NDArray:
    """Chains cut in halves, (series, 2 chain, draw); the middle of an odd number of draws is left out."""
    half = values.shape[-1] // 2
    return np.concatenate([values[..., :half], values[..., -half:]], axis=1)


def _normal_scores(values: NDArray) -> NDArray:
    """Each value's normal score by its rank in the series; ties share their mean rank (Blom's offset 3/8)."""
    flat = values.reshape(len(values), -1)
    order, n = np.argsort(flat, axis=1), flat.shape[1]
    ordered, place = np.take_along_axis(flat, order, axis=1), np.arange(n)
    rises = ordered[:, 1:] > ordered[:, :-1]
    first = np.maximum.accumulate(np.where(np.pad(rises, ((0, 0), (1, 0)), constant_values=True), place, 0), axis=1)
    ends = np.where(np.pad(rises, ((0, 0), (0, 1)), constant_values=True), place, n)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    scores = np.empty_like(flat)
    np.put_along_axis(scores, order, ndtri(((first + last) / 2 + 1 - 3 / 8) / (n + 1 / 4)), axis=1)
    return scores.reshape(values.shape)


def _between_within(values: NDArray) -> NDArray:
    n = values.shape[-1]
    between, within = n * values.mean(axis=2).var(axis=1, ddof=1), values.var(axis=2, ddof=1).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt((between / within + n - 1) / n)


def _ess(values: NDArray) -> NDArray:
    """n over the integrated autocorrelation time, by Geyer's initial monotone sequence of pairs of lags."""
    series, chains, n = values.shape
    covariance = _autocovariance(values).mean(axis=1)
    within = covariance[:, :1] * n / (n - 1)
    total = within * (n - 1) / n + (values.mean(axis=2).var(axis=1, ddof=1)[:, None] if chains > 1 else 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = 1 - (within - covariance) / total
    rho[:, 0] = 1.0
    even, odd = rho[:, : n - 1 : 2], rho[:, 1::2]
    pair = even + odd
    ends = ~(pair > 0)
    most = max((n - 3) // 2, 0)
    last = np.where(ends.any(axis=1), np.minimum(ends.argmax(axis=1), most), most)
    before = np.arange(pair.shape[1]) < last[:, None]
    summed = np.where(before, np.minimum.accumulate(pair, axis=1), 0.0).sum(axis=1)
    at_end, alone = pair[np.arange(series), last], even[np.arange(series), last]
    tau = 2 * summed - 1 + np.where((at_end >= 0) | (alone > 0), alone, 0.0)
    found = chains * n / np.maximum(tau, 1 / np.log10(chains * n))
    constant = np.ptp(values, axis=(1, 2)) < np.finfo(float).resolution
    return np.where(constant, chains * n, found)


def _autocovariance(values: NDArray) -> NDArray:
    """At every lag, (series, chain, lag), with divisor n."""
    from scipy.fft import next_fast_len

    n = values.shape[-1]
    size = next_fast_len(2 * n, real=True)
    transform = np.fft.rfft(values - values.mean(axis=-1, keepdims=True), n=size)
    return np.fft.irfft(transform * transform.conj(), n=size)[..., :n] / n
