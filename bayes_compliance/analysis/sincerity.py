"""Was joining sincere: would the state have complied on the day it adhered? (III.A changes 2, 8)"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_compliance import forecast, theory
from bayes_compliance.analysis.ahead import Grid, Scene, check_fit, joined, known_on, walk_through
from bayes_compliance.arguments import day_of
from bayes_compliance.asking import Answer, ask, ask_observed, related
from bayes_compliance.case.horizon import check_until
from bayes_compliance.inference import check_seed
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.rows import ANY_RULE, Item, Rows
from bayes_compliance.worlds import Day, met

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared

Pair = tuple[str, str]


def sincerity(prepared: Prepared, tree: xr.DataTree, *, seed: int = 1, until: date | None = None) -> xr.Dataset:
    r"""Probability that a state which adhered would not have complied: P(SC < threshold | it adhered, and the data).

    At t1, the day of adherence, with the record of conduct before it; and on the first date on which a decision falls
    due once the counterparty has performed its side (the rule's `performance` reaching 1), when the promise has
    nothing left to bring. The data tell that it adhered where a row codes it, up to miscoding; draws are weighted by

    .. math:: P(adhered \mid draw, row) = p (1 - e) / \{p (1 - e) + (1 - p) e\}

    with p the probability of adherence and e of miscoding, and by p itself where no row says so.

    Parameters
    ----------
    prepared, tree
        A model and its fit.
    seed : int
    until : date or None
        How far to look for the date after performance; default the case's horizon.

    Returns
    -------
    Dataset
        `p_insincere` at `adherence_date`, and `p_insincere_after_performance` at `date_after_performance`, by (state,
        rule). NaN where the state is coded as not adhering; NaN and NaT where no such date comes, where the state does
        not owe the rule, and on a new rule (``*``), to which nobody has adhered yet.

    Raises
    ------
    Refused
        If an argument cannot be.
    """
    check_fit(prepared, tree)
    if day := day_of("until", until):
        check_until(prepared.case, day)
    return _Sincerity(prepared, tree, check_seed(seed), day or prepared.case.horizon.until).result()


class _Sincerity:
    def __init__(self, prepared: Prepared, tree: xr.DataTree, seed: int, until: date) -> None:
        self.case, self.seed, self.until, self.grid = prepared.case, seed, until, Grid(prepared, [])
        self.pairs = [pair for pair in self.grid.pairs if pair[1] != ANY_RULE]
        self.adhered = {pair: self.case.adherence_of(*pair) for pair in self.pairs}
        self.later = {pair: day for pair in self.pairs if (day := self._after_performance(pair))}
        last = self.case.last_decision_date()
        self.past = {pair: day for pair, day in self.later.items() if day <= last}
        also = [Item(*pair, day, "compliance") for pair, day in self.past.items()]
        self.prepared, self.draws = joined(prepared, forecast.thin(*draws_of(tree))[0], seed, also)
        self.layout = self.prepared.layout

    def result(self) -> xr.Dataset:
        later, past = self.later, self.past
        then = self._margins(self.adhered, "compliance")
        after = self._margins(past, "compliance") | self._ahead({p: d for p, d in later.items() if p not in past})
        shares = {pair: self._share(pair, margin) for pair, margin in then.items()}
        shares_after = {pair: self._share(pair, margin) for pair, margin in after.items()}
        days = {pair: np.datetime64(day, "ns") for pair, day in later.items()}
        data: dict[str, Any] = {
            "p_insincere": ((), self._column(shares)),
            "p_insincere_after_performance": ((), self._column(shares_after)),
            "adherence_date": ((), self._column({p: np.datetime64(d, "ns") for p, d in self.adhered.items()}, "NaT")),
            "date_after_performance": ((), self._column(days, "NaT")),
        }
        return self.grid.dataset(data)

    def _column(self, values: dict[Pair, Any], blank: str = "") -> NDArray:
        missing = np.datetime64(blank, "ns") if blank else np.nan
        return np.array([values.get(pair, missing) for pair in self.grid.pairs])

    def _share(self, pair: Pair, margin: NDArray) -> float:
        """Weighted share of worlds, (draw, 1 or path), with a margin below 0."""
        weight = np.broadcast_to(self._weights[pair], margin.shape)
        return float((weight * (margin < 0)).sum() / weight.sum()) if weight.sum() > 0 else np.nan

    def _after_performance(self, pair: Pair) -> date | None:
        rule, last = self.case.rule(pair[1]), self.case.last_decision_date()
        done = min((day for day, share in rule.performance if share >= 1), default=None)
        if done is None:
            return None
        start, rate = self.adhered[pair], rule.decisions_per_year
        due = forecast.decision_dates(start, last, rate) if start < last else []
        ahead = forecast.decision_dates(max(start, last), self.until, rate)
        return next((day for day in [*due, *ahead] if day >= done), None)

    def _margins(self, days: dict[Pair, date], stage: str) -> dict[Pair, NDArray]:
        """Support less threshold of each pair on a past date, (draw, 1)."""
        return {pair: answer.support - rows.threshold for pair, (rows, answer) in self._asked(days, stage).items()}

    def _asked(self, days: dict[Pair, date], stage: str) -> dict[Pair, tuple[Rows, Answer]]:
        layout, found = self.layout, {}
        draws = related(layout, self.draws)
        for pair, day in days.items():
            rows = layout.rows_for([Item(*pair, day, stage)])
            history = met(layout, rows, layout.record_before(day), layout.time(day))
            known = known_on(layout, rows, draws)
            found[pair] = rows, ask(self.prepared.model, layout, rows, draws, *known, history)
        return found

    @cached_property
    def _weights(self) -> dict[Pair, NDArray]:
        """How far each world is one in which the state adhered, (draw, 1)."""
        observed = ask_observed(self.prepared.model, self.layout, self.draws).p_comply
        found: dict[Pair, NDArray] = {}
        for pair in self.pairs:
            row = self._row(pair)
            if row is not None:
                found[pair] = self._given_row(row, observed[:, row])[:, None]
        unsaid = {pair: day for pair, day in self.adhered.items() if pair not in found}
        asked = self._asked(unsaid, "adherence")
        return found | {pair: answer.p_comply for pair, (_, answer) in asked.items()}

    def _row(self, pair: Pair) -> int | None:
        """The first adherence row on the rule, or on the whole agreement; those that code adherence go first."""
        rows, outcome = self.layout.rows.items, self.layout.outcome
        found = [
            (outcome[i] != theory.COMPLY, item.rule == ANY_RULE, item.date, i)
            for i, item in enumerate(rows)
            if item.stage == "adherence" and item.state == pair[0] and item.rule in (pair[1], ANY_RULE)
        ]
        return min(found)[-1] if found else None

    def _given_row(self, row: int, p: NDArray) -> NDArray:
        if self.layout.outcome[row] != theory.COMPLY:
            return np.zeros_like(p)
        error, p = self.layout.error[row], np.maximum(p, np.finfo(float).tiny)
        return p * (1 - error) / np.exp(theory.miscoded(np.log(p), np.array(error), np.array(2)))

    def _ahead(self, days: dict[Pair, date]) -> dict[Pair, NDArray]:
        if not days:
            return {}
        question = _Awaited(days, len(self.draws["innovation"]))
        walk_through(self.prepared, self._plan(days), self.draws, self.seed, [question])
        return question.margins

    def _plan(self, days: dict[Pair, date]) -> list[Day]:
        """The dates ahead, with those asked about on which the forecast has no decision on the rule."""
        layout, none = self.layout, np.zeros(0, bool)
        plan = {day.date: day for day in forecast.plan(layout, max(days.values()), forecast.HORIZON_ONLY)}
        for pair, when in days.items():
            day = plan.get(when) or Day(when, layout.rows_for([]), none, none)
            there = {(item.state, item.rule) for item in day.rows.items}
            plan[when] = day if pair in there else day.with_all(layout)
        return [plan[when] for when in sorted(plan)]


class _Awaited:
    """Support less threshold of pairs on their dates ahead, (draw, path)."""

    def __init__(self, days: dict[Pair, date], n: int) -> None:
        self.days = days
        self.margins = {pair: np.full((n, forecast.PATHS), np.nan) for pair in days}

    def see(self, scene: Scene) -> None:
        for i, item in enumerate(scene.rows.items):
            pair = (item.state, item.rule)
            if self.days.get(pair) == item.date:
                self.margins[pair][scene.at] = scene.moment.answer.support[..., i] - scene.rows.threshold[i]
