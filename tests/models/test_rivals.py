"""The rivals `unitary` and `managerial`: the case's decisions, and pseudo-lobbies of their own at a noise of 1."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import kstest

from bayes_compliance import asking, models
from bayes_compliance.latents import Latents
from tests.builders import complied, known, quantiles
from tests.models.cases import DECISIONS, constants, prior_draws, two_states

RIVALS = ("unitary", "managerial")


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return two_states(tmp_path_factory.mktemp("case"), judgements=constants(shock_scale=3.0))


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_has_the_same_decisions_and_none_of_the_lobbies(case, name):
    own = models.prepare(name, case).case
    assert own.decisions == case.decisions
    assert [s.id for s in own.states] == [s.id for s in case.states]
    assert [s.rules for s in own.states] == [s.rules for s in case.states]
    assert (own.outcomes, own.horizon, own.inputs) == (case.outcomes, case.horizon, case.inputs)
    assert len(own.lobbies) == 2
    assert {b.role for b in own.lobbies} == {"other"}
    assert not any(rule.depth for rule in own.rules)
    assert {j.analyst for j in own.judgements if j.quantity != "shock_scale"} == {f"model {name}"}


@pytest.mark.parametrize(("name", "free"), [
    ("unitary", {"magnitude": 2, "volatility": 2, "partial_width": 2}),
    ("managerial", {"magnitude": 2, "rule_spread_points": 2, "partial_width": 2}),
])  # fmt: skip
def test_a_rival_has_no_variables_but_its_own(case, name, free):
    layout = models.prepare(name, case).layout
    assert {k: len(v) for k, v in Latents(layout).free.items() if len(v)} == free
    assert bool(len(layout.knots)) == (name == "unitary")
    assert bool(len(layout.pairs_used)) == (name == "managerial")


def test_one_interest_bears_alike_on_all_that_a_state_decides_on_a_date(tmp_path):
    rows = [
        *DECISIONS[:2],
        complied("2003-01-01", "comply", "H", "bananas"),
        complied("2003-01-01", "violate", "F", "oranges"),
    ]
    prepared = models.prepare("unitary", two_states(tmp_path, decisions=rows))
    draws = prior_draws(prepared)
    support = asking.ask_observed(prepared.model, prepared.layout, draws).support
    at = {(i.state, i.stage): k for k, i in enumerate(prepared.layout.rows.items)}
    # adherence is on the reference date, where the path is 0
    for s, state in enumerate(("F", "H")):
        assert_allclose(support[:, at[state, "adherence"]], draws["magnitude"][:, s], atol=1e-12)
        (knot,) = [k for k, (lobby, _) in enumerate(prepared.layout.knots) if lobby == s]
        moved = (
            draws["magnitude"][:, s] + draws["volatility"][:, s] * np.sqrt(1096 / 365.25) * draws["innovation"][:, knot]
        )
        assert_allclose(support[:, at[state, "compliance"]], moved, atol=1e-12)


def test_a_capacity_is_the_same_at_all_times_and_its_own_on_each_rule(case):
    prepared = models.prepare("managerial", case)
    draws = prior_draws(prepared)
    support = asking.ask_observed(prepared.model, prepared.layout, draws).support
    pairs = [prepared.layout.pairs[i] for i in prepared.layout.pairs_used]
    for i, item in enumerate(prepared.layout.rows.items):
        s = ("F", "H").index(item.state)
        (z,) = [k for k, (lobby, _) in enumerate(pairs) if lobby == f"capacity of {item.state}"]
        expected = draws["magnitude"][:, s] + draws["rule_spread_points"][:, s] * draws["spread"][:, z]
        assert_allclose(support[:, i], expected, atol=1e-12)


@pytest.mark.parametrize("name", RIVALS)
def test_the_prior_probability_of_a_decision_is_uniform(tmp_path, name):
    """Kolmogorov-Smirnov at a false-alarm rate of 1 in 1,000; the managerial spread is taken away to see its mean."""
    prepared = models.prepare(name, two_states(tmp_path, outcomes=2, decisions=DECISIONS[:3]))
    draws = prior_draws(prepared, 2000, seed=8)
    draws["spread"] *= 0
    p = asking.ask_observed(prepared.model, prepared.layout, draws).p_comply[:, 0]
    assert kstest(p, "uniform").pvalue > 0.001
    # negative control: twice the sd would be seen
    draws["magnitude"] *= 2
    p = asking.ask_observed(prepared.model, prepared.layout, draws).p_comply[:, 0]
    assert kstest(p, "uniform").pvalue < 0.001


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_does_not_see_what_analysts_judge_of_lobbies(tmp_path, case, name):
    other = two_states(
        tmp_path, judgements=[*constants(shock_scale=3.0, shadow=0.1), known("volatility", 1.0, "H K"),
                              quantiles("rule_spread", 1, 2, 3)],
    )  # fmt: skip
    one, two = (models.prepare(name, c) for c in (case, other))
    draws = prior_draws(one)
    assert set(draws) == set(prior_draws(two))
    for key, values in prior_draws(two).items():
        assert_allclose(values, draws[key], rtol=0, atol=0)
