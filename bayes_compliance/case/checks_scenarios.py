"""Rules across scenarios.toml and what case.toml declares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from bayes_compliance.case.checks_case import unique
from bayes_compliance.case.names import Names, Refuse
from bayes_compliance.case.problems import one_of, show, suggest
from bayes_compliance.case.schema_scenarios import AddedLobby, Change, Scenario
from bayes_compliance.case.tables import Path, Tables

Seen = dict[tuple[str, str], list[tuple[int, str]]]
"""Changes up to here, by what they are about and whether it is a lobby or which key: number from 1, and verb."""

OF_A_STATE = ("q", "w", "volatility_scale", "shock")


def check_scenarios(tables: Tables, names: Names) -> None:
    """Unique ids, changes that name what there is and do not contradict each other, and none before adherence."""
    unique(tables, "scenarios")
    for i, scenario in tables.valid["scenarios"].items():
        _begins(tables, names, ("scenarios", i, "from"), scenario)
    entries = tables.data.get("scenarios", ())
    for i, entry in enumerate(entries if isinstance(entries, tuple) else ()):
        changes = entry.get("changes") if isinstance(entry, dict) else None
        _changes(tables, names, ("scenarios", i, "changes"), changes if isinstance(changes, tuple) else ())


def _begins(tables: Tables, names: Names, path: Path, scenario: Scenario) -> None:
    if names.tables.head is None:
        return
    of_states = [state.adherence_date for state in names.states.values()]
    of_rules = [rule.adherence_date for rule in names.rules.values()]
    first = min(day for day in (names.tables.head.adherence_date, *of_states, *of_rules) if day)
    if scenario.from_ < first:
        tables.add(path, f"{scenario.from_} is before anybody adhered, on {first}", f"a date from {first} on")


def _changes(tables: Tables, names: Names, path: Path, changes: tuple[Any, ...]) -> None:
    """Changes one by one, those of a refused scenario too."""
    added: list[str] = []
    seen: Seen = defaultdict(list)
    for i, entry in enumerate(changes):

        def refuse(what: str, allowed: str, place: Path = (*path, i)) -> None:
            tables.add(place, what, allowed)

        change = _read(entry)
        if change is None:
            _refused(names, entry, added, refuse)
            continue
        if _change(names, change, added, refuse):
            _contradiction(change, i + 1, seen, refuse)
        if change.add:
            added.append(change.add.id)


def _read(entry: Any) -> Change | None:
    try:
        return Change.model_validate(entry)
    except ValidationError:
        return None


def _refused(names: Names, entry: Any, added: list[str], refuse: Refuse) -> None:
    """Names in a change that is refused for another reason; a lobby that it would add may be named after it."""
    for state, lobby, new in _named(entry):
        if isinstance(lobby, str):
            _lobby(names, lobby, added, refuse)
        if isinstance(state, str):
            names.known("states", state, refuse)
        if isinstance(new, str):
            added.append(new)


def _named(entry: Any) -> Iterator[tuple[Any, Any, Any]]:
    if isinstance(entry, dict):
        yield entry.get("state"), entry.get("lobby"), None
        if isinstance(add := entry.get("add"), dict):
            yield add.get("state"), None, add.get("id")


def _change(names: Names, change: Change, added: list[str], refuse: Refuse) -> bool:
    """Whether the state or lobby of a change is declared."""
    if change.add is not None:
        _added(names, change.add, added, refuse)
    elif change.lobby is not None:
        return _lobby(names, change.lobby, added, refuse)
    elif change.state is not None:
        return names.known("states", change.state, refuse)
    return True


def _lobby(names: Names, id: str, added: list[str], refuse: Refuse) -> bool:
    known = [*names.all["lobbies"], *added]
    if id not in known:
        refuse(f"unknown lobby {show(id)}", suggest(id, known))
    return id in known


def _contradiction(change: Change, number: int, seen: Seen, refuse: Refuse) -> None:
    """One scenario says one thing of a lobby, and one of each quantity of a state; what it adds it may scale."""
    if change.add is not None:
        seen[change.add.id, "lobby"].append((number, "adds"))
        return
    about, key, does = change.lobby or "", "lobby", "removes" if change.remove else "scales"
    if change.state is not None:
        key = next(name for name in OF_A_STATE if getattr(change, name) is not None)
        about, does = change.state, f"sets {key} of"
    before = seen[about, key]
    for first, did in before:
        if {did, does} != {"adds", "scales"}:
            refuse(f"{does} {about!r}, which change {first} {did.removesuffix(' of')} already", "one of the two")
            break
    before.append((number, does))


def _added(names: Names, lobby: AddedLobby, added: list[str], refuse: Refuse) -> None:
    if lobby.id in (*names.all["lobbies"], *added):
        refuse(f"there is a lobby {lobby.id!r} already", f"another id than {one_of([*names.all['lobbies'], *added])}")
    head = names.tables.head
    if head and head.scale == "log" and lobby.role not in ("P", "G") and lobby.magnitude <= 0:
        refuse(f"magnitude {lobby.magnitude:g} of a lobby on the log scale", "a number above 0")
    if not names.known("states", lobby.state, refuse):
        return
    for id in lobby.rules or ():
        if names.known("rules", id, refuse):
            names.owes(lobby.state, id, refuse)
