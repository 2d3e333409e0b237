"""What was judged and by whom, what stands where nothing was, and what a family could not meet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from markupsafe import Markup

from bayes_compliance.elicitation import TOLERANCE
from bayes_compliance.latents import in_use
from bayes_compliance.report.parts import Number, Section, heading, join, paragraph, table, when
from bayes_compliance.report.sections.pooling import POOLED
from bayes_compliance.report.sentences import number, plural

if TYPE_CHECKING:
    from bayes_compliance.elicitation import Fitted, Priors
    from bayes_compliance.elicitation.build import DefaultUsed
    from bayes_compliance.runs import Run

MET = (
    f"Every family meets the quantiles that were stated to within {TOLERANCE:.0%} of the width of the judgement, the "
    "distance from its 5% to its 95% quantile."
)


def judgements(run: Run) -> Section:
    """Defaults in force, judgements that are bent, and every judgement by analyst."""
    priors = run.prepared.priors
    parts = [*_defaults(priors, in_use(run.prepared.layout)), *_bent(priors), *_by_analyst(priors)]
    return Section("Judgements", "judgements", join(parts))


def _defaults(priors: Priors, used: Sequence[DefaultUsed]) -> list[Markup]:
    title = heading("Defaults, where nothing was judged")
    if not used:
        return [title, paragraph("None: everything was judged.")]
    units = ", ".join(f"{state} {number(k)} points" for state, k in sorted(priors.k_ref.items()))
    told = (
        "These stand because no analyst said otherwise. Those in units of K_ref scale with the sum of the K medians of "
        f"the state's first rule: {units or 'none'}."
    )
    rows = [
        [d.quantity.replace("_", " "), d.name, *map(number, d.quantiles), "" if d.high is None else number(d.high),
         "" if d.k_ref is None else " / ".join(number(q / d.k_ref) for q in dict.fromkeys(d.quantiles))]
        for d in used
    ]  # fmt: skip
    columns = ["Quantity", "Of", *(Number(q) for q in ("5%", "50%", "95%", "at most", "in K_ref"))]
    return [title, paragraph(told), table("Defaults in force", columns, rows)]


def _bent(priors: Priors) -> list[Markup]:
    title, bent = heading("Stated beside achieved"), priors.bent()
    if not bent:
        return [title, paragraph(MET)]
    told = (
        f"{plural(len(bent), 'judgement')} could not be met within {TOLERANCE:.0%} of its width by its family of "
        "distributions: what was used stands beside what was said."
    )
    rows = [
        [*_whose(item), *map(number, _stated(item)), *map(number, item.achieved), f"{item.gap:.0%}"] for item in bent
    ]
    numbers = [f"{what} {q}" for what in ("stated", "used") for q in ("5%", "50%", "95%")]
    columns = ["Analyst", "Quantity", "Of", *(Number(c) for c in [*numbers, "gap"])]
    return [title, paragraph(told), table("Judgements that their family bends", columns, rows)]


def _by_analyst(priors: Priors) -> list[Markup]:
    told = f"An analyst is a label for what was read. Analysts of one quantity are pooled {POOLED[priors.pool]}."
    parts = [heading("By analyst"), paragraph(told)]
    ordered = sorted(priors.fitted, key=lambda item: item.judgement.analyst)
    for analyst, items in groupby(ordered, key=lambda item: item.judgement.analyst):
        parts.append(_analyst(analyst, list(items)))
    return parts


def _analyst(analyst: str, items: list[Fitted]) -> Markup:
    columns = [
        "Quantity", "Of", *(Number(q) for q in ("5%", "50%", "95%", "Weight")), "Known on", "Rationale", "Source",
    ]  # fmt: skip
    rows = [
        [*_whose(item)[1:], *map(number, _stated(item)), number(item.judgement.weight), when(item.judgement.date),
         item.judgement.rationale, item.judgement.source]
        for item in items
    ]  # fmt: skip
    return table(f"{analyst}: {plural(len(items), 'judgement')}", columns, rows)


def _whose(item: Fitted) -> tuple[str, str, str]:
    j = item.judgement
    return j.analyst, j.quantity.replace("_", " "), j.lobby or j.state or "all states"


def _stated(item: Fitted) -> tuple[float, float, float]:
    return item.judgement.p05, item.judgement.p50, item.judgement.p95
