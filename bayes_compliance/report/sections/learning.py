"""Prior beside posterior, and what the data hardly moved."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from markupsafe import Markup

from bayes_compliance.feedback import at_the_horizon
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.kept import horizon
from bayes_compliance.measurements import Moved, moved
from bayes_compliance.report import facts, sentences
from bayes_compliance.report.answers import owed
from bayes_compliance.report.learning import Learnt, learnt
from bayes_compliance.report.parts import Number, Section, bullets, figure, heading, join, paragraph, table
from bayes_compliance.report.plots import bars, compare
from bayes_compliance.validation.sentences import both, unknown

if TYPE_CHECKING:
    from bayes_compliance.measurements import Measured
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "The priors, what the analysts judged and the defaults where they said nothing, beside what is left after the "
    "decisions on record. Decisions tell only on which side of "
    "its threshold support lay, compared with the noise: the scale itself rests on the priors."
)

MEASURED = (
    "The case has proxies for measurements: they speak of magnitudes, or a vote's share of net support, with the error "
    "that their reliability leaves. The draws are weighted anew to undo one kind, or one vote; below a hundred "
    "effective draws only a new fit can tell, and which lobby moved most too."
)
FEW_DRAWS = 100
ANSWER = (
    "The probability of compliance at the horizon before the record and after it: what the priors alone say, in worlds "
    "from adherence on in which no decision is known (standard error up to two percentage points), and the forecast."
)

Chances = dict[tuple[str, str], float]


def learning(run: Run) -> Section:
    """The answer and each unknown quantity before and after the data."""
    found = learnt(run)
    parts = [*_answer(run), heading("What is not known"), paragraph(INTRODUCTION), paragraph(_summary(found))]
    for i, state in enumerate(run.prepared.case.states):
        own = [item for item in found if item.quantity == "magnitude" and item.state == state.id]
        if own:
            drawn = bars.learnt(f"learnt-{i}", state.id, own)
            parts += [
                heading(state.id, "what the data moved"),
                figure(drawn, f"Magnitudes in {state.id} on the reference date: medians, 5% to 95%."),
            ]
    if found:
        parts += [*_hardly(found), *_measured(run), heading("All unknown quantities"), _table(found)]
    return Section("What the data moved", "learnt", join(parts))


def _answer(run: Run) -> list[Markup]:
    prepared, until = run.prepared, horizon(facts.ahead(run).dataset)
    if not len(prepared.layout.rows):
        return []
    alone = at_the_horizon(prepared, until, seed=run.summary["settings"]["seed"])
    before, after = {pair: one.p for pair, one in alone.items()}, facts.at_the_end(run)
    title = f"Probability of compliance on {sentences.day(until)}, before the record and after it"
    panels = [
        compare.Panel(state, {rule: [before[state, rule], after[state, rule]] for rule in rules})
        for state, rules in owed(prepared.case).items()
    ]
    decided = any(decision.decision != "pending" for decision in prepared.case.decisions)
    source = "the record" if decided else "what the case declares of depth"
    said = [_moved(state, rules, before, after, source) for state, rules in owed(prepared.case).items()]
    drawn = compare.dots("before-and-after", title, ["the priors alone", "with the record"], panels)
    return [paragraph(ANSWER), bullets(said), figure(drawn, f"{title}, by rule.")]


def _moved(state: str, rules: list[str], before: Chances, after: Chances, source: str) -> str:
    """How far the record moved the answer on one of a state's rules taken at random, and on which rule it did most."""
    first, last = (sentences.percent(facts.by_state(p)[state]) for p in (before, after))
    how = "leaves it there" if first == last else f"makes it {last}"
    most = max(rules, key=lambda rule: abs(after[state, rule] - before[state, rule]))
    if len(rules) == 1:
        return f"{state}, {most}: the priors alone say {first}, and {source} {how}."
    return (
        f"{state}, over its {len(rules)} rules: the priors alone say {first}, and {source} {how}; it moves most on "
        f"{most}, from {sentences.percent(before[state, most])} to {sentences.percent(after[state, most])}."
    )


def _summary(found: list[Learnt]) -> str:
    judged, still = [item.judged for item in found], [item.judged for item in found if item.hardly]
    if not found:
        return "Every quantity is a known constant: nothing could be learnt."
    return (
        f"Of {unknown(sum(judged), len(judged) - sum(judged))} the data moved {len(found) - len(still)} and hardly "
        f"moved {len(still)} ({both(sum(still), len(still) - sum(still))}): a spread that changed by less than 20%, "
        "and a mean that moved by less than a fifth of the prior's spread."
    )


def _hardly(found: list[Learnt]) -> list[Markup]:
    by_quantity: dict[tuple[str, bool], list[str]] = {}
    for item in found:
        if item.hardly:
            by_quantity.setdefault((item.quantity, item.judged), []).append(item.name)
    if not by_quantity:
        return []
    all_of = Counter((item.quantity, item.judged) for item in found)
    lines = [
        Markup("<strong>{}</strong> ({}): {}").format(
            which[0].replace("_", " "),
            whose(which[1]),
            _every(len(names)) if len(names) == all_of[which] > 1 else sentences.listed(names),
        )
        for which, names in by_quantity.items()
    ]
    told = "For these the page repeats the prior: a reader who doubts it should doubt the answer as much."
    return [heading("Hardly moved by the data"), paragraph(told), bullets(lines)]


def _every(n: int) -> str:
    return "both" if n == 2 else f"all {n}"


def _measured(run: Run) -> list[Markup]:
    layout, support = run.prepared.layout, run.prepared.model.support
    if not layout.measured:
        return []
    draws, _ = draws_of(run.tree)  # all, so that a median is that of the table below
    most: dict[tuple[str, str], Moved] = {}
    for one in sorted(moved(layout, draws, support), key=lambda one: -abs(one.shift)):
        most.setdefault((one.kind, one.unit), one)
    rows = [
        [one.kind.replace("_", " "), one.unit,
         *([one.lobby, *map(sentences.number, (one.median, one.without))] if one.effective >= FEW_DRAWS
           else ["cannot tell", "", "cannot tell"]),
         sentences.number(one.effective)]
        for one in most.values()
    ]  # fmt: skip
    columns = [
        "Kind",
        "Unit, or day and state",
        "Lobby moved most",
        Number("Median with"),
        Number("Median without"),
        Number("Effective draws"),
    ]
    caption = "Magnitudes on the reference date, in points, with each kind of measurement and without it"
    said = [paragraph(MEASURED), *map(paragraph, after_today(layout.measured, run.prepared.case.last_decision_date()))]
    return [heading("What measurements moved"), *said, table(caption, columns, rows)]


def after_today(used: Measured, today: date) -> list[str]:
    """That the fit knows more than the day which is called today, where measurements are dated after it."""
    days = [day for group in used.groups for day in group.date]
    days += [item.date for item in used.votes.rows.items] if used.votes else []
    later = sorted(day for day in days if day > today)
    if not later:
        return []
    are = "is" if len(later) == 1 else "are"
    last = f", on {sentences.day(later[0])}" if len(later) == 1 else f", the last on {sentences.day(later[-1])}"
    return [
        f"Of {sentences.plural(len(days), 'measurement')} that the fit uses {len(later)} {are} dated after what this "
        f"page calls “today”, {sentences.day(today)}{last}: the fit has seen more than that day had."
    ]


def _table(found: list[Learnt]) -> Markup:
    columns = [
        "Quantity", "Of", "Prior", Number("Prior: median"), Number("5% to 95%"), Number("With the data: median"),
        Number("5% to 95%"), Number("Spread left"), Number("Shift, prior sds"), "Moved",
    ]  # fmt: skip
    rows = [
        [item.quantity.replace("_", " "), item.name, whose(item.judged), *_three(item.prior), *_three(item.posterior),
         f"{sentences.shown_ratio(item.ratio)}%", _signed(item.shift),
         sentences.moved(item.ratio, item.shift)]
        for item in found
    ]  # fmt: skip
    caption = (
        "Unknown quantities before and after the data. Spread is the standard deviation, in logs for quantities above "
        "0 and in logits for those between 0 and 1."
    )
    return table(caption, columns, rows)


def whose(judged: bool) -> str:
    """Whose a prior is."""
    return "judged" if judged else "default"


def _three(quantiles: tuple[float, float, float]) -> tuple[str, str]:
    low, mid, high = (sentences.number(q) for q in quantiles)
    return mid, f"{low} to {high}"


def _signed(shift: float) -> str:
    # adding 0 turns a rounded -0 into 0
    return f"{round(shift, 2) + 0:+.2f}".replace("-", "−")
