"""Latents as functions of independent standard normal numbers z."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bayes_compliance.elicitation.distributions import Normal, Transformed
from bayes_compliance.latents import AHEAD_ONLY, Draws, Latents

if TYPE_CHECKING:
    from bayes_compliance.elicitation import Prior
    from bayes_compliance.layout import Layout

EDGE = 8.0
"""Beyond so many standard deviations, 1 in 10^15, a table's end stands."""

NODES = 2001


class Transport:
    """From z, shape (n, size), to the latents of a layout: judged quantities, then innovations, then spreads.

    Attributes
    ----------
    items : list of (quantity, position)
        Judged quantities that are free, in the order of their z.
    names : list of str
        A name for each z.
    size : int
    """

    def __init__(self, layout: Layout) -> None:
        self.layout, self.latents = layout, Latents(layout)
        self.quantities = [name for name in self.latents.names if name not in AHEAD_ONLY]
        self.items = [(name, int(i)) for name in self.quantities for i in self.latents.free[name]]
        priors = [self.latents.prior(*item) for item in self.items]
        exact = np.array([_normal_of(prior) is not None for prior in priors], bool)
        self._exact, self._tabled = np.flatnonzero(exact), np.flatnonzero(~exact)
        self._normal = [one for prior in priors if (one := _normal_of(prior)) is not None]
        self._table = np.array([quantiles_of_normal(priors[j]) for j in self._tabled]).reshape(-1, NODES)
        self.size = len(self.items) + len(layout.knots) + len(layout.pairs_used)

    @property
    def names(self) -> list[str]:
        labels, dims = self.layout.coords, self.latents.dims
        judged = [f"{name}[{labels[dims[name]][i]}]" for name, i in self.items]
        return [*judged, *(f"innovation[{k}]" for k in labels["knot"]), *(f"spread[{p}]" for p in labels["pair"])]

    def __call__(self, z: NDArray) -> Draws:
        """Draws (n, item) of every latent that a decision may depend on."""
        values, first = self._judged(z), 0
        found: Draws = {}
        for name in self.quantities:
            last = first + len(self.latents.free[name])
            found[name], first = self.latents.fill(name, values[:, first:last]), last
        knots = first + len(self.layout.knots)
        return found | {"innovation": z[:, first:knots], "spread": z[:, knots:]}

    def _judged(self, z: NDArray) -> NDArray:
        values = np.empty((len(z), len(self.items)))
        for j, (normal, back) in zip(self._exact, self._normal, strict=True):
            at = normal.mean + normal.sd * z[:, j]
            values[:, j] = at if back is None else back(at)
        values[:, self._tabled] = self._looked_up(z[:, self._tabled])
        return values

    def _looked_up(self, z: NDArray) -> NDArray:
        at = (np.clip(z, -EDGE, EDGE) + EDGE) * ((NODES - 1) / (2 * EDGE))
        node = np.minimum(at.astype(int), NODES - 2)
        low = node + NODES * np.arange(len(self._tabled))
        flat = self._table.ravel()
        return flat[low] + (at - node) * (flat[low + 1] - flat[low])


def _normal_of(prior: Prior) -> tuple[Normal, Callable[..., NDArray] | None] | None:
    """The normal of which a prior is a plain function, and the function; None where it is of another form."""
    distribution = prior.components[0].distribution
    if len(prior.components) == 1 and isinstance(distribution, Normal):
        return distribution, None
    if len(prior.components) == 1 and isinstance(distribution, Transformed):
        return distribution.normal, distribution.back
    return None


def quantiles_of_normal(prior: Prior) -> NDArray:
    """Quantiles of a prior at Phi(z) for evenly spaced z between -EDGE and EDGE, shape (NODES,).

    A pool is inverted on the quantiles of its components, between which it is interpolated.
    """
    z = np.linspace(-EDGE, EDGE, NODES)
    if len(prior.components) == 1:
        return prior.components[0].quantiles(special.ndtr(z))
    x = np.unique(np.concatenate([one.quantiles(special.ndtr(z)) for one in prior.components]))
    at = special.ndtri(prior.cdf(x))
    known = np.isfinite(at) & np.isfinite(x)
    return np.interp(z, np.maximum.accumulate(at[known]), x[known])
