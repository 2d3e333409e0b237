"""The density of draws under a prepared model: what a weight between two posteriors is made of."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import asking
from bayes_compliance.latents import Draws, Latents
from bayes_compliance.measurements import log_densities_of
from bayes_compliance.rows import History

if TYPE_CHECKING:
    from bayes_compliance.layout import Layout
    from bayes_compliance.models import Prepared


def log_prior(prepared: Prepared, draws: Draws) -> NDArray:
    """Log prior density of all that is judged, what only the future needs included, (...,).

    Paths and spreads are standard normal under any prior, and left out.
    """
    latents = Latents(prepared.layout)
    found = latents.log_prior({name: draws[name] for name in latents.names})
    return np.sum([values.sum(axis=-1) for values in found.values()], axis=0)


def factors(model: ModuleType, layout: Layout, draws: Draws) -> NDArray:
    """Log likelihoods of the decisions by what the model takes apart, (..., factor): rows, unless it says others."""
    own = getattr(model, "log_likelihood", None)
    if own is not None:
        return own(layout, draws)
    return asking.log_likelihood(layout, draws, asking.observed_support(model, layout, draws))


def of_rows(prepared: Prepared, draws: Draws, at: NDArray) -> NDArray:
    """Log likelihood of some rows, by position, (...,), for a model that takes the decisions apart by rows."""
    layout = prepared.layout
    if not len(at):
        return np.zeros(draws["innovation"].shape[:-1])
    rows = layout.rows_for([layout.rows.items[i] for i in at])
    slots = rows.lobby.shape[1]
    support = prepared.model.support(
        layout, rows, asking.related(layout, draws),
        asking.on_slots(layout.walk(draws["innovation"]), layout.knot_slot[at, :slots]),
        asking.on_slots(draws["spread"], layout.pair_slot[at, :slots]), History(*(part[at] for part in layout.history)),
    )  # fmt: skip
    return asking.coded(rows, draws, support, layout.outcome[at], layout.error[at]).sum(axis=-1)


def log_likelihood(prepared: Prepared, draws: Draws) -> NDArray:
    """Log likelihood of all decisions and all that is measured, (...,); marginal over types where the model has any."""
    model, layout = prepared.model, prepared.layout
    found = factors(model, layout, draws)
    measured = log_densities_of(layout, draws, model.support).sum(axis=0) if layout.measured else 0.0
    return found.sum(axis=-1) + measured
