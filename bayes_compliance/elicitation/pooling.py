"""Several analysts' distributions of one quantity made one: linear, logarithmic, or weighted by performance.

    linear    f = sum_i w_i f_i               a true mixture: two opposed analysts stay two peaks
    log       f = prod_i f_i^w_i / constant   what all hold likely: narrower, and one peak where analysts nearly agree
    cooke     linear, with the weights of Cooke's classical model (`bayes_compliance.elicitation.cooke`)

Weights sum to 1. The logarithmic pool stays in its family where all analysts share a normal, lognormal, logit-normal,
gamma or beta. Else it is worked out on a grid of its own quantiles and stood for by a mixture of at most three normals
on the quantity's own scale (as it is, log or logit), so that the sampler meets standard families only; `log_pool` tells
how close that comes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bayes_compliance.case.vocabulary import FAMILIES
from bayes_compliance.elicitation.families import Component
from bayes_compliance.errors import Refused

POOLS = ("linear", "log", "cooke")
GRID = 2001
TAIL = 1e-6
"""Mass that a grid leaves out at each end."""

ZOOMS = 3
"""Times that the grid is drawn nearer to the mass: each makes it some hundred times finer there."""

PARTS = 3
"""Normals that stand for a logarithmic pool without closed form."""

STEPS = 500
"""Of the search for these."""


def check_pool(pool: str) -> None:
    """Refuse a way of pooling that there is not.

    Raises
    ------
    Refused
    """
    if pool not in POOLS:
        raise Refused(f"--pool: {pool!r} is no pool; allowed: {', '.join(POOLS)}")


class Pooled(NamedTuple):
    """Components with weights that sum to 1, and the largest gap between their distribution function and the pool's."""

    components: tuple[Component, ...]
    weights: tuple[float, ...]
    gap: float = 0.0


def log_pool(components: Sequence[Component], weights: Sequence[float]) -> Pooled:
    r"""Logarithmic opinion pool, ``f(x) \propto prod_i f_i(x)^w_i``.

    For normals with precisions :math:`\tau_i = 1/\sigma_i^2` it is normal with precision
    :math:`\tau = \sum w_i \tau_i` and mean :math:`\sum w_i \tau_i \mu_i / \tau`; for lognormals and logit-normals the
    same on their scale; a beta's and a gamma's parameters (shape and rate) are weighted means.

    Parameters
    ----------
    components : sequence of Component
        At least one; their supports overlap.
    weights : sequence of float
        Above 0; they are normalised.
    """
    w = np.array(weights, float) / np.sum(weights)
    families = {component.family for component in components}
    closed = _CLOSED.get(families.pop()) if len(families) == 1 else None
    if len(components) == 1:
        return Pooled((components[0],), (1.0,))
    if closed is not None:
        parameters = np.array([component.parameters for component in components])
        return Pooled((Component(components[0].family, tuple(map(float, closed(parameters, w)))),), (1.0,))
    return _on_grid(components, w)


def _normal(parameters: NDArray, w: NDArray) -> tuple[float, float]:
    mean, sd = parameters.T
    precision = w / sd**2
    return (precision * mean).sum() / precision.sum(), precision.sum() ** -0.5


def _gamma(parameters: NDArray, w: NDArray) -> tuple[float, float]:
    shape, scale = parameters.T
    return w @ shape, 1 / (w @ (1 / scale))


_CLOSED: dict[str, Callable[[NDArray, NDArray], tuple[float, float]]] = {
    "normal": _normal,
    "lognormal": _normal,
    "logit-normal": _normal,
    "gamma": _gamma,
    "beta": lambda parameters, w: tuple(w @ parameters),
}


class _Scale(NamedTuple):
    family: str
    to: Callable[..., NDArray]
    back: Callable[..., NDArray]
    log_slope: Callable[[NDArray], NDArray]
    """log dx/du at u."""


_LINEAR = _Scale("normal", np.asarray, np.asarray, np.zeros_like)
_LOG = _Scale("lognormal", np.log, np.exp, np.asarray)
_LOGIT = _Scale(
    "logit-normal", special.logit, special.expit, lambda u: special.log_expit(u) + special.log_expit(-u)
)  # fmt: skip


def _scale_of(components: Sequence[Component]) -> _Scale:
    scales = {FAMILIES[component.family].scale for component in components}
    return _LOGIT if "logit" in scales else _LOG if "log" in scales else _LINEAR


def _on_grid(components: Sequence[Component], w: NDArray) -> Pooled:
    scale = _scale_of(components)

    def log_density(u: NDArray) -> NDArray:
        x = scale.back(u)
        return w @ np.stack([component.distribution.logpdf(x) for component in components]) + scale.log_slope(u)

    u, below = _grid(components, scale, log_density)
    mass = np.convolve(np.diff(below), [0.5, 0.5])
    weights, mean, sd = _normals(u, mass)
    fitted = (weights * special.ndtr((u[:, None] - mean) / sd)).sum(axis=1)
    made = tuple(Component(scale.family, (float(m), float(s))) for m, s in zip(mean, sd, strict=True))
    return Pooled(made, tuple(map(float, weights)), float(abs(fitted - below).max()))


def _grid(
    components: Sequence[Component], scale: _Scale, log_density: Callable[[NDArray], NDArray]
) -> tuple[NDArray, NDArray]:
    """The pool's quantiles and their levels, from the members' quantiles and then ever nearer to where the mass is.

    A pool reaches beyond its members: a member of weight w has w times its log density. So the first points do too.
    """
    low, high = max(FAMILIES[c.family].low for c in components), min(FAMILIES[c.family].high for c in components)
    inside = np.array([max(low + 1e-300, -1e100), min(high - 1e-16, 1e100)])
    levels = special.ndtr(np.linspace(special.ndtri(TAIL), -special.ndtri(TAIL), GRID))
    theirs = np.concatenate([component.quantiles(levels) for component in components])
    theirs = scale.to(np.clip(theirs, *inside))
    least, most = scale.to(inside)
    start, stop = max(2 * theirs.min() - theirs.max(), least), min(2 * theirs.max() - theirs.min(), most)
    first = np.union1d(theirs, np.linspace(start, stop, GRID))
    u = first
    for _ in range(ZOOMS):
        u = np.union1d(first, np.interp(levels, _below(u, log_density), u))
    found, which = np.unique(np.interp(levels, _below(u, log_density), u), return_index=True)
    return found, levels[which]


def _below(u: NDArray, log_density: Callable[[NDArray], NDArray]) -> NDArray:
    """The distribution function at the points of a grid, by trapezoids; from 0 to 1."""
    log_height = log_density(u)
    height = np.exp(log_height - log_height.max())
    below = np.concatenate([[0.0], np.cumsum((height[1:] + height[:-1]) / 2 * np.diff(u))])
    return below / below[-1]


def _normals(u: NDArray, mass: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Weights, means and sds of the mixture of normals nearest to a gridded density (EM, from its quantiles)."""
    below = np.cumsum(mass)
    mean = u[np.searchsorted(below, (np.arange(PARTS) + 0.5) / PARTS).clip(0, len(u) - 1)].astype(float)
    center = mass @ u
    apart = np.gradient(u)
    sd = np.full(PARTS, np.sqrt(mass @ (u - center) ** 2) / 2)
    weights = np.full(PARTS, 1 / PARTS)
    for _ in range(STEPS):
        z = (u[:, None] - mean) / sd
        log_part = np.log(np.maximum(weights, 1e-300)) - z**2 / 2 - np.log(sd)
        share = np.exp(log_part - special.logsumexp(log_part, axis=1, keepdims=True)) * mass[:, None]
        weights = share.sum(axis=0)
        held = np.maximum(weights, 1e-300)
        mean = (share * u[:, None]).sum(axis=0) / held
        sd = np.maximum(np.sqrt((share * (u[:, None] - mean) ** 2).sum(axis=0) / held), np.interp(mean, u, apart))
    kept = weights > 1e-6
    return weights[kept] / weights[kept].sum(), mean[kept], sd[kept]
