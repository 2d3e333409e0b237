"""What to find out next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_compliance.analysis.sentences_b import value_of_information_sentences
from bayes_compliance.kept import horizon
from bayes_compliance.report.answers import answers, by_state_alone, over_rules
from bayes_compliance.report.parts import Section, bullets, figure, join, paragraph
from bayes_compliance.report.plots import compare
from bayes_compliance.report.sentences import day

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.runs import Run

INTRODUCTION = (
    "If one lobby's strength today, on the day of the last decision on record, could be known exactly, what share of "
    "the variance of the probability would that take away? It ranks what to find out, not whom to move: a "
    "lobby may matter much and be known well."
)
MOST = 6
"""Lobbies shown for each state."""


def research(run: Run) -> Section | None:
    """The value of information about each lobby, at the horizon."""
    found = answers(run).found.get("value_of_information")
    if found is None:
        return None
    averaged = over_rules(found, run.prepared.case)
    until, by_state = horizon(found), shares(averaged.isel(time=-1))
    said = value_of_information_sentences(averaged)
    panels = [
        compare.Panel(state, {lobby: [voi[lobby]] for lobby in sorted(voi, key=lambda name: -voi[name])[:MOST]})
        for state, voi in by_state.items()
    ]
    title = f"Share of the variance of the probability on {day(until)} that knowing a lobby's strength would take away"
    drawn = figure(compare.bars("voi", title, panels), f"{title}: the first {MOST} of each state, over its rules.")
    return Section("What to find out next", "research", join([paragraph(INTRODUCTION), bullets(said), drawn]))


def shares(found: xr.Dataset) -> dict[str, dict[str, float]]:
    """By state, the share of each lobby."""
    return {
        state: {str(lobby): float(share) for lobby, share in here["voi"].to_series().items()}
        for state, here in by_state_alone(found).items()
    }
