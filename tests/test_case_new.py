"""What `new` writes and what the README says of proxies and scenarios is what the loader reads."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from bayes_compliance.case import load_case
from bayes_compliance.case.doubts import doubts
from bayes_compliance.case.records import HEADERS
from bayes_compliance.case.schema_scenarios import AddedLobby, Change, Scenario
from bayes_compliance.case.tables import keys_of
from bayes_compliance.case.vocabulary import PROXY_KINDS
from bayes_compliance.newcase import new

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    new(tmp_path / "case")
    return tmp_path / "case"


def test_optional_files_are_there_and_say_nothing(folder: Path) -> None:
    case = load_case(folder)
    assert (folder / "proxies.csv").read_text(encoding="utf-8") == ",".join(HEADERS["proxies.csv"]) + "\n"
    assert (case.proxies, case.scenarios) == ((), ())
    assert {"proxies.csv", "scenarios.toml"} <= case.inputs.keys()
    assert doubts(case, date.today()) == []


def test_scenarios_in_comments_are_good_ones(folder: Path) -> None:
    text = (folder / "scenarios.toml").read_text(encoding="utf-8")
    start = text.index("# [[scenarios]]")
    (folder / "scenarios.toml").write_text(re.sub("(?m)^# ", "", text[start:]), encoding="utf-8")
    case = load_case(folder)
    assert [len(scenario.changes) for scenario in case.scenarios] == [3, 1]
    assert doubts(case, date.today()) == []


def test_a_state_may_have_an_adherence_date_of_its_own(folder: Path) -> None:
    text = (folder / "case.toml").read_text(encoding="utf-8")
    assert text.count("\n# adherence_date = 2020-06-30") == 1
    (folder / "case.toml").write_text(text.replace("# adherence_date", "adherence_date"), encoding="utf-8")
    assert load_case(folder).adherence_of("home", "the rule") == date(2020, 6, 30)


def section() -> str:
    text = README.read_text(encoding="utf-8")
    return text.partition("### Columns of decisions.csv")[2].partition("\n## ")[0]


def test_the_readme_names_every_column_and_kind_of_proxies() -> None:
    rows = re.findall(r"^\| (`.*?) \|", section(), re.MULTILINE)
    columns = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert tuple(columns) == HEADERS["proxies.csv"]
    (kinds,) = re.findall(r"^\| `kind` \| (.*) \|", section(), re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", kinds)) == PROXY_KINDS


def test_the_readme_names_every_key_and_change_of_scenarios() -> None:
    assert all(f"`{key}`" in section() for key in keys_of(Scenario))
    tables = [tomllib.loads(f"x = {text}")["x"] for text in re.findall(r"^\| `(\{.*\})` \|", section(), re.MULTILINE)]
    frozen = [{k: v | {"rules": tuple(v["rules"])} if k == "add" else v for k, v in table.items()} for table in tables]
    changes = [Change.model_validate(table) for table in frozen]
    assert {key for table in tables for key in table} == set(keys_of(Change))
    assert {key for table in tables for key in table.get("add", {})} == set(keys_of(AddedLobby))
    assert len(changes) == len({tuple(table) for table in tables}) == 7
