"""What two readings of a case differ in, row by row: what has become known since, or is judged otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bayes_compliance.case.vocabulary import WORDS
from bayes_compliance.wording import listed, recorded_rule

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Decision, Judgement, Proxy, Seed


def changes(old: Case, new: Case) -> list[str]:
    """Rows that one case has and the other has not: ``- file: row`` for those gone, ``+ file: row`` for new ones.

    Parameters
    ----------
    old, new : Case

    Returns
    -------
    list of str
        File by file. A row that has changed in columns which it is not told by is ``~ file: row (column old -> new)``;
        rows that differ in notes and sources alone are the same.
    """
    found = []
    if old.measure_proxies != new.measure_proxies:
        before, after = (listed(case.measure_proxies) or "none" for case in (old, new))
        found.append(f"~ case.toml: measure_proxies {before} -> {after}")
    for name, told in TABLES.items():
        found += _of_table(f"{name}.csv", told, getattr(old, name), getattr(new, name))
    return found


def _of_table(file: str, told: Callable[[Any], str], old: Sequence[Any], new: Sequence[Any]) -> Iterator[str]:
    before, after = [_key(row) for row in old], [_key(row) for row in new]
    gone, come = [old[i] for i in unmatched(before, after)], [new[i] for i in unmatched(after, before)]
    for row in gone:
        if other := next((one for one in come if told(one) == told(row)), None):
            come.remove(other)
            yield f"~ {file}: {told(row)} ({_difference(row, other)})"
        else:
            yield f"- {file}: {told(row)}"
    yield from (f"+ {file}: {told(row)}" for row in come)


def unmatched(mine: Sequence[Hashable], theirs: Iterable[Hashable]) -> list[int]:
    """Positions of those that have no equal among the others, where each of the others is the equal of one.

    >>> unmatched("abba", "bxa")
    [2, 3]
    """
    left = Counter(theirs)
    found = []
    for i, one in enumerate(mine):
        if left[one]:
            left[one] -= 1
        else:
            found.append(i)
    return found


def _key(row: Any) -> str:
    return repr(_said(row))


def _said(row: Any) -> dict[str, Any]:
    return row.model_dump(exclude=set(WORDS))


def _difference(one: Any, other: Any) -> str:
    mine, theirs = _said(one), _said(other)
    return ", ".join(f"{k} {_shown(v)} -> {_shown(theirs[k])}" for k, v in mine.items() if v != theirs[k])


def _shown(value: Any) -> str:
    """A value as its cell has it; `none` for a blank one."""
    said = ";".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)
    return said or "none"


def _decision(row: Decision) -> str:
    return f"{row.date} {row.state} {recorded_rule(row.rule)}: {row.decision}"


def _judgement(row: Judgement) -> str:
    stated = ", ".join(f"{level:.0%} {value:g}" for level, value in row.stated)
    return f"{row.analyst}: {row.quantity} of {row.lobby or row.state or 'every state'}: {stated}"


def _proxy(row: Proxy) -> str:
    return f"{row.date} {row.lobby or row.state}: {row.kind} {row.value:g} {row.unit}".rstrip()


def _seed(row: Seed) -> str:
    return f"{row.analyst}: {row.question}: {row.p05:g}, {row.p50:g}, {row.p95:g}, realised {row.realisation:g}"


TABLES: dict[str, Callable[[Any], str]] = {
    "decisions": _decision, "judgements": _judgement, "proxies": _proxy, "seeds": _seed,
}  # fmt: skip
"""Files of rows, by the name that a case has for them, and how a row is told."""
