"""What sections are made of: text, lists, tables and figures as escaped HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape


class Section(NamedTuple):
    """A part of the page: its heading, the anchor that the table of contents links to, and its body."""

    title: str
    anchor: str
    html: Markup


class Number(str):
    """The heading of a column of numbers; any other heading is of text."""


Cell = str | Markup | int | float


@cache
def _environment() -> Environment:
    loader = PackageLoader("bayes_compliance.report", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def template(name: str) -> Template:
    """A template of the package, with autoescape."""
    return _environment().get_template(name)


def paragraph(text: str, kind: str = "") -> Markup:
    """A paragraph, with a class where one is named."""
    return Markup('<p class="{}">{}</p>\n').format(kind, text) if kind else Markup("<p>{}</p>\n").format(text)


def heading(text: str) -> Markup:
    """A heading inside a section."""
    return Markup("<h3>{}</h3>\n").format(text)


def bullets(items: Iterable[str]) -> Markup:
    """A list."""
    return Markup("<ul>\n{}</ul>\n").format(join(Markup("<li>{}</li>\n").format(item) for item in items))


def join(parts: Iterable[str]) -> Markup:
    """Parts one after the other; text that is not HTML yet is escaped."""
    return Markup("").join(escape(part) for part in parts)


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Markup:
    """A table that scrolls sideways where the screen is narrow.

    Parameters
    ----------
    caption : str
    columns : sequence of str
        `Number` where the cells are numbers.
    rows : iterable of sequences
        As many cells as columns each; text is escaped.
    """
    heads = [(column, isinstance(column, Number)) for column in columns]
    return Markup(template("table.html.j2").render(caption=caption, columns=heads, rows=list(map(list, rows))))


def figure(svg: Markup, caption: str) -> Markup:
    """A drawing with its caption."""
    return Markup("<figure>\n<div class=\"wide\">{}</div>\n<figcaption>{}</figcaption>\n</figure>\n").format(
        svg, caption
    )  # fmt: skip


def when(day: date | str) -> Markup:
    """A date in a table, on one line."""
    return Markup("<time>{}</time>").format(str(day))


def unbroken(text: str) -> str:
    """Text whose hyphens do not end a line."""
    return text.replace("-", "‑")


def link(text: str, url: str) -> Markup:
    """A link to a source where the address is one of the web; the text alone otherwise."""
    if urlsplit(url).scheme not in ("http", "https"):
        return escape(text if not url else f"{text} {url}".strip())
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(url, text or url)
