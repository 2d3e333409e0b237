"""Models beside each other on the same decisions: which one expects what it has not seen?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.errors import Refused
from bayes_compliance.importance import each_left_out, good_k

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.inference.diagnostics import Check
    from bayes_compliance.models import Prepared

DECISIVE = 2.0
"""Standard errors that a difference must exceed before the data are said to tell; more with few decisions: `tells`."""

FEW = 100
"""Below this many decisions the standard error of a difference is itself rough (Sivula et al. 2025)."""

MOST, TOLERANCE = 20_000, 1e-9
"""Steps towards stacking weights at most, and a step that ends them."""

ROUNDING = 1e-9
"""Fits whose decisions differ by no more than this are the same fit."""

BEST, SAME, CANNOT_TELL, WORSE = "highest", "same fit", "the data cannot tell", "worse"


class Score(NamedTuple):
    """A model's expected log predictive density: by decision, (row,), with Pareto k and the largest k that is good.

    `note` says how it was fitted, where the model has more ways than one; `mc_error` is the Monte Carlo error of each
    decision's density, (row,).
    """

    model: str
    elpd_i: NDArray
    pareto_k: NDArray
    good_k: float
    checks: tuple[Check, ...]
    note: str = ""
    mc_error: NDArray | float = 0.0

    @property
    def elpd(self) -> float:
        """Sum over the decisions."""
        return float(self.elpd_i.sum())

    @property
    def se(self) -> float:
        """Standard error of the sum, ``sqrt(n Var(elpd_i))``."""
        return standard_error(self.elpd_i)

    @property
    def bad(self) -> NDArray:
        """Decisions for which importance sampling cannot be trusted, (row,)."""
        return ~(self.pareto_k <= self.good_k)


class Difference(NamedTuple):
    """A model less the best one: difference of elpd, its standard error, what may be said, and its stacking weight."""

    difference: float
    se: float
    verdict: str
    weight: float = float("nan")


@dataclass(frozen=True, repr=False)
class Comparison:
    """Scores on the same decisions, the highest first, each with its difference to that one."""

    case: str
    decisions: tuple[str, ...]
    scores: tuple[Score, ...]
    differences: tuple[Difference, ...]

    def __repr__(self) -> str:
        said = ", ".join(f"{one.model} ({d.verdict})" for one, d in zip(self.scores, self.differences, strict=True))
        return f"<Comparison: {self.case}, decisions: {len(self.decisions)}, models: {said}>"

    @property
    def passed(self) -> bool:
        """Whether every diagnostic of every fit met its mark."""
        return all(check.passed for score in self.scores for check in score.checks)

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        models = [
            {
                "model": score.model, "elpd": score.elpd, "se": score.se, "difference": d.difference,
                "difference_se": d.se, "verdict": d.verdict, "stacking_weight": d.weight, "good_k": score.good_k,
                "decisions_with_bad_k": [self.decisions[i] for i in np.flatnonzero(score.bad)],
                "diagnostics_failed": [str(check) for check in score.checks if not check.passed], "note": score.note,
            }
            for score, d in zip(self.scores, self.differences, strict=True)
        ]  # fmt: skip
        return {"case": self.case, "decisions": len(self.decisions), "rule": self.rule, "models": models}

    @property
    def rule(self) -> str:
        """When a difference counts."""
        return (
            f"a model is worse when the difference exceeds {DECISIVE:g} of its standard errors (more with few "
            "decisions, by Student's t, and with draws that leave it uncertain), over all decisions and over those "
            "that importance sampling can leave out; else the data cannot tell"
        )

    def __str__(self) -> str:
        n = len(self.decisions)
        head = f"Expected log predictive density of {n} decisions, each left out in turn (PSIS; depth rows not counted)"
        width = max(len("model"), *(len(score.model) for score in self.scores))
        lines = [
            f"{'model':<{width}}  {'elpd':>9} {'se':>7} {'difference':>11} {'se':>7} {'weight':>7} {'bad k':>6}"
            "  verdict"
        ]
        lines += [
            f"{score.model:<{width}}  {score.elpd:9.2f} {score.se:7.2f} {d.difference:11.2f} {d.se:7.2f}"
            f" {d.weight:7.2f} {score.bad.sum():6d}  {d.verdict}"
            for score, d in zip(self.scores, self.differences, strict=True)
        ]
        return "\n".join([head, "", *lines, "", *self._remarks()])

    def _remarks(self) -> list[str]:
        best, said = self.scores[0].model, []
        if level := self._judged(CANNOT_TELL):
            said.append(f"The data cannot tell {best} from {' or '.join(level)}.")
        if same := self._judged(SAME):
            said.append(f"Fitted as {best} is, so that the past cannot tell them apart: {', '.join(same)}.")
        if worse := self._judged(WORSE):
            said.append(f"{best} expects these decisions better than {' and '.join(worse)}.")
        said += [f"{score.model}: {score.note}." for score in self.scores if score.note]
        said.append(f"Rule: {self.rule}.")
        said.append(
            "weight: by stacking, what the best mixture of these forecasts gives each model; the same fit once."
        )
        if len(self.decisions) < FEW:
            said.append(f"With fewer than {FEW} decisions these standard errors are themselves rough.")
        if any(score.bad.any() for score in self.scores):
            said.append("bad k: decisions that weigh so much that importance sampling cannot leave them out.")
        return said

    def _judged(self, verdict: str) -> list[str]:
        return [s.model for s, d in zip(self.scores, self.differences, strict=True) if d.verdict == verdict]


def standard_error(each: NDArray) -> float:
    """Standard error of a sum over decisions, ``sqrt(n Var)``."""
    return float(np.sqrt(len(each) * each.var()))


def score(prepared: Prepared, tree: xr.DataTree, name: str, checks: Sequence[Check] = ()) -> Score:
    """A fitted model's expected log predictive density, by Pareto-smoothed importance sampling leave-one-out.

    Depth rows are declared, not observed, and rivals have none: they are not counted.

    Parameters
    ----------
    prepared : Prepared
    tree : DataTree
        Its fit.
    name : str
    checks : sequence of Check
        The fit's diagnostics.
    """
    log_p = tree["log_likelihood"]["outcome"].transpose("decision", "chain", "draw").values[~prepared.layout.depth]
    elpd_i, pareto_k, mc_error = np.array(each_left_out(log_p)).reshape(-1, 3).T
    good = float(good_k(log_p[0].size)) if len(log_p) else 0.7
    return Score(name, elpd_i, pareto_k, good, tuple(checks), getattr(prepared.model, "NOTE", ""), mc_error)


def compared(case: str, decisions: Sequence[str], scores: Sequence[Score]) -> Comparison:
    """Scores in their order, with differences to the highest and what may be said of them."""
    ordered = sorted(scores, key=lambda s: (-s.elpd, s.model))
    differences = [_difference(ordered[0], other) for other in ordered]
    fitted = [i for i, one in enumerate(ordered) if not any(same_fit(one, other) for other in ordered[:i])]
    weights = np.zeros(len(ordered))
    weights[fitted] = stacking(np.array([ordered[i].elpd_i for i in fitted]))
    told = [d._replace(weight=float(w)) for d, w in zip(differences, weights, strict=True)]
    return Comparison(case, tuple(decisions), tuple(ordered), tuple(told))


def stacking(elpd_i: NDArray) -> NDArray:
    r"""Weights of the mixture that expects the left-out decisions best (Yao, Vehtari, Simpson and Gelman 2018).

    .. math:: \max_w \sum_i \log \sum_m w_m \exp(elpd_{mi}), \quad w \ge 0, \ \sum_m w_m = 1.

    The sum is concave in w; each step takes w to the mean share that a model has in the mixture's densities, which
    never lowers it.

    Parameters
    ----------
    elpd_i : array (model, decision)

    Returns
    -------
    array (model,)
    """
    # what no model holds possible tells none from another
    some = elpd_i[:, np.isfinite(elpd_i.max(axis=0, initial=-np.inf))]
    density = np.exp(some - some.max(axis=0, initial=-np.inf))
    weights = np.full(len(density), 1 / len(density))
    for _ in range(MOST if density.size else 0):
        new = (weights[:, None] * density / (weights @ density)).mean(axis=1)
        if abs(new - weights).max() < TOLERANCE:
            break
        weights = new
    return weights


def _difference(best: Score, other: Score) -> Difference:
    if other is best:
        return Difference(0.0, 0.0, BEST)
    if same_fit(best, other):
        return Difference(0.0, 0.0, SAME)
    each = other.elpd_i - best.elpd_i
    mc_error = np.broadcast_to(np.hypot(best.mc_error, other.mc_error), each.shape)
    trusted = ~(best.bad | other.bad)
    told = tells(each, mc_error) and tells(each[trusted], mc_error[trusted])
    return Difference(float(each.sum()), standard_error(each), WORSE if told else CANNOT_TELL)


def same_fit(one: Score, other: Score) -> bool:
    """Whether two models expect every decision alike, as those do that share a fit."""
    return bool(np.allclose(one.elpd_i, other.elpd_i, rtol=0, atol=ROUNDING))


def tells(each: NDArray, mc_error: NDArray) -> bool:
    r"""Whether a sum of differences, (row,), is further below 0 than chance takes it.

    The mark is ``hypot(t se, 2 mc)``: se by n - 1 degrees of freedom, t the quantile of Student's t with as many where
    the standard normal has `DECISIVE` (2.1 for 30 decisions, 2.9 for 5), and mc the Monte Carlo error of the sum.
    Two models that expect 5, 12 or 100 decisions equally well are then told apart in 5% of cases at most.
    """
    n = len(each)
    if n < 2:
        return False
    from scipy.special import ndtr, stdtrit

    error = stdtrit(n - 1, ndtr(DECISIVE)) * np.sqrt(n * each.var(ddof=1))
    return bool(-each.sum() > np.hypot(error, DECISIVE * np.sqrt((mc_error**2).sum())))


def check_models(names: Sequence[str]) -> None:
    """Refuse fewer than two models, or one named twice."""
    if len(names) < 2 or len(set(names)) < len(names):
        raise Refused(f"--models: {','.join(names)!r}; allowed: two or more models, each once")


def same_decisions(fitted: Sequence[tuple[str, Prepared]]) -> list[str]:
    """Names of the decisions that are scored, once it is sure that every model has the same.

    Raises
    ------
    Refused
        If a model has other decisions, or there are none.
    """
    (first, reference), *others = fitted

    def rows(prepared: Prepared) -> list[Any]:
        layout = prepared.layout
        kept = np.flatnonzero(~layout.depth)
        return [(layout.rows.items[i], int(layout.outcome[i])) for i in kept]

    if not rows(reference):
        raise Refused("decisions.csv: no decision with an outcome; allowed in compare: at least one")
    for name, prepared in others:
        if rows(prepared) != rows(reference):
            raise Refused(f"--models: {name} has other decisions than {first}; allowed: models of the same decisions")
    return [label for label, depth in zip(reference.layout.labels, reference.layout.depth, strict=True) if not depth]
