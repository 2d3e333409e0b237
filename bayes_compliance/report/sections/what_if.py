"""Scenarios: the same posterior and the same worlds, with a few things changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from bayes_compliance.kept import day_of, horizon
from bayes_compliance.report import findings
from bayes_compliance.report.answers import answers, by_state_alone, over_rules
from bayes_compliance.report.comparison import DIFFERENCES
from bayes_compliance.report.parts import Number, Section, bullets, figure, join, paragraph, table
from bayes_compliance.report.plots import compare
from bayes_compliance.report.sentences import day, percent

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr

    from bayes_compliance.runs import Run

INTRODUCTION = (
    "Each scenario meets the same worlds as the case without it, but for what it changes, so that the difference is "
    "its doing and not chance. Nothing says how likely a scenario is. Probabilities are over the rules of each state, "
    "one taken at random."
)


EFFECT = ("p_base", "p_scenario", "difference_lower", "difference_upper")


def what_if(run: Run) -> Section | None:
    """What each scenario of the case does to each state."""
    whole = answers(run).found.get("scenarios")
    if whole is None:
        return None
    found, until = over_rules(whole, run.prepared.case).isel(time=-1), horizon(whole)
    said = [_sentence(found.sel(scenario=id), until) for id in found["scenario"].values]
    return Section(
        "What if?",
        "scenarios",
        join([paragraph(INTRODUCTION), bullets(said), _figure(found, until), *_table(found, until), DIFFERENCES]),
    )


def effects(one: xr.Dataset) -> list[findings.Effect]:
    """What a scenario makes of each state on a date."""
    return [
        findings.Effect(state, *(float(here[name]) for name in EFFECT)) for state, here in by_state_alone(one).items()
    ]


def _sentence(one: xr.Dataset, until: date) -> str:
    title = f"{one['scenario'].item()}: {one['title'].item()}"
    return findings.what_if(title, day_of(one["since"].values), effects(one), until, one["idle"].item())


def _figure(found: xr.Dataset, until: date) -> Markup:
    names = ("difference_lower", "difference", "difference_upper")
    moving = [id for id in found["scenario"].values if not found["idle"].sel(scenario=id).item()]
    if not moving:
        return Markup("")
    panels = [
        compare.Panel(state, {str(id): [float(here[name].sel(scenario=id)) for name in names] for id in moving})
        for state, here in by_state_alone(found).items()
    ]
    title = f"Change in the probability of compliance on {day(until)}, percentage points"
    caption = f"{title}, by scenario: the mean, and 5% to 95% over worlds averaged over the rules of the state."
    return figure(compare.intervals("what-if", title, "change", panels), caption)


def _change(effect: findings.Effect) -> str:
    """The change in percentage points; none has no sign."""
    change = round(100 * (effect.after - effect.before), 1)
    return f"{change:+.1f}".replace("-", "−") if change else "0.0"


def _table(found: xr.Dataset, until: date) -> list[Markup]:
    """Each probability without and with each scenario that does anything, also where it moves little."""
    ids = [id for id in found["scenario"].values if not found["idle"].sel(scenario=id).item()]
    rows = [
        [str(id), e.state, percent(e.before), percent(e.after), _change(e)]
        for id in ids
        for e in effects(found.sel(scenario=id))
    ]
    columns = ["Scenario", "State", *map(Number, ("Without it", "With it", "Change, points"))]
    return [table(f"The probability of compliance on {day(until)}, by scenario", columns, rows)] if rows else []
