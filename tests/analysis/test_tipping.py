"""Tipping points and the deepest rule against plain bisections, closed forms and scenarios."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from bayes_compliance import forecast
from bayes_compliance.analysis.scenarios import scenarios
from bayes_compliance.analysis.tipping import deepest, deepest_rule, tipping_points
from bayes_compliance.parts import crossing
from tests.analysis import plain
from tests.analysis.test_scenarios import one_lobby, what_if


@pytest.fixture(scope="module")
def worlds(rich):
    """Of the first and last date: by state, rule and date, (lobby -> signed total, per point), margin and noise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecast, "CHUNK", 7)
        return _worlds(*rich)


def _worlds(prepared, tree):
    found, layout = {}, prepared.layout
    days = {
        prepared.case.horizon.until,
        min(m.day.date for m, *_ in plain.every_world(prepared, tree) if m.day.reported[0]),
    }
    for moment, _, _, world in plain.every_world(prepared, tree):
        rows = moment.day.rows
        for i, item in enumerate(rows.items if moment.day.date in days else ()):
            parts = plain.lobbies(layout, rows, i, world)
            s, noise = plain.support(parts), world.x["decision_noise"][rows.state[i]]
            margin = s - rows.threshold[i] - world.x["partial_width"][rows.state[i]]
            by_lobby = {part.lobby: part.total for part in parts}
            slope = {part.lobby: rows.weight[i][k] * part.wq * part.kept
                     for part, k in zip(parts, np.flatnonzero(rows.weight[i]), strict=True)}  # fmt: skip
            found.setdefault(plain.key(item), []).append((by_lobby, slope, margin, noise))
    return found


def bisect(margin, push, noise, low, high, change):
    def f(v):
        return ndtr((margin + change(v) * push) / noise).mean() - 0.5

    if f(low) * f(high) > 0:
        return np.nan
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if f(low) * f(middle) > 0 else (low, middle)
    return (low + high) / 2


@pytest.mark.usefixtures("in_chunks")
def test_tipping_points_are_the_bisection_over_worlds(rich, worlds):
    found, lobbies = tipping_points(*rich, seed=plain.SEED, paths=None), rich[0].case.lobbies
    finite = scaled = 0
    for where, each in worlds.items():
        margin, noise = np.array([w[2] for w in each]), np.array([w[3] for w in each])
        assert plain.at(found, "p", where) == pytest.approx(ndtr(margin / noise).mean())
        for b, lobby in enumerate(lobbies):
            log_scale = not rich[0].case.is_linear(lobby)
            total, slope = (np.array([w[k].get(b, 0.0) for w in each]) for k in (0, 1))
            expected = np.nan
            if log_scale and total.any():
                expected = exp(bisect(margin, total, noise, *LOG, lambda v: exp(v) - 1))
            elif slope.any():
                expected = bisect(margin, slope, noise, -1e3, 1e3, lambda u: u)
            name, other = ("factor", "points") if log_scale else ("points", "factor")
            got = plain.at(found, name, where, lobby=lobby.id)
            assert got == pytest.approx(expected, rel=1e-6, nan_ok=True), (where, lobby.id)
            assert np.isnan(plain.at(found, other, where, lobby=lobby.id))
            change = plain.at(found, "change", where, lobby=lobby.id)
            finite += np.isfinite(got)
            if log_scale and np.isfinite(got) and slope.all():
                # of the magnitude itself: what the other side's answer takes from L is no weakness of the lobby
                assert change == pytest.approx((got - 1) * np.median(abs(total / slope)), rel=1e-6)
                scaled += 1
            elif not log_scale:
                assert change == pytest.approx(got, nan_ok=True)
    assert finite > 20
    assert scaled > 10


LOG = (-log(100), log(100))


@pytest.mark.usefixtures("in_chunks")
def test_the_deepest_rule_is_the_search_over_worlds(rich, worlds):
    found, roles = deepest_rule(*rich, seed=plain.SEED, paths=None), [b.role for b in rich[0].case.lobbies]
    kept = 0

    arrays = {
        where: (
            np.array([w[2] for w in each]),
            np.array([sum(t for b, t in w[0].items() if roles[b] in "JK") for w in each]),
            np.array([w[3] for w in each]),
        )
        for where, each in worlds.items()
    }

    def p(where, k):
        margin, at_home, noise = arrays[where]
        return ndtr((margin + (k - 1) * at_home) / noise).mean()

    for rule in found["rule"].values:
        for day in {where[2] for where in worlds}:
            sides = [where for where in worlds if where[1] == rule and where[2] == day]
            got = float(found["depth"].sel(rule=rule, time=day))
            assert found["sides"].sel(rule=rule).item() == len(sides)
            grid = np.exp(np.linspace(*LOG, 800))
            keeps = [all(p(side, k) >= 0.8 for side in sides) for k in grid]
            if not any(keeps):
                assert np.isnan(got)
                continue
            deepest_on_grid = grid[np.flatnonzero(keeps)[-1]]
            assert deepest_on_grid * (1 - 1e-6) <= got <= deepest_on_grid * grid[1] / grid[0]
            assert min(p(side, got) for side in sides) == pytest.approx(0.8, abs=1e-5)
            kept += 1
    assert kept > 0


def test_known_lobbies_tip_where_the_article_s_inequality_does(tmp_path):
    prepared, tree = plain.standin(one_lobby(tmp_path))
    one = tipping_points(prepared, tree).isel(time=0).squeeze()
    # P2 = 12 + 1, K = 10: three points more of K or fewer of P; both move on the linear scale here
    assert one["points"].sel(lobby="p").item() == pytest.approx(-3, abs=0.4)
    assert one["points"].sel(lobby="k").item() == pytest.approx(3, abs=0.4)
    assert one["points"].sel(lobby="k").item() == pytest.approx(-one["points"].sel(lobby="p").item())


def test_a_scenario_at_the_tipping_point_takes_p_across_one_half(rich):
    prepared, tree = rich
    found = tipping_points(prepared, tree, seed=plain.SEED, paths=None)
    day = found["time"].values[0]
    factor = found["factor"].sel(state="F", rule="oranges", time=day, lobby="fk").item()
    assert np.isfinite(factor)
    for share, above in ((1 - 1e-6, True), (1 + 1e-6, False)):
        changed, _ = what_if(
            prepared, {"lobby": "fk", "scale": factor * share}, since=day.astype("datetime64[D]").item()
        )
        p = scenarios(changed, tree, seed=plain.SEED)["p_scenario"].sel(state="F", rule="oranges", time=day).item()
        assert p == pytest.approx(0.5, abs=1e-5)
        assert (p > 0.5) == above


def test_a_step_may_be_asked_for(rich):
    days = forecast.dates_ahead(rich[0].case.last_decision_date(), rich[0].case.horizon.until, 7)
    for question, name in ((tipping_points, "p"), (deepest_rule, "depth")):
        found = question(*rich, step_years=7, draws=5)
        assert found["time"].values.astype("datetime64[D]").tolist() == days
        assert found[name].notnull().any("time").any()


@given(st.floats(-3, 3), st.floats(0.05, 3), st.floats(0.1, 3))
def test_one_world_has_closed_forms(margin, gain, loss):
    # margin + (k - 1) d = 0 at k = 1 - margin / d
    for push in (gain, -loss):
        k = 1 - margin / push
        got = np.exp(crossing(np.array([margin]), np.array([[push]]), np.array([True]), 0.5))[0]
        assert got == pytest.approx(k, rel=1e-6) if 0.0101 < k < 99 else True
        assert np.isnan(got) if k <= 0 else True
        points = crossing(np.array([margin]), np.array([[push]]), np.array([False]), 0.5)[0]
        assert points == pytest.approx(-margin / push, abs=1e-9)
    # margin - (k - 1) loss = z(.8) at the deepest k
    k = 1 + (margin - ndtri(0.8)) / loss
    got = deepest(np.array([[margin]]), np.array([[-loss]]))
    assert got == pytest.approx(k, rel=1e-5) if 0.011 < k < 99 else True
    assert np.isnan(got) if k < 0.0099 else True
    assert got == np.inf if k > 101 else True


def test_a_lobby_that_pushes_nowhere_does_not_tip():
    found = crossing(np.array([0.3, 0.1]), np.zeros((1, 2)), np.array([True]), 0.5)
    assert np.isnan(found).all()
    assert deepest(np.array([[2.0]]), np.array([[0.0]])) == np.inf
