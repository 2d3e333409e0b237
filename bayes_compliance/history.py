"""The record of compliance: conduct that others see, and how long a state has kept a rule.

One record serves observed decisions (inference) and simulated ones (forecast, prior predictive, calibration), so the
conduct q and the entrenchment that a decision meets are computed the same way everywhere.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.theory import COMPLY, CREDIT

_CREDIT = np.array(CREDIT)


class Record:
    """Running record over obligations (a state and a rule that it owes), for any number of parallel worlds.

    Parameters
    ----------
    n_obligations, n_states : int
        Sizes of the last two axes of what is kept.
    worlds : tuple of int
        Leading shape of simulated outcomes; ``()`` for the observed record.

    Attributes
    ----------
    credit : array, worlds + (obligation, viewer)
        Sum of credits that a viewing state counts.
    count : array (obligation, viewer)
        Number of decisions that it counts.
    """

    def __init__(self, n_obligations: int, n_states: int, worlds: tuple[int, ...] = ()) -> None:
        self.credit = np.zeros((*worlds, n_obligations, n_states))
        self.count = np.zeros((n_obligations, n_states))
        self.kept = np.zeros((*worlds, n_obligations))
        self.complied = np.zeros((*worlds, n_obligations))
        self.since = np.zeros(n_obligations)

    def add(self, obligation: int, time: float, outcome: Any, viewers: NDArray) -> None:
        """Enter a compliance decision: `outcome` 0, 1 or 2 in each world, seen by the states where `viewers` is true.

        Decisions on one date must all be entered after the last of them was asked about.
        """
        outcome = np.asarray(outcome)
        self.credit[..., obligation, :] += _CREDIT[outcome][..., None] * viewers
        self.count[obligation] += viewers
        self.kept[..., obligation] += self.complied[..., obligation] * (time - self.since[obligation])
        self.complied[..., obligation] = outcome == COMPLY
        self.since[obligation] = time

    def accrued(self, obligation: NDArray, time: float) -> NDArray:
        """Years, up to `time`, during which the state's last outcome on the obligation was compliance."""
        return self.kept[..., obligation] + self.complied[..., obligation] * (time - self.since[obligation])

    def conduct(self, answering: NDArray, viewer: NDArray) -> tuple[NDArray, NDArray]:
        """Credit and count of each counterparty as each row's state sees them.

        Parameters
        ----------
        answering : bool array (row, counterparty, obligation)
            The counterparty's obligations that answer the row's rule.
        viewer : int array (row,)
            The state that looks.

        Returns
        -------
        credit : array, worlds + (row, counterparty)
        count : array (row, counterparty)
        """
        mask = answering.astype(float)
        if not mask.any():
            shape = mask.shape[:2]
            return np.zeros((*self.kept.shape[:-1], *shape)), np.zeros(shape)
        rows = [self.credit[..., viewer[i]] @ mask[i].T for i in range(len(viewer))]
        count = np.stack([mask[i] @ self.count[:, viewer[i]] for i in range(len(viewer))])
        return np.stack(rows, axis=-2), count
