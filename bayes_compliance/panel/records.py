"""What a panel is made of: decisions of many states on the rules of many cases, and covariates of both."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from bayes_compliance.case.schema_rows import Decision

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RuleKey(NamedTuple):
    """A rule of a case: rules of one name in two cases are two rules."""

    case: str
    rule: str

    def __str__(self) -> str:
        return f"{self.case}: {self.rule}"


class Entry(NamedTuple):
    """A decision of a case. `depth` marks a status-quo row that a case declares and nobody observed."""

    case: str
    decision: Decision
    depth: bool = False

    @property
    def key(self) -> RuleKey:
        return RuleKey(self.case, self.decision.rule)


@dataclass(frozen=True, eq=False)
class Covariates:
    """Numbers about states or rules.

    Attributes
    ----------
    columns : tuple of str
    values : dict of key to tuple of float
        In the order of the columns; NaN where the cell was blank.
    """

    columns: tuple[str, ...] = ()
    values: dict[str | RuleKey, tuple[float, ...]] = field(default_factory=dict)

    def standardised(self, keys: tuple) -> NDArray:
        """Values of the keys, (key, column), with mean 0 and sd 1 over all that are known; NaN where unknown."""
        import numpy as np

        blank = (np.nan,) * len(self.columns)
        found = np.array([self.values.get(key, blank) for key in keys], float).reshape(len(keys), len(self.columns))
        if not found.size:
            return found
        known = np.array(list(self.values.values()), float)
        return (found - np.nanmean(known, axis=0)) / np.nanstd(known, axis=0)


@dataclass(frozen=True, eq=False)
class Panel:
    """A panel, checked and sorted canonically: shuffled rows give the same panel.

    Attributes
    ----------
    name : str
    entries : tuple of Entry
        Sorted by case, then by what the decisions say; pending ones and those on which no rule is known are left out.
    outcomes : dict of str to int
        By case: 2, or 3 where partial and late performance are outcomes of their own.
    owed : dict of (case, state) to tuple of str
        Rules of a treaty-wide row `*`.
    states, rules : Covariates
        By state id and by `RuleKey`; what has no decision is forecast from these alone.
    areas : dict of RuleKey to str
        Issue areas, where given.
    until : date
        The horizon.
    inputs : dict of str to str
        SHA-256 of the bytes of each file.
    per_year : dict of RuleKey to float
        Decisions that fall due in a year, where not 1.
    step_years : float
        Between the dates of the forecast.
    """

    name: str
    entries: tuple[Entry, ...]
    outcomes: dict[str, int]
    owed: dict[tuple[str, str], tuple[str, ...]]
    states: Covariates
    rules: Covariates
    areas: dict[RuleKey, str]
    until: date
    inputs: dict[str, str]
    per_year: dict[RuleKey, float] = field(default_factory=dict)
    step_years: float = 1.0

    @cached_property
    def last(self) -> date:
        """Date of the last decision."""
        return max(entry.decision.date for entry in self.entries)

    @cached_property
    def observed_states(self) -> tuple[str, ...]:
        return tuple(sorted({entry.decision.state for entry in self.entries}))

    @cached_property
    def observed_rules(self) -> tuple[RuleKey, ...]:
        named = {entry.key for entry in self.entries if entry.decision.rule != "*"}
        whole = {
            RuleKey(entry.case, rule)
            for entry in self.entries
            if entry.decision.rule == "*"
            for rule in self.owed[entry.case, entry.decision.state]
        }
        return tuple(sorted(named | whole))

    @cached_property
    def all_states(self) -> tuple[str, ...]:
        """Those with decisions and those of whom only covariates are known, sorted."""
        return tuple(sorted({*self.observed_states, *map(str, self.states.values)}))

    @cached_property
    def all_rules(self) -> tuple[RuleKey, ...]:
        given = {key for key in self.rules.values if isinstance(key, RuleKey)}
        return tuple(sorted({*self.observed_rules, *given, *self.areas}))
