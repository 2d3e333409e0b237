"""Each analyst's curve and the pool's, as arrays to plot."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.case.vocabulary import FAMILIES
from bayes_compliance.elicitation.families import Component
from bayes_compliance.elicitation.priors import Prior

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.elicitation.build import Member, Priors

ENDS = (0.001, 0.999)


class Curves(NamedTuple):
    """Densities of one judged quantity.

    Attributes
    ----------
    quantity, name : str
        What is judged, and the lobby or state that it is of.
    unit : str
        ``points``, or blank.
    log : bool
        Whether `x` is spaced evenly in logs: the quantity lies above 0.
    x : array (point,)
        From the lowest .1% to the highest 99.9% quantile of any analyst.
    analysts : dict of str to array (point,)
        Density of each analyst, per unit of x.
    weights : dict of str to float
        Weights in the pool, summing to 1.
    pool : array (point,)
        Density of the prior that the pool became.
    medians : dict of str to float
        Of each analyst, as stated in one judgement, else of the distribution.
    median : float
        Of the pool.
    """

    quantity: str
    name: str
    unit: str
    log: bool
    x: NDArray
    analysts: dict[str, NDArray]
    weights: dict[str, float]
    pool: NDArray
    medians: dict[str, float]
    median: float


IN_POINTS = ("step", "decision_noise", "rule_spread_points", "partial_width")


def curves(case: Case, priors: Priors, points: int = 201) -> list[Curves]:
    """Curves of every judged quantity that is no known constant, in the order of `priors.quantities`.

    Parameters
    ----------
    case : Case
        The case as the model sees it.
    priors : Priors
    points : int
    """
    found = []
    for quantity, (dim, each) in priors.quantities.items():
        names = [item.id for item in (case.lobbies if dim == "lobby" else case.states)]
        for name, prior in zip(names, each, strict=True):
            members = priors.members.get((quantity, name))
            if members and prior is not None and not prior.is_constant:
                linear = dim == "lobby" and case.is_linear(case.lobby(name))
                in_points = quantity in (*IN_POINTS, "magnitude") or (quantity == "volatility" and linear)
                one = _curves(quantity, name, "points" if in_points else "", members, prior, points)
                found.append(one._replace(medians=one.medians | _stated(priors, one, members)))
    return found


def _stated(priors: Priors, one: Curves, members: tuple[Member, ...]) -> dict[str, float]:
    """The median that each analyst stated, where it stands in one judgement: a family may miss it by a hair."""
    judged: dict[str, list[float]] = {}
    for j in (fitted.judgement for fitted in priors.fitted):
        if j.quantity == one.quantity and (j.lobby or j.state) in (one.name, ""):
            judged.setdefault(j.analyst, []).append(j.p50)
    alone = Counter(member.analyst for member in members)
    return {analyst: p50 for analyst, (p50, *more) in judged.items() if not more and alone[analyst] == 1}


def _curves(
    quantity: str, name: str, unit: str, members: tuple[Member, ...], prior: Prior, points: int
) -> Curves:  # fmt: skip
    by_analyst: dict[str, list[Member]] = {}
    for member in members:
        by_analyst.setdefault(member.analyst, []).append(member)
    held = {analyst: _prior(own) for analyst, own in by_analyst.items()}
    total = sum(member.weight for member in members)
    weights = {analyst: sum(member.weight for member in own) / total for analyst, own in by_analyst.items()}
    x, log = _grid([*held.values(), prior], points)
    densities = {analyst: np.exp(one.logpdf(x)) for analyst, one in held.items()}
    medians = {analyst: median_of(one) for analyst, one in held.items()}
    return Curves(quantity, name, unit, log, x, densities, weights, np.exp(prior.logpdf(x)), medians, median_of(prior))


def median_of(prior: Prior) -> float:
    """The median, without what bisection leaves of a 0."""
    low, middle, high = prior.quantile()
    return 0.0 if abs(middle) < 1e-9 * (high - low) else float(middle)


def _prior(members: list[Member]) -> Prior:
    """An analyst's own distribution: a mixture where a ratio is of what several analysts judged."""
    parts = [(member.value, member.weight) for member in members if isinstance(member.value, Component)]
    total = sum(weight for _, weight in parts)
    return Prior(tuple(part for part, _ in parts), tuple(weight / total for _, weight in parts))


def _grid(priors: list[Prior], points: int) -> tuple[NDArray, bool]:
    ends = np.array([prior.quantile(ENDS) for prior in priors])
    low, high = float(ends.min()), float(ends.max())
    supports = [FAMILIES[part.family] for prior in priors for part in prior.components]
    log = low > 0 and all(support.low == 0 and support.high > 1 for support in supports)
    return (np.geomspace(low, high, points) if log else np.linspace(low, high, points)), log
