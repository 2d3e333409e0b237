"""What a panel says in plain sentences, each written from the numbers that it names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.analysis.reputation import TOLD_APART, points
from bayes_compliance.case.vocabulary import LEVELS
from bayes_compliance.panel.holding import Count
from bayes_compliance.panel.layout import PERIOD_YEARS, PanelLayout
from bayes_compliance.report.sentences import day, likelihood, listed, percent, plural

FEW_ROWS = 10
FEW_STATES = 6
"""With fewer states left out a standard error over states says little, and no verdict is given."""

NAMED = 6
HARDLY = 0.2
"""Share by which decisions must have narrowed a spread to be said to tell anything."""

POOLED = {
    "partial": "A state's own record counts as far as it goes; for the rest it is taken to be like the others (those "
    "with like covariates, where there are any). A short record therefore gives a wide band about the common mean.",
    "none": "Each state is judged by its own record alone, with a wide prior: nothing is learnt from the others.",
    "complete": "All states are taken to be alike: their P2 + G2 is one number, so that there is nothing to rank.",
}
LIMITS = (
    "Who gains and who loses differs by rule and not by state: what a state's own lobbies add to that on all rules "
    "counts as its P2 + G2. So does its threshold.",
    "P and G are not told apart: a status quo that includes one of them in a case is taken without it here.",
    "The conduct that each decision met is not followed: w q, what the other side's answer counts for, is one number "
    "for all rules and dates, and w q L part of the rule's net interest. How L differs between rules rests on the "
    "prior, but for what adherence tells of it.",
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


def average(layout: PanelLayout) -> str:
    """The rule whose net interest is 0: areas have effects that sum to 0, each once however many rules it has."""
    if not layout.areas:
        return "the average rule of the panel"
    return "an average rule of the average area (areas count alike, however many rules each has)"


def meaning(layout: PanelLayout) -> str:
    """What is ranked, and its unit."""
    return (
        "Readiness to comply is P2 + G2: the support that a state's pro-international-law lobby and its government "
        "give to keeping a promise, whatever the rule. Its unit is sigma, the noise of decisions: on "
        f"{average(layout)} a state at 0 is as likely to keep the promise as to break it, and one sigma takes a chance "
        "of 50% to 84% (where there is no partial performance). Readiness to adhere is P1 + G1, the same before the "
        "promise was made."
    )


def record(layout: PanelLayout) -> list[str]:
    """What the answer rests on: kinds of rows, declared depth, short records, states alone on their rules."""
    entries = layout.panel.entries
    kinds = Counter(e.decision.kind for e in entries if not e.depth)
    said = [
        f"{plural(kinds['compliance'], 'decision')} to comply or not, {kinds['adherence'] or 'none'} to adhere or not, "
        f"{kinds['status_quo'] or 'none'} on the status quo."
    ]
    deep = sum(e.depth for e in entries)
    if deep:
        said.append(
            f"{deep} more {'row is' if deep == 1 else 'rows are'} declared and nobody observed them: without the rule "
            "the state would not have behaved so (depth)."
        )
    if kinds["adherence"] and not any(e.decision.decision == "not_adhere" for e in entries):
        said.append("Every adherence row is of a state that joined: none tells what keeps a state out.")
    if not kinds["adherence"]:
        said.append("There is no adherence row: P1 + G1 is P2 + G2 less a step that rests on its prior alone.")
    return [*said, *_short(layout)]


def tilt(layout: PanelLayout, bias_share: np.ndarray) -> list[str]:
    """Whether what a promise adds to P and G outweighs the temptation that reciprocity leaves."""
    if not any(e.decision.kind == "adherence" for e in layout.panel.entries):
        return []
    return [
        "Is what a promise adds to P and G larger than the temptation to take the other side's performance and not "
        f"answer it? Yes with probability {percent(float((bias_share > 0.5).mean()))}, for the state and the rule in "
        "the middle (one half before any decision). Take it with care: states come on record by joining, which by "
        "itself makes the temptation look larger."
    ]


def _short(layout: PanelLayout) -> list[str]:
    count = Counter(e.decision.state for e in layout.panel.entries if e.decision.kind == "compliance")
    short = [state for state in layout.panel.observed_states if 0 < count[state] < FEW_ROWS]
    none = [state for state in layout.panel.observed_states if not count[state]]
    said = []
    if short:
        listing = f": {listed([f'{state} ({count[state]})' for state in short])}" if len(short) <= NAMED else ""
        said.append(f"{plural(len(short), 'state')} with fewer than {FEW_ROWS} compliance decisions{listing}.")
    if none:
        listing = f": {listed(none)}" if len(none) <= NAMED else ""
        its = "its" if len(none) == 1 else "their"
        said.append(
            f"{plural(len(none), 'state')} with no compliance decision, ranked by {its} decisions to adhere and by "
            f"what is known of the others alone{listing}."
        )
    return said


def groups(layout: PanelLayout) -> list[list[str]]:
    """States with compliance decisions in groups: two are in one if they, or a chain of others, share a rule."""
    by_rule: dict = {}
    for entry in layout.panel.entries:
        if entry.decision.kind == "compliance":
            by_rule.setdefault(entry.key, set()).add(entry.decision.state)
    found: list[set[str]] = []
    for states in by_rule.values():
        joined = states.union(*(group for group in found if group & states))
        found = [*(group for group in found if not group & states), joined]
    return sorted((sorted(group) for group in found), key=lambda group: (-len(group), group))


def caution(layout: PanelLayout) -> str:
    """What a case's own run knows and a panel does not, so that their probabilities differ."""
    pooled = {"partial": "a state is taken to be like the others as far as its own record is short",
              "none": "each state is judged by its own record alone",
              "complete": "all states are taken to be alike"}  # fmt: skip
    still = [] if layout.paths else [f"nothing moves after {day(layout.panel.last)}"]
    why = listed(["lobbies are not judged", *still, pooled[layout.pooling]])
    return (
        f"A case's own run says other things of the same state and rule, since here {why}. Where a case has a run of "
        "its own, go by that."
    )


def across(layout: PanelLayout, told: NDArray) -> list[str]:
    """How many of the pairs told apart, (state, other) by the order of `observed_states`, rest on rules being alike."""
    found = groups(layout)
    pairs = int(told.sum())
    if len(found) < 2 or not pairs:
        return []
    of = {state: i for i, group in enumerate(found) for state in group}
    index = [of.get(state, -1) for state in layout.panel.observed_states]
    n = sum(index[i] != index[j] for i, j in np.argwhere(told))
    if not n:
        return ["No pair told apart is of states that share no rule, so that none rests on rules being alike."]
    many = f"{n} of the {pairs} pairs" if pairs > 1 else "The pair"
    are, rest = ("is", "rests") if n == 1 else ("are", "rest")
    return [
        f"{many} told apart {are} of states that share no rule, not even through others, and so {rest} on the rules of "
        "one being as hard on average as those of the other, which no decision tells."
    ]


def apart(layout: PanelLayout) -> list[str]:
    """Which states are compared on the same rules, where not all are."""
    found = groups(layout)
    if len(found) < 2:
        return []
    groupings = f": {'; '.join(listed(group) for group in found)}" if len(found) <= NAMED else ""
    return [
        f"The states fall into {len(found)} groups that share no rule{groupings}. Within a group states are compared "
        "on the same rules; between groups who is readier hangs on the rules being alike on average, which no "
        "decision tells."
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
                    f"“{column}” is missing for {blank} of {of} {kind}: there it may be any number, as it varies among "
                    "the others."
                )
    return said


def ahead(layout: PanelLayout, table: Sequence[dict]) -> list[str]:
    """By the forecast's rows at the horizon: the likeliest and the least likely state on a new rule; what is unseen."""
    until = layout.panel.until
    new = {row["state"]: row for row in table if row["rule"] == "*"}
    order = sorted((s for s in new if s in layout.panel.observed_states), key=lambda s: (-new[s]["p_comply"], s))
    said = []
    for state in dict.fromkeys([order[0], order[-1]]):
        p, low, high = (new[state][k] for k in ("p_comply", "p_lower", "p_upper"))
        said.append(
            f"On a new rule, {state} is {likelihood(p)} on {day(until)}: the probability is {percent(p)}. Whoever knew "
            f"the rule and the state on that day might say anything from {percent(low)} to {percent(high)} (5% to 95%)."
        )
    unseen = [s for s in new if s not in layout.panel.observed_states and s != "*"]
    by = "what states.csv says of it and by the others" if layout.panel.states.columns else "the others"
    for state in unseen[:NAMED]:
        p, low, high = (new[state][k] for k in ("p_comply", "p_lower", "p_upper"))
        said.append(
            f"{state}, of whom no decision is on record, by {by}: {percent(p)} on a new rule, {percent(low)} to "
            f"{percent(high)}."
        )
    return said + _unseen_rules(layout, table)


def _unseen_rules(layout: PanelLayout, table: Sequence[dict]) -> list[str]:
    said = []
    for rule in map(str, sorted({*layout.rules} - {*layout.panel.observed_rules})[:NAMED]):
        on = {row["state"]: row["p_comply"] for row in table if row["rule"] == rule}
        order = sorted({*on} & {*layout.panel.observed_states}, key=lambda s: (-on[s], s))
        if order:
            said.append(
                f"On {rule}, of which no decision is on record, the probabilities go from {percent(on[order[-1]])} "
                f"({order[-1]}) to {percent(on[order[0]])} ({order[0]})."
            )
    return said


def movement(layout: PanelLayout, table: Sequence[dict]) -> str:
    """How far what is forecast may still move, by all rows of the forecast."""
    last, until = day(layout.panel.last), day(layout.panel.until)
    if not layout.paths:
        return (
            f"Nothing moves here after {last}: every later date has the same probability, and for {until} the bands "
            "are too narrow if governments or lobbies change. With the option paths P2 + G2 moves, and they widen."
        )
    new = [row for row in table if row["rule"] == "*" and row["state"] in layout.panel.observed_states]
    first, end = (
        float(np.mean([row["support_upper"] - row["support_lower"] for row in new if row["date"] == date]))
        for date in (min(row["date"] for row in new), layout.panel.until.isoformat())
    )
    word = "widens" if end > first else "narrows"
    return (
        f"P2 + G2 goes on moving after {last} as it did before; the net interest of rules stays. Between the first "
        f"date ahead and {until} the band of support on a new rule {word} from {points(first)} to {points(end)} sigma "
        "in the mean of the states."
    )


def steps(spread: NDArray, before: float) -> str:
    """What P1 + G1 rests on.

    Parameters
    ----------
    spread : array (state,)
        Posterior standard deviation of the log of each state's step about the median step.
    before : float
        The same before any decision.
    """
    left = float(spread.mean()) / before
    if left > 1 - HARDLY:
        return (
            "P1 + G1 is P2 + G2 less a step, and the decisions hardly tell one state's step from another's (they have "
            f"narrowed it by {percent(max(1 - left, 0.0))}): the order to adhere is the order to comply again."
        )
    return f"P1 + G1 is P2 + G2 less a step; decisions have narrowed what is not known of it by {percent(1 - left)}."


def easiest(names: Sequence[str], interest: NDArray) -> str:
    """The easiest and the hardest rule by the median of net interest (sample, rule), and how sure that order is."""
    if len(names) < 2:
        return "There is one rule, so that no rule is easier than another."
    order = np.argsort(np.median(interest, axis=0), kind="stable")
    hard, easy = int(order[0]), int(order[-1])
    p = float((interest[:, easy] > interest[:, hard]).mean())
    told = "" if p > TOLD_APART else ", which is not above 80%: it cannot be told"
    return f"That {names[easy]} is easier to comply with than {names[hard]} has the probability {percent(p)}{told}."


def scored(mean: float, error: float, rows: int, states: int) -> str:
    """What leaving states out has shown."""
    of = f"(standard error {points(error)}, {plural(rows, 'decision')} of {plural(states, 'state')})"
    unit = "nats a decision in log score, of which a coin toss known beforehand is worth 0.69"
    what = f"{points(mean)} {unit} {of}"
    if states < FEW_STATES:
        return f"On states that the fit had not seen, its gain on base rates is {what}: too few states for a verdict."
    if abs(mean) <= 2 * error:
        return f"On states that the fit had not seen, it cannot be told from base rates: its gain is {what}."
    word = "better" if mean > 0 else "worse"
    return f"On states that the fit had not seen, it does {word} than base rates by {points(abs(mean))} {unit} {of}."


def covered(counts: Sequence[Count]) -> str:
    """Whether states left out complied as often as the range said that was forecast for them."""
    held = sum(one.lower <= one.complied <= one.upper for one in counts)
    return (
        f"How often a state left out complied lay within the range forecast for it (5% to 95%) for {held} of "
        f"{plural(len(counts), 'state')}; {0.9 * len(counts):.1f} would be right on average, or somewhat more, since "
        "counts are whole numbers."
    )


def moved(layout: PanelLayout, drift: np.ndarray) -> list[str]:
    """How much P2 + G2 moves, where it may."""
    low, mid, high = np.quantile(drift, LEVELS)
    unseen = f"All decisions are of the last {PERIOD_YEARS:g} years, so that this is the prior's pace and not theirs."
    return [
        f"P2 + G2 moves by {points(mid)} sigma in five years (one standard deviation; {points(low)} to {points(high)}, "
        f"5% to 95%); what is ranked is where it stands after {day(layout.panel.last)}.",
        *([] if len(layout.gap) else [unseen]),
    ]
