"""What the agreement adds: lock-in, pivotality and the tilt of the promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_compliance.analysis.sentences_a import lock_in_sentences, tilt_sentences
from bayes_compliance.report.answers import answers, over_rules
from bayes_compliance.report.comparison import DIFFERENCES, by_rule
from bayes_compliance.report.parts import Section, bullets, figure, heading, join, paragraph
from bayes_compliance.report.plots import compare
from bayes_compliance.report.sentences import listed

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "The same conduct on the same day, with the agreement and without it. Without it nobody gains from the other "
    "side's answer, no promise is broken, and what the agreement entrenched is gone. The agreement turns the balance "
    "where a state would not act so without it and does with it."
)
TILT = (
    "Breaking a promise costs more than never making one: that is the bias towards compliance. Against it stands the "
    "temptation: once the state has what it joined for, those who gain from the other side's conduct count only as far "
    "as that conduct depends on its own."
)


def agreement(run: Run) -> Section | None:
    """Compliance with the agreement and without it, by rule; and the bias against the temptation."""
    found, case = answers(run).found, run.prepared.case
    if "lock_in" not in found:
        return None
    title = "Probability of compliance without and with the agreement, at the horizon"
    panels = by_rule(found["lock_in"].isel(time=-1), case, ["p_alone", "p_agreement"])
    parts = [
        paragraph(INTRODUCTION + left_out(case)),
        bullets(lock_in_sentences(over_rules(found["lock_in"], case))),
        figure(compare.dots("lock-in", title, ["without the agreement", "with it"], panels), f"{title}, by rule."),
    ]
    if "tilt" in found:
        said = bullets(tilt_sentences(over_rules(found["tilt"], case)))
        parts += [heading("The bias and the temptation"), paragraph(TILT), said]
    return Section("What the agreement adds", "agreement", join([*parts, DIFFERENCES]))


WEIGH_IN = {"P": "the pro-law lobby", "G": "the government itself"}


def left_out(case: Case) -> str:
    """Who has a lobby in the case and no part in its status quo, as the case declares it."""
    roles = {lobby.role for lobby in case.lobbies} - set(case.status_quo_includes)
    absent = [name for role, name in WEIGH_IN.items() if role in roles]
    if not absent:
        return ""
    one = len(absent) == 1
    return (
        f" As the case says or by default (status_quo_includes), without the agreement {'' if one else 'neither '}"
        f"{listed(absent, 'nor')} {'does not weigh' if one else 'weighs'} in: what "
        f"{'it' if one else 'either'} would do then is left out of the comparison, and all that "
        f"{'it weighs' if one else 'they weigh'} under it counts as what the agreement adds."
    )
