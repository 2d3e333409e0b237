"""The record on a time line: what was decided, at the probability that the model gives it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from bayes_compliance.case.vocabulary import ANY_RULE
from bayes_compliance.report.drawing import (
    LINE,
    SHADE,
    SOFT,
    Frame,
    canvas,
    legend,
    remark,
    svg,
    top_for,
)
from bayes_compliance.report.labels import on_lines, room_for
from bayes_compliance.report.marks import MARKS, apart, days_of, decided, gap_for, marker
from bayes_compliance.report.plots.fan import BESIDE, years_axis
from bayes_compliance.report.sentences import listed, plural
from bayes_compliance.wording import WHOLE, recorded_rule

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_compliance.report.facts import Recorded

TALL = 0.78
"""Height of a rule's strip, of which 0 is its floor and 1 its ceiling."""
SIZE = 6
"""Points of a mark."""


def timeline(name: str, state: str, rows: Sequence[Recorded], years: tuple[int, int]) -> Markup:
    """One strip for each rule: a mark by outcome, as high as its probability of compliance, with its 5% to 95% band.

    Parameters
    ----------
    name : str
        Distinct on the page.
    state : str
    rows : sequence of Recorded
        The state's decisions.
    years : tuple of int
        First and last year of the time line.
    """
    rules = sorted({row.rule for row in rows}, reverse=True)
    seen = {row.decision for row in rows}
    keys = [*(marker(decision) for decision in MARKS if decision in seen), remark(BESIDE)]
    labels = on_lines([recorded_rule(rule) for rule in rules])
    frame = Frame(left=room_for(labels), right=0.5, top=top_for(keys))
    with canvas([0.5 * len(rules)], frame=frame) as (figure, grid):
        axes = grid[0, 0]
        years_axis(axes, years[0] - 0.2, years[1] + 1.2, most=10)
        for floor, rule in enumerate(rules):
            axes.axhspan(floor, floor + TALL, color=SHADE, linewidth=0, zorder=0)
            axes.axhline(floor + TALL / 2, color=LINE, linewidth=0.6, zorder=0)
            _draw(axes, [row for row in rows if row.rule == rule], floor)
        axes.grid(False, axis="y")
        axes.set_yticks([floor + TALL / 2 for floor in range(len(rules))], labels)
        axes.tick_params(axis="y", length=0)
        axes.spines[["left"]].set_visible(False)
        axes.set_ylim(-0.1, len(rules) - 0.1)
        _scale(axes, len(rules))
        legend(figure, keys)
        return svg(figure, name, f"Decisions of {state} on record", say(state, rows))


def _draw(axes: Axes, rows: Sequence[Recorded], floor: int) -> None:
    days, heights = days_of(row.date for row in rows), floor + TALL * np.array([row.chance for row in rows])
    decided(axes, [row.decision for row in rows], days, heights, SIZE, apart(days, gap_for(axes, SIZE)))


def _scale(axes: Axes, strips: int) -> None:
    """0% and 100% at the right of the top strip."""
    for share in (0, 1):
        axes.annotate(
            f"{share:.0%}", (1.005, strips - 1 + TALL * share), xycoords=("axes fraction", "data"), color=SOFT,
            fontsize=7, va="center",
        )  # fmt: skip


def say(state: str, rows: Sequence[Recorded]) -> str:
    """How many decisions of a state, on how many rules (the whole agreement is none), when, and with what outcome."""
    counts = Counter(row.decision for row in rows)
    parts = [f"{counts[decision]} {mark.label}" for decision, mark in MARKS.items() if counts[decision]]
    rules = {row.rule for row in rows}
    single = plural(len(rules - {ANY_RULE}), "rule") if rules - {ANY_RULE} else ""
    on = " and ".join(filter(None, [single, WHOLE if ANY_RULE in rules else ""]))
    first, last = min(row.date for row in rows), max(row.date for row in rows)
    when = f"on {first}" if first == last else f"between {first} and {last}"
    return f"{plural(len(rows), 'decision')} of {state}, on {on}, {when}: {listed(parts)}."
