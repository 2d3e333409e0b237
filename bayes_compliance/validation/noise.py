"""The forecast at half and at twice the decision noise: by reweighting where that can be trusted, else by a new fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import worlds
from bayes_compliance.dynamics import years_between
from bayes_compliance.forecast import simulate, thin
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.models import prepare
from bayes_compliance.validation.sensitivity import good_k, weights_of

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr

    from bayes_compliance.latents import Draws
    from bayes_compliance.models import Prepared

SCALES = (0.5, 2.0)
"""Of the judged noise: with the default of .6 K_ref these are .3 and 1.2."""

REWEIGHTED, REFITTED, CANNOT_TELL = "reweighted", "fitted anew", "cannot tell without a new fit"


class AtNoise(NamedTuple):
    """Probabilities of compliance at the last date under another decision noise.

    `p` has state and rule as keys; it is empty where reweighting cannot be trusted and no fit was asked for.
    """

    scale: float
    how: str
    pareto_k: float
    p: dict[tuple[str, str], float]


def log_ratio(prepared: Prepared, draws: Draws, scale: float) -> NDArray:
    r"""Log of the likelihood with the noise scaled over the likelihood as it is, (draw,).

    A judged noise that is uncertain is scaled draw by draw, :math:`\sigma \to s \sigma`: the scaled judgement gives the
    scaled draw the density that the judgement gives the draw, so the likelihoods are all that is left of the ratio.
    """
    layout = prepared.layout
    support = worlds.ask_observed(prepared.model, layout, draws).support
    other = worlds.log_likelihood(layout, scaled(draws, scale), support)
    return (other - worlds.log_likelihood(layout, draws, support)).sum(axis=-1)


def scaled(draws: Draws, scale: float) -> Draws:
    """The draws with the decision noise multiplied."""
    return draws | {"decision_noise": draws["decision_noise"] * scale}


def at_noise(
    prepared: Prepared,
    tree: xr.DataTree,
    *,
    seed: int,
    scale: float,
    until: date | None = None,
    refit: bool = False,
) -> AtNoise:
    """The forecast's last date under another decision noise.

    Parameters
    ----------
    prepared : Prepared
    tree : DataTree
        Its fit.
    seed : int
    scale : float > 0
        Multiplies the noise.
    until : date or None
        The last date; default the case's horizon.
    refit : bool
        Fit anew (with the fit's own settings) where Pareto k says that weights cannot carry the forecast.
    """
    until = until or prepared.case.horizon.until
    draws, chains = draws_of(tree)
    thinned, chains = thin(draws, chains)
    weights, k = weights_of(log_ratio(prepared, thinned, scale))
    if k <= good_k(len(weights)):
        return AtNoise(scale, REWEIGHTED, k, _ahead(prepared, scaled(thinned, scale), chains, seed, until, weights))
    if not refit:
        return AtNoise(scale, CANNOT_TELL, k, {})
    from bayes_compliance import inference

    other = prepare(prepared.model, prepared.case, scale)
    size: dict[str, Any] = {name: max(int(tree.attrs[name]), 1) for name in ("draws", "tune", "chains")}
    fitted, chains = draws_of(inference.fit(other, engine=tree.attrs["engine"], seed=seed, **size))
    return AtNoise(scale, REFITTED, k, _ahead(other, fitted, chains, seed, until, None))


def _ahead(
    prepared: Prepared, draws: Draws, chains: int, seed: int, until: date, weights: NDArray | None
) -> dict[tuple[str, str], float]:
    """Weighted mean over draws of p_comply at the last date, by state and rule."""
    layout = prepared.layout
    # one step beyond the horizon: nothing is reported but the last date
    step = years_between(layout.case.last_decision_date(), until) + 1
    found = simulate(prepared.model, layout, draws, chains, seed=seed, until=until, step_years=step)
    last = found.dataset["p_today"].isel(time=-1)
    weights = np.ones(last.sizes["sample"]) if weights is None else weights
    return {
        (str(s), str(r)): float(weights @ p / weights.sum())
        for s in last["state"].values
        for r in last["rule"].values
        if np.isfinite(p := last.sel(state=s, rule=r).values).all()
    }
