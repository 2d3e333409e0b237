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
