"""Many worlds in parallel: decisions taken in sequence, each meeting the conduct that came before it in its world."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import theory
from bayes_compliance.alterations import Alteration, Altered
from bayes_compliance.history import Record
from bayes_compliance.latents import Draws, relation
from bayes_compliance.rows import History, Item, Rows

if TYPE_CHECKING:
    from bayes_compliance.dynamics import Path
    from bayes_compliance.layout import Layout


class Answer(NamedTuple):
    """What the theory says of rows: net support in points, and probabilities of comply and violate; (..., row)."""

    support: NDArray
    p_comply: NDArray
    p_violate: NDArray


def on_slots(values: NDArray, index: NDArray) -> NDArray:
    """Values (..., item) spread over (..., row, slot) by index, 0 where the index is -1."""
    if not values.shape[-1]:
        return np.zeros((*values.shape[:-1], *index.shape))
    return values[..., np.maximum(index, 0)] * (index >= 0)


def related(layout: Layout, draws: Mapping[str, NDArray]) -> Draws:
    """Draws with the shadow weight and the effective discount worked out for every state."""
    shadow, discount = relation(draws, *layout.relations)
    return {**draws, "shadow": shadow, "discount": discount}


def ask(
    model: ModuleType, layout: Layout, rows: Rows, x: Mapping[str, Any], walk: Any, spread: Any, history: History
) -> Answer:
    """Put rows to the theory: support, then probabilities by noise and the band of partial outcomes."""
    return answered(layout, rows, x, model.support(layout, rows, x, walk, spread, history))


def answered(layout: Layout, rows: Rows, x: Mapping[str, Any], support: NDArray) -> Answer:
    """Net support with the probabilities that it gives each row, by noise and the band of partial outcomes."""
    three = rows.compliance & (layout.case.outcomes == 3)
    width = x["partial_width"][..., rows.state] * three
    noise = x["decision_noise"][..., rows.state]
    return Answer(support, *theory.outcome_probabilities(support - rows.threshold, noise, width))


def ask_observed(model: ModuleType, layout: Layout, draws: Mapping[str, NDArray]) -> Answer:
    """The observed rows under each draw, one step ahead given observed conduct."""
    return answered(layout, layout.rows, draws, observed_support(model, layout, draws))


def observed_support(model: ModuleType, layout: Layout, draws: Mapping[str, NDArray]) -> NDArray:
    """Net support of the observed rows under each draw, (..., row): a sum over terms where the model has `parts`."""
    x, spread = related(layout, draws), draws["spread"]
    walk = draws["innovation"] @ layout.path_factor.T
    if not hasattr(model, "parts"):
        slots = on_slots(walk, layout.knot_slot), on_slots(spread, layout.pair_slot)
        return model.support(layout, layout.rows, x, *slots, layout.history)
    total = np.zeros((*walk.shape[:-1], len(layout.rows)))
    for block in layout.blocks:
        slots = on_slots(walk, block.knot), on_slots(spread, block.pair)
        # a layout decided otherwise shares the blocks, and not what its rows met
        history = History(*(part[block.row] for part in layout.history))
        rows, first = np.unique(block.row, return_index=True)
        # not a matrix product, whose rounding depends on how many draws there are
        total[..., rows] += np.add.reduceat(model.support(layout, block.rows, x, *slots, history), first, axis=-1)
    return total


def log_likelihood(layout: Layout, draws: Mapping[str, NDArray], support: NDArray) -> NDArray:
    """Log likelihood of each coded decision, (..., row), given net support."""
    rows = layout.rows
    noise = draws["decision_noise"][..., rows.state]
    width = draws["partial_width"][..., rows.state] * (layout.n_outcomes == 3)
    outcome = np.broadcast_to(layout.outcome, support.shape)
    log_p = theory.outcome_log_probability(support - rows.threshold, noise, width, outcome)
    return theory.miscoded(log_p, layout.error, layout.n_outcomes)


def decide(answer: Answer, uniform: NDArray) -> NDArray:
    """Outcomes 0, 1, 2 by inversion: violate below p_violate, comply above 1 - p_comply."""
    return np.where(uniform < answer.p_violate, 0, np.where(uniform < 1 - answer.p_comply, 1, 2))


def miscode(outcome: NDArray, error: NDArray, n_outcomes: NDArray, rng: np.random.Generator) -> NDArray:
    """Coded decisions: with probability `error` another of the possible outcomes, each as likely."""
    wrong = rng.random(outcome.shape) < error
    shift = np.where(n_outcomes == 3, rng.integers(1, 3, outcome.shape), 2)
    other = np.where(n_outcomes == 3, (outcome + shift) % 3, 2 - outcome)
    return np.where(wrong, other, outcome)


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
    walk, spread = draws["innovation"] @ layout.path_factor.T, draws["spread"]
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
            decided[:, at] = miscode(decided[:, at], layout.error[at], layout.n_outcomes[at], rng)
        for i in at[rows.compliance]:
            item = layout.rows.items[i]
            viewers = layout.viewers(layout.decisions[i - first].counterparty)
            own = layout.obligation_index[item.state, item.rule]
            record.add(own, layout.time(day), decided[:, i], viewers)
    return decided if as_coded else miscode(decided, layout.error, layout.n_outcomes, rng)


def met(layout: Layout, rows: Rows, record: Record, time: float) -> History:
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

    def with_all(self, layout: Layout) -> Day:
        """The same with every obligation among its rows, for a model in which all of them hang together."""
        there = {(item.state, item.rule) for item in self.rows.items}
        more = [Item(*pair, self.date, "compliance") for pair in layout.obligations if pair not in there]
        if not more:
            return self
        blank = np.zeros(len(more), bool)
        rows = layout.rows_for([*self.rows.items, *more])
        return Day(self.date, rows, np.append(self.reported, blank), np.append(self.decided, blank))


class Moment(NamedTuple):
    """One date in every world: what the rows met, the theory's answer, the outcomes; arrays (draw, path, row...).

    `walk` and `spread` are on the slots of the date's rows; `paths` is W of each lobby, (draw, path, lobby), of which
    random shocks are `jumps`; `pairs` the spread of each pair, (draw, path, pair).
    """

    day: Day
    walk: NDArray
    spread: NDArray
    history: History
    paths: NDArray
    jumps: NDArray
    pairs: NDArray
    answer: Answer
    outcome: NDArray

    def on(self, rows: Rows) -> tuple[NDArray, NDArray]:
        """W and z on the slots of other rows of the same date."""
        return self.paths[..., rows.lobby], on_slots(self.pairs, rows.pair)


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
    known, new = innovation @ layout.path_factor.T, normal(len(layout.paths), len(times))
    walk = np.empty_like(new)
    for lobby, path in enumerate(layout.paths if law is None else law):
        where = layout.knots_of(lobby)
        before = np.array([layout.time(layout.knots[i][1]) for i in where])
        weights, factor = path.extend(before, times)
        walk[:, :, lobby] = (known[:, where] @ weights.T)[:, None] + new[:, :, lobby] @ factor.T
    return walk


def every_spread(layout: Layout, spread: NDArray, paths: int, rng: np.random.Generator) -> NDArray:
    """Spread of every pair, (draw, path, pair): as the posterior has it, afresh where no row speaks to it."""
    every = np.repeat(rng.standard_normal((len(spread), 1, len(layout.pairs))), paths, axis=1)
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
        drift, jumps, spread = self._drift(), self._jumps(), self._spread()
        if self.altered is not None:
            drift = drift + self.altered.shocks(self.times, self._antithetic_of(self.own_rng, len(self.layout.paths)))
        record = self.layout.record.copy_to((self.n_draws, self.paths))
        for f, day in enumerate(self.days):
            layout, rows, x = self._seen(day)
            history = met(layout, rows, record, self.times[f])
            paths = drift[..., f] + jumps[..., f]
            known = np.zeros((*paths.shape[:-1], len(layout.case.lobbies) - paths.shape[-1]))
            moved, z = np.concatenate([paths, known], axis=-1)[..., rows.lobby], on_slots(spread, rows.pair)
            if self.expect is not None:
                history = self.expect(layout, rows, x, moved, z, history)
            answer = ask(self.model, layout, rows, x, moved, z, history)
            half = self.rng.random((self.n_draws, self.paths // 2, len(rows)))
            outcome = decide(answer, np.concatenate([half, 1 - half], axis=1))
            for i in np.flatnonzero(day.decided):
                own = self.layout.obligation_index.get((rows.items[i].state, rows.items[i].rule))
                if own is not None:  # nobody watches a new rule
                    record.add(own, self.times[f], outcome[..., i], np.ones(len(self.layout.case.states), bool))
            yield Moment(replace(day, rows=rows), moved, z, history, paths, jumps[..., f], spread, answer, outcome)

    def _seen(self, day: Day) -> tuple[Layout, Rows, Draws]:
        """What is asked about on a date: as it is, or as the alteration has it once it holds."""
        if self.altered is None or not self.altered.holds(day.date):
            return self.layout, day.rows, self.x
        return self.altered.layout, self.altered.rows(day.rows), self.altered.quantities(self.x)

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
        """Random shocks since the last decision, (draw, path, lobby, date): compound Poisson by state."""
        layout = self.layout
        start = max(layout.time(layout.case.last_decision_date()), 0.0)
        spans = np.diff(np.maximum(self.times, start), prepend=start)
        rate = self.draws["shock_hazard"][:, None, :, None] * spans
        half = self.rng.poisson(np.broadcast_to(rate, (self.n_draws, self.paths // 2, *rate.shape[2:])))
        if self.altered is not None:
            half = self.altered.jumps(half, self.times, start, self.own_rng)
        count = np.concatenate([half, half], axis=1)[:, :, layout.lobby_state]
        scale = self.draws["shock_scale"][:, None, layout.lobby_state, None]
        jumps = np.sqrt(count) * scale * self._antithetic(len(layout.paths), len(self.times))
        for lobby, path in enumerate(layout.paths):
            jumps[:, :, lobby] = jumps[:, :, lobby] @ path.jump_decay(self.times).T
        return jumps

    def _spread(self) -> NDArray:
        return every_spread(self.layout, self.draws["spread"], self.paths, self.rng)
