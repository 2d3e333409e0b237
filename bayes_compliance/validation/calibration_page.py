"""A calibration as one HTML page: the verdict, the ECDF of every quantity's ranks, and the p-values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.report import drawing
from bayes_compliance.report.parts import Number, Section, Status, figure, join, page, paragraph, table
from bayes_compliance.validation.calibration import RANK_DRAWS
from bayes_compliance.validation.ranks import band
from bayes_compliance.wording import listed

if TYPE_CHECKING:
    from bayes_compliance.validation.calibration import Calibration

NAMED = 6
"""Curves outside the band that are named."""

HOW = (
    "Each simulation draws every latent from its prior, lets the decisions follow from them in sequence, fits the "
    "model to those decisions, and ranks the truth among independent draws. If model, sampler and simulator "
    "agree, every rank is as likely as any other."
)

HOW_GIVEN = (
    "Each simulation takes a truth from the posterior given the case's decisions, takes every decision once more from "
    "it, fits the model to the decisions that were taken and those simulated together, and ranks the truth among "
    "independent draws. If model, sampler and simulator agree here, every rank is as likely as any other."
)


def render(found: Calibration) -> str:
    """One self-contained page."""
    return page(
        title=f"Calibration of {found.settings['model']} on {found.settings['case']}",
        subtitle="Does the fit find what simulated decisions were made from?",
        verdict=str(found.verdict),
        failed=not found.passed,
        sections=[_curves(found), _table(found)],
    )


def _curves(found: Calibration) -> Section:
    n = len(found.ranks)
    points, lower, upper = band(n, RANK_DRAWS, found.verdict.false_alarm)
    shares = _shares_below(found)
    with drawing.canvas([3.0], frame=drawing.Frame(left=0.6, bottom=0.5)) as (fig, axes):
        ax = axes[0, 0]
        ax.fill_between(points, lower - points, upper - points, facecolor=drawing.PALE,
                        **drawing.edge())  # fmt: skip
        rejected = {verdict.name for verdict in found.verdict.verdicts if verdict.rejected}
        for name, below in shares.items():
            bad = name in rejected
            ax.plot(points, below - points, color=drawing.RED if bad else drawing.SOFT, linewidth=1.6 if bad else 0.6)
        ax.axhline(0, color=drawing.INK, linewidth=0.6)
        ax.set(xlim=(0, 1), xlabel="rank of the truth, as a share", ylabel="share below, less expected")
        svg = drawing.svg(fig, "ranks", "Ranks of the truth", str(found.verdict))
    caption = (
        "A curve for each quantity: the share of simulations whose truth ranks below (the ranks' ECDF), less what is "
        f"expected. Shaded: where the curve of one right quantity stays as a whole with "
        f"{1 - found.verdict.false_alarm:.0%} probability. {_leaving(shares, lower, upper)} With many quantities some "
        "right ones leave it; the verdict allows for that."
    )
    return Section(
        "Ranks", "ranks", join([paragraph(HOW_GIVEN if found.settings.get("given") else HOW), figure(svg, caption)])
    )


def _shares_below(found: Calibration) -> dict[str, NDArray]:
    """By quantity, the share of simulations whose truth has a rank below each point of the band."""
    at = np.arange(1, RANK_DRAWS + 1)
    return {
        name: np.searchsorted(np.sort(ranks), at) / len(ranks)
        for name, ranks in zip(found.names, found.ranks.T, strict=True)
    }


def _leaving(shares: dict[str, NDArray], lower: NDArray, upper: NDArray) -> str:
    """Which curves leave the band anywhere."""
    out = [name for name, below in shares.items() if ((below < lower) | (below > upper)).any()]
    if not out:
        return "None leaves it."
    rest = [f"{len(out) - NAMED} more"] if len(out) > NAMED else []
    return f"Outside it somewhere: {listed([*out[:NAMED], *rest])}."


def _table(found: Calibration) -> Section:
    rows = [["REJECTED" if v.rejected else "", v.name, f"{v.p:.3g}"] for v in found.verdict.verdicts]
    said = f"{found.divergences} divergent transitions in {len(found.ranks)} fits."
    columns = [Status("Rejected"), "Quantity", Number("p-value")]
    return Section("Quantities", "quantities", join([paragraph(said), table("Smallest p-value first", columns, rows)]))
