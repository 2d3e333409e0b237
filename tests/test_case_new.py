"""What `new` writes and what the README says of proxies and scenarios is what the loader reads."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from bayes_compliance.case import load_case
from bayes_compliance.case.case import Head
from bayes_compliance.case.doubts import doubts
from bayes_compliance.case.records import HEADERS
from bayes_compliance.case.schema import CounterpartySet, Dynamics, Horizon, Lobby, Rule, Shock, StageWeights, State
from bayes_compliance.case.schema_scenarios import AddedLobby, Change, Scenario
from bayes_compliance.case.tables import keys_of
from bayes_compliance.case.vocabulary import FROM_ZERO, HAZARD, JUDGEABLE, POSITIVE, PROXY_KINDS, QUANTITIES, SHARE
from bayes_compliance.elicitation.defaults import STATE_DEFAULTS, STEP, VOLATILITY
from bayes_compliance.latents import WHERE_NOT_JUDGED
from bayes_compliance.models import load
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


def test_the_readme_names_every_key_of_case_toml() -> None:
    part = README.read_text(encoding="utf-8").partition("### Keys of case.toml")[2].partition("\n### ")[0]
    tables = re.split(r"^\| key.*$", part, flags=re.MULTILINE)[1:]
    named = [{key for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)}
             for table in tables]  # fmt: skip
    kept = {
        "states",
        "rules",
        "lobbies",
        "counterparty_sets",
        "judgements",
        "decisions",
        "proxies",
        "seeds",
        "scenarios",
    }
    assert named[0] == set(keys_of(Head)) - kept
    assert named[1] | {"adherence_date"} == set(keys_of(State)) - {"rules"}
    assert named[2] | {"adherence_date"} == set(keys_of(Rule))
    assert named[3] == set(keys_of(Lobby))
    within = [*keys_of(Horizon), *keys_of(Dynamics), *keys_of(Shock), *keys_of(StageWeights), *keys_of(CounterpartySet)]
    assert [key for key in within if not re.search(rf"\b{key}\b", part)] == []


def judged() -> dict[str, list[str]]:
    """README's table of what may be judged, by quantity: of whom, what it says, what is allowed, what stands else."""
    part = README.read_text(encoding="utf-8").split("### Quantities of judgements.csv")[1].split("\n### ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines() if line.startswith("| `")]
    return {name: row[1:] for row in rows for name in re.findall("`(\\w+)`", row[0])}


def test_readme_names_all_that_may_be_judged() -> None:
    table = judged()
    assert table.keys() == JUDGEABLE.keys()
    words = {SHARE: "0 to 1", POSITIVE: "above 0", FROM_ZERO: "from 0", HAZARD: "from 0, below 1"}
    assert {name: row[2] for name, row in table.items() if name != "magnitude"} == {
        name: words[quantity.support] for name, quantity in JUDGEABLE.items() if name != "magnitude"
    }
    for name, quantity in QUANTITIES.items():
        of = "state" if not quantity.roles else "lobby" if len(quantity.roles) > 3 else ", ".join(quantity.roles)
        assert table[name][0] == of, name


def test_readme_has_the_defaults_in_force() -> None:
    named = STATE_DEFAULTS | {"volatility": VOLATILITY, "step": STEP}
    for name, (*_, told) in judged().items():
        numbers = [float(number) for number in re.findall(r"[\d.]*\d", told.split(";")[0])]
        if name in named:
            default = named[name]
            three = [default.p50] if default.p05 == default.p95 else [default.p50, default.p05, default.p95]
            assert numbers == three + [default.high] * (default.high is not None), name
            assert ("K_ref" in told.split(";")[0]) == default.in_k_ref, name
        elif name == "sincerity":
            low, mid, high = load("opportunism").SINCERITY
            assert numbers == [mid, low, high]
        elif numbers:
            assert numbers == [WHERE_NOT_JUDGED[name]], name
