"""What the analyses found for a state or a scenario as a whole, in words chosen from the numbers as they are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from math import inf, isnan, log
from typing import NamedTuple

from bayes_compliance.report.sentences import day, listed, number, percent, plural, shown

MATTERS = 5
"""Percentage points below which something changes little."""


class Lever(NamedTuple):
    """The lobby whose smallest change in strength takes a rule's probability `p` across one half.

    `factor` is what its strength is multiplied by; NaN (and a blank lobby) where no such change does.
    """

    rule: str
    p: float
    lobby: str
    factor: float


class Effect(NamedTuple):
    """A state's probability without and with something, and 5% and 95% quantiles of the difference over worlds."""

    state: str
    before: float
    after: float
    lower: float = 0.0
    upper: float = 0.0


def turns_on(rules: Mapping[str, float], scenarios: Mapping[str, Effect]) -> str:
    """What the answer for a state hangs on most: which of its rules, and which scenario.

    Parameters
    ----------
    rules : dict of rule to float
        Probability on the day that the answer is about.
    scenarios : dict of title to Effect
        Those that do anything by then, if any.
    """
    told = []
    if len(rules) > 1:
        worst, best = (pick(rules, key=lambda rule: rules[rule]) for pick in (min, max))
        told.append(f"By rule it runs from {percent(rules[worst])} (“{worst}”) to {percent(rules[best])} (“{best}”).")
    if scenarios:
        title = max(scenarios, key=lambda title: abs(scenarios[title].after - scenarios[title].before))
        effect = scenarios[title]
        if abs(shown(effect.after) - shown(effect.before)) < MATTERS:
            told.append(f"On average no scenario of the case moves it by {MATTERS} percentage points.")
        else:
            told.append(
                f"Of the case’s scenarios “{title}” would move it most, from {percent(effect.before)} to "
                f"{percent(effect.after)}."
            )
    return " ".join(told)


def lasting(state: str, turns: Mapping[str, date | None], until: date) -> str:
    """On which rules a violation becomes more likely than not, and where first.

    Parameters
    ----------
    state : str
    turns : dict of rule to date or None
        The first forecast date by which it is.
    until : date
    """
    found = sorted((when, rule) for rule, when in turns.items() if when)
    if not found:
        return f"{state}: on no rule that it owes does a violation become more likely than not by {day(until)}."
    first, rule = found[0]
    which = f"on “{rule}” (by {day(first)})"
    if len(turns) > 1:
        which = f"on {len(found)} of its {len(turns)} rules, first {which}"
    return f"{state}: a violation becomes more likely than not by {day(until)} {which}."


def levers(state: str, found: Sequence[Lever], until: date) -> str:
    """Which lobby turns the answer on a day most easily, on how many rules, and which rule is closest to turning."""
    able = [lever for lever in found if not isnan(lever.factor)]
    if not able:
        return f"{state}: no change in the strength of one lobby, up to a hundredfold, would turn an answer."
    (lobby, times), *_ = Counter(lever.lobby for lever in able).most_common(1)
    closest = min(able, key=lambda lever: abs(log(lever.factor)))
    often = f" (on {times} of {plural(len(found), 'rule')})" if len(found) > 1 else ""
    return (
        f"{state}: the lobby that would turn the answer with the smallest change is {'most often ' if often else ''}"
        f"{lobby}{often}; closest to turning is “{closest.rule}”, at {percent(closest.p)} on {day(until)}, where "
        f"{closest.lobby} at {number(closest.factor)} times its strength is enough."
    )


def depths(found: Mapping[str, float]) -> str:
    """How many rules would be kept by all who owe them, as deep as they are, shallower, or not at all."""
    kept = sum(depth >= 1 for depth in found.values())
    shallow = sum(depth < 1 for depth in found.values())
    none = len(found) - kept - shallow
    return (
        f"Kept by all who owe it with a probability of 80%: of {plural(len(found), 'rule')} {kept or 'none'} as deep "
        f"as it is or deeper, {shallow or 'none'} in a shallower version only, and {none or 'none'} in no version."
    )


def depth(k: float) -> str:
    """A depth in a table: a multiple of the rule as it is."""
    return "no version" if isnan(k) else "any" if k == inf else f"{number(k)} ×"


def what_if(title: str, since: date, effects: Sequence[Effect], until: date, idle: str = "") -> str:
    """What a scenario does to each state on average; those that it moves by less than 5 points are named together.

    Of these, where worlds move by 5 points or more both ways, that is said: a spread of differences is no added spread.

    Parameters
    ----------
    title : str
    since : date
    effects : sequence of Effect
        Each state's probability over its rules, without and with the scenario.
    until : date
    idle : str
        Why the scenario changes nothing, if so.
    """
    if idle:
        return f"{title} (from {day(since)}): nothing changes, since {idle}."
    moved = [effect for effect in effects if abs(gap(effect)) >= MATTERS]
    still = [effect.state for effect in effects if abs(gap(effect)) < MATTERS]
    moved.sort(key=lambda effect: -abs(gap(effect)))
    parts = [
        f"{e.state} {'up' if gap(e) > 0 else 'down'} from {percent(e.before)} to {percent(e.after)}" for e in moved
    ]
    if still:
        verb = "moves" if len(still) == 1 else "move"
        parts.append(f"{listed(still)} {verb} by less than {MATTERS} percentage points on average{_both_ways(effects)}")
    return f"{title} (from {day(since)}): on {day(until)}, {'; '.join(parts)}."


def _both_ways(effects: Sequence[Effect]) -> str:
    """Where a scenario moves worlds both ways though hardly their mean."""
    wide = [
        f"{e.state} ({_points(e.lower)} to {_points(e.upper)} points, 5% to 95% over worlds)"
        for e in effects
        if abs(gap(e)) < MATTERS and min(-e.lower, e.upper) >= MATTERS / 100
    ]
    return f", but it moves some worlds up and others down for {listed(wide)}" if wide else ""


def _points(change: float) -> str:
    return f"{100 * change:+.0f}".replace("-", "−")


def gap(effect: Effect) -> int:
    """Percentage points between the two probabilities as shown."""
    return shown(effect.after) - shown(effect.before)
