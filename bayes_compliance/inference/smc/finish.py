"""What the final chains come to: draws, evidence, and the numbers by which they can be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bayes_compliance.inference import Drawn
from bayes_compliance.inference.smc.moves import Cloud, log_posterior

if TYPE_CHECKING:
    from bayes_compliance.inference.smc.reference import Reference
    from bayes_compliance.inference.smc.target import Target

BLOCKS = 8
"""Parts of the draws from which the error of the evidence is told."""

MOST = 4000


class Finished(NamedTuple):
    """The final chains of each run: where they began, states, the share of steps accepted, steps between states."""

    target: Target
    about: Reference
    first: list[Cloud]
    ahead: list[Cloud]
    accepted: list[NDArray]
    every: int


def collected(done: Finished, temperatures: int, draws: int, rng: np.random.Generator) -> Drawn:
    """Draws with statistics and attributes.

    Attributes are `log_evidence` with `log_evidence_error`; and, the worst of all runs and components, `acceptance`
    (share of steps), `remembered` (correlation of the last state with the first, mean over the directions in which the
    decisions speak), `ancestors` (particles at the start from which the final chains descend), and `drift`, the
    largest |t| over latents of the later half of each final chain against the earlier.
    """
    z = np.concatenate([cloud.z[:draws] for cloud in done.ahead])
    shape = (len(done.ahead), draws)
    values = {name: v.reshape(*shape, -1) for name, v in done.target.transport(z).items()}
    lp = np.stack([cloud.log_p[:draws].sum(axis=1) for cloud in done.ahead])
    share = np.stack([np.full(draws, one.min()) for one in done.accepted])
    log_evidence, error = _evidence(done, rng)
    drift, where = _drift(done)
    attrs = {
        "log_evidence": log_evidence, "log_evidence_error": error, "temperatures": temperatures, "steps": done.every,
        "components": len(done.target.columns), "acceptance": float(share.min()), "remembered": _remembered(done),
        "ancestors": _ancestors(done), "drift": drift, "drift_of": where,
    }  # fmt: skip
    return Drawn(values, {"lp": lp, "acceptance_rate": share}, attrs)


def _evidence(done: Finished, rng: np.random.Generator) -> tuple[float, float]:
    """Log evidence, and its standard error by blocks of the draws: the sum over components of bridged ratios."""
    log_p = np.concatenate([cloud.log_p for cloud in done.ahead])
    xi = done.about.back(np.concatenate([cloud.z for cloud in done.ahead]))
    there = log_p - done.about.log_density(xi)
    xi = rng.standard_normal((min(len(xi), MOST), done.target.size))
    z = done.about.place(xi)
    here = log_posterior(done.target, z, done.target.log_likelihood(z)) - done.about.log_density(xi)
    total = sum(bridged(a, b) for a, b in zip(here.T, there.T, strict=True))
    parts = zip(np.array_split(here, BLOCKS), np.array_split(there, BLOCKS), strict=True)
    each = [sum(bridged(a, b) for a, b in zip(one.T, other.T, strict=True)) for one, other in parts]
    return float(total), float(np.std(each, ddof=1) / np.sqrt(BLOCKS))


def bridged(here: NDArray, there: NDArray) -> float:
    """Log ratio of normalising constants from log density ratios under both ends, by Meng and Wong's iteration.

    Parameters
    ----------
    here, there : (n,) and (m,)
        Log of unnormalised density over that of the reference, at draws of the reference and of the density.
    """
    share = len(there) / (len(here) + len(there))
    log_share, log_rest = np.log(share), np.log1p(-share)
    found = float(np.median(there))
    for _ in range(100):
        above = special.logsumexp(here - np.logaddexp(log_share + here, log_rest + found)) - np.log(len(here))
        below = special.logsumexp(-np.logaddexp(log_share + there, log_rest + found)) - np.log(len(there))
        last, found = found, float(above - below)
        if abs(found - last) < 1e-8:
            break
    return found


def _remembered(done: Finished) -> float:
    first = done.about.back(np.concatenate([cloud.z for cloud in done.first]))
    chains = len(done.first[0].z)
    last = done.about.back(np.concatenate([by_chain(cloud.z, chains)[:, -1] for cloud in done.ahead]))
    worst = 0.0
    for columns, directions, _ in done.about.parts:
        a, b = ((xi[:, columns] @ directions.T) for xi in (first, last))
        a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        norm = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
        worst = max(worst, float(((a * b).sum(axis=0) / np.maximum(norm, 1e-300)).mean()) if len(norm) else 0.0)
    return worst


def _ancestors(done: Finished) -> int:
    ancestor = np.concatenate([cloud.ancestor for cloud in done.first])
    return min(len(np.unique(column)) for column in ancestor.T)


def _drift(done: Finished) -> tuple[float, str]:
    """Largest |t| of later against earlier halves of the chains, and the latent where it is."""
    states = np.concatenate([by_chain(cloud.z, len(done.first[0].z)) for cloud in done.ahead])
    half = states.shape[1] // 2
    if not half or not states.shape[2] or len(states) < 2:
        return 0.0, ""
    t, at = largest_t(states[:, -half:].mean(axis=1) - states[:, :half].mean(axis=1))
    return t, done.target.transport.names[at]


def by_chain(z: NDArray, chains: int) -> NDArray:
    """States (chain, state, size) of chains that stand one after the other."""
    return z.reshape(chains, len(z) // chains, -1)


def largest_t(change: NDArray) -> tuple[float, int]:
    """Largest |t| of a mean change over chains, (chain, size), and where it is; 0 if nothing changes."""
    if not change.shape[1]:
        return 0.0, 0
    error = change.std(axis=0, ddof=1) / np.sqrt(len(change))
    t = abs(change.mean(axis=0)) / np.maximum(error, 1e-300)
    return float(t.max()), int(t.argmax())
