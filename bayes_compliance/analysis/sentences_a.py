"""What the analyses say, in plain sentences from one rule set: one or two for each state and rule, at the horizon.

Every function takes the Dataset of the analysis of its name. A probability is written in whole percent, `under 1%` and
`over 99%` at the ends, as no sample of worlds proves more; a verdict compares the unrounded number with the marks
below.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from bayes_compliance.analysis.decomposition import DRIFT, MOVING, NOISE, TODAY
from bayes_compliance.case.vocabulary import ANY_RULE, LEVELS
from bayes_compliance.wording import LIKELY, listed, percent, rounded

EVEN = 0.5
"""More likely than not."""

UNLIKELY = 0.2
"""At most this, joining was probably sincere; from 1 less this on, probably not."""

MATTERS = 0.05
"""A change in probability smaller than this changes little."""

EXPLAINED = 0.8
"""Sources of variance are named, greatest first, until they explain this share; at most `NAMED` of them."""

NAMED = 3


def shares_of_variance_sentences(found: xr.Dataset) -> list[str]:
    """Where the uncertainty comes from, and what moves the answer most; the drifts of all lobbies are one source."""
    return [sentence for at in _at_the_horizon(found, "variance") for sentence in _shares(found, *at)]


def _shares(found: xr.Dataset, who: str, state: str, rule: str, day: str) -> list[str]:
    here = found.sel(state=state, rule=rule)
    each, error = (here[name].isel(time=-1).to_series() for name in ("share", "share_error"))
    if each.isna().any():
        return [f"{who}: no simulated world leaves the decision on {day} in doubt, so there is nothing to share out."]
    drifts = each[each.index.str.startswith(DRIFT)]
    share = pd.concat([each.drop(drifts.index), pd.Series({MOVING: drifts.sum()})])
    error = error.drop(drifts.index)
    error[MOVING] = here["drift_error"].isel(time=-1).item()
    share = share.sort_values(ascending=False, kind="stable")
    most = {MOVING: _whose(drifts)}
    greatest = share.iloc[: _enough(share.to_numpy())]
    named = listed([f"{percent(p)} from {source}{most.get(source, '')}" for source, p in greatest.items()])
    first, last = (here["share"].sel(source=TODAY).isel(time=place).item() for place in (0, -1))
    told = [f"{who}: of the uncertainty about the decision on {day}, {named}; {_moves(share, error)}."]
    if np.isfinite(first):
        told.append(
            f"{who}: what is not known of today makes {percent(first)} of it on {_day(found, 0)} and {percent(last)} "
            f"on {day}."
        )
    return told


def _moves(share: pd.Series, error: pd.Series) -> str:
    """What moves the answer most, noise apart; two sources closer than two standard errors are not told apart.

    Where the errors are not known, the greatest is named, and that nobody knows how sure that is.
    """
    first, second = share.drop(NOISE).index[:2]
    besides = "besides that noise, " if share.index[0] == NOISE else ""
    gap, doubt = share[first] - share[second], 2 * np.hypot(error[first], error[second])
    if gap < doubt:
        return f"{besides}what moves the answer most is {first} or {second} (the simulation cannot tell)"
    unsure = " (how sure that is, the simulation cannot tell)" if np.isnan(doubt) else ""
    return f"{besides}what moves the answer most is {first}{unsure}"


def _whose(drifts: pd.Series) -> str:
    """The lobby whose drift is the greatest."""
    seen = drifts[drifts.map(rounded) != 0]
    if seen.empty or seen.max() <= 0:
        return ""
    lobby = str(seen.idxmax()).removeprefix(DRIFT)
    return f" (that of {lobby})" if len(seen) == 1 else f" (the greatest that of {lobby}, {percent(seen.max())})"


def _enough(share: np.ndarray) -> int:
    return min(NAMED, 1 + int(np.searchsorted(share.cumsum(), EXPLAINED)))


def tilt_sentences(found: xr.Dataset) -> list[str]:
    """Whether the promise tilts the state towards compliance."""
    return [
        f"{who}: the promise adds {here['bias_median']:.3g} points to the support for compliance on {day} and the "
        f"counterparty's uncertain answer takes {here['temptation_median']:.3g} (medians); that keeping the promise "
        f"has more support than making it, all else alike, has probability {percent(here['p_positive'])}."
        for who, here, day in _numbers(found, "p_positive")
    ]


def lock_in_sentences(found: xr.Dataset) -> list[str]:
    """What the agreement changes against the same conduct without it."""
    return [
        f"{who}: on {day} compliance has probability {percent(here['p_agreement'])} under the agreement and "
        f"{percent(here['p_alone'])} without it, so the agreement {_lift(here['lift'])}; it turns the balance in "
        f"{percent(here['pivotal'])} of worlds."
        for who, here, day in _numbers(found, "lift")
    ]


def _lift(lift: float) -> str:
    if abs(lift) < MATTERS:
        return "changes little"
    return "holds compliance up" if lift > 0 else "weakens compliance"


def sincerity_sentences(found: xr.Dataset, rules: Mapping[str, float] | None = None) -> list[str]:
    """Whether joining was sincere.

    Parameters
    ----------
    found : Dataset
    rules : dict of str to float or None
        Where `found` is a mean over several rules: `p_insincere` of each, so that a middling mean hides no clear rule.
    """
    said = []
    for who, state, rule in _pairs(found["p_insincere"]):
        here = found.sel(state=state, rule=rule)
        p, after = here["p_insincere"].item(), here["p_insincere_after_performance"].item()
        day = np.datetime_as_string(here["adherence_date"].values, "D")
        said.append(f"{who}: {_verdict(p, rules, f'the probability that on {day} it would not have complied')}.")
        if not np.isnan(after):
            later = np.datetime_as_string(here["date_after_performance"].values, "D")
            said.append(f"{who}: on {later}, the other side having performed, that probability is {percent(after)}.")
    return said


def _verdict(p: float, rules: Mapping[str, float] | None, what: str) -> str:
    """Whether joining was sincere; `what` is what `p`, and the percentage beside a rule, is the probability of."""
    if not rules or len(rules) == 1:
        return f"{_sincere(p)}, as {what} is {percent(p)}"
    if all(UNLIKELY < each < 1 - UNLIKELY for each in rules.values()):
        return f"on none of them can it be told whether joining was sincere; on average {what} is {percent(p)}"
    return f"{_sincere_on(rules)}; in brackets is {what}, {percent(p)} on average"


def _sincere(p: float) -> str:
    if p <= UNLIKELY:
        return "joining was probably sincere"
    return "joining was probably not sincere" if p >= 1 - UNLIKELY else "whether joining was sincere cannot be told"


def _sincere_on(rules: Mapping[str, float]) -> str:
    """On which rules joining was probably sincere, probably not, and on how many of the rest it cannot be told."""
    ordered = sorted(rules.items(), key=lambda item: (item[1], item[0]))
    sincere = [(rule, p) for rule, p in ordered if p <= UNLIKELY]
    not_so = [(rule, p) for rule, p in reversed(ordered) if p >= 1 - UNLIKELY]
    rest = len(rules) - len(sincere) - len(not_so)
    parts = [f"joining was probably sincere on {_and_p(sincere)}"] if sincere else []
    if not_so:
        parts.append(f"{'' if sincere else 'joining was '}probably not sincere on {_and_p(not_so)}")
    if rest:
        parts.append(f"on the other {rest} it cannot be told" if rest > 1 else "on the other one it cannot be told")
    return listed(parts)


def _and_p(items: list[tuple[str, float]]) -> str:
    return listed([f"{name} ({percent(p)})" for name, p in items])


def ceiling_of_reciprocity_sentences(found: xr.Dataset) -> list[str]:
    """Whether the L channel could suffice."""
    return [
        f"{who}: were the counterparty certain to answer and the future to weigh as much as today, compliance on {day} "
        f"would have probability {percent(here['p_ceiling'])} instead of {percent(here['p_comply'])}; "
        f"{_suffices(here['p_comply'], here['p_ceiling'])}."
        for who, here, day in _numbers(found, "p_ceiling")
    ]


def _suffices(p: float, most: float) -> str:
    if most < EVEN:
        return "reciprocity alone could not make compliance more likely than not"
    if p < EVEN:
        return "reciprocity could make compliance more likely than not"
    return f"compliance is {'about as likely as not' if rounded(p) < LIKELY else 'more likely than not'} already"


def preference_types_sentences(found: xr.Dataset) -> list[str]:
    """Which game the state plays; a prisoner's dilemma only where both sides' preferences are of that kind."""
    said = []
    for who, state, rule, day in _at_the_horizon(found, "p_preference"):
        here = found.sel(state=state, rule=rule).isel(time=-1)
        kinds = here["p_preference"].to_series().sort_values(ascending=False, kind="stable")
        named = listed([f"{kind} {percent(p)}" for kind, p in kinds.items()])
        said.append(f"{who}: its own preferences on {day} are most likely of the kind {kinds.index[0]} ({named}).")
        for other, p in here["p_both_dilemma"].to_series().dropna().items():
            game = "a prisoner's dilemma is" if p > EVEN else "a prisoner's dilemma is not"
            said.append(
                f"{who}: with {other} {game} more likely than not: both sides are in a dilemma with probability "
                f"{percent(p)}."
            )
    return said


def critical_discount_sentences(
    found: xr.Dataset, default: Collection[str] = (), rules: Mapping[str, int] | None = None
) -> list[str]:
    """How patient the state must be, given a dilemma, and whether its own shadow of the future is enough.

    Parameters
    ----------
    found : Dataset
    default : collection of str
        States whose shadow nobody judged.
    rules : dict of str to int or None
        Where discounts are medians over the rules of a state: their number.
    """
    said = []
    for who, state, rule, day in _at_the_horizon(found, "p_enough"):
        here = found.sel(state=state, rule=rule).isel(time=-1)
        grim = here["discount"].isel(punishment=0)
        low, middle, high = (_discount(grim.sel(quantile=q).item()) for q in LEVELS)
        several = (rules or {}).get(state, 1)
        median = f", the median over its {several} rules" if several > 1 else ""
        said.append(
            f"{who}: in a dilemma on {day} (probability {percent(here['p_dilemma'].item())}) punishment "
            f"{grim['punishment'].item()} needs a discount factor of {middle} ({low} to {high}){median}; the state's "
            f"own shadow of the future, {'a default, since nobody judged it' if state in default else 'as judged'}, is "
            f"enough with probability {percent(here['p_enough'].item())}."
        )
    return said


def _discount(d: float) -> str:
    return "more than 1" if np.isinf(d) else f"{d:.2f}"


def _pairs(values: xr.DataArray) -> Iterator[tuple[str, str, str]]:
    """A name for each owed pair, its state and its rule."""
    flat = values.stack(pair=("state", "rule"))
    spare = [dim for dim in flat.dims if dim != "pair"]
    for state, rule in flat.dropna("pair", how="all").indexes["pair"] if spare else flat.dropna("pair").indexes["pair"]:
        yield f"{state}, {'a new rule' if rule == ANY_RULE else rule}", state, rule


def _at_the_horizon(found: xr.Dataset, name: str) -> Iterator[tuple[str, str, str, str]]:
    for who, state, rule in _pairs(found[name].isel(time=-1)):
        yield who, state, rule, _day(found, -1)


def _numbers(found: xr.Dataset, name: str) -> Iterator[tuple[str, dict[str, float], str]]:
    for who, state, rule, day in _at_the_horizon(found, name):
        here = found.sel(state=state, rule=rule).isel(time=-1)
        yield who, {str(key): value.item() for key, value in here.data_vars.items()}, day


def _day(found: xr.Dataset, position: int) -> str:
    return str(np.datetime_as_string(found["time"].values[position], "D"))
