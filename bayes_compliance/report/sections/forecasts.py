"""Fan charts of the probability of compliance and of net support, small multiples by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from bayes_compliance.report import facts
from bayes_compliance.report.parts import Section, figure, heading, join, paragraph
from bayes_compliance.report.plots import fan

if TYPE_CHECKING:
    from datetime import date

    from bayes_compliance.runs import Run

INTRODUCTION = (
    "The line is the probability that a decision falling due on that day is compliance. The wide, pale band is where "
    "that probability would lie if we could see the forces at work on that day: it holds what we do not know of today "
    "and all that may happen until then. The darker band is where full knowledge of today would put the probability, "
    "with the future still open: it tells how much further research could move the answer. Today is the day of the "
    "last decision on record. Marks are past decisions, at the probability that the model gives compliance on their "
    "day."
)


def forecasts(run: Run) -> Section:
    """p with both bands, and support, by state and rule."""
    parts = [paragraph(INTRODUCTION)]
    today = run.prepared.case.last_decision_date()
    for i, state in enumerate(run.prepared.case.states):
        fans = _fans(run, state.id)
        if fans:
            parts += [heading(state.id, "forecast by rule"), *_figures(i, state.id, state.threshold, fans, today)]
    return Section("Forecast by rule", "forecast", join(parts))


def _fans(run: Run, state: str) -> list[fan.Fan]:
    past = [row for row in facts.recorded(run) if row.state == state and row.kind == "compliance"]
    median = facts.ahead(run).dataset["support"].median("sample")
    fans = []
    for (of, rule), rows in facts.series(run).items():
        if of == state:
            support = median.sel(state=state, rule=rule).values.tolist()
            fans.append(fan.Fan(facts.rule_name(rule), rows, support, [row for row in past if row.rule == rule]))
    return fans


def _figures(i: int, state: str, threshold: float, fans: list[fan.Fan], today: date) -> list[Markup]:
    return [
        figure(fan.probability(f"p-{i}", state, fans, today), f"Probability of compliance by {state}."),
        figure(
            fan.support(f"support-{i}", state, fans, threshold, today),
            f"Net political support for compliance in {state}, in points: above the threshold a decision goes towards "
            "compliance, the more surely the further above.",
        ),
    ]
