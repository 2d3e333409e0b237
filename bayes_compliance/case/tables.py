"""TOML files of a case: parsed, every unknown key refused, and each table validated on its own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

from pydantic import ValidationError

from bayes_compliance.case.case import Head
from bayes_compliance.case.positions import Positions
from bayes_compliance.case.problems import Problems, show, suggest
from bayes_compliance.case.reading import Source
from bayes_compliance.case.schema import (
    CounterpartySet,
    Dynamics,
    Horizon,
    Lobby,
    Part,
    Rule,
    Shock,
    StageWeights,
    State,
)
from bayes_compliance.case.schema_scenarios import AddedLobby, Change, Scenario
from bayes_compliance.case.words import explain

Path = tuple[Any, ...]

CASE: dict[Path, type[Part]] = {
    ("horizon",): Horizon, ("dynamics",): Dynamics, ("states",): State, ("rules",): Rule, ("lobbies",): Lobby,
    ("lobbies", "stage_weights"): StageWeights, ("shocks",): Shock, ("counterparty_sets",): CounterpartySet,
}  # fmt: skip
SCENARIOS: dict[Path, type[Part]] = {
    ("scenarios",): Scenario, ("scenarios", "changes"): Change, ("scenarios", "changes", "add"): AddedLobby,
}  # fmt: skip
LISTS: dict[str, type[Part]] = {
    "states": State, "rules": Rule, "lobbies": Lobby, "shocks": Shock, "counterparty_sets": CounterpartySet,
}  # fmt: skip
REQUIRED = ("states", "rules", "lobbies")
DEEP = re.compile(r"(?m)^[ \t\[]*+[\w-]++(?:[ \t]*+\.[ \t]*+[\w-]++){99}")
"""A key below 99 others, as no file of ours has; `tomllib` takes seconds for thousands."""
NOT_IN_FILE = {State: {"rules"}, Dynamics: {"shocks"}}
"""Fields that are filled from elsewhere."""


def keys_of(model: type[Part]) -> list[str]:
    """Keys that a table may have."""
    fields = ((name, field.validation_alias or name) for name, field in model.model_fields.items())
    return [str(key) for name, key in fields if name not in NOT_IN_FILE.get(model, ())]


class Tables:
    """The tables of one TOML file.

    Attributes
    ----------
    head : Head or None
        The top of case.toml; None where it has problems, or in another file.
    valid : dict of str to dict of int to Part
        Valid entries of each array of tables, by their position.
    """

    def __init__(self, source: Source, models: Mapping[Path, type[Part]], problems: Problems) -> None:
        self.file, self._models, self._problems = source.name, models, problems
        self._text = source.text
        self._positions: Positions | None = None
        self.data: dict[str, Any] = {}
        self.head: Head | None = None
        self.valid: dict[str, dict[int, Any]] = {}
        self.parsed = self._parse()
        if self.parsed:
            self._validate()

    def add(self, path: Path, what: str, allowed: str, row: int | None = None) -> None:
        """Note a problem at a key or table."""
        if self._positions is None:
            self._positions = Positions(self._text)
        place = row or self._positions.line(path)
        self._problems.add(self.file, place, self._label(path), what, allowed)

    def _label(self, path: Path) -> str:
        """A path as `rules[bananas].states`: entries by id, or by number from 1."""
        text = ""
        here: Any = self.data
        for step in path:
            here = _inside(here, step)
            if isinstance(step, int):
                name = here.get("id") if isinstance(here, dict) else None
                text += f"[{name if isinstance(name, str) else step + 1}]"
            else:
                text += f".{step}" if text else str(step)
        return text or "file"

    def ids(self, name: str) -> list[str]:
        """All ids of an array of tables, of refused entries too: what they are named in is not wrong for that."""
        entries = self.data.get(name, ())
        found = (entry.get("id") for entry in entries if isinstance(entry, dict)) if isinstance(entries, tuple) else ()
        return [id for id in found if isinstance(id, str)]

    def _parse(self) -> bool:
        if deep := DEEP.search(self._text):
            line = self._text.count("\n", 0, deep.start()) + 1
            self._problems.add(self.file, line, "file", "a key below 99 others", "keys as the README names them")
            return False
        try:
            self.data = _frozen(tomllib.loads(self._text))
            return True
        except (ValueError, RecursionError) as error:
            line = _line_of(str(error), self._text)
            said = self._text.split("\n")[line - 1].strip()
            where = f" in {show(said)}" if said else ""
            self._problems.add(self.file, line, "file", f"not TOML{where}: {error}", "TOML 1.0")
            return False

    def _validate(self) -> None:
        top = keys_of(Head) + list(LISTS) if ("states",) in self._models else ["scenarios"]
        self._drop_unknown(self.data, (), (), top)
        for name in (*LISTS, "scenarios"):
            if (name,) in self._models:
                self.valid[name] = self._entries(name)
        if ("states",) in self._models:
            rest = {key: value for key, value in self.data.items() if key not in LISTS}
            self.head = self._one(Head, rest, ())

    def _drop_unknown(self, table: dict[str, Any], path: Path, names: Path, keys: list[str]) -> None:
        for key in [key for key in table if key not in keys]:
            self.add((*path, key), f"unknown key {show(key)}", suggest(key, keys))
            del table[key]
        for key, value in table.items():
            model = self._models.get((*names, key))
            items = enumerate(value) if isinstance(value, tuple) else [(None, value)]
            for index, item in items if model else ():
                if isinstance(item, dict):
                    inner = (*path, key) if index is None else (*path, key, index)
                    self._drop_unknown(item, inner, (*names, key), keys_of(model))  # type: ignore[arg-type]

    def _entries(self, name: str) -> dict[int, Any]:
        entries = self.data.get(name, ())
        if not isinstance(entries, tuple):
            self.add((name,), f"{show(entries)} is no list of tables", f"[[{name}]]")
            return {}
        if not entries and name in REQUIRED:
            self.add((name,), f"there are no {name}", f"at least one [[{name}]]")
        made = {i: self._one(self._models[(name,)], entry, (name, i)) for i, entry in enumerate(entries)}
        return {i: part for i, part in made.items() if part is not None}

    def _one(self, model: type[Part], table: Any, path: Path) -> Any:
        try:
            return model.model_validate(table)
        except ValidationError as refused:
            for error in refused.errors(include_url=False):
                if not _only_refused_items(error):
                    self.add((*path, *error["loc"]), *explain(error))
            return None


def _only_refused_items(error: Any) -> bool:
    """Whether a list is called too short only because its items are refused, each in its place."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _frozen(value: Any) -> Any:
    """Lists as tuples, and text composed: what is written as escapes was not when the file was read."""
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    if isinstance(value, str):
        return normalize("NFC", value)
    return {key: _frozen(item) for key, item in value.items()} if isinstance(value, dict) else value


def _inside(value: Any, step: Any) -> Any:
    """What stands under a key or an index, or None."""
    if isinstance(value, tuple):
        return value[step] if isinstance(step, int) and step < len(value) else None
    return value.get(step) if isinstance(value, dict) else None


def _line_of(message: str, text: str) -> int:
    match = re.search(r"at line (\d+)", message)
    return int(match[1]) if match else text.count("\n") + 1 if "end of document" in message else 1
