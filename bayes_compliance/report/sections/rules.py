"""What the rules ask, who owes them, and what the states would do without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_compliance.report.facts import has_lobbies
from bayes_compliance.report.parts import Number, Section, join, paragraph, table
from bayes_compliance.report.sentences import listed, number

if TYPE_CHECKING:
    from bayes_compliance.case import Rule
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "A forecast supposes that a decision falls due on its date, whether or not the law makes one fall due then. "
)
DEPTH = (
    "“Without it” is what the states would do if there were no such rule: the opposite of what it asks where the case "
    "declares so, which then counts as a row of the record."
)
NO_DEPTH = "What the case declares of the states without a rule this model does not use."
NOTHING = "the case does not say"


def rules(run: Run) -> Section:
    """A row for each rule, in the order of the forecasts; what would be without it only where the model asks that."""
    case = run.prepared.case
    with_depth = has_lobbies(case)
    rows = [
        [rule.id, _line(rule.title) or NOTHING, listed(rule.states), number(rule.decisions_per_year),
         *([_without(rule)] * with_depth)]
        for rule in case.rules
    ]  # fmt: skip
    columns = ["Rule", "What it asks", "Owed by", Number("Decisions a year"), *["Without it"] * with_depth]
    said = INTRODUCTION + (DEPTH if with_depth else NO_DEPTH)
    return Section("What the rules ask", "rules", join([paragraph(said), table("The rules", columns, rows)]))


def _without(rule: Rule) -> str:
    """What is declared of a rule's depth, and why."""
    reason = _line(rule.depth_reason)
    return f"{'The opposite (declared depth)' if rule.depth else 'Not declared'}. {reason}".strip()


def _line(text: str) -> str:
    return " ".join(text.split())
