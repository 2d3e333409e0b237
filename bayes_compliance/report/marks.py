"""Decisions on record as marks of a figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_compliance.report.drawing import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    OCHRE,
    PAPER,
    PURPLE,
    RED,
    WIDTH,
    mark,
)

if TYPE_CHECKING:
    from datetime import date

    from matplotlib.axes import Axes

MOVED = 2
"""Gaps that a mark may stand from its date, at most, so that it does not hide another."""


class Mark(NamedTuple):
    """How an outcome is drawn: by shape and colour, so that neither is needed alone."""

    label: str
    shape: str
    colour: str


MARKS = {
    "comply": Mark("complied", "o", GREEN),
    "comply_late": Mark("complied late", "D", BROWN),
    "partial": Mark("in part", "s", OCHRE),
    "violate": Mark("violated", "X", RED),
    "adhere": Mark("adhered", "^", BLUE),
    "not_adhere": Mark("did not adhere", "v", PURPLE),
}


def apart(at: ArrayLike, gap: float) -> NDArray:
    """Places, in their order, a gap from one another where they were nearer, moved as little as can be.

    Least squares under the order: each run of neighbours that are too near is spread around its mean. Where one would
    move by more than `MOVED` gaps, the gap is halved until none does.

    >>> apart([0, 1, 1, 9], 2).tolist()
    [-1.33..., 0.66..., 2.66..., 9.0]
    """
    from scipy.optimize import isotonic_regression

    places = np.asarray(at, float)
    order = np.argsort(places, kind="stable")
    share, found = 1.0, places.copy()
    while len(places) > 1 and share > 0.05:
        steps = share * gap * np.arange(len(places))
        found[order] = isotonic_regression(places[order] - steps).x + steps
        if np.abs(found - places).max() <= MOVED * gap:
            return found
        share /= 2
    return places


def gap_for(axes: Axes, size: float) -> float:
    """What a mark of some points, with its white rim, is wide in units of an axes' x, whose limits are set."""
    low, high = axes.get_xlim()
    return (size + 1) * (high - low) / (72 * WIDTH * axes.get_position().width)


def days_of(days: Iterable[date]) -> NDArray:
    """Days as matplotlib counts them: from 1970."""
    return np.array(list(days), "datetime64[D]").astype(float)


def decided(
    axes: Axes, decisions: Sequence[str], days: NDArray, heights: NDArray, size: float, places: NDArray
) -> None:
    """Decisions as marks with their bands, one layer for each outcome: each more costs the page as much as a curve.

    Parameters
    ----------
    axes : matplotlib axes
    decisions : sequence of str
        Their outcomes.
    days : array (decision,)
        Where the band stands.
    heights : array (decision, 3)
        Middle, lower and upper.
    size : float
        Points.
    places : array (decision,)
        Where the mark stands: see `apart`.
    """
    axes.vlines(days, heights[:, 1], heights[:, 2], color=GREY, linewidth=1, zorder=2)
    for decision, one in MARKS.items():
        some = np.array([taken == decision for taken in decisions])
        if some.any():
            axes.plot(places[some], heights[some, 0], one.shape, color=one.colour, markersize=size,
                      markeredgecolor=PAPER, markeredgewidth=0.5, zorder=3, clip_on=False)  # fmt: skip


def marker(decision: str) -> Any:
    """An outcome as the legend shows it."""
    found = MARKS[decision]
    return mark(found.label, found.colour, found.shape)
