"""Which prior does the answer hang on? Power-scaling of priors and likelihood, without a new fit.

A prior is what was judged, or a default where nobody judged. The posterior with one prior's density raised to the
power alpha is the present one weighted by ``density^(alpha - 1)``, smoothed by Pareto (Kallioinen, Paananen, Bürkner
and Vehtari 2024). The sensitivity of a forecast is the rate at which its distribution moves away (cumulative
Jensen-Shannon distance) as log2 alpha leaves 0; above .05 it counts. In words: alpha = 1/2 lets a prior count half,
alpha = 2 twice, as if two had agreed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.forecast import evenly
from bayes_compliance.importance import Reweighted, Weights, weights_of
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.latents import AHEAD_ONLY, Latents

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.models import Prepared

COUNTS = 0.05
"""Sensitivity from which a component counts (Kallioinen et al. 2024)."""

HALF, DOUBLE = 0.5, 2.0
CONFLICT, BOTH = "judgement and decisions pull apart", "judgement and decisions both speak"
WEAK, SETTLED = "the judgement decides", "the decisions decide"
SHIFT = 1.0
"""Prior standard deviations by which a mean must have moved before judgement and decisions are said to pull apart."""


class Hang(NamedTuple):
    """How a forecast hangs on one quantity: sensitivity, and its mean if the prior counted half or twice.

    `judged` is false where the prior is a default.
    """

    quantity: str
    of: str
    sensitivity: float
    half: Reweighted
    double: Reweighted
    judged: bool = True


@dataclass(frozen=True)
class Sensitivity:
    """What the forecast of one decision hangs on.

    Attributes
    ----------
    state, rule, date : str
    p : float
        Probability of compliance as it is.
    prior, likelihood : float
        Sensitivity to all priors together, and to the decisions.
    hangs : tuple of Hang
        By quantity with a prior, judged or default, the most sensitive first.
    """

    state: str
    rule: str
    date: str
    p: float
    prior: float
    likelihood: float
    hangs: tuple[Hang, ...]


class Conflict(NamedTuple):
    """An unknown quantity: sensitivity to its prior and to the decisions, how far its mean moved, and what that says.

    The shift is in prior standard deviations; `judged` is false where the prior is a default.
    """

    quantity: str
    of: str
    prior: float
    likelihood: float
    shift: float
    verdict: str
    judged: bool = True


class Component:
    """A density that can be scaled by a power: one judgement's prior, all of them, or the likelihood.

    Parameters
    ----------
    log_density : array (draw,)
        Chains one after the other.
    """

    def __init__(self, log_density: NDArray) -> None:
        self.log_density = log_density

    @cached_property
    def half(self) -> Weights:
        """Weights if the density counted half."""
        return weights_of((HALF - 1) * self.log_density)

    @cached_property
    def double(self) -> Weights:
        """Weights if the density counted twice."""
        return weights_of((DOUBLE - 1) * self.log_density)


def rates(values: NDArray, log_densities: Sequence[NDArray]) -> NDArray:
    r"""Sensitivity of values to each of some densities: the rate at which their distribution moves with its power.

    With P the distribution function of the values, and Q that of the values weighted by density^(alpha - 1), Q - P is
    to first order (alpha - 1) G, where G(x) is the mean over draws of the centred log density where values are x or
    less. The cumulative Jensen-Shannon distance of Q from P for each unit of log2 alpha tends to

    .. math:: \left(\frac{\ln 2}{8} \frac{\int G^2 / P \, dx}{\int P \, dx}\right)^{1/2}

    as alpha tends to 1; it is taken of the values and of their negatives, and the larger holds. `psense` of ArviZ takes
    the finite difference at alpha of .99 and 1.01 instead, one density at a time.

    Parameters
    ----------
    values : array (draw,)
    log_densities : sequence of array (draw,)

    Returns
    -------
    array (density,)
        0 for values that are all alike, and for a density that is.

    References
    ----------
    Kallioinen, Paananen, Bürkner and Vehtari (2024); Nguyen and Vreeken (2015) on the distance.
    """
    order = np.argsort(values)
    gaps, n = np.diff(values[order]), len(values)
    if not gaps.any():
        return np.zeros(len(log_densities))
    below = np.arange(1, n) / n
    squares = np.empty((len(log_densities), n - 1))
    for row, log_density in zip(squares, log_densities, strict=True):
        moved = log_density[order] - log_density[0]  # exactly 0 where all are alike
        row[:] = np.cumsum(moved - moved.mean())[:-1] / n
    squares *= squares
    sides = [squares @ (gaps / p) / (gaps @ p) for p in (below, 1 - below)]
    return np.sqrt(np.log(2) / 8 * np.maximum(*sides))


def components(prepared: Prepared, tree: xr.DataTree) -> dict[tuple[str, str], NDArray]:
    """Log prior density of each judged quantity, (chain * draw,), by quantity and the lobby or state it is of."""
    log_prior, _ = draws_of(tree, "log_prior")
    latents = Latents(prepared.layout)
    coords = prepared.layout.coords
    return {
        (name, coords[latents.dims[name]][i]): log_prior[name][:, i]
        for name in latents.names
        for i in latents.free[name]
    }


def log_likelihood(tree: xr.DataTree) -> NDArray:
    """Of all decisions, (chain * draw,)."""
    return tree["log_likelihood"]["outcome"].transpose("chain", "draw", "decision").values.sum(axis=-1).ravel()


def of_forecast(prepared: Prepared, tree: xr.DataTree, forecast: xr.Dataset) -> list[Sensitivity]:
    """What the forecast of each state and rule hangs on, at its last date.

    Parameters
    ----------
    prepared : Prepared
    tree : DataTree
        The fit, with log_prior and log_likelihood.
    forecast : Dataset
        `Forecast.dataset` of the same fit: `p_draw` (state, rule, time, sample).
    """
    parts = components(prepared, tree)
    data = log_likelihood(tree)
    prior = np.sum(list(parts.values()), axis=0) if parts else np.zeros_like(data)
    kept = evenly(len(data), tree["posterior"].sizes["chain"])  # as the forecast thins the posterior's draws
    every = {**parts, ("likelihood", ""): data, ("prior", ""): prior}
    scaled = {key: Component(density[kept]) for key, density in every.items() if key[0] not in AHEAD_ONLY}
    last = forecast["p_draw"].isel(time=-1)
    found, default = [], defaults(prepared)
    for state in last["state"].values:
        for rule in last["rule"].values:
            p = last.sel(state=state, rule=rule).values
            if np.isfinite(p).all():
                day = str(last["time"].values)[:10]
                found.append(_hangs(str(state), str(rule), day, p, scaled, default))
    return found


def defaults(prepared: Prepared) -> set[tuple[str, str]]:
    """Quantities, with the lobby or state that they are of, whose prior is a default since nobody judged them."""
    return {(one.quantity, one.name) for one in prepared.priors.defaults}


def _hangs(
    state: str, rule: str, day: str, p: NDArray, scaled: dict[tuple[str, str], Component], default: set[tuple[str, str]]
) -> Sensitivity:
    rate = dict(zip(scaled, rates(p, [part.log_density for part in scaled.values()]).tolist(), strict=True))
    hangs = [
        Hang(*key, rate[key], part.half.mean(p), part.double.mean(p), key not in default)
        for key, part in scaled.items()
        if key[1]
    ]
    ordered = sorted(hangs, key=lambda hang: (-hang.sensitivity, hang.quantity, hang.of))
    return Sensitivity(state, rule, day, float(p.mean()), rate["prior", ""], rate["likelihood", ""], tuple(ordered))


def conflicts(prepared: Prepared, tree: xr.DataTree) -> list[Conflict]:
    """Each unknown quantity by its sensitivity to its own prior and to the decisions, conflicts first.

    Where both count and the decisions have moved the mean by more than a prior standard deviation, they pull apart.
    Where only the prior counts, it decides, be it judged or a default.
    """
    (posterior, _), (before, _) = draws_of(tree), draws_of(tree, "prior")
    latents, data = Latents(prepared.layout), log_likelihood(tree)
    where = {name: {label: i for i, label in enumerate(prepared.layout.coords[d])} for name, d in latents.dims.items()}
    found, default = [], defaults(prepared)
    for (name, of), density in components(prepared, tree).items():
        if name in AHEAD_ONLY:
            continue
        values, judged = (draws[name][:, where[name][of]] for draws in (posterior, before))
        shift = float((values.mean() - judged.mean()) / judged.std())
        prior, likelihood = rates(values, [density, data]).tolist()
        verdict = _verdict(prior, likelihood, shift)
        found.append(Conflict(name, of, prior, likelihood, shift, verdict, (name, of) not in default))
    return sorted(found, key=lambda c: (c.verdict != CONFLICT, -abs(c.shift), c.quantity, c.of))


def _verdict(prior: float, likelihood: float, shift: float) -> str:
    if prior < COUNTS:
        return SETTLED
    if likelihood < COUNTS:
        return WEAK
    return CONFLICT if abs(shift) > SHIFT else BOTH
