"""Net support taken apart: what each lobby adds to each row, the stage game that makes, and what a lobby could move."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bayes_compliance import theory

if TYPE_CHECKING:
    from bayes_compliance.layout import Layout
    from bayes_compliance.rows import Rows

PREFERENCES = ("harmony", "dilemma", "deadlock")
"""What `theory.preference` counts."""

LIMIT = 100.0
"""Factors are sought between 1 / LIMIT and LIMIT, and points that move a margin by as many standard deviations."""


class Parts(NamedTuple):
    """The parts of net support, each of shape (..., row, slot) or a plain number, for NumPy and PyTensor alike.

    Attributes
    ----------
    moved : array
        Signed stage weight times the magnitude on the date, without the step, in points.
    step : array
        Stage weight times the step between adherence and compliance (dP, dG), in points.
    answer : array in [0, 1]
        Weight w q where L answers the counterparty's conduct, else 1.
    kept : array in [0, 1]
        What asset specificity leaves of L, ``1 - alpha f``, else 1.
    """

    moved: Any
    step: Any = 0.0
    answer: Any = 1.0
    kept: Any = 1.0

    @property
    def contributions(self) -> Any:
        """What each slot adds to net support, in points: ``(moved + step) answer kept``."""
        total = self.moved
        if not _is(self.step, 0.0):
            total = total + self.step
        for factor in (self.answer, self.kept):
            if not _is(factor, 1.0):
                total = total * factor
        return total

    @property
    def support(self) -> Any:
        """Net support S of each row, in points, shape (..., row)."""
        return self.contributions.sum(-1)


def _is(value: Any, number: float) -> bool:
    return isinstance(value, float) and value == number


class Game(NamedTuple):
    """A state's side of the stage game on each row, in points, (draw, path, row): X, K' and L."""

    x: NDArray
    k_prime: NDArray
    ell: NDArray

    @property
    def ratio(self) -> NDArray:
        """What w q must reach for compliance, (K' - X) / L; NaN outside a dilemma."""
        dilemma = theory.preference(*self) == 1
        return np.where(
            dilemma, theory.critical_discount(self.k_prime - self.x, np.where(dilemma, self.ell, 1)), np.nan
        )


def stage_game(rows: Rows, parts: Parts) -> Game:
    """X, K' and L of each row from the parts of its support: lobbies by the sign of their weight, L apart."""
    full = parts._replace(answer=1.0).contributions
    against, gain = rows.weight < 0, rows.answers

    def total(which: NDArray) -> NDArray:
        return (full * which).sum(-1)

    return Game(total(~against & ~gain), rows.threshold - total(against), total(gain & ~against))


def pushes(
    split: Callable[..., Parts], added: NDArray, layout: Layout, rows: Rows, x: dict[str, Any], *met: Any
) -> NDArray:
    """What moves support when a lobby's magnitude does, in points, (..., row, slot).

    For a lobby on the log scale all that it adds, for the others what one point more of it would add.

    Parameters
    ----------
    split : callable
        The model's `parts`.
    added : array (..., row, slot)
        `Parts.contributions` as they are.
    layout, rows, x, *met
        Arguments of `split`.
    """
    more = split(layout, rows, x | {"magnitude": x["magnitude"] + 1}, *met).contributions
    return np.where(rows.log, added, more - added)


def _bounds(push: NDArray, log_scale: NDArray) -> NDArray:
    """How far to look, in log units or in points: points enough to move the margin by LIMIT standard deviations."""
    typical = np.abs(push).mean(axis=-1)
    return np.where(log_scale, log(LIMIT), LIMIT / np.where(typical > 0, typical, 1.0))


def crossing(margin: NDArray, push: NDArray, log_scale: NDArray, target: float) -> NDArray:
    r"""Change v at which :math:`E[\Phi(margin + u\,push)]` is a target: Newton's steps kept inside a bisection.

    Parameters
    ----------
    margin : array (world,)
    push : array (item, world)
        Of one sign over worlds, so that the mean is monotone in v.
    log_scale : bool array (item,)
        u is ``exp(v) - 1`` where true, else v.
    target : float in [0, 1]

    Returns
    -------
    array (item,)
        NaN where the mean does not cross the target within a `LIMIT`-fold change, or as many standard deviations.
    """

    def gap(v: NDArray) -> tuple[NDArray, NDArray]:
        u = np.where(log_scale, np.expm1(np.where(log_scale, v, 0)), v)
        at = margin + u[:, None] * push
        slope = np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi) * push
        return ndtr(at).mean(axis=-1) - target, slope.mean(axis=-1) * np.where(log_scale, u + 1, 1.0)

    bound = _bounds(push, log_scale)
    low, high = -bound, bound.copy()
    below, above = gap(low)[0], gap(high)[0]
    crosses = below * above <= 0
    rising = above > below
    v = np.zeros_like(bound)
    for _ in range(200):
        f, slope = gap(v)
        step_up = (f < 0) == rising
        low, high = np.where(step_up, v, low), np.where(step_up, high, v)
        done = (np.abs(f) < 1e-13) | (high - low < 1e-12) | ~crosses | (below == above)
        if done.all():
            break
        with np.errstate(over="ignore"):  # a slope next to nothing: too far a step, which is not taken
            newton = v - f / np.where(slope == 0, np.inf, slope)
        v = np.where(done, v, np.where((newton > low) & (newton < high), newton, (low + high) / 2))
    return np.where(crosses & (below != above), v, np.nan)
