"""Labels of figures: on how many lines they stand, what room they take, and the rows that they name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNBROKEN = "\N{NO-BREAK SPACE}"
"""Between two words of a name that stay on one line."""

ACROSS, MOST_LINES = 42, 2
"""Characters of a line, and lines, of a label at the left of an axes: it takes a third of the width at most."""

TITLE_ACROSS = {1: 100, 2: 52, 3: 33}
"""Characters of a line of a panel's title, by how many panels stand side by side."""

LINE_HEIGHT = 0.14
"""Inches that one line more takes."""

ENDS = 0.05
"""Inches above the first row and below the last."""


def on_lines(names: Sequence[str], across: int = ACROSS) -> list[str]:
    """Names as labels of two lines at most, longer ones shortened in the middle; different names stay different.

    Parameters
    ----------
    names : sequence of str
    across : int
        Characters that a line holds.
    """
    cut = {name: _cut(name, across) for name in names}
    alike: dict[str, list[str]] = {}
    for name, label in cut.items():
        alike.setdefault(label, []).append(name)
    for some in alike.values():
        if len(some) > 1:
            cut |= {name: _cut(f"{i}: {name}", across) for i, name in enumerate(some, 1)}
    return [cut[name] for name in names]


def _cut(name: str, across: int) -> str:
    lines = [line.replace(UNBROKEN, " ") for line in wrap(name, across)]
    if len(lines) <= MOST_LINES:
        return "\n".join(lines)
    name = name.replace(UNBROKEN, " ")
    end = name[1 - across :]
    return f"{wrap(name, across - 2)[0]} …\n…{end.partition(' ')[2] or end}"


def lines_in(labels: Iterable[str]) -> int:
    """Lines of the tallest of some labels."""
    return 1 + max((label.count("\n") for label in labels), default=0)


def more_for(labels: Iterable[str]) -> float:
    """Inches that labels of several lines take beyond one line."""
    return LINE_HEIGHT * (lines_in(labels) - 1)


def rows_for(labels: Sequence[str], each: float) -> tuple[NDArray, float]:
    """Where rows stand, in inches from the end where the first is, and how many inches all take.

    Parameters
    ----------
    labels : sequence of str
    each : float
        Inches of a row; one whose label has more lines than fit is taller, and it alone.
    """
    tall = np.array([max(each, LINE_HEIGHT * lines_in([label]) + 0.06) for label in labels])
    return np.cumsum(tall) - tall / 2 + ENDS, float(tall.sum()) + 2 * ENDS


def rows_axis(axes: Axes, at: NDArray, tall: float, labels: Sequence[str], down: bool = True) -> None:
    """Rows of `rows_for` with their labels and without an axis, the first on top or at the bottom."""
    axes.set_yticks(at, labels)
    axes.set_ylim(*((tall, 0) if down else (0, tall)))
    axes.tick_params(axis="y", length=0)
    axes.spines[["left"]].set_visible(False)


def room_for(labels: Iterable[str]) -> float:
    """Inches that the longest line of some labels takes at the left of an axes."""
    return 0.2 + 0.063 * max((len(line) for label in labels for line in label.split("\n")), default=0)
