r"""Why we are not sure: the variance of the support that a decision goes by, split by source (III.A changes 3, 4).

A decision at t goes by S(t) + sigma e. It is built up in a fixed order, each step adding what it changes, so the parts
sum to it in every world and nothing is left over, on any scale:

    judgement of today    support asked of date t, with the magnitudes and the records of the last decision date
    drift of lobby l      change of l's part as its path goes on, random shocks apart; known shocks are part of the path
    shocks                what the random shocks then change
    conduct               what the counterparties' conduct since then changes, through q
    entrenchment          what the state's own compliance since then changes
    decision noise        sigma e

Parts of lobbies add up, so their order does not matter; shocks act on magnitudes that have drifted, conduct on L as it
has become. ``share_i = Cov(part_i, S + sigma e) / Var(S + sigma e)``: shares sum to 1, and one may be negative (a
lobby that reverts to its mean undoes what we do not know of today).

Where magnitudes grow by factors, support has a tail so heavy that a few worlds make its variance. The outcome has none:
with Y = 1 for compliance and p the probability of it given support, built up in the same steps, ``Var(Y) = Var(p) +
E p (1 - p)``, so ``share_i = Cov(part_i, p) / Var(Y)``, and decision noise has ``E p (1 - p) / Var(Y)``. A step of p
depends on what came before it: the drift of a lobby is the mean of its steps with lobbies in their order and in the
opposite one.

The tilt is about the middle, not the spread: the article's bias towards compliance (III.A features 1, 2) is dP + dG,
what P and G gained when the promise was made; against it stands the temptation (1 - w q) L, what L no longer counts
once its reward depends on the counterparty's later conduct.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Unpack, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_compliance.analysis.ahead import Ahead, Kept, Options, Scene, parts_of, undecided
from bayes_compliance.arguments import shown
from bayes_compliance.errors import Refused
from bayes_compliance.rows import History, Rows
from bayes_compliance.worlds import met

if TYPE_CHECKING:
    from bayes_compliance.layout import Layout
    from bayes_compliance.models import Prepared

TODAY, SHOCKS, CONDUCT, ENTRENCHMENT, NOISE = (
    "judgement of today", "shocks", "conduct", "entrenchment", "decision noise",
)  # fmt: skip
Of = Literal["support", "outcome"]
DRIFT = "drift of "
"""Stands before a lobby's id in the names of sources."""
MOVING = DRIFT + "the lobbies"
"""What the drifts of all lobbies together are called."""


def sources(layout: Layout) -> list[str]:
    """Names of the sources of variance, in the order in which support is built up."""
    drifts = [DRIFT + lobby.id for lobby in layout.case.lobbies]
    return [TODAY, *drifts, SHOCKS, CONDUCT, ENTRENCHMENT, NOISE]


def shares_of_variance(
    prepared: Prepared, tree: xr.DataTree, of: Of = "support", **options: Unpack[Options]
) -> xr.Dataset:
    """The variance of what a decision goes by, or of the decision itself, at each date, and its shares by source.

    Parameters
    ----------
    prepared, tree
        A model with `parts`, and its fit.
    of : {"support", "outcome"}
        S + sigma e, or Y: whether the decision is compliance.
    **options
        `seed`, `until`, `step_years`, `draws`, `paths`, `joining` as in `Ahead`; the worlds start at the last decision,
        so they are not those of the forecast.

    Returns
    -------
    Dataset
        `variance` of S + sigma e, points squared, or of Y, and `variance_today` of the first part alone, (state, rule,
        time); `share` (state, rule, time, source), summing to 1 over sources, 0 for the drift of a lobby that has no
        part, NaN where nothing varies; and `share_error`, its Monte Carlo standard error by a jackknife over chunks of
        draws (NaN where there is but one): that of support may be large on the log scale. `drift` and `drift_error`
        (state, rule, time) are those of the drifts of all lobbies together.

    Raises
    ------
    Refused
        If the model does not say what each lobby adds, or an argument cannot be.
    """
    if of not in get_args(Of):
        raise Refused(f"of: {shown(of)} is unknown; allowed: {', '.join(get_args(Of))}")
    ahead = Ahead(prepared, tree, **options)
    question = Shares(ahead, of)
    ahead.put([question], before=[question.today])
    return question.result()


class _Sums(NamedTuple):
    """Count, means and sums of products about the means, of parts against the whole; merged chunk by chunk."""

    n: int
    parts: NDArray
    whole: NDArray
    together: NDArray
    own: NDArray
    noise: NDArray

    def merge(self, other: _Sums) -> _Sums:
        n = self.n + other.n
        parts, whole = other.parts - self.parts, other.whole - self.whole
        cross = self.n * other.n / n
        return _Sums(
            n,
            self.parts + parts * (other.n / n),
            self.whole + whole * (other.n / n),
            self.together + other.together + cross * parts * whole[:, None],
            self.own + other.own + cross * parts[:, 0] ** 2,
            self.noise + (other.noise - self.noise) * (other.n / n),
        )


class Shares:
    """The question of `shares_of_variance`; its worlds start with `today`, the last decision's date.

    Parameters
    ----------
    ahead : Ahead
    of : {"support", "outcome"}
    horizon_only : bool
        Tell lobbies apart on the last date alone; on the others the drift of each is NaN.
    """

    def __init__(self, ahead: Ahead, of: Of = "support", horizon_only: bool = False) -> None:
        self.grid, self.layout, self.of = ahead.grid, ahead.layout, of
        self.split = parts_of(ahead.prepared.model)
        self.today = undecided(ahead)
        self.apart = len(self.grid.times) - 1 if horizon_only else 0
        """Position of the first date on which lobbies are told apart."""
        self.sums: dict[int, tuple[Rows, list[_Sums]]] = {}
        self._now: NDArray | None = None

    def see(self, scene: Scene) -> None:
        if scene.moment.day.date == self.today.date:
            self._now = scene.moment.paths
            return
        j = self.grid.time(scene)
        if j is None:
            return
        parts = self._built_up(scene)
        if j < self.apart:
            first, drifts, last = np.split(parts, [1, -3], axis=-1)
            parts = np.concatenate([first, drifts.sum(-1, keepdims=True), last], axis=-1)
        if self.of == "support":
            noise = scene.x["decision_noise"][:, 0, scene.rows.state] ** 2
        else:
            parts = _on_outcome(scene, parts)
            p = parts.sum(-1).reshape(-1, len(scene.rows))
            noise = p * (1 - p)
        self.sums.setdefault(j, (scene.rows, []))[1].append(_sums(parts, noise))

    def _built_up(self, scene: Scene) -> NDArray:
        """Parts of each row's support, (draw, path, row, part): today, drift by slot, shocks, conduct, entrenchment."""
        assert self._now is not None
        moment, rows = scene.moment, scene.rows
        before = self._met_today(scene)

        def lobbies(paths: NDArray, history: History) -> NDArray:
            walk = paths[..., rows.lobby]
            return self.split(self.layout, rows, scene.x, walk, moment.spread, history).contributions

        today, drifted = lobbies(self._now, before), lobbies(moment.paths - moment.jumps, before)
        shocked = lobbies(moment.paths, before).sum(-1)
        # summed as the others are: what does not matter is then 0, and not a rounding error
        support = scene.parts.contributions.sum(-1)
        answered = support
        if self.layout.entrenches:
            answered = lobbies(moment.paths, moment.history._replace(accrued=before.accrued)).sum(-1)
        ends = (shocked - drifted.sum(-1), answered - shocked, support - answered)
        return np.concatenate([today.sum(-1)[..., None], drifted - today, np.stack(ends, axis=-1)], axis=-1)

    def _met_today(self, scene: Scene) -> History:
        """What the rows would have met on the last decision's date."""
        future, rows = scene.future, scene.rows
        known = met(self.layout, rows, self.layout.record, self.layout.time(self.today.date))
        if future.expect is None:
            return known
        assert self._now is not None
        return future.expect(self.layout, rows, scene.x, self._now[..., rows.lobby], scene.moment.spread, known)

    def result(self) -> xr.Dataset:
        names = sources(self.layout)
        variance, today, drift, drift_error = np.zeros((4, len(self.grid.pairs), len(self.grid.times)))
        share, error = np.zeros((2, *variance.shape, len(names)))
        for j, (rows, chunks) in self.sums.items():
            where, whole = self.grid.pair(rows), reduce(_Sums.merge, chunks)
            found = self._by_source(rows, whole, j)
            variance[where, j], today[where, j] = found.whole, whole.own / whole.n
            share[where, j], drift[where, j] = _shares(found)
            error[where, j], drift_error[where, j] = self._errors(rows, chunks, j)
        data: dict[str, Any] = {"variance": (("time",), variance), "variance_today": (("time",), today)}
        data |= {"drift": (("time",), drift), "drift_error": (("time",), drift_error)}
        by = ("time", "source")
        return self.grid.dataset(data | {"share": (by, share), "share_error": (by, error)}, source=names)

    def _errors(self, rows: Rows, chunks: list[_Sums], j: int) -> tuple[NDArray | float, NDArray | float]:
        """Of each source's share, and of the drifts' together."""
        if len(chunks) < 2:
            return np.nan, np.nan
        others = [reduce(_Sums.merge, chunks[:i] + chunks[i + 1 :]) for i in range(len(chunks))]
        left_out = zip(*(_shares(self._by_source(rows, sums, j)) for sums in others), strict=True)
        error, together = (np.sqrt((len(chunks) - 1) * np.var(shares, axis=0)) for shares in left_out)
        return error, together

    def _by_source(self, rows: Rows, sums: _Sums, j: int) -> _Covariances:
        """Covariance of each part with the whole on a date; noise has E sigma^2, or E p (1 - p), to itself."""
        each = sums.together / sums.n
        lobbies = len(self.layout.case.lobbies)
        found = np.zeros((len(rows), 1 + lobbies + 4))
        found[:, 0], found[:, -4:-1], found[:, -1] = each[:, 0], each[:, -3:], sums.noise
        drift = each[:, 1:-3]
        if j < self.apart:
            found[:, 1:-4] = np.nan
        else:
            np.add.at(found, (np.arange(len(rows))[:, None], 1 + rows.lobby), drift)
        return _Covariances(found, drift.sum(-1), found[:, 0] + drift.sum(-1) + found[:, -4:].sum(-1))


class _Covariances(NamedTuple):
    """With the whole: of each source (row, source), of the drifts of all lobbies and of the whole itself, (row,)."""

    each: NDArray
    drift: NDArray
    whole: NDArray


def _shares(found: _Covariances) -> tuple[NDArray, NDArray]:
    """Of each source, (row, source), and of the drifts of all lobbies, (row,); NaN where nothing varies."""
    whole = np.where(found.whole != 0, found.whole, np.nan)
    return found.each / whole[:, None], found.drift / whole


def _on_outcome(scene: Scene, parts: NDArray) -> NDArray:
    """Parts of each row's probability of compliance, as `parts` are of its support."""
    first, drifts, last = np.split(parts, [1, -3], axis=-1)

    def steps(added: NDArray, start: NDArray) -> NDArray:
        """What each part adds to p, one after the other."""
        whole = np.concatenate([start, start + added.cumsum(-1)], axis=-1)
        return np.diff(np.stack([scene.probability(whole[..., i]) for i in range(whole.shape[-1])], axis=-1))

    drifted = first + drifts.sum(-1, keepdims=True)
    by_lobby = (steps(drifts, first) + steps(drifts[..., ::-1], first)[..., ::-1]) / 2
    return np.concatenate([scene.probability(first[..., 0])[..., None], by_lobby, steps(last, drifted)], axis=-1)


def _sums(parts: NDArray, noise: NDArray) -> _Sums:
    flat = parts.reshape(-1, *parts.shape[2:])
    means = flat.mean(axis=0)
    flat = flat - means
    whole = flat.sum(-1)
    own = (flat[..., 0] ** 2).sum(axis=0)
    together = np.einsum("wrp,wr->rp", flat, whole)
    return _Sums(len(flat), means, means.sum(-1), together, own, noise.mean(axis=0))


def tilt(prepared: Prepared, tree: xr.DataTree, **options: Unpack[Options]) -> xr.Dataset:
    """Bias dP + dG, temptation (1 - w q) L, and the probability that the bias exceeds the temptation.

    Net tilt is SC less what SA would be with the same magnitudes: positive means that the coalition for compliance is
    stronger than the one for adherence was. What asset specificity takes from L counts as temptation.

    Parameters
    ----------
    prepared, tree
        A model with `parts`, and its fit.
    **options
        `seed`, `until`, `step_years`, `draws`, `paths`, `joining` as in `Ahead`.

    Returns
    -------
    Dataset
        `bias`, `temptation` and `tilt` in points, each with `_median`, `_lower` and `_upper` (5% to 95% over
        draws and future paths), and `p_positive` = P(tilt > 0), by (state, rule, time).

    Raises
    ------
    Refused
        If the model does not say what each lobby adds.
    """
    ahead = Ahead(prepared, tree, **options)
    return ahead.answer(Tilt(ahead))


class Tilt:
    """The question of `tilt`, to be put to worlds ahead."""

    def __init__(self, ahead: Ahead) -> None:
        self.kept = Kept(ahead, "bias", "temptation", "tilt")

    def see(self, scene: Scene) -> None:
        if self.kept.grid.time(scene) is None:
            return
        parts = scene.parts
        bias = (parts.step * scene.rows.steps).sum(-1)
        temptation = (parts.moved * (1 - parts.answer * parts.kept) * scene.rows.answers).sum(-1)
        self.kept.keep(scene, bias=bias, temptation=temptation, tilt=bias - temptation)

    def result(self) -> xr.Dataset:
        kept = self.kept
        data = kept.mean_and_band("bias", "temptation", "tilt")
        positive = (kept["tilt"] > 0).mean(axis=(2, 3))
        return kept.grid.dataset(data | {"p_positive": (("time",), positive)})
