"""Diagnostics with their marks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bayes_compliance.report.parts import Number, Section, Status, join, paragraph, table
from bayes_compliance.report.sentences import number

if TYPE_CHECKING:
    from markupsafe import Markup

    from bayes_compliance.runs import Run

INTRODUCTION = (
    "Whether the draws can be trusted, not whether the theory is right. R-hat compares chains, effective sample sizes "
    "count independent draws, divergences and E-BFMI tell whether the sampler could go everywhere, and the Monte Carlo "
    "error is the largest standard error of a probability in this one run: between two runs with different seeds that "
    "probability differs with a standard deviation √2 times (1.4 times) as large."
)


def diagnostics(run: Run) -> Section:
    """Every check: its worst value, its mark, where the worst stands, and whether it passed."""
    rows = [
        ["passed" if check.passed else "FAILED", check.name, f"{check.value:.4g}", check.mark, check.where]
        for check in sorted(run.checks, key=lambda check: check.passed)
    ]
    columns = [Status("Result"), "Diagnostic", Number("Worst value"), "Mark", "Where"]
    parts = [paragraph(INTRODUCTION), *_again(run.tree.attrs), table("Diagnostics", columns, rows)]
    return Section("Diagnostics", "diagnostics", join(parts))


def _again(attrs: Mapping[Any, Any]) -> list[Markup]:
    """That the chains were run twice, where they were, and why."""
    found = []
    if "diverged_at" in attrs:
        before, now = (number(attrs[name]) for name in ("diverged_at", "target_accept"))
        found.append(
            f"Chains at a target acceptance of {before} had draws that diverged; what is reported are chains with "
            f"shorter steps, at {now}."
        )
    if "rhat_at_first" in attrs:
        first = f"Chains of {attrs['draws']} draws had an R-hat of {attrs['rhat_at_first']:.4g}"
        by_chance = (
            "which one of so many latents may have by chance; what is reported is every other draw of the same chains, "
            "run twice as long"
        )
        apart = "not all had come to where the others were; what is reported are chains that were tuned for"
        found.append(
            f"{first}: {apart} {attrs['tuned']} draws instead of {attrs['tune']}."
            if "tuned" in attrs
            else f"{first}, {by_chance}."
        )
    return [paragraph(text) for text in found]
