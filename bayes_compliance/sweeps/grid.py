"""A grid of fits: cases by models by decision noises by seeds, each a task with its forecast and its diagnostics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.models import Prepared


class Cell(NamedTuple):
    """A fit of the grid; `noise` multiplies the case's decision noise."""

    case: str
    model: str
    noise: float
    seed: int

    @property
    def written(self) -> tuple[str, str, str, int]:
        """As it stands in files; with all digits of the noise, since two may differ in a late one."""
        return self.case, self.model, repr(self.noise).removesuffix(".0"), self.seed

    @property
    def key(self) -> str:
        """Name of the task."""
        case, model, noise, seed = self.written
        return f"{case} | {model} | noise {noise} | seed {seed}"


@dataclass(frozen=True)
class Grid:
    """The job of a sweep.

    Attributes
    ----------
    cases : tuple of Case
        Each with a name of its own.
    models : tuple of str
    noises : tuple of float
    seeds : tuple of int
    draws, tune, chains : int
    until : date or None
        Default each case's horizon.
    """

    cases: tuple[Case, ...]
    models: tuple[str, ...]
    noises: tuple[float, ...]
    seeds: tuple[int, ...]
    draws: int
    tune: int
    chains: int
    until: date | None = None

    @property
    def cells(self) -> dict[str, Cell]:
        """Fits by key; those of one prepared model stand together."""
        names = [case.name for case in self.cases]
        cells = (Cell(*one) for one in product(names, self.models, self.noises, self.seeds))
        return {cell.key: cell for cell in cells}

    def open(self) -> Callable[[str], dict[str, Any]]:
        """Ready for any fit; judgements become priors once for each case, model and noise in a row."""
        from bayes_compliance.models import prepare

        cells, cases = self.cells, {case.name: case for case in self.cases}
        held: dict[tuple[str, str, float], Prepared] = {}

        def do(key: str) -> dict[str, Any]:
            cell = cells[key]
            if cell[:3] not in held:
                held.clear()
                held[cell[:3]] = prepare(cell.model, cases[cell.case], cell.noise)
            return self._fit(held[cell[:3]], cell.seed)

        return do

    def _fit(self, prepared: Prepared, seed: int) -> dict[str, Any]:
        import xarray as xr

        from bayes_compliance.forecast import simulate
        from bayes_compliance.inference import diagnose_draws
        from bayes_compliance.inference.diagnostics import check_forecast
        from bayes_compliance.inference.tree import latent_dataset
        from bayes_compliance.inference.trial import settled
        from bayes_compliance.latents import end_to_end

        size = {"draws": self.draws, "tune": self.tune, "chains": self.chains}
        prepared, (draws, stats, _) = settled(prepared, engine="nuts", seed=seed, **size)
        layout = prepared.layout
        foretold = simulate(prepared.model, layout, end_to_end(draws), self.chains, seed=seed, until=self.until)
        sampler = xr.Dataset({name: (("chain", "draw"), values) for name, values in stats.items()})
        checks = diagnose_draws(prepared, latent_dataset(layout, draws), sampler)
        checks.append(check_forecast(foretold.mc_error))
        return {
            "forecast": [{k: str(v) if isinstance(v, date) else v for k, v in row.items()} for row in foretold.table],
            "diagnostics": [[c.name, c.value, c.where, bool(c.passed)] for c in checks],
            "note": getattr(prepared.model, "NOTE", ""),
        }
