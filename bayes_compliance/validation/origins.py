"""Origins of a back-test: what was known on a day, and which decisions came after it.

What a case says of a later day is never seen from an origin. Decisions are left out by the end of the period that their
date stands for. Judgements, proxies and known shocks are those of the first origin for every origin (so that one
compilation serves them all, and no later judgement can have been shaped by what it foretells), or with `renew` those
known at each. A declared depth counts once the rule is adhered to. What hindsight remains is in the case's very
structure: which lobbies and rules it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.case.problems import CaseError
from bayes_compliance.errors import Refused
from bayes_compliance.inference.carry import carry
from bayes_compliance.layout import OUTCOME, Layout
from bayes_compliance.rows import History, Item
from bayes_compliance.validation import shared

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Decision
    from bayes_compliance.latents import Draws

ONE_DAY = timedelta(days=1)
LEARN_SHARE = 5
"""By default a back-test starts once one in so many compliance decisions is known."""


class Target(NamedTuple):
    """A decision that was held out: its row, what came, and on which decision date after the origin it fell."""

    item: Item
    outcome: int
    step: int


class Origin(NamedTuple):
    """A day, and the decisions that came next: all those of the next few decision dates."""

    day: date
    targets: tuple[Target, ...]


def compliances(case: Case) -> list[Decision]:
    """Compliance decisions with an outcome, by date."""
    found = [d for d in case.decisions if d.kind == "compliance" and d.decision != "pending"]
    return sorted(found, key=lambda d: (d.date, d.state, d.rule, d.row))


def origins(case: Case, *, ahead: int = 1, learn: int | None = None, most: int | None = None) -> list[Origin]:
    """The day before each date with compliance decisions, with the decisions of the next `ahead` dates.

    Parameters
    ----------
    case : Case
    ahead : int >= 1
        Decision dates to forecast from each origin.
    learn : int or None
        Compliance decisions that must be known at the first origin; default one in five, two at least.
    most : int or None
        At most so many origins, evenly spaced.

    Raises
    ------
    Refused
        If no origin is left.
    """
    every = compliances(case)
    least = max(2, len(every) // LEARN_SHARE) if learn is None else learn
    dates = [day for day, _ in groupby(every, key=lambda d: d.date)]
    found = [_origin(every, dates[i : i + ahead]) for i in range(len(dates))]
    found = [one for one in found if sum(d.date_end <= one.day for d in every) >= least and _judged(case, one.day)]
    if not found:
        raise Refused(
            f"decisions.csv: no date with {least} earlier compliance decisions and all judgements made; "
            "allowed in backtest: at least one"
        )
    if most is not None and len(found) > most:
        found = [found[i] for i in np.linspace(0, len(found) - 1, most).round().astype(int)]
    return found


def _origin(every: Sequence[Decision], dates: Sequence[date]) -> Origin:
    targets = [
        Target(Item(d.state, d.rule, d.date, "compliance"), OUTCOME[d.decision], step)
        for step, day in enumerate(dates, start=1)
        for d in every
        if d.date == day
    ]
    return Origin(dates[0] - ONE_DAY, tuple(targets))


def _judged(case: Case, day: date) -> bool:
    try:
        case.as_of(day)
    except CaseError:
        return False
    return True


def epochs(case: Case, found: Sequence[Origin], *, renew: bool = False) -> list[tuple[Case, list[Origin]]]:
    """Origins that share what is known but for decisions, each with the case so known; decisions are all in.

    Parameters
    ----------
    case : Case
    found : sequence of Origin
        In order of time.
    renew : bool
        Judgements and measured proxies as known at each origin; else those of the first origin throughout.
    """
    shared_by: list[tuple[Case, list[Origin]]] = []
    for one in found:
        known = case.as_of(one.day if renew else found[0].day)
        if not shared_by or _judgements_of(shared_by[-1][0]) != _judgements_of(known):
            shared_by.append((known, []))
        shared_by[-1][1].append(one)
    return [
        (known.model_copy(update={"decisions": case.decisions, "known_by": case.known_by}), some)
        for known, some in shared_by
    ]


def _judgements_of(known: Case) -> Case:
    """What a fit reads of a case but for its decisions and declared depths."""
    measured = tuple(proxy for proxy in known.proxies if proxy.kind in known.measure_proxies)
    return known.model_copy(update={"decisions": (), "proxies": measured, "scenarios": (), "known_by": None})


def known_by(case: Case, day: date) -> Case:
    """The case with the decisions whose period had ended on a day, and the depths of what bound on it."""
    known = case.model_copy(update={"decisions": tuple(d for d in case.decisions if d.date_end <= day)})
    return known.with_depths(day)


class View:
    """An origin seen from a layout of all decisions: the layout of what was known, and the data of a fit.

    Parameters
    ----------
    whole : Layout
        Of all decisions.
    day : date

    Attributes
    ----------
    layout : Layout
        Of the decisions known on the day, with the same priors.
    known : bool array (row,)
        Rows of the whole that are known.
    """

    def __init__(self, whole: Layout, day: date) -> None:
        self.whole, self.day = whole, day
        self.layout = Layout(known_by(whole.case, day), whole.priors)
        binding = self.layout.case.depths()
        declared = [one in binding for one in whole.case.depths()]
        self.known = np.array([*declared, *(d.date_end <= day for d in whole.decisions)], bool)

    @property
    def data(self) -> shared.Data:
        """Rows known on the day, with the conduct known on the day."""
        at = np.flatnonzero(self.known)
        history = History(*(_placed(part, at, len(self.whole.rows)) for part in self.layout.history))
        return shared.seen(self.whole, self.known, history)

    def carried(self, draws: Draws) -> Draws:
        """Draws of the whole's latents, (..., item), as those of the layout of what was known.

        Paths and spreads that only later rows are about are left out: the forecast draws them anew, given the rest.
        """
        return carry(draws, self.whole, self.layout)


def _placed(values: NDArray, at: NDArray, rows: int) -> NDArray:
    whole = np.zeros((rows, *values.shape[1:]))
    whole[at] = values
    return whole
