"""Percentages and lists as every page and sentence writes them: no percentage claims certainty."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, inf

from bayes_compliance.case.vocabulary import ANY_RULE

LIKELY = 60
"""Least shown percentage that is called likely."""

ENDS = {0: "under 1%", 100: "over 99%"}
WHOLE = "the whole agreement"
NONE_DUE = "none due"
"""In place of a probability of no violation, where no decision falls due."""

SHORT = {0: "<1", 100: ">99"}
NOTHING = 1e-9
"""What a number below it in size is written as 0: what arithmetic left of nothing."""


def number(x: float) -> str:
    """Three significant digits, never an exponent below a million."""
    if abs(x) < NOTHING or x != x:
        return "–" if x != x else "0"
    text = f"{x:,.0f}" if 1000 <= abs(x) < 1e6 else f"{x:.3g}"
    return text.replace("-", "−")


def rounded(p: float) -> int:
    """A probability or share in whole percent, halves upwards; a share may be below 0 or above 1.

    Below 1% it is 0 and above 99% it is 100, which are written as what they are: under 1% and over 99%.

    >>> rounded(0.125), rounded(0.0099), rounded(0.01), rounded(0.99), rounded(0.9901)
    (13, 0, 1, 99, 100)
    """
    return 0 if 0 <= p < 0.01 else 100 if 0.99 < p <= 1 else floor(100 * p + 0.5)


def percent(p: float) -> str:
    """A probability or share: `71%`, `under 1%`, `over 99%`.

    >>> percent(0.714), percent(0.007), percent(0.991)
    ('71%', 'under 1%', 'over 99%')
    """
    return ENDS.get(rounded(p), f"{rounded(p)}%")


def band(lower: float, upper: float) -> str:
    """A range of probabilities in a table: `20% to 98%`, `under 1% to over 99%`.

    >>> band(0.007, 0.98)
    'under 1% to 98%'
    """
    return f"{percent(lower)} to {percent(upper)}"


def short(p: float) -> str:
    """A probability in a table: `71%`, `<1%`, `>99%`.

    >>> short(0.714), short(0.007), short(0.991)
    ('71%', '<1%', '>99%')
    """
    return f"{SHORT.get(rounded(p), rounded(p))}%"


def rule_name(rule: str) -> str:
    """A rule as pages and sentences name it.

    >>> rule_name("tariffs"), rule_name("*")
    ('tariffs', 'a new rule')
    """
    return "a new rule" if rule == ANY_RULE else rule


def recorded_rule(rule: str) -> str:
    """What a decision on record was about: a rule, or all of them.

    >>> recorded_rule("tariffs"), recorded_rule("*")
    ('tariffs', 'the whole agreement')
    """
    return WHOLE if rule == ANY_RULE else rule


def decimals(value: float, width: int, sign: str = "") -> str:
    """Three decimals at the right of a column, with a sign before positive numbers where `sign` is ``+``.

    >>> decimals(0.5, 7), decimals(0.0314, 7, "+"), decimals(-0.0001, 7), decimals(-0.0001, 7, "+")
    ('  0.500', ' +0.031', '  0.000', ' +0.000')
    """
    return f"{round(value, 3) + 0.0:>{sign}{width}.3f}"  # adding 0 takes the sign off a zero


def pareto(k: float) -> str:
    """Pareto k of importance weights; at or below 0 no more than that: the weights have an upper end.

    >>> pareto(0.714), pareto(-0.2), pareto(float("inf"))
    ('0.71', '≤ 0', 'infinite')
    """
    return "infinite" if k == inf else "≤ 0" if k <= 0 else f"{k:.2f}"


def listed(items: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    return f" {last} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def plural(n: int, noun: str, nouns: str = "") -> str:
    """`1 rule`, `2 rules`, `no rules`.

    >>> plural(1, "rule"), plural(0, "lobby", "lobbies")
    ('1 rule', 'no lobbies')
    """
    return f"{n or 'no'} {noun if n == 1 else nouns or noun + 's'}"
