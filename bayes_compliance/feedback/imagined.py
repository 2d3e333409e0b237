"""What the priors alone say of decisions: worlds from adherence on, in which no decision is known."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bayes_compliance import seeds, theory
from bayes_compliance.asking import ask, on_slots, related
from bayes_compliance.case.dates import DAYS_PER_YEAR
from bayes_compliance.forecast import decision_dates
from bayes_compliance.history import Record
from bayes_compliance.inference import completed
from bayes_compliance.latents import Draws, Latents
from bayes_compliance.parts import pushes, stage_game
from bayes_compliance.rows import ANY_RULE, History, Item, Rows
from bayes_compliance.worlds import Day, Future, continued, every_spread

if TYPE_CHECKING:
    from bayes_compliance.layout import Layout
    from bayes_compliance.models import Prepared

DRAWS = 500
"""Independent draws of the priors: Monte Carlo errors of probabilities are at most .016."""

PATHS = 2
MOST_DUE = 100
"""Decisions on one rule after the record that conduct is followed through; a longer one hardly moves q."""


@dataclass(frozen=True)
class Imagined:
    """One decision in every world: shapes (world,) and (slot, world).

    Attributes
    ----------
    item : Item
    support, p_comply : array (world,)
        Net support in points, and the probability that the decision is to adhere, or is full compliance.
    margin : array (world,)
        ``(S - threshold - c) / sigma``: p_comply is its normal distribution function.
    lobby : array (slot,)
        Positions of the lobbies that weigh in.
    push : array (slot, world)
        What moves the margin: a lobby's part for those on the log scale, and what one point more of it adds for others.
    preference : array (world,) or None
        0 harmony, 1 dilemma, 2 deadlock, at compliance.
    """

    item: Item
    support: NDArray
    p_comply: NDArray
    margin: NDArray
    lobby: NDArray
    push: NDArray
    preference: NDArray | None = None


class _Scene(NamedTuple):
    """Rows on one date with all that the theory asks: arrays (draw, path, ...)."""

    rows: Rows
    walk: NDArray
    spread: NDArray
    history: History


def prior_draws(prepared: Prepared, seed: int) -> Draws:
    """Draws of every latent from its prior, with what the model adds to them."""
    rng = seeds.generator(seed, "check")
    draws = Latents(prepared.layout).draw_all(DRAWS, rng)
    return completed(prepared, draws, rng, observed=False)


def adherence(prepared: Prepared, draws: Draws, items: Sequence[Item], seed: int) -> list[Imagined]:
    """What the priors say of adherence decisions."""
    layout, rng = prepared.layout, seeds.generator(seed, "check adherence")
    n = len(draws["innovation"])
    days = sorted({item.date for item in items})
    times = np.array([layout.time(day) for day in days])
    walks = continued(layout, draws["innovation"], times, lambda *shape: rng.standard_normal((n, 1, *shape)))
    spreads = every_spread(layout, draws["spread"], rng)
    x = {name: values[:, None] for name, values in related(layout, draws).items()}
    found: dict[Item, Imagined] = {}
    for at, day in enumerate(days):
        rows = layout.rows_for([item for item in items if item.date == day])
        nothing = np.zeros((len(rows), layout.builder.width))
        history = History(nothing, nothing, np.zeros(len(rows)))
        scene = _Scene(rows, walks[..., at][..., rows.lobby], on_slots(spreads, rows.pair), history)
        found |= {one.item: one for one in _imagined(prepared, layout, x, scene, range(len(rows)))}
    return [found[item] for item in items]


def compliance(prepared: Prepared, draws: Draws, items: Sequence[Item], seed: int) -> list[Imagined]:
    """What the priors say of compliance decisions; conduct on the way is simulated, not observed.

    Decisions fall due when they were observed, and after the last of these at each rule's own pace.
    """
    layout = copy.copy(prepared.layout)
    blank = Record(len(layout.obligations), len(layout.case.states))
    layout.__dict__["_replayed"] = (blank, layout.history)
    days = _days(layout, items)
    future = Future(prepared.model, layout, days, draws, PATHS, seeds.sequence(seed, "check compliance"))
    found: dict[Item, Imagined] = {}
    for moment in future.run():
        rows = moment.day.rows
        asked = np.flatnonzero(moment.day.reported)
        if len(asked):
            scene = _Scene(rows, moment.walk, moment.spread, moment.history)
            found |= {one.item: one for one in _imagined(prepared, layout, future.x, scene, asked)}
    return [found[item] for item in items]


def _days(layout: Layout, items: Sequence[Item]) -> list[Day]:
    by_date: dict[date, list[tuple[Item, bool, bool]]] = defaultdict(list)
    last = max((item.date for item in items), default=layout.case.adherence_date)
    asked = set(items)
    for item in _deciding(layout, last):
        by_date[item.date].append((item, item in asked, True))
        asked.discard(item)
    for item in sorted(asked):
        by_date[item.date].append((item, True, False))
    days = []
    for day, group in sorted(by_date.items()):
        on, reported, decided = zip(*group, strict=True)
        days.append(Day(day, layout.rows_for(on), np.array(reported), np.array(decided)))
    return days


def _deciding(layout: Layout, last: date) -> list[Item]:
    """Compliance decisions up to a date: the observed ones (one for each day), then those that fall due."""
    case = layout.case
    observed = {Item(d.state, d.rule, d.date, "compliance") for d in layout.decisions if d.kind == "compliance"}
    start = case.last_decision_date()
    for state, rule in layout.obligations:
        due = decision_dates(start, last, case.rule(rule).decisions_per_year)[:MOST_DUE]
        observed |= {Item(state, rule, day, "compliance") for day in due}
    return sorted(item for item in observed if item.date <= last)


def _imagined(prepared: Prepared, layout: Layout, x: Draws, scene: _Scene, asked: Iterable[int]) -> list[Imagined]:
    rows, model = scene.rows, prepared.model
    answer = ask(model, layout, rows, x, scene.walk, scene.spread, scene.history)
    noise, width = rows.scales(x)
    margin = (answer.support - rows.threshold - width) / noise
    split = getattr(model, "parts", None)
    if split is None:
        empty = np.zeros((*margin.shape, 0))
        return [_one(rows, i, answer.support, margin, empty, None) for i in asked]
    arguments = (layout, rows, x, scene.walk, scene.spread, scene.history)
    parts = split(*arguments)
    push = pushes(split, parts.contributions, *arguments) / noise[..., None]
    kind = theory.preference(*stage_game(rows, parts))
    return [_one(rows, i, answer.support, margin, push, kind if rows.compliance[i] else None) for i in asked]


def _one(
    rows: Rows, i: int, support: NDArray, margin: NDArray, push: NDArray, kind: NDArray | None
) -> Imagined:  # fmt: skip
    slots = np.flatnonzero(rows.weight[i, : push.shape[-1]])
    here = margin[..., i].ravel()
    return Imagined(
        rows.items[i], support[..., i].ravel(), ndtr(here), here, rows.lobby[i, slots],
        np.moveaxis(push[..., i, slots], -1, 0).reshape(len(slots), len(here)),
        None if kind is None else np.broadcast_to(kind, margin.shape)[..., i].ravel(),
    )  # fmt: skip


def first_and_last(prepared: Prepared, until: date) -> list[Item]:
    """For every state and rule its first compliance decision and one on a last date."""
    case, found = prepared.case, []
    for state, rule in prepared.layout.obligations:
        kept = [d for d in prepared.layout.decisions if d.kind == "compliance"]
        dates = [d.date for d in kept if (d.state, d.rule) == (state, rule)]
        pace = case.rule(rule).decisions_per_year
        due = date.fromordinal(case.adherence_of(state, rule).toordinal() + int(DAYS_PER_YEAR / pace))
        first = min(dates, default=min(due, until))
        found += [Item(state, rule, day, "compliance") for day in sorted({first, until})]
    return found


def joining(prepared: Prepared) -> list[Item]:
    """The adherence decisions on record, and the whole agreement for a state that has none."""
    case = prepared.case
    found = [Item(d.state, d.rule, d.date, "adherence") for d in prepared.layout.decisions if d.kind == "adherence"]
    there = {item.state for item in found}
    found += [
        Item(s.id, ANY_RULE, case.adherence_of(s.id, ANY_RULE), "adherence") for s in case.states if s.id not in there
    ]
    return sorted(set(found))
