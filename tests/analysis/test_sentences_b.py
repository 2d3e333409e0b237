"""Each sentence agrees with the numbers it speaks of."""

from __future__ import annotations

import re

import numpy as np
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from bayes_compliance.analysis import sentences_b as say
from bayes_compliance.wording import rounded

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


@given(st.lists(st.floats(-0.05, 1), min_size=1, max_size=3))
def test_what_to_find_out_is_the_lobby_of_the_highest_value(voi):
    names = ["a", "b", "c"][: len(voi)]
    (said,) = say.value_of_information_sentences(one({"lobby": names}, variance=0.1, voi=("lobby", voi)))
    if rounded(max(voi)) < 5:
        assert "no single lobby" in said
        return
    value = voi[names.index(re.search(r"the present weight of (\w):", said)[1])]
    assert value == max(voi)
    assert f"take away {say.percent(value)}" in said
    second = sorted(voi)[-2] if len(voi) > 1 else 0
    assert (", then" in said) == (rounded(second) >= 5)
    assert rounded(second) < 5 or f"({say.percent(second)})" in said


def test_a_share_shown_as_the_mark_is_named():
    found = one({"lobby": ["staple farmers", "pro-law lobby"]}, variance=0.1, voi=("lobby", [0.047, 0.0449]))
    assert say.value_of_information_sentences(found) == [
        "H, r: for compliance on 2030-01-01, what to find out next is the present weight of staple farmers: it would "
        "take away 5% of the variance of its probability."
    ]
    assert "none takes away 5%" in say.value_of_information_sentences(found.assign(voi=found["voi"] - 0.003))[0]


@given(st.lists(st.floats(0, 9), min_size=3, max_size=3), P, st.floats(0, 20), st.floats(0, 20), P)
def test_anticipation(factor, blocks, needed, taken, worth):
    at = ("state", "rule")
    found = xr.Dataset(
        {"factor": ((*at, "quantile"), [[sorted(factor)]]), "p_blocks": (at, [[blocks]]), "needed": (at, [[needed]]),
         "taken": ((*at, "time"), [[[taken]]]), "p_worth": ((*at, "time"), [[[worth]]])},
        {"state": ["H"], "rule": ["*"], "time": DAY},
    )  # fmt: skip
    first, second = say.anticipation_sentences(found, joined={"H"})
    low, middle, high = sorted(factor)
    assert f"had to be {middle:.2g} times as strong ({low:.2g} to {high:.2g})" in first
    assert f"with probability {say.percent(blocks)} they outweighed the rest on that day" in first
    assert first.endswith("and it joined all the same.")
    assert "joined" not in say.anticipation_sentences(found, joined=())[0].partition("threshold")[2]
    assert ("nothing to foresee" in second) == (taken == 0 and worth == 0)
    if taken > 0 or worth > 0:
        assert second == (
            f"H: by 2030-01-01 entrenchment moves the balance against them by {say.number(taken)} points on the "
            f"median; the chance that it exceeds what blocking would have asked for ({say.number(needed)} points on "
            "the median) is "
            f"{say.percent(worth)}, so losers who foresaw it more likely than not had "
            f"{'reason' if worth > 0.5 else 'no reason'} to fight it."
        )
    endless = found.assign(factor=found["factor"] + np.inf)
    assert "there in the first place" in say.anticipation_sentences(endless, joined=())[0]


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


def test_on_a_real_analysis_every_owed_pair_is_spoken_of(rich):
    from bayes_compliance.analysis.anticipation import anticipation
    from bayes_compliance.analysis.information_value import value_of_information

    assert len(say.value_of_information_sentences(value_of_information(*rich))) == 6
    assert len(say.anticipation_sentences(anticipation(*rich), joined=())) == 4
