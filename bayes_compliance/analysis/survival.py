"""How long a promise lasts: no violation up to a date, and when violation becomes more likely than not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Unpack

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_compliance.analysis.ahead import Ahead, Options, Scene

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared

HALF = 0.5


def survival(prepared: Prepared, tree: xr.DataTree, **options: Unpack[Options]) -> xr.Dataset:
    """Probability of no violation from the last decision up to each date, and when it falls below one half.

    Decisions fall due on fixed dates after the last one, `decisions_per_year` of them, whatever the reporting step; a
    partial outcome is no violation. The share of simulated worlds without one is the probability.

    Parameters
    ----------
    prepared, tree
        A model and its fit.
    **options
        `seed`, `until`, `step_years`, `draws`, `paths` as in `Ahead`.

    Returns
    -------
    Dataset
        `p_no_violation` (state, rule, time) in [0, 1], and `more_likely_than_not` (state, rule): the date on which a
        violation is as likely as not, linear between the last decision (probability 1) and the reported dates; NaT
        where that is not by the horizon.
    """
    ahead = Ahead(prepared, tree, **options)
    return ahead.answer(Survival(ahead))


class Survival:
    """The question of `survival`, to be put to worlds ahead."""

    def __init__(self, ahead: Ahead) -> None:
        self.grid, self.start = ahead.grid, ahead.prepared.case.last_decision_date()
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
        found = np.array([falls_below(HALF, self.start, self.grid.times, p) for p in self.share], "datetime64[ns]")
        return self.grid.dataset({"p_no_violation": (("time",), self.share), "more_likely_than_not": ((), found)})


def falls_below(level: float, start: date, times: list[date], p: NDArray) -> np.datetime64:
    """Date, to a day, on which a falling probability that was 1 at the start reaches a level; NaT where it does not.

    Linear between dates.
    """
    before, high = start, 1.0
    for day, low in zip(times, p, strict=True):
        if low <= level:
            share = (high - level) / (high - low)
            return np.datetime64(before + timedelta(days=round(share * (day - before).days)), "ns")
        before, high = day, float(low)
    return np.datetime64("NaT", "ns")
