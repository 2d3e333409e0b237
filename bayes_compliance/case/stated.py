"""What the column `values` of judgements.csv may say instead of p05, p50 and p95: quantiles, a range, chips, ratios."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import accumulate, groupby, pairwise
from math import exp, isfinite, log
from statistics import NormalDist
from typing import NamedTuple

from bayes_compliance.case.vocabulary import LEVELS

FORMS = (
    "quantiles such as q10=5;q90=20, a range with its probability such as range90=5..20, chips on the middles of bins "
    "such as 10:1;20:4;30:3, or of=LOBBY beside a ratio"
)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
LARGEST = 1e100
MOST_POINTS = 30
MOST_CHIPS = 10_000

_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_NORMAL = NormalDist()
_QUANTILE = re.compile(r"q(\d{1,2}(?:\.\d+)?)")
_RANGE = re.compile(r"range(\d{1,2}(?:\.\d+)?)")

Points = tuple[tuple[float, float], ...]
"""Quantiles that were stated: levels between 0 and 1 with their values, both rising."""


class Stated(NamedTuple):
    """A cell of the column `values`: the quantiles that it states, and the lobby that a ratio is of."""

    points: Points = ()
    of: str = ""


def parse(text: str) -> Stated:
    """Read a cell of the column `values`.

    Parameters
    ----------
    text : str
        Parts parted by ``;``: two or more ``qLEVEL=VALUE``, or one ``rangePROBABILITY=LOW..HIGH`` (the middle range of
        that probability, both in percent), or chips ``MIDDLE:COUNT`` on at least three bins (edges lie halfway between
        middles; ``chips=`` may stand before the first); and ``of=LOBBY``, alone or beside one of these.

    Raises
    ------
    ValueError
        With what is wrong.

    Examples
    --------
    >>> parse("range90=5..20")
    Stated(points=((0.05, 5.0), (0.95, 20.0)), of='')
    >>> parse("10:1;20:4;30:3").points
    ((0.125, 15.0), (0.625, 25.0))
    """
    parts = [part.strip() for part in text.removeprefix("chips=").split(";") if part.strip()]
    of = [part[3:].strip() for part in parts if part.startswith("of=")]
    rest = [part for part in parts if not part.startswith("of=")]
    if len(of) > 1 or "" in of:
        raise ValueError("of= names no lobby, or more than one")
    if not rest:
        return Stated((), *of)
    return Stated(_rising(_points(rest)), *of)


def write(stated: Stated) -> str:
    """A cell that `parse` reads so; every form of points as quantiles, whose levels have twelve decimals at most.

    Examples
    --------
    >>> write(parse("range90=5..20;of=growers"))
    'q5=5.0;q95=20.0;of=growers'
    """
    quantiles = [f"q{f'{100 * level:.10f}'.rstrip('0').rstrip('.')}={float(value)!r}" for level, value in stated.points]
    return ";".join([*quantiles, *([f"of={stated.of}"] if stated.of else [])])


def misplaced(of: str, quantity: str) -> tuple[str, str]:
    """What is wrong with `of=` beside a quantity that is no ratio, and what is allowed."""
    return f"of={of} beside {quantity}", "of=LOBBY beside quantity ratio only"


def _points(parts: Sequence[str]) -> Points:
    if all("=" not in part and ":" in part for part in parts):
        return _edges([_pair(part, ":") for part in parts])
    names = [part.partition("=")[0].strip() for part in parts]
    if len(parts) == 1 and (found := _RANGE.fullmatch(names[0])):
        low, high = _pair(parts[0].partition("=")[2], "..")
        outside = round(0.5 - float(found[1]) / 200, 12)
        return (outside, low), (1 - outside, high)
    levels = [_QUANTILE.fullmatch(name) for name in names]
    if not all(levels):
        raise ValueError(f"{parts[levels.index(None)]!r} is not understood")
    values = [_number(part.partition("=")[2]) for part in parts]
    return tuple((round(float(level[1]) / 100, 12), v) for level, v in zip(levels, values, strict=True) if level)


def _edges(chips: Sequence[tuple[float, float]]) -> Points:
    """Quantiles at the inner edges of the bins; where bins are empty, at the middle of the gap."""
    middles, counts = zip(*chips, strict=True)
    if any(count != int(count) or not 0 <= count <= MOST_CHIPS for count in counts):
        raise ValueError(f"chips are whole numbers from 0 to {MOST_CHIPS}")
    if any(low >= high for low, high in pairwise(middles)):
        raise ValueError("the middles of the bins do not rise")
    if sum(count > 0 for count in counts) < 3:
        raise ValueError("chips in fewer than three bins say no two quantiles")
    edges = [low / 2 + high / 2 for low, high in pairwise(middles)]
    below = list(accumulate(counts))[:-1]
    by_level = groupby(zip(below, edges, strict=True), key=lambda pair: pair[0])
    spans = [(level, [edge for _, edge in span]) for level, span in by_level]
    return tuple(
        (round(level / sum(counts), 12), (span[0] + span[-1]) / 2) for level, span in spans if 0 < level < sum(counts)
    )  # fmt: skip


def _rising(points: Points) -> Points:
    points = tuple(sorted(points))
    if not 2 <= len(points) <= MOST_POINTS:
        raise ValueError(f"{len(points)} quantiles are stated, and a judgement has 2 to {MOST_POINTS}")
    for (level, low), (other, high) in pairwise(points):
        if level == other:
            raise ValueError(f"the quantile at {100 * level:g}% is stated twice")
        if low >= high:
            raise ValueError(f"{high:g} at {100 * other:g}% is not above {low:g} at {100 * level:g}%")
    if not (points[0][0] > 0 and points[-1][0] < 1):
        raise ValueError("a level is not above 0% and below 100%")
    return points


def _pair(text: str, mark: str) -> tuple[float, float]:
    low, found, high = text.partition(mark)
    if not found:
        raise ValueError(f"{text!r} has no {mark!r}")
    return _number(low), _number(high)


def _number(text: str) -> float:
    cell = text.strip()
    value = float(cell) if NUMBER.fullmatch(cell) else float("nan")
    if not (isfinite(value) and abs(value) <= LARGEST):
        raise ValueError(f"{cell!r} is no number of at most {LARGEST:g}{comma(cell)}")
    return value


def comma(cell: str) -> str:
    """What to say beside a refused number with a comma in it.

    Examples
    --------
    >>> comma("0,05")
    ', with a decimal point: 0.05'
    >>> comma("1,060")
    ', with a decimal point and nothing between thousands: 1.060 or 1060'
    """
    if not _COMMA.fullmatch(cell):
        return ""
    point = cell.replace(",", ".")
    if _THOUSANDS.fullmatch(cell):
        return f", with a decimal point and nothing between thousands: {point} or {cell.replace(',', '')}"
    return f", with a decimal point: {point}"


def straight_line(points: Points, scale: str) -> tuple[float, ...]:
    """Quantiles at `LEVELS`, on straight lines through the stated ones against normal scores.

    Exact for two quantiles of a normal (`linear`), lognormal (`log`) or logit-normal (`logit`); beyond the outermost
    points the outermost lines go on.
    """
    to, back = _SCALES[scale]
    scores = [(_NORMAL.inv_cdf(level), to(value)) for level, value in points]
    return tuple(back(_on_line(scores, _NORMAL.inv_cdf(level))) for level in LEVELS)


def _on_line(scores: Sequence[tuple[float, float]], z: float) -> float:
    after = next((i for i, (score, _) in enumerate(scores) if score >= z), len(scores) - 1)
    (z0, y0), (z1, y1) = scores[max(after, 1) - 1 : max(after, 1) + 1]
    return y0 + (y1 - y0) * (z - z0) / (z1 - z0)


def _expit(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > 0 else exp(x) / (1 + exp(x))


_SCALES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "linear": (float, float),
    "log": (log, lambda x: exp(min(x, 700.0))),
    "logit": (lambda p: log(p) - log(1 - p), _expit),
}
