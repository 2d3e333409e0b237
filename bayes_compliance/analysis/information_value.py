"""What should we find out next: how much of the doubt about compliance would go with the doubt about one lobby."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.polynomial import legendre
from numpy.typing import NDArray

from bayes_compliance import theory
from bayes_compliance.analysis.ahead import Ahead, Scene, walk_through
from bayes_compliance.forecast import PATHS
from bayes_compliance.rows import Item
from bayes_compliance.worlds import Day

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared

DRAWS = 500
DEGREE = 7
"""Of the polynomial in ranks that stands for the regression."""


def value_of_information(
    prepared: Prepared, tree: xr.DataTree, *, seed: int = 1, until: date | None = None, draws: int = DRAWS
) -> xr.Dataset:
    r"""Share of the variance of p that knowing a lobby's strength on the day of the last decision would take away.

    .. math:: VOI_l(t) = \frac{Var\{E[p_{comply}(t) \mid m_l]\}}{Var\{p_{comply}(t)\}}

    with p that of a world (a draw and a future path) and m_l the lobby's magnitude on that day, in points: where it
    bears on the rule its weight there, with the rule's spread, entrenchment so far, and the step dP or dG; for other
    lobbies, such as the counterparty's, which matter through conduct, without these. Estimated by regression, see
    `share_explained`. It ranks what to find out, not whom to move.

    Parameters
    ----------
    prepared, tree
        A model and its fit.
    seed : int
    until : date or None
        Default: the case's horizon.
    draws : int
        At most so many posterior draws.

    Returns
    -------
    Dataset
        `voi` (state, rule, time, lobby), about 0 (or a little below, by chance) for a lobby that tells nothing and at
        most 1; and `variance` (state, rule, time) of p. Lobbies of all states are asked about.
    """
    ahead = Ahead(prepared, tree, seed=seed, until=until, draws=draws)
    asked = _Signals(ahead)
    last = prepared.case.last_decision_date()
    rows = ahead.layout.rows_for([Item(*pair, last, "compliance") for pair in ahead.grid.pairs])
    nothing = np.zeros(len(rows), bool)
    walk_through(prepared, [Day(last, rows, nothing, nothing), *ahead.days], ahead.draws, seed, [asked])
    return asked.result()


class _Signals:
    """Lobbies' strength on the last decision's day, and p later, in every world: (..., draw, path)."""

    def __init__(self, ahead: Ahead) -> None:
        self.grid, self.layout = ahead.grid, ahead.layout
        n, lobbies = ahead.shape[2], len(ahead.layout.case.lobbies)
        self.last = ahead.layout.case.last_decision_date()
        self.p = np.zeros((*ahead.shape[:2], n, PATHS))
        self.strength = np.zeros((lobbies, n, PATHS))
        self.on_rule: dict[tuple[int, int], NDArray] = {}

    def see(self, scene: Scene) -> None:
        if scene.moment.day.date == self.last:
            self._see_today(scene)
        elif (j := self.grid.time(scene)) is not None:
            self.p[self.grid.pair(scene.rows), j, scene.at] = np.moveaxis(scene.moment.answer.p_comply, -1, 0)

    def _see_today(self, scene: Scene) -> None:
        x, rows, parts = scene.x, scene.rows, scene.parts
        general = theory.magnitude(x["magnitude"], x["volatility"] * scene.moment.paths, self.layout.log_scale)
        self.strength[:, scene.at] = np.moveaxis(general, -1, 0)
        weight = np.where(rows.weight != 0, rows.weight, 1)
        there = (parts.moved + parts.step) / weight
        for i, slot in zip(*np.nonzero(rows.weight), strict=True):
            held = self.on_rule.setdefault((i, rows.lobby[i, slot]), np.zeros(self.strength.shape[1:]))
            held[scene.at] = there[..., i, slot]

    def result(self) -> xr.Dataset:
        pairs, times = self.p.shape[:2]
        bases = [_basis(signal) for signal in self.strength]
        found = np.zeros((pairs, times, len(bases)))
        for i, p in enumerate(self.p):
            centred = _centred(p)
            for lobby, general in enumerate(bases):
                here = self.on_rule.get((i, lobby))
                found[i, :, lobby] = _share(general if here is None else _basis(here), centred)
        data = {"voi": (("time", "lobby"), found), "variance": (("time",), self.p.var(axis=(2, 3)))}
        return self.grid.dataset(data, lobby=[lobby.id for lobby in self.layout.case.lobbies])


def share_explained(signal: NDArray, p: NDArray) -> NDArray:
    r"""Share of the variance of p that a signal explains, by regression on polynomials of the signal's rank.

    With Q an orthonormal basis of the polynomials without their constant and r the residuals, the explained sum of
    squares :math:`|Q'p|^2` has in it, by chance alone, :math:`\sum_d |Q_d' r_d|^2 D / (D - degree)` over the D draws;
    paths of one draw are not independent, and this allows for it. It is taken out.

    Parameters
    ----------
    signal : array (draw, path)
    p : array (time, draw, path)

    Returns
    -------
    array (time,)
        At most 1; 0 where the signal or p does not vary.
    """
    return _share(_basis(signal), _centred(p))


def _centred(p: NDArray) -> NDArray:
    """(draw, path, time), less the mean."""
    moved = np.moveaxis(p, 0, -1)
    return moved - moved.mean(axis=(0, 1))


def _basis(signal: NDArray) -> NDArray | None:
    """Orthonormal polynomials in the ranks, (draw, path, degree); None for a signal that does not vary."""
    if np.ptp(signal) == 0:
        return None
    from scipy.stats import rankdata

    rank = (2 * rankdata(signal.ravel()) - 1) / signal.size - 1
    columns = legendre.legvander(rank, DEGREE)[:, 1:]
    return np.linalg.qr(columns - columns.mean(axis=0))[0].reshape(*signal.shape, DEGREE)


def _share(basis: NDArray | None, p: NDArray) -> NDArray:
    total = (p**2).sum(axis=(0, 1))
    if basis is None:
        return np.zeros(p.shape[-1])
    n = len(basis)
    fit = np.einsum("dpq,dpt->qt", basis, p, optimize=True)
    residual = p - basis @ fit
    by_chance = ((np.swapaxes(basis, 1, 2) @ residual) ** 2).sum(axis=(0, 1)) * n / (n - basis.shape[-1])
    return np.where(total > 0, ((fit**2).sum(axis=0) - by_chance) / np.where(total > 0, total, 1), 0.0)
