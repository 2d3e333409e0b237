"""All the questions about the worlds ahead at once: the worlds are simulated once, and each question sees them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import xarray as xr

from bayes_compliance.analysis.ahead import Ahead, Question
from bayes_compliance.analysis.anticipation import Anticipation
from bayes_compliance.analysis.counterparties import bilateral_or_multilateral
from bayes_compliance.analysis.decomposition import Tilt, shares_of_variance
from bayes_compliance.analysis.games import Ceiling, CriticalDiscount, Types
from bayes_compliance.analysis.information_value import value_of_information
from bayes_compliance.analysis.lock_in import LockIn
from bayes_compliance.analysis.scenarios import scenarios
from bayes_compliance.analysis.sincerity import sincerity
from bayes_compliance.analysis.survival import Survival
from bayes_compliance.analysis.tipping import Pressures, depth_of, tipping_of

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

    They are equal to theirs for the same `draws` and `paths`; `sincerity` goes by all draws.

    Parameters
    ----------
    prepared, tree
        A model with `parts`, and its fit.
    seed, until, step_years
        As in `Ahead`.
    draws, paths : int
        At most so many posterior draws, and future paths for each (None: the forecast's). What alters the worlds, and
        so simulates them anew, goes by a fourth of the draws.
    horizon_only : bool
        Whether `tipping_points` and `deepest_rule` have the last date alone: they cost most.

    Returns
    -------
    dict of str to Dataset
        `lock_in`, `survival`, `tilt`, `ceiling_of_reciprocity`, `preference_types`, `critical_discount`, `sincerity`,
        `shares_of_variance`, `anticipation`, `tipping_points`, `deepest_rule`, `value_of_information`; and where the
        case declares any, `bilateral_or_multilateral` and `scenarios`.

    Raises
    ------
    Refused
        If the model does not say what each lobby adds.
    """
    ahead = Ahead(prepared, tree, seed=seed, until=until, step_years=step_years, draws=draws, paths=paths)
    questions: dict[str, Question] = {
        "lock_in": LockIn(ahead),
        "survival": Survival(ahead),
        "tilt": Tilt(ahead),
        "ceiling_of_reciprocity": Ceiling(ahead),
        "preference_types": Types(ahead),
        "critical_discount": CriticalDiscount(ahead),
        "anticipation": Anticipation(ahead),
    }
    kept = Pressures(ahead, horizon_only)
    ahead.put([*questions.values(), kept])
    return {name: question.result() for name, question in questions.items()} | {
        "tipping_points": tipping_of(kept),
        "deepest_rule": depth_of(kept),
        "value_of_information": value_of_information(prepared, tree, seed=seed, until=until, draws=draws, paths=paths),
        **_altered(prepared, tree, seed, until, max(1, draws // 4), paths),
        "sincerity": sincerity(prepared, tree, seed=seed, until=until),
        "shares_of_variance": shares_of_variance(
            prepared, tree, seed=seed, until=until, step_years=step_years, draws=draws, paths=paths
        ),
    }


def _altered(
    prepared: Prepared, tree: xr.DataTree, seed: int, until: date | None, draws: int, paths: int | None
) -> dict[str, xr.Dataset]:
    found = {}
    if prepared.case.counterparty_sets:
        found["bilateral_or_multilateral"] = bilateral_or_multilateral(
            prepared, tree, seed=seed, until=until, draws=draws, paths=paths
        )
    if prepared.case.scenarios:
        found["scenarios"] = scenarios(prepared, tree, seed=seed, until=until, draws=draws, paths=paths, refuse=False)
    return found
