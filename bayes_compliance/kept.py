"""What a forecast keeps of its worlds, and what it says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.case.vocabulary import LEVELS
from bayes_compliance.parallel import in_threads

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.layout import Layout
    from bayes_compliance.worlds import Day, Future

BAND = (LEVELS[0], LEVELS[-1])
SUMMARY = (
    "p_comply", "p_partial", "p_violate", "p_lower", "p_upper", "p_today_lower", "p_today_upper", "p_no_violation",
    "support_mean", "support_lower", "support_upper",
)  # fmt: skip
"""What a forecast says of a state, rule and date: the columns of forecast.csv after these."""

SAID = {
    "p_comply": ("probability of compliance in one future path of each draw (p_comply_mean is over all paths)", "1"),
    "p_comply_mean": ("probability of compliance: the forecast", "1"),
    "p_draw": ("probability of compliance of each draw, averaged over its future paths", "1"),
    "p_today": ("the same without the spread of few paths, for bands", "1"),
    "support": ("net political support in one future path of each draw", "points"),
    "support_mean": ("net political support", "points"),
}
"""What the forecast's variables are, and their units, where the name might mislead."""

PATHS = 8


@dataclass(frozen=True, repr=False)
class Forecast:
    """A forecast for every owed state, rule and date.

    Attributes
    ----------
    table : list of dict
        Rows of forecast.csv, sorted by state, rule and date.
    dataset : xarray.Dataset
        `p_comply`, `p_partial`, `p_violate`, `support` (state, rule, time, sample), one future path for each posterior
        draw; `p_draw` and `p_today` (state, rule, time, sample), the draw's probability averaged over its future paths,
        as it is, for weighted means, and without the spread that few paths lend to it, for bands; and the summaries of
        the table (state, rule, time), `_mean` added to a name that is taken. NaN where the state does not owe the rule.
        Made when it is first asked for.
    mc_error : float
        Largest Monte Carlo standard error of p_comply, from the effective sample size of `p_draw`; likewise.
    """

    table: list[dict]
    make_dataset: Callable[[], xr.Dataset]
    tell_error: Callable[[], float]

    @property
    def until(self) -> str:
        """Its last date."""
        return max(row["date"] for row in self.table)

    def __repr__(self) -> str:
        pairs = {(row["state"], row["rule"]) for row in self.table}
        return f"<Forecast: states and rules: {len(pairs)}, rows: {len(self.table)}, to {self.until}>"

    @cached_property
    def dataset(self) -> xr.Dataset:
        return self.make_dataset()

    @cached_property
    def mc_error(self) -> float:
        return self.tell_error()

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is once asked for: a pickle or a copy keeps no worlds."""
        return _known, (self.table, self.dataset, self.mc_error)


class Counts(NamedTuple):
    """Of a chunk of worlds, (time, pair), p_violate in sum; and, (day, pair), those that had no violation before a
    decision due that day, and of these how many are expected to have none after it; both 1 where none falls due."""

    violate: NDArray
    before: NDArray
    after: NDArray


class Kept:
    """What the forecast keeps of the worlds: (time, draw, path, pair); of p_violate, one path and the sum over all."""

    def __init__(self, pairs: Sequence[tuple[str, str]], days: Sequence[Day], n: int) -> None:
        self.pairs, self.reported = list(pairs), [i for i, day in enumerate(days) if day.reported[0]]
        self.times = [days[i].date for i in self.reported]
        shape = (len(self.times), n, PATHS, len(pairs))
        self.comply, self.support = np.zeros(shape), np.zeros(shape)
        self.violate = np.zeros((len(self.times), n, len(pairs)))
        self.n_worlds = n * PATHS
        every = np.zeros((len(days), len(pairs)))
        self.counts = Counts(np.zeros((len(self.times), len(pairs))), every, every.copy())

    def fill(self, task: tuple[slice, Future]) -> Counts:
        """Keep a chunk of worlds, in its own place."""
        (at, future), position = task, {pair: i for i, pair in enumerate(self.pairs)}
        intact = np.ones((future.n_draws, PATHS, len(self.pairs)), bool)
        sums, before, after = self.counts
        found, j = Counts(np.zeros_like(sums), np.ones_like(before), np.ones_like(after)), 0
        for day, moment in enumerate(future.run()):
            where = np.array([position[item.state, item.rule] for item in moment.day.rows.items])
            due = np.flatnonzero(moment.day.decided)
            support, comply, violate = (np.broadcast_to(v, moment.outcome.shape) for v in moment.answer)
            still = intact[..., where[due]]
            found.before[day, where[due]] = still.sum(axis=(0, 1))
            found.after[day, where[due]] = (still * (1 - violate[..., due])).sum(axis=(0, 1))
            intact[..., where[due]] = still & (moment.outcome[..., due] > 0)
            if moment.day.reported[0]:
                self.support[j, at][..., where], self.comply[j, at][..., where] = support, comply
                self.violate[j, at][..., where] = violate[:, 0]
                found.violate[j, where] = violate.sum(axis=(0, 1))
                j += 1
        return found

    def add(self, chunks: Sequence[Counts]) -> None:
        """Enter the counts of all chunks, in their order."""
        for chunk in chunks:
            for total, part in zip(self.counts, chunk, strict=True):
                total += part

    def result(self, chains: int, layout: Layout) -> Forecast:
        comply, support, violate = (np.moveaxis(v, -1, 0) for v in (self.comply, self.support, self.violate))
        averaged = comply.mean(axis=-1)
        today = without_path_noise(averaged, comply)
        summary = self._summary(today)
        table = [
            {"state": state, "rule": rule, "date": day.isoformat()} | {k: float(v[i, j]) for k, v in summary.items()}
            for i, (state, rule) in enumerate(self.pairs)
            for j, day in enumerate(self.times)
        ]
        samples = {
            "p_comply": comply[..., 0], "p_partial": np.maximum(1 - comply[..., 0] - violate, 0), "p_violate": violate,
            "support": support[..., 0], "p_draw": averaged, "p_today": today,
        }  # fmt: skip
        return Forecast(table, partial(self._dataset, samples, summary, layout), partial(_mc_error, averaged, chains))

    def _summary(self, today: NDArray) -> dict[str, NDArray]:
        violated = self.counts.violate.T / self.n_worlds
        p_comply, lower, upper = self._mean_and_band(self.comply)
        s_mean, s_lower, s_upper = self._mean_and_band(self.support)
        today_lower, today_upper = np.quantile(today, BAND, axis=2)
        return {
            "p_comply": p_comply, "p_partial": np.clip(1 - p_comply - violated, 0, 1), "p_violate": violated,
            "p_lower": lower, "p_upper": upper, "p_today_lower": today_lower, "p_today_upper": today_upper,
            "p_no_violation": self._no_violation(),
            "support_mean": s_mean, "support_lower": s_lower, "support_upper": s_upper,
        }  # fmt: skip

    def _no_violation(self) -> NDArray:
        r"""Probability of no violation so far, (pair, time): :math:`\prod_k E[1 - p_{violate}(t_k) | none before t_k]`.

        The mean over worlds of what each decision leaves, where a count of sampled outcomes adds their noise; like a
        count it never rises, and is 0 once no world is left.
        """
        _, before, after = self.counts
        left = np.divide(after, before, out=np.zeros_like(after), where=before > 0)
        return np.cumprod(left, axis=0)[self.reported].T

    def _mean_and_band(self, values: NDArray) -> NDArray:
        """Mean and quantiles over worlds, (3, pair, time)."""

        def of_date(on: NDArray) -> NDArray:
            each = np.ascontiguousarray(on.reshape(-1, on.shape[-1]).T)
            return np.stack([each.mean(axis=1), *np.quantile(each, BAND, axis=1, overwrite_input=True)])

        return np.stack(in_threads(of_date, values), axis=-1)

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
        found = xr.Dataset(data, coords=coords)
        for name, (what, units) in SAID.items():
            found[name].attrs = {"long_name": what, "units": units}
        return found


def horizon(found: xr.Dataset) -> date:
    """The last date of a Dataset with a time."""
    return day_of(found["time"].values[-1])


def day_of(value: Any) -> date:
    """A date as xarray keeps it."""
    return value.astype("datetime64[D]").item()


def recalled(dataset: xr.Dataset, mc_error: float) -> Forecast:
    """A forecast from its dataset, as forecast.nc keeps it, and its Monte Carlo error."""
    told = {name: f"{name}_mean" if f"{name}_mean" in dataset else name for name in SUMMARY}
    arrays = {name: dataset[of].transpose("state", "rule", "time").values for name, of in told.items()}
    days = [str(day)[:10] for day in dataset["time"].values]
    table = [
        {"state": state, "rule": rule, "date": day} | {name: float(v[i, k, j]) for name, v in arrays.items()}
        for i, state in sorted(enumerate(dataset["state"].values.tolist()), key=itemgetter(1))
        for k, rule in enumerate(dataset["rule"].values.tolist())
        for j, day in enumerate(days)
        if np.isfinite(arrays["p_comply"][i, k, j])
    ]
    return _known(table, dataset, mc_error)


def _known(table: list[dict], dataset: xr.Dataset, mc_error: float) -> Forecast:
    return Forecast(table, lambda: dataset, lambda: mc_error)


def without_path_noise(averaged: NDArray, each: NDArray) -> NDArray:
    r"""A draw's probability averaged over its future paths, without the spread that few paths lend to such averages.

    Shape: the quantiles of averages over P paths are off by :math:`c / P + O(P^{-2})`, and those over half of the paths
    by twice as much, so :math:`2 Q_P - Q_{P/2}` is free of the first term: the jackknife of Gordy and Juneja ("Nested
    Simulation in Portfolio Risk Measurement", Management Science 56, 2010). A draw gets the quantile of its rank.

    Spread: the averages vary over draws by Var(E[p | draw]) + E[Var(p | draw)] / P; the second part is estimated from
    the antithetic pairs, and the quantiles are drawn towards their mean until they vary by the first.

    Parameters
    ----------
    averaged : array (..., draw)
    each : array (..., draw, path)
        Of two antithetic pairs or more: path i and path i + P / 2 are one.

    Returns
    -------
    array (..., draw)
        Between 0 and 1, with the mean of the averages (but for what these ends cut off).
    """
    half = each.shape[-1] // 2
    pairs, k = (each[..., :half] + each[..., half:]) / 2, half // 2
    noise = pairs.var(axis=-1, ddof=1).mean(axis=-1) / half
    fewer = [np.sort(some.mean(axis=-1), axis=-1) for some in (pairs[..., :k], pairs[..., half - k :])]
    rank = averaged.argsort(axis=-1)
    quantiles = (np.take_along_axis(averaged, rank, -1) - k / half * sum(fewer) / 2) / (1 - k / half)
    spread, wanted = quantiles.var(axis=-1), np.maximum(averaged.var(axis=-1) - noise, 0)
    kept, mean = np.sqrt(wanted / np.where(spread > 0, spread, 1)), averaged.mean(axis=-1)
    quantiles = mean[..., None] + kept[..., None] * (np.sort(quantiles, axis=-1) - mean[..., None])
    found = np.empty_like(averaged)
    np.put_along_axis(found, rank, np.clip(quantiles, 0, 1), -1)
    return found


def _mc_error(averaged: NDArray, chains: int) -> float:
    """Largest Monte Carlo standard error of a mean over draws, by the effective sample size of each series."""
    from bayes_compliance.inference.diagnostics import mean_error

    return float(mean_error(averaged.reshape(*averaged.shape[:2], chains, -1)).max())
