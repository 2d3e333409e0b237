"""From a folder to a panel: a folder of case folders, or one long table; every problem is reported at once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from bayes_compliance.arguments import check_list, check_path, day_of, given_twice, shown
from bayes_compliance.case import Case, CaseError, Problem, load_case
from bayes_compliance.case.checks_rows import MOST_STEPS, check_repeats
from bayes_compliance.case.dates import LAST_DAY, TOO_LATE, years_between
from bayes_compliance.case.names import At
from bayes_compliance.case.problems import Problems, suggest
from bayes_compliance.case.reading import Row, read, rows
from bayes_compliance.case.records import HEADERS, READERS
from bayes_compliance.case.schema_rows import Decision
from bayes_compliance.case.vocabulary import ANY_RULE
from bayes_compliance.errors import Refused
from bayes_compliance.panel.records import Covariates, Entry, Panel, RuleKey
from bayes_compliance.panel.tables import RATE, Rules, about_rules, about_states, is_id

TABLE, STATES, RULES = "decisions.csv", "states.csv", "rules.csv"
HEADER = ("case", *HEADERS[TABLE])
ALLOWED = f"a folder of case folders, or one with {TABLE} ({','.join(HEADER)})"
YEARS_AHEAD = 5
"""Horizon of a table, after its last decision; cases state their own."""


def load_panel(
    folder: str | PathLike[str],
    *,
    cases: Sequence[str] | None = None,
    outcomes: int | None = None,
    until: date | None = None,
) -> Panel:
    """Read and check a panel.

    Parameters
    ----------
    folder : path
        Either case folders side by side (states of one id in several cases are one state), or decisions.csv with a
        leading column `case`. Beside them, optionally, states.csv (`state` and numeric columns) and rules.csv (`case`,
        `rule`, `area` and numeric columns), each with a row for everything that is on record and perhaps `source`; a
        blank number is missing. `decisions_per_year` in rules.csv, at most 365, is no covariate; cases say it
        themselves.
    cases : sequence of str or None
        Of a folder of case folders, the names of those to take; default all.
    outcomes : 2, 3 or None
        Of a table: whether partial and late performance are outcomes of their own (default 3). Cases say it themselves.
    until : date or None
        The horizon; default the latest of the cases, or five years after the last decision of a table.

    Returns
    -------
    Panel

    Raises
    ------
    CaseError
        With every problem of every file.
    Refused
        If an argument is of the wrong kind.
    """
    check_path("folder", folder, "case folders side by side, or of a table")
    if cases is not None:
        check_list("--cases", cases, "names of case folders")
        cases = [_named(name) for name in cases]
    until = day_of("until", until)
    place = Path(folder)
    found = _case_folders(place)
    problems, inputs = Problems(), dict[str, str]()
    if found:
        said = _cases(place, found, cases, outcomes, problems, inputs)
    else:
        said = _table(place, cases, outcomes, problems, inputs)
    states, rules = _covariates(place, said, problems, inputs)
    kept = tuple(sorted((e for e in said.entries if e.decision.decision != "pending"), key=_order))
    if not len(problems):
        _enough(place, kept, problems)
    problems.raise_if_any()
    per_year = {key: rate for key, rate in {**said.per_year, **rules.per_year}.items() if rate != 1}
    panel = Panel(
        place.resolve().name, kept, said.outcomes, said.owed, states, rules.covariates, rules.areas,
        _horizon(kept, said.ahead, until), dict(sorted(inputs.items())), per_year, said.step_years,
    )  # fmt: skip
    _can_be_forecast(panel)
    return panel


def _named(case: Any) -> str:
    if not isinstance(case, str):
        raise Refused(f"--cases: {shown(case)} is no name; allowed: that of a case folder")
    return case


def _case_folders(place: Path) -> list[str]:
    """Names of the case folders in a folder; none where it holds a table."""
    if (place / "case.toml").exists():
        whole = place.resolve()
        allowed = f"the folder above, {whole.parent}, with --cases {whole.name}"
        raise CaseError([Problem(str(place), 1, "folder", "this is a case folder itself", allowed)])
    found = sorted(path.parent.name for path in place.glob("*/case.toml"))
    table = (place / TABLE).exists()
    if table != bool(found):
        return found
    what = f"both {TABLE} and case folders ({', '.join(found)})" if table else f"neither {TABLE} nor case folders"
    what = what if place.is_dir() else "there is no such folder"
    raise CaseError([Problem(str(place), 1, "folder", what, ALLOWED)])


def _horizon(entries: Sequence[Entry], ahead: Sequence[date], until: date | None) -> date:
    last = max(entry.decision.date for entry in entries)
    horizon = until or max(ahead, default=last + timedelta(days=round(365.25 * YEARS_AHEAD)))
    if horizon <= last:
        what = f"{horizon} is not after the last decision"
        raise CaseError([Problem("--until", 1, "date", what, f"a date after {last}")])
    return horizon


def _can_be_forecast(panel: Panel) -> None:
    """Refuse a horizon with more dates ahead than a case may have, or one that forecast.nc cannot hold."""
    most = max(1 / panel.step_years, *panel.per_year.values(), 1.0) * years_between(panel.last, panel.until)
    if most > MOST_STEPS:
        what = f"{most:.0f} dates from the last decision ({panel.last}) up to {panel.until}"
        raise CaseError([Problem("--until", 1, "date", what, f"an earlier date: {MOST_STEPS} dates at most")])
    if panel.until > LAST_DAY:
        raise CaseError([Problem("--until", 1, "date", f"{panel.until} {TOO_LATE[0]}", TOO_LATE[1])])


class Read(NamedTuple):
    """What decisions or cases say; `owed` are the rules of treaty-wide rows, `left` the case folders not taken."""

    entries: list[Entry]
    outcomes: dict[str, int]
    owed: dict[tuple[str, str], tuple[str, ...]]
    ahead: Sequence[date] = ()
    per_year: Mapping[RuleKey, float] = MappingProxyType({})
    step_years: float = 1.0
    cases: bool = False
    left: frozenset[str] = frozenset()


def _order(entry: Entry) -> tuple:
    return entry.case, entry.depth, entry.decision.order


def _enough(place: Path, entries: Sequence[Entry], problems: Problems) -> None:
    states = {entry.decision.state for entry in entries}
    if len(states) < 2:
        what = f"decisions of {len(states)} state{'' if len(states) == 1 else 's'}"
        problems.add(str(place), 1, "folder", what, "decisions, not pending, of two states at least")


def _cases(
    place: Path, found: list[str], asked: Sequence[str] | None, outcomes: int | None, problems: Problems,
    inputs: dict[str, str],
) -> Read:  # fmt: skip
    if outcomes is not None:
        problems.add("--outcomes", 1, "number", f"{outcomes} beside case folders", "nothing: each case.toml says it")
    for name in given_twice(asked or ()):
        problems.add("--cases", 1, "name", f"{name!r} is given twice", "each once")
    for name in dict.fromkeys(asked or ()):
        if name not in found:
            problems.add("--cases", 1, "name", f"{name!r} is no case folder of {place}", suggest(name, found))
    loaded: dict[str, Case] = {}
    for name in found if asked is None else sorted({*found} & {*asked}):
        try:
            loaded[name] = load_case(place / name)
        except CaseError as error:
            for problem in error.problems:
                problems.add(f"{name}/{problem.file}", *problem[1:])
    inputs |= {f"{name}/{file}": sha for name, case in loaded.items() for file, sha in case.inputs.items()}
    entries = [entry for name, case in loaded.items() for entry in _entries(name, case)]
    owed = {(name, state.id): state.rules for name, case in loaded.items() for state in case.states}
    by_case: dict[str, int] = {name: case.outcomes for name, case in loaded.items()}
    per_year = {RuleKey(name, r.id): r.decisions_per_year for name, case in loaded.items() for r in case.rules}
    ahead = [case.horizon for case in loaded.values()]
    return Read(
        entries, by_case, owed, [h.until for h in ahead], per_year, min((h.step_years for h in ahead), default=1.0),
        cases=True, left=frozenset({*found} - {*by_case}),
    )  # fmt: skip


def _entries(name: str, case: Case) -> list[Entry]:
    """The decisions of a case, and a status-quo violation for each state that owes a rule of declared depth."""
    deep = [
        Entry(name, Decision(date=day, date_end=day, state=state, rule=rule, kind="status_quo", decision="violate"),
              depth=True)
        for state, rule, day in case.depths()
    ]  # fmt: skip
    return [*(Entry(name, decision) for decision in case.decisions), *deep]


def _table(
    place: Path, asked: Sequence[str] | None, outcomes: int | None, problems: Problems, inputs: dict[str, str]
) -> Read:
    if asked is not None:
        problems.add("--cases", 1, "name", f"{', '.join(asked)} beside {TABLE}", "nothing: the table is one panel")
    if outcomes not in (None, 2, 3):
        problems.add("--outcomes", 1, "number", f"{shown(outcomes)} is refused", "2 or 3")
    source = read(place / TABLE, True, problems)
    entries: list[Entry] = []
    if source is not None:
        inputs[TABLE] = source.sha256
        made = (_entry(row, outcomes or 3, problems) for row in rows(source, HEADER, problems))
        entries = [entry for entry in made if entry is not None]
    _repeats(entries, problems)
    owed = _of_their_case(entries, problems)
    return Read(entries, {entry.case: outcomes or 3 for entry in entries}, owed)


def _entry(row: Row, outcomes: int, problems: Problems) -> Entry | None:
    """A row of the table."""
    decision = READERS[TABLE](row, problems)
    at = At(problems, TABLE, row.number)
    named = [is_id(row.cells[column], at.column(column)) for column in ("case", "state")]
    if row.cells["rule"] != ANY_RULE or row.cells["kind"] != "adherence":
        named.append(is_id(row.cells["rule"], at.column("rule")))
    if decision is None or not all(named):
        return None
    _fits(decision, outcomes, at)
    return Entry(row.cells["case"], decision)


def _fits(decision: Decision, outcomes: int, at: At) -> None:
    if outcomes == 2 and decision.decision in ("partial", "comply_late"):
        at("decision", f"{decision.decision!r} with two outcomes", "comply, violate or pending, or --outcomes 3")
    if decision.state in decision.counterparty:
        at("counterparty", f"state {decision.state!r} is its own counterparty", "other states or labels, or blank")


def _repeats(entries: Iterable[Entry], problems: Problems) -> None:
    by_case: dict[str, list[Decision]] = defaultdict(list)
    for entry in entries:
        by_case[entry.case].append(entry.decision)
    for decisions in by_case.values():
        check_repeats(decisions, problems)


def _of_their_case(entries: Sequence[Entry], problems: Problems) -> dict[tuple[str, str], tuple[str, ...]]:
    """Rules of treaty-wide rows: all of the case that any row names."""
    named: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.decision.rule != ANY_RULE:
            named[entry.case].add(entry.decision.rule)
    for entry in entries:
        if entry.decision.rule == ANY_RULE and not named[entry.case]:
            what = f"'*' where no row of case {entry.case!r} names a rule"
            problems.add(TABLE, entry.decision.row, "rule", what, "a rule, or rows on the rules of the case")
    return {(entry.case, entry.decision.state): tuple(sorted(named[entry.case])) for entry in entries}


def _covariates(place: Path, said: Read, problems: Problems, inputs: dict[str, str]) -> tuple[Covariates, Rules]:
    """states.csv and rules.csv, each with a row for everything that is on record: a slip in a name would make two."""
    about = {name: read(place / name, False, problems) for name in (STATES, RULES)}
    inputs |= {name: source.sha256 for name, source in about.items() if source is not None}
    of_states, of_rules = about.values()
    before = len(problems)
    states = Covariates() if of_states is None else about_states(of_states, problems)
    if of_states is not None and len(problems) == before:
        seen = Counter(entry.decision.state for entry in said.entries)
        _all_there(STATES, "state", seen, states.values, problems)
    before = len(problems)
    rules = Rules() if of_rules is None else _taken(about_rules(of_rules, problems), said.left)
    if of_rules is not None and len(problems) == before:
        named = Counter(entry.key for entry in said.entries if entry.decision.rule != ANY_RULE)
        _all_there(RULES, "rule", named, rules.covariates.values, problems)
    if said.cases and rules.per_year:
        problems.add(RULES, 1, RATE, f"{RATE} beside case folders", "nothing: each case.toml says it")
    return states, rules


def _taken(rules: Rules, left: frozenset[str]) -> Rules:
    """The rules less those of case folders that were not asked for."""
    about: dict[str | RuleKey, tuple[float, ...]] = {
        key: v for key, v in rules.covariates.values.items() if isinstance(key, RuleKey) and key.case not in left
    }
    areas = {key: area for key, area in rules.areas.items() if key.case not in left}
    return Rules(Covariates(rules.covariates.columns, about), areas, rules.per_year)


def _all_there(file: str, column: str, seen: Counter, rows: Iterable, problems: Problems) -> None:
    there = {*rows}
    for key in sorted({*seen} - there):
        n = seen[key]
        what = f"no row for {str(key)!r}, of which {n} decision{'s are' if n > 1 else ' is'} on record"
        problems.add(file, 1, column, what, f"a row for each {column} on record; a blank number is missing")
