"""Diagnostics with their marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_compliance.report.parts import Number, Section, join, paragraph, table

if TYPE_CHECKING:
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "Whether the draws can be trusted, not whether the theory is right. R-hat compares chains, effective sample sizes "
    "count independent draws, divergences and E-BFMI tell whether the sampler could go everywhere, and the Monte Carlo "
    "error is what a repetition with another seed would move the probabilities by."
)


def diagnostics(run: Run) -> Section:
    """Every check: its worst value, its mark, where the worst stands, and whether it passed."""
    rows = [
        ["passed" if check.passed else "FAILED", check.name, f"{check.value:.4g}", check.mark, check.where]
        for check in sorted(run.checks, key=lambda check: check.passed)
    ]
    columns = ["", "Diagnostic", Number("Worst value"), "Mark", "Where"]
    return Section("Diagnostics", "diagnostics", join([paragraph(INTRODUCTION), table("Diagnostics", columns, rows)]))
