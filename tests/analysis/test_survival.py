"""Survival against the forecast, a plain loop, and constants."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_compliance import forecast
from bayes_compliance.analysis.survival import falls_below, survival
from bayes_compliance.inference.tree import draws_of
from tests.analysis import plain
from tests.builders import complied, known, write_case

TIMES = [date(2001, 1, 1), date(2002, 1, 1), date(2003, 1, 1)]


@pytest.mark.usefixtures("in_chunks")
def test_survival_is_the_share_of_worlds_without_a_violation(rich):
    prepared, tree = rich
    found = survival(prepared, tree, seed=plain.SEED)
    violated, share = set(), plain.gather()
    for moment, draw, path, _ in plain.every_world(prepared, tree):
        for i, item in enumerate(moment.day.rows.items):
            if moment.day.decided[i] and moment.outcome[draw % 7, path, i] == 0:
                violated.add((draw, path, item.state, item.rule))
            if moment.day.reported.any():
                share[plain.key(item)].append((draw, path, item.state, item.rule) not in violated)
    assert len(share) == 6 * found.sizes["time"]
    for where, intact in share.items():
        assert len(intact) == plain.WORLDS
        assert plain.at(found, "p_no_violation", where) == pytest.approx(np.mean(intact))


def test_survival_is_the_forecasts_column(rich):
    prepared, tree = rich
    draws, chains = draws_of(tree)
    ahead = forecast.simulate(prepared.model, prepared.layout, draws, chains, seed=4)
    found = survival(prepared, tree, seed=4)["p_no_violation"]
    assert found.values == pytest.approx(ahead.dataset["p_no_violation"].values, nan_ok=True)


def test_a_constant_chance_of_violation_compounds(tmp_path):
    """Two outcomes, two decisions a year; false-alarm rate 1e-5 for each date."""
    prepared, tree = plain.standin(_constant(tmp_path), draws=200)
    found = survival(prepared, tree).sel(state="H", rule="r")
    p = plain.phi(3 / 3) ** (2 * np.arange(1, 6))
    error = np.sqrt(p * (1 - p) / (200 * 2 * forecast.PATHS)) * np.sqrt(2)  # paths come in antithetic pairs
    assert (abs(found["p_no_violation"].values - p) < 4.5 * error).all()
    assert (abs(found["p_no_violation"].values - p ** (1 / 2)) > 4.5 * error).any()
    # .841^(2 t) = 1/2 at t = 2.01: two years on it may be either side of one half, three years on it is below
    assert str(found["more_likely_than_not"].values)[:10] in [str(t)[:10] for t in found["time"].values[1:3]]


def _constant(place):
    lobbies = [{"id": b.lower(), "state": "H", "role": b} for b in "JK"]
    judged = [known("magnitude", m, b) for b, m in (("j", 10.0), ("k", 7.0))] + [known("rule_spread_points", 0.0)]
    judged += [known("volatility", 0.0, b) for b in "jk"] + [known("decision_noise", 3.0), known("shock_hazard", 0.0)]
    return write_case(
        place, lobbies=lobbies, judgements=judged, decisions=[complied("2010-01-01")],
        rules=[{"id": "r", "states": ["H"], "decisions_per_year": 2}],
        horizon={"until": date(2015, 1, 1), "step_years": 1},
    )  # fmt: skip


def test_the_level_is_met_on_a_date_that_is_reported():
    # between two reported dates nothing may fall due, so none of those is named
    p = np.array([0.8, 0.4, 0.1])
    assert [str(falls_below(level, TIMES, p))[:10] for level in (0.9, 0.5, 0.3)] == [str(day) for day in TIMES]


def test_the_level_that_is_not_met_has_no_date():
    assert np.isnat(falls_below(0.5, TIMES, np.array([0.8, 0.7, 0.6])))
    assert np.isnat(falls_below(0.5, TIMES, np.array([0.8, 0.7, 0.5]))), "as likely as not is not more likely"


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(0.01, 0.99))
def test_a_lower_level_is_met_later(p, level):
    falling = np.sort(p)[::-1]
    first, later = (falls_below(x, TIMES, falling) for x in (level, level / 2))
    assert np.isnat(later) or first <= later
    assert np.isnat(first) == (falling[-1] >= level)
