"""From priors and decisions to a posterior: `fit` with the engine of one's choice."""

from __future__ import annotations

from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple

from bayes_compliance.arguments import shown
from bayes_compliance.errors import Refused

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray

    from bayes_compliance.inference.diagnostics import Check
    from bayes_compliance.latents import Draws
    from bayes_compliance.models import Prepared

ENGINES = ("nuts", "exact", "smc")
EVIDENCE_ERROR = 1e-3
"""Relative standard error to which a fit by engine `exact` states the evidence."""

SEEDS = (0, 2**32 - 1)
LEAST_DRAWS = 4
DRAWS, TUNE, CHAINS = 1000, 300, 4
"""Kept and discarded draws of each chain, and chains, where nothing else is asked for."""

FEWER_DRAWS, FEWER_CHAINS = 500, 2
"""The same of each fit of a back-test, which forecasts from 500 draws and averages over origins."""

RANKED_DRAWS = 250
"""Kept draws of each of as few chains in a fit of a calibration, which ranks a truth among them."""


def fit(
    prepared: Prepared,
    *,
    engine: str = "nuts",
    seed: int = 1,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int = CHAINS,
    progress: bool = False,
) -> xr.DataTree:
    """Posterior of every latent of a prepared model.

    Parameters
    ----------
    prepared : Prepared
        From `bayes_compliance.models.prepare`.
    engine : str
        ``nuts``: the PyMC model, by nutpie. ``exact``: independent draws and the evidence where the case is linear in
        normal latents (`bayes_compliance.inference.exact`); it needs no tuning.
        ``smc``: tempered sequential Monte Carlo and the evidence, without compilation
        (`bayes_compliance.inference.smc`); `chains` are its independent runs, and it needs no tuning.
    seed : int
        Same seed, inputs and versions: the same draws, bit for bit, in any process.
    draws, tune, chains : int
        Kept and discarded draws of each chain, and chains: two at least, since R-hat compares them.
    progress : bool
        Show progress where the standard error is a terminal.

    Returns
    -------
    DataTree
        See `bayes_compliance.inference.tree.grow`.

    Raises
    ------
    Refused
        For an unknown engine, or one that cannot do this case.
    """
    from bayes_compliance.inference.tree import grow

    drawn = draw(prepared, engine=engine, seed=seed, draws=draws, tune=tune, chains=chains, progress=progress)
    return grow(prepared, drawn.draws, drawn.stats, seed, drawn.attrs)


class Drawn(NamedTuple):
    """Draws by name, (chain, draw, ...), the sampler's statistics, (chain, draw), and attributes of the fit."""

    draws: Draws
    stats: dict[str, NDArray]
    attrs: dict[str, Any]


def draw(
    prepared: Prepared, *, engine: str, seed: int, draws: int, tune: int, chains: int, progress: bool = False
) -> Drawn:
    """Posterior draws of every latent before they become a tree, by the arguments of `fit`.

    Quantities that only the future needs come from their priors, and latents that the sampler does not see from the
    model.
    """
    from bayes_compliance import __version__, models, seeds

    check_settings(engine, seed, draws, tune, chains)
    attrs: dict[str, Any] = {
        "case": prepared.case.name, "model": models.short(prepared.model), "engine": engine,
        "seed": seed, "draws": draws, "tune": tune, "chains": chains, "bayes_compliance": __version__,
    }  # fmt: skip
    if engine == "exact":
        from bayes_compliance.inference import exact

        found, stats = exact.sample(prepared, draws=draws, chains=chains, seed=seeds.integer(seed, engine))
        log_p, error = exact.evidence(prepared, seed=seed, target=EVIDENCE_ERROR)
        attrs |= {"tune": 0, "log_evidence": log_p, "log_evidence_error": error}
    elif engine == "smc":
        from bayes_compliance.inference import smc

        found, stats, more = smc.sample(prepared, draws=draws, chains=chains, seed=seeds.integer(seed, engine))
        attrs |= {"tune": 0} | more
    else:
        from bayes_compliance.inference import nuts

        found, stats, more = nuts.sample(
            prepared.model, prepared.layout, draws=draws, tune=tune, chains=chains,
            seed=seeds.integer(seed, engine), progress=progress,
        )  # fmt: skip
        attrs |= more
    return Drawn(whole(prepared, found, seed), stats, attrs)


def whole(prepared: Prepared, draws: Draws, seed: int) -> Draws:
    """Draws (chain, draw, item) with what no sampler draws: quantities of the future alone, and a model's own latents.

    Once more with the same seed changes nothing.
    """
    from bayes_compliance import seeds
    from bayes_compliance.latents import AHEAD_ONLY, Latents

    shape = next(iter(draws.values())).shape[:2]
    ahead = Latents(prepared.layout).draw(shape[0] * shape[1], seeds.generator(seed, "ahead"), AHEAD_ONLY)
    draws = draws | {name: values.reshape(*shape, -1) for name, values in ahead.items()}
    return completed(prepared, draws, seeds.generator(seed, "complete"))


def completed(prepared: Prepared, draws: Draws, rng: np.random.Generator, observed: bool = True) -> Draws:
    """Draws with the latents that the sampler does not see, where the model has any: given the decisions, or not."""
    complete = getattr(prepared.model, "complete", None)
    return draws if complete is None else complete(prepared.layout, draws, rng, observed)


def check_settings(engine: str, seed: int, draws: int, tune: int, chains: int) -> dict[str, int]:
    """All but the engine as JSON takes them, by name; Refused, all problems at once, where no engine can do them."""
    found, problems = {}, []
    if engine not in ENGINES:
        problems.append(f"--engine: {engine!r} is no engine; allowed: {', '.join(ENGINES)}")
    for name, checked in (
        ("seed", partial(check_seed, seed)),
        ("draws", partial(enough, "draws", draws, LEAST_DRAWS)),
        ("tune", partial(enough, "tune", tune, 1)),
        ("chains", partial(enough, "chains", chains, 2, ", which R-hat compares")),
    ):
        try:
            found[name] = checked()
        except Refused as refused:
            problems.append(str(refused))
    if problems:
        raise Refused("\n".join(problems))
    return found


def enough(name: str, value: Any, least: int, why: str = "") -> int:
    """An option that is a number, at the least so many, as JSON takes it; Refused where it is not."""
    number = _whole_number(name, value)
    if number < least:
        raise Refused(f"--{name}: {number} is too few; allowed: {least} or more{why}")
    return number


def _whole_number(name: str, value: Any) -> int:
    """A number of Python, whatever library it was of."""
    try:
        if not isinstance(value, bool):
            return index(value)
    except TypeError:
        pass
    raise Refused(f"--{name}: {shown(value)} is no whole number; allowed: one, such as 1")


def check_seed(seed: int) -> int:
    """The seed as JSON takes it; Refused where it is none."""
    seed = _whole_number("seed", seed)
    if not SEEDS[0] <= seed <= SEEDS[1]:
        raise Refused(f"--seed: {seed} is out of range; allowed: {SEEDS[0]} to {SEEDS[1]}")
    return seed


def diagnose(prepared: Prepared, tree: xr.DataTree) -> list[Check]:
    """R-hat and effective sample sizes of every free variable, and what the engine says of itself.

    NUTS: divergences and E-BFMI. ``smc``: see `bayes_compliance.inference.diagnostics.check_runs`; p_comply of the rows
    is among the variables.
    """
    from bayes_compliance.inference.diagnostics import check_runs

    posterior, stats = (tree[group].to_dataset() for group in ("posterior", "sample_stats"))
    answers = tree.attrs.get("engine") == "smc"
    return [*diagnose_draws(prepared, posterior, stats, answers=answers), *check_runs(tree.attrs)]


def diagnose_draws(
    prepared: Prepared, posterior: xr.Dataset, stats: xr.Dataset, *, answers: bool = False
) -> list[Check]:
    """R-hat and effective sample sizes of every free variable (and of the rows' p_comply), divergences and E-BFMI."""
    import numpy as np

    from bayes_compliance.inference.diagnostics import check_draws, check_sampler, free_series
    from bayes_compliance.latents import AHEAD_ONLY, Latents

    layout = prepared.layout
    free = {name: where for name, where in Latents(layout).free.items() if name not in AHEAD_ONLY}
    free |= {"innovation": np.arange(len(layout.knots)), "spread": np.arange(len(layout.pairs_used))}
    if answers:  # those of no free latent stand still; draws that do are told by their latents
        p = posterior["p_comply"].values
        free["p_comply"] = np.flatnonzero(p.max(axis=(0, 1)) != p.min(axis=(0, 1)))
    return [*check_draws(*free_series(posterior, free)), *check_sampler(stats)]
