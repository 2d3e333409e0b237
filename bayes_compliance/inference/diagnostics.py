"""Can the draws be trusted? Named marks, and the first thing that a report says when one is missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

RHAT, ESS, BFMI, MC_ERROR = 1.01, 400.0, 0.3, 0.01
ACCEPTANCE, REMEMBERED, ANCESTORS, DRIFT, EVIDENCE = 0.1, 0.2, 20, 4.5, 0.5
NEAR = 0.6
"""Share of the way to the mark of R-hat up to which it need not be ranked."""

FORECAST = "Monte Carlo error of p_comply"


class Check(NamedTuple):
    """One diagnostic: its worst value, the mark that it must meet, where the worst stands, and whether it passed."""

    name: str
    value: float
    mark: str
    where: str
    passed: bool

    @classmethod
    def recalled(cls, found: Mapping[str, Any]) -> Self:
        """A diagnostic as summary.json holds it: null stands for NaN."""
        return cls(**{**found, "value": np.nan if found["value"] is None else found["value"]})

    def __str__(self) -> str:
        at = f" ({self.where})" if self.where else ""
        return f"{self.name} {self.value:.4g}{at}, mark {self.mark}"


def free_series(posterior: xr.Dataset, free: dict[str, NDArray]) -> tuple[NDArray, list[str]]:
    """Series of the free variables, shape (variable, chain, draw), and their names."""
    series, names = [], []
    for name, where in free.items():
        if not len(where):
            continue
        variable = posterior[name]
        (dim,) = [d for d in variable.dims if d not in ("chain", "draw")]
        values = variable.transpose(dim, "chain", "draw").values[where]
        series.append(values)
        names += [f"{name}[{label}]" for label in variable[dim].values[where]]
    if not series:
        return np.zeros((0, posterior.sizes["chain"], posterior.sizes["draw"])), []
    return np.concatenate(series), names


def check_draws(series: NDArray, names: Sequence[str]) -> list[Check]:
    """R-hat (rank-normalised; a NaN fails) and bulk and tail effective sample size of every free variable.

    Parameters
    ----------
    series : array (variable, chain, draw)
    names : sequence of str
    """
    from arviz_stats.base import array_stats

    if not len(series):
        return []
    with np.errstate(divide="ignore", invalid="ignore"):  # NaN for a series that stands still
        rhat = np.asarray(array_stats.rhat(series), float)
    # any NaN is worse than every number
    worst = int(np.argmax(np.where(np.isnan(rhat), np.inf, rhat)))
    checks = [Check("R-hat", float(rhat[worst]), f"< {RHAT}", names[worst], bool(rhat[worst] < RHAT))]
    for kind, prob in (("bulk", None), ("tail", (0.05, 0.95))):
        ess = np.asarray(array_stats.ess(series, method=kind, prob=prob), float)
        worst = int(np.argmin(np.where(np.isnan(ess), -np.inf, ess)))
        checks.append(Check(f"{kind} ESS", float(ess[worst]), f"> {ESS:g}", names[worst], bool(ess[worst] > ESS)))
    return checks


def worst_rhat(variables: Sequence[NDArray]) -> float:
    """The largest R-hat (rank-normalised) of series, or 1 where none comes near the mark.

    The plain one, of series and of their distances from the median, takes a tenth of the time, and of the latents of a
    model, which are nearly normal, it differs by less than .003; only what it does not clear is ranked.

    Parameters
    ----------
    variables : sequence of array (chain, draw, item)
    """
    from arviz_stats.base import array_stats

    worst = 1.0
    for values in variables:
        series = np.moveaxis(values, -1, 0)
        folded = abs(series - np.median(series, axis=(1, 2), keepdims=True))
        near = np.maximum(_plain_rhat(series), _plain_rhat(folded)) > 1 + NEAR * (RHAT - 1)
        if near.any():
            worst = max(worst, float(np.max(array_stats.rhat(series[near]))))
    return worst


def _plain_rhat(series: NDArray) -> NDArray:
    """R-hat of halves of chains, (variable, chain, draw); NaN for a series that stands still."""
    half = series.shape[-1] // 2
    halves = np.concatenate([series[..., :half], series[..., -half:]], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        between, within = halves.mean(axis=-1).var(axis=-1, ddof=1), halves.var(axis=-1, ddof=1).mean(axis=-1)
        return np.sqrt(between / within + (half - 1) / half)


def worst_bfmi(stats: Mapping[str, Any]) -> float:
    """The least energy Bayesian fraction of missing information of the chains."""
    from arviz_stats.base import array_stats

    return float(np.min(array_stats.bfmi(np.asarray(stats["energy"]))))


def check_sampler(stats: xr.Dataset) -> list[Check]:
    """Divergences and the energy Bayesian fraction of missing information, where the engine has them."""
    from arviz_stats.base import array_stats

    checks = []
    if "diverging" in stats:
        count = int(stats["diverging"].sum())
        checks.append(Check("divergences", float(count), "none", "", count == 0))
    if "energy" in stats and float(stats["energy"].std()) > 0:
        bfmi = np.atleast_1d(array_stats.bfmi(stats["energy"].transpose("chain", "draw").values))
        worst = int(np.argmin(bfmi))
        checks.append(Check("E-BFMI", float(bfmi[worst]), f"> {BFMI}", f"chain {worst}", bool(bfmi[worst] > BFMI)))
    return checks


def check_runs(attrs: Mapping[Any, Any]) -> list[Check]:
    """What sequential Monte Carlo says of its runs, by the attributes of `bayes_compliance.inference.smc`.

    Steps accepted and distance moved (how much of the start a chain remembers); distinct particles from which the final
    chains descend; whether their later halves drift from the earlier, where runs that all lag behind agree with one
    another (largest |t| over latents: with a thousand of them one fit in 150 fails by chance); the evidence's error.
    """
    if "remembered" not in attrs:
        return []
    share, left, kept = float(attrs["acceptance"]), float(attrs["remembered"]), float(attrs["ancestors"])
    drift, error = float(attrs["drift"]), float(attrs["log_evidence_error"])
    return [
        Check("share of steps accepted", share, f"> {ACCEPTANCE}", "", share > ACCEPTANCE),
        Check("correlation with the start of a chain", left, f"< {REMEMBERED}", "", left < REMEMBERED),
        Check("distinct ancestors", kept, f"> {ANCESTORS}", "", kept > ANCESTORS),
        Check("drift within chains", drift, f"< {DRIFT}", str(attrs["drift_of"]), drift < DRIFT),
        Check("error of the log evidence", error, f"< {EVIDENCE}", "", error < EVIDENCE),
    ]


def check_forecast(mc_error: float) -> Check:
    """Monte Carlo standard error of p_comply, its largest over states, rules and dates."""
    return Check(FORECAST, mc_error, f"< {MC_ERROR}", "", bool(mc_error < MC_ERROR))


def mean_error(series: NDArray) -> NDArray:
    """Monte Carlo standard error of the mean, by the effective sample size; 0 for a constant.

    Parameters
    ----------
    series : array (..., chain, draw)
    """
    from arviz_stats.base import array_stats

    moves = series.std(axis=(-2, -1)) != 0  # NaN too, which no mark may pass
    error = np.zeros(series.shape[:-2])
    if moves.any():
        error[moves] = np.asarray(array_stats.mcse(series[moves], method="mean"), float)
    return error


def failed(checks: Sequence[Check]) -> list[Check]:
    """The checks that missed their mark."""
    return [check for check in checks if not check.passed]
