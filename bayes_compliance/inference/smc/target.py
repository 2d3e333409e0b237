"""The density that is sampled: the log likelihood of independent components of a case, as the model has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import asking, measurements, theory
from bayes_compliance.errors import Refused
from bayes_compliance.inference.density import factors
from bayes_compliance.inference.smc.transport import Transport
from bayes_compliance.parallel import in_threads

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared

CHUNK = 125
"""Particles at a time: their arrays stay in the processor's cache."""

SMALL = 200
"""Rows times slots of lobbies up to which what NumPy does with a particle takes less than to ask for it."""

CROSSED = 125
"""Particles on which the independence of components is checked."""

STEP = 1e-5
SEEN = 1e-6
"""A factor depends on a latent if it changes by more than this for each unit of z."""


class Target:
    """Log likelihood as a function of z, in factors, and in components that share no latent.

    Parameters
    ----------
    prepared : Prepared

    Attributes
    ----------
    transport : Transport
    component_of : (size,) int
        Component of each latent; -1 where no factor depends on it, and its prior stands.
    columns : list of int array
        Latents of each component: at least one component, of no latent where there is nothing to be learnt.
    row_component : (row,) int
        Component of each observed row.
    small : bool
        Whether many particles had better be worked through at once.

    Raises
    ------
    Refused
        If the likelihood is not known to be a function of net support.
    """

    def __init__(self, prepared: Prepared, rng: np.random.Generator) -> None:
        check_model(prepared)
        self.model, self.layout = prepared.model, prepared.layout
        self.transport = Transport(self.layout)
        self.size = self.transport.size
        self.small = self.layout.rows.lobby.size <= SMALL
        self._chunk = CHUNK * (2 if self.small else 1)
        self._factor_component = np.zeros(0, int)
        self._split(rng)

    def log_likelihood(self, z: NDArray) -> NDArray:
        """Log likelihood of each component, shape (n, component)."""
        return self._in_chunks(self.components, z)

    def margins(self, z: NDArray) -> tuple[NDArray, NDArray]:
        """Margin and half-width of the partial band of each row, in units of its noise, (n, row) each."""
        draws = self.transport(z)
        sincere = np.ones((len(z), len(self.layout.case.states)))
        support = asking.observed_support(self.model, self.layout, {"sincere": sincere, **draws})
        rows = self.layout.rows
        noise, width = rows.scales(draws)
        return (support - rows.threshold) / noise, width / noise

    def row_log_likelihood(self, margin: NDArray, width: NDArray) -> NDArray:
        """Log probability of each row as coded, given margins and half-widths in units of noise."""
        layout = self.layout
        return theory.coded_log_probability(margin, 1.0, width, layout.outcome, layout.error, layout.rows.n_outcomes)

    def components(self, z: NDArray) -> NDArray:
        """The same of a few particles, in this thread."""
        return self._factors(z) @ (self._factor_component[:, None] == np.arange(len(self.columns)))

    def _factors(self, z: NDArray) -> NDArray:
        """Log likelihoods of the decisions and the proxies by whatever the model takes apart, (n, factor)."""
        draws = self.transport(z)
        found = factors(self.model, self.layout, draws)
        if self.layout.measured:
            proxies = measurements.log_densities_of(self.layout, draws, self.model.support)
            found = np.concatenate([found, proxies.T], axis=1)
        return found

    def _in_chunks(self, function: Callable[[NDArray], NDArray], z: NDArray) -> NDArray:
        parts = [z[i : i + self._chunk] for i in range(0, len(z), self._chunk)]
        if len(parts) < 2:
            return function(z)
        return np.concatenate(in_threads(function, parts))

    def _split(self, rng: np.random.Generator) -> None:
        """Find the components, and check on crossed particles that they are independent; else all are one."""
        of_factor, of_row = self._dependence(rng)
        together = np.concatenate([of_factor, of_row]).astype(float)
        linked = together @ together.T > 0
        for _ in range(len(linked).bit_length()):
            linked = (linked.astype(float) @ linked) > 0
        _, label = np.unique(linked.argmax(axis=1) if len(linked) else [], return_inverse=True)
        self._assign(label[: len(of_factor)], label[len(of_factor) :], together > 0)
        if not self._independent(rng):
            self._assign(label[: len(of_factor)] * 0, label[len(of_factor) :] * 0, together > 0)

    def _assign(self, factors: NDArray, rows: NDArray, together: NDArray) -> None:
        count = max(factors.max(initial=0), rows.max(initial=0)) + 1
        label = np.concatenate([factors, rows])
        self._factor_component, self.row_component = factors, rows
        self.component_of = np.full(self.size, -1)
        for c in range(count):
            self.component_of[together[label == c].any(axis=0)] = c
        self.columns = [np.flatnonzero(self.component_of == c) for c in range(count)]

    def _dependence(self, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """Which factors, and which rows' margins, change with which latents: (factor, size) and (row, size)."""
        of_factor: NDArray = np.zeros((0, self.size), bool)
        of_row: NDArray = np.zeros((0, self.size), bool)
        for scale in (0.0, 0.5, 1.0):
            at = scale * rng.standard_normal(self.size)
            points = np.vstack([at, at + STEP * np.eye(self.size)])
            factors = self._in_chunks(self._factors, points)
            margin, width = self.margins(points)
            seen = [(abs(v[1:] - v[0]) > SEEN * STEP).T for v in (factors, margin, width)]
            of_factor = seen[0] if not len(of_factor) else of_factor | seen[0]
            of_row = (seen[1] | seen[2]) if not len(of_row) else of_row | seen[1] | seen[2]
        return of_factor, of_row

    def _independent(self, rng: np.random.Generator) -> bool:
        one, other = rng.standard_normal((2, CROSSED, self.size))
        found = self.components(one)
        for c, columns in enumerate(self.columns):
            crossed = other.copy()
            crossed[:, columns] = one[:, columns]
            if not np.allclose(self.components(crossed)[:, c], found[:, c], rtol=1e-9, atol=1e-9):
                return False
        return True


def check_model(prepared: Prepared) -> None:
    """Refuse a model whose likelihood is not known to be a function of net support."""
    from bayes_compliance.models import load, short

    model = prepared.model
    if model.build is load("coalition").build or getattr(model, "OBSERVED_BY_SUPPORT", False):
        return
    if hasattr(model, "log_likelihood"):
        return
    name = short(model)
    raise Refused(
        f"--model: engine smc cannot tell what model {name!r} adds in its own build(); allowed: coalition or a model "
        "that shares its build(), has log_likelihood(layout, draws) or says OBSERVED_BY_SUPPORT = True, or engine nuts"
    )
