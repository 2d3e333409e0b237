"""What a case and its priors come to in arrays; the same layout serves inference, prior predictive and forecast."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import dynamics, theory
from bayes_compliance.case.dates import years_between
from bayes_compliance.history import Record
from bayes_compliance.measurements import Measured, measured
from bayes_compliance.rows import ANY_RULE, History, Item, RowBuilder, Rows

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Decision, Lobby
    from bayes_compliance.elicitation import Prior, Priors

OUTCOME = {
    "adhere": theory.COMPLY,
    "not_adhere": theory.VIOLATE,
    "comply": theory.COMPLY,
    "comply_late": theory.PARTIAL,
    "partial": theory.PARTIAL,
    "violate": theory.VIOLATE,
}


class Terms(NamedTuple):
    """Rows of one slot each, what they met, their knots and pairs (term, 1), and sums that make rows, (row, term).

    `row` is the row of each term, (term,).
    """

    rows: Rows
    history: History
    knot: NDArray
    pair: NDArray
    total: NDArray
    row: NDArray


def is_zero(prior: Prior | None) -> bool:
    """Whether a quantity is not there, or known to be 0."""
    return prior is None or (prior.is_constant and prior.value == 0)


def distinct(names: Iterable[str]) -> list[str]:
    """Names with a number behind those that have stood before: `a`, `b`, `a (2)`."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


PLACED = ("knot_slot", "path_factors", "path_steps", "_later_knots", "pair_slot", "blocks", "coords")
"""What a layout works out from its knots and used pairs."""


def pairs_of(*rows: Rows, used: Iterable[int] = ()) -> NDArray:
    """Positions of the pairs that some rows are about, or that are used already, sorted."""
    about = [one.pair[(one.pair >= 0) & (one.weight != 0)] for one in rows]
    return np.unique(np.concatenate([np.array([*used], int), *about]))


class Layout:
    """A case and its priors as arrays.

    Parameters
    ----------
    case : Case
    priors : Priors

    Attributes
    ----------
    rows : Rows
        Depth rows (status quo at adherence, decided `violate`), then the decisions with an outcome, canonically sorted.
    outcome, error : (row,)
        Coded outcome and miscoding probability.
    history : History
        Observed conduct and compliance that each row met.
    obligations : tuple of (state, rule)
        What each state owes, sorted.
    pairs : tuple of (lobby, rule)
        Lobbies that cover all rules of their state, on each rule and on a new one; each has a spread of its own.
    knots : tuple of (lobby, date)
        Where a lobby's path matters to a row; on the reference date it is 0 and needs none.
    """

    def __init__(self, case: Case, priors: Priors) -> None:
        self.case, self.priors = case, priors
        self.obligations = tuple(sorted((state.id, rule) for state in case.states for rule in state.rules))
        self.pairs = tuple(
            (lobby.id, rule)
            for lobby in case.lobbies
            if self._spreads(lobby)
            for rule in [*sorted(case.state(lobby.state).rules), ANY_RULE]
        )
        self.builder = RowBuilder(case, {p: i for i, p in enumerate(self.pairs)}, self.obligation_index)
        depth = [Item(*one, "status_quo") for one in case.depths()]
        decided = self.decisions
        self.depth = np.arange(len(depth) + len(decided)) < len(depth)
        self.rows = self.rows_for([*depth, *(Item(d.state, d.rule, d.date, d.kind) for d in decided)])
        self.outcome = np.array([theory.VIOLATE] * len(depth) + [OUTCOME[d.decision] for d in decided], int)
        self.error = np.array([0.0] * len(depth) + [theory.MISCODING[d.confidence] for d in decided])

    @cached_property
    def decisions(self) -> list[Decision]:
        """Decisions with an outcome (a pending one has no likelihood), canonically sorted."""
        return [d for d in self.case.decisions if d.decision != "pending"]

    @cached_property
    def state_index(self) -> dict[str, int]:
        return {state.id: i for i, state in enumerate(self.case.states)}

    @cached_property
    def obligation_index(self) -> dict[tuple[str, str], int]:
        return {pair: i for i, pair in enumerate(self.obligations)}

    @cached_property
    def lobby_state(self) -> NDArray:
        return np.array([self.state_index[lobby.state] for lobby in self.case.lobbies])

    @cached_property
    def log_scale(self) -> NDArray:
        return np.array([not self.case.is_linear(lobby) for lobby in self.case.lobbies])

    @cached_property
    def judged_conduct(self) -> NDArray:
        """States whose counterparties' conduct is not modelled."""
        return np.array([not state.counterparties for state in self.case.states])

    def _spreads(self, lobby: Lobby) -> bool:
        name = "rule_spread_points" if self.case.is_linear(lobby) else "rule_spread"
        state = [s.id for s in self.case.states].index(lobby.state)
        return lobby.rules is None and not is_zero(self.priors.quantities[name].priors[state])

    def rows_for(self, items: Sequence[Item]) -> Rows:
        """Rows for the items, in their order."""
        return self.builder.build(items)

    def time(self, day: date) -> float:
        """Years since the reference date."""
        return years_between(self.case.reference_date, day)

    @cached_property
    def paths(self) -> tuple[dynamics.Path, ...]:
        """The law of each lobby's path: mean reversion and the known shocks of its state."""
        moves = self.case.dynamics
        return tuple(
            dynamics.Path(
                lobby.mean_reversion_half_life or moves.mean_reversion_half_life,
                tuple((self.time(shock.date), shock.scale) for shock in moves.shocks if lobby.state in shock.states),
            )
            for lobby in self.case.lobbies
        )

    @cached_property
    def measured(self) -> Measured:
        """Proxies as measurements, where the case asks for it."""
        return measured(self)

    @cached_property
    def knots(self) -> tuple[tuple[int, date], ...]:
        return self.knots_at(self.points_of(self.rows) | self.measured.points)

    def points_of(self, rows: Rows) -> set[tuple[int, date]]:
        """Lobbies that weigh in some rows, with the rows' dates."""
        return {(int(rows.lobby[i, slot]), rows.items[i].date) for i, slot in np.argwhere(rows.weight)}

    def knots_at(self, points: Iterable[tuple[int, date]]) -> tuple[tuple[int, date], ...]:
        """Those points at which a path is not known beforehand, sorted."""
        moving = [not is_zero(prior) for prior in self.priors.quantities["volatility"].priors]
        return tuple((lobby, day) for lobby, day in sorted(points) if moving[lobby] and day != self.case.reference_date)

    @cached_property
    def knot_slot(self) -> NDArray:
        """Knot of each (row, slot), -1 on the reference date and for a lobby that does not move."""
        return self.knot_slot_of(self.rows)

    def knot_slot_of(self, rows: Rows) -> NDArray:
        """The same of any rows on dates of knots."""
        index = {knot: i for i, knot in enumerate(self.knots)}
        return np.array(
            [[index.get((int(lobby), item.date), -1) for lobby in lobbies]
             for item, lobbies in zip(rows.items, rows.lobby, strict=True)], int,
        ).reshape(rows.lobby.shape)  # fmt: skip

    def knots_of(self, lobby: int) -> NDArray:
        """Positions of a lobby's knots, in time order."""
        return np.array([i for i, (which, _) in enumerate(self.knots) if which == lobby], int)

    @cached_property
    def path_factors(self) -> tuple[NDArray, ...]:
        """Of each lobby, lower-triangular A with W at its knots = A e for independent standard normal e."""
        times = [[self.time(self.knots[i][1]) for i in self.knots_of(lobby)] for lobby in range(len(self.paths))]
        return tuple(path.factor(np.array(at)) for path, at in zip(self.paths, times, strict=True))

    @cached_property
    def path_steps(self) -> tuple[NDArray, NDArray]:
        """The same knot by knot, (knot,) each: W is kept times W at the lobby's knot before, plus new times e."""
        each = [dynamics.steps_of(factor) for factor in self.path_factors]
        kept, new = (np.concatenate([np.zeros(0), *parts]) for parts in zip(*each, strict=True))
        return kept, new

    def walk(self, innovation: NDArray) -> NDArray:
        """W at the knots for standard normal innovations, (..., knot): of each draw the same bits beside any others."""
        kept, new = self.path_steps
        found = innovation * new
        for at in self._later_knots:
            found[..., at] += kept[at] * found[..., at - 1]
        return found

    @cached_property
    def _later_knots(self) -> list[NDArray]:
        """The second knot of each lobby, the third, and so on, as far as there are any."""
        places = np.concatenate([np.zeros(0, int), *(np.arange(len(factor)) for factor in self.path_factors)])
        return [np.flatnonzero(places == k) for k in range(1, places.max(initial=0) + 1)]

    @cached_property
    def pairs_used(self) -> NDArray:
        """Positions in `pairs` that some row is about; the others are as the prior has them."""
        return pairs_of(self.rows, *([self.measured.votes.rows] if self.measured.votes else []))

    def knowing(self, rows: Rows) -> Self:
        """The same with W and spreads on some rows among what is known, though they are no data.

        So all that is asked about them is asked in one world. It is the layout itself where it knows them already; else
        `bayes_compliance.inference.carry` makes its draws.
        """
        known = self.knots_at({*self.knots, *self.points_of(rows)}), pairs_of(rows, used=self.pairs_used)
        if known[0] == self.knots and len(known[1]) == len(self.pairs_used):
            return self
        other = copy.copy(self)
        for name in PLACED:
            other.__dict__.pop(name, None)
        other.__dict__["knots"], other.__dict__["pairs_used"] = known
        return other

    @cached_property
    def pair_slot(self) -> NDArray:
        """Position among the used pairs of each (row, slot), -1 where the lobby has no spread."""
        return self.pair_slot_of(self.rows)

    def pair_slot_of(self, rows: Rows) -> NDArray:
        """The same of any rows whose pairs are used."""
        position = np.full(len(self.pairs) + 1, -1)
        position[self.pairs_used] = np.arange(len(self.pairs_used))
        return position[rows.pair]

    @cached_property
    def relations(self) -> tuple[NDArray, NDArray]:
        """States whose discount was judged (instead of w), and those whose punishment lasts for ever."""
        discount = self.priors.quantities["discount"].priors
        periods = self.priors.quantities["punishment_periods"].priors
        return np.array([p is not None for p in discount]), np.array([p is None for p in periods])

    @cached_property
    def entrenches(self) -> bool:
        """Whether entrenchment was judged for any lobby."""
        return not all(is_zero(prior) for prior in self.priors.quantities["entrenchment"].priors)

    @cached_property
    def specific(self) -> bool:
        """Whether asset specificity was judged for any lobby."""
        return not all(is_zero(prior) for prior in self.priors.quantities["specificity"].priors)

    @cached_property
    def diluted(self) -> bool:
        """Whether retaliation was judged to be diluted for any lobby."""
        return any(prior is not None for prior in self.priors.quantities["dilution"].priors)

    def viewers(self, labels: Sequence[str]) -> NDArray:
        """States that count a compliance row: all if it names no counterparty, else those that it names."""
        return np.array([not labels or state.id in labels for state in self.case.states])

    @cached_property
    def _replayed(self) -> tuple[Record, History]:
        record = Record(len(self.obligations), len(self.case.states))
        rows, n = self.rows, len(self.rows)
        credit, count, accrued = np.zeros((n, self.builder.width)), np.zeros((n, self.builder.width)), np.zeros(n)
        first = int(self.depth.sum())
        in_order = sorted(range(n), key=lambda i: (rows.items[i].date, i))
        for day, group in groupby(in_order, key=lambda i: rows.items[i].date):
            met = [(i, own) for i in group if (own := self.obligation_index.get(rows.items[i][:2])) is not None]
            decided = [(i, own) for i, own in met if rows.compliance[i]]
            for i, own in met:
                accrued[i] = record.accrued(np.array(own), self.time(day))
            for i, _ in decided:
                got = record.conduct(rows.answering[i : i + 1], rows.state[i : i + 1])
                credit[i], count[i] = got[0][0], got[1][0]
            for i, own in decided:
                record.add(own, self.time(day), self.outcome[i], self.viewers(self.decisions[i - first].counterparty))
        return record, History(credit, count, accrued)

    @cached_property
    def blocks(self) -> tuple[Terms, ...]:
        """Slots that count as rows of their own, parted by what they need: answers to conduct abroad, the log scale."""
        return tuple(self._terms(row, slot) for row, slot in self.rows.by_kind())

    def _terms(self, row: NDArray, slot: NDArray) -> Terms:
        rows = self.rows.exploded(row, slot)
        total = (np.arange(len(self.rows))[:, None] == row).astype(float)
        history = History(*(part[row] for part in self.history))
        knot, pair = self.knot_slot[row, slot][:, None], self.pair_slot[row, slot][:, None]
        return Terms(rows, history, knot, pair, total, row)

    @property
    def history(self) -> History:
        return self._replayed[1]

    @property
    def record(self) -> Record:
        """The observed record after the last decision."""
        return self._replayed[0]

    def record_before(self, day: date) -> Record:
        """The observed record of the decisions strictly before a date."""
        record = Record(len(self.obligations), len(self.case.states))
        outcomes = self.outcome[int(self.depth.sum()) :]
        for d, outcome in sorted(zip(self.decisions, outcomes, strict=True), key=lambda pair: pair[0].date):
            if d.kind == "compliance" and d.date < day:
                own = self.obligation_index[d.state, d.rule]
                record.add(own, self.time(d.date), outcome, self.viewers(d.counterparty))
        return record

    @cached_property
    def labels(self) -> list[str]:
        """A distinct name for each row: date, state, rule and stage."""
        return distinct(f"{item.date} {item.state} {item.rule} {item.stage}" for item in self.rows.items)

    @cached_property
    def coords(self) -> dict[str, Any]:
        """Names along the dims that the posterior has."""
        lobbies = [lobby.id for lobby in self.case.lobbies]
        return {
            "state": [state.id for state in self.case.states],
            "lobby": lobbies,
            "decision": self.labels,
            "pair": [" | ".join(self.pairs[i]) for i in self.pairs_used],
            "knot": [f"{lobbies[lobby]} | {day}" for lobby, day in self.knots],
        }
