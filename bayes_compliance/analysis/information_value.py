"""What should we find out next: how much of the doubt about compliance would go with the doubt about one lobby."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Unpack

import numpy as np
import xarray as xr
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.special import ndtri

from bayes_compliance import theory
from bayes_compliance.analysis.ahead import Ahead, Options, Scene, undecided

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared

DRAWS, PATHS = 1000, 4
DEGREE, TAIL = 5, 2
"""Regressors: polynomials of the signal's rank up to DEGREE and, for the tails, of its normal score to TAIL."""


def value_of_information(prepared: Prepared, tree: xr.DataTree, **options: Unpack[Options]) -> xr.Dataset:
    r"""Share of the variance of p that knowing a lobby's strength on the day of the last decision would take away.

    .. math:: VOI_l(t) = \frac{Var\{E[p_{comply}(t) \mid m_l]\}}{Var\{p_{comply}(t)\}}

    with p that of a world (a draw and a future path) and m_l the lobby's magnitude on that day, in points: where it
    bears on the rule its weight there, with the rule's spread, entrenchment so far, and the step dP or dG; for other
    lobbies, such as the counterparty's, which matter through conduct, without these. Estimated by regression, see
    `share_explained`. It ranks what to find out, not whom to move.

    Parameters
    ----------
    prepared, tree
        A model with `parts`, and its fit.
    **options
        `seed`, `until`, `step_years`, `draws`, `paths`, `joining` as in `Ahead`; by default `DRAWS` and `PATHS`.

    Returns
    -------
    Dataset
        `voi` (state, rule, time, lobby), about 0 (or a little below, by chance) for a lobby that tells nothing and at
        most 1; and `variance` (state, rule, time) of p. Lobbies of all states are asked about.
    """
    ahead = Ahead(prepared, tree, **(Options(draws=DRAWS, paths=PATHS) | options))
    asked = Signals(ahead)
    ahead.put([asked], before=[undecided(ahead)])
    return asked.result()


class Signals:
    """Lobbies' strength on the last decision's day, `undecided`, and p later, in every world: (..., draw, path)."""

    def __init__(self, ahead: Ahead) -> None:
        self.grid, self.layout = ahead.grid, ahead.layout
        self.last = ahead.layout.case.last_decision_date()
        self.p = np.zeros(ahead.shape)
        self.strength = np.zeros((len(ahead.layout.case.lobbies), *ahead.shape[2:]))
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
        found = np.zeros((pairs, times, len(self.strength)))
        moved = [centred(p) for p in self.p]
        for lobby, signal in enumerate(self.strength):
            elsewhere = [i for i in range(pairs) if (i, lobby) not in self.on_rule]
            if elsewhere:
                share = share_explained(regressors_of(signal), np.concatenate([moved[i] for i in elsewhere], axis=-1))
                found[elsewhere, :, lobby] = share.reshape(-1, times)
        for (i, lobby), signal in self.on_rule.items():
            found[i, :, lobby] = share_explained(regressors_of(signal), moved[i])
        data = {"voi": (("time", "lobby"), found), "variance": (("time",), self.p.var(axis=(2, 3)))}
        return self.grid.dataset(data, lobby=[lobby.id for lobby in self.layout.case.lobbies])


def centred(p: NDArray) -> NDArray:
    """(draw, path, time), less the mean."""
    moved = np.moveaxis(p, 0, -1)
    return moved - moved.mean(axis=(0, 1))


class Regressors(NamedTuple):
    """Orthonormal regressors, (draw, path, regressor), and what each draw's share of them leaves, inverted."""

    basis: NDArray
    without: NDArray


def regressors_of(signal: NDArray) -> Regressors | None:
    """What to regress on; None for a signal that does not vary."""
    if np.ptp(signal) == 0:
        return None
    from scipy.stats import rankdata

    rank = (2 * rankdata(signal.ravel()) - 1) / signal.size - 1
    score = ndtri((1 + rank) / 2)
    columns = np.column_stack([legendre.legvander(rank, DEGREE)[:, 1:], *(score**k for k in range(1, TAIL + 1))])
    columns -= columns.mean(axis=0)
    # by the small Gram matrix: a threaded QR of so thin a matrix spends its time waiting on busy cores
    whiten = np.linalg.inv(np.linalg.cholesky(np.einsum("wi,wj->ij", columns, columns)))
    basis = (columns @ whiten.T).reshape(*signal.shape, -1)
    # a draw that alone spans a regressor has no residual to leave out
    own = np.swapaxes(basis, 1, 2) @ basis * (1 - 1e-9)
    return Regressors(basis, np.linalg.inv(np.eye(basis.shape[-1]) - own))


def share_explained(regressors: Regressors | None, p: NDArray) -> NDArray:
    r"""Share of the variance of p that a signal explains, by regression on its rank.

    With Q an orthonormal basis of the regressors (their constant apart) and r the residuals, the explained sum of
    squares :math:`|Q'p|^2` has in it, by chance alone, :math:`\sum_d s_d' (I - Q_d' Q_d)^{-1} s_d` with
    :math:`s_d = Q_d' r_d` over the draws d: residuals times residuals with their draw left out, so that neither the
    dependence of a draw's paths nor a draw far out on the signal's scale matters. It is taken out.

    Parameters
    ----------
    regressors : Regressors or None
        Those of the signal.
    p : array (draw, path, time)
        `centred`.

    Returns
    -------
    array (time,)
        At most 1; 0 where the signal or p does not vary.
    """
    total = (p**2).sum(axis=(0, 1))
    if regressors is None:
        return np.zeros(p.shape[-1])
    basis, without = regressors
    fit = np.einsum("dpq,dpt->qt", basis, p, optimize=True)
    score = np.swapaxes(basis, 1, 2) @ (p - basis @ fit)
    by_chance = (score * (without @ score)).sum(axis=(0, 1))
    return np.where(total > 0, ((fit**2).sum(axis=0) - by_chance) / np.where(total > 0, total, 1), 0.0)
