"""One compilation for many data: decisions, what is known of them and the conduct that they met as shared variables.

Back-tests and calibration fit the same model again and again. What changes between fits (which decisions are known,
how they went, the conduct that each met) does not change the structure of the model, so it is compiled once.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.inference import nuts
from bayes_compliance.inference.compiled import of_layout
from bayes_compliance.latents import Draws
from bayes_compliance.layout import Layout, Terms
from bayes_compliance.rows import History

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared


class Data(NamedTuple):
    """What a fit sees: coded outcomes, miscoding probabilities (row,), and the conduct that each row met."""

    outcome: NDArray
    error: NDArray
    history: History


def silent(n_outcomes: NDArray) -> NDArray:
    """The miscoding probability at which a row says nothing: every code is as likely, whatever the decision."""
    return (n_outcomes - 1) / n_outcomes


def seen(layout: Layout, known: NDArray, history: History | None = None) -> Data:
    """The layout's own decisions, of which only some are known; a row that is not known says nothing.

    Parameters
    ----------
    layout : Layout
    known : bool array (row,)
    history : History or None
        Conduct that the known rows met, (row, ...), where it is not the layout's own.
    """
    error = np.where(known, layout.error, silent(layout.rows.n_outcomes))
    return Data(layout.outcome, error, layout.history if history is None else history)


def with_outcomes(layout: Layout, outcome: NDArray) -> Layout:
    """The same rows decided otherwise, (row,), with the conduct that this makes."""
    other = copy.copy(layout)
    for name in ("_replayed", "blocks"):
        other.__dict__.pop(name, None)
    other.outcome = outcome
    return other


def history_of(layout: Layout, outcome: NDArray) -> History:
    """Conduct that each row meets when the rows are decided as in `outcome`, (row,)."""
    return with_outcomes(layout, outcome).history


class Shared:
    """A prepared model, compiled once, to be sampled on any `Data` of its rows.

    Parameters
    ----------
    prepared : Prepared
        Its layout gives the rows, all of them.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.layout = prepared.layout
        self._accept = nuts.accept_of(prepared.model)
        layout = prepared.layout
        self._compiled = of_layout(
            prepared.model, layout, lambda: nuts.built(prepared.model, symbolic(layout)[0], layout),
            arrays(seen(layout, np.ones(len(layout.rows), bool))),
        )  # fmt: skip

    def sample(self, data: Data, *, draws: int, tune: int, chains: int, seed: int) -> tuple[Draws, dict[str, NDArray]]:
        """Draws of every latent, (chain, draw, item), and the sampler's statistics, (chain, draw)."""
        compiled = self._compiled
        if compiled is not None:
            read = compiled.arrays
            compiled = compiled.with_data(**{name: values for name, values in arrays(data).items() if name in read})
        found = nuts.run(
            compiled, draws=draws, tune=tune, chains=chains, seed=seed, progress=False, target_accept=self._accept
        )
        return nuts.collect(self.layout, found.draws, (chains, draws)), found.stats


def arrays(data: Data) -> dict[str, NDArray]:
    """The data by the names of the shared variables."""
    return {
        "seen_outcome": np.asarray(data.outcome, np.int64), "seen_error": np.asarray(data.error, float),
        "seen_credit": np.asarray(data.history.credit, float), "seen_count": np.asarray(data.history.count, float),
        "seen_accrued": np.asarray(data.history.accrued, float),
    }  # fmt: skip


def symbolic(layout: Layout) -> tuple[Layout, dict[str, Any]]:
    """The layout with its data as shared variables, and these by name."""
    import pytensor

    known = np.ones(len(layout.rows), bool)
    shared = {name: pytensor.shared(value, name=name) for name, value in arrays(seen(layout, known)).items()}
    met = [shared[f"seen_{name}"] for name in History._fields]
    other = copy.copy(layout)
    other.__dict__["blocks"] = tuple(
        Terms(*block)._replace(history=History(*(part[block.row] for part in met))) for block in layout.blocks
    )
    other.outcome, other.error = shared["seen_outcome"], shared["seen_error"]
    return other, shared
