"""The forecast's probability of no violation against a plain loop over its worlds, a count of them, and constants."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import numpy as np
import pytest

from bayes_compliance import forecast
from bayes_compliance.inference.tree import draws_of
from tests.analysis import plain
from tests.builders import complied, known, quantiles, write_case


def ahead(prepared, tree, seed):
    draws, chains = draws_of(tree)
    return forecast.simulate(prepared.model, prepared.layout, draws, chains, seed=seed).dataset


@pytest.mark.usefixtures("in_chunks")
def test_each_decision_leaves_what_the_worlds_without_a_violation_expect_of_it(rich):
    prepared, tree = rich
    found = ahead(prepared, tree, plain.SEED)
    violated, left, reported = set(), plain.gather(), set()
    for moment, draw, path, _ in plain.every_world(prepared, tree):
        for i, item in enumerate(moment.day.rows.items):
            world = (draw, path, item.state, item.rule)
            if moment.day.decided[i] and world not in violated:
                left[plain.key(item)].append(1 - moment.answer.p_violate[draw % 7, path, i])
                if moment.outcome[draw % 7, path, i] == 0:
                    violated.add(world)
            if moment.day.reported.any():
                reported.add(plain.key(item))
    assert len(reported) == 6 * found.sizes["time"]
    for where in reported:
        due = [np.mean(each) for on, each in left.items() if on[:2] == where[:2] and on[2] <= where[2]]
        assert plain.at(found, "p_no_violation", where) == pytest.approx(np.prod(due), abs=1e-12)


def test_it_is_the_share_of_worlds_without_a_violation_but_for_the_noise_of_their_outcomes(tmp_path):
    """False-alarm rate below 1e-4 over all dates; the control is a date later."""
    prepared, tree = plain.standin(plain.folder(tmp_path), draws=500)
    found, share = ahead(prepared, tree, 1), plain.gather()
    for intact, day in _intact(prepared, tree, seed=1):
        for pair, worlds in intact.items():
            share[*pair, np.datetime64(day, "ns")] += worlds.mean(axis=1).tolist()
    off = []
    for (state, rule, day), worlds in share.items():
        error = np.std(worlds) / np.sqrt(len(worlds)) + 1e-4
        series = found["p_no_violation"].sel(state=state, rule=rule)
        later = series.sel(time=slice(day, None)).values[:2][-1]
        off.append(abs(np.array([series.sel(time=day), later]) - np.mean(worlds)) / error)
    assert len(off) == 6 * found.sizes["time"]
    assert np.max(off, axis=0)[0] < 5 < np.max(off, axis=0)[1]


def _intact(prepared, tree, seed):
    """Worlds without a violation so far on each reported date, (draw, path) by state and rule, chunk by chunk."""
    horizon, layout = prepared.case.horizon, prepared.layout
    days = forecast.plan(layout, horizon.until, horizon.step_years)
    for _, future in forecast.futures(prepared.model, layout, days, forecast.thin(*draws_of(tree))[0], seed):
        intact = defaultdict(lambda n=future.n_draws: np.ones((n, forecast.PATHS), bool))
        for moment in future.run():
            for i, item in enumerate(moment.day.rows.items):
                intact[item.state, item.rule] &= (moment.outcome[..., i] > 0) | ~moment.day.decided[i]
            if moment.day.reported.any():
                yield intact, moment.day.date


def test_of_one_decision_with_two_outcomes_it_is_the_probability_of_compliance(tmp_path):
    folder = _case(tmp_path, quantiles("magnitude", 5, 8, 11, "k"), until=date(2012, 1, 1), step=2, rate=0.5)
    (row,) = _table(*plain.standin(folder, draws=50))
    assert row["p_no_violation"] == pytest.approx(row["p_comply"], abs=1e-12)
    assert 0.1 < row["p_comply"] < 0.9


def test_it_stays_where_nothing_falls_due_and_never_rises(rich, tmp_path):
    folder = _case(tmp_path, known("magnitude", 8, "k"), until=date(2014, 1, 1), step=0.3, rate=0.5)
    prepared, tree = plain.standin(folder)
    said = defaultdict(set)
    for row in _table(prepared, tree):
        said[forecast.n_due(prepared.case, "r", date.fromisoformat(row["date"]))].add(row["p_no_violation"])
    assert [len(said[n]) for n in (0, 1, 2)] == [1, 1, 1]
    assert said[0] == {1.0}
    steps = np.diff(ahead(*rich, 1)["p_no_violation"].values, axis=-1)
    assert (steps[np.isfinite(steps)] <= 0).all()


def test_a_constant_chance_of_violation_compounds(tmp_path):
    """Two outcomes, two decisions a year: no noise of outcomes is in it."""
    folder = _case(tmp_path, known("magnitude", 7, "k"), until=date(2015, 1, 1), step=1, rate=2)
    p = [row["p_no_violation"] for row in _table(*plain.standin(folder))]
    assert p == pytest.approx(plain.phi(3 / 3) ** (2 * np.arange(1, 6)), abs=1e-12)


def _table(prepared, tree):
    draws, chains = draws_of(tree)
    table = forecast.simulate(prepared.model, prepared.layout, draws, chains, seed=1).table
    return [row for row in table if row["rule"] == "r"]


def _case(place, k, *, until, step, rate):
    """Nothing moves; J is 10, the noise 3, and K as judged."""
    lobbies = [{"id": b.lower(), "state": "H", "role": b} for b in "JK"]
    judged = [known("magnitude", 10.0, "j"), k, known("rule_spread_points", 0.0)]
    judged += [known("volatility", 0.0, b) for b in "jk"] + [known("decision_noise", 3.0), known("shock_hazard", 0.0)]
    return write_case(
        place, lobbies=lobbies, judgements=judged, decisions=[complied("2010-01-01")],
        rules=[{"id": "r", "states": ["H"], "decisions_per_year": rate}],
        horizon={"until": until, "step_years": step},
    )  # fmt: skip
