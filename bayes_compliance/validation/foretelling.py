"""From a posterior at an origin to the decisions that came next, each on its own date."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import seeds
from bayes_compliance.forecast import futures, thin
from bayes_compliance.inference.diagnostics import mean_error
from bayes_compliance.inference.tree import completed
from bayes_compliance.latents import AHEAD_ONLY, Draws, Latents, end_to_end
from bayes_compliance.theory import COMPLY
from bayes_compliance.validation.baselines import three
from bayes_compliance.worlds import Day

if TYPE_CHECKING:
    from bayes_compliance.layout import Layout
    from bayes_compliance.models import Prepared
    from bayes_compliance.validation.origins import Target, View


class Foretold(NamedTuple):
    """Probabilities (target, 3), their largest Monte Carlo error, and simulated numbers of compliances, (world,)."""

    p: NDArray
    mc_error: float
    compliances: NDArray


def known_of(prepared: Prepared, view: View) -> Prepared:
    """The model with what was known at an origin."""
    return prepared._replace(case=view.layout.case, layout=view.layout)


def foretell(
    prepared: Prepared,
    draws: Draws,
    targets: Sequence[Target],
    seed: int,
    observed: bool = True,
    weights: NDArray | None = None,
) -> Foretold:
    """Probabilities of each outcome of the targets, each on its date, conduct between them simulated.

    Parameters
    ----------
    prepared : Prepared
        What is known.
    draws : dict of array (chain, draw, item)
    targets : sequence of Target
        By date.
    seed : int
    observed : bool
        Whether the draws are a posterior; else they are from the prior.
    weights : array (chain * draw,) or None
        Weights of the draws, with sum 1; default equal. With weights all draws are used.
    """
    layout = prepared.layout
    chains, n = draws["innovation"].shape[:2]
    later = Latents(layout).draw(chains * n, seeds.generator(seed, "ahead"), AHEAD_ONLY)
    draws = draws | {name: values.reshape(chains, n, -1) for name, values in later.items()}
    draws = completed(prepared, draws, seeds.generator(seed, "complete"), observed)
    flat = end_to_end(draws)
    if weights is None:
        flat, chains = thin(flat, chains)
    p, counts = _simulated(prepared, _days(layout, targets), flat, seeds.integer(seed, "worlds"))
    series = p[..., COMPLY].T.reshape(len(targets), chains, -1)
    error = mean_error(series) if series.shape[-1] >= 4 else np.zeros(len(targets))
    if weights is None:
        return Foretold(p.mean(axis=0), float(error.max()), counts.ravel())
    mean = np.einsum("d,dto->to", weights, p)
    drawn = seeds.generator(seed, "resample").choice(len(weights), len(weights), p=weights)
    return Foretold(mean, float(_weighted_error(p[..., COMPLY], weights, error).max()), counts[drawn].ravel())


def _weighted_error(p: NDArray, weights: NDArray, error: NDArray) -> NDArray:
    """Monte Carlo error of weighted means, (target,): by the weights, times what the chains add by their dependence."""
    alone = p.std(axis=0) / np.sqrt(len(p))
    dependence = np.divide(error, alone, out=np.ones_like(error), where=alone > 0)
    spread = np.sqrt(weights**2 @ (p - weights @ p) ** 2)
    return spread * np.maximum(dependence, 1.0)


def _days(layout: Layout, targets: Sequence[Target]) -> list[Day]:
    days = []
    for day, some in groupby(targets, key=lambda target: target.item.date):
        rows = layout.rows_for([target.item for target in some])
        every = np.ones(len(rows), bool)
        days.append(Day(day, rows, every, every))
    return days


def _simulated(prepared: Prepared, days: list[Day], draws: Draws, seed: int) -> tuple[NDArray, NDArray]:
    """Probabilities by draw, (draw, target, 3), and numbers of compliances, (draw, path)."""
    sizes = [len(day.rows) for day in days]
    parts, numbers = [], []
    for _, future in futures(prepared.model, prepared.layout, days, draws, seed):
        by_day, complied = [], 0
        for size, moment in zip(sizes, future.run(), strict=True):
            shape = (*moment.outcome.shape[:2], moment.outcome.shape[-1])
            comply, violate = (np.broadcast_to(q, shape)[..., :size] for q in moment.answer[1:])
            by_day.append(three(comply.mean(axis=1), violate.mean(axis=1)))
            complied = complied + (moment.outcome[..., :size] == COMPLY).sum(axis=-1)
        parts.append(np.concatenate(by_day, axis=1))
        numbers.append(np.asarray(complied))
    return np.concatenate(parts), np.concatenate(numbers)
