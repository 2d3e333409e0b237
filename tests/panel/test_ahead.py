"""Forecasts of a panel against loops over draws, dates and decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from math import floor, sqrt

import numpy as np
import pytest

from bayes_compliance.panel import words
from bayes_compliance.panel.ahead import PanelForecast, _with_new, forecast
from bayes_compliance.panel.fitting import prior
from bayes_compliance.panel.layout import PanelLayout
from bayes_compliance.panel.loading import load_panel
from bayes_compliance.panel.outlook import Days, Outlook, walk
from bayes_compliance.panel.records import Panel
from bayes_compliance.panel.samples import Kept
from bayes_compliance.panel.synthetic import synthetic
from tests.panel.plain import PHI, write_table
from tests.panel.test_loading import GOOD

FALSE_ALARM_Z = 5.0
"""Standard errors that a right mean exceeds with probability 6e-7."""

RATES = (0.5, 1.0, 3.0)


@pytest.fixture(scope="module")
def panel() -> Panel:
    made = synthetic(5, 9, 60, seed=4).panel
    rated = zip(made.all_rules, RATES * 3, strict=True)
    return replace(made, per_year=dict(rated), until=made.last + timedelta(days=1500))


def found_in(layout: PanelLayout, draws: dict) -> PanelForecast:
    return forecast(layout, {name: v[None] for name, v in draws.items()}, 1)


def due_dates(start: date, until: date, per_year: float) -> list[date]:
    """One after the other, as a calendar would have them."""
    days, k = [], 1
    while (day := start + timedelta(days=floor(k * 365.25 / per_year))) <= until:
        days.append(day)
        k += 1
    return days


def test_no_violation_is_a_product_over_due_dates(panel):
    """Draw by draw and decision by decision; partial is no violation; the reporting step does not count."""
    layout = PanelLayout(panel)
    draws = prior(layout, 20, np.random.default_rng(1))
    rows = found_in(layout, draws).table
    checked = 0
    for row in rows:
        if "*" in (row["state"], row["rule"]):
            continue
        s, r = layout.states.index(row["state"]), [str(rule) for rule in layout.rules].index(row["rule"])
        days = due_dates(panel.last, date.fromisoformat(row["date"]), panel.per_year[layout.rules[r]])
        intact = []
        for i in range(20):
            p = 1.0
            for _ in days:
                p *= 1 - PHI(-draws["partial_width"][i, 0] - draws["p2_g2"][i, s] - draws["interest"][i, r])
            intact.append(p)
        assert row["p_no_violation"] == pytest.approx(np.mean(intact), abs=1e-12)
        checked += len(days) > 1
    assert checked > 20
    coarse = found_in(PanelLayout(replace(panel, step_years=2.0)), draws).table
    at_end = {(row["state"], row["rule"]): row for row in rows if row["date"] == panel.until.isoformat()}
    ends = [row for row in coarse if row["date"] == panel.until.isoformat()]
    assert len(ends) == len(at_end)
    for row in ends:
        assert row == at_end[row["state"], row["rule"]]


def test_no_violation_on_given_paths(panel):
    days, rng = Days(panel), np.random.default_rng(2)
    moves = rng.standard_normal((7, len(days.every))).cumsum(axis=1)
    support, half = rng.standard_normal(7), 0.3 + rng.random(7)
    for rate in RATES:
        said, path = Outlook(support, half, np.ones(7), moves, days, days.due(rate)).told()
        for j, until in enumerate(days.reported):
            intact = np.ones(7)
            for day in due_dates(panel.last, until, rate):
                for i in range(7):
                    intact[i] *= 1 - PHI(-half[i] - support[i] - moves[i, days.every.index(day)])
            assert said["p_no_violation"][j] == pytest.approx(intact.mean(), abs=1e-12)
            np.testing.assert_allclose(path["support"][:, j], support + moves[:, days.every.index(until)])


def test_yearly_decisions_fall_due_whatever_the_step(panel):
    """Those of a new rule, and of every rule that says nothing else."""
    days = Days(replace(panel, per_year={}, step_years=2.0))
    due = [day for day, falls in zip(days.every, days.due(1.0), strict=True) if falls]
    assert due == due_dates(panel.last, panel.until, 1.0)


class Ones:
    """Chance that is always one standard deviation above."""

    standard_normal = staticmethod(np.ones)


def test_a_new_rule_is_as_far_from_the_level_as_the_mean_of_those_on_record_and_itself(tmp_path):
    layout = PanelLayout(load_panel(write_table(tmp_path, GOOD)))
    flat = prior(layout, 9, np.random.default_rng(1))
    known = _with_new(layout, flat, Ones())
    assert known.rule.shape == (9, len(layout.rules) + 1)
    np.testing.assert_allclose(known.rule[:, -1], flat["rule_spread"][:, 0] * sqrt(1 + 1 / 3))


def test_so_many_draws_are_kept_as_memory_has_room_for(monkeypatch):
    monkeypatch.setattr("bayes_compliance.panel.samples.MOST_CELLS", 120)
    kept = Kept(["a", "b"], ["r", "s", "t"], [date(2001, 1, 1), date(2002, 1, 1)], 1000)
    assert kept.sample.tolist() == [0, 111, 222, 333, 444, 555, 666, 777, 888, 999]
    assert Kept(["a"], ["r"], [date(2001, 1, 1)], 5).sample.tolist() == [0, 1, 2, 3, 4]


def test_paths_move_from_the_last_decision_on(panel):
    """A standard deviation of `drift` in five years, the way to the first date included."""
    days = Days(panel)
    steps = np.diff([panel.last, *days.every]) // timedelta(days=1)
    moves = walk(np.array([0.0, 2.0]), days, Ones())
    np.testing.assert_allclose(moves, np.outer([0, 2], np.sqrt(steps.astype(float) / 365.25 / 5).cumsum()))


def test_a_rule_has_the_outcomes_of_its_case(tmp_path):
    """One of a case without decisions has three, and a new rule has if any case has."""
    rules = "case,rule,area\na,r,trade\na,s,\nb,r,\nz,new,rights\n"
    table = load_panel(write_table(tmp_path, GOOD, "", rules))
    layout = PanelLayout(replace(table, outcomes={"a": 3, "b": 2}))
    rows = found_in(layout, prior(layout, 20, np.random.default_rng(1))).table
    partial = {row["rule"]: row["p_partial"] > 1e-6 for row in rows}
    assert partial == {"a: r": True, "a: s": True, "b: r": False, "z: new": True, "*": True}


def simulated(panel: Panel, support: float, half: float, drift: float, n: int, seed: int) -> np.ndarray:
    """Whether each of n worlds has no violation up to the horizon: paths and decisions drawn one after the other."""
    rng, intact = np.random.default_rng(seed), np.ones(n, bool)
    moved, before = np.zeros(n), panel.last
    for day in due_dates(panel.last, panel.until, 3.0):
        moved += drift * sqrt((day - before).days / 365.25 / 5) * rng.standard_normal(n)
        before = day
        intact &= support + moved + rng.standard_normal(n) > -half
    return intact


def test_no_violation_over_moving_paths_is_that_of_simulated_decisions(panel):
    """A mean of 40,000 paths against 40,000 worlds; with a drift of none instead, the same test fails."""
    n, days = 40_000, Days(panel)

    def distance(drift: float) -> float:
        moves = walk(np.full(n, drift), days, np.random.default_rng(3))
        told, _ = Outlook(np.full(n, 1.4), np.full(n, 0.4), np.full(n, drift), moves, days, days.due(3.0)).told()
        p = told["p_no_violation"][-1]
        error = sqrt(2 * p * (1 - p) / n)
        return abs(simulated(panel, 1.4, 0.4, 1.5, n, 4).mean() - p) / error

    assert distance(1.5) < FALSE_ALARM_Z
    assert distance(0.0) > FALSE_ALARM_Z, "a control"


def test_it_falls_with_time_and_with_more_decisions(panel):
    layout = PanelLayout(panel, paths=True)
    draws = prior(layout, 200, np.random.default_rng(1))
    table = found_in(layout, draws).table
    for row, after in pairwise(table):
        if (row["state"], row["rule"]) == (after["state"], after["rule"]):
            assert row["date"] < after["date"]
            assert row["p_no_violation"] >= after["p_no_violation"]
    once = found_in(PanelLayout(replace(panel, per_year={}), paths=True), draws).table
    rare = {key for key, rate in panel.per_year.items() if rate < 1}
    often = {key for key, rate in panel.per_year.items() if rate > 1}
    at = {(row["state"], row["rule"], row["date"]): row["p_no_violation"] for row in once}
    last = [row for row in table if row["date"] == panel.until.isoformat()]
    assert all(r["p_no_violation"] > at[r["state"], r["rule"], r["date"]] for r in last if r["rule"] in map(str, rare))
    assert all(r["p_no_violation"] < at[r["state"], r["rule"], r["date"]] for r in last if r["rule"] in map(str, often))


def test_where_nothing_moves_every_date_has_the_same_forecast(panel):
    table = found_in(PanelLayout(panel), prior(PanelLayout(panel), 50, np.random.default_rng(1))).table
    by: dict = {}
    for row in table:
        rest = {k: v for k, v in row.items() if k not in ("date", "p_no_violation")}
        assert by.setdefault((row["state"], row["rule"]), rest) == rest
        assert (row["p_lower"], row["p_upper"]) == (row["p_today_lower"], row["p_today_upper"])


def test_what_nothing_on_record_tells_of_the_pace_moves_by_its_prior(panel):
    """All decisions within the last five years: no earlier period to compare with, and the bands still widen."""
    recent = tuple(e for e in panel.entries if (panel.last - e.decision.date).days < 5 * 365)
    layout = PanelLayout(replace(panel, entries=recent), paths=True)
    assert not len(layout.gap)
    draws = prior(layout, 400, np.random.default_rng(3))
    low, mid, high = np.quantile(draws["drift"], [0.05, 0.5, 0.95])
    assert low < 0.2 < mid < 0.4 < high, "a median of .3"
    rows = found_in(layout, draws).table
    first, last = (
        np.mean([r["support_upper"] - r["support_lower"] for r in rows if r["date"] == when])
        for when in (rows[0]["date"], panel.until.isoformat())
    )
    assert last > first + 0.01
    assert "widens from" in words.movement(layout, rows)
    assert words.moved(layout, draws["drift"])[-1].startswith("All decisions are of the last 5 years")
    assert len(words.moved(PanelLayout(panel, paths=True), draws["drift"])) == 1


@pytest.mark.parametrize("paths", [False, True])
def test_the_dataset_has_the_table_and_its_draws(panel, paths):
    layout = PanelLayout(panel, paths=paths)
    found = found_in(layout, prior(layout, 300, np.random.default_rng(1)))
    data = found.dataset
    assert data["p_comply"].dims == ("state", "rule", "time", "sample")
    assert len(data["time"]) == len({row["date"] for row in found.table})
    for row in found.table:
        at = data.sel(state=row["state"], rule=row["rule"], time=row["date"])
        for name in ("p_no_violation", "p_lower", "p_today_upper", "support_upper"):
            assert float(at[name]) == row[name]
        for name in ("p_comply", "p_partial", "p_violate"):
            assert float(at[f"{name}_mean"]) == row[name]
        assert float(at["p_today"].mean()) == pytest.approx(row["p_comply"], abs=1e-6)
        assert float(at["support"].mean()) == pytest.approx(row["support_mean"], abs=1e-5)
        assert float(abs(at["p_comply"] + at["p_partial"] + at["p_violate"] - 1).max()) < 1e-6
    pairs = {(row["state"], row["rule"]) for row in found.table}
    assert (
        int(data["p_comply"].notnull().any(("time", "sample")).sum())
        == len(pairs)
        < data["state"].size * (data["rule"].size)
    )


def test_a_state_not_seen_is_placed_by_its_covariates_and_as_uncertain_as_states_differ():
    """A known law: the mean within 5 errors, the quantiles of 4,000 draws within .03."""
    made = synthetic(30, 9, 600, seed=4, missing=0.0)
    cells = {**made.panel.states.values, "NEW": (9.0, 10.0)}
    panel = replace(made.panel, states=replace(made.panel.states, values=cells))
    layout = PanelLayout(panel)
    assert "NEW" in layout.states
    assert "NEW" not in panel.observed_states
    n = 4000
    fixed = {"level": 0.4, "state_effect": np.array([0.5, -0.3]), "state_spread": 0.8, "rule_spread": 1e-9}
    draws = prior(layout, n, np.random.default_rng(1), {name: np.atleast_1d(v) for name, v in fixed.items()})
    draws["area_interest"] = 0 * draws["area_interest"]
    draws["partial_width"] = np.full((n, 1), 0.4)
    row = next(r for r in found_in(layout, draws).table if (r["state"], r["rule"]) == ("NEW", "*"))
    values = np.array([v for k, v in cells.items()])
    x = (np.array(cells["NEW"]) - values.mean(axis=0)) / values.std(axis=0)
    mean = 0.4 + 0.5 * x[0] - 0.3 * x[1]
    expected = PHI((mean - 0.4) / sqrt(1 + 0.8**2))
    assert abs(row["p_comply"] - expected) < FALSE_ALARM_Z * 0.5 / sqrt(n)
    low, high = (PHI(mean - 0.4 + z * 0.8) for z in (-1.6449, 1.6449))
    assert row["p_lower"] == pytest.approx(low, abs=0.03)
    assert row["p_upper"] == pytest.approx(high, abs=0.03)
