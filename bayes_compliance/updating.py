"""One decision more, or a judgement changed: the forecast from draws that are there, while weights can carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from bayes_compliance import models
from bayes_compliance.case import Case, load_case
from bayes_compliance.errors import Refused
from bayes_compliance.runs import Run
from bayes_compliance.validation.known import Known, same_latents
from bayes_compliance.validation.otherwise import REWEIGHTED, means, otherwise

if TYPE_CHECKING:
    from datetime import date
    from os import PathLike

    from bayes_compliance.forecast import Forecast


MAY_DIFFER = (
    "name", "title", "horizon", "judgements", "decisions", "known_by", "proxies", "measure_proxies", "seeds",
    "scenarios", "inputs",
)  # fmt: skip
"""Parts of a case that an update allows for, or that no forecast of the run's last date depends on."""


class Updated(NamedTuple):
    """Probabilities of compliance on the last date, by state and rule, before and after a change.

    Attributes
    ----------
    how : str
        ``reweighted``, ``fitted anew``, or that weights cannot tell; see `bayes_compliance.validation.otherwise`.
    pareto_k : float
        Of the weights; infinite where the draws cannot serve at all.
    until : date
    before, after : dict of (state, rule) to float
        `after` is empty where weights cannot carry it and no fit was asked for.
    error : float
        Monte Carlo standard error of what a decision or a constant changes in the forecast of a draw, the largest over
        states and rules: it is told by a few futures of a few draws, the same before and after
        (`bayes_compliance.validation.known.Known`).
    """

    how: str
    pareto_k: float
    until: date
    before: dict[tuple[str, str], float]
    after: dict[tuple[str, str], float]
    error: float = 0.0


def update(done: Run, case: Case | str | PathLike[str], *, refit: bool = True) -> Updated:
    r"""What a run would say had it known more: its draws, weighted by what has changed, or a fit where k forbids it.

    The weight of a draw is :math:`p_{new}(\theta) p(y_{new} | \theta) / p_{old}(\theta) p(y_{old} | \theta)`, Pareto
    smoothed (Vehtari et al. 2024). Paths at the dates of new decisions are drawn given those at the old ones.

    Parameters
    ----------
    done : Run
        With a forecast: what `bayes_compliance.api.run` or `forecast` has returned.
    case : Case or path
        The same, with other decisions, judgements or proxies; a path is that of a case folder.
    refit : bool
        Fit anew, as the run was fitted, where Pareto k is above its limit.

    Returns
    -------
    Updated
        P(comply) on the last date of the run's forecast, `before` and `after`, by state and rule.

    Raises
    ------
    Refused
        If the run has no forecast, the folder is no case, or the case differs in anything else.
    """
    if not isinstance(done, Run):
        raise Refused(f"update: {done!r} is no run in memory; allowed: what `run` or `forecast` has returned")
    if done.forecast is None:
        raise Refused("update: the run has no forecast; allowed: what `run` gives")
    case = case if isinstance(case, Case) else load_case(case)
    settings, known = done.summary["settings"], _known_of(done, done.forecast)
    new = models.prepare(done.prepared.model, case, pool=settings.get("pool", "linear"))
    _check_same(done.prepared.case, new.case)
    reused, error = known.under(new) if same_latents(done.prepared, new) else (None, 0.0)
    found = otherwise(reused, new, done.tree, seed=known.seed, until=known.until, refit=refit)
    error = error if found.how == REWEIGHTED else 0.0
    return Updated(found.how, found.pareto_k, known.until, means(known.p_today), found.p, error)


_asked: WeakKeyDictionary[Run, Known] = WeakKeyDictionary()
"""What was worked out of a run for the first question serves the next."""


def _known_of(done: Run, forecast: Forecast) -> Known:
    if done not in _asked:
        last = forecast.dataset["p_today"].isel(time=-1)
        until = last["time"].values.astype("datetime64[D]").item()
        _asked[done] = Known(done.prepared, done.tree, last, done.summary["settings"]["seed"], until)
    return _asked[done]


def _check_same(old: Case, new: Case) -> None:
    for what in (name for name in type(old).model_fields if name not in MAY_DIFFER):
        mine, theirs = getattr(old, what), getattr(new, what)
        if mine != theirs:
            raise Refused(
                f"case.toml: not that of the run in {what}{_named(mine, theirs)}; allowed: the same, or a new run"
            )


def _named(mine: Any, theirs: Any) -> str:
    """Which parts differ, of those that have an id."""
    ours, others = ({part.id: part for part in parts if hasattr(part, "id")} if isinstance(parts, tuple) else {}
                    for parts in (mine, theirs))  # fmt: skip
    ids = sorted(id for id in {*ours, *others} if ours.get(id) != others.get(id))
    return f" ({', '.join(ids)})" if ids else ""
