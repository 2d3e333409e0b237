"""Percentages and lists as every page and sentence writes them: no percentage claims certainty."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, inf

ENDS = {0: "under 1%", 100: "over 99%"}
SHORT = {0: "<1", 100: ">99"}


def rounded(p: float) -> int:
    """A probability or share in whole percent, halves upwards; a share may be below 0 or above 1."""
    return floor(100 * p + 0.5)


def percent(p: float) -> str:
    """A probability or share: `71%`, `under 1%`, `over 99%`.

    >>> percent(0.714), percent(0.0), percent(0.996)
    ('71%', 'under 1%', 'over 99%')
    """
    return ENDS.get(rounded(p), f"{rounded(p)}%")


def band(lower: float, upper: float) -> str:
    """A range of probabilities in a table: `20–98%`, `<1–>99%`.

    >>> band(0.001, 0.98)
    '<1–98%'
    """
    low, high = (SHORT.get(end, str(end)) for end in (rounded(lower), rounded(upper)))
    return f"{low}–{high}%"


def pareto(k: float) -> str:
    """Pareto k of importance weights; below 0 it is 0, since no draw outweighs the others.

    >>> pareto(0.714), pareto(-0.2), pareto(float("inf"))
    ('0.71', '0.00', 'infinite')
    """
    return "infinite" if k == inf else f"{max(k, 0):.2f}"


def listed(items: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    return f" {last} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
