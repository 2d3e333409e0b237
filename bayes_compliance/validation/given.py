"""Posterior simulation-based calibration: is the fit right where it is used, given the decisions that were taken?

Calibration from the prior looks at worlds that may be far from this one. Here truths are draws from the posterior given
the case's own decisions; from each, every decision is taken once more, in sequence; the fit is to the decisions that
were taken and those that were simulated together, and the truth ranks uniformly among its draws if the fit is right
(Säilynoja, Schmitt, Bürkner and Vehtari 2025). What is measured stays what it is, so it need not be simulated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_compliance import seeds, worlds
from bayes_compliance.inference import CHAINS, DRAWS, TUNE, whole
from bayes_compliance.latents import end_to_end
from bayes_compliance.layout import Layout
from bayes_compliance.rows import History
from bayes_compliance.validation.calibration import Calibrator, World
from bayes_compliance.validation.shared import Data, Shared, history_of, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRUTHS = {"draws": DRAWS, "tune": TUNE, "chains": CHAINS}
"""Of the fit from which truths are drawn."""


class Given(Calibrator):
    """As `Calibrator`, on the decisions of the case and a simulated copy of each."""

    def _ready(self) -> Shared:
        layout = self.prepared.layout
        self._copied = np.flatnonzero(~layout.depth)
        taken = tuple(layout.decisions)
        twice = layout.case.model_copy(update={"decisions": (*layout.case.decisions, *taken)})
        self._error = np.concatenate([layout.error, layout.error[self._copied]])
        shared = Shared(self.prepared._replace(case=twice, layout=Layout(twice, self.prepared.priors)))
        nothing = self._twice(layout.outcome, layout.history)
        possible = np.concatenate([np.zeros(len(layout.rows)), silent(layout.rows.n_outcomes)[self._copied]])
        unsaid = nothing._replace(error=np.where(possible, possible, self._error))
        found, _ = shared.sample(unsaid, **TRUTHS, seed=seeds.integer(self.seed, "posterior"))
        self._truths = end_to_end(whole(self.prepared, found, self.seed))
        return shared

    def _twice(self, outcome: NDArray, history: History) -> Data:
        """The decisions as they were taken, and once more as they were simulated."""
        layout, copied = self.prepared.layout, self._copied
        both = (np.concatenate([ours, theirs[copied]]) for ours, theirs in zip(layout.history, history, strict=True))
        return Data(np.concatenate([layout.outcome, outcome[copied]]), self._error, History(*both))

    def _world(self, rng: np.random.Generator) -> World:
        at = rng.integers(len(self._truths["innovation"]))
        truth = {name: values[at : at + 1] for name, values in self._truths.items()}
        layout = self.prepared.layout
        outcome = worlds.replay(self.prepared.model, layout, truth, rng, as_coded=True)[0]
        outcome[layout.depth] = layout.outcome[layout.depth]  # declared and not copied: the fit has them as they are
        history = history_of(self.prepared.layout, outcome)
        return World({name: values[0] for name, values in truth.items()}, outcome, history)

    def _data(self, world: World) -> Data:
        return self._twice(world.outcome, world.history)
