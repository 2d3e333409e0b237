"""The forecast with an analyst left out, by weights, against an exact fit of the case without them."""

from datetime import date

import numpy as np
import pytest

from bayes_compliance import inference, models
from bayes_compliance.case import load_case
from bayes_compliance.elicitation.analysts import left_out
from bayes_compliance.forecast import simulate
from bayes_compliance.importance import weights_of
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.validation import otherwise, without
from bayes_compliance.validation.known import Known
from tests.builders import complied, known, normal, write_case

UNTIL = date(2006, 1, 1)
LOBBIES = [
    {"id": "j", "state": "H", "role": "J", "rules": ["r"]},
    {"id": "k", "state": "H", "role": "K", "rules": ["r"]},
]
KNOWN = [
    known("volatility", 0.1, "j", analyst="c"),
    known("volatility", 0.1, "k", analyst="c"),
    known("decision_noise", 0.6, analyst="c"),
]
DECIDED = [complied("2003-01-01"), complied("2004-01-01", "violate")]
TOLERANCE = 6 * 0.3 / np.sqrt(1000)
"""6 standard errors of a probability whose spread over 2,000 draws is below .3, halved for thinning."""


def case_of(folder, *judgements):
    both = [normal("k", 1.0, 0.3, analyst="a"), normal("k", 1.0, 0.3, analyst="b")]
    return load_case(write_case(folder, lobbies=LOBBIES, judgements=[*judgements, *both, *KNOWN], decisions=DECIDED))


def fitted(case):
    prepared = models.prepare("coalition", case)
    tree = inference.fit(prepared, engine="exact", draws=1000, chains=2, seed=3)
    found = simulate(prepared.model, prepared.layout, *draws_of(tree), seed=9, until=UNTIL)
    return prepared, tree, found


def left_out_of(case):
    prepared, tree, found = fitted(case)
    return {one.analyst: one for one in without.without_each(prepared, tree, found.dataset, seed=5)}


def exactly(case):
    return fitted(case)[2].table[-1]["p_comply"]


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    judged = [normal("j", 0.7, 0.3, analyst="a"), normal("j", 1.3, 0.4, analyst="b")]
    return case_of(tmp_path_factory.mktemp("case"), *judged)


def test_leaving_an_analyst_out_by_weights_is_fitting_without_them(case):
    found = left_out_of(case)
    assert {"a", "b"} <= found.keys()
    p = {name: exactly(left_out(case, name)) for name in ("a", "b")}
    for name in ("a", "b"):
        assert found[name].how == otherwise.REWEIGHTED
        assert found[name].p["H", "r"] == pytest.approx(p[name], abs=TOLERANCE)
    assert abs(p["a"] - p["b"]) > 2 * TOLERANCE, "the comparison must be able to fail"


def test_what_the_model_judges_itself_is_nobody_s_to_leave_out(case):
    prepared = models.prepare("spells", case)
    assert "model spells" in {judgement.analyst for judgement in prepared.case.judgements}
    tree = inference.fit(prepared, engine="smc", draws=50, chains=2)
    found = simulate(prepared.model, prepared.layout, *draws_of(tree), seed=9, until=UNTIL)
    assert [one.analyst for one in without.without_each(prepared, tree, found.dataset, seed=5)] == ["a", "b", "c"]


def test_one_analyst_alone_is_not_left_out(case):
    prepared, tree, found = fitted(case)
    alone = case.model_copy(update={"judgements": tuple(j for j in case.judgements if j.analyst == "a")})
    assert without.without_each(prepared._replace(case=alone), tree, found.dataset, seed=5) == []


def test_latents_that_differ_are_not_reweighted(case):
    # without c volatilities are uncertain again
    found = left_out_of(case)["c"]
    assert (found.how, found.p) == (otherwise.CANNOT_TELL, {})


def test_a_case_may_be_unable_to_do_without(tmp_path):
    case = case_of(tmp_path, normal("j", 0.7, 0.3, analyst="a"))
    found = left_out_of(case)["a"]
    assert (found.how, found.p) == (without.NEEDED, {})


def test_a_default_that_follows_k_moves_with_the_analyst(tmp_path):
    # K_ref, and with it the noise, is another without b
    judged = [normal("j", 1.0, 0.3, analyst=name) for name in "ab"]
    judged += [normal("k", 1.0, 0.3, analyst="a"), normal("k", 1.7, 0.3, analyst="b"), *KNOWN[:2]]
    case = load_case(write_case(tmp_path, lobbies=LOBBIES, judgements=judged, decisions=DECIDED))
    own, other = (models.prepare("coalition", c) for c in (case, left_out(case, "b")))
    assert own.priors.k_ref != other.priors.k_ref
    found, p = left_out_of(case)["b"], exactly(left_out(case, "b"))
    assert found.how == otherwise.REWEIGHTED
    assert found.p["H", "r"] == pytest.approx(p, abs=TOLERANCE)
    assert abs(exactly(case) - p) > TOLERANCE, "the comparison must be able to fail"


def test_what_other_constants_change_is_within_the_error_that_is_stated(tmp_path):
    """Against all draws and futures of the moved draws; 4 stated errors and the bias of the base, one in 10,000."""
    judged = [normal("j", 2.2, 0.3, analyst=name) for name in "ab"]
    judged += [normal("k", 1.0, 0.3, analyst="a"), normal("k", 2.0, 0.3, analyst="b"), *KNOWN[:2]]
    case = load_case(write_case(tmp_path, lobbies=LOBBIES, judgements=judged, decisions=DECIDED))
    prepared, tree, found = fitted(case)
    told = {one.analyst: one for one in without.without_each(prepared, tree, found.dataset, seed=9)}["b"]
    other = models.prepare("coalition", left_out(case, "b"))
    known = Known(prepared, tree, found.dataset["p_draw"].isel(time=-1), 9, UNTIL)
    reused, errors = known.under(other)
    assert told.error == (error := float(errors.max())) > 0
    weights = weights_of(reused.log_ratio).share
    assert len(known.few) < len(known.draws["innovation"]), "few of many"
    every = otherwise.on_last_date(other, reused.draws, 9, UNTIL, 16)[0] @ weights
    before = otherwise.on_last_date(prepared, known.draws, 9, UNTIL, 16)[0] @ weights
    assert told.p["H", "r"] == pytest.approx(every, abs=4 * error + 1e-3)
    assert abs(every - before) > 4 * error + 1e-3, "the comparison must be able to fail"
