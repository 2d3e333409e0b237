"""CSV rows as records: each cell is read, and what is wrong within one row is told; nothing is compared with others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from math import isfinite
from typing import Any

from bayes_compliance.case.dates import DATE_FORMS, Period, parse_period
from bayes_compliance.case.problems import Problems, one_of, show, suggest
from bayes_compliance.case.reading import Row
from bayes_compliance.case.schema_rows import Decision, Judgement, Proxy, Seed, in_percent
from bayes_compliance.case.stated import FORMS, NUMBER, Stated, comma, misplaced, parse, straight_line
from bayes_compliance.case.vocabulary import (
    AMOUNTS,
    CONFIDENCES,
    FAMILIES,
    JUDGEABLE,
    OUTCOMES,
    PROXY_KINDS,
    SEED_SCALES,
)

HEADERS: dict[str, tuple[str, ...]] = {
    "judgements.csv": (
        "analyst", "date", "state", "lobby", "quantity", "p05", "p50", "p95", "family", "weight", "rationale", "source",
    ),
    "decisions.csv": (
        "date", "state", "rule", "kind", "decision", "counterparty", "confidence", "note", "source", "url",
    ),
    "proxies.csv": ("date", "state", "lobby", "kind", "value", "unit", "reliability", "source", "url"),
    "seeds.csv": ("date", "analyst", "question", "scale", "p05", "p50", "p95", "realisation", "source"),
}  # fmt: skip
MORE_COLUMNS: dict[str, tuple[str, ...]] = {"judgements.csv": ("values", "rule", "at")}
"""Columns that may stand behind those of the header; files without them mean the same as ever."""

QUANTILES = ("p05", "p50", "p95")


class Cells:
    """Cells of one row, read one by one; `good` turns false with the first problem."""

    def __init__(self, file: str, row: Row, problems: Problems) -> None:
        self.file, self.number, self._cells, self._problems = file, row.number, row.cells, problems
        self.good = True

    def refuse(self, column: str, what: str, allowed: str) -> None:
        self._problems.add(self.file, self.number, column, what, allowed)
        self.good = False

    def text(self, *columns: str) -> dict[str, str]:
        return {column: self._cells[column] for column in columns}

    def needed(self, column: str, allowed: str) -> str:
        if not self._cells[column]:
            self.refuse(column, "the cell is blank", allowed)
        return self._cells[column]

    def word(self, column: str, words: Iterable[str], blank: bool = False) -> Any:
        """One of some words; None where it may be blank and is."""
        value, words = self._cells[column], list(words)
        if value in words:
            return value
        if value or not blank:
            allowed = suggest(value, words) + (" (or blank)" if blank else "")
            self.refuse(column, f"{show(value)} is unknown" if value else "the cell is blank", allowed)
        return None

    def period(self) -> Period | None:
        value = self._cells["date"]
        try:
            return parse_period(value)
        except ValueError as error:
            self.refuse("date", str(error) if value else "the cell is blank", DATE_FORMS)
            return None

    def value(self, column: str, fits: Callable[[float], bool] = isfinite, allowed: str = "a finite number") -> float:
        """A number in plain digits; not a number where it is refused."""
        cell = self._cells[column]
        number = float(cell) if NUMBER.fullmatch(cell) else float("nan")
        if not (isfinite(number) and fits(number)):
            self.refuse(column, f"{show(cell)} is refused" if cell else "the cell is blank", allowed + comma(cell))
            return float("nan")
        return number


def judgement(row: Row, problems: Problems) -> Judgement | None:
    """A row of judgements.csv: three quantiles that rise, or are equal."""
    cells = Cells("judgements.csv", row, problems)
    period = cells.period()
    cells.needed("analyst", "a label for what was read")
    quantity = cells.word("quantity", JUDGEABLE)
    family = cells.word("family", FAMILIES, blank=True)
    weight = cells.value("weight", lambda x: x > 0, "a number above 0, or blank for 1") if row.cells["weight"] else 1.0
    values = _values(cells)
    if quantity is not None and values is not None and _is_of_alone(values, quantity, cells):
        values = None
    three = None if values is None else _three(cells, values)
    at = _at(cells)
    if not cells.good or period is None or values is None or three is None:
        return None
    p05, p50, p95 = three
    texts = cells.text("analyst", "state", "lobby", "rationale", "source", "rule")
    return Judgement(
        date=period.date, date_end=period.end, quantity=quantity, family=family, weight=weight,
        p05=p05, p50=p50, p95=p95, row=row.number, points=values.points, of=values.of, at=at, **texts,
    )  # fmt: skip


def _values(cells: Cells) -> Stated | None:
    """What the column `values` states; None where it is refused, and blank cells beside it are not wrong for that."""
    (text,) = cells.text("values").values()
    try:
        return parse(text)
    except ValueError as error:
        cells.refuse("values", str(error), FORMS)
        return None


def _is_of_alone(values: Stated, quantity: str, cells: Cells) -> bool:
    """Whether `of=` stands, and nothing else, beside a quantity that is no ratio; refused then."""
    alone = bool(values.of) and quantity != "ratio" and not any([values.points, *cells.text(*QUANTILES).values()])
    if alone:
        cells.refuse("values", *misplaced(values.of, quantity))
    return alone


def _three(cells: Cells, values: Stated) -> tuple[float, ...]:
    """p05, p50 and p95 as they stand, or as the column `values` has them (its scale is settled with the lobby)."""
    if not values.points:
        p05, p50, p95 = (cells.value(name) for name in QUANTILES)
        _rise(cells, p05, p50, p95)
        return p05, p50, p95
    for name, text in cells.text(*QUANTILES).items():
        if text:
            cells.refuse(name, f"{show(text)} stands beside quantiles in the column values", "a blank cell")
    return straight_line(values.points, "linear")


def _at(cells: Cells) -> date | None:
    """The day of a judged decision; a month or a year stands for a day, as everywhere."""
    (text,) = cells.text("at").values()
    try:
        return parse_period(text).date if text else None
    except ValueError as error:
        cells.refuse("at", str(error), f"{DATE_FORMS}, or blank")
        return None


def seed(row: Row, problems: Problems) -> Seed | None:
    """A row of seeds.csv: three quantiles that rise, and what came true."""
    cells = Cells("seeds.csv", row, problems)
    period = cells.period()
    cells.needed("analyst", "a label for what was read")
    cells.needed("question", "the question in words, the same for every analyst")
    scale: Any = cells.word("scale", SEED_SCALES, blank=True) or "uniform"
    p05, p50, p95, truth = (cells.value(name) for name in (*QUANTILES, "realisation"))
    if not p05 < p50 < p95 and cells.good:
        cells.refuse("p05", f"{p05:g}, {p50:g}, {p95:g} do not rise", "p05 < p50 < p95")
    if scale == "log" and cells.good and min(p05, truth) <= 0:
        cells.refuse("scale", f"log beside {min(p05, truth):g}", "uniform, or numbers above 0")
    if not cells.good or period is None:
        return None
    return Seed(
        date=period.date, date_end=period.end, scale=scale, p05=p05, p50=p50, p95=p95, realisation=truth,
        row=row.number, **cells.text("analyst", "question", "source"),
    )  # fmt: skip


def _rise(cells: Cells, p05: float, p50: float, p95: float) -> None:
    allowed = "p05 < p50 < p95, or three equal numbers for a known constant"
    if p05 > p95:
        cells.refuse("p05", f"p05 {p05:g} is above p95 {p95:g}", allowed)
    elif p05 > p50 or p50 > p95:
        cells.refuse("p50", f"p50 {p50:g} is not between p05 {p05:g} and p95 {p95:g}", allowed)
    elif p05 < p95 and p50 in (p05, p95):
        cells.refuse("p50", f"p50 {p50:g} is also {'p05' if p50 == p05 else 'p95'}", allowed)


def decision(row: Row, problems: Problems) -> Decision | None:
    """A row of decisions.csv."""
    cells = Cells("decisions.csv", row, problems)
    period = cells.period()
    kind = cells.word("kind", OUTCOMES)
    every = list(dict.fromkeys(word for words in OUTCOMES.values() for word in words))
    own = OUTCOMES[kind] if kind else every
    what = cells.word("decision", every if row.cells["decision"] in every else own)
    if what and what not in own:
        cells.refuse("decision", f"{what!r} is no decision of kind {kind}", one_of(own))
    confidence = cells.word("confidence", CONFIDENCES)
    labels = [label.strip() for label in row.cells["counterparty"].split(";")]
    if row.cells["counterparty"] and not all(labels):
        cells.refuse("counterparty", f"{show(row.cells['counterparty'])} has a blank label", "labels parted by ;")
    _check_url(cells)
    if not cells.good or period is None:
        return None
    return Decision(
        date=period.date, date_end=period.end, kind=kind, decision=what, confidence=confidence,
        counterparty=tuple(sorted(set(filter(None, labels)))), row=row.number,
        **cells.text("state", "rule", "note", "source", "url"),
    )  # fmt: skip


def proxy(row: Row, problems: Problems) -> Proxy | None:
    """A row of proxies.csv; a vote share has no lobby, anything else has one."""
    cells = Cells("proxies.csv", row, problems)
    period = cells.period()
    kind = cells.word("kind", PROXY_KINDS)
    value = cells.value("value")
    reliability = cells.value("reliability", lambda x: 0 < x <= 1, "a number above 0 and at most 1")
    _possible(cells, kind, value, row.cells["unit"])
    if kind == "vote_share" and row.cells["lobby"]:
        cells.refuse("lobby", f"{show(row.cells['lobby'])} stands beside a vote share", "blank: it speaks of the state")
    elif kind and kind != "vote_share":
        cells.needed("lobby", f"the lobby that this {kind} stands for")
    _check_url(cells)
    if not cells.good or period is None:
        return None
    return Proxy(
        date=period.date, date_end=period.end, kind=kind, value=value, reliability=reliability, row=row.number,
        **cells.text("state", "lobby", "unit", "source", "url"),
    )  # fmt: skip


def _check_url(cells: Cells) -> None:
    """Words stand there where a cell before it has a comma and no quotation marks, and the row no url."""
    (url,) = cells.text("url").values()
    if url and not url.startswith(("http://", "https://")) and (" " in url or not {*"./:"} & {*url}):
        allowed = "blank, or such as https://example.org; a cell before it that has a comma needs quotation marks"
        cells.refuse("url", f"{show(url)} is no address", allowed)


def _possible(cells: Cells, kind: str | None, value: float, unit: str) -> None:
    """A share is one of the whole, and an amount is none below 0; not a number is neither, and refused already."""
    whole = 100 if in_percent(unit) else 1
    if kind == "vote_share" and (value < 0 or value > whole):
        allowed = "a share from 0 to 1, or from 0 to 100 with a unit that says percent or %"
        cells.refuse("value", f"{value:g} is no vote share in {unit or 'no unit'}", allowed)
    elif kind in AMOUNTS and value < 0:
        cells.refuse("value", f"{value:g} is no {kind}", "a number of at least 0")


READERS: dict[str, Callable[[Row, Problems], Any]] = {
    "judgements.csv": judgement, "decisions.csv": decision, "proxies.csv": proxy, "seeds.csv": seed,
}  # fmt: skip
