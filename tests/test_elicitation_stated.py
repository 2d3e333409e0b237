"""The column `values`: quantiles, ranges, chips and ratios; what is refused; and that old files still load."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from bayes_compliance.case import Case, CaseError, load_case
from bayes_compliance.case.doubts import doubts
from bayes_compliance.case.records import HEADERS, MORE_COLUMNS
from bayes_compliance.case.stated import parse, straight_line
from bayes_compliance.elicitation import TOLERANCE, Prior, build_priors, fit
from tests.builders import known, quantiles, write_case

LOBBIES = ({"id": "k", "state": "H", "role": "K"}, {"id": "j", "state": "H", "role": "J"})
K, J = quantiles("magnitude", 60, 100, 167, "k"), quantiles("magnitude", 20, 40, 80, "j")


def case_of(folder: Path, *judgements: dict[str, Any], **more: Any) -> Path:
    """A small case whose judgements have the further columns."""
    place = write_case(folder, **{"lobbies": LOBBIES, "scale": "log"} | more)
    out = io.StringIO()
    header = HEADERS["judgements.csv"] + MORE_COLUMNS["judgements.csv"]
    writer = csv.DictWriter(out, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({"analyst": "a", "date": "1999-12-01", **row} for row in judgements)
    (place / "judgements.csv").write_text(out.getvalue(), encoding="utf-8")
    return place


def stated(values: str, lobby: str = "k", quantity: str = "magnitude", **more: Any) -> dict[str, Any]:
    return {"quantity": quantity, "lobby": lobby, "values": values, **more}


def test_quantiles_of_any_levels():
    assert parse("q90=20; q10=5").points == ((0.1, 5.0), (0.9, 20.0))
    assert parse("q2.5=-1;q50=0;q97.5=3").points == ((0.025, -1.0), (0.5, 0.0), (0.975, 3.0))


def test_a_range_lies_in_the_middle():
    assert parse("range80=-5..20").points == ((0.1, -5.0), (0.9, 20.0))


def test_chips_say_quantiles_at_the_edges_between_bins():
    # one chip of eight below 15, five of eight below 25
    assert parse("chips=10:1;20:4;30:3").points == ((1 / 8, 15.0), (5 / 8, 25.0))


def test_an_empty_bin_is_a_gap_whose_middle_is_the_quantile():
    # bins around 0, 10, 20, 30: two chips below 5, none between 5 and 15, then two more
    assert parse("0:2;10:0;20:1;30:1").points == ((0.5, 10.0), (0.75, 25.0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("q10=5", "1 quantiles are stated"),
        ("q10=5;q10=6", "at 10% is stated twice"),
        ("q10=5;q90=5", "5 at 90% is not above 5 at 10%"),
        ("q0=5;q90=6", "not above 0%"),
        ("q10=five;q90=6", "'five' is no number"),
        ("q10=nan;q90=6", "'nan' is no number"),
        ("q10=1e200;q90=1e300", "'1e200' is no number of at most 1e"),
        ("median=5;q90=6", "'median=5' is not understood"),
        ("range90=5", "'5' has no '..'"),
        ("range90=20..5", "5 at 95% is not above 20 at 5%"),
        ("range90=5..20;q50=9", "'range90=5..20' is not understood"),
        ("10:1;20:4", "fewer than three bins"),
        ("10:1;30:4;20:3", "do not rise"),
        ("10:1;20:4.5;30:3", "whole numbers"),
        ("10:1;20:-4;30:3", "whole numbers"),
        ("of=", "of= names no lobby"),
        ("of=j;of=k", "more than one"),
    ],
)
def test_what_cannot_be_read_is_refused(text, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        parse(text)
    with pytest.raises(CaseError, match=rf"judgements\.csv:2: values: .*{words}.*; allowed: quantiles such as"):
        load_case(case_of(tmp_path, stated(text), J))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (stated("q10=0,5;q90=20"), "values: '0,5' is no number"),
        (stated("q10=0,5;q90=20", p50="x"), "values: '0,5' is no number"),
        (stated("of=fishers"), "values: of=fishers beside magnitude; allowed: of=LOBBY beside quantity ratio only"),
    ],
)
def test_of_a_bad_cell_there_is_one_problem_and_blank_cells_beside_it_are_none(row, words, tmp_path):
    with pytest.raises(CaseError) as refused:
        load_case(case_of(tmp_path, row, J))
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"judgements.csv:2: {words}")


@given(st.floats(-3, 3), st.floats(0.1, 2), st.sampled_from(["normal", "lognormal", "logit-normal", "gamma", "beta"]))
def test_two_quantiles_of_any_levels_are_met_exactly(mu, sigma, family):
    truth = {
        "normal": stats.norm(mu, sigma), "lognormal": stats.lognorm(sigma, scale=np.exp(mu)), "logit-normal": None,
        "gamma": stats.gamma(np.exp(mu), scale=sigma), "beta": stats.beta(np.exp(mu), 1 + sigma),
    }[family]  # fmt: skip
    levels = (0.1, 0.8)
    values = 1 / (1 + np.exp(-stats.norm(mu, sigma).ppf(levels))) if truth is None else truth.ppf(levels)
    assert fit(family, values, levels).quantiles(levels) == pytest.approx(values, rel=1e-6)


def test_straight_lines_are_exact_for_two_quantiles_of_a_lognormal():
    points = tuple((p, float(stats.lognorm(0.7, scale=3).ppf(p))) for p in (0.2, 0.6))
    assert straight_line(points, "log") == pytest.approx(stats.lognorm(0.7, scale=3).ppf([0.05, 0.5, 0.95]), rel=1e-6)


def test_a_judgement_by_two_quantiles_becomes_that_prior(tmp_path):
    case = load_case(case_of(tmp_path, stated("q10=50;q90=200"), J))
    prior = build_priors(case).quantities["magnitude"].priors[1]
    assert prior.quantile([0.1, 0.9]) == pytest.approx([50, 200], rel=1e-9)
    (judged,) = [j for j in case.judgements if j.lobby == "k"]
    assert judged.p50 == pytest.approx(100, rel=1e-9)


@pytest.mark.parametrize(
    ("row", "median"),
    [
        (stated("q10=-5;q90=20", lobby="p"), 7.5),  # P moves in points, whatever the scale of the case
        (stated("q10=-5;q90=20", lobby="w"), 7.5),  # a lobby with a scale of its own
        (stated("q10=5;q90=20", lobby="k"), 10),  # the root of 5 times 20
        (stated("q10=5;q90=20", lobby="w", family="lognormal"), 10),
        (stated("q10=.5;q90=.9", "", "shadow", state="H"), 0.75),  # odds of 1 and 9: the root is 3
        (stated("q10=1;q90=9", quantity="volatility"), 3),
    ],
)
def test_the_median_between_two_quantiles_is_on_the_scale_of_what_is_judged(row, median, tmp_path):
    more = ({"id": "p", "state": "H", "role": "P"}, {"id": "w", "state": "H", "role": "K", "scale": "linear"})
    others = [
        {**K, "analyst": "b"},
        J,
        known("magnitude", 1, "p", analyst="b"),
        known("magnitude", 1, "w", analyst="b"),
    ]
    place = case_of(
        tmp_path,
        row,
        *(one for one in others if (row["lobby"], row["quantity"]) != (one["lobby"], "magnitude")),
        lobbies=(*LOBBIES, *more),
    )
    (judged,) = [j for j in load_case(place).judgements if j.analyst == "a" and j.points]
    assert judged.p50 == pytest.approx(median, rel=1e-9)


def test_a_decision_is_judged_from_the_day_of_adherence_on(tmp_path):
    row = stated("q10=.5;q90=.9", "", "p_comply", state="H", rule="r", at="2000-01-01")
    assert load_case(case_of(tmp_path, row, K, J)).judgements


def test_old_files_and_files_with_blank_new_columns_say_the_same(tmp_path):
    old = load_case(write_case(tmp_path / "old", lobbies=LOBBIES, scale="log", judgements=[K, J]))
    new = load_case(case_of(tmp_path / "new", K, J))
    assert new.judgements == old.judgements


def test_columns_may_come_one_by_one_but_no_others(tmp_path):
    place = write_case(tmp_path, lobbies=LOBBIES, scale="log", judgements=[K, J])
    text = (place / "judgements.csv").read_text(encoding="utf-8")
    for more, error in (
        ("rule", None), ("at,values", None), ("value", "'value' is unknown.*mean 'values'"),
        ("values,values", "header: column values stands twice"),
    ):  # fmt: skip
        behind = "," * (more.count(",") + 1)
        header, *rows = text.splitlines()
        lines = [f"{header},{more}", *(row + behind for row in rows)]
        (place / "judgements.csv").write_text("\n".join(lines), encoding="utf-8")
        if error is None:
            assert len(load_case(place).judgements) == 2
            (place / "judgements.csv").write_text("\n".join([f"{header},{more}", *rows]), encoding="utf-8")
            assert len(load_case(place).judgements) == 2, "blank cells at the end of a row may be missing"
        else:
            with pytest.raises(CaseError, match=error):
                load_case(place)


def test_a_judgement_that_no_member_meets_is_reported(tmp_path):
    case = load_case(case_of(tmp_path, stated("q5=50;q25=95;q50=100;q75=105;q95=400"), J))
    (bent,) = build_priors(case).bent()
    assert bent.judgement.lobby == "k"
    assert bent.gap > TOLERANCE
    # what is reported as reached is what the prior has
    prior = build_priors(case).quantities["magnitude"].priors[1]
    assert bent.reached == pytest.approx(prior.quantile([0.05, 0.25, 0.5, 0.75, 0.95]), rel=1e-9)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (stated("q10=5;q90=20", p50="9"), "p50: '9' stands beside quantiles"),
        (stated("q10=-5;q90=20"), "values: -5 is no magnitude on the log scale of lobby 'k'"),
        (stated("q10=5;q90=20;of=j"), "values: of=j beside magnitude"),
        (stated("of=j", quantity="ratio"), "p05: the cell is blank"),
        (stated("q10=.5;q90=2", quantity="ratio"), "values: a ratio, and no lobby that it is of"),
        (stated("q10=.5;q90=2;of=k", quantity="ratio"), "values: a ratio of lobby 'k', which is the lobby itself"),
        (stated("q10=.5;q90=2;of=l", quantity="ratio"), "values: a ratio of lobby 'l', which is unknown"),
        (stated("q10=.5;q90=2", lobby="", quantity="p_comply", state="H", rule="r"), "at: .* and none is given"),
        (stated("q10=.5;q90=.9", lobby="", quantity="p_comply", state="H", rule="x", at="2001"),
         "rule: unknown rule 'x'"),
        (stated("q10=.5;q90=.9", lobby="", quantity="p_comply", state="H", rule="r", at="1990"),
         "at: 1990-07-01 is before adherence on 2000-01-01"),
        (stated("q10=.5;q90=2", lobby="", quantity="p_adhere", state="H"), "values: 2 is no p_adhere"),
        (stated("q10=.5;q90=.9", quantity="p_adhere", state="H"), "lobby: p_adhere is judged of a decision"),
        (stated("q10=5;q90=20", rule="r"), "rule: 'r' stands beside magnitude"),
        (stated("q10=5;q90=20", at="2001-13"), "at: '2001-13' is not in the calendar"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(row, words, tmp_path):
    with pytest.raises(CaseError, match=rf"judgements\.csv:2: {words}.*; allowed: "):
        load_case(case_of(tmp_path, row, J, {**K, "analyst": "b"}))


def test_a_ratio_makes_the_magnitude(tmp_path):
    # log medians add and variances of logs add: k is 2.5 times j
    ratio = quantiles("ratio", 1.25, 2.5, 5, "k") | {"values": "of=j"}
    priors = build_priors(load_case(case_of(tmp_path, ratio, J)))
    (component,) = priors.quantities["magnitude"].priors[1].components
    sigma = np.log(2) / 1.6448536269514722
    assert component.family == "lognormal"
    assert component.parameters == pytest.approx((np.log(100), sigma * np.sqrt(2)), rel=1e-9)
    assert any("rise and fall together is lost" in note for note in priors.notes)


def test_a_ratio_counts_in_k_ref_as_the_magnitude_that_it_is_of(tmp_path):
    ratio = quantiles("ratio", 1.25, 2.5, 5, "k") | {"values": "of=j"}
    case = load_case(case_of(tmp_path, ratio, J, quantiles("decision_noise", 50, 60, 70)))
    assert build_priors(case).k_ref == {"H": pytest.approx(100)}
    assert doubts(case, None) == []  # a noise of 60 would be much beside a K_ref of 2.5


def test_a_ratio_is_of_what_its_own_analyst_judged_and_has_its_weight(tmp_path):
    ratio = quantiles("ratio", 1.25, 2.5, 5, "k") | {"values": "of=j", "weight": 3}
    other_j, other_k = {**J, "p50": 400, "p95": 800, "analyst": "b"}, quantiles("magnitude", 6, 7, 8, "k", analyst="b")
    priors = build_priors(load_case(case_of(tmp_path, ratio, J, other_j, other_k)))
    prior = priors.quantities["magnitude"].priors[1]
    found = {round(float(c.quantiles(0.5))): w for c, w in zip(prior.components, prior.weights, strict=True)}
    assert found == {100: pytest.approx(0.75), 7: pytest.approx(0.25)}
    assert "magnitude of k: a judges it as a multiple of j; each has a prior of its own" in priors.notes[0]


def test_a_ratio_of_what_others_judged_names_them(tmp_path):
    ratio = quantiles("ratio", 1.25, 2.5, 5, "k") | {"values": "of=j", "analyst": "c"}
    priors = build_priors(load_case(case_of(tmp_path, ratio, J, {**J, "analyst": "b"})))
    assert "c judges it as a multiple of j as a and b judged it; each has" in priors.notes[0]


def test_a_constant_ratio_scales_each_reading_of_the_other_lobby(tmp_path):
    other = quantiles("magnitude", 5, 10, 20, "j") | {"analyst": "b", "weight": 3}
    ratio = known("ratio", 3.0, "k") | {"values": "of=j", "analyst": "c"}
    prior = build_priors(load_case(case_of(tmp_path, ratio, J, other))).quantities["magnitude"].priors[1]
    assert sorted(zip(np.exp([c.parameters[0] for c in prior.components]), prior.weights, strict=True)) == [
        (pytest.approx(30), 0.75), (pytest.approx(120), 0.25)
    ]  # fmt: skip


def test_judged_decisions_make_no_prior(tmp_path):
    judged = stated("q10=.5;q90=.9", lobby="", quantity="p_comply", state="H", rule="r", at="2001")
    plain, more = (build_priors(load_case(case_of(tmp_path / n, *r, K, J))) for n, r in (("a", []), ("b", [judged])))
    assert repr(more.quantities) == repr(plain.quantities)
    assert len(more.fitted) == len(plain.fitted) + 1


def loaded(folder: Path) -> Case | str:
    try:
        return load_case(folder)
    except CaseError as refused:
        return str(refused)


NUMBERS = st.one_of(st.floats(0.01, 100), st.sampled_from([0.0, -1.0, 1e-9, 0.5, 1.0, 1e50]))


@settings(suppress_health_check=list(HealthCheck), max_examples=40)
@given(
    values=st.lists(NUMBERS, min_size=1, max_size=4),
    levels=st.lists(st.integers(1, 99), min_size=4, max_size=4, unique=True),
    family=st.sampled_from(["", "normal", "lognormal", "gamma", "beta", "student-t", "skew-normal", "logit-normal"]),
    quantity=st.sampled_from(["magnitude", "volatility", "shadow", "ratio"]),
)
def test_any_judgement_is_refused_or_becomes_a_prior_that_integrates_to_one(tmp_path, values, levels, family, quantity):
    text = ";".join(f"q{level}={value!r}" for level, value in zip(sorted(levels), values, strict=False))
    row = stated(text, "" if quantity == "shadow" else "k", quantity, family=family)
    row["values"] += ";of=j" if quantity == "ratio" else ""
    case = loaded(case_of(tmp_path, row, {**K, "analyst": "b"}, J))
    if isinstance(case, str):
        assert all("judgements.csv:2: " in line for line in case.splitlines())
        return
    priors = build_priors(case)
    (item,) = [item for item in priors.fitted if item.judgement.row == 2]
    assert item.gap <= TOLERANCE or item in priors.bent()
    prior = Prior((item.member,), (1.0,))
    low, mid, high = prior.quantile([1e-6, 0.5, 1 - 1e-6])
    inside = prior.cdf(high) - prior.cdf(low)
    assert inside == pytest.approx(1, abs=1e-5)
    if high - low < 1e6 * max(abs(mid), 1e-3) and min(item.member.parameters[-2:]) > 0.5:
        total, _ = integrate.quad(
            lambda x: float(np.exp(prior.logpdf(x))), low, high, points=[mid, *prior.quantile([0.01, 0.99])], limit=300
        )
        assert total == pytest.approx(1, abs=1e-3)
