"""The forecast with each analyst left out: on whom does the answer hang?"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import worlds
from bayes_compliance.case.problems import CaseError
from bayes_compliance.elicitation.analysts import analysts, left_out
from bayes_compliance.forecast import owed, thin
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.latents import AHEAD_ONLY, Draws, Latents
from bayes_compliance.measurements import log_densities_of
from bayes_compliance.models import prepare
from bayes_compliance.validation.otherwise import REWEIGHTED, Reused, horizon, on_last_date, otherwise
from bayes_compliance.validation.sensitivity import weights_of

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr

    from bayes_compliance.models import Prepared

NEEDED = "the case cannot do without"
FEW, FUTURES = 500, 4
"""Draws, and future paths of each, by which it is told what other constants change."""


class Without(NamedTuple):
    """The forecast without an analyst: see `otherwise.Otherwise`; `how` may be that the case cannot do without.

    `error` is the Monte Carlo standard error of what other constants change, the largest over states and rules.
    """

    analyst: str
    how: str
    pareto_k: float
    p: dict[tuple[str, str], float]
    error: float = 0.0


def without_each(
    prepared: Prepared, tree: xr.DataTree, forecast: xr.Dataset, *, seed: int, refit: bool = False
) -> list[Without]:
    """The forecast's last date with each analyst's judgements left out; none where there is only one analyst.

    What nobody else judges has its default again, and defaults in units of K_ref follow what is left of K. Where that
    moves constants (a default noise), the forecast is moved by what they change in `FUTURES` futures of each of `FEW`
    draws, the same before and after.

    Parameters
    ----------
    prepared : Prepared
    tree : DataTree
        Its fit.
    forecast : Dataset
        `Forecast.dataset` of the same fit, whose last date is asked for.
    seed : int
    refit : bool
        Fit anew where weights cannot carry the forecast.
    """
    names = analysts(prepared.case)
    if len(names) < 2:
        return []
    known = Known(prepared, tree, forecast["p_today"].isel(time=-1), seed, horizon(forecast))
    return [_without(known, name, refit=refit) for name in names]


def _without(known: Known, name: str, *, refit: bool) -> Without:
    prepared = known.prepared
    try:
        other = prepare(prepared.model, left_out(prepared.case, name), pool=prepared.priors.pool)
    except CaseError:
        return Without(name, NEEDED, float("inf"), {})
    reused, error = None, 0.0
    if same_latents(prepared, other):
        reused, error = known.under(other)
    found = otherwise(reused, other, known.tree, seed=known.seed, until=known.until, refit=refit)
    return Without(name, *found, error if found.how == REWEIGHTED else 0.0)


class Known:
    """A fit with its forecast of the last date, to be asked what other priors make of it.

    Parameters
    ----------
    prepared : Prepared
    tree : DataTree
    p_today : DataArray (state, rule, sample)
        The forecast of the thinned draws on the last date.
    seed : int
    until : date
    """

    def __init__(self, prepared: Prepared, tree: xr.DataTree, p_today: xr.DataArray, seed: int, until: date) -> None:
        self.prepared, self.tree, self.p_today, self.seed, self.until = prepared, tree, p_today, seed, until
        self.draws, self.chains = thin(*draws_of(tree))

    @cached_property
    def density(self) -> NDArray:
        """Log prior of the draws, (draw,)."""
        return log_prior(self.prepared, self.draws)

    @cached_property
    def likelihood(self) -> NDArray:
        """Log likelihood of the draws, (draw,)."""
        return log_likelihood(self.prepared, self.draws)

    @cached_property
    def few(self) -> NDArray:
        """Positions of a few draws, evenly spaced."""
        return thin({"innovation": np.arange(len(self.draws["innovation"]))}, self.chains, FEW)[0]["innovation"]

    @cached_property
    def p_of_few(self) -> NDArray:
        """p_comply on the last date in a few futures of a few draws, (pair, draw)."""
        return self._ahead(self.prepared, self.draws)

    def _ahead(self, prepared: Prepared, draws: Draws) -> NDArray:
        some = {name: values[self.few] for name, values in draws.items()}
        return on_last_date(prepared, some, self.seed, self.until, FUTURES)

    def under(self, other: Prepared) -> tuple[Reused, float]:
        """The draws as draws under other priors, and the Monte Carlo error of what other constants change.

        Where no constant has changed, likelihood and forecast are the same.
        """
        moved = at_constants(other, self.draws)
        ratio = log_prior(other, moved) - self.density
        same = all(np.array_equal(moved[name], self.draws[name]) for name in self.draws)
        if not same or self.prepared.layout.measured.groups:  # a group's level is taken about the prior medians
            ratio = ratio + log_likelihood(other, moved) - self.likelihood
        if same:
            return Reused(other, moved, self.chains, ratio, self.p_today), 0.0
        share = weights_of(ratio).share[self.few]
        change, share = self._ahead(other, moved) - self.p_of_few, share / share.sum()
        mean = change @ share
        error = np.sqrt((change - mean[:, None]) ** 2 @ share**2)
        return Reused(other, moved, self.chains, ratio, self._moved(mean)), float(error.max())

    def _moved(self, change: NDArray) -> xr.DataArray:
        """The forecast with a change added to that of each pair."""
        there = self.p_today.copy()
        for (state, rule), by in zip(owed(self.prepared.case), change, strict=True):
            at = {"state": state, "rule": rule}
            there.loc[at] += by
        return there


def same_latents(one: Prepared, other: Prepared) -> bool:
    """Whether two sets of priors leave the same quantities free."""
    mine, theirs = Latents(one.layout).free, Latents(other.layout).free
    return mine.keys() == theirs.keys() and all(np.array_equal(mine[name], theirs[name]) for name in mine)


def at_constants(other: Prepared, draws: Draws) -> Draws:
    """The draws with the constants of the other priors in place."""
    latents = Latents(other.layout)
    whole = {name: latents.fill(name, draws[name][..., latents.free[name]]) for name in latents.names}
    return {**draws, **whole}


def log_prior(prepared: Prepared, draws: Draws) -> NDArray:
    """Of all that is judged, (draw,)."""
    latents = Latents(prepared.layout)
    found = latents.log_prior({name: draws[name] for name in latents.names})
    return np.sum([values.sum(axis=-1) for name, values in found.items() if name not in AHEAD_ONLY], axis=0)


def log_likelihood(prepared: Prepared, draws: Draws) -> NDArray:
    """Of all decisions and all that is measured, (draw,)."""
    layout = prepared.layout
    support = worlds.ask_observed(prepared.model, layout, draws).support
    measured = log_densities_of(layout, draws, prepared.model.support).sum(axis=0)
    return worlds.log_likelihood(layout, draws, support).sum(axis=-1) + measured
