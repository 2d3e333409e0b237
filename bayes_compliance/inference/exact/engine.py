"""Evidence, forecast and independent draws of a case that is linear in normal latents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special

from bayes_compliance import seeds, worlds
from bayes_compliance.errors import Refused
from bayes_compliance.inference.exact.box import Box, box, draw
from bayes_compliance.inference.exact.integrate import Beyond, Integral, Part, integrate
from bayes_compliance.inference.exact.linear import Component, Linear
from bayes_compliance.latents import AHEAD_ONLY, Draws
from bayes_compliance.rows import History, Item

if TYPE_CHECKING:
    from bayes_compliance.case import Decision
    from bayes_compliance.models import Prepared

TARGET = 5e-4
"""Relative error of the evidence at which no more points are spent."""


class Evidence(NamedTuple):
    """Log probability of the decisions under the prior, and its standard error (the relative error of p)."""

    log_p: float
    error: float


class Chances(NamedTuple):
    """Chances that further decisions comply and violate (partial is the rest), and standard errors; (item,) each."""

    comply: NDArray
    violate: NDArray
    error: NDArray


def evidence(prepared: Prepared, *, seed: int = 1, target: float = TARGET) -> Evidence:
    """Probability of the observed decisions under the prior, ``p(y) = Phi_n(D xi; D Om D' + sigma^2 I)``.

    Parameters
    ----------
    prepared : Prepared
    seed : int
    target : float
        Relative standard error at which to stop.

    Raises
    ------
    Refused
        With every reason for which this engine cannot do the case.
    """
    if not len(prepared.layout.rows):
        Linear(prepared)
        return Evidence(0.0, 0.0)
    found = _evidence(Linear(prepared), seeds.sequence(seed, "evidence"), target)
    return Evidence(found.log_p, found.error)


def _evidence(linear: Linear, seed: np.random.SeedSequence, target: float) -> Integral:
    parts = [Part(c.log_weight, _box(linear, c, len(linear.offset)), _nothing) for c in linear.components]
    return integrate(parts, seed, target)


def _nothing(e: NDArray) -> NDArray:
    return np.zeros((len(e), 0))


def _box(linear: Linear, component: Component, rows: int) -> Box:
    """The box of the first rows under one component."""
    xi = linear.mean(component)[:rows]
    lower, upper = (bound[:rows] - xi for bound in linear.bounds(linear.layout.outcome))
    return box(linear.covariance(component)[:rows, :rows], lower, upper)


def forecast(prepared: Prepared, items: Sequence[Item], *, seed: int = 1, target: float = TARGET) -> Chances:
    """Chance of each further decision given those observed, ``P(y_new | y) = P(y, y_new) / P(y)``, on common points.

    Each item is asked by itself, given observed conduct: none of the others has happened.

    Parameters
    ----------
    prepared : Prepared
    items : sequence of Item
        Dates after the last decision observed.
    seed, target
        As for `evidence`.

    Raises
    ------
    Refused
        As for `evidence`; or if an item does not come after the last decision.
    """
    layout = prepared.layout
    last = max((d.date for d in layout.decisions), default=None)
    early = [item for item in items if last is not None and item.date <= last]
    if early:
        raise Refused(f"--until: {early[0].date} is not after the last decision; allowed: a date after {last}")
    linear = Linear(*_extended(prepared, items))
    n = len(layout.rows)
    parts = []
    for component in linear.components:
        observed = _box(linear, component, n)
        parts.append(Part(component.log_weight, observed, _beyond(linear, component, observed)))
    found = integrate(parts, seeds.sequence(seed, "evidence"), target)
    chance = found.chance.reshape(2, -1)
    return Chances(chance[0], chance[1], found.chance_error.reshape(2, -1).max(axis=0))


def _extended(prepared: Prepared, items: Sequence[Item]) -> tuple[Prepared, History]:
    """The case with a row more for each item, and what those rows met: the record as observed."""
    from bayes_compliance.layout import Layout

    layout = prepared.layout
    case = prepared.case.model_copy(
        update={"decisions": (*prepared.case.decisions, *(_decision(item, i) for i, item in enumerate(items)))}
    )
    longer = Layout(case, prepared.priors)
    met = [worlds.met(layout, layout.rows_for([item]), layout.record, layout.time(item.date)) for item in items]
    history = History(*(np.concatenate(parts) for parts in zip(layout.history, *met, strict=True)))
    return prepared._replace(case=case, layout=longer), history


def _decision(item: Item, number: int) -> Decision:
    from bayes_compliance.case import Decision

    said = {"kind": item.stage, "decision": "adhere" if item.stage == "adherence" else "comply"}
    said |= {"state": item.state, "rule": item.rule, "note": f"asked {number}"}
    return Decision.model_validate({"date": item.date, "date_end": item.date, **said})


def _beyond(linear: Linear, component: Component, observed: Box) -> Beyond:
    """Chances of comply, then of violate, for each row beyond the box, given the standard normals inside it."""
    n = len(observed)
    covariance, xi, width = linear.covariance(component), linear.mean(component)[n:], linear.width[n:]
    across = covariance[observed.order, n:]
    load = linalg.solve_triangular(observed.factor, across, lower=True)
    sd = np.sqrt(np.diag(covariance)[n:] - (load**2).sum(axis=0))

    def chances(e: NDArray) -> NDArray:
        margin = xi + e @ load
        return np.hstack([special.ndtr((margin - width) / sd), special.ndtr((-width - margin) / sd)])

    return chances


def sample(prepared: Prepared, *, draws: int, chains: int, seed: int) -> tuple[Draws, dict[str, NDArray]]:
    """Independent draws of every latent, shapes (chain, draw, item), and the share of proposals accepted.

    They are cut into chains, so that the diagnostics of the other engines apply.

    Parameters
    ----------
    prepared : Prepared
    draws, chains : int
    seed : int
        Same seed and versions: the same draws, bit for bit.

    Raises
    ------
    Refused
        With every reason for which this engine cannot do the case.
    """
    linear, n = Linear(prepared), draws * chains
    streams = np.random.SeedSequence(seed).spawn(3)
    rng = np.random.default_rng(streams[0])
    names = tuple(name for name in linear.latents.names if name not in AHEAD_ONLY)
    rest = linear.latents.draw(n, rng, names)
    which = rng.choice(len(linear.components), n, p=_shares(linear, streams[1]))
    points, accepted = np.zeros((n, linear.size)), np.zeros(n)
    for k, child in enumerate(streams[2].spawn(len(linear.components))):
        at = np.flatnonzero(which == k)
        points[at], accepted[at] = _points(linear, linear.components[k], len(at), np.random.default_rng(child))
    found = linear.draws(points, rest)
    shaped = {name: values.reshape(chains, draws, -1) for name, values in found.items()}
    return shaped, {"acceptance_rate": accepted.reshape(chains, draws)}


def _shares(linear: Linear, seed: np.random.SeedSequence) -> NDArray:
    """Posterior probability of each combination of analysts."""
    components = linear.components
    if len(components) == 1 or not len(linear.layout.rows):
        return np.exp([c.log_weight for c in components])
    children = seed.spawn(len(components))
    logs = [
        integrate([Part(c.log_weight, _box(linear, c, len(linear.offset)), _nothing)], child, 4 * TARGET).log_p
        for c, child in zip(components, children, strict=True)
    ]
    return special.softmax(logs)


def _points(linear: Linear, component: Component, n: int, rng: np.random.Generator) -> tuple[NDArray, float]:
    """Latents given the decisions: a prior draw of them and of the noise, moved to margins drawn inside the box."""
    prior = rng.standard_normal((n, linear.size)) * component.sd
    if not (n and len(linear.offset)):
        return component.mean + prior, 1.0
    inside, accepted = draw(_box(linear, component, len(linear.offset)), n, rng)
    margin = prior @ linear.slope.T + rng.standard_normal(inside.shape) * linear.noise
    gain = linalg.solve(linear.covariance(component), linear.slope * component.sd**2, assume_a="pos")
    return component.mean + prior + (inside - margin) @ gain, accepted
