"""What the rules ask, who owes them, and what the states would do without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_compliance.report.facts import has_lobbies
from bayes_compliance.report.parts import Number, Section, join, paragraph, table
from bayes_compliance.report.sentences import day, listed, number

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
        [rule.id, _asked(rule), listed(rule.states), number(rule.decisions_per_year),
         *([_without(rule)] * with_depth)]
        for rule in case.rules
    ]  # fmt: skip
    columns = ["Rule", "What it asks", "Owed by", Number("Decisions a year"), *["Without it"] * with_depth]
    said = INTRODUCTION + (DEPTH if with_depth else NO_DEPTH)
    return Section("What the rules ask", "rules", join([paragraph(said), table("The rules", columns, rows)]))


def _asked(rule: Rule) -> str:
    """What a rule asks, and what the case declares of its end and of the other side's part in it."""
    parts = [_line(rule.title) or NOTHING]
    if rule.last_period:
        since = "from the start, since the end is foreseen" if rule.unravelling else f"from {day(rule.last_period)} on"
        parts.append(f"a known end: L counts nothing {since}")
    if rule.performance:
        shares = listed([f"{number(100 * share)}% on {day(when)}" for when, share in rule.performance])
        parts.append(f"performed of the other side's part: {shares}")
    return "; ".join(parts)


def _without(rule: Rule) -> str:
    """What is declared of a rule's depth, and why."""
    reason = _line(rule.depth_reason)
    return f"{'The opposite (declared depth)' if rule.depth else 'Not declared'}. {reason}".strip()


def _line(text: str) -> str:
    return " ".join(text.split())
