"""How far the data moved each judgement: prior beside posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from bayes_compliance.case.vocabulary import LEVELS, QUANTITIES
from bayes_compliance.latents import AHEAD_ONLY, Latents
from bayes_compliance.report.sentences import hardly
from bayes_compliance.validation.sensitivity import defaults

if TYPE_CHECKING:
    from bayes_compliance.layout import Layout
    from bayes_compliance.runs import Run


class Learnt(NamedTuple):
    """An unknown quantity of a lobby or a state before and after the data.

    `scale` is `log`, `logit` or `linear`: where its standard deviations are taken. `ratio` is the posterior's standard
    deviation over the prior's, `shift` the change of mean in standard deviations of the prior. `judged` is false where
    the prior is a default.
    """

    quantity: str
    name: str
    state: str
    scale: str
    prior: tuple[float, float, float]
    posterior: tuple[float, float, float]
    ratio: float
    shift: float
    judged: bool = True

    @property
    def hardly(self) -> bool:
        """Whether the data moved it by less than 20%."""
        return hardly(self.ratio, self.shift)


def learnt(run: Run) -> list[Learnt]:
    """Every free quantity, judged or by default, that the data may speak to, magnitudes first."""
    latents = Latents(run.prepared.layout)
    names = sorted((name for name in latents.names if name not in AHEAD_ONLY), key=lambda name: name != "magnitude")
    default = defaults(run.prepared)
    return [_learnt(run, latents, name, int(i), default) for name in names for i in latents.free[name]]


def _learnt(run: Run, latents: Latents, quantity: str, position: int, default: set[tuple[str, str]]) -> Learnt:
    layout = latents.layout
    by_lobby = layout.priors.quantities[quantity].dim == "lobby"
    lobby = layout.case.lobbies[position] if by_lobby else None
    state = lobby.state if lobby else layout.case.states[position].id
    scale = scale_of(layout, quantity, position)
    before, after = (np.asarray(run.tree[group][quantity])[..., position].ravel() for group in ("prior", "posterior"))
    ratio, shift = compare(before, after, scale)
    judged = latents.prior(quantity, position).quantile(LEVELS)
    return Learnt(
        quantity,
        lobby.id if lobby else state,
        state,
        scale,
        _three(judged),
        _three(np.quantile(after, LEVELS)),
        ratio,
        shift,
        (quantity, lobby.id if lobby else state) not in default,
    )


def scale_of(layout: Layout, quantity: str, position: int) -> str:
    """Where a quantity's spread is measured: in logs above 0, in logits between 0 and 1, else as it is."""
    if quantity == "magnitude":
        return "log" if layout.log_scale[position] else "linear"
    return QUANTITIES[quantity].support.scale


def compare(before: NDArray, after: NDArray, scale: str) -> tuple[float, float]:
    """Ratio of standard deviations, after over before, and shift of the mean in standard deviations of before."""
    to = {"log": np.log, "logit": logit, "linear": np.asarray}[scale]
    x, y = to(before), to(after)
    sd = float(x.std())
    return float(y.std()) / sd, float(y.mean() - x.mean()) / sd


def _three(values: NDArray) -> tuple[float, float, float]:
    low, mid, high = values
    return float(low), float(mid), float(high)
