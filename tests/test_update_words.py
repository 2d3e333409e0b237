"""What `update` says where nothing has changed, and of the page that stays as it is."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date
from types import SimpleNamespace

import pytest

from bayes_compliance import cli
from bayes_compliance.alterations import Alteration, Altered
from bayes_compliance.case import load_case
from bayes_compliance.changes import changes
from bayes_compliance.cli.fitting import _updated
from bayes_compliance.errors import Refused
from bayes_compliance.inference.diagnostics import Check
from bayes_compliance.reopening import refuse_hidden
from bayes_compliance.updating import Updated, _check_same

KEY = ("H", "r")


def made(after: float, changed: tuple[str, ...] = ()) -> Updated:
    return Updated("reweighted", 0.1, date(2010, 1, 1), {KEY: 0.5}, {KEY: after}, {KEY: 0.0}, changed, ())


def test_where_nothing_has_changed_that_is_said_instead_of_zeros() -> None:
    assert _updated(made(0.5)) == (
        "no decision, judgement or proxy has changed, and so nothing changes: reweighted, 1 probability of compliance "
        "on 2010-01-01 stays as in the RUN"
    )
    assert _updated(made(0.51)) == str(made(0.51)), "negative control: what moves has its table"


def test_a_row_that_moves_nothing_has_no_table_of_zeros() -> None:
    row = ("+ decisions.csv: a row",)
    assert str(made(0.5, row)).splitlines() == [
        *row, "", "nothing that is forecast has changed: 1 probability of compliance on 2010-01-01 stays as in the RUN"
    ]  # fmt: skip
    for moves in (made(0.5 + 1e-6, row), made(0.5, row)._replace(after={})):
        assert "before" in str(moves), "negative control: little, or what cannot be told, has its table"


def test_it_is_said_whose_a_failed_diagnostic_is(monkeypatch, capsys) -> None:
    from bayes_compliance import api

    bad = [Check("R-hat", value, "< 1.01", "", False) for value in (1.2, 1.3)]
    found = made(0.6)._replace(checks=tuple(bad), of_fit=1)
    assert found.as_dict()["diagnostics_failed"] == [f"the RUN: {bad[0]}", f"the new fit: {bad[1]}"]
    monkeypatch.setattr(api, "update", lambda *_, **__: found)
    assert cli.main(["update", "case", "RUN"]) == cli.FAILED_DIAGNOSTIC
    said = [line for line in capsys.readouterr().err.splitlines() if "failed" in line]
    assert said == [f"diagnostic failed: the RUN: {bad[0]}", f"diagnostic failed: the new fit: {bad[1]}"]


def test_the_change_has_its_sign_and_stands_between_what_it_is_of_and_its_error() -> None:
    *_, header, row = str(made(0.4)._replace(errors={KEY: 0.0123})).splitlines()
    assert header.split() == ["state", "rule", "before", "after", "change", "error"]
    assert row.split() == ["H", "r", "0.500", "0.400", "-0.100", "0.012"]


@pytest.mark.parametrize(("rows", "more"), [(12, []), (13, ["and 1 row more"]), (15, ["and 3 rows more"])])
def test_twelve_changes_are_shown_and_the_others_counted(rows: int, more: list[str]) -> None:
    changed = tuple(f"+ decisions.csv: {i}" for i in range(rows))
    said, _ = str(made(0.4, changed)).split("\n\n")
    assert said.splitlines() == [*changed[:12], *more]


def test_a_cell_that_was_or_is_blank_is_none() -> None:
    case = load_case("case_studies/bananas")
    row = next(one for one in case.judgements if one.family is None)
    other = row.model_copy(update={"family": "gamma"})
    now = case.model_copy(update={"judgements": tuple(other if one is row else one for one in case.judgements)})
    [there], [back] = changes(case, now), changes(now, case)
    assert there.endswith(" (family none -> gamma)")
    assert back.endswith(" (family gamma -> none)")


def test_what_has_no_answer_has_not_passed() -> None:
    assert made(0.5).passed
    assert not made(0.5)._replace(after={}).passed


def test_of_a_rule_words_may_differ_and_numbers_may_not() -> None:
    case = load_case("case_studies/bananas")
    first, *others = case.rules
    for update, refused in (({"title": "Other words", "depth_reason": "why"}, False), ({"unravelling": True}, True)):
        other = case.model_copy(update={"rules": (first.model_copy(update=update), *others)})
        with pytest.raises(Refused, match=r"in rules \(bananas\)") if refused else nullcontext():
            _check_same(case, other)
    with pytest.raises(Refused, match="not that of the run in outcomes; allowed: the same, or a new run"):
        _check_same(case, case.model_copy(update={"outcomes": 2}))


@pytest.mark.parametrize(
    ("as_of", "id", "hidden"),
    [
        (None, None, []), ("2010-01-01", None, []), ("2010-01-01", "strike", []), ("2009-12-31", "strike", ["strike"]),
        ("2009-12-31", None, []), ("2006-01-01", "calm", []), ("2005-12-31", "calm", ["calm"]),
        ("2005-12-31", None, ["calm", "strike"]),
    ],
)  # fmt: skip
def test_scenarios_are_hidden_before_their_first_day(as_of, id, hidden) -> None:
    """One that is asked for by name, or all where none is known."""
    named = ".*".join(f"'{name}'" for name in hidden)
    with pytest.raises(Refused, match=rf"scenarios\.toml: {named} .*not known on") if hidden else nullcontext():
        refuse_hidden("tests/bad_cases/good", as_of, id)


def test_a_scenario_holds_from_its_first_day_on() -> None:
    since = SimpleNamespace(alteration=Alteration(since=date(2010, 1, 1)))
    assert [Altered.holds(since, date(2009, 12, 31)), Altered.holds(since, date(2010, 1, 1))] == [False, True]


def test_how_the_page_is_renewed_is_said_where_something_has_changed(monkeypatch, capsys) -> None:
    from bayes_compliance import api, reopening

    monkeypatch.setattr(api, "update", lambda *_, **__: made(0.6, ("+ decisions.csv: a row",)))
    settings = {"model": "coalition", "engine": "nuts", "seed": 1, "draws": 1000, "until": None, "as_of": None}
    monkeypatch.setattr(reopening, "summary_of", lambda run: {"settings": settings})
    assert cli.main(["update", "case", "a RUN"]) == cli.DONE
    assert "bayes-compliance run case --out 'a RUN' renews both" in capsys.readouterr().err
    settings |= {"model": "unitary", "seed": 7, "as_of": "2003-12-31"}  # what it was asked for is asked for again
    cli.main(["update", "case", "RUN"])
    command = "bayes-compliance run case --out RUN --model unitary --seed 7 --as-of 2003-12-31 renews both"
    assert command in capsys.readouterr().err
    monkeypatch.setattr(api, "update", lambda *_, **__: made(0.5))
    cli.main(["update", "case", "RUN"])
    assert "renews" not in capsys.readouterr().err
    monkeypatch.setattr(api, "update", lambda *_, **__: made(0.5, ("+ decisions.csv: a pending row",)))
    cli.main(["update", "case", "RUN"])
    assert "renews" not in capsys.readouterr().err
