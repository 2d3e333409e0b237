"""Rows of a sound case that may not mean what they say: coded twice, refused and yet bound, or in another unit."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import date
from math import exp
from typing import TYPE_CHECKING

from bayes_compliance.case.dates import cell_of, parse_period
from bayes_compliance.case.schema_rows import in_percent
from bayes_compliance.case.vocabulary import ANY_RULE

if TYPE_CHECKING:
    from bayes_compliance.case.case import Case
    from bayes_compliance.case.schema_rows import Decision, Judgement, Proxy

PERCENT = 0.01
"""Levels of quantiles that all lie within this look like shares where percent is meant."""

FAST = 1.0
"""Log units per square root of a year above which a volatility looks like something else: defaults end at .5."""


ALIKE = 10
"""Decided compliance rows of one word only, from which on it looks as if others had not been looked for."""


def row_doubts(case: Case, today: date | None) -> Iterator[str]:
    """Doubts about single rows of decisions.csv, proxies.csv and judgements.csv, and about several of them."""
    yield from _coded_twice(case)
    yield from _refused_and_bound(case)
    yield from _measured_twice(case)
    yield from _all_alike(case)
    yield from _no_adherence(case)
    yield from _tiny_votes(case)
    yield from _measured_later(case, today)
    yield from _one_analyst(case)
    for row in sorted(case.judgements, key=lambda j: j.row):
        yield from _judged_later(row, today)
        yield from _levels(row)
        yield from _often_shocked(row)
        yield from _fast(case, row)


def more(rows: list[Decision]) -> str:
    """How many more rows say the same."""
    return f" and {len(rows) - 1} more" if len(rows) > 1 else ""


def _coded_twice(case: Case) -> Iterator[str]:
    """A decision that differs from an earlier row in its words or confidence only: the fit counts both."""
    first: dict[Hashable, int] = {}
    for row in sorted(case.decisions, key=lambda d: d.row):
        about = (row.date, row.date_end, row.state, row.rule, row.kind, row.decision, row.counterparty)
        before = first.setdefault(about, row.row)
        if before != row.row and row.decision != "pending":
            yield (
                f"decisions.csv:{row.row}: date: {row.decision!r} of {row.state!r} on {row.rule!r}, {cell(row)}, is "
                f"in row {before} already, in other words: one decision would count as two; if they are two, the day "
                "or the counterparty may tell them apart"
            )


def _refused_and_bound(case: Case) -> Iterator[str]:
    """A refusal by a state that is bound by then; one that had adhered on record has left, unless it is bound on."""
    for row in sorted(case.decisions, key=lambda d: d.row):
        if row.decision != "not_adhere" or (t1 := _bound_from(case, row)) > row.first_day:
            continue
        asked = _asked_after(case, row)
        if asked or not any(d.date < row.date for d in _joined(case, row)):
            and_row = f", and its conduct after that is in row {asked[0].row}{more(asked)}" if asked else ""
            yield (
                f"decisions.csv:{row.row}: decision: {row.state!r} does not adhere to {row.rule!r} on {cell(row)} "
                f"here, and is bound from {t1} on by case.toml{and_row}; if it joined later: adherence_date; if it "
                "left: a row adhere before this one, and none of its conduct after"
            )


def _bound_from(case: Case, row: Decision) -> date:
    rules = case.state(row.state).rules if row.rule == ANY_RULE else ()
    return min(case.adherence_of(row.state, rule) for rule in rules or (row.rule,))


def _joined(case: Case, row: Decision) -> list[Decision]:
    rules = (row.rule, ANY_RULE)
    return [d for d in case.decisions if d.state == row.state and d.decision == "adhere" and d.rule in rules]


def _asked_after(case: Case, row: Decision) -> list[Decision]:
    """Conduct of the state under what it refused, before it joined on record or by case.toml."""
    again = min((d.date for d in _joined(case, row) if d.date > row.date), default=date.max)
    return [
        d
        for d in sorted(case.decisions, key=lambda d: d.row)
        if (d.state, d.kind) == (row.state, "compliance")
        and row.rule in (d.rule, ANY_RULE)
        and row.date_end < d.first_day < again
        and d.decision != "pending"
        and case.adherence_of(d.state, d.rule) <= row.first_day
    ]


def _measured_twice(case: Case) -> Iterator[str]:
    """Rows of one source about the same thing; another source is another measurement."""
    first: dict[Hashable, Proxy] = {}
    for row in sorted(case.proxies, key=lambda p: p.row):
        about = (row.date, row.date_end, row.state, row.lobby, row.kind, row.unit, row.source, row.url)
        before = first.setdefault(about, row)
        if before is row:
            continue
        place, of = f"proxies.csv:{row.row}: value: {row.value:g}", repr(row.lobby or row.state)
        if before.value == row.value:
            yield f"{place} for {of} is in row {before.row} already: one measurement would count as two"
        else:
            yield (
                f"{place} for {of}, and {before.value:g} in row {before.row}, both {row.kind} of {cell(row)} in one "
                "unit and from one source: which of them holds?"
            )


def _all_alike(case: Case) -> Iterator[str]:
    """A record of violations alone, or of compliance alone."""
    decided = [d.decision for d in case.decisions if d.kind == "compliance" and d.decision != "pending"]
    if len(decided) >= ALIKE and len(set(decided)) == 1:
        yield (
            f"decisions.csv: decision: all {len(decided)} rows of kind compliance are {decided[0]!r}; if nobody looked "
            "for others, they are missing, and the fit takes it that there were none"
        )


def _no_adherence(case: Case) -> Iterator[str]:
    """States with conduct on record, and nothing of how they came to owe it."""
    on_record = {kind: {d.state for d in case.decisions if d.kind == kind} for kind in ("adherence", "compliance")}
    if states := sorted(on_record["compliance"] - on_record["adherence"]):
        yield (
            f"decisions.csv: kind: no row of kind adherence for {', '.join(map(repr, states))}, whose compliance is on "
            "record; that a state joined is evidence too, and known to the fit by such a row only"
        )


def _measured_later(case: Case, today: date | None) -> Iterator[str]:
    for row in sorted(case.proxies, key=lambda p: p.row):
        if later(parse_period(cell(row)).start, today):
            yield f"proxies.csv:{row.row}: date: {cell(row)} is after today, {today}: nobody can have measured it yet"


def _one_analyst(case: Case) -> Iterator[str]:
    """Analysts whose names differ in case only: each is pooled as an analyst of its own."""
    first: dict[str, Judgement] = {}
    told = set()
    for row in sorted(case.judgements, key=lambda j: j.row):
        before = first.setdefault(row.analyst.casefold(), row)
        if before.analyst != row.analyst and row.analyst not in told:
            told.add(row.analyst)
            yield (
                f"judgements.csv:{row.row}: analyst: {row.analyst!r} here, and {before.analyst!r} in row {before.row}: "
                "they count as two"
            )


def _tiny_votes(case: Case) -> Iterator[str]:
    for row in sorted(case.proxies, key=lambda p: p.row):
        if row.kind == "vote_share" and in_percent(row.unit) and 0 < row.value < 1:
            yield (
                f"proxies.csv:{row.row}: value: a vote share of {row.value:g} {row.unit}: fewer than one in a hundred; "
                f"if it is {row.value:.4g} of all, the unit is share"
            )


def later(day: date, today: date | None) -> bool:
    """Whether a day is after today, where it is told what day that is."""
    return today is not None and day > today


def _judged_later(row: Judgement, today: date | None) -> Iterator[str]:
    if later(parse_period(cell(row)).start, today):
        yield f"judgements.csv:{row.row}: date: {row.date} is after today, {today}: nobody can have judged it yet"


def _levels(row: Judgement) -> Iterator[str]:
    """Levels written as shares: `q0.05` is one in two thousand, and `range0.9` holds less than a hundredth."""
    levels = [round(100 * level, 10) for level, _ in row.points]
    if levels and levels[-1] <= 100 * PERCENT:
        stated = ", ".join(f"q{level:g}" for level in levels)
        meant = ", ".join(f"q{100 * level:g}" for level in levels)
        yield f"judgements.csv:{row.row}: values: {stated} are percent, all at most {100 * PERCENT:g}; {meant} meant?"
    elif len(levels) == 2 and sum(levels) == 100 and (inside := levels[1] - levels[0]) <= 100 * PERCENT:
        yield (
            f"judgements.csv:{row.row}: values: range{inside:g} is in percent, and leaves {100 - inside:g}% outside; "
            f"range{100 * inside:g} meant?"
        )


def _often_shocked(row: Judgement) -> Iterator[str]:
    if row.quantity == "shock_hazard" and row.p50 >= 1:
        yield (
            f"judgements.csv:{row.row}: {column(row, 'p50')}: a shock_hazard of {row.p50:g} is {row.p50:g} shocks a "
            f"year; {row.p50:g}% a year is {row.p50 / 100:g}"
        )


def _fast(case: Case, row: Judgement) -> Iterator[str]:
    if row.quantity == "volatility" and row.p95 > FAST and not case.is_linear(case.lobby(row.lobby)):
        yield (
            f"judgements.csv:{row.row}: {column(row, 'p95')}: a volatility of {row.p95:g} for {row.lobby!r}, which "
            "moves in log units per square root of a year: in one year it could well be "
            f"{_times(row.p95)} as strong; are these percent or points?"
        )


def _times(volatility: float) -> str:
    return f"{exp(volatility):.2g} times" if volatility < 7 else "more than a thousand times"


def column(row: Judgement, name: str) -> str:
    """Where a quantile of a judgement is stated."""
    return "values" if row.points else name


def cell(row: Decision | Judgement | Proxy) -> str:
    """A row's date as its cell has it."""
    return cell_of(row.date, row.date_end)
