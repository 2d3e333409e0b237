"""A case whose net support is linear in normal latents: the linear map, read off the model, or the reasons against.

The map is never written down a second time: `support` of the model is evaluated at 0 and at unit vectors, and then
checked at points of its prior.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import asking, seeds, theory
from bayes_compliance.errors import Refused
from bayes_compliance.inference.exact.reasons import MOST_COMBINATIONS, not_linear, not_normal, structural
from bayes_compliance.latents import AHEAD_ONLY, Draws, Latents

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared
    from bayes_compliance.rows import History

NOISE_ONLY = ("decision_noise", "partial_width")
TRIES = 4


class Component(NamedTuple):
    """One choice of an analyst for each pooled magnitude: its log weight, means and sds of the latents, (latent,)."""

    log_weight: float
    mean: NDArray
    sd: NDArray


class Linear:
    """Net support as ``offset + slope @ latents`` for each row, with independent normal latents.

    Parameters
    ----------
    prepared : Prepared
    history : History or None
        Conduct that the rows met; by default as observed.

    Attributes
    ----------
    judged : list of (quantity, position)
        Judged latents that some row depends on. The latents are these, then the innovations, then the spreads.
    offset, slope : (row,) and (row, latent)
        Of the margin, net support less the threshold, in points.
    noise, width : (row,)
        Decision noise and half-width of the band of partial outcomes, in points.
    components : list of Component
        One for each combination of the analysts pooled.

    Raises
    ------
    Refused
        With every reason for which this engine cannot do the case.
    """

    def __init__(self, prepared: Prepared, history: History | None = None) -> None:
        self.model, self.layout = prepared.model, prepared.layout
        self.history = self.layout.history if history is None else history
        self.latents = Latents(self.layout)
        self._rng = seeds.generator(0, "linear")
        self._base = {k: v[0] for k, v in self.latents.draw(1, self._rng).items() if k not in AHEAD_ONLY}
        self.judged = self._candidates()
        reasons = structural(prepared)
        used = [item for item in self._others() if self._matters(*item)]
        reasons += not_normal(prepared, used)
        if reasons:
            raise Refused("\n".join(sorted(reasons)))
        self._read()
        self.components = self._combinations()

    @property
    def size(self) -> int:
        """Number of latents."""
        return len(self.judged) + len(self.layout.knots) + len(self.layout.pairs_used)

    def _candidates(self) -> list[tuple[str, int]]:
        return [
            (name, int(i))
            for name in self.latents.names
            if name not in (*AHEAD_ONLY, *NOISE_ONLY)
            for i in self.latents.free[name]
            if all(c.family == "normal" for c in self.latents.prior(name, i).components)
        ]

    def _others(self) -> list[tuple[str, int]]:
        free = [(name, int(i)) for name, where in self.latents.free.items() if name not in AHEAD_ONLY for i in where]
        return [item for item in free if item not in self.judged]

    def _matters(self, name: str, position: int) -> bool:
        """Whether the rows depend on a free quantity: on where it lies within its prior."""
        rows = self.layout.rows
        if name in NOISE_ONLY:
            three = rows.n_outcomes == 3
            return bool(((rows.state == position) & (three | (name == "decision_noise"))).any())
        points = np.repeat(self._points(1), TRIES, axis=0)
        values = self.latents.prior(name, position).sample(self._rng, TRIES)
        values[0] = self._base[name][position]
        support = self._support(points, (name, position, values))
        return bool(np.ptp(support, axis=0).max(initial=0) > 0)

    def _points(self, n: int) -> NDArray:
        judged = [self.latents.prior(*item).sample(self._rng, n) for item in self.judged]
        standard = self._rng.standard_normal((self.size - len(self.judged), n))
        return np.concatenate([np.reshape(judged, (-1, n)), standard]).T

    def _support(self, points: NDArray, other: tuple[str, int, NDArray] | None = None) -> NDArray:
        draws = self.draws(points, {k: np.tile(v, (len(points), 1)) for k, v in self._base.items()})
        if other is not None:
            draws[other[0]][:, other[1]] = other[2]
        x = asking.related(self.layout, draws)
        walk = asking.on_slots(self.layout.walk(draws["innovation"]), self.layout.knot_slot)
        spread = asking.on_slots(draws["spread"], self.layout.pair_slot)
        found = self.model.support(self.layout, self.layout.rows, x, walk, spread, self.history)
        return np.broadcast_to(found, (len(points), len(self.layout.rows)))

    def draws(self, points: NDArray, rest: Draws) -> Draws:
        """Latents (n, item) by name from points (n, latent), with the rest of the quantities as given."""
        found = {name: values.copy() for name, values in rest.items()}
        for j, (name, i) in enumerate(self.judged):
            found[name][:, i] = points[:, j]
        first, last = len(self.judged), len(self.judged) + len(self.layout.knots)
        return found | {"innovation": points[:, first:last], "spread": points[:, last:]}

    def _read(self) -> None:
        at = self._support(np.vstack([np.zeros(self.size), np.eye(self.size)]))
        offset, slope = at[0], (at[1:] - at[0]).T
        points = self._points(TRIES)
        gap = abs(self._support(points) - offset - points @ slope.T)
        scale = abs(offset) + abs(points) @ abs(slope).T + 1e-12
        if (gap > 1e-9 * scale).any():
            row = int((gap / scale).max(axis=0).argmax())
            raise Refused(not_linear(self.layout, row))
        idle = [j for j in range(len(self.judged)) if not slope[:, j].any()]
        self.judged = [item for j, item in enumerate(self.judged) if j not in idle]
        rows = self.layout.rows
        self.offset, self.slope = offset - rows.threshold, np.delete(slope, idle, axis=1)
        self.noise, self.width = rows.scales(self._base)

    def _combinations(self) -> list[Component]:
        priors = [self.latents.prior(*item) for item in self.judged]
        number = int(np.prod([len(prior.components) for prior in priors], dtype=float))
        if number > MOST_COMBINATIONS:
            raise Refused(
                f"judgements.csv: the analysts' normal judgements combine in {number} ways, and each is a case of its "
                f"own to engine exact; allowed: {MOST_COMBINATIONS} or fewer, or engine nuts"
            )
        more = self.size - len(priors)
        found = []
        for chosen in product(*(range(len(prior.components)) for prior in priors)):
            parts = [prior.components[k].parameters for prior, k in zip(priors, chosen, strict=True)]
            weight = sum(np.log(prior.weights[k]) for prior, k in zip(priors, chosen, strict=True))
            mean, sd = np.reshape(parts, (-1, 2)).T
            found.append(Component(float(weight), np.append(mean, np.zeros(more)), np.append(sd, np.ones(more))))
        return found

    def covariance(self, component: Component) -> NDArray:
        """Covariance of the noisy margins, ``Om + diag sigma^2``, (row, row), in squared points."""
        loaded = self.slope * component.sd
        return loaded @ loaded.T + np.diag(self.noise**2)

    def mean(self, component: Component) -> NDArray:
        """Prior mean xi of the margins, (row,), in points."""
        return self.offset + self.slope @ component.mean

    def bounds(self, outcome: NDArray) -> tuple[NDArray, NDArray]:
        """Where the noisy margin lies under an outcome: above c, below -c, or between; (row,) each."""
        lower = np.select([outcome == theory.COMPLY, outcome == theory.PARTIAL], [self.width, -self.width], -np.inf)
        upper = np.select([outcome == theory.VIOLATE, outcome == theory.PARTIAL], [-self.width, self.width], np.inf)
        return lower, upper
