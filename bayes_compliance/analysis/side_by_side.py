"""Scenarios as text: base and scenario side by side, with their difference and its band."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from bayes_compliance.forecast import BAND
from bayes_compliance.wording import decimals, rule_name

HEADINGS = ("date", "base", "scenario", "difference", f"{BAND[0]:.0%}", f"{BAND[1]:.0%}")


def side_by_side(found: xr.Dataset, every_date: bool = False) -> str:
    """A table for each scenario: probability of compliance without and with it, by state, rule and date.

    Parameters
    ----------
    found : Dataset
        From `bayes_compliance.analysis.scenarios.scenarios`.
    every_date : bool
        All dates from the scenario's on, instead of the first of them and the last.
    """
    return "\n\n".join("\n".join(_lines(found.sel(scenario=id), every_date)) for id in found["scenario"].values)


def _lines(one: xr.Dataset, every_date: bool) -> Iterator[str]:
    yield f"{one['scenario'].item()}: {one['title'].item()} (from {_day(one['since'])})"
    pairs = [(s, r) for s in one["state"].values for r in one["rule"].values if _owed(one, s, r)]
    named = [("state", "rule"), *((state, rule_name(rule)) for state, rule in pairs)]
    wide = [max(map(len, column)) for column in zip(*named, strict=True)]
    yield f"{'state':<{wide[0]}}  {'rule':<{wide[1]}}  {'date':<10}" + "".join(f"{h:>11}" for h in HEADINGS[1:])
    for state, rule in pairs:
        here = one.sel(state=state, rule=rule)
        for j in dates_of_interest(here, every_date):
            at = here.isel(time=j)
            names = ("p_base", "p_scenario", "difference", "difference_lower", "difference_upper")
            signs = ("", "", "+", "+", "+")
            numbers = "".join(decimals(at[name].item(), 11, sign) for name, sign in zip(names, signs, strict=True))
            yield f"{state:<{wide[0]}}  {rule_name(rule):<{wide[1]}}  {_day(at['time'])}{numbers}"


def dates_of_interest(one: xr.Dataset, every_date: bool = False) -> list[int]:
    """Positions of the dates on which a scenario holds: the first and the last, or all of them."""
    holding = np.flatnonzero(one["time"].values >= one["since"].values)
    return [int(j) for j in (holding if every_date else np.unique(holding[[0, -1]]))]


def _owed(one: xr.Dataset, state: str, rule: str) -> bool:
    return bool(one["p_base"].sel(state=state, rule=rule).notnull().any())


def _day(value: xr.DataArray) -> str:
    return str(value.values.astype("datetime64[D]"))
