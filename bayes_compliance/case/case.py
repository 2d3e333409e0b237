"""The case itself: what its files say, canonically sorted, with its look-ups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field

from bayes_compliance.arguments import day_of
from bayes_compliance.case.completeness import incomplete
from bayes_compliance.case.problems import Problems
from bayes_compliance.case.schema import (
    CounterpartySet,
    Day,
    Dynamics,
    Horizon,
    Lobby,
    Part,
    ProxyKinds,
    Rule,
    State,
    Text,
)
from bayes_compliance.case.schema_rows import Decision, Judgement, Proxy, Seed
from bayes_compliance.case.schema_scenarios import Scenario
from bayes_compliance.case.vocabulary import ANY_RULE, Scale


class Head(Part):
    """What stands at the top of case.toml."""

    name: Text
    title: Text
    adherence_date: Day
    reference_date: Day | None = None
    horizon: Horizon
    scale: Scale
    outcomes: Literal[2, 3]
    q_kind: Literal["conduct", "type"] = "conduct"
    status_quo_includes: tuple[Literal["P", "G"], ...] = ()
    dynamics: Dynamics = Dynamics()
    measure_proxies: ProxyKinds = ()


class Case(Head):
    """A case folder, checked: every name is declared and every lobby has a judged magnitude.

    Two cases are equal when their files say the same, in whatever order of rows and tables (but rules).

    Attributes
    ----------
    reference_date : date
        Where judgements hold, W = 0; the adherence date where none is given.
    states, rules, lobbies, counterparty_sets, scenarios : tuple
        Sorted by id; only a state's own `rules` keep the order of case.toml, since its first gives K_ref.
    judgements, decisions, proxies, seeds : tuple
        Sorted by what they say; `row` is the line in the file.
    known_by : date or None
        The day as of which the case is known, where that is before a rule of declared depth binds a state: what the
        state would do without it is not on record yet.
    inputs : dict of str to str
        SHA-256 of the bytes of each file that was read, by name.
    notes : bool
        Whether there is a README in the folder, for its readers.
    slips : dict of str to str
        Optional files that are not in the folder, and what is there by a name much like theirs.
    """

    place = Head.place | {"notes", "slips"}

    reference_date: Day
    states: tuple[State, ...]
    rules: tuple[Rule, ...]
    lobbies: tuple[Lobby, ...]
    counterparty_sets: tuple[CounterpartySet, ...] = ()
    judgements: tuple[Judgement, ...]
    decisions: tuple[Decision, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    seeds: tuple[Seed, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    known_by: date | None = None
    inputs: dict[str, str] = Field(default_factory=dict)
    notes: bool = Field(default=False, exclude=True)
    slips: dict[str, str] = Field(default_factory=dict, exclude=True)

    def __repr__(self) -> str:
        tables = ("states", "rules", "lobbies", "judgements", "decisions")
        return f"<Case: {self.name}, {', '.join(f'{table}: {len(getattr(self, table))}' for table in tables)}>"

    __str__ = __repr__

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values; its look-ups are made anew from them."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("_by_id", None)
        return copy

    def restated(self, **changes: Any) -> Self:
        """The case with other values, checked again one by one."""
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields} | changes)

    def state(self, id: str) -> State:
        """A state by id; KeyError where there is none."""
        return self._by_id[State, id]

    def rule(self, id: str) -> Rule:
        """A rule by id; KeyError where there is none."""
        return self._by_id[Rule, id]

    def lobby(self, id: str) -> Lobby:
        """A lobby by id; KeyError where there is none."""
        return self._by_id[Lobby, id]

    @cached_property
    def _by_id(self) -> dict[tuple[type, str], Any]:
        parts: tuple[State | Rule | Lobby, ...] = (*self.states, *self.rules, *self.lobbies)
        return {(type(part), part.id): part for part in parts}

    def lobbies_on(self, state: str, rule: str) -> tuple[Lobby, ...]:
        """Lobbies of a state that care about a rule, sorted by id."""
        return tuple(b for b in self.lobbies if b.state == state and (b.rules is None or rule in b.rules))

    def is_linear(self, lobby: Lobby) -> bool:
        """Whether a lobby moves in points rather than in log units: P and G always do, since they may be negative."""
        return linear(lobby, self.scale)

    def adherence_of(self, state: str, rule: str) -> date:
        """When a state adhered to a rule (t1): the rule's date, else the state's, else the case's."""
        own = None if rule == ANY_RULE else self.rule(rule).adherence_date
        return own or self.state(state).adherence_date or self.adherence_date

    def answered_by(self, rule: str, counterparty: str) -> tuple[str, ...]:
        """Rules that the counterparty owes and that answer this one; by default every rule that it owes."""
        return answers(self.rule(rule), self.state(counterparty).rules)

    def depths(self) -> list[tuple[str, str, date]]:
        """State, rule and t1 of each declared depth that is known, rules in their order."""
        declared = [
            (state, rule.id, self.adherence_of(state, rule.id))
            for rule in self.rules
            if rule.depth
            for state in sorted(rule.states)
        ]
        return [one for one in declared if self.known_by is None or one[-1] <= self.known_by]

    def with_depths(self, day: date) -> Self:
        """The same with the depths of what binds on a day, of those that are known."""
        day = min(day, self.known_by or day)
        later = any(t1 > day for _, _, t1 in self.model_copy(update={"known_by": None}).depths())
        return self.model_copy(update={"known_by": day if later else None})

    def last_decision_date(self) -> date:
        """Date of the last decision that is not pending; the adherence date where there is none."""
        return max((d.date for d in self.decisions if d.decision != "pending"), default=self.adherence_date)

    def as_of(self, day: date) -> Self:
        """The case as it was known at the end of a day.

        Rows whose period had not ended are left out, and so are later shocks and scenarios, and declared depths of
        what did not bind yet.

        Raises
        ------
        CaseError
            When a judgement that the rest needs was not made yet.
        Refused
            If it is no day.
        """
        day_of("as-of", day)
        fields: dict[str, Any] = {}
        for name in ("judgements", "decisions", "proxies", "seeds"):
            fields[name] = tuple(item for item in getattr(self, name) if item.date_end <= day)
        fields["scenarios"] = tuple(item for item in self.scenarios if item.from_ <= day)
        fields["dynamics"] = Dynamics(
            mean_reversion_half_life=self.dynamics.mean_reversion_half_life,
            shocks=tuple(shock for shock in self.dynamics.shocks if shock.date <= day),
        )
        self._refuse_gaps(fields["judgements"], day)
        return self.model_copy(update=fields).with_depths(day)

    def _refuse_gaps(self, known: Iterable[Judgement], day: date) -> None:
        problems = Problems()
        for gap in incomplete(self.states, self.lobbies, {j.key for j in known}):
            later = [j for j in self.judgements if j.key in gap.filled_by and j.date_end > day]
            first = min(later, key=lambda j: (j.date_end, j.row), default=None)
            when = f"; the first is of {first.date_end}" if first else ""
            row = first.row if first else 1
            problems.add("judgements.csv", row, "date", f"as of {day} {gap.what}{when}", gap.allowed)
        problems.raise_if_any()


def linear(lobby: Lobby, scale: Scale) -> bool:
    """Whether a lobby moves in points, given the scale of its case."""
    return lobby.role in ("P", "G") or (lobby.scale or scale) == "linear"


def answers(rule: Rule, owed: Iterable[str]) -> tuple[str, ...]:
    """Of the rules that a counterparty owes, those that answer this one."""
    return tuple(other for other in owed if rule.answered_by is None or other in rule.answered_by)
