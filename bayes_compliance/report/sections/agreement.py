"""What the agreement adds: lock-in, pivotality and the tilt of the promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_compliance.analysis.sentences_a import lock_in_sentences, tilt_sentences
from bayes_compliance.report.answers import answers, over_rules
from bayes_compliance.report.comparison import by_rule
from bayes_compliance.report.parts import Section, bullets, figure, heading, join, paragraph
from bayes_compliance.report.plots import compare

if TYPE_CHECKING:
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "The same conduct on the same day, with the agreement and without it. Without it nobody gains from the other "
    "side's answer, no promise is broken, and what the agreement entrenched is gone. The agreement turns the balance "
    "where a state would not act so without it and does with it."
)
TILT = (
    "Breaking a promise costs more than never making one: that is the bias towards compliance. Against it stands the "
    "temptation: once the state has what it joined for, its exporters count only as far as the other side's later "
    "conduct depends on its own."
)


def agreement(run: Run) -> Section | None:
    """Compliance with the agreement and without it, by rule; and the bias against the temptation."""
    found, case = answers(run).found, run.prepared.case
    if "lock_in" not in found:
        return None
    title = "Probability of compliance without and with the agreement, at the horizon"
    panels = by_rule(found["lock_in"].isel(time=-1), case, ["p_alone", "p_agreement"])
    parts = [
        paragraph(INTRODUCTION),
        bullets(lock_in_sentences(over_rules(found["lock_in"], case))),
        figure(compare.dots("lock-in", title, ["without the agreement", "with it"], panels), f"{title}, by rule."),
    ]
    if "tilt" in found:
        said = bullets(tilt_sentences(over_rules(found["tilt"], case)))
        parts += [heading("The bias and the temptation"), paragraph(TILT), said]
    return Section("What the agreement adds", "agreement", join(parts))
