"""Figures of a panel: bands, not a league table; who is told apart from whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from bayes_compliance.analysis.reputation import TOLD_APART
from bayes_compliance.report import drawing, labels
from bayes_compliance.report.parts import Number, details, table
from bayes_compliance.report.sentences import listed, number, percent

if TYPE_CHECKING:
    import xarray as xr

MOST_CELLS = 25
"""States for whom every pair is drawn."""

MOST_TOLD = 10
"""Pairs named in the words of the drawing."""

TALL = 30
"""States beyond whom the scale stands above the bands too."""

COLOURS = {"compliance": drawing.BLUE, "adherence": drawing.BROWN}
SHAPES = {"compliance": "o", "adherence": "D"}
LABELS = {"compliance": "P2 + G2: to comply", "adherence": "P1 + G1: to adhere"}


def bands(found: xr.Dataset) -> Markup:
    """Median and 5% to 95% of each state, both kinds; the states share part of what a band is wide by."""
    order = np.argsort(found["median"].sel(kind="compliance").values, kind="stable")
    names = [str(found["state"].values[i]) for i in order]
    keys = [drawing.line(f"{LABELS[k]}, 5% to 95%", COLOURS[k], 2.2, marker=SHAPES[k], markersize=4) for k in LABELS]
    tall = len(names) > TALL
    frame = drawing.Frame(left=labels.room_for(names), top=drawing.top_for(keys) + 0.2 * tall, bottom=0.45)
    with drawing.canvas([0.24 * len(names) + 0.1], frame=frame) as (figure, grid):
        axes = grid[0, 0]
        for kind, shift in (("compliance", 0.14), ("adherence", -0.14)):
            one = found.sel(kind=kind)
            at = np.arange(len(names)) + shift
            low, mid, high = (one[name].values[order] for name in ("lower", "median", "upper"))
            axes.hlines(at, low, high, color=COLOURS[kind], linewidth=2.2)
            axes.plot(mid, at, SHAPES[kind], color=COLOURS[kind], markersize=4, markeredgecolor="white",
                      markeredgewidth=0.5)  # fmt: skip
        _named(axes, names)
        axes.axvline(0, color=drawing.SOFT, linewidth=0.8)
        axes.tick_params(axis="x", top=tall, labeltop=tall)
        axes.set_xlabel("support that the state itself gives to the average rule, in units of the decision noise sigma")
        drawing.legend(figure, keys)
        medians = found["median"].sel(kind="compliance").values[order]
        said = listed([f"{name} {number(float(m))}" for name, m in zip(names, medians, strict=True)][::-1])
        return drawing.svg(figure, "reputation", "Readiness to comply and to adhere", f"Medians of P2 + G2: {said}.")


def pairs(found: xr.Dataset) -> Markup:
    """Probability that the state of the row is readier to comply than that of the column; pairs told apart in bold."""
    names, p = in_order(found)
    frame = drawing.Frame(left=labels.room_for(names), top=0.35, bottom=0.15)
    with drawing.canvas([0.3 * len(names)], frame=frame) as (figure, grid):
        axes = grid[0, 0]
        shade = np.where(np.eye(len(names), dtype=bool), np.nan, p)
        axes.imshow(shade, vmin=0, vmax=1, cmap="PuOr", aspect="auto", alpha=0.55)
        for i, j in np.argwhere(~np.eye(len(names), dtype=bool)):
            told = max(p[i, j], p[j, i]) > TOLD_APART
            axes.text(j, i, f"{100 * p[i, j]:.0f}", ha="center", va="center", fontsize=7,
                      fontweight="bold" if told else "normal")  # fmt: skip
        axes.set_xticks(range(len(names)), names)
        axes.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
        _named(axes, names)
        axes.invert_yaxis()
        axes.grid(False)
        return drawing.svg(figure, "pairs", "Who is readier than whom", f"{_told(names, p)} The table below has all.")


def _told(names: Sequence[str], p: NDArray) -> str:
    """Which pairs are told apart, the surest first."""
    pairs = sorted(((p[i, j], i, j) for i, j in np.argwhere(p > TOLD_APART)), key=lambda one: -one[0])
    if not pairs:
        return f"No pair is told apart: the largest probability is {percent(float(p.max()))}."
    some = listed([f"{names[i]} than {names[j]} {percent(float(one))}" for one, i, j in pairs[:MOST_TOLD]])
    return f"{len(pairs)} of {len(names) * (len(names) - 1) // 2} pairs are told apart, the surest first: {some}."


def pairs_in_numbers(found: xr.Dataset) -> Markup:
    """What `pairs` draws, as a table to be opened."""
    names, p = in_order(found)
    rows = [
        [name, *("–" if i == j else percent(float(p[i, j])) for j in range(len(names)))] for i, name in enumerate(names)
    ]
    columns = ["State", *(Number(f"than {name}") for name in names)]
    return details("The same as a table", table("Probability that the state of the row is readier", columns, rows))


def in_order(found: xr.Dataset) -> tuple[list[str], NDArray]:
    """States, the readiest first, and the probability that the one of the row is readier than that of the column."""
    one = found.sel(kind="compliance")
    order = np.argsort(-one["median"].values, kind="stable")
    return [str(one["state"].values[i]) for i in order], one["p_readier"].values[np.ix_(order, order)]


def intervals(name: str, title: str, names: Sequence[str], quantiles: NDArray, label: str) -> Markup:
    """Medians and 5% to 95% of named quantities, the largest on top.

    Parameters
    ----------
    name, title, label : str
    names : sequence of str
    quantiles : array (3, item)
        5%, 50%, 95%.
    """
    order = np.argsort(quantiles[1], kind="stable")
    said = [names[i] for i in order]
    low, mid, high = quantiles[:, order]
    frame = drawing.Frame(left=labels.room_for(said), bottom=0.45)
    with drawing.canvas([0.2 * len(said) + 0.1], frame=frame) as (figure, grid):
        axes = grid[0, 0]
        at = np.arange(len(said))
        axes.hlines(at, low, high, color=drawing.BLUE, linewidth=2)
        axes.plot(mid, at, "o", color=drawing.BLUE, markersize=4, markeredgecolor="white", markeredgewidth=0.5)
        axes.axvline(0, color=drawing.SOFT, linewidth=0.8)
        _named(axes, said)
        axes.set_xlabel(label)
        words = listed([f"{n} {number(float(m))}" for n, m in zip(said, mid, strict=True)][::-1])
        return drawing.svg(figure, name, title, f"Medians: {words}.")


def _named(axes, names: Sequence[str]) -> None:
    axes.set_yticks(np.arange(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    axes.spines[["left"]].set_visible(False)
