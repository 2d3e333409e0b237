"""Many worlds in parallel: decisions taken in sequence, each meeting the conduct that came before it in its world."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import groupby
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.alterations import Alteration, Altered
from bayes_compliance.asking import (
    Answer,
    Kind,
    answered,
    ask,
    decide,
    kinds_of,
    miscode,
    on_slots,
    related,
    support_of_worlds,
)
from bayes_compliance.history import Record
from bayes_compliance.latents import Draws
from bayes_compliance.rows import History, Item, Rows
from bayes_compliance.watched import Watched

if TYPE_CHECKING:
    from bayes_compliance.dynamics import Path
    from bayes_compliance.layout import Layout


def replay(
    model: ModuleType,
    layout: Layout,
    draws: Mapping[str, NDArray],
    rng: np.random.Generator,
    *,
    as_coded: bool = False,
) -> NDArray:
    """Simulate the observed rows in sequence, conduct included: coded decisions, shape (world, row).

    Depth rows are decided like any other, so that a prior that contradicts a declared depth shows. What others see of
    a decision is the decision itself or, `as_coded`, its coding: the world as the likelihood has it.
    """
    n = len(draws["innovation"])
    x = related(layout, draws)
    walk, spread = layout.walk(draws["innovation"]), draws["spread"]
    record = Record(len(layout.obligations), len(layout.case.states), (n,))
    decided = np.zeros((n, len(layout.rows)), int)
    first = int(layout.depth.sum())
    order = sorted(range(len(layout.rows)), key=lambda i: (layout.rows.items[i].date, i))
    for day, group in groupby(order, key=lambda i: layout.rows.items[i].date):
        at = np.array(list(group))
        rows = layout.rows_for([layout.rows.items[i] for i in at])
        history = met(layout, rows, record, layout.time(day))
        slots = rows.lobby.shape[1]
        answer = ask(
            model, layout, rows, x, on_slots(walk, layout.knot_slot[at, :slots]),
            on_slots(spread, layout.pair_slot[at, :slots]), history,
        )  # fmt: skip
        decided[:, at] = decide(answer, rng.random((n, len(at))))
        if as_coded:
            decided[:, at] = miscode(decided[:, at], layout.error[at], layout.rows.n_outcomes[at], rng)
        for i in at[rows.compliance]:
            item = layout.rows.items[i]
            viewers = layout.viewers(layout.decisions[i - first].counterparty)
            own = layout.obligation_index[item.state, item.rule]
            record.add(own, layout.time(day), decided[:, i], viewers)
    return decided if as_coded else miscode(decided, layout.error, layout.rows.n_outcomes, rng)


def met(layout: Layout, rows: Rows, record: Record | Watched, time: float) -> History:
    """What the record shows to each of the rows, all on one date."""
    credit, count = record.conduct(rows.answering, rows.state)
    own = [layout.obligation_index.get((item.state, item.rule), -1) for item in rows.items]
    return History(credit, count, record.accrued(np.array(own, int), time) * (np.array(own) >= 0))


@dataclass(frozen=True)
class Day:
    """One date ahead: its rows, which of them are reported, and which are decisions taken on that date."""

    date: date
    rows: Rows
    reported: NDArray
    decided: NDArray

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """The rows' slots by kind."""
        return kinds_of(self.rows)

    def with_all(self, layout: Layout) -> Day:
        """The same with every obligation among its rows, for a model in which all of them hang together."""
        there = {(item.state, item.rule) for item in self.rows.items}
        more = [Item(*pair, self.date, "compliance") for pair in layout.obligations if pair not in there]
        if not more:
            return self
        blank = np.zeros(len(more), bool)
        rows = layout.rows_for([*self.rows.items, *more])
        return Day(self.date, rows, np.append(self.reported, blank), np.append(self.decided, blank))


@dataclass(frozen=True)
class Moment:
    """One date in every world: what the rows met, the theory's answer, the outcomes; arrays (draw, path, row...).

    `paths` is W of each lobby, (draw, path, lobby), of which random shocks are `jumps`; `pairs` the spread of each
    pair, (draw, path, pair), alike on all paths.
    """

    day: Day
    history: History
    paths: NDArray
    jumps: NDArray
    pairs: NDArray
    answer: Answer
    outcome: NDArray
    added: int = 0

    @cached_property
    def walk(self) -> NDArray:
        """W on the slots of the date's rows, (draw, path, row, slot); lobbies of a what-if stand still."""
        return still(self.paths, self.added)[..., self.day.rows.lobby]

    @cached_property
    def spread(self) -> NDArray:
        """Spread on the slots of the date's rows, (draw, 1, row, slot)."""
        return on_slots(self.pairs[:, :1], self.day.rows.pair)

    def on(self, rows: Rows) -> tuple[NDArray, NDArray]:
        """W and z on the slots of other rows of the same date, (draw, path, row, slot) and (draw, 1, row, slot)."""
        return self.paths[..., rows.lobby], on_slots(self.pairs[:, :1], rows.pair)


def still(paths: NDArray, added: int) -> NDArray:
    """W, (draw, path, lobby), with so many more lobbies that do not move."""
    return np.concatenate([paths, np.zeros((*paths.shape[:-1], added))], axis=-1) if added else paths


def continued(
    layout: Layout,
    innovation: NDArray,
    times: NDArray,
    normal: Callable[..., NDArray],
    law: Sequence[Path] | None = None,
) -> NDArray:
    """W of each lobby at any times, given its knots, by exact continuation: (draw, path, lobby, date).

    Parameters
    ----------
    innovation : array (draw, knot)
    times : array (date,)
        Years since the reference date, distinct, ahead of the knots, between them or before.
    normal : callable
        Gives standard normal numbers of shape (draw, path) and the shape that it is called with.
    law : sequence of Path or None
        The law of each lobby's path where it is not the layout's own.
    """
    known, new = layout.walk(innovation), normal(len(layout.paths), len(times))
    walk = np.empty_like(new)
    for lobby, path in enumerate(layout.paths if law is None else law):
        where = layout.knots_of(lobby)
        before = np.array([layout.time(layout.knots[i][1]) for i in where])
        weights, factor = path.extend(before, times)
        # one product of many rows: a product for each draw costs more
        steps = np.ascontiguousarray(new[:, :, lobby]).reshape(-1, len(times)) @ factor.T
        walk[:, :, lobby] = (known[:, where] @ weights.T)[:, None] + steps.reshape(*new.shape[:2], -1)
    return walk


def every_spread(layout: Layout, spread: NDArray, rng: np.random.Generator) -> NDArray:
    """Spread of every pair, (draw, 1, pair): as the posterior has it, afresh where no row speaks to it."""
    every = rng.standard_normal((len(spread), 1, len(layout.pairs)))
    every[..., layout.pairs_used] = spread[:, None]
    return every


class Future:
    """Worlds ahead of the last decision: continued paths, random shocks, decisions on their fixed dates.

    Parameters
    ----------
    model : module
    layout : Layout
    days : sequence of Day
        In date order.
    draws : dict
        Posterior draws, shapes (draw, item), with the quantities that only the future needs.
    paths : int
        Future paths for each draw, even: they come in antithetic pairs.
    seed : SeedSequence
    alteration : Alteration or None
        What a what-if changes; the worlds are otherwise those of the same seed without it, number by number.
    """

    def __init__(
        self,
        model: ModuleType,
        layout: Layout,
        days: list[Day],
        draws: Mapping[str, NDArray],
        paths: int,
        seed: np.random.SeedSequence,
        alteration: Alteration | None = None,
    ) -> None:
        self.model, self.layout, self.paths = model, layout, paths
        self.expect = getattr(model, "expect", None)
        self.days = days if self.expect is None else [day.with_all(layout) for day in days]
        self.rng = np.random.default_rng(seed)
        # what only a what-if needs comes from a stream of its own, so that all else stays as it was
        self.own_rng = np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, 1)))
        self.altered = None if alteration is None else Altered(layout, alteration)
        self.n_draws = len(draws["innovation"])
        self.draws = related(layout, draws)
        self.times = np.array([layout.time(day.date) for day in days])

    @property
    def x(self) -> Draws:
        """The draws' quantities, with an axis for the paths: (draw, 1, item)."""
        return {name: values[:, None] for name, values in self.draws.items()}

    def run(self) -> Iterator[Moment]:
        """The dates in their order, each decided before the next."""
        drift, jumps = self._drift(), self._jumps()
        pairs = every_spread(self.layout, self.draws["spread"], self.rng)
        if self.altered is not None:
            drift = drift + self.altered.shocks(self.times, self._antithetic_of(self.own_rng, len(self.layout.paths)))
        walk = np.ascontiguousarray(np.moveaxis(drift + jumps, -1, 0))
        record = Watched(self.layout.record, (self.n_draws, self.paths))
        every = np.broadcast_to(pairs, (self.n_draws, self.paths, pairs.shape[-1]))
        for f, day in enumerate(self.days):
            layout, seen, x = self._seen(day)
            rows, kinds = seen.rows, seen.kinds
            history = met(layout, rows, record, self.times[f])
            added = len(layout.case.lobbies) - walk.shape[-1]
            moved = still(walk[f], added)
            if self.expect is not None:
                history = self.expect(layout, rows, x, moved[..., rows.lobby], on_slots(pairs, rows.pair), history)
            support = support_of_worlds(self.model, layout, rows, kinds, x, moved, pairs, history)
            answer = answered(rows, x, support)
            half = self.rng.random((self.n_draws, self.paths // 2, len(rows)))
            outcome = decide(answer, np.concatenate([half, 1 - half], axis=1))
            # nobody watches a new rule
            own = [self.layout.obligation_index.get((item.state, item.rule), -1) for item in rows.items]
            due = np.flatnonzero(day.decided & (np.array(own, int) >= 0))
            record.add(np.array(own, int)[due], self.times[f], outcome[..., due])
            yield Moment(seen, history, walk[f], jumps[..., f], every, answer, outcome, added)

    def _seen(self, day: Day) -> tuple[Layout, Day, Draws]:
        """What is asked about on a date: as it is, or as the alteration has it once it holds."""
        if self.altered is None or not self.altered.holds(day.date):
            return self.layout, day, self.x
        return self.altered.layout, replace(day, rows=self.altered.rows(day.rows)), self.altered.quantities(self.x)

    def _antithetic(self, *shape: int) -> NDArray:
        return self._antithetic_of(self.rng, *shape)

    def _antithetic_of(self, rng: np.random.Generator, *shape: int) -> NDArray:
        half = rng.standard_normal((self.n_draws, self.paths // 2, *shape))
        return np.concatenate([half, -half], axis=1)

    def _drift(self) -> NDArray:
        """W of each lobby at each date ahead but for random shocks, (draw, path, lobby, date)."""
        law = None if self.altered is None else self.altered.law()
        return continued(self.layout, self.draws["innovation"], self.times, self._antithetic, law)

    def _jumps(self) -> NDArray:
        """Random shocks since the last decision, (draw, path, lobby, date): compound Poisson by state.

        Those between two dates come at moments of their own, and by the later date what reverts has left less of them.
        """
        layout = self.layout
        start = max(layout.time(layout.case.last_decision_date()), 0.0)
        spans = np.diff(np.maximum(self.times, start), prepend=start)
        rate = self.draws["shock_hazard"][:, None, :, None] * spans
        half = self.rng.poisson(np.broadcast_to(rate, (self.n_draws, self.paths // 2, *rate.shape[2:])))
        jumps = self.rng.standard_normal((self.n_draws, self.paths // 2, len(layout.paths), len(self.times)))
        one = self.draws["shock_scale"][:, None, :, None]
        if any(path.rate for path in layout.paths) or (self.altered is not None and self.altered.alteration.pace):
            jumps *= np.sqrt(self._left(half, spans)) * one[:, :, layout.lobby_state]
        else:
            jumps *= (np.sqrt(half) * one)[:, :, layout.lobby_state]
        for lobby, path in enumerate(layout.paths):
            each = np.ascontiguousarray(jumps[:, :, lobby]).reshape(-1, len(self.times))
            jumps[:, :, lobby] = (each @ path.jump_decay(self.times).T).reshape(*jumps.shape[:2], -1)
        return np.concatenate([jumps, -jumps], axis=1)

    def _left(self, count: NDArray, spans: NDArray) -> NDArray:
        """Number of shocks in each span, (draw, path, lobby, date), each as the square of what is left at its end."""
        states = self.layout.lobby_state
        rate = np.array([path.rate for path in self.layout.paths])[:, None]
        left = np.zeros((*count.shape[:2], len(states), count.shape[-1]))
        for k in range(int(count.max(initial=0))):
            ago = self.own_rng.random(count.shape) * spans
            size = (count > k) * (1.0 if self.altered is None else self.altered.paces(self.times - ago) ** 2)
            left += size[:, :, states] * np.exp(-2 * rate * ago[:, :, states])
        return left
