"""A panel's files: what is read, and every problem with its place."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from bayes_compliance import models
from bayes_compliance.case import CaseError
from bayes_compliance.errors import Refused
from bayes_compliance.panel import RuleKey, load_panel
from bayes_compliance.panel.layout import PanelLayout
from tests.builders import complied, normal, write_case
from tests.panel.plain import HEADER, write_table

GOOD = """a,2001-01-01,X,*,adherence,adhere,,high,,,
a,2003-01-01,X,r,compliance,comply,,high,,,
a,2004-01-01,Y,s,compliance,partial,,low,,,
b,2005,Y,r,compliance,pending,,high,,,
b,2006,X,r,compliance,violate,,certain,,,
"""
STATES = "state,bar,rights\nX,1.5,10\nY,,12\nZ,3.5,20\n"
RULES = "case,rule,area\na,r,trade\na,s,\nb,r,\nb,new,rights\n"


def test_a_table_with_covariates(tmp_path):
    panel = load_panel(write_table(tmp_path / "p", GOOD, STATES, RULES))
    assert panel.name == "p"
    assert [e.decision.decision for e in panel.entries] == ["adhere", "comply", "partial", "violate"]
    assert panel.observed_states == ("X", "Y")
    assert panel.all_states == ("X", "Y", "Z")
    assert panel.observed_rules == (RuleKey("a", "r"), RuleKey("a", "s"), RuleKey("b", "r"))
    assert RuleKey("b", "new") in panel.all_rules
    assert panel.last == date(2006, 7, 1)
    assert (panel.until - panel.last).days == round(5 * 365.25)
    assert set(panel.inputs) == {"decisions.csv", "states.csv", "rules.csv"}
    bar = panel.states.standardised(panel.all_states)[:, 0]
    assert np.isnan(bar[1])
    np.testing.assert_allclose(bar[[0, 2]], [-1, 1])


def test_rates_and_sources_are_no_covariates(tmp_path):
    rules = "case,rule,area,depth,source,decisions_per_year\na,r,x,1,a book,2\na,s,x,2,,\nb,r,,3,,0.5\nb,t,,4,,1\n"
    states = "state,source,bar\nX,a poll,1\nY,,2\n"
    panel = load_panel(write_table(tmp_path / "p", GOOD, states, rules))
    assert panel.rules.columns == ("depth",)
    assert panel.states.columns == ("bar",)
    assert panel.per_year == {RuleKey("a", "r"): 2.0, RuleKey("b", "r"): 0.5}
    assert panel.step_years == 1.0


def test_shuffled_rows_give_the_same_panel(tmp_path):
    lines = GOOD.splitlines(keepends=True)
    random.Random(3).shuffle(lines)
    one = load_panel(write_table(tmp_path / "a", GOOD, STATES))
    other = load_panel(write_table(tmp_path / "b", "".join(lines), STATES))
    assert one.entries == other.entries
    assert PanelLayout(one).labels == PanelLayout(other).labels


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2003-01-01", "2003-13-01", r"decisions\.csv:3: date: '2003-13-01' is not in the calendar; allowed: an ISO"),
        ("comply,", "compyl,", r"decisions\.csv:3: decision: 'compyl' is unknown; allowed: .*did you mean 'comply'"),
        ("a,2004", ",2004", r"decisions\.csv:4: case: the cell is blank; allowed: a name"),
        ("Y,s", "Y|Z,s", r"decisions\.csv:4: state: 'Y\|Z' cannot be an id; allowed: a name"),
        ("X,r,compliance,comply", "X,*,compliance,comply", r"decisions\.csv:3: rule: '\*' cannot be an id"),
        ("low", "lwo", r"decisions\.csv:4: confidence: 'lwo' is unknown; allowed: .*low"),
        ("X,r,compliance,comply,", "X,r,compliance,comply,X", r"decisions\.csv:3: counterparty: state 'X' is its own"),
        ("b,2006,X", "b,2006,Y,more", r"decisions\.csv:6: row: 12 cells; allowed: 11 cells"),
        (HEADER, HEADER.replace("case,", ""), r"decisions\.csv:1: header: column case is missing"),
        (HEADER, HEADER + "a,2001-01-01,X,*,adherence,adhere,,high,,,\n", r"decisions\.csv:3: row: the same as row 2"),
    ],
)
def test_each_bad_row_is_named_with_its_place(tmp_path, old, new, words):
    folder = write_table(tmp_path, GOOD)
    text = (folder / "decisions.csv").read_text()
    assert text.count(old) >= 1
    (folder / "decisions.csv").write_text(text.replace(old, new, 1))
    with pytest.raises(CaseError, match=words):
        load_panel(folder)


@pytest.mark.parametrize(
    ("states", "rules", "words"),
    [
        ("state,bar\nX,1\nX,2\n", "", r"states\.csv:3: state: 'X' stands in row 2 already; allowed: one row for each"),
        ("state,bar\nX,many\nY,2\n", "", r"states\.csv:2: bar: 'many' is refused; allowed: a finite number, or blank"),
        ("state,bar\nX,1\nY,1\n", "", r"states\.csv:1: bar: 1 known value; allowed: two different numbers"),
        ("state,bar\nX,\nY,\n", "", r"states\.csv:1: bar: no known values; allowed: two different"),
        ("state,bar,bar\nX,1,2\nY,2,3\n", "", r"states\.csv:1: header: .*bar stands twice"),
        ("state,,bar\nX,1,2\nY,2,3\n", "", r"states\.csv:1: header: the header is blank in column 2"),
        ("country,bar\nX,1\nY,2\n", "", r"states\.csv:1: header: .*column state is missing"),
        ("state,bar\nX,1e999\nY,2\n", "", r"states\.csv:2: bar: '1e999' is refused"),
        ("", "case,rule,area\na,r,x;y\n", r"rules\.csv:2: area: 'x;y' cannot be an id"),
        ("", "case,rule,area\na,r,x\na,r,y\n", r"rules\.csv:3: rule: 'a: r' stands in row 2 already"),
    ],
)
def test_bad_covariates(tmp_path, states, rules, words):
    with pytest.raises(CaseError, match=words):
        load_panel(write_table(tmp_path, GOOD, states, rules))


def test_a_file_of_covariates_with_a_header_only_lacks_rows_and_no_numbers(tmp_path):
    with pytest.raises(CaseError) as refused:
        load_panel(write_table(tmp_path, GOOD, "state,bar\n"))
    assert {(p.column, p.what.partition(",")[0]) for p in refused.value.problems} == {
        ("state", "no row for 'X'"), ("state", "no row for 'Y'"),
    }  # fmt: skip


def test_the_least_and_the_most_decisions_a_year(tmp_path):
    rules = "case,rule,area,decisions_per_year\na,r,x,0.01\na,s,x,365\nb,r,,\n"
    panel = load_panel(write_table(tmp_path, GOOD, "", rules))
    assert panel.per_year == {RuleKey("a", "r"): 0.01, RuleKey("a", "s"): 365}


def test_case_folders_look_as_far_as_the_farthest_in_steps_of_the_finest(tmp_path):
    small_case(tmp_path / "one", "X", horizon={"until": date(2030, 1, 1), "step_years": 5})
    small_case(tmp_path / "two", "Y", horizon={"until": date(2020, 1, 1), "step_years": 2})
    panel = load_panel(tmp_path)
    assert (panel.until, panel.step_years) == (date(2030, 1, 1), 2)


def test_all_problems_of_all_files_at_once(tmp_path):
    bad = GOOD.replace("low", "lwo").replace("comply,", "compyl,")
    with pytest.raises(CaseError) as refused:
        load_panel(write_table(tmp_path, bad, "state,bar\nX,many\nY,2\n"))
    assert {(p.file, p.row, p.column) for p in refused.value.problems} >= {
        ("decisions.csv", 3, "decision"), ("decisions.csv", 4, "confidence"), ("states.csv", 2, "bar"),
    }  # fmt: skip


def test_settings_that_do_not_fit_are_refused(tmp_path):
    folder = write_table(tmp_path / "p", GOOD)
    with pytest.raises(CaseError, match=r"decisions\.csv:4: decision: 'partial' with two outcomes"):
        load_panel(folder, outcomes=2)
    with pytest.raises(
        CaseError, match=r"--until:1: date: 2000-01-01 is not after the last decision; allowed: a date af"
    ):
        load_panel(folder, until=date(2000, 1, 1))
    with pytest.raises(CaseError, match=r"--cases:1: name: a beside decisions\.csv; allowed: nothing"):
        load_panel(folder, cases=["a"])
    with pytest.raises(CaseError, match=r"decisions of 1 state; allowed: .*of two states"):
        load_panel(write_table(tmp_path / "q", GOOD.splitlines(keepends=True)[1]))
    with pytest.raises(CaseError, match="there is no such folder; allowed: a folder of case folders, or"):
        load_panel(tmp_path / "none")
    with pytest.raises(CaseError, match=r"neither decisions\.csv nor case folders"):
        load_panel(tmp_path)


def small_case(folder: Path, state: str, **more) -> None:
    write_case(
        folder,
        states=[{"id": state}],
        rules=[{"id": "r", "states": [state], "depth": True}],
        lobbies=[{"id": "j", "state": state, "role": "J"}, {"id": "k", "state": state, "role": "K"}],
        judgements=[normal("j", 1, 0.5), normal("k", 1, 0.5)],
        decisions=[complied("2003-05-01", state=state), complied("2004-05-01", "violate", state=state)],
        **more,
    )


def test_a_case_folder_is_told_from_a_table(tmp_path):
    small_case(tmp_path / "one", "X")
    above = rf"the folder above, .*{tmp_path.name}, with --cases one$"
    with pytest.raises(CaseError, match=rf"one:1: folder: this is a case folder itself; allowed: {above}"):
        load_panel(tmp_path / "one")


def test_case_folders_side_by_side(tmp_path):
    small_case(tmp_path / "one", "X")
    small_case(tmp_path / "two", "Y", outcomes=2)
    panel = load_panel(tmp_path)
    assert panel.all_states == ("X", "Y")
    assert panel.outcomes["two"] == 2
    assert [e.decision.decision for e in panel.entries if e.depth] == ["violate", "violate"]
    assert {e.decision.kind for e in panel.entries if e.depth} == {"status_quo"}
    assert "two/case.toml" in panel.inputs
    assert panel.step_years == 5.0
    (tmp_path / "rules.csv").write_text("case,rule,area\none,r,trade\ntwo,r,rights\n")
    assert set(load_panel(tmp_path).areas.values()) == {"trade", "rights"}
    small_case(tmp_path / "three", "Z")
    with pytest.raises(
        CaseError, match=r"rules\.csv:1: rule: no row for 'three: r', of which 3 decisions are on record"
    ):
        load_panel(tmp_path)
    assert load_panel(tmp_path, cases=["one", "two"]).all_states == ("X", "Y")
    (tmp_path / "rules.csv").write_text("case,rule,area\none,r,trade\ntwo,r,rights\nthree,r,rights\n")
    assert {rule.case for rule in load_panel(tmp_path, cases=["one", "two"]).all_rules} == {"one", "two"}
    (tmp_path / "rules.csv").write_text("case,rule,area,decisions_per_year\none,r,trade,2\ntwo,r,rights,\nthree,r,,\n")
    with pytest.raises(
        CaseError, match=r"rules\.csv:1: decisions_per_year: .*; allowed: nothing: each case\.toml says"
    ):
        load_panel(tmp_path)
    (tmp_path / "rules.csv").unlink()
    with pytest.raises(CaseError, match=r"--cases:1: name: 'tow' is no case folder of .*did you mean 'two'"):
        load_panel(tmp_path, cases=["one", "tow"])
    with pytest.raises(CaseError, match=r"--cases:1: name: 'one' is given twice; allowed: each once$"):
        load_panel(tmp_path, cases=["one", "two", "one"])
    with pytest.raises(CaseError, match=r"--outcomes:1: number: 3 beside case folders; allowed: nothing"):
        load_panel(tmp_path, outcomes=3)
    (tmp_path / "two/decisions.csv").write_text(
        (tmp_path / "two/decisions.csv").read_text().replace("comply", "cmply", 1)
    )
    with pytest.raises(CaseError, match=r"two/decisions\.csv:2: decision: 'cmply' is unknown"):
        load_panel(tmp_path)


def test_the_model_is_of_no_single_case():
    assert "panel" not in models.available()
    with pytest.raises(Refused, match=r"'panel' is no model of one case; allowed: coalition, .*bayes-compliance panel"):
        models.load("panel")
