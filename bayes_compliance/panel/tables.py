"""states.csv and rules.csv: named rows with as many numeric columns as their author has, and a `source` for them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from bayes_compliance.case.names import Refuse
from bayes_compliance.case.problems import Problems, show
from bayes_compliance.case.reading import Row, Source, rows
from bayes_compliance.case.records import Cells
from bayes_compliance.case.vocabulary import ANY_RULE, PER_YEAR
from bayes_compliance.panel.records import Covariates, RuleKey

ID = "a name on one line with none of , ; | in it"
TEXT = "source"
"""A column that may stand behind the named ones and is for readers: no covariate."""

RATE = "decisions_per_year"
"""The column of rules.csv that says how often a rule's decisions fall due: no covariate."""


@dataclass(frozen=True, eq=False)
class Rules:
    """rules.csv: covariates, issue areas and decisions a year, by rule; blank cells are not among them."""

    covariates: Covariates = field(default_factory=Covariates)
    areas: dict[RuleKey, str] = field(default_factory=dict)
    per_year: dict[RuleKey, float] = field(default_factory=dict)


def is_id(text: str, refuse: Refuse) -> bool:
    """Whether a cell can be an id; refused where it cannot."""
    good = bool(text) and text != ANY_RULE and text.isprintable() and not set(text) & set(",;|")
    if not good:
        refuse(f"{show(text)} cannot be an id" if text else "the cell is blank", ID)
    return good


def about_states(source: Source, problems: Problems) -> Covariates:
    """states.csv: `state`, then numeric columns and perhaps `source`; a blank number is missing."""
    found: dict[str | RuleKey, tuple[float, ...]] = {}
    seen: dict[str | RuleKey, int] = {}
    columns = _columns(source, ("state",))
    for row, cells in _rows(source, ("state",), columns, problems):
        state = row.cells["state"]
        good = is_id(state, lambda what, allowed, cells=cells: cells.refuse("state", what, allowed))  # type: ignore[misc]
        values = tuple(_number(cells, row, column) for column in columns)
        if good and _first(state, seen, cells, "state"):
            found[state] = values
    return _covariates(source, columns, found, problems)


def about_rules(source: Source, problems: Problems) -> Rules:
    """rules.csv: `case`, `rule`, `area` (may be blank), then numeric columns and perhaps `source`."""
    found: dict[str | RuleKey, tuple[float, ...]] = {}
    seen: dict[str | RuleKey, int] = {}
    areas: dict[RuleKey, str] = {}
    rates: dict[RuleKey, float] = {}
    base = ("case", "rule", "area")
    behind = _columns(source, base)
    columns = tuple(column for column in behind if column != RATE)
    for row, cells in _rows(source, base, behind, problems):
        good = True
        for column in base[: 3 if row.cells["area"] else 2]:
            good &= is_id(
                row.cells[column],
                lambda what, allowed, column=column, cells=cells: cells.refuse(column, what, allowed),  # type: ignore[misc]
            )
        values = tuple(_number(cells, row, column) for column in columns)
        key = RuleKey(row.cells["case"], row.cells["rule"])
        if good and _first(key, seen, cells, "rule"):
            found[key] = values
            areas |= {key: row.cells["area"]} if row.cells["area"] else {}
            rates |= {key: _rate(cells)} if row.cells.get(RATE) else {}
    return Rules(_covariates(source, columns, found, problems), areas, rates)


def _rate(cells: Cells) -> float:
    least, most = PER_YEAR
    return cells.value(RATE, lambda rate: least <= rate <= most, f"{least:g} to {most:g}, or blank for 1")


def _columns(source: Source, base: tuple[str, ...]) -> tuple[str, ...]:
    """The numeric columns: whatever stands behind the named ones in the first record that is not blank."""
    try:
        for cells in csv.reader(io.StringIO(source.text, newline=""), strict=True):
            if any(cell.strip() for cell in cells):
                behind = (cell.strip() for cell in cells[len(base) :])
                return tuple(dict.fromkeys(name for name in behind if name and name != TEXT))
    except csv.Error:  # told with its place when the rows are read
        return ()
    return ()


def _rows(
    source: Source, base: tuple[str, ...], columns: tuple[str, ...], problems: Problems
) -> Iterator[tuple[Row, Cells]]:
    for row in rows(source, base, problems, (*columns, TEXT)):
        yield row, Cells(source.name, row, problems)


def _number(cells: Cells, row: Row, column: str) -> float:
    return cells.value(column, allowed="a finite number, or blank for missing") if row.cells[column] else float("nan")


def _first(key: str | RuleKey, seen: dict[str | RuleKey, int], cells: Cells, column: str) -> bool:
    row = seen.setdefault(key, cells.number)
    if row != cells.number:
        cells.refuse(column, f"{str(key)!r} stands in row {row} already", "one row for each")
    return row == cells.number


def _covariates(
    source: Source, columns: tuple[str, ...], found: dict[str | RuleKey, tuple[float, ...]], problems: Problems
) -> Covariates:
    """The table, each column of which must vary: one that does not has no effect to be learnt."""
    for i, column in enumerate(columns):
        known = {values[i] for values in found.values() if values[i] == values[i]}
        if found and len(known) < 2:
            what = f"{len(known) or 'no'} known value{'s' if len(known) != 1 else ''}"
            problems.add(source.name, 1, column, what, "two different numbers at least")
    return Covariates(columns, found)
