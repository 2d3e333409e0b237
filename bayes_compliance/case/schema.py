"""What a case is made of: frozen records, one for each table of case.toml."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bayes_compliance.case.dates import FIRST_YEAR, LAST_DAY, LAST_YEAR, TOO_LATE
from bayes_compliance.case.problems import controls, show
from bayes_compliance.case.vocabulary import (
    ALL,
    ANY_RULE,
    PER_YEAR,
    PROXY_KINDS,
    ProxyKind,
    Role,
    Scale,
)


def wrong(what: str, allowed: str) -> PydanticCustomError:
    """A refusal in our own words, for validators."""
    return PydanticCustomError("case", "{what}", {"what": what, "allowed": allowed})


def _id(value: str) -> str:
    if value == ANY_RULE:
        raise wrong("'*' stands for the whole agreement", "any other name")
    if not value or value != value.strip() or not value.isprintable() or set(value) & set(",;|"):
        raise wrong(f"{show(value)} cannot be an id", "a name on one line, no blanks at its ends, none of , ; |")
    if value[0] in "=+-@":
        raise wrong(f"{show(value)} would be a formula in a spreadsheet", "a name that begins with none of = + - @")
    return value


def _not_all(value: str) -> str:
    if value == ALL:
        raise wrong(f"{ALL!r} stands for all counterparties, which are compared in any case", "any other name")
    return value


def _some(value: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if value == ():
        raise wrong("the list is empty", "at least one id, or no such key")
    return _once(value)


def _once(value: tuple[str, ...] | None) -> tuple[str, ...] | None:
    twice = sorted({item for item in value or () if (value or ()).count(item) > 1})
    if twice:
        raise wrong(f"{twice[0]!r} is named twice", "each id once")
    return value


def _titled(value: str) -> str:
    if not value.strip():
        raise wrong("the text is blank", "a text that names it")
    return _plain(value)


def _plain(value: str) -> str:
    if said := controls(value):
        raise wrong(*said)
    return value


def _in_years(value: date) -> date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise wrong(f"{value} is out of range", f"a date of the years {FIRST_YEAR} to {LAST_YEAR}")
    return value


def _kept(value: date) -> date:
    if value > LAST_DAY:
        raise wrong(f"{value} {TOO_LATE[0]}", TOO_LATE[1])
    return _in_years(value)


def _in_order(value: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return value and tuple(sorted(value))


def _kinds(value: Any) -> Any:
    return {True: PROXY_KINDS, False: ()}[value] if isinstance(value, bool) else value


Id = Annotated[str, AfterValidator(_id)]
Ids = Annotated[tuple[str, ...], AfterValidator(_some)]
SortedIds = Annotated[Ids, AfterValidator(_in_order)]
ProxyKinds = Annotated[tuple[ProxyKind, ...], BeforeValidator(_kinds)]
Day = Annotated[date, AfterValidator(_in_years)]
Text = Annotated[str, AfterValidator(_titled)]
Words = Annotated[str, AfterValidator(_plain)]
Positive = Annotated[FiniteFloat, Field(gt=0)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]

SUMMED = 1e-12
"""Weights whose sum is as near to 1 are left as they are: what was normalised once is so."""


class Part(BaseModel):
    """A frozen record; unknown keys are errors, and no value is coerced to another type.

    Records are equal when they say the same, wherever they were read.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, validate_by_name=True, validate_by_alias=True
    )

    place: ClassVar[frozenset[str]] = frozenset({"row", "inputs"})
    """Fields that say where a record was read: they make no difference to what it says."""

    @property
    def order(self) -> tuple[Any, ...]:
        """What it says, as a key to sort records of one class by; the date comes first where there is one."""
        return tuple((value is not None, value) for value in self._said())

    def _said(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.telling())

    @classmethod
    def telling(cls) -> list[str]:
        """Names of the fields that say something, wherever it was read, in their order."""
        return [name for name in cls.model_fields if name not in cls.place]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Part) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash((type(self), self._said()))


class Horizon(Part):
    """How far to look: until a date, in steps of `step_years`."""

    until: Annotated[date, AfterValidator(_kept)]
    step_years: Annotated[FiniteFloat, Field(ge=0.003, le=100)] = 1.0


class State(Part):
    """A state. `rules` are those it owes, as case.toml has them; no counterparties: their conduct is judged.

    Counterparties are sorted too, with weights that sum to 1, equal where none is given.
    """

    id: Id
    counterparties: Ids | None = None
    counterparty_weights: tuple[Positive, ...] = ()
    threshold: FiniteFloat = 0.0
    adherence_date: Day | None = None
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
        if value and abs(total - 1) < SUMMED:
            return value
        return tuple(weight / total for weight in value) if value else (1 / count,) * count if count else ()


class Rule(Part):
    """A rule of the agreement and who owes it. `performance` is the share f of the counterparty's side by date.

    `title` says what it asks, in a sentence; like `depth_reason` it is for readers, and nothing is worked out from it.
    `decisions_per_year` is one a day (365) at most: the first falls due after the day from which they are counted.
    """

    words: ClassVar[tuple[str, ...]] = ("title", "depth_reason")

    id: Id
    states: Annotated[tuple[str, ...], AfterValidator(_once), AfterValidator(_in_order)]
    title: Words = ""
    answered_by: SortedIds | None = None
    depth: bool = False
    depth_reason: Words = ""
    decisions_per_year: Annotated[FiniteFloat, Field(ge=PER_YEAR[0], le=PER_YEAR[1])] = 1.0
    performance: tuple[tuple[Day, Share], ...] = ()
    last_period: Day | None = None
    unravelling: bool = False
    adherence_date: Day | None = None

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
    """A lobby of one state; `rules` and `counterparties` are None when it cares about all. `side` is for `other`.

    `mean_reversion_half_life`, in years, stands for this lobby in place of that of the case.
    """

    id: Id
    state: str
    role: Role
    rules: SortedIds | None = None
    counterparties: SortedIds | None = None
    from_: Day | None = Field(default=None, validation_alias="from")
    until: Day | None = None
    stage_weights: StageWeights | None = None
    scale: Scale | None = None
    side: Literal["+", "-"] = "+"
    mean_reversion_half_life: Positive | None = None

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

    date: Day
    states: SortedIds
    scale: Positive


class Dynamics(Part):
    """How magnitudes move beyond a random walk; the half-life is in years."""

    mean_reversion_half_life: Positive | None = None
    shocks: tuple[Shock, ...] = ()


class CounterpartySet(Part):
    """Counterparties to compare, for bilateral against multilateral."""

    id: Annotated[Id, AfterValidator(_not_all)]
    states: SortedIds
