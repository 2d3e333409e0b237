"""Tipping points, and how deep a rule could be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from bayes_compliance.report import findings
from bayes_compliance.report.answers import answers, last_day
from bayes_compliance.report.comparison import SAMPLE, pairs
from bayes_compliance.report.parts import Number, Section, bullets, heading, join, paragraph, table
from bayes_compliance.report.sentences import day, number, percent, signed
from bayes_compliance.rows import ANY_RULE

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.case import Case
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "What would take the answer across one half: the smallest change in the strength of one lobby, all else as it is "
    "on that day. The closer to 1 the multiple, the more the answer hangs by that lobby; a lobby that may be for or "
    "against (P and G) has points added instead."
)
DEPTH = (
    "A deeper rule is worth more at home and costs more at home. Its depth is kept when all who owe it would comply "
    "with a probability of at least 80%: 1 × is the rule as it is."
)


def turning(run: Run) -> Section | None:
    """The lobby that turns each rule most easily, and the deepest version of it that is kept."""
    found, case = answers(run).found, run.prepared.case
    if "tipping_points" not in found:
        return None
    tips, depth = found["tipping_points"].isel(time=-1), found["deepest_rule"].isel(time=-1)
    by_state: dict[str, list[findings.Lever]] = {}
    for state, rule, here in pairs(tips, case):
        by_state.setdefault(state, []).append(lever(rule, here))
    until = last_day(found["tipping_points"])
    agreed = {str(rule): float(k) for rule, k in depth["depth"].to_series().items() if rule != ANY_RULE}
    parts = [
        paragraph(INTRODUCTION), bullets(findings.levers(state, levers, until) for state, levers in by_state.items()),
        heading("How deep?"), paragraph(DEPTH), paragraph(findings.depths(agreed)),
        _table(tips, agreed, case, day(until)), SAMPLE,
    ]  # fmt: skip
    return Section("Tipping points", "tipping", join(parts))


def lever(rule: str, here: xr.Dataset) -> findings.Lever:
    """The lobby on the log scale whose smallest change turns the answer on a rule."""
    factors = here["factor"].to_series().dropna()
    if factors.empty:
        return findings.Lever(rule, float(here["p"]), "", np.nan)
    lobby = np.abs(np.log(factors)).idxmin()
    return findings.Lever(rule, float(here["p"]), str(lobby), float(factors[lobby]))


def _points(here: xr.Dataset) -> str:
    """The fewest points to add to lobbies on the linear scale; lobbies that need as many share a line."""
    points = here["points"].to_series().dropna()
    if points.empty:
        return "–"
    least = points[points.abs().idxmin()]
    alike = [str(lobby) for lobby in points.index[np.isclose(points, least, rtol=1e-3)]]
    return f"{signed(least)} to {' or '.join(alike)}"


def _table(tips: xr.Dataset, agreed: dict[str, float], case: Case, until: str) -> Markup:
    def rows() -> Iterator[list[str]]:
        for state, rule, here in pairs(tips, case):
            best = lever(rule, here)
            change = f"{number(best.factor)} × {best.lobby}" if best.lobby else "none"
            yield [state, rule, percent(best.p), change, _points(here), findings.depth(agreed[rule])]

    columns = [
        "State",
        "Rule",
        Number("Complies"),
        "Multiple that turns it",
        "Or points",
        Number("Deepest version kept"),
    ]
    return table(f"What would turn the answer on {until}, by rule", columns, rows())
