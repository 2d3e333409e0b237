"""Lock-in against a plain loop, and where there is nothing to lock in."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_compliance.analysis.lock_in import lock_in
from tests.analysis import plain
from tests.builders import known, write_case


@pytest.mark.usefixtures("in_chunks")
def test_lock_in_is_the_loop_over_worlds(rich):
    prepared, tree = rich
    found = lock_in(prepared, tree, seed=plain.SEED)
    with_it, without, turned = plain.gather(), plain.gather(), plain.gather()
    alone = {}
    for moment, _, _, world in plain.every_world(prepared, tree):
        rows = moment.day.rows
        if not moment.day.reported.any():
            continue
        bare = alone.setdefault(
            rows.items[0].date,
            prepared.layout.rows_for([item._replace(stage="status_quo") for item in rows.items]),
        )
        never = world._replace(accrued=0 * world.accrued)
        for i, item in enumerate(rows.items):
            sc = plain.support(plain.lobbies(prepared.layout, rows, i, world))
            s0 = plain.support(plain.lobbies(prepared.layout, bare, i, never))
            with_it[plain.key(item)].append(plain.p_comply(rows, i, world, sc))
            without[plain.key(item)].append(plain.p_comply(rows, i, world, s0))
            turned[plain.key(item)].append(s0 < rows.threshold[i] < sc)
    assert len(with_it) == 6 * found.sizes["time"]
    for where, p in with_it.items():
        assert len(p) == plain.WORLDS
        lift = np.array(p) - without[where]
        assert plain.at(found, "p_agreement", where) == pytest.approx(np.mean(p))
        assert plain.at(found, "p_alone", where) == pytest.approx(np.mean(without[where]))
        assert plain.at(found, "lift", where) == pytest.approx(np.mean(lift), abs=1e-7)
        assert plain.at(found, "lift_upper", where) == pytest.approx(np.quantile(lift, 0.95), abs=1e-7)
        assert plain.at(found, "pivotal", where) == pytest.approx(np.mean(turned[where]))


def test_an_agreement_without_promise_reward_or_entrenchment_changes_nothing(tmp_path):
    prepared, tree = plain.standin(_two_lobbies(tmp_path))
    found = lock_in(prepared, tree)
    assert found["lift"].values == pytest.approx(0, abs=1e-12)
    assert (found["pivotal"] == 0).all()
    assert (found["p_alone"] > 0.01).all()


def test_a_promise_that_costs_more_than_the_status_quo_lacks_is_pivotal_in_every_world(tmp_path):
    prepared, tree = plain.standin(_two_lobbies(tmp_path, {"id": "p", "state": "H", "role": "P"}))
    found = lock_in(prepared, tree)
    # S0 = 10 - 12 and SC = S0 + 1 + 5, all constants
    assert (found["pivotal"] == 1).all()
    assert found["p_alone"].values == pytest.approx(plain.phi(-2 / 3))
    assert found["p_agreement"].values == pytest.approx(plain.phi(4 / 3))


def test_entrenchment_is_the_agreements_own(rich):
    prepared, tree = rich
    entrenched = lock_in(prepared, tree)
    tree = tree.copy()
    tree["posterior"] = tree["posterior"].to_dataset().assign(entrenchment=0 * tree["posterior"]["entrenchment"])
    free = lock_in(prepared, tree)
    assert entrenched["p_alone"].equals(free["p_alone"])
    assert not entrenched["p_agreement"].equals(free["p_agreement"])


def _two_lobbies(place, *more):
    lobbies = [{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}, *more]
    judged = [known("magnitude", m, b) for b, m in (("j", 10.0), ("k", 12.0), ("p", 1.0))][: len(lobbies)]
    judged += [known("volatility", 0.0, b["id"]) for b in lobbies] + [known("decision_noise", 3.0)]
    judged += [known("shock_hazard", 0.0)] + [known("step", 5.0, b["id"]) for b in more]
    judged += [known("rule_spread_points", 0.0)]
    return write_case(place, lobbies=lobbies, judgements=judged)
