"""Probabilities of boxes, and of more beyond them, by scrambled Sobol points that are common to all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.inference.exact.box import BATCH, Box, propose

REPEATS = 16
FIRST, MOST = 2**9, 2**16
"""Points of each repeat at first, and at most."""

RARE = 1e-3

Beyond = Callable[[NDArray], NDArray]


class Part(NamedTuple):
    """A box with its log weight in the sum, and the chances beyond it given a point: (point, n) -> (point, m)."""

    log_weight: float
    box: Box
    beyond: Beyond


class Integral(NamedTuple):
    """Sums over repeats: log probability and its standard error, and the m chances given the box and theirs."""

    log_p: float
    error: float
    chance: NDArray
    chance_error: NDArray

    def within(self, target: float) -> bool:
        """Whether the relative errors are below the target; of a chance below `RARE`, its error over `RARE`."""
        return self.error < target and bool((self.chance_error <= target * np.maximum(self.chance, RARE)).all())


def integrate(parts: Sequence[Part], seed: np.random.SeedSequence, target: float) -> Integral:
    """Weighted sum of the boxes' probabilities, and the mean of `beyond` over points inside them.

    Each of 16 repeats scrambles its Sobol points afresh; their spread gives the errors. The points of a repeat double
    until the relative errors of the probability and of the chances are below the target, or 65,536 are spent.

    Parameters
    ----------
    parts : sequence of Part
        `beyond` of all of them yields the same number of chances.
    seed : SeedSequence
    target : float
    """
    top = max(part.log_weight + part.box.bound for part in parts)
    streams = [_Stream(part, top, child) for part, child in zip(parts, seed.spawn(len(parts)), strict=True)]
    size = FIRST
    while True:
        for stream in streams:
            stream.add(size)
        found = _combine(np.sum([stream.mean for stream in streams], axis=0), top)
        if found.within(target) or streams[0].count >= MOST:
            return found
        size = streams[0].count


class _Stream:
    """Sums of one part by repeat: of the weights, then of the weights times each chance beyond, (repeat, 1 + m)."""

    def __init__(self, part: Part, top: float, seed: np.random.SeedSequence) -> None:
        from scipy.stats import qmc

        self.part, self.top, self.count = part, top, 0
        self.total: NDArray = np.zeros(())
        children = seed.spawn(REPEATS)
        self.sobol = [qmc.Sobol(len(part.box), rng=np.random.default_rng(child)) for child in children]

    @property
    def mean(self) -> NDArray:
        return self.total / self.count

    def add(self, size: int) -> None:
        sums = [sum(self._sums(sobol.random(n)) for n in _blocks(size, len(self.part.box))) for sobol in self.sobol]
        self.total = self.total + np.stack(sums)
        self.count += size

    def _sums(self, uniform: NDArray) -> NDArray:
        e, log_weight = propose(self.part.box, uniform)
        weight = np.exp(self.part.log_weight + log_weight - self.top)
        return np.append(weight.sum(), weight @ self.part.beyond(e))


def _blocks(size: int, n: int) -> list[int]:
    # powers of two, so that each block of a Sobol sequence is balanced
    block = min(size, 2 ** int(np.log2(max(BATCH // max(n, 1), 1))))
    return [block] * (size // block)


def _combine(sums: NDArray, top: float) -> Integral:
    total = sums.mean(axis=0)
    chance = total[1:] / total[0]
    root = np.sqrt(len(sums))
    error = sums[:, 0].std(ddof=1) / root / total[0]
    residual = (sums[:, 1:] - chance * sums[:, :1]) / total[0]
    return Integral(float(np.log(total[0]) + top), float(error), chance, residual.std(axis=0, ddof=1) / root)
