"""What `check` says of a sound case that may not mean what it says; nothing is refused for it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from bayes_compliance.case import load_case
from bayes_compliance.case.doubts import doubts
from bayes_compliance.check import check

GOOD = Path(__file__).parent / "bad_cases" / "good"
CASES = Path(__file__).parents[1] / "case_studies"
TODAY = date(2026, 1, 1)
D, C, J, S = "decisions.csv", "case.toml", "judgements.csv", "scenarios.toml"
LABELS = "2005-02-03,F,labels,compliance,violate,,low,,Gazette,"

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
    "joins twice at once": (
        D, LABELS, f"{LABELS}\n2001-01-01,H,labels,adherence,adhere,,low,,,", TODAY,
        ["decisions.csv:2: rule: 'H' adheres to the whole treaty here, and to 'labels' in row 6: one act would count"]),
    "a state that has its own date": (
        C, "threshold = 0.1", "adherence_date = 2000-06-01", TODAY,
        ["decisions.csv:2: date: 'H' adheres on 2001-01-01 here, and on 2000-06-01 by case.toml"]),
    "before its rule bound it": (
        C, 'depth_reason = "H had a quota before"', 'depth_reason = "a quota"\nadherence_date = 2003-06-01', TODAY,
        ["decisions.csv:3: date: 2003-04-15 is before 'H' adhered to 'bananas', on 2003-06-01 by case.toml"]),
    "log units in points": (
        *volatility("0.01,0.03,0.1"), TODAY,
        ["judgements.csv:9: p50: a volatility of 0.03 for 'packers' .. 1.5% in a year; are these log units?"]),
    "points": (
        *volatility("0.01,0.05,0.1"), TODAY, []),
    "no movement at all": (
        *volatility("0,0,0"), TODAY, []),
    "before the last decision": (
        S, "from = 2010-01-01", "from = 2005-02-02", TODAY,
        ["scenarios.toml: scenarios[strike].from: 2005-02-02 is before the last decision, 2005-02-03"]),
    "on the day of the last decision": (S, "from = 2010-01-01", "from = 2005-02-03", TODAY, []),
    "after the horizon": (
        S, "from = 2010-01-01", "from = 2020-01-02", TODAY,
        ["scenarios.toml: scenarios[strike].from: 2020-01-02 is after the horizon, 2020-01-01"]),
}  # fmt: skip


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
    found = doubts(load_case(folder), today)
    assert len(found) == len(expected), found
    for line, words in zip(found, expected, strict=True):
        start, *more = words.split(" .. ")
        assert line.startswith(start), line
        assert all(word in line for word in more), line


def test_a_good_case_has_none(folder: Path) -> None:
    assert doubts(load_case(folder), TODAY) == []


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
    assert "was it meant" not in str(check(folder))
    edit(folder, C, 'depth_reason = "H had a quota before"\n', "")
    edit(folder, S, "from = 2006-01-01", "from = 2020-06-01")
    found = check(folder, as_of=date(2004, 6, 1))
    assert len(found.doubts) == 2
    assert found.as_dict()["doubts"] == list(found.doubts)
    _, said, *_ = str(found).split("\n\n")
    assert said.splitlines() == ["Accepted as it stands, but was it meant (2)?", *(f"  {one}" for one in found.doubts)]
