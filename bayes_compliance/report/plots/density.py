"""Curves of what each analyst judged, and of the pool, small multiples by quantity."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from bayes_compliance.report.drawing import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    INK,
    PURPLE,
    RED,
    SKY,
    Frame,
    canvas,
    legend,
    line,
    svg,
    top_for,
)
from bayes_compliance.report.sentences import listed, number

if TYPE_CHECKING:
    from bayes_compliance.elicitation.curves import Curves

COLUMNS = 4
COLOURS = (BLUE, BROWN, GREEN, PURPLE, RED, SKY, INK)
DASHES: tuple[Any, ...] = (
    "-", (0, (5, 1.2)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (2.2, 1.4)), (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)),
    (0, (2.5, 1, 2.5, 3)),
)  # fmt: skip
"""Analysts go through colours and dashes at once: the first 7 share neither, the first 56 not both."""
KEY = 3.2
"""Ems of a key: long enough to tell dashes apart."""
ACROSS = 38
"""Characters of a title that a panel's width holds."""
LINE = 0.13
"""Inches that a line of a title takes."""
APART = 0.16
"""Share of a panel's width between two ticks."""


def curves(name: str, title: str, found: Sequence[Curves]) -> Markup:
    """One panel for each quantity: analysts' densities in colour, the pool's as a thick grey line."""
    analysts = sorted({analyst for one in found for analyst in one.analysts})
    style = styles(analysts)
    keys = [line("the pool", GREY, 4)] + [line(a, colour, 1.4, dashes) for a, (colour, dashes) in style.items()]
    columns = min(COLUMNS, len(found))
    lines = -(-len(found) // columns)
    more = LINE * max((_label(one).count("\n") for one in found), default=0)
    frame = Frame(left=0.15, top=top_for(keys, title=True, length=KEY) + more, between=0.52 + more, beside=0.3)
    with canvas([0.75] * lines, columns, frame) as (figure, grid):
        for axes, one in zip(grid.flat, found, strict=False):
            _draw(axes, one, style)
        for axes in grid.flat[len(found) :]:
            axes.set_axis_off()
        legend(figure, keys, KEY)
        return svg(figure, name, title, "; ".join(map(_say, found)) + ".")


def styles(analysts: Sequence[str]) -> dict[str, tuple[str, Any]]:
    """A colour and a dash pattern for each analyst."""
    return {a: (COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)]) for i, a in enumerate(analysts)}


def _draw(axes: Any, one: Curves, style: dict[str, tuple[str, Any]]) -> None:
    per = one.x if one.log else np.ones_like(one.x)  # on a log axis areas are equal where density is per log unit
    axes.plot(one.x, one.pool * per, color=GREY, linewidth=4, solid_capstyle="butt")
    for analyst, density in one.analysts.items():
        colour, dashes = style[analyst]
        axes.plot(one.x, density * per, color=colour, linestyle=dashes, linewidth=1.4)
    if one.log:
        axes.set_xscale("log")
        ticks = _ticks(one.x[0], one.x[-1])
        axes.set_xticks(ticks, [number(tick) for tick in ticks])
        axes.set_xticks([], minor=True)
    else:
        axes.locator_params(axis="x", nbins=4)
    axes.set_yticks([])
    axes.set_ylim(bottom=0)
    axes.spines[["left"]].set_visible(False)
    axes.set_title(_label(one), fontsize=7, fontweight="normal", color=INK)


def _ticks(low: float, high: float) -> list[float]:
    """A few round numbers between the ends, one digit and zeros, that leave room for their labels."""
    inside = np.geomspace(low, high, 6)[1:-1]
    power = 10 ** np.floor(np.log10(inside))
    ticks: list[float] = []
    for tick in sorted({float(t) for t in np.round(inside / power) * power}):
        if not ticks or np.log(tick / ticks[-1]) >= APART * np.log(high / low):
            ticks.append(tick)
    return ticks


def _label(one: Curves) -> str:
    """The name of what is judged, on as many lines as it takes in a panel's width."""
    name = one.name if one.quantity == "magnitude" else f"{one.quantity.replace('_', ' ')}: {one.name}"
    return fill(name, ACROSS)


def _say(one: Curves) -> str:
    medians = listed([f"{analyst} {number(median)}" for analyst, median in one.medians.items()])
    unit = f" {one.unit}" if one.unit else ""
    return f"{one.quantity.replace('_', ' ')} of {one.name}, medians: {medians}; the pool {number(one.median)}{unit}"
