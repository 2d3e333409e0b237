r"""Equilibria of simultaneous choice: each state's chance of complying rests on the others' chances.

A system of n decisions in which every chance of compliance answers the others (II.C, model `reciprocity`):

.. math:: p_i = \Phi\Big(\big(b_i + \sum_{s \in i} g_s \, \frac{q_s}{1 - d_s + d_s q_s}\big) / \sigma_i\Big),
          \quad q_s = \sum_j a_{sj} p_j

with b the margin without the L lobbies that answer, g >= 0 what each of them weighs at q = 1, and a >= 0 whom it looks
at. d = 0 is conduct (q itself), d > 0 a belief about the counterparty's type. The map is increasing, so iteration from
all-0 climbs to the least equilibrium and from all-1 descends to the greatest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

PESSIMISTIC, OPTIMISTIC = "pessimistic", "optimistic"
TOLERANCE = 1e-10
"""A step of every chance below this ends the iteration."""

APART = 1e-6
"""Equilibria further apart than this are two."""

MOST = 100_000
GRID = 4001
NEARLY_CERTAIN = 1 - 1e-12
PHI_0 = 1 / np.sqrt(2 * np.pi)


@dataclass(frozen=True)
class System:
    """Many worlds of one system.

    Parameters
    ----------
    base, noise : array (world, n)
        Margin of each decision without the lobbies that answer, less the band of partial outcomes, and sigma; points.
    gain : array (world, slot)
        What each answering lobby weighs at q = 1, in points, >= 0.
    bend : array (world, slot)
        d in [0, 1] of a belief about type, 0 for conduct.
    owner : int array (slot,)
        The decision that each answering lobby bears on.
    looks : array (slot, n)
        Weights a of the decisions that each answering lobby looks at, >= 0, of sum 1 or less.
    """

    base: NDArray
    noise: NDArray
    gain: NDArray
    bend: NDArray
    owner: NDArray
    looks: NDArray

    def __post_init__(self) -> None:
        if (self.gain < 0).any():
            raise ValueError(f"gain {self.gain.min():g}; allowed: 0 or more, or equilibria need not be ordered")

    @property
    def _sums(self) -> NDArray:
        return (self.owner[:, None] == np.arange(self.base.shape[1])).astype(float)

    def take(self, worlds: NDArray) -> System:
        """Some of the worlds."""
        base, noise, gain, bend = (part[worlds] for part in (self.base, self.noise, self.gain, self.bend))
        return System(base, noise, gain, bend, self.owner, self.looks)

    def respond(self, p: NDArray) -> NDArray:
        """What each decision's chance is, given those of the others: (world, n)."""
        q = p @ self.looks.T
        d = np.minimum(self.bend, NEARLY_CERTAIN)
        return ndtr((self.base + (self.gain * q / (1 - d + d * q)) @ self._sums) / self.noise)

    def steepest(self) -> NDArray:
        """The largest slope of each decision's chance in each other's, (world, n, n)."""
        steepest = self.gain / (1 - np.minimum(self.bend, NEARLY_CERTAIN))
        return np.einsum("ws,si,sj->wij", steepest, self._sums, self.looks) * PHI_0 / self.noise[:, :, None]

    def contraction(self) -> NDArray:
        """Spectral radius of the largest slopes, (world,): below 1 there is one equilibrium only.

        For two decisions it is the square root of ``w_H L_H w_F L_F phi(0)^2 / (sigma_H sigma_F)``.
        """
        return abs(np.linalg.eigvals(self.steepest())).max(axis=-1)


def extreme(system: System, selection: str) -> NDArray:
    """The least (`pessimistic`) or the greatest (`optimistic`) equilibrium of each world, (world, n)."""
    if selection not in (PESSIMISTIC, OPTIMISTIC):
        raise ValueError(f"selection {selection!r}; allowed: {PESSIMISTIC}, {OPTIMISTIC}")
    p = np.full(system.base.shape, float(selection == OPTIMISTIC))
    open_, left = np.arange(len(p)), system
    for _ in range(MOST):
        if not len(open_):
            return p
        new = left.respond(p[open_])
        moves = (abs(new - p[open_]) > TOLERANCE).any(axis=1)
        p[open_] = new
        if not moves.all():
            open_, left = open_[moves], left.take(np.flatnonzero(moves))
    raise RuntimeError(f"no equilibrium within {MOST} steps in {len(open_)} worlds")


def several(least: NDArray, greatest: NDArray) -> NDArray:
    """Worlds with more than one equilibrium, (world,)."""
    return (greatest - least > APART).any(axis=-1)


def not_unique(system: System) -> NDArray:
    """Worlds with more than one equilibrium, (world,), solved only where the slopes do not rule that out.

    No slope can exceed its largest value, so one equilibrium is sure where the largest slopes of every row sum to less
    than 1, or have a spectral radius below 1 (`System.contraction`); else the least and the greatest are compared.
    """
    found = np.zeros(len(system.base), bool)
    unsure = np.flatnonzero(system.steepest().sum(axis=-1).max(axis=-1) >= 1)
    unsure = unsure[system.take(unsure).contraction() >= 1]
    if len(unsure):
        rest = system.take(unsure)
        found[unsure] = several(*(extreme(rest, which) for which in (PESSIMISTIC, OPTIMISTIC)))
    return found


def all_of_two(system: System, world: int = 0) -> NDArray:
    """Every equilibrium of a world of two decisions, least first, shape (equilibrium, 2).

    Those between the least and the greatest are found on a grid of the first chance, where its response to the
    second's response to it is bracketed, and counted too where they fall on a grid point.

    Raises
    ------
    ValueError
        If the system is not of two decisions, each of which looks at the other only.
    """
    one = system.take(np.array([world]))
    own = one.looks[np.arange(len(one.owner)), one.owner]
    if one.base.shape[1] != 2 or own.any():
        raise ValueError("the system is not one of two decisions that look at each other; allowed: exactly that")
    least, greatest = extreme(one, PESSIMISTIC)[0], extreme(one, OPTIMISTIC)[0]
    if not several(least, greatest):
        return least[None]
    roots = _between(one, least[0], greatest[0])
    return np.stack([least, *(_pair(one, root) for root in roots), greatest])


def _pair(one: System, first: float) -> NDArray:
    return np.array([first, one.respond(np.array([[first, 0.0]]))[0, 1]])


def _excess(one: System, first: NDArray) -> NDArray:
    """How far the first chance's response to the second's response to it lies above it."""
    many = one.take(np.zeros(len(first), int))
    second = many.respond(np.stack([first, np.zeros_like(first)], axis=1))[:, 1]
    return many.respond(np.stack([np.zeros_like(first), second], axis=1))[:, 0] - first


def _between(one: System, low: float, high: float) -> list[float]:
    margin = APART * (high - low)
    grid = np.linspace(low + margin, high - margin, GRID)
    excess = _excess(one, grid)
    on_grid = list(grid[excess == 0])
    crossing = np.flatnonzero(excess[:-1] * excess[1:] < 0)
    return sorted(float(root) for root in [*on_grid, *_bisect(one, grid[crossing], grid[crossing + 1])])


def _bisect(one: System, low: NDArray, high: NDArray) -> NDArray:
    rising = _excess(one, low) < 0
    for _ in range(60 if len(low) else 0):
        mid = (low + high) / 2
        below = (_excess(one, mid) < 0) == rising
        low, high = np.where(below, mid, low), np.where(below, high, mid)
    return (low + high) / 2
