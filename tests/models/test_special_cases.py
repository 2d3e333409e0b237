"""The other models are `coalition` where they say so, and differ where they should."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_compliance import asking, models
from bayes_compliance.case import load_case
from bayes_compliance.errors import Refused
from tests.builders import complied, known, quantiles, write_case
from tests.models.cases import constants, prior_draws, supports, two_states

OTHERS = ("information", "reciprocity", "opportunism")


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return two_states(tmp_path_factory.mktemp("case"), judgements=constants(sincerity=1.0))


@pytest.fixture(scope="module")
def draws(case):
    return prior_draws(models.prepare("coalition", case))


@pytest.mark.parametrize("name", OTHERS)
def test_special_cases_have_the_support_of_coalition(case, draws, name):
    neutral = {"monitoring": np.ones((50, 10)), "detection": np.ones((50, 2)), "sincere": np.ones((50, 2))}
    assert_allclose(supports(name, case, draws, **neutral), supports("coalition", case, draws), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", OTHERS)
def test_parts_add_up_to_support(case, draws, name):
    prepared = models.prepare(name, case)
    rng = np.random.default_rng(3)
    more = {
        "monitoring": rng.random((50, 10)),
        "detection": rng.random((50, 2)),
        "sincere": np.tile([0.0, 1.0], (50, 1)),
    }
    x = asking.related(prepared.layout, draws | more)
    walk = asking.on_slots(prepared.layout.walk(draws["innovation"]), prepared.layout.knot_slot)
    asked = (prepared.layout, prepared.layout.rows, x, walk, np.zeros_like(walk), prepared.layout.history)
    found = prepared.model.parts(*asked)
    assert_allclose(found.contributions.sum(-1), prepared.model.support(*asked), atol=1e-12)


def test_monitoring_cuts_each_lobby_and_detection_only_what_answers(case, draws):
    layout = models.prepare("information", case).layout
    rng = np.random.default_rng(4)
    m, seen = rng.random((50, 10)), rng.random((50, 2))
    found = supports("information", case, draws, monitoring=m, detection=seen)
    whole = supports("information", case, draws, monitoring=m * 0 + 1, detection=seen * 0 + 1)
    lobby = {b.id: i for i, b in enumerate(layout.case.lobbies)}
    for i, item in enumerate(layout.rows.items):
        expected = np.zeros(50)
        for role in "JKLPG":
            only = np.zeros((50, 10))
            only[:, lobby[f"{item.state} {role}"]] = 1
            # one lobby at a time, each by its own monitoring and L at compliance by detection too
            alone = supports("information", case, draws, monitoring=only, detection=seen * 0 + 1)[:, i]
            cut = seen[:, rows_state(layout, i)] if role == "L" and item.stage == "compliance" else 1.0
            expected += alone * m[:, lobby[f"{item.state} {role}"]] * cut
        assert_allclose(found[:, i], expected, atol=1e-10)
    assert abs(found - whole).max() > 0.1


def rows_state(layout, i):
    return int(layout.rows.state[i])


def test_an_insincere_state_counts_l_when_it_joins_and_not_later(case, draws):
    layout = models.prepare("opportunism", case).layout
    neither = supports("opportunism", case, draws, sincere=np.zeros((50, 2)))
    both = supports("opportunism", case, draws, sincere=np.ones((50, 2)))
    gone = both - neither
    compliance = layout.rows.compliance
    assert_allclose(gone[:, ~compliance], 0, atol=1e-14)
    assert (gone[:, compliance] > 0).all()
    no_shadow = draws | {"shadow": np.zeros((50, 2))}
    assert_allclose(neither, supports("coalition", case, no_shadow), atol=1e-13)


def test_dilution_scales_the_answer_of_its_lobby(tmp_path, case, draws):
    half = two_states(tmp_path, judgements=[*constants(sincerity=1.0), known("dilution", 0.5, "H L")])
    own = [0.5 if lobby.id == "H L" else 1.0 for lobby in half.lobbies]
    diluted = supports("coalition", half, draws | {"dilution": np.tile(own, (50, 1))})
    weaker = {"shadow": draws["shadow"] * np.array([1.0, 0.5])}
    assert [s.id for s in half.states] == ["F", "H"]
    assert_allclose(diluted, supports("coalition", case, draws | weaker), atol=1e-13)


def test_quantities_of_other_models_are_no_variables_of_coalition(tmp_path):
    judged = two_states(tmp_path, judgements=[quantiles("monitoring", 0.3, 0.5, 0.7, "H K")])
    from bayes_compliance.latents import Latents

    free = {
        name: len(Latents(models.prepare(name, judged).layout).free["monitoring"])
        for name in ("coalition", "information")
    }
    assert free == {"coalition": 0, "information": 1}


@pytest.mark.parametrize("name", models.available())
def test_a_case_as_a_model_sees_it_is_seen_alike_again(name, case, tmp_path):
    for given in (case, two_states(tmp_path)):
        once = models.prepare(name, given)
        again = models.prepare(name, once.case)
        assert again.case == once.case
        assert [lobby.id for lobby in again.case.lobbies] == [lobby.id for lobby in once.case.lobbies]
        assert again.layout.knots == once.layout.knots


def test_models_and_variants_by_name():
    assert {"coalition", "information", "managerial", "opportunism", "reciprocity", "spells", "unitary"} <= set(
        models.available()
    )
    one, other = models.load("reciprocity:pessimistic"), models.load("reciprocity:optimistic")
    assert one.expect.keywords == {"selection": "pessimistic"}
    assert other.expect.keywords == {"selection": "optimistic"}
    assert models.load("reciprocity").support is other.support
    with pytest.raises(Refused, match=r"'reciprocity:likely' is not a model; allowed: reciprocity, reciprocity:optim"):
        models.load("reciprocity:likely")
    with pytest.raises(Refused, match=r"'unitary:x' is not a model; allowed: unitary"):
        models.load("unitary:x")


def test_reciprocity_refuses_l_lobbies_that_may_turn_negative(tmp_path):
    place = write_case(
        tmp_path,
        lobbies=[{"id": i, "state": "H", "role": i} for i in "KL"],
        judgements=[
            quantiles("magnitude", 0, 1, 2, "K"),
            quantiles("magnitude", 0, 1, 2, "L"),
            known("reciprocity", 0.5),
        ],
    )
    with pytest.raises(
        Refused, match=r"lobby 'L' of role L moves in points .* allowed in model reciprocity: L lobbies on"
    ):
        models.prepare("reciprocity", load_case(place))


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_years_kept_feed_j_and_l_and_starve_k_on_either_scale(scale, tmp_path):
    kept, beta, m = 3.0, 0.1, 2.0
    judged = [known(name, value, f"H {role}") for role in "JKL" for name, value in (("entrenchment", beta),
              ("magnitude", m), ("volatility", 0.0))]  # fmt: skip
    lobbies = [{"id": f"H {role}", "state": "H", "role": role, "rules": ["r"]} for role in "JKLP"]
    of_p = [known("magnitude", m, "H P"), known("volatility", 0.0, "H P"), known("step", 0.1, "H P")]
    place = write_case(
        tmp_path, scale=scale, lobbies=lobbies, judgements=[*judged, *of_p, known("reciprocity", 0.5)],
        decisions=[complied("2001-01-01"), complied("2004-01-01")],
    )  # fmt: skip
    layout = models.prepare("coalition", load_case(place)).layout
    x, still = prior_draws(models.prepare("coalition", load_case(place)), 1), np.zeros(layout.rows.lobby.shape)
    found = models.load("coalition").magnitudes(layout, layout.rows, x, still, still, layout.history)[0, -1]
    role = [layout.case.lobbies[b].role for b in layout.rows.lobby[-1]]
    for value, sign in zip(found, [{"J": 1, "L": 1, "K": -1, "P": 0}[r] for r in role], strict=True):
        by_years = m * np.exp(sign * beta * kept) if scale == "log" and sign else m + sign * beta * kept
        assert value == pytest.approx(by_years, rel=1e-3)
