"""Lock-in: what the agreement holds in place that the state would otherwise not do (III.A changes 7)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Unpack

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_compliance.analysis.ahead import Ahead, Kept, Options, Scene
from bayes_compliance.rows import Rows

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared


def lock_in(prepared: Prepared, tree: xr.DataTree, **options: Unpack[Options]) -> xr.Dataset:
    r"""Compliance under the agreement against the same conduct without it, on the same paths of the lobbies.

    In every world ``p_agreement`` is the probability of compliance at the support SC, as in the forecast, and
    ``p_alone`` that of the same conduct at the status quo S0 = J - K (P and G where the case counts them), without
    the entrenchment that the agreement drives; noise and the band of partial outcomes are the same, so only the
    support differs. The agreement is pivotal where it turns the balance: S0 < threshold < SC.

    Parameters
    ----------
    prepared, tree
        A model and its fit.
    **options
        `seed`, `until`, `step_years`, `draws`, `paths`, `joining` as in `Ahead`.

    Returns
    -------
    Dataset
        `p_agreement`, `p_alone`, `lift` = their difference, each with `_median`, `_lower` and `_upper` (5% to 95% over
        draws and future paths), and `pivotal` = P(S0 < threshold < SC), by (state, rule, time); all in
        [0, 1] but the lift.
    """
    ahead = Ahead(prepared, tree, **options)
    return ahead.answer(LockIn(ahead))


class LockIn:
    """The question of `lock_in`, to be put to worlds ahead."""

    def __init__(self, ahead: Ahead) -> None:
        self.kept = Kept(ahead, "p_agreement", "p_alone", "lift")
        self.turned = np.zeros(ahead.shape[:2])
        self.worlds = ahead.shape[2] * ahead.shape[3]
        self._alone: dict[date, Rows] = {}

    def see(self, scene: Scene) -> None:
        j = self.kept.grid.time(scene)
        if j is None:
            return
        with_it, without = scene.moment.answer.support, self._status_quo(scene)
        agreed, alone = scene.moment.answer.p_comply, scene.probability(without)
        self.kept.keep(scene, p_agreement=agreed, p_alone=alone, lift=agreed - alone)
        threshold = scene.rows.threshold
        pivotal = (without < threshold) & (with_it > threshold)
        self.turned[self.kept.grid.pair(scene.rows), j] += pivotal.sum(axis=(0, 1))

    def _status_quo(self, scene: Scene) -> NDArray:
        future, moment, day = scene.future, scene.moment, scene.moment.day
        if day.date not in self._alone:
            items = [item._replace(stage="status_quo") for item in day.rows.items]
            self._alone[day.date] = future.layout.rows_for(items)
        rows = self._alone[day.date]
        walk, spread = moment.on(rows)
        never = moment.history._replace(accrued=np.zeros_like(moment.history.accrued))
        return future.model.support(future.layout, rows, scene.x, walk, spread, never)

    def result(self) -> xr.Dataset:
        kept = self.kept
        data = kept.mean_and_band("p_agreement", "p_alone", "lift")
        return kept.grid.dataset(data | {"pivotal": (("time",), self.turned / self.worlds)})
