"""Tipping points, and how deep a rule could be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from bayes_compliance.case.vocabulary import ANY_RULE
from bayes_compliance.report.answers import answers, last_day
from bayes_compliance.report.comparison import SAMPLE, pairs
from bayes_compliance.report.findings import Change, Lever, depth, depths, together, turned
from bayes_compliance.report.parts import Number, Section, bullets, heading, join, paragraph, table
from bayes_compliance.report.sentences import day, number, percent, signed

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.case import Case
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "What would take the answer across one half: the smallest change in the weight of one lobby, all else as it is on "
    "that day. Most weights are multiplied, and the closer to 1 the multiple, on a log scale (one half is as near as "
    "two), the more the answer hangs on that lobby; "
    "beside it stands what it makes in points of the lobby's median weight on that day. One that may be for or against "
    "(P and G) has points added instead. The two kinds are not ranked against each other: points change a weight alike "
    "in every world, a multiple most where the weight is great."
)
DEPTH = (
    "A deeper rule is worth more at home and costs more at home. Its depth is kept when all who owe it would comply "
    "with a probability of at least 80%: 100% is the rule as it is."
)


def turning(run: Run) -> Section | None:
    """The lobby that turns each rule most easily, and the deepest version of it that is kept."""
    found, case = answers(run).found, run.prepared.case
    if "tipping_points" not in found:
        return None
    tips, deepest = found["tipping_points"].isel(time=-1), found["deepest_rule"].isel(time=-1)
    by_state: dict[str, list[Lever]] = {}
    for state, rule, here in pairs(tips, case):
        by_state.setdefault(state, []).append(lever(rule, here))
    until = last_day(found["tipping_points"])
    agreed = {str(rule): float(k) for rule, k in deepest["depth"].to_series().items() if rule != ANY_RULE}
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


def _points(added: Sequence[Change]) -> str:
    """The points to add, in a table; lobbies that need as many share a line."""
    return "; ".join(f"{signed(one.points)} to {one.lobby}" for one in together(added)) or "–"


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
