"""What a case is made of: frozen records, one for each table of case.toml and scenarios.toml and each CSV row."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator
from pydantic_core import PydanticCustomError

from bayes_compliance.case.vocabulary import (
    WHOLE_TREATY,
    Confidence,
    Family,
    Outcome,
    ProxyKind,
    Role,
    Scale,
    Stage,
)


def wrong(what: str, allowed: str) -> PydanticCustomError:
    """A refusal in our own words, for validators."""
    return PydanticCustomError("case", "{what}", {"what": what, "allowed": allowed})


def _id(value: str) -> str:
    if value == WHOLE_TREATY:
        raise wrong("'*' stands for the whole treaty", "any other name")
    if not value or value != value.strip() or not value.isprintable() or set(value) & set(",;"):
        raise wrong(f"{value!r} cannot be an id", "a name on one line, no blanks at its ends, no comma or semicolon")
    return value


def _some(value: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if value == ():
        raise wrong("the list is empty", "at least one id, or no such key")
    twice = sorted({item for item in value or () if (value or ()).count(item) > 1})
    if twice:
        raise wrong(f"{twice[0]!r} is named twice", "each id once")
    return value


def _titled(value: str) -> str:
    if not value.strip():
        raise wrong("the text is blank", "a text that names it")
    return value


Id = Annotated[str, AfterValidator(_id)]
Ids = Annotated[tuple[str, ...], AfterValidator(_some)]
Text = Annotated[str, AfterValidator(_titled)]
Positive = Annotated[FiniteFloat, Field(gt=0)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]


class Part(BaseModel):
    """A frozen record; unknown keys are errors, and no value is coerced to another type."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, validate_by_name=True, validate_by_alias=True
    )


class Horizon(Part):
    """How far to look: until a date, in steps of `step_years`."""

    until: date
    step_years: Annotated[FiniteFloat, Field(ge=0.003)] = 1.0


class State(Part):
    """A state. `rules` are those it owes, in the order of case.toml; no counterparties: their conduct is judged."""

    id: Id
    counterparties: Ids | None = None
    counterparty_weights: tuple[Positive, ...] = ()
    threshold: FiniteFloat = 0.0
    adherence_date: date | None = None
    rules: tuple[str, ...] = ()

    @field_validator("counterparty_weights")
    @classmethod
    def _normalised(cls, value: tuple[float, ...], info: Any) -> tuple[float, ...]:
        if "counterparties" not in info.data:
            return ()
        count = len(info.data["counterparties"] or ())
        if value and len(value) != count:
            raise wrong(f"{len(value)} weights for {count} counterparties", "one weight above 0 for each counterparty")
        total = sum(value)
        if value and not 0 < total < float("inf"):
            raise wrong("the weights have no finite sum", "numbers above 0 with a finite sum")
        return tuple(weight / total for weight in value) if value else (1 / count,) * count if count else ()


class Rule(Part):
    """A rule of the agreement and who owes it. `performance` is the share f of the counterparty's side by date."""

    id: Id
    states: tuple[str, ...]
    answered_by: Ids | None = None
    depth: bool = False
    depth_reason: str = ""
    decisions_per_year: Positive = 1.0
    performance: tuple[tuple[date, Share], ...] = ()
    last_period: date | None = None
    unravelling: bool = False
    adherence_date: date | None = None

    @field_validator("performance")
    @classmethod
    def _increasing(cls, value: tuple[tuple[date, float], ...]) -> tuple[tuple[date, float], ...]:
        for (before, _), (after, _) in pairwise(value):
            if after <= before:
                raise wrong(f"{after} does not come after {before}", "pairs [date, share] in the order of their dates")
        return value

    @model_validator(mode="after")
    def _unravels_from_an_end(self) -> Rule:
        if self.unravelling and self.last_period is None:
            raise wrong("unravelling = true without a last period", "unravelling only where last_period is given")
        return self


class StageWeights(Part):
    """How much a lobby of role `other` counts at each stage."""

    status_quo: FiniteFloat
    adherence: FiniteFloat
    compliance: FiniteFloat


class Lobby(Part):
    """A lobby of one state; `rules` and `counterparties` are None when it cares about all. `side` is for `other`."""

    id: Id
    state: str
    role: Role
    rules: Ids | None = None
    counterparties: Ids | None = None
    from_: date | None = Field(default=None, validation_alias="from")
    until: date | None = None
    stage_weights: StageWeights | None = None
    scale: Scale | None = None
    side: Literal["+", "-"] = "+"

    @model_validator(mode="after")
    def _role_has_its_keys(self) -> Lobby:
        only = {"counterparties": ("L",), "stage_weights": ("other",), "side": ("other",)}
        for key, roles in only.items():
            if key in self.model_fields_set and getattr(self, key) is not None and self.role not in roles:
                raise wrong(f"{key} on a lobby of role {self.role}", f"{key} only with role {roles[0]}")
        if self.role == "other" and self.stage_weights is None:
            raise wrong(
                "role other without stage_weights",
                "stage_weights = { status_quo = ..., adherence = ..., compliance = ... }",
            )
        if self.role in ("P", "G") and self.scale == "log":
            raise wrong(f"scale log on a lobby of role {self.role}", "linear: P and G may be negative")
        if self.from_ is not None and self.until is not None and self.from_ >= self.until:
            raise wrong(f"until {self.until} is not after from {self.from_}", "from before until")
        return self


class Shock(Part):
    """A known shock on a date, in yearly standard deviations."""

    date: date
    states: Ids
    scale: Positive


class Dynamics(Part):
    """How magnitudes move beyond a random walk; the half-life is in years."""

    mean_reversion_half_life: Positive | None = None
    shocks: tuple[Shock, ...] = ()


class CounterpartySet(Part):
    """Counterparties to compare, for bilateral against multilateral."""

    id: Id
    states: Ids


class AddedLobby(Part):
    """A lobby that a scenario adds, with a known magnitude."""

    id: Id
    state: str
    role: Literal["J", "K", "L", "P", "G"]
    magnitude: FiniteFloat
    rules: Ids | None = None


class Change(Part):
    """One change of a scenario: a lobby scaled, removed or added, or one thing of a state set."""

    lobby: str | None = None
    scale: Annotated[FiniteFloat, Field(ge=0)] | None = None
    remove: bool = False
    add: AddedLobby | None = None
    state: str | None = None
    q: Share | None = None
    w: Share | None = None
    volatility_scale: Annotated[FiniteFloat, Field(ge=0)] | None = None
    shock: Positive | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Change:
        named = {key for key in type(self).model_fields if getattr(self, key) not in (None, False)}
        forms = [{"lobby", "scale"}, {"lobby", "remove"}, {"add"}]
        forms += [{"state", key} for key in ("q", "w", "volatility_scale", "shock")]
        if named not in forms:
            raise wrong(
                f"a change with {', '.join(sorted(named)) or 'nothing'}",
                "one of lobby + scale, lobby + remove = true, add, state + q, state + w, state + volatility_scale, "
                "state + shock",
            )
        return self


class Scenario(Part):
    """What if, from a date on."""

    id: Id
    title: Text
    from_: date = Field(validation_alias="from")
    changes: tuple[Change, ...] = Field(min_length=1)


class Judgement(Part):
    """An analyst's three quantiles of one quantity. `date_end` is the end of the period that `date` stands for."""

    analyst: Text
    date: date
    date_end: date
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


class Decision(Part):
    """One observed decision; rule `*` is the whole treaty."""

    date: date
    date_end: date
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

    date: date
    date_end: date
    state: str
    lobby: str = ""
    kind: ProxyKind
    value: FiniteFloat
    unit: str = ""
    reliability: Annotated[FiniteFloat, Field(gt=0, le=1)]
    source: str = ""
    url: str = ""
    row: int = 1
