"""From the posterior of a panel to later dates: each state on each of its rules, on a new one, and new states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import models, seeds
from bayes_compliance.case.vocabulary import ANY_RULE
from bayes_compliance.latents import end_to_end
from bayes_compliance.panel.fitting import Draws
from bayes_compliance.panel.layout import PanelLayout
from bayes_compliance.panel.outlook import Days, Outlook, walk
from bayes_compliance.panel.samples import Kept

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False, repr=False)
class PanelForecast:
    """A forecast of a panel.

    Attributes
    ----------
    table : list of dict
        Rows of forecast.csv, sorted by state, rule and date.
    dataset : xarray.Dataset
        What forecast.nc holds: see `bayes_compliance.panel.samples.Kept`. Made when it is first asked for.
    mc_error : float
        The largest Monte Carlo standard error of p_comply, on the first and the last date.
    """

    table: list[dict]
    make_dataset: Callable[[], xr.Dataset]
    mc_error: float

    def __repr__(self) -> str:
        pairs = {(row["state"], row["rule"]) for row in self.table}
        last = max(row["date"] for row in self.table)
        return f"<PanelForecast: states and rules: {len(pairs)}, rows: {len(self.table)}, to {last}>"

    @cached_property
    def dataset(self) -> xr.Dataset:
        return self.make_dataset()


def forecast(layout: PanelLayout, draws: Draws, seed: int) -> PanelForecast:
    """Probabilities of compliance ahead, in sigma units of support.

    `p_lower..p_upper` is over draws and what may still move by then; `p_today_lower..p_today_upper` after averaging
    over that. Where nothing moves (no `paths`) they are the same, on every date. `p_no_violation` counts from the
    panel's last decision: see `bayes_compliance.panel.outlook.Outlook`.

    Parameters
    ----------
    layout : PanelLayout
    draws : dict of array (chain, draw, item)
    seed : int

    Returns
    -------
    PanelForecast
        Dates as for a case: steps of `step_years` after the last decision, then the horizon. Rows for each state and
        rule of which a compliance decision is on record; each state of whom only covariates are known on each rule,
        and the reverse; each state on a new rule (`*`), a new state (`*`) on each rule and on a new one. Net interest
        and P2 + G2 of what is new are drawn anew in each draw.
    """
    chains = len(draws["step"])
    known = _with_new(layout, end_to_end(draws), seeds.generator(seed, "panel ahead"))
    days, rng = Days(layout.panel), seeds.generator(seed, "panel paths")
    states, rules = [*layout.states, ANY_RULE], [*map(str, layout.rules), ANY_RULE]
    kept = Kept(states, rules, days.reported, len(known.state))
    table: list[dict] = []
    error = 0.0
    for s, pairs in groupby(_pairs(layout), key=lambda pair: pair[0]):
        moves = walk(known.drift, days, rng)  # the same on all rules of the state
        today = []
        for _, r in pairs:
            support = known.state[:, s] + known.rule[:, r]
            width = known.width * _three(layout, r)
            ahead = Outlook(support, width, known.drift, moves, days, days.due(_per_year(layout, r)))
            said, path = ahead.told()
            kept.put(s, r, path, said)
            today.append(path["p_today"][:, [0, -1]])
            table += [
                {"state": states[s], "rule": rules[r], "date": day.isoformat()}
                | {name: float(values[j]) for name, values in said.items()}
                for j, day in enumerate(days.reported)
            ]
        error = max(error, _mc_error(np.hstack(today), chains))
    table.sort(key=lambda row: (row["state"], row["rule"], row["date"]))
    return PanelForecast(table, kept.dataset, error)


class _Known(NamedTuple):
    """P2 + G2 of each state and of a new one, net interest likewise; half-width of partial ones and drift (sample,)."""

    state: NDArray
    rule: NDArray
    width: NDArray
    drift: NDArray


def _with_new(layout: PanelLayout, flat: Draws, rng: np.random.Generator) -> _Known:
    """A new state is one of unknown covariates and a new rule one of unknown area and covariates: drawn alike."""
    model, n = models.load_panel(), len(flat["step"])
    level = flat["level"] if "level" in flat else np.zeros((n, 1))
    state = level + _unknown(flat.get("state_effect"), rng) + model.state_spread(layout, flat) * _z(n, rng)
    # the level is that of the mean of R rules, which itself stands somewhere about the mean of all
    apart = flat["rule_spread"] * np.sqrt(1 + 1 / len(layout.rules))
    rule = _unknown(flat.get("rule_effect"), rng) + apart * _z(n, rng)
    if layout.areas:
        at = rng.integers(len(layout.areas), size=(n, 1))
        rule = rule + np.take_along_axis(flat["area_interest"], at, axis=1)
    width, drift = (flat.get(name, np.zeros((n, 1)))[:, 0] for name in ("partial_width", "drift"))
    return _Known(np.hstack([flat["p2_g2"], state]), np.hstack([flat["interest"], rule]), width, drift)


def _unknown(effect: NDArray | None, rng: np.random.Generator) -> NDArray | float:
    return 0.0 if effect is None else (effect * rng.standard_normal(effect.shape)).sum(axis=1, keepdims=True)


def _z(n: int, rng: np.random.Generator) -> NDArray:
    return rng.standard_normal((n, 1))


def _pairs(layout: PanelLayout) -> list[tuple[int, int]]:
    """States and rules by position; one beyond the last is a new one."""
    seen = {
        (layout.state_index[e.decision.state], layout.rule_index[e.key])
        for e in layout.entries
        if e.decision.kind == "compliance"
    }
    states = [layout.state_index[s] for s in {*layout.states} - {*layout.panel.observed_states}]
    rules = [layout.rule_index[r] for r in {*layout.rules} - {*layout.panel.observed_rules}]
    seen |= {(s, r) for s in states for r in range(len(layout.rules))}
    seen |= {(s, r) for s in range(len(layout.states)) for r in rules}
    any_rule = {(s, len(layout.rules)) for s in range(len(layout.states))}
    any_state = {(len(layout.states), r) for r in range(len(layout.rules))}
    return sorted(seen | any_rule | any_state | {(len(layout.states), len(layout.rules))})


def _three(layout: PanelLayout, r: int) -> bool:
    """Whether a decision on a rule has three outcomes: as its case says; for a new rule, if any case does."""
    by_case = layout.panel.outcomes
    return (max(by_case.values()) if r == len(layout.rules) else by_case.get(layout.rules[r].case, 3)) == 3


def _per_year(layout: PanelLayout, r: int) -> float:
    return 1.0 if r == len(layout.rules) else layout.panel.per_year.get(layout.rules[r], 1.0)


def _mc_error(today: NDArray, chains: int) -> float:
    from bayes_compliance.inference.diagnostics import mean_error

    return float(mean_error(today.T.reshape(today.shape[1], chains, -1)).max())
