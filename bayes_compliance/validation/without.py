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
from bayes_compliance.models import prepare
from bayes_compliance.validation.otherwise import Reused, otherwise

if TYPE_CHECKING:
    from datetime import date

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
    prepared: Prepared, tree: xr.DataTree, *, seed: int, until: date | None = None, refit: bool = False
) -> list[Without]:
    """The forecast's last date with each analyst's judgements left out; none where there is only one analyst.

    What nobody else judges has its default again, and defaults in units of K_ref follow what is left of K.

    Parameters
    ----------
    prepared : Prepared
    tree : DataTree
        Its fit.
    seed : int
    until : date or None
        The last date; default the case's horizon.
    refit : bool
        Fit anew where weights cannot carry the forecast.
    """
    names = analysts(prepared.case)
    if len(names) < 2:
        return []
    return [_without(prepared, tree, name, seed=seed, until=until, refit=refit) for name in names]


def _without(
    prepared: Prepared, tree: xr.DataTree, name: str, *, seed: int, until: date | None, refit: bool
) -> Without:
    try:
        other = prepare(prepared.model, left_out(prepared.case, name), pool=prepared.priors.pool)
    except CaseError:
        return Without(name, NEEDED, float("inf"), {})
    draws, chains = thin(*draws_of(tree))
    reused = None
    if same_latents(prepared, other) and not prepared.layout.measured:
        moved = at_constants(other, draws)
        reused = Reused(other, moved, chains, log_density(other, moved) - log_density(prepared, draws))
    return Without(name, *otherwise(reused, other, tree, seed=seed, until=until, refit=refit))


def same_latents(one: Prepared, other: Prepared) -> bool:
    """Whether two sets of priors leave the same quantities free."""
    mine, theirs = Latents(one.layout).free, Latents(other.layout).free
    return mine.keys() == theirs.keys() and all(np.array_equal(mine[name], theirs[name]) for name in mine)


def at_constants(other: Prepared, draws: Draws) -> Draws:
    """The draws with the constants of the other priors in place."""
    latents = Latents(other.layout)
    whole = {name: latents.fill(name, draws[name][..., latents.free[name]]) for name in latents.names}
    return {**draws, **whole}


def log_density(prepared: Prepared, draws: Draws) -> NDArray:
    """Log prior of what is judged plus log likelihood, (draw,)."""
    layout = prepared.layout
    support = worlds.ask_observed(prepared.model, layout, draws).support
    prior = Latents(layout).log_prior({name: draws[name] for name in Latents(layout).names})
    density = worlds.log_likelihood(layout, draws, support).sum(axis=-1)
    return density + sum(values.sum(axis=-1) for name, values in prior.items() if name not in AHEAD_ONLY)
