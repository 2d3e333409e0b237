"""What two readings of a case differ in, row by row: what has become known since, or is judged otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bayes_compliance.case.vocabulary import WORDS
from bayes_compliance.wording import recorded_rule

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
        File by file, what is gone before what is new; a row that was changed is both. Rows that differ in notes and
        sources alone are the same.
    """
    found = []
    for name, told in TABLES.items():
        before, after = getattr(old, name), getattr(new, name)
        found += [f"- {name}.csv: {told(row)}" for row in _only_in(before, after)]
        found += [f"+ {name}.csv: {told(row)}" for row in _only_in(after, before)]
    return found


def _only_in(some: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    there = Counter(map(_said, others))
    found = []
    for row in some:
        if there[said := _said(row)]:
            there[said] -= 1
        else:
            found.append(row)
    return found


def _said(row: Any) -> str:
    return repr(row.model_dump(exclude=set(WORDS)))


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
