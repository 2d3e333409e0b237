"""What forecast.nc of a panel holds: some draws of every state on every rule and date, and the table's columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.panel.outlook import SAMPLED

if TYPE_CHECKING:
    import xarray as xr

MOST_CELLS = 2_000_000
"""Numbers of a variable: of 150 states, 80 rules and five dates some thirty draws are kept, of ten states hundreds."""


class Kept:
    """Draws kept evenly, and summaries, as they come.

    Parameters
    ----------
    states, rules : sequence of str
    times : sequence of date
    n : int
        Draws.
    """

    def __init__(self, states: Sequence[str], rules: Sequence[str], times: Sequence[date], n: int) -> None:
        self.states, self.rules, self.times = list(states), list(rules), list(times)
        cells = len(states) * len(rules) * len(times)
        self.sample = np.unique(np.linspace(0, n - 1, max(1, min(n, MOST_CELLS // cells))).round().astype(int))
        self.samples = {name: np.full((*self._shape, len(self.sample)), np.nan, np.float32) for name in SAMPLED}
        self.said: dict[str, NDArray] = {}

    @property
    def _shape(self) -> tuple[int, int, int]:
        return len(self.states), len(self.rules), len(self.times)

    def put(self, state: int, rule: int, path: dict[str, NDArray], said: dict[str, NDArray]) -> None:
        """Keep a state on a rule: draws (sample, date) and summaries (date,)."""
        for name, values in path.items():
            self.samples[name][state, rule] = values[self.sample].T
        for name, each in said.items():
            self.said.setdefault(name, np.full(self._shape, np.nan))[state, rule] = each

    def dataset(self) -> xr.Dataset:
        """As for a case: `p_comply`, `p_partial`, `p_violate`, `support` (one path ahead for each draw kept) and
        `p_today` (averaged over paths), (state, rule, time, sample), and the summaries of the table with `_mean` behind
        the name where it would be the same, (state, rule, time). NaN where there is no forecast; `*` is what is new.
        """
        import xarray as xr

        dims = ("state", "rule", "time", "sample")
        data: dict[str, tuple[tuple[str, ...], NDArray]] = {k: (dims, v) for k, v in self.samples.items()}
        data |= {f"{k}_mean" if k in self.samples else k: (dims[:3], v) for k, v in self.said.items()}
        coords = {
            "state": self.states, "rule": self.rules, "time": np.array(self.times, "datetime64[ns]"),
            "sample": self.sample,
        }  # fmt: skip
        return xr.Dataset(data, coords=coords)
