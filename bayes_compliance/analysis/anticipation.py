"""Anticipation: the losers foresee that compliance will entrench itself, and could stop it at the outset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_compliance.analysis.ahead import Ahead, Options, Scene, known_on, parts_of
from bayes_compliance.asking import related
from bayes_compliance.case.vocabulary import LEVELS
from bayes_compliance.rows import ANY_RULE, Item
from bayes_compliance.worlds import met

if TYPE_CHECKING:
    from bayes_compliance.latents import Draws
    from bayes_compliance.models import Prepared


def anticipation(prepared: Prepared, tree: xr.DataTree, **options: Unpack[Options]) -> xr.Dataset:
    r"""How much K would have had to grow at t1 to block adherence, beside what entrenchment takes from it later.

    On the day of adherence K blocks where SA falls below the threshold, that is when it is multiplied by

    .. math:: k^* = 1 + (SA - threshold) / K

    (below 1 where it could block as it was). Entrenchment takes from K's later position what support at t gains by
    the years of compliance: S less the support of the same world, had nothing accrued, in points. Where that exceeds
    the growth that blocking asked for, :math:`(SA - threshold)_+`, a K that foresees it does better to fight at t1.

    Parameters
    ----------
    prepared, tree
        A model with `parts`, and its fit.
    **options
        `seed`, `until`, `step_years`, `draws`, `paths` as in `Ahead`; its worlds know what each state weighed when it
        joined.

    Returns
    -------
    Dataset
        By (state, rule), the rule ``*`` being adherence to the treaty as a whole, against the mean over its rules
        later: `factor` (quantile) the quantiles of k* at 5%, 50% and 95%, infinite where there is no K to grow;
        `p_blocks`, the probability that k* <= 1; `needed`, the median growth in points. By time too: `taken`, the
        median in points, and `taken_from_k`, that of K's own loss; `k_left`, the mean of what is left of K's strength,
        in [0, 1]; and `p_worth`, the probability that what is taken exceeds what was needed.
    """
    ahead = Ahead(prepared, tree, **options | {"joining": True})
    return ahead.answer(Anticipation(ahead))


class Taken:
    """What entrenchment adds to support and takes from K, and K without it, in points: (pair, time, draw, path)."""

    def __init__(self, ahead: Ahead) -> None:
        self.grid = ahead.grid
        self.support, self.from_k, self.full_k = (np.zeros(ahead.shape, np.float32) for _ in range(3))
        self.against = np.array([lobby.role == "K" for lobby in ahead.layout.case.lobbies])

    def see(self, scene: Scene) -> None:
        j, where = self.grid.time(scene), self.grid.pair(scene.rows)
        if j is None:
            return
        without, k = self._without(scene), self.against[scene.rows.lobby]
        gained = scene.parts.contributions - without
        for target, values in ((self.support, gained), (self.from_k, gained * k), (self.full_k, -without * k)):
            target[where, j, scene.at] = np.moveaxis(values.sum(-1), -1, 0)

    def _without(self, scene: Scene) -> NDArray:
        """What each lobby adds, had nothing accrued."""
        moment, future = scene.moment, scene.future
        if not future.layout.entrenches:
            return scene.parts.contributions
        fresh = moment.history._replace(accrued=np.zeros_like(moment.history.accrued))
        split = parts_of(future.model)
        return split(future.layout, scene.rows, scene.x, moment.walk, moment.spread, fresh).contributions


class Anticipation(Taken):
    """The question of `anticipation`, to be put to worlds ahead."""

    def __init__(self, ahead: Ahead) -> None:
        """For worlds that know what each state weighed when it joined."""
        super().__init__(ahead)
        self.ahead, self.layout = ahead, ahead.layout
        self.states = [state.id for state in self.layout.case.states]
        self.rules = sorted({rule for _, rule in self.layout.obligations} | {ANY_RULE})

    def result(self) -> xr.Dataset:
        shape, times = (len(self.states), len(self.rules)), len(self.ahead.grid.times)
        at_first = {"factor": np.full((*shape, len(LEVELS)), np.nan), "p_blocks": np.full(shape, np.nan)}
        at_first["needed"] = np.full(shape, np.nan)
        after = {name: np.full((*shape, times), np.nan) for name in ("taken", "taken_from_k", "k_left", "p_worth")}
        for (state, rule), (room, k) in self._at_adherence().items():
            at = self.states.index(state), self.rules.index(rule)
            factor = np.where(k > 0, 1 + room / np.where(k > 0, k, 1), np.where(room < 0, 0.0, np.inf))
            at_first["factor"][at] = np.quantile(factor, LEVELS, method="nearest")
            # medians: where strength grows by factors a few worlds carry the means
            at_first["p_blocks"][at], at_first["needed"][at] = (factor <= 1).mean(), np.median(np.maximum(room, 0))
            for name, values in self._after(state, rule, np.maximum(room, 0)).items():
                after[name][at] = values
        return self._dataset(at_first, after)

    def _dataset(self, at_first: dict[str, NDArray], after: dict[str, NDArray]) -> xr.Dataset:
        on = ("state", "rule")
        data = {name: ((*on, "quantile")[: values.ndim], values) for name, values in at_first.items()}
        data |= {name: ((*on, "time"), values) for name, values in after.items()}
        times = np.array(self.ahead.grid.times, "datetime64[ns]")
        coords = {"state": self.states, "rule": self.rules, "quantile": list(LEVELS), "time": times}
        return xr.Dataset(data, coords=coords)

    def _at_adherence(self) -> dict[tuple[str, str], tuple[NDArray, NDArray]]:
        """SA less the threshold, and K, on the day of adherence, (draw, 1), by state and rule."""
        case, layout = self.layout.case, self.layout
        asked = [*layout.obligations, *((state.id, ANY_RULE) for state in case.states if state.rules)]
        draws = related(layout, self.ahead.draws)
        return {pair: self._room(Item(*pair, case.adherence_of(*pair), "adherence"), draws) for pair in asked}

    def _room(self, item: Item, draws: Draws) -> tuple[NDArray, NDArray]:
        layout = self.layout
        rows = layout.rows_for([item])
        history = met(layout, rows, layout.record_before(item.date), layout.time(item.date))
        parts = parts_of(self.ahead.prepared.model)(layout, rows, draws, *known_on(layout, rows, draws), history)
        added = parts.contributions[..., 0, :]
        k = -(added * self.against[rows.lobby[0]]).sum(-1)
        return (added.sum(-1) - rows.threshold[0])[:, None], k[:, None]

    def _after(self, state: str, rule: str, needed: NDArray) -> dict[str, NDArray]:
        """Medians, shares and chances over worlds by date; for the whole agreement over its rules first."""
        pairs = self.ahead.grid.pairs
        at = [i for i, (s, r) in enumerate(pairs) if s == state and r != ANY_RULE and rule in (r, ANY_RULE)]
        taken, from_k, full = (a[at].mean(axis=0, dtype=float) for a in (self.support, self.from_k, self.full_k))
        left = 1 + np.divide(-from_k, full, out=np.zeros_like(full), where=full > 0)
        return {
            "taken": np.median(taken, axis=(1, 2)),
            "taken_from_k": np.median(from_k, axis=(1, 2)),
            "k_left": np.where((full > 0).any(axis=(1, 2)), left.mean(axis=(1, 2)), np.nan),
            "p_worth": (taken > needed).mean(axis=(1, 2)),
        }
