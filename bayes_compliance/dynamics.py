"""How magnitudes move between dates: the law of the path W of each lobby, in units of its yearly volatility.

W is Gaussian with W(0) = 0 at the reference date and runs both ways from it, so decisions before that date are
allowed. A lobby's change is ``volatility * W`` (log units or points). Known shocks widen W on their date; unknown ones
come in the forecast only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SETTLED = 1e-12
"""A variance up to this is none: the date is known already."""


@dataclass(frozen=True)
class Path:
    """The law of W for one lobby.

    Parameters
    ----------
    half_life : float or None
        Of the deviation from the reference level, in years; None is a Brownian motion.
    shocks : sequence of (time, scale)
        Known shocks: years since the reference date, and standard deviation in yearly volatilities.
    pace : (time, factor) or None
        After this time (at the earliest the reference date) all that moves W moves it `factor` times as far; a known
        shock on the very day does not count as after it.
    """

    half_life: float | None = None
    shocks: Sequence[tuple[float, float]] = ()
    pace: tuple[float, float] | None = None

    @property
    def rate(self) -> float:
        """Rate of mean reversion per year, ``ln 2 / half-life``; 0 for a Brownian motion."""
        return 0.0 if self.half_life is None else float(np.log(2) / self.half_life)

    def covariance(self, s: NDArray, t: NDArray) -> NDArray:
        r"""Covariance of W at the times `s` and `t`, shape (len(s), len(t)).

        On one side of the reference date :math:`m = \min(|s|, |t|)`, or with the rate :math:`\theta`
        :math:`e^{-\theta |t - s|} (1 - e^{-2 \theta m}) / 2 \theta`; 0 across it. A shock at time u adds
        :math:`scale^2 e^{-\theta (|s - u| + |t - u|)}` where u lies between the reference date and both. A pace f
        from time T adds :math:`(f^2 - 1)` times the covariance of what has moved W since T.
        """
        return self._usual(s, t) if self.pace is None else self._usual(s, t) + self._quickened(s, t, *self.pace)

    def _quickened(self, s: NDArray, t: NDArray, start: float, factor: float) -> NDArray:
        start = max(start, 0.0)
        later = Path(self.half_life, [(when - start, scale) for when, scale in self.shocks if when > start])
        return (factor**2 - 1) * later._usual(
            np.maximum(np.subtract(s, start), 0), np.maximum(np.subtract(t, start), 0)
        )

    def _usual(self, s: NDArray, t: NDArray) -> NDArray:
        s, t = np.asarray(s, float)[:, None], np.asarray(t, float)[None, :]
        same_side = np.sign(s) * np.sign(t) > 0
        moved = np.minimum(abs(s), abs(t))
        if self.rate:
            moved = np.exp(-self.rate * abs(t - s)) * -np.expm1(-2 * self.rate * moved) / (2 * self.rate)
        total = np.where(same_side, moved, 0.0)
        for when, scale in self.shocks:
            total = total + scale**2 * self._shocked(s, when) * self._shocked(t, when)
        return total

    def _shocked(self, t: NDArray, when: float) -> NDArray:
        # a shock on the reference date itself is felt after it
        felt = t >= when if when >= 0 else t < when
        return np.where(felt & (t != 0), np.exp(-self.rate * abs(t - when)), 0.0)

    def factor(self, times: NDArray) -> NDArray:
        """Lower-triangular A with W(times) = A e for standard normal e, shape (n, n); times distinct and not 0."""
        return np.linalg.cholesky(self.covariance(times, times)) if len(times) else np.zeros((0, 0))

    def extend(self, known: NDArray, ahead: NDArray) -> tuple[NDArray, NDArray]:
        """Weights M and factor C with W(ahead) = M W(known) + C e, the exact Gaussian continuation.

        Shapes (len(ahead), len(known)) and (len(ahead), len(ahead)).
        """
        across = self.covariance(ahead, known)
        prior = self.covariance(ahead, ahead)
        if not len(known):
            return across, _root(prior)
        weights = np.linalg.solve(self.covariance(known, known), across.T).T
        return weights, _root(prior - weights @ across.T)

    def jump_decay(self, times: NDArray) -> NDArray:
        """What is left, at each time (row), of a jump just before another (column): lower-triangular."""
        return self.left(np.subtract.outer(times, times))

    def left(self, lag: NDArray) -> NDArray:
        """What is left of a jump after so many years; 0 before it."""
        return np.where(lag >= 0, np.exp(-self.rate * np.maximum(lag, 0)), 0.0)


def steps_of(factor: NDArray) -> tuple[NDArray, NDArray]:
    """``kept`` and ``new``, (n,) each, with W[i] = kept[i] W[i - 1] + new[i] e[i] where W = `Path.factor` e.

    They exist because W is a Markov process: what moved it before the last time matters by way of W then.
    """
    new = np.diag(factor)
    kept = np.zeros(len(factor))
    kept[1:] = np.diag(factor, -1) / new[:-1]
    return kept, new


def _root(covariance: NDArray) -> NDArray:
    # a date already known has no variance left, which a Cholesky factor refuses
    root = np.zeros_like(covariance)
    free = np.flatnonzero(np.diag(covariance) > SETTLED)
    some = covariance[np.ix_(free, free)]
    try:
        root[np.ix_(free, free)] = np.linalg.cholesky(some)
    except np.linalg.LinAlgError:  # so has one that follows from the dates before it, as where nothing moves any more
        root[np.ix_(free, free)] = _semidefinite(some)
    return root


def _semidefinite(covariance: NDArray) -> NDArray:
    """The lower-triangular root of a covariance in which some dates follow from those before them."""
    root = np.zeros_like(covariance)
    for i in range(len(root)):
        for j in range(i):
            if root[j, j] > 0:
                root[i, j] = (covariance[i, j] - root[i, :j] @ root[j, :j]) / root[j, j]
        left = covariance[i, i] - root[i, :i] @ root[i, :i]
        root[i, i] = np.sqrt(left) if left > SETTLED * max(1.0, covariance[i, i]) else 0.0
    return root


def performed(schedule: Sequence[tuple[float, float]], t: float) -> float:
    """Share f of the counterparty's side performed at t: linear between the schedule's times, 0 before, held after."""
    if not schedule or t < schedule[0][0]:
        return 0.0
    times, shares = zip(*schedule, strict=True)
    return float(np.interp(t, times, shares))
