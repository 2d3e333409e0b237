"""From a posterior to the probability of compliance at a later date, by simulation of the same theory forward."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from math import floor, inf
from types import ModuleType
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.case.dates import DAYS_PER_YEAR
from bayes_compliance.kept import BAND as BAND
from bayes_compliance.kept import PATHS, SUMMARY, Forecast, Kept
from bayes_compliance.latents import Draws
from bayes_compliance.parallel import in_threads
from bayes_compliance.rows import ANY_RULE, Item
from bayes_compliance.worlds import Day, Future

if TYPE_CHECKING:
    from bayes_compliance.alterations import Alteration
    from bayes_compliance.case import Case
    from bayes_compliance.layout import Layout

COLUMNS = ("state", "rule", "date", *SUMMARY)
MAX_DRAWS = 2000
HORIZON_ONLY = inf
"""A step with which nothing is reported but the horizon."""

CHUNK = 250
LARGE = 75
"""Rows times slots of lobbies on a date, on average, from which threads gain."""


def dates_ahead(start: date, until: date, step_years: float) -> list[date]:
    """Dates k steps after `start` (k = 1, 2, ...), rounded down to a day, while before `until`; then `until`."""
    if step_years == HORIZON_ONLY:
        return [until]
    days = []
    k = 1
    while (day := start + timedelta(days=floor(k * step_years * DAYS_PER_YEAR))) < until:
        days.append(day)
        k += 1
    return [*days, until]


def decision_dates(start: date, until: date, per_year: float) -> list[date]:
    """Dates on which a rule's decisions fall due after `start`, up to and including `until`.

    A rate is .01 to 365 a year (`bayes_compliance.case.vocabulary.PER_YEAR`): each decision has a day of its own.
    """
    return dates_ahead(start, until + timedelta(days=1), 1 / per_year)[:-1]


def n_due(case: Case, rule: str, day: date) -> int:
    """How many decisions on a rule fall due after the last one on record and up to a day."""
    return len(decision_dates(case.last_decision_date(), day, per_year(case, rule)))


def per_year(case: Case, rule: str) -> float:
    """Decisions that fall due on a rule each year; one on a new rule."""
    return 1.0 if rule == ANY_RULE else case.rule(rule).decisions_per_year


def owed(case: Case) -> list[tuple[str, str]]:
    """States and rules to forecast, sorted; with the new rule `*` of a state where both sides cover all rules."""
    found = [(state.id, rule) for state in case.states for rule in state.rules]
    for state in case.states:
        general = [lobby for lobby in case.lobbies if lobby.state == state.id and lobby.rules is None]
        sides = {
            "-" if lobby.role == "K" or (lobby.role == "other" and lobby.side == "-") else "+" for lobby in general
        }
        if sides == {"+", "-"}:
            found.append((state.id, ANY_RULE))
    return sorted(found)


_plans: WeakKeyDictionary[Layout, dict[tuple[date, float], list[Day]]] = WeakKeyDictionary()


def plan(layout: Layout, until: date, step_years: float) -> list[Day]:
    """Dates ahead with their rows: those reported, and those on which decisions fall due whatever the step.

    Made once for a layout, which every question about the same dates shares.
    """
    known = _plans.setdefault(layout, {})
    if (until, step_years) not in known:
        known[until, step_years] = _planned(layout, until, step_years)
    return list(known[until, step_years])


def _planned(layout: Layout, until: date, step_years: float) -> list[Day]:
    case = layout.case
    start = case.last_decision_date()
    pairs = owed(case)
    reported = set(dates_ahead(start, until, step_years))
    due = {(state, rule): set(decision_dates(start, until, per_year(case, rule))) for state, rule in pairs}
    days = []
    for day in sorted(reported.union(*due.values())):
        on = [pair for pair in pairs if day in reported or day in due[pair]]
        rows = layout.rows_for([Item(state, rule, day, "compliance") for state, rule in on])
        is_due = np.array([day in due[pair] for pair in on])
        days.append(Day(day, rows, np.array([day in reported] * len(on)), is_due))
    return days


def large(days: Sequence[Day]) -> bool:
    """Whether so much is asked on a date that worlds in several threads gain by it."""
    return sum(day.rows.lobby.size for day in days) >= LARGE * len(days)


def simulate(
    model: ModuleType,
    layout: Layout,
    draws: Draws,
    chains: int,
    *,
    seed: int,
    until: date | None = None,
    step_years: float | None = None,
) -> Forecast:
    r"""Forecast from posterior draws.

    For each draw theta and future path w, p(t | theta, w) is the probability that a decision falling due at t is
    compliance, given the magnitudes and the conduct of that world. The forecast is its mean. `p_lower..p_upper` are
    quantiles over draws and paths; `p_today_lower..p_today_upper` quantiles over draws of the mean over paths.

    Parameters
    ----------
    model : module
    layout : Layout
    draws : dict
        Shapes (chain * draw, item), chains one after the other, with the quantities that only the future needs.
    chains : int
        Number of chains, for the Monte Carlo error.
    seed : int
        Same seed, same forecast.
    until, step_years
        Default to the case's horizon; `HORIZON_ONLY` is a step.
    """
    until = until or layout.case.horizon.until
    days = plan(layout, until, step_years or layout.case.horizon.step_years)
    thinned, chains = thin(draws, chains)
    n = len(thinned["innovation"])
    pairs = owed(layout.case)
    kept = Kept(pairs, days, n)
    kept.add(in_threads(kept.fill, futures(model, layout, days, thinned, seed), gains=large(days)))
    return kept.result(chains, layout)


def futures(
    model: ModuleType,
    layout: Layout,
    days: list[Day],
    draws: Draws,
    seed: int,
    alteration: Alteration | None = None,
    paths: int | None = None,
) -> Iterator[tuple[slice, Future]]:
    """The worlds ahead in chunks of draws, so that memory stays low; the same seed gives the same worlds."""
    n = len(draws["innovation"])
    starts = range(0, n, CHUNK)
    for start, sequence in zip(starts, np.random.SeedSequence(seed).spawn(len(starts)), strict=True):
        part = {name: values[start : start + CHUNK] for name, values in draws.items()}
        yield slice(start, start + CHUNK), Future(model, layout, days, part, paths or PATHS, sequence, alteration)


def thin(draws: Draws, chains: int, most: int = MAX_DRAWS) -> tuple[Draws, int]:
    """Evenly spaced draws of each chain, at most so many in all (but one of each chain at least)."""
    at = evenly(len(draws["innovation"]), chains, most)
    return {name: values[at] for name, values in draws.items()}, chains


def evenly(n: int, chains: int, most: int = MAX_DRAWS) -> NDArray:
    """Positions of the draws that `thin` keeps of n."""
    per_chain = n // chains
    keep = max(1, min(per_chain, most // chains))
    within = np.linspace(0, per_chain - 1, keep).round().astype(int)
    return (np.arange(chains)[:, None] * per_chain + within).ravel()


def to_csv(table: Sequence[dict], columns: Sequence[str] = COLUMNS) -> str:
    """forecast.csv as text: its columns or some of them, six decimals, rows as they come."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in table:
        writer.writerow(written(row, columns))
    return out.getvalue()


def written(row: dict, columns: Sequence[str] = COLUMNS) -> list[str]:
    """A row of forecast.csv, as it stands there."""
    return [row[c] if isinstance(row[c], str) else _six(row[c]) for c in columns]


def _six(value: float) -> str:
    text = f"{value:.6f}"
    return "0.000000" if text == "-0.000000" else text
