"""The forecast at half and at twice the decision noise, by reweighting where that can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from numpy.typing import NDArray

from bayes_compliance import asking
from bayes_compliance.forecast import thin
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.measurements import log_densities_of
from bayes_compliance.models import prepare
from bayes_compliance.validation.otherwise import Reused, otherwise

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr

    from bayes_compliance.latents import Draws
    from bayes_compliance.models import Prepared

SCALES = (0.5, 2.0)
"""Of the judged noise: with the default of .6 K_ref these are .3 and 1.2."""


class AtNoise(NamedTuple):
    """Probabilities of compliance at the last date under another decision noise.

    `p` has state and rule as keys; it is empty where reweighting cannot be trusted.
    """

    scale: float
    how: str
    pareto_k: float
    p: dict[tuple[str, str], float]


def log_ratio(prepared: Prepared, draws: Draws, scale: float) -> NDArray:
    r"""Log of the likelihood with the noise scaled over the likelihood as it is, (draw,).

    A judged noise that is uncertain is scaled draw by draw, :math:`\sigma \to s \sigma`: the scaled judgement gives the
    scaled draw the density that the judgement gives the draw, so the likelihoods are all that is left of the ratio.
    (Of a beta or a logit-normal, whose multiple is of no family, nearly so.)
    """
    layout = prepared.layout
    moved = scaled(draws, scale)
    # where states choose at once, support itself rests on the noise
    after, support = (asking.ask_observed(prepared.model, layout, given).support for given in (moved, draws))
    ratio = (asking.log_likelihood(layout, moved, after) - asking.log_likelihood(layout, draws, support)).sum(axis=-1)
    measured, before = (log_densities_of(layout, given, prepared.model.support) for given in (moved, draws))
    return ratio + (measured - before).sum(axis=0)


def scaled(draws: Draws, scale: float) -> Draws:
    """The draws with the decision noise multiplied."""
    return draws | {"decision_noise": draws["decision_noise"] * scale}


def at_noise(prepared: Prepared, tree: xr.DataTree, *, seed: int, scale: float, until: date | None = None) -> AtNoise:
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
    """
    draws, chains = thin(*draws_of(tree))
    other = prepare(prepared.model, prepared.case, scale, prepared.priors.pool)
    ratio = log_ratio(prepared, draws, scale)
    moved = Reused(prepared, scaled(draws, scale), chains, ratio)
    found = otherwise(moved, other, tree, seed=seed, until=until)
    return AtNoise(scale, found.how, found.pareto_k, found.p)
