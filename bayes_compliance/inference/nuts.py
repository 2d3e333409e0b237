"""The reference engine: NUTS on the PyMC model, through nutpie."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.inference.compiled import of_layout
from bayes_compliance.latents import AHEAD_ONLY, Draws, Latents, groups
from bayes_compliance.threads import cores

if TYPE_CHECKING:
    from bayes_compliance.inference.compiled import Compiled
    from bayes_compliance.layout import Layout

TARGET_ACCEPT = 0.9
STATS = {
    "diverging": "diverging",
    "energy": "energy",
    "tree_depth": "depth",
    "n_steps": "n_steps",
    "acceptance_rate": "mean_tree_accept",
    "step_size": "step_size",
    "lp": "logp",
}
"""Names of the sampler's statistics as ArviZ has them, and as nutpie has them."""


def sample(
    model: ModuleType,
    layout: Layout,
    *,
    draws: int,
    tune: int,
    chains: int,
    seed: int,
    progress: bool = False,
) -> tuple[Draws, dict[str, NDArray]]:
    """Draws of every latent, shapes (chain, draw, item), and the sampler's statistics, (chain, draw).

    Parameters
    ----------
    model : module
        With ``build(layout)``.
    layout : Layout
    draws, tune, chains : int
        Kept and discarded draws of each chain, and chains.
    seed : int
        Same seed, model and versions: the same draws, bit for bit.
    progress : bool
        Show progress on the terminal.
    """
    compiled = of_layout(model, layout, lambda: model.build(layout))
    values, stats = run(
        compiled, draws=draws, tune=tune, chains=chains, seed=seed, progress=progress,
        target_accept=getattr(model, "TARGET_ACCEPT", TARGET_ACCEPT),
    )  # fmt: skip
    return collect(layout, values, (chains, draws)), stats


def run(
    compiled: Compiled | None, *, draws: int, tune: int, chains: int, seed: int, progress: bool,
    target_accept: float = TARGET_ACCEPT,
) -> tuple[dict[str, NDArray], dict]:  # fmt: skip
    """Draws (chain, draw, ...) of a compiled model's variables, if it has any, and the sampler's statistics."""
    if compiled is None:
        return {}, {name: np.zeros((chains, draws)) for name in STATS}
    import nutpie

    sampler = nutpie.sample(
        compiled.for_nutpie(),
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        save_warmup=False,
        blocking=False,
        cores=cores(),
        progress_bar=progress and sys.stderr.isatty(),
        target_accept=target_accept,
    )
    try:
        trace = sampler.wait()
    except KeyboardInterrupt:
        sampler.abort()
        raise
    values = {name: trace["posterior"][name].values for name in compiled.names}
    stats = {ours: trace["sample_stats"][theirs].values for ours, theirs in STATS.items()}
    return values, stats


def collect(layout: Layout, values: dict[str, NDArray], shape: tuple[int, int]) -> Draws:
    """Whole quantities (chain, draw, item) from the PyMC variables, each of which holds the items of one form."""
    latents = Latents(layout)
    found: Draws = {}
    for name in latents.names:
        if name in AHEAD_ONLY:
            continue
        free = np.zeros((*shape, len(latents.free[name])))
        parts = groups(latents, name) if len(latents.free[name]) else {}
        for label, where in parts.items():
            free[..., np.searchsorted(latents.free[name], where)] = values[label]
        found[name] = latents.fill(name, free)
    for name, size in (("innovation", len(layout.knots)), ("spread", len(layout.pairs_used))):
        found[name] = values.get(name, np.zeros((*shape, size)))
    return found
