"""Reciprocity as simultaneous choice: each state's chance of complying answers the others' at the same time.

In `coalition` L counts w q with q the counterparty's conduct so far. Here both sides choose at once and expect each
other's choice (the article's II.C, "the L lobby ... depends on the counterparty's compliance", taken to equilibrium):

    p_H = Phi((SC_H - c_H) / sigma_H),  SC_H = J + w q L + P2 + G2 - K - threshold,  q = p_F,  and F likewise

For several rules and counterparties q is the weighted mean of the counterparties' chances on the rules that answer.
The system has a least and a greatest equilibrium, found by iteration from all-0 and from all-1. For two decisions
w_H L_H w_F L_F phi(0)^2 / (sigma_H sigma_F) < 1 suffices for one only; otherwise there may be several, and which one
is played is a choice of the analyst's, not of the data's:

    reciprocity, reciprocity:pessimistic     the least
    reciprocity:optimistic                   the greatest

The selected equilibrium jumps where two of them meet, so no gradient is right there. The fit therefore uses observed
conduct, exactly as `coalition` does, and equilibria come in the forecast, where each date is one joint system over all
obligations; see `NOTE`. Priors are those of `coalition`; trust in the record speaks in the fit only.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_compliance import equilibria
from bayes_compliance.equilibria import OPTIMISTIC, PESSIMISTIC, System
from bayes_compliance.errors import Refused
from bayes_compliance.models import load
from bayes_compliance.rows import Foreseen

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.layout import Layout
    from bayes_compliance.rows import History, Rows

coalition = load("coalition")
FITTED_AS = "coalition"
NOTE = "fitted with observed conduct, as coalition; simultaneous choice in the forecast only"
support, parts, build = coalition.support, coalition.parts, coalition.build


def recast(case: Case) -> Case:
    """The case as it is; refused where an L lobby could be negative, for which equilibria need not be ordered."""
    linear = [lobby.id for lobby in case.lobbies if lobby.role == "L" and case.is_linear(lobby)]
    if linear:
        raise Refused(
            f"case.toml: lobby {linear[0]!r} of role L moves in points and may turn negative; "
            "allowed in model reciprocity: L lobbies on the log scale"
        )
    return case


def expect(
    layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History,
    selection: str = PESSIMISTIC,
) -> Foreseen:  # fmt: skip
    """What each row's deciders expect of their counterparties: the chances of the selected equilibrium.

    Parameters
    ----------
    layout, rows, x, walk, spread, history
        As for `coalition.support`; the rows hold every obligation, all on one date.
    selection : str
        ``pessimistic``, the least equilibrium, or ``optimistic``, the greatest.
    """
    found, worlds = system(layout, rows, x, walk, spread, history)
    p = equilibria.extreme(found, selection).reshape(*worlds, -1)
    return Foreseen(*history[:3], np.einsum("...n,ikn->...ik", p, _looks(layout, rows)))


def system(
    layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History
) -> tuple[System, tuple[int, ...]]:
    """The joint system of all rows, its worlds in one line, and their shape."""
    nobody = Foreseen(*history[:3], np.zeros((*rows.sees.shape[:1], *rows.sees.shape[2:])))
    taken = coalition.parts(layout, rows, x, walk, spread, nobody)
    answers = rows.answers & ~layout.judged_conduct[rows.state][:, None]
    row, slot = np.nonzero(answers & (rows.weight != 0))
    all_of_it = coalition.answer_to(layout, rows, x, np.ones(rows.lobby.shape))
    gain = (taken._replace(answer=all_of_it).contributions)[..., row, slot]
    three = layout.case.outcomes == 3
    base = taken.support - rows.threshold - x["partial_width"][..., rows.state] * three
    worlds = np.broadcast_shapes(base.shape[:-1], gain.shape[:-1])
    bend = x["discount"][..., rows.state[row]] * (layout.case.q_kind == "type") * ~rows.ending[row]
    looks = np.einsum("sk,skn->sn", rows.sees[row, slot], _looks(layout, rows)[row])

    def flat(values: Any) -> Any:
        return np.broadcast_to(values, (*worlds, values.shape[-1])).reshape(-1, values.shape[-1])

    noise = x["decision_noise"][..., rows.state]
    return System(flat(base), flat(noise), flat(gain), flat(bend), row, looks), worlds


def _looks(layout: Layout, rows: Rows) -> Any:
    """Weights of the rows in each row's view of each counterparty, (row, counterparty, row): its answering rules."""
    place = {(item.state, item.rule): i for i, item in enumerate(rows.items)}
    where = np.array([place[pair] for pair in layout.obligations], int)
    found = np.zeros((*rows.answering.shape[:2], len(rows)))
    found[..., where] = rows.answering
    return found / np.maximum(found.sum(-1, keepdims=True), 1)


VARIANTS = {name: {"expect": partial(expect, selection=name)} for name in (PESSIMISTIC, OPTIMISTIC)}
