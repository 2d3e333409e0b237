"""What case.toml declares, for the checks across tables and files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from bayes_compliance.case.problems import Problems, show, suggest
from bayes_compliance.case.schema import Lobby, Rule, State
from bayes_compliance.case.tables import Path, Tables

Refuse = Callable[[str, str], None]
"""Notes a problem at one place: what is wrong, what is allowed."""


class At:
    """A row of a CSV file, to refuse something of it: called with a column, what is wrong and what is allowed."""

    def __init__(self, problems: Problems, file: str, row: int) -> None:
        self._problems, self._file, self._row = problems, file, row

    def __call__(self, column: str, what: str, allowed: str) -> None:
        self._problems.add(self._file, self._row, column, what, allowed)

    def column(self, name: str) -> Refuse:
        """A way to refuse something in one column."""
        return lambda what, allowed: self(name, what, allowed)


class Names:
    """Declared states, rules and lobbies.

    Attributes
    ----------
    states, rules, lobbies : dict of str to State, Rule or Lobby
        The valid ones by id.
    all : dict of str to list of str
        Ids of the refused ones too.
    owed : dict of str to list of str
        Rules that each state owes, in the order of case.toml.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.states: dict[str, State] = {part.id: part for part in tables.valid["states"].values()}
        self.rules: dict[str, Rule] = {part.id: part for part in tables.valid["rules"].values()}
        self.lobbies: dict[str, Lobby] = {part.id: part for part in tables.valid["lobbies"].values()}
        self.all = {name: tables.ids(name) for name in ("states", "rules", "lobbies")}
        self.sound = {name: len(ids) == len(tables.valid[name]) for name, ids in self.all.items()}
        self.owed: dict[str, list[str]] = {id: [] for id in self.all["states"]}
        for rule in self.rules.values():
            for state in rule.states:
                self.owed.setdefault(state, []).append(rule.id)

    def known(self, name: str, id: str, refuse: Refuse) -> bool:
        """Whether a state, rule or lobby is declared and valid; an undeclared one is refused."""
        if id not in self.all[name]:
            refuse(
                f"unknown {NOUNS[name]} {show(id)}" if id else f"no {NOUNS[name]} is named", suggest(id, self.all[name])
            )
        return id in getattr(self, name)

    def owes(self, state: str, rule: str, refuse: Refuse) -> bool:
        """Whether a state owes a rule; it is refused where all rules could be read and it does not."""
        owed = self.owed.get(state, [])
        if rule not in owed and rule in self.rules:
            refuse(f"state {state!r} does not owe rule {rule!r}", suggest(rule, owed))
        return rule in owed

    def adherence_of(self, state: str, rule: str = "") -> date | None:
        """When a state adhered, as far as case.toml says: the rule's date if one is named, else its own, or the case's.

        None where case.toml has none that can be read.
        """
        head = self.tables.head
        dated = [self.rules.get(rule), self.states.get(state), head]
        return next((part.adherence_date for part in dated if part and part.adherence_date), None)

    def at(self, *path: Any) -> Refuse:
        """A way to refuse something at a path of case.toml."""
        return lambda what, allowed: self.tables.add(path, what, allowed)

    def each(self, name: str) -> list[tuple[Path, Any]]:
        """Valid entries of an array of tables with their paths."""
        return [((name, i), part) for i, part in self.tables.valid[name].items()]


NOUNS = {"states": "state", "rules": "rule", "lobbies": "lobby"}
