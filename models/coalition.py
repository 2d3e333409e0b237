"""Domestic coalitions: the article's own theory (Trachtman 2010, sections II.A to II.E).

A state's lobbies weigh in on each rule. J gains from its own state's compliance, K loses from it, L gains from the
counterparty's, P is the pro-international-law lobby and G the government itself.

    status quo   S0 = J - K                              what the state would do without the rule (II.A)
    adherence    SA = J + L + P1 + G1 - K                at t1 (II.B)
    compliance   SC = J + w q L + P2 + G2 - K            at t2 (II.C); with w q = 1 the article's inequality
                 P2 = P1 + dP, G2 = G1 + dG              breaking a promise costs more than not making it (II.D, II.E)

The decision is taken as the margin S - threshold + sigma e falls, e ~ N(0, 1): comply above c, violate below -c,
partial between. Magnitudes move from t1 to t2:

    log scale    m(t) = m0 exp(v W(t) + omega z +- beta years kept)      J, K, L, unless they are declared linear
    linear       m(t) = m0 + v W(t) + omega z +- beta years kept         in points; P and G always

with W a Brownian motion or an Ornstein-Uhlenbeck process that is 0 on the reference date, z the spread of an all-rules
lobby on each rule, and entrenchment beta >= 0 on either scale: + for J and L, which compliance feeds, - for K, which it
starves, and none for P and G. L counts w q: w is the shadow of the future and q the counterparty's conduct so far,
(a + credit) / (a + n). Where retaliation is spread over all exporters, an L counts only its dilution of w q; a lobby
that is named in advance counts all of it.

Priors are the analysts' judgements of m0, dP, dG, v, omega, w, a, sigma and c (or the stated defaults); W and z are
standard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_compliance import theory
from bayes_compliance.parts import Parts

if TYPE_CHECKING:
    import pymc as pm

    from bayes_compliance.layout import Layout
    from bayes_compliance.rows import History, Rows


def support(layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History) -> Any:
    """Net support S of each row, in points, shape (..., row): the sum of `parts`, whose arguments it takes."""
    return parts(layout, rows, x, walk, spread, history).support


def parts(layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History) -> Parts:
    """What each lobby adds to the support of each row, by its factors, shapes (..., row, slot).

    Parameters
    ----------
    layout : Layout
    rows : Rows
    x : dict
        Judged quantities, (..., lobby) or (..., state), with `shadow` and `discount` of each state worked out.
    walk, spread : array (..., row, slot)
        W of the slot's lobby on the row's date, and its z on the row's rule; 0 where there is none.
    history : History
        Conduct and compliance that the row met.
    """
    moved = rows.weight * magnitudes(layout, rows, x, walk, spread, history)
    step = rows.weight * rows.steps * x["step"][..., rows.lobby]
    if not rows.answers.any():
        return Parts(moved, step)
    return Parts(moved, step, answer(layout, rows, x, history), specificity(layout, rows, x))


def magnitudes(layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History) -> Any:
    """Magnitude of each slot's lobby on the row's date, without its step, in points, shape (..., row, slot)."""
    lobby, state = rows.lobby, rows.state
    omega = theory.namespace(x["rule_spread"], x["rule_spread_points"]).where(
        rows.log, x["rule_spread"][..., state, None], x["rule_spread_points"][..., state, None]
    )
    change = x["volatility"][..., lobby] * walk + omega * spread
    if layout.entrenches:
        change = change + x["entrenchment"][..., lobby] * rows.kept_sign * history.accrued[..., None]
    return theory.magnitude(x["magnitude"][..., lobby], change, rows.log)


def answer(layout: Layout, rows: Rows, x: dict[str, Any], history: History) -> Any:
    """Weight w q of L in each row and slot, 1 for the other lobbies: shape (..., row, slot)."""
    return answer_to(layout, rows, x, expected_conduct(layout, rows, x, history))


def answer_to(layout: Layout, rows: Rows, x: dict[str, Any], q: Any) -> Any:
    """Weight of each row and slot for a chance q, (..., row, slot), that the counterparties perform."""
    w, d = x["shadow"][..., rows.state, None], x["discount"][..., rows.state, None]
    xp = theory.namespace(q, w, d)
    wq = theory.answer_to_type(d, q) if layout.case.q_kind == "type" else w * q
    if rows.ending.any():
        wq = xp.where(rows.ending[:, None], xp.where(rows.ended[:, None], 0.0, d * q), wq)
    return xp.where(rows.answers, wq, 1.0)


def specificity(layout: Layout, rows: Rows, x: dict[str, Any]) -> Any:
    """What of L is left in each row and slot by the counterparty's performance so far, and by dilution; else 1."""
    kept = theory.specific(x["specificity"][..., rows.lobby], rows.share) if layout.specific else 1.0
    if not layout.diluted:
        return kept
    share = x["dilution"][..., rows.lobby]
    return kept * theory.namespace(share).where(rows.answers, share, 1.0)


def expected_conduct(layout: Layout, rows: Rows, x: dict[str, Any], history: History) -> Any:
    """Chance q, in each row and slot, that the counterparties perform: from their record, as foreseen or as judged."""
    judged = layout.judged_conduct[rows.state][:, None]
    if judged.all():
        return x["reciprocity"][..., rows.state, None] * np.ones(rows.lobby.shape)
    each = getattr(history, "expected", None)
    if each is None:
        each = theory.conduct(x["trust"][..., rows.state, None], history.credit, history.count)
    # a sum over counterparties, term by term: one array of all of them would be the largest by far
    seen = sum(rows.sees[..., c] * each[..., c, None] for c in range(rows.sees.shape[-1]))
    if not judged.any():
        return seen
    return theory.namespace(seen, x["reciprocity"]).where(judged, x["reciprocity"][..., rows.state, None], seen)


def build(
    layout: Layout,
    support: Callable[..., Any] = support,
    likelihood: Callable[[dict[str, Any], Callable[[dict[str, Any]], Any]], None] | None = None,
) -> pm.Model:
    """The model in PyMC: judged priors, standard innovations and spreads, and the decisions' likelihood.

    Parameters
    ----------
    layout : Layout
    support : callable
        Another model's support, with the same arguments.
    likelihood : callable or None
        Adds another likelihood, given the judged quantities and a function from these to the support of each row.
    """
    import pymc as pm

    from bayes_compliance.inference.paths import at_knots
    from bayes_compliance.inference.variables import decide, judged, measure, on_slots

    with pm.Model(coords=layout.coords, check_bounds=False) as model:
        x = judged(layout)
        innovation = pm.Normal("innovation", dims="knot") if layout.knots else None
        z = pm.Normal("spread", dims="pair") if len(layout.pairs_used) else None
        walk = None if innovation is None else at_knots(layout, innovation)

        def supported(x: dict[str, Any]) -> Any:
            return sum(
                b.total @ support(layout, b.rows, x, on_slots(walk, b.knot), on_slots(z, b.pair), b.history)
                for b in layout.blocks
            )

        if likelihood is None:
            decide(layout, x, supported(x) - layout.rows.threshold)
        else:
            likelihood(x, supported)
        if layout.measured:
            measure(layout, x, walk, z, support)
    return model
