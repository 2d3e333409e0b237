"""The answer for each state: three sentences, base rates, what pulls which way, and every rule at the horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from bayes_compliance.answer import nearing, today
from bayes_compliance.proposals import backtest, can_be_tested
from bayes_compliance.report import facts, findings, sentences
from bayes_compliance.report.answers import answers, over_rules
from bayes_compliance.report.parts import Number, Section, figure, heading, join, paragraph, table, unbroken
from bayes_compliance.report.plots import bars
from bayes_compliance.report.sections.what_if import effects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayes_compliance.report.sentences import Outlook, Pull
    from bayes_compliance.runs import Run

TROUBLE = (
    "Disputes leave more traces than quiet compliance. Unless every date on which a rule fell due has its row, as in a "
    "yearly assessment, these rates over-sample trouble: a rule that nobody contests falls due far more often than its "
    "row count says."
)
TERMS = "“How to read this page” says what its words and signs mean."
SAMPLED = (
    "What scenarios make of it is told from a sample of worlds like the forecast's; the command bayes-compliance "
    "scenario asks all of the forecast's worlds, and may differ by a point or two."
)
HOW_GOOD = (
    "How good such forecasts have been this page does not tell. The command {} does: it forecasts each decision of "
    "this record from the day before, and scores that beside simple baselines."
)


def answer(run: Run) -> Section:
    """Will each state comply, how sure can we be, what drives it, and what would change it?"""
    by_rule, outlooks = facts.pulls_by_rule(run), facts.outlooks(run)
    pulls = facts.pulls(run, by_rule)
    moved = _by_scenario(run)
    told = [
        _state(run, outlook, [pull for pull in pulls if pull.state == outlook.state], moved.get(outlook.state, {}))
        for outlook in outlooks
    ]
    known = paragraph(f"{today(run.prepared.case, 'on this page', sentences.day)} {TERMS}")
    notes = [paragraph(text, "note") for text in (*(SAMPLED,) * bool(moved), *_of_the_record(run))]
    parts = [known, *told, *notes, *_every_rule(run), *_pulls(outlooks, pulls, by_rule)]
    return Section("The answer", "answer", join(parts))


def _of_the_record(run: Run) -> list[str]:
    """What the record's rates leave out, and how to see what it makes of such forecasts: where it has any, and can."""
    case, model = run.prepared.case, run.summary["settings"]["model"]
    rates = [TROUBLE] if facts.rate(case).n else []
    return [*rates, HOW_GOOD.format(backtest(model))] if can_be_tested(case) else rates


def _state(run: Run, outlook: Outlook, pulls: list[Pull], moved: dict[str, findings.Effect]) -> Markup:
    case, state = run.prepared.case, outlook.state
    joining = sum(d.kind == "adherence" and d.decision != "pending" for d in case.decisions)
    base = sentences.reference(state, facts.rate(case, state), facts.rate(case), outlook.last.p, joining)
    told = [paragraph(text, "lead") for text in sentences.answer(outlook, pulls)]
    hangs = paragraph(findings.turns_on(_by_rule(run, state), moved), "lead")
    return join([heading(state), *told, hangs, paragraph(base, "note")])


def _by_rule(run: Run, state: str) -> dict[str, float]:
    """Probability at the horizon on each rule that the state owes."""
    by_pair = facts.series(run)
    return {rule: by_pair[state, rule][-1]["p_comply"] for rule in run.prepared.case.state(state).rules}


def _by_scenario(run: Run) -> dict[str, dict[str, findings.Effect]]:
    """What each scenario that does anything by the horizon makes of each state, by state and title."""
    whole = answers(run).found.get("scenarios")
    found: dict[str, dict[str, findings.Effect]] = {}
    if whole is None:
        return found
    last = over_rules(whole, run.prepared.case).isel(time=-1)
    for one in (last.sel(scenario=id) for id in last["scenario"].values):
        for effect in [] if one["idle"].item() else effects(one):
            found.setdefault(effect.state, {})[str(one["title"].item())] = effect
    return found


def _pulls(outlooks: list[Outlook], pulls: list[Pull], by_rule: facts.Weights) -> list[Markup]:
    if not pulls:
        return []
    parts = [heading("What pulls which way"), paragraph(PULLS)]
    for i, outlook in enumerate(outlooks):
        own = [pull for pull in pulls if pull.state == outlook.state]
        dates = [sentences.day(p.date) for p in (outlook.first, outlook.last)]
        drawn = bars.pulls(f"pulls-{i}", outlook.state, own, *dates)
        parts.append(figure(drawn, f"Lobbies of {outlook.state}, by role."))
    rows = [
        [state, rule, *(_named(lobbies, sign) for sign in (1, -1))]
        for (state, rule), lobbies in sorted(by_rule.items())
    ]
    if len(rows) == len(outlooks):  # one rule each, as in the figures
        return parts
    last = outlooks[0].last.date
    caption = f"What pulls each rule hardest on {last}: the first {MOST} for and against, median weights in points"
    return [*parts, table(caption, ["State", "Rule", "For compliance", "Against it"], rows)]


def _named(lobbies: dict[str, float], sign: int) -> str:
    """Lobbies on one side of a rule, the heaviest first."""
    own = sorted((-sign * weight, lobby) for lobby, weight in lobbies.items() if sign * weight > 0)
    return "; ".join(f"{lobby} {sentences.signed(lobbies[lobby])}" for _, lobby in own[:MOST]) or "–"


OUTCOMES = (("p_comply", "complies"), ("p_partial", "in part"), ("p_violate", "violates"))
PULLS = (
    "The median weight of each lobby, averaged over the rules that its state owes: where a rule does not concern it, "
    "it counts nothing. L, those who gain from the other side's conduct, count w q of their magnitude: q is the chance "
    "that it performs, w how much that later answer counts today."
)
MOST = 2
"""Lobbies named on each side of a rule."""


def _every_rule(run: Run) -> list[Markup]:
    by_pair = facts.series(run)
    first, last = (next(iter(by_pair.values()))[at]["date"] for at in (0, -1))
    outcomes = OUTCOMES if run.prepared.case.outcomes == 3 else OUTCOMES[::2]
    columns = [
        "State", "Rule", Number(f"Complies {unbroken(first)}"), Number(f"Complies {unbroken(last)}"),
        *(Number(called) for _, called in outcomes[1:]), Number("If we saw that day"),
        Number(f"Full knowledge of today, {unbroken(str(run.prepared.case.last_decision_date()))}"),
        Number("No violation until then (decisions due)"),
    ]  # fmt: skip
    names = [name for name, _ in outcomes]
    rows = [
        [state, facts.rule_name(rule), *_row(rows[0], rows[-1], names), facts.no_violation(run, rows[-1])]
        for (state, rule), rows in sorted(by_pair.items(), key=lambda item: -item[1][-1]["p_violate"])
    ]
    caption = (
        f"Every rule on {last}, the likeliest violations first: the probabilities, 5% to 95% bands of compliance, and "
        "the probability of no violation from the last decision on record to that day, with how many decisions fall "
        "due by then."
    )
    drawn_in = [paragraph(said, "note") for said in [nearing(facts.ahead(run))] if said]
    return [heading("Rule by rule"), table(caption, columns, rows), *drawn_in]


def _row(first: dict, last: dict, outcomes: Sequence[str]) -> list[str]:
    bands = (sentences.band(last[f"{p}_lower"], last[f"{p}_upper"]) for p in ("p", "p_today"))
    shares = (sentences.percent(last[name]) for name in outcomes)
    return [sentences.percent(first["p_comply"]), *shares, *bands]
