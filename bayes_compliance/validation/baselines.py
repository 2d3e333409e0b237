"""What a forecaster without the theory would have said: base rate, persistence; and the theory without the data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import asking, worlds
from bayes_compliance.case.dates import years_between
from bayes_compliance.latents import Draws, Latents
from bayes_compliance.layout import OUTCOME
from bayes_compliance.theory import COMPLY, PARTIAL
from bayes_compliance.validation.origins import compliances

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.layout import Layout
    from bayes_compliance.models import Prepared
    from bayes_compliance.rows import Item

JEFFREYS = 0.5
"""What each outcome is counted before any decision: no probability is ever 0."""


def base_rate(case: Case) -> NDArray:
    """Shares of violate, partial and comply among all known compliance decisions, shape (3,): see `shares`."""
    return shares(np.bincount([OUTCOME[d.decision] for d in compliances(case)], minlength=3), case.outcomes)


def persistence(case: Case, items: Sequence[Item]) -> NDArray:
    """The state's last outcome on the rule again, as often as outcomes were repeated so far, shape (item, 3).

    The rest goes to the other outcomes by their base rates; where the state has no outcome on the rule, the base rate.
    """
    base, last, stay = base_rate(case), *_record(case)
    found = np.tile(base, (len(items), 1))
    for i, item in enumerate(items):
        before = last.get((item.state, item.rule))
        if before is not None:
            found[i] *= (1 - stay) / (1 - base[before])
            found[i, before] = stay
    return found


def _record(case: Case) -> tuple[dict[tuple[str, str], int], float]:
    """Last outcome of each state on each rule, and the share of decisions that repeated the one before."""
    last: dict[tuple[str, str], int] = {}
    repeats: dict[bool, int] = defaultdict(int)
    for d in compliances(case):
        outcome, before = OUTCOME[d.decision], last.get((d.state, d.rule))
        if before is not None:
            repeats[outcome == before] += 1
        last[d.state, d.rule] = outcome
    total = repeats[True] + repeats[False]
    return last, (repeats[True] + JEFFREYS) / (total + 2 * JEFFREYS)


def shares(counts: NDArray, outcomes: int) -> NDArray:
    """``(n_k + 1/2) / (n + K/2)`` for counts of violate, partial and comply, with K outcomes; of partial 0 if K = 2."""
    counted = counts + JEFFREYS
    if outcomes == 2:
        counted[PARTIAL] = 0.0
    return counted / counted.sum()


def medians(layout: Layout) -> Draws:
    """One draw of every latent at the median of its prior, paths and spreads at 0; shapes (1, item)."""
    latents = Latents(layout)
    found = {
        name: latents.fill(name, np.array([[latents.prior(name, i).median for i in latents.free[name]]]))
        for name in latents.names
    }
    return found | {"innovation": np.zeros((1, len(layout.knots))), "spread": np.zeros((1, len(layout.pairs_used)))}


def weighted_sum(prepared: Prepared, items: Sequence[Item]) -> NDArray:
    """The theory's sum at the judged medians, nothing learnt and nothing moving, shape (item, 3).

    Conduct abroad is what the record shows on the origin.
    """
    layout = prepared.layout
    draws = asking.related(layout, _typed(medians(layout)))
    answers = []
    for item in items:
        rows = layout.rows_for([item])
        history = worlds.met(layout, rows, layout.record, years_between(layout.case.reference_date, item.date))
        still = np.zeros((1, *rows.lobby.shape))
        answers.append(asking.ask(prepared.model, layout, rows, draws, still, still, history))
    comply, violate = (np.concatenate([getattr(a, p)[0] for a in answers]) for p in ("p_comply", "p_violate"))
    return three(comply, violate)


def _typed(draws: Draws) -> Draws:
    """Every state of the type that it is likelier to be, where the model has types."""
    return draws | {"sincere": (draws["sincerity"] >= 0.5).astype(float)} if "sincerity" in draws else draws


def three(comply: NDArray, violate: NDArray) -> NDArray:
    """Probabilities of violate, partial and comply along a last axis."""
    found = np.stack([violate, np.maximum(1 - comply - violate, 0.0), comply], axis=-1)
    assert found.shape[-1] == COMPLY + 1
    return found / found.sum(axis=-1, keepdims=True)
