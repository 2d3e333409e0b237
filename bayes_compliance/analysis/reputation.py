r"""Which states are readier to comply, whatever the rule? The article's "relative propensity".

With a draw's magnitudes of each state s, in units of the decision noise,

.. math:: (P_2 + G_2)_s / \sigma \quad \text{(compliance)}, \qquad (P_1 + G_1)_s / \sigma \quad \text{(adherence)},

rank 1 is the readiest. A pair is told apart where one is readier than the other with probability above `TOLD_APART`;
where no pair is, the answer is "cannot tell".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.case.vocabulary import LEVELS
from bayes_compliance.report.sentences import listed, percent, plural

if TYPE_CHECKING:
    import xarray as xr

TOLD_APART = 0.8
KINDS = ("compliance", "adherence")
NAMED = 4
"""States or pairs that a sentence names; the rest stand in the figure and in the table."""


def points(value: Any) -> str:
    """A number of sigmas with two decimals: what is known of it is never finer.

    >>> points(-0.25), points(-0.004)
    ('−0.25', '0.00')
    """
    return f"{round(float(value), 2) + 0.0:.2f}".replace("-", "−")


def pairwise(propensity: NDArray) -> NDArray:
    """Probability that each state is readier than each other, (state, other); one half of itself, ties count half.

    Parameters
    ----------
    propensity : array (sample, state)
    """
    n = propensity.shape[1]
    found = np.empty((n, n))
    for i in range(n):  # a state at a time: all pairs of all draws at once would fill the memory
        mine = propensity[:, i : i + 1]
        found[i] = (mine > propensity).mean(axis=0) + (mine == propensity).mean(axis=0) / 2
    return found


def ranks(propensity: NDArray) -> NDArray:
    """Probability that each state has each rank, (state, rank), rank 1 the readiest.

    States that are alike in every draw have every rank with the same probability; other ties, which no draw of a
    continuous quantity has, go in the order of the states.

    Parameters
    ----------
    propensity : array (sample, state)
    """
    n = propensity.shape[1]
    if (propensity == propensity[:, :1]).all():
        return np.full((n, n), 1 / n)
    order = np.argsort(-propensity, axis=1, kind="stable")
    found = np.zeros((n, n))
    for rank in range(n):
        found[:, rank] = np.bincount(order[:, rank], minlength=n) / len(propensity)
    return found


def reputation(p2_g2: NDArray, step: NDArray, sigma: NDArray | float, states: Sequence[str]) -> xr.Dataset:
    """States by readiness to comply and to adhere.

    Parameters
    ----------
    p2_g2, step : array (sample, state)
        P2 + G2, and what it is above P1 + G1, both in the unit of sigma.
    sigma : array (sample, 1) or float
        Decision noise.
    states : sequence of str

    Returns
    -------
    Dataset
        Along `kind` (compliance, adherence), `state`, `other` and `rank`: `median`, `lower`, `upper` (5% to 95%),
        `p_rank`, `p_readier` (the state than the other), `mean_rank`, `told_apart` (pairs above `TOLD_APART`), and
        `best_told` by kind, the largest pairwise probability.
    """
    import xarray as xr

    each = np.stack([p2_g2 / sigma, (p2_g2 - step) / sigma])
    lower, median, upper = np.quantile(each, LEVELS, axis=1)
    p_rank = np.stack([ranks(values) for values in each])
    p_readier = np.stack([pairwise(values) for values in each])
    rank = np.arange(1, len(states) + 1)
    return xr.Dataset(
        {
            "median": (("kind", "state"), median), "lower": (("kind", "state"), lower),
            "upper": (("kind", "state"), upper), "p_rank": (("kind", "state", "rank"), p_rank),
            "mean_rank": (("kind", "state"), p_rank @ rank), "p_readier": (("kind", "state", "other"), p_readier),
            "told_apart": (("kind", "state", "other"), p_readier > TOLD_APART),
            "best_told": ("kind", p_readier.max(axis=(1, 2))),
        },
        coords={"kind": list(KINDS), "state": list(states), "other": list(states), "rank": rank},
    )  # fmt: skip


def effects(effect: NDArray, columns: Sequence[str]) -> xr.Dataset:
    """What one standard deviation of each covariate adds to P2 + G2, in units of sigma.

    Parameters
    ----------
    effect : array (sample, covariate)
    columns : sequence of str

    Returns
    -------
    Dataset
        Along `covariate`: `median`, `lower`, `upper` (5% to 95%) and `p_positive`.
    """
    import xarray as xr

    lower, median, upper = np.quantile(effect, LEVELS, axis=0)
    said = {"median": median, "lower": lower, "upper": upper, "p_positive": (effect > 0).mean(axis=0)}
    return xr.Dataset({k: ("covariate", v) for k, v in said.items()}, coords={"covariate": list(columns)})


def verdict(found: xr.Dataset, kind: str = "compliance") -> str:
    """Whether states can be told apart, and the clearest pairs."""
    one = found.sel(kind=kind)
    names = [str(s) for s in one["state"].values]
    what = {"compliance": "comply", "adherence": "adhere"}[kind]
    pairs = len(names) * (len(names) - 1) // 2
    told = int(one["told_apart"].sum())
    p = one["p_readier"].values
    i, j = _clearest(p, one["median"].values)
    clearest = f"{names[i]} is readier to {what} than {names[j]} with probability {percent(p[i, j])}"
    if not told:
        return f"Cannot tell: no pair of states is told apart. The clearest is that {clearest}, which is not above 80%."
    return (
        f"{told} of {plural(pairs, 'pair')} of states {'is' if told == 1 else 'are'} told apart, one being readier to "
        f"{what} with a probability above 80%. The clearest is that {clearest}.{_mistaken(p)}"
    )


def _mistaken(p: NDArray) -> str:
    """How many of the pairs told apart are the other way round, on average: each is with what it lacks to 1."""
    expected = float((1 - p[p > TOLD_APART]).sum())
    if (p > TOLD_APART).sum() < 2:
        return ""
    many = "fewer than one" if expected < 0.95 else "one or so" if expected < 1.5 else f"some {expected:.0f}"
    return f" Of the pairs told apart {many} can be expected to be the other way round."


def _clearest(p: NDArray, median: NDArray) -> tuple[int, int]:
    """The pair with the largest probability; of several, the one whose medians lie farthest apart."""
    other = np.where(np.eye(len(p), dtype=bool), -1.0, p)
    gap = np.where(other == other.max(), median[:, None] - median, -np.inf)
    i, j = np.unravel_index(int(gap.argmax()), gap.shape)
    return int(i), int(j)


def ends(found: xr.Dataset) -> str:
    """Which states come first and last more often than others, and how sure that is."""
    one = found.sel(kind="compliance")
    names, p = [str(s) for s in one["state"].values], one["p_rank"].values
    said = []
    for word, of in (("first", p[:, 0]), ("last", p[:, -1])):
        order = np.argsort(-of, kind="stable")
        half = [k for k in order[:NAMED] if of[k] >= 0.5 * of[order[0]]]
        said.append(f"{word}: {listed([f'{names[k]} ({percent(of[k])})' for k in half])}")
    return f"Probability of standing {'; '.join(said)}."


def effect_words(found: xr.Dataset) -> list[str]:
    """Each covariate's effect in a sentence: its sign where it is told, and its size."""
    said = []
    for name in found["covariate"].values:
        one = found.sel(covariate=name)
        up = float(one["p_positive"])
        sure = max(up, 1 - up)
        size = f"{points(one['median'])} sigma for one standard deviation "
        size += f"({points(one['lower'])} to {points(one['upper'])}, 5% to 95%)"
        if sure > TOLD_APART:
            word = "higher" if up > 0.5 else "lower"
            said.append(f"States with more of “{name}” have a {word} P2 + G2 with probability {percent(sure)}: {size}.")
        else:
            said.append(f"Whether “{name}” goes with a higher P2 + G2 cannot be told ({percent(up)}): {size}.")
    return said
