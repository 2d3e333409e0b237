"""Records of the CSV files."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, FiniteFloat

from bayes_compliance.case.completeness import Key
from bayes_compliance.case.schema import Day, Part, Positive, Text
from bayes_compliance.case.vocabulary import Confidence, Family, Outcome, ProxyKind, Stage


class Judgement(Part):
    """An analyst's three quantiles of one quantity. `date_end` is the end of the period that `date` stands for."""

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

    @property
    def key(self) -> Key:
        """What is judged: quantity, lobby or blank, and state or blank (blank where there is a lobby)."""
        return self.quantity, self.lobby, "" if self.lobby else self.state


class Decision(Part):
    """One observed decision; rule `*` is the whole treaty."""

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


class Proxy(Part):
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
