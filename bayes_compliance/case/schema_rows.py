"""Records of the CSV files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, FiniteFloat

from bayes_compliance.case.completeness import Key
from bayes_compliance.case.dates import cell_of, parse_period
from bayes_compliance.case.schema import Day, Part, Positive, Text
from bayes_compliance.case.vocabulary import (
    ANY_RULE,
    IMPLIED,
    LEVELS,
    Confidence,
    Family,
    Outcome,
    ProxyKind,
    SeedScale,
    Stage,
)


def key_of(quantity: str, lobby: str, state: str, rule: str = "", at: str = "") -> Key:
    """What a row is about: a ratio is about a magnitude, a judged decision about its rule and date."""
    if quantity in IMPLIED:
        return f"{quantity} {rule or ANY_RULE} {at}", lobby, state
    return "magnitude" if quantity == "ratio" else quantity, lobby, "" if lobby else state


class Dated(Part):
    """A row with a `date`, which stands for a period, and `date_end`, its last day."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values, unchecked; a `date` without its `date_end` is that day."""
        if update is not None and "date" in update:
            update = {"date_end": update["date"], **update}
        return super().model_copy(update=update, deep=deep)


class Judgement(Dated):
    """An analyst's judgement of one quantity. `date_end` is the end of the period that `date` stands for.

    `points` are the quantiles that the column `values` states, (level, value); p05, p50 and p95 are then those on
    straight lines through them against normal scores. `of` is the lobby that a ratio is of; `rule` and `at` say of
    which decision p_adhere and p_comply are.
    """

    analyst: Text
    date: Day
    date_end: Day
    state: str = ""
    lobby: str = ""
    quantity: str
    p05: FiniteFloat
    p50: FiniteFloat
    p95: FiniteFloat
    family: Family | None = None
    weight: Positive = 1.0
    rationale: str = ""
    source: str = ""
    row: int = 1
    points: tuple[tuple[FiniteFloat, FiniteFloat], ...] = ()
    of: str = ""
    rule: str = ""
    at: Day | None = None

    @property
    def key(self) -> Key:
        """What is judged: quantity, lobby or blank, and state or blank (blank where there is a lobby)."""
        return key_of(self.quantity, self.lobby, self.state, self.rule, self.at.isoformat() if self.at else "")

    @property
    def stated(self) -> tuple[tuple[float, float], ...]:
        """Levels and values as they were stated."""
        return self.points or tuple(zip(LEVELS, (self.p05, self.p50, self.p95), strict=True))

    @property
    def is_constant(self) -> bool:
        """Whether it states a known constant: three equal quantiles."""
        return not self.points and self.p05 == self.p95


class Decision(Dated):
    """One observed decision; rule `*` is the whole agreement."""

    date: Day
    date_end: Day
    state: str
    rule: str
    kind: Stage
    decision: Outcome
    counterparty: tuple[str, ...] = ()
    confidence: Confidence = "certain"
    note: str = ""
    source: str = ""
    url: str = ""
    row: int = 1

    @property
    def first_day(self) -> Day:
        """The first day of the period that `date` stands for: a day, a month or a year."""
        return parse_period(cell_of(self.date, self.date_end)).start


class Seed(Dated):
    """An analyst's three quantiles of a question whose answer is known; `date` is when it became known.

    `scale` says where the analysts' background knowledge is spread evenly: `uniform` or `log`.
    """

    date: Day
    date_end: Day
    analyst: Text
    question: Text
    scale: SeedScale = "uniform"
    p05: FiniteFloat
    p50: FiniteFloat
    p95: FiniteFloat
    realisation: FiniteFloat
    source: str = ""
    row: int = 1


def in_percent(unit: str) -> bool:
    """Whether a unit says that 100 is the whole."""
    return "percent" in unit.lower() or "%" in unit


class Proxy(Dated):
    """A measured stand-in for a magnitude; `reliability` is above 0 and at most 1."""

    date: Day
    date_end: Day
    state: str
    lobby: str = ""
    kind: ProxyKind
    value: FiniteFloat
    unit: str = ""
    reliability: Annotated[FiniteFloat, Field(gt=0, le=1)]
    source: str = ""
    url: str = ""
    row: int = 1

    @property
    def share(self) -> float:
        """The value as a share of the whole, in percent where the unit says so."""
        return self.value / 100 if in_percent(self.unit) else self.value
