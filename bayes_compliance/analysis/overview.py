"""All the questions about the worlds ahead at once: the worlds are simulated once, and each question sees them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import xarray as xr

from bayes_compliance.analysis.ahead import Ahead, Question
from bayes_compliance.analysis.anticipation import Anticipation
from bayes_compliance.analysis.counterparties import bilateral_or_multilateral
from bayes_compliance.analysis.decomposition import Shares, Tilt
from bayes_compliance.analysis.games import Ceiling, CriticalDiscount, Types
from bayes_compliance.analysis.information_value import Signals
from bayes_compliance.analysis.lock_in import LockIn
from bayes_compliance.analysis.scenarios import scenarios
from bayes_compliance.analysis.sincerity import sincerity
from bayes_compliance.analysis.tipping import Pressures, depth_of, tipping_of
from bayes_compliance.forecast import HORIZON_ONLY
from bayes_compliance.parallel import in_threads

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared


def overview(
    prepared: Prepared,
    tree: xr.DataTree,
    *,
    seed: int = 1,
    until: date | None = None,
    step_years: float | None = None,
    draws: int = 1000,
    paths: int | None = 4,
    horizon_only: bool = False,
) -> dict[str, xr.Dataset]:
    """The answers of the functions of the same names, cheaper than one after the other.

    They are equal to theirs for the same `draws`, `paths` and `step_years`, in worlds that know what each state weighed
    when it joined (see `Ahead`); `sincerity` goes by all draws.

    Parameters
    ----------
    prepared, tree
        A model with `parts`, and its fit.
    seed, until, step_years
        As in `Ahead`.
    draws, paths : int
        At most so many posterior draws, and future paths for each (None: the forecast's). What alters the worlds, and
        so simulates them anew, goes by fewer worlds: see `fewer`.
    horizon_only : bool
        Whether all but `shares_of_variance` are told for the last date alone, and so are shares of single lobbies.

    Returns
    -------
    dict of str to Dataset
        `lock_in`, `tilt`, `ceiling_of_reciprocity`, `preference_types`, `critical_discount`, `sincerity`,
        `shares_of_variance` (of the outcome), `anticipation`, `tipping_points`, `deepest_rule`,
        `value_of_information`; and where the case declares any, `bilateral_or_multilateral` and `scenarios`.

    Raises
    ------
    Refused
        If the model does not say what each lobby adds.
    """

    def worlds(step_years: float | None) -> Ahead:
        return Ahead(
            prepared, tree, seed=seed, until=until, step_years=step_years, draws=draws, paths=paths, joining=True
        )

    step = HORIZON_ONLY if horizon_only else step_years
    ahead = worlds(step_years)
    told = worlds(step) if horizon_only else ahead

    asks: tuple[Callable[[], dict[str, xr.Dataset]], ...] = (
        lambda: _asked(told),
        lambda: _from_today(told, ahead, horizon_only),
        lambda: what_ifs(prepared, tree, seed=seed, until=until, step_years=step, **fewer(draws)),
        lambda: {"sincerity": sincerity(prepared, tree, seed=seed, until=until)},
    )
    found: dict[str, xr.Dataset] = {}
    for some in in_threads(lambda ask: ask(), asks):
        found |= some
    return found


def _asked(ahead: Ahead) -> dict[str, xr.Dataset]:
    """What worlds ahead answer, in one pass."""
    questions: dict[str, Question] = {
        "lock_in": LockIn(ahead),
        "tilt": Tilt(ahead),
        "ceiling_of_reciprocity": Ceiling(ahead),
        "preference_types": Types(ahead),
        "critical_discount": CriticalDiscount(ahead),
        "anticipation": Anticipation(ahead),
    }
    kept = Pressures(ahead)
    ahead.put([*questions.values(), kept])
    found = {name: question.result() for name, question in questions.items()}
    return found | {"tipping_points": tipping_of(kept), "deepest_rule": depth_of(kept)}


def _from_today(told: Ahead, ahead: Ahead, horizon_only: bool) -> dict[str, xr.Dataset]:
    """What needs the last decision's date too: the value of information where it is told, and shares on every date."""
    signals, shares = Signals(told), Shares(ahead, "outcome", horizon_only)
    if told is ahead:
        ahead.put([signals, shares], before=[shares.today])
    else:
        told.put([signals], before=[shares.today])
        ahead.put([shares], before=[shares.today])
    return {"value_of_information": signals.result(), "shares_of_variance": shares.result()}


def fewer(draws: int) -> dict[str, int]:
    """Draws and paths for worlds that differ: half of the draws, and one antithetic pair of paths for each.

    A difference varies more from draw to draw than from path to path.
    """
    return {"draws": max(1, draws // 2), "paths": 2}


def what_ifs(prepared: Prepared, tree: xr.DataTree, **asked: Any) -> dict[str, xr.Dataset]:
    """Sets of counterparties and scenarios, where the case declares any."""
    found = {}
    if prepared.case.counterparty_sets:
        found["bilateral_or_multilateral"] = bilateral_or_multilateral(prepared, tree, **asked)
    if prepared.case.scenarios:
        found["scenarios"] = scenarios(prepared, tree, refuse=False, **asked)
    return found
