"""Names in what was refused for another reason: they are checked all the same, so that all is told at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bayes_compliance.case.names import At, Names
from bayes_compliance.case.problems import Problems
from bayes_compliance.case.reading import Row
from bayes_compliance.case.tables import Path
from bayes_compliance.case.vocabulary import ANY_RULE

MAY_BE_BLANK = {
    "judgements.csv": ("state", "lobby", "rule"), "decisions.csv": (), "proxies.csv": ("lobby",), "seeds.csv": (),
}  # fmt: skip
"""Columns of each file that may name nothing, or whose blank cells are refused where the row is read."""

NAMED = {"state": "states", "rule": "rules", "lobby": "lobbies"}


def check_refused_rows(names: Names, file: str, rows: Iterable[Row], problems: Problems) -> None:
    """States, rules and lobbies that refused rows name are declared, and a state owes its rule."""
    for row in rows:
        at = At(problems, file, row.number)
        known = {
            column: names.known(name, row.cells[column], at.column(column))
            for column, name in NAMED.items()
            if column in row.cells and _names(file, column, row.cells[column])
        }
        if known.get("state") and known.get("rule"):
            names.owes(row.cells["state"], row.cells["rule"], at.column("rule"))


def _names(file: str, column: str, cell: str) -> bool:
    return bool(cell or column not in MAY_BE_BLANK[file]) and not (column == "rule" and cell == ANY_RULE)


NAMING = {
    "states": {"counterparties": "states"},
    "rules": {"states": "states", "answered_by": "rules"},
    "lobbies": {"state": "states", "rules": "rules", "counterparties": "states"},
    "shocks": {"states": "states"},
    "counterparty_sets": {"states": "states"},
}
"""Keys of tables that name states or rules."""


def check_refused_tables(names: Names) -> None:
    """States and rules that refused tables of case.toml name are declared."""
    for name, keys in NAMING.items():
        entries = names.tables.data.get(name, ())
        for i, entry in enumerate(entries if isinstance(entries, tuple) else ()):
            if i not in names.tables.valid[name] and isinstance(entry, dict):
                for key, kind in keys.items():
                    _named(names, (name, i, key), kind, entry.get(key))


def _named(names: Names, path: Path, name: str, value: Any) -> None:
    for id in value if isinstance(value, tuple) else [value]:
        if isinstance(id, str):
            names.known(name, id, names.at(*path))
