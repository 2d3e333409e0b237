"""states.csv and rules.csv: named rows with as many numeric columns as their author has."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from bayes_compliance.case.names import Refuse
from bayes_compliance.case.problems import Problems, show
from bayes_compliance.case.reading import Row, Source, rows
from bayes_compliance.case.records import Cells
from bayes_compliance.case.vocabulary import WHOLE_TREATY
from bayes_compliance.panel.records import Covariates, RuleKey

ID = "a name on one line with none of , ; | in it"


def is_id(text: str, refuse: Refuse) -> bool:
    """Whether a cell can be an id; refused where it cannot."""
    good = bool(text) and text != WHOLE_TREATY and text.isprintable() and not set(text) & set(",;|")
    if not good:
        refuse(f"{show(text)} cannot be an id" if text else "the cell is blank", ID)
    return good


def about_states(source: Source, problems: Problems) -> Covariates:
    """states.csv: `state`, then numeric columns; a blank number is missing."""
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


def about_rules(source: Source, problems: Problems) -> tuple[Covariates, dict[RuleKey, str]]:
    """rules.csv: `case`, `rule`, `area` (may be blank), then numeric columns; and the areas by rule."""
    found: dict[str | RuleKey, tuple[float, ...]] = {}
    seen: dict[str | RuleKey, int] = {}
    areas: dict[RuleKey, str] = {}
    base = ("case", "rule", "area")
    columns = _columns(source, base)
    for row, cells in _rows(source, base, columns, problems):
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
    return _covariates(source, columns, found, problems), areas


def _columns(source: Source, base: tuple[str, ...]) -> tuple[str, ...]:
    """The numeric columns: whatever stands behind the named ones in the first record that is not blank."""
    try:
        for cells in csv.reader(io.StringIO(source.text, newline=""), strict=True):
            if any(cell.strip() for cell in cells):
                return tuple(dict.fromkeys(filter(None, (cell.strip() for cell in cells[len(base) :]))))
    except csv.Error:  # told with its place when the rows are read
        return ()
    return ()


def _rows(
    source: Source, base: tuple[str, ...], columns: tuple[str, ...], problems: Problems
) -> Iterator[tuple[Row, Cells]]:
    for row in rows(source, base, problems, columns):
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
