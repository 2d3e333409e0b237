r"""Cooke's classical model: analysts weighed by how they did on questions whose answers are known (seeds.csv).

Source: R. M. Cooke, "Experts in Uncertainty" (Oxford University Press, 1991), chapter 12. With 5%, 50% and 95%
quantiles, p = (.05, .45, .45, .05), and s the shares of an analyst's N answers that fell into the four intervals,

    calibration   C = P(chi2_3 > 2 N I(s, p)),  I(s, p) = sum s ln(s / p)       how likely so bad a fit is by chance
    information   I = mean over questions of ln(U - L) + sum p_k ln(p_k / (x_k - x_(k-1)))
    weight        w = C I if C >= alpha, else 0

where x_0 = L and x_4 = U span all analysts' quantiles and the true answer, a tenth wider on each side, on the
question's scale. N is the least number of answers of any analyst, for the pool as for each of them, so that neither who
answers less nor a pool of those is favoured. alpha is the threshold at which the weighted pool, scored as one more
analyst, has the highest C I.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

if TYPE_CHECKING:
    from bayes_compliance.case import Seed

P = np.array([0.05, 0.45, 0.45, 0.05])
LEVELS = np.array([0.0, 0.05, 0.5, 0.95, 1.0])
OVERSHOOT = 0.1


class Performance(NamedTuple):
    """How an analyst did: number of questions, calibration, information, and weight (weights sum to 1)."""

    analyst: str
    questions: int
    calibration: float
    information: float
    weight: float


class Classical(NamedTuple):
    """All analysts' performance, the threshold alpha, and how the weighted pool would have done."""

    analysts: tuple[Performance, ...]
    threshold: float
    calibration: float
    information: float

    @property
    def weights(self) -> dict[str, float]:
        """Weights by analyst, summing to 1; 0 below the threshold."""
        return {one.analyst: one.weight for one in self.analysts}


class _Question(NamedTuple):
    """A question on its scale: the true answer, its range, and three quantiles by analyst."""

    truth: float
    low: float
    high: float
    answers: dict[str, NDArray]


def assess(seeds: Sequence[Seed]) -> Classical:
    """Scores and weights of every analyst who answered a seed question.

    Parameters
    ----------
    seeds : sequence of Seed
        At least one.
    """
    questions = _questions(seeds)
    names = sorted({seed.analyst for seed in seeds})
    asked = {name: [q for q in questions if name in q.answers] for name in names}
    fewest = min(map(len, asked.values()))
    scores = {name: _score([(q, q.answers[name]) for q in asked[name]], fewest) for name in names}
    best, threshold = _optimised(questions, scores, fewest)
    weights = _weights(scores, threshold)
    rows = tuple(Performance(name, len(asked[name]), *scores[name], weights[name]) for name in names)
    return Classical(rows, threshold, *best)


def calibration(counts: Sequence[int] | NDArray, n: float | None = None) -> float:
    """C from the numbers of true answers below p05, to p50, to p95 and above; `n` for another power than theirs."""
    s = np.asarray(counts, float) / np.sum(counts)
    divergence = float(special.rel_entr(s, P).sum())
    return float(special.chdtrc(3, 2 * (np.sum(counts) if n is None else n) * divergence))


def information(quantiles: NDArray, low: float, high: float) -> float:
    """Relative information of three quantiles with respect to an even spread from low to high, 0 at least."""
    widths = np.diff([low, *quantiles, high])
    return float(np.log(high - low) + (P * np.log(P / widths)).sum())


def _questions(seeds: Sequence[Seed]) -> list[_Question]:
    grouped: dict[str, list[Seed]] = defaultdict(list)
    for seed in seeds:
        grouped[seed.question].append(seed)
    return [_question(group) for _, group in sorted(grouped.items())]


def _question(group: Sequence[Seed]) -> _Question:
    to = np.log if group[0].scale == "log" else np.asarray
    answers = {seed.analyst: to(np.array([seed.p05, seed.p50, seed.p95])) for seed in group}
    truth = float(to(group[0].realisation))
    every = np.array([truth, *(value for three in answers.values() for value in three)])
    low, high = float(every.min()), float(every.max())
    more = OVERSHOOT * (high - low)
    return _Question(truth, low - more, high + more, answers)


def _score(answered: Sequence[tuple[_Question, NDArray]], n: float) -> tuple[float, float]:
    counts = np.zeros(4)
    for question, quantiles in answered:
        counts[np.searchsorted(quantiles, question.truth)] += 1
    told = [information(quantiles, q.low, q.high) for q, quantiles in answered]
    return calibration(counts, n), float(np.mean(told))


def _weights(scores: dict[str, tuple[float, float]], threshold: float) -> dict[str, float]:
    raw = {name: c * i * (c >= threshold) for name, (c, i) in scores.items()}
    total = sum(raw.values())
    if total == 0:  # nobody tells more than nothing: all alike
        return dict.fromkeys(scores, 1 / len(scores))
    return {name: value / total for name, value in raw.items()}


def _optimised(
    questions: Sequence[_Question], scores: dict[str, tuple[float, float]], n: float
) -> tuple[tuple[float, float], float]:
    """The pool's calibration and information at the best threshold, and that threshold; of equals the lowest."""
    best, at = (-1.0, 0.0), 0.0
    for threshold in sorted({c for c, _ in scores.values()}):
        weights = _weights(scores, threshold)
        pooled = [(q, _pooled(q, weights)) for q in questions if sum(weights[name] for name in q.answers) > 0]
        score = _score(pooled, n)
        if score[0] * score[1] > best[0] * best[1] or best[0] < 0:
            best, at = score, threshold
    return best, at


def _pooled(question: _Question, weights: dict[str, float]) -> NDArray:
    """5%, 50% and 95% quantiles of the weighted mean of the analysts' piecewise linear distribution functions."""
    nodes = {name: np.array([question.low, *three, question.high]) for name, three in question.answers.items()}
    x = np.unique(np.concatenate(list(nodes.values())))
    total = sum(weights[name] for name in nodes)
    mixed = sum(weights[name] / total * np.interp(x, at, LEVELS) for name, at in nodes.items())
    rising = np.concatenate([[True], np.diff(mixed) > 0])
    return np.interp(LEVELS[1:4], np.asarray(mixed)[rising], x[rising])
