"""The reference engine: NUTS on the PyMC model, through nutpie.

What whoever sees a diagnostic fail would do by hand is done first. Where draws diverge, all chains are run again with
shorter steps, and where those of a fit that is judged by its marks diverge too, with shorter ones still. Where R-hat
misses its mark by no more than one of hundreds of latents may by chance, the same chains are run twice as long, and
every other draw is kept; where it misses it by more, a chain has not come to where the others are, and all are tuned
for longer by as many draws as that took. What fails then is reported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import own
from bayes_compliance.errors import Refused
from bayes_compliance.inference import Drawn
from bayes_compliance.inference.compiled import of_layout
from bayes_compliance.inference.diagnostics import BFMI, RHAT, worst_bfmi, worst_rhat
from bayes_compliance.latents import AHEAD_ONLY, Draws, Latents, groups, starts
from bayes_compliance.threads import cores

if TYPE_CHECKING:
    import pymc as pm

    from bayes_compliance.inference.compiled import Compiled
    from bayes_compliance.layout import Layout

TARGET_ACCEPT = 0.9
STRICTER, AGAIN = 5, 2
"""Chains that diverge are run again at a target acceptance that is so many times nearer to 1, at most so often."""

LONGER = 2
"""Chains that just miss the mark of R-hat are run so many times as long."""

LEAST = 500
"""Draws of a chain with fewer of which R-hat says too little for that."""

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
) -> Drawn:
    """Draws of every latent, shapes (chain, draw, item), with statistics and attributes as `run` has them.

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
    compiled = of_layout(model, layout, lambda: built(model, layout, layout))
    found = run(
        compiled, draws=draws, tune=tune, chains=chains, seed=seed, progress=progress, target_accept=accept_of(model),
        together=True,
    )  # fmt: skip
    return found._replace(draws=collect(layout, found.draws, (chains, draws)))


def built(model: ModuleType, form: Layout, layout: Layout) -> pm.Model:
    """A model in PyMC, refused if its variables are not those by which the forecast knows its worlds.

    Parameters
    ----------
    model : module
    form : Layout
        What it is built from: the layout, or one with tensors in place of its data.
    layout : Layout
    """
    import pymc as pm

    called = f"--model: {Path(getattr(model, '__file__', None) or model.__name__).name}: build()"
    with own.told(model, "build()"):
        found, known = model.build(form), set(starts(layout))
    if not isinstance(found, pm.Model):
        raise Refused(f"{called} gives {found!r}; allowed: a pymc.Model")
    names = {variable.name for variable in found.free_RVs}
    if extra := sorted(names - known):
        raise Refused(
            f"{called} has a variable {extra[0]!r}, of which support() and so the forecast would know nothing; "
            f"allowed: {', '.join(sorted(known))}"
        )
    if missing := sorted(known - names - {"innovation", "spread"}):
        raise Refused(
            f"{called} lacks the variable {missing[0]!r}; allowed: all that judged(layout) makes "
            "(bayes_compliance.inference.variables)"
        )
    return found


def accept_of(model: ModuleType) -> float:
    """The target acceptance of a model: its own, or the default."""
    return float(getattr(model, "TARGET_ACCEPT", TARGET_ACCEPT))


def run(
    compiled: Compiled | None, *, draws: int, tune: int, chains: int, seed: int, progress: bool,
    target_accept: float = TARGET_ACCEPT, together: bool = False,
) -> Drawn:  # fmt: skip
    """Draws of a compiled model's variables, if it has any; once more with shorter steps if any diverge.

    Where the fit is judged by its marks, chains that diverge are run up to `AGAIN` times more, and those that are not
    `together` by the mark of R-hat once more for longer. Attributes are `target_accept`, `diverged_at` where chains at
    that target acceptance, the last before, had diverged, `rhat_at_first` where R-hat missed its mark, and `tuned`, for
    how many draws, where chains were then tuned for longer.
    """
    if compiled is None:
        return Drawn({}, {name: np.zeros((chains, draws)) for name in STATS}, {})
    size: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains, "seed": seed}
    found = _once(compiled, target_accept, progress, **size)
    for _ in range(AGAIN if together else 1):
        if not found.stats["diverging"].any():
            break
        before = found.attrs["target_accept"]
        found = _once(compiled, 1 - (1 - before) / STRICTER, progress, **size)
        found = found._replace(attrs=found.attrs | {"diverged_at": before})
    return _come_together(compiled, found, size, progress) if together else found


def _come_together(compiled: Compiled, found: Drawn, size: dict[str, Any], progress: bool) -> Drawn:
    """The chains as they are, or run on or anew, and as many draws of them, where R-hat misses its mark.

    Chains that fail otherwise are left as they are: of every other draw E-BFMI would seem larger.
    """
    if size["draws"] < LEAST or found.stats["diverging"].any() or worst_bfmi(found.stats) < BFMI:
        return found
    rhat = worst_rhat([values.reshape(*values.shape[:2], -1) for values in found.draws.values()])
    if not RHAT <= rhat < np.inf:
        return found
    attrs = found.attrs | {"rhat_at_first": rhat}
    if rhat >= 1 + LONGER * (RHAT - 1):
        tuned = size["tune"] + size["draws"]
        anew = _once(compiled, attrs["target_accept"], progress, **size | {"tune": tuned})
        return anew._replace(attrs=attrs | {"tuned": tuned})
    more = _once(compiled, attrs["target_accept"], progress, **size | {"draws": LONGER * size["draws"]})
    draws = {name: values[:, LONGER - 1 :: LONGER] for name, values in more.draws.items()}
    return Drawn(draws, {name: _whole(name, values) for name, values in more.stats.items()}, attrs)


def _whole(name: str, values: NDArray) -> NDArray:
    """A statistic of the draws that are kept: of all steps that led there, where it tells of steps."""
    over: dict[str, Callable[..., NDArray]]
    over = {"diverging": np.any, "n_steps": np.sum, "tree_depth": np.max, "acceptance_rate": np.mean}
    parts = values.reshape(len(values), -1, LONGER)
    return over[name](parts, axis=-1) if name in over else parts[..., -1]


def _once(compiled: Compiled, target_accept: float, progress: bool, **size: Any) -> Drawn:
    from bayes_compliance.inference.sampler import nutpie

    sampler = nutpie().sample(
        compiled.for_nutpie(),
        **size,
        save_warmup=False,
        blocking=False,
        cores=cores(),
        progress_bar=progress and sys.stderr.isatty(),
        target_accept=target_accept,
        return_raw_trace=True,
    )
    try:
        import_module("arviz_stats.base")  # the diagnostics need it; the chains have threads of their own meanwhile
        draws, stats = sampler.wait().get_arrow_trace()
    except KeyboardInterrupt:
        sampler.abort()
        raise
    kept = [~_column(chain, "tuning") for chain in stats]
    return Drawn(
        {name: _stacked(draws, name, kept, compiled.shape_of(name)) for name in compiled.names},
        {ours: _stacked(stats, theirs, kept) for ours, theirs in STATS.items()},
        {"target_accept": target_accept},
    )


def _stacked(chains: Sequence[Any], name: str, kept: Sequence[NDArray], shape: tuple[int, ...] = ()) -> NDArray:
    """A column of each chain's record batch, without the draws of tuning: (chain, draw, *shape)."""
    return np.stack([_column(chain, name, shape)[rows] for chain, rows in zip(chains, kept, strict=True)])


def _column(chain: Any, name: str, shape: tuple[int, ...] = ()) -> NDArray:
    """A column of a record batch of Arrow, in which the items of a draw follow one another: (draw, *shape)."""
    import pyarrow

    column = pyarrow.array(chain.column(name))
    items = column.flatten() if hasattr(column, "flatten") else column
    return items.to_numpy(zero_copy_only=False).reshape(chain.num_rows, *shape)


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
