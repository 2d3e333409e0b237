"""Numbers of an analysis as rows of tables and panels of figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bayes_compliance.report.answers import owed
from bayes_compliance.report.parts import paragraph
from bayes_compliance.report.plots.compare import Panel

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.case import Case


SAMPLE = paragraph(
    "From a sample of worlds like the forecast's: probabilities may differ by a few percentage points from those of "
    "the forecast and its forecast.csv.",
    "note",
)

DIFFERENCES = paragraph(
    "What changes a probability of the forecast is told from a sample of worlds like its own, and may be off by a "
    "point or two.",
    "note",
)


def by_rule(found: xr.Dataset, case: Case, names: Sequence[str]) -> list[Panel]:
    """A panel for each state, a row for each rule that it owes, with the named numbers."""
    panels: dict[str, dict[str, list[float]]] = {}
    for state, rule, here in pairs(found, case):
        panels.setdefault(state, {})[rule] = [float(here[name]) for name in names]
    return [Panel(state, rows) for state, rows in panels.items()]


def pairs(found: xr.Dataset, case: Case) -> Iterator[tuple[str, str, xr.Dataset]]:
    """Each state with each rule that it owes, and what was found there."""
    for state, rules in owed(case).items():
        for rule in rules:
            yield state, rule, found.sel(state=state, rule=rule)
