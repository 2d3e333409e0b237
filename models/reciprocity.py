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

In the forecast each date is one joint system over all obligations, and the selected equilibrium is played. The fit
takes q of each decision on record as the chance in equilibrium too, where that is sound: with one equilibrium only, p
is a smooth function of the latents and has the gradient

    dp = (I - F')^-1 dF,   F the map whose fixed point p is, F' its slopes there

Where two equilibria meet the selected one jumps and no gradient is right. So NUTS goes through the fixed point only if
almost no prior draw has several equilibria on the date of a decision, which spares a hopeless fit, and the fit stands
only if no posterior draw has (`bayes_compliance.inference.trial`); a case with more than `MOST_KNOTS` points of paths
would take too long. Otherwise, and by the other engines, the decisions
are fitted with observed conduct, exactly as `coalition` does, and simultaneous choice comes in the forecast only. The
summary and the report of a run say which of the two was done, and why. `backtest` and `calibrate`, which compile one
model for many records, fit with observed conduct.

Priors are those of `coalition`; trust in the record speaks only in a fit with observed conduct.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import equilibria
from bayes_compliance.asking import on_slots, related
from bayes_compliance.equilibria import OPTIMISTIC, PESSIMISTIC, System
from bayes_compliance.errors import Refused
from bayes_compliance.joint import JointLayout, Margins, answering, mean_of, views
from bayes_compliance.models import altered, load
from bayes_compliance.rows import Foreseen

if TYPE_CHECKING:
    from datetime import date

    import pymc as pm

    from bayes_compliance.case import Case
    from bayes_compliance.latents import Draws
    from bayes_compliance.layout import Layout
    from bayes_compliance.models import Prepared
    from bayes_compliance.parts import Parts
    from bayes_compliance.rows import History, Rows

coalition = load("coalition")
FITTED_AS = "coalition"
OBSERVED_BY_SUPPORT = True
MOST_KNOTS = 800
"""Points of lobbies' paths; with 1,596 (NAFTA) 1,000 draws through the fixed point took six minutes of two cores."""
NOTE = "fitted with observed conduct, as coalition; simultaneous choice in the forecast only"
THROUGH = "fitted through the fixed point: every decision on record meets the chances in equilibrium of its own date"


def recast(case: Case) -> Case:
    """The case as it is; refused where an L lobby could be negative, for which equilibria need not be ordered."""
    linear = [lobby.id for lobby in case.lobbies if lobby.role == "L" and case.is_linear(lobby)]
    if linear:
        raise Refused(
            f"case.toml: lobby {linear[0]!r} of role L moves in points and may turn negative; "
            "allowed in model reciprocity: L lobbies on the log scale"
        )
    return case


def support(layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History) -> Any:
    """Net support of each row, as in `coalition` given what its deciders expect: shape (..., row)."""
    return parts(layout, rows, x, walk, spread, history).support


def parts(layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History) -> Parts:
    """What each lobby adds to the support of each row, by its factors.

    On a `JointLayout` decisions on the dates of record expect the chances in equilibrium; `x` then holds `innovation`
    and `spread`, or the chances themselves as `chances`. On other dates, and on a layout of the decisions alone, the
    history says what they expect.
    """
    return coalition.parts(layout, rows, x, walk, spread, _on_record(layout, rows, x, history))


def _on_record(layout: Layout, rows: Rows, x: dict[str, Any], history: History) -> History | Foreseen:
    if not isinstance(layout, JointLayout) or isinstance(history, Foreseen):
        return history
    days = {rows.items[i].date for i in np.flatnonzero(answering(layout, rows).any(axis=1))}
    if not days or not days <= layout.days.keys():
        return history
    p = x["chances"] if "chances" in x else chances(layout, x, days)
    looks = layout.looks(rows)
    kinds, kind = np.unique(looks.reshape(-1, looks.shape[-1]), axis=0, return_inverse=True)
    return Foreseen(*history, (p @ kinds.T)[..., kind.reshape(looks.shape[:-1])])


def build(layout: Layout) -> pm.Model:
    """The model in PyMC: `coalition`, and on a `JointLayout` through the fixed point."""
    if not isinstance(layout, JointLayout):
        return coalition.build(layout)
    from bayes_compliance.inference import fixed_point

    once: list[Any] = []  # one solution for all blocks of rows

    def joined(layout: Any, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History) -> Any:
        if not once:
            found = margins(layout, layout.joint.rows, x, *fixed_point.on_joint(layout), layout.joint.history)
            once.append(fixed_point.chances(layout, found))
        return support(layout, rows, x | {"chances": once[0]}, walk, spread, history)

    return coalition.build(layout, joined)


def margins(layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History) -> Margins:
    """Margins of the rows without the L lobbies that answer, and what each of these weighs, in points.

    For NumPy and PyTensor alike; see `bayes_compliance.equilibria.System`.
    """
    nobody = Foreseen(*history[:3], np.zeros((*rows.sees.shape[:1], *rows.sees.shape[2:])))
    taken = coalition.parts(layout, rows, x, walk, spread, nobody)
    row, slot = np.nonzero(answering(layout, rows))
    all_of_it = coalition.answer_to(layout, rows, x, np.ones(rows.lobby.shape))
    gain = (taken._replace(answer=all_of_it).contributions)[..., row, slot]
    noise, width = rows.scales(x)
    base = taken.support - rows.threshold - width
    bend = x["discount"][..., rows.state[row]] * float(layout.case.q_kind == "type") * ~rows.ending[row]
    return Margins(base, noise, gain, bend, row, slot)


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
    return Foreseen(*history[:3], np.einsum("...n,ikn->...ik", p, mean_of(views(layout, rows, rows))))


def system(
    layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History
) -> tuple[System, tuple[int, ...]]:
    """The joint system of all rows, its worlds in one line, and their shape."""
    base, noise, gain, bend, row, slot = margins(layout, rows, x, walk, spread, history)
    worlds = np.broadcast_shapes(base.shape[:-1], gain.shape[:-1])
    looks = np.einsum("sk,skn->sn", rows.sees[row, slot], mean_of(views(layout, rows, rows))[row])

    def flat(values: Any) -> Any:
        # not -1 for the worlds: where no lobby answers there is nothing to count them by
        return np.broadcast_to(values, (*worlds, values.shape[-1])).reshape(prod(worlds), values.shape[-1])

    return System(flat(base), flat(noise), flat(gain), flat(bend), row, looks), worlds


def on_record(
    layout: JointLayout, x: dict[str, Any], days: Collection[date] | None = None
) -> Iterator[tuple[NDArray, System, tuple[int, ...]]]:
    """Joint systems of the dates of record, or of some of them, under quantities with `innovation` and `spread`.

    Each with the positions of its decisions among the `joint` rows and the shape of its worlds.
    """
    walk = layout.walk(x["innovation"])
    for number, (day, (rows, history, knot, pair)) in enumerate(zip(layout.days, layout.by_date, strict=True)):
        if days is None or day in days:
            slots = on_slots(walk, knot), on_slots(x["spread"], pair)
            yield np.flatnonzero(layout.day == number), *system(layout, rows, x, *slots, history)


def chances(layout: JointLayout, x: dict[str, Any], days: Collection[date]) -> NDArray:
    """Chances of compliance of the `joint` rows in the least equilibrium, (..., joint row); 0 on other days."""
    p = np.zeros((*x["innovation"].shape[:-1], len(layout.day)))
    for at, one, worlds in on_record(layout, x, days):
        p[..., at] = equilibria.extreme(one, PESSIMISTIC).reshape(*worlds, -1)
    return p


def several(layout: JointLayout, draws: Draws) -> NDArray:
    """Draws under which some date of record has more than one equilibrium, (draw,), of draws (draw, item)."""
    found = np.zeros(len(draws["innovation"]), bool)
    for _, one, _ in on_record(layout, related(layout, draws)):
        found |= equilibria.not_unique(one)
    return found


def through(prepared: Prepared) -> Prepared | str:
    """The same model, case and priors with the decisions on record fitted through the fixed point, or why not."""
    layout = JointLayout(prepared.case, prepared.priors)
    if not layout.days:
        return "no decision on record answers conduct that is modelled"
    if len(layout.knots) > MOST_KNOTS:
        return f"with {len(layout.knots)} points of lobbies' paths, where {MOST_KNOTS} can be sampled in good time"
    if layout.entrenches:
        return "entrenchment is judged, which accrues by the record"
    return prepared._replace(model=altered(prepared.model, LAYOUT=JointLayout, NOTE=THROUGH), layout=layout)


VARIANTS = {name: {"expect": partial(expect, selection=name)} for name in (PESSIMISTIC, OPTIMISTIC)}
