"""A good case: what it holds, its canonical order, its look-ups, and what was known on a day."""

from __future__ import annotations

import hashlib
import pickle
import random
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from bayes_compliance.case import Case, CaseError, load_case

GOOD = Path(__file__).parent / "bad_cases" / "good"
HEAVY = ("pymc", "pytensor", "arviz", "scipy", "xarray", "pandas", "numpy", "numba", "matplotlib")


@pytest.fixture(scope="module")
def case() -> Case:
    return load_case(GOOD)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "case"))


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_head(case: Case) -> None:
    assert (case.name, case.title, case.scale, case.outcomes) == ("bananas", "Bananas for oranges", "log", 3)
    assert case.horizon.until == date(2020, 1, 1)
    assert case.horizon.step_years == 1
    assert case.status_quo_includes == ("P",)
    assert case.dynamics.mean_reversion_half_life == 10
    assert [(shock.date, shock.states, shock.scale) for shock in case.dynamics.shocks] == [
        (date(2006, 11, 7), ("H",), 3.0)
    ]


def test_reference_date_defaults_to_adherence(folder: Path) -> None:
    _edit(folder / "case.toml", "reference_date = 2001-01-01\n", "")
    assert load_case(folder).reference_date == date(2001, 1, 1)


def test_everything_is_sorted(case: Case) -> None:
    assert [state.id for state in case.states] == ["F", "H"]
    assert [rule.id for rule in case.rules] == ["bananas", "labels", "oranges"]
    assert [b.id for b in case.lobbies] == [
        "consumers", "court", "exporters", "growers", "lawyers", "packers", "shippers",
    ]  # fmt: skip
    assert [scenario.id for scenario in case.scenarios] == ["calm", "strike"]
    assert [d.date for d in case.decisions] == sorted(d.date for d in case.decisions)
    assert case.state("H").rules == ("bananas", "labels")
    assert case.lobby("consumers").rules == ("bananas", "labels")


def test_dates_stand_for_periods(case: Case) -> None:
    by_row = {d.row: (d.date, d.date_end) for d in case.decisions}
    assert by_row[2] == (date(2001, 1, 1), date(2001, 1, 1))
    assert by_row[3] == (date(2003, 4, 15), date(2003, 4, 30))
    assert by_row[4] == (date(2004, 7, 1), date(2004, 12, 31))


def test_cells(case: Case) -> None:
    by_row = {d.row: d for d in case.decisions}
    assert by_row[3].counterparty == ("F", "public")
    assert by_row[3].note == "tariff cut, in part"
    judged = {j.row: j for j in case.judgements}
    assert (judged[3].family, judged[3].weight) == ("lognormal", 2.0)
    assert (judged[2].family, judged[2].weight) == (None, 1.0)
    assert judged[7].state == "H", "the state of a lobby is known where the cell is blank"


def test_look_ups(case: Case) -> None:
    assert [b.id for b in case.lobbies_on("H", "labels")] == ["consumers", "court", "growers", "lawyers"]
    assert [b.id for b in case.lobbies_on("F", "labels")] == ["packers", "shippers"]
    assert case.answered_by("bananas", "F") == ("oranges",)
    assert case.answered_by("labels", "F") == ("oranges", "labels"), "by default every rule that it owes"
    assert case.answered_by("bananas", "H") == ()
    assert case.state("H").counterparty_weights == (1.0,)
    with pytest.raises(KeyError, match="nowhere"):
        case.state("nowhere")


def test_p_and_g_are_linear_whatever_the_scale(case: Case) -> None:
    linear = {b.id for b in case.lobbies if case.is_linear(b)}
    assert linear == {"lawyers", "packers"}


def test_adherence_date_of_the_rule_then_the_state_then_the_case(folder: Path) -> None:
    _edit(folder / "case.toml", 'id = "labels"', 'id = "labels"\nadherence_date = 2003-03-03')
    _edit(folder / "case.toml", "threshold = 0.1", "threshold = 0.1\nadherence_date = 2002-02-02")
    case = load_case(folder)
    found = [case.adherence_of(*pair) for pair in [("H", "labels"), ("H", "bananas"), ("H", "*"), ("F", "oranges")]]
    assert found == [date(2003, 3, 3), date(2002, 2, 2), date(2002, 2, 2), date(2001, 1, 1)]


def test_last_decision_is_not_pending(case: Case, folder: Path) -> None:
    assert case.last_decision_date() == date(2005, 2, 3)
    header = (folder / "decisions.csv").read_text(encoding="utf-8").splitlines()[0]
    (folder / "decisions.csv").write_text(
        f"{header}\n2010-01-01,H,labels,compliance,pending,,low,,,\n", encoding="utf-8"
    )
    assert load_case(folder).last_decision_date() == date(2001, 1, 1)


def test_inputs_are_hashed_as_they_are(case: Case) -> None:
    names = ["case.toml", "decisions.csv", "judgements.csv", "proxies.csv", "scenarios.toml"]
    assert case.inputs == {name: hashlib.sha256((GOOD / name).read_bytes()).hexdigest() for name in names}


def test_weights_go_with_their_counterparties(folder: Path) -> None:
    path = folder / "case.toml"
    _edit(path, 'counterparties = ["F"]\ncounterparty_weights = [2]', 'counterparties = ["X", "F"]\n'
          "counterparty_weights = [3, 1]")  # fmt: skip
    _edit(path, '[[states]]\nid = "F"', '[[states]]\nid = "F"\n[[states]]\nid = "X"')
    _edit(path, 'states = ["F", "H"]', 'states = ["X", "F", "H"]')
    _edit(path, "[dynamics]", '[[lobbies]]\nid = "x"\nstate = "X"\nrole = "K"\n[dynamics]')
    with (folder / "judgements.csv").open("a", encoding="utf-8") as file:
        file.write("trade,2000,X,x,magnitude,1,2,3,,,,\n")
    state = load_case(folder).state("H")
    assert state.counterparties == ("F", "X")
    assert state.counterparty_weights == (0.25, 0.75)


def _shuffled_rows(path: Path, rng: random.Random) -> None:
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    rng.shuffle(rows)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def _shuffled_tables(path: Path, rng: random.Random) -> None:
    head, *tables = re.split(r"(?m)^(?=\[)", path.read_text(encoding="utf-8"))
    rules = [table for table in tables if table.startswith("[[rules]]")]  # their order says which is a state's first
    rng.shuffle(tables)
    tables = [rules.pop(0) if table.startswith("[[rules]]") else table for table in tables]
    path.write_text(head + "\n".join(tables), encoding="utf-8")


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_rows_and_tables_are_the_same_case(seed: int, case: Case, folder: Path) -> None:
    rng = random.Random(seed)
    for name in ("judgements.csv", "decisions.csv", "proxies.csv"):
        _shuffled_rows(folder / name, rng)
    for name in ("case.toml", "scenarios.toml"):
        _shuffled_tables(folder / name, rng)
    _edit(folder / "case.toml", '["labels", "bananas"]', '["bananas", "labels"]')
    _edit(folder / "decisions.csv", "F; public", "public;F")
    shuffled = load_case(folder)
    assert [d.row for d in shuffled.decisions] != [d.row for d in case.decisions]
    assert shuffled == case
    assert hash(shuffled) == hash(case)
    assert repr(re.sub(r"row=\d+|inputs=\{.*\}", "", repr(shuffled))) == repr(
        re.sub(r"row=\d+|inputs=\{.*\}", "", repr(case))
    )


def test_another_number_is_another_case(case: Case, folder: Path) -> None:
    _edit(folder / "judgements.csv", "2,3,5", "2,3,5.5")
    assert load_case(folder) != case


def test_bom_and_crlf_make_no_difference(case: Case, folder: Path) -> None:
    for path in folder.glob("*.*"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_case(folder) == case


def test_blank_lines_and_blanks_around_cells_make_no_difference(case: Case, folder: Path) -> None:
    _edit(folder / "judgements.csv", "trade,2000,H,consumers,", "\n  trade , 2000,H ,consumers ,")
    _edit(folder / "decisions.csv", "2004,F,oranges", ",,,,,,,,,\n2004,F,oranges")
    assert load_case(folder) == case


def test_a_case_is_frozen_and_pickles(case: Case) -> None:
    with pytest.raises(ValueError, match="frozen"):
        case.name = "x"
    again = pickle.loads(pickle.dumps(case))
    assert again == case
    assert again.state("H") == case.state("H")


def test_a_copy_has_look_ups_of_its_own(case: Case) -> None:
    assert case.state("H").threshold == 0.1
    copy = case.model_copy(update={"states": tuple(s.model_copy(update={"threshold": 7.0}) for s in case.states)})
    assert copy.state("H").threshold == 7.0
    assert case.state("H").threshold == 0.1
    assert copy != case


def test_as_of_leaves_out_what_was_not_known(case: Case) -> None:
    then = case.as_of(date(2004, 12, 30))
    assert [d.row for d in then.decisions] == [6, 2, 3], "2004 ends on 31 December"
    assert then.last_decision_date() == date(2003, 4, 15)
    assert case.last_decision_date() == date(2005, 2, 3)
    assert then.dynamics.shocks == ()
    assert then.dynamics.mean_reversion_half_life == 10
    assert then.scenarios == ()
    assert then.judgements == case.judgements
    assert then.inputs == case.inputs
    assert then.lobby("growers") == case.lobby("growers")


def test_as_of_a_late_day_is_the_whole_case(case: Case) -> None:
    assert case.as_of(date(2030, 1, 1)) == case


def test_as_of_keeps_the_end_of_a_period(case: Case) -> None:
    assert len(case.as_of(date(2004, 12, 31)).decisions) == 4
    assert [p.row for p in case.as_of(date(2000, 12, 31)).proxies] == [2, 3]


def test_as_of_the_day_itself_it_is_known(case: Case, folder: Path) -> None:
    for day, shocks, scenarios in ((date(2006, 11, 6), 0, 1), (date(2006, 11, 7), 1, 1), (date(2010, 1, 1), 1, 2)):
        then = case.as_of(day)
        assert (len(then.dynamics.shocks), len(then.scenarios)) == (shocks, scenarios)
    assert [s.id for s in case.as_of(date(2006, 1, 1)).scenarios] == ["calm"]
    _edit(folder / "case.toml", 'states = ["F", "H"]', 'states = ["F", "H"]\ndepth = true\nadherence_date = 2004-06-01')
    two = load_case(folder)
    bananas, labels = ("H", "bananas", date(2001, 1, 1)), [(s, "labels", date(2004, 6, 1)) for s in ("F", "H")]
    assert two.as_of(date(2000, 12, 31)).depths() == []
    assert two.as_of(date(2001, 1, 1)).depths() == [bananas]
    assert two.as_of(date(2004, 5, 31)).depths() == [bananas]
    whole = two.as_of(date(2004, 6, 1))
    assert whole.depths() == [bananas, *labels]
    assert whole.known_by is None


def test_as_of_a_later_day_brings_nothing_back(case: Case) -> None:
    then = case.as_of(date(2000, 12, 31))
    assert case.depths()
    assert not then.depths()
    assert then.as_of(date(2010, 1, 1)) == then


def test_as_of_says_when_the_first_judgement_of_it_was_made(folder: Path) -> None:
    """The earliest, wherever it stands."""
    path = folder / "judgements.csv"
    _edit(path, "trade,2000,H,consumers", "trade,2003,H,consumers")
    with path.open("a", encoding="utf-8") as file:
        file.write("votes,2002-05,H,consumers,magnitude,1,2,4,,,,\n")
    with pytest.raises(CaseError, match=r"judgements\.csv:19: date: .*'consumers'.*; the first is of 2002-05-31"):
        load_case(folder).as_of(date(2001, 1, 1))


def test_a_label_named_twice_is_one(folder: Path) -> None:
    _edit(folder / "decisions.csv", "F; public", "public; F; F")
    assert [d.counterparty for d in load_case(folder).decisions if d.row == 3] == [("F", "public")]


def test_as_of_a_day_before_the_judgements_is_refused(case: Case) -> None:
    with pytest.raises(
        CaseError, match=r"judgements\.csv:2: date: as of 2000-06-01 no magnitude of lobby 'consumers'"
    ) as e:
        case.as_of(date(2000, 6, 1))
    assert "the first is of 2000-12-31; allowed: a row with quantity magnitude" in str(e.value)
    assert "lobby 'growers'" not in str(e.value), "the other analyst judged it in 1999"


@pytest.mark.parametrize("row", ["discount", "reciprocity"])
def test_as_of_asks_for_what_others_rest_on(row: str, folder: Path) -> None:
    _edit(folder / "judgements.csv", f"2000,F,,{row}", f"2002,F,,{row}")
    missing = {"discount": "detection_lag of state 'F' is judged without a discount", "reciprocity": "no reciprocity"}
    with pytest.raises(CaseError, match=re.escape(missing[row])):
        load_case(folder).as_of(date(2002, 12, 30))
    assert load_case(folder).as_of(date(2002, 12, 31)).name == "bananas"


def test_problems_can_be_pickled(case: Case) -> None:
    with pytest.raises(CaseError, match="as of 1990") as caught:
        case.as_of(date(1990, 1, 1))
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems
    assert str(again) == str(caught.value)


def test_import_is_light() -> None:
    code = f"import sys, bayes_compliance.case; print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
