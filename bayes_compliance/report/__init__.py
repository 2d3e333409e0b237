"""The report: one self-contained HTML file, written from the numbers of a run.

>>> [section.__name__ for section in SECTIONS][:2]
['answer', 'rules']
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from bayes_compliance.errors import Unwritten
from bayes_compliance.feedback.questions import placeholders
from bayes_compliance.inference.diagnostics import failed
from bayes_compliance.parallel import beside
from bayes_compliance.report import facts, sentences
from bayes_compliance.report.parts import Section, page
from bayes_compliance.report.sections import ANSWERING, DIAGNOSED, SECTIONS

if TYPE_CHECKING:
    from bayes_compliance.runs import Run

__all__ = ["SECTIONS", "Section", "begun", "render", "tried", "unwritten"]


@contextmanager
def begun(run: Run) -> Iterator[Callable[[Run], str]]:
    """A run as one HTML page that needs no network and no script, written while the block goes on.

    The first line says which diagnostics failed, if any. Every sentence is written from the numbers beside it.

    Parameters
    ----------
    run : Run
        With its forecast; its diagnostics need not be known yet.

    Yields
    ------
    callable
        Takes the run with its diagnostics, waits for the sections, and gives the page. It depends on the run alone: not
        on the clock, the locale or the seed of Python's hashes. `Unwritten`, which holds the page without them, if
        sections fail.

    Raises
    ------
    ValueError
        If the run has no forecast.
    """
    early = [section for section in SECTIONS if section not in DIAGNOSED]
    together = [section for section in early if section in ANSWERING]
    tasks = [together, *([section] for section in early if section not in ANSWERING)]
    import_module("matplotlib.figure")  # once, and not in every copy; so with the dataset
    _ = facts.ahead(run).dataset
    with beside(lambda some: {section.__name__: tried(section, run) for section in some}, tasks) as done:
        yield lambda diagnosed: _page(diagnosed, {name: made for some in done() for name, made in some.items()})


def render(run: Run) -> str:
    """The page of a run whose diagnostics are known; see `begun`."""
    with begun(run) as done:
        return done(run)


def _page(run: Run, early: dict[str, Section | str | None]) -> str:
    made = early | {section.__name__: tried(section, run) for section in DIAGNOSED}
    in_order = {section.__name__: made[section.__name__] for section in SECTIONS}
    why = {name: one for name, one in in_order.items() if isinstance(one, str)}
    missed = failed(run.checks)
    html = page(
        title=run.prepared.case.title,
        subtitle=_subtitle(run),
        verdict=sentences.verdict_of(missed, len(run.checks)),
        failed=bool(missed),
        notices=[*sentences.not_judged(len(placeholders(run.prepared.case))), *unwritten(why)],
        sections=(one for one in in_order.values() if isinstance(one, Section)),
    )
    if why:
        raise Unwritten(html, why)
    return html


def unwritten(why: dict[str, str]) -> list[str]:
    """What a page says first of the sections that failed, by their tracebacks."""
    return [sentences.unwritten({name: text.splitlines()[-1] for name, text in why.items()})] if why else []


def tried[R](section: Callable[[R], Section | None], run: R) -> Section | str | None:
    """A section, None where it does not apply, or the traceback of its failure."""
    try:
        return section(run)
    except Exception:
        return traceback.format_exc()


def _subtitle(run: Run) -> str:
    case, settings = run.prepared.case, run.summary["settings"]
    last = facts.ahead(run).until
    lobbies = f"{sentences.plural(len(case.lobbies), 'lobby', 'lobbies')}, " if facts.has_lobbies(case) else ""
    known = f", with what was known on {settings['as_of']}" if settings.get("as_of") else ""
    pending = sum(d.decision == "pending" for d in case.decisions)
    decided = sentences.plural(len(case.decisions) - pending, "decision")
    waiting = f" and {pending} pending" * bool(pending)
    return (
        f"Case {case.name}, model {settings['model']}: {sentences.plural(len(case.states), 'state')}, "
        f"{sentences.plural(len(case.rules), 'rule')}, {lobbies}"
        f"{decided} on record{waiting}; forecast to {last}{known}."
    )
