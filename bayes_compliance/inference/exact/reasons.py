"""Why the exact engine cannot do a case: one line for each reason, with its place and what would be allowed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes_compliance.rivals import by_model

if TYPE_CHECKING:
    from bayes_compliance.case import Judgement
    from bayes_compliance.layout import Layout
    from bayes_compliance.models import Prepared

MOST_COMBINATIONS = 64
"""Combinations of pooled analysts that are done one by one."""

ELSE = "or engine nuts"

IN_WORDS = {"lognormal-below": "lognormal below an upper end"}
"""Families that nobody can ask for by name."""


def structural(prepared: Prepared) -> list[str]:
    """Reasons that lie in the model, in the scale of lobbies and in the coding of decisions."""
    layout = prepared.layout
    return [*_of_model(prepared), *_of_scale(layout), *_of_coding(layout), *_of_proxies(layout)]


def _of_proxies(layout: Layout) -> list[str]:
    if not layout.measured:
        return []
    what = "proxies are measurements, which engine exact does not weigh"
    return [f"case.toml:1: measure_proxies: {what}; allowed to engine exact: none, {ELSE}"]


def _of_model(prepared: Prepared) -> list[str]:
    from bayes_compliance.models import load, short

    # the latents and the likelihood that are solved here are those of coalition's build()
    if prepared.model.build is load("coalition").build and not hasattr(prepared.model, "complete"):
        return []
    name = short(prepared.model)
    what = f"engine exact cannot tell what model {name!r} adds in its own build()"
    return [f"--model: {what}; allowed: coalition or a model that shares its build(), {ELSE}"]


def _of_scale(layout: Layout) -> list[str]:
    rows = layout.rows
    used = rows.log & (rows.weight != 0) & ((layout.knot_slot >= 0) | (layout.pair_slot >= 0))
    moved = [layout.case.lobbies[i] for i in np.unique(rows.lobby[used])]
    if not moved:
        return []
    allowed = f'allowed to engine exact: scale = "linear", {ELSE}'
    return [f"case.toml: lobbies: {_names(b.id for b in moved)} on the log scale; {allowed}"]


def _names(ids: Iterable[str]) -> str:
    return ", ".join(map(repr, ids))


def _of_coding(layout: Layout) -> list[str]:
    doubtful = [d for d in layout.decisions if d.confidence != "certain"]
    if not doubtful:
        return []
    rows = ", ".join(str(d.row) for d in sorted(doubtful, key=lambda d: d.row))
    what = f"{len(doubtful)} of {len(layout.decisions)} decisions may be miscoded"
    return [f"decisions.csv:{rows}: confidence: {what}; allowed to engine exact: certain, {ELSE}"]


def not_normal(prepared: Prepared, items: Sequence[tuple[str, int]]) -> list[str]:
    """Quantities on which the rows depend and that are uncertain and not normal; one line for each form."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for name, i in items:
        found[name, _form(prepared, name, i)].append(i)
    return [_uncertain(prepared, name, form, positions) for (name, form), positions in found.items()]


def _form(prepared: Prepared, name: str, position: int) -> str:
    prior = prepared.priors.quantities[name].priors[position]
    assert prior is not None
    forms = " and ".join(sorted({IN_WORDS.get(c.family, c.family) for c in prior.components}))
    return forms if _judged(prepared, name, position) else f"{forms}, by default"


def _judged(prepared: Prepared, name: str, position: int) -> list[Judgement]:
    """The judgements of one quantity: of the lobby, of the state, or of all states."""
    judged = [item.judgement for item in prepared.priors.fitted if item.judgement.quantity == name]
    key = _key(prepared, name, position)
    if prepared.priors.quantities[name].dim == "lobby":
        return [j for j in judged if j.lobby == key]
    return [j for j in judged if j.state == key] or [j for j in judged if not j.state]


def _key(prepared: Prepared, name: str, position: int) -> str:
    of_lobby = prepared.priors.quantities[name].dim == "lobby"
    return (prepared.case.lobbies if of_lobby else prepared.case.states)[position].id


def _uncertain(prepared: Prepared, name: str, form: str, positions: Sequence[int]) -> str:
    from bayes_compliance.models import short

    judged = [judgement for i in positions for judgement in _judged(prepared, name, i)]
    who = f"{prepared.priors.quantities[name].dim} {_names(_key(prepared, name, i) for i in positions)}"
    model = short(prepared.model)
    if judged and all(judgement.analyst == by_model(model) for judgement in judged):
        what = f"model {model!r} itself judges {name} of {who} to be uncertain ({form})"
        return f"--model: {what}; allowed to engine exact: another model, {ELSE}"
    rows = sorted({judgement.row for judgement in judged})
    place = "judgements.csv" + (f":{', '.join(map(str, rows))}" if rows else "")
    normal = "a normal judgement, " if name == "magnitude" else ""
    allowed = f"allowed to engine exact: {normal}three equal quantiles, {ELSE}"
    return f"{place}: quantity: {name} of {who} is uncertain ({form}); {allowed}"


def not_linear(layout: Layout, row: int) -> str:
    """Net support of a row is not linear in the normal latents, for a reason that was not foreseen."""
    return (
        f"case.toml: lobbies: net support of {layout.labels[row]!r} is not linear in the normal latents; "
        f"allowed to engine exact: a model and a case in which it is, {ELSE}"
    )
