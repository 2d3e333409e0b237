"""Boxes under a multivariate normal: closed forms, one-factor quadrature, and draws that are inside and unbiased."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from bayes_compliance.inference.exact.box import Box, box, draw, log_mass, propose
from bayes_compliance.inference.exact.integrate import Part, integrate

INF = np.inf


def log_p(of: Box, target: float = 1e-4, seed: int = 1):
    part = Part(0.0, of, lambda e: np.zeros((len(e), 0)))
    return integrate([part], np.random.SeedSequence(seed), target)


def one_factor(load: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> tuple[float, np.ndarray]:
    """P(box) and E[X | box] for X = load z + e, by quadrature over z."""
    z = np.linspace(-9, 9, 4001)[:, None]
    low, high = lower - load * z, upper - load * z
    mass = special.ndtr(high) - special.ndtr(low)
    inner = np.exp(-(low**2) / 2) - np.exp(-(high**2) / 2)
    weight = stats.norm.pdf(z[:, 0]) * mass.prod(axis=1) * (z[1] - z[0])
    mean = load * z + inner / np.sqrt(2 * np.pi) / np.where(mass > 0, mass, 1)
    return float(weight.sum()), weight @ mean / weight.sum()


def factor_box(load: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> Box:
    return box(np.outer(load, load) + np.eye(len(load)), lower, upper)


def mixed_bounds(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    kind = rng.integers(3, size=n)
    edge = rng.uniform(-1, 0.5, n)
    lower, upper = np.where(kind == 0, -INF, edge), np.where(kind == 1, INF, edge + 1.2)
    return rng.uniform(0.3, 1.5, n), lower, upper


@pytest.mark.parametrize(("low", "high"), [(-INF, 0.3), (8.0, 9.0), (-40.0, -38.0), (38.0, INF), (-1.0, 2.0)])
def test_log_mass_is_exact_in_both_tails(low, high):
    # against quadrature of the density relative to its largest value in the interval
    peak = min(max(0.0, low), high)
    x = np.linspace(max(low, peak - 12), min(high, peak + 12), 400_001)
    density = np.exp(-(x**2) / 2 + peak**2 / 2) / np.sqrt(2 * np.pi)
    assert log_mass(np.array(low), np.array(high)) == pytest.approx(
        np.log(np.trapezoid(density, x)) - peak**2 / 2, abs=1e-6
    )


def test_one_row_is_the_normal_distribution_function():
    found = log_p(box(np.array([[4.0]]), np.array([-1.0]), np.array([INF])))
    assert found.log_p == pytest.approx(special.log_ndtr(0.5), abs=1e-12)


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.5, 0.99])
def test_two_rows_are_the_arcsine_formula(rho):
    found = log_p(box(np.array([[1.0, rho], [rho, 1.0]]), np.zeros(2), np.full(2, INF)))
    assert found.log_p == pytest.approx(np.log(0.25 + np.arcsin(rho) / (2 * np.pi)), abs=1e-4)


@pytest.mark.parametrize("n", [3, 20, pytest.param(80, marks=pytest.mark.slow)])
def test_equal_correlation_of_a_half_gives_one_in_n_plus_one(n):
    found = log_p(box((np.ones((n, n)) + np.eye(n)) / 2, np.full(n, -INF), np.zeros(n)), target=3e-4)
    assert found.error < 6e-4
    assert abs(found.log_p + np.log(n + 1)) < 5 * found.error  # false-alarm rate 1e-4 with 15 degrees of freedom


@pytest.mark.parametrize("seed", range(4))
def test_bounds_on_either_side_or_both_equal_quadrature(seed):
    case = mixed_bounds(15, seed)
    found = log_p(factor_box(*case), target=3e-4)
    assert abs(found.log_p - np.log(one_factor(*case)[0])) < 5 * found.error
    assert found.error < 6e-4
    assert abs(found.log_p - np.log(one_factor(-case[0], case[1] + 0.05, case[2])[0])) > 5 * found.error


@pytest.mark.parametrize("seed", range(20))
def test_no_weight_is_above_the_bound_and_some_come_near(seed):
    of = factor_box(*mixed_bounds(10, seed))
    log_weight = propose(of, np.random.default_rng(seed).random((20_000, 10)))[1]
    assert of.bound - 1.0 < log_weight.max() <= of.bound + 1e-9


def test_the_acceptance_rate_is_the_probability_over_the_bound():
    case = mixed_bounds(15, 0)
    of = factor_box(*case)
    share = one_factor(*case)[0] / np.exp(of.bound)
    accepted = draw(of, 20_000, np.random.default_rng(1))[1]
    assert abs(accepted - share) < 4.5 * np.sqrt(share * (1 - share) / 20_000)  # false-alarm rate 1e-5
    assert share > 0.3


@pytest.mark.parametrize("seed", range(3))
def test_draws_lie_inside_and_have_the_means_of_quadrature(seed):
    load, lower, upper = mixed_bounds(15, seed)
    x, _ = draw(factor_box(load, lower, upper), 20_000, np.random.default_rng(seed))
    assert ((x > lower) & (x < upper)).all()
    z = (x.mean(axis=0) - one_factor(load, lower, upper)[1]) / (x.std(axis=0) / np.sqrt(len(x)))
    limit = stats.norm.isf(1e-4 / 2 / z.size)  # false-alarm rate 1e-4 over the rows
    assert abs(z).max() < limit
    wrong = (x.mean(axis=0) - one_factor(load, -upper, -lower)[1]) / (x.std(axis=0) / np.sqrt(len(x)))
    assert abs(wrong).max() > limit


def test_draws_far_in_a_tail():
    x, accepted = draw(box(np.eye(2), np.array([35.0, -INF]), np.array([INF, 0.0])), 4000, np.random.default_rng(1))
    expected = np.sqrt(2 / np.pi) / special.erfcx(35 / np.sqrt(2))
    assert accepted > 0.99
    assert abs(x[:, 0].mean() - expected) < 4.5 * x[:, 0].std() / np.sqrt(4000)  # false-alarm rate 1e-5
    assert x[:, 1].max() < 0 < 35 < x[:, 0].min()


def test_chances_beyond_the_box_on_common_points():
    # the next of equally correlated rows: one in n + 2 over one in n + 1
    n = 6
    of = box((np.ones((n, n)) + np.eye(n)) / 2, np.full(n, -INF), np.zeros(n))
    load = np.linalg.solve(of.factor, np.full(n, 0.5))
    sd = np.sqrt(1 - load @ load)
    found = integrate([Part(0.0, of, lambda e: special.ndtr(-e @ load / sd)[:, None])], np.random.SeedSequence(1), 1e-4)
    assert found.chance[0] == pytest.approx((n + 1) / (n + 2), abs=5 * found.chance_error[0])
    assert found.chance_error[0] < 1e-4
