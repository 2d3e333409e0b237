"""Terms that the page uses, one line each with its unit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bayes_compliance.layout import is_zero
from bayes_compliance.report.facts import has_lobbies

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.elicitation import Priors
    from bayes_compliance.runs import Run

SUPPORT = (
    "Support (points): on one rule and day, what those for compliance weigh less what those against it weigh.",
    "Threshold (points): the support from which a state is on the side of compliance; 0 is a bare majority.",
)
OF_WEIGHTS = (
    "Sensitivity (no unit): how fast the forecast's distribution moves as one judgement counts for more or less; from "
    ".05 on it counts.",
    "Pareto k (no unit): where draws are weighted anew, how far a few of them carry all the weight; above about 0.7, "
    "less where draws are few, weights cannot tell and a new fit must.",
)
K_REF = (
    "K_ref (points): what the losing lobbies (K) of a state's first rule are judged to weigh, the sum of their "
    "medians; defaults are shares of it."
)
OF_NOISE = {
    "decision_noise": (
        "Decision noise (points): the standard deviation of what decides beside support; a decision goes by support "
        "plus noise against the threshold."
    ),
    "partial_width": (
        "Partial width (points): support plus noise that is as near as this to the threshold, on either side, makes "
        "partial compliance; beyond it lies compliance or violation."
    ),
}
OF_LOBBIES = {
    "step": "Step (points): by how much P and G weigh more for keeping a promise than they did for making it.",
    "rule_spread": (
        "Rule spread (log units; for lobbies on the linear scale, points): the standard deviation, between rules, of "
        "the strength of a lobby that bears on all rules of its state."
    ),
    "volatility": (
        "Volatility (log units per square root of a year; on the linear scale, as P and G are, points per square root "
        "of a year): the standard deviation by which a lobby's strength moves in a year."
    ),
    "entrenchment": (
        "Entrenchment (log units or points per year): by how much each year of compliance strengthens J and L and "
        "weakens K."
    ),
    "specificity": (
        "Specificity (a share, 0 to 1): how much less L counts once the other side has performed its part in full."
    ),
    "shock_hazard": "Shock hazard (per year): how often, on average, a shock not foreseen meets a state's lobbies.",
    "shock_scale": (
        "Shock scale (in a lobby's yearly volatilities): the standard deviation of what one shock moves it by."
    ),
}
OF_L = {
    "shadow": (
        "w, the weight of the future or its shadow (0 to 1): how much of what the other side's later answer is worth "
        "counts when a state decides."
    ),
    "q": "q (a probability): that the other side performs in a period while the state itself does.",
    "type": "q (a probability): the belief that the other side is of the kind that answers, for as long as it does.",
    "trust": (
        "Trust (a number of decisions): that many decisions kept the other side is credited with at adherence; with a "
        "credit c on n decisions since, q is (trust + c) / (trust + n)."
    ),
    "period": "Period: one year.",
}


def terms(run: Run) -> list[str]:
    """The glossary of a run: terms of its model and case, and no others."""
    case, priors = run.prepared.case, run.prepared.priors
    of_noise = ["decision_noise", *(["partial_width"] if case.outcomes == 3 else [])]
    said = [*SUPPORT, *OF_WEIGHTS, *(OF_NOISE[name] for name in of_noise if at_work(priors, name))]
    if not has_lobbies(case):
        return said
    said += [K_REF, *(line for name, line in OF_LOBBIES.items() if at_work(priors, name))]
    return said + list(_of_l(case, priors))


def _of_l(case: Case, priors: Priors) -> Iterator[str]:
    if not any(lobby.role == "L" for lobby in case.lobbies):
        return
    if at_work(priors, "shadow") or at_work(priors, "discount"):
        yield OF_L["shadow"]
    yield OF_L["type"] if case.q_kind == "type" else OF_L["q"]
    if at_work(priors, "trust") and any(state.counterparties for state in case.states):
        yield OF_L["trust"]
    yield OF_L["period"]


def at_work(priors: Priors, name: str) -> bool:
    """Whether a quantity has a prior that is not the constant 0."""
    of = priors.quantities.get(name)
    return of is not None and not all(is_zero(prior) for prior in of.priors)
