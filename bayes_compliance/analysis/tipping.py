"""Tipping points: what would take the answer across one half, and how deep a rule could be and still be kept."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Unpack

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr

from bayes_compliance.analysis.ahead import Ahead, Options, Scene, parts_of
from bayes_compliance.parts import LIMIT, crossing, pushes
from bayes_compliance.rows import of_worlds

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared
    from bayes_compliance.rows import Rows

DRAWS, PATHS = 500, 4
"""Posterior draws that are kept of those that are seen, evenly spaced, each with all its future paths."""
HALF, KEPT = 0.5, 0.8
STEPS = 40
"""Depths that are tried before the search between two of them."""


def tipping_points(prepared: Prepared, tree: xr.DataTree, **options: Unpack[Options]) -> xr.Dataset:
    r"""The change in each lobby that takes the probability of compliance across one half.

    With d what a lobby adds to support (log scale), or what a point more of it adds (linear), and u = k - 1 or the
    points, the root of

    .. math:: E[\Phi\{(S + u d - threshold - c) / \sigma\}] = 1/2

    over draws and future paths, all else on that date held: monotone in u, so the root is the smallest change.

    Parameters
    ----------
    prepared, tree
        A model with `parts`, and its fit.
    **options
        `seed`, `until`, `step_years`, `draws`, `paths`, `joining` as in `Ahead`; by default `DRAWS` and `PATHS`.

    Returns
    -------
    Dataset
        `factor` (state, rule, time, lobby) for lobbies on the log scale, between 1/100 and 100, `points` for those on
        the linear one, NaN where no such change does or the lobby does not bear on the rule; `change`, either of them
        in points of the lobby's magnitude: ``(factor - 1)`` times its median over worlds on that date, or `points`;
        and `p` (state, rule, time).
    """
    return tipping_of(_pressures(prepared, tree, options))


def deepest_rule(prepared: Prepared, tree: xr.DataTree, **options: Unpack[Options]) -> xr.Dataset:
    r"""The deepest version of each rule that all who owe it would keep with probability .8 or more.

    Depth scales what compliance is worth and what it costs at home, J and K together, by k; L, P and G are held. The
    largest k between 1/100 and 100 with :math:`E[\Phi\{(S + (k - 1)(J - K) - threshold - c)/\sigma\}] \ge .8` for
    every side; other k below it need not do, since p is not monotone in k.

    Parameters
    ----------
    prepared, tree, **options
        As in `tipping_points`.

    Returns
    -------
    Dataset
        `depth` (rule, time) and each side's own, `own_depth` (state, rule, time): 1 is the rule as it is, NaN where no
        k does, infinite where k = 100 still does. `sides` (rule): the number of states that owe the rule.
    """
    return depth_of(_pressures(prepared, tree, options))


def _pressures(prepared: Prepared, tree: xr.DataTree, options: Options) -> Pressures:
    ahead = Ahead(prepared, tree, **(Options(draws=DRAWS, paths=PATHS) | options))
    kept = Pressures(ahead)
    ahead.put([kept])
    return kept


class Pressures:
    """A watcher that keeps, of `DRAWS` of the draws on each reported date, margins and pushes in units of the noise.

    Attributes
    ----------
    rows : list of Rows
    margin : list of array (row, world)
        ``(S - threshold - c) / sigma``.
    added : list of array (row, slot, world)
        What each lobby adds to support, divided by sigma.
    push : list of array (row, slot, world)
        The same for lobbies on the log scale; for the others what one point more of the lobby adds.
    strength : list of array (row, slot, world)
        Each lobby's magnitude on the rule in points, before what the other side's answer and assets leave of L.
    """

    def __init__(self, ahead: Ahead) -> None:
        self.grid, self.layout = ahead.grid, ahead.layout
        n, self.paths = ahead.shape[2:]
        self.kept = np.unique(np.linspace(0, n - 1, min(n, DRAWS)).round().astype(int))
        self.rows: list[Rows] = []
        self.margin: list[NDArray] = []
        self.added: list[NDArray] = []
        self.push: list[NDArray] = []
        self.strength: list[NDArray] = []

    def see(self, scene: Scene) -> None:
        """Keep a date, if it is reported."""
        j = self.grid.time(scene)
        here = np.flatnonzero((self.kept >= scene.at.start) & (self.kept < scene.at.stop))
        if j is None or not len(here):
            return
        if j == len(self.rows):
            self._open(scene.rows)
        kept = (self.margin, self.added, self.push, self.strength)
        for into, values in zip(kept, self._scaled(scene, here), strict=True):
            into[j].reshape(*into[j].shape[:-1], -1, self.paths)[..., here, :] = np.moveaxis(values, [0, 1], [-2, -1])

    def _open(self, rows: Rows) -> None:
        worlds = len(self.kept) * self.paths
        self.rows.append(rows)
        self.margin.append(np.zeros((len(rows), worlds)))
        for by_slot in (self.added, self.push, self.strength):
            by_slot.append(np.zeros((*rows.lobby.shape, worlds)))

    def _scaled(self, scene: Scene, here: NDArray) -> tuple[NDArray, ...]:
        rows, moment, future = scene.rows, scene.moment, scene.future
        some = self.kept[here] - scene.at.start
        x = {name: values[some] for name, values in scene.x.items()}
        asked = (future.layout, rows, x, moment.walk[some], moment.spread[some], of_worlds(moment.history, some))
        parts = parts_of(future.model)
        split = parts(*asked)
        added = split.contributions
        push = pushes(parts, added, *asked)
        noise, width = rows.scales(x)
        margin = (moment.answer.support[some] - rows.threshold - width) / noise
        strength = (split.moved + split.step) / np.where(rows.weight != 0, rows.weight, 1)
        return margin, added / noise[..., None], push / noise[..., None], np.broadcast_to(strength, added.shape)


def tipping_of(kept: Pressures) -> xr.Dataset:
    """`tipping_points` from what was kept of worlds ahead."""
    lobbies = [lobby.id for lobby in kept.layout.case.lobbies]
    shape = (len(kept.grid.pairs), len(kept.grid.times))
    p = np.zeros(shape)
    change, strength = np.full((2, *shape, len(lobbies)), np.nan)
    for j, rows in enumerate(kept.rows):
        for i, pair in enumerate(kept.grid.pair(rows)):
            margin, there = kept.margin[j][i], rows.weight[i] != 0
            p[pair, j] = ndtr(margin).mean()
            push, log_scale = kept.push[j][i][there], rows.log[i][there]
            at = pair, j, rows.lobby[i][there]
            change[at] = crossing(margin, push, log_scale, HALF)
            strength[at] = np.median(kept.strength[j][i][there], axis=-1)
    on_log = kept.layout.log_scale
    factor, points = np.where(on_log, np.exp(np.where(on_log, change, 0)), np.nan), np.where(on_log, np.nan, change)
    data = {
        "p": (("time",), p),
        "factor": (("time", "lobby"), factor),
        "points": (("time", "lobby"), points),
        "change": (("time", "lobby"), np.where(on_log, (factor - 1) * strength, points)),
    }
    return kept.grid.dataset(data, lobby=lobbies)


def depth_of(kept: Pressures) -> xr.Dataset:
    """`deepest_rule` from what was kept of worlds ahead."""
    grid = kept.grid
    role = np.array([lobby.role for lobby in kept.layout.case.lobbies])
    depth, own = np.zeros((len(grid.rules), len(grid.times))), np.zeros((len(grid.pairs), len(grid.times)))
    for j, rows in enumerate(kept.rows):
        at_home = np.isin(role[rows.lobby], ["J", "K"]) & (rows.weight != 0)
        scaled = (kept.added[j] * at_home[..., None]).sum(axis=1)
        own[grid.pair(rows), j] = [deepest(kept.margin[j][[i]], scaled[[i]]) for i in range(len(rows))]
        for r, rule in enumerate(grid.rules):
            sides = [i for i, item in enumerate(rows.items) if item.rule == rule]
            together = len(sides) > 1
            depth[r, j] = (
                deepest(kept.margin[j][sides], scaled[sides]) if together else own[grid.pair(rows)[sides], j][0]
            )
    owing = [sum(other == rule for _, other in grid.pairs) for rule in grid.rules]
    return grid.dataset({"own_depth": (("time",), own)}).assign(depth=(("rule", "time"), depth), sides=("rule", owing))


def deepest(margin: NDArray, scaled: NDArray) -> float:
    """Largest k up to LIMIT at which every side's mean probability is at least .8: a grid in log k, then bisection.

    Parameters
    ----------
    margin, scaled : array (side, world)
        Margin at k = 1 and what k scales, in units of the noise.
    """

    def all_keep(v: float) -> bool:
        u = np.expm1(v)
        return all(ndtr(m + u * d).mean() >= KEPT for m, d in zip(margin, scaled, strict=True))

    grid = np.linspace(log(LIMIT), -log(LIMIT), STEPS)
    found = next((i for i, v in enumerate(grid) if all_keep(v)), None)
    if found is None:
        return np.nan
    if found == 0:
        return np.inf
    low, high = grid[found], grid[found - 1]
    while high - low > 1e-7:
        middle = (low + high) / 2
        low, high = (middle, high) if all_keep(middle) else (low, middle)
    return float(np.exp(low))
