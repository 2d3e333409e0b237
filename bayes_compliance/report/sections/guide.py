"""How to read the page, and what it does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_compliance.report.facts import has_lobbies
from bayes_compliance.report.glossary import terms
from bayes_compliance.report.parts import Section, bullets, heading, join, paragraph
from bayes_compliance.report.sentences import LIKELIHOOD, day, listed, number, plural

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.runs import Run


def reading(run: Run) -> Section:
    """What the probabilities, bands, words and points mean."""
    case = run.prepared.case
    items = [
        "The probability is that of one decision: that a decision on the rule, falling due on that day, is compliance. "
        "“No violation until then” is about all decisions from the last one on record to that day, and so falls with "
        "time however likely each one is; partial or late performance is not violation.",
        f"“Today” and “now” are {day(case.last_decision_date())}, the day of the last decision on record that is not "
        "pending, and not the day on which the page is read.",
        "Two bands. “If we saw that day” runs over all that is unknown of today and all futures: it says how "
        "differently the probability would read to somebody who stood there. “Full knowledge of today” averages over "
        "the futures first: it says how far research could move the answer. Neither is an error bar of the other.",
        f"Words follow the shown percentage: {_words()}.",
        *(_lobbies(run) if has_lobbies(case) else [NO_LOBBIES]),
        f"Judgements hold on {day(case.reference_date)}.",
    ]
    return Section("How to read this page", "reading", join([bullets(items), heading("Terms"), bullets(terms(run))]))


NO_LOBBIES = (
    "Points are a scale of the model's own, in which only ratios and the noise of decisions matter. This model has no "
    "lobbies, so nothing on the page tells who is for or against."
)


def _lobbies(run: Run) -> list[str]:
    points = "; ".join(f"{state} {number(k)}" for state, k in sorted(run.prepared.priors.k_ref.items()))
    return [
        "Points are a scale of political weight with no unit of its own; only ratios and the noise of decisions "
        f"matter. For comparison, the losing lobbies of a state's first rule are judged to weigh, in points: {points}.",
        "Roles: J gains from its own state's compliance and K loses from it; L gains from the other side's compliance; "
        "P is the pro-law lobby and G the government itself. A state complies when the sum exceeds its threshold.",
    ]


def _words() -> str:
    return "; ".join(f"{least}% or more, {words}" if least else f"less, {words}" for least, words in LIKELIHOOD)


THEORY = (
    "The answer is no better than the theory: domestic lobbies, weighed against each other. Courts, capacity, and "
    "leaders who do not count lobbies are in it only as far as somebody judged them as a lobby or as noise.",
    "The scale of weights is judged, not measured. Decisions tell only which side prevailed.",
    "Lobbies that do not exist yet are not foreseen; a shock changes the size of those that do.",
)
RIVAL = (
    "The answer is no better than the model, which is here to be compared with others, not because it is believed.",
)


def limits(run: Run) -> Section:
    """What the forecast leaves out, and what of it is declared rather than known."""
    case = run.prepared.case
    items = [
        *(THEORY if has_lobbies(case) else RIVAL),
        "The record is a sample of what was written about, and selection is not modelled.",
        "Which event falls under which rule, and what counts as partial, was decided by hand before the fit.",
        *_of_case(case),
    ]
    notes = [paragraph("Read the case's own notes too: the README in its folder.")] * case.notes
    return Section("What it does not know", "limits", join([*notes, bullets(items)]))


def _of_case(case: Case) -> list[str]:
    pending = sum(d.decision == "pending" for d in case.decisions)
    shaky = sum(d.confidence in ("low", "medium") for d in case.decisions)
    answering = {lobby.state for lobby in case.lobbies if lobby.role == "L"}
    judged = [state.id for state in case.states if not state.counterparties and state.id in answering]
    deep = list(dict.fromkeys(rule for _, rule, _ in case.depths()))
    said = [
        (pending, f"{plural(pending, 'decision')} on record {_is(pending)} pending."),
        (shaky, f"{plural(shaky, 'decision')} on record {_is(shaky)} coded with medium or low confidence."),
        (judged, f"The other side's conduct towards {listed(judged)} is judged and does not move."),
        (
            deep,
            f"That the state would not do the same without the rule is declared, not observed, for: {listed(deep)}.",
        ),
    ]
    return [text for holds, text in said if holds]


def _is(n: int) -> str:
    return "is" if n == 1 else "are"
