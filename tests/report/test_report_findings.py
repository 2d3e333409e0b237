"""Sentences about a state as a whole, against the numbers they speak of."""

from __future__ import annotations

from datetime import date
from math import inf, nan

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from bayes_compliance.report import findings
from bayes_compliance.report.findings import Effect
from bayes_compliance.report.sections.what_if import _change
from bayes_compliance.report.sentences import percent, shown

UNTIL = date(2035, 1, 1)
probability = st.floats(0, 1)


def test_where_a_violation_comes_first() -> None:
    turns = {"lumber": date(2030, 5, 2), "steel": None, "trucks": date(2022, 5, 31)}
    assert findings.lasting("USA", turns, UNTIL) == (
        "USA: a violation becomes more likely than not by 1 January 2035 on 2 of its 3 rules, first on “trucks” "
        "(by 31 May 2022)."
    )
    one = findings.lasting("USA", {"lumber": date(2030, 5, 2)}, UNTIL)
    assert one == "USA: a violation becomes more likely than not by 1 January 2035 on “lumber” (by 2 May 2030)."


def test_where_no_violation_comes() -> None:
    said = findings.lasting("USA", {"lumber": None}, UNTIL)
    assert said == "USA: on no rule that it owes does a violation become more likely than not by 1 January 2035."


@given(probability, probability)
def test_a_scenario_says_which_way_as_shown(before: float, after: float) -> None:
    said = findings.what_if("Storm", date(2025, 1, 20), [Effect("USA", before, after)], UNTIL)
    gap = shown(after) - shown(before)
    assert said.startswith("Storm (from 20 January 2025): on 1 January 2035, USA ")
    assert ("moves by less than 5 percentage points on average" in said) == (abs(gap) < 5)
    if abs(gap) >= 5:
        assert f"{'up' if gap > 0 else 'down'} from {percent(before)} to {percent(after)}." in said


def test_states_in_order_of_what_a_scenario_does() -> None:
    effects = [Effect("CAN", 0.5, 0.44), Effect("MEX", 0.5, 0.46), Effect("USA", 0.5, 0.7), Effect("F", 0.5, 0.5)]
    said = findings.what_if("Storm", date(2025, 1, 20), effects, UNTIL)
    assert said.endswith(
        "USA up from 50% to 70%; CAN down from 50% to 44%; MEX and F move by less than 5 percentage points on average."
    )


def test_a_scenario_that_moves_worlds_both_ways_says_so_and_no_more() -> None:
    effects = [
        Effect("MEX", 0.5, 0.49, -0.3, 0.22),
        Effect("CAN", 0.5, 0.5, -0.3, 0.0),
        Effect("USA", 0.5, 0.7, -0.1, 0.3),
    ]
    said = findings.what_if("Storm", date(2025, 1, 20), effects, UNTIL)
    assert said.endswith(
        "MEX and CAN move by less than 5 percentage points on average; some worlds go up and others down for MEX (−30 "
        "to +22 points, 5% to 95% over worlds)."
    )
    assert findings.what_if("Storm", date(2025, 1, 20), effects[:1], UNTIL).endswith(
        "MEX moves by less than 5 percentage points on average, some worlds up and others down (−30 to +22 points, 5% "
        "to 95% over worlds)."
    )


def test_no_change_has_no_sign() -> None:
    assert [_change(Effect("CAN", 0.5, p)) for p in (0.4999, 0.5004, 0.49, 0.523)] == ["0.0", "0.0", "−1.0", "+2.3"]


def test_an_idle_scenario_says_why() -> None:
    said = findings.what_if("Storm", date(2025, 1, 20), [], UNTIL, "w is 0 already")
    assert said == "Storm (from 20 January 2025): nothing changes, since w is 0 already."


def dataset(**values: object) -> xr.Dataset:
    return xr.Dataset(
        {name: (("state", "rule"), np.array(each)) for name, each in values.items()},
        coords={"state": ["H", "F"], "rule": ["*", "lemons", "oranges"]},
    )


def test_over_rules_is_a_rule_taken_at_random(oranges: object) -> None:
    from bayes_compliance.report.answers import by_state_alone, over_rules

    found = dataset(p=[[0.9, 0.2, 0.6], [nan, nan, 0.3]], d=[[9.0, 1.0, inf], [nan, nan, 2.0]])
    case = oranges.prepared.case  # type: ignore[attr-defined]
    means = by_state_alone(over_rules(found[["p"]], case))
    assert {state: float(here["p"]) for state, here in means.items()} == {"H": 0.4, "F": 0.3}
    assert {state: str(here["rule"].item()) for state, here in means.items()} == {
        "H": "over its 2 rules", "F": "oranges",
    }  # fmt: skip
    middle = by_state_alone(over_rules(found, case, middle=True))
    assert float(middle["H"]["d"]) == inf
    assert float(middle["F"]["d"]) == 2.0


def test_enough_shadow_is_weighted_by_dilemmas(oranges: object) -> None:
    from bayes_compliance.report.sections.shadow import discounts_over_rules

    found = dataset(p_dilemma=[[0.5, 0.1, 0.3], [nan, nan, 0.0]], p_enough=[[0.5, 0.2, 0.6], [nan, nan, nan]],
                    discount=[[nan, 0.3, 0.5], [nan, nan, nan]])  # fmt: skip
    got = discounts_over_rules(found, oranges.prepared.case)  # type: ignore[attr-defined]
    here = got.sel(state="H", rule="over its 2 rules")
    assert here["p_enough"].item() == pytest.approx((0.1 * 0.2 + 0.3 * 0.6) / 0.4)
    assert here["discount"].item() == pytest.approx(0.4)
    assert np.isnan(got["p_enough"].sel(state="F", rule="oranges").item())


def test_rules_joined_on_one_day_are_averaged_together(oranges: object) -> None:
    from bayes_compliance.report.sections.sincere import joined_on_one_day

    found = dataset(p_insincere=[[nan, 0.2, 0.4], [nan, nan, 0.9]],
                    p_insincere_after_performance=[[nan, nan, nan], [nan, nan, 0.8]])  # fmt: skip
    same = np.full((2, 3), np.datetime64("2001-01-01", "ns"))
    later = np.full((2, 3), np.datetime64("NaT", "ns"))
    later[1, 2] = np.datetime64("2006-01-01", "ns")
    on = ("state", "rule")
    found = found.assign(adherence_date=(on, same), date_after_performance=(on, later))
    case = oranges.prepared.case  # type: ignore[attr-defined]
    (second, alone), (first, each) = joined_on_one_day(found, case)
    assert (alone, each) == ({"oranges": 0.9}, {"lemons": 0.2, "oranges": 0.4})
    assert (first["p_insincere"].item(), first["rule"].item()) == (pytest.approx(0.3), "over its 2 rules")
    assert (second["p_insincere"].item(), second["rule"].item()) == (0.9, "oranges")
    apart = same.copy()
    apart[0, 1] = np.datetime64("2003-01-01", "ns")
    parted = list(joined_on_one_day(found.assign(adherence_date=(on, apart)), case))
    assert [one["p_insincere"].item() for one, _ in parted] == [0.9, 0.2, 0.4]


@given(st.dictionaries(st.sampled_from("abc"), st.floats(0, 1), min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_what_the_answer_turns_on_is_the_rule_and_the_scenario_furthest_off(
    rules: dict[str, float], before: float, after: float
) -> None:
    effects = {"storm": Effect("H", before, after), "calm": Effect("H", before, before)}
    said = findings.turns_on(rules, effects)
    low, high = percent(min(rules.values())), percent(max(rules.values()))
    if len(rules) > 1 and low == high:
        assert f"On each of its {len(rules)} rules it is {low}." in said
    elif len(rules) > 1:
        assert f"from {low} (“" in said
        assert f"to {high} (“" in said
    else:
        assert "By rule" not in said
    moved = abs(shown(after) - shown(before)) >= findings.MATTERS
    assert ("“storm” would move it most" in said) == moved
    assert ("no scenario of the case moves it by 5 percentage points" in said) != moved
    assert "scenario" not in findings.turns_on(rules, {})
