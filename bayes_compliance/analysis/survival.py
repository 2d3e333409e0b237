"""How long a promise lasts: no violation up to a date, and when violation becomes more likely than not."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Unpack

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_compliance.analysis.ahead import Ahead, Options, Scene

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared

HALF = 0.5


def survival(prepared: Prepared, tree: xr.DataTree, **options: Unpack[Options]) -> xr.Dataset:
    """Probability of no violation from the last decision up to each date, and by when it is below one half.

    Decisions fall due on fixed dates after the last one, `decisions_per_year` of them, whatever the reporting step; a
    partial outcome is no violation. The share of simulated worlds without one is the probability.

    Parameters
    ----------
    prepared, tree
        A model and its fit.
    **options
        `seed`, `until`, `step_years`, `draws`, `paths`, `joining` as in `Ahead`.

    Returns
    -------
    Dataset
        `p_no_violation` (state, rule, time) in [0, 1], and `more_likely_than_not` (state, rule): the first reported
        date by which a violation is more likely than not, NaT where none is. It is no date between two reported ones:
        decisions fall due on fixed dates, and the probability stays as it is between them.
    """
    ahead = Ahead(prepared, tree, **options)
    return ahead.answer(Survival(ahead))


class Survival:
    """The question of `survival`, to be put to worlds ahead."""

    def __init__(self, ahead: Ahead) -> None:
        self.grid = ahead.grid
        pairs, times, n, paths = ahead.shape
        self.intact = np.ones((pairs, n, paths), bool)
        self.share = np.zeros((pairs, times))
        self.worlds = n * paths

    def see(self, scene: Scene) -> None:
        due = np.flatnonzero(scene.moment.day.decided)
        where = self.grid.pair(scene.rows)
        self.intact[where[due], scene.at] &= np.moveaxis(scene.moment.outcome[..., due], -1, 0) > 0
        j = self.grid.time(scene)
        if j is not None:
            self.share[:, j] += self.intact[:, scene.at].sum(axis=(1, 2)) / self.worlds

    def result(self) -> xr.Dataset:
        found = np.array([falls_below(HALF, self.grid.times, p) for p in self.share], "datetime64[ns]")
        return self.grid.dataset({"p_no_violation": (("time",), self.share), "more_likely_than_not": ((), found)})


def falls_below(level: float, times: list[date], p: NDArray) -> np.datetime64:
    """The first of some dates on which a probability is below a level; NaT where it is on none."""
    below = np.flatnonzero(np.asarray(p) < level)
    return np.datetime64(times[below[0]], "ns") if len(below) else np.datetime64("NaT", "ns")
