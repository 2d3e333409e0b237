"""Figures as inline SVG: one style, colours that colour-blind readers can tell apart, and a text for who cannot see."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette
BLUE, SKY, GREEN, YELLOW, ORANGE, RED, PURPLE = (
    "#0072b2", "#56b4e9", "#009e73", "#f0e442", "#e69f00", "#d55e00", "#cc79a7",
)  # fmt: skip
INK, SOFT, LINE, SHADE = "#1b1f24", "#57606a", "#d5dae0", "#eef1f4"


class Mark(NamedTuple):
    """How an outcome is drawn: by shape and colour, so that neither is needed alone."""

    label: str
    shape: str
    colour: str


MARKS = {
    "comply": Mark("complied", "o", GREEN),
    "comply_late": Mark("complied late", "D", ORANGE),
    "partial": Mark("in part", "s", ORANGE),
    "violate": Mark("violated", "X", RED),
    "adhere": Mark("adhered", "^", BLUE),
    "not_adhere": Mark("did not adhere", "v", PURPLE),
}

_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,
    "axes.labelsize": 8.0,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "text.parse_math": False,
}
WIDTH = 9.6
"""Inches that every figure is wide: its text comes out at one size on the page."""

ACROSS, MOST_LINES = 42, 2
"""Characters of a line, and lines, of a label at the left of an axes: it takes a third of the width at most."""

TITLE_ACROSS = {1: 100, 2: 52, 3: 33}
"""Characters of a line of a panel's title, by how many panels stand side by side."""

LINE_HEIGHT = 0.14
"""Inches that one line more takes."""


class Frame(NamedTuple):
    """Inches around and between the axes: laid out by hand, since a solver costs a second for each figure."""

    left: float = 0.5
    right: float = 0.15
    top: float = 0.3
    bottom: float = 0.3
    between: float = 0.5
    beside: float = 0.45


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
    lines = wrap(name, across)
    if len(lines) <= MOST_LINES:
        return "\n".join(lines)
    end = name[1 - across :]
    return f"{wrap(name, across - 2)[0]} …\n…{end.partition(' ')[2] or end}"


def lines_in(labels: Iterable[str]) -> int:
    """Lines of the tallest of some labels."""
    return 1 + max((label.count("\n") for label in labels), default=0)


def more_for(labels: Iterable[str]) -> float:
    """Inches that labels of several lines take beyond one line."""
    return LINE_HEIGHT * (lines_in(labels) - 1)


def room_for(labels: Iterable[str]) -> float:
    """Inches that the longest line of some labels takes at the left of an axes."""
    return 0.2 + 0.063 * max((len(line) for label in labels for line in label.split("\n")), default=0)


@contextmanager
def canvas(
    heights: Sequence[float], columns: int = 1, frame: Frame | None = None, **settings: Any
) -> Iterator[tuple[Figure, Any]]:
    """A figure of the page's width with an array of axes, in the page's style.

    Parameters
    ----------
    heights : sequence of float
        Inches of each row of axes.
    columns : int
    frame : Frame
    **settings
        For `Figure.subplots`.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    frame = frame or Frame()
    inner = sum(heights) + frame.between * (len(heights) - 1)
    height = inner + frame.top + frame.bottom
    wide = (WIDTH - frame.left - frame.right - frame.beside * (columns - 1)) / columns
    grid = {
        "left": frame.left / WIDTH, "right": 1 - frame.right / WIDTH,
        "top": 1 - frame.top / height, "bottom": frame.bottom / height,
        "hspace": frame.between / (sum(heights) / len(heights)), "wspace": frame.beside / wide,
        "height_ratios": list(heights),
    }  # fmt: skip
    with rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH, height))
        yield figure, figure.subplots(len(heights), columns, squeeze=False, gridspec_kw=grid, **settings)


def svg(figure: Figure, name: str, title: str, description: str) -> Markup:
    """A figure as an inline SVG element with a title and a description for readers who cannot see it.

    Parameters
    ----------
    figure : Figure
    name : str
        Distinct on the page: it goes into the ids inside the drawing.
    title, description : str
        What it shows, and what it says in numbers.
    """
    from matplotlib import rc_context

    out = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with rc_context(_STYLE | {"svg.hashsalt": name}):
        figure.savefig(out, format="svg", metadata=nothing)
    text = out.getvalue()
    drawn = _plain(text[text.index("<svg") :])
    opening, rest = drawn.split(">", 1)
    label = Markup(' role="img" aria-labelledby="{0}-title {0}-text">\n').format(name)
    words = Markup('<title id="{0}-title">{1}</title>\n<desc id="{0}-text">{2}</desc>').format(name, title, description)
    return Markup(opening) + label + words + Markup(rest)  # the drawing is matplotlib's, which escapes its text


def _plain(drawn: str) -> str:
    """Without what a page needs once at most: ids of groups, the sheet of styles, empty metadata, blank lines."""
    drawn = re.sub(r"<(g|svg) id=\"[^\"]*\"", r"<\1", drawn)
    drawn = re.sub(r"<style[^>]*>\*\{stroke-linejoin[^<]*</style>", "", drawn)
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.S)
    drawn = re.sub(r"<!--.*?-->", "", drawn, flags=re.S)
    drawn = re.sub(r"(\d+\.\d{2})\d+", r"\1", drawn)
    drawn = re.sub(r"<svg ", '<svg stroke-linejoin="round" ', drawn, count=1)
    return re.sub(r"\n\s*", "\n", drawn)


def keys_in_a_row(handles: Sequence[Any]) -> int:
    """How many keys of a legend stand side by side: as many as the page's width holds."""
    longest = max((len(handle.get_label()) for handle in handles), default=0)
    return max(1, min(len(handles), int(WIDTH / (0.55 + 0.058 * longest))))


def top_for(handles: Sequence[Any], title: bool = False) -> float:
    """Inches that a legend takes above the axes."""
    return 0.18 + 0.19 * -(-len(handles) // keys_in_a_row(handles)) + 0.22 * title


def legend(figure: Figure, handles: list[Any]) -> None:
    """One legend above all axes of a figure, filled row by row."""
    columns = keys_in_a_row(handles)
    lines = -(-len(handles) // columns)
    by_column = [handles[line * columns + c] for c in range(columns) for line in range(lines)
                 if line * columns + c < len(handles)]  # fmt: skip
    figure.legend(handles=by_column, loc="upper left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.1,
                  handlelength=1.6)  # fmt: skip


def line(label: str, colour: str = BLUE, width: float = 1.6) -> Any:
    """A line as the legend shows it."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linewidth=width, label=label)


def patch(label: str, colour: str) -> Any:
    """An area as the legend shows it."""
    from matplotlib.patches import Patch

    return Patch(facecolor=colour, label=label)


def marker(decision: str) -> Any:
    """An outcome as the legend shows it."""
    from matplotlib.lines import Line2D

    mark = MARKS[decision]
    return Line2D([], [], marker=mark.shape, color=mark.colour, linestyle="none", markersize=5, label=mark.label)
