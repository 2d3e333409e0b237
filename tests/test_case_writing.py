"""A case is written as files that say the same."""

from datetime import date
from pathlib import Path

import pytest

from bayes_compliance import api
from bayes_compliance.case import CaseError, Decision, Scenario, load_case, write_case
from bayes_compliance.case.schema_scenarios import Change
from bayes_compliance.case.writing import checked
from bayes_compliance.errors import Refused
from tests.anycase import any_case
from tests.inference.linear_cases import walk

SHIPPED = sorted(path.parent for path in Path("case_studies").glob("*/case.toml"))
ODD = 'quote " and \\ slash, tab\tand\nline, ünïcode, = # [x]'


def without_files(case):
    return case.model_copy(update={"inputs": {}})


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_case_comes_back(tmp_path, folder):
    case = load_case(folder)
    again = load_case(write_case(case, tmp_path / "again"))
    assert without_files(again) == without_files(case)
    assert [state.rules for state in again.states] == [state.rules for state in case.states]
    assert {row.row for row in again.decisions} == set(range(2, len(case.decisions) + 2))


@pytest.mark.parametrize("seed", range(20))
def test_any_case_comes_back(tmp_path, seed):
    case = load_case(any_case(tmp_path / "case", seed))
    again = load_case(write_case(case, tmp_path / "again"))
    assert without_files(again) == without_files(case)
    other = load_case(any_case(tmp_path / "other", seed + 100))
    assert without_files(other) != without_files(case), "cases must differ"


def test_odd_texts_and_periods_come_back(tmp_path):
    case = load_case(walk(tmp_path / "case", ["comply", "violate"]))
    year, month = (
        case.decisions[-1].model_copy(update={"date": day, "date_end": end, "note": ODD})
        for day, end in ((date(2003, 7, 1), date(2003, 12, 31)), (date(2004, 2, 15), date(2004, 2, 29)))
    )
    scenario = Scenario(id="s", title="What?", from_=date(2005, 1, 1), changes=(Change(lobby="j", scale=0.0),))
    ranged = case.judgements[0].model_copy(update={"points": ((0.01, 0.25), (0.5, 1.0), (0.995, 4.0))})
    changed = case.model_copy(
        update={
            "title": ODD + "\x7f\x01", "decisions": (*case.decisions, year, month), "scenarios": (scenario,),
            "judgements": (ranged, *case.judgements[1:]),
        }
    )  # fmt: skip
    again = load_case(write_case(changed, tmp_path / "again"))
    assert (again.title, again.decisions, again.scenarios) == (changed.title, changed.decisions, (scenario,))
    assert [judgement.points for judgement in again.judgements if judgement.points] == [ranged.points]


def test_a_folder_with_files_in_it_is_left_alone(tmp_path):
    case = load_case(walk(tmp_path / "case", ["comply"]))
    before = (tmp_path / "case" / "case.toml").read_bytes()
    for place in (tmp_path / "case", tmp_path / "case" / "case.toml"):
        with pytest.raises(Refused, match="this is no empty folder; allowed: a new or an empty one"):
            write_case(case, place)
    assert (tmp_path / "case" / "case.toml").read_bytes() == before
    with pytest.raises(Refused, match=r"cannot be written .*; allowed: a new or an empty folder"):
        write_case(case, tmp_path / "case" / "case.toml" / "below")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"date": date(1990, 1, 1), "date_end": date(1990, 1, 1)},
            r"decisions\.csv:4: date: 1990-01-01 is before state",
        ),
        ({"state": "ZZ"}, r"decisions\.csv:4: state: unknown state 'ZZ'; allowed: H"),
        ({"decision": "adhere"}, r"decisions\.csv:4: decision: 'adhere' is no decision of kind compliance"),
    ],
)
def test_a_case_changed_in_python_is_checked_before_a_run_is_updated_by_it(tmp_path, change, why):
    case = load_case(walk(tmp_path / "case", ["comply", "violate"]))
    done = api.run(tmp_path / "case", tmp_path / "run", engine="exact", draws=100, chains=2)
    row = Decision.model_construct(**(dict(case.decisions[-1]) | change))
    with pytest.raises(CaseError, match=why):
        api.update(done, case.model_copy(update={"decisions": (*case.decisions, row)}))
    swapped = case.judgements[0].model_copy(update={"p05": 100.0, "p50": 60.0, "p95": 10.0})
    with pytest.raises(CaseError, match=r"judgements\.csv:2: p05: p05 100 is above p95 10"):
        api.update(done, case.model_copy(update={"judgements": (swapped, *case.judgements[1:])}))


def test_rows_in_another_order_are_the_same_case(tmp_path):
    case = load_case(any_case(tmp_path / "case", 3))
    shuffled = case.model_copy(
        update={name: getattr(case, name)[::-1] for name in ("judgements", "decisions", "lobbies", "rules", "states")}
    )
    assert shuffled != case
    assert checked(shuffled) == case
    assert checked(shuffled).inputs == case.inputs
