"""The stage game between states: what reciprocity could do at most, which game it is, and how patient one must be.

X = J + P2 + G2 stands against K' = K + threshold; the counterparty's performance is worth L (section II.C). Other
bodies count on the side of their weight. L is what asset specificity leaves of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_compliance import theory
from bayes_compliance.analysis.ahead import Ahead, Kept, Options, Scene
from bayes_compliance.arguments import check_above_0, shown
from bayes_compliance.case.vocabulary import ANY_RULE, LEVELS
from bayes_compliance.errors import Refused
from bayes_compliance.parts import PREFERENCES, Game

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.models import Prepared


class Punishment(NamedTuple):
    """Detection after `lag` periods, above 0, then `periods` of punishment, from 0; None is for ever."""

    lag: float = 1.0
    periods: float | None = None


def delimited(periods: int) -> Punishment:
    """Punishment in an assessment delimited to T periods, 1 or more (III.A changes 4): n = T - 1.

    Raises
    ------
    Refused
        If T is no such number.
    """
    check_above_0("periods", periods)
    if periods < 1:
        raise Refused(f"periods: {periods:g} is too few; allowed: 1 or more")
    return Punishment(periods=periods - 1)


PUNISHMENTS: dict[str, Punishment] = {
    "for ever": Punishment(),
    "three periods": Punishment(periods=3),
    "for ever, seen after two periods": Punishment(lag=2),
    "assessment delimited to five periods": delimited(5),
}


def ceiling_of_reciprocity(prepared: Prepared, tree: xr.DataTree, **options: Unpack[Options]) -> xr.Dataset:
    """The most that retaliation could ensure: p with w q = 1 (III.A changes 5).

    L counts in full, as if the counterparty were certain to perform and the future weighed as much as today; all else
    as in the forecast, G's own concern for retaliation included.

    Parameters
    ----------
    prepared, tree
        A model with `parts`, and its fit.
    **options
        `seed`, `until`, `step_years`, `draws`, `paths`, `joining` as in `Ahead`.

    Returns
    -------
    Dataset
        `p_comply` as forecast, `p_ceiling`, and `room` = their difference, each with `_median`, `_lower` and `_upper`
        (5% to 95% over draws and future paths), by (state, rule, time).

    Raises
    ------
    Refused
        If the model does not say what each lobby adds.
    """
    ahead = Ahead(prepared, tree, **options)
    return ahead.answer(Ceiling(ahead))


def preference_types(prepared: Prepared, tree: xr.DataTree, **options: Unpack[Options]) -> xr.Dataset:
    """Probability of each type of a state's own preferences, and that both sides' are of the dilemma kind.

    Harmony X >= K'; dilemma X < K' < X + L; deadlock X + L <= K'. The counterparty's side of the game is on the same
    rule where it owes it among those that answer, else on the rules that answer, its X, K' and L on them summed
    (cooperation contexts pooled). Only where both are dilemmas is the game a prisoner's dilemma.

    Parameters
    ----------
    prepared, tree
        A model with `parts`, and its fit.
    **options
        `seed`, `until`, `step_years`, `draws`, `paths`, `joining` as in `Ahead`.

    Returns
    -------
    Dataset
        `p_preference` (state, rule, time, preference), summing to 1, and `p_both_dilemma` (state, rule, counterparty,
        time), NaN where the state's conduct does not answer to that counterparty.

    Raises
    ------
    Refused
        If the model does not say what each lobby adds.
    """
    ahead = Ahead(prepared, tree, **options)
    return ahead.answer(Types(ahead))


def critical_discount(
    prepared: Prepared,
    tree: xr.DataTree,
    punishments: Mapping[str, Punishment] = PUNISHMENTS,
    **options: Unpack[Options],
) -> xr.Dataset:
    r"""How patient a state in a dilemma must be to comply: the least d with w(d) >= (K' - X) / L.

    d is the effective discount per year, the chance that the relation lasts included: d (1 - h). For a grim trigger
    detected after m periods :math:`d^* = \{(K' - X)/L\}^{1/m}`; for a punishment of n periods it solves
    :math:`w(d) = (K' - X)/L`, and where even d = 1 gives too little, w(1) = n / (m + n), it is infinite.

    Parameters
    ----------
    prepared, tree
        A model with `parts`, and its fit.
    punishments : dict of str to Punishment
        By name: for ever, n periods, detected after m, or `delimited` to T.
    **options
        `seed`, `until`, `step_years`, `draws`, `paths`, `joining` as in `Ahead`.

    Returns
    -------
    Dataset
        `p_dilemma` and, given a dilemma, `p_enough` = P(w q >= (K' - X) / L) with the case's own w and q, by (state,
        rule, time); and given a dilemma by punishment too `discount` (quantile: 5%, 50%, 95%) and `p_possible`, the
        probability that some d <= 1 will do. NaN where no world is a dilemma.

    Raises
    ------
    Refused
        If the model does not say what each lobby adds, or a punishment cannot be.
    """
    _check_punishments(punishments)
    ahead = Ahead(prepared, tree, **options)
    return ahead.answer(CriticalDiscount(ahead, punishments))


def _check_punishments(punishments: Any) -> None:
    if not isinstance(punishments, Mapping) or not punishments:
        raise Refused(f"punishments: {shown(punishments)}; allowed: a dict of one Punishment or more, by name")
    for name, one in punishments.items():
        if not isinstance(one, Punishment):
            raise Refused(f"punishments: {name}: {shown(one)} is no Punishment; allowed: one, such as Punishment()")
        check_above_0(f"punishments: {name}: lag", one.lag)
        if one.periods != 0 and one.periods is not None:
            check_above_0(f"punishments: {name}: periods", one.periods)


def discount_needed(ratio: NDArray, punishment: Punishment) -> NDArray:
    """The least discount in [0, 1] whose shadow reaches a ratio in [0, 1], by bisection where there is no closed form.

    Infinite where a discount of 1 does not; NaN for NaN.
    """
    lag, periods = punishment
    if periods is None:
        return ratio ** (1 / lag)
    low, high = np.zeros_like(ratio), np.ones_like(ratio)
    for _ in range(60):
        middle = (low + high) / 2
        enough = theory.shadow(middle, lag, periods) >= ratio
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    most = theory.shadow(1.0, lag, periods)
    return np.where(np.isnan(ratio), np.nan, np.where(ratio <= most, high, np.inf))


class Ceiling:
    """The question of `ceiling_of_reciprocity`, to be put to worlds ahead."""

    def __init__(self, ahead: Ahead) -> None:
        self.kept = Kept(ahead, "p_comply", "p_ceiling", "room")

    def see(self, scene: Scene) -> None:
        if self.kept.grid.time(scene) is None:
            return
        p, most = scene.moment.answer.p_comply, scene.probability(scene.parts._replace(answer=1.0).support)
        self.kept.keep(scene, p_comply=p, p_ceiling=most, room=most - p)

    def result(self) -> xr.Dataset:
        kept = self.kept
        return kept.grid.dataset(kept.mean_and_band("p_comply", "p_ceiling", "room"))


class Types:
    """The question of `preference_types`, to be put to worlds ahead."""

    def __init__(self, ahead: Ahead) -> None:
        self.grid, self.worlds = ahead.grid, ahead.shape[2] * ahead.shape[3]
        self.answering = facing(ahead.prepared.case, ahead.grid.pairs)
        self.types = np.zeros((*ahead.shape[:2], len(PREFERENCES)))
        self.both = np.full((len(self.grid.pairs), len(self.grid.states), len(self.grid.times)), np.nan)
        for pair, state in self.answering:
            self.both[pair, state] = 0.0

    def see(self, scene: Scene) -> None:
        j = self.grid.time(scene)
        if j is None:
            return
        where, game = self.grid.pair(scene.rows), scene.game
        kind = theory.preference(*game)
        for k in range(len(PREFERENCES)):
            self.types[where, j, k] += (kind == k).sum(axis=(0, 1)) / self.worlds
        at = {int(pair): i for i, pair in enumerate(where)}
        for (pair, state), others in self.answering.items():
            pooled = Game(*(side[..., [at[other] for other in others]].sum(-1) for side in game))
            both = (kind[..., at[pair]] == 1) & (theory.preference(*pooled) == 1)
            self.both[pair, state, j] += both.sum() / self.worlds

    def result(self) -> xr.Dataset:
        data: dict[str, Any] = {
            "p_preference": (("time", "preference"), self.types),
            "p_both_dilemma": (("counterparty", "time"), self.both),
        }
        return self.grid.dataset(data, preference=list(PREFERENCES), counterparty=self.grid.states)


def facing(case: Case, pairs: list[tuple[str, str]]) -> dict[tuple[int, int], list[int]]:
    """Whom each pair of state and rule faces: positions of the counterparty's pairs by (pair, position of the state).

    The same rule where it is among those that answer; else all that answer.
    """
    found = {}
    position = {pair: i for i, pair in enumerate(pairs)}
    for (state, rule), pair in position.items():
        for other in case.state(state).counterparties or ():
            general = rule == ANY_RULE
            rules = case.state(other).rules if general else case.answered_by(rule, other)
            same = (other, rule) in position and (general or rule in rules)
            facing = [position[other, r] for r in ([rule] if same else rules)]
            if facing:
                found[pair, [s.id for s in case.states].index(other)] = facing
    return found


class CriticalDiscount:
    """The question of `critical_discount`, to be put to worlds ahead."""

    def __init__(self, ahead: Ahead, punishments: Mapping[str, Punishment] = PUNISHMENTS) -> None:
        self.kept, self.punishments = Kept(ahead, "ratio"), dict(punishments)
        self.enough = np.zeros(ahead.shape[:2])

    def see(self, scene: Scene) -> None:
        j = self.kept.grid.time(scene)
        if j is None:
            return
        ratio = scene.game.ratio
        self.kept.keep(scene, ratio=ratio)
        complies = ~np.isnan(ratio) & (scene.moment.answer.support >= scene.rows.threshold)
        self.enough[self.kept.grid.pair(scene.rows), j] += complies.sum(axis=(0, 1))

    def result(self) -> xr.Dataset:
        ratio = self.kept["ratio"].reshape(*self.enough.shape, -1)
        dilemmas = (~np.isnan(ratio)).sum(-1)
        count = np.where(dilemmas > 0, dilemmas, np.nan)
        # d* rises with the ratio, so its quantiles are those of the ratio, taken at values that occur
        levels = quantiles(ratio, dilemmas).astype(float)
        needed = np.stack([discount_needed(levels, p) for p in self.punishments.values()], axis=2)
        possible = np.stack([self._within(ratio, p) for p in self.punishments.values()], axis=2)
        data: dict[str, Any] = {
            "p_dilemma": (("time",), dilemmas / ratio.shape[-1]),
            "p_enough": (("time",), self.enough / count),
            "discount": (("time", "punishment", "quantile"), needed),
            "p_possible": (("time", "punishment"), possible / count[..., None]),
        }
        return self.kept.grid.dataset(data, punishment=list(self.punishments), quantile=list(LEVELS))

    @staticmethod
    def _within(ratio: NDArray, punishment: Punishment) -> NDArray:
        most = 1.0 if punishment.periods is None else theory.shadow(1.0, *punishment)
        return (ratio <= most).sum(-1)


def quantiles(values: NDArray, count: NDArray) -> NDArray:
    """Quantiles at `LEVELS` over the last axis, NaN left out: the least value that at least that share reach."""
    ordered = np.sort(values, axis=-1)  # NaN last
    index = np.ceil(np.asarray(LEVELS) * count[..., None]).astype(int) - 1
    return np.take_along_axis(ordered, np.maximum(index, 0), axis=-1)
