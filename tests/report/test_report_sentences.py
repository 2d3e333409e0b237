"""Every sentence agrees with the numbers that it speaks of."""

from __future__ import annotations

import re
from datetime import date
from math import isclose
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from bayes_compliance import wording
from bayes_compliance.answer import answer, nearing, today
from bayes_compliance.report import sentences
from bayes_compliance.report.sentences import Outlook, Point, Pull, Rate
from bayes_compliance.wording import NOTHING

probability = st.floats(0, 1)
FIRST, LAST = date(2020, 6, 30), date(2035, 1, 1)
WIDE = r"(under 1|over 99|[1-9]\d?)"
PERCENT = r"(under 1|over 99|\d+)%"


def read(text: str) -> int:
    """A percentage as the page writes it, back to the number that is shown."""
    return {"under 1": 0, "over 99": 100}.get(text, int(re.sub(r"\D", "", text) or 0))


@st.composite
def points(draw: st.DrawFn, when: date = LAST) -> Point:
    p, violate = draw(probability), draw(probability)
    lower, upper = sorted((draw(probability), draw(probability)))
    today = sorted((draw(probability), draw(probability)))
    support, width = draw(st.floats(-100, 100)), draw(st.floats(0, 500))
    return Point(when, p, min(violate, 1 - p), lower, upper, *today, support, width)


outlooks = st.builds(
    Outlook, st.just("H"), st.just("“oranges”"), points(FIRST), points(LAST), st.sampled_from(["", "a lobby ends"])
)
pulls = st.lists(st.builds(Pull, st.just("H"), st.text("abc", min_size=1), st.just("J"), st.floats(-1e5, 1e5),
                           st.floats(-1e5, 1e5)), max_size=5)  # fmt: skip


@pytest.mark.parametrize("percent", range(101))
def test_words_mirror_about_one_half(percent: int) -> None:
    flip = {
        "almost certain to": "almost certain not to",
        "very likely to": "very unlikely to",
        "likely to": "unlikely to",
    }
    flip |= {after: before for before, after in flip.items()}
    words = sentences.likelihood(percent / 100).removesuffix("comply").strip()
    mirrored = sentences.likelihood((100 - percent) / 100).removesuffix("comply").strip()
    assert mirrored == flip.get(words, words)
    assert (words == mirrored) == (40 < percent < 60)


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (1.0, "almost certain to comply"), (0.945, "almost certain to comply"), (0.9449, "very likely to comply"),
        (0.795, "very likely to comply"), (0.7949, "likely to comply"), (0.595, "likely to comply"),
        (0.5949, "about as likely to comply as not"), (0.405, "about as likely to comply as not"),
        (0.4049, "unlikely to comply"), (0.2049, "very unlikely to comply"), (0.0549, "almost certain not to comply"),
        (0.0, "almost certain not to comply"),
    ],
)  # fmt: skip
def test_words_are_chosen_from_what_is_shown(p: float, words: str) -> None:
    assert sentences.likelihood(p) == words


@pytest.mark.parametrize(
    ("p", "text"),
    [(0, "under 1%"), (0.0052, "under 1%"), (0.0099, "under 1%"), (0.01, "1%"), (0.99, "99%"), (0.991, "over 99%")],
)
def test_percentages_never_claim_certainty(p: float, text: str) -> None:
    assert sentences.percent(p) == text
    assert wording.short(p) == text.replace("under ", "<").replace("over ", ">")


def test_a_terminal_and_a_page_round_alike() -> None:
    rows = [{"date": "2030-01-01", "state": "H", "rule": "*", "p_comply": 0.125, "p_lower": 0.007, "p_upper": 0.4,
             "p_today_lower": 0.37, "p_today_upper": 0.991, "p_no_violation": 0.0052}]  # fmt: skip
    case = SimpleNamespace(
        name="c", title="C", judgements=(), decisions=(), last_decision_date=lambda: date(2020, 1, 1)
    )
    said = answer(case, SimpleNamespace(table=rows)).splitlines()[-1]
    assert re.split(r"  +", said.strip())[2:] == ["a new rule", "13%", "<1% to 40%", "37% to >99%", "<1% (10)"]
    assert (sentences.percent(0.125), sentences.band(0.007, 0.4)) == ("13%", "under 1% to 40%")
    assert (sentences.band(0.37, 0.991), sentences.percent(0.0052)) == ("37% to over 99%", "under 1%")


@pytest.mark.parametrize("p", [-0.01, 1.01, float("nan")])
def test_what_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="is no probability; allowed: 0 to 1"):
        sentences.percent(p)


@given(outlooks, pulls)
def test_first_sentence_says_its_numbers(outlook: Outlook, of_state: list[Pull]) -> None:
    text, _ = sentences.answer(outlook, of_state)
    assert text.startswith(f"H is {sentences.likelihood(outlook.last.p)} when a decision falls due on 1 January 2035")
    how = "up from|down from|the same as|about the same as the|against"
    found = re.search(rf"the probability is {PERCENT}, ({how}) ?(?:{PERCENT} )?on 30 June 2020", text)
    assert found is not None
    assert read(found[1]) == sentences.shown(outlook.last.p)
    before, after = sentences.shown(outlook.first.p), sentences.shown(outlook.last.p)
    up, nearer = after > before, abs(outlook.last.p - 0.5) < abs(outlook.first.p - 0.5)
    if found[2] == "against":
        assert nearer
        assert abs(after - before) >= 2
        moved = outlook.last.support - outlook.first.support
        assert (moved if up else -moved) <= outlook.first.width / 50
    else:
        words = {0: "the same as", 1: "about the same as the"}
        assert found[2] == words.get(abs(after - before), "up from" if up else "down from")
    assert [read(p) for p in found.groups()[2:] if p] == [before] * (before != after)
    violation = re.search(rf"outright violation: {PERCENT}", text)
    assert violation is not None
    assert read(violation[1]) == sentences.shown(outlook.last.violate)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        # (p, median support, width of its band) on the first date and on the last
        ((0.25, -23.7, 270), (0.32, -25.2, 522), "against 25% on 30 June 2020: median support hardly moves, but less "
         "is known so far ahead, which draws it towards one half"),
        ((0.25, -20, 270), (0.32, -40, 522), "against 25% on 30 June 2020: median support falls, but less is known"),
        ((0.77, 78, 230), (0.7, 90, 430), "against 77% on 30 June 2020: median support rises, but less"),
        ((0.25, -23.7, 270), (0.32, -15, 522), "up from 25% on 30 June 2020"),  # support rises with it
        ((0.25, -23.7, 270), (0.32, -25.2, 260), "up from 25% on 30 June 2020"),  # no more is unknown than before
        ((0.44, 1, 230), (0.56, 1, 430), "up from 44% on 30 June 2020"),  # across one half
        ((0.77, 78, 230), (0.83, 78, 430), "up from 77% on 30 June 2020"),  # away from it
        ((0.6, 20, 230), (0.59, 20, 430), "about the same as the 60% on 30 June 2020"),
        ((0.6, 20, 230), (0.6, 90, 430), "the same as on 30 June 2020"),
    ],
)  # fmt: skip
def test_what_only_nears_one_half_is_no_rise_or_fall(first: tuple, last: tuple, words: str) -> None:
    two = [
        Point(day, p, 0.1, 0.1, 0.9, 0.2, 0.8, support, width)
        for day, (p, support, width) in ((FIRST, first), (LAST, last))
    ]
    assert sentences.trend(*two).startswith(words)


def test_a_terminal_says_on_how_many_rows_it_only_nears_one_half() -> None:
    p = np.array([[[0.25, 0.32], [0.25, 0.32]], [[0.6, 0.6], [np.nan, np.nan]]])
    middle = np.array([[[-23.7, -25.2], [-23.7, -10.0]], [[1.0, 1.0], [np.nan, np.nan]]])
    support = middle[..., None] + np.array([-1.0, 0.0, 1.0])
    on = ("state", "rule", "time")
    width = np.broadcast_to([270.0, 522.0], p.shape)
    data = {"p_comply_mean": (on, p), "support": ((*on, "sample"), support), "support_lower": (on, -width / 2),
            "support_upper": (on, width / 2)}  # fmt: skip
    forecast = SimpleNamespace(dataset=xr.Dataset(data))
    assert nearing(forecast).startswith("On 1 of the 3 rows the probability nears one half between the two dates")
    # negative control: where nothing does, nothing is said
    assert nearing(SimpleNamespace(dataset=forecast.dataset.isel(state=[1]))) == ""


def test_today_is_the_day_of_the_last_decision_that_came() -> None:
    came, pending = SimpleNamespace(decision="comply"), SimpleNamespace(decision="pending")
    case = SimpleNamespace(decisions=(came, pending), last_decision_date=lambda: date(2019, 7, 1))
    said = (
        "The last decision on record is of 1 July 2019 and no later outcome is known here: “today” on this page is that"
    )
    assert today(case, "on this page", sentences.day) == f"{said} day."
    case.decisions = (pending,)
    assert today(case) == "No outcome is on record: “today” here is 2019-07-01, the day of joining."


@given(outlooks)
def test_second_sentence_says_its_bands(outlook: Outlook) -> None:
    _, text = sentences.answer(outlook)
    wide, narrow = text.split("; full knowledge of today")
    last, first = outlook.last, outlook.first
    _same_band(wide, (first.lower, first.upper), (last.lower, last.upper))
    _same_band(narrow, (first.today_lower, first.today_upper), (last.today_lower, last.today_upper))
    assert ("the mean lies outside" in wide) == sentences.outside(last.p, last.lower, last.upper)
    assert ("because a lobby ends" in wide) == (outlook.reason != "" and "narrows" in wide)
    assert "because" not in narrow


def _same_band(text: str, first: tuple[float, float], last: tuple[float, float]) -> None:
    ends = [sentences.shown(p) for p in last]
    shown = re.search(rf"(?:from {PERCENT} to {PERCENT}|at {PERCENT})", text)
    assert shown is not None
    assert [read(end) for end in shown.groups() if end] == list(dict.fromkeys(ends))
    before, after = (sentences.shown(high) - sentences.shown(low) for low, high in (first, last))
    moved = re.search(rf"a band that (\w+) (?:from {WIDE} to {WIDE}|{WIDE}) percentage", text)
    assert moved is not None
    assert moved[1] == ("widens" if after > before else "narrows" if after < before else "stays")
    if moved[1] == "stays":
        assert read(moved[4]) == after
    else:
        assert (read(moved[2]), read(moved[3])) == (before, after)


@given(probability, probability)
def test_a_range_in_a_table_has_its_ends_and_claims_no_certainty(a: float, b: float) -> None:
    lower, upper = sorted((a, b))
    low, high = sentences.band(lower, upper).split(" to ")
    assert not {low, high} & {"0%", "100%"}
    assert [read(end.rstrip("%")) for end in (low, high)] == [sentences.shown(lower), sentences.shown(upper)]


@given(pulls)
def test_drivers_are_the_extremes_and_on_their_side(of_state: list[Pull]) -> None:
    text = sentences.drivers(of_state)
    best, worst = (side([p.last for p in of_state], default=0.0) for side in (max, min))
    assert ("strongest pull for it" in text) == (best > 0)
    assert ("against" in text) == (worst < 0)
    assert best <= 0 or sentences.signed(best) in text
    assert worst >= 0 or sentences.signed(worst) in text


def test_a_pull_on_one_side_alone_is_a_whole_clause() -> None:
    against = Pull("H", "growers", "K", -7.0, -7.5)
    assert sentences.drivers([against]) == (
        "the strongest pull against it is that of growers (−7.5 points on the median)"
    )
    both = sentences.drivers([against, Pull("H", "buyers", "J", 3.0, 2.0)])
    assert both == (
        "the strongest pull for it is that of buyers (+2 points on the median), the strongest against it that of "
        "growers (−7.5)"
    )


@pytest.mark.parametrize(("of", "was"), [((1, 0, 0), "compliance"), ((0, 1, 0), "partial or late"),
                                         ((0, 0, 1), "a violation")])  # fmt: skip
def test_a_record_of_one_decision_says_what_it_was(of: tuple[int, int, int], was: str) -> None:
    rate = Rate(*of)
    said = sentences.reference("H", rate, rate, 0.5)
    assert said.startswith(f"The one compliance decision of H on record was {was}; no other state has any. The")


def test_one_date_has_no_trend() -> None:
    point = Point(LAST, 0.7, 0.1, 0.2, 0.9, 0.6, 0.8)
    assert sentences.answer(Outlook("H", "“oranges”", point, point)) == (
        "H is likely to comply when a decision falls due on 1 January 2035 on “oranges”: the probability is 70% "
        "(outright violation: 10%).",
        "If we could see the forces at work on that day, nine times in ten the probability would lie from 20% to 90%; "
        "full knowledge of today, with the future left open, would put it from 60% to 80%.",
    )


def counted(n: int) -> str:
    return {0: "none were", 1: "1 was"}.get(n, f"{n} were")


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), probability)
def test_reference_class_counts(comply: int, partial: int, violate: int, p: float) -> None:
    own = Rate(comply, partial, violate)
    whole = Rate(comply + 1, partial, violate + 2)
    text = sentences.reference("H", own, whole, p)
    assert f"{counted(comply + 1)} compliance ({sentences.percent((comply + 1) / whole.n)})" in text
    assert text.count(f"and {violate + 2} violations") >= 1
    if not own.n:
        assert text.startswith("H has no compliance decision on record")
        return
    if comply == own.n:
        assert f"on record {'all were' if own.n > 1 else 'was'} compliance; " in text
    else:
        share = f" ({sentences.percent(comply / own.n)})" if comply else ""
        assert f"{counted(comply)} compliance{share}" in text
    gap = sentences.shown(p) - sentences.shown(comply / own.n)
    where = "above" if gap > 10 else "below" if gap < -10 else "close to"
    assert f"The forecast of {sentences.percent(p)} is {where} the state's own rate" in text
    assert ("so short a record" in text) == (own.n < 10)


def test_where_one_state_makes_all_decisions_they_are_counted_once() -> None:
    assert sentences.reference("CHN", Rate(27, 14, 7), Rate(27, 14, 7), 0.5) == (
        "Of 48 compliance decisions of CHN on record 27 were compliance (56%), 14 partial or late and 7 violations; no "
        "other state has any. The forecast of 50% is close to the state's own rate."
    )
    apart = sentences.reference("H", Rate(4, 1, 0), Rate(8, 1, 1), 0.5)
    assert "1 partial or late and no violations; of all 10 compliance decisions" in apart
    assert "1 partial or late and 1 violation. The" in apart


def test_no_record_is_said() -> None:
    none = Rate(0, 0, 0)
    assert "rests on judgement alone." in sentences.reference("H", none, none, 0.5)
    assert "rests on judgement and 3 decisions on joining." in sentences.reference("H", none, none, 0.5, 3)


def test_a_count_of_none_or_all_is_no_percentage() -> None:
    said = sentences.reference("H", Rate(0, 1, 1), Rate(5, 0, 0), 0.5)
    assert "on record none were compliance, 1 partial or late and 1 violation; of all 5 compliance decisions" in said
    assert "on record all were compliance. The" in said


def test_what_arithmetic_leaves_of_nothing_is_nothing() -> None:
    assert [sentences.number(x) for x in (-1.42e-14, 0.0, 0.0012, float("nan"))] == ["0", "0", "0.0012", "–"]


def test_verdict() -> None:
    assert sentences.verdict([], 6) == "All 6 diagnostics passed."
    assert sentences.verdict(["R-hat 1.2", "divergences 3"], 6) == (
        "2 diagnostics of 6 failed, so do not rely on this page: R-hat 1.2; divergences 3."
    )
    assert sentences.verdict(["R-hat 1.2"], 6, "What to do: more.").endswith("this page: R-hat 1.2. What to do: more.")
    assert sentences.verdict([], 0) == "No diagnostics were run."


@given(st.floats(-1e6, 1e6))
def test_numbers_keep_three_digits(x: float) -> None:
    text = sentences.number(x)
    assert isclose(float(text.replace(",", "").replace("−", "-")), x, rel_tol=0.00501, abs_tol=NOTHING)
    assert sentences.signed(x).startswith("+") == (x > 0)


@given(st.floats(0, 3), st.floats(-3, 3))
def test_hardly_moved_is_less_than_a_fifth_both_ways(ratio: float, shift: float) -> None:
    word = sentences.moved(ratio, shift)
    if word == "hardly moved":
        assert abs(ratio - 1) < 0.205
        assert abs(shift) < 0.205
    else:
        assert abs(ratio - 1) >= 0.195 or abs(shift) >= 0.195
    assert ("narrower" not in word) or ratio < 1
    assert ("wider" not in word) or ratio > 1
    assert ("higher" not in word) or shift > 0
    assert ("lower" not in word) or shift < 0


@pytest.mark.parametrize(
    ("p", "word"), [(0.5, "expected"), (0.49, "no surprise"), (0.24, "a surprise"), (0.09, "a great surprise")]
)
def test_surprise(p: float, word: str) -> None:
    assert sentences.surprise(p) == word


@pytest.mark.parametrize(
    ("items", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_lists(items: list[str], text: str) -> None:
    assert sentences.listed(items) == text
