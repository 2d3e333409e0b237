"""Least and greatest equilibria on each date ahead: the forecast's own worlds, solved world by world."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_compliance import equilibria as solve
from bayes_compliance import models
from bayes_compliance.analysis.ahead import Ahead
from bayes_compliance.analysis.equilibria import equilibria, sentences
from bayes_compliance.errors import Refused
from bayes_compliance.inference.tree import grow
from tests.builders import known, quantiles
from tests.models.cases import constants, prior_draws, two_states

N = 60
STRONG = [
    *constants(decision_noise=0.3, shock_hazard=0.0, rule_spread=0.0, rule_spread_points=0.0),
    quantiles("shadow", 0.6, 0.8, 0.95),
    *(known("volatility", 0.01, f"{s} {r}") for s in "HF" for r in "JKLPG"),
]


def fitted(folder, name, judgements):
    """A model with prior draws in place of a posterior."""
    prepared = models.prepare(name, two_states(folder, judgements=judgements))
    draws = {k: v[None] for k, v in prior_draws(prepared, N).items() if not k.startswith("shock")}
    return prepared, grow(prepared, draws, {}, 5, {})


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("strong"), "reciprocity", STRONG)


@pytest.fixture(scope="module")
def found(fit):
    return equilibria(*fit)


class Worlds:
    """All systems of the reported dates, one world at a time."""

    def __init__(self):
        self.seen = []

    def see(self, scene):
        if scene.moment.day.reported.any():
            moment = scene.moment
            system, _ = scene.future.model.system(
                scene.future.layout, scene.rows, scene.x, moment.walk, moment.spread, moment.history
            )
            self.seen.append((scene.rows.items, system))


def test_it_is_the_mean_of_worlds_solved_one_by_one(fit, found):
    worlds, ahead = Worlds(), Ahead(*fit)
    ahead.put([worlds])
    items, system = worlds.seen[-1]
    place = {item.state: i for i, item in enumerate(items) if item.rule != "*"}
    real = np.array([place["F"], place["H"]])
    assert (system.looks[:, [i for i in range(len(items)) if i not in real]] == 0).all()
    owner = np.array([{place["F"]: 0, place["H"]: 1}.get(int(i), -1) for i in system.owner])
    least, greatest, several = [], [], 0
    for w in range(len(system.base)):
        one = solve.System(
            system.base[[w]][:, real], system.noise[[w]][:, real], system.gain[[w]][:, owner >= 0],
            system.bend[[w]][:, owner >= 0], owner[owner >= 0], system.looks[owner >= 0][:, real],
        )  # fmt: skip
        every = solve.all_of_two(one)
        least.append(every[0])
        greatest.append(every[-1])
        several += len(every) > 1
    for name, expected in (("p_least", least), ("p_greatest", greatest)):
        last = found[name].isel(time=-1)
        for s, rule, i in (("F", "oranges", 0), ("H", "bananas", 1)):
            assert float(last.sel(state=s, rule=rule)) == pytest.approx(np.mean(expected, axis=0)[i], abs=1e-6)
    assert float(found["several"][-1]) == pytest.approx(several / len(system.base))
    assert 0.05 < float(found["several"][-1]) < 0.95


def test_where_there_is_surely_one_there_are_not_several(found):
    assert (found["several"] + found["surely_one"] <= 1).all()
    assert ((found["p_greatest"] - found["p_least"]).fillna(0) >= -1e-9).all()


def test_the_sentences_speak_of_the_numbers(found):
    most, gap = float(found["several"].max()), float((found["p_greatest"] - found["p_least"]).isel(time=-1).max())
    said = sentences(found)
    assert f"in {100 * most:.0f}% of the worlds" in said[0]
    assert f"by up to {100 * gap:.0f} points" in said[1]


@pytest.mark.parametrize(("share", "told"), [(1.0, "over 99%"), (0.004, "under 1%"), (0.5, "50%")])
def test_no_share_of_the_worlds_claims_certainty(found, share, told):
    everywhere = found.assign(several=found["several"] * 0 + share)
    assert f"more than one equilibrium in {told} of the worlds" in sentences(everywhere)[0]


def test_weak_answers_have_one_equilibrium(tmp_path):
    weak = fitted(tmp_path, "reciprocity", constants(decision_noise=4.0, shadow=0.2, shock_hazard=0.0))
    found = equilibria(*weak)
    assert (found["several"] == 0).all()
    assert (found["surely_one"] > 0.99).all()
    assert_allclose(found["p_least"], found["p_greatest"], atol=1e-8)
    assert "one equilibrium: it makes no difference" in sentences(found)[0]


def test_only_a_model_of_simultaneous_choice_can_be_asked(tmp_path):
    with pytest.raises(Refused, match=r"coalition has no joint system; allowed: a model such as reciprocity"):
        equilibria(*fitted(tmp_path, "coalition", STRONG))
