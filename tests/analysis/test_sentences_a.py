"""Every sentence says what its numbers say."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from bayes_compliance.analysis import sentences_a as say
from bayes_compliance.analysis.overview import overview
from bayes_compliance.forecast import HORIZON_ONLY
from bayes_compliance.report import sentences
from tests.analysis import plain

P = st.floats(0, 1)
DAYS = np.array(["2012-01-01", "2013-06-30"], "datetime64[ns]")


def _found(**values):
    """A Dataset of one state and rule with these numbers at the horizon and blanks before it."""
    data = {k: (("state", "rule", "time"), [[[np.nan, v]]]) for k, v in values.items()}
    return xr.Dataset(data, coords={"state": ["H"], "rule": ["r"], "time": DAYS})


@given(P)
def test_a_percentage_is_right_to_the_half_and_never_certain(p):
    text = say.percent(p)
    assert text == sentences.percent(p), "one rule for analyses and page"
    if p < 0.01 or p > 0.99:
        assert text == ("under 1%" if p < 0.5 else "over 99%")
    else:
        assert abs(float(text.rstrip("%")) - 100 * p) <= 0.5 + 1e-9
        assert text not in ("0%", "100%")


@given(P, P)
def test_lock_in_says_which_way_the_agreement_works(p, alone):
    found = _found(p_agreement=p, p_alone=alone, lift=p - alone, pivotal=p)
    (text,) = say.lock_in_sentences(found)
    assert f"{say.percent(p)} under the agreement and {say.percent(alone)} without it" in text
    assert ("changes little" in text) == (abs(p - alone) < say.MATTERS)
    assert ("holds compliance up" in text) == (p - alone >= say.MATTERS)
    assert ("weakens compliance" in text) == (alone - p >= say.MATTERS)
    assert "2013-06-30" in text


@given(P, P)
def test_the_ceiling_says_whether_reciprocity_could_suffice(p, room):
    most = min(1.0, p + room)
    (text,) = say.ceiling_of_reciprocity_sentences(_found(p_comply=p, p_ceiling=most, room=most - p))
    assert f"{say.percent(most)} instead of {say.percent(p)}" in text
    assert ("could not" in text) == (most < 0.5)
    assert ("reciprocity could make" in text) == (p < 0.5 <= most)
    assert ("already" in text) == (p >= 0.5)


@given(st.floats(0.1, 100), st.floats(0, 100), P)
def test_the_tilt_gives_both_sides_and_the_probability(bias, temptation, p):
    found = _found(bias_median=bias, temptation_median=temptation, p_positive=p)
    (text,) = say.tilt_sentences(found)
    assert f"adds {bias:.3g} points" in text
    assert f"takes {temptation:.3g} (medians)" in text
    assert text.endswith(f"has more support than making it, all else alike, has probability {say.percent(p)}.")


def _sincerity(p, after):
    day, later = np.datetime64("2001-01-01", "ns"), np.datetime64("2005-01-01", "ns")
    values = {"p_insincere": p, "p_insincere_after_performance": after, "adherence_date": day}
    values["date_after_performance"] = np.datetime64("NaT", "ns") if np.isnan(after) else later
    data = {k: (("state", "rule"), np.array([[v, v]])) for k, v in values.items()}
    found = xr.Dataset(data, coords={"state": ["H"], "rule": ["r", "other"]})
    return found.where(found["rule"] == "r")


@given(P, st.one_of(st.just(float("nan")), P))
def test_sincerity_has_three_verdicts(p, after):
    first, *rest = say.sincerity_sentences(_sincerity(p, after))
    assert f"on 2001-01-01 it would not have complied is {say.percent(p)}." in first
    assert ("probably sincere" in first) == (p <= 0.2)
    assert ("probably not sincere" in first) == (p >= 0.8)
    assert ("cannot be told" in first) == (0.2 < p < 0.8)
    assert len(rest) == (0 if np.isnan(after) else 1)
    assert all("2005-01-01" in text and say.percent(after) in text for text in rest)


def test_a_middling_mean_hides_no_clear_rule_and_each_percentage_is_named():
    rules = {"tariffs": 0.02, "lumber": 0.74, "trucks": 0.95, "sugar": 0.38, "steel": 0.2}
    first, *_ = say.sincerity_sentences(_sincerity(0.43, np.nan), rules)
    assert first == (
        "H, r: joining was probably sincere on tariffs (2%) and steel (20%), probably not sincere on trucks (95%) and "
        "on the other 2 it cannot be told; in brackets is the probability that on 2001-01-01 it would not have "
        "complied, 43% on average."
    )
    alone, *_ = say.sincerity_sentences(_sincerity(0.43, np.nan), {"r": 0.43})
    assert "whether joining was sincere cannot be told, as" in alone
    vague, *_ = say.sincerity_sentences(_sincerity(0.43, np.nan), {"a": 0.4, "b": 0.5})
    assert vague == (
        "H, r: on none of them can it be told whether joining was sincere; on average the probability that on "
        "2001-01-01 it would not have complied is 43%."
    )
    never, *_ = say.sincerity_sentences(_sincerity(0.9, np.nan), {"a": 0.9, "b": 0.5})
    assert "H, r: joining was probably not sincere on a (90%) and on the other one it cannot be told" in never


@given(P, P, P)
def test_only_two_dilemmas_are_a_prisoners_dilemma(a, b, both):
    weights = np.array([a + 0.1, b + 0.1, 0.15])
    p = weights / weights.sum()
    found = _found(unused=0.0).assign(
        p_preference=(("state", "rule", "time", "preference"), [[[p, p]]]),
        p_both_dilemma=(("state", "rule", "counterparty", "time"), [[[[np.nan, both], [np.nan, np.nan]]]]),
    ).assign_coords(preference=["harmony", "dilemma", "deadlock"], counterparty=["F", "H"])  # fmt: skip
    kind, game = say.preference_types_sentences(found)
    assert f"of the kind {['harmony', 'dilemma', 'deadlock'][p.argmax()]} " in kind
    assert all(
        f"{name} {say.percent(x)}" in kind for name, x in zip(("harmony", "dilemma", "deadlock"), p, strict=True)
    )
    assert ("is not more likely than not" in game) == (both <= 0.5)
    assert game.endswith(f"{say.percent(both)}.")


@given(P, P, st.lists(st.one_of(P, st.just(np.inf)), min_size=3, max_size=3).map(sorted))
def test_patience_is_given_with_its_range(p_dilemma, enough, discount):
    found = _found(p_dilemma=p_dilemma, p_enough=enough).assign(
        discount=(("state", "rule", "time", "punishment", "quantile"), [[[[discount], [discount]]]])
    ).assign_coords(punishment=["for ever"], quantile=[0.05, 0.5, 0.95])  # fmt: skip
    (text,) = say.critical_discount_sentences(found)
    low, middle, high = ("more than 1" if np.isinf(d) else f"{d:.2f}" for d in discount)
    assert f"a discount factor of {middle} ({low} to {high})" in text
    assert f"(probability {say.percent(p_dilemma)})" in text
    assert "median" not in text
    assert text.endswith(f"own shadow of the future, as judged, is enough with probability {say.percent(enough)}.")
    (text,) = say.critical_discount_sentences(found, default={"H"}, rules={"H": 5})
    assert f"a discount factor of {middle} ({low} to {high}), the median over its 5 rules;" in text
    assert "own shadow of the future, a default, since nobody judged it, is enough" in text
    (text,) = say.critical_discount_sentences(found, rules={"H": 1})
    assert "median" not in text


def test_where_nothing_is_a_dilemma_nothing_is_said_of_patience():
    found = _found(p_dilemma=0.0, p_enough=np.nan)
    assert say.critical_discount_sentences(found) == []


def _shares(first, last, error, drift_error=np.nan, names=("judgement of today", "drift of k", "decision noise")):
    dims = ("state", "rule", "time", "source")
    found = xr.Dataset(
        {
            "share": (dims, [[[first, last]]]),
            "share_error": (dims, [[[error, error]]]),
            "variance": (dims[:3], [[[1.0, 2.0]]]),
            "drift_error": (dims[:3], [[[drift_error, drift_error]]]),
        },
        coords={"state": ["H"], "rule": ["*"], "time": DAYS, "source": list(names)},
    )
    return say.shares_of_variance_sentences(found)


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), st.floats(0, 0.2), P)
def test_shares_name_the_greatest_sources_first(weights, error, before):
    share = np.array(weights) / sum(weights)
    sources, change = _shares([before, 1 - before, 0.0], share, [error] * 3, error)
    assert sources.startswith("H, a new rule: of the uncertainty about the decision on 2013-06-30, ")
    named = [float(x) for x in re.findall(r"(\d+)% from", sources)]
    assert named == sorted(named, reverse=True)
    assert share[np.argsort(-share)][: len(named)].sum() >= say.EXPLAINED - 1e-9 or len(named) == say.NAMED
    today, drift = share[:2]
    apart = abs(today - drift) >= 2 * np.hypot(error, error)
    assert ("cannot tell" in sources) != apart
    if apart:
        assert sources.endswith(f"most is {'judgement of today' if today >= drift else 'drift of the lobbies'}.")
    made = (
        f"what is not known of today makes {say.percent(before)} of it on 2012-01-01 and {say.percent(today)} on 2013"
    )
    assert made in change


MANY = ("judgement of today", "drift of unions", "drift of farmers", "drift of idle", "shocks", "decision noise")


def test_the_drifts_of_all_lobbies_are_one_source_as_in_the_figure():
    last = [0.18, 0.1, 0.14, 0.0, 0.09, 0.49]
    sources, _ = _shares(last, last, [0.001] * 6, 0.01, MANY)
    assert sources == (
        "H, a new rule: of the uncertainty about the decision on 2013-06-30, 49% from decision noise, 24% from drift "
        "of the lobbies (the greatest that of farmers, 14%) and 18% from judgement of today; besides that noise, what "
        "moves the answer most is drift of the lobbies."
    )
    told, _ = _shares(last, last, [0.001] * 6, 0.04, MANY)
    assert told.endswith("drift of the lobbies or judgement of today (the simulation cannot tell).")


def test_one_lobby_s_drift_is_its_own():
    last = [0.2, 0.0, 0.3, 0.0, 0.0, 0.5]
    sources, _ = _shares(last, last, [np.nan] * 6, names=MANY)
    assert "30% from drift of the lobbies (that of farmers)" in sources
    # where another source is the greatest, noise is no exception to name
    first, _ = _shares([0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.001] * 3, 0.001)
    assert "besides" not in first
    undone, _ = _shares(last, [0.8, 0.0, -0.2, 0.0, 0.0, 0.4], [np.nan] * 6, names=MANY)
    assert "drift" not in undone


@pytest.mark.parametrize("error", [[np.nan] * 3, [0.001, 0.001, np.nan]])
def test_an_unknown_error_is_no_certainty(error):
    """That of the drifts is not known in either."""
    sources, _ = _shares([0.5, 0.3, 0.2], [0.5, 0.3, 0.2], error)
    assert sources.endswith(
        "what moves the answer most is judgement of today (how sure that is, the simulation cannot tell)."
    )


def test_sentences_speak_of_every_pair_of_a_case(rich):
    found = overview(*rich, seed=plain.SEED, paths=None)
    ours = [name for name in found if hasattr(say, f"{name}_sentences")]
    assert len(ours) == 7
    for name in ours:
        said = getattr(say, f"{name}_sentences")(found[name])
        pairs = {text.split(":")[0] for text in said}
        expected = {"F, oranges", "F, quotas", "H, bananas", "H, quotas"}
        assert pairs == (expected if name == "sincerity" else expected | {"F, a new rule", "H, a new rule"}), name
        assert not any("nan" in text.lower().replace("banana", "") for text in said)


def test_the_overview_is_what_each_question_answers(rich):
    from bayes_compliance.analysis import decomposition, games, lock_in, sincerity

    found = overview(*rich, seed=plain.SEED, draws=10, paths=4)
    asked = [
        lock_in.lock_in, decomposition.tilt, games.ceiling_of_reciprocity, games.preference_types,
        games.critical_discount, sincerity.sincerity,
    ]  # fmt: skip
    for question in asked:
        size = {} if question is sincerity.sincerity else {"draws": 10, "paths": 4, "joining": True}
        xr.testing.assert_identical(found[question.__name__], question(*rich, seed=plain.SEED, **size))
    shares = decomposition.shares_of_variance(*rich, of="outcome", seed=plain.SEED, draws=10, paths=4, joining=True)
    xr.testing.assert_identical(found["shares_of_variance"], shares)


def test_the_overview_of_the_horizon_alone_is_what_each_question_answers_there(rich):
    from bayes_compliance.analysis import decomposition, lock_in

    found = overview(*rich, seed=plain.SEED, draws=10, paths=4, horizon_only=True)
    told = {"seed": plain.SEED, "step_years": HORIZON_ONLY, "draws": 10, "paths": 4, "joining": True}
    for question in (lock_in.lock_in, decomposition.tilt):
        xr.testing.assert_identical(found[question.__name__], question(*rich, **told))
    whole = overview(*rich, seed=plain.SEED, draws=10, paths=4)
    assert {name: one.sizes["time"] for name, one in found.items() if name != "sincerity"} == {
        name: whole[name].sizes["time"] if name == "shares_of_variance" else 1 for name in whole if name != "sincerity"
    }
    assert whole["lock_in"].sizes["time"] > 1


def test_on_the_horizon_alone_the_answer_is_that_of_all_dates(rich):
    """Other worlds of the same law: 10 draws of 400 paths; 5 standard errors of a mean of antithetic pairs."""
    from bayes_compliance.analysis import lock_in

    whole, alone = (
        lock_in.lock_in(*rich, seed=seed, draws=10, paths=400, step_years=step)
        for seed, step in ((1, None), (2, HORIZON_ONLY))
    )
    apart = abs(whole["p_agreement"].isel(time=-1) - alone["p_agreement"].isel(time=-1))
    assert float(apart.max()) < 5 * 0.5 / np.sqrt(10 * 400)
    # negative control: another date is told apart
    assert float(abs(whole["p_agreement"].isel(time=0) - alone["p_agreement"].isel(time=-1)).max()) > 0.05


def test_a_model_that_does_not_take_support_apart_is_refused(rich):
    from types import SimpleNamespace

    from bayes_compliance.analysis.decomposition import shares_of_variance
    from bayes_compliance.errors import Refused

    prepared, tree = rich
    bare = SimpleNamespace(__name__="bare", support=prepared.model.support)
    with pytest.raises(Refused, match=r"model bare does not say what each lobby adds; allowed: a model with parts\(\)"):
        shares_of_variance(prepared._replace(model=bare), tree)
