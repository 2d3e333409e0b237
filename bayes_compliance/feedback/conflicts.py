"""Where an analyst's judgement of a decision and the priors part, and which magnitude would reconcile them."""

from __future__ import annotations

from math import exp, inf, isfinite, log
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayes_compliance.case.vocabulary import ANY_RULE, IMPLIED
from bayes_compliance.parts import crossing
from bayes_compliance.rows import Item

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Judgement
    from bayes_compliance.elicitation import Prior
    from bayes_compliance.feedback.imagined import Imagined
    from bayes_compliance.models import Prepared


class Move(NamedTuple):
    """A change of one lobby's magnitude: a factor (log scale) or points, and how many prior sds that is.

    `sds` is infinite for a known constant.
    """

    lobby: str
    factor: float | None
    points: float | None
    sds: float


class Conflict(NamedTuple):
    """A judged decision beside what the priors imply of it.

    Attributes
    ----------
    row : int
        Of judgements.csv.
    analyst : str
    item : Item
    judged : tuple of float
        5%, 50% and 95%.
    implied : float
        Mean over prior worlds.
    moves : tuple of Move
        Where `implied` lies outside the judged range: changes of one magnitude each that would make it p50, all else
        held, the least in prior sds first.
    told : bool
        Whether moves were looked for: the model says what each lobby adds.
    """

    row: int
    analyst: str
    item: Item
    judged: tuple[float, float, float]
    implied: float
    moves: tuple[Move, ...]
    told: bool = True

    @property
    def agrees(self) -> bool:
        """Whether the implied probability lies within the judged 5% to 95%; for a constant, within .01."""
        low, _, high = self.judged
        return low - 1e-9 <= self.implied <= high + 1e-9 or (low == high and abs(self.implied - low) < 0.01)


def judged_items(case: Case) -> list[tuple[Judgement, Item]]:
    """Judged decisions with what they are about."""
    return [(j, _item(case, j)) for j in case.judgements if j.quantity in IMPLIED]


def _item(case: Case, j: Judgement) -> Item:
    rule = j.rule or ANY_RULE
    if j.quantity == "p_comply":
        assert j.at is not None
        return Item(j.state, rule, j.at, "compliance")
    return Item(j.state, rule, j.at or case.adherence_of(j.state, rule), "adherence")


def conflict(prepared: Prepared, judgement: Judgement, imagined: Imagined) -> Conflict:
    """A judged decision beside the implied one, with what would reconcile them."""
    judged = (judgement.p05, judgement.p50, judgement.p95)
    implied = float(imagined.p_comply.mean())
    found = Conflict(judgement.row, judgement.analyst, imagined.item, judged, implied, ())
    if not hasattr(prepared.model, "parts"):
        return found._replace(told=False)
    return found if found.agrees else found._replace(moves=tuple(moves(prepared, imagined, judgement.p50)))


def moves(prepared: Prepared, imagined: Imagined, target: float) -> list[Move]:
    """Changes of one magnitude each that bring the mean probability to a target, the least first."""
    case, layout = prepared.case, prepared.layout
    lobbies, of = np.unique(imagined.lobby, return_inverse=True)
    push = np.zeros((len(lobbies), len(imagined.margin)))
    np.add.at(push, of, imagined.push)
    on_log = layout.log_scale[lobbies]
    found = []
    for lobby, log_scale, v in zip(lobbies, on_log, crossing(imagined.margin, push, on_log, target), strict=True):
        if isfinite(v):
            sd = _sd(layout.priors.quantities["magnitude"].priors[lobby], log_scale)
            factor, points = (exp(v), None) if log_scale else (None, float(v))
            found.append(Move(case.lobbies[lobby].id, factor, points, float(abs(v)) / sd if sd else inf))
    return sorted(found, key=lambda move: (move.sds, move.lobby))


def _sd(prior: Prior | None, on_log: bool) -> float:
    if prior is None or prior.is_constant:
        return 0.0
    low, high = prior.quantile([0.05, 0.95])
    return (log(high / low) if on_log else float(high - low)) / 3.28971
