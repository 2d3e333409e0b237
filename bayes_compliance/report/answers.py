"""What the analyses answer about a run: computed once for each, with why the rest does not apply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from bayes_compliance.forecast import HORIZON_ONLY
from bayes_compliance.report.facts import has_lobbies, series
from bayes_compliance.runs import until_of

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.analysis.ahead import Ahead
    from bayes_compliance.case import Case
    from bayes_compliance.runs import Run

DRAWS, PATHS = 600, 4
"""Posterior draws at most, and future paths of each: fewer than the forecast's will do for differences."""

ANSWERING = ("ceiling_of_reciprocity", "preference_types", "critical_discount")
"""About the L channel."""

NEEDS_PARTS = (
    "shares_of_variance", "tilt", *ANSWERING, "tipping_points", "deepest_rule", "value_of_information", "anticipation",
)  # fmt: skip
COMPARED = {
    "scenarios": ("p_base", "p_scenario", "difference", 1),
    "bilateral_or_multilateral": ("p", "p", "difference", 1),
    "lock_in": ("p_agreement", "p_alone", "lift", -1),
    "ceiling_of_reciprocity": ("p_comply", "p_ceiling", "room", 1),
}
"""Analyses that set something beside the forecast: its probability, the other, their difference and its sign."""

NEEDS_LOBBIES = ("lock_in", "sincerity", "scenarios", "bilateral_or_multilateral")


class Answers(NamedTuple):
    """Datasets by the name of their analysis, and by name why an analysis does not apply."""

    found: dict[str, xr.Dataset]
    missing: dict[str, str]


_known: WeakKeyDictionary[Run, Answers] = WeakKeyDictionary()


def answers(run: Run) -> Answers:
    """The answers to all questions that the run's model and case give an answer to.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Answers
        The same object for the same run.
    """
    if run not in _known:
        _known[run] = _answers(run)
    return _known[run]


def _answers(run: Run) -> Answers:
    model, case = run.prepared.model, run.prepared.case
    missing = {}
    if not hasattr(model, "system"):
        missing["equilibria"] = "in this model states do not choose at the same time; reciprocity is one that does"
    if not hasattr(model, "log_ratio"):
        missing["insincerity"] = "in this model states are not of two types; opportunism is one in which they are"
    if len(case.states) > 1:
        missing["reputation"] = (
            "one case says too little of it; the command bayes-compliance panel, of many rules or cases, ranks states"
        )
    if not case.counterparty_sets:
        missing["bilateral_or_multilateral"] = "the case declares no sets of counterparties"
    if not case.scenarios:
        as_of = run.summary["settings"].get("as_of")
        missing["scenarios"] = f"no scenario of the case begins by {as_of}" if as_of else "the case has no scenario"
    if not has_lobbies(case):
        missing |= dict.fromkeys((*NEEDS_PARTS, *NEEDS_LOBBIES), "this model has no lobbies")
        found = {}
    else:
        found = _by_lobby(run, missing) if hasattr(model, "parts") else _without_parts(run, missing)
    return Answers(_from_the_forecast(run, found) | _of_the_model(run), missing)


def _from_the_forecast(run: Run, found: dict[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """The forecast's own probabilities, and what each comparison makes of them.

    A sample of worlds tells the difference between two probabilities well, and less well where both stand.
    """
    told = {}
    for name, (base, other, change, sign) in COMPARED.items():
        if (one := found.get(name)) is not None:
            p = _forecast_on(run, one)
            told[name] = one.assign({base: p} | {other: (p + sign * one[change]).clip(0, 1)})
    return found | told


def _forecast_on(run: Run, found: xr.Dataset) -> xr.DataArray:
    """p_comply of the forecast at the horizon, on the states and rules of a Dataset; NaN where a rule is not owed."""
    import numpy as np
    import xarray as xr

    coords = {name: found[name].values for name in ("state", "rule", "time")}
    p = xr.DataArray(np.full([len(values) for values in coords.values()], np.nan), coords, list(coords))
    for (state, rule), rows in series(run).items():
        p.loc[state, rule] = rows[-1]["p_comply"]
    return p


def _by_lobby(run: Run, missing: dict[str, str]) -> dict[str, xr.Dataset]:
    from bayes_compliance.analysis.overview import overview

    found = overview(run.prepared, run.tree, **_asked(run), draws=DRAWS, paths=PATHS, horizon_only=True)
    if not any(lobby.role == "L" for lobby in run.prepared.case.lobbies):
        for name in ANSWERING:
            missing[name] = "no lobby of the case gains from the other side's compliance, so nothing answers"
            found.pop(name)
    return found


def _without_parts(run: Run, missing: dict[str, str]) -> dict[str, xr.Dataset]:
    """What needs no lobbies told apart."""
    from bayes_compliance.analysis.lock_in import LockIn
    from bayes_compliance.analysis.overview import fewer, what_ifs
    from bayes_compliance.analysis.sincerity import sincerity

    missing |= dict.fromkeys(NEEDS_PARTS, "this model does not say what each lobby adds to support")
    ahead, asked = _ahead(run), _asked(run)
    found = {"lock_in": ahead.answer(LockIn(ahead)), "sincerity": sincerity(run.prepared, run.tree, **asked)}
    return found | what_ifs(run.prepared, run.tree, **asked, step_years=HORIZON_ONLY, **fewer(DRAWS))


def _of_the_model(run: Run) -> dict[str, xr.Dataset]:
    from bayes_compliance.analysis.equilibria import Equilibria
    from bayes_compliance.analysis.opportunism import insincerity

    found = {}
    if hasattr(run.prepared.model, "system"):
        ahead = _ahead(run, None)  # on which date there are most is asked of all
        found["equilibria"] = ahead.answer(Equilibria(ahead))
    if hasattr(run.prepared.model, "log_ratio"):
        found["insincerity"] = insincerity(run.prepared, run.tree)
    return found


def _ahead(run: Run, step_years: float | None = HORIZON_ONLY) -> Ahead:
    from bayes_compliance.analysis.ahead import Ahead

    return Ahead(run.prepared, run.tree, **_asked(run), step_years=step_years, draws=DRAWS, paths=PATHS)


def _asked(run: Run) -> dict[str, Any]:
    """The seed and horizon of the run."""
    settings = run.summary["settings"]
    return {"seed": settings["seed"], "until": until_of(settings)}


def owed(case: Case) -> dict[str, list[str]]:
    """Rules that each state owes, the new rule left out; states that owe none are left out."""
    return {state.id: sorted(state.rules) for state in case.states if state.rules}


def over_rules(found: xr.Dataset, case: Case, middle: bool = False) -> xr.Dataset:
    """A Dataset with one rule for each state: any of those that it owes, taken at random.

    Parameters
    ----------
    found : Dataset
        On (state, rule, ...), NaN where a rule is not owed.
    case : Case
    middle : bool
        Medians over rules instead of means, for quantities that may be infinite.

    Returns
    -------
    Dataset
        Means over rules of what is a number; its rules are named for sentences: ``over its 3 rules``, or the rule
        where a state owes one.
    """
    import xarray as xr

    numbers = found[[name for name, values in found.data_vars.items() if values.dtype.kind == "f"]]
    each = []
    for state, rules in owed(case).items():
        here = numbers.sel(state=[state], rule=rules)
        mean = here.median("rule") if middle else here.mean("rule")
        name = rules[0] if len(rules) == 1 else f"over its {len(rules)} rules"
        each.append(mean.expand_dims(rule=[name], axis=1))
    return xr.merge(each, join="outer", compat="no_conflicts") if each else numbers.isel(state=[], rule=[])


def by_state_alone(found: xr.Dataset) -> dict[str, xr.Dataset]:
    """What `over_rules` found of each state, without the rule."""
    return {
        str(state): found.sel(state=state).dropna("rule", how="all").isel(rule=0) for state in found["state"].values
    }
