"""Gaussian references, component by component: at the mode of the decisions, then with the moments of particles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.inference.smc.target import STEP

if TYPE_CHECKING:
    from bayes_compliance.inference.smc.target import Target

LEAST = 0.3
"""Directions in which the decisions bend the prior by less than this (as a singular value) stay as the prior."""

DEPENDENT, PSEUDO = 10.0, 50.0
"""Particles that are worth one independent one, and how many of these the covariance at hand is worth."""

CURVE = 1e-4
MOST_STEPS = 20
ENOUGH = 0.05


class Part(NamedTuple):
    """One component: its latents, orthonormal directions (k, latent) in which it is no unit Gaussian, and their sds."""

    columns: NDArray
    directions: NDArray
    sd: NDArray


@dataclass(frozen=True)
class Reference:
    """A Gaussian q(z) = N(center, C), C the identity but for some directions of each component.

    Attributes
    ----------
    center : (size,)
    parts : tuple of Part
    """

    center: NDArray
    parts: tuple[Part, ...]

    def place(self, xi: NDArray) -> NDArray:
        """z of standard normal xi, shape (n, size)."""
        return self.center + self._scaled(xi, [part.sd for part in self.parts])

    def back(self, z: NDArray) -> NDArray:
        """xi of z, shape (n, size)."""
        return self._scaled(z - self.center, [1 / part.sd for part in self.parts])

    def _scaled(self, x: NDArray, scales: list[NDArray]) -> NDArray:
        found = x.copy()
        for (columns, directions, _), scale in zip(self.parts, scales, strict=True):
            found[:, columns] += ((x[:, columns] @ directions.T) * (scale - 1)) @ directions
        return found

    def log_density(self, xi: NDArray) -> NDArray:
        """Log density of z = place(xi), of each component, (n, component), but for the 2 pi that the prior has too."""
        return np.stack([-(xi[:, c] ** 2).sum(axis=1) / 2 - np.log(sd).sum() for c, _, sd in self.parts], axis=1)

    def widened(self, factor: float) -> Reference:
        """The same with larger standard deviations in the directions, at most the prior's."""
        wide = [np.maximum(part.sd, np.minimum(part.sd * factor, 1.0)) for part in self.parts]
        return Reference(self.center, tuple(p._replace(sd=sd) for p, sd in zip(self.parts, wide, strict=True)))

    def refitted(self, z: NDArray, weight: NDArray) -> Reference:
        """The Gaussian with the mean of particles, and with their covariance in the directions.

        Few independent particles say little of many latents: the covariance is mixed with the one at hand, and a mean
        outside the directions is drawn towards 0, its prior mean, unless it is far from it.

        Parameters
        ----------
        z : (n, size)
        weight : (n, component)
        """
        center, parts = self.center.copy(), []
        for part, w in zip(self.parts, weight.T / weight.sum(axis=0)[:, None], strict=True):
            independent = 1 / (w**2).sum() / DEPENDENT
            center[part.columns], fitted = _refitted(part, z[:, part.columns], w, independent)
            parts.append(fitted)
        return Reference(center, tuple(parts))


def _refitted(part: Part, z: NDArray, weight: NDArray, independent: float) -> tuple[NDArray, Part]:
    mean, along = weight @ z, part.directions
    across = (z - mean) @ along.T
    known = independent / (independent + PSEUDO)
    variance, turn = np.linalg.eigh(known * (across * weight[:, None]).T @ across + (1 - known) * np.diag(part.sd**2))
    inside = (mean @ along.T) @ along
    outside = mean - inside
    outside *= outside**2 / (outside**2 + 1 / independent)
    return inside + outside, Part(part.columns, turn.T @ along, np.sqrt(np.maximum(variance, 1e-8)))


def at_mode(target: Target) -> Reference:
    """The Gaussian at the mode of the posterior given the decisions (not the proxies), by Gauss-Newton steps."""
    z = np.zeros(target.size)
    best = _log_posterior(target, z)
    for _ in range(MOST_STEPS):
        gradient, bends = _linearised(target, z)
        inner = np.eye(len(bends)) + bends @ bends.T
        step = gradient - bends.T @ np.linalg.solve(inner, bends @ gradient)
        found, value = _line_search(target, z, step, best)
        gain, z, best = value - best, found, value
        if gain < ENOUGH:
            break
    return _about(target, z, _linearised(target, z)[1])


def _about(target: Target, z: NDArray, bends: NDArray) -> Reference:
    parts = []
    owner = np.repeat(target.row_component, 2)
    for c, columns in enumerate(target.columns):
        _, bend, directions = np.linalg.svd(bends[owner == c][:, columns], full_matrices=False)
        kept = bend > LEAST
        parts.append(Part(columns, directions[kept], 1 / np.sqrt(1 + bend[kept] ** 2)))
    return Reference(z, tuple(parts))


def _line_search(target: Target, z: NDArray, step: NDArray, best: float) -> tuple[NDArray, float]:
    for half in range(10):
        value = _log_posterior(target, there := z + step / 2**half)
        if value > best:
            return there, value
    return z, best


def _log_posterior(target: Target, z: NDArray) -> float:
    rows = target.row_log_likelihood(*target.margins(z[None]))
    return float(rows.sum() - z @ z / 2)


def _linearised(target: Target, z: NDArray) -> tuple[NDArray, NDArray]:
    """Gradient of the log posterior, and B with B'B what the decisions add to its curvature, (2 row, size)."""
    points = np.vstack([z, z + STEP * np.eye(target.size)])
    margin, width = target.margins(points)
    slopes = np.stack([((v[1:] - v[0]) / STEP).T for v in (margin, width)], axis=1)
    gradient, curvature = _bent(target, margin[0], width[0])
    values, vectors = np.linalg.eigh(curvature)
    root = np.sqrt(np.maximum(values, 0))[:, :, None] * vectors.transpose(0, 2, 1)
    bends = (root @ slopes).reshape(2 * len(root), target.size)
    return np.einsum("ri,rid->d", gradient, slopes) - z, bends


def _bent(target: Target, margin: NDArray, width: NDArray) -> tuple[NDArray, NDArray]:
    """Derivatives of each row's log likelihood in margin and half-width: first (row, 2), negative second (row, 2, 2).

    The width's are 0 where it is: the outcome has no partial.
    """
    e = CURVE
    moves = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [1, -1], [-1, 1], [-1, -1]]) * e
    free = width > 2 * e
    value = target.row_log_likelihood(margin + moves[:, :1], width + moves[:, 1:] * free)
    gradient = np.stack([value[1] - value[2], value[3] - value[4]], axis=1) / (2 * e)
    across = (value[5] - value[6] - value[7] + value[8]) / 4
    own = value[1] - 2 * value[0] + value[2], value[3] - 2 * value[0] + value[4]
    second = np.array([[own[0], across], [across, own[1]]]) / e**2
    return gradient, -second.transpose(2, 0, 1)
