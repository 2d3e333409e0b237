"""Tipping points, and how deep a rule could be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from bayes_compliance.analysis.tipping import DRAWS as KEPT
from bayes_compliance.case.vocabulary import ANY_RULE
from bayes_compliance.kept import horizon
from bayes_compliance.report import facts
from bayes_compliance.report.answers import DRAWS, PATHS, answers
from bayes_compliance.report.comparison import pairs
from bayes_compliance.report.findings import Change, Lever, depth, depths, rough, times, together, turned
from bayes_compliance.report.parts import Number, Section, bullets, heading, join, paragraph, table
from bayes_compliance.report.sentences import day, percent

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.runs import Run

INTRODUCTION = (
    "What would take the answer across one half: the smallest change in the weight of one lobby, all else as it is on "
    "that day. Most weights are multiplied, and the closer to 1 the multiple, on a log scale (one half is as near as "
    "two), the more the answer hangs on that lobby; "
    "beside it stands what it makes in points of the lobby's median magnitude on that day, of which L, who gain from "
    "the other side's conduct, count w q alone. One that may be for or against "
    "(P and G) has points added instead. The two kinds are not ranked against each other: points change a weight alike "
    "in every world, a multiple most where the weight is great."
)
DEPTH = (
    "A deeper rule is worth more at home and costs more at home. Its depth is kept when all who owe it would comply "
    "with a probability of at least 80%: 100% is the rule as it is."
)
CHANGES = paragraph(
    "Probabilities are the forecast's; what would turn them is found in a sample of its worlds, and is told to two "
    "digits. A forecast within two standard errors of one half, by that sample, is too close to say.",
    "note",
)


def turning(run: Run) -> Section | None:
    """The lobby that turns each rule most easily, and the deepest version of it that is kept."""
    found, case = answers(run).found, run.prepared.case
    if "tipping_points" not in found:
        return None
    tips, deepest = found["tipping_points"].isel(time=-1), found["deepest_rule"].isel(time=-1)
    levers = {(state, rule): _lever(run, state, rule, here) for state, rule, here in pairs(tips, case)}
    by_state: dict[str, list[Lever]] = {}
    for (state, _), found_there in levers.items():
        by_state.setdefault(state, []).append(found_there)
    until = horizon(found["tipping_points"])
    agreed = {str(rule): float(k) for rule, k in deepest["depth"].to_series().items() if rule != ANY_RULE}
    parts = [
        paragraph(INTRODUCTION), bullets(turned(state, some, until) for state, some in by_state.items()),
        heading("How deep?"), paragraph(DEPTH), paragraph(depths(agreed)),
        _table(levers, agreed, day(until)), CHANGES,
    ]  # fmt: skip
    return Section("Tipping points", "tipping", join(parts))


def _lever(run: Run, state: str, rule: str, here: xr.Dataset) -> Lever:
    """The lever of a rule, at the probability of the forecast."""
    p = facts.series(run)[state, rule][-1]["p_comply"]
    at = facts.ahead(run).dataset[["p_draw", "p_comply"]].sel(state=state, rule=rule).isel(time=-1)
    close = too_close(p, float(here["p"]), error_of_sample(at["p_draw"].values, at["p_comply"].values))
    return lever(rule, here)._replace(p=p, close=close)


def error_of_sample(of_draws: NDArray, of_worlds: NDArray) -> float:
    """Standard error of the mean p in the worlds that tipping points are found in: fewer draws, with fewer paths.

    Parameters
    ----------
    of_draws : array (draw,)
        Probability of each draw, averaged over its futures.
    of_worlds : array (draw,)
        The same in one future of each.
    """
    between = of_draws.var()
    within = max(of_worlds.var() - between, 0.0)
    return float(np.sqrt((between + within / PATHS) / min(len(of_draws), DRAWS, KEPT)))


def too_close(p: float, sampled: float, error: float) -> bool:
    """Whether a forecast is within two standard errors of one half, or the sample is on its other side."""
    return abs(p - 0.5) <= 2 * error or (p - 0.5) * (sampled - 0.5) <= 0


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
    return "; ".join(f"{rough(one.points, '+')} to {one.lobby}" for one in together(added)) or "–"


def _multiple(change: Change | None) -> str:
    """The multiple, in a table, and what it makes in points."""
    if change is None or change.factor is None:
        return "none"
    return f"{times(change.factor)} × {change.lobby} ({rough(change.points, '+')} points)"


def _table(levers: dict[tuple[str, str], Lever], agreed: dict[str, float], until: str) -> Markup:
    rows = [
        [state, rule, percent(one.p),
         *(["too close to one half to say", "–"] if one.close else [_multiple(one.multiple), _points(one.added)]),
         depth(agreed[rule])]
        for (state, rule), one in levers.items()
    ]  # fmt: skip
    columns = [
        "State",
        "Rule",
        Number("Complies"),
        "Multiple that turns it",
        "Or points",
        Number("Deepest version kept"),
    ]
    return table(f"What would turn the answer on {until}, by rule", columns, rows)
