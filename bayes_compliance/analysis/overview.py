"""All the questions about the worlds ahead at once: the worlds are simulated once, and each question sees them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import xarray as xr

from bayes_compliance.analysis.ahead import Ahead, Question
from bayes_compliance.analysis.decomposition import Tilt, shares_of_variance
from bayes_compliance.analysis.games import Ceiling, CriticalDiscount, Types
from bayes_compliance.analysis.lock_in import LockIn
from bayes_compliance.analysis.sincerity import sincerity
from bayes_compliance.analysis.survival import Survival

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared


def overview(
    prepared: Prepared,
    tree: xr.DataTree,
    *,
    seed: int = 1,
    until: date | None = None,
    step_years: float | None = None,
) -> dict[str, xr.Dataset]:
    """The answers of the functions of the same names, equal to theirs and cheaper than one after the other.

    Parameters
    ----------
    prepared, tree
        A model with `parts`, and its fit.
    seed, until, step_years
        As in `Ahead`.

    Returns
    -------
    dict of str to Dataset
        `lock_in`, `survival`, `tilt`, `ceiling_of_reciprocity`, `preference_types`, `critical_discount`, `sincerity`,
        `shares_of_variance`.

    Raises
    ------
    Refused
        If the model does not say what each lobby adds.
    """
    ahead = Ahead(prepared, tree, seed=seed, until=until, step_years=step_years)
    questions: dict[str, Question] = {
        "lock_in": LockIn(ahead),
        "survival": Survival(ahead),
        "tilt": Tilt(ahead),
        "ceiling_of_reciprocity": Ceiling(ahead),
        "preference_types": Types(ahead),
        "critical_discount": CriticalDiscount(ahead),
    }
    ahead.put(questions.values())
    return {name: question.result() for name, question in questions.items()} | {
        "sincerity": sincerity(prepared, tree, seed=seed, until=until),
        "shares_of_variance": shares_of_variance(prepared, tree, seed=seed, until=until, step_years=step_years),
    }
