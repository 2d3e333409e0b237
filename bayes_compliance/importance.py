"""Draws weighed anew: Pareto-smoothed importance sampling, by ArviZ, and what may be read off its weights.

Source: A. Vehtari, D. Simpson, A. Gelman, Y. Yao and J. Gabry, "Pareto Smoothed Importance Sampling", Journal of
Machine Learning Research 25 (2024).
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

LEAST_TAIL = 5
"""Draws without which no tail can be fitted."""


class Reweighted(NamedTuple):
    """A mean under other weights, with Pareto k; NaN where importance sampling cannot be trusted."""

    mean: float
    pareto_k: float

    @property
    def trusted(self) -> bool:
        """Whether the weights can carry a mean."""
        return bool(np.isfinite(self.mean))


class Weights(NamedTuple):
    """Importance weights that sum to 1, (draw,), and Pareto k."""

    share: NDArray
    pareto_k: float

    def mean(self, values: NDArray) -> Reweighted:
        """Weighted mean; NaN where the weights cannot carry it."""
        good = self.pareto_k <= good_k(len(values))
        return Reweighted(float(self.share @ values) if good else float("nan"), self.pareto_k)


def good_k(n: int) -> float:
    """Largest Pareto k at which n draws carry a weighted mean: ``min(1 - 1 / log10 n, .7)``."""
    return min(1 - 1 / np.log10(n), 0.7)


def weights_of(log_ratio: NDArray) -> Weights:
    """Smoothed weights of log importance ratios, (draw,)."""
    log_weights, k = smoothed(log_ratio)
    weights = np.exp(log_weights)
    return Weights(weights / weights.sum(), k)


def smoothed(log_ratio: NDArray, r_eff: float = 1.0) -> tuple[NDArray, float]:
    """Smoothed logs of importance weights, 0 for the largest, and Pareto k.

    Parameters
    ----------
    log_ratio : array (draw,)
    r_eff : float
        Effective share of the draws.

    Returns
    -------
    tuple of array (draw,) and float
        Where the largest ratios are alike nothing is smoothed, and k is 0: no draw outweighs the others. Where there
        are too few draws to tell, one has all the weight, or no draw can be weighed at all, k is infinite.
    """
    log_ratio = np.asarray(log_ratio, float)
    if not np.isfinite(log_ratio.max()):  # the other posterior excludes every draw, or a ratio is no number
        return np.zeros(len(log_ratio)), float("inf")
    tail = _tail(len(log_ratio), r_eff)
    k = 0.0
    if np.ptp(log_ratio) > 0 and tail < LEAST_TAIL:
        k = float("inf")
    elif np.ptp(np.partition(log_ratio, -tail)[-tail:]) > 0:
        from arviz_stats.base import array_stats

        with np.errstate(all="ignore"):  # a tail beyond numbers has an infinite k
            log_ratio, k = array_stats.psislw(-log_ratio, r_eff=r_eff)
    return log_ratio - log_ratio.max(), float("inf") if np.isnan(k) else float(k)


def _tail(n: int, r_eff: float) -> int:
    """Largest ratios that are smoothed, as ArviZ counts them; one at least."""
    return max(1, int(3 * sqrt(n / r_eff)) if n * r_eff > 225 else n // 5)


class LeftOut(NamedTuple):
    """An observation left out: its log probability had the fit not seen it, Pareto k, and the Monte Carlo error."""

    log_p: float
    pareto_k: float
    mc_error: float


def leave_out(log_p: NDArray, r_eff: float = 1.0) -> LeftOut:
    r"""Log probability of an observation had the fit not seen it, by the weights 1 / p.

    Its Monte Carlo error is that of a weighted mean E, carried to the log: :math:`\sqrt{\log(1 + V / E^2)}` with
    :math:`V = \sum_s w_s^2 (p_s - E)^2 / r_{eff}` for weights that sum to 1 (Vehtari et al. 2024).

    Parameters
    ----------
    log_p : array (draw,)
        Its log probability under each posterior draw.
    r_eff : float
        Effective share of the draws.
    """
    log_weights, k = smoothed(-log_p, r_eff)
    log_share = log_weights - logsumexp(log_weights)
    log_mean = logsumexp(log_share + log_p)
    off = np.exp(log_share + log_p - log_mean) - np.exp(log_share)
    return LeftOut(float(log_mean), k, float(np.sqrt(np.log1p((off**2).sum() / r_eff))))


def each_left_out(log_p: NDArray) -> list[LeftOut]:
    """`leave_out` of every observation, (observation, chain, draw), each by the effective share of its draws."""
    from arviz_stats.base import array_stats

    found = []
    for row in log_p:
        share = float(array_stats.ess(np.exp(row), method="mean", relative=True)) if len(row) > 1 else 1.0
        found.append(leave_out(row.ravel(), min(share, 1.0) if np.isfinite(share) else 1.0))
    return found
