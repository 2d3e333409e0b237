"""Figures as inline SVG: one style, colours that colour-blind readers can tell apart, and a text for who cannot see."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, SKY, GREEN, OCHRE, BROWN, RED, PURPLE = (
    "#0072b2", "#078cec", "#155c4f", "#a3871c", "#995e04", "#8c2d0c", "#5c1566",
)  # fmt: skip
"""Found by search: each stands 3:1 or more against the page and against `SHADE`, and any two, or one and `INK`, are as
far apart (.095 in OKLab) for readers without red, green or blue cones as for others."""
INK, SOFT, GREY, LINE, SHADE, PAPER = "#1b1f24", "#57606a", "#838c96", "#d5dae0", "#eef1f4", "#ffffff"
"""`GREY` is the palest that may carry meaning; `LINE` and `SHADE` are for grids and grounds alone."""
PALE, MIDDLE = "#d9ebf8", "#a6d3f2"
"""Areas of a band, and of a band inside it, too pale to be seen without their `edge`."""


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
    "hatch.linewidth": 0.6,
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
"""Inches that a figure is wide: its text comes out at one size on the page."""

NARROW = 6.4
"""Inches that a figure is wide of which a phone should show most; the page's style gives it as much less room."""


class Frame(NamedTuple):
    """Inches around and between the axes: laid out by hand, since a solver costs a second for each figure."""

    left: float = 0.5
    right: float = 0.15
    top: float = 0.3
    bottom: float = 0.3
    between: float = 0.5
    beside: float = 0.45


KEY = 1.6
"""Ems that a key of a legend is long."""


def edge(colour: str = SKY, dashes: str = "-") -> dict[str, Any]:
    """The rim of a band, which is what is seen of it where its area is pale."""
    return {"edgecolor": colour, "linewidth": 0.7, "linestyle": dashes}


@contextmanager
def canvas(
    heights: Sequence[float], columns: int = 1, frame: Frame | None = None, width: float = WIDTH
) -> Iterator[tuple[Figure, Any]]:
    """A figure with an array of axes, in the page's style.

    Parameters
    ----------
    heights : sequence of float
        Inches of each row of axes.
    columns : int
    frame : Frame
    width : float
        Inches.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    frame = frame or Frame()
    inner = sum(heights) + frame.between * (len(heights) - 1)
    height = inner + frame.top + frame.bottom
    wide = (width - frame.left - frame.right - frame.beside * (columns - 1)) / columns
    grid = {
        "left": frame.left / width, "right": 1 - frame.right / width,
        "top": 1 - frame.top / height, "bottom": frame.bottom / height,
        "hspace": frame.between / (sum(heights) / len(heights)), "wspace": frame.beside / wide,
        "height_ratios": list(heights),
    }  # fmt: skip
    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        yield figure, figure.subplots(len(heights), columns, squeeze=False, gridspec_kw=grid)


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


def keys_in_a_row(handles: Sequence[Any], length: float = KEY, width: float = WIDTH) -> int:
    """How many keys of a legend stand side by side: as many as the figure's width holds."""
    wide = [0.37 + 0.11 * length + 0.058 * len(handle.get_label()) for handle in handles]

    def fits(columns: int) -> bool:
        return sum(max(wide[c::columns]) for c in range(columns)) <= width

    return next((columns for columns in range(len(wide), 1, -1) if fits(columns)), 1)


def top_for(handles: Sequence[Any], title: bool = False, length: float = KEY, width: float = WIDTH) -> float:
    """Inches that a legend takes above the axes."""
    return 0.18 + 0.19 * -(-len(handles) // keys_in_a_row(handles, length, width)) + 0.22 * title


def legend(figure: Figure, handles: list[Any], length: float = KEY) -> None:
    """One legend above all axes of a figure, filled row by row, its keys some ems long."""
    columns = keys_in_a_row(handles, length, figure.get_figwidth())
    lines = -(-len(handles) // columns)
    by_column = [handles[line * columns + c] for c in range(columns) for line in range(lines)
                 if line * columns + c < len(handles)]  # fmt: skip
    figure.legend(handles=by_column, loc="upper left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.1,
                  handlelength=length)  # fmt: skip


def line(label: str, colour: str = BLUE, width: float = 1.6, dashes: Any = "-", **marks: Any) -> Any:
    """A line as the legend shows it, with its marks where it has them."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linewidth=width, linestyle=dashes, label=label, **marks)


def mark(label: str, colour: str, shape: str, size: float = 5) -> Any:
    """A mark as the legend shows it."""
    return line(label, colour, dashes="none", marker=shape, markersize=size)


def remark(label: str) -> Any:
    """Words in a legend that are no key."""
    return line(label, "none", 0)


def patch(label: str, colour: str, **drawn: Any) -> Any:
    """An area as the legend shows it, with its hatch and its rim where it has them."""
    from matplotlib.patches import Patch

    return Patch(facecolor=colour, label=label, **drawn)
