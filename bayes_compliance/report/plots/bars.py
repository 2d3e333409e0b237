"""Lobbies side by side: what pulls which way, and what was learnt of whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from bayes_compliance.report.drawing import (
    BLUE,
    BROWN,
    INK,
    NARROW,
    PAPER,
    SOFT,
    Frame,
    canvas,
    legend,
    line,
    mark,
    patch,
    svg,
    top_for,
)
from bayes_compliance.report.labels import UNBROKEN, on_lines, room_for, rows_axis, rows_for
from bayes_compliance.report.sentences import listed, number, signed

if TYPE_CHECKING:
    from bayes_compliance.report.learning import Learnt
    from bayes_compliance.report.sentences import Pull

ACROSS = 34
"""Characters of a line of a lobby's name beside zero."""
MARGIN = 0.15
"""Inches beyond the longest bar."""
EACH = 0.25
"""Inches of a lobby judged and learnt."""


def pulls(name: str, state: str, found: Sequence[Pull], first: str, last: str) -> Markup:
    """Each lobby's median weight at the horizon as a bar, for or against, and on the first date as a tick.

    A name stands at the other side of zero than its bar, so that the drawing is narrow enough for a phone.
    """
    order = sorted(found, key=lambda pull: pull.last)
    keys = [patch(f"for, on {last}", BLUE), patch(f"against, on {last}", BROWN), mark(f"on {first}", INK, "|", 9)]
    labels = on_lines([f"{p.lobby}{UNBROKEN}({p.role})" for p in order], ACROSS)
    frame = Frame(left=0.1, right=0.1, top=top_for(keys, width=NARROW), bottom=0.45)
    at, tall = rows_for(labels, 0.22)
    with canvas([tall], frame=frame, width=NARROW) as (figure, grid):
        axes = grid[0, 0]
        axes.set_xlim(_limits(order, labels, NARROW - frame.left - frame.right))
        axes.barh(at, [p.last for p in order], 0.15, color=[BLUE if p.last > 0 else BROWN for p in order])
        axes.plot([p.first for p in order], at, "|", color=INK, markersize=9, markeredgewidth=1.3)
        axes.axvline(0, color=SOFT, linewidth=0.8)
        for pull, y, label in zip(order, at, labels, strict=True):
            _name(axes, pull, y, label)
        rows_axis(axes, at, tall, [""] * len(order), down=False)
        axes.grid(False, axis="y")
        axes.set_xlabel("median weight in a decision on one of the state's rules, points")
        legend(figure, keys)
        said = listed([f"{p.lobby} {signed(p.last)}" for p in reversed(order)])
        return svg(figure, name, f"What pulls which way in {state}", f"Median weights in points on {last}: {said}.")


def _limits(order: Sequence[Pull], labels: Sequence[str], wide: float) -> tuple[float, float]:
    """The ends of the scale: bars as long as can be where each name stands at the other side of zero than its bar."""
    against, to = (max([0.0, *(sign * v for p in order for v in (p.first, p.last))]) for sign in (-1, 1))
    left = room_for([label for p, label in zip(order, labels, strict=True) if p.last > 0])
    right = room_for([label for p, label in zip(order, labels, strict=True) if p.last <= 0])
    room = [(wide - 2 * MARGIN, against + to), (wide - MARGIN - right, against), (wide - MARGIN - left, to)]
    per = min(inches / points for inches, points in room if points > 0) if against + to > 0 else 1.0
    low, high = max(per * against + MARGIN, left), max(per * to + MARGIN, right)
    spare = wide - low - high
    return -(low + spare / 2) / per, (high + spare / 2) / per


def _name(axes: Any, pull: Pull, y: float, label: str) -> None:
    for_it = pull.last > 0
    axes.annotate(
        label, (min(0, pull.first) if for_it else max(0, pull.first), y), xytext=(-5 if for_it else 5, 0),
        textcoords="offset points", ha="right" if for_it else "left", va="center", color=SOFT,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
    )  # fmt: skip


def learnt(name: str, state: str, found: Sequence[Learnt]) -> Markup:
    """Prior beside posterior of each magnitude of a state: medians and 5% to 95%, log and linear lobbies apart."""
    groups = [[x for x in found if (x.scale == "log") == log] for log in (True, False)]
    groups = [group for group in groups if group]
    keys = [
        line("judged (prior)", BROWN, 2.2, marker="o", markersize=4),
        line("with the data (posterior)", BLUE, 2.2, marker="D", markersize=4),
    ]
    labels = dict(zip((item.name for item in found), on_lines([item.name for item in found]), strict=True))
    frame = Frame(left=room_for(labels.values()), top=top_for(keys), bottom=0.45, between=0.6)
    named = [[labels[item.name] for item in group] for group in groups]
    heights = [rows_for(some, EACH)[1] for some in named]
    with canvas(heights, frame=frame) as (figure, grid):
        for axes, group, some in zip(grid[:, 0], groups, named, strict=True):
            _intervals(axes, group, some)
        legend(figure, keys)
        return svg(figure, name, f"Magnitudes in {state}, judged and learnt", _say(found))


def _intervals(axes: Any, group: Sequence[Learnt], labels: Sequence[str]) -> None:
    at, tall = rows_for(labels, EACH)
    for y, item in zip(at, group, strict=True):
        for shift, (low, mid, high), colour, shape in (
            (-0.037, item.prior, BROWN, "o"), (0.037, item.posterior, BLUE, "D"),
        ):  # fmt: skip
            axes.plot([low, high], [y + shift] * 2, color=colour, linewidth=2.2, solid_capstyle="butt")
            axes.plot([mid], [y + shift], shape, color=colour, markersize=4, markeredgecolor=PAPER,
                      markeredgewidth=0.5)  # fmt: skip
    log = group[0].scale == "log"
    if log:
        axes.set_xscale("log")
        _plain_ticks(axes, min(i.prior[0] for i in group), max(i.prior[2] for i in group))
    rows_axis(axes, at, tall, labels)
    axes.set_xlabel("magnitude, points" + (" (log scale)" if log else ""))


def _plain_ticks(axes: Any, low: float, high: float) -> None:
    """Ticks at 1, 2 and 5 times powers of ten, in plain numbers."""
    powers = range(int(np.floor(np.log10(low))) - 1, int(np.ceil(np.log10(high))) + 2)
    steps = (1, 2, 5) if high / low < 300 else (1,)
    ticks = [step * 10.0**power for power in powers for step in steps]
    ticks = [tick for tick in ticks if low / 3 < tick < high * 3]
    axes.set_xticks(ticks, [number(tick) for tick in ticks])
    axes.set_xticks([], minor=True)


def _say(found: Sequence[Learnt]) -> str:
    said = listed([f"{x.name} from {number(x.prior[1])} to {number(x.posterior[1])}" for x in found])
    return f"Medians in points, judged and then with the data: {said}."
