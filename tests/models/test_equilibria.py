"""Equilibria against a dense grid search, with three of them, a middle one on a grid point, and the sufficient mark."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import ndtr

from bayes_compliance import equilibria
from bayes_compliance.equilibria import OPTIMISTIC, PESSIMISTIC, System

CHANCE = np.linspace(0, 1, 200_001)


def pair(base, gain, noise=(1.0, 1.0), bend=(0.0, 0.0)) -> System:
    """Two decisions that look at each other, one world."""
    one = np.atleast_2d
    looks = np.array([[0.0, 1.0], [1.0, 0.0]])
    return System(one(base), one(noise), one(gain), one(bend), np.array([0, 1]), looks)


def by_dense_search(base, gain, noise=(1.0, 1.0)) -> list[float]:
    """First chances of all equilibria, from sign changes on 200,001 points."""
    second = ndtr((base[1] + gain[1] * CHANCE) / noise[1])
    excess = ndtr((base[0] + gain[0] * second) / noise[0]) - CHANCE
    hits = CHANCE[excess == 0]
    crossing = np.flatnonzero(np.sign(excess[:-1]) * np.sign(excess[1:]) < 0)
    return sorted([*hits, *(CHANCE[crossing] + CHANCE[crossing + 1]) / 2])


three = st.tuples(st.floats(-4, 1), st.floats(-4, 1)), st.tuples(st.floats(0, 6), st.floats(0, 6))


@given(*three)
def test_all_equilibria_of_two_are_those_of_a_dense_search(base, gain):
    found = equilibria.all_of_two(pair(base, gain))
    searched = by_dense_search(base, gain)
    # where two are about to meet, either search may see one or none
    assume(np.diff(searched, prepend=-1).min() > 1e-3)
    assert len(found) == len(searched)
    np.testing.assert_allclose(found[:, 0], searched, atol=2e-5)
    np.testing.assert_allclose(found[0], equilibria.extreme(pair(base, gain), PESSIMISTIC)[0], atol=1e-12)


def test_a_case_of_three():
    # Phi(-2 + 4.4 p) crosses the diagonal three times
    base, gain = (-2.0, -2.0), (4.4, 4.4)
    found = equilibria.all_of_two(pair(base, gain))
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found[:, 0], by_dense_search(base, gain), atol=1e-5)
    np.testing.assert_allclose(found[:, 0], found[:, 1], atol=1e-5)
    for p in found:
        np.testing.assert_allclose(pair(base, gain).respond(p[None])[0], p, atol=1e-6)


def test_a_middle_equilibrium_that_lies_on_a_grid_point_is_counted():
    # by symmetry one half is an equilibrium, and the middle of the grid between the other two
    system = pair((-2.5, -2.5), (5.0, 5.0))
    low, high = (equilibria.extreme(system, which)[0, 0] for which in (PESSIMISTIC, OPTIMISTIC))
    assert low + high == pytest.approx(1, abs=1e-8)
    found = equilibria.all_of_two(system)
    assert len(found) == 3
    np.testing.assert_allclose(found[1], 0.5, atol=1e-8)


def test_an_exact_zero_on_the_grid_is_one_root_and_not_two_or_none(monkeypatch):
    grid_hit = 0.5

    def excess(one, first):
        return np.where(abs(first - grid_hit) < 1e-12, 0.0, first - grid_hit)

    monkeypatch.setattr(equilibria, "_excess", excess)
    monkeypatch.setattr(equilibria, "APART", 0.0)
    assert equilibria._between(None, 0.0, 1.0) == [0.5]


@given(*three)
def test_below_the_mark_least_and_greatest_are_one(base, gain):
    system = pair(base, gain, noise=(1.5, 0.8))
    mark = gain[0] * gain[1] / (2 * np.pi) / (1.5 * 0.8)
    assert system.contraction()[0] == pytest.approx(np.sqrt(mark), rel=1e-6, abs=1e-9)
    least, greatest = equilibria.extreme(system, PESSIMISTIC), equilibria.extreme(system, OPTIMISTIC)
    assert (greatest >= least - 1e-8).all()
    if mark < 0.99:
        np.testing.assert_allclose(least, greatest, atol=1e-6)


def test_the_mark_is_sufficient_only():
    # above it, and still one equilibrium: far from the fold
    system = pair((3.0, 3.0), (5.0, 5.0))
    assert system.contraction()[0] > 1
    assert len(equilibria.all_of_two(system)) == 1


@given(st.integers(2, 6), st.integers(0, 10**6))
def test_extremes_bound_every_equilibrium_that_iteration_finds(n, seed):
    rng = np.random.default_rng(seed)
    looks = rng.dirichlet(np.ones(n), size=n) * (1 - np.eye(n))
    system = System(
        rng.normal(-2, 1, (3, n)),
        np.full((3, n), 0.7),
        rng.uniform(0, 6, (3, n)),
        np.zeros((3, n)),
        np.arange(n),
        looks,
    )
    least, greatest = equilibria.extreme(system, PESSIMISTIC), equilibria.extreme(system, OPTIMISTIC)
    p = rng.random((3, n))
    for _ in range(3000):
        p = system.respond(p)
    np.testing.assert_allclose(system.respond(least), least, atol=1e-9)
    np.testing.assert_allclose(system.respond(greatest), greatest, atol=1e-9)
    assert (p >= least - 1e-6).all()
    assert (p <= greatest + 1e-6).all()


def test_worlds_are_solved_apart():
    base, gain = np.array([[-2.0, -2.0], [1.0, -1.0]]), np.array([[4.4, 4.4], [0.3, 0.2]])
    both = System(base, np.ones((2, 2)), gain, np.zeros((2, 2)), np.array([0, 1]), np.array([[0.0, 1], [1, 0]]))
    for which in (PESSIMISTIC, OPTIMISTIC):
        apart = [equilibria.extreme(pair(b, g), which)[0] for b, g in zip(base, gain, strict=True)]
        np.testing.assert_array_equal(equilibria.extreme(both, which), apart)
    least, greatest = (equilibria.extreme(both, which) for which in (PESSIMISTIC, OPTIMISTIC))
    assert equilibria.several(least, greatest).tolist() == [True, False]


def test_a_belief_about_type_bends_the_answer():
    # L counts d q / (1 - d + d q): gain is d L, so at d = .6 and q = .5 it is .6 * .5 / (.4 + .3) L
    system = pair((0.0, 0.0), (0.6 * 2.0, 0.0), bend=(0.6, 0.0))
    found = system.respond(np.array([[0.0, 0.5]]))
    assert found[0, 0] == pytest.approx(ndtr(2.0 * 0.3 / 0.7))


def test_what_has_no_order_is_refused():
    with pytest.raises(ValueError, match=r"gain -1; allowed: 0 or more"):
        pair((0.0, 0.0), (-1.0, 1.0))
    with pytest.raises(ValueError, match=r"selection 'likely'; allowed: pessimistic, optimistic"):
        equilibria.extreme(pair((0.0, 0.0), (1.0, 1.0)), "likely")
    one, looks = np.ones((1, 2)), np.array([[0.5, 0.5], [1.0, 0.0]])
    itself = System(one, one, one, one * 0, np.array([0, 1]), looks)
    with pytest.raises(ValueError, match=r"not one of two decisions"):
        equilibria.all_of_two(itself)
