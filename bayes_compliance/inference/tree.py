"""The result of a fit: an `xarray.DataTree` with the groups that ArviZ knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_compliance import asking, seeds, worlds
from bayes_compliance.inference import completed, whole
from bayes_compliance.latents import Draws, Latents

if TYPE_CHECKING:
    from bayes_compliance.layout import Layout
    from bayes_compliance.models import Prepared

PRIOR_DRAWS = 2000
SAMPLE_DIMS = ("chain", "draw")
EMPTY = "without_items"
"""Attribute of a group of draws: quantities that the case has none of."""


def grow(prepared: Prepared, draws: Draws, stats: dict[str, NDArray], seed: int, attrs: dict[str, Any]) -> xr.DataTree:
    """All groups from the posterior draws of an engine.

    Parameters
    ----------
    prepared : Prepared
    draws : dict of array (chain, draw, item)
        Every latent, whole (`bayes_compliance.inference.whole`) or as an engine gives them.
    stats : dict of array (chain, draw)
        Statistics of the sampler.
    seed : int
    attrs : dict
        Attributes of the root: what was run.

    Returns
    -------
    DataTree
        Groups prior, prior_predictive, posterior, posterior_predictive, sample_stats, log_likelihood, log_prior,
        observed_data, constant_data.
    """
    layout, shape = prepared.layout, next(iter(draws.values())).shape[:2]
    draws = whole(prepared, draws, seed)
    answer = asking.ask_observed(prepared.model, layout, draws)
    groups = {
        "posterior": latent_dataset(layout, draws, answer),
        **_before(prepared, seed, PRIOR_DRAWS),
        "posterior_predictive": _decisions(
            layout, _coded(layout, answer, seeds.generator(seed, "posterior predictive"))
        ),
        "sample_stats": xr.Dataset({k: (SAMPLE_DIMS, v) for k, v in stats.items()}, coords=_samples(*shape)),
        "log_likelihood": _decisions(layout, asking.log_likelihood(layout, draws, answer.support)),
        "log_prior": latent_dataset(layout, Latents(layout).log_prior(draws)),
        **_data(layout),
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = attrs
    return tree


def prior_tree(prepared: Prepared, seed: int, draws: int = PRIOR_DRAWS) -> xr.DataTree:
    """Groups prior, prior_predictive, observed_data and constant_data: what `grow` has of them, without a fit."""
    tree = xr.DataTree.from_dict({**_before(prepared, seed, draws), **_data(prepared.layout)})
    tree.attrs = {"seed": seed, "draws": draws}
    return tree


def _before(prepared: Prepared, seed: int, n: int) -> dict[str, xr.Dataset]:
    """The priors' draws, and decisions simulated from them in sequence, conduct included."""
    model, layout = prepared.model, prepared.layout
    prior = Latents(layout).draw_all(n, seeds.generator(seed, "prior"))
    prior = completed(prepared, prior, seeds.generator(seed, "prior type"), observed=False)
    simulated = worlds.replay(model, layout, prior, seeds.generator(seed, "prior predictive"))
    answer = asking.ask_observed(model, layout, prior)
    return {
        "prior": latent_dataset(layout, _one_chain(prior), asking.Answer(*(a[None] for a in answer))),
        "prior_predictive": _decisions(layout, simulated[None]),
    }


def _data(layout: Layout) -> dict[str, xr.Dataset]:
    seen = xr.Dataset({"outcome": ("decision", layout.outcome)}, coords={"decision": layout.labels})
    return {"observed_data": seen, "constant_data": constant_data(layout)}


def latent_dataset(layout: Layout, draws: Draws, answer: asking.Answer | None = None) -> xr.Dataset:
    """Draws (chain, draw, item) as a Dataset along `lobby`, `state`, `knot`, `pair`; with support and p_comply.

    Quantities that the case has none of are named in its attributes alone: much of ArviZ fails on an empty array.
    """
    dims = Latents(layout).dims | {"innovation": "knot", "spread": "pair"}
    data: dict[str, Any] = {
        name: ((*SAMPLE_DIMS, dims.get(name, "state")), values) for name, values in draws.items() if values.shape[-1]
    }
    empty = [name for name in draws if name not in data]
    if answer is not None:
        data["support"] = ((*SAMPLE_DIMS, "decision"), answer.support)
        data["p_comply"] = ((*SAMPLE_DIMS, "decision"), answer.p_comply)
    used = {variable[0][-1] for variable in data.values()}
    coords = {name: labels for name, labels in layout.coords.items() if name in used}
    shape = next(iter(draws.values())).shape[:2]
    return xr.Dataset(data, coords=coords | _samples(*shape), attrs={EMPTY: " ".join(empty)} if empty else None)


def draws_of(tree: xr.DataTree, group: str = "posterior") -> tuple[Draws, int]:
    """Draws (chain * draw, item), chains one after the other, and the number of chains."""
    dataset = tree[group].to_dataset()
    chains = dataset.sizes["chain"]
    skip = {"support", "p_comply"}
    none = np.zeros((chains * dataset.sizes["draw"], 0))
    return dict.fromkeys(dataset.attrs.get(EMPTY, "").split(), none) | {
        str(name): v.transpose("chain", "draw", ...).values.reshape(v.sizes["chain"] * v.sizes["draw"], *v.shape[2:])
        for name, v in dataset.data_vars.items()
        if name not in skip
    }, chains


def constant_data(layout: Layout) -> xr.Dataset:
    """What the decisions and lobbies are: dates, states, rules, kinds, miscoding, roles."""
    items = layout.rows.items
    return xr.Dataset(
        {
            "date": ("decision", np.array([item.date for item in items], "datetime64[ns]")),
            "decision_state": ("decision", np.array([item.state for item in items], str)),
            "decision_rule": ("decision", np.array([item.rule for item in items], str)),
            "kind": ("decision", np.array([item.stage for item in items], str)),
            "depth": ("decision", layout.depth),
            "miscoding": ("decision", layout.error),
            "n_outcomes": ("decision", layout.rows.n_outcomes),
            "lobby_state": ("lobby", np.array([lobby.state for lobby in layout.case.lobbies], str)),
            "lobby_role": ("lobby", np.array([lobby.role for lobby in layout.case.lobbies], str)),
        },
        coords={name: layout.coords[name] for name in ("decision", "lobby")},
    )


def _one_chain(draws: Draws) -> Draws:
    return {name: values[None] for name, values in draws.items()}


def _samples(chains: int, draws: int) -> dict[str, Any]:
    return {"chain": np.arange(chains), "draw": np.arange(draws)}


def _decisions(layout: Layout, values: NDArray) -> xr.Dataset:
    coords = {"decision": layout.labels} | _samples(*values.shape[:2])
    return xr.Dataset({"outcome": ((*SAMPLE_DIMS, "decision"), values)}, coords=coords)


def _coded(layout: Layout, answer: asking.Answer, rng: np.random.Generator) -> NDArray:
    decided = asking.decide(answer, rng.random(answer.support.shape))
    return asking.miscode(decided, layout.error, layout.rows.n_outcomes, rng)
