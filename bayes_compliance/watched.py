"""The record of compliance in worlds ahead, where every state sees every decision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.history import Record
from bayes_compliance.theory import COMPLY, CREDIT

_CREDIT = np.array(CREDIT)


class Watched:
    """A record that goes on in many worlds, seen by all: what `Record` would keep, and no viewer by viewer.

    Credits are multiples of a half, so that sums of them are exact in any order.

    Parameters
    ----------
    known : Record
        Of what was observed.
    worlds : tuple of int
        Leading shape of simulated outcomes.

    Attributes
    ----------
    credit : array, worlds + (obligation,)
        Sum of credits since.
    count : array (obligation,)
        Number of decisions since.
    """

    def __init__(self, known: Record, worlds: tuple[int, ...]) -> None:
        self.known, n = known, len(known.count)
        self.credit, self.count = np.zeros((*worlds, n)), np.zeros(n)
        self.kept, self.complied = (np.broadcast_to(v, (*worlds, n)).copy() for v in (known.kept, known.complied))
        self.since = known.since.copy()

    def add(self, obligations: NDArray, time: float, outcome: NDArray) -> None:
        """Enter compliance decisions of one date.

        Parameters
        ----------
        obligations : int array (decision,)
            An obligation may come up again.
        time : float
        outcome : int array, worlds + (decision,)
            0, 1 or 2.
        """
        if len(set(obligations.tolist())) == len(obligations):
            self._add(obligations, time, outcome)
        else:
            for i in range(len(obligations)):
                self._add(obligations[i : i + 1], time, outcome[..., i : i + 1])

    def _add(self, own: NDArray, time: float, outcome: NDArray) -> None:
        self.credit[..., own] += _CREDIT[outcome]
        self.count[own] += 1
        self.kept[..., own] += self.complied[..., own] * (time - self.since[own])
        self.complied[..., own] = outcome == COMPLY
        self.since[own] = time

    def accrued(self, obligation: NDArray, time: float) -> NDArray:
        """As `Record.accrued`."""
        return self.kept[..., obligation] + self.complied[..., obligation] * (time - self.since[obligation])

    def conduct(self, answering: NDArray, viewer: NDArray) -> tuple[NDArray, NDArray]:
        """As `Record.conduct`."""
        mask = answering.astype(float)
        before = np.einsum("rco,or->rc", mask, self.known.credit[:, viewer])
        count = np.einsum("rco,or->rc", mask, self.known.count[:, viewer]) + mask @ self.count
        since = self.credit @ mask.reshape(-1, mask.shape[-1]).T
        return since.reshape(*since.shape[:-1], *mask.shape[:2]) + before, count
