"""Spells: the law of what lasts, where it counts, and what it does to two decisions in a row."""

import numpy as np
import pytest
from scipy import stats

from bayes_compliance import asking, models, worlds
from bayes_compliance.case import CaseError, load_case
from bayes_compliance.latents import Latents
from tests.builders import complied, known, write_case
from tests.models.cases import prior_draws, two_states

V, SIGMA, MARGIN = 0.5, 0.6, 0.25
RATE = np.log(2) / 2


@pytest.fixture
def spells():
    return models.load("spells")


def law(t, s):
    """Covariance of u at two dates after the reference date, in units of the yearly variance."""
    return (np.exp(-RATE * abs(t - s)) - np.exp(-RATE * (t + s))) / (2 * RATE)


def test_u_is_an_ornstein_uhlenbeck_process_of_each_state_and_rule(tmp_path):
    layout = models.prepare("spells", two_states(tmp_path)).layout
    factor = layout.walk(np.eye(len(layout.knots))).T
    covariance = factor @ factor.T
    knots = [(i, layout.case.lobbies[b].id, layout.time(day)) for i, (b, day) in enumerate(layout.knots)]
    spells = [one for one in knots if one[1].startswith("spell of ")]
    assert sorted({name for _, name, _ in spells}) == ["spell of bananas in H", "spell of oranges in F"]
    for i, name, t in spells:
        for k, other, s in knots:
            assert covariance[i, k] == pytest.approx(law(t, s) if name == other else 0.0, abs=1e-12)


def test_it_counts_in_decisions_to_comply_alone(tmp_path):
    prepared = models.prepare("spells", two_states(tmp_path))
    layout, draws = prepared.layout, prior_draws(prepared)
    at = [i for i, (b, _) in enumerate(layout.knots) if layout.case.lobbies[b].id.startswith("spell of ")]
    still = draws | {"innovation": draws["innovation"].copy()}
    still["innovation"][:, at] = 0.0
    moved = asking.observed_support(prepared.model, layout, draws)
    moved = moved - asking.observed_support(prepared.model, layout, still)
    assert np.abs(moved[:, ~layout.rows.compliance]).max() == 0
    assert (np.abs(moved[:, layout.rows.compliance]).max(axis=0) > 0).all()


def test_without_volatility_it_is_coalition(tmp_path, monkeypatch, spells):
    monkeypatch.setattr(spells, "VOLATILITY", (0.0, 0.0, 0.0))
    case = two_states(tmp_path)
    with_spells, without = models.prepare("spells", case), models.prepare("coalition", case)
    assert with_spells.layout.knots == without.layout.knots
    draws, mine = prior_draws(without), prior_draws(with_spells)
    more = len(with_spells.case.lobbies) - len(case.lobbies)
    for name in Latents(without.layout).names:
        if Latents(without.layout).dims[name] == "lobby":
            mine[name][..., :-more] = draws[name]
        else:
            mine[name] = draws[name]
    mine |= {name: draws[name] for name in ("innovation", "spread")}
    np.testing.assert_allclose(
        asking.observed_support(with_spells.model, with_spells.layout, mine),
        asking.observed_support(without.model, without.layout, draws), atol=1e-12,
    )  # fmt: skip


def test_a_state_without_k_has_no_unit_for_spells(tmp_path):
    """Of which `coalition`, where all is judged, has no need."""
    judged = [known(name, value, b) for b in "jk" for name, value in (("magnitude", 1.0), ("volatility", 0.0))]
    place = write_case(
        tmp_path, states=[{"id": "H"}, {"id": "F"}], rules=[{"id": "r", "states": ["F", "H"]}],
        lobbies=[{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "F", "role": "K"}],
        judgements=[*judged, known("decision_noise", SIGMA), known("rule_spread_points", 0.0)],
    )  # fmt: skip
    case = load_case(place)
    assert models.prepare("coalition", case).priors.k_ref == {"F": 1.0}
    with pytest.raises(CaseError, match=r"state 'H' has no K of .* volatility of spells has no unit; allowed: a lobb"):
        models.prepare("spells", case)


def test_two_decisions_in_a_row_go_together_as_two_normals_do(tmp_path, monkeypatch, spells):
    """100,000 worlds: 5 standard errors of four shares (false alarm below 1e-5); coalition's are independent."""
    n = 100_000
    case = load_case(
        write_case(
            tmp_path,
            lobbies=[{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K", "rules": ["r"]}],
            judgements=[
                known("magnitude", 1 + MARGIN, "j"), known("magnitude", 1.0, "k"), known("volatility", 0.0, "j"),
                known("volatility", 0.0, "k"), known("rule_spread_points", 0.0), known("decision_noise", SIGMA),
            ],
            decisions=[complied("2004-01-01"), complied("2005-01-01")],
            outcomes=2,
        )
    )  # fmt: skip
    monkeypatch.setattr(spells, "VOLATILITY", (V, V, V))
    for name, v in (("spells", V), ("coalition", 0.0)):
        prepared = models.prepare(name, case)
        times = [prepared.layout.time(item.date) for item in prepared.layout.rows.items]
        outcome = worlds.replay(prepared.model, prepared.layout, prior_draws(prepared, n), np.random.default_rng(2))
        covariance = v**2 * np.array([[law(t, s) for s in times] for t in times]) + SIGMA**2 * np.eye(2)
        both = stats.multivariate_normal([0, 0], covariance).cdf([MARGIN, MARGIN])
        first = stats.norm.cdf(MARGIN / np.sqrt(np.diag(covariance)))
        seen = outcome == 2
        assert np.mean(seen.all(axis=1)) == pytest.approx(both, abs=5 * 0.5 / np.sqrt(n))
        assert seen.mean(axis=0) == pytest.approx(first, abs=5 * 0.5 / np.sqrt(n))
        apart = np.corrcoef(seen.T)[0, 1]
        assert apart > 0.1 if v else abs(apart) < 5 / np.sqrt(n)
