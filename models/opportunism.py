"""Opportunism: a state may join for what the others will do, and not mean to keep its word.

Each state has a latent type that does not change. For a sincere state all is as in `coalition`. An insincere one counts
the counterparty's performance (L) when it joins and no longer when it is to comply:

    SA = J + L + P1 + G1 - K                  both types: they join for the same reasons
    SC = J + s w q L + P2 + G2 - K            s = 1 if sincere, 0 if not

The type is discrete, so the likelihood is marginal over it, by state,

    p(y) = pi prod_i p(y_i | s = 1) + (1 - pi) prod_i p(y_i | s = 0)

with pi the prior probability of a sincere type, and each posterior draw gets its type from its responsibility. Since
both types join alike, one adherence moves the odds of insincerity by a factor of exactly 1; what moves them is
compliance, row by row, by p(y_i | s = 0) / p(y_i | s = 1). Without an L lobby the types are one.

Priors are those of `coalition`, and `sincerity`, pi by state; with pi = 1 it is `coalition` exactly. Where no sincerity
is judged at all the model states its own: 5%, 50% and 95% quantiles .5, .8, .95.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_compliance import asking, rivals
from bayes_compliance.asking import on_slots, related
from bayes_compliance.latents import Latents
from bayes_compliance.models import load

if TYPE_CHECKING:
    import pymc as pm

    from bayes_compliance.case import Case
    from bayes_compliance.latents import Draws
    from bayes_compliance.layout import Layout
    from bayes_compliance.parts import Parts
    from bayes_compliance.rows import History, Rows

coalition = load("coalition")
USES = ("sincerity",)
SINCERITY = (0.5, 0.8, 0.95)
WHY = "most states that join mean to comply"


def recast(case: Case) -> Case:
    """The case with the model's own judgement of sincerity where there is none."""
    if any(j.quantity == "sincerity" for j in case.judgements):
        return case
    own = rivals.judgement(case, "opportunism", WHY, "sincerity", SINCERITY)
    return case.restated(judgements=(*case.judgements, own))


def support(layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History) -> Any:
    """Net support of each row for the states' types `sincere`, (..., state) of 0 and 1; arguments as in `coalition`."""
    return parts(layout, rows, x, walk, spread, history).support


def parts(layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History) -> Parts:
    """What each lobby adds to the support of each row, by its factors; the type counts with w q."""
    taken = coalition.parts(layout, rows, x, walk, spread, history)
    meant = np.where(rows.answers, x["sincere"][..., rows.state, None], 1.0)
    return taken._replace(answer=taken.answer * meant) if rows.answers.any() else taken


def by_state(layout: Layout) -> Any:
    """Sums rows to states, (row, state)."""
    return (layout.rows.state[:, None] == np.arange(len(layout.case.states))).astype(float)


def build(layout: Layout) -> pm.Model:
    """The model in PyMC; the two types' likelihoods are mixed for each state."""
    import pymc as pm
    import pytensor.tensor as pt

    def decide(x: dict[str, Any], supported: Any) -> None:
        each = [
            asking.log_likelihood(layout, x, supported(x | {"sincere": np.full(len(layout.case.states), float(type_))}))
            @ by_state(layout)
            for type_ in (0, 1)
        ]
        known = Latents(layout).fixed("sincerity")
        total = [
            each[int(known[s])][s]
            if known[s] in (0, 1)
            else pt.logaddexp(pt.log1p(-x["sincerity"][s]) + each[0][s], pt.log(x["sincerity"][s]) + each[1][s])
            for s in range(len(known))
        ]
        pm.Potential("decisions", pt.sum(total))

    return coalition.build(layout, support, decide)


def log_likelihood(layout: Layout, draws: Draws) -> Any:
    """Log likelihood of each state's decisions, marginal over its type, (..., state)."""
    insincere, sincere = (rows @ by_state(layout) for rows in by_type(layout, draws))
    with np.errstate(divide="ignore"):
        return np.logaddexp(np.log1p(-draws["sincerity"]) + insincere, np.log(draws["sincerity"]) + sincere)


def complete(layout: Layout, draws: Draws, rng: np.random.Generator, observed: bool = True) -> Draws:
    """Draws with each state's type: `p_insincere` its responsibility, `sincere` a type drawn from it; (..., state).

    Parameters
    ----------
    layout : Layout
    draws : dict of array (..., item)
    rng : Generator
    observed : bool
        Given the decisions; else from the prior.
    """
    prior = draws["sincerity"]
    odds = log_ratio(layout, draws) @ by_state(layout) if observed else np.zeros(prior.shape)
    with np.errstate(divide="ignore"):
        log_odds = np.log1p(-prior) - np.log(prior) + odds
    p_insincere = np.exp(-np.logaddexp(0.0, -log_odds))
    sincere = (rng.random(prior.shape) >= p_insincere).astype(float)
    return draws | {"sincere": sincere, "p_insincere": p_insincere}


def log_ratio(layout: Layout, draws: Draws) -> Any:
    """Log of p(row | insincere) / p(row | sincere) under each draw, (..., row)."""
    insincere, sincere = by_type(layout, draws)
    return insincere - sincere


def by_type(layout: Layout, draws: Draws) -> tuple[Any, Any]:
    """Log likelihood of each row if its state is insincere, and if it is sincere, (..., row) each."""
    x = related(layout, draws)
    walk = on_slots(layout.walk(draws["innovation"]), layout.knot_slot)
    spread = on_slots(draws["spread"], layout.pair_slot)
    n = len(layout.case.states)
    insincere, sincere = (
        asking.log_likelihood(
            layout, x, support(layout, layout.rows, x | {"sincere": type_}, walk, spread, layout.history)
        )
        for type_ in (np.zeros(n), np.ones(n))
    )
    return insincere, sincere
