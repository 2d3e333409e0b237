"""Rules across decisions.csv, proxies.csv and what case.toml declares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from bayes_compliance.case.dates import years_between
from bayes_compliance.case.names import At, Names
from bayes_compliance.case.problems import Problems, one_of
from bayes_compliance.case.schema_rows import Decision, Proxy, Seed
from bayes_compliance.case.tables import Path
from bayes_compliance.case.vocabulary import ANY_RULE

MOST_STEPS = 5000
"""Dates that a forecast may have on one rule."""


def check_decisions(names: Names, decisions: list[Decision], problems: Problems) -> None:
    """Each decision is one that its state can take on that rule; none is doubled; all come before the horizon."""
    for decision in decisions:
        _decision(names, decision, At(problems, "decisions.csv", decision.row))
    check_repeats(decisions, problems)
    _contradictions(decisions, problems)
    _horizon(names, decisions)
    _adherence(names)


def check_repeats(decisions: list[Decision], problems: Problems) -> None:
    """No row of one case is doubled, and no treaty is joined twice."""
    _same(decisions, problems)
    _adhered_twice(decisions, problems)


def _decision(names: Names, decision: Decision, at: At) -> None:
    state = names.known("states", decision.state, at.column("state"))
    head = names.tables.head
    if decision.rule == ANY_RULE:
        if decision.kind != "adherence":
            at("rule", f"'*' on a {decision.kind} row", f"a rule: {one_of(names.owed.get(decision.state, []))}")
    elif names.known("rules", decision.rule, at.column("rule")) and state:
        names.owes(decision.state, decision.rule, at.column("rule"))
    joined = (names.adherence_of(decision.state), names.adherence_of(decision.state, decision.rule))
    adhered = min((day for day in joined if day), default=None)
    if decision.kind == "compliance" and adhered and decision.date_end < adhered:
        what = f"{decision.date} is before state {decision.state!r} adhered, on {adhered}"
        allowed = f"{adhered} or later; kind status_quo; or another adherence_date in case.toml"
        at("date", what, allowed)
    if head and head.outcomes == 2 and decision.decision in ("partial", "comply_late"):
        at(
            "decision",
            f"{decision.decision!r} with outcomes = 2",
            "comply, violate or pending, or outcomes = 3 in case.toml",
        )
    if decision.state in decision.counterparty:
        at(
            "counterparty",
            f"state {decision.state!r} is named as its own counterparty",
            "other states or labels, or blank",
        )


def _same(decisions: Iterable[Decision], problems: Problems) -> None:
    seen: dict[Decision, int] = {}
    for decision in decisions:
        first = seen.setdefault(decision, decision.row)
        if first != decision.row:
            what = f"the same as row {first}"
            problems.add("decisions.csv", decision.row, "row", what, "one row for each decision, or notes that differ")


def _contradictions(decisions: Iterable[Decision], problems: Problems) -> None:
    """One decision has one outcome; of a month or a year there may be several."""
    seen: dict[tuple[Any, ...], Decision] = {}
    for decision in decisions:
        if decision.date != decision.date_end:
            continue
        about = (decision.state, decision.rule, decision.kind, decision.date, decision.counterparty)
        first = seen.setdefault(about, decision)
        if first.decision != decision.decision:
            what = f"{decision.decision} where row {first.row} has {first.decision} of the same decision"
            allowed = "one outcome for a state, rule, kind, day and counterparty; another decision has another of these"
            problems.add("decisions.csv", decision.row, "decision", what, allowed)


def _adhered_twice(decisions: Iterable[Decision], problems: Problems) -> None:
    """A treaty joined is one row, and the votes on it are proxies; joining again needs a leaving in between."""
    by_rule: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.kind == "adherence" and decision.decision != "pending":
            by_rule[decision.state, decision.rule].append(decision)
    for rows in by_rule.values():
        for first, second in pairwise(sorted(rows, key=lambda d: (d.date, d.row))):
            if first.decision == second.decision == "adhere" and first != second:
                what = f"state {second.state!r} adheres to {second.rule!r} in row {first.row} already"
                allowed = "one adherence row for a treaty joined; its votes are proxies of kind vote_share"
                problems.add("decisions.csv", second.row, "decision", what, allowed)


def check_proxies(names: Names, proxies: Iterable[Proxy], problems: Problems) -> None:
    """Each proxy names a state and, where it stands for a lobby, one of that state."""
    for proxy in proxies:
        at = At(problems, "proxies.csv", proxy.row)
        names.known("states", proxy.state, at.column("state"))
        head = names.tables.head
        if head and proxy.date > head.horizon.until:
            at("date", f"{proxy.date} is after the horizon", f"{head.horizon.until} or earlier")
        if proxy.lobby and names.known("lobbies", proxy.lobby, at.column("lobby")):
            state = names.lobbies[proxy.lobby].state
            if proxy.state != state and {proxy.state, state} <= names.states.keys():
                at("state", f"lobby {proxy.lobby!r} is of state {state!r}, not {proxy.state!r}", state)


def check_seeds(seeds: Iterable[Seed], problems: Problems) -> None:
    """Each analyst answers a question once, and a question has one scale and one true answer."""
    by_question: dict[str, Seed] = {}
    answered: dict[tuple[str, str], int] = {}
    for seed in seeds:
        at = At(problems, "seeds.csv", seed.row)
        first = by_question.setdefault(seed.question, seed)
        for column in ("realisation", "scale"):
            here, there = getattr(seed, column), getattr(first, column)
            if here != there:
                at(
                    column,
                    f"{here} differs from row {first.row} on the same question",
                    f"{there}, as in row {first.row}",
                )
        row = answered.setdefault((seed.analyst, seed.question), seed.row)
        if row != seed.row:
            at(
                "question",
                f"{seed.analyst!r} answers this in row {row} already",
                "one row for each analyst and question",
            )


def _adherence(names: Names) -> None:
    """Nobody adheres after the horizon."""
    head = names.tables.head
    if head is None:
        return
    dated: list[tuple[Path, Any]] = [((), head), *names.each("states"), *names.each("rules")]
    for path, part in dated:
        if part.adherence_date and part.adherence_date > head.horizon.until:
            what = f"{part.adherence_date} is after the horizon {head.horizon.until}"
            names.at(*path, "adherence_date")(what, f"{head.horizon.until} or earlier, or a later horizon")


def _horizon(names: Names, decisions: Iterable[Decision]) -> None:
    head = names.tables.head
    if head is None:
        return
    decided = [d for d in decisions if d.decision != "pending"]
    latest = max(decided, key=lambda d: d.date, default=None)
    last, until = latest.date if latest else head.adherence_date, head.horizon.until
    if until <= last and (latest or until == last):
        name = f"the last decision ({last}, row {latest.row} of decisions.csv)" if latest else f"adherence ({last})"
        names.at("horizon", "until")(f"{until} is not after {name}", f"a date after {last}")
    years = years_between(last, until)
    if years / head.horizon.step_years > MOST_STEPS:
        what = f"steps of {head.horizon.step_years:g} years up to {until} are more than {MOST_STEPS}"
        names.at("horizon", "step_years")(what, "longer steps, or an earlier date")
    for path, rule in names.each("rules"):
        if rule.decisions_per_year * years > MOST_STEPS:
            what = f"{rule.decisions_per_year:g} decisions a year up to {until} are more than {MOST_STEPS}"
            names.at(*path, "decisions_per_year")(what, "fewer, or an earlier horizon")
