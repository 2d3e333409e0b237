"""PyMC variables of a layout: judged quantities by family, slots, and the decisions' likelihood."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.distributions.transforms import Interval, logodds

from bayes_compliance import theory
from bayes_compliance.latents import AHEAD_ONLY, JUDGED, Latents, by_form, flat, form, groups, parameters, relation
from bayes_compliance.measurements import log_density

if TYPE_CHECKING:
    from bayes_compliance.elicitation import Prior
    from bayes_compliance.layout import Layout

_FAMILIES: dict[str, Callable[..., tuple[Any, dict[str, Any]]]] = {
    "normal": lambda mean, sd: (pm.Normal, {"mu": mean, "sigma": sd}),
    "lognormal": lambda mu, sigma: (pm.LogNormal, {"mu": mu, "sigma": sigma}),
    # without the mass below the upper end, which `judged` puts in: in the graph it adds a quarter to a compilation
    "lognormal-below": lambda mu, sigma, high: (
        pm.LogNormal,
        {"mu": mu, "sigma": sigma, "default_transform": Interval(bounds_fn=lambda *_: (0.0, high))},
    ),
    "gamma": lambda shape, scale: (pm.Gamma, {"alpha": shape, "beta": 1 / scale}),
    "beta": lambda a, b: (pm.Beta, {"alpha": a, "beta": b}),
    "student-t": lambda df, loc, scale: (pm.StudentT, {"nu": df, "mu": loc, "sigma": scale}),
    "skew-normal": lambda loc, scale, shape: (pm.SkewNormal, {"mu": loc, "sigma": scale, "alpha": shape}),
    "logit-normal": lambda mu, sigma: (pm.LogitNormal, {"mu": mu, "sigma": sigma, "default_transform": logodds}),
}


def judged(layout: Layout) -> dict[str, Any]:
    """Judged quantities as vectors along their dim: constants as arrays, free ones as PyMC variables; in a model.

    The priors' parameters are data named `JUDGED`, so that one compiled model serves all judgements of like form.
    """
    latents = Latents(layout)
    data = pytensor.shared(values := flat(layout), name=JUDGED, shape=values.shape)
    first = 0

    def take(*shape: int) -> Any:
        nonlocal first
        first += (n := prod(shape))
        return data[first - n : first].reshape(shape)

    variables = {
        label: variable(label, priors, [take(*values.shape) for values in parameters(priors)])
        for label, priors in by_form(latents).items()
    }
    constants = {name: take(len(where)) for name, where in latents.scaled.items()}
    pm.Potential("below_upper_ends", -take(1)[0])
    x = {
        name: _vector(latents, name, variables, constants.get(name))
        for name in latents.names if name not in AHEAD_ONLY
    }  # fmt: skip
    judged_discount, for_ever = layout.relations
    x["shadow"], x["discount"] = relation(x, judged_discount, for_ever)
    return x


def _vector(latents: Latents, name: str, variables: dict[str, Any], constants: Any) -> Any:
    fixed, scaled = latents.fixed(name), latents.scaled.get(name, np.zeros(0, int))
    parts = groups(latents, name) if len(latents.free[name]) else {}
    pieces = [(variables[label], where) for label, where in parts.items()]
    if len(scaled):
        pieces.append((constants, scaled))
    if not pieces:
        return fixed
    known = np.setdiff1d(np.flatnonzero(~np.isnan(fixed)), scaled)
    if len(known):
        pieces.insert(0, (fixed[known], known))
    values, at = zip(*pieces, strict=True)
    return values[0] if len(pieces) == 1 else pt.concatenate(values)[np.argsort(np.concatenate(at))]


def variable(label: str, priors: Sequence[Prior], numbers: Iterable[Any] | None = None) -> Any:
    """A vector of PyMC with these priors, all of one form; in a model.

    Parameters
    ----------
    label : str
    priors : sequence of Prior
    numbers : iterable or None
        `parameters` of priors of this form, if they are not those of the priors themselves.
    """
    left = list(parameters(priors) if numbers is None else numbers)
    families, size = form(priors[0]), len(priors)
    if max(len(prior.components) for prior in priors) == 1:
        distribution, arguments = _FAMILIES[families[0]](*left)
        return distribution(label, **arguments, shape=size)
    if len(families) == 1 and families != ("logit-normal",):
        distribution, arguments = _FAMILIES[families[0]](*left[1:])
        return pm.Mixture(label, w=left[0], comp_dists=distribution.dist(**arguments), shape=size)
    each = [(component.family, len(component.parameters)) for component in priors[0].components]
    if len(families) == 1:
        most = max(len(prior.components) for prior in priors)
        each, left = each[:1] * most, [column[:, k] for k in range(most) for column in left]
    if "logit-normal" in families:
        return pm.CustomDist(label, *left, logp=_mixture_of_shares(each), shape=size, default_transform=logodds)
    weights, parts = zip(*_components(each, left, shape=size), strict=True)
    return pm.Mixture(label, w=pt.stack(weights, axis=-1), comp_dists=parts, shape=size)


def _components(families: Sequence[tuple[str, int]], numbers: Iterable[Any], **more: Any) -> Iterator[tuple[Any, Any]]:
    """Weight and distribution of each component, from its weight and its so many parameters, one after the other."""
    left = list(numbers)
    for family, n in families:
        weight, *own = left[: n + 1]
        del left[: n + 1]
        distribution, arguments = _FAMILIES[family](*own)
        yield weight, distribution.dist(**{k: v for k, v in arguments.items() if k != "default_transform"}, **more)


def _mixture_of_shares(families: Sequence[tuple[str, int]]) -> Callable[..., Any]:
    """Log density of a mixture on (0, 1) with a logit-normal, whose transform `pm.Mixture` cannot find."""

    def logp(value: Any, *numbers: Any) -> Any:
        parts = [pt.log(weight) + pm.logp(one, value) for weight, one in _components(families, numbers)]
        return pt.logsumexp(pt.stack(parts, axis=-1), axis=-1)

    return logp


def on_slots(values: Any, index: NDArray) -> Any:
    """A vector spread over (row, slot) by index, 0 where the index is -1."""
    if values is None or not (index >= 0).any():
        return np.zeros(index.shape)
    return values[np.maximum(index, 0)] * (index >= 0)


def decide(layout: Layout, x: dict[str, Any], margin: Any) -> None:
    """The decisions, observed: ordered outcomes with noise sigma, miscoded with the probability of their confidence."""
    rows = layout.rows

    def logp(value: Any, margin: Any, noise: Any, width: Any) -> Any:
        return theory.coded_log_probability(margin, noise, width, layout.outcome, layout.error, rows.n_outcomes)

    if len(rows):
        pm.CustomDist("outcome", margin, *rows.scales(x), logp=logp, observed=layout.outcome, dims="decision")


def measure(layout: Layout, x: dict[str, Any], walk: Any, spread: Any, support: Callable[..., Any]) -> None:
    """The proxies that the case has for measurements, observed."""
    pm.Potential("proxies", log_density(layout, x, walk, spread, support, on_slots))
