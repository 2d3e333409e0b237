"""Questions that this page does not answer, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_compliance.report.answers import answers
from bayes_compliance.report.parts import Section, bullets, join, paragraph
from bayes_compliance.report.sentences import listed

if TYPE_CHECKING:
    from bayes_compliance.runs import Run

QUESTIONS = {
    "shares_of_variance": "what drives the uncertainty",
    "lock_in": "what the agreement adds",
    "tilt": "whether the promise tilts the state towards compliance",
    "sincerity": "whether joining was sincere",
    "ceiling_of_reciprocity": "whether reciprocity could suffice",
    "preference_types": "which game the states play",
    "critical_discount": "how patient they must be",
    "tipping_points": "what would turn the answer",
    "deepest_rule": "how deep a rule could be",
    "value_of_information": "what to find out next",
    "scenarios": "what if",
    "bilateral_or_multilateral": "bilateral or multilateral",
    "anticipation": "whether the losers could have stopped it",
    "equilibria": "one equilibrium or several",
    "insincerity": "which type a state is of",
    "reputation": "which state keeps its word more readily",
}
"""Names of the analyses in words."""


def unanswered(run: Run) -> Section | None:
    """What does not apply to this model or case; None where everything does."""
    missing = answers(run).missing
    if not missing:
        return None
    by_reason: dict[str, list[str]] = {}
    for name, question in QUESTIONS.items():
        if name in missing:
            by_reason.setdefault(missing[name], []).append(question)
    lines = [f"{listed(questions).capitalize()}: {why}." for why, questions in by_reason.items()]
    told = "Some questions do not arise for this model or this case, so the page has no section on them."
    return Section("Questions not asked here", "unanswered", join([paragraph(told), bullets(lines)]))
