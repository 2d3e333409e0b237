"""What a sound case may not have meant: `check` says it, and nothing is refused for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from statistics import median
from typing import TYPE_CHECKING

from bayes_compliance.case.dates import DAYS_PER_YEAR
from bayes_compliance.case.doubts_rows import later, more, row_doubts
from bayes_compliance.case.doubts_sizes import size_doubts
from bayes_compliance.case.problems import nearest_name, one_line
from bayes_compliance.case.vocabulary import ANY_RULE

if TYPE_CHECKING:
    from bayes_compliance.case.case import Case
    from bayes_compliance.case.schema_rows import Decision
    from bayes_compliance.case.schema_scenarios import Change

ACCEPTED = "Accepted as it stands, but was it meant"

SMALL = 0.02
"""Yearly movement of a linear lobby, as a share of its magnitude, below which it looks like log units."""


PAST = 10
"""Years without a decision after which a case is one of the past, and its horizon may well be too."""


def doubts(case: Case, today: date | None) -> list[str]:
    """What looks like a slip, each on one line with its place.

    Parameters
    ----------
    case : Case
        As it was loaded: all its rows and scenarios.
    today : date or None
        No decision can have been taken after it, and nothing judged. None: doubts that do not depend on the day.
    """
    found = (
        _slips(case), _bare_depths(case), _unopposed(case), _ahead(case, today), _rows(case, today),
        _joined_twice(case), _labels(case), _volatility(case), size_doubts(case), row_doubts(case, today),
        _ends_before_it_begins(case), _gone_before_it_counts(case), _begun(case), _changes_nothing(case),
    )  # fmt: skip
    return [one_line(line) for each in found for line in each]


def _slips(case: Case) -> Iterator[str]:
    for name, slip in case.slips.items():
        yield f"{slip}: no file of a case has this name, and it is not read; did you mean {name}?"


def _bare_depths(case: Case) -> Iterator[str]:
    for rule in case.rules:
        if rule.depth and not rule.depth_reason.strip():
            yield (
                f"case.toml: rules[{rule.id}].depth: true without a reason; it says what the states would do without "
                f'the rule, and why is for you to say: depth_reason = "..."'
            )


def _unopposed(case: Case) -> Iterator[str]:
    for state in case.states:
        for rule in state.rules:
            if not any(lobby.role == "K" for lobby in case.lobbies_on(state.id, rule)):
                yield f"case.toml: lobbies: state {state.id!r} has no lobby of role K on {rule!r}: nobody loses from it"


def told(found: Sequence[str]) -> list[str]:
    """Doubts as lines under a heading; none where there is none."""
    return [f"{ACCEPTED} ({len(found)})?", *(f"  {doubt}" for doubt in found)] if found else []


def not_yet(as_of: date | None, today: date) -> list[str]:
    """What looks like a slip in the day as of which a case is asked for."""
    if as_of is None or as_of <= today:
        return []
    return [f"--as-of: {as_of} is after today, {today}: nothing more is known by then"]


def _ahead(case: Case, today: date | None) -> Iterator[str]:
    """A reference date that nobody can judge yet, and a horizon that is past."""
    if later(case.reference_date, today):
        yield f"case.toml: reference_date: {case.reference_date} is after today, {today}: who knows what holds then?"
    if today is None or (until := case.horizon.until) >= today:
        return
    if (today - case.last_decision_date()).days < PAST * DAYS_PER_YEAR:
        yield (
            f"case.toml: horizon.until: {until} is before today, {today}: all that is forecast has come to pass, one "
            "way or the other; what was decided since belongs in decisions.csv, and the horizon later"
        )


def _rows(case: Case, today: date | None) -> Iterator[str]:
    adhered = {(d.state, d.rule) for d in case.decisions if _adheres(d) and _on(d, case.adherence_of(d.state, d.rule))}
    for row in sorted(case.decisions, key=lambda d: d.row):
        place = f"decisions.csv:{row.row}: date:"
        if row.decision != "pending" and later(row.first_day, today):
            yield f"{place} {row.date} is after today, {today}: what is still to come is pending"
        if row.kind == "compliance" and row.date_end < (t1 := case.adherence_of(row.state, row.rule)):
            yield f"{place} {row.date} is before {row.state!r} adhered to {row.rule!r}, on {t1} by case.toml"
        if _adheres(row) and not adhered & {(row.state, row.rule), (row.state, ANY_RULE)}:
            t1 = case.adherence_of(row.state, row.rule)
            table = "rules" if row.rule != ANY_RULE and case.rule(row.rule).adherence_date else "states"
            yield (
                f"{place} {row.state!r} adheres on {row.date} here, and on {t1} by case.toml; if this row is right: "
                f"adherence_date = {row.date} under [[{table}]]"
            )


def _joined_twice(case: Case) -> Iterator[str]:
    """Adherence to the whole agreement beside adherence to a rule of it on the same date."""
    adhering = sorted(filter(_adheres, case.decisions), key=lambda d: d.row)
    for row in (one for one in adhering if one.rule == ANY_RULE):
        parts = [one for one in adhering if (one.state, one.date) == (row.state, row.date) and one is not row]
        if parts:
            yield (
                f"decisions.csv:{row.row}: rule: {row.state!r} adheres to the whole agreement here, and to "
                f"{parts[0].rule!r} in row {parts[0].row}{more(parts)}: one act would count as several"
            )


def _adheres(row: Decision) -> bool:
    return row.kind == "adherence" and row.decision == "adhere"


def _on(row: Decision, day: date) -> bool:
    """Whether a row may be of this day, being of a day, a month or a year."""
    return row.first_day <= day <= row.date_end


def _labels(case: Case) -> Iterator[str]:
    """Counterparties that are no states: a row that names only such counts in nobody's view of its state's conduct."""
    ids = [state.id for state in case.states]
    by_label: dict[str, list[Decision]] = defaultdict(list)
    for row in sorted(case.decisions, key=lambda d: d.row):
        for label in row.counterparty:
            if label not in ids:
                by_label[label].append(row)
    others = []
    for label, rows in by_label.items():
        meant = nearest_name(label, [id for id in ids if {row.state for row in rows} != {id}])
        if meant and meant[0] == label[0]:  # AUS beside USA is another country
            place = f"decisions.csv:{rows[0].row}: counterparty: {label!r}"
            yield f"{place} is no state of the case (did you mean {meant!r}?){more(rows)}"
        else:
            others.append(f"{label!r} (row {rows[0].row}{more(rows)})")
    if others:
        yield (
            f"decisions.csv: counterparty: no states of the case: {', '.join(others)}; what is done to them moves no "
            "state's view of others' conduct (q)"
        )


def _volatility(case: Case) -> Iterator[str]:
    """Volatility of a lobby that moves in points, stated as if it were in log units."""
    for row in sorted(case.judgements, key=lambda j: j.row):
        if row.quantity != "volatility" or not case.is_linear(case.lobby(row.lobby)):
            continue
        sizes = [abs(j.p50) for j in case.judgements if (j.quantity, j.lobby) == ("magnitude", row.lobby)]
        size = median(sizes) if sizes else 0.0
        if 0 < row.p50 < SMALL * size:
            yield (
                f"judgements.csv:{row.row}: p50: a volatility of {row.p50:g} for {row.lobby!r}, which moves in points "
                f"and has {size:g} of them: {row.p50 / size:.1%} in a year; are these log units?"
            )


def _begun(case: Case) -> Iterator[str]:
    last, until = case.last_decision_date(), case.horizon.until
    for scenario in case.scenarios:
        place = f"scenarios.toml: scenarios[{scenario.id}].from: {scenario.from_} is"
        if scenario.from_ < last:
            yield f"{place} before the last decision, {last}: what is decided stays, and it holds from then on only"
        elif scenario.from_ > until:
            yield f"{place} after the horizon, {until}: it changes nothing"


def _ends_before_it_begins(case: Case) -> Iterator[str]:
    """A last period by which nobody is bound yet: nothing is answered from the start."""
    for rule in case.rules:
        for state in rule.states:
            t1 = case.adherence_of(state, rule.id)
            if rule.last_period and rule.last_period <= t1:
                yield (
                    f"case.toml: rules[{rule.id}].last_period: {rule.last_period} is not after {t1}, when {state!r} "
                    "adheres: reciprocity is off throughout; a later period, or none, may be meant"
                )


def _gone_before_it_counts(case: Case) -> Iterator[str]:
    for lobby in case.lobbies:
        rules = lobby.rules or case.state(lobby.state).rules or (ANY_RULE,)
        t1 = min(case.adherence_of(lobby.state, rule) for rule in rules)
        if lobby.until and lobby.until <= t1:
            yield (
                f"case.toml: lobbies[{lobby.id}].until: {lobby.until} is not after {t1}, when {lobby.state!r} adheres: "
                "it counts in no compliance decision"
            )


def _changes_nothing(case: Case) -> Iterator[str]:
    for scenario in case.scenarios:
        idle = [_idle(change) for change in scenario.changes]
        if all(idle):
            yield f"scenarios.toml: scenarios[{scenario.id}].changes: {', '.join(idle)}: it changes nothing"


def _idle(change: Change) -> str:
    """How a change leaves all as it is; blank where it may do something."""
    if change.scale == 1:
        return f"{change.lobby!r} with scale = 1"
    if change.volatility_scale == 1:
        return f"{change.state!r} with volatility_scale = 1"
    return f"{change.add.id!r} with magnitude = 0" if change.add and change.add.magnitude == 0 else ""
