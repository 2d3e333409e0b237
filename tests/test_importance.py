"""Importance weights: ArviZ's where it has any, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy.special import logsumexp

from bayes_compliance.importance import leave_out, smoothed, weights_of


def test_weights_are_arviz_s():
    log_ratio = np.random.default_rng(1).normal(0, 1.5, 2000)
    log_weights, k = array_stats.psislw(-log_ratio, r_eff=0.7)
    found, own_k = smoothed(log_ratio, 0.7)
    assert found - logsumexp(found) == pytest.approx(log_weights - logsumexp(log_weights))
    assert own_k == float(k)
    assert 0.2 < own_k < 0.7, "a k that says something"
    assert weights_of(log_ratio).share.sum() == pytest.approx(1)


def test_what_is_left_out_is_arviz_s():
    log_p = np.log(np.random.default_rng(2).beta(3, 2, 4000))
    elpd, k, _ = array_stats.loo(log_p.reshape(4, -1), r_eff=0.8)
    assert leave_out(log_p, 0.8)[:2] == (pytest.approx(float(elpd)), pytest.approx(float(k)))


def test_the_error_of_what_is_left_out_is_how_much_it_varies_between_samples():
    """400 samples of 500 draws: their sd has a standard error of 4%, the band is five of them."""
    rng = np.random.default_rng(6)
    each = [leave_out(np.log(one)) for one in rng.beta(4, 2, (400, 500))]
    assert np.mean([one.mc_error for one in each]) == pytest.approx(np.std([one.log_p for one in each]), rel=0.2)
    assert leave_out(np.log(rng.beta(4, 2, 500)), 0.25).mc_error > 1.5 * np.mean([one.mc_error for one in each])


@pytest.mark.parametrize("n", [40, 400])
def test_ratios_alike_at_the_top_are_left_as_they_are(n):
    """ArviZ refuses such a tail; no draw outweighs the others."""
    log_ratio = np.append(np.zeros(n // 2), np.random.default_rng(3).uniform(-3, -0.1, n - n // 2))
    with pytest.raises(ValueError, match="All tail values are the same"):
        array_stats.psislw(-log_ratio)
    found = weights_of(log_ratio)
    assert found.share == pytest.approx(np.exp(log_ratio) / np.exp(log_ratio).sum())
    assert found.pareto_k == 0


def test_equal_ratios_weigh_alike():
    assert weights_of(np.full(7, -900.0)).share == pytest.approx(np.full(7, 1 / 7))
    assert leave_out(np.full(50, np.log(0.25))) == (pytest.approx(np.log(0.25)), 0.0, pytest.approx(0.0))


def test_a_decision_that_one_draw_alone_excludes_has_a_probability():
    """In logs, where its weights and its probabilities are too small for numbers."""
    log_p = np.append(np.full(99, -1e-3), -2000.0)
    log_p_left_out, k, _ = leave_out(log_p)
    assert log_p_left_out == pytest.approx(np.log(100) - 2000, rel=1e-3)
    assert k == np.inf


def test_too_few_draws_cannot_tell():
    found = weights_of(np.random.default_rng(4).normal(size=20))
    assert found.pareto_k == np.inf
    assert not found.mean(np.ones(20)).trusted
    assert weights_of(np.random.default_rng(4).normal(size=30)).pareto_k < np.inf


def test_a_draw_with_all_the_weight_is_not_trusted():
    assert not weights_of(2000 * np.random.default_rng(5).normal(size=500)).mean(np.ones(500)).trusted


@pytest.mark.parametrize(
    "log_ratio", [np.full(500, -np.inf), np.append(np.zeros(499), np.nan), np.append([0.0], np.inf)]
)
def test_draws_that_cannot_be_weighed_are_not_trusted(log_ratio):
    """Another posterior that excludes every draw, say; one draw that is excluded says nothing against the rest."""
    found = weights_of(log_ratio)
    assert found.pareto_k == np.inf
    assert np.isfinite(found.share).all()
    assert not found.mean(np.ones(len(log_ratio))).trusted
    assert weights_of(np.append(np.zeros(499), -np.inf)).pareto_k < 0.5
