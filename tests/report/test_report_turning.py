"""What would turn the answer, by multiples and by points, and how deep a rule could be."""

from __future__ import annotations

from datetime import date
from math import inf, nan

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from bayes_compliance.report.answers import PATHS
from bayes_compliance.report.findings import Change, Lever, depth, depths, turned
from bayes_compliance.report.sections.turning import error_of_sample, lever, too_close

UNTIL = date(2035, 1, 1)
LOBBIES = ["producers", "consumers", "government", "court"]


def tips(change: list[float], factor: list[float], p: float = 0.51) -> xr.Dataset:
    """The analysis of one rule; lobbies without a factor have points."""
    points = np.where(np.isnan(factor), change, nan)
    data = {"change": ("lobby", change), "factor": ("lobby", factor), "points": ("lobby", points), "p": ((), p)}
    return xr.Dataset(data, coords={"lobby": LOBBIES})


def test_each_kind_of_change_is_the_smallest_of_its_kind() -> None:
    supply = tips([3.2, -2.6, -3.42, -3.42], [1.06, 0.925, nan, nan])
    least = (Change("government", -3.42), Change("court", -3.42))
    assert lever("milk", supply) == Lever("milk", 0.51, Change("producers", 3.2, 1.06), least)
    assert lever("milk", tips([nan, nan, 5.0, -4.0], [nan] * 4)) == Lever("milk", 0.51, None, (Change("court", -4.0),))
    assert lever("milk", tips([nan] * 4, [nan] * 4)) == Lever("milk", 0.51)


def test_the_nearest_multiple_and_the_points_that_would_do_instead() -> None:
    found = [
        Lever("a", 0.7, Change("home unions", 9.0, 2.0), (Change("government", -8.0),)),
        Lever("b", 0.46, Change("farmers", 3.0, 1.3), (Change("government", 4.0), Change("court", 4.0))),
        Lever("c", 0.51, Change("home unions", 3.9, 1.06), (Change("government", -3.42), Change("court", 3.42))),
        Lever("d", 0.01),
    ]
    assert turned("USA", found, UNTIL) == (
        "USA: among lobbies whose weight is multiplied, the multiple nearest to 1 that would turn the answer is most "
        "often that of home unions (on 2 of 4 rules); closest to turning is “c”, at 51% on 1 January 2035, where 1.06 "
        "times the weight of home unions (+3.9 points), −3.4 points to the weight of government or +3.4 points to "
        "the weight of court would do."
    )
    assert "that of home unions or farmers (on 1 of 2 rules each);" in turned("USA", found[:2], UNTIL)
    assert turned("USA", found[1:2], UNTIL) == (
        "USA: among lobbies whose weight is multiplied, the multiple nearest to 1 that would turn the answer is that "
        "of farmers; at 46% on 1 January 2035, 1.3 times the weight of farmers (+3 points) or +4 points to the weight "
        "of government or court would do."
    )


def test_what_is_too_close_to_one_half_has_no_lever_told() -> None:
    far = Lever("b", 0.46, Change("farmers", 3.0, 1.3))
    near = [Lever(name, 0.51, Change("unions", -0.211, 0.996), (), True) for name in ("c {x}", "d")]
    said = turned("USA", [far, near[0]], UNTIL)
    assert "most often that of farmers (on 1 of 2 rules);" in said, "no lobby is named for a rule that cannot be told"
    assert said.endswith(
        "; on 1 January 2035 “c {x}” (51%) is too close to one half to say how small a change would turn it; of the "
        "others closest to turning is “b”, at 46% on 1 January 2035, where 1.3 times the weight of farmers (+3 points) "
        "would do."
    )
    said = turned("USA", near, UNTIL)
    assert said.endswith(
        "“c {x}” (51%) and “d” (51%) are too close to one half to say how small a change would turn them."
    )
    assert "0.996" not in said
    assert turned("USA", near[:1], UNTIL) == (
        "USA: at 51% on 1 January 2035 it is too close to one half to say how small a change would turn it."
    )


def test_the_error_of_a_sample_is_that_of_its_means() -> None:
    rng = np.random.default_rng(7)
    of_draws = rng.uniform(0.3, 0.7, 100_000)
    paths = of_draws + rng.normal(0, 0.2, (PATHS, len(of_draws)))
    means = paths.mean(axis=0).reshape(-1, 500).mean(axis=1)  # samples of as many draws
    assert error_of_sample(of_draws, paths[0]) == pytest.approx(
        means.std(), rel=0.15
    )  # 200 of them: three of its errors


@pytest.mark.parametrize(
    ("p", "sampled", "close"),
    [(0.519, 0.519, True), (0.521, 0.521, False), (0.55, 0.49, True), (0.45, 0.47, False), (0.479, 0.44, False)],
)
def test_too_close_is_two_standard_errors_or_the_other_side(p: float, sampled: float, close: bool) -> None:
    assert too_close(p, sampled, 0.01) == close


def test_where_all_weights_have_points_added_the_fewest_points_count() -> None:
    found = [
        Lever("a", 0.7, None, (Change("unions", 9.0), Change("buyers", -9.0))),
        Lever("b", 0.4, None, (Change("buyers", 4.0),)),
    ]
    assert turned("USA", found, UNTIL) == (
        "USA: the fewest points that would turn the answer are most often those to the weight of buyers (on 2 of 2 "
        "rules); closest to turning is “b”, at 40% on 1 January 2035, where +4 points to the weight of buyers would do."
    )


def test_no_lever() -> None:
    assert turned("USA", [Lever("a", 0.99)], UNTIL) == (
        "USA: no change in the weight of one lobby, up to a hundredfold, would turn an answer."
    )


DEPTHS = st.sampled_from([nan, inf, 0.0109, 0.0999, 0.1, 0.43, 0.999, 1.0, 3.0])


@given(st.lists(DEPTHS, min_size=2, max_size=9))
def test_every_rule_has_one_depth(found: list[float]) -> None:
    said = depths({f"rule {i}": k for i, k in enumerate(found)})
    deep, hardly, none = sum(k >= 1 for k in found), sum(k < 0.1 for k in found), sum(k != k for k in found)
    shallow = len(found) - deep - hardly - none
    told = {
        "as deep as it is or deeper": deep, "in a shallower version only": shallow,
        "at less than 10% of its depth, with hardly anything of it left": hardly,
        "in no version, however shallow": none,
    }  # fmt: skip
    for words, n in told.items():  # what there is none of is not counted
        count = "all" if n == len(found) else n
        assert (f" {count} {words}" in said) == (n > 0)
        assert (words in said) == (n > 0)


@pytest.mark.parametrize(
    ("k", "words"),
    [
        (nan, "in no version, however shallow."),
        (0.0109, "in a shallower version only, at 1% of its depth, with hardly anything of it left."),
        (0.43, "in a shallower version only, at 43% of its depth."),
        (1.4, "as deep as it is or deeper, up to 140% of its depth."),
        (inf, "as deep as it is or deeper, at any depth."),
    ],
)
def test_one_rule_is_not_counted(k: float, words: str) -> None:
    said = depths({"deficit limit": k})
    assert said == f"“deficit limit” would be kept by all who owe it with a probability of 80% {words}"


@pytest.mark.parametrize(
    ("k", "words"),
    [
        (nan, "no version"),
        (inf, "any"),
        (0.0109, "1%"),
        (0.25, "25%"),
        (0.999, "over 99%"),
        (1.0, "100%"),
        (2.0, "200%"),
    ],
)
def test_depths_in_a_table(k: float, words: str) -> None:
    assert depth(k) == words
