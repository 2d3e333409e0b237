"""Are ranks uniform? Simultaneous bands for their ECDF, and a verdict over many quantities with a stated false alarm.

Ranks of N simulations among L draws. At the points k / (L + 1) the count of ranks below k is Binomial(N, k / (L + 1))
when the fit is right; the smallest two-sided tail over the points, calibrated by simulation, gives a band that holds
the whole ECDF with the stated probability (Säilynoja, Bürkner and Vehtari 2022). Quantities share the false alarm by
Holm's rule, which needs no independence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.wording import plural

FALSE_ALARM = 0.05
NULL = 20000
"""Simulated sets of uniform ranks: the smallest p-value is 1 in so many."""


def rank(drawn: NDArray, true: NDArray, rng: np.random.Generator) -> NDArray:
    """Number of draws below the truth, ties broken at random: (item,), 0 to L.

    Parameters
    ----------
    drawn : array (draw, item)
        Independent posterior draws.
    true : array (item,)
    rng : Generator
    """
    below, same = (drawn < true).sum(axis=0), (drawn == true).sum(axis=0)
    return below + rng.integers(0, same + 1)


def tail(ranks: NDArray, draws: int) -> NDArray:
    """Smallest two-sided binomial tail of the ECDF over its points, shape (...,), for ranks (..., simulation)."""
    n, bins = ranks.shape[-1], draws + 1
    sets = ranks.reshape(-1, n)
    each = np.arange(len(sets))[:, None] * bins + sets
    counts = np.bincount(each.ravel(), minlength=len(sets) * bins).reshape(len(sets), bins)
    below = counts.cumsum(axis=1)[:, :-1]
    return _tails(n, draws)[below, np.arange(draws)].min(axis=1).reshape(ranks.shape[:-1])


@cache
def _tails(n: int, draws: int) -> NDArray:
    """Two-sided tail of each count at each point, ``2 min(P(X <= count), P(X >= count))``: (n + 1, draws)."""
    from scipy.stats import binom

    count, p = np.arange(n + 1)[:, None], np.arange(1, draws + 1) / (draws + 1)
    return np.minimum(2 * np.minimum(binom.cdf(count, n, p), binom.sf(count - 1, n, p)), 1.0)


@cache
def null(n: int, draws: int, sets: int = NULL) -> NDArray:
    """Tails of sets of n uniform ranks, sorted, (set,)."""
    rng = np.random.default_rng(214)
    parts = [tail(rng.integers(0, draws + 1, (min(1000, sets - i), n)), draws) for i in range(0, sets, 1000)]
    return np.sort(np.concatenate(parts))


def p_value(value: NDArray, calm: NDArray) -> NDArray:
    """Chance that uniform ranks have a tail as small, ``(1 + count) / (1 + sets)``."""
    return (1 + np.searchsorted(calm, value, side="right")) / (1 + len(calm))


class Verdict(NamedTuple):
    """One quantity: its p-value, and whether Holm's rule rejects uniformity."""

    name: str
    p: float
    rejected: bool


@dataclass(frozen=True)
class Uniformity:
    """Verdicts on all quantities at a family-wise false-alarm rate.

    Attributes
    ----------
    verdicts : tuple of Verdict
        The smallest p-value first.
    simulations, draws : int
    false_alarm : float
        Chance that any quantity of a right fit is rejected, at most.
    """

    verdicts: tuple[Verdict, ...]
    simulations: int
    draws: int
    false_alarm: float

    @property
    def passed(self) -> bool:
        """Whether no quantity was rejected."""
        return not any(verdict.rejected for verdict in self.verdicts)

    def __str__(self) -> str:
        n = len(self.verdicts)
        what = f"{self.simulations} simulations of {plural(n, 'quantity', 'quantities')}"
        mark = f"{self.false_alarm / max(n, 1):.2g}"  # Holm's first
        rate = f"a false-alarm rate of {self.false_alarm:.0%} over all quantities"
        if self.passed:
            first = self.verdicts[:1]
            least = "".join(
                f": the smallest p-value, {one.p:.2g} ({one.name}), is above {mark}, its mark at {rate}"
                for one in first
            )
            return f"The fit is calibrated, as far as {what} can tell{least}."
        bad = [f"{v.name} (p = {v.p:.2g})" for v in self.verdicts if v.rejected]
        named = f"{', '.join(bad[:6])}{', ...' if len(bad) > 6 else ''}"
        fail = "fails" if len(bad) == 1 else "fail"
        return (
            f"The fit is NOT calibrated: of {what} {len(bad)} {fail} at {rate} (mark of the least p {mark}): {named}."
        )


def judge(ranks: NDArray, names: Sequence[str], draws: int) -> Uniformity:
    """A verdict on each quantity.

    Parameters
    ----------
    ranks : int array (simulation, quantity)
    names : sequence of str
    draws : int
        L, the largest rank.
    """
    p = p_value(tail(ranks.T, draws), null(len(ranks), draws)) if len(names) else np.zeros(0)
    order = np.argsort(p, kind="stable")
    steps = p[order] * (len(p) - np.arange(len(p)))
    rejected = np.maximum.accumulate(steps) <= FALSE_ALARM
    verdicts = [Verdict(names[i], float(p[i]), bool(r)) for i, r in zip(order, rejected, strict=True)]
    return Uniformity(tuple(verdicts), len(ranks), draws, FALSE_ALARM)


def band(n: int, draws: int, false_alarm: float = FALSE_ALARM) -> tuple[NDArray, NDArray, NDArray]:
    """Points k / (L + 1) and the simultaneous band of one ECDF of ranks, (point,): lower and upper shares."""
    from scipy.stats import binom

    level = float(np.quantile(null(n, draws), false_alarm))
    points = np.arange(1, draws + 1) / (draws + 1)
    return points, binom.ppf(level / 2, n, points) / n, binom.ppf(1 - level / 2, n, points) / n
