"""From a posterior to the probability of compliance at a later date, by simulation of the same theory forward."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, partial
from math import floor
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.dynamics import DAYS_PER_YEAR
from bayes_compliance.latents import Draws
from bayes_compliance.rows import ANY_RULE, Item
from bayes_compliance.worlds import Day, Future

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.alterations import Alteration
    from bayes_compliance.case import Case
    from bayes_compliance.layout import Layout

COLUMNS = (
    "state", "rule", "date", "p_comply", "p_partial", "p_violate", "p_lower", "p_upper", "p_today_lower",
    "p_today_upper", "p_no_violation", "support_mean", "support_lower", "support_upper",
)  # fmt: skip
BAND = (0.05, 0.95)
MAX_DRAWS = 2000
PATHS = 16
CHUNK = 250


@dataclass(frozen=True)
class Forecast:
    """A forecast for every owed state, rule and date.

    Attributes
    ----------
    table : list of dict
        Rows of forecast.csv, sorted by state, rule and date.
    dataset : xarray.Dataset
        `p_comply`, `p_partial`, `p_violate`, `support` (state, rule, time, sample), one future path for each posterior
        draw; `p_today` (state, rule, time, sample), the draw's probability averaged over its future paths; and the
        summaries of the table (state, rule, time). NaN where the state does not owe the rule.
        Made when it is first asked for.
    mc_error : float
        Largest Monte Carlo standard error of p_comply, from the effective sample size of `p_today`; likewise.
    """

    table: list[dict]
    make_dataset: Callable[[], xr.Dataset]
    tell_error: Callable[[], float]

    @cached_property
    def dataset(self) -> xr.Dataset:
        return self.make_dataset()

    @cached_property
    def mc_error(self) -> float:
        return self.tell_error()


def dates_ahead(start: date, until: date, step_years: float) -> list[date]:
    """Dates k steps after `start` (k = 1, 2, ...), rounded down to a day, while before `until`; then `until`."""
    days = []
    k = 1
    while (day := start + timedelta(days=floor(k * step_years * DAYS_PER_YEAR))) < until:
        days.append(day)
        k += 1
    return [*days, until]


def decision_dates(start: date, until: date, per_year: float) -> list[date]:
    """Dates on which a rule's decisions fall due after `start`, up to and including `until`; none for a rate of 0."""
    if per_year <= 0:
        return []
    ahead = dates_ahead(start, until + timedelta(days=1), 1 / per_year)[:-1]
    return list(dict.fromkeys(ahead))


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


def plan(layout: Layout, until: date, step_years: float) -> list[Day]:
    """Dates ahead with their rows: those reported, and those on which decisions fall due whatever the step."""
    case = layout.case
    start = case.last_decision_date()
    pairs = owed(case)
    reported = set(dates_ahead(start, until, step_years))
    due = {
        (state, rule): set(
            decision_dates(start, until, 1.0 if rule == ANY_RULE else case.rule(rule).decisions_per_year)
        )
        for state, rule in pairs
    }
    days = []
    for day in sorted(reported.union(*due.values())):
        on = [pair for pair in pairs if day in reported or day in due[pair]]
        rows = layout.rows_for([Item(state, rule, day, "compliance") for state, rule in on])
        is_due = np.array([day in due[pair] for pair in on])
        days.append(Day(day, rows, np.array([day in reported] * len(on)), is_due))
    return days


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
        Default to the case's horizon.
    """
    until = until or layout.case.horizon.until
    days = plan(layout, until, step_years or layout.case.horizon.step_years)
    thinned, chains = thin(draws, chains)
    n = len(thinned["innovation"])
    pairs = owed(layout.case)
    times = [day.date for day in days if day.reported[0]]
    kept = _Kept(pairs, times, n)
    for at, future in futures(model, layout, days, thinned, seed):
        kept.fill(at, future)
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
    n = len(draws["innovation"])
    per_chain = n // chains
    keep = max(1, min(per_chain, most // chains))
    within = np.linspace(0, per_chain - 1, keep).round().astype(int)
    index = (np.arange(chains)[:, None] * per_chain + within).ravel()
    return {name: values[index] for name, values in draws.items()}, chains


class _Kept:
    """What the forecast keeps of the worlds: (pair, time, draw, path)."""

    def __init__(self, pairs: Sequence[tuple[str, str]], times: Sequence[date], n: int) -> None:
        self.pairs, self.times = list(pairs), list(times)
        shape = (len(pairs), len(times), n, PATHS)
        self.comply, self.violate, self.support = (np.zeros(shape) for _ in range(3))
        self.intact = np.zeros((len(pairs), len(times)))
        self.n_worlds = n * PATHS

    def fill(self, at: slice, future: Future) -> None:
        position = {pair: i for i, pair in enumerate(self.pairs)}
        intact = np.ones((len(self.pairs), future.n_draws, PATHS), bool)
        j = 0
        for day, *_, answer, outcome in future.run():
            where = np.array([position[item.state, item.rule] for item in day.rows.items])
            due = np.flatnonzero(day.decided)
            intact[where[due]] &= np.moveaxis(outcome[..., due], -1, 0) > 0
            if day.reported[0]:
                for target, values in zip(
                    (self.support, self.comply, self.violate), answer, strict=True
                ):  # fmt: skip
                    target[where, j, at] = np.moveaxis(np.broadcast_to(values, outcome.shape), -1, 0)
                self.intact[:, j] += intact.sum(axis=(1, 2))
                j += 1

    def result(self, chains: int, layout: Layout) -> Forecast:
        averaged = self.comply.mean(axis=-1)
        today = _without_path_noise(averaged, self.comply)
        summary = self._summary(today)
        table = [
            {"state": state, "rule": rule, "date": day.isoformat()} | {k: float(v[i, j]) for k, v in summary.items()}
            for i, (state, rule) in enumerate(self.pairs)
            for j, day in enumerate(self.times)
        ]
        in_part = np.maximum(1 - self.comply - self.violate, 0)[..., 0]
        samples = {
            "p_comply": self.comply[..., 0], "p_partial": in_part, "p_violate": self.violate[..., 0],
            "support": self.support[..., 0], "p_today": today,
        }  # fmt: skip
        return Forecast(table, partial(self._dataset, samples, summary, layout), partial(_mc_error, averaged, chains))

    def _summary(self, today: NDArray) -> dict[str, NDArray]:
        worlds = (2, 3)
        p_comply, p_violate = self.comply.mean(axis=worlds), self.violate.mean(axis=worlds)
        lower, upper = np.quantile(self.comply, BAND, axis=worlds)
        today_lower, today_upper = np.quantile(today, BAND, axis=2)
        s_lower, s_upper = np.quantile(self.support, BAND, axis=worlds)
        return {
            "p_comply": p_comply, "p_partial": np.clip(1 - p_comply - p_violate, 0, 1), "p_violate": p_violate,
            "p_lower": lower, "p_upper": upper, "p_today_lower": today_lower, "p_today_upper": today_upper,
            "p_no_violation": self.intact / self.n_worlds,
            "support_mean": self.support.mean(axis=worlds), "support_lower": s_lower, "support_upper": s_upper,
        }  # fmt: skip

    def _dataset(self, samples: dict[str, NDArray], summary: dict[str, NDArray], layout: Layout) -> xr.Dataset:
        import xarray as xr

        states = [state.id for state in layout.case.states]
        rules = sorted({rule for _, rule in self.pairs})
        at = tuple(np.array([[states.index(s), rules.index(r)] for s, r in self.pairs]).T)

        def spread_out(values: NDArray) -> NDArray:
            full = np.full((len(states), len(rules), *values.shape[1:]), np.nan)
            full[at] = values
            return full

        dims = ("state", "rule", "time", "sample")
        data: dict[str, tuple[tuple[str, ...], NDArray]] = {
            name: (dims, spread_out(values)) for name, values in samples.items()
        }
        data |= {
            f"{name}_mean" if name in data else name: (dims[:3], spread_out(values))
            for name, values in summary.items()
            if not name.endswith("_mean")
        }
        data["support_mean"] = (dims[:3], spread_out(summary["support_mean"]))
        coords = {"state": states, "rule": rules, "time": np.array(self.times, "datetime64[ns]")}
        return xr.Dataset(data, coords=coords)


def _without_path_noise(averaged: NDArray, each: NDArray) -> NDArray:
    """A draw's probability averaged over its future paths, less the spread that a few paths lend to that average.

    The average over P paths varies over draws by Var(E[p | draw]) + E[Var(p | draw)] / P. The second part is estimated
    from the antithetic pairs and taken out by drawing the averages towards their mean.

    Parameters
    ----------
    averaged : array (..., draw)
    each : array (..., draw, path)
    """
    half = each.shape[-1] // 2
    pairs = (each[..., :half] + each[..., half:]) / 2
    noise = pairs.var(axis=-1, ddof=1).mean(axis=-1) / half
    total = averaged.var(axis=-1)
    kept = np.sqrt(np.maximum(total - noise, 0) / np.where(total > 0, total, 1))
    mean = averaged.mean(axis=-1, keepdims=True)
    return mean + kept[..., None] * (averaged - mean)


def _mc_error(today: NDArray, chains: int) -> float:
    """Largest Monte Carlo standard error of a mean over draws, by the effective sample size of each series."""
    from bayes_compliance.inference.diagnostics import mean_error

    return float(mean_error(today.reshape(*today.shape[:2], chains, -1)).max())


def to_csv(table: Sequence[dict], columns: Sequence[str] = COLUMNS) -> str:
    """forecast.csv as text: the design's columns or some of them, six decimals, rows as they come."""
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
