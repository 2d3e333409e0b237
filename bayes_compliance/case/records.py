"""CSV rows as records: each cell is read, and what is wrong within one row is told; nothing is compared with others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any

from bayes_compliance.case.dates import DATE_FORMS, Period, parse_period
from bayes_compliance.case.problems import Problems, one_of, show, suggest
from bayes_compliance.case.reading import Row
from bayes_compliance.case.schema_rows import Decision, Judgement, Proxy
from bayes_compliance.case.vocabulary import CONFIDENCES, FAMILIES, OUTCOMES, PROXY_KINDS, QUANTITIES

HEADERS: dict[str, tuple[str, ...]] = {
    "judgements.csv": (
        "analyst", "date", "state", "lobby", "quantity", "p05", "p50", "p95", "family", "weight", "rationale", "source",
    ),
    "decisions.csv": (
        "date", "state", "rule", "kind", "decision", "counterparty", "confidence", "note", "source", "url",
    ),
    "proxies.csv": ("date", "state", "lobby", "kind", "value", "unit", "reliability", "source", "url"),
}  # fmt: skip
QUANTILES = ("p05", "p50", "p95")

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


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
        number = float(cell) if _NUMBER.fullmatch(cell) else float("nan")
        if not (isfinite(number) and fits(number)):
            self.refuse(column, f"{show(cell)} is refused" if cell else "the cell is blank", allowed)
            return float("nan")
        return number


def judgement(row: Row, problems: Problems) -> Judgement | None:
    """A row of judgements.csv: three quantiles that rise, or are equal."""
    cells = Cells("judgements.csv", row, problems)
    period = cells.period()
    cells.needed("analyst", "a label for what was read")
    quantity = cells.word("quantity", QUANTITIES)
    family = cells.word("family", FAMILIES, blank=True)
    weight = cells.value("weight", lambda x: x > 0, "a number above 0, or blank for 1") if row.cells["weight"] else 1.0
    p05, p50, p95 = (cells.value(name) for name in QUANTILES)
    _rise(cells, p05, p50, p95)
    if not cells.good or period is None:
        return None
    texts = cells.text("analyst", "state", "lobby", "rationale", "source")
    return Judgement(
        date=period.date, date_end=period.end, quantity=quantity, family=family, weight=weight,
        p05=p05, p50=p50, p95=p95, row=row.number, **texts,
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
    what = cells.word("decision", every)
    if kind and what and what not in OUTCOMES[kind]:
        cells.refuse("decision", f"{what!r} is no decision of kind {kind}", one_of(OUTCOMES[kind]))
    confidence = cells.word("confidence", CONFIDENCES)
    labels = [label.strip() for label in row.cells["counterparty"].split(";")]
    if row.cells["counterparty"] and not all(labels):
        cells.refuse("counterparty", f"{show(row.cells['counterparty'])} has a blank label", "labels parted by ;")
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
    if kind == "vote_share" and row.cells["lobby"]:
        cells.refuse("lobby", f"{show(row.cells['lobby'])} stands beside a vote share", "blank: it speaks of the state")
    elif kind and kind != "vote_share":
        cells.needed("lobby", f"the lobby that this {kind} stands for")
    if not cells.good or period is None:
        return None
    return Proxy(
        date=period.date, date_end=period.end, kind=kind, value=value, reliability=reliability, row=row.number,
        **cells.text("state", "lobby", "unit", "source", "url"),
    )  # fmt: skip


READERS: dict[str, Callable[[Row, Problems], Any]] = {
    "judgements.csv": judgement, "decisions.csv": decision, "proxies.csv": proxy,
}  # fmt: skip
