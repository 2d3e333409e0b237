"""What the analyses found for a state or a scenario as a whole, in words chosen from the numbers as they are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from math import inf, isnan, log
from typing import NamedTuple

from bayes_compliance.report.sentences import day, listed, number, percent, shown, signed

MATTERS = 5
"""Percentage points below which something changes little."""

LEFT = 0.1
"""Of a rule less deep than this share of what it is, hardly anything is left."""


class Change(NamedTuple):
    """What one lobby has to change: its weight by so many points and, where it is multiplied, by which factor."""

    lobby: str
    points: float
    factor: float | None = None


class Lever(NamedTuple):
    """The smallest changes that take a rule's probability `p` across one half: a multiple, and points added.

    Lobbies to which as many points are to be added stand side by side; where no such change does there is none. `close`
    is whether `p` is so near to one half that a sample of worlds cannot tell how small a change would do.
    """

    rule: str
    p: float
    multiple: Change | None = None
    added: tuple[Change, ...] = ()
    close: bool = False


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
        low, high = (percent(rules[rule]) for rule in (worst, best))
        alike = f"On each of its {len(rules)} rules it is {low}."
        told.append(alike if low == high else f"By rule it runs from {low} (“{worst}”) to {high} (“{best}”).")
    if scenarios:
        title = max(scenarios, key=lambda title: abs(scenarios[title].after - scenarios[title].before))
        effect = scenarios[title]
        if abs(shown(effect.after) - shown(effect.before)) < MATTERS:
            told.append(f"On average no scenario of the case moves it by {MATTERS} percentage points.")
        else:
            told.append(
                f"Of the case’s scenarios “{title}” would move it most, from {percent(effect.before)} to about "
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


class _Turn(NamedTuple):
    """How great the change is that turns a rule, of its kind, and whose it is."""

    size: float
    lever: Lever
    changes: tuple[Change, ...]


def turned(state: str, found: Sequence[Lever], until: date) -> str:
    """Which lobby turns the answer on a day most easily, on how many rules, and which rule is closest to turning."""
    scaled = [_Turn(abs(log(one.multiple.factor or 1)), one, (one.multiple,)) for one in found if one.multiple]
    able = scaled or [_Turn(abs(one.added[0].points), one, one.added) for one in found if one.added]
    if not able:
        return f"{state}: no change in the weight of one lobby, up to a hundredfold, would turn an answer."
    when, rules = day(until), len(found)
    told = [turn for turn in able if not turn.lever.close]
    if not told:
        return f"{state}: {_closest(able, rules, when)}."
    counted = Counter(change.lobby for turn in told for change in turn.changes)
    times = max(counted.values())
    often = [lobby for lobby, n in counted.items() if n == times]
    most = "most often " if rules > 1 else ""
    on = f" (on {times} of {rules} rules{' each' if len(often) > 1 else ''})" if most else ""
    which = (
        f"among lobbies whose weight is multiplied, the multiple nearest to 1 that would turn the answer is {most}that "
        if scaled
        else f"the fewest points that would turn the answer are {most}those to the weight "
    )
    return f"{state}: {which}of {listed(often, 'or')}{on}; {_closest(able, rules, when)}."


def _closest(able: Sequence[_Turn], rules: int, when: str) -> str:
    """The rule that the smallest change turns, and which; those too close to one half to say are named apart."""
    close = [f"“{turn.lever.rule}” ({percent(turn.lever.p)})" for turn in able if turn.lever.close]
    rest = [turn for turn in able if not turn.lever.close]
    said = []
    if close:
        verb, it = ("is", "it") if len(close) == 1 else ("are", "them")
        which = f"at {percent(able[0].lever.p)} on {when} it" if rules == 1 else f"on {when} {listed(close)}"
        said.append(f"{which} {verb} too close to one half to say how small a change would turn {it}")
    if rest:
        lever = min(rest, key=lambda turn: turn.size).lever
        changes = [_said(change) for change in together([*filter(None, [lever.multiple]), *lever.added])]
        would = f"{listed(changes, 'or')} would do"
        if rules == 1:
            said.append(f"at {percent(lever.p)} on {when}, {would}")
        else:
            of = "of the others closest to turning is" if close else "closest to turning is"
            said.append(f"{of} “{lever.rule}”, at {percent(lever.p)} on {when}, where {would}")
    return "; ".join(said)


def together(changes: Sequence[Change]) -> list[Change]:
    """Lobbies to which the same points are added, as one."""
    by_points: dict[str, list[Change]] = {}
    for change in changes:
        key = signed(change.points) if change.factor is None else change.lobby
        by_points.setdefault(key, []).append(change)
    return [some[0]._replace(lobby=listed([one.lobby for one in some], "or")) for some in by_points.values()]


def _said(change: Change) -> str:
    if change.factor is None:
        return f"{rough(change.points, '+')} points to the weight of {change.lobby}"
    return f"{times(change.factor)} times the weight of {change.lobby} ({rough(change.points, '+')} points)"


def rough(x: float, sign: str = "") -> str:
    """Two significant digits, with a sign where `sign` is ``+``: what a sample of worlds can tell of a change.

    >>> rough(-3.42, "+"), rough(0.0871), rough(123.4)
    ('−3.4', '0.087', '120')
    """
    return (signed if sign else number)(float(f"{x:.2g}"))


def times(factor: float) -> str:
    """A multiple in two significant digits; within a tenth of 1 in two decimals, as 1.1 and 1.06 are not alike there.

    >>> times(1.064), times(0.9257), times(1.27), times(0.0312), times(1.0004)
    ('1.06', '0.93', '1.3', '0.031', '1.00')
    """
    return f"{factor:.2f}" if 0.95 <= factor < 1.1 else rough(factor)


def depths(found: Mapping[str, float]) -> str:
    """How many rules would be kept by all who owe them, as deep as they are, shallower, or not at all."""
    kept = "kept by all who owe it with a probability of 80%"
    if len(found) == 1:
        ((rule, k),) = found.items()
        return f"“{rule}” would be {kept} {_alone(k)}."
    deep = sum(k >= 1 for k in found.values())
    hardly = sum(k < LEFT for k in found.values())
    shallow = sum(LEFT <= k < 1 for k in found.values())
    none = len(found) - deep - hardly - shallow
    counts = [
        (deep, "as deep as it is or deeper"),
        (shallow, "in a shallower version only"),
        (hardly, f"at less than {percent(LEFT)} of its depth, with hardly anything of it left"),
        (none, "in no version, however shallow"),
    ]
    each = [f"{'all' if n == len(found) else n} {how}" for n, how in counts if n]
    return f"{kept.capitalize()}: of {len(found)} rules {listed(each)}."


def _alone(k: float) -> str:
    """How deep a rule could be, at the end of a sentence about it."""
    if isnan(k):
        return "in no version, however shallow"
    if k >= 1:
        return f"as deep as it is or deeper, {f'up to {depth(k)} of its depth' if k < inf else 'at any depth'}"
    left = ", with hardly anything of it left" if k < LEFT else ""
    return f"in a shallower version only, at {depth(k)} of its depth{left}"


def depth(k: float) -> str:
    """A depth in a table: a percentage of the rule's as it is; only what is as deep or deeper is shown as 100%."""
    if isnan(k):
        return "no version"
    return "any" if k == inf else f"{number(round(100 * k))}%" if k >= 1 else percent(k)


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
        parts.append(
            f"{listed(still)} {verb} by less than {MATTERS} percentage points on average{_both_ways(effects, still)}"
        )
    return f"{title} (from {day(since)}): on {day(until)}, {'; '.join(parts)}."


def _both_ways(effects: Sequence[Effect], still: Sequence[str]) -> str:
    """Where a scenario moves worlds both ways though hardly their mean."""
    wide = [
        (e.state, f"{_points(e.lower)} to {_points(e.upper)} points, 5% to 95% over worlds")
        for e in effects
        if abs(gap(e)) < MATTERS and min(-e.lower, e.upper) >= MATTERS / 100
    ]
    if not wide:
        return ""
    if len(still) == 1:
        return f", some worlds up and others down ({wide[0][1]})"
    return f"; some worlds go up and others down for {listed([f'{state} ({how})' for state, how in wide])}"


def _points(change: float) -> str:
    return f"{100 * change:+.0f}".replace("-", "−")


def gap(effect: Effect) -> int:
    """Percentage points between the two probabilities as shown."""
    return shown(effect.after) - shown(effect.before)
