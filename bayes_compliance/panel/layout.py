"""What a panel comes to in arrays; the same layout serves inference, prior, forecast and the synthetic truth."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import theory
from bayes_compliance.case.dates import years_between
from bayes_compliance.layout import OUTCOME, distinct
from bayes_compliance.panel.records import Covariates, Entry, Panel, RuleKey

Pooling = Literal["partial", "none", "complete"]
PERIOD_YEARS = 5.0
CENTRED_FROM = 10
"""Rows for each state and rule. Measured (minimum bulk ESS of 2,000 draws, steps of a draw): with 15 rows 545 and 24
centred, 306 and 31 not; with 9 the same ESS, but a worse R-hat centred."""


class Block(NamedTuple):
    """Rows of one kind, whose likelihood is one vector expression.

    `rows` is where they stand among all rows; `knot` is -1 in the last period; `whole` (treaty, rule) averages the
    rules of a treaty-wide row, and `rule` then counts treaties.
    """

    kind: str
    rows: slice
    state: NDArray
    rule: NDArray
    knot: NDArray
    outcome: NDArray
    error: NDArray
    n_outcomes: NDArray
    whole: NDArray | None


class Design(NamedTuple):
    """Standardised covariates (item, column), 0 where missing; the missing cells' items and columns."""

    known: NDArray
    item: NDArray
    column: NDArray

    def times(self, effect: Any, missing: Any) -> Any:
        """Covariates times effects (..., column), with values (..., cell) of the missing cells: shape (..., item)."""
        found = effect @ self.known.T
        if not len(self.item):
            return found
        into = (self.item[:, None] == np.arange(len(self.known))).astype(float)
        return found + (missing * effect[..., self.column]) @ into


def _design(covariates: Covariates, keys: tuple) -> Design:
    values = covariates.standardised(keys)
    return Design(np.nan_to_num(values), *np.nonzero(np.isnan(values)))


class PanelLayout:
    """A panel as arrays.

    Parameters
    ----------
    panel : Panel
    pooling : str
        Of states: ``partial``, ``none`` or ``complete``. Rules are pooled partially throughout.
    paths : bool
        Whether P2 + G2 moves in steps of five years.
    centred : bool or None
        How the sampler sees P2 + G2 and net interest: as they are, or as standard normals. The posterior is the same;
        by default centred where rows are many (`CENTRED_FROM`).

    Attributes
    ----------
    states : tuple of str
    rules : tuple of RuleKey
        Those of whom nothing but covariates is known stand among them: their posterior is their forecast.
    areas : tuple of str
        Issue areas by which rules are pooled: none where there is only one.
    entries : tuple of Entry
        In the order of the rows: by block, then as the panel has them.
    outcome, error, n_outcomes : (row,)
    gap, first_knot : (knot,)
        Periods between a knot and the next one of its state (or today), and the state's knot nearest to today.
    """

    def __init__(
        self, panel: Panel, pooling: Pooling = "partial", paths: bool = False, centred: bool | None = None
    ) -> None:
        self.panel, self.pooling, self.paths = panel, pooling, paths
        self.states, self.rules = panel.all_states, panel.all_rules
        rich = len(panel.entries) >= CENTRED_FROM * (len(self.states) + len(self.rules))
        self.centred = rich if centred is None else centred
        areas = tuple(sorted(set(panel.areas.values())))
        self.areas = areas if len(areas) > 1 else ()
        self.entries = tuple(sorted(panel.entries, key=self._block_key))
        self.outcome = np.array([OUTCOME[e.decision.decision] for e in self.entries], int)
        self.error = np.array([theory.MISCODING[e.decision.confidence] for e in self.entries])
        compliance = np.array([e.decision.kind == "compliance" for e in self.entries])
        self.n_outcomes = np.where(compliance, [panel.outcomes[e.case] for e in self.entries], 2)
        self.state = np.array([self.state_index[e.decision.state] for e in self.entries])

    def _block_key(self, entry: Entry) -> tuple[str, bool, bool]:
        d = entry.decision
        return d.kind, OUTCOME[d.decision] == theory.PARTIAL, d.rule == "*"

    @cached_property
    def state_index(self) -> dict[str, int]:
        return {state: i for i, state in enumerate(self.states)}

    @cached_property
    def rule_index(self) -> dict[RuleKey, int]:
        return {rule: i for i, rule in enumerate(self.rules)}

    @cached_property
    def about_states(self) -> Design:
        return _design(self.panel.states, self.states)

    @cached_property
    def about_rules(self) -> Design:
        return _design(self.panel.rules, self.rules)

    @cached_property
    def in_area(self) -> NDArray:
        """Which area each rule is of, (rule, area)."""
        return np.array([[self.panel.areas.get(rule) == area for area in self.areas] for rule in self.rules], float)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Number of items of each quantity that has a prior of its own, in the order of the model's priors."""
        pooled, partial = self.pooling != "none", self.pooling == "partial"
        beyond = any(e.decision.kind != "compliance" for e in self.entries)
        effects = len(self.panel.states.columns) * partial
        found = {
            "level": int(pooled), "state_effect": effects, "rule_effect": len(self.panel.rules.columns),
            "state_missing": len(self.about_states.item) * bool(effects), "rule_missing": len(self.about_rules.item),
            "state_spread": int(partial), "rule_spread": 1, "area_spread": int(bool(self.areas)), "stakes": 1,
            "bias_share": 1, "answered": int(beyond),
            "partial_width": int((self.n_outcomes == 3).any()), "drift": int(self.paths),
        }  # fmt: skip
        return {name: size for name, size in found.items() if size}

    def period(self, day: date) -> int:
        """Periods back from the last decision: 0 in the last five years."""
        return int(years_between(day, self.panel.last) / PERIOD_YEARS) if self.paths else 0

    @cached_property
    def knots(self) -> tuple[tuple[int, int], ...]:
        """Where P2 + G2 of a state, by position, is asked for in an earlier period; nearest to today first."""
        found = {(self.state_index[e.decision.state], self.period(e.decision.date)) for e in self.entries}
        return tuple(sorted((state, period) for state, period in found if period))

    @cached_property
    def gap(self) -> NDArray:
        state, period = np.array(self.knots, int).reshape(-1, 2).T
        before = np.concatenate([[-1], state[:-1]]) if len(state) else state
        return np.where(state == before, np.diff(period, prepend=0), period).astype(float)

    @cached_property
    def first_knot(self) -> NDArray:
        state = np.array(self.knots, int).reshape(-1, 2)[:, 0]
        return np.searchsorted(state, state)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        keys = [self._block_key(e) for e in self.entries]
        starts = [i for i, key in enumerate(keys) if i == 0 or key != keys[i - 1]]
        return tuple(self._block(slice(a, b)) for a, b in zip(starts, [*starts[1:], len(keys)], strict=True))

    def _block(self, rows: slice) -> Block:
        entries = self.entries[rows]
        knot_index = {knot: i for i, knot in enumerate(self.knots)}
        state = self.state[rows]
        knot = [knot_index.get((s, self.period(e.decision.date)), -1) for s, e in zip(state, entries, strict=True)]
        whole, rule = self._rules(entries)
        return Block(
            entries[0].decision.kind, rows, state, rule, np.array(knot), self.outcome[rows], self.error[rows],
            self.n_outcomes[rows], whole,
        )  # fmt: skip

    def _rules(self, entries: tuple[Entry, ...]) -> tuple[NDArray | None, NDArray]:
        if entries[0].decision.rule != "*":
            return None, np.array([self.rule_index[e.key] for e in entries])
        treaties = [(e.case, self.panel.owed[e.case, e.decision.state]) for e in entries]
        distinct = sorted(set(treaties))
        whole = np.zeros((len(distinct), len(self.rules)))
        for i, (case, rules) in enumerate(distinct):
            whole[i, [self.rule_index[RuleKey(case, rule)] for rule in rules]] = 1 / len(rules)
        return whole, np.array([distinct.index(treaty) for treaty in treaties])

    @cached_property
    def labels(self) -> list[str]:
        """A distinct name for each row."""
        return distinct(f"{e.decision.date} {e.decision.state} {e.key} {e.decision.kind}" for e in self.entries)

    @cached_property
    def coords(self) -> dict[str, list[str]]:
        """Names along the dims that the posterior has."""
        about = (("state", self.states, self.panel.states), ("rule", self.rules, self.panel.rules))
        cells = {
            f"{kind}_cell": [f"{keys[i]} | {table.columns[c]}" for i, c in zip(design.item, design.column, strict=True)]
            for (kind, keys, table), design in zip(about, (self.about_states, self.about_rules), strict=True)
        }  # fmt: skip
        return cells | {
            "state": list(self.states), "rule": [str(rule) for rule in self.rules], "area": list(self.areas),
            "covariate": list(self.panel.states.columns), "rule_covariate": list(self.panel.rules.columns),
            "knot": [f"{self.states[state]} | {period} periods ago" for state, period in self.knots],
            "decision": self.labels,
        }  # fmt: skip


DIMS = {
    "state_effect": "covariate", "rule_effect": "rule_covariate", "state_missing": "state_cell",
    "rule_missing": "rule_cell", "area_interest": "area", "p2_g2": "state", "step": "state", "interest": "rule",
    "exporters": "rule",
    "walk": "knot",
}  # fmt: skip
"""Dim of each quantity that has more than one item."""
