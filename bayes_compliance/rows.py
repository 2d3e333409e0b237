"""Rows (decisions) and their slots (one lobby's part in one decision), as arrays that the equations broadcast over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import dynamics
from bayes_compliance.case.vocabulary import ANY_RULE

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Lobby

BY_SLOT = ("lobby", "pair", "weight", "answers", "steps", "kept_sign", "log", "share", "sees")
"""Arrays of `Rows` with an axis for the slots."""


class Item(NamedTuple):
    """One row before it becomes arrays. Rule `*` is the whole agreement at adherence and a new rule at compliance."""

    state: str
    rule: str
    date: date
    stage: str


class History(NamedTuple):
    """What each row's decision-makers had seen: counterparties' credit and count, and years of own compliance.

    Shapes worlds + (row, counterparty), (row, counterparty) and worlds + (row,).
    """

    credit: Any
    count: Any
    accrued: Any


class Foreseen(NamedTuple):
    """A history whose deciders expect conduct, (..., row, counterparty), whatever the counterparties' record."""

    credit: Any
    count: Any
    accrued: Any
    expected: Any


def of_worlds(history: Any, some: NDArray) -> Any:
    """A history (foreseen or not) in some of its worlds, by their first axis."""
    by_world = [name for name in history._fields if name != "count"]
    return history._replace(**{name: getattr(history, name)[some] for name in by_world})


@dataclass(frozen=True)
class Rows:
    """Rows as arrays.

    Attributes
    ----------
    items : tuple of Item
    state, threshold, compliance, n_outcomes : (row,)
        Index of the state, its threshold in points, whether the row is a compliance decision, and how many outcomes it
        may have: 3 with a partial one, else 2.
    ended, ending : (row,)
        Whether the rule's last period has come (nothing ahead weighs), and whether it has a last period at all.
    lobby, pair : (row, slot)
        Index of the lobby and of its (lobby, rule) pair; the pair is -1 where the lobby has no spread.
    weight : (row, slot)
        Sign and stage weight, 0 in slots that pad; divided by the number of rules where a row is a whole agreement.
    answers, steps : (row, slot)
        Where the weight is multiplied by w q (L at compliance), and where the step is added (P, G at compliance).
    kept_sign : (row, slot)
        Direction of entrenchment: + for J and L, - for K, else 0.
    log : (row, slot)
        Whether the lobby moves on the log scale.
    share : (row, slot)
        Share of the counterparty's side performed, for L at compliance.
    sees : (row, slot, counterparty)
        Weights of the counterparties' conduct, summing to 1 where conduct is modelled.
    answering : (row, counterparty, obligation)
        The counterparty's obligations that answer the row's rule.
    """

    items: tuple[Item, ...]
    state: NDArray
    threshold: NDArray
    compliance: NDArray
    n_outcomes: NDArray
    ended: NDArray
    ending: NDArray
    lobby: NDArray
    pair: NDArray
    weight: NDArray
    answers: NDArray
    steps: NDArray
    kept_sign: NDArray
    log: NDArray
    share: NDArray
    sees: NDArray
    answering: NDArray

    def __len__(self) -> int:
        return len(self.items)

    def scales(self, x: Mapping[str, Any]) -> tuple[Any, Any]:
        """Noise sigma and half-width c of the band of partial outcomes of each row, in points, (..., row)."""
        return x["decision_noise"][..., self.state], x["partial_width"][..., self.state] * (self.n_outcomes == 3)

    def by_kind(self) -> list[tuple[NDArray, NDArray]]:
        """Rows and slots that weigh anything, parted by what they need: whether they answer conduct, and the scale."""
        row, slot = np.nonzero(self.weight)
        kind = 2 * self.answers[row, slot] + self.log[row, slot]
        return [(row[kind == k], slot[kind == k]) for k in np.unique(kind)]

    def exploded(self, row: NDArray, slot: NDArray) -> Rows:
        """Rows of one slot each, for the given rows and slots."""
        one = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "items"}
        by_slot = {name: v[row, slot][:, None] for name, v in one.items() if name in BY_SLOT}
        by_row = {name: v[row] for name, v in one.items() if name not in BY_SLOT}
        return Rows(tuple(self.items[i] for i in row), **by_row, **by_slot)


class _Slot(NamedTuple):
    lobby: int
    pair: int
    weight: float
    answers: bool
    steps: bool
    kept_sign: float
    log: bool
    share: float
    sees: tuple[float, ...]


class RowBuilder:
    """Makes rows of a case.

    Parameters
    ----------
    case : Case
    pair_index : dict of (lobby, rule) to int
        Pairs that have a spread of their own.
    obligation_index : dict of (state, rule) to int
    """

    def __init__(self, case: Case, pair_index: dict[tuple[str, str], int], obligation_index: dict) -> None:
        self.case, self.pair_index, self.obligation_index = case, pair_index, obligation_index
        self.state_index = {state.id: i for i, state in enumerate(case.states)}
        self.lobby_index = {lobby.id: i for i, lobby in enumerate(case.lobbies)}
        self.width = max([len(state.counterparties or ()) for state in case.states], default=0)

    def build(self, items: Sequence[Item]) -> Rows:
        """Rows for the items, in their order."""
        slots = [self._slots(item) for item in items]
        most = max([len(row) for row in slots], default=1) or 1
        first_is_log = not self.case.is_linear(self.case.lobbies[0])  # a pad stands for the first lobby, weighed 0
        pad = _Slot(0, -1, 0.0, False, False, 0.0, first_is_log, 0.0, (0.0,) * self.width)
        full = [row + [pad] * (most - len(row)) for row in slots]

        def column(name: str, kind: type) -> NDArray:
            values = [[getattr(slot, name) for slot in row] for row in full]
            return np.array(values, kind).reshape(len(items), most)

        sees = np.array([[slot.sees for slot in row] for row in full], float).reshape(len(items), most, self.width)
        states = [self.case.state(item.state) for item in items]
        compliance = np.array([item.stage == "compliance" for item in items], bool)
        return Rows(
            items=tuple(items),
            state=np.array([self.state_index[state.id] for state in states], int),
            threshold=np.array([state.threshold for state in states], float),
            compliance=compliance,
            n_outcomes=np.where(compliance, self.case.outcomes, 2),
            ended=np.array([self._ended(item) for item in items], bool),
            ending=np.array([self._last_period(item) is not None for item in items], bool),
            lobby=column("lobby", int),
            pair=column("pair", int),
            weight=column("weight", float),
            answers=column("answers", bool),
            steps=column("steps", bool),
            kept_sign=column("kept_sign", float),
            log=column("log", bool),
            share=column("share", float),
            sees=sees,
            answering=self._answering(items),
        )

    def _slots(self, item: Item) -> list[_Slot]:
        if item.rule == ANY_RULE and item.stage == "adherence":
            rules = self.case.state(item.state).rules
            parts = [self._slots(item._replace(rule=rule)) for rule in rules]
            return [slot._replace(weight=slot.weight / len(rules)) for part in parts for slot in part]
        made = (self._slot(lobby, item) for lobby in self.lobbies_on(item.state, item.rule))
        return [slot for slot in made if slot is not None]

    def lobbies_on(self, state: str, rule: str) -> list[Lobby]:
        """Lobbies that bear on a rule; on a new rule `*`, those that cover all rules of the state."""
        if rule != ANY_RULE:
            return list(self.case.lobbies_on(state, rule))
        return [lobby for lobby in self.case.lobbies if lobby.state == state and lobby.rules is None]

    def _slot(self, lobby: Lobby, item: Item) -> _Slot | None:
        weight = self.stage_weight(lobby, item.stage)
        active = (lobby.from_ is None or lobby.from_ <= item.date) and (lobby.until is None or item.date < lobby.until)
        if weight == 0 or not active:
            return None
        complying = item.stage == "compliance"
        answers = complying and lobby.role == "L"
        return _Slot(
            lobby=self.lobby_index[lobby.id],
            pair=self.pair_index.get((lobby.id, item.rule), -1),
            weight=weight,
            answers=answers,
            steps=complying and lobby.role in ("P", "G"),
            kept_sign={"J": 1.0, "L": 1.0, "K": -1.0}.get(lobby.role, 0.0),
            log=not self.case.is_linear(lobby),
            share=self._share(item) if answers else 0.0,
            sees=self._sees(lobby, item) if answers else (0.0,) * self.width,
        )

    def stage_weight(self, lobby: Lobby, stage: str) -> float:
        """Sign and weight of a lobby at a stage, before w q: design of the three inequalities S0, SA and SC."""
        if lobby.role == "other":
            declared = getattr(lobby.stage_weights, stage)
            return -declared if lobby.side == "-" else declared
        if lobby.role == "K":
            return -1.0
        if stage == "status_quo" and lobby.role != "J":
            return float(lobby.role in self.case.status_quo_includes)
        return 1.0

    def _share(self, item: Item) -> float:
        if item.rule == ANY_RULE:
            return 0.0
        schedule = [((day - item.date).days, share) for day, share in self.case.rule(item.rule).performance]
        return dynamics.performed(schedule, 0.0)

    def _answers_by(self, item: Item, counterparty: str) -> tuple[str, ...]:
        if item.rule == ANY_RULE:
            return self.case.state(counterparty).rules
        return tuple(self.case.answered_by(item.rule, counterparty))

    def _sees(self, lobby: Lobby, item: Item) -> tuple[float, ...]:
        state = self.case.state(item.state)
        weights = [
            weight if (lobby.counterparties is None or other in lobby.counterparties) and self._answers_by(item, other)
            else 0.0
            for other, weight in zip(state.counterparties or (), state.counterparty_weights, strict=True)
        ]  # fmt: skip
        total = sum(weights)
        shares = [weight / total if total else 0.0 for weight in weights]
        return tuple(shares + [0.0] * (self.width - len(shares)))

    def _answering(self, items: Sequence[Item]) -> NDArray:
        found = np.zeros((len(items), self.width, len(self.obligation_index)), bool)
        for i, item in enumerate(items):
            if item.stage != "compliance":
                continue
            for c, other in enumerate(self.case.state(item.state).counterparties or ()):
                for rule in self._answers_by(item, other):
                    found[i, c, self.obligation_index[other, rule]] = True
        return found

    def _last_period(self, item: Item) -> date | None:
        return None if item.rule == ANY_RULE else self.case.rule(item.rule).last_period

    def _ended(self, item: Item) -> bool:
        last = self._last_period(item)
        return last is not None and (item.date >= last or self.case.rule(item.rule).unravelling)
