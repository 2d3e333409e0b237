"""Elicitation: each analyst's curve and the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from bayes_compliance.elicitation.curves import curves
from bayes_compliance.report.parts import Number, Section, bullets, figure, heading, join, paragraph, table
from bayes_compliance.report.plots import density
from bayes_compliance.report.sentences import number, plural

if TYPE_CHECKING:
    from bayes_compliance.elicitation import Priors
    from bayes_compliance.runs import Run

POOLED = {
    "linear": "as a mixture by their weights (the linear pool): two opposed readings stay two",
    "log": (
        "by the product of their curves, each to the power of its weight (the logarithmic pool): what all hold likely "
        "stands, and one who rules something out rules it out for all"
    ),
    "cooke": (
        "as a mixture by weights that their answers to seed questions earned (Cooke's classical model): who was "
        "calibrated and informative counts, who was not does not"
    ),
}
"""What each way of pooling does, to be read after `are pooled`."""

POINTS = 61
WIDEST = 48
"""Quantities drawn at most."""


def pooling(run: Run) -> Section | None:
    """How analysts of one quantity were pooled, and the curves of those quantities that several judged."""
    priors = run.prepared.priors
    several = [one for one in curves(run.prepared.case, priors, POINTS) if len(one.analysts) > 1]
    if not several:
        nothing = "Each quantity was judged by one analyst at most, so nothing had to be pooled."
        return Section("Analysts and their pool", "pooling", paragraph(nothing))
    told = (
        f"{plural(len(several), 'quantity was', 'quantities were')} judged by more than one analyst. "
        f"Analysts of one quantity are pooled {POOLED[priors.pool]}. Each panel is one quantity: the thick grey line "
        "is what the fit started from."
    )
    title = "What each analyst judged, and the pool"
    some = several[:WIDEST]
    rest = f" The first {WIDEST} of {len(several)}." if len(several) > WIDEST else ""
    drawn = figure(density.curves("pooling", title, some), f"{title}; magnitudes, in points, where nothing else is "
                   f"said.{rest}")  # fmt: skip
    return Section(
        "Analysts and their pool", "pooling", join([paragraph(told), drawn, *_scores(priors), *_notes(priors)])
    )


def _scores(priors: Priors) -> list[Markup]:
    scored = priors.performance
    if scored is None:
        return []
    columns = ["Analyst", *map(Number, ("Seed questions", "Calibration", "Information", "Weight"))]
    rows = [
        [one.analyst, number(one.questions), *map(number, (one.calibration, one.information, one.weight))]
        for one in scored.analysts
    ]
    caption = (
        f"Analysts by their seed questions. Below a calibration of {number(scored.threshold)} an analyst has no "
        f"weight; the pool itself would have had a calibration of {number(scored.calibration)}."
    )
    return [heading("Who was right before?"), table(caption, columns, rows)]


def _notes(priors: Priors) -> list[Markup]:
    return [heading("Taken otherwise than judged"), bullets(priors.notes)] if priors.notes else []
