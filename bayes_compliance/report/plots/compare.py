"""Small multiples that compare: dots with and without something, intervals, bars, and stacks over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import cycle
from math import floor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from bayes_compliance.analysis.decomposition import CONDUCT, MOVING, NOISE, SHOCKS, TODAY
from bayes_compliance.report.drawing import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    INK,
    OCHRE,
    PAPER,
    PURPLE,
    RED,
    SKY,
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
from bayes_compliance.report.labels import (
    ACROSS,
    TITLE_ACROSS,
    more_for,
    on_lines,
    room_for,
    rows_axis,
    rows_for,
)
from bayes_compliance.report.sentences import MONTHS, listed, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SERIES = ((BROWN, "o"), (BLUE, "D"), (GREEN, "s"), (PURPLE, "^"), (RED, "v"), (SKY, "P"), (INK, "X"))
"""Colour and shape, so that neither is needed alone."""
LAYERS = {TODAY: (BLUE, ""), MOVING: (SKY, "////"), SHOCKS: (BROWN, "||||"), CONDUCT: (PURPLE, "xxxx"),
          NOISE: (OCHRE, "\\\\\\")}  # fmt: skip
"""Sources of variance have one colour and one hatch on every page, whichever of them a page shows."""
OTHERS = ((SOFT, "----"), (GREEN, "++++"), (RED, "//"), (INK, "\\\\"))
"""Colours and hatches of all other layers, by their order; no dots, which cost a page 200 kB."""
ROW = 0.21


class Panel(NamedTuple):
    """A panel's title, and by row its numbers; NaN is not drawn."""

    title: str
    rows: Mapping[str, Sequence[float]]


def dots(name: str, title: str, series: Sequence[str], panels: Sequence[Panel]) -> Markup:
    """Probabilities of each row side by side on one line, by series.

    Parameters
    ----------
    name : str
        Distinct on the page.
    title : str
    series : sequence of str
        At most as many as there are marks; each row has a number for each.
    panels : sequence of Panel
    """
    if len(series) > len(SERIES):
        raise ValueError(f"{len(series)} series; allowed: at most {len(SERIES)}, as many as can be told apart")
    # what the only marks are, the title says
    several = zip(series, SERIES, strict=False) if len(series) > 1 else ()
    keys = [mark(label, colour, shape) for label, (colour, shape) in several]

    def draw(axes: Axes, panel: Panel, at: NDArray) -> None:
        values = 100 * np.array(list(panel.rows.values()))
        axes.hlines(at, np.nanmin(values, 1), np.nanmax(values, 1), color=GREY, linewidth=1, zorder=1)
        for some, (colour, shape) in zip(values.T, SERIES, strict=False):
            axes.plot(some, at, shape, color=colour, markersize=5, markeredgecolor=PAPER, markeredgewidth=0.5,
                      zorder=3)  # fmt: skip
        _percents(axes)

    said = "; ".join(
        f"{_of(panel)}{row}: {listed([f'{percent(v)} {s}' for s, v in zip(series, values, strict=True) if v == v])}"
        for panel in panels
        for row, values in panel.rows.items()
    )
    return _rows(name, title, said, panels, draw, keys)


def intervals(name: str, title: str, what: str, panels: Sequence[Panel]) -> Markup:
    """Differences in percentage points: a dot with its 5% to 95% band, each row (lower, middle, upper)."""
    keys = [line(f"{what}: mean, 5% to 95%", BLUE, 2, marker="o", markersize=4.5)]

    def draw(axes: Axes, panel: Panel, at: NDArray) -> None:
        low, middle, high = 100 * np.array(list(panel.rows.values())).T
        axes.hlines(at, low, high, color=SKY, linewidth=2.2)
        axes.plot(middle, at, "o", color=BLUE, markersize=4.5, markeredgecolor=PAPER, markeredgewidth=0.5)
        axes.axvline(0, color=INK, linewidth=0.8, zorder=0)
        axes.set_xlim(-104, 104)
        axes.set_xticks([-100, -50, 0, 50, 100], ["−100", "−50", "0", "+50", "+100"])

    said = "; ".join(
        f"{_of(panel)}{row}: {_points(mid)} ({_points(low)} to {_points(high)})"
        for panel in panels
        for row, (low, mid, high) in panel.rows.items()
    )
    return _rows(name, title, f"{what}: {said}", panels, draw, keys)


def bars(name: str, title: str, panels: Sequence[Panel]) -> Markup:
    """Shares in percent, one bar for each row."""
    most = max((v for panel in panels for (v,) in panel.rows.values()), default=0)

    def draw(axes: Axes, panel: Panel, at: NDArray) -> None:
        values = [100 * max(value, 0) for (value,) in panel.rows.values()]
        axes.barh(at, values, 0.14, color=BLUE)
        axes.set_xlim(0, max(10, 105 * most))
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}%")

    said = "; ".join(
        f"{_of(panel)}{row}: {percent(min(max(value, 0), 1))}"
        for panel in panels
        for row, (value,) in panel.rows.items()
    )
    return _rows(name, title, said, panels, draw, [])


def stacks(
    name: str, title: str, layers: Sequence[str], panels: Mapping[str, NDArray], days: Sequence[date]
) -> Markup:  # fmt: skip
    """Shares by layer over time, stacked; what is negative hangs below zero.

    Parameters
    ----------
    name, title : str
    layers : sequence of str
    panels : dict of title to array (day, layer)
    days : sequence of date
    """
    looks = looks_of(layers)
    keys = [
        patch(layer, colour, hatch=hatch, edgecolor=PAPER, linewidth=0)
        for layer, (colour, hatch) in zip(layers, looks, strict=True)
    ]
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    titles, ticks = on_lines(list(panels), TITLE_ACROSS[columns]), dates_on_axis(days)
    more, under = more_for(titles), more_for(ticks)
    frame = Frame(top=top_for(keys, title=True) + more, bottom=0.3 + under, between=0.5 + more + under)
    low = min(0.0, *(float(np.minimum(shares, 0).sum(-1).min()) for shares in panels.values()))
    with canvas([1.9] * lines, columns, frame) as (figure, grid):
        for axes, shares, label in zip(grid.flat, panels.values(), titles, strict=False):
            _stack(axes, shares, looks, ticks)
            axes.set_title(label)
            axes.set_ylim(100 * low, 100 - 100 * low)
            axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}%")
        for axes in grid.flat[len(panels) :]:
            axes.set_axis_off()
        legend(figure, keys)
        return svg(figure, name, title, _say_stacks(layers, panels, days))


def looks_of(layers: Sequence[str]) -> list[tuple[str, str]]:
    """A colour and a hatch for each layer: those of its source, else the next of the others."""
    rest = cycle(OTHERS)
    return [LAYERS[layer] if layer in LAYERS else next(rest) for layer in layers]


def dates_on_axis(days: Sequence[date]) -> list[str]:
    """Dates at even distances as labels: bare years where these are a step apart, else with the month, or the day."""
    years = np.diff([day.year for day in days])
    if (years > 0).all() and len(set(years[:-1])) <= 1:
        return [str(day.year) for day in days]
    month = [f"{MONTHS[day.month - 1][:3]}\n{day.year}" for day in days]
    return month if len(set(month)) == len(days) else [f"{d.day} {m}" for d, m in zip(days, month, strict=True)]


def _stack(axes: Axes, shares: NDArray, looks: Sequence[tuple[str, str]], ticks: Sequence[str]) -> None:
    at = np.arange(len(ticks))
    above, below = np.zeros(len(ticks)), np.zeros(len(ticks))
    for values, (colour, hatch) in zip(100 * shares.T, looks, strict=True):
        bottom = np.where(values >= 0, above, below)
        axes.bar(at, values, 0.86, bottom=bottom, color=colour, hatch=hatch, edgecolor=PAPER, linewidth=0.4)
        above, below = above + np.maximum(values, 0), below + np.minimum(values, 0)
    every = -(-len(ticks) // 5)
    axes.set_xticks(at[::every], ticks[::every])
    axes.grid(False, axis="x")


def _say_stacks(layers: Sequence[str], panels: Mapping[str, NDArray], days: Sequence[date]) -> str:
    def say(shares: NDArray) -> str:
        return listed([f"{layer} {_share(share)}" for layer, share in zip(layers, shares, strict=True)])

    return "; ".join(
        f"{label}: {say(shares[0])} on {days[0]}, {say(shares[-1])} on {days[-1]}" for label, shares in panels.items()
    )


def _rows(
    name: str,
    title: str,
    said: str,
    panels: Sequence[Panel],
    draw: Callable[[Axes, Panel, NDArray], None],
    keys: list[Any],
) -> Markup:
    """Panels one below the other, their rows read from the top."""
    titled = any(panel.title for panel in panels)
    labels = [on_lines(list(panel.rows)) for panel in panels]
    titles = on_lines([panel.title for panel in panels], TITLE_ACROSS[1] - ACROSS)
    every = [label for some in labels for label in some]
    top, more = top_for(keys, title=titled) if keys else 0.1 + 0.22 * titled, more_for(titles)
    frame = Frame(left=room_for(every), right=0.3, top=top + more, bottom=0.3, between=0.55 + more)
    places = [rows_for(some, ROW) for some in labels]
    with canvas([tall for _, tall in places], frame=frame) as (figure, grid):
        for axes, panel, (at, tall), some, title_of in zip(grid[:, 0], panels, places, labels, titles, strict=True):
            draw(axes, panel, at)
            rows_axis(axes, at, tall, some)
            axes.set_title(title_of)
        if keys:
            legend(figure, keys)
        return svg(figure, name, title, f"{said}.")


def _of(panel: Panel) -> str:
    return f"{panel.title}, " if panel.title else ""


def _percents(axes: Axes) -> None:
    axes.set_xlim(-2, 102)
    axes.set_xticks([0, 25, 50, 75, 100], ["0%", "25%", "50%", "75%", "100%"])


def _share(share: float) -> str:
    """A share in whole percent, which may be negative; what rounds to nothing has no sign."""
    return f"{floor(100 * share + 0.5)}%".replace("-", "−")


def _points(difference: float) -> str:
    points = round(100 * difference)
    return f"+{points}" if points > 0 else number(points)
