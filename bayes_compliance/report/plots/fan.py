"""Fan charts: probability and support ahead, with what was decided before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from markupsafe import Markup

from bayes_compliance.case.dates import DAYS_PER_YEAR
from bayes_compliance.report.drawing import (
    BLUE,
    INK,
    LINE,
    MARKS,
    SKY,
    TITLE_ACROSS,
    Frame,
    canvas,
    legend,
    line,
    marker,
    more_for,
    on_lines,
    patch,
    svg,
    top_for,
)  # fmt: skip
from bayes_compliance.report.sentences import change_of_width, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_compliance.report.facts import Recorded

HEIGHTS = {1: 2.2, 2: 1.8, 3: 1.3}
"""Inches of an axes, by how many stand side by side."""

WORLDS, TODAY = "#cfe6f5", SKY


class Fan(NamedTuple):
    """One rule of a state ahead: rows of the forecast's table, median support on their dates, decisions on record."""

    title: str
    rows: list[dict]
    support: list[float]
    past: list[Recorded]


def probability(name: str, state: str, fans: Sequence[Fan]) -> Markup:
    """Small multiples of p with both bands: over future worlds, and over what is not known of today.

    Parameters
    ----------
    name : str
        Distinct on the page.
    state : str
    fans : sequence of Fan
    """

    def draw(axes: Axes, fan: Fan) -> None:
        dates, get = _columns(fan)
        axes.fill_between(dates, get("p_lower"), get("p_upper"), color=WORLDS, linewidth=0)
        axes.fill_between(dates, get("p_today_lower"), get("p_today_upper"), color=TODAY, linewidth=0, alpha=0.75)
        axes.plot(dates, get("p_comply"), color=BLUE, linewidth=1.6)
        _past(axes, fan.past, "chance")
        axes.set_ylim(-0.04, 1.04)
        axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])

    handles = [
        line("probability of compliance"), patch("if we saw the forces at work on that day: 5% to 95%", WORLDS),
        patch("with full knowledge of today: 5% to 95%", TODAY),
    ]  # fmt: skip
    said = "; ".join(_say_probability(fan) for fan in fans)
    title = f"Probability that {state} complies, by rule"
    return _grid(name, title, f"{title}. {said}.", fans, draw, handles)


def _say_probability(fan: Fan) -> str:
    first, last = fan.rows[0], fan.rows[-1]
    before, after = ((row["p_lower"], row["p_upper"]) for row in (first, last))
    return (
        f"{fan.title}: {percent(first['p_comply'])} on {first['date']}, {percent(last['p_comply'])} on {last['date']}; "
        f"the wide band {change_of_width(before, after)}"
    )


def support(name: str, state: str, fans: Sequence[Fan], threshold: float) -> Markup:
    """Small multiples of net political support ahead, with the state's threshold."""

    def draw(axes: Axes, fan: Fan) -> None:
        dates, get = _columns(fan)
        axes.fill_between(dates, get("support_lower"), get("support_upper"), color=WORLDS, linewidth=0)
        axes.plot(dates, fan.support, color=BLUE, linewidth=1.6)
        axes.axhline(threshold, color=INK, linewidth=0.8)
        _past(axes, fan.past, "support")
        axes.margins(y=0.08)
        axes.locator_params(axis="y", nbins=5)

    handles = [line("median net support, points"), patch("5% to 95%", WORLDS), line("threshold", INK, 0.8)]
    said = "; ".join(
        f"{fan.title}: {number(fan.support[-1])} points ({number(fan.rows[-1]['support_lower'])} to "
        f"{number(fan.rows[-1]['support_upper'])}) on {fan.rows[-1]['date']}"
        for fan in fans
    )
    title = f"Net political support for compliance in {state}, by rule"
    return _grid(name, title, f"{title}; the threshold is {number(threshold)}. {said}.", fans, draw, handles)


def _columns(fan: Fan) -> tuple[np.ndarray, Any]:
    dates = np.array([row["date"] for row in fan.rows], "datetime64[D]")
    return dates, lambda name: np.array([row[name] for row in fan.rows])


def _past(axes: Axes, past: Sequence[Recorded], what: str) -> None:
    """What was decided, one layer for each outcome: each more would cost the page as much as a curve."""
    for decision in MARKS:
        rows = [row for row in past if row.decision == decision]
        if not rows:
            continue
        when = np.array([row.date for row in rows], "datetime64[D]")
        middle, lower, upper = np.transpose([getattr(row, what) for row in rows])
        mark = MARKS[decision]
        axes.vlines(when, lower, upper, color=LINE, linewidth=1.2, zorder=1)
        axes.plot(when, middle, mark.shape, color=mark.colour, markersize=4.2, markeredgecolor="white",
                  markeredgewidth=0.5, zorder=3)  # fmt: skip


def _grid(name: str, title: str, said: str, fans: Sequence[Fan], draw: Any, handles: list[Any]) -> Markup:
    seen = {row.decision for fan in fans for row in fan.past}
    keys = handles + [marker(decision) for decision in MARKS if decision in seen]
    columns = min(len(fans), max(HEIGHTS))
    lines = -(-len(fans) // columns)
    titles = on_lines([fan.title for fan in fans], TITLE_ACROSS[columns])
    more = more_for(titles)
    frame = Frame(top=top_for(keys, title=True) + more, between=Frame().between + more)
    with canvas([HEIGHTS[columns]] * lines, columns, frame) as (figure, axes):
        for place, fan, title_of in zip(axes.flat, fans, titles, strict=False):
            draw(place, fan)
            place.set_title(title_of)
            _years(place, fans)
        for place in axes.flat[len(fans) :]:
            place.set_axis_off()
        legend(figure, keys)
        return svg(figure, name, title, said)


def _years(axes: Axes, fans: Sequence[Fan]) -> None:
    ends = [date.fromisoformat(row["date"]) for fan in fans for row in fan.rows]
    starts = [row.date for fan in fans for row in fan.past] or ends
    low, high = min(*starts, *ends).year, max(ends).year + 1
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 1000) if (high - low) / s <= 6)
    axes.set_xlim(first_day(low - 0.5), first_day(high))
    ticks = range(-(-low // step) * step, high + 1, step)
    axes.set_xticks([first_day(year) for year in ticks], [str(year) for year in ticks])


def first_day(year: float) -> float:
    """The start of a year (or a part of it) as matplotlib counts days: from 1970."""
    return (year - 1970) * DAYS_PER_YEAR
