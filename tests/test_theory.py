"""The equations against sums written out, SciPy, and themselves in PyTensor."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bayes_compliance import theory

SHARE = st.floats(0.01, 0.99)
POINTS = st.floats(-300, 300)


@given(SHARE, st.integers(1, 6), st.integers(1, 40), st.floats(0, 0.5))
def test_shadow_is_the_ratio_of_the_sums(discount, lag, periods, hazard):
    d = discount * (1 - hazard)
    gain = sum(d**k for k in range(lag, lag + periods))
    cost = sum(d**k for k in range(lag))
    assert theory.shadow(discount, lag, periods, hazard) == pytest.approx(gain / (cost + gain), rel=1e-6)


@given(SHARE, st.integers(1, 6))
def test_grim_trigger_is_the_limit_of_long_punishments(discount, lag):
    assert theory.shadow(discount, lag) == pytest.approx(discount**lag)
    assert theory.shadow(discount, lag, 3000.0) == pytest.approx(discount**lag, abs=1e-9)


@given(SHARE, st.integers(1, 30))
def test_punishment_of_n_periods_after_one(discount, n):
    a = sum(discount**k for k in range(1, n + 1))
    assert theory.shadow(discount, 1, n) == pytest.approx(a / (1 + a), rel=1e-6)


def test_shadow_of_a_patient_state_counts_periods():
    assert theory.shadow(1.0, 2.0, 3.0) == pytest.approx(3 / 5, abs=1e-6)


@given(SHARE, st.floats(0.1, 100), SHARE)
def test_critical_discount_is_where_the_stage_game_is_indifferent(share, gain, x):
    temptation = share * gain
    d = theory.critical_discount(temptation, gain)
    k_prime = x + temptation
    comply, defect = (x + gain) / (1 - d), k_prime + gain + d * k_prime / (1 - d)
    assert comply == pytest.approx(defect, rel=1e-6)


def test_preferences_follow_the_order_of_the_stage_game():
    # X, K', L: harmony, its edge, dilemma, deadlock at its edge, deadlock
    types = theory.preference(np.array([3.0, 2, 1, 1, 0]), np.array([2.0, 2, 2, 2, 3]), np.array([1.0, 1, 2, 1, 1]))
    assert types.tolist() == [0, 0, 1, 2, 2]


@given(POINTS, st.floats(1, 100), st.floats(0.1, 100))
def test_outcomes_are_a_partition(margin, noise, width):
    logs = [float(theory.outcome_log_probability(margin, noise, width, k)) for k in (0, 1, 2)]
    assert sum(np.exp(logs)) == pytest.approx(1, abs=1e-9)
    comply, violate = theory.outcome_probabilities(margin, noise, width)
    assert np.exp(logs[2]) == pytest.approx(comply, rel=1e-9)
    assert np.exp(logs[0]) == pytest.approx(violate, rel=1e-9)
    assert comply == pytest.approx(stats.norm.cdf((margin - width) / noise), rel=1e-9)


def test_tails_neither_clip_nor_overflow():
    far = np.array([-60.0, 60.0])
    logs = theory.outcome_log_probability(far, 1.0, 0.5, np.array([2, 0]))
    assert logs == pytest.approx(stats.norm.logcdf([-60.5, -60.5]), rel=1e-12)
    partial = theory.outcome_log_probability(np.array([40.0]), 1.0, 0.5, np.array([1]))
    assert np.isfinite(partial).all()
    assert partial[0] == pytest.approx(stats.norm.logsf(39.5), abs=0.05)


@pytest.mark.parametrize("margin", [0.0, 0.4, 1.5, 30.0, 2000.0])
@pytest.mark.parametrize("width", [1e-3, 0.5, 3.0])
def test_a_partial_outcome_is_the_band_between_the_thresholds(margin, width):
    # quadrature of the density over the band, in logs
    nodes, weights = np.polynomial.legendre.leggauss(400)
    z = margin + width * nodes
    peak = -(z**2).min() / 2
    band = peak + np.log(weights @ np.exp(-(z**2) / 2 - peak) * width) - np.log(2 * np.pi) / 2
    assert float(theory.outcome_log_probability(margin, 1.0, width, 1)) == pytest.approx(band, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("outcome", [0, 1, 2])
@pytest.mark.parametrize("error", [0.0, 0.05])
def test_gradients_are_finite_however_far_the_margin(outcome, error):
    margin, noise, width = (pt.dvector(name) for name in ("margin", "noise", "width"))
    far = np.concatenate([sign * np.geomspace(1e-3, 1e25, 200) for sign in (1, -1)])
    log_p = theory.outcome_log_probability(margin, noise, width, np.full(len(far), outcome))
    coded = theory.miscoded(log_p, np.full(len(far), error), np.full(len(far), 3))
    slopes = pytensor.function([margin, noise, width], [coded, *pytensor.grad(coded.sum(), [margin, noise, width])])
    for c in (0.01, 1.0, 40.0):
        assert np.isfinite(slopes(far, np.ones(len(far)), np.full(len(far), c))).all()


@pytest.mark.parametrize(("outcome", "width"), [(0, 0.0), (2, 0.0), *((k, c) for k in (0, 1, 2) for c in (0.3, 2.0))])
def test_the_gradient_is_that_of_the_normal_distribution(outcome, width):
    u = np.array([-7.0, -2.0, -0.3, 0.0, 0.3, 2.0, 7.0])
    margin = pt.dvector("margin")
    log_p = theory.outcome_log_probability(margin, 1.0, np.full(len(u), width), np.full(len(u), outcome))
    found = pytensor.function([margin], pytensor.grad(log_p.sum(), margin), mode="FAST_COMPILE")(u)
    pdf, cdf = stats.norm.pdf, stats.norm.cdf
    # the band from the nearer tail, where nothing cancels
    band = cdf(width - abs(u)) - cdf(-width - abs(u))
    slope, p = {
        0: (-pdf(u + width), cdf(-u - width)), 1: (pdf(u + width) - pdf(u - width), band),
        2: (pdf(u - width), cdf(u - width)),
    }[outcome]  # fmt: skip
    assert found == pytest.approx(slope / p, rel=1e-6, abs=1e-12)


@given(st.lists(st.tuples(POINTS, st.sampled_from([0, 1, 2])), min_size=1, max_size=5), st.floats(1, 50))
def test_pytensor_says_the_same(rows, noise):
    margin, outcome = (np.array(v) for v in zip(*rows, strict=True))
    tensor = theory.outcome_log_probability(pt.as_tensor(margin.astype(float)), noise, 10.0, outcome)
    assert tensor.eval(mode="FAST_COMPILE") == pytest.approx(
        theory.outcome_log_probability(margin.astype(float), noise, 10.0, outcome), rel=1e-8
    )


@given(st.floats(0.01, 0.99), st.sampled_from([0.0, 0.01, 0.05, 0.15]), st.sampled_from([2, 3]))
def test_miscoding_mixes_with_the_other_outcomes(p, error, n):
    mixed = np.exp(theory.miscoded(np.log([p]), np.array([error]), np.array([n])))[0]
    assert mixed == pytest.approx((1 - error) * p + error * (1 - p) / (n - 1), rel=1e-9)


@given(st.floats(0.1, 10), st.integers(0, 20), SHARE)
def test_conduct_starts_in_trust_and_follows_the_record(trust, count, share):
    q = theory.conduct(trust, share * count, count)
    assert theory.conduct(trust, 0.0, 0) == 1
    assert 0 <= q <= 1
    assert q == pytest.approx((trust * 1 + count * share) / (trust + count))


def test_wq_of_one_is_the_articles_inequality():
    j, k, ell, p, g = 2.0, 9.0, 4.0, 1.0, 0.5
    assert theory.compliance_support(j, k, ell, p, g, 1.0) == j + ell + p + g - k
    assert theory.compliance_support(j, k, ell, p, g) == theory.adherence_support(j, k, ell, p, g)


@given(SHARE, SHARE)
def test_a_certain_type_leaves_the_discount(discount, q):
    assert theory.answer_to_type(discount, 1.0) == pytest.approx(discount)
    assert theory.answer_to_type(discount, q) <= discount + 1e-12


def test_who_never_performs_is_never_answered_however_patient_the_state():
    d, q = np.array([0.0, 0.3, 1.0, 1.0, 1.0]), np.array([0.0, 0.0, 0.0, 0.25, 1.0])
    assert theory.answer_to_type(d, q).tolist() == [0.0, 0.0, 0.0, 1.0, 1.0]
    assert theory.answer_to_type(1 - 1e-12, 0.0) == 0
    tensor = theory.answer_to_type(pt.as_tensor(d), pt.as_tensor(q))
    assert tensor.eval(mode="FAST_COMPILE").tolist() == [0.0, 0.0, 0.0, 1.0, 1.0]
    slope = pytensor.grad(theory.answer_to_type(x := pt.dscalar(), 0.0), x)
    assert slope.eval({x: 1.0}, mode="FAST_COMPILE") == 0


@given(st.floats(0, 1), st.floats(0, 1))
def test_elsewhere_it_is_the_formula_to_the_last_bit(d, q):
    rest = 1 - d + d * q
    assert rest == 0 or theory.answer_to_type(d, q) == d * q / rest


def test_magnitudes_move_on_their_own_scale():
    base, change = np.array([100.0, 100.0]), np.array([0.5, 0.5])
    moved = theory.magnitude(base, change, np.array([True, False]))
    assert moved == pytest.approx([100 * np.exp(0.5), 100.5])
    assert theory.magnitude(base, change, np.array([True, True])) == pytest.approx(base * np.exp(0.5))
    assert theory.magnitude(base, change, np.array([False, False])) == pytest.approx(base + 0.5)
