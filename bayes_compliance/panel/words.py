"""What a panel says in plain sentences, each written from the numbers that it names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from bayes_compliance.panel.layout import PanelLayout
from bayes_compliance.report.sentences import day, likelihood, listed, number, percent, plural

FEW_ROWS = 10
FEW_STATES = 6
"""With fewer states left out a standard error over states says little, and no verdict is given."""

NAMED = 6
POOLED = {
    "partial": "A state's own record counts as far as it goes; for the rest it is taken to be like the others (those "
    "with like covariates, where there are any). A short record therefore gives a wide band about the common mean.",
    "none": "Each state is judged by its own record alone, with a wide prior: nothing is learnt from the others.",
    "complete": "All states are taken to be alike: their P2 + G2 is one number, so that there is nothing to rank.",
}
LIMITS = (
    "Who gains and who loses is one net interest for each rule, the same for every state: what a state's own lobbies "
    "add to that on all rules counts as its P2 + G2. So does its threshold.",
    "P and G are not told apart: a status quo that includes one of them in a case is taken without it here.",
    "The reciprocity that each decision met is not followed: w q L is part of the rule's net interest on average.",
    "Decisions on record are a biased sample. A state whose quiet compliance goes unrecorded looks worse than it is; "
    "so does one that took on harder rules, unless other states are on record on the same rules.",
    "Sigma is the same for all states and is the unit. Decisions tell ratios to it and nothing else.",
    "It is no praise or blame: P2 + G2 is what decisions have in common, not a virtue.",
)


def subtitle(layout: PanelLayout) -> str:
    """What the panel holds."""
    panel = layout.panel
    cases = len({entry.case for entry in panel.entries})
    return (
        f"Panel {panel.name}, {layout.pooling} pooling of states: {plural(len(panel.observed_states), 'state')}, "
        f"{plural(len(panel.observed_rules), 'rule')} of {plural(cases, 'case')}, "
        f"{plural(sum(not e.depth for e in panel.entries), 'decision')} on record up to {day(panel.last)}; "
        f"forecast for {day(panel.until)}."
    )


def record(layout: PanelLayout) -> list[str]:
    """What the answer rests on: kinds of rows, declared depth, short records, states alone on their rules."""
    entries = layout.panel.entries
    kinds = Counter(e.decision.kind for e in entries if not e.depth)
    said = [
        f"{plural(kinds['compliance'], 'decision')} to comply or not, {kinds['adherence']} to adhere or not, "
        f"{kinds['status_quo']} on the status quo."
    ]
    deep = sum(e.depth for e in entries)
    if deep:
        said.append(
            f"{plural(deep, 'row')} more {'is' if deep == 1 else 'are'} declared: a state would not have behaved so "
            "without the rule (depth)."
        )
    if kinds["adherence"] and not any(e.decision.decision == "not_adhere" for e in entries):
        said.append(
            "Every adherence row is of a state that joined: P1 + G1 rests on P2 + G2 less a step that these rows "
            "hardly tell."
        )
    if not kinds["adherence"]:
        said.append("There is no adherence row: P1 + G1 is P2 + G2 less a step that rests on its prior alone.")
    return [*said, *_short(layout), *_alone(layout)]


def tilt(layout: PanelLayout, bias_share: np.ndarray) -> list[str]:
    """Whether what a promise adds to P and G outweighs the temptation that reciprocity leaves."""
    if not any(e.decision.kind == "adherence" for e in layout.panel.entries):
        return []
    return [
        "That the bias towards keeping a promise (the steps of P and G) is larger than the temptation to take the "
        f"other side's performance and not answer it has the probability {percent(float((bias_share > 0.5).mean()))} "
        "(one half before any data). Take it with care: states come on record by joining, which by itself makes the "
        "temptation look larger."
    ]


def _short(layout: PanelLayout) -> list[str]:
    count = Counter(e.decision.state for e in layout.panel.entries if e.decision.kind == "compliance")
    short = [state for state in layout.panel.observed_states if count[state] < FEW_ROWS]
    if not short:
        return []
    listing = f": {listed([f'{state} ({count[state]})' for state in short])}" if len(short) <= NAMED else ""
    return [f"{plural(len(short), 'state')} with fewer than {FEW_ROWS} compliance decisions{listing}."]


def _alone(layout: PanelLayout) -> list[str]:
    """States whose rules no other state is on record on: their P2 + G2 and their rules cannot be told apart."""
    by_rule: dict = {}
    for entry in layout.panel.entries:
        if entry.decision.kind == "compliance":
            by_rule.setdefault(entry.key, set()).add(entry.decision.state)
    shared = {state for states in by_rule.values() if len(states) > 1 for state in states}
    alone = sorted({state for states in by_rule.values() for state in states} - shared)
    if not alone:
        return []
    return [
        f"{listed(alone)} {'shares' if len(alone) == 1 else 'share'} no rule with any other state. Whether "
        f"{'it is' if len(alone) == 1 else 'they are'} readier, or the rules easier, is told by the pooling of rules "
        "alone, not by a comparison."
    ]


def missing(layout: PanelLayout) -> list[str]:
    """Blank covariates by column, and how they are handled."""
    said = []
    for kind, columns, design in (
        ("states", layout.panel.states.columns, layout.about_states), ("rules", layout.panel.rules.columns,
         layout.about_rules),
    ):  # fmt: skip
        for c, column in enumerate(columns):
            blank = int((design.column == c).sum())
            if blank:
                of = len(design.known)
                said.append(
                    f"“{column}” is missing for {blank} of {of} {kind}: a free number there, standard normal before "
                    "the decisions."
                )
    return said


def ahead(layout: PanelLayout, table: Sequence[dict]) -> list[str]:
    """A new rule at the horizon: the likeliest and the least likely state, and a state of whom nothing is known."""
    new = {row["state"]: row for row in table if row["rule"] == "*"}
    order = sorted((s for s in new if s in layout.panel.observed_states), key=lambda s: (-new[s]["p_comply"], s))
    when = day(layout.panel.until)
    said = []
    for state in dict.fromkeys([order[0], order[-1]]):
        p, low, high = (new[state][k] for k in ("p_comply", "p_lower", "p_upper"))
        said.append(
            f"On a new rule, {state} is {likelihood(p)} on {when}: the probability is {percent(p)}; by the rule and by "
            f"what is not known of the state it may be anything from {percent(low)} to {percent(high)} (90%)."
        )
    for state in [s for s in new if s not in layout.panel.observed_states and s != "*"][:NAMED]:
        p = new[state]["p_comply"]
        said.append(f"{state}, of whom no decision is on record, from its covariates: {percent(p)} on a new rule.")
    return said


def scored(mean: float, error: float, rows: int, states: int) -> str:
    """What leaving states out has shown."""
    what = f"{number(mean)} nats a decision (standard error {number(error)}, {rows} decisions of {states} states)"
    if states < FEW_STATES:
        return f"On states that the fit had not seen, it gains on base rates {what}: too few states for a verdict."
    if abs(mean) <= 2 * error:
        return f"On states that the fit had not seen, it cannot be told from the base rates: {what}."
    return (
        f"On states that the fit had not seen, it does {'better' if mean > 0 else 'worse'} than base rates by {what}."
    )


def moved(layout: PanelLayout, drift: np.ndarray) -> list[str]:
    """How much P2 + G2 moves, where it may."""
    low, mid, high = np.quantile(drift, [0.05, 0.5, 0.95])
    return [
        f"P2 + G2 moves by {number(float(mid))} sigma in five years (one standard deviation; 90%: {number(float(low))} "
        f"to {number(float(high))}); what is ranked is where it stands after {day(layout.panel.last)}."
    ]
