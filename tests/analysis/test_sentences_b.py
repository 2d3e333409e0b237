"""Each sentence agrees with the numbers it speaks of."""

from __future__ import annotations

import re

import numpy as np
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from bayes_compliance.analysis import sentences_b as say

DAY = np.array(["2030-01-01"], "datetime64[ns]")
P = st.floats(0, 1)
CHANGE = st.floats(-1, 1)


def one(coords=None, **values) -> xr.Dataset:
    """A Dataset of one state, rule and date; values along a further dim as (dim, list)."""
    data = {}
    for name, value in values.items():
        dim, content = value if isinstance(value, tuple) else (None, value)
        dims = ("state", "rule", "time") if dim is None else ("state", "rule", "time", dim)
        data[name] = (dims, np.array([[[content]]], float))
    return xr.Dataset(data, coords={"state": ["H"], "rule": ["r"], "time": DAY} | (coords or {}))


@given(P, st.lists(st.one_of(st.just(np.nan), st.floats(0.01, 100)), min_size=2, max_size=2),
       st.lists(st.one_of(st.just(np.nan), st.floats(-50, 50)), min_size=2, max_size=2))  # fmt: skip
def test_the_smallest_change_is_named(p, factors, points):
    nan = [np.nan] * 2
    found = one(
        {"lobby": ["a", "b", "c", "d"]}, p=p, factor=("lobby", [*factors, *nan]), points=("lobby", [*nan, *points])
    )
    (said,) = say.tipping_points_sentences(found)
    assert ("more likely than not" in said) == (p > 0.5)
    assert ("less likely than not" in said) == (p < 0.5)
    if np.isfinite(factors).any():
        k = int(np.nanargmin(np.abs(np.log(factors))))
        assert f" {'ab'[k]} {'shrunk' if factors[k] < 1 else 'grown'}" in said
        number = re.search(r"(?:shrunk|grown) to ([\d.e+-]+)", said)
        assert number is None or abs(float(number[1]) / factors[k] - 1) < 0.06
    if np.isfinite(points).any():
        k = int(np.nanargmin(np.abs(points)))
        number = re.search(r"([\d.e+-]+) points (more|less) of (\w)", said)
        assert number[3] == "cd"[k]
        assert abs(float(number[1]) - abs(points[k])) <= 0.006 * abs(points[k])
        assert (number[2] == "more") == (points[k] >= 0)
    assert ("no change in one lobby alone" in said) == np.isnan([*factors, *points]).all()


@given(st.one_of(st.floats(0.01, 99), st.just(np.nan), st.just(np.inf)), st.integers(1, 3))
def test_depth(depth, sides):
    found = xr.Dataset(
        {"depth": (("rule", "time"), [[depth]]), "sides": ("rule", [sides])}, {"rule": ["r"], "time": DAY}
    )
    (said,) = say.deepest_rule_sentences(found)
    assert ("no version" in said) == np.isnan(depth)
    assert ("100 times as deep would still" in said) == np.isinf(depth)
    assert (f"all {sides} who owe it" in said) == (sides > 1)
    if np.isfinite(depth):
        assert abs(float(re.search(r"up to ([\d.e+-]+) times", said)[1]) / depth - 1) < 0.06


@given(st.lists(st.floats(-0.05, 1), min_size=1, max_size=3))
def test_what_to_find_out_is_the_lobby_of_the_highest_value(voi):
    names = ["a", "b", "c"][: len(voi)]
    (said,) = say.value_of_information_sentences(one({"lobby": names}, variance=0.1, voi=("lobby", voi)))
    if max(voi) < 0.05:
        assert "no single lobby" in said
        return
    value = voi[names.index(re.search(r"how strong (\w) is", said)[1])]
    assert value == max(voi)
    assert f"take away {say.percent(value)}" in said
    second = sorted(voi)[-2] if len(voi) > 1 else 0
    assert (", then" in said) == (second >= 0.05)
    assert second < 0.05 or f"({say.percent(second)})" in said


@given(st.lists(st.floats(0, 9), min_size=3, max_size=3), P, st.floats(0, 20), st.floats(0, 20), P)
def test_anticipation(factor, blocks, needed, taken, worth):
    at = ("state", "rule")
    found = xr.Dataset(
        {"factor": ((*at, "level"), [[sorted(factor)]]), "p_blocks": (at, [[blocks]]), "needed": (at, [[needed]]),
         "taken": ((*at, "time"), [[[taken]]]), "p_worth": ((*at, "time"), [[[worth]]])},
        {"state": ["H"], "rule": ["*"], "time": DAY},
    )  # fmt: skip
    first, second = say.anticipation_sentences(found)
    low, middle, high = sorted(factor)
    assert f"had to be {middle:.2g} times as strong ({low:.2g} to {high:.2g})" in first
    assert f"with probability {say.percent(blocks)} they outweighed the rest on that day" in first
    assert first.endswith("and it joined all the same.")
    assert "joined" not in say.anticipation_sentences(found, refused={"H"})[0].partition("threshold")[2]
    assert ("nothing to foresee" in second) == (taken == 0)
    if taken > 0:
        assert ("more likely than not had reason" in second) == (worth > 0.5)
        assert say.percent(worth) in second
    assert "there in the first place" in say.anticipation_sentences(found.assign(factor=found["factor"] + np.inf))[0]


@given(P, P, st.one_of(P, st.just(np.nan)))
def test_sets(p, one_set, other):
    found = one({"set": ["all", "B alone", "C alone"]}, p=("set", [p, one_set, other]))
    (said,) = say.bilateral_or_multilateral_sentences(found.transpose("state", "rule", "set", "time"))
    assert f"{say.percent(p)} with all" in said
    assert f"{say.percent(one_set)} with B alone" in said
    assert ("C alone" in said) == np.isfinite(other)
    lost = {n: p - q for n, q in (("B alone", one_set), ("C alone", other)) if np.isfinite(q)}
    verdict = said.rpartition(";")[2]
    assert ("how many answer matters little" in said) == all(abs(loss) < 0.05 for loss in lost.values())
    if "how many" not in said:
        for name, loss in lost.items():
            what = "answer is needed" if loss >= 0.05 else "does better" if loss <= -0.05 else "others matters little"
            assert what in verdict[verdict.index(name) :]


def test_who_is_needed_is_said_of_each_set():
    found = one({"set": ["all", "B alone", "C alone", "D alone"]}, p=("set", [0.54, 0.39, 0.52, 0.3]))
    (said,) = say.bilateral_or_multilateral_sentences(found)
    assert said == (
        "H, r: compliance on 2030-01-01 has probability 54% with all counterparties, 39% with B alone, 52% with C "
        "alone and 30% with D alone; with B alone or D alone the others' answer is needed and with C alone the answer "
        "of the others matters little."
    )


@given(st.lists(P, min_size=2, max_size=2), st.lists(P, min_size=2, max_size=2), CHANGE, st.floats(0, 0.5))
def test_scenarios(base, after, lower, width):
    at = ("state", "rule", "scenario", "time")
    change = [b - a for a, b in zip(base, after, strict=True)]

    def spread(values):
        return at, np.array(values).reshape(1, 2, 1, 1)

    found = xr.Dataset(
        {"p_base": (("state", "rule", "time"), np.array(base).reshape(1, 2, 1)), "p_scenario": spread(after),
         "difference": spread(change), "difference_lower": spread([lower] * 2),
         "difference_upper": spread([lower + width] * 2)},
        {"state": ["H"], "rule": ["r", "s"], "time": DAY, "scenario": ["x"], "title": ("scenario", ["What if"]),
         "since": ("scenario", DAY), "idle": ("scenario", [""])},
    )  # fmt: skip
    (said,) = say.scenarios_sentences(found)
    k = int(np.argmax(np.abs(change)))
    assert f"the most is H, {'rs'[k]}, from {say.percent(base[k])} to {say.percent(after[k])}" in said
    assert f"difference {say.signed(change[k])}" in said
    many = sum(abs(c) >= 0.05 for c in change)
    assert (f"of 2 probabilities {many} move" in said) == (many > 0)
    assert ("little changes" in said) == (many == 0)
    idle = found.assign_coords(idle=("scenario", ["'k' is scaled by 1"]))
    assert say.scenarios_sentences(idle) == ["What if (from 2030-01-01): changes nothing, as 'k' is scaled by 1."]


@given(CHANGE)
def test_a_signed_change_is_a_hundredth_close(change):
    assert abs(float(say.signed(change).split()[0]) / 100 - change) <= 0.0051


def test_on_a_real_analysis_every_owed_pair_is_spoken_of(rich):
    from bayes_compliance.analysis.anticipation import anticipation
    from bayes_compliance.analysis.information_value import value_of_information
    from bayes_compliance.analysis.tipping import deepest_rule, tipping_points

    assert len(say.tipping_points_sentences(tipping_points(*rich))) == 6
    assert len(say.deepest_rule_sentences(deepest_rule(*rich))) == 4
    assert len(say.value_of_information_sentences(value_of_information(*rich))) == 6
    assert len(say.anticipation_sentences(anticipation(*rich))) == 4
