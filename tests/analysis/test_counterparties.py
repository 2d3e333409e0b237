"""Sets of counterparties: shares of L by who answers, and nothing where a state does not deal with the set."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_compliance import forecast
from bayes_compliance.analysis.counterparties import bilateral_or_multilateral
from bayes_compliance.errors import Refused
from bayes_compliance.inference.tree import draws_of
from tests.analysis import plain
from tests.builders import complied, known, quantiles, write_case

SETS = [{"id": "B alone", "states": ["B"]}, {"id": "C alone", "states": ["C"]}, {"id": "both", "states": ["B", "C"]}]


def three(place, **more):
    """A deals with B and C, 1 to 3; B with A; C with nobody whose conduct is modelled."""
    lobbies = [
        {"id": "k", "state": "A", "role": "K"},
        {"id": "l", "state": "A", "role": "L"},
        {"id": "to c", "state": "A", "role": "L", "counterparties": ["C"]},
        {"id": "bk", "state": "B", "role": "K"},
        {"id": "bl", "state": "B", "role": "L"},
        {"id": "ck", "state": "C", "role": "K"},
        {"id": "cl", "state": "C", "role": "L"},
        {"id": "cp", "state": "C", "role": "P"},
    ]
    judged = [*(quantiles("magnitude", 5, 10, 20, b["id"]) for b in lobbies if b["id"] != "cp")]
    judged += [known("magnitude", 2.0, "cp"), quantiles("reciprocity", 0.2, 0.5, 0.8, state="C")]
    states = [
        {"id": "A", "counterparties": ["B", "C"], "counterparty_weights": [1.0, 3.0]},
        {"id": "B", "counterparties": ["A"]}, {"id": "C"},
    ]  # fmt: skip
    rules = [{"id": name, "states": [name.upper()], "decisions_per_year": 0.1} for name in "abc"]
    decisions = [complied("2002-01-01", "violate", "B", "b"), complied("2003-01-01", "comply", "C", "c")]
    return write_case(
        place, states=states, rules=rules, lobbies=lobbies, judgements=judged, decisions=decisions, scale="log",
        tables={"counterparty_sets": SETS} if more.get("sets", True) else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    return plain.standin(three(tmp_path_factory.mktemp("three")))


def test_under_a_set_l_counts_its_members_share_of_conduct(fitted):
    prepared, tree = fitted
    found = bilateral_or_multilateral(prepared, tree, seed=plain.SEED)
    layout, first, each = (
        prepared.layout,
        found["time"].values[0],
        {s: plain.gather() for s in ("all", "B alone", "C alone")},
    )
    for moment, _, _, world in plain.every_world(prepared, tree):
        rows, day = moment.day.rows, np.datetime64(moment.day.date, "ns")
        if day != first:  # conduct so far is the same under every set
            continue
        i = [item.state for item in rows.items].index("A")
        a = world.x["trust"][0]
        q = [(a + c) / (a + n) for c, n in zip(world.credit[i], world.count[i], strict=True)]
        shares = {
            "all": (0.25 * q[0] + 0.75 * q[1], q[1]),
            "B alone": (0.25 * q[0], 0.0),
            "C alone": (0.75 * q[1], q[1]),
        }
        for name, (general, to_c) in shares.items():
            parts = plain.lobbies(layout, rows, i, world)
            ids = [layout.case.lobbies[part.lobby].id for part in parts]
            weight = {"l": world.x["shadow"][0] * general, "to c": world.x["shadow"][0] * to_c}
            s = sum(p._replace(wq=weight.get(id, 1.0)).total for id, p in zip(ids, parts, strict=True))
            each[name][plain.key(rows.items[i])].append(plain.p_comply(rows, i, world, s))
    for name, by in each.items():
        ((where, p),) = by.items()
        assert len(p) == 2 * plain.DRAWS * forecast.PATHS
        assert plain.at(found, "p", where, set=name) == pytest.approx(np.mean(p))


def test_all_counterparties_together_are_the_forecast_and_a_part_of_them_sustains_less(fitted):
    prepared, tree = fitted
    found = bilateral_or_multilateral(prepared, tree, seed=plain.SEED)
    ahead = forecast.simulate(prepared.model, prepared.layout, *draws_of(tree), seed=plain.SEED)
    p = {(row["state"], row["rule"], row["date"]): row["p_comply"] for row in ahead.table}
    for (state, rule, day), value in p.items():
        where = state, rule, np.datetime64(day)
        assert plain.at(found, "p", where, set="all") == pytest.approx(value, abs=1e-12)
        both = plain.at(found, "p", where, set="both")
        assert both == pytest.approx(value, abs=1e-12) if state == "A" else np.isnan(both)
    a = found["p"].sel(state="A", rule="a")
    assert (a.sel(set="B alone") < a.sel(set="all")).all()
    assert (a.sel(set="C alone") < a.sel(set="all")).all()
    assert found["difference"].sel(set="all").fillna(0).sum() == 0


def test_a_state_without_a_counterparty_in_the_set_or_judged_as_a_whole_is_left_out(fitted):
    found = bilateral_or_multilateral(*fitted)["p"].isel(time=0)
    blank = {(s, state) for s in ("B alone", "C alone", "both") for state in "ABC"
             if np.isnan(found.sel(set=s, state=state, rule=state.lower()))}  # fmt: skip
    assert blank == {(s, state) for s in ("B alone", "C alone", "both") for state in "BC"}


def test_a_case_without_sets_is_refused(tmp_path):
    with pytest.raises(Refused, match=r"case\.toml: no counterparty_sets are declared; allowed: at least one"):
        bilateral_or_multilateral(*plain.standin(three(tmp_path, sets=False)))
