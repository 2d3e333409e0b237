"""From a folder to a case: read, validate, compare, and sort."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from bayes_compliance.arguments import is_path, shown
from bayes_compliance.case.case import Case, Head, linear
from bayes_compliance.case.checks_case import check_case
from bayes_compliance.case.checks_judgements import check_judgements
from bayes_compliance.case.checks_refused import check_refused_rows, check_refused_tables
from bayes_compliance.case.checks_rows import check_decisions, check_proxies, check_seeds
from bayes_compliance.case.checks_scenarios import check_scenarios
from bayes_compliance.case.completeness import Key
from bayes_compliance.case.names import Names
from bayes_compliance.case.problems import CaseError, Problem, Problems
from bayes_compliance.case.reading import KNOWN, Row, Source, read, rows, slip_of
from bayes_compliance.case.records import HEADERS, MORE_COLUMNS, QUANTILES, READERS
from bayes_compliance.case.schema import Dynamics, Lobby, Part, State
from bayes_compliance.case.schema_rows import Judgement, key_of
from bayes_compliance.case.stated import straight_line
from bayes_compliance.case.tables import CASE, SCENARIOS, Tables
from bayes_compliance.case.vocabulary import FAMILIES, JUDGEABLE
from bayes_compliance.errors import Refused

REQUIRED, OPTIONAL = KNOWN[:3], KNOWN[3:]


class Table(NamedTuple):
    """A CSV file: what could be read of it, all its rows, and whether none was lost to a bad header or a ragged row."""

    records: list[Any]
    rows: list[Row]
    whole: bool

    @property
    def refused(self) -> list[Row]:
        """Rows that are no records."""
        made = {record.row for record in self.records}
        return [row for row in self.rows if row.number not in made]


def load_case(folder: str | PathLike[str]) -> Case:
    """Read and check a case folder.

    Parameters
    ----------
    folder : path
        Holds case.toml, judgements.csv and decisions.csv, and may hold proxies.csv, seeds.csv and scenarios.toml.
        Other files are ignored, but that there is a README is told to the readers of a report, and `check` doubts
        names that are likely slips of those.

    Returns
    -------
    Case
        Sorted canonically: equal for shuffled rows and tables.

    Raises
    ------
    CaseError
        With every problem of every file.
    Refused
        If the folder is no path.
    """
    place = _place(folder)
    if not place.is_dir():
        raise CaseError([_no_folder(place)])
    problems = Problems()
    found = {name: read(place / name, name in REQUIRED, problems) for name in (*REQUIRED, *OPTIONAL)}
    sources = {name: source for name, source in found.items() if source is not None}
    tables = Tables(sources["case.toml"], CASE, problems) if "case.toml" in sources else None
    what_if = Tables(sources["scenarios.toml"], SCENARIOS, problems) if "scenarios.toml" in sources else None
    csv = {name: _table(sources.get(name), name, problems) for name in HEADERS}
    if tables and tables.parsed:
        _compare(Names(tables), what_if, csv, problems)
    problems.raise_if_any()
    assert tables is not None
    inputs = {name: source.sha256 for name, source in sources.items()}
    there = list(place.iterdir())
    slips = {name: slip for name in OPTIONAL if name not in sources and (slip := slip_of(name, there))}
    return _assemble(tables, what_if, csv, {"inputs": inputs, "notes": any(place.glob("README*")), "slips": slips})


def inputs_of(folder: str | PathLike[str], case: Case) -> dict[str, bytes]:
    """The bytes of the files that a case was read from, by name.

    Raises
    ------
    Refused
        If one of them has changed since.
    """
    found = {}
    for name, sha in case.inputs.items():
        with suppress(OSError):
            found[name] = Path(folder, name).read_bytes()
        if name not in found or hashlib.sha256(found[name]).hexdigest() != sha:
            raise Refused(f"{Path(folder, name)}: changed while it was read; allowed: to begin again")
    return found


def _place(folder: Any) -> Path:
    """A path; refused for a case that is in memory, of which `write_case` makes a folder, and for anything else."""
    if is_path(folder):
        return Path(folder)
    if isinstance(folder, Case):
        raise Refused(
            f"case: {folder.name!r} is a Case in memory; allowed: the path of a case folder, such as "
            "bayes_compliance.case.write_case makes of it"
        )
    raise Refused(f"case: {shown(folder)} is no path; allowed: that of a case folder")


def _no_folder(place: Path) -> Problem:
    if place.exists():
        return Problem(str(place), 1, "folder", "this is a file", f"the folder of the case, perhaps {place.parent}")
    return Problem(str(place), 1, "folder", "there is no such folder", f"one with {', '.join(REQUIRED)}")


def _table(source: Source | None, name: str, problems: Problems) -> Table:
    if source is None:
        return Table([], [], False)
    before = len(problems)
    found = list(rows(source, HEADERS[name], problems, MORE_COLUMNS.get(name, ())))
    whole = len(problems) == before
    made = [READERS[name](row, problems) for row in found if not problems.full(name)]
    return Table([record for record in made if record is not None], found, whole)


def _compare(names: Names, what_if: Tables | None, csv: dict[str, Table], problems: Problems) -> None:
    check_case(names)
    check_refused_tables(names)
    for name, table in csv.items():
        check_refused_rows(names, name, table.refused, problems)
    judged = csv["judgements.csv"]
    check_judgements(names, judged.records, _mentioned(judged.rows) if judged.whole else None, problems)
    check_decisions(names, csv["decisions.csv"].records, problems)
    check_proxies(names, csv["proxies.csv"].records, problems)
    check_seeds(csv["seeds.csv"].records, problems)
    if what_if and what_if.parsed:
        check_scenarios(what_if, names)


def _mentioned(found: Iterable[Row]) -> set[Key]:
    cells = (row.cells for row in found)
    return {key_of(*(c[name] for name in ("quantity", "lobby", "state", "rule", "at"))) for c in cells}


def _assemble(tables: Tables, what_if: Tables | None, csv: dict[str, Table], folder: dict[str, Any]) -> Case:
    head = tables.head
    assert head is not None
    valid = {name: list(parts.values()) for name, parts in tables.valid.items()}
    names = Names(tables)
    lobbies = {lobby.id: lobby for lobby in valid["lobbies"]}
    judgements = [
        _settled(judgement, lobbies.get(judgement.lobby), head) for judgement in csv["judgements.csv"].records
    ]
    fields: dict[str, Any] = {name: getattr(head, name) for name in Head.model_fields}
    fields |= {
        "reference_date": head.reference_date or head.adherence_date,
        "status_quo_includes": tuple(sorted(head.status_quo_includes)),
        "dynamics": Dynamics(
            mean_reversion_half_life=head.dynamics.mean_reversion_half_life, shocks=_sorted(valid["shocks"])
        ),
        "states": _by_id(_whole_state(state, names.owed[state.id]) for state in valid["states"]),
        "scenarios": _by_id(what_if.valid["scenarios"].values()) if what_if else (),
        "judgements": _sorted(judgements),
        "decisions": _sorted(csv["decisions.csv"].records),
        "proxies": _sorted(csv["proxies.csv"].records),
        "seeds": _sorted(csv["seeds.csv"].records),
        **folder,
    }
    fields |= {name: _by_id(valid[name]) for name in ("rules", "lobbies", "counterparty_sets")}
    return Case(**fields)


def _whole_state(state: State, owed: list[str]) -> State:
    """A state with the rules that it owes, and its counterparties sorted together with their weights."""
    pairs = sorted(zip(state.counterparties or (), state.counterparty_weights, strict=True))
    update: dict[str, Any] = {"rules": tuple(owed)}
    if pairs:
        update |= dict(zip(("counterparties", "counterparty_weights"), zip(*pairs, strict=True), strict=True))
    return state.model_copy(update=update)


def _settled(judgement: Judgement, lobby: Lobby | None, head: Head) -> Judgement:
    """A judgement with the state of its lobby, and its 5%, 50% and 95% quantiles on the scale that it is on."""
    update: dict[str, Any] = {"state": lobby.state if lobby else judgement.state}
    if judgement.points:
        update |= zip(QUANTILES, straight_line(judgement.points, _scale(judgement, lobby, head)), strict=True)
    return judgement.model_copy(update=update)


def _scale(judgement: Judgement, lobby: Lobby | None, head: Head) -> str:
    support = FAMILIES[judgement.family] if judgement.family else JUDGEABLE[judgement.quantity].support
    if judgement.quantity == "magnitude" and lobby and not judgement.family:
        return "linear" if linear(lobby, head.scale) else "log"
    return support.scale


def _by_id(parts: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(parts, key=lambda part: part.id))


def _sorted(parts: Iterable[Part]) -> tuple[Any, ...]:
    """Records sorted by what they say: by date first, whatever row or order they were read in."""
    return tuple(sorted(parts, key=lambda part: part.order))
