"""Scores against their formulas, skill and coverage against constructed truths, CORP against its identities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_compliance.errors import Refused
from bayes_compliance.validation import scores

P = np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
OUTCOME = np.array([2, 0, 0])


def test_scores_are_those_of_the_formulas_by_hand():
    assert scores.brier(P, OUTCOME) == pytest.approx([0.3**2, 0.0, 1.0])
    assert scores.log(P, OUTCOME) == pytest.approx([-np.log(0.7), -np.log(0.5), np.inf])
    # by hand: F - step, (.1)^2 + (.3)^2; (.5)^2 + 0; 1 + 1
    assert scores.rps(P, OUTCOME) == pytest.approx([0.1, 0.25, 2.0])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.integers(0, 1))
def test_with_two_outcomes_the_ranked_score_is_twice_the_brier_score(p, came):
    # no partial: F jumps at violate and stays until comply, so both steps add the same square
    two = np.array([[1 - q, 0.0, q] for q in p])
    outcome = np.full(len(p), 2 * came)
    assert scores.rps(two, outcome) == pytest.approx(2 * scores.brier(two, outcome), abs=1e-12)


@pytest.mark.parametrize("score", [scores.brier, scores.log, scores.rps])
@pytest.mark.parametrize(
    ("p", "outcome", "why"),
    [
        (P, OUTCOME - 1, "outcome: array.* 0 violate, 1 partial, 2 comply"),
        (P, ["comply", "violate", "violate"], "outcome: array.*allowed: whole numbers"),
        (P, [2, 0], r"p: its shape is \(3, 3\); allowed: \(2, 3\)"),
        (P[:, 2], OUTCOME, r"p: its shape is \(3,\); allowed: \(3, 3\)"),
        (2 * P, OUTCOME, "p: its rows are no probabilities; allowed: .* which sum to 1"),
        (P + np.array([0.2, 0, -0.2]), OUTCOME, "p: its rows are no probabilities"),
        (P * np.nan, OUTCOME, "p: its rows are no probabilities"),
    ],
)
def test_what_is_no_forecast_or_no_outcome_is_not_scored(score, p, outcome, why):
    with pytest.raises(Refused, match=why):
        score(p, outcome)


def test_a_near_miss_costs_less_than_a_far_one():
    sure = np.array([[0.0, 0.0, 1.0]] * 2)
    near, far = scores.rps(sure, np.array([1, 0]))
    assert near < far


def test_every_score_is_proper_on_a_grid():
    truth = np.array([0.2, 0.3, 0.5])
    grid = [np.array([a, b, 1 - a - b]) for a in np.arange(0.1, 0.9, 0.1) for b in np.arange(0.1, 0.95 - a, 0.1)]
    for name in scores.SCORES:
        expected = [sum(truth[k] * scores.each(p[None], [k])[name][0] for k in range(3)) for p in grid]
        best = grid[int(np.argmin(expected))]
        # the Brier score sees only comply
        assert (best[2:] if name == "brier" else best) == pytest.approx(truth[2:] if name == "brier" else truth)


def test_skill_is_one_minus_the_ratio_and_a_clear_winner_is_said_to_be_one():
    rng = np.random.default_rng(1)
    reference = rng.uniform(0.4, 0.6, 80)
    cluster = np.repeat(np.arange(10), 8)
    found = scores.skill(reference / 2, reference, cluster, rng)
    assert found.value == pytest.approx(0.5)
    assert (found.lower, found.upper) == pytest.approx((0.5, 0.5))
    assert found.verdict == "better"
    assert scores.skill(reference, reference / 2, cluster, rng).verdict == "worse"


def test_skill_of_the_same_forecast_is_nothing():
    same = np.array([0.2, 0.0, 0.3])
    found = scores.skill(same, same, ["a", "b", "c"], np.random.default_rng(1))
    assert found[:3] == (0.0, 0.0, 0.0)


def test_the_band_resamples_rules_and_not_decisions():
    """Scores that agree within a rule: the band is as wide as that of as many decisions as there are rules."""
    rng = np.random.default_rng(2)
    difference = rng.normal(0, 0.2, 12)
    reference = np.full(12, 1.0)
    by_rule = scores.skill(reference + difference, reference, np.arange(12), np.random.default_rng(3))
    copied = [np.repeat(v, 10) for v in (reference + difference, reference, np.arange(12))]
    clustered = scores.skill(*copied, np.random.default_rng(3))
    naive = scores.skill(copied[0], copied[1], np.arange(120), np.random.default_rng(3))
    assert clustered[1:3] == pytest.approx(by_rule[1:3])
    assert naive.upper - naive.lower < 0.6 * (by_rule.upper - by_rule.lower)


def test_no_verdict_from_few_rules_and_no_band_from_one():
    reference = np.full(20, 0.5)
    few = scores.skill(reference / 2, reference, np.repeat(np.arange(5), 4), np.random.default_rng(1))
    assert few.lower > 0
    assert few.verdict == "cannot tell"
    one = scores.skill(reference / 2, reference, np.zeros(20), np.random.default_rng(1))
    assert (one.lower, one.upper) == (-np.inf, np.inf)


@pytest.mark.parametrize("rules", [6, 12, 25])
def test_null_forecasters_are_told_apart_no_oftener_than_the_bands_say(rules):
    """False-alarm rate 10% for the two-sided 90% band; among 300 null pairs more than 16% has probability < 1e-3."""
    rng = np.random.default_rng(5)
    cluster = np.repeat(np.arange(rules), 4)
    told = 0
    for _ in range(300):
        effect = rng.normal(0, 0.1, rules)[cluster]
        noise = rng.normal(0, 0.05, (2, len(cluster)))
        told += scores.skill(0.5 + effect + noise[0], 0.5 + noise[1], cluster, rng).verdict != "cannot tell"
    assert told < 0.16 * 300


def test_the_levels_of_a_band_are_those_of_student_s_t_and_near_the_nominal_for_many_rules():
    from scipy.stats import norm, t

    for n in (2, 6, 25):
        assert scores.expanded(n)[1] == pytest.approx(norm.cdf(t.ppf(0.95, n - 1) * np.sqrt(n / (n - 1))))
    assert scores.expanded(4000) == pytest.approx((0.05, 0.95), abs=1e-4)


def test_an_infinite_score_counts_against_whoever_has_it():
    finite, infinite = np.full(20, 0.5), np.full(20, np.inf)
    cluster = np.repeat(np.arange(10), 2)
    of = [scores.skill(a, b, cluster, np.random.default_rng(1)) for a, b in ((infinite, finite), (finite, infinite))]
    assert [one.verdict for one in of] == ["worse", "better"]
    assert of[0][:3] == (-np.inf, -np.inf, -np.inf)
    assert scores.skill(finite, np.zeros(20), cluster, np.random.default_rng(1)).verdict == "worse"


def test_corp_decomposes_the_brier_score_and_pools_ties():
    rng = np.random.default_rng(4)
    p = rng.choice([0.2, 0.5, 0.9], 60)
    y = rng.random(60) < p
    found = scores.corp(p, y, rng)
    score = np.mean((p - y) ** 2)
    assert found.miscalibration - found.discrimination + found.uncertainty == pytest.approx(score)
    assert found.uncertainty == pytest.approx(y.mean() * (1 - y.mean()))
    for value in np.unique(p):
        assert len(set(found.recalibrated[found.forecast == value])) == 1
    assert (np.diff(found.recalibrated) >= 0).all()


def test_pooled_is_the_known_isotonic_solution():
    # the textbook case: a violator is averaged with its neighbour
    assert scores.pooled(np.array([0.1, 0.2, 0.3]), np.array([0.0, 1.0, 0.0])) == pytest.approx([0.0, 0.5, 0.5])


def test_miscalibration_is_seen_and_honest_probabilities_are_not_accused():
    rng = np.random.default_rng(6)
    p = rng.uniform(0.05, 0.95, 400)
    honest, turned = scores.corp(p, rng.random(400) < p, rng), scores.corp(p, rng.random(400) < 1 - p, rng)
    assert (honest.honest, turned.honest) == (True, False)
    assert turned.miscalibration > 10 * honest.miscalibration


def test_honest_probabilities_are_accused_as_often_as_is_said():
    """False-alarm rate 5%; among 300 honest records of 40 decisions more than 10% has probability < 1e-3."""
    rng = np.random.default_rng(8)
    p = rng.uniform(0.05, 0.95, (300, 40))
    accused = sum(not scores.corp(one, rng.random(40) < one, rng, resamples=100).honest for one in p)
    assert accused < 0.1 * 300
    # the negative control: probabilities twice as far from one half, in log odds, as the truth
    odds = np.log(p / (1 - p))
    bold = 1 / (1 + np.exp(-2.5 * odds))
    seen = sum(
        not scores.corp(said, rng.random(40) < one, rng, resamples=100).honest
        for said, one in zip(bold[:50], p[:50], strict=True)
    )
    assert seen > 25


def test_a_single_probability_has_the_band_and_the_p_value_of_a_binomial_count():
    """Eight forecasts of one half, 7 of which came true: 2 to 6 are expected, and 0, 1, 7 or 8 are as far off."""
    found = scores.corp(np.full(8, 0.5), np.arange(8) > 0, np.random.default_rng(9))
    assert (found.lower == 2 / 8).all()
    assert (found.upper == 6 / 8).all()
    assert found.miscalibration == (7 / 8 - 1 / 2) ** 2
    far = 18 / 256
    assert abs(found.p_value - far) < 4.5 * np.sqrt(far * (1 - far) / 1000)  # false-alarm rate 1e-5


def test_the_p_value_counts_the_record_itself():
    """What was held impossible comes in no resample; what was held certain, and came, looks as honest in all."""
    lies, sure = (scores.corp(np.full(3, p), np.ones(3), np.random.default_rng(1), resamples=99) for p in (0.0, 1.0))
    assert (lies.p_value, sure.p_value) == (1 / 100, 1.0)
    assert [lies._replace(p_value=p).honest for p in (0.049, 0.05)] == [False, True]


def test_the_stated_share_is_what_the_interval_holds_of_its_own_worlds():
    """Of 0 to 99, each once, the interval is 4 to 94, both of them in it."""
    found = scores.coverage([np.arange(100)] * 4, [3, 4, 94, 95])
    assert (found.blocks, found.inside, found.share) == (4, 2, 0.5)
    assert found.stated == pytest.approx(0.91)


def test_coverage_counts_blocks_inside_their_intervals():
    drawn = np.repeat(np.arange(10), 10)
    found = scores.coverage([drawn, drawn, drawn], [5, 0, 30])
    assert (found.blocks, found.inside) == (3, 2)
    assert found.stated >= 0.9


def test_coverage_of_true_forecasts_is_what_is_stated():
    """1000 blocks; the band of 4 standard errors has a false-alarm rate below 1e-4."""
    rng = np.random.default_rng(7)
    drawn = [rng.binomial(8, 0.4, 2000) for _ in range(1000)]
    found = scores.coverage(drawn, rng.binomial(8, 0.4, 1000))
    assert abs(found.share - found.stated) < 4 * np.sqrt(found.stated * (1 - found.stated) / 1000)
