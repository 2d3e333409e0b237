"""How well does a panel foretell decisions that its fit did not see: of whole states left out, or of single rows?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from bayes_compliance import seeds, theory
from bayes_compliance.forecast import BAND
from bayes_compliance.panel.fitting import Fitter, log_likelihood, simulate, thinned
from bayes_compliance.panel.layout import PanelLayout

JEFFREYS = 0.5
COLUMNS = (
    "state", "rows", "complied", "expected", "lower", "upper", "log_score", "base_rate_log_score", "gain",
)  # fmt: skip
"""Of left_out.csv."""


class Count(NamedTuple):
    """A state left out: its compliance rows, how many complied, and what was forecast of that number (5% to 95%)."""

    state: str
    rows: int
    complied: int
    expected: float
    lower: float
    upper: float


class HeldOut(NamedTuple):
    """Log scores (in nats, higher is better) of each compliance row that was held out once.

    `base` is that of the rates of the outcomes among the rows that were seen, each counted once half more; `counts` are
    of states left out whole.
    """

    rows: NDArray
    state: NDArray
    score: NDArray
    base: NDArray
    counts: tuple[Count, ...] = ()

    @property
    def better(self) -> tuple[float, float]:
        """Mean gain over the base rate, and its standard error over states: rows of one state hang together."""
        gain = self.score - self.base
        names, index = np.unique(self.state, return_inverse=True)
        sums = np.bincount(index, weights=gain)
        sizes = np.bincount(index)
        mean = gain.mean()
        scatter = ((sums - mean * sizes) ** 2).sum() * len(names) / max(len(names) - 1, 1)
        return float(mean), float(np.sqrt(scatter) / len(gain))


def by_state(layout: PanelLayout, folds: int, seed: int) -> NDArray:
    """Fold of each row, whole states together; as many folds as states leave one state out at a time."""
    observed = np.unique(layout.state)
    order = seeds.generator(seed, "folds of states").permutation(observed)
    fold = np.full(len(layout.states), -1)
    fold[order] = np.arange(len(order)) % folds
    return fold[layout.state]


def by_row(layout: PanelLayout, folds: int, seed: int) -> NDArray:
    """Fold of each row, at random."""
    return seeds.generator(seed, "folds of rows").permutation(len(layout.outcome)) % folds


def held_out(
    fitter: Fitter, fold: NDArray, *, seed: int, draws: int, tune: int, chains: int, progress: bool = False
) -> HeldOut:
    """Fit once for each fold, on the rows of the others, and score its rows; one compilation serves all.

    Parameters
    ----------
    fitter : Fitter
    fold : int array (row,)
    seed, draws, tune, chains, progress
        As in `Fitter.sample`.
    """
    layout = fitter.layout
    score, base = np.full(len(fold), np.nan), np.full(len(fold), np.nan)
    counts: list[Count] = []
    rng = seeds.generator(seed, "left out")
    for k in np.unique(fold):
        out = fold == k
        found, _ = fitter.sample(seed=seed, draws=draws, tune=tune, chains=chains, held_out=out, progress=progress)
        kept = thinned(layout, found)
        flat = {name: v[:, kept].reshape(-1, v.shape[-1]) for name, v in found.items()}
        each = log_likelihood(layout, flat)
        score[out] = (logsumexp(each, axis=0) - np.log(len(each)))[out]
        base[out] = _base_rate(layout, out)[out]
        counts += _counts(layout, out, simulate(layout, flat, rng))
    scored = np.concatenate([np.arange(b.rows.start, b.rows.stop) for b in layout.blocks if b.kind == "compliance"])
    return HeldOut(scored, layout.state[scored], score[scored], base[scored], tuple(sorted(counts)))


def _counts(layout: PanelLayout, out: NDArray, simulated: NDArray) -> list[Count]:
    """Numbers of rows that complied, of each state all of whose compliance rows were held out."""
    compliance = np.array([e.decision.kind == "compliance" for e in layout.entries])
    found = []
    for s in np.unique(layout.state[out & compliance]):
        rows = compliance & (layout.state == s)
        if out[rows].all():
            ahead = (simulated[:, rows] == theory.COMPLY).sum(axis=1)
            lower, upper = np.quantile(ahead, BAND, method="inverted_cdf")
            complied = int((layout.outcome[rows] == theory.COMPLY).sum())
            found.append(
                Count(layout.states[s], int(rows.sum()), complied, float(ahead.mean()), float(lower), float(upper))
            )
    return found


def by_state_table(found: HeldOut, states: tuple[str, ...]) -> list[dict]:
    """Rows of left_out.csv, one for each state with compliance decisions."""
    names = np.array(states)[found.state]
    table: list[dict] = []
    for one in found.counts:
        of = names == one.state
        mean, base = float(found.score[of].mean()), float(found.base[of].mean())
        scores = {"log_score": mean, "base_rate_log_score": base, "gain": mean - base}
        counts = {k: f"{getattr(one, k):.0f}" for k in ("rows", "complied", "lower", "upper")}
        table.append({"state": one.state, "expected": one.expected} | counts | scores)
    return table


def _base_rate(layout: PanelLayout, out: NDArray) -> NDArray:
    """Log share of each row's outcome among the compliance rows that were seen with as many outcomes."""
    compliance = np.array([e.decision.kind == "compliance" for e in layout.entries])
    found = np.zeros(len(out))
    for n in (2, 3):
        of = layout.n_outcomes == n
        counts = np.bincount(layout.outcome[of & compliance & ~out], minlength=3) + JEFFREYS
        counts[1] *= n == 3
        with np.errstate(divide="ignore"):
            found[of] = np.log(counts / counts.sum())[layout.outcome[of]]
    return found
