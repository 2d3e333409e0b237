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
from bayes_compliance.case.vocabulary import ALL
from bayes_compliance.errors import Refused
from bayes_compliance.forecast import MAX_DRAWS
from bayes_compliance.parallel import in_threads

if TYPE_CHECKING:
    from bayes_compliance.case import Case, CounterpartySet
    from bayes_compliance.models import Prepared


def bilateral_or_multilateral(
    prepared: Prepared,
    tree: xr.DataTree,
    *,
    seed: int = 1,
    until: date | None = None,
    step_years: float | None = None,
    draws: int = MAX_DRAWS,
    paths: int | None = None,
) -> xr.Dataset:
    r"""Probability of compliance under each declared set of counterparties.

    Under a set C only its members' conduct moves the L of those who deal with any of them: an L lobby counts
    :math:`w \sum_{c \in C} \omega_c q_c` instead of :math:`w \sum_c \omega_c q_c`, so that the weights kept out are
    lost and not shared out anew. A lobby that is declared by counterparty counts if any of them is in the set.

    Parameters
    ----------
    prepared : Prepared
        Its case declares `counterparty_sets`.
    tree : DataTree
    seed : int
    until, step_years
        As in `Ahead`.
    draws, paths : int
        At most so many posterior draws, and future paths for each (None: the forecast's).

    Returns
    -------
    Dataset
        `p` (state, rule, set, time), the set `all` first, and `difference` from it. NaN where a state has no
        counterparty in the set, or where what it expects of them is judged as a whole.

    Raises
    ------
    Refused
        If the case declares no sets, or an argument cannot be.
    """
    ahead = Ahead(prepared, tree, seed=seed, until=until, step_years=step_years, draws=draws, paths=paths)
    sets = prepared.case.counterparty_sets
    if not sets:
        raise Refused("case.toml: no counterparty_sets are declared; allowed: at least one [[counterparty_sets]]")
    since = prepared.case.last_decision_date()

    def among(one: CounterpartySet | None) -> NDArray:
        if one is None:
            return p_of_worlds(ahead).mean(axis=(2, 3))
        partners = {state: only for state, only in _partners(prepared.case, one).items() if only}
        alone = p_of_worlds(ahead, Alteration(since, answering=partners)).mean(axis=(2, 3))
        applies = np.array([state in partners for state, _ in ahead.grid.pairs])
        return np.where(applies[:, None], alone, np.nan)

    found = np.stack(in_threads(among, (None, *sets)), axis=1)
    data = {"p": (("set", "time"), found), "difference": (("set", "time"), found - found[:, :1])}
    return ahead.grid.dataset(data, set=[ALL, *(each.id for each in sets)])


def _partners(case: Case, only: CounterpartySet) -> dict[str, frozenset[str]]:
    """Members of the set that each state deals with; none where it does not tell them apart from the others."""
    found = {}
    for state in case.states:
        declared = [b.counterparties for b in case.lobbies if b.state == state.id and b.role == "L"]
        split = {other for others in declared for other in others or ()}
        whole = state.counterparties is None and None in declared
        dealt_with = set() if whole else {*(state.counterparties or ()), *split} - {state.id}
        found[state.id] = frozenset(dealt_with & set(only.states))
    return found
