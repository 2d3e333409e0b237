"""Ranks and pairs against brute force, and sentences against the numbers that they name."""

from __future__ import annotations

from itertools import pairwise as neighbours
from itertools import permutations

import numpy as np
import pytest

from bayes_compliance.analysis.reputation import (
    TOLD_APART,
    effect_words,
    effects,
    ends,
    pairwise,
    ranks,
    reputation,
    verdict,
)

NAMES = ["A", "B", "C", "D"]


@pytest.fixture(scope="module")
def propensity() -> np.ndarray:
    return np.random.default_rng(1).normal([0.0, 0.2, 0.1, 0.9], 0.5, size=(200, 4))


def test_pairs_as_counted_one_by_one(propensity):
    found = pairwise(propensity)
    for i in range(4):
        for j in range(4):
            wins = sum(1.0 if row[i] > row[j] else 0.5 if row[i] == row[j] else 0.0 for row in propensity)
            assert found[i, j] == pytest.approx(wins / 200)
    np.testing.assert_allclose(found + found.T, 1)


def test_ranks_as_counted_over_all_orders(propensity):
    """Each order of the states holds in some draws; a state's rank is its place in the order."""
    found, total = np.zeros((4, 4)), 0
    for order in permutations(range(4)):
        holds = sum(all(row[a] > row[b] for a, b in neighbours(order)) for row in propensity)
        total += holds
        for rank, state in enumerate(order):
            found[state, rank] += holds / 200
    assert total == 200
    np.testing.assert_allclose(ranks(propensity), found)


def test_states_that_are_all_alike_share_pairs_and_ranks():
    """As pooling `complete` has them."""
    same = np.repeat(np.random.default_rng(1).standard_normal((10, 1)), 3, axis=1)
    np.testing.assert_allclose(pairwise(same), 0.5)
    np.testing.assert_allclose(ranks(same), 1 / 3)
    same[0, 2] -= 1.0  # one draw in which they are not: other ties fall to the first
    np.testing.assert_allclose(ranks(same), np.eye(3))


def test_the_dataset_is_in_units_of_sigma(propensity):
    step, sigma = np.full_like(propensity, 0.3), np.full((200, 1), 2.0)
    found = reputation(propensity, step, sigma, NAMES)
    assert dict(found.sizes) == {"kind": 2, "state": 4, "other": 4, "rank": 4}
    np.testing.assert_allclose(found["median"].sel(kind="compliance"), np.median(propensity, axis=0) / 2)
    np.testing.assert_allclose(found["median"].sel(kind="adherence"), (np.median(propensity, axis=0) - 0.3) / 2)
    for name, level in (("lower", 0.05), ("upper", 0.95)):
        np.testing.assert_allclose(found[name].sel(kind="adherence"), np.quantile(propensity - 0.3, level, axis=0) / 2)
    np.testing.assert_allclose(found["p_rank"].sum("rank"), 1)
    np.testing.assert_allclose(found["p_rank"].sum("state"), 1)
    mean = (found["p_rank"] * found["rank"]).sum("rank")
    np.testing.assert_allclose(found["mean_rank"], mean)
    np.testing.assert_array_equal(found["told_apart"], found["p_readier"] > TOLD_APART)


def draws_with(p: float, n: int = 1000) -> np.ndarray:
    """Two states, the first readier in the share p of the draws."""
    first = np.where(np.arange(n) < round(p * n), 1.0, -1.0)
    return np.column_stack([first, np.zeros(n)])


@pytest.mark.parametrize("p", [0.5, 0.61, 0.8])
def test_cannot_tell_when_no_pair_exceeds_four_fifths(p):
    found = reputation(draws_with(p), np.zeros((1000, 2)), 1.0, ["A", "B"])
    assert float(found["best_told"].sel(kind="compliance")) == pytest.approx(p)
    said = verdict(found)
    assert said.startswith("Cannot tell: no pair")
    assert f"A is readier to comply than B with probability {round(100 * p)}%" in said


@pytest.mark.parametrize("p", [0.801, 0.9, 0.05])
def test_a_pair_is_told_apart_above_four_fifths(p):
    said = verdict(reputation(draws_with(p), np.zeros((1000, 2)), 1.0, ["A", "B"]))
    assert said.startswith("1 of 1 pair of states is told apart")
    first, second, sure = ("A", "B", p) if p > 0.5 else ("B", "A", 1 - p)
    assert f"{first} is readier to comply than {second} with probability {round(100 * sure)}%" in said
    said = verdict(reputation(draws_with(p), np.zeros((1000, 2)), 1.0, ["A", "B"]), "adherence")
    assert f"{first} is readier to adhere than {second}" in said


def test_of_pairs_that_are_as_sure_the_farthest_apart_is_named():
    found = reputation(np.tile([3.0, 1.0, 5.0, 0.0], (50, 1)), np.zeros((50, 4)), 1.0, NAMES)
    assert "C is readier to comply than D with probability over 99%" in verdict(found)
    assert "6 of 6 pairs of states are told apart" in verdict(found)


def test_pairs_that_are_the_other_way_round_are_counted(propensity):
    found = reputation(propensity, np.zeros_like(propensity), 1.0, NAMES)
    p = found["p_readier"].sel(kind="compliance").values
    told = [p[i, j] for i in range(4) for j in range(4) if p[i, j] > TOLD_APART]
    assert len(told) == 3
    assert sum(1 - q for q in told) < 0.95
    assert "Of the pairs told apart fewer than one can be expected to be the other way round" in verdict(found)
    many = np.tile(draws_with(0.85), 10)
    found = reputation(many, np.zeros_like(many), 1.0, [f"S{i}" for i in range(20)])
    assert f"apart some {round(100 * 0.15)} can be expected to be the other way round" in verdict(found)


@pytest.mark.parametrize(("zeros", "said"), [(3, "fewer than one"), (4, "one or so"), (6, "some 2")])
def test_how_many_are_the_other_way_round_is_a_sum(zeros, said):
    """Two states that are each readier than some others in 85% of draws: .15 of 2 x 3, 2 x 4, 2 x 6 pairs."""
    first, zero = draws_with(0.85).T[..., None]
    drawn = np.hstack([first] * 2 + [zero] * zeros)
    found = reputation(drawn, np.zeros_like(drawn), 1.0, [f"S{i}" for i in range(2 + zeros)])
    assert f"Of the pairs told apart {said} can be expected to be the other way round." in verdict(found)


def test_those_less_than_half_as_often_first_are_not_named():
    """First in 40, 22, 20 and 18 of 100 draws."""
    first = np.repeat([0, 1, 2, 3], [40, 22, 20, 18])
    found = reputation(np.eye(4)[first], np.zeros((100, 4)), 1.0, NAMES)
    assert ends(found).startswith("Probability of standing first: A (40%), B (22%) and C (20%); last:")


def test_an_effect_is_said_with_its_size():
    """A hundred draws from -.095 to .895, nine in ten above 0, and the same downwards."""
    drawn = (np.arange(100) - 9.5) / 100
    up, down = effect_words(effects(np.column_stack([drawn, -drawn]), ["bar", "rights"]))
    size = "sigma for one standard deviation"
    assert up.endswith(f"higher P2 + G2 with probability 90%: 0.40 {size} (−0.05 to 0.85, 5% to 95%).")
    assert down.endswith(f"lower P2 + G2 with probability 90%: −0.40 {size} (−0.85 to 0.05, 5% to 95%).")
    (unclear,) = effect_words(effects((np.arange(100)[:, None] - 19.5) / 100, ["bar"]))
    assert "cannot be told (80%): 0.30 sigma" in unclear


def test_first_and_last_are_those_of_the_ranks(propensity):
    found = reputation(propensity, np.zeros_like(propensity), 1.0, NAMES)
    p = found["p_rank"].sel(kind="compliance").values
    said = ends(found)
    assert f"first: D ({100 * p[3, 0]:.0f}%)" in said
    assert f"A ({100 * p[0, 3]:.0f}%)" in said.split("last:")[1]
    assert "D (" not in said.split("last:")[1]


def test_effects_say_a_sign_only_where_it_is_told():
    rng = np.random.default_rng(2)
    found = effects(rng.normal([0.5, 0.0, -0.5], 0.2, size=(2000, 3)), ["bar", "rights", "elections"])
    up, unclear, down = effect_words(found)
    assert "“bar” have a higher P2 + G2" in up
    assert "“rights” goes with a higher P2 + G2 cannot be told" in unclear
    assert "“elections” have a lower P2 + G2" in down
    np.testing.assert_allclose(found["p_positive"], [1, 0.5, 0], atol=0.05)
