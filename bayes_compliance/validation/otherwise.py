"""A forecast under other priors or constants: by weighting the draws anew where that can be trusted, else by a fit."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.forecast import HORIZON_ONLY, futures, large, plan, simulate
from bayes_compliance.importance import good_k, weights_of
from bayes_compliance.inference import diagnose
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.parallel import in_threads

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr

    from bayes_compliance.inference.diagnostics import Check
    from bayes_compliance.latents import Draws
    from bayes_compliance.models import Prepared
    from bayes_compliance.worlds import Future

REWEIGHTED, REFITTED, CANNOT_TELL = "reweighted", "fitted anew", "cannot tell without a new fit"


class Otherwise(NamedTuple):
    """Probabilities of compliance at the last date, by state and rule, and how they were found.

    `p` is empty where reweighting cannot be trusted and no fit was asked for. Of a new fit there are the diagnostics,
    `checks`, and the forecast by draw, `p_draw` (state, rule, sample).
    """

    how: str
    pareto_k: float
    p: dict[tuple[str, str], float]
    checks: tuple[Check, ...] = ()
    p_draw: xr.DataArray | None = None


class Reused(NamedTuple):
    """Draws of a fit, thinned and moved to where the other priors have their constants, and their log density ratio.

    `p_draw` is the forecast of just these draws, (state, rule, sample), on the last date, where there is one.
    """

    prepared: Prepared
    draws: Draws
    chains: int
    log_ratio: NDArray
    p_draw: xr.DataArray | None = None


def otherwise(
    reused: Reused | None,
    other: Prepared,
    tree: xr.DataTree,
    *,
    seed: int,
    until: date | None = None,
    refit: bool = False,
) -> Otherwise:
    """The forecast's last date under other priors.

    Parameters
    ----------
    reused : Reused or None
        None where the draws cannot serve: another set of latents.
    other : Prepared
        The same case under the other priors.
    tree : DataTree
        The fit, for its settings.
    seed : int
    until : date or None
        The last date; default the case's horizon.
    refit : bool
        Fit anew where Pareto k says that weights cannot carry the forecast.
    """
    until = until or other.case.horizon.until
    k = float("inf")
    if reused is not None:
        weights, k = weights_of(reused.log_ratio)
        if k <= good_k(len(weights)):
            last = reused.p_draw
            if last is None:
                last = _ahead(reused.prepared, reused.draws, reused.chains, seed, until)
            return Otherwise(REWEIGHTED, k, means(last, weights))
    if not refit:
        return Otherwise(CANNOT_TELL, k, {})
    fitted, fresh = _fitted(other, tree, seed)
    last = _ahead(fitted, *draws_of(fresh), seed, until)
    return Otherwise(REFITTED, k, means(last), tuple(diagnose(fitted, fresh)), last)


def _fitted(other: Prepared, tree: xr.DataTree, seed: int) -> tuple[Prepared, xr.DataTree]:
    """A new fit with the settings of another, the model as it was fitted in the end."""
    from bayes_compliance.inference.tree import grow
    from bayes_compliance.inference.trial import settled

    size: dict[str, Any] = {name: max(int(tree.attrs[name]), 1) for name in ("draws", "tune", "chains")}
    fitted, drawn = settled(other, engine=tree.attrs["engine"], seed=seed, **size)
    return fitted, grow(fitted, *drawn[:2], seed, drawn.attrs)


def _ahead(prepared: Prepared, draws: Draws, chains: int, seed: int, until: date) -> xr.DataArray:
    """p_draw on the last date, (state, rule, sample)."""
    layout = prepared.layout
    found = simulate(prepared.model, layout, draws, chains, seed=seed, until=until, step_years=HORIZON_ONLY)
    return found.dataset["p_draw"].isel(time=-1)


def on_last_date(prepared: Prepared, draws: Draws, seed: int, until: date, paths: int) -> NDArray:
    """p_comply on the last date, the mean over future paths, (pair, draw): pairs as `forecast.owed` has them."""
    layout = prepared.layout
    days = plan(layout, until, HORIZON_ONLY)

    def last(task: tuple[slice, Future]) -> NDArray:
        moment = deque(task[1].run(), maxlen=1)[0]
        return np.broadcast_to(moment.answer.p_comply, moment.outcome.shape).mean(axis=1).T

    tasks = futures(prepared.model, layout, days, draws, seed, paths=paths)
    return np.concatenate(in_threads(last, tasks, gains=large(days)), axis=1)


def means(last: xr.DataArray, weights: NDArray | None = None) -> dict[tuple[str, str], float]:
    """Mean over draws of p_comply, by state and rule, weighted if there are weights (with sum 1)."""
    each = last.transpose("state", "rule", ...).values
    states, rules = (list(map(str, last[dim].values)) for dim in ("state", "rule"))
    return {
        (state, rule): float(np.clip(p.mean() if weights is None else weights @ p, 0, 1))
        for state, of_state in zip(states, each, strict=True)
        for rule, p in zip(rules, of_state, strict=True)
        if np.isfinite(p).all()
    }
