"""Scores of probability forecasts of ordered outcomes, and what may be said of their differences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_compliance.arguments import shown
from bayes_compliance.errors import Refused
from bayes_compliance.kept import BAND
from bayes_compliance.theory import COMPLY, PARTIAL, VIOLATE

RESAMPLES = 4000
ROUNDING = 1e-5
"""By which probabilities may miss a sum of 1: those of forecast.csv have six decimals."""

SCORES = ("brier", "log", "rps")
FEW_RULES = 6
"""With fewer rules to resample a band says little, and no verdict is given."""

HONEST = 0.05
"""False-alarm rate at which probabilities are said not to have meant what they said."""


def brier(p: ArrayLike, outcome: ArrayLike) -> NDArray:
    r"""Brier score of "complies", :math:`(p_{comply} - y)^2`, in [0, 1]; lower is better.

    Parameters
    ----------
    p : array (n, 3)
        Probabilities of violate, partial and comply.
    outcome : int array (n,)
        0 violate, 1 partial, 2 comply.

    Raises
    ------
    Refused
        If they are anything else; so do the other scores.
    """
    import scoringrules

    p, outcome = _checked(p, outcome)
    return np.asarray(scoringrules.brier_score((outcome == COMPLY).astype(float), _clean(p[:, COMPLY])))


def log(p: ArrayLike, outcome: ArrayLike) -> NDArray:
    r"""Logarithmic score :math:`-\log p_{outcome}` in nats, (n,); infinite where what came was held impossible."""
    p, outcome = _checked(p, outcome)
    with np.errstate(divide="ignore"):
        return -np.log(p[np.arange(len(p)), outcome])


def rps(p: ArrayLike, outcome: ArrayLike) -> NDArray:
    r"""Ranked probability score :math:`\sum_k (F_k - 1\{y \le k\})^2`, (n,), in [0, 2]; lower is better.

    A near miss (partial where compliance was foreseen) costs less than a far one. Without partial outcomes it is twice
    the Brier score.
    """
    import scoringrules

    p, outcome = _checked(p, outcome)
    return np.asarray(scoringrules.rps_score(np.eye(COMPLY + 1)[outcome], _clean(p), onehot=True))


def _checked(p: ArrayLike, outcome: ArrayLike) -> tuple[NDArray, NDArray]:
    p, outcome = np.asarray(p, float), np.asarray(outcome)
    if outcome.ndim != 1 or outcome.dtype.kind not in "iu" or not np.isin(outcome, (VIOLATE, PARTIAL, COMPLY)).all():
        raise Refused(f"outcome: {shown(outcome)}; allowed: whole numbers (n,), 0 violate, 1 partial, 2 comply")
    if p.shape != (len(outcome), COMPLY + 1):
        raise Refused(f"p: its shape is {p.shape}; allowed: ({len(outcome)}, {COMPLY + 1}), as there are outcomes")
    if not (abs(p.sum(axis=1) - 1) < ROUNDING).all() or (p < -ROUNDING).any():
        raise Refused("p: its rows are no probabilities; allowed: of violate, partial and comply, which sum to 1")
    return p, outcome


def _clean(p: NDArray) -> NDArray:
    """Probabilities without the rounding by which a sum may pass 1."""
    return np.clip(p, 0.0, 1.0)


def each(p: ArrayLike, outcome: ArrayLike) -> dict[str, NDArray]:
    """All scores by name, (n,)."""
    return {"brier": brier(p, outcome), "log": log(p, outcome), "rps": rps(p, outcome)}


class Skill(NamedTuple):
    """One minus the ratio of mean scores, with its bootstrap band, and how many clusters there were."""

    value: float
    lower: float
    upper: float
    clusters: int

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` where the whole band lies on one side of 0, and there are rules enough for a band."""
        if self.clusters < FEW_RULES:
            return "cannot tell"
        if self.lower > 0:
            return "better"
        return "worse" if self.upper < 0 else "cannot tell"


def skill(score: NDArray, reference: NDArray, cluster: ArrayLike, rng: np.random.Generator) -> Skill:
    r"""Skill :math:`1 - \bar s / \bar s_{ref}`; decisions on one rule hang together, so whole rules are resampled.

    Parameters
    ----------
    score, reference : array (n,)
        Of the same decisions; lower is better.
    cluster : array (n,)
        The rule of each decision.
    rng : Generator

    Returns
    -------
    Skill
        With a 90% percentile band, at the levels that few clusters need: see `expanded`. With a single cluster there is
        no band: it is the whole line.
    """
    names, index = np.unique(np.asarray(cluster), return_inverse=True)
    sums = np.stack([np.bincount(index, weights=values) for values in (score, reference)])
    value = _skill(sums.sum(axis=1))
    if len(names) < 2:
        return Skill(float(value), -np.inf, np.inf, len(names))
    drawn = rng.integers(len(names), size=(RESAMPLES, len(names)))
    # no interpolation: between an infinite score and another there is no number
    lower, upper = np.quantile(_skill(sums[:, drawn].sum(axis=-1)), expanded(len(names)), method="inverted_cdf")
    return Skill(float(value), float(lower), float(upper), len(names))


def expanded(n: int) -> tuple[float, float]:
    r"""Levels of the percentile band of n clusters: :math:`\Phi(\pm \sqrt{n / (n - 1)}\, t_{n - 1, .95})`.

    Percentiles of a bootstrap are too near for few clusters, as a normal band is without Student's t and with n in
    place of n - 1 (Hesterberg 2015, "What Teachers Should Know About the Bootstrap").
    """
    from scipy.special import ndtr, stdtrit

    reach = np.sqrt(n / (n - 1)) * stdtrit(n - 1, BAND[1])
    return float(ndtr(-reach)), float(ndtr(reach))


def _skill(sums: NDArray) -> NDArray:
    score, reference = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(score == reference, 0.0, 1 - score / reference)


class Reliability(NamedTuple):
    """CORP: forecasts beside recalibrated ones, sorted, and the parts of the Brier score.

    ``mean score = miscalibration - discrimination + uncertainty``. At each forecast the band holds the recalibrated
    curve in 90% of resamples in which every forecast is right, and `p_value` is the share of these resamples with as
    much miscalibration, ``(1 + count) / (1 + resamples)``.
    """

    forecast: NDArray
    recalibrated: NDArray
    lower: NDArray
    upper: NDArray
    miscalibration: float
    discrimination: float
    uncertainty: float
    p_value: float

    @property
    def honest(self) -> bool:
        """Whether honest probabilities would often enough look as miscalibrated."""
        return self.p_value >= HONEST


def corp(p: ArrayLike, happened: ArrayLike, rng: np.random.Generator, resamples: int = 1000) -> Reliability:
    """Reliability by isotonic regression (Dimitriadis, Gneiting and Jordan 2021).

    Parameters
    ----------
    p : array (n,)
        Probabilities of the event.
    happened : bool array (n,)
    rng : Generator
    resamples : int
    """
    order = np.argsort(np.asarray(p, float), kind="stable")
    p, y = np.asarray(p, float)[order], np.asarray(happened, float)[order]
    fitted = pooled(p, y)
    come = (rng.random((resamples, len(p))) < p).astype(float)
    drawn = np.array([pooled(p, one) for one in come])
    lower, upper = np.quantile(drawn, BAND, axis=0)
    raw, recalibrated, climate = (float(np.mean((f - y) ** 2)) for f in (p, fitted, np.full(len(y), y.mean())))
    off, least = raw - recalibrated, np.mean((p - come) ** 2 - (drawn - come) ** 2, axis=1)
    p_value = (1 + np.sum(least >= off)) / (1 + resamples)
    return Reliability(p, fitted, lower, upper, off, climate - recalibrated, climate, float(p_value))


def pooled(p: NDArray, y: NDArray) -> NDArray:
    """Isotonic regression of y on sorted p: non-decreasing, and equal where p is equal."""
    from scipy.optimize import isotonic_regression

    _, index, count = np.unique(p, return_inverse=True, return_counts=True)
    means = np.bincount(index, weights=y) / count
    return np.asarray(isotonic_regression(means, weights=count).x)[index]


class Coverage(NamedTuple):
    """Of so many blocks of decisions, in how many the number of compliances fell into its 90% interval."""

    blocks: int
    inside: int
    stated: float

    @property
    def share(self) -> float:
        """Share of blocks inside; NaN without any block."""
        return self.inside / self.blocks if self.blocks else float("nan")


def coverage(counts: list[NDArray], came: ArrayLike) -> Coverage:
    """Whether numbers of compliances fall into their central 90% intervals.

    Parameters
    ----------
    counts : list of array (world,)
        For each block of decisions, simulated numbers of compliances.
    came : array (block,)
        The numbers that came.

    Returns
    -------
    Coverage
        `stated` is what the intervals hold on average: numbers are whole, so it is at least 90%.
    """
    inside, held = 0, []
    for drawn, number in zip(counts, np.asarray(came), strict=True):
        lower, upper = np.quantile(drawn, BAND, method="inverted_cdf")
        inside += bool(lower <= number <= upper)
        held.append(np.mean((drawn >= lower) & (drawn <= upper)))
    return Coverage(len(held), inside, float(np.mean(held)) if held else float("nan"))
