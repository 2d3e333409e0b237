"""Malformed CSV files: one edit of the good folder each, and everything that is said of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

J, D, P = "judgements.csv", "decisions.csv", "proxies.csv"
GROWERS = "trade,2000,H,growers,magnitude,2,3,5,lognormal,2,output,Bulletin 1999"
SHIPPERS = "trade,2000,F,shippers,magnitude,1,2,3,,,exports,\n"
NOISE = "trade,2000,,,decision_noise,0.5,0.5,0.5,,,whim,"
SHADOW = "trade,2000,H,,shadow,0.5,0.7,0.9,,,repeated,"
BANANAS = '2003-04,H,bananas,compliance,comply,F; public,high,"tariff cut, in part",Gazette,'
LABELS = "2005-02-03,F,labels,compliance,violate,,low,,Gazette,"

JUDGEMENTS = {
    "unknown state": (NOISE, NOISE.replace("2000,,", "2000,G,"), "18: state .. unknown state 'G' .. H or F"),
    "a state of another case": (SHADOW, SHADOW.replace(",H,", ",h,"), "13: state .. unknown state 'h' .. mean 'H'"),
    "lobby of another state": (GROWERS, GROWERS.replace(",H,", ",F,"), "3: state .. is of state 'H', not 'F' .. H"),
    "lobby blank": (SHIPPERS, SHIPPERS + "x,2000,F,,volatility,1,2,3,,,,\n", "10: lobby .. none is named .. packers"),
    "lobby beside a state's quantity": (SHADOW, SHADOW.replace("H,,", "H,growers,"),
        "13: lobby .. of a state .. blank"),
    "unknown quantity": (SHADOW, SHADOW.replace("shadow", "shadows"), "13: quantity .. 'shadows' .. mean 'shadow'"),
    "quantity blank": (SHADOW, SHADOW.replace("shadow", ""), "13: quantity .. blank .. magnitude"),
    "unknown family": (GROWERS, GROWERS.replace("lognormal", "log"), "3: family .. 'log' is unknown .. (or blank)"),
    "family outside the support": (SHADOW, SHADOW.replace(",,,rep", ",gamma,,rep"),
        "13: family .. could leave .. beta"),
    "normal on the log scale": (GROWERS, GROWERS.replace("lognormal", "normal"), "3: family .. log scale .. lognormal"),
    "below a gamma": ("-1,2,5,,", "-1,2,5,gamma,", "8: p05 .. -1 to 5 is outside a gamma .. above 0"),
    "above a beta": (GROWERS, GROWERS.replace("lognormal", "beta"), "3: p05 .. 2 to 5 is outside a beta .. below 1"),
    "a date out of the calendar": (GROWERS, GROWERS.replace("2000", "1994-13-41"),
        "3: date .. '1994-13-41' .. ISO date"),
    "30 February": (GROWERS, GROWERS.replace("2000", "2000-02-30"), "3: date .. '2000-02-30' is not in the calendar"),
    "a date of another form": (GROWERS, GROWERS.replace("2000", "1/2/2000"), "3: date .. '1/2/2000' is no date .. ISO"),
    "a year of another age": (GROWERS, GROWERS.replace("2000", "0200"), "3: date .. '0200' is outside the years 1500"),
    "date blank": (NOISE, NOISE.replace("2000", ""), "18: date .. blank .. ISO date"),
    "dated before what it cites": (
        GROWERS, GROWERS.replace("1999", "1999 and 2001-05"), "3: date .. 2000-12-31 is before 2001-05 .. or later"),
    "a month before what it cites": (
        "votes,1999-06,", "votes,1998-04,", "4: date .. 1998-04-30 is before 1998-05-01 .. 1998-05-01 or later"),
    "dated before a day that no calendar has": (
        GROWERS, GROWERS.replace("2000,", "2001-01,").replace("1999", "of 2001-02-30"),
        "3: date .. 2001-01-31 is before 2001-02, which the source names .. 2001-02 or later"),
    "analyst blank": (NOISE, NOISE.replace("trade", ""), "18: analyst .. blank .. a label"),
    "nan": (GROWERS, GROWERS.replace(",3,", ",nan,"), "3: p50 .. 'nan' is refused .. a finite number"),
    "inf": (GROWERS, GROWERS.replace(",5,", ",inf,"), "3: p95 .. 'inf' is refused .. a finite number"),
    "beyond floats": (GROWERS, GROWERS.replace(",5,", ",1e999,"), "3: p95 .. '1e999' is refused .. a finite number"),
    "words": (GROWERS, GROWERS.replace(",3,", ",three,"), "3: p50 .. 'three' is refused .. a finite number"),
    "a decimal comma": (GROWERS, GROWERS.replace(",3,", ',"3,5",'),
        "3: p50 .. '3,5' is refused .. a finite number, with a decimal point: 3.5"),
    "digits of another script": (GROWERS, GROWERS.replace(",3,", ",٣,"), "3: p50 .. is refused .. a finite number"),
    "number blank": (GROWERS, GROWERS.replace(",3,", ",,"), "3: p50 .. the cell is blank .. a finite number"),
    "p05 above p95": (GROWERS, GROWERS.replace("2,3,5", "5,3,2"), "3: p05 .. 5 is above p95 2 .. p05 < p50 < p95"),
    "p50 above p95": (GROWERS, GROWERS.replace("2,3,5", "2,6,5"), "3: p50 .. 6 is not between p05 2 and p95 5"),
    "p50 at p05": (GROWERS, GROWERS.replace("2,3,5", "2,2,5"), "3: p50 .. 2 is also p05 .. three equal numbers"),
    "negative weight": (GROWERS, GROWERS.replace("lognormal,2", "lognormal,-1"), "3: weight .. '-1' .. above 0"),
    "no weight": (GROWERS, GROWERS.replace("lognormal,2", "lognormal,0"), "3: weight .. '0' is refused .. above 0"),
    "magnitude below 0 on the log scale": (GROWERS, GROWERS.replace("2,3", "-2,3"),
        "3: p05 .. -2 .. log scale .. above 0"),
    "share above 1": (SHADOW, SHADOW.replace("0.9", "1.2"), "13: p95 .. 1.2 is no shadow .. below 1"),
    "share of 1, uncertain": (SHADOW, SHADOW.replace("0.9", "1"), "13: p95 .. 1 is no shadow .. known constant"),
    "no noise": (NOISE, NOISE.replace("0.5,0.5,0.5", "0,0,0"), "18: p05 .. 0 is no decision_noise .. above 0"),
    "step of a J": (
        "H,lawyers,step", "H,consumers,step", "10: lobby .. step of lobby 'consumers', which is of role J .. lawyers"),
    "specificity of a K": ("exporters,specificity", "growers,specificity", "11: lobby .. of role K .. shippers"),
    "entrenchment of a P": (SHIPPERS, SHIPPERS + "x,2000,H,lawyers,entrenchment,1,2,3,,,,\n", "10: lobby .. of role P"),
    "magnitude missing": (SHIPPERS, "", "1: quantity .. no magnitude of lobby 'shippers' .. quantity magnitude"),
    "no q": ("trade,2000,F,,reciprocity,0.5,0.7,0.9,,,record,\n", "", "1: quantity .. no reciprocity (q) .. state F"),
    "shadow and discount": (
        "trade,2000,F,,discount", "trade,2000,,,discount", "14: quantity .. shadow and discount .. 'H' .. one of"),
    "lag without discount": (
        "F,,discount,0.8,0.9,0.95,beta", "F,,shadow,0.8,0.9,0.95,beta",
        "1: quantity .. detection_lag of state 'F' is judged without a discount .. discount and state F"),
    "lag of all without any discount": (
        "trade,2000,F,,discount,0.8,0.9,0.95,beta,,rates,\ntrade,2000,F,,detection_lag",
        "trade,2000,,,detection_lag",
        "1: quantity .. detection_lag of all states is judged without a discount .. a row"),
    "judged twice": (GROWERS, f"{GROWERS}\n{GROWERS}", "4: analyst .. 'trade' judges magnitude of growers in row 3"),
    "judged twice in other words": (
        "trade,2000,,court",
        "trade,2000,,court,volatility,1,2,3,,,,\ntrade,2000,H,court,volatility,1,2,3,,,,\nt,2000,,court",
        "8: analyst .. 'trade' judges volatility of court in row 7"),
    "a constant and not": (NOISE, f"{NOISE}\nx,2000,,,decision_noise,1,2,3,,,,",
        "19: p05 .. known constant .. the same"),
    "q where it is modelled": (SHADOW, f"{SHADOW}\nt,2000,H,,reciprocity,.1,.2,.3,,,,", "14: quantity .. is modelled"),
    "trust where it is not": ("2000,H,,trust", "2000,F,,trust", "17: quantity .. trust .. is not modelled .. with"),
    "a control character": (GROWERS, GROWERS.replace("output", "out\x00put"),
        "3: rationale .. control character '\\x00'"),
    "an escape sequence": (GROWERS, GROWERS.replace("output", "\x1b[31moutput"),
        "3: rationale .. control character '\\x1b' .. printable text and line ends"),
    "letters turned around": (NOISE, NOISE.replace("whim", "whim \u202e"),
        "18: rationale .. control character '\\u202e'"),
    "ragged, short": (GROWERS, GROWERS.partition(",lognormal")[0], "3: row .. 8 cells .. 12 cells: analyst,date"),
    "ragged, long": (GROWERS, GROWERS + ",more", "3: row .. 13 cells .. 12 cells (one with a comma .. quotation marks"),
    "a comma between thousands": (GROWERS, GROWERS.replace(",5,", ',"5,000",'),
        "3: p95 .. '5,000' is refused .. nothing between thousands: 5.000 or 5000"),
    "an open quotation": (SHIPPERS, SHIPPERS.replace("exports", '"exports'),
        "9: row .. cannot be read .. marks inside"),
    "a word after a quotation": (GROWERS, GROWERS.replace("output", '"out"put'), "3: row .. cannot be read .. doubled"),
    "a cell without end": (GROWERS, GROWERS.replace("output", "x" * 200_000), "3: row .. cannot be read .. field"),
}  # fmt: skip

DECISIONS = {
    "unknown state": (BANANAS, BANANAS.replace(",H,", ",X,"), "3: state .. unknown state 'X' .. H or F"),
    "state blank": (BANANAS, BANANAS.replace(",H,", ",,"), "3: state .. no state is named .. H or F"),
    "unknown rule": (BANANAS, BANANAS.replace("bananas", "banana"), "3: rule .. unknown rule 'banana' .. 'bananas'"),
    "a rule it does not owe": (LABELS, LABELS.replace("labels", "bananas"), "5: rule .. 'F' does not owe .. oranges"),
    "compliance with the whole": (BANANAS, BANANAS.replace("bananas", "*"),
        "3: rule .. '*' on a compliance row .. bananas"),
    "unknown kind": (BANANAS, BANANAS.replace("compliance", "comply"), "3: kind .. 'comply' is unknown .. compliance"),
    "unknown decision": (BANANAS, BANANAS.replace(",comply,", ",complied,"), "3: decision .. 'complied' .. 'comply'"),
    "a decision of another kind": (BANANAS, BANANAS.replace(",comply,", ",adhere,"),
        "3: decision .. kind compliance .. partial"),
    "partial at the status quo": (
        "status_quo,violate", "status_quo,partial", "6: decision .. kind status_quo .. comply, violate or pending"),
    "comply at adherence": ("adherence,adhere", "adherence,comply",
        "2: decision .. kind adherence .. adhere, not_adhere"),
    "unknown confidence": (BANANAS, BANANAS.replace("high", "sure"),
        "3: confidence .. 'sure' .. certain, high, medium"),
    "confidence blank": (BANANAS, BANANAS.replace("high", ""),
        "3: confidence .. blank .. certain, high, medium or low"),
    "a date out of the calendar": (BANANAS, BANANAS.replace("2003-04", "1994-13-41"), "3: date .. '1994-13-41' .. ISO"),
    "its own counterparty": (BANANAS, BANANAS.replace("F; public", "F; H"),
        "3: counterparty .. 'H' .. its own .. other"),
    "a label that is blank": (BANANAS, BANANAS.replace("F; public", "F;;"),
        "3: counterparty .. blank label .. parted by ;"),
    "the same row twice": (LABELS, f"{LABELS}\n{LABELS}", "6: row .. the same as row 5 .. one row for each decision"),
    "adheres twice": (
        LABELS, f"{LABELS}\n2001-02-01,H,*,adherence,adhere,,certain,vote,,",
        "6: decision .. in row 2 already .. proxies"),
    "after the horizon": (LABELS, LABELS.replace("2005-02-03", "2020-01-01"),
        "case.toml:5: horizon.until .. a date after"),
    "ragged": (LABELS, LABELS + ",more", "5: row .. 11 cells .. 10 cells"),
    "before its state adhered": (
        LABELS, LABELS.replace("2005-02-03", "2000"),
        "5: date .. 2000-07-01 is before state 'F' adhered .. status_quo"),
    "a comma without quotation marks, and no url": (
        BANANAS, '2003-04,H,bananas,compliance,comply,F; public,high,tariff cut, in part,Gazette no. 7',
        "3: url .. 'Gazette no. 7' is no address .. a cell before it that has a comma needs quotation marks"),
    "a word for a url": (LABELS, LABELS.replace("Gazette,", "no. 7,Gazette"), "5: url .. 'Gazette' is no address"),
    "two outcomes of one decision": (
        LABELS, f"{LABELS}\n{LABELS.replace('violate', 'partial').replace('low', 'high')}",
        "6: decision .. partial where row 5 has violate .. one outcome for a state, rule, kind, day and counterparty"),
}  # fmt: skip

PROXIES = {
    "unknown kind": ("stake", "steak", "2: kind .. 'steak' is unknown .. mean 'stake'"),
    "a vote share of a lobby": ("H,,vote_share", "H,growers,vote_share", "3: lobby .. 'growers' .. blank"),
    "a stake of nobody": ("growers,stake", ",stake", "2: lobby .. blank .. this stake"),
    "unknown lobby": ("growers,stake", "grower,stake", "2: lobby .. unknown lobby 'grower' .. mean 'growers'"),
    "lobby of another state": ("1999,H", "1999,F", "2: state .. of state 'H', not 'F' .. H"),
    "unknown state": ("1999,H", "1999,G", "2: state .. unknown state 'G'"),
    "value nan": ("12.5", "nan", "2: value .. 'nan' is refused .. a finite number"),
    "reliability above 1": ("0.8", "1.8", "2: reliability .. '1.8' is refused .. at most 1"),
    "no reliability": ("0.8", "0", "2: reliability .. '0' is refused .. above 0"),
    "a date out of the calendar": ("2000-06-01", "1994-13-41", "3: date .. '1994-13-41' .. ISO"),
    "a date after the horizon": ("2000-06-01", "2020-01-02", "3: date .. 2020-01-02 is after .. 2020-01-01 or earlier"),
    "a share above 1": ("0.57", "57", "3: value .. 57 is no vote share in share .. from 0 to 100 with a unit"),
    "a percentage above 100": ("0.57,share", "157,% of seats", "3: value .. 157 is no vote share in % of seats"),
    "a share below 0": ("0.57,share", "-0.1,", "3: value .. -0.1 is no vote share in no unit .. from 0 to 1"),
    "words for a url": ("1,Journal,", "1,Journal,no. 7", "3: url .. 'no. 7' is no address .. https://example.org"),
    "a negative stake": ("12.5", "-12.5", "2: value .. -12.5 is no stake .. at least 0"),
    "negative members": ("stake,12.5", "membership,-3", "2: value .. -3 is no membership .. at least 0"),
    "negative money": ("stake,12.5", "spending,-3", "2: value .. -3 is no spending .. at least 0"),
}
EDITS = [(J, *edit, name) for name, edit in JUDGEMENTS.items()]
EDITS += [(D, *edit, name) for name, edit in DECISIONS.items()]
EDITS += [(P, *edit, name) for name, edit in PROXIES.items()]


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"), [e[:4] for e in EDITS], ids=[f"{e[0]}-{e[4]}" for e in EDITS]
)
def test_edit_of_a_csv_file(
    file: str, old: str, new: str, expected: str, edit: Callable[..., int], check: Callable[..., None]
) -> None:
    edit(file, old, new)
    check(expected if expected.startswith("case.toml") else f"{file}:{expected}")


MANY = {
    "a row with bad cells and names": (
        D, BANANAS, "02/11/2017,UK,banana,complience,Partial,RUS,sure,x,memory,",
        ["3: confidence .. 'sure'", "3: date .. '02/11/2017'", "3: decision .. 'Partial'", "3: kind .. 'complience'",
         "3: rule .. unknown rule 'banana' .. mean 'bananas'", "3: state .. unknown state 'UK' .. H or F"]),
    "a rule it does not owe": (
        D, LABELS, LABELS.replace("low", "sure").replace("labels", "bananas"),
        ["5: confidence .. 'sure'", "5: rule .. state 'F' does not owe rule 'bananas' .. oranges"]),
    "the whole agreement": (D, "certain,signed", "sure,signed", ["2: confidence .. 'sure'"]),
    "a state that is blank": (
        D, LABELS, LABELS.replace("F,", ",").replace("low", "sure"),
        ["5: confidence .. 'sure'", "5: state .. no state"]),
    "a proxy": (
        P, "1999,H,growers,stake,12.5", "1999,G,grower,steak,x",
        ["2: kind .. 'steak'", "2: lobby .. unknown lobby 'grower' .. mean 'growers'",
         "2: state .. unknown state 'G' .. H or F", "2: value .. 'x'"]),
    "a judgement": (
        J, SHADOW, "trade,2000,Q,grower,volatility,x,3,5,,,,",
        ["13: lobby .. unknown lobby 'grower' .. mean 'growers'", "13: p05 .. 'x'", "13: state .. unknown state 'Q'"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MANY)
def test_names_are_checked_in_rows_with_other_problems(
    name: str, edit: Callable[..., int], check: Callable[..., None]
) -> None:
    file, old, new, expected = MANY[name]
    edit(file, old, new)
    check(*(f"{file}:{one}" for one in expected))


@pytest.mark.parametrize(
    "other",
    ["2005-02-03,F,labels,compliance,partial,H,low,,Gazette,", "2005-02,F,labels,compliance,partial,,low,,Gazette,"],
    ids=["another counterparty", "some day of the month"],
)
def test_two_decisions_of_one_day(other: str, edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(D, LABELS, f"{LABELS}\n{other}")
    check()


@pytest.mark.parametrize("day", ["2005", "2005-02"])
def test_of_a_month_or_a_year_there_may_be_two_decisions(
    day: str, edit: Callable[..., int], check: Callable[..., None]
) -> None:
    row = LABELS.replace("2005-02-03", day)
    edit(D, LABELS, f"{row}\n{row.replace('violate', 'partial')}")
    check()


def test_a_year_may_have_begun_before_adherence(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit("case.toml", "adherence_date = 2001-01-01", "adherence_date = 2001-10-01")
    edit(D, "2003-04,H,bananas", "2001,H,bananas")
    check()


@pytest.mark.parametrize("day", ["2000", "2000-12", "2000-12-31"])
def test_a_year_ends_after_what_its_judgement_cites(
    day: str, edit: Callable[..., int], check: Callable[..., None]
) -> None:
    edit(J, GROWERS, GROWERS.replace("2000", day).replace("1999", "2000-12-31"))
    check()


def test_a_lag_of_all_states_is_that_of_those_with_a_discount(
    edit: Callable[..., int], check: Callable[..., None]
) -> None:
    edit(J, "trade,2000,F,,detection_lag", "trade,2000,,,detection_lag")
    check()


def test_q_of_all_states_is_that_of_those_whose_is_not_modelled(
    edit: Callable[..., int], check: Callable[..., None]
) -> None:
    edit(J, "trade,2000,F,,reciprocity", "trade,2000,,,reciprocity")
    check()


@pytest.mark.parametrize(("value", "unit"), [("1", "share"), ("0", ""), ("100", "percent of seats"), ("1.0", "%")])
def test_a_unanimous_vote(value: str, unit: str, edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(P, "0.57,share", f"{value},{unit}")
    check()


@pytest.mark.parametrize("outcome", ["partial", "comply_late"])
def test_partial_where_there_are_two_outcomes(
    outcome: str, edit: Callable[..., int], check: Callable[..., None]
) -> None:
    edit("case.toml", "outcomes = 3", "outcomes = 2")
    edit(D, "comply_late", outcome)
    check(f"decisions.csv:4: decision .. '{outcome}' with outcomes = 2 .. outcomes = 3 in case.toml")


def test_partial_width_where_there_are_two_outcomes(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit("case.toml", "outcomes = 3", "outcomes = 2")
    edit(D, "comply_late", "comply")
    edit(J, NOISE, f"{NOISE}\ntrade,2000,,,partial_width,0.1,0.2,0.3,,,,")
    check("judgements.csv:19: quantity .. outcomes = 2 has no partial .. no such row")


@pytest.mark.parametrize("url", ["http://e.org/a b", "https://e.org", "doi:10.1000/7", "www.e.org", "archive/7"])
def test_an_address(url: str, edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(D, LABELS, LABELS + url)
    check()


def test_lines_and_tabs_in_a_note(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(D, "tariff cut, in part", "tariff\r\n\tcut, in part")
    check()


def test_a_proxy_of_the_day_of_the_horizon(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(P, "2000-06-01", "2020-01-01")
    check()


def test_a_treaty_may_be_refused_twice(edit: Callable[..., int], check: Callable[..., None]) -> None:
    again = "1999-01-01,F,*,adherence,not_adhere,,certain,no,,\n2000-01-01,F,*,adherence,not_adhere,,certain,no again,,"
    edit(D, LABELS, f"{LABELS}\n{again}")
    check()


def test_joining_again_after_leaving(edit: Callable[..., int], check: Callable[..., None]) -> None:
    again = "2002-01-01,H,*,adherence,not_adhere,,certain,left,,\n2003-01-01,H,*,adherence,adhere,,certain,back,,"
    edit(D, LABELS, f"{LABELS}\n{again}")
    check()
