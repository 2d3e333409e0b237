"""Simultaneous choice: each side's chance answers the other's, in the forecast and by hand."""

from math import erf, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_compliance import forecast, models, seeds
from bayes_compliance.case import load_case
from bayes_compliance.latents import Latents
from bayes_compliance.rows import Item
from bayes_compliance.worlds import Future
from tests.builders import known, quantiles, write_case
from tests.models.cases import constants, lobbies, magnitudes, two_states

# strong answers, little noise: both all and nothing hold themselves up
STRONG = [
    *constants(shadow=0.9, decision_noise=0.3, trust=1.0, shock_hazard=0.0, rule_spread=0.0, rule_spread_points=0.0),
    *(known("volatility", 0.01, f"{s} {r}") for s in "HF" for r in "JKLPG"),
]


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return two_states(tmp_path_factory.mktemp("case"), judgements=STRONG)


def moments(name, case, n=40):
    prepared = models.prepare(name, case)
    latents = Latents(prepared.layout)
    draws = latents.draw_all(n, np.random.default_rng(2))
    days = forecast.plan(prepared.layout, case.horizon.until, case.horizon.step_years)[:4]
    future = Future(prepared.model, prepared.layout, days, draws, 2, seeds.sequence(1, "test"))
    return prepared, future, list(future.run())


def by_hand(case, future, moment, draw, path, start, steps=5000):
    """Iterate two chances from `start` with plain arithmetic on the magnitudes of one world."""
    lobby = {b.id: i for i, b in enumerate(case.lobbies)}
    state = {s.id: i for i, s in enumerate(case.states)}
    x = {name: values[draw] for name, values in future.draws.items()}

    def size(name):
        i, w = lobby[name], moment.paths[draw, path, lobby[name]]
        moved = x["volatility"][i] * w
        base = x["magnitude"][i]
        return base + moved if name[-1] in "PG" else base * np.exp(moved)

    def chance(s, q):
        own = {role: size(f"{s} {role}") for role in "JKLPG"}
        steps_ = x["step"][lobby[f"{s} P"]] + x["step"][lobby[f"{s} G"]]
        support = own["J"] + x["shadow"][state[s]] * q * own["L"] + own["P"] + own["G"] + steps_ - own["K"]
        z = (support - x["partial_width"][state[s]]) / x["decision_noise"][state[s]]
        return (1 + erf(z / sqrt(2))) / 2

    p = {"H": start, "F": start}
    for _ in range(steps):
        p = {"H": chance("H", p["F"]), "F": chance("F", p["H"])}
    return p


@pytest.mark.parametrize(("name", "start"), [("reciprocity", 0.0), ("reciprocity:optimistic", 1.0)])
def test_the_forecast_plays_the_selected_equilibrium(case, name, start):
    _, future, seen = moments(name, case)
    for moment in seen[::3]:
        place = {item.state: i for i, item in enumerate(moment.day.rows.items) if item.rule != "*"}
        for draw in range(6):
            p = by_hand(case, future, moment, draw, 1, start)
            for s in "HF":
                assert moment.answer.p_comply[draw, 1, place[s]] == pytest.approx(p[s], abs=1e-6)


def test_optimism_helps_where_there_are_several_and_only_there(case):
    (_, _, low), (_, _, high) = moments("reciprocity:pessimistic", case), moments("reciprocity:optimistic", case)
    gap = high[0].answer.p_comply - low[0].answer.p_comply
    assert gap.min() > -1e-8
    assert gap.max() > 0.3
    assert (gap < 1e-8).any()


def test_without_answering_lobbies_it_forecasts_as_coalition(tmp_path):
    none = two_states(tmp_path, judgements=[*constants(shadow=0.0, shock_hazard=0.0)])
    (_, _, ours), (_, _, theirs) = moments("reciprocity", none), moments("coalition", none)
    for one, other in zip(ours, theirs, strict=True):
        assert_allclose(one.answer.p_comply, other.answer.p_comply, atol=1e-12)


def test_without_any_such_lobby_it_forecasts_as_coalition(tmp_path):
    sides = ({"id": "K", "state": "H", "role": "K"}, {"id": "J", "state": "H", "role": "J"})
    judged = [quantiles("magnitude", 20, 40, 80, side["id"]) for side in sides]
    alone = load_case(write_case(tmp_path, scale="log", lobbies=sides, judgements=judged))
    (_, _, ours), (_, _, theirs) = moments("reciprocity", alone), moments("coalition", alone)
    for one, other in zip(ours, theirs, strict=True):
        assert_allclose(one.answer.p_comply, other.answer.p_comply, atol=1e-12)


def test_a_date_of_one_rule_is_still_a_joint_system(case):
    prepared, _, seen = moments("reciprocity", case)
    day = seen[0].day
    only = forecast.Day(day.date, prepared.layout.rows_for([Item("H", "bananas", day.date, "compliance")]),
                        np.array([True]), np.array([False]))  # fmt: skip
    whole = only.with_all(prepared.layout)
    assert {(i.state, i.rule) for i in whole.rows.items} == {("H", "bananas"), ("F", "oranges")}
    assert whole.reported.tolist() == [True, False]
    assert whole.decided.tolist() == [False, False]
    assert whole.with_all(prepared.layout) is whole


def test_several_answering_rules_count_by_their_mean(tmp_path):
    place = write_case(
        tmp_path,
        states=[{"id": "H", "counterparties": ["F"]}, {"id": "F"}],
        rules=[{"id": "r", "states": ["H"]}, {"id": "a", "states": ["F"]}, {"id": "b", "states": ["F"]}],
        lobbies=[*lobbies("H"), *({"id": f"F {r}", "state": "F", "role": r, "rules": [r2]} for r, r2 in ("Ja", "Kb"))],
        judgements=[
            *magnitudes("H"), *(known("magnitude", 1.0, f"F {r}") for r in "JK"),
            *constants(decision_noise=1.0, shadow=1.0),
        ],
        scale="log",
    )  # fmt: skip
    case = load_case(place)
    moment = moments("reciprocity", case)[2][0]
    row = {item.rule: i for i, item in enumerate(moment.day.rows.items)}
    p = moment.answer.p_comply
    expected = (p[..., row["a"]] + p[..., row["b"]]) / 2
    assert_allclose(moment.history.expected[..., row["r"], 0], expected, atol=1e-9)
    assert p[..., row["a"]].mean() > p[..., row["b"]].mean() + 0.3
