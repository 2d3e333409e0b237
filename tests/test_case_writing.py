"""A case is written as files that say the same."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from bayes_compliance import api
from bayes_compliance.case import CaseError, Decision, Scenario, load_case, write_case
from bayes_compliance.case.schema_scenarios import Change
from bayes_compliance.case.writing import checked
from bayes_compliance.errors import Refused
from tests import builders
from tests.anycase import any_case
from tests.builders import known, normal
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
            "title": ODD, "decisions": (*case.decisions, year, month), "scenarios": (scenario,),
            "judgements": (ranged, *case.judgements[1:]),
        }
    )  # fmt: skip
    again = load_case(write_case(changed, tmp_path / "again"))
    assert (again.title, again.decisions, again.scenarios) == (changed.title, changed.decisions, (scenario,))
    assert [judgement.points for judgement in again.judgements if judgement.points] == [ranged.points]


def test_stated_quantiles_of_any_form_come_back(tmp_path):
    """Chips at levels that no decimal is, levels near 0 and 1, and the multiple of another lobby."""
    stated = {
        "chips": "magnitude,,,,,,,,0.5:1;1:1;2:1", "tails": "magnitude,,,,,,,,q0.00005=.1;q50=2",
        "range": "magnitude,,,,,,,,range99.99999=.5..3", "multiple": "ratio,,,,,,,,of=k;range90=1..2",
    }  # fmt: skip
    lobbies = [{"id": "k", "state": "H", "role": "K"}, *({"id": id, "state": "H", "role": "J"} for id in stated)]
    folder = builders.write_case(tmp_path / "case", lobbies=lobbies, scale="log")
    header = "analyst,date,state,lobby,quantity,p05,p50,p95,family,weight,rationale,source,values,rule,at"
    lines = [header, "a,2000,,k,magnitude,1,2,4,,,,,,,", *(f"a,2000,,{id},{rest},," for id, rest in stated.items())]
    (folder / "judgements.csv").write_text("\n".join(lines) + "\n")
    case = load_case(folder)
    assert sum(bool(judgement.points) for judgement in case.judgements) == 4
    assert load_case(write_case(case, tmp_path / "again")) == case
    assert checked(case) is case, "a case as it was read knows its own rows"


def test_numbers_of_numpy_come_back(tmp_path):
    case = load_case(walk(tmp_path / "case", ["comply"]))
    first, *others = case.judgements
    moved = first.model_copy(update={name: np.float64(getattr(first, name)) / 3 for name in ("p05", "p50", "p95")})
    states = tuple(state.model_copy(update={"threshold": np.float64(0.1)}) for state in case.states)
    changed = case.model_copy(update={"judgements": (moved, *others), "states": states})
    assert load_case(write_case(changed, tmp_path / "again")) == checked(changed)
    assert checked(changed).states[0].threshold == 0.1
    assert f"\noutcomes = {case.outcomes}\n" in (tmp_path / "again" / "case.toml").read_text(), "and no 3.0"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"title": " "}, r"case\.toml:2: title"),
        ({"title": "a\x7fb"}, r"case\.toml:2: title: the control character '\\x7f'"),
        ({"rules": ()}, r"case\.toml"),
    ],
)
def test_a_case_that_no_file_could_hold_is_refused_in_words(tmp_path, change, why):
    case = load_case(walk(tmp_path / "case", ["comply"]))
    with pytest.raises(CaseError, match=why):
        checked(case.model_copy(update=change))


def test_rules_in_orders_that_no_file_has_are_refused(tmp_path):
    rules = [{"id": "a", "states": ["H", "F"]}, {"id": "b", "states": ["H", "F"]}]
    lobbies = [{"id": f"{s} {role}", "state": s, "role": role} for s in ("H", "F") for role in ("J", "K")]
    judgements = [normal(lobby["id"], 1, 0.5) for lobby in lobbies]
    judgements += [known("reciprocity", 0.5, state=state) for state in ("H", "F")]
    case = load_case(
        builders.write_case(
            tmp_path / "case", states=[{"id": "H"}, {"id": "F"}], rules=rules, lobbies=lobbies, judgements=judgements
        )
    )
    assert checked(case) == case
    one, other = case.states
    crossed = case.model_copy(update={"states": (one, other.model_copy(update={"rules": ("b", "a")}))})
    with pytest.raises(Refused, match=r"case\.toml: states: their rules stand in orders that no file has"):
        checked(crossed)


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


def test_what_was_not_known_yet_stays_so():
    case = load_case(Path(__file__).parent / "bad_cases" / "good")
    then = case.as_of(date(2000, 12, 31))
    assert case.depths()
    assert not then.depths()
    turned = then.model_copy(update={"lobbies": then.lobbies[::-1]})
    assert checked(turned) == then
    assert not checked(turned).depths()


def test_a_date_changed_alone_is_that_day(tmp_path):
    case = load_case(walk(tmp_path / "case", ["comply", "violate"]))
    later = case.decisions[-1].model_copy(update={"date": date(2012, 12, 30)})
    assert later.date_end == date(2012, 12, 30)
    again = load_case(write_case(case.model_copy(update={"decisions": (*case.decisions, later)}), tmp_path / "again"))
    assert again.decisions[-1].date == date(2012, 12, 30)
    judged = case.judgements[0].model_copy(update={"date": date(2000, 3, 20)})
    assert judged.date_end == date(2000, 3, 20)


@pytest.mark.parametrize("end", [date(2012, 12, 31), date(2012, 7, 31), date(2009, 6, 1)])
def test_dates_that_are_no_period_are_refused(tmp_path, end):
    case = load_case(walk(tmp_path / "case", ["comply", "violate"]))
    odd = case.decisions[-1].model_copy(update={"date": date(2012, 7, 3), "date_end": end, "row": 7})
    changed = case.model_copy(update={"decisions": (*case.decisions, odd)})
    with pytest.raises(Refused, match=rf"decisions.csv:7: date 2012-07-03 and date_end {end} are no day, month"):
        write_case(changed, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def changed_last(**update):
    return lambda case: {"decisions": (*case.decisions, case.decisions[-1].model_copy(update=update))}


ODDITIES = [
    (lambda case: {"decision": ()}, r"case: 'decision' is no field of a Case; allowed: .*did you mean 'decisions'"),
    (lambda case: {"decisions": None}, "case: decisions: None; allowed: a tuple of: a Decision"),
    (lambda case: {"decisions": "abc"}, "case: decisions: 'abc' is no tuple; allowed: a tuple of: a Decision"),
    (lambda case: {"decisions": ({"date": "2025"},)}, "case: decisions: a dict does not fit; allowed: .* a Decision"),
    (lambda case: {"states": {"a": 1}}, "case: states: a dict is no tuple; allowed: a tuple of: a State"),
    (lambda case: {"rules": case.states}, "case: rules: a State does not fit; allowed: a tuple of: a Rule"),
    (lambda case: {"horizon": None}, "case: horizon: None; allowed: a Horizon"),
    (lambda case: {"horizon": "2040-01-01"}, "case: horizon: '2040-01-01' does not fit; allowed: a Horizon"),
    (
        lambda case: {"states": tuple(one.model_copy(update={"threshold": True}) for one in case.states)},
        "states 'H': threshold: true does not fit; allowed: a number",
    ),
    (lambda case: {"adherence_date": "2001"}, r"case: adherence_date: '2001' does not fit; allowed: a date, as date\("),
    (changed_last(date="2025-03-01"), r"decisions\.csv:3: date: '2025-03-01' does not fit; allowed: a date, as date\("),
    (changed_last(date=datetime(2025, 3, 1)), r"decisions\.csv:3: date: 2025-03-01T00:00:00 does not fit; allowed: a"),
    (changed_last(decison="x"), r"decisions\.csv:3: 'decison' is no field of a Decision; .*did you mean 'decision'"),
    (changed_last(counterparty="F"), r"decisions\.csv:3: counterparty: 'F' is no tuple; allowed: a tuple of: text"),
    (
        lambda case: {"judgements": (case.judgements[0].model_copy(update={"p05": (1,)}), *case.judgements[1:])},
        r"judgements\.csv:\d: p05: a list is several; allowed: a number",
    ),
    (
        lambda case: {"lobbies": tuple(one.model_copy(update={"from": 3}) for one in case.lobbies)},
        r"lobbies 'j': 'from' is no field of a Lobby; allowed: .*did you mean 'from_'",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "why"), ODDITIES)
def test_what_no_file_could_say_is_refused_in_words_and_nothing_is_written(tmp_path, change, why):
    case = load_case(walk(tmp_path / "case", ["comply", "violate"]))
    odd = case.model_copy(update=change(case))
    with pytest.raises(Refused, match=why):
        write_case(odd, tmp_path / "again")
    with pytest.raises(Refused, match=why):
        checked(odd)
    assert not (tmp_path / "again").exists()


def test_a_case_has_to_be_one(tmp_path):
    with pytest.raises(Refused, match=r"case: 'tk' is no Case; allowed: one, such as load_case reads"):
        write_case("tk", tmp_path / "again")


def test_lists_and_what_follows_from_the_rest_are_taken(tmp_path):
    """Lists for tuples, no reference date, and no quantiles where there are points; looked up before, or not."""
    case = load_case(walk(tmp_path / "case", ["comply", "violate"]))
    assert case.state("H")
    ranged = case.judgements[0].model_copy(
        update={"points": ((0.01, 0.25), (0.5, 1.0), (0.995, 4.0)), "p05": None, "p50": None, "p95": None}
    )
    judgements = [ranged, *case.judgements[1:]]
    found = checked(case.model_copy(update={"decisions": [*case.decisions], "judgements": judgements}))
    assert found.decisions == case.decisions
    assert any(judgement.points for judgement in found.judgements)
    assert checked(case.model_copy(update={"reference_date": None})).reference_date == case.adherence_date
