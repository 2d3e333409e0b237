"""The forecast's probability of no violation against a plain loop over its worlds, and constants."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from bayes_compliance import forecast
from bayes_compliance.inference.tree import draws_of
from tests.analysis import plain
from tests.builders import complied, known, write_case


def ahead(prepared, tree, seed):
    draws, chains = draws_of(tree)
    return forecast.simulate(prepared.model, prepared.layout, draws, chains, seed=seed).dataset


@pytest.mark.usefixtures("in_chunks")
def test_it_is_the_share_of_worlds_without_a_violation(rich):
    prepared, tree = rich
    found = ahead(prepared, tree, plain.SEED)
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


def test_a_constant_chance_of_violation_compounds(tmp_path):
    """Two outcomes, two decisions a year; false-alarm rate 1e-5 for each date."""
    prepared, tree = plain.standin(_constant(tmp_path), draws=200)
    found = ahead(prepared, tree, 1).sel(state="H", rule="r")
    p = plain.phi(3 / 3) ** (2 * np.arange(1, 6))
    error = np.sqrt(p * (1 - p) / (200 * 2 * forecast.PATHS)) * np.sqrt(2)  # paths come in antithetic pairs
    assert (abs(found["p_no_violation"].values - p) < 4.5 * error).all()
    assert (abs(found["p_no_violation"].values - p ** (1 / 2)) > 4.5 * error).any()


def _constant(place):
    lobbies = [{"id": b.lower(), "state": "H", "role": b} for b in "JK"]
    judged = [known("magnitude", m, b) for b, m in (("j", 10.0), ("k", 7.0))] + [known("rule_spread_points", 0.0)]
    judged += [known("volatility", 0.0, b) for b in "jk"] + [known("decision_noise", 3.0), known("shock_hazard", 0.0)]
    return write_case(
        place, lobbies=lobbies, judgements=judged, decisions=[complied("2010-01-01")],
        rules=[{"id": "r", "states": ["H"], "decisions_per_year": 2}],
        horizon={"until": date(2015, 1, 1), "step_years": 1},
    )  # fmt: skip
