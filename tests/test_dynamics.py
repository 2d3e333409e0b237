"""Paths: two-sided, exact in law, and continued exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_compliance.case.dates import years_between
from bayes_compliance.dynamics import Path, performed, steps_of

TIMES = st.lists(
    st.floats(-20, 20).filter(lambda t: abs(t) > 0.01), min_size=1, max_size=6, unique_by=lambda t: round(t, 2)
)
PATHS = st.sampled_from([Path(), Path(half_life=5.0), Path(shocks=((3.0, 2.0), (-4.0, 1.0))), Path(8.0, ((3.0, 2.0),))])


def test_a_year_is_365_25_days():
    assert years_between(date(2000, 1, 1), date(2004, 1, 1)) == 4.0
    assert years_between(date(2004, 1, 1), date(2000, 1, 1)) == -4.0


def test_brownian_motion_runs_both_ways_and_the_two_sides_are_independent():
    t = np.array([-3.0, -1.0, 2.0, 5.0])
    expected = np.array([[3.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 2, 2], [0, 0, 2, 5]])
    assert Path().covariance(t, t) == pytest.approx(expected)


def test_mean_reversion_has_the_half_life_and_the_stationary_variance():
    path = Path(half_life=4.0)
    late = path.covariance(np.array([200.0]), np.array([200.0, 204.0]))
    assert late[0, 1] / late[0, 0] == pytest.approx(0.5)
    assert late[0, 0] == pytest.approx(1 / (2 * np.log(2) / 4.0))


def test_mean_reversion_equals_an_euler_simulation():
    rng, step, n = np.random.default_rng(1), 0.01, 20000
    w = np.zeros(n)
    for _ in range(int(3 / step)):
        w += -np.log(2) / 2.0 * w * step + np.sqrt(step) * rng.standard_normal(n)
    variance = Path(half_life=2.0).covariance(np.array([3.0]), np.array([3.0]))[0, 0]
    error = variance * np.sqrt(2 / n)
    assert abs(w.var() - variance) < 4.5 * error  # false-alarm rate 1e-5, with .3% of step bias inside it
    assert abs(w.var() - 3.0) > 4.5 * error  # without reversion the variance would be 3


def test_a_shock_widens_the_path_from_its_date_on():
    path = Path(shocks=((3.0, 2.0),))
    t = np.array([2.0, 4.0])
    assert path.covariance(t, t) == pytest.approx(np.array([[2.0, 2.0], [2.0, 4.0 + 4.0]]))


@given(PATHS, TIMES)
def test_the_factor_is_a_root_of_the_covariance(path, times):
    t = np.sort(np.array(times))
    factor = path.factor(t)
    assert factor @ factor.T == pytest.approx(path.covariance(t, t), abs=1e-8)


@given(PATHS, TIMES, st.integers(0, 2**32))
def test_step_by_step_a_path_is_what_the_factor_makes_of_its_innovations(path, times, seed):
    factor = path.factor(np.sort(np.array(times)))
    e = np.random.default_rng(seed).standard_normal(len(factor))
    w, last = [], 0.0
    for kept, new, own in zip(*steps_of(factor), e, strict=True):
        w.append(last := kept * last + new * own)
    assert w == pytest.approx(factor @ e, abs=1e-7)


@given(PATHS, TIMES)
def test_continuing_a_path_gives_the_joint_law(path, times):
    known = np.sort(np.array(times))
    ahead = np.array([21.0, 25.0])
    weights, factor = path.extend(known, ahead)
    joint = path.covariance(ahead, ahead)
    assert weights @ path.covariance(known, known) @ weights.T + factor @ factor.T == pytest.approx(joint, abs=1e-6)
    assert weights @ path.covariance(known, known) == pytest.approx(path.covariance(ahead, known), abs=1e-6)


def test_a_known_date_continues_as_itself():
    weights, factor = Path().extend(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    assert weights[0] == pytest.approx([0.0, 1.0])
    assert factor == pytest.approx(np.diag([0.0, 1.0]))


def test_jumps_decay_with_the_half_life_and_are_not_felt_before():
    decay = Path(half_life=2.0).jump_decay(np.array([0.0, 2.0, 4.0]))
    assert decay == pytest.approx(np.array([[1, 0, 0], [0.5, 1, 0], [0.25, 0.5, 1]]))


def test_performance_is_linear_between_its_dates():
    schedule = [(0.0, 0.0), (5.0, 1.0)]
    assert [performed(schedule, t) for t in (-1.0, 0.0, 2.5, 5.0, 9.0)] == pytest.approx([0, 0, 0.5, 1, 1])
    assert performed([], 3.0) == 0


def test_a_pace_multiplies_what_moves_the_path_from_its_date_on():
    t = np.array([-2.0, 1.0, 2.0, 5.0])
    expected = np.array([[2.0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 2, 2], [0, 1, 2, 2 + 9 * 3]])
    assert Path(pace=(2.0, 3.0)).covariance(t, t) == pytest.approx(expected)
    shocked = Path(shocks=((1.0, 2.0), (4.0, 1.0)), pace=(2.0, 3.0)).covariance(np.array([5.0]), np.array([5.0]))
    assert shocked[0, 0] == pytest.approx(2 + 4 + 9 * (3 + 1))


@given(PATHS, st.floats(-5, 15), TIMES)
def test_a_pace_of_one_changes_nothing_and_none_is_felt_before_it_starts(path, start, times):
    t = np.sort(np.array(times))
    assert replace(path, pace=(start, 1.0)).covariance(t, t) == pytest.approx(path.covariance(t, t))
    before = t[t <= start]
    assert replace(path, pace=(start, 5.0)).covariance(before, before) == pytest.approx(path.covariance(before, before))


@pytest.mark.parametrize("factor", [0.0, 2.5])
def test_a_pace_under_mean_reversion_equals_the_integral_of_its_variance(factor):
    rate, u = np.log(2) / 3.0, np.linspace(0, 4, 400001)
    pace = np.where(u >= 2, factor, 1.0)
    expected = np.trapezoid(pace**2 * np.exp(-rate * (4 - u)) * np.exp(-rate * (6 - u)), u)
    found = Path(half_life=3.0, pace=(2.0, factor)).covariance(np.array([4.0]), np.array([6.0]))[0, 0]
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_path_that_stands_still_from_a_day_on_is_continued():
    """A what-if with no volatility: every later date follows from the one before."""
    for half_life in (None, 2.0):
        path = Path(half_life, pace=(5.0, 0.0))
        known, ahead = np.array([3.0]), np.array([4.0, 6.0, 8.0, 11.0])
        weights, root = path.extend(known, ahead)
        covariance = path.covariance(ahead, ahead) - weights @ path.covariance(known, known) @ weights.T
        assert root @ root.T == pytest.approx(covariance, abs=1e-10)
        assert np.triu(root, 1) == pytest.approx(0)
        assert np.diag(root)[2:] == pytest.approx(0)
        assert root[2] == pytest.approx(root[1] * np.exp(-path.rate * 2.0))


@pytest.mark.parametrize("half_life", [1e6, 1e13, 1e300])
def test_a_long_half_life_is_a_brownian_motion(half_life):
    t = np.array([0.5, 3.0, 20.0])
    assert Path(half_life).covariance(t, t) == pytest.approx(Path().covariance(t, t), rel=1e-4)
