"""Why the exact engine cannot do a case: one line for each reason, with its place and what would be allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bayes_compliance.layout import Layout
    from bayes_compliance.models import Prepared

MOST_COMBINATIONS = 64
"""Combinations of pooled analysts that are done one by one."""

ELSE = "or engine nuts"


def structural(prepared: Prepared) -> list[str]:
    """Reasons that lie in the model, in the scale of lobbies and in the coding of decisions."""
    return [*_of_model(prepared), *_of_scale(prepared.layout), *_of_coding(prepared.layout)]


def _of_model(prepared: Prepared) -> list[str]:
    from bayes_compliance.models import load

    # the latents and the likelihood that are solved here are those of coalition's build()
    if prepared.model.build is load("coalition").build and not hasattr(prepared.model, "complete"):
        return []
    name = prepared.model.__name__.rpartition(".")[2]
    what = f"engine exact cannot tell what model {name!r} adds in its own build()"
    return [f"--model: {what}; allowed: coalition or a model that shares its build(), {ELSE}"]


def _of_scale(layout: Layout) -> list[str]:
    rows = layout.rows
    used = rows.log & (rows.weight != 0) & ((layout.knot_slot >= 0) | (layout.pair_slot >= 0))
    moved = [layout.case.lobbies[i] for i in np.unique(rows.lobby[used])]
    allowed = f'allowed to engine exact: scale = "linear", {ELSE}'
    return [f"case.toml: lobbies: lobby {lobby.id!r} moves on the log scale; {allowed}" for lobby in moved]


def _of_coding(layout: Layout) -> list[str]:
    doubtful = [d for d in layout.decisions if d.confidence != "certain"]
    if not doubtful:
        return []
    rows = ", ".join(str(d.row) for d in sorted(doubtful, key=lambda d: d.row))
    what = f"{len(doubtful)} of {len(layout.decisions)} decisions may be miscoded"
    return [f"decisions.csv:{rows}: confidence: {what}; allowed to engine exact: certain, {ELSE}"]


def not_normal(prepared: Prepared, name: str, position: int) -> str:
    """A quantity on which the rows depend is uncertain in a way that is not normal."""
    layout = prepared.layout
    quantity = layout.priors.quantities[name]
    prior = quantity.priors[position]
    assert prior is not None
    of_lobby = quantity.dim == "lobby"
    key = (layout.case.lobbies if of_lobby else layout.case.states)[position].id
    rows = sorted(
        item.judgement.row
        for item in layout.priors.fitted
        if item.judgement.quantity == name
        and (item.judgement.lobby if of_lobby else item.judgement.state or key) == key
    )
    place = "judgements.csv" + (f":{', '.join(map(str, rows))}" if rows else "")
    forms = " and ".join(sorted({c.family for c in prior.components}))
    source = "" if rows else ", by default"
    normal = "a normal judgement, " if name == "magnitude" else ""
    what = f"{name} of {'lobby' if of_lobby else 'state'} {key!r} is uncertain ({forms}{source})"
    return f"{place}: quantity: {what}; allowed to engine exact: {normal}three equal quantiles, {ELSE}"


def not_linear(layout: Layout, row: int) -> str:
    """Net support of a row is not linear in the normal latents, for a reason that was not foreseen."""
    return (
        f"case.toml: lobbies: net support of {layout.labels[row]!r} is not linear in the normal latents; "
        f"allowed to engine exact: a model and a case in which it is, {ELSE}"
    )
