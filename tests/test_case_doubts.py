"""What `check` says of a sound case that may not mean what it says; nothing is refused for it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from bayes_compliance.case import load_case
from bayes_compliance.case.doubts import doubts, not_yet
from bayes_compliance.case.doubts_sizes import _k_ref
from bayes_compliance.check import check
from bayes_compliance.elicitation import build_priors

GOOD = Path(__file__).parent / "bad_cases" / "good"
CASES = Path(__file__).parents[1] / "case_studies"
TODAY = date(2026, 1, 1)
D, C, J, S, P = "decisions.csv", "case.toml", "judgements.csv", "scenarios.toml", "proxies.csv"
LABELS = "2005-02-03,F,labels,compliance,violate,,low,,Gazette,"

STAKE = "1999,H,growers,stake,12.5,percent of output,0.8,Bulletin,"
VOTE = "vote_share,0.57,share"
NOISE = "trade,2000,,,decision_noise,0.5,0.5,0.5,,,whim,"
PACKERS = "trade,2000,F,shippers,magnitude"


def volatility(numbers: str) -> tuple[str, str, str]:
    return J, PACKERS, f"trade,2000,F,packers,volatility,{numbers},,,,\n{PACKERS}"


DOUBTS = {
    "after today": (
        D, "2005-02-03", "2005-02-03", date(2005, 2, 2),
        ["decisions.csv:5: date: 2005-02-03 is after today, 2005-02-02: .. pending"]),
    "today": (D, "2005-02-03", "2005-02-03", date(2005, 2, 3), []),
    "this year": (D, "2005-02-03", "2005", date(2005, 1, 1), []),
    "next year": (D, "2005-02-03", "2005", date(2004, 12, 31), ["decisions.csv:5: date: 2005-07-01 is after"]),
    "this month": (D, "2005-02-03", "2005-02", date(2005, 2, 1), []),
    "next month": (D, "2005-02-03", "2005-02", date(2005, 1, 31), ["decisions.csv:5: date: 2005-02-15 is after"]),
    "depth without a reason": (
        C, 'depth_reason = "H had a quota before"', 'depth_reason = " "', TODAY,
        ["case.toml: rules[bananas].depth: true without a reason .. depth_reason ="]),
    "a slip of a state": (
        D, "comply_late,H,", "comply_late,HH,", TODAY,
        ["decisions.csv:4: counterparty: 'HH' is no state of the case (did you mean 'H'?)"]),
    "counterparties that are no states": (
        D, "comply_late,H,", "comply_late,traders;H;public,", TODAY,
        ["decisions.csv: counterparty: no states of the case: 'public' (row 4), 'traders' (row 4); .. (q)"]),
    "its own state is no slip": (
        D, "comply_late,H,", "comply_late,FF,", TODAY,
        ["decisions.csv: counterparty: no states of the case: 'FF' (row"]),
    "a country that ends alike": (
        D, "bananas,compliance,comply,F,", "bananas,compliance,comply,XF,", TODAY,
        ["decisions.csv: counterparty: no states of the case: 'XF' (row 3); what is done"]),
    "nobody loses from a rule": (
        C, 'role = "K"\nscale = "linear"', 'role = "K"\nscale = "linear"\nrules = ["oranges"]', TODAY,
        ["case.toml: lobbies: state 'F' has no lobby of role K on 'labels'"]),
    "adheres on another day": (
        D, "2001-01-01,H,*", "2000-12-31,H,*", TODAY,
        ["decisions.csv:2: date: 'H' adheres on 2000-12-31 here, and on 2001-01-01 by case.toml; "
         ".. adherence_date = 2000-12-31 under [[states]]"]),
    "adheres that year": (D, "2001-01-01,H,*", "2001,H,*", TODAY, []),
    "joins something else later": (
        D, LABELS, f"{LABELS}\n2003-01-01,H,labels,adherence,adhere,,low,,,", TODAY, []),
    "joins a rule on another day": (
        D, LABELS, f"{LABELS}\n2002-02-03,F,labels,adherence,adhere,,low,,,", TODAY,
        ["decisions.csv:6: date: 'F' adheres on 2002-02-03 here, and on 2001-01-01 by case.toml "
         ".. adherence_date = 2002-02-03 under [[states]]"]),
    "joins twice at once": (
        D, LABELS, f"{LABELS}\n2001-01-01,H,labels,adherence,adhere,,low,,,", TODAY,
        ["decisions.csv:2: rule: 'H' adheres to the whole agreement here, and to 'labels' in row 6: one act would"]),
    "a state that has its own date": (
        C, "threshold = 0.1", "adherence_date = 2000-06-01", TODAY,
        ["decisions.csv:2: date: 'H' adheres on 2001-01-01 here, and on 2000-06-01 by case.toml"]),
    "before its rule bound it": (
        C, 'depth_reason = "H had a quota before"', 'depth_reason = "a quota"\nadherence_date = 2003-06-01', TODAY,
        ["decisions.csv:3: date: 2003-04-15 is before 'H' adhered to 'bananas', on 2003-06-01 by case.toml"]),
    "log units in points": (
        *volatility("0.01,0.03,0.1"), TODAY,
        ["judgements.csv:9: p50: a volatility of 0.03 for 'packers' .. 1.5% in a year; are these log units?"]),
    "log units in points below 0": (
        J, "lawyers,magnitude,-0.5,0.5,1.5,normal,,bar,",
        "lawyers,magnitude,-1.5,-0.5,0.5,normal,,bar,\ntrade,2000,H,lawyers,volatility,0.001,0.005,0.02,,,bar,", TODAY,
        ["judgements.csv:7: p50: a volatility of 0.005 for 'lawyers', which moves in points and .. 0.5 of them: 1.0%"]),
    "points": (
        *volatility("0.01,0.05,0.1"), TODAY, []),
    "no movement at all": (
        *volatility("0,0,0"), TODAY, []),
    "coded twice": (
        D, LABELS, f"{LABELS}\n2005-02-03,F,labels,compliance,violate,,high,seen again,Journal,", TODAY,
        ["decisions.csv:6: date: 'violate' of 'F' on 'labels', 2005-02-03, is in row 5 already .. would count as two"]),
    "another counterparty": (
        D, LABELS, f"{LABELS}\n2005-02-03,F,labels,compliance,violate,H,low,,Gazette,", TODAY, []),
    "another day of the month": (
        D, LABELS, f"{LABELS}\n2005-02,F,labels,compliance,violate,,low,,Gazette,", TODAY, []),
    "pending twice": (
        D, "2025-01-01,H,labels,compliance,pending,,low,,",
        "2025-01-01,H,labels,compliance,pending,,low,one,,\n2025-01-01,H,labels,compliance,pending,,low,,", TODAY, []),
    "refused and bound": (
        D, LABELS, f"{LABELS}\n2005-02-03,F,*,adherence,not_adhere,,low,,,", TODAY,
        ["decisions.csv:6: decision: 'F' does not adhere to '*' on 2005-02-03 here, and is bound from 2001-01-01 on "
         "by case.toml; if it joined later: adherence_date"]),
    "refused, bound and asked": (
        D, LABELS, f"{LABELS}\n2002,F,*,adherence,not_adhere,,low,,,", TODAY,
        ["decisions.csv:6: decision: 'F' does not adhere to '*' on 2002 .. conduct after that is in row 4 and 1 more"]),
    "refused on the day": (
        D, LABELS, f"{LABELS}\n2001-01-01,F,oranges,adherence,not_adhere,,low,,,", TODAY,
        ["decisions.csv:6: decision: 'F' does not adhere to 'oranges' on 2001-01-01 here .. in row 4;"]),
    "refused before it joined": (
        D, LABELS, f"{LABELS}\n2000-12-31,F,*,adherence,not_adhere,,low,,,", TODAY, []),
    "joined and left": (
        D, LABELS, f"{LABELS}\n2005-02-03,H,bananas,adherence,not_adhere,,low,,,", TODAY, []),
    "left and asked": (
        D, LABELS, f"{LABELS}\n2002-02-03,H,bananas,adherence,not_adhere,,low,,,", TODAY,
        ["decisions.csv:6: decision: 'H' does not adhere to 'bananas' on 2002-02-03 .. is in row 3;"]),
    "left, back and asked": (
        D, LABELS, f"{LABELS}\n2002-02-03,H,bananas,adherence,not_adhere,,low,,,\n"
        "2003-01-01,H,bananas,adherence,adhere,,low,,,", TODAY, []),
    "left, back and asked on the day": (
        D, LABELS, f"{LABELS}\n2002-02-03,H,bananas,adherence,not_adhere,,low,,,\n"
        "2003-04-01,H,bananas,adherence,adhere,,low,,,", TODAY, []),
    "left, and a decision is pending": (
        D, LABELS, f"{LABELS}\n2005-02-03,H,labels,adherence,not_adhere,,low,,,", TODAY, []),
    "last period on the day of adherence": (
        C, "2030-01-01", "2001-01-01", TODAY,
        ["case.toml: rules[bananas].last_period: 2001-01-01 is not after 2001-01-01, when 'H' adheres .. is off"]),
    "last period a day later": (C, "2030-01-01", "2001-01-02", TODAY, []),
    "gone before adherence": (
        C, "2040-01-01", "2001-01-01", TODAY,
        ["case.toml: lobbies[consumers].until: 2001-01-01 is not after 2001-01-01, when 'H' adheres .. no compliance"]),
    "gone a day later": (C, "2040-01-01", "2001-01-02", TODAY, []),
    "measured twice": (
        P, STAKE, f"{STAKE}\n{STAKE}", TODAY,
        ["proxies.csv:3: value: 12.5 for 'growers' is in row 2 already: one measurement would count as two"]),
    "measured otherwise": (
        P, STAKE, f"{STAKE}\n{STAKE.replace('12.5', '13')}", TODAY,
        ["proxies.csv:3: value: 13 for 'growers', and 12.5 in row 2, both stake of 1999 .. which of them holds?"]),
    "measured by another": (
        P, STAKE, f"{STAKE}\n{STAKE.replace('12.5', '13').replace('Bulletin', 'Survey')}", TODAY, []),
    "measured at another address": (
        P, STAKE, f"{STAKE}https://e.org/1\n{STAKE}https://e.org/2", TODAY, []),
    "measured in another year": (
        P, STAKE, f"{STAKE}\n{STAKE.replace('1999', '1998')}", TODAY, []),
    "a share in percent": (
        P, VOTE, "vote_share,0.57,%", TODAY,
        ["proxies.csv:3: value: a vote share of 0.57 %: fewer than one in a hundred; .. the unit is share"]),
    "percent": (P, VOTE, "vote_share,57,percent", TODAY, []),
    "nobody for it": (P, VOTE, "vote_share,0,percent", TODAY, []),
    "judged after today": (
        J, NOISE, NOISE.replace("2000", "2026-01-02"), TODAY,
        ["judgements.csv:18: date: 2026-01-02 is after today, 2026-01-01: nobody"]),
    "judged this year": (J, NOISE, NOISE.replace("2000", "2026"), TODAY, []),
    "shocks in percent": (
        J, NOISE, f"{NOISE}\ntrade,2000,,,shock_hazard,3,3,3,,,wars,", TODAY,
        ["judgements.csv:19: p50: a shock_hazard of 3 is 3 shocks a year; 3% a year is 0.03"]),
    "shocks a year": (J, NOISE, f"{NOISE}\ntrade,2000,,,shock_hazard,0.2,0.9,2,,,wars,", TODAY, []),
    "points in log units": (
        J, NOISE, f"{NOISE}\ntrade,2000,,shippers,volatility,0.1,0.5,1.1,,,trade,", TODAY,
        ["judgements.csv:19: p95: a volatility of 1.1 for 'shippers', which moves in log units .. 3 times as strong"]),
    "log units": (J, NOISE, f"{NOISE}\ntrade,2000,,shippers,volatility,0.1,0.5,1,,,trade,", TODAY, []),
    "many points in points": (*volatility("1,2,3"), TODAY, []),
    "before the last decision": (
        S, "from = 2010-01-01", "from = 2005-02-02", TODAY,
        ["scenarios.toml: scenarios[strike].from: 2005-02-02 is before the last decision, 2005-02-03"]),
    "on the day of the last decision": (S, "from = 2010-01-01", "from = 2005-02-03", TODAY, []),
    "after the horizon": (
        S, "from = 2010-01-01", "from = 2020-01-02", TODAY,
        ["scenarios.toml: scenarios[strike].from: 2020-01-02 is after the horizon, 2020-01-01"]),
    "changes nothing": (
        S, 'changes = [{ state = "H", volatility_scale = 0 }, { state = "H", w = 1 }, { state = "H", shock = 2.5 }]',
        'changes = [{ state = "H", volatility_scale = 1 }, { lobby = "growers", scale = 1 }]', TODAY,
        ["scenarios.toml: scenarios[calm].changes: 'H' with volatility_scale = 1, 'growers' with scale = 1: it"]),
    "changes something beside": (
        S, "volatility_scale = 0", "volatility_scale = 1", TODAY, []),
    "noise as a probability": (
        J, NOISE, NOISE.replace("0.5,0.5,0.5", "0.09,0.09,0.09"), TODAY,
        ["judgements.csv:18: p50: a decision_noise of 0.09, and K_ref of 'F' is 2: 4.5% of it; it is in points"]),
    "noise of one state": (
        J, NOISE, NOISE.replace("2000,,,decision_noise,0.5,0.5,0.5", "2000,H,,decision_noise,0.1,0.1,0.1"), TODAY,
        ["judgements.csv:18: p50: a decision_noise of 0.1, and K_ref is 3.464: 2.9% of it"]),
    "noise of another scale": (
        J, NOISE, NOISE.replace("0.5,0.5,0.5", "40,41,42"), TODAY,
        ["judgements.csv:18: p50: a decision_noise of 41, and K_ref of 'F' is 2: 20.5 times as much"]),
    "noise at the lower mark": (J, NOISE, NOISE.replace("0.5,0.5,0.5", "0.18,0.18,0.18"), TODAY, []),
    "noise at the upper mark": (J, NOISE, NOISE.replace("0.5,0.5,0.5", "40,40,40"), TODAY, []),
    "a magnitude of another scale": (
        J, f"{PACKERS},1,2,3", f"{PACKERS},200,201,300", TODAY,
        ["judgements.csv:9: p50: a magnitude of 201 for 'shippers', and K_ref is 2: 100 times as much; are both"]),
    "a magnitude on the mark": (J, f"{PACKERS},1,2,3", f"{PACKERS},100,200,300", TODAY, []),
    "a magnitude that is tiny": (
        J, f"{PACKERS},1,2,3", f"{PACKERS},0.01,0.019,0.03", TODAY,
        ["judgements.csv:9: p50: a magnitude of 0.019 for 'shippers', and K_ref is 2: 0.95% of it"]),
    "points that are few": (J, "lawyers,magnitude,-0.5,0.5,1.5", "lawyers,magnitude,-1,0.001,1", TODAY, []),
    "points that are many": (
        J, "lawyers,magnitude,-0.5,0.5,1.5", "lawyers,magnitude,-500,-400,-300", TODAY,
        ["judgements.csv:6: p50: a magnitude of -400 for 'lawyers', and K_ref is 3.464: 115 times as much"]),
    "a threshold in percent": (
        C, "threshold = 0.1", "threshold = -70", TODAY,
        ["case.toml: states[H].threshold: -70, and K_ref is 3.464: 20.2 times as much; it is in points"]),
    "a high threshold": (C, "threshold = 0.1", "threshold = 69", TODAY, []),
    "analysts far apart": (
        J, "votes,1999-06,H,growers,magnitude,3,4,6", "votes,1999-06,H,growers,magnitude,30,31,32", TODAY,
        ["judgements.csv:4: p50: a magnitude of 31 for 'growers' by 'votes', and of 3 by 'trade' in row 3: do both"]),
    "analysts apart": (
        J, "votes,1999-06,H,growers,magnitude,3,4,6", "votes,1999-06,H,growers,magnitude,29,30,31", TODAY, []),
    "one analyst in two spellings": (
        J, "votes,1999-06", "Trade,1999-06", TODAY,
        ["judgements.csv:4: analyst: 'Trade' here, and 'trade' in row 2: they count as two"]),
    "a scenario in percent": (
        S, "scale = 2.0", "scale = 150", TODAY,
        ["scenarios.toml: scenarios[strike].changes: 'growers' with scale = 150 is 150 times as strong; 150% is "
         "scale = 1.5"]),
    "a strong scenario": (S, "scale = 2.0", "scale = 20", TODAY, []),
    "a proxy in another unit": (
        P, STAKE, f"{STAKE}\n{STAKE.replace('12.5', '1251').replace('1999', '2001')}", TODAY,
        ["proxies.csv:3: value: 1251 for 'growers' on 2001, and 12.5 in row 2, both stake in percent of output: are"]),
    "a proxy that grows": (
        P, STAKE, f"{STAKE}\n{STAKE.replace('12.5', '1250').replace('1999', '2001')}", TODAY, []),
    "a proxy that grows, in another order": (
        P, STAKE, f"{STAKE}\n{STAKE.replace('12.5', '20000').replace('1999', '2003')}\n"
        f"{STAKE.replace('12.5', '500').replace('1999', '2001')}", TODAY, []),
    "a proxy in a unit of its own": (
        P, STAKE, f"{STAKE}\n{STAKE.replace('12.5', '1251').replace('percent of output', 'dollars')}", TODAY, []),
    "measured after today": (
        P, STAKE, STAKE.replace("1999", "2001-03-04"), date(2001, 3, 3),
        [*["decisions.csv:"] * 3, "proxies.csv:2: date: 2001-03-04 is after today, 2001-03-03: nobody can"]),
    "measured today": (P, STAKE, STAKE.replace("1999", "2005-02-03"), date(2005, 2, 3), []),
    "a reference date to come": (
        C, "reference_date = 2001-01-01", "reference_date = 2019-01-01", date(2018, 12, 31),
        ["case.toml: reference_date: 2019-01-01 is after today, 2018-12-31"]),
    "a horizon that is past": (
        C, "until = 2020-01-01", "until = 2015-01-01", date(2015, 1, 2),
        ["case.toml: horizon.until: 2015-01-01 is before today, 2015-01-02: all that is forecast has come to pass"]),
    "a horizon that is today": (C, "until = 2020-01-01", "until = 2015-01-01", date(2015, 1, 1), []),
    "a case of the past": (C, "until = 2020-01-01", "until = 2010-01-01", date(2015, 2, 4), []),
}  # fmt: skip

NOT_JOINED = "decisions.csv: kind: no row of kind adherence for 'F', whose compliance is on record"
"""What is doubted of the good case itself: F has rows of kind compliance only."""


def doubted(folder: Path, today: date | None = TODAY) -> list[str]:
    """All doubts but the one that the good case has."""
    return [line for line in doubts(load_case(folder), today) if not line.startswith(NOT_JOINED)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = Path(shutil.copytree(GOOD, tmp_path / "case"))
    edit(place, D, "F; public", "F")
    return place


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("name", DOUBTS)
def test_a_doubt_and_no_other(name: str, folder: Path) -> None:
    file, old, new, today, expected = DOUBTS[name]
    edit(folder, file, old, new)
    found = doubted(folder, today)
    assert len(found) == len(expected), found
    for line, words in zip(found, expected, strict=True):
        start, *more = words.split(" .. ")
        assert line.startswith(start), line
        assert all(word in line for word in more), line


@pytest.mark.parametrize(("name", "slip"), [(P, "proxy.csv"), (P, "Proxies.csv"), (S, "Scenario.toml")])
def test_an_optional_file_by_another_name_is_told(folder: Path, name: str, slip: str) -> None:
    (folder / name).rename(folder / slip)
    (line,) = doubted(folder, TODAY)
    assert line == f"{slip}: no file of a case has this name, and it is not read; did you mean {name}?"


def test_a_file_of_ones_own_is_no_slip(folder: Path) -> None:
    for own in ("episodes.csv", "states.csv", "votes.csv", "proxy.csv", "notes.toml"):  # proxies.csv is there too
        (folder / own).write_text("anything")
    (folder / "seeds.csv").unlink(missing_ok=True)
    assert doubted(folder, TODAY) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("q0.05=1;q0.5=2;q0.95=4", "judgements.csv:19: values: q0.05, q0.5, q0.95 are percent .. q5, q50, q95 meant?"),
        (
            "range0.9=1..4",
            "judgements.csv:19: values: range0.9 is in percent .. leaves 99.1% outside .. range90 meant?",
        ),
        ("q5=1;q50=2;q95=4", ""),
        ("q0.5=1;q99.5=4", ""),
        ("range90=1..4", ""),
        ("range50=1..4", ""),
        ("1:1;2:4;3:3", ""),
    ],
)
def test_levels_are_percent(values: str, expected: str, folder: Path) -> None:
    rows = (folder / J).read_text(encoding="utf-8").splitlines()
    row = f"votes,2000,F,shippers,magnitude,,,,,,counts,,{values}"
    lines = [f"{rows[0]},values", *(f"{line}," for line in rows[1:]), row]
    (folder / J).write_text("\n".join(lines), encoding="utf-8")
    found = [line for line in doubted(folder) if "scale?" not in line]  # such medians are far from all others
    assert len(found) == bool(expected), found
    assert all(words in line for line in found for words in expected.split(" .. "))


@pytest.mark.parametrize(("day", "count"), [("2001-06-01", 0), ("2001-01-01", 1)])
def test_a_year_may_be_before_the_day_of_adherence(day: str, count: int, folder: Path) -> None:
    edit(folder, C, 'id = "F"\n\n', f'id = "F"\nadherence_date = {day}\n\n')
    edit(folder, D, LABELS, f"{LABELS}\n2001,F,*,adherence,not_adhere,,low,,,")
    assert len(doubted(folder)) == count


@pytest.mark.parametrize(("until", "count"), [("2001-01-01", 1), ("2002-01-01", 0), ("2004-06-02", 0)])
def test_a_lobby_is_gone_before_the_first_of_its_rules_binds(until: str, count: int, folder: Path) -> None:
    edit(folder, C, 'states = ["F", "H"]', 'states = ["F", "H"]\nadherence_date = 2004-06-01')
    edit(folder, C, "until = 2040-01-01", f"until = {until}")
    assert len(doubted(folder)) == count


def test_the_date_of_a_rule_is_mended_where_it_stands(folder: Path) -> None:
    edit(folder, C, 'states = ["F", "H"]', 'states = ["F", "H"]\nadherence_date = 2002-01-01')
    edit(folder, D, LABELS, f"{LABELS}\n2002-02-03,F,labels,adherence,adhere,,low,,,")
    [found] = doubted(folder)
    assert found.endswith("if this row is right: adherence_date = 2002-02-03 under [[rules]]")


def test_a_good_case_has_none(folder: Path) -> None:
    assert doubted(folder) == []


def test_who_joined_and_left_no_row_of_it(folder: Path) -> None:
    [found] = doubts(load_case(folder), TODAY)
    assert found.startswith(NOT_JOINED)
    edit(folder, D, LABELS, f"{LABELS}\n2001-01-01,F,*,adherence,adhere,,certain,,,")
    assert doubts(load_case(folder), TODAY) == []


@pytest.mark.parametrize(("rows", "others", "count"), [(8, "violate", 1), (7, "violate", 0), (8, "comply_late", 0)])
def test_a_record_of_one_word_from_ten_rows_on(rows: int, others: str, count: int, folder: Path) -> None:
    edit(folder, D, "bananas,compliance,comply,", "bananas,compliance,violate,")
    edit(folder, D, "2004,F,oranges,compliance,comply_late", f"2004,F,oranges,compliance,{others}")
    more = "".join(f"\n{2006 + i},F,labels,compliance,violate,,low,,," for i in range(rows - 1))
    edit(folder, D, LABELS, f"{LABELS}{more}")
    found = [line for line in doubted(folder) if line.startswith("decisions.csv: decision: all")]
    assert len(found) == count
    assert not found or found[0].startswith("decisions.csv: decision: all 10 rows of kind compliance are 'violate'")


def test_k_ref_is_nearly_that_of_the_priors(folder: Path) -> None:
    for case in (load_case(folder), *(load_case(CASES / name) for name in ("bananas", "nafta", "stability_pact"))):
        for state, k in build_priors(case).k_ref.items():
            assert _k_ref(case, state) == pytest.approx(k, rel=0.1)


def test_without_a_day_no_doubt_depends_on_it(folder: Path) -> None:
    """What the report shows: the same bytes on every day."""
    edit(folder, C, "until = 2020-01-01", "until = 2010-01-01")
    edit(folder, P, STAKE, STAKE.replace("1999", "2009"))
    edit(folder, J, NOISE, NOISE.replace("2000", "2026-01-02"))
    edit(folder, S, "from = 2010-01-01", "from = 2019-01-01")
    dated = [line for line in doubted(folder, date(2006, 1, 1)) if "today" in line]
    assert len(dated) == 2
    assert len([line for line in doubted(folder, date(2011, 1, 1)) if "today" in line]) == 2
    [late] = doubted(folder, None)
    assert late.startswith("scenarios.toml: scenarios[strike].from: 2019-01-01 is after the horizon")


def test_a_day_to_come_is_doubted(folder: Path) -> None:
    today = date(2026, 1, 1)
    assert not_yet(None, today) == not_yet(today, today) == []
    assert not_yet(date(2026, 1, 2), today) == [
        "--as-of: 2026-01-02 is after today, 2026-01-01: nothing more is known by then"
    ]
    assert check(folder, as_of=date(2999, 1, 1)).doubts[0].startswith("--as-of: 2999-01-01 is after today, ")


@pytest.mark.parametrize("name", ["bananas", "china_wto", "nafta", "stability_pact"])
def test_shipped_cases_have_only_what_they_know_of(name: str) -> None:
    known = {
        "china_wto": ": counterparty: ",
        "nafta": ": counterparty: ",
        "stability_pact": " here, and on 1999-01-01 ",
    }
    found = doubts(load_case(CASES / name), TODAY)
    assert all(known.get(name, "none") in line for line in found)
    assert len(found) <= 5


def test_check_says_them_first(folder: Path) -> None:
    edit(folder, D, LABELS, f"{LABELS}\n2001-01-01,F,*,adherence,adhere,,certain,,,")
    assert "was it meant" not in str(check(folder))
    edit(folder, C, 'depth_reason = "H had a quota before"\n', "")
    edit(folder, S, "from = 2006-01-01", "from = 2020-06-01")
    found = check(folder, as_of=date(2004, 6, 1))
    assert len(found.doubts) == 2
    assert found.as_dict()["doubts"] == list(found.doubts)
    _, said, *_ = str(found).split("\n\n")
    assert said.splitlines() == ["Accepted as it stands, but was it meant (2)?", *(f"  {one}" for one in found.doubts)]
