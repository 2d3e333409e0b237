"""Fan charts: probability and support ahead, with what was decided before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import ceil, floor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from markupsafe import Markup

from bayes_compliance.case.dates import DAYS_PER_YEAR
from bayes_compliance.report.drawing import (
    BLUE,
    INK,
    MIDDLE,
    PALE,
    Frame,
    canvas,
    edge,
    legend,
    line,
    patch,
    remark,
    svg,
    top_for,
)
from bayes_compliance.report.labels import TITLE_ACROSS, more_for, on_lines
from bayes_compliance.report.marks import MARKS, apart, days_of, decided, gap_for, marker
from bayes_compliance.report.sentences import change_of_width, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_compliance.report.facts import Recorded

HEIGHTS = {1: 2.2, 2: 1.8, 3: 1.2}
"""Inches of an axes, by how many stand side by side."""

SIZE = 4.2
"""Points of a mark."""

BETWEEN = 0.44
"""Inches between lines of axes."""

BESIDE = "near dates stand side by side"
"""What `apart` does to marks."""

UNLIKE = 4
"""Times the shortest range of support that the longest may be for all panels to have one scale."""


class Fan(NamedTuple):
    """One rule of a state ahead: rows of the forecast's table, median support on their dates, decisions on record."""

    title: str
    rows: list[dict]
    support: list[float]
    past: list[Recorded]


def probability(name: str, state: str, fans: Sequence[Fan], today: date) -> Markup:
    """Small multiples of p with both bands: over future worlds, and over what is not known of today.

    Parameters
    ----------
    name : str
        Distinct on the page.
    state : str
    fans : sequence of Fan
    today : date
        Where the record ends and the forecast begins.
    """
    worlds, known = edge(), edge(BLUE, "--")

    def draw(axes: Axes, fan: Fan) -> None:
        dates, get = _columns(fan)
        axes.fill_between(dates, get("p_lower"), get("p_upper"), facecolor=PALE, **worlds)
        axes.fill_between(dates, get("p_today_lower"), get("p_today_upper"), facecolor=MIDDLE, **known)
        axes.plot(dates, get("p_comply"), color=BLUE, linewidth=1.6)
        _past(axes, fan.past, "chance")
        axes.set_ylim(-0.04, 1.04)
        axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])

    handles = [
        line("probability of compliance"), patch("if we saw the forces at work on that day: 5% to 95%", PALE, **worlds),
        patch("with full knowledge of today: 5% to 95%", MIDDLE, **known),
    ]  # fmt: skip
    said = "; ".join(_say_probability(fan) for fan in fans)
    title = f"Probability that {state} complies, by rule"
    return _grid(name, title, f"{title}. {said}.", fans, today, draw, handles)


def _say_probability(fan: Fan) -> str:
    first, last = fan.rows[0], fan.rows[-1]
    before, after = ((row["p_lower"], row["p_upper"]) for row in (first, last))
    return (
        f"{fan.title}: {percent(first['p_comply'])} on {first['date']}, {percent(last['p_comply'])} on {last['date']}; "
        f"the wide band {change_of_width(before, after)}"
    )


def support(name: str, state: str, fans: Sequence[Fan], threshold: float, today: date) -> Markup:
    """Small multiples of net political support ahead, with the state's threshold; it says whether scales are alike."""
    scale = one_scale(fans, threshold)

    def draw(axes: Axes, fan: Fan) -> None:
        dates, get = _columns(fan)
        axes.fill_between(dates, get("support_lower"), get("support_upper"), facecolor=PALE, **edge())
        axes.plot(dates, fan.support, color=BLUE, linewidth=1.6)
        axes.axhline(threshold, color=INK, linewidth=0.8)
        _past(axes, fan.past, "support")
        axes.margins(y=0.08)
        if scale:
            axes.set_ylim(scale)
        axes.locator_params(axis="y", nbins=5)

    handles = [
        line("median net support, points"), patch("5% to 95%", PALE, **edge()), line("threshold", INK, 0.8),
        *([remark("all panels have one scale" if scale else "each panel has a scale of its own")] * (len(fans) > 1)),
    ]  # fmt: skip
    said = "; ".join(
        f"{fan.title}: {number(fan.support[-1])} points ({number(fan.rows[-1]['support_lower'])} to "
        f"{number(fan.rows[-1]['support_upper'])}) on {fan.rows[-1]['date']}"
        for fan in fans
    )
    title = f"Net political support for compliance in {state}, by rule"
    return _grid(name, title, f"{title}; the threshold is {number(threshold)}. {said}.", fans, today, draw, handles)


def one_scale(fans: Sequence[Fan], threshold: float) -> tuple[float, float] | None:
    """Limits of support that suit all panels, or None where some would show next to nothing on them."""
    ends = []
    for fan in fans:
        lower, upper = ([row[f"support_{end}"] for row in fan.rows] for end in ("lower", "upper"))
        past = [value for row in fan.past for value in row.support]
        ends.append((min([*lower, *past, threshold]), max([*upper, *past, threshold])))
    spans = [high - low for low, high in ends]
    if max(spans) > UNLIKE * min(spans):
        return None
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return low - 0.08 * (high - low), high + 0.08 * (high - low)


def _columns(fan: Fan) -> tuple[np.ndarray, Any]:
    return days_of(row["date"] for row in fan.rows), lambda name: np.array([row[name] for row in fan.rows])


def _past(axes: Axes, past: Sequence[Recorded], what: str) -> None:
    """What was decided, at what the model makes of it."""
    if past:
        days = days_of(row.date for row in past)
        heights = np.array([getattr(row, what) for row in past])
        decided(axes, [row.decision for row in past], days, heights, SIZE, apart(days, gap_for(axes, SIZE)))


def _grid(
    name: str, title: str, said: str, fans: Sequence[Fan], today: date, draw: Any, handles: list[Any]
) -> Markup:  # fmt: skip
    seen = {row.decision for fan in fans for row in fan.past}
    decisions = [*(marker(decision) for decision in MARKS if decision in seen), *([remark(BESIDE)] if seen else [])]
    keys = [*handles, line("today", INK, 0.9, ":"), *decisions]
    columns = min(len(fans), max(HEIGHTS))
    lines = -(-len(fans) // columns)
    titles = on_lines([fan.title for fan in fans], TITLE_ACROSS[columns])
    more = more_for(titles)
    frame = Frame(top=top_for(keys, title=True) + more, between=BETWEEN + more)
    with canvas([HEIGHTS[columns]] * lines, columns, frame) as (figure, axes):
        for place, fan, title_of in zip(axes.flat, fans, titles, strict=False):
            _years(place, fans, today)
            place.axvline(days_of([today])[0], color=INK, linewidth=0.9, linestyle=":", zorder=1.5)
            draw(place, fan)
            place.set_title(title_of)
        for place in axes.flat[len(fans) :]:
            place.set_axis_off()
        legend(figure, keys)
        return svg(figure, name, title, said)


def _years(axes: Axes, fans: Sequence[Fan], today: date) -> None:
    ends = [date.fromisoformat(row["date"]) for fan in fans for row in fan.rows]
    starts = [row.date for fan in fans for row in fan.past] or ends
    low, high = min(today, *starts, *ends).year, max(ends).year + 1
    years_axis(axes, low - max(0.5, 0.02 * (high - low)), high)


def years_axis(axes: Axes, low: float, high: float, most: int = 6) -> None:
    """An axis of days from one point in time to another, both in years, with a few years as ticks."""
    step = next(s for s in (1, 2, 4, 5, 10, 20, 50, 100, 1000) if (high - low) / s <= most)
    axes.set_xlim(first_day(low), first_day(high))
    ticks = range(ceil(low / step) * step, floor(high) + 1, step)
    axes.set_xticks([first_day(year) for year in ticks], [str(year) for year in ticks])


def first_day(year: float) -> float:
    """The start of a year (or a part of it) as matplotlib counts days: from 1970."""
    return (year - 1970) * DAYS_PER_YEAR
