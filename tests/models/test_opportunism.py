"""Types of states: marginal in the fit, drawn from their responsibilities, and what moves them."""

from math import erf, exp, log, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_compliance import asking, models
from bayes_compliance.analysis.opportunism import insincerity, sentences
from bayes_compliance.case import Case
from bayes_compliance.errors import Refused
from bayes_compliance.inference.tree import grow
from bayes_compliance.models import Prepared
from tests.builders import quantiles
from tests.models.cases import constants, prior_draws, two_states

SINCERITY = [quantiles("sincerity", 0.4, 0.7, 0.9)]
ERROR = {"certain": 0.0, "high": 0.01, "medium": 0.05, "low": 0.15}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Prepared:
    return models.prepare("opportunism", two_states(tmp_path_factory.mktemp("case"), judgements=SINCERITY))


@pytest.fixture(scope="module")
def draws(prepared):
    return prior_draws(prepared, 30)


def tree_of(prepared: Prepared, draws):
    one = {name: values[None] for name, values in draws.items() if not name.startswith("shock")}
    return grow(prepared, one, {}, 5, {})


def chances(margin: float, width: float, three: bool) -> list[float]:
    """Violate, partial, comply; violate and comply only where there are two outcomes."""
    phi = [(1 + erf(z / sqrt(2))) / 2 for z in (-margin - width * three, margin - width * three)]
    return [phi[0], max(1 - sum(phi), 0.0), phi[1]]


def log_likelihood_by_hand(case: Case, layout, x, support) -> list[float]:
    """Each row's log probability in plain arithmetic, for one draw."""
    found = []
    coded = {"adhere": 2, "not_adhere": 0, "comply": 2, "partial": 1, "violate": 0}
    decisions = [None] * int(layout.depth.sum()) + list(layout.decisions)
    for i, (item, decision) in enumerate(zip(layout.rows.items, decisions, strict=True)):
        s = [state.id for state in case.states].index(item.state)
        three = item.stage == "compliance"
        noise = x["decision_noise"][s]
        p = chances(support[i] / noise, x["partial_width"][s] / noise, three)
        outcome = 0 if decision is None else coded[decision.decision]
        error = 0.0 if decision is None else ERROR[decision.confidence]
        found.append(log((1 - error) * p[outcome] + error * (1 - p[outcome]) / (2 if three else 1)))
    return found


def by_types(prepared: Prepared, draws, d: int) -> np.ndarray:
    """Log likelihood of each row, (type, row), for one draw."""
    layout = prepared.layout
    x = {name: values[d] for name, values in draws.items()}
    support = [
        asking.ask_observed(
            models.load("opportunism"), layout, draws | {"sincere": np.full((30, 2), float(t))}
        ).support[d]
        for t in (0, 1)
    ]
    return np.array([log_likelihood_by_hand(layout.case, layout, x, s) for s in support])


def test_responsibilities_are_bayes_rule(prepared, draws):
    found = prepared.model.complete(prepared.layout, draws, np.random.default_rng(1))
    for d in range(5):
        each = by_types(prepared, draws, d)
        for s in range(2):
            own = prepared.layout.rows.state == s
            pi = draws["sincerity"][d, s]
            insincere, sincere = (exp(each[t, own].sum()) for t in (0, 1))
            expected = (1 - pi) * insincere / ((1 - pi) * insincere + pi * sincere)
            assert found["p_insincere"][d, s] == pytest.approx(expected, rel=1e-9)


def test_types_are_drawn_from_their_responsibilities(prepared, draws):
    """|z| > 4 at 4 (draw, state) pairs: false alarms in fewer than 1 of 3,000 seeds; the seed is fixed."""
    many = {name: np.repeat(values[:2], 5000, axis=0) for name, values in draws.items()}
    found = prepared.model.complete(prepared.layout, many, np.random.default_rng(2))
    p = found["p_insincere"].reshape(2, 5000, 2)[:, 0]
    share = 1 - found["sincere"].reshape(2, 5000, 2).mean(axis=1)
    z = (share - p) / np.sqrt(p * (1 - p) / 5000)
    assert (abs(z) < 4).all()
    # negative control: types drawn from the prior would be seen
    wrong = (1 - many["sincerity"].reshape(2, 5000, 2)[:, 0] - p) / np.sqrt(p * (1 - p) / 5000)
    assert (abs(wrong) > 4).any()


def test_before_the_decisions_a_type_is_as_its_prior_has_it(prepared, draws):
    found = prepared.model.complete(prepared.layout, draws, np.random.default_rng(1), observed=False)
    assert_allclose(found["p_insincere"], 1 - draws["sincerity"], atol=1e-12)


def test_a_certain_type_stays(tmp_path):
    certain = models.prepare("opportunism", two_states(tmp_path, judgements=constants(sincerity=1.0)))
    found = certain.model.complete(certain.layout, prior_draws(certain, 30), np.random.default_rng(1))
    assert (found["p_insincere"] == 0).all()
    assert (found["sincere"] == 1).all()


def test_joining_moves_nothing_and_complying_does(prepared, draws):
    found = insincerity(prepared, tree_of(prepared, draws))
    joined = found["kind"].values == "adherence"
    assert joined.sum() == 2
    assert_allclose(found["ratio"].values[joined], 1, atol=1e-12)
    assert_allclose(found["ratio_most"].values[joined], 1, atol=1e-12)
    complied = np.array(["compliance" in label for label in found["decision"].values])
    assert (found["ratio"].values[complied] != 1).all()
    # H complied first: likelier if it still counts L
    first = next(i for i, label in enumerate(found["decision"].values) if label.startswith("2002"))
    assert found["ratio"].values[first] < 1


def test_the_ratio_of_a_row_is_bounded_by_its_miscoding(prepared, draws):
    found = insincerity(prepared, tree_of(prepared, draws))
    for i, (error, n) in enumerate(zip(prepared.layout.error, prepared.layout.rows.n_outcomes, strict=True)):
        if error:
            bound = log((1 - error) * (n - 1) / error)
            assert abs(log(found["ratio_most"].values[i])) <= bound


def test_the_sentences_speak_of_the_numbers(prepared, draws):
    found = insincerity(prepared, tree_of(prepared, draws))
    said = " ".join(sentences(found))
    for state in ("H", "F"):
        after = 100 * found["posterior"].sel(state=state).item()
        assert f"{state}: probability of insincerity" in said
        assert f"{after:.0f}% after them" in said
    assert "one adherence moves the odds by a factor of 1" in said


def test_no_type_is_certain(prepared, draws):
    found = insincerity(prepared, tree_of(prepared, draws))
    sure = found.assign(prior=found["prior"] * 0 + 0.001, posterior=found["posterior"] * 0 + 0.9999)
    assert sentences(sure)[0].endswith("insincerity under 1% before its decisions, over 99% after them.")


def test_the_model_states_its_own_sincerity_only_where_none_is_judged(tmp_path):
    plain = models.prepare("opportunism", two_states(tmp_path / "plain"))
    own = [j for j in plain.case.judgements if j.quantity == "sincerity"]
    assert [(j.analyst, j.p05, j.p50, j.p95) for j in own] == [("model opportunism", 0.5, 0.8, 0.95)]
    judged = two_states(tmp_path / "judged", judgements=SINCERITY)
    assert models.prepare("opportunism", judged).case is judged


def test_only_a_model_with_types_can_be_asked(prepared, draws, tmp_path):
    other = models.prepare("coalition", two_states(tmp_path))
    with pytest.raises(Refused, match=r"coalition has no types of states; allowed: a model such as opportunism"):
        insincerity(other, tree_of(prepared, draws))
