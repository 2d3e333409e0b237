"""Simulation-based calibration: draw from the prior, simulate the decisions, fit, and see where the truth ranks.

If the fit is right the rank of each true value among independent posterior draws is uniform (Talts et al. 2018), and
so is that of any quantity of parameters and data (Modrák et al. 2023). Ranked are the judged quantities, the support of
each state's last decision, to which paths and spreads add up, the conduct abroad that it met, and the log likelihood,
which catches what others miss.
One compilation serves all simulations (`Shared`); simuk would compile again for each. Conduct is simulated in sequence,
and seen as it is coded, which is the world of the likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import asking, runs, seeds, sweeps, theory, worlds
from bayes_compliance.errors import Refused
from bayes_compliance.inference import enough
from bayes_compliance.inference.tree import completed
from bayes_compliance.latents import AHEAD_ONLY, Draws, Latents, end_to_end
from bayes_compliance.models import Prepared, prepare
from bayes_compliance.validation.ranks import Uniformity, judge, rank
from bayes_compliance.validation.shared import Data, Shared, history_of, with_outcomes

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.layout import Layout
    from bayes_compliance.rows import History
    from bayes_compliance.sweeps import Schedule, Teller

RANK_DRAWS = 99
"""Draws that a truth is ranked among, thinned from the chains so that they are nearly independent."""

LOG_LIKELIHOOD = "log likelihood"


class World(NamedTuple):
    """A simulated truth: latents, shapes (item,), the coded decisions (row,) and the conduct that the fit is told."""

    truth: Draws
    outcome: NDArray
    history: History


Simulate = Callable[["Prepared", np.random.Generator], World]


def simulate(prepared: Prepared, rng: np.random.Generator) -> World:
    """A world drawn from the model: latents from their priors, decisions in sequence, conduct as it was coded."""
    truth, outcome = drawn(prepared, rng)
    return World(truth, outcome, history_of(prepared.layout, outcome))


def drawn(prepared: Prepared, rng: np.random.Generator) -> tuple[Draws, NDArray]:
    """Latents from their priors, and the decisions that they make."""
    draws = completed(prepared, Latents(prepared.layout).draw_all(1, rng), rng, observed=False)
    outcome = worlds.replay(prepared.model, prepared.layout, draws, rng, as_coded=True)[0]
    return {name: values[0] for name, values in draws.items()}, outcome


@dataclass(frozen=True, repr=False)
class Calibration:
    """Ranks of all simulations, and the verdict.

    Attributes
    ----------
    names : tuple of str
    ranks : int array (simulation, quantity)
    verdict : Uniformity
    divergences : int
        In all fits.
    settings : dict
    """

    names: tuple[str, ...]
    ranks: NDArray
    verdict: Uniformity
    divergences: int
    settings: dict[str, Any]

    def __repr__(self) -> str:
        found = "no departure found" if self.passed else "NOT calibrated"
        return (
            f"<Calibration: {self.settings['case']}, {self.settings['model']}, simulations: {len(self.ranks)}, "
            f"quantities: {len(self.names)}, {found}>"
        )

    @property
    def passed(self) -> bool:
        """Whether the ranks of every quantity may be uniform."""
        return self.verdict.passed


def quantities(prepared: Prepared) -> list[str]:
    """Names of what is ranked."""
    layout = prepared.layout
    latents = Latents(layout)
    found = [f"{name}[{layout.coords[latents.dims[name]][i]}]" for name, at in _free(prepared).items() for i in at]
    last = _last_rows(prepared)
    found += [f"support[{layout.labels[i]}]" for i in last]
    return [*found, *(f"conduct[{layout.labels[i]}]" for i in _meeting(prepared, last)), LOG_LIKELIHOOD]


def _free(prepared: Prepared) -> dict[str, NDArray]:
    return {k: v for k, v in Latents(prepared.layout).free.items() if k not in AHEAD_ONLY and len(v)}


def _last_rows(prepared: Prepared) -> list[int]:
    """The last row of each state that has any."""
    rows = prepared.layout.rows
    return [int(max(np.flatnonzero(rows.state == s), key=lambda i: rows.items[i].date)) for s in np.unique(rows.state)]


def _meeting(prepared: Prepared, rows: list[int]) -> list[int]:
    """Those of some rows whose state looks at conduct abroad."""
    layout = prepared.layout
    return [i for i in rows if not layout.judged_conduct[layout.rows.state[i]] and layout.rows.answering[i].any()]


def check(prepared: Prepared, draws: int, given: bool = False) -> None:
    """Refuse what cannot be calibrated."""
    if draws < RANK_DRAWS:
        raise Refused(f"--draws: {draws} in all chains are too few; allowed: {RANK_DRAWS} or more")
    if prepared.layout.measured and not given:
        what = "proxies are measurements, which a calibration from the prior does not simulate"
        raise Refused(f"case.toml:1: measure_proxies: {what}; allowed: none, or --given (the decisions of the case)")


class Calibrator:
    """A prepared model, compiled once, fitted to simulated worlds.

    Parameters
    ----------
    prepared : Prepared
    seed : int
        Simulation i has the same world and the same fit whatever was run before it.
    draws, tune, chains : int
    """

    def __init__(self, prepared: Prepared, *, seed: int, draws: int, tune: int, chains: int) -> None:
        self.prepared, self.seed = prepared, seed
        self.size = {"draws": draws, "tune": tune, "chains": chains}
        self.shared = self._ready()

    def _ready(self) -> Shared:
        check(self.prepared, self.size["draws"] * self.size["chains"])
        return Shared(self.prepared)

    def one(self, number: int, world_of: Simulate | None = None) -> tuple[NDArray, int]:
        """Ranks of one simulation, (quantity,), and the divergences of its fit."""
        rng = seeds.generator(self.seed, f"calibration {number}")
        world = self._world(rng) if world_of is None else world_of(self.prepared, rng)
        seed = seeds.integer(self.seed, f"calibration fit {number}")
        found, stats = self.shared.sample(self._data(world), **self.size, seed=seed)
        kept = _thinned(found)
        return self._ranked(kept, world, rng), int(stats["diverging"].sum())

    def _world(self, rng: np.random.Generator) -> World:
        return simulate(self.prepared, rng)

    def _data(self, world: World) -> Data:
        return Data(world.outcome, self.prepared.layout.error, world.history)

    def _ranked(self, kept: Draws, world: World, rng: np.random.Generator) -> NDArray:
        ranks = [rank(kept[name][:, at], world.truth[name][at], rng) for name, at in _free(self.prepared).items()]
        posterior = self._derived(kept, world.outcome, world.history)
        lived = history_of(self.prepared.layout, world.outcome)
        truth = self._derived({name: values[None] for name, values in world.truth.items()}, world.outcome, lived)
        return np.concatenate([*ranks, rank(posterior, truth[0], rng)])

    def _derived(self, draws: Draws, outcome: NDArray, history: History) -> NDArray:
        """Support of the last rows, the conduct that they met, and the log likelihood of all: (draw, quantity)."""
        layout = with_outcomes(self.prepared.layout, outcome)
        layout.__dict__["_replayed"] = (layout.record, history)
        draws, last = _all_sincere(draws), _last_rows(self.prepared)
        support = asking.ask_observed(self.prepared.model, layout, draws).support
        log_likelihood = asking.log_likelihood(layout, draws, support).sum(axis=-1, keepdims=True)
        met = [_conduct(layout, draws, history, i) for i in _meeting(self.prepared, last)]
        return np.column_stack([support[:, last], *met, log_likelihood])


def _conduct(layout: Layout, draws: Draws, history: History, row: int) -> NDArray:
    """Mean q of the counterparties that a row's state looks at, (draw,)."""
    trust = draws["trust"][:, layout.rows.state[row], None]
    return theory.conduct(trust, history.credit[row], history.count[row]).mean(axis=-1)


def _all_sincere(draws: Draws) -> Draws:
    """The fit of a model with types is over both of them: what is ranked is the same function of truth and draws."""
    return draws | {"sincere": np.ones_like(draws["sincerity"])} if "sincerity" in draws else draws


def _thinned(found: Draws) -> Draws:
    """`RANK_DRAWS` draws, evenly spaced along the chains; (draw, item)."""
    flat = end_to_end(found)
    at = np.linspace(0, len(flat["innovation"]) - 1, RANK_DRAWS).round().astype(int)
    return {name: values[at] for name, values in flat.items()}


@dataclass(frozen=True)
class Simulations:
    """The job of a calibration: each task is a simulation, by its number."""

    model: str
    case: Case
    seed: int
    draws: int
    tune: int
    chains: int
    given: bool = False

    def open(self) -> Callable[[str], dict[str, Any]]:
        """Ready for any simulation, compiled once."""
        from bayes_compliance.validation.given import Given

        size = {"seed": self.seed, "draws": self.draws, "tune": self.tune, "chains": self.chains}
        calibrator = (Given if self.given else Calibrator)(prepare(self.model, self.case), **size)

        def do(key: str) -> dict[str, Any]:
            ranks, divergences = calibrator.one(int(key))
            return {"divergences": divergences, "ranks": [int(r) for r in ranks]}

        return do


def run(
    case: Case,
    simulations: int,
    journal: Path,
    *,
    model: str,
    seed: int,
    draws: int,
    tune: int,
    chains: int,
    given: bool = False,
    schedule: Schedule | None = None,
    tell: Teller | None = None,
) -> Calibration:
    """Calibrate; see `bayes_compliance.api.calibrate`."""
    simulations = enough("simulations", simulations, 20, ", for a verdict")
    prepared = prepare(model, case)
    check(prepared, draws * chains, given)
    names = quantities(prepared)
    size: dict[str, int] = {"seed": seed, "draws": draws, "tune": tune, "chains": chains}
    header = {"model": model, **size, "given": given, "quantities": names, **runs.made_by(case)}
    header |= sweeps.own_models([model])
    book = sweeps.Journal(journal, header, "calibration")
    keys = [str(i) for i in range(simulations)]
    entries = list(sweeps.run(Simulations(model, case, **size, given=given), keys, book, schedule, tell))
    ranks = np.array([entry["ranks"] for entry in entries], int).reshape(simulations, len(names))
    divergences = sum(entry["divergences"] for entry in entries)
    return Calibration(tuple(names), ranks, judge(ranks, names, RANK_DRAWS), divergences, header | {"n": simulations})
