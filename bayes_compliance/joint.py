"""What hangs together with each decision on its date: the joint systems that simultaneous choice is solved in.

Where states choose at once, a decision rests on the chances of the obligations that answer it, these on those that
answer them, and so on. The lobbies behind all of them have to be known on the date of the decision, whether or not
anything else was decided on it, so a layout of this kind has more knots than one of the decisions alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.layout import Layout
from bayes_compliance.rows import History, Item, Rows

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.elicitation import Priors


class Slice(NamedTuple):
    """Rows of obligations with the years of compliance that they met, and knots and pairs of their slots."""

    rows: Rows
    history: History
    knot: NDArray
    pair: NDArray


class JointLayout(Layout):
    """A layout that knows every obligation which hangs together with a decision on record, on the decision's date.

    Attributes
    ----------
    days : dict of date to tuple of Item
        The obligations of each joint system, sorted; dates on which no decision answers modelled conduct have none.
    by_date : tuple of Slice
        One system each, in the order of `days`.
    joint : Slice
        All of them, one after the other.
    day : int array (joint row,)
        Number of the system that each row belongs to.
    """

    def __init__(self, case: Case, priors: Priors) -> None:
        super().__init__(case, priors)
        self.days = dict(self._days())
        whole = self.rows_for([item for items in self.days.values() for item in items])
        self.__dict__ |= vars(super().knowing(whole))  # as a layout that would know them, from the start
        self.day = np.repeat(np.arange(len(self.days)), [len(items) for items in self.days.values()])
        self._cut()

    def _cut(self) -> None:
        """The systems, placed among the knots and pairs."""
        self.by_date = tuple(self._slice(self.rows_for(items)) for items in self.days.values())
        self.joint = self._slice(self.rows_for([item for items in self.days.values() for item in items]))

    def knowing(self, rows: Rows) -> Self:
        other = super().knowing(rows)
        if other is not self:
            other._cut()
        return other

    def looks(self, rows: Rows) -> NDArray:
        """Weights of the `joint` rows in each row's view of each counterparty, (row, counterparty, joint row)."""
        return mean_of(views(self, rows, self.joint.rows))

    def looks_of(self, row: NDArray, slot: NDArray) -> NDArray:
        """Weights of the `joint` rows that some slots of the joint rows look at, (slot, joint row)."""
        rows = self.joint.rows
        return np.einsum("sk,skn->sn", rows.sees[row, slot], self.looks(rows)[row])

    def _days(self) -> Iterator[tuple[date, tuple[Item, ...]]]:
        by_date: dict[date, list[Item]] = {}
        for item, answers in zip(self.rows.items, answering(self, self.rows).any(axis=1), strict=True):
            if answers:
                by_date.setdefault(item.date, []).append(item)
        for day, decided in sorted(by_date.items()):
            yield day, self._hanging_together(day, decided)

    def _hanging_together(self, day: date, decided: list[Item]) -> tuple[Item, ...]:
        every = self.rows_for([Item(*pair, day, "compliance") for pair in self.obligations])
        needs = self._needs(every)
        found = self._needs(self.rows_for(decided)).any(axis=0)
        for _ in self.obligations:
            found = found | needs[found].any(axis=0)
        return tuple(every.items[i] for i in np.flatnonzero(found))

    def _needs(self, rows: Rows) -> NDArray:
        """The obligations that each row rests on, (row, obligation)."""
        seen = rows.sees * answering(self, rows)[..., None]
        return np.einsum("isc,ico->io", seen, rows.answering.astype(float)) > 0

    def _slice(self, rows: Rows) -> Slice:
        nothing = np.zeros((len(rows), self.builder.width))
        return Slice(
            rows, History(nothing, nothing, self._accrued(rows)), self.knot_slot_of(rows), self.pair_slot_of(rows),
        )  # fmt: skip

    def _accrued(self, rows: Rows) -> NDArray:
        """Years of compliance on record before each row's date, (row,)."""
        records = {day: self.record_before(day) for day in {item.date for item in rows.items}}
        own = [np.array(self.obligation_index[item.state, item.rule]) for item in rows.items]
        return np.array(
            [records[item.date].accrued(at, self.time(item.date)) for item, at in zip(rows.items, own, strict=True)]
        )


class Margins(NamedTuple):
    """What a joint system is made of, (..., row) and (..., lobby that answers), with the row and slot of each lobby."""

    base: Any
    noise: Any
    gain: Any
    bend: Any
    row: NDArray
    slot: NDArray


def answering(layout: Layout, rows: Rows) -> NDArray:
    """Slots that answer conduct which is modelled, (row, slot)."""
    return rows.answers & (rows.weight != 0) & ~layout.judged_conduct[rows.state][:, None]


def views(layout: Layout, rows: Rows, others: Rows) -> NDArray:
    """Which of the other rows, on its own date, each row sees in each counterparty: 0 or 1, (row, counterparty, other).

    Those are the counterparty's obligations that answer the row's rule.
    """
    obligation = np.array([layout.obligation_index.get((item.state, item.rule), -1) for item in others.items], int)
    mine, theirs = (np.array([item.date for item in one.items], "datetime64[D]") for one in (rows, others))
    seen = rows.answering[..., obligation] & (obligation >= 0) & (mine[:, None] == theirs)[:, None]
    return seen.astype(float)


def mean_of(views: NDArray) -> NDArray:
    """Weights that sum to 1 over what is seen, or 0 where nothing is."""
    return views / np.maximum(views.sum(-1, keepdims=True), 1)
