"""One decision more, or a judgement changed: the forecast from draws that are there, while weights can carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayes_compliance import models, seeds
from bayes_compliance.errors import Refused
from bayes_compliance.forecast import thin
from bayes_compliance.inference import completed
from bayes_compliance.inference.carry import carry
from bayes_compliance.inference.density import log_likelihood, log_prior
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.validation.otherwise import Reused, otherwise
from bayes_compliance.validation.without import at_constants, same_latents

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr

    from bayes_compliance.case import Case
    from bayes_compliance.layout import Layout
    from bayes_compliance.models import Prepared
    from bayes_compliance.runs import Run


class Updated(NamedTuple):
    """Probabilities of compliance on the last date, by state and rule, before and after a change.

    Attributes
    ----------
    how : str
        ``reweighted``, ``fitted anew``, or that weights cannot tell; see `bayes_compliance.validation.otherwise`.
    pareto_k : float
        Of the weights; infinite where the draws cannot serve at all.
    until : date
    before, after : dict of (state, rule) to float
        `after` is empty where weights cannot carry it and no fit was asked for.
    """

    how: str
    pareto_k: float
    until: date
    before: dict[tuple[str, str], float]
    after: dict[tuple[str, str], float]


def update(done: Run, case: Case, *, refit: bool = True) -> Updated:
    r"""What a run would say had it known more: its draws, weighted by what has changed, or a fit where k forbids it.

    The weight of a draw is :math:`p_{new}(\theta) p(y_{new} | \theta) / p_{old}(\theta) p(y_{old} | \theta)`, Pareto
    smoothed (Vehtari et al. 2024). Paths at the dates of new decisions are drawn given those at the old ones.

    Parameters
    ----------
    done : Run
        With a forecast.
    case : Case
        The same states, rules and lobbies, with other decisions or judgements.
    refit : bool
        Fit anew, as the run was fitted, where Pareto k is above its limit.

    Raises
    ------
    Refused
        If the run has no forecast, or the case is another one.
    """
    if done.forecast is None:
        raise Refused("update: the run has no forecast; allowed: what `run` gives")
    settings, old = done.summary["settings"], done.prepared
    new = models.prepare(old.model, case, pool=settings.get("pool", "linear"))
    _check_same(old.layout, new.layout)
    last = done.forecast.dataset["p_today"].isel(time=-1)
    until = last["time"].values.astype("datetime64[D]").item()
    reused = reuse(old, new, done.tree, done.forecast.dataset, settings["seed"]) if same_latents(old, new) else None
    found = otherwise(reused, new, done.tree, seed=settings["seed"], until=until, refit=refit)
    before = {
        (str(s), str(r)): float(p.mean())
        for s in last["state"].values
        for r in last["rule"].values
        if np.isfinite(p := last.sel(state=s, rule=r).values).all()
    }
    return Updated(found.how, found.pareto_k, until, before, found.p)


def reuse(old: Prepared, new: Prepared, tree: xr.DataTree, forecast: xr.Dataset, seed: int) -> Reused:
    """The draws as draws of the new posterior, with their log density ratio.

    Where neither a decision nor a constant has changed, the forecast of each draw is the same and is taken over.
    """
    draws, chains = thin(*draws_of(tree))
    moved = at_constants(new, carry(draws, old.layout, new.layout, seeds.generator(seed, "carry")))
    same = _same_rows(old.layout, new.layout) and all(np.array_equal(moved[name], draws[name]) for name in draws)
    ratio = log_prior(new, moved) - log_prior(old, draws)
    if same and not old.layout.measured.groups:  # a group's level is taken about the prior medians
        return Reused(new, moved, chains, ratio, forecast["p_today"].isel(time=-1))
    ratio = ratio + log_likelihood(new, moved) - log_likelihood(old, draws)
    one_chain = {name: values[None] for name, values in moved.items()}
    moved = {k: v[0] for k, v in completed(new, one_chain, seeds.generator(seed, "complete")).items()}
    return Reused(new, moved, chains, ratio)


def _same_rows(old: Layout, new: Layout) -> bool:
    return (
        old.rows.items == new.rows.items
        and np.array_equal(old.outcome, new.outcome)
        and np.array_equal(old.error, new.error)
        and all(np.array_equal(a, b) for a, b in zip(old.history, new.history, strict=True))
    )


def _check_same(old: Layout, new: Layout) -> None:
    for what in ("states", "rules", "lobbies"):
        mine, theirs = ([part.id for part in getattr(layout.case, what)] for layout in (old, new))
        if mine != theirs:
            other = ", ".join(sorted({*mine} ^ {*theirs})) or "their order"
            raise Refused(
                f"case.toml: {what} are others than those of the run ({other}); allowed: the same, or a new run"
            )
