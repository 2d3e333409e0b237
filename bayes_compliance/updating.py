"""One decision more, or a judgement changed: the forecast from draws that are there, while weights can carry it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from bayes_compliance import models
from bayes_compliance.case import Case, Rule
from bayes_compliance.changes import changes
from bayes_compliance.errors import Refused
from bayes_compliance.forecast import owed
from bayes_compliance.importance import weights_of
from bayes_compliance.inference import LEAST_DRAWS, enough
from bayes_compliance.inference.diagnostics import failed
from bayes_compliance.inference.trial import HOW, still_valid
from bayes_compliance.kept import horizon
from bayes_compliance.runs import Run
from bayes_compliance.validation.known import FEW, Known, same_latents
from bayes_compliance.validation.otherwise import REWEIGHTED, Reused, means, otherwise
from bayes_compliance.wording import NOTHING, decimals, pareto, plural, rule_name

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr
    from numpy.typing import NDArray

    from bayes_compliance.forecast import Forecast
    from bayes_compliance.inference.diagnostics import Check


HEADINGS = ("before", "after", "change", "error")
SHOWN = 12
"""Rows that the terminal shows of what has changed."""

MAY_DIFFER = (
    "name", "title", "horizon", "judgements", "decisions", "known_by", "proxies", "measure_proxies", "seeds",
    "scenarios",
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
    errors : dict of (state, rule) to float
        Monte Carlo standard error of `after` - `before`; empty where there is no `after`.
    changed : tuple of str
        Rows that are gone, new or other than they were; see `bayes_compliance.changes.changes`.
    checks : tuple of Check
        Diagnostics of the run, and then those of a new fit.
    of_fit : int
        How many of them are of a new fit.
    """

    how: str
    pareto_k: float
    until: date
    before: dict[tuple[str, str], float]
    after: dict[tuple[str, str], float]
    errors: Mapping[tuple[str, str], float] = MappingProxyType({})
    changed: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    of_fit: int = 0

    @property
    def passed(self) -> bool:
        """Whether there is an `after`, and every diagnostic met its mark."""
        return bool(self.after) and not failed(self.checks)

    @property
    def still(self) -> bool:
        """Whether there is an `after`, and it is `before`."""
        return bool(self.after) and all(abs(self.after[pair] - p) < NOTHING for pair, p in self.before.items())

    @property
    def whose(self) -> dict[str, tuple[Check, ...]]:
        """The diagnostics of the run, and those of a new fit."""
        n = len(self.checks) - self.of_fit
        return {"the RUN": self.checks[:n], "the new fit": self.checks[n:]}

    def as_dict(self) -> dict[str, Any]:
        """For JSON: an infinite k and a missing `after` are null."""
        return {
            "how": self.how, "pareto_k": self.pareto_k if isfinite(self.pareto_k) else None,
            "until": self.until.isoformat(), "changed": list(self.changed),
            "diagnostics_failed": [f"{of}: {check}" for of, each in self.whose.items() for check in failed(each)],
            "forecasts": [
                {"state": state, "rule": rule, "before": p, "after": self.after.get((state, rule)),
                 "error": self.errors.get((state, rule))}
                for (state, rule), p in self.before.items()
            ],
        }  # fmt: skip

    @property
    def unmoved(self) -> str:
        """What there is to say of an `after` that is `before`."""
        n = plural(len(self.before), "probability", "probabilities")
        return f"{n} of compliance on {self.until} {'stays' if len(self.before) == 1 else 'stay'} as in the RUN"

    def __str__(self) -> str:
        more = len(self.changed) - SHOWN
        rows = [*self.changed[:SHOWN], *([f"and {plural(more, 'row')} more"] if more > 0 else [])]
        if self.changed and self.still:
            return "\n".join([*rows, "", f"nothing that is forecast has changed: {self.unmoved}"])
        weights = f" (Pareto k of the weights {pareto(self.pareto_k)})"
        return "\n".join([
            *(rows or ["no decision, judgement or proxy has changed"]), "",
            f"P(comply) on {self.until}: {self.how}{weights}", *self._table(),
        ])  # fmt: skip

    def _table(self) -> Iterator[str]:
        named = [(state, rule_name(rule)) for state, rule in self.before]
        wide = [max(map(len, column)) for column in zip(("state", "rule"), *named, strict=True)]
        yield f"{'state':<{wide[0]}}  {'rule':<{wide[1]}}" + "".join(f"{h:>9}" for h in HEADINGS)
        for (state, rule), before in self.before.items():
            numbers = decimals(before, 9)
            if (after := self.after.get((state, rule))) is not None:
                numbers += decimals(after, 9) + decimals(after - before, 9, "+")
            if (error := self.errors.get((state, rule))) is not None:
                numbers += decimals(error, 9)
            yield f"{state:<{wide[0]}}  {rule_name(rule):<{wide[1]}}{numbers}"


def update(done: Run, case: Case, *, refit: bool = True, draws: int | None = None) -> Updated:
    r"""What a run would say had it known more: its draws, weighted by what has changed, or a fit where k forbids it.

    The weight of a draw is :math:`p_{new}(\theta) p(y_{new} | \theta) / p_{old}(\theta) p(y_{old} | \theta)`, Pareto
    smoothed (Vehtari et al. 2024). Paths at the dates of new decisions are drawn given those at the old ones.

    Parameters
    ----------
    done : Run
        With a forecast.
    case : Case
        The same, with other decisions, judgements or proxies.
    refit : bool
        Fit anew, as the run was fitted, where Pareto k is above its limit.
    draws : int or None
        At most so many (4 or more) by which it is told what a decision or a constant changes in the forecast of a draw;
        default 500. All that the forecast has, and a second or two instead of a few tenths, halve the error.

    Returns
    -------
    Updated
        P(comply) on the last date of the run's forecast, `before` and `after`, by state and rule.

    Raises
    ------
    Refused
        If `draws` is no such number, the run has no forecast, the case differs in anything else, or its last decision
        is not before the last date of the forecast.
    """
    most = FEW if draws is None else enough("draws", draws, LEAST_DRAWS)
    if done.forecast is None:
        raise Refused("update: the run has no forecast; allowed: what `run` gives")
    settings, known = done.summary["settings"], _known_of(done, done.forecast, most)
    new = models.prepare(done.prepared.model, case, pool=settings.get("pool", "linear"))
    _check_same(done.prepared.case, new.case)
    if (last := new.case.last_decision_date()) >= known.until:
        raise Refused(
            f"decisions.csv: {last} is not before {known.until}, the last date of the run's forecast; "
            "allowed: decisions before it, or a run with a later date (`forecast --until`)"
        )
    reused, moved = known.under(new) if same_latents(done.prepared, new) else (None, np.zeros(0))
    if reused is not None and not still_valid(new, reused.draws, done.tree.attrs):
        reused = None
    # a new fit begins as that of a run does
    anew = models.prepare(settings["model"], case, pool=new.priors.pool) if HOW in done.tree.attrs else new
    found = otherwise(reused, anew, done.tree, seed=known.seed, until=known.until, refit=refit)
    errors: dict[tuple[str, str], float] = {}
    if found.p_draw is not None:
        errors = _errors_of_fits(known, found.p_draw)
    elif reused is not None and found.how == REWEIGHTED:
        errors = _errors(known, reused, moved)
    changed, checks = tuple(changes(done.prepared.case, new.case)), (*done.checks, *found.checks)
    before, of_fit = means(known.p_draw), len(found.checks)
    return Updated(found.how, found.pareto_k, known.until, before, found.p, errors, changed, checks, of_fit)


def _errors(known: Known, reused: Reused, moved: NDArray) -> dict[tuple[str, str], float]:
    r"""Monte Carlo standard error of a weighted mean less the plain one, by state and rule.

    With weights w of sum 1 over n draws of p, a draw adds :math:`w (p - \sum w p) - (p - \bar p) / n` to it (Owen 2013,
    section 9.2); draws of chains count for as many fewer as the error of the plain mean tells. What a decision or a
    constant changes in the forecast of a draw, `moved`, has an error of its own.
    """
    from bayes_compliance.inference.diagnostics import mean_error

    w = weights_of(reused.log_ratio).share
    found = {}
    for pair, own in zip(owed(known.prepared.case), moved, strict=True):
        p = known.p_draw.sel(state=pair[0], rule=pair[1]).values
        spread, n = p.std(), len(p)
        parts = w * (p - w @ p) - (p - p.mean()) / n
        chained = mean_error(p.reshape(known.chains, -1)) / (spread / np.sqrt(n)) if spread > 0 else 0.0
        found[pair] = float(np.hypot(np.sqrt((parts**2).sum()) * chained, own))
    return found


def _errors_of_fits(known: Known, anew: xr.DataArray) -> dict[tuple[str, str], float]:
    """The same of two fits, each with an error of its own."""
    from bayes_compliance.inference.diagnostics import mean_error

    pairs = owed(known.prepared.case)
    each = [np.stack([p.sel(state=s, rule=r).values for s, r in pairs]) for p in (known.p_draw, anew)]
    errors = [mean_error(p.reshape(len(pairs), known.chains, -1)) for p in each]
    return dict(zip(pairs, np.hypot(*errors).tolist(), strict=True))


_asked: WeakKeyDictionary[Run, dict[int, Known]] = WeakKeyDictionary()
"""What was worked out of a run for the first question serves the next."""


def _known_of(done: Run, forecast: Forecast, most: int) -> Known:
    known = _asked.setdefault(done, {})
    if most not in known:
        last, seed = forecast.dataset["p_draw"].isel(time=-1), done.summary["settings"]["seed"]
        known[most] = Known(done.prepared, done.tree, last, seed, horizon(forecast.dataset), most)
    return known[most]


def _check_same(old: Case, new: Case) -> None:
    for what in (name for name in type(old).telling() if name not in MAY_DIFFER):
        mine, theirs = (_weighed(getattr(case, what)) for case in (old, new))
        if mine != theirs:
            raise Refused(
                f"case.toml: not that of the run in {what}{_named(mine, theirs)}; allowed: the same, or a new run"
            )


def _weighed(value: Any) -> Any:
    """A part of a case without what is said of its rules in words."""
    if not isinstance(value, tuple):
        return value
    return tuple(one.model_copy(update=dict.fromkeys(one.words, "")) if isinstance(one, Rule) else one for one in value)


def _named(mine: Any, theirs: Any) -> str:
    """Which parts differ, of those that have an id."""
    ours, others = ({part.id: part for part in parts if hasattr(part, "id")} if isinstance(parts, tuple) else {}
                    for parts in (mine, theirs))  # fmt: skip
    ids = sorted(id for id in {*ours, *others} if ours.get(id) != others.get(id))
    return f" ({', '.join(ids)})" if ids else ""
