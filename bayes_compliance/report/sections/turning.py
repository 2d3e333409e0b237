"""Tipping points, and how deep a rule could be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import inf, isnan, log
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from markupsafe import Markup

from bayes_compliance.report.answers import answers, last_day
from bayes_compliance.report.comparison import SAMPLE, pairs
from bayes_compliance.report.parts import Number, Section, bullets, heading, join, paragraph, table
from bayes_compliance.report.sentences import day, listed, number, percent, signed
from bayes_compliance.rows import ANY_RULE

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr

    from bayes_compliance.case import Case
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "What would take the answer across one half: the smallest change in the weight of one lobby, all else as it is on "
    "that day. Most weights are multiplied, and the closer to 1 the multiple, the more the answer hangs by that lobby; "
    "beside it stands what it makes in points of the lobby's median weight on that day. One that may be for or against "
    "(P and G) has points added instead. The two kinds are not ranked against each other: points change a weight alike "
    "in every world, a multiple most where the weight is great."
)
DEPTH = (
    "A deeper rule is worth more at home and costs more at home. Its depth is kept when all who owe it would comply "
    "with a probability of at least 80%: 100% is the rule as it is."
)
LEFT = 0.1
"""Of a rule less deep than this share of what it is, hardly anything is left."""


class Change(NamedTuple):
    """What one lobby has to change: its weight by so many points and, where it is multiplied, by which factor."""

    lobby: str
    points: float
    factor: float | None = None


class Lever(NamedTuple):
    """The smallest changes that take a rule's probability `p` across one half: a multiple, and points added.

    Lobbies to which as many points are to be added stand side by side; where no such change does there is none.
    """

    rule: str
    p: float
    multiple: Change | None = None
    added: tuple[Change, ...] = ()


def turning(run: Run) -> Section | None:
    """The lobby that turns each rule most easily, and the deepest version of it that is kept."""
    found, case = answers(run).found, run.prepared.case
    if "tipping_points" not in found:
        return None
    tips, depth = found["tipping_points"].isel(time=-1), found["deepest_rule"].isel(time=-1)
    by_state: dict[str, list[Lever]] = {}
    for state, rule, here in pairs(tips, case):
        by_state.setdefault(state, []).append(lever(rule, here))
    until = last_day(found["tipping_points"])
    agreed = {str(rule): float(k) for rule, k in depth["depth"].to_series().items() if rule != ANY_RULE}
    parts = [
        paragraph(INTRODUCTION), bullets(turned(state, levers, until) for state, levers in by_state.items()),
        heading("How deep?"), paragraph(DEPTH), paragraph(depths(agreed)),
        _table(tips, agreed, case, day(until)), SAMPLE,
    ]  # fmt: skip
    return Section("Tipping points", "tipping", join(parts))


def lever(rule: str, here: xr.Dataset) -> Lever:
    """The lobby whose multiple nearest to 1 turns the answer on a rule, and those to which the fewest points do."""
    return Lever(rule, float(here["p"]), _nearest(here), _fewest(here))


def _nearest(here: xr.Dataset) -> Change | None:
    factor = here["factor"].to_series().dropna()
    if factor.empty:
        return None
    lobby = np.abs(np.log(factor)).idxmin()
    return Change(str(lobby), float(here["change"].sel(lobby=lobby)), float(factor[lobby]))


def _fewest(here: xr.Dataset) -> tuple[Change, ...]:
    points = here["points"].to_series().dropna()
    if points.empty:
        return ()
    alike = points.index[np.isclose(points.abs(), points.abs().min(), rtol=1e-3)]
    return tuple(Change(str(lobby), float(points[lobby])) for lobby in alike)


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
    counted = Counter(change.lobby for turn in able for change in turn.changes)
    times = max(counted.values())
    often = [lobby for lobby, n in counted.items() if n == times]
    most = "most often " if len(found) > 1 else ""
    on = f" (on {times} of {len(found)} rules{' each' if len(often) > 1 else ''})" if most else ""
    which = (
        f"among lobbies whose weight is multiplied, the multiple nearest to 1 that would turn the answer is {most}that "
        if scaled
        else f"the fewest points that would turn the answer are {most}those to the weight "
    )
    closest = min(able, key=lambda turn: turn.size).lever
    enough = [_said(change) for change in _together([*filter(None, [closest.multiple]), *closest.added])]
    return (
        f"{state}: {which}of {listed(often, 'or')}{on}; closest to turning is “{closest.rule}”, at "
        f"{percent(closest.p)} on {day(until)}, where {listed(enough, 'or')} would do."
    )


def _together(changes: Sequence[Change]) -> list[Change]:
    """Lobbies to which the same points are added, as one."""
    by_points: dict[str, list[Change]] = {}
    for change in changes:
        key = signed(change.points) if change.factor is None else change.lobby
        by_points.setdefault(key, []).append(change)
    return [some[0]._replace(lobby=listed([one.lobby for one in some], "or")) for some in by_points.values()]


def _said(change: Change) -> str:
    if change.factor is None:
        return f"{signed(change.points)} points to the weight of {change.lobby}"
    return f"{number(change.factor)} times the weight of {change.lobby} ({signed(change.points)} points)"


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
    bare = f", {hardly} at less than {percent(LEFT)} of its depth, with hardly anything of it left," if hardly else ""
    return (
        f"{kept.capitalize()}: of {len(found)} rules {deep or 'none'} as deep as it is or deeper, {shallow or 'none'} "
        f"in a shallower version only{bare or ','} and {none or 'none'} in no version."
    )


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


def _points(added: Sequence[Change]) -> str:
    """The points to add, in a table; lobbies that need as many share a line."""
    return "; ".join(f"{signed(one.points)} to {one.lobby}" for one in _together(added)) or "–"


def _multiple(change: Change | None) -> str:
    """The multiple, in a table, and what it makes in points."""
    if change is None or change.factor is None:
        return "none"
    return f"{number(change.factor)} × {change.lobby} ({signed(change.points)} points)"


def _table(tips: xr.Dataset, agreed: dict[str, float], case: Case, until: str) -> Markup:
    def rows() -> Iterator[list[str]]:
        for state, rule, here in pairs(tips, case):
            best = lever(rule, here)
            yield [state, rule, percent(best.p), _multiple(best.multiple), _points(best.added), depth(agreed[rule])]

    columns = [
        "State",
        "Rule",
        Number("Complies"),
        "Multiple that turns it",
        "Or points",
        Number("Deepest version kept"),
    ]
    return table(f"What would turn the answer on {until}, by rule", columns, rows())
