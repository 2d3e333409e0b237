"""Bilateral or multilateral: what the answer of some counterparties alone would sustain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_compliance.analysis.sentences_b import bilateral_or_multilateral_sentences
from bayes_compliance.case.vocabulary import ALL
from bayes_compliance.kept import horizon
from bayes_compliance.report.answers import answers, by_state_alone, over_rules
from bayes_compliance.report.comparison import DIFFERENCES
from bayes_compliance.report.parts import Section, bullets, figure, join, paragraph
from bayes_compliance.report.plots import compare
from bayes_compliance.report.sentences import day

if TYPE_CHECKING:
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "How much of the answer rests on whom? In each set only its members' conduct still moves those who gain from it; "
    "the weight of the others is lost, not shared out. The probabilities are over the rules of each state."
)


def partners(run: Run) -> Section | None:
    """The probability of compliance under each declared set of counterparties."""
    whole = answers(run).found.get("bilateral_or_multilateral")
    if whole is None:
        return None
    found, by_state = over_rules(whole, run.prepared.case), {}
    for state, here in by_state_alone(found.isel(time=-1)).items():
        p = {str(name): float(here["p"].sel(set=name)) for name in here["set"].values}
        by_state[state] = {name: value for name, value in p.items() if not np.isnan(value)}
    until = day(horizon(whole))
    told = {state: p for state, p in by_state.items() if len(p) > 1}
    if not told:
        nothing = "No state deals with the declared sets of counterparties one by one, so there is nothing to compare."
        return Section("Bilateral or multilateral", "partners", paragraph(nothing))
    said = bilateral_or_multilateral_sentences(found)
    rows = [
        compare.Panel(state, {"all counterparties" if n == ALL else n: [v] for n, v in p.items()})
        for state, p in told.items()
    ]
    title = f"Probability of compliance on {until}, by who answers"
    drawn = figure(compare.dots("partners", title, ["probability"], rows), f"{title}.")
    return Section(
        "Bilateral or multilateral", "partners", join([paragraph(INTRODUCTION), bullets(said), drawn, DIFFERENCES])
    )
