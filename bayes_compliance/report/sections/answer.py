"""The answer for each state: two sentences, base rates, what pulls which way, and every rule at the horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from bayes_compliance.report import facts, sentences
from bayes_compliance.report.parts import Number, Section, figure, heading, join, paragraph, table
from bayes_compliance.report.plots import bars

if TYPE_CHECKING:
    from bayes_compliance.report.sentences import Outlook, Pull
    from bayes_compliance.runs import Run

TROUBLE = (
    "These rates are of decisions that somebody wrote about. Disputes leave more traces than quiet compliance, so they "
    "over-sample trouble: a rule that nobody contests falls due far more often than its row count says."
)


def answer(run: Run) -> Section:
    """Will each state comply, how sure can we be, and what drives it?"""
    pulls = facts.pulls(run)
    states = [_state(run, i, outlook, pulls) for i, outlook in enumerate(facts.outlooks(run))]
    return Section("The answer", "answer", join([*states, paragraph(TROUBLE, "note"), _every_rule(run)]))


def _state(run: Run, i: int, outlook: Outlook, pulls: list[Pull]) -> Markup:
    case, state = run.prepared.case, outlook.state
    own = [pull for pull in pulls if pull.state == state]
    parts = [heading(state), *(paragraph(text, "lead") for text in sentences.answer(outlook, own))]
    parts.append(
        paragraph(sentences.reference(state, facts.rate(case, state), facts.rate(case), outlook.last.p), "note")
    )
    if own:
        dates = [sentences.day(p.date) for p in (outlook.first, outlook.last)]
        drawn = bars.pulls(f"pulls-{i}", state, own, *dates)
        parts.append(figure(drawn, PULLS))
    return join(parts)


PULLS = (
    "Mean weight of each lobby, averaged over the rules that the state owes: where a rule does not concern it, it "
    "counts nothing. L counts w q of its magnitude, for what the other side's conduct is still worth. The bars add up "
    "to the state's mean net support."
)


def _every_rule(run: Run) -> Markup:
    columns = [
        "State", "Rule", "Date", Number("Complies"), Number("In part"), Number("Violates"),
        Number("If we saw that day"), Number("Better knowledge of today"),
        Number("No violation so far"),
    ]  # fmt: skip
    rows = [
        _row(state, rule, row)
        for (state, rule), of_rule in facts.series(run).items()
        for row in of_rule[:: max(len(of_rule) - 1, 1)]
    ]
    return table(
        "Every state and rule, on the first date ahead and at the horizon. Bands are 5% to 95%.", columns, rows
    )


def _row(state: str, rule: str, row: dict) -> list[str]:
    return [
        state, facts.rule_name(rule), row["date"],
        *(sentences.percent(row[name]) for name in ("p_comply", "p_partial", "p_violate")),
        *(f"{sentences.shown(row[f'{name}_lower'])}–{sentences.shown(row[f'{name}_upper'])}%"
          for name in ("p", "p_today")),
        sentences.percent(row["p_no_violation"]),
    ]  # fmt: skip
