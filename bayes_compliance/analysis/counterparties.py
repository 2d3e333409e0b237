"""Bilateral or multilateral: what reciprocity with some counterparties alone would sustain (III.A, change 6)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_compliance.alterations import Alteration
from bayes_compliance.analysis.ahead import Ahead
from bayes_compliance.analysis.scenarios import p_of_worlds
from bayes_compliance.errors import Refused
from bayes_compliance.forecast import MAX_DRAWS

if TYPE_CHECKING:
    from bayes_compliance.case import CounterpartySet
    from bayes_compliance.models import Prepared

ALL = "all"


def bilateral_or_multilateral(
    prepared: Prepared, tree: xr.DataTree, *, seed: int = 1, until: date | None = None, draws: int = MAX_DRAWS
) -> xr.Dataset:
    r"""Probability of compliance under each declared set of counterparties.

    Under a set C only its members' conduct moves L: an L lobby counts :math:`w \sum_{c \in C} \omega_c q_c` instead of
    :math:`w \sum_c \omega_c q_c`, so that the weights kept out are lost and not shared out anew. A lobby that is
    declared by counterparty counts if any of them is in the set.

    Parameters
    ----------
    prepared : Prepared
        Its case declares `counterparty_sets`.
    tree : DataTree
    seed : int
    until : date or None
        Default: the case's horizon.
    draws : int
        At most so many posterior draws.

    Returns
    -------
    Dataset
        `p` (state, rule, set, time), the set `all` first, and `difference` from it. NaN where a state has no
        counterparty in the set, or where what it expects of them is judged as a whole.
    """
    sets = prepared.case.counterparty_sets
    if not sets:
        raise Refused("case.toml: no counterparty_sets are declared; allowed: at least one [[counterparty_sets]]")
    ahead = Ahead(prepared, tree, seed=seed, until=until, draws=draws)
    since = prepared.case.last_decision_date()
    p = [p_of_worlds(ahead).mean(axis=(2, 3))]
    for each in sets:
        alone = p_of_worlds(ahead, Alteration(since, answering=frozenset(each.states))).mean(axis=(2, 3))
        p.append(np.where(_applies(ahead, each)[:, None], alone, np.nan))
    found = np.stack(p, axis=1)
    data = {"p": (("set", "time"), found), "difference": (("set", "time"), found - found[:, :1])}
    return ahead.grid.dataset(data, set=[ALL, *(each.id for each in sets)])


def _applies(ahead: Ahead, only: CounterpartySet) -> NDArray:
    """For each pair, whether the state deals with a member of the set, and is told apart from the others."""
    case = ahead.prepared.case
    partners = {}
    for state in case.states:
        declared = [b.counterparties for b in case.lobbies if b.state == state.id and b.role == "L"]
        split = [other for others in declared for other in others or ()]
        whole = state.counterparties is None and None in declared
        partners[state.id] = set() if whole else {*(state.counterparties or ()), *split} - {state.id}
    return np.array([bool(partners[state] & set(only.states)) for state, _ in ahead.grid.pairs])
