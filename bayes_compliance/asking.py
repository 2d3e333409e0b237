"""Rows put to the theory: net support and probabilities, for observed decisions and in worlds ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import theory
from bayes_compliance.latents import Draws, relation
from bayes_compliance.rows import History, Rows

if TYPE_CHECKING:
    from bayes_compliance.layout import Layout


class Answer(NamedTuple):
    """What the theory says of rows: net support in points, and probabilities of comply and violate; (..., row)."""

    support: NDArray
    p_comply: NDArray
    p_violate: NDArray


def on_slots(values: NDArray, index: NDArray) -> NDArray:
    """Values (..., item) spread over (..., row, slot) by index, 0 where the index is -1."""
    if not values.shape[-1]:
        return np.zeros((*values.shape[:-1], *index.shape))
    return values[..., np.maximum(index, 0)] * (index >= 0)


def related(layout: Layout, draws: Mapping[str, NDArray]) -> Draws:
    """Draws with the shadow weight and the effective discount worked out for every state."""
    shadow, discount = relation(draws, *layout.relations)
    return {**draws, "shadow": shadow, "discount": discount}


def ask(
    model: ModuleType, layout: Layout, rows: Rows, x: Mapping[str, Any], walk: Any, spread: Any, history: History
) -> Answer:
    """Put rows to the theory: support, then probabilities by noise and the band of partial outcomes."""
    return answered(rows, x, model.support(layout, rows, x, walk, spread, history))


def answered(rows: Rows, x: Mapping[str, Any], support: NDArray) -> Answer:
    """Net support with the probabilities that it gives each row, by noise and the band of partial outcomes."""
    return Answer(support, *theory.outcome_probabilities(support - rows.threshold, *rows.scales(x)))


def ask_observed(model: ModuleType, layout: Layout, draws: Mapping[str, NDArray]) -> Answer:
    """The observed rows under each draw, one step ahead given observed conduct."""
    return answered(layout.rows, draws, observed_support(model, layout, draws))


def observed_support(model: ModuleType, layout: Layout, draws: Mapping[str, NDArray]) -> NDArray:
    """Net support of the observed rows under each draw, (..., row): a sum over terms where the model has `parts`."""
    x, spread = related(layout, draws), draws["spread"]
    walk = layout.walk(draws["innovation"])
    if not hasattr(model, "parts"):
        slots = on_slots(walk, layout.knot_slot), on_slots(spread, layout.pair_slot)
        return model.support(layout, layout.rows, x, *slots, layout.history)
    total = np.zeros((*walk.shape[:-1], len(layout.rows)))
    for block in layout.blocks:
        slots = on_slots(walk, block.knot), on_slots(spread, block.pair)
        # a layout decided otherwise shares the blocks, and not what its rows met
        history = History(*(part[block.row] for part in layout.history))
        _add_terms(total, model.support(layout, block.rows, x, *slots, history), block.row)
    return total


class Kind(NamedTuple):
    """Slots of one kind as rows of one slot each, and the row that each is a slot of, (term,)."""

    rows: Rows
    row: NDArray


def kinds_of(rows: Rows) -> tuple[Kind, ...]:
    """The slots of rows by kind."""
    return tuple(Kind(rows.exploded(row, slot), row) for row, slot in rows.by_kind())


def support_of_worlds(
    model: ModuleType,
    layout: Layout,
    rows: Rows,
    kinds: Sequence[Kind],
    x: Mapping[str, NDArray],
    paths: NDArray,
    pairs: NDArray,
    history: Any,
) -> NDArray:
    """Net support of rows on one date in many worlds, (draw, path, row): a sum over terms where the model has `parts`.

    Parameters
    ----------
    model, layout, rows
    kinds : sequence of Kind
        Those of the rows.
    x : dict
        Quantities, (draw, 1, item).
    paths, pairs : array (draw, path, lobby) and (draw, 1 or path, pair)
        W of each lobby on the date, and the spread of each pair.
    history : History
        What the rows met, worlds (draw, path).
    """
    if not hasattr(model, "parts"):
        whole = model.support(layout, rows, x, paths[..., rows.lobby], on_slots(pairs, rows.pair), history)
        return np.broadcast_to(whole, (*paths.shape[:2], len(rows)))
    total = np.zeros((*paths.shape[:2], len(rows)))
    for kind, row in kinds:
        slots = paths[..., kind.lobby], on_slots(pairs, kind.pair)
        _add_terms(total, model.support(layout, kind, x, *slots, _on_rows(history, row)), row)
    return total


def _add_terms(total: NDArray, terms: NDArray, row: NDArray) -> None:
    """Add terms, (..., term), to the totals, (..., row), of their rows; the terms of a row stand together."""
    first = np.flatnonzero(np.diff(row, prepend=-1))
    # not a matrix product, whose rounding depends on how many draws there are
    total[..., row[first]] += np.add.reduceat(terms, first, axis=-1)


def _on_rows(history: Any, row: NDArray) -> Any:
    """A history (foreseen or not) on some of its rows."""
    found = history._asdict().items()
    return history._replace(**{n: np.take(part, row, axis=-1 if n == "accrued" else -2) for n, part in found})


def log_likelihood(layout: Layout, x: Mapping[str, Any], support: Any) -> Any:
    """Log likelihood of each coded decision, (..., row), given net support; for NumPy and PyTensor alike."""
    return coded(layout.rows, x, support, layout.outcome, layout.error)


def coded(rows: Rows, x: Mapping[str, Any], support: Any, outcome: Any, error: Any) -> Any:
    """Log probability of rows as they are coded, (..., row), given net support."""
    margin = support - rows.threshold
    return theory.coded_log_probability(margin, *rows.scales(x), outcome, error, rows.n_outcomes)


def decide(answer: Answer, uniform: NDArray) -> NDArray:
    """Outcomes 0, 1, 2 by inversion: violate below p_violate, comply above 1 - p_comply."""
    return np.where(uniform < answer.p_violate, 0, np.where(uniform < 1 - answer.p_comply, 1, 2))


def miscode(outcome: NDArray, error: NDArray, n_outcomes: NDArray, rng: np.random.Generator) -> NDArray:
    """Coded decisions: with probability `error` another of the possible outcomes, each as likely."""
    wrong = rng.random(outcome.shape) < error
    shift = np.where(n_outcomes == 3, rng.integers(1, 3, outcome.shape), 2)
    other = np.where(n_outcomes == 3, (outcome + shift) % 3, 2 - outcome)
    return np.where(wrong, other, outcome)
