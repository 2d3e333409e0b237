"""Scenarios against a plain loop over altered worlds, closed forms of their laws, and what is refused."""

from __future__ import annotations

from datetime import date
from math import sqrt

import numpy as np
import pytest

from bayes_compliance import forecast
from bayes_compliance.alterations import Added, Alteration
from bayes_compliance.analysis.scenarios import alteration_of, scenarios
from bayes_compliance.analysis.side_by_side import side_by_side
from bayes_compliance.asking import related
from bayes_compliance.case import AddedLobby, Change, Lobby, Scenario
from bayes_compliance.errors import Refused
from bayes_compliance.inference.tree import draws_of
from tests.analysis import plain
from tests.builders import known, write_case

SINCE = date(2012, 6, 1)
CHANGES = {
    "scaled": ({"lobby": "hk", "scale": 1.7}, {"lobby": "hp", "scale": 0.5}, {"lobby": "union", "scale": 2.0}),
    "removed": ({"lobby": "fj", "remove": True},),
    "added": (
        {"add": AddedLobby(id="new", state="H", role="K", magnitude=4.0)},
        {"add": AddedLobby(id="court 2", state="F", role="G", magnitude=-3.0, rules=("oranges",))},
        {"add": AddedLobby(id="exporters", state="F", role="L", magnitude=5.0)},
    ),
    "q": ({"state": "H", "q": 0.9}, {"state": "F", "q": 0.0}),
    "w": ({"state": "H", "w": 0.1}, {"state": "F", "w": 0.99}),
    "shock": ({"state": "H", "shock": 3.0},),
    "pace": ({"state": "F", "volatility_scale": 2.5},),
}


def what_if(prepared, *changes, since=SINCE, id="x"):
    """The prepared case with one scenario in place of its own."""
    one = Scenario(id=id, title="What if", from_=since, changes=tuple(Change(**change) for change in changes))
    fields = {name: getattr(prepared.case, name) for name in type(prepared.case).model_fields}
    return prepared._replace(case=type(prepared.case)(**fields | {"scenarios": (one,)})), one


def moments(prepared, tree, alteration=None):
    """Chunk and moment, for all of them."""
    layout, horizon = prepared.layout, prepared.case.horizon
    days = forecast.plan(layout, horizon.until, horizon.step_years)
    draws, _ = forecast.thin(*draws_of(tree))
    for _, future in forecast.futures(prepared.model, layout, days, draws, plain.SEED, alteration):
        for moment in future.run():
            yield future, moment


def expected(prepared, future, moment, one: Scenario) -> dict:
    """p by the plain loop over the lobbies of the case as it is, each change made by hand; (world,) by row."""
    layout, items = prepared.layout, moment.day.rows.items
    rows, found, holds = layout.rows_for(items), plain.gather(), items[0].date >= one.from_
    names, role = [b.id for b in layout.case.lobbies], {"L": "answers"}
    factor, added, q, w = {}, [], {}, {}
    for change in one.changes if holds else ():
        factor |= {change.lobby: 0.0 if change.remove else change.scale} if change.lobby else {}
        added += [change.add] if change.add else []
        q |= {change.state: change.q} if change.q is not None else {}
        w |= {change.state: change.w} if change.w is not None else {}
    h = moment.history
    for d, p in np.ndindex(future.n_draws, future.paths):
        x = {name: values[d].copy() for name, values in future.draws.items()}
        for state, value in w.items():
            x["shadow"][layout.state_index[state]] = x["discount"][layout.state_index[state]] = value
        world = plain.World(x, moment.paths[d, p], moment.pairs[d, p], h.credit[d, p], h.count, h.accrued[d, p])
        for i, item in enumerate(items):
            s, parts = 0.0, plain.lobbies(layout, rows, i, world)
            for part in parts:
                wq = part.wq
                if item.state in q and rows.answers[i][list(rows.lobby[i]).index(part.lobby)]:
                    wq = _weight(x, rows, i) * q[item.state]
                s += part._replace(wq=wq).total * factor.get(names[part.lobby], 1.0)
            for new in added:
                if new.state == item.state and (new.rules is None or item.rule in new.rules):
                    seen = q.get(item.state, _seen(x, rows, i, world)) if role.get(new.role) else 1.0
                    weight = _weight(x, rows, i) * seen if role.get(new.role) else 1.0
                    s += new.magnitude * weight * (-1 if new.role == "K" else 1)
            found[plain.key(item)].append(plain.p_comply(rows, i, world, s))
    return found


def _weight(x, rows, i):
    state = rows.state[i]
    return (0.0 if rows.ended[i] else x["discount"][state]) if rows.ending[i] else x["shadow"][state]


def _seen(x, rows, i, world):
    # each state has one counterparty
    a = x["trust"][rows.state[i]]
    return (a + world.credit[i, 0]) / (a + world.count[i, 0])


def looped(prepared, tree, one: Scenario, alteration) -> dict:
    found = plain.gather()
    for future, moment in moments(prepared, tree, alteration):
        if moment.day.reported.any():
            for where, p in expected(prepared, future, moment, one).items():
                found[where] += p
    return found


@pytest.fixture(scope="module")
def base_worlds(rich):
    """The same without any change, seven draws at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecast, "CHUNK", 7)
        _, one = what_if(rich[0], *CHANGES["q"])
        return looped(*rich, one.model_copy(update={"changes": ()}), None)


@pytest.mark.usefixtures("in_chunks")
@pytest.mark.parametrize("name", CHANGES)
def test_a_scenario_is_the_loop_over_its_worlds(rich, base_worlds, name):
    prepared, one = what_if(rich[0], *CHANGES[name])
    found = scenarios(prepared, rich[1], seed=plain.SEED)
    base, altered = base_worlds, looped(prepared, rich[1], one, alteration_of(one))
    assert len(base) == 6 * found.sizes["time"]
    for where, p in base.items():
        difference = np.array(altered[where]) - p
        assert plain.at(found, "p_base", where) == pytest.approx(np.mean(p))
        assert plain.at(found, "p_scenario", where, scenario="x") == pytest.approx(np.mean(altered[where]))
        for label, value in (("", difference.mean()), ("_lower", np.quantile(difference, 0.05)),
                             ("_upper", np.quantile(difference, 0.95))):  # fmt: skip
            assert plain.at(found, f"difference{label}", where, scenario="x") == pytest.approx(value, abs=1e-9)


@pytest.mark.usefixtures("in_chunks")
def test_conduct_and_compliance_in_altered_worlds_follow_from_their_own_decisions(rich):
    prepared, one = what_if(rich[0], {"lobby": "fj", "remove": True}, since=date(2010, 6, 1))
    layout, answering = prepared.layout, {"bananas": ["oranges"], "oranges": ["bananas", "quotas"]}
    moved = 0
    for alteration in (None, alteration_of(one)):
        credit, before = {}, None
        for future, moment in moments(prepared, rich[1], alteration):
            if future is not before:
                credit, before = dict.fromkeys(layout.obligations, 0.0), future
                for d in prepared.case.decisions:
                    if d.kind == "compliance":
                        credit[d.state, d.rule] += {"comply": 1.0, "partial": 0.5, "violate": 0.0}[d.decision]
            for i, item in enumerate(moment.day.rows.items):
                if item.rule in answering:
                    other = "F" if item.state == "H" else "H"
                    expect = sum(credit.get((other, rule), 0.0) for rule in answering[item.rule])
                    assert np.broadcast_to(expect, moment.outcome.shape[:2]) == pytest.approx(
                        moment.history.credit[:, :, i, 0]
                    )
            for i in np.flatnonzero(moment.day.decided):
                pair = moment.day.rows.items[i][:2]
                credit[pair] = credit.get(pair, 0.0) + moment.outcome[..., i] / 2
        moved = (credit["F", "oranges"] - moved).sum()
    assert moved < 0  # F complied less often without its consumers


def test_the_base_is_the_forecast_and_nothing_moves_before_the_scenario(rich):
    prepared, _ = what_if(rich[0], *CHANGES["scaled"])
    found = scenarios(prepared, rich[1], seed=plain.SEED)
    ahead = forecast.simulate(prepared.model, prepared.layout, *draws_of(rich[1]), seed=plain.SEED)
    for row in ahead.table:
        assert plain.at(found, "p_base", (row["state"], row["rule"], np.datetime64(row["date"]))) == pytest.approx(
            row["p_comply"], abs=1e-12
        )
    before = found["time"] < np.datetime64(SINCE)
    assert before.any()
    assert (found["difference"].where(before, drop=True).fillna(0) == 0).all()
    assert float(abs(found["difference"].where(~before)).max()) > 0.02


def one_lobby(place, **more):
    """K of 10 points against a P of 12, both known; P moves 2 points a year's root; noise 3."""
    judged = [known("magnitude", 10.0, "k"), known("magnitude", 12.0, "p"), known("step", 1.0, "p"),
              known("volatility", 0.0, "k"), known("volatility", 2.0, "p"), known("decision_noise", 3.0),
              known("shock_hazard", more.pop("hazard", 0.0)), known("shock_scale", 2.0)]  # fmt: skip
    lobbies = [{"id": name, "state": "H", "role": name.upper(), "rules": ["r"]} for name in ("k", "p")]
    return write_case(place, lobbies=lobbies, judgements=judged, **more)


@pytest.mark.parametrize("half_life", [None, 6.0])
def test_a_shock_and_a_pace_have_the_law_that_they_state(tmp_path, half_life):
    tables = {"dynamics": {"mean_reversion_half_life": half_life}} if half_life else {}
    prepared, tree = plain.standin(one_lobby(tmp_path, tables=tables), draws=500)
    t, since, rate = 30.0, 24.0, np.log(2) / half_life if half_life else 0.0
    changes = ({"state": "H", "volatility_scale": 3.0}, {"state": "H", "shock": 2.5})

    def variance(start, end):
        return (np.exp(-2 * rate * (t - end)) - np.exp(-2 * rate * (t - start))) / (2 * rate) if rate else end - start

    usual, paced, shocked = variance(0, since), 9 * variance(since, t), 9 * 2.5**2 * np.exp(-2 * rate * (t - since))
    prepared, _ = what_if(prepared, *changes, since=date(2024, 1, 1))
    found = scenarios(prepared, tree).isel(time=-1).squeeze()
    total = 4 * (usual + paced + shocked)
    assert found["p_scenario"].item() == pytest.approx(plain.phi(3 / sqrt(9 + total)), abs=0.025)
    assert found["p_base"].item() == pytest.approx(plain.phi(3 / sqrt(9 + 4 * variance(0, t))), abs=0.025)
    # a world's p has a standard deviation of at most one half, and antithetic pairs only help: .025 is 4.4 standard
    # errors of 8,000 worlds, false-alarm rate 1e-5; for W the two of a pair tell the same
    w = np.concatenate([m.paths[..., 1].ravel() for m in _last(prepared, tree)])
    assert w.var() == pytest.approx(total / 4, rel=4.5 * sqrt(2 / (len(w) / 2)))
    assert abs(usual + paced - total / 4) > 0.15 * total / 4


def test_random_shocks_after_the_date_are_as_much_larger(tmp_path):
    prepared, tree = plain.standin(one_lobby(tmp_path, hazard=0.3), draws=1000)
    changes = ({"state": "H", "volatility_scale": 3.0},)
    prepared, _ = what_if(prepared, *changes, since=date(2012, 1, 1))
    w = np.concatenate([m.paths[..., 1].ravel() for m in _last(prepared, tree)])
    expected = (12 + 9 * 18) * (1 + 0.3 * 2.0**2)
    # shocks make W heavier-tailed than a normal: kurtosis below 4, so the variance has a relative se below
    # sqrt(3 / worlds); the date falls between two reported dates
    assert w.var() == pytest.approx(expected, rel=4.5 * sqrt(3 / (len(w) / 2)))
    assert abs((12 + 9 * 18) * (1 + 0.3 * 2.0**2 / 9) - expected) > 0.2 * expected


def _last(prepared, tree):
    one = prepared.case.scenarios[0]
    return [m for _, m in moments(prepared, tree, alteration_of(one)) if m.day.date == prepared.case.horizon.until]


def test_a_new_lobby_stays_as_it_is_and_touches_nothing_else(rich):
    prepared, tree = rich
    new = Lobby(id="a first in the alphabet", state="H", role="J", rules=("bananas",))
    with_it = moments(prepared, tree, Alteration(SINCE, added=(Added(new, 1e-9),)))
    for (_, one), (_, two) in zip(moments(prepared, tree), with_it, strict=True):
        assert two.answer.support == pytest.approx(one.answer.support, abs=1e-8)
        assert (two.paths == one.paths).all()
        assert len(two.day.rows) == len(one.day.rows)


def test_two_changes_of_one_thing_add_up():
    made = alteration_of(
        Scenario(
            id="x", title="x", from_=SINCE,
            changes=(
                Change(lobby="k", scale=2.0), Change(lobby="k", scale=3.0), Change(state="H", volatility_scale=2.0),
                Change(state="H", volatility_scale=0.5), Change(state="H", shock=3.0), Change(state="H", shock=4.0),
                Change(state="H", q=0.2), Change(state="H", q=0.4),
            ),
        )
    )  # fmt: skip
    assert (made.scales["k"], made.pace["H"], made.shock["H"], made.q["H"]) == (6.0, 1.0, 5.0, 0.4)


IDLE = {
    "one": ({"lobby": "hk", "scale": 1.0}, "'hk' is scaled by 1"),
    "ended": ({"lobby": "hj", "remove": True}, "'hj' has ended on 2013-01-01 already"),
    "volatility": ({"state": "F", "volatility_scale": 1.0}, "the volatility of 'F' is scaled by 1"),
    "zero": ({"add": AddedLobby(id="new", state="H", role="P", magnitude=0.0)}, "'new' is added with a magnitude of 0"),
    "none": (
        {"add": AddedLobby(id="new", state="F", role="G", magnitude=1e-300)},
        "no probability up to the horizon moves",
    ),
}


@pytest.mark.parametrize("name", IDLE)
def test_a_scenario_that_changes_nothing_is_refused(rich, name):
    change, why = IDLE[name]
    prepared, _ = what_if(rich[0], change, since=date(2013, 1, 1))
    with pytest.raises(Refused, match=f"scenario 'x' changes nothing: {why}; allowed"):
        scenarios(prepared, rich[1])
    shown = scenarios(prepared, rich[1], refuse=False)
    assert shown["idle"].item() == why
    assert (shown["difference"].fillna(0) == 0).all()


def test_a_change_that_does_something_saves_one_that_does_not(rich):
    prepared, _ = what_if(rich[0], {"lobby": "hk", "scale": 1.0}, {"lobby": "hk", "scale": 1.1})
    assert scenarios(prepared, rich[1])["idle"].item() == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [({"state": "H", "q": 0.7}, "q of 'H' is 0.7 already"), ({"state": "H", "w": 0.6}, "w of 'H' is 0.6 already"),
     ({"state": "H", "shock": 2.0}, "the lobbies of 'H' do not move"),
     ({"state": "F", "w": 0.1}, "'F' has no L lobby, which alone q and w move")],
)  # fmt: skip
def test_what_is_known_already_changes_nothing(tmp_path, change, why):
    lobbies = [{"id": "k", "state": "H", "role": "K"}, {"id": "l", "state": "H", "role": "L"},
               {"id": "f", "state": "F", "role": "K"}]  # fmt: skip
    each = [known(name, value, b["id"]) for name, value in (("magnitude", 10.0), ("volatility", 0.0)) for b in lobbies]
    judged = [*each, known("reciprocity", 0.7), known("shadow", 0.6)]
    place = write_case(
        tmp_path, states=[{"id": "H"}, {"id": "F"}], rules=[{"id": "r", "states": ["H", "F"]}], lobbies=lobbies,
        judgements=judged, scale="log",
    )  # fmt: skip
    prepared, _ = what_if(plain.standin(place)[0], change)
    with pytest.raises(Refused, match=why):
        scenarios(prepared, plain.standin(place)[1])


def test_a_patient_state_whose_counterparty_is_of_no_performing_type_has_no_l(tmp_path):
    lobbies = [{"id": b, "state": "H", "role": b.upper()} for b in "kl"]
    each = [known(name, value, b) for name, value in (("magnitude", 1.0), ("volatility", 0.1)) for b in "kl"]
    place = write_case(
        tmp_path, lobbies=lobbies, judgements=[*each, known("reciprocity", 0.7), known("shadow", 1.0)], scale="log",
        q_kind="type",
    )  # fmt: skip
    at = []
    for change in ({"state": "H", "q": 0.0}, {"lobby": "l", "remove": True}):
        prepared, _ = what_if(plain.standin(place)[0], change)
        at.append(scenarios(prepared, plain.standin(place)[1])["p_scenario"].sel(time=slice("2013", None)).values)
    assert (at[0] > 0).all()
    np.testing.assert_allclose(*at, rtol=1e-12)


def test_a_scenario_after_the_horizon_or_unknown_is_refused(rich):
    prepared, _ = what_if(rich[0], {"lobby": "hk", "scale": 2.0}, since=date(2016, 1, 2))
    with pytest.raises(Refused, match="it begins on 2016-01-02, after the horizon 2016-01-01"):
        scenarios(prepared, rich[1])
    with pytest.raises(Refused, match="--id: 'y' is not a scenario; allowed: x"):
        scenarios(prepared, rich[1], ids=["y"])
    with pytest.raises(Refused, match=r"scenarios\.toml: the case has no scenario"):
        scenarios(*rich)
    prepared, _ = what_if(rich[0], {"lobby": "nobody", "scale": 2.0})
    with pytest.raises(Refused, match="the model coalition has no lobby 'nobody'"):
        scenarios(prepared, rich[1])


def test_the_text_puts_base_and_scenario_side_by_side(rich):
    prepared, _ = what_if(rich[0], *CHANGES["removed"])
    found = scenarios(prepared, rich[1])
    lines = side_by_side(found).splitlines()
    assert lines[0] == "x: What if (from 2012-06-01)"
    assert len(lines) == 2 + 2 * 6 == len(side_by_side(found, every_date=True).splitlines()) - 6
    last = found.sel(state="F", rule="oranges").isel(time=-1, scenario=0)
    names = ("p_base", "p_scenario", "difference", "difference_lower", "difference_upper")
    row = next(line.split() for line in lines if line.startswith("F") and "oranges" in line and "2016-01-01" in line)
    assert [float(text) for text in row[3:]] == pytest.approx([last[name].item() for name in names], abs=6e-4)
    assert row[5].startswith("-")


def test_quantities_that_are_set_do_not_leak_into_the_draws(rich):
    prepared, one = what_if(rich[0], *CHANGES["w"])
    draws = draws_of(rich[1])[0]
    before = related(prepared.layout, draws)["shadow"].copy()
    for _ in moments(prepared, rich[1], alteration_of(one)):
        pass
    assert (related(prepared.layout, draws_of(rich[1])[0])["shadow"] == before).all()
