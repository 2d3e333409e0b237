"""PyMC variables of a layout: judged quantities by family, slots, and the decisions' likelihood."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayes_compliance import theory
from bayes_compliance.latents import AHEAD_ONLY, Latents, groups, relation
from bayes_compliance.measurements import log_density

if TYPE_CHECKING:
    from bayes_compliance.elicitation import Component, Prior
    from bayes_compliance.layout import Layout

_FAMILIES: dict[str, Callable[..., tuple[Any, dict[str, NDArray]]]] = {
    "normal": lambda mean, sd: (pm.Normal, {"mu": mean, "sigma": sd}),
    "lognormal": lambda mu, sigma: (pm.LogNormal, {"mu": mu, "sigma": sigma}),
    "lognormal-below": lambda mu, sigma, high: (
        pm.Truncated,
        {"dist": pm.LogNormal.dist(mu=mu, sigma=sigma), "lower": 0.0, "upper": high},
    ),
    "gamma": lambda shape, scale: (pm.Gamma, {"alpha": shape, "beta": 1 / scale}),
    "beta": lambda a, b: (pm.Beta, {"alpha": a, "beta": b}),
    "student-t": lambda df, loc, scale: (pm.StudentT, {"nu": df, "mu": loc, "sigma": scale}),
    "skew-normal": lambda loc, scale, shape: (pm.SkewNormal, {"mu": loc, "sigma": scale, "alpha": shape}),
    "logit-normal": lambda mu, sigma: (pm.LogitNormal, {"mu": mu, "sigma": sigma}),
}


def judged(layout: Layout) -> dict[str, Any]:
    """Judged quantities as vectors along their dim: constants as arrays, free ones as PyMC variables; in a model."""
    latents = Latents(layout)
    x = {name: _vector(latents, name) for name in latents.names if name not in AHEAD_ONLY}
    judged_discount, for_ever = layout.relations
    x["shadow"], x["discount"] = relation(x, judged_discount, for_ever)
    return x


def _vector(latents: Latents, name: str) -> Any:
    fixed = latents.fixed(name)
    parts = groups(latents, name) if len(latents.free[name]) else {}
    variables = [variable(label, [latents.prior(name, i) for i in where]) for label, where in parts.items()]
    if not variables:
        return fixed
    known = np.flatnonzero(~np.isnan(fixed))
    if len(variables) == 1 and not len(known):
        return variables[0]
    order = np.concatenate([known, *parts.values()])
    return pt.concatenate([fixed[known], *variables])[np.argsort(order)]


def variable(label: str, priors: list[Prior]) -> Any:
    """A vector of PyMC with these priors, all of one form; in a model."""
    if len(priors[0].components) > 1:
        return _mixture(label, priors)
    distribution, arguments = _form([prior.components[0] for prior in priors])
    return distribution(label, **arguments, shape=len(priors))


def _form(components: list[Component]) -> tuple[Any, dict[str, NDArray]]:
    parameters = np.array([component.parameters for component in components]).T
    return _FAMILIES[components[0].family](*parameters)


def _mixture(label: str, priors: list[Prior]) -> Any:
    weights = np.array([prior.weights for prior in priors])
    parts = []
    for k in range(weights.shape[1]):
        distribution, arguments = _form([prior.components[k] for prior in priors])
        parts.append(distribution.dist(**arguments, shape=len(priors)))
    return pm.Mixture(label, w=weights, comp_dists=parts, shape=len(priors))


def on_slots(values: Any, index: NDArray) -> Any:
    """A vector spread over (row, slot) by index, 0 where the index is -1."""
    if values is None or not (index >= 0).any():
        return np.zeros(index.shape)
    return values[np.maximum(index, 0)] * (index >= 0)


def decide(layout: Layout, x: dict[str, Any], margin: Any) -> None:
    """The decisions, observed: ordered outcomes with noise sigma, miscoded with the probability of their confidence."""
    state = layout.rows.state
    noise = x["decision_noise"][state]
    width = x["partial_width"][state] * (layout.n_outcomes == 3)

    def logp(value: Any, margin: Any, noise: Any, width: Any) -> Any:
        log_p = theory.outcome_log_probability(margin, noise, width, layout.outcome)
        return theory.miscoded(log_p, layout.error, layout.n_outcomes)

    if len(layout.rows):
        pm.CustomDist("outcome", margin, noise, width, logp=logp, observed=layout.outcome, dims="decision")


def measure(layout: Layout, x: dict[str, Any], innovation: Any, spread: Any, support: Callable[..., Any]) -> None:
    """The proxies that the case has for measurements, observed."""
    walk = None if innovation is None else at_knots(layout, innovation)
    pm.Potential("proxies", log_density(layout, x, walk, spread, support, on_slots))


def at_knots(layout: Layout, innovation: Any) -> Any:
    """W at the knots, `layout.path_factor @ innovation`, lobby by lobby: the factor is block-diagonal, mostly zeros."""
    groups = [where for lobby in range(len(layout.paths)) if len(where := layout.knots_of(lobby))]
    most = max(len(where) for where in groups)
    padded, blocks = np.zeros((len(groups), most), int), np.zeros((len(groups), most, most))
    position = np.zeros(len(layout.knots), int)
    for g, where in enumerate(groups):
        padded[g, : len(where)] = where
        blocks[g, : len(where), : len(where)] = layout.path_factor[np.ix_(where, where)]
        position[where] = g * most + np.arange(len(where))
    return (blocks * innovation[padded][:, None, :]).sum(-1).ravel()[position]
