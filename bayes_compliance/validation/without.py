"""The forecast with each analyst left out: on whom does the answer hang?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import worlds
from bayes_compliance.case.problems import CaseError
from bayes_compliance.elicitation.analysts import analysts, left_out
from bayes_compliance.forecast import thin
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.latents import AHEAD_ONLY, Draws, Latents
from bayes_compliance.measurements import log_densities_of
from bayes_compliance.models import prepare
from bayes_compliance.validation.otherwise import Reused, horizon, otherwise

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.models import Prepared

NEEDED = "the case cannot do without"


class Without(NamedTuple):
    """The forecast without an analyst: see `otherwise.Otherwise`; `how` may be that the case cannot do without."""

    analyst: str
    how: str
    pareto_k: float
    p: dict[tuple[str, str], float]


def without_each(
    prepared: Prepared, tree: xr.DataTree, forecast: xr.Dataset, *, seed: int, refit: bool = False
) -> list[Without]:
    """The forecast's last date with each analyst's judgements left out; none where there is only one analyst.

    What nobody else judges has its default again, and defaults in units of K_ref follow what is left of K.

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
    return [_without(prepared, tree, forecast, name, seed=seed, refit=refit) for name in names]


def _without(
    prepared: Prepared, tree: xr.DataTree, forecast: xr.Dataset, name: str, *, seed: int, refit: bool
) -> Without:
    try:
        other = prepare(prepared.model, left_out(prepared.case, name), pool=prepared.priors.pool)
    except CaseError:
        return Without(name, NEEDED, float("inf"), {})
    reused = None
    if same_latents(prepared, other):
        reused = reuse(prepared, other, tree, forecast)
    return Without(name, *otherwise(reused, other, tree, seed=seed, until=horizon(forecast), refit=refit))


def reuse(prepared: Prepared, other: Prepared, tree: xr.DataTree, forecast: xr.Dataset) -> Reused:
    """The draws as draws under other priors; where no constant has changed, likelihood and forecast are the same."""
    draws, chains = thin(*draws_of(tree))
    moved = at_constants(other, draws)
    ratio = log_prior(other, moved) - log_prior(prepared, draws)
    same = all(np.array_equal(moved[name], draws[name]) for name in draws)
    if same and not prepared.layout.measured.groups:  # a group's level is taken about the prior medians
        return Reused(other, moved, chains, ratio, forecast["p_today"].isel(time=-1))
    return Reused(other, moved, chains, ratio + log_likelihood(other, moved) - log_likelihood(prepared, draws))


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
