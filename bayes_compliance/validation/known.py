"""A fit to be asked what other priors, constants or decisions make of its forecast, without another fit."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import seeds
from bayes_compliance.changes import unmatched
from bayes_compliance.forecast import evenly, owed, thin
from bayes_compliance.importance import weights_of
from bayes_compliance.inference import completed
from bayes_compliance.inference.carry import carry
from bayes_compliance.inference.density import log_likelihood, log_prior, of_rows
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.latents import Draws, Latents
from bayes_compliance.layout import Layout
from bayes_compliance.validation.otherwise import Reused, on_last_date

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr

    from bayes_compliance.models import Prepared

PAIR = ("state", "rule")
FEW, FUTURES = 500, 4
"""Draws, and future paths of each, by which it is told what other constants or decisions change."""


class Known:
    """A fit with its forecast of the last date.

    Parameters
    ----------
    prepared : Prepared
    tree : DataTree
    p_draw : DataArray (state, rule, sample)
        The forecast of the thinned draws on the last date.
    seed : int
    until : date
    most : int
        Draws at most by which it is told what other constants or decisions change.
    """

    def __init__(
        self, prepared: Prepared, tree: xr.DataTree, p_draw: xr.DataArray, seed: int, until: date, most: int = FEW
    ) -> None:
        self.prepared, self.tree, self.p_draw, self.seed, self.until = prepared, tree, p_draw, seed, until
        self.most = most
        self.draws, self.chains = thin(*draws_of(tree))

    @cached_property
    def density(self) -> NDArray:
        """Log prior of the draws, (draw,)."""
        return log_prior(self.prepared, self.draws)

    @cached_property
    def likelihood(self) -> NDArray:
        """Log likelihood of the draws, (draw,)."""
        return log_likelihood(self.prepared, self.draws)

    @cached_property
    def few(self) -> NDArray:
        """Positions of a few draws, evenly spaced."""
        return evenly(len(self.draws["innovation"]), self.chains, self.most)

    @cached_property
    def p_of_few(self) -> NDArray:
        """p_comply on the last date in a few futures of a few draws, (pair, draw)."""
        return self._ahead(self.prepared, self.draws)

    def _ahead(self, prepared: Prepared, draws: Draws) -> NDArray:
        some = {name: values[self.few] for name, values in draws.items()}
        return on_last_date(prepared, some, self.seed, self.until, FUTURES)

    def under(self, other: Prepared) -> tuple[Reused, NDArray]:
        """The draws as draws of another posterior, and the Monte Carlo error of what moves the forecast of each pair.

        Where neither a constant nor a decision has changed, likelihood and forecast of a draw are the same. Paths at
        the dates of new decisions are drawn given those at the old ones.
        """
        old = self.prepared.layout
        moved = at_constants(other, carry(self.draws, old, other.layout, seeds.generator(self.seed, "carry")))
        same = same_rows(old, other.layout) and all(
            np.array_equal(moved[name], self.draws[name]) for name in self.draws
        )
        if only_rows_differ(self.prepared, other):
            new, gone = only_there(other.layout, old), only_there(old, other.layout)
            ratio = of_rows(other, moved, new) - of_rows(self.prepared, self.draws, gone)
        else:
            ratio = log_prior(other, moved) - self.density
            # a group's level is taken about the prior medians
            if not same or old.measured.groups or not same_proxies(self.prepared, other):
                ratio = ratio + log_likelihood(other, moved) - self.likelihood
        if same:
            return Reused(other, moved, self.chains, ratio, self.p_draw), np.zeros(len(owed(self.prepared.case)))
        moved = completed(other, moved, seeds.generator(self.seed, "complete"))
        share = weights_of(ratio).share[self.few]
        change, share = self._ahead(other, moved) - self.p_of_few, share / share.sum()
        mean = change @ share
        error = np.sqrt((change - mean[:, None]) ** 2 @ share**2)
        return Reused(other, moved, self.chains, ratio, self._moved(mean)), error

    def _moved(self, change: NDArray) -> xr.DataArray:
        """The forecast with a change added to that of each pair."""
        there = self.p_draw.copy()
        values, places = there.transpose("state", "rule", ...).values, [there[dim].values.tolist() for dim in PAIR]
        for (state, rule), by in zip(owed(self.prepared.case), change, strict=True):
            values[places[0].index(state), places[1].index(rule)] += by
        return there


def same_latents(one: Prepared, other: Prepared) -> bool:
    """Whether two sets of priors leave the same quantities free."""
    mine, theirs = Latents(one.layout).free, Latents(other.layout).free
    return mine.keys() == theirs.keys() and all(np.array_equal(mine[name], theirs[name]) for name in mine)


def at_constants(other: Prepared, draws: Draws) -> Draws:
    """The draws with the constants of the other priors in place."""
    latents = Latents(other.layout)
    whole = {name: latents.fill(name, draws[name][..., latents.free[name]]) for name in latents.names}
    return {**draws, **whole}


def only_rows_differ(one: Prepared, other: Prepared) -> bool:
    """Whether judgements and proxies are the same, and each row's likelihood is its own."""
    return (
        type(other.layout) is Layout
        and not hasattr(other.model, "log_likelihood")
        and repr(one.priors.quantities) == repr(other.priors.quantities)
        and same_proxies(one, other)
    )


def same_proxies(one: Prepared, other: Prepared) -> bool:
    """Whether the same is measured."""
    return one.case.proxies == other.case.proxies and one.case.measure_proxies == other.case.measure_proxies


def only_there(one: Layout, other: Layout) -> NDArray:
    """Positions of the first layout's rows that the other has not, decided and met alike."""

    def told(layout: Layout) -> list[tuple[object, ...]]:
        met = zip(*(part.tolist() for part in layout.history), strict=True)
        coded = zip(layout.rows.items, layout.outcome.tolist(), layout.error.tolist(), strict=True)
        return [(*row, repr(history)) for row, history in zip(coded, met, strict=True)]

    return np.array(unmatched(told(one), told(other)), int)


def same_rows(one: Layout, other: Layout) -> bool:
    """Whether two layouts have the same decisions, which met the same conduct."""
    return (
        one.rows.items == other.rows.items
        and np.array_equal(one.outcome, other.outcome)
        and np.array_equal(one.error, other.error)
        and all(np.array_equal(mine, theirs) for mine, theirs in zip(one.history, other.history, strict=True))
    )
