"""Decisions on record, at the probability that the model gives them, and those that surprised it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from bayes_compliance.report import facts, sentences
from bayes_compliance.report.parts import Number, Section, figure, heading, join, paragraph, table, when
from bayes_compliance.report.plots.timeline import timeline
from bayes_compliance.wording import pareto, recorded_rule

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.report.facts import Recorded
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "Each mark is a decision, as high in its rule's strip as the probability of compliance (or adherence) that the "
    "fitted model gives it, one step ahead: from the conduct that came before it, with parameters that have seen the "
    "whole record. The thin line is that probability's 5% to 95% band. A mark of violation high up, or one of "
    "compliance low down, is a surprise."
)
SURPRISES = (
    "The same decisions, the most surprising first. “Given all” is the probability of what was observed under the "
    "whole posterior, which has seen that decision too; “left out” is what the model would have said had it not seen "
    "this one, by Pareto-smoothed importance sampling. A k above {mark} says that the decision weighs so much that "
    "“left out” cannot be trusted; one at or below 0 (≤ 0), that the weights have an upper end, as they do where the "
    "chance of a wrong code bounds how improbable the outcome can be. Below 10% the outcome is called a great "
    "surprise, below 25% a surprise, below 50% none, and from there on expected."
)
MOST = 20


def record(run: Run) -> Section:
    """The record on a time line, and its surprises."""
    rows = facts.recorded(run)
    decided = [row for row in rows if not row.depth]
    if not decided:
        nothing = "No decision is on record: the forecast is the judgements, carried forward."
        return Section("The record", "record", paragraph(nothing))
    parts = [paragraph(INTRODUCTION), *_inexact(run.prepared.case)]
    years = min(row.date for row in decided).year, max(row.date for row in decided).year
    for i, state in enumerate(run.prepared.case.states):
        own = [row for row in decided if row.state == state.id]
        if own:
            drawn = timeline(f"record-{i}", state.id, own, years)
            parts += [heading(state.id, "the record"), figure(drawn, f"Decisions of {state.id}, by rule.")]
    return Section("The record", "record", join([*parts, heading("Surprises"), *_surprises(run, rows)]))


def _surprises(run: Run, rows: list[Recorded]) -> list[Markup]:
    mark = facts.largest_k(run)
    introduction = paragraph(SURPRISES.format(mark=pareto(mark)))
    order = sorted(zip(rows, facts.left_out(run), strict=True), key=lambda pair: pair[1][0])
    columns = ["Date", "State", "Rule", "Kind", "Decision", *map(Number, ("Given all", "Left out", "k")), "Surprise"]
    cells = [
        [when(row.date), row.state, recorded_rule(row.rule), _kind(row),
         row.decision.replace("_", " "), sentences.percent(row.observed), sentences.percent(p), pareto(k),
         sentences.surprise(p) if k <= mark else "cannot tell"]
        for row, (p, k) in order[:MOST]
    ]  # fmt: skip
    drawn = table("Probability of each outcome on record", columns, cells)
    if len(order) <= MOST:
        return [introduction, drawn]
    rest = (
        f"Of {counted(rows)} the {MOST} with the least “left out” are shown; that of the other {len(order) - MOST} is "
        f"{sentences.percent(order[MOST][1][0])} or more."
    )
    return [introduction, drawn, paragraph(rest, "note")]


def counted(rows: Sequence[Recorded]) -> str:
    """`57 decisions and 11 rows of declared depth`: rows with a likelihood are not all decisions."""
    deep = sum(row.depth for row in rows)
    decisions = sentences.plural(len(rows) - deep, "decision")
    return f"{decisions} and {sentences.plural(deep, 'row')} of declared depth" if deep else decisions


def _inexact(case: Case) -> list[Markup]:
    """That dates stand for a month or a year, where some do."""
    decided = [d for d in case.decisions if d.decision != "pending"]
    ends = [(d.date, d.date_end) for d in decided if d.date != d.date_end]
    if not ends:
        return []
    by_year = sum((day.month, day.day) == (7, 1) for day, _ in ends)
    known = [
        (by_year, "known by a year alone, standing on 1 July"),
        (len(ends) - by_year, "known by a month, standing on its 15th"),
    ]
    each = ", and ".join(f"{n} {'is' if n == 1 else 'are'} {what}" for n, what in known if n)
    pending = len(case.decisions) - len(decided)
    of = f"the {sentences.plural(len(decided), 'decision')} on record{' that are not pending' if pending else ''}"
    last = case.last_decision_date()
    today = f" The last, of {sentences.day(last)}, is one of these, so that “today” is by convention too." * (
        last in {day for day, _ in ends} and last not in {d.date for d in case.decisions if d.date == d.date_end}
    )
    return [paragraph(f"Not all dates are exact: of {of}, {each}.{today}", "note")]


def _kind(row: Recorded) -> str:
    return "without the rule (declared depth)" if row.depth else row.kind.replace("_", " ")
