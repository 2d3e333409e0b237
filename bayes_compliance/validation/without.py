"""The forecast with each analyst left out: on whom does the answer hang?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bayes_compliance.case.problems import CaseError
from bayes_compliance.elicitation.analysts import analysts, left_out
from bayes_compliance.kept import horizon
from bayes_compliance.models import prepare, short
from bayes_compliance.rivals import by_model
from bayes_compliance.validation.known import Known, same_latents
from bayes_compliance.validation.otherwise import REWEIGHTED, otherwise

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.models import Prepared

NEEDED = "the case cannot do without"


class Without(NamedTuple):
    """The forecast without an analyst: see `otherwise.Otherwise`; `how` may be that the case cannot do without.

    `error` is the Monte Carlo standard error of what other constants change, the largest over states and rules.
    """

    analyst: str
    how: str
    pareto_k: float
    p: dict[tuple[str, str], float]
    error: float = 0.0


def without_each(prepared: Prepared, tree: xr.DataTree, forecast: xr.Dataset, *, seed: int) -> list[Without]:
    """The forecast's last date with each analyst's judgements left out; none where there is only one analyst.

    What the model itself judges stays. What nobody else judges has its default again, and defaults in units of K_ref
    follow what is left of K. Where that moves constants (a default noise), the forecast is moved by what they change in
    `FUTURES` futures of each of `FEW` draws, the same before and after.

    Parameters
    ----------
    prepared : Prepared
    tree : DataTree
        Its fit.
    forecast : Dataset
        `Forecast.dataset` of the same fit, whose last date is asked for.
    seed : int
    """
    own = by_model(short(prepared.model))
    names = [name for name in analysts(prepared.case) if name != own]
    if len(names) < 2:
        return []
    known = Known(prepared, tree, forecast["p_draw"].isel(time=-1), seed, horizon(forecast))
    return [_without(known, name) for name in names]


def _without(known: Known, name: str) -> Without:
    prepared = known.prepared
    try:
        other = prepare(prepared.model, left_out(prepared.case, name), pool=prepared.priors.pool)
    except CaseError:
        return Without(name, NEEDED, float("inf"), {})
    reused, error = None, 0.0
    if same_latents(prepared, other):
        reused, errors = known.under(other)
        error = float(errors.max())
    found = otherwise(reused, other, known.tree, seed=known.seed, until=known.until)
    error = error if found.how == REWEIGHTED else 0.0
    return Without(name, found.how, found.pareto_k, found.p, error)
