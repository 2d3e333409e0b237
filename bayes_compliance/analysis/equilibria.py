"""One equilibrium or several: what simultaneous choice leaves open (II.C, model `reciprocity`)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_compliance import equilibria as solve
from bayes_compliance.analysis.ahead import Ahead, Kept, Scene
from bayes_compliance.errors import Refused
from bayes_compliance.wording import percent

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared


def equilibria(
    prepared: Prepared,
    tree: xr.DataTree,
    *,
    seed: int = 1,
    until: date | None = None,
    step_years: float | None = None,
) -> xr.Dataset:
    """Least and greatest equilibrium on each date ahead, in the worlds of the forecast.

    Parameters
    ----------
    prepared, tree
        A model with a joint `system`, such as `reciprocity`, and its fit.
    seed, until, step_years
        As in `Ahead`.

    Returns
    -------
    Dataset
        `p_least` and `p_greatest`, the probability of compliance by (state, rule, time), each with `_median`, `_lower`
        and `_upper` over draws and future paths; and by (time): `several`, the share of worlds with more than one
        equilibrium, and `surely_one`, the share in which the sufficient condition rules that out.

    Raises
    ------
    Refused
        If the model's states do not choose simultaneously.
    """
    ahead = Ahead(prepared, tree, seed=seed, until=until, step_years=step_years)
    return ahead.answer(Equilibria(ahead))


class Equilibria:
    """The question of `equilibria`, to be put to worlds ahead."""

    def __init__(self, ahead: Ahead) -> None:
        model = ahead.prepared.model
        if not hasattr(model, "system"):
            raise Refused(f"model {model.__name__} has no joint system; allowed: a model such as reciprocity")
        self.kept = Kept(ahead, "p_least", "p_greatest")
        self.several, self.surely_one = (np.zeros(ahead.shape[1]) for _ in range(2))
        self.worlds = ahead.shape[2] * ahead.shape[3]

    def see(self, scene: Scene) -> None:
        j = self.kept.grid.time(scene)
        if j is None:
            return
        moment, future = scene.moment, scene.future
        system, worlds = future.model.system(
            future.layout, scene.rows, scene.x, moment.walk, moment.spread, moment.history
        )
        least, greatest = (solve.extreme(system, which) for which in (solve.PESSIMISTIC, solve.OPTIMISTIC))

        def shaped(p: NDArray) -> NDArray:
            return p.reshape(*worlds, -1)

        self.kept.keep(scene, p_least=shaped(least), p_greatest=shaped(greatest))
        self.several[j] += solve.several(least, greatest).sum()
        self.surely_one[j] += (system.contraction() < 1).sum()

    def result(self) -> xr.Dataset:
        found = self.kept.grid.dataset(self.kept.mean_and_band("p_least", "p_greatest"))
        shares = {"several": self.several / self.worlds, "surely_one": self.surely_one / self.worlds}
        return found.assign({name: ("time", share) for name, share in shares.items()})


def sentences(found: xr.Dataset) -> list[str]:
    """What `equilibria` found, in plain words; the last date speaks for the horizon."""
    most, last = float(found["several"].max()), found.isel(time=-1)
    gap = float((last["p_greatest"] - last["p_least"]).max())
    if most == 0:
        return [
            "In every world the states' choices have one equilibrium: it makes no difference which one is selected."
        ]
    said = [
        f"The states' choices have more than one equilibrium in {percent(most)} of the worlds on the date with most."
    ]
    if gap < 0.005:
        return [*said, "Which one is selected moves no probability of compliance by as much as half a point."]
    return [*said, f"Which one is selected moves a probability of compliance by up to {100 * gap:.0f} points."]
