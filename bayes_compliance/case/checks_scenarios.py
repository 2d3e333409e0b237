"""Rules across scenarios.toml and what case.toml declares."""

from __future__ import annotations

from bayes_compliance.case.checks_case import unique
from bayes_compliance.case.names import Names, Refuse
from bayes_compliance.case.problems import one_of, suggest
from bayes_compliance.case.schema_scenarios import AddedLobby, Change, Scenario
from bayes_compliance.case.tables import Path, Tables


def check_scenarios(tables: Tables, names: Names) -> None:
    """Unique ids, and changes that name what there is."""
    unique(tables, "scenarios")
    for i, scenario in tables.valid["scenarios"].items():
        _scenario(tables, names, ("scenarios", i), scenario)


def _scenario(tables: Tables, names: Names, path: Path, scenario: Scenario) -> None:
    added: list[str] = []
    for i, change in enumerate(scenario.changes):
        place = (*path, "changes", i)

        def refuse(what: str, allowed: str, place: Path = place) -> None:
            tables.add(place, what, allowed)

        _change(names, change, added, refuse)
        if change.add:
            added.append(change.add.id)


def _change(names: Names, change: Change, added: list[str], refuse: Refuse) -> None:
    if change.lobby is not None and change.lobby not in (*names.all["lobbies"], *added):
        refuse(f"unknown lobby {change.lobby!r}", suggest(change.lobby, [*names.all["lobbies"], *added]))
    if change.state is not None:
        names.known("states", change.state, refuse)
    if change.add is not None:
        _added(names, change.add, added, refuse)


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
