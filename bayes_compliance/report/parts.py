"""What sections are made of: text, lists, tables and figures as escaped HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from bayes_compliance.arguments import split_address


class Section(NamedTuple):
    """A part of the page: its heading, the anchor that the table of contents links to, and its body."""

    title: str
    anchor: str
    html: Markup


class Number(str):
    """The heading of a column of numbers; any other heading is of text."""


class Status(str):
    """The heading of a column of verdicts that stands first and names no row."""


NAMING = {"State", "Rule", "Quantity", "Of", "Analyst", "Scenario", "Date"}
"""Headings of columns that name a row together, where they stand side by side from the left."""

STAYS = 12
"""Characters of the first column beyond which it does not stay in sight beside the second."""


Cell = str | Markup | int | float


@cache
def _environment() -> Environment:
    loader = PackageLoader("bayes_compliance.report", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def page(
    *, title: str, subtitle: str, verdict: str, failed: bool, sections: Iterable[Section], notices: Sequence[str] = ()
) -> str:
    """One HTML page that needs no network and no script.

    Parameters
    ----------
    title, subtitle : str
    verdict : str
        Its first line.
    failed : bool
        Whether that is bad news.
    sections : iterable of Section
    notices : sequence of str
        Further bad news, below the first line.
    """
    style = Markup(files("bayes_compliance.report").joinpath("templates/style.css").read_text(encoding="utf-8"))
    return _environment().get_template("page.html.j2").render(
        title=title, subtitle=subtitle, verdict=verdict, failed=failed, notices=notices, style=style,
        sections=list(sections),
    )  # fmt: skip


def paragraph(text: str, kind: str = "") -> Markup:
    """A paragraph, with a class where one is named."""
    return Markup('<p class="{}">{}</p>\n').format(kind, text) if kind else Markup("<p>{}</p>\n").format(text)


def heading(text: str, what: str = "") -> Markup:
    """A heading inside a section; `what` tells it from the same heading of other sections."""
    said = Markup('<span class="aside">: {}</span>').format(what) if what else ""
    return Markup("<h3>{}{}</h3>\n").format(text, said)


def bullets(items: Iterable[str]) -> Markup:
    """A list."""
    return Markup("<ul>\n{}</ul>\n").format(join(Markup("<li>{}</li>\n").format(item) for item in items))


def join(parts: Iterable[str]) -> Markup:
    """Parts one after the other; text that is not HTML yet is escaped."""
    return Markup("").join(escape(part) for part in parts)


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Markup:
    """A table that scrolls sideways where the screen is narrow, while what names a row stays in sight.

    Parameters
    ----------
    caption : str
    columns : sequence of str
        `Number` where the cells are numbers, `Status` for a first column that names no row.
    rows : iterable of sequences
        As many cells as columns each; text is escaped.

    Raises
    ------
    ValueError
        If a column has no title.
    """
    if not all(columns):
        raise ValueError(f"table “{caption}”: a column has no title; allowed: words for each, which are read aloud")
    cells = [list(row) for row in rows]
    names = _naming(columns)
    longest = max(len(_plain(cell)) for cell in (columns[names[0]], *(row[names[0]] for row in cells)))
    staying = {at: f"stay{i}" for i, at in enumerate(names[:2], 1)}
    heads = [(title, "n" if isinstance(title, Number) else staying.get(i, "")) for i, title in enumerate(columns)]
    beside = longest if len(staying) > 1 and longest <= STAYS else 0
    made = _environment().get_template("table.html.j2")
    return Markup(made.render(caption=caption, columns=heads, rows=cells, names=names, longest=beside))


def _naming(columns: Sequence[str]) -> list[int]:
    """Places of the columns that name a row: the first one, and those beside it that say of what it is."""
    first = int(isinstance(columns[0], Status))
    end = first + 1
    while columns[first] in NAMING and end < len(columns) and columns[end] in NAMING:
        end += 1
    return list(range(first, end))


def _plain(cell: Cell) -> str:
    return cell.striptags() if isinstance(cell, Markup) else str(cell)


def figure(svg: Markup, caption: str) -> Markup:
    """A drawing with its caption."""
    return Markup(
        '<figure>\n<div class="wide" tabindex="0" role="group" aria-label="{}">{}</div>\n'
        "<figcaption>{}</figcaption>\n</figure>\n"
    ).format(f"Figure: {caption}", svg, caption)


def details(summary: str, inside: Markup) -> Markup:
    """What is shown on request; on paper it stays closed, so it repeats in words or numbers what a drawing shows."""
    return Markup("<details>\n<summary>{}</summary>\n{}</details>\n").format(summary, inside)


def when(day: date | str) -> Markup:
    """A date in a table, on one line."""
    return Markup("<time>{}</time>").format(str(day))


def unbroken(text: str) -> str:
    """Text whose hyphens do not end a line."""
    return text.replace("-", "‑")


def link(text: str, url: str) -> Markup:
    """A link to a source where the address is one of the web; the text alone otherwise."""
    if split_address(url).scheme not in ("http", "https"):
        return escape(text if not url else f"{text} {url}".strip())
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(url, text or url)
