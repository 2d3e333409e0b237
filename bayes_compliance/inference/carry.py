"""Draws of one layout as draws of another of the same case, with other decisions: paths and spreads carried over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bayes_compliance.latents import Draws
    from bayes_compliance.layout import Layout


def carry(draws: Draws, old: Layout, new: Layout, rng: np.random.Generator | None = None) -> Draws:
    """Draws (..., item) of the old layout's latents as those of the new one.

    Judged quantities stay. Paths at dates and spreads of pairs that only the old layout has are left out; those that
    only the new one has are drawn given the others: W at the new dates is normal given W at the old ones.

    Parameters
    ----------
    draws : dict of array (..., item)
    old, new : Layout
        With the same lobbies, laws of motion and pairs.
    rng : Generator or None
        Needed where the new layout has dates or pairs that the old one has not.

    Raises
    ------
    ValueError
        If it is needed and None.
    """
    if old.knots == new.knots and np.array_equal(old.pairs_used, new.pairs_used):
        return draws
    return draws | {"innovation": _paths(draws["innovation"], old, new, rng), "spread": _spreads(draws, old, new, rng)}


def _paths(innovation: NDArray, old: Layout, new: Layout, rng: np.random.Generator | None) -> NDArray:
    place = {knot: i for i, knot in enumerate(old.knots)}
    walk = old.walk(innovation)
    found = np.zeros((*innovation.shape[:-1], len(new.knots)))
    for lobby in range(len(new.paths)):
        where, before = new.knots_of(lobby), old.knots_of(lobby)
        if [new.knots[i] for i in where] == [old.knots[i] for i in before]:
            found[..., where] = innovation[..., before]
            continue
        factor = new.path_factors[lobby]
        both = np.array([new.knots[i] in place for i in where], bool)
        told = walk[..., [place[new.knots[i]] for i in where[both]]]
        seen = factor[both]
        shape = (*told.shape[:-1], len(where))
        free = np.zeros(shape) if both.all() else np.asarray(_needed(rng).standard_normal(shape))
        # Matheron's rule: a draw from the prior, moved by what it lacks at the dates that are told
        gain = np.linalg.solve(seen @ seen.T, seen)
        found[..., where] = free + (told - free @ seen.T) @ gain
    return found


def _spreads(draws: Draws, old: Layout, new: Layout, rng: np.random.Generator | None) -> NDArray:
    place = {int(pair): i for i, pair in enumerate(old.pairs_used)}
    both = np.array([int(pair) in place for pair in new.pairs_used], bool)
    shape = (*draws["spread"].shape[:-1], len(new.pairs_used))
    found = np.zeros(shape) if both.all() else _needed(rng).standard_normal(shape)
    found[..., both] = draws["spread"][..., [place[int(pair)] for pair in new.pairs_used[both]]]
    return found


def _needed(rng: np.random.Generator | None) -> np.random.Generator:
    if rng is None:
        raise ValueError("the new layout has dates or pairs that the old one has not: rng is needed")
    return rng
