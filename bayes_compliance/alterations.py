"""What a what-if changes in the worlds ahead, from a date on; everything else stays as the posterior has it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.dynamics import Path
from bayes_compliance.latents import WHERE_NOT_JUDGED, Draws, Latents
from bayes_compliance.rows import RowBuilder, Rows

if TYPE_CHECKING:
    from bayes_compliance.case import Lobby
    from bayes_compliance.layout import Layout


class Added(NamedTuple):
    """A new lobby and its magnitude, which is known and stays as it is."""

    lobby: Lobby
    magnitude: float


@dataclass(frozen=True)
class Alteration:
    """Changes to the worlds ahead; by default none.

    Attributes
    ----------
    since : date
        The first date on which they hold.
    scales : dict of lobby to factor >= 0
        Multiply the lobby's weight in compliance (for P and G with their step); 0 takes it away.
    added : tuple of Added
        New lobbies, without movement, step or spread between rules.
    q, w : dict of state to share
        What the state expects of its counterparties' conduct, and the weight that it gives to it.
    pace : dict of state to factor >= 0
        Multiplies the volatility of the state's lobbies, and with it shocks after the date.
    shock : dict of state to scale >= 0
        A shock on the date, in yearly standard deviations of each of the state's lobbies.
    answering : dict of state to set of states
        The only counterparties whose conduct moves the state's L; a lobby that answers several loses the others' share.
    """

    since: date
    scales: Mapping[str, float] = field(default_factory=dict)
    added: tuple[Added, ...] = ()
    q: Mapping[str, float] = field(default_factory=dict)
    w: Mapping[str, float] = field(default_factory=dict)
    pace: Mapping[str, float] = field(default_factory=dict)
    shock: Mapping[str, float] = field(default_factory=dict)
    answering: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Altered:
    """A layout under an alteration: how the dates from `since` on are to be asked about.

    Parameters
    ----------
    layout : Layout
    alteration : Alteration

    Attributes
    ----------
    layout : Layout
        The same with the new lobbies behind the others, and with conduct judged where `q` sets it.
    """

    def __init__(self, layout: Layout, alteration: Alteration) -> None:
        self.base, self.alteration = layout, alteration
        self.layout = self._layout()
        scales = [alteration.scales.get(lobby.id, 1.0) for lobby in self.layout.case.lobbies]
        self._scales = np.array(scales)

    def _layout(self) -> Layout:
        base, added = self.base, self.alteration.added
        layout = copy.copy(base)
        layout.case = base.case.restated(lobbies=(*base.case.lobbies, *(new.lobby for new in added)))
        layout.builder = RowBuilder(layout.case, base.builder.pair_index, base.obligation_index)
        set_here = np.array([state.id in self.alteration.q for state in base.case.states])
        layout.__dict__["judged_conduct"] = base.judged_conduct | set_here
        return layout

    def holds(self, day: date) -> bool:
        """Whether the alteration is in force on a date."""
        return day >= self.alteration.since

    def rows(self, rows: Rows) -> Rows:
        """The same rows with lobbies added, scaled and taken away, and with L cut down to who answers."""
        new = self.layout.rows_for(rows.items) if self.alteration.added else rows
        new = replace(new, weight=new.weight * self._scales[new.lobby])
        return self._answering(new) if self.alteration.answering else new

    def _answering(self, rows: Rows) -> Rows:
        case, answering = self.layout.case, self.alteration.answering
        kept = np.ones((len(case.states), rows.sees.shape[-1]))
        for i, state in enumerate(case.states):
            if state.id in answering:
                among = [other in answering[state.id] for other in state.counterparties or ()]
                kept[i, : len(among)] = among
        none = [
            b.counterparties is not None and b.state in answering and answering[b.state].isdisjoint(b.counterparties)
            for b in case.lobbies
        ]
        gone = rows.answers & np.array(none)[rows.lobby]
        return replace(rows, sees=rows.sees * kept[rows.state][:, None], weight=np.where(gone, 0.0, rows.weight))

    def quantities(self, x: Mapping[str, NDArray]) -> Draws:
        """Quantities with the new lobbies' columns and with q and w as they are set."""
        new = dict(x)
        for name, dim in Latents(self.base).dims.items():
            if dim == "lobby" and self.alteration.added:
                new[name] = np.concatenate([x[name], self._columns(name, x[name])], axis=-1)
        self._set(new, "reciprocity", self.alteration.q)
        # where only w is known it stands for the discount too
        self._set(new, "shadow", self.alteration.w)
        self._set(new, "discount", self.alteration.w)
        return new

    def _columns(self, name: str, like: NDArray) -> NDArray:
        values = [
            new.magnitude if name == "magnitude" else WHERE_NOT_JUDGED.get(name, 0.0) for new in self.alteration.added
        ]
        return np.broadcast_to(np.array(values), (*like.shape[:-1], len(values)))

    def _set(self, x: Draws, name: str, given: Mapping[str, float]) -> None:
        if given:
            x[name] = x[name].copy()
            for state, value in given.items():
                x[name][..., self.base.state_index[state]] = value

    @property
    def _start(self) -> float:
        # a path is pinned on the reference date, and what is observed stays observed
        layout = self.base
        return max(layout.time(self.alteration.since), layout.time(layout.case.last_decision_date()), 0.0)

    def law(self) -> tuple[Path, ...]:
        """The law of each lobby's path, with its pace."""
        pace = self.alteration.pace
        pairs = zip(self.base.case.lobbies, self.base.paths, strict=True)
        return tuple(
            replace(path, pace=(self._start, pace[lobby.state])) if lobby.state in pace else path
            for lobby, path in pairs
        )

    def paces(self, times: NDArray) -> NDArray:
        """Pace of each state's lobbies at its times, (..., state, date)."""
        found = np.ones(times.shape)
        for state, factor in self.alteration.pace.items():
            s = self.base.state_index[state]
            found[..., s, :] = np.where(times[..., s, :] > self._start, factor, 1.0)
        return found

    def shocks(self, times: NDArray, normal: NDArray) -> NDArray:
        """What the shock on the date adds to W of each lobby, (draw, path, lobby, date), from standard normals."""
        shock, pace = self.alteration.shock, self.alteration.pace
        scale = np.array([shock.get(b.state, 0.0) * pace.get(b.state, 1.0) for b in self.base.case.lobbies])
        left = np.stack([path.left(times - self._start) for path in self.base.paths])
        return normal[..., None] * (scale[:, None] * left)
