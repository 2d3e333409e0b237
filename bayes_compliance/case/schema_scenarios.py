"""Records of scenarios.toml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from bayes_compliance.case.schema import Day, Id, Part, Positive, Share, SortedIds, Text, wrong


class AddedLobby(Part):
    """A lobby that a scenario adds, with a known magnitude."""

    id: Id
    state: str
    role: Literal["J", "K", "L", "P", "G"]
    magnitude: FiniteFloat
    rules: SortedIds | None = None


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
        values = {key: getattr(self, key) for key in type(self).model_fields}
        named = {key for key, value in values.items() if value is not None and value is not False}  # 0.0 is named
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
    from_: Day = Field(validation_alias="from")
    changes: tuple[Change, ...] = Field(min_length=1)
