"""Posterior predictive checks that mean something here: what would the model have made of these dates?

Each check is a number that a reader of the record would count by hand. It is counted on the decisions and on
replicates of the same rows (one step ahead, given observed conduct); the decisions are strange if few replicates are
like them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.case.vocabulary import LEVELS
from bayes_compliance.theory import COMPLY, VIOLATE

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.layout import Layout
    from bayes_compliance.models import Prepared

STRANGE = 0.05
"""A tail below half of this, or above one minus it, is called strange; among n right checks some n / 20 will be."""


REPEATS = "decisions that repeat the last outcome of the same state on the same rule"
RETURN = "years in violation so far, up to the return to compliance or else to the last decision, on average"
"""Spells that have not ended count for less than they will last; on the record and in replicates alike."""


class Check(NamedTuple):
    """One count: as observed, the middle and the 90% band of the replicates, and the mid-p share of those below.

    `having` is the share of replicates that have such a number, and of which the others are; 1 but for an average over
    what a replicate need not have. Where neither the record nor any replicate has one there is no check.
    """

    name: str
    observed: float
    median: float
    lower: float
    upper: float
    below: float
    having: float = 1.0

    @property
    def strange(self) -> bool:
        """Whether the decisions lie in either tail of the replicates."""
        return not STRANGE / 2 <= self.below <= 1 - STRANGE / 2

    def __str__(self) -> str:
        where = (
            "as the model expects" if not self.strange
            else "more than the model expects" if self.below > 0.5
            else "less than the model expects"
        )  # fmt: skip
        return f"{self.name}: {self.observed:.3g} observed, {self.lower:.3g} to {self.upper:.3g} replicated; {where}."


def violations(at: NDArray, outcome: NDArray) -> NDArray:
    """Number of violations, (...,), in some rows of outcomes (..., row)."""
    return (outcome[..., at] == VIOLATE).sum(axis=-1)


def longest_run(outcome: NDArray) -> NDArray:
    """Longest run of violations one after the other on one obligation, (...,), rows in time order."""
    run = longest = np.zeros(outcome.shape[:-1], int)
    for k in range(outcome.shape[-1]):
        run = np.where(outcome[..., k] == VIOLATE, run + 1, 0)
        longest = np.maximum(longest, run)
    return longest


def years_until_return(outcome: NDArray, times: NDArray) -> tuple[NDArray, NDArray]:
    """Years from the first violation of each run to the next compliance, summed, and the number of runs; (...,).

    A run that has not ended counts up to the last decision.

    Parameters
    ----------
    outcome : array (..., row)
        On one obligation, in time order.
    times : array (row,)
        Years.
    """
    since = np.full(outcome.shape[:-1], np.nan)
    total, runs = np.zeros(outcome.shape[:-1]), np.zeros(outcome.shape[:-1])
    for k, time in enumerate(times):
        begins = (outcome[..., k] == VIOLATE) & np.isnan(since)
        ends = (outcome[..., k] == COMPLY) & ~np.isnan(since)
        total += np.where(ends, time - np.nan_to_num(since), 0.0)
        runs += begins
        since = np.where(begins, time, np.where(ends, np.nan, since))
    open_still = ~np.isnan(since)
    if len(times):
        total += np.where(open_still, times[-1] - np.nan_to_num(since), 0.0)
    return total, runs


class Spells(NamedTuple):
    """Spells of violations on record: how many, how many have not ended, and of these how many began at the last row.

    A spell that began with the last decision on its rule lasts 0 years so far.
    """

    n: int
    open: int
    just_begun: int


def spells(layout: Layout) -> Spells:
    """Spells of violations on record, over all obligations."""
    n = still = begun = 0
    for at, times in _series(layout):
        outcome = layout.outcome[at]
        n += int(years_until_return(outcome, times)[1])
        ended = np.flatnonzero(outcome == COMPLY)
        violated = np.flatnonzero(outcome == VIOLATE)
        since = violated[violated > ended.max(initial=-1)]
        still += bool(len(since))
        begun += bool(len(since)) and times[since[0]] == times[-1]
    return Spells(n, still, int(begun))


def repeats(outcome: NDArray) -> NDArray:
    """How many outcomes of one obligation are the same as the one before, (...,), rows in time order."""
    return (outcome[..., 1:] == outcome[..., :-1]).sum(axis=-1)


def checks(prepared: Prepared, tree: xr.DataTree) -> list[Check]:
    """All checks of a fit: violations by state, the longest run of them, years until return, outcomes repeated.

    None where nothing was decided. No check of an average where the record, or every replicate, has nothing to average.

    Parameters
    ----------
    prepared : Prepared
    tree : DataTree
        With posterior_predictive.
    """
    layout = prepared.layout
    replicated = tree["posterior_predictive"]["outcome"].transpose("chain", "draw", "decision").values
    if not replicated.shape[-1]:
        return []
    replicated = replicated.reshape(-1, replicated.shape[-1])
    found = (_check(name, count, layout.outcome, replicated) for name, count in counts(layout))
    return [check for check in found if check is not None]


def counts(layout: Layout) -> Iterator[tuple[str, Callable[[NDArray], NDArray]]]:
    """Names of the counts and functions of outcomes (..., row)."""
    rows = layout.rows
    for s, state in enumerate(layout.case.states):
        at = np.flatnonzero(rows.compliance & (rows.state == s))
        if len(at):
            yield f"violations by {state.id}", partial(violations, at)
    series = list(_series(layout))
    if not series:
        return
    yield (
        "longest run of violations of one rule by one state",
        lambda y: np.max([longest_run(y[..., at]) for at, _ in series], axis=0),
    )
    yield RETURN, lambda y: _mean_return(y, series)
    if any(len(at) > 1 for at, _ in series):
        yield REPEATS, lambda y: np.sum([repeats(y[..., at]) for at, _ in series], axis=0)


def _series(layout: Layout) -> Iterator[tuple[NDArray, NDArray]]:
    """Compliance rows of each obligation in time order, and their times in years."""
    items = layout.rows.items
    at = [i for i in range(len(items)) if layout.rows.compliance[i]]
    ordered = sorted(at, key=lambda i: (items[i].state, items[i].rule, items[i].date))
    for _, some in groupby(ordered, key=lambda i: items[i][:2]):
        index = np.array(list(some))
        yield index, np.array([layout.time(items[i].date) for i in index])


def _mean_return(outcome: NDArray, series: list[tuple[NDArray, NDArray]]) -> NDArray:
    """Years until return, averaged over runs of violations; NaN where there is none."""
    total, runs = (
        sum(parts) for parts in zip(*(years_until_return(outcome[..., at], t) for at, t in series), strict=True)
    )
    return np.where(runs > 0, total / np.maximum(runs, 1), np.nan)


def _check(name: str, count: Callable[[NDArray], NDArray], observed: NDArray, replicated: NDArray) -> Check | None:
    """A count beside those replicates that have a number of it; None where none has, or the record has not."""
    value, others = float(count(observed)), np.asarray(count(replicated), float)
    there = others[~np.isnan(others)]
    if np.isnan(value) or not len(there):
        return None
    lower, median, upper = np.quantile(there, LEVELS)
    below = float(np.mean(there < value) + np.mean(there == value) / 2)
    return Check(name, value, float(median), float(lower), float(upper), below, len(there) / len(others))
