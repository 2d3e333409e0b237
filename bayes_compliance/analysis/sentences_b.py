"""What would change the answer, in plain sentences: tipping points, depth, what to find out, sets and scenarios.

Every function takes the Dataset of the analysis of its name, by the rules of `sentences_a`; but what to find out next
goes by shares as they are shown, since the figure beside it shows them too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import xarray as xr

from bayes_compliance.analysis.sentences_a import EVEN, MATTERS, _at_the_horizon, _day, _pairs
from bayes_compliance.case.vocabulary import ALL, ANY_RULE
from bayes_compliance.wording import listed, number, percent, rounded


def value_of_information_sentences(found: xr.Dataset) -> list[str]:
    """What to find out next."""
    said = []
    for who, state, rule, day in _at_the_horizon(found, "variance"):
        voi = found["voi"].sel(state=state, rule=rule).isel(time=-1).to_series().sort_values(kind="stable")
        best, value = voi.index[-1], float(voi.iloc[-1])
        if not _matters(value):
            said.append(
                f"{who}: no single lobby's strength today would tell much of compliance on {day}: none takes away "
                f"{percent(MATTERS)} of the variance of its probability."
            )
            continue
        next_best = [f", then {lobby} ({percent(float(v))})" for lobby, v in voi.iloc[-2:-1].items() if _matters(v)]
        said.append(
            f"{who}: for compliance on {day}, what to find out next is the present weight of {best}: it would take "
            f"away {percent(min(value, 1.0))} of the variance of its probability{''.join(next_best)}."
        )
    return said


def _matters(share: float) -> bool:
    """Whether a share is shown as the mark or more."""
    return rounded(share) >= rounded(MATTERS)


def anticipation_sentences(found: xr.Dataset, joined: Collection[str]) -> list[str]:
    """Whether the losers had reason to fight the treaty at the outset.

    Parameters
    ----------
    found : Dataset
    joined : collection of str
        States on record as having joined.
    """
    said, day = [], _day(found, -1)
    for state in found["state"].values:
        here = found.sel(state=state, rule=ANY_RULE).isel(time=-1)
        if np.isnan(here["needed"].item()):
            continue
        needed = _needed(*here["factor"].values)
        said.append(
            f"{state}: to block adherence those who lose would have had to be {needed}; with probability "
            f"{percent(here['p_blocks'].item())} they outweighed the rest on that day (support for joining was below "
            f"its threshold){', and it joined all the same' if state in joined else ''}."
        )
        said.append(f"{state}: {_foreseen(here, day)}.")
    return said


def _needed(low: float, middle: float, high: float) -> str:
    if np.isinf(middle):
        return "there in the first place"
    return f"{middle:.2g} times as strong ({low:.2g} to {'any number' if np.isinf(high) else format(high, '.2g')})"


def _foreseen(here: xr.Dataset, day: str) -> str:
    taken, worth = here["taken"].item(), here["p_worth"].item()
    if not (taken > 0 or worth > 0):
        return "no entrenchment takes anything from them, so there was nothing to foresee"
    reason = "had reason to fight it" if worth > EVEN else "had no reason to fight it"
    return (
        f"by {day} entrenchment moves the balance against them by {number(taken)} points on the median; the chance "
        f"that it exceeds what blocking would have asked for ({number(here['needed'].item())} points on the median) is "
        f"{percent(worth)}, so losers who foresaw it more likely than not {reason}"
    )


def bilateral_or_multilateral_sentences(found: xr.Dataset) -> list[str]:
    """What reciprocity with some counterparties alone would sustain."""
    said = []
    for who, state, rule in _pairs(found["p"].sel(set=ALL).isel(time=-1)):
        p = found["p"].sel(state=state, rule=rule).isel(time=-1).to_series().dropna()
        if len(p) < 2:
            continue
        alone = {str(name): float(value) for name, value in p.items() if name != ALL}
        each = listed([f"{percent(value)} with {name}" for name, value in alone.items()])
        lost = {name: float(p[ALL]) - value for name, value in alone.items()}
        said.append(
            f"{who}: compliance on {_day(found, -1)} has probability {percent(p[ALL])} with all counterparties, "
            f"{each}; {_sets(lost)}."
        )
    return said


def _sets(lost: Mapping[str, float]) -> str:
    """Beside which sets the answer of the others is needed: of those that lose less than the mark it is not."""
    needed = [name for name, loss in lost.items() if loss >= MATTERS]
    better = [name for name, loss in lost.items() if loss <= -MATTERS]
    enough = [name for name in lost if name not in (*needed, *better)]
    if len(enough) == len(lost):
        return "how many answer matters little"
    parts = [f"with {' or '.join(needed)} the others' answer is needed"] if needed else []
    if enough:
        parts.append(f"with {' or '.join(enough)} the answer of the others matters little")
    if better:
        parts.append(f"with {' or '.join(better)} compliance does better without the others")
    return listed(parts)
