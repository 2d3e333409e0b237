"""A case as files again, such as `load_case` reads: the way of a case that was made or changed in Python."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from bayes_compliance import disk
from bayes_compliance.case.case import Case, Head
from bayes_compliance.case.dates import cell_of
from bayes_compliance.case.loading import load_case
from bayes_compliance.case.problems import one_of, show, suggest
from bayes_compliance.case.records import HEADERS, MORE_COLUMNS, QUANTILES
from bayes_compliance.case.schema import Part
from bayes_compliance.case.schema_rows import Judgement
from bayes_compliance.case.stated import Stated, write
from bayes_compliance.case.tables import LISTS, NOT_IN_FILE
from bayes_compliance.errors import Refused

KINDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    date: "a date, as date(2030, 1, 1)",
}
"""What a value has to be, in words, by the class that a field asks for."""


def write_case(case: Case, folder: str | PathLike[str]) -> Path:
    """Write a case to a folder, from which `load_case` reads an equal one if it is sound.

    Comments of the files that it was read from are lost, and so are the order of their rows and the day as of which it
    is known (`known_by`); quantiles that were stated as a range or by chips stand as quantiles. Where a judgement has
    such `points`, they are written, and its p05, p50 and p95 follow from them. Which rules a state owes is what the
    rules say.

    Parameters
    ----------
    case : Case
        Read, or made or changed in Python: as such it has not been checked, and is when it is read again.
    folder : path
        New or empty.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    Refused
        If the case has a field that no case has, or a value of a kind that its field does not take; or the folder has
        files in it, is no folder, or cannot be written.

    Examples
    --------
    A case with its first judgement (which has no points) halved, as a folder that every command takes::

        case = load_case("case_studies/bananas")
        first, *others = case.judgements
        halved = first.model_copy(update={name: getattr(first, name) / 2 for name in ("p05", "p50", "p95")})
        write_case(case.model_copy(update={"judgements": (halved, *others)}), "halved")
    """
    texts = _texts(case)
    with disk.new_folder(folder) as place:
        for name, text in texts.items():
            (place / name).write_text(text, encoding="utf-8", newline="")
    return place


def checked(case: Case) -> Case:
    """A case that was made or changed in Python as `load_case` would have it: sorted, and refused if it is unsound.

    Raises
    ------
    CaseError
        With every problem; rows are counted in the order of the case.
    Refused
        Where a file could not say so much: see `write_case`.
    """
    with TemporaryDirectory() as folder:
        found = load_case(write_case(case, folder))
    found = found.model_copy(update={"known_by": case.known_by, "inputs": case.inputs})
    return case if found == case else found  # which knows the rows of its own files


def _texts(case: Case) -> dict[str, str]:
    if not isinstance(case, Case):
        raise Refused(f"case: {case!r} is no Case; allowed: one, such as load_case reads")
    if odd := list(dict.fromkeys(_odd(case, "case"))):
        raise Refused("\n".join(odd))
    texts = {"case.toml": "".join(_case_toml(case))}
    tables = {"judgements.csv": case.judgements, "decisions.csv": case.decisions}
    tables |= {"proxies.csv": case.proxies, "seeds.csv": case.seeds}
    texts |= {
        name: _csv(name, rows) for name, rows in tables.items() if rows or name in ("judgements.csv", "decisions.csv")
    }
    if case.scenarios:
        texts["scenarios.toml"] = "".join(_array("scenarios", case.scenarios))
    return texts


def _case_toml(case: Case) -> Iterator[str]:
    head = Head.model_construct(**{name: getattr(case, name) for name in Head.model_fields})
    for key, value in _keys(head):
        yield f"{key} = {_toml(value)}\n"
    for name in LISTS:
        parts = case.dynamics.shocks if name == "shocks" else getattr(case, name)
        yield from _array(name, _as_owed(case) if name == "rules" else parts)


def _as_owed(case: Case) -> list[Part]:
    """Rules in an order that each state's own rules keep: the first of them gives its K_ref."""
    by_id = {rule.id: rule for rule in case.rules}
    order: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(by_id, ()))
    for state in case.states:
        for before, after in pairwise(id for id in state.rules if id in by_id):
            order.add(after, before)
    try:
        return [by_id[id] for id in order.static_order()]
    except CycleError as error:
        raise Refused(f"case.toml: states: their rules stand in orders that no file has ({error.args[1]})") from error


def _array(name: str, parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        yield f"\n[[{name}]]\n"
        for key, value in _keys(part):
            yield f"{key} = {_toml(value)}\n"


def _keys(part: Part) -> Iterator[tuple[str, Any]]:
    """Keys and values of a table, but for those that a file need not say or cannot."""
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if name not in NOT_IN_FILE.get(type(part), ()) and value is not None and value != field.default:
            yield str(field.validation_alias or name), value


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Part):
        return "{ " + ", ".join(f"{key} = {_toml(v)}" for key, v in _keys(value)) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):  # TOML escapes as JSON does, and DEL too
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return value.isoformat() if isinstance(value, date) else _number(value)


def _number(value: Any) -> str:
    """All digits, of NumPy's numbers too."""
    return repr(int(value) if isinstance(value, Integral) else float(value))


def _csv(name: str, rows: Iterable[Any]) -> str:
    cells = [_cells(name, row) for row in rows]
    more = [column for column in MORE_COLUMNS.get(name, ()) if any(row.get(column) for row in cells)]
    out = io.StringIO()
    writer = csv.DictWriter(out, [*HEADERS[name], *more], extrasaction="ignore", restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells)
    return out.getvalue()


def _cells(file: str, row: Any) -> dict[str, str]:
    said = {name: _cell(value) for name, value in row}
    try:
        said["date"] = cell_of(row.date, row.date_end)
    except ValueError as error:
        raise Refused(f"{file}:{row.row}: {error}") from None
    if isinstance(row, Judgement):
        said["values"] = write(Stated(row.points, row.of))
        if row.points:
            said |= dict.fromkeys(QUANTILES, "")
    return said


def _cell(value: Any) -> str:
    if isinstance(value, tuple):
        return ";".join(map(str, value))
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else value if isinstance(value, str) else _number(value)


def _odd(part: Part, place: str) -> Iterator[str]:
    """Fields that a record has not, which `model_copy` takes all the same, and values that none of its files could say.

    What a file can say is checked when it is read.
    """
    fields = type(part).model_fields
    for name in vars(part):
        if name not in fields and not isinstance(getattr(type(part), name, None), cached_property):
            yield f"{place}: {name!r} is no field of a {type(part).__name__}; allowed: {suggest(name, fields)}"
    for name in fields:
        if name in vars(part) and name not in part.place:
            yield from _odd_value(part, name, place)


def _odd_value(part: Part, name: str, place: str) -> Iterator[str]:
    """What is wrong with the value of a field, or with what is in it."""
    value, annotation = getattr(part, name), type(part).model_fields[name].annotation
    classes, many = set(_classes(annotation)), _is_tuple(annotation)
    if value is None:
        if not _may_be_none(part, name):
            yield f"{place}: {name}: None; allowed: {_kinds(classes, many)}"
        return
    if many != isinstance(value, tuple | list):
        what = "no tuple" if many else "several"
        yield f"{place}: {name}: {_shown(value)} is {what}; allowed: {_kinds(classes, many)}"
        return
    for item in _items(value):
        if isinstance(item, Part) and type(item) in classes:
            yield from _odd(item, _place(item, name, place))
        elif not any(_is_a(item, one) for one in classes):
            yield f"{place}: {name}: {_shown(item)} does not fit; allowed: {_kinds(classes, many)}"


def _may_be_none(part: Part, name: str) -> bool:
    """Whether a field may be left out: quantiles follow from points, and the reference date from that of adherence."""
    follows = getattr(part, "points", ()) if name in QUANTILES else name == "reference_date"
    return bool(follows) or NoneType in get_args(type(part).model_fields[name].annotation)


def _is_tuple(annotation: Any) -> bool:
    some = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    return get_origin(annotation) is tuple or any(map(_is_tuple, some))


def _classes(annotation: Any) -> Iterator[type]:
    """Classes of the values that a field takes, or of the items of its tuple; of a choice of words, text."""
    args = get_args(annotation)
    if get_origin(annotation) is Literal:
        yield from map(type, args)
    elif get_origin(annotation) is Annotated:
        yield from _classes(args[0])
    elif args:
        for one in args:
            yield from _classes(one)
    elif isinstance(annotation, type) and annotation is not NoneType:
        yield annotation


def _items(value: Any) -> Iterator[Any]:
    """A value alone, or the items of a tuple and of the tuples in it."""
    if isinstance(value, tuple | list):
        for item in value:
            yield from _items(item)
    else:
        yield value


def _is_a(value: Any, kind: type) -> bool:
    """Whether a value is of a kind, as a file would have it: NumPy's numbers are numbers, and a time is no date."""
    if kind is date:
        return isinstance(value, date) and not isinstance(value, datetime)
    if kind in (int, float):
        return isinstance(value, Real) and not isinstance(value, bool)
    return isinstance(value, kind)


def _kinds(classes: set[type], many: bool = False) -> str:
    words = sorted(KINDS.get(one, f"a {one.__name__}") for one in classes)
    return f"{'a tuple of: ' * many}{one_of(words)}"


def _place(part: Part, name: str, place: str) -> str:
    """Where a record stands: the line of its file, or its id."""
    if f"{name}.csv" in HEADERS:
        return f"{name}.csv:{getattr(part, 'row', 1)}"
    id = getattr(part, "id", "")
    return f"{'' if place == 'case' else f'{place}: '}{name}{f' {id!r}' if id else ''}"


def _shown(value: Any) -> str:
    return f"a {type(value).__name__}" if isinstance(value, dict | set | Part) else show(value)
