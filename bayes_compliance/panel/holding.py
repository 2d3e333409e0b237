"""How well does a panel foretell decisions that its fit did not see: of whole states left out, or of single rows?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from bayes_compliance import __version__, seeds, sweeps, theory
from bayes_compliance.forecast import BAND
from bayes_compliance.latents import end_to_end
from bayes_compliance.panel.fitting import Fitter, log_likelihood, simulate, thinned
from bayes_compliance.panel.layout import PanelLayout, Pooling
from bayes_compliance.store import JOURNAL
from bayes_compliance.validation.baselines import shares

if TYPE_CHECKING:
    from bayes_compliance.panel.records import Panel
    from bayes_compliance.sweeps import Schedule, Teller

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


@dataclass(frozen=True)
class Folds:
    """A job of `bayes_compliance.sweeps`: fit on the rows of all folds but one, and score that one's rows.

    Attributes
    ----------
    panel : Panel
    pooling, paths, centred
        Of the layout.
    fold : tuple of int
        Of each row of the layout.
    sampler : tuple of (str, int)
        Arguments of `Fitter.sample`.
    fitter : Fitter or None
        At hand in this process: a worker compiles one of its own.
    """

    panel: Panel = field(compare=False)
    pooling: Pooling
    paths: bool
    centred: bool
    fold: tuple[int, ...]
    sampler: tuple[tuple[str, int], ...]
    inputs: tuple[tuple[str, str], ...]
    fitter: Fitter | None = field(default=None, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"fitter": None}

    def open(self) -> Callable[[str], dict[str, Any]]:
        fitter = self.fitter or Fitter(PanelLayout(self.panel, self.pooling, self.paths, self.centred))
        fold = np.array(self.fold)
        sampler: dict[str, Any] = dict(self.sampler)
        return lambda key: _scored(fitter, fold == int(key), key, sampler)


def _scored(fitter: Fitter, out: NDArray, key: str, sampler: dict[str, Any]) -> dict[str, Any]:
    """Log scores and base rates of the rows of one fold, and what was forecast of whole states."""
    layout = fitter.layout
    found = fitter.sample(**sampler, held_out=out).draws
    kept = thinned(layout, found)
    flat = end_to_end({name: values[:, kept] for name, values in found.items()})
    each = log_likelihood(layout, flat)
    score = (logsumexp(each, axis=0) - np.log(len(each)))[out]
    simulated = simulate(layout, flat, seeds.generator(sampler["seed"], f"left out: {key}"))
    counts = [list(one) for one in _counts(layout, out, simulated)]
    return {"score": score.tolist(), "base": _base_rate(layout, out)[out].tolist(), "counts": counts}


def begun(layout: PanelLayout, fold: NDArray, sampler: dict[str, int], path: Path) -> sweeps.Journal:
    """The file in which each fold is entered when it is done.

    Raises
    ------
    Refused
        If it was begun for something else.
    """
    header = sampler | {
        "pooling": layout.pooling, "paths": layout.paths, "fold": fold.tolist(), "inputs": layout.panel.inputs,
        "version": __version__,
    }  # fmt: skip
    return sweeps.Journal(path, header, "panel")


def held_out(
    fitter: Fitter, fold: NDArray, *, seed: int, draws: int, tune: int, chains: int,
    journal: sweeps.Journal | None = None, schedule: Schedule | None = None, tell: Teller | None = None,
) -> HeldOut:  # fmt: skip
    """Fit once for each fold, on the rows of the others, and score its rows; one compilation serves all of a worker.

    Parameters
    ----------
    fitter : Fitter
    fold : int array (row,)
    seed, draws, tune, chains
        As in `Fitter.sample`.
    journal : Journal or None
        From `begun`: folds that are there are not fitted again.
    schedule : Schedule or None
        Where the fits are done; default this process. No number depends on it.
    tell : callable or None
        See `bayes_compliance.sweeps.run`.
    """
    layout = fitter.layout
    sampler = {"seed": seed, "draws": draws, "tune": tune, "chains": chains}
    keys = [str(k) for k in np.unique(fold)]
    job = Folds(
        layout.panel, layout.pooling, layout.paths, layout.centred, tuple(fold.tolist()), tuple(sampler.items()),
        tuple(sorted(layout.panel.inputs.items())), fitter,
    )  # fmt: skip
    with TemporaryDirectory() as place:
        book = journal or begun(layout, fold, sampler, Path(place, JOURNAL))
        results = list(sweeps.run(job, keys, book, schedule, tell))
    score, base = np.full(len(fold), np.nan), np.full(len(fold), np.nan)
    for key, result in zip(keys, results, strict=True):
        score[fold == int(key)], base[fold == int(key)] = result["score"], result["base"]
    counts = sorted(Count(*one) for result in results for one in result["counts"])
    scored = np.concatenate([np.arange(b.rows.start, b.rows.stop) for b in layout.blocks if b.kind == "compliance"])
    return HeldOut(scored, layout.state[scored], score[scored], base[scored], tuple(counts))


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
        counts = np.bincount(layout.outcome[of & compliance & ~out], minlength=3)
        found[of] = np.log(shares(counts, n)[layout.outcome[of]])
    return found
