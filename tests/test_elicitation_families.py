"""Fitted distributions meet the judged quantiles; pools are true mixtures."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from bayes_compliance.elicitation import LEVELS, Component, Prior, fit, pool
from bayes_compliance.elicitation.families import fit_below
from tests.builders import Z95

SD = st.floats(0.01, 100)


def refuse(what: str) -> Exception:
    return ValueError(what)


@given(st.floats(-1e3, 1e3), SD)
def test_a_symmetric_normal_is_exact(mean, sd):
    found = fit("normal", (mean - Z95 * sd, mean, mean + Z95 * sd))
    assert found.parameters == pytest.approx((mean, sd), rel=1e-9, abs=1e-9)


@given(st.floats(-5, 5), st.floats(0.01, 2))
def test_a_log_symmetric_lognormal_is_exact(mu, sigma):
    found = fit("lognormal", tuple(np.exp([mu - Z95 * sigma, mu, mu + Z95 * sigma])))
    assert found.parameters == pytest.approx((mu, sigma), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("quantiles", [(1.0, 2.0, 6.0), (-3.0, 4.0, 5.0)])
def test_three_quantiles_that_lean_are_met_by_least_squares(quantiles):
    """The line through them over normal scores, or a t's, for each family that has a scale of its own."""
    q = np.array(quantiles)
    scale, location = np.polyfit(stats.norm.ppf(LEVELS), q, 1)
    for family, values in (("normal", q), ("lognormal", np.exp(q)), ("logit-normal", 1 / (1 + np.exp(-q)))):
        assert fit(family, values).parameters == pytest.approx((location, scale), rel=1e-6), family
    t_scale, t_location = np.polyfit(stats.t(4).ppf(LEVELS), q, 1)
    assert fit("student-t", q).parameters == pytest.approx((4, t_location, t_scale), rel=1e-9)


def test_two_quantiles_tell_no_lean():
    found = fit("skew-normal", (1.0, 2.0), (0.1, 0.8))
    assert found.quantiles((0.1, 0.8)) == pytest.approx((1, 2))
    assert found.parameters[2] == 0


@pytest.mark.parametrize(("high", "quantiles"), [(1.5, (0.2, 0.45, 1.0)), (0.5, (0.03, 0.08, 0.22))])
def test_an_upper_end_leaves_the_judged_quantiles(high, quantiles):
    made = fit_below(high, quantiles)
    mu, sigma, _ = made.parameters
    whole = stats.lognorm(sigma, scale=np.exp(mu))
    assert made.quantiles() == pytest.approx(quantiles, rel=0.015)
    assert made.quantiles([0.0, 0.3, 1.0]) == pytest.approx([0, whole.ppf(0.3 * whole.cdf(high)), high])
    x = np.array([-1.0, quantiles[0], quantiles[2], high * 1.001])
    assert made.distribution.cdf(x) == pytest.approx([0, *(whole.cdf(x[1:3]) / whole.cdf(high)), 1])
    assert np.exp(made.distribution.logpdf(x)) == pytest.approx([0, *(whole.pdf(x[1:3]) / whole.cdf(high)), 0])


@pytest.mark.parametrize("levels", [(0.05, 0.95), (0.05, 0.5), (0.5, 0.95)])
def test_two_quantiles_below_an_upper_end_are_exact_where_the_passes_are_slow(levels):
    for truth in [(0.0, 1.0), (2.0, 1.5), (6.0, 2.5)]:
        exact = Component("lognormal-below", (*truth, 1.0)).quantiles(levels)
        assert fit_below(1.0, exact, levels).quantiles(levels) == pytest.approx(exact, rel=1e-6)


PAIRS = [(0.05, 0.5), (0.5, 0.95), (0.5, 0.9), (0.75, 0.95), (0.05, 0.25), (0.75, 0.9), (0.25, 0.75), (0.5, 0.75)]


@pytest.mark.parametrize("levels", [*PAIRS, (0.05, 0.95), (0.25, 0.5), (0.01, 0.05), (0.9, 0.99)])
def test_a_beta_has_any_two_quantiles(levels):
    for pair in combinations((0.01, 0.05, 0.2, 0.5, 0.7, 0.9, 0.95, 0.99), 2):
        found = fit("beta", pair, levels)
        assert stats.beta(*found.parameters).ppf(levels) == pytest.approx(pair, abs=1e-7), pair


@pytest.mark.parametrize("levels", [*PAIRS, (0.05, 0.95)])
def test_a_gamma_has_any_two_quantiles(levels):
    for high in (1.01, 1.5, 5.0, 100.0, 1e5):
        found = fit("gamma", (1.0, high), levels)
        assert found.quantiles(levels) == pytest.approx((1.0, high), rel=1e-6), high


def test_an_upper_half_makes_a_u_shaped_beta_and_no_certainty():
    found = fit("beta", (0.7, 0.95), (0.5, 0.75))
    assert found.parameters == pytest.approx((0.571518, 0.368346), abs=1e-6)
    assert found.quantiles() == pytest.approx((0.0188, 0.7, 0.9994), abs=1e-4)


@pytest.mark.parametrize(
    ("family", "quantiles", "levels", "at_most"),
    [
        ("beta", (2.33934307e-07, 0.010218008, 0.364551414), (0.1, 0.34, 0.42), 1e-10),
        ("beta", (1.17308e-05, 0.00762764, 0.0104556, 0.096149, 0.106411, 0.44096),
         (0.18, 0.26, 0.32, 0.34, 0.42, 0.52), 0.02488),
        ("beta", (0.0747053, 0.1254351, 0.605117), (0.001, 0.64, 0.66), 0.01984),
    ],
)  # fmt: skip
def test_more_quantiles_are_met_as_near_as_from_any_other_start(family, quantiles, levels, at_most):
    # at most: what scipy.optimize.least_squares found from ten starts
    missed = (fit(family, quantiles, levels).quantiles(levels) - quantiles) / (quantiles[-1] - quantiles[0])
    assert missed @ missed <= at_most


def test_sd_is_the_width_over_3_28971():
    _, sd = fit("normal", (10.0, 20.0, 30.0)).parameters
    assert sd == pytest.approx(20 / 3.28971, rel=1e-5)


@given(st.floats(-3, 3), st.floats(0.1, 2))
def test_a_logit_symmetric_logit_normal_is_exact(mu, sigma):
    quantiles = 1 / (1 + np.exp(-np.array([mu - Z95 * sigma, mu, mu + Z95 * sigma])))
    assert fit("logit-normal", tuple(quantiles)).quantiles() == pytest.approx(quantiles, rel=1e-7)


@pytest.mark.parametrize(
    ("family", "truth"),
    [
        ("gamma", stats.gamma(3, scale=2)),
        ("gamma", stats.gamma(0.8, scale=10)),
        ("beta", stats.beta(8, 3)),
        ("beta", stats.beta(0.7, 2)),
        ("student-t", stats.t(4, loc=2, scale=3)),
        ("skew-normal", stats.skewnorm(4, loc=1, scale=2)),
        ("skew-normal", stats.skewnorm(-2, loc=1, scale=2)),
    ],
)
def test_a_member_of_the_family_is_found_again(family, truth):
    quantiles = tuple(truth.ppf(LEVELS))
    assert fit(family, quantiles).quantiles() == pytest.approx(quantiles, rel=1e-5)
    assert fit(family, quantiles).quantiles([0.25, 0.8]) == pytest.approx(truth.ppf([0.25, 0.8]), rel=1e-3)


@pytest.mark.parametrize(
    ("family", "quantiles"),
    [
        ("normal", (1.0, 2.0, 5.0)),
        ("lognormal", (1.0, 2.0, 5.0)),
        ("gamma", (1.0, 2.0, 5.0)),
        ("beta", (0.2, 0.5, 0.9)),
        ("student-t", (1.0, 2.0, 3.5)),
        ("skew-normal", (1.0, 2.0, 3.5)),
        ("logit-normal", (0.2, 0.5, 0.9)),
    ],
)
def test_every_density_integrates_to_one(family, quantiles):
    prior = Prior((fit(family, quantiles),), (1.0,))
    low, high = prior.quantile([1e-9, 1 - 1e-9])
    points = list(prior.quantile([0.01, 0.5, 0.99]))
    total, _ = integrate.quad(lambda x: float(np.exp(prior.logpdf(x))), low, high, points=points, limit=200)
    assert total == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("component", "truth"),
    [
        (Component("normal", (1.0, 2.0)), stats.norm(1, 2)),
        (Component("lognormal", (1.0, 0.5)), stats.lognorm(0.5, scale=np.exp(1))),
        (Component("gamma", (0.7, 3.0)), stats.gamma(0.7, scale=3)),
        (Component("beta", (0.6, 4.0)), stats.beta(0.6, 4)),
        (Component("student-t", (4.0, -1.0, 2.0)), stats.t(4, -1, 2)),
        (Component("skew-normal", (1.0, 2.0, 5.0)), stats.skewnorm(5, 1, 2)),
        (Component("skew-normal", (1.0, 2.0, -0.5)), stats.skewnorm(-0.5, 1, 2)),
    ],
)
def test_every_distribution_is_scipys(component, truth):
    p = np.array([0.001, 0.05, 0.3, 0.5, 0.9, 0.999])
    x = truth.ppf(p)
    found = component.distribution
    assert found.ppf(p) == pytest.approx(x, rel=1e-6, abs=1e-9)
    assert found.cdf(x) == pytest.approx(p, rel=1e-6)
    assert found.logpdf(x) == pytest.approx(truth.logpdf(x), rel=1e-6, abs=1e-8)
    outside = np.array([-1.0, 2.0])
    assert found.cdf(outside) == pytest.approx(truth.cdf(outside), abs=1e-9)
    assert np.isneginf(found.logpdf(outside)).tolist() == np.isneginf(truth.logpdf(outside)).tolist()


def test_a_logit_normal_is_a_normal_on_the_logit_scale():
    found, p = Component("logit-normal", (0.4, 1.3)).distribution, np.array([0.01, 0.5, 0.99])
    x = 1 / (1 + np.exp(-stats.norm(0.4, 1.3).ppf(p)))
    assert found.ppf(p) == pytest.approx(x, rel=1e-9)
    assert found.cdf(x) == pytest.approx(p, rel=1e-9)
    assert found.cdf([-1, 0, 1, 2]).tolist() == [0, 0, 1, 1]
    assert np.isneginf(found.logpdf([-1, 0, 1, 2])).all()
    total, _ = integrate.quad(lambda v: float(np.exp(found.logpdf(v))), 0, 1)
    assert total == pytest.approx(1, abs=1e-6)


def test_a_linear_pool_is_the_mixture_and_keeps_both_peaks():
    left, right = Component("normal", (-5.0, 1.0)), Component("normal", (5.0, 1.0))
    pooled = pool([(left, 1.0), (right, 3.0)], refuse)
    assert pooled.weights == (0.25, 0.75)
    x = np.array([-5.0, 0.0, 5.0])
    by_hand = 0.25 * stats.norm(-5).pdf(x) + 0.75 * stats.norm(5).pdf(x)
    assert np.exp(pooled.logpdf(x)) == pytest.approx(by_hand, rel=1e-12)
    assert pooled.cdf(0.0) == pytest.approx(0.25, abs=1e-6)
    assert pooled.quantile(0.125) == pytest.approx(-5.0, abs=1e-6)
    assert pooled.cdf(pooled.quantile([0.05, 0.5, 0.95])) == pytest.approx([0.05, 0.5, 0.95], abs=1e-9)


def test_draws_follow_the_pool():
    pooled = pool([(Component("normal", (-5.0, 1.0)), 1.0), (Component("lognormal", (1.0, 0.5)), 1.0)], refuse)
    drawn = pooled.sample(np.random.default_rng(1), 4000)
    assert stats.kstest(drawn, pooled.cdf).pvalue > 1e-4  # false-alarm rate 1e-4
    assert stats.kstest(drawn + 0.3, pooled.cdf).pvalue < 1e-4  # a shift of .3 must be seen


def test_constants_agree_or_are_refused():
    assert pool([(2.0, 1.0), (2.0, 5.0)], refuse).value == 2.0
    for other in (3.0, Component("normal", (2.0, 1.0))):
        with pytest.raises(ValueError, match="judged otherwise by another analyst"):
            pool([(2.0, 1.0), (other, 1.0)], refuse)


def test_a_constant_has_no_density_and_no_spread():
    constant = Prior(value=2.0)
    assert constant.is_constant
    assert constant.sample(np.random.default_rng(1), 3).tolist() == [2.0] * 3
    assert constant.quantile([0.05, 0.95]).tolist() == [2.0, 2.0]
    assert constant.logpdf([2.0]).tolist() == [0.0]
