"""From the posterior of a panel to the horizon: each state on each of its rules, on a new one, and new states."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import models, seeds, theory
from bayes_compliance.dynamics import years_between
from bayes_compliance.forecast import BAND
from bayes_compliance.forecast import COLUMNS as COLUMNS_OF_A_CASE
from bayes_compliance.panel.fitting import Draws
from bayes_compliance.panel.layout import PERIOD_YEARS, PanelLayout
from bayes_compliance.rows import ANY_RULE

CHUNK = 200
"""Rows of the forecast that are worked out at a time."""

COLUMNS = tuple(column for column in COLUMNS_OF_A_CASE if column != "p_no_violation")


class PanelForecast(NamedTuple):
    """Rows of forecast.csv, as dicts, and the largest Monte Carlo standard error of p_comply."""

    table: list[dict]
    mc_error: float


def forecast(layout: PanelLayout, draws: Draws, seed: int) -> PanelForecast:
    """Probabilities of compliance at the horizon, in sigma units of support.

    `p_lower..p_upper` is over draws and what may still move by then; `p_today_lower..p_today_upper` after averaging
    over that, which is exact: a normal step of variance v makes Phi(m) into Phi(m / sqrt(1 + v)).

    Parameters
    ----------
    layout : PanelLayout
    draws : dict of array (chain, draw, item)
    seed : int

    Returns
    -------
    PanelForecast
        A row for each state and rule of which a compliance decision is on record, each state on a new rule (`*`), a new
        state (`*`) on each rule and on a new one. Net interest and P2 + G2 of what is new are drawn anew in each draw.
    """
    chains = len(draws["step"])
    flat = {name: values.reshape(-1, values.shape[-1]) for name, values in draws.items()}
    rng = seeds.generator(seed, "panel ahead")
    known = _with_new(layout, flat, rng)
    later = _drift_ahead(layout, flat)
    step = later * rng.standard_normal(known.state.shape)
    pairs = _pairs(layout)
    table: list[dict] = []
    error = 0.0
    for i in range(0, len(pairs), CHUNK):
        some = pairs[i : i + CHUNK]
        s, r = np.array(some).T
        support = known.state[:, s] + known.rule[:, r]
        rows, worst = _rows(layout, some, support, step[:, s], later, known.width, chains)
        table, error = [*table, *rows], max(error, worst)
    return PanelForecast(table, error)


class _Known(NamedTuple):
    """P2 + G2 of each state and of a new one, net interest likewise, half-width of partial ones."""

    state: NDArray
    rule: NDArray
    width: NDArray


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
    width = flat.get("partial_width", np.zeros((n, 1)))
    return _Known(np.hstack([flat["p2_g2"], state]), np.hstack([flat["interest"], rule]), width)


def _unknown(effect: NDArray | None, rng: np.random.Generator) -> NDArray | float:
    return 0.0 if effect is None else (effect * rng.standard_normal(effect.shape)).sum(axis=1, keepdims=True)


def _z(n: int, rng: np.random.Generator) -> NDArray:
    return rng.standard_normal((n, 1))


def _drift_ahead(layout: PanelLayout, flat: Draws) -> NDArray:
    """Standard deviation of what P2 + G2 moves until the horizon, (sample, 1)."""
    if "drift" not in flat:
        return np.zeros((len(flat["step"]), 1))
    return flat["drift"] * np.sqrt(years_between(layout.panel.last, layout.panel.until) / PERIOD_YEARS)


def _pairs(layout: PanelLayout) -> list[tuple[int, int]]:
    """States and rules by position; one beyond the last is a new one."""
    seen = {
        (layout.state_index[e.decision.state], layout.rule_index[e.key])
        for e in layout.entries
        if e.decision.kind == "compliance"
    }
    any_rule = {(s, len(layout.rules)) for s in range(len(layout.states))}
    any_state = {(len(layout.states), r) for r in range(len(layout.rules))}
    return sorted(seen | any_rule | any_state | {(len(layout.states), len(layout.rules))})


def _rows(
    layout: PanelLayout, pairs: list[tuple[int, int]], support: NDArray, step: NDArray, later: NDArray, width: NDArray,
    chains: int,
) -> tuple[list[dict], float]:  # fmt: skip
    from bayes_compliance.inference.diagnostics import mean_error

    half = width * _three(layout, pairs)
    then = support + step
    seen, _ = theory.outcome_probabilities(then, 1.0, half)
    today, violate = theory.outcome_probabilities(support, np.sqrt(1 + later**2), half)
    p, q = today.mean(axis=0), violate.mean(axis=0)
    said = {
        "p_comply": p, "p_partial": np.clip(1 - p - q, 0, 1), "p_violate": q, **_band("p", seen),
        **_band("p_today", today), "support_mean": then.mean(axis=0), **_band("support", then),
    }  # fmt: skip
    states, rules = [*layout.states, ANY_RULE], [*map(str, layout.rules), ANY_RULE]
    day = layout.panel.until.isoformat()
    rows = [
        {"state": states[s], "rule": rules[r], "date": day} | {k: float(v[i]) for k, v in said.items()}
        for i, (s, r) in enumerate(pairs)
    ]
    return rows, float(mean_error(today.T.reshape(len(pairs), chains, -1)).max())


def _three(layout: PanelLayout, pairs: list[tuple[int, int]]) -> NDArray:
    """Whether a decision of each pair has three outcomes: as its case says; for a new rule, any."""
    by_case = layout.panel.outcomes
    new = max(by_case.values()) == 3
    return np.array([new if r == len(layout.rules) else by_case.get(layout.rules[r].case, 3) == 3 for _, r in pairs])


def _band(name: str, values: NDArray) -> dict[str, NDArray]:
    lower, upper = np.quantile(values, BAND, axis=0)
    return {f"{name}_lower": lower, f"{name}_upper": upper}
