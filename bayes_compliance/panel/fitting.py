"""From a panel to a posterior: PyMC by nutpie, and the same equations in NumPy for prior, likelihood and truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import asking, models, seeds, theory
from bayes_compliance.inference import CHAINS, DRAWS, TUNE
from bayes_compliance.panel.layout import DIMS, PanelLayout

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.inference import Drawn
    from bayes_compliance.inference.diagnostics import Check

Draws = dict[str, NDArray]
PRIOR_DRAWS = 1000
MOST_CELLS = 10_000_000
"""Numbers that a group with one for each draw and decision may hold (80 MB); beyond, draws are thinned evenly."""


class Fitter:
    """One compilation of a layout, to be sampled as often as needed with other rows held out.

    Parameters
    ----------
    layout : PanelLayout
    """

    def __init__(self, layout: PanelLayout) -> None:
        from bayes_compliance.inference.compiled import of_model

        self.layout, self.model = layout, models.load_panel()
        self.names = [*layout.sizes, *derived(layout)]
        self._compiled = of_model(self.model.build(layout), self.names)

    def sample(
        self, *, seed: int, draws: int = DRAWS, tune: int = TUNE, chains: int = CHAINS, held_out: NDArray | None = None,
        progress: bool = False,
    ) -> Drawn:  # fmt: skip
        """Draws (chain, draw, item) of every quantity, the sampler's statistics (chain, draw), and how it was set.

        Parameters
        ----------
        seed, draws, tune, chains : int
        held_out : bool array (row,) or None
            Rows that the fit must not see.
        progress : bool
        """
        from bayes_compliance.inference.nuts import accept_of, run

        counted = np.ones(len(self.layout.outcome)) if held_out is None else 1.0 - held_out
        return run(
            self._compiled.with_data(counted=counted), draws=draws, tune=tune, chains=chains,
            seed=seeds.integer(seed, "panel"), progress=progress, target_accept=accept_of(self.model),
            together=held_out is None,
        )  # fmt: skip


def derived(layout: PanelLayout) -> list[str]:
    """Quantities that hang on others: of areas, states, rules and knots."""
    return [
        *(["area_interest"] if layout.areas else []),
        "p2_g2",
        "interest",
        "step",
        *(["exporters"] if "answered" in layout.sizes else []),
        *(["walk"] if len(layout.gap) else []),
    ]


def prior(layout: PanelLayout, n: int, rng: np.random.Generator, fixed: Draws | None = None) -> Draws:
    """Independent draws (draw, item) of every quantity from its prior; some may be fixed, for a synthetic truth."""
    model = models.load_panel()
    x: Draws = {}
    for name, size in layout.sizes.items():
        drawn = model.PRIORS[name].sample(rng, n * size).reshape(n, size)
        x[name] = np.broadcast_to((fixed or {}).get(name, drawn), (n, size))

    def z(size: int) -> NDArray:
        return rng.standard_normal((n, size))

    if layout.areas:
        x["area_interest"] = model.areas(x, z(len(layout.areas)))
    x["p2_g2"] = model.state_mean(layout, x) + model.state_spread(layout, x) * z(len(layout.states))
    free = model.rule_mean(layout, x) + x["rule_spread"] * z(len(layout.rules))
    x["interest"] = model.interests(layout, x, free)
    x["step"] = model.steps(x, z(len(layout.states)))
    if len(layout.gap):
        x["walk"] = model.walk(layout, x, z(len(layout.gap)))
    if "answered" in x:
        x["exporters"] = model.exporters(
            layout, x, z(len(layout.rules)), z(len(layout.areas)) if layout.areas else None
        )
    return x


def log_prior(layout: PanelLayout, x: Draws) -> Draws:
    """Log prior density of each item given those that it hangs on; areas, rules and walks have none."""
    from scipy.stats import norm

    model = models.load_panel()
    found = {name: model.PRIORS[name].logpdf(x[name]) for name in layout.sizes}
    spread = model.state_spread(layout, x)
    if layout.pooling != "complete":
        found["p2_g2"] = norm.logpdf(x["p2_g2"], model.state_mean(layout, x), spread)
    at = np.log(model.step_median(x))
    found["step"] = norm.logpdf(np.log(x["step"]), at, model.STEP_SPREAD) - np.log(x["step"])
    return found


def log_likelihood(layout: PanelLayout, x: Draws) -> NDArray:
    """Log probability of each coded decision, shape (..., row)."""
    model = models.load_panel()
    return np.concatenate([model.log_probability(block, x) for block in layout.blocks], axis=-1)


def simulate(layout: PanelLayout, x: Draws, rng: np.random.Generator) -> NDArray:
    """Coded decisions that would come of the draws, shape (..., row)."""
    model = models.load_panel()
    found = []
    for block in layout.blocks:
        support = model.margin(block, x)
        width = model.half_width(block, x)
        answer = asking.Answer(support, *theory.outcome_probabilities(support, 1.0, width))
        found.append(asking.decide(answer, rng.random(support.shape)))
    outcome = np.concatenate(found, axis=-1)
    return asking.miscode(outcome, layout.error, layout.n_outcomes, rng)


def grow(layout: PanelLayout, draws: Draws, stats: dict[str, NDArray], seed: int, attrs: dict[str, Any]) -> xr.DataTree:
    """The groups that ArviZ knows, of a panel; see `bayes_compliance.inference.tree.grow`."""
    import xarray as xr

    before = {name: values[None] for name, values in prior(layout, PRIOR_DRAWS, seeds.generator(seed, "prior")).items()}
    kept = thinned(layout, draws)
    some = {name: values[:, kept] for name, values in draws.items()}
    few = {
        name: values[:, :: max(1, PRIOR_DRAWS * len(layout.outcome) // MOST_CELLS)] for name, values in before.items()
    }
    by_decision = {
        "prior_predictive": (simulate(layout, few, seeds.generator(seed, "prior predictive")), None),
        "posterior_predictive": (simulate(layout, some, seeds.generator(seed, "posterior predictive")), kept),
        "log_likelihood": (log_likelihood(layout, some), kept),
    }
    groups = {"posterior": dataset(layout, draws), "prior": dataset(layout, before)}
    groups |= {name: _decisions(layout, values, at) for name, (values, at) in by_decision.items()}
    coords = {"chain": np.arange(len(draws["step"])), "draw": np.arange(draws["step"].shape[1])}
    groups |= {
        "sample_stats": xr.Dataset({k: (("chain", "draw"), v) for k, v in stats.items()}, coords=coords),
        "log_prior": dataset(layout, log_prior(layout, draws)),
        "observed_data": xr.Dataset({"outcome": ("decision", layout.outcome)}, coords={"decision": layout.labels}),
        "constant_data": _constant(layout),
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = attrs
    return tree


def thinned(layout: PanelLayout, draws: Draws) -> NDArray:
    """Draws of each chain that are kept where there is a number for each decision too."""
    chains, n = draws["step"].shape[:2]
    return np.arange(0, n, -(-chains * n * len(layout.outcome) // MOST_CELLS))


def dataset(layout: PanelLayout, draws: Draws) -> xr.Dataset:
    """Draws (chain, draw, item) as a Dataset along `state`, `rule`, `area` and so on; single items have no dim."""
    import xarray as xr

    data: dict[str, Any] = {}
    for name, values in draws.items():
        if name in DIMS:
            data[name] = (("chain", "draw", DIMS[name]), values)
        else:
            data[name] = (("chain", "draw"), values[..., 0])
    used = {DIMS[name] for name in draws if name in DIMS}
    shape = next(iter(draws.values())).shape
    coords: dict[str, Any] = {dim: layout.coords[dim] for dim in sorted(used)}
    return xr.Dataset(data, coords=coords | {"chain": np.arange(shape[0]), "draw": np.arange(shape[1])})


def draws_of(tree: xr.DataTree, group: str = "posterior") -> Draws:
    """Draws (chain, draw, item) of the posterior, or of the prior."""
    return {
        str(name): (v if len(v.dims) > 2 else v.expand_dims("item", axis=-1)).transpose("chain", "draw", ...).values
        for name, v in tree[group].to_dataset().data_vars.items()
    }


def diagnose(layout: PanelLayout, tree: xr.DataTree) -> list[Check]:
    """R-hat and effective sample sizes of every quantity that varies, divergences and E-BFMI.

    What is the same in every draw of the prior is so by construction, such as the net interest of an only rule.
    """
    from bayes_compliance.inference.diagnostics import check_draws, check_sampler

    series, names, before = [], [], draws_of(tree, "prior")
    for name, values in draws_of(tree).items():
        labels = layout.coords[DIMS[name]] if name in DIMS else [""]
        free = np.flatnonzero(np.ptp(before[name], axis=(0, 1)))
        series.append(np.moveaxis(values, -1, 0)[free])
        names += [f"{name}[{labels[i]}]" if labels[i] else name for i in free]
    return [*check_draws(np.concatenate(series), names), *check_sampler(tree["sample_stats"].to_dataset())]


def _decisions(layout: PanelLayout, values: NDArray, draw: NDArray | None) -> xr.Dataset:
    import xarray as xr

    coords = {"chain": np.arange(len(values)), "draw": np.arange(values.shape[1]) if draw is None else draw}
    dims = ("chain", "draw", "decision")
    return xr.Dataset({"outcome": (dims, values)}, coords=coords | {"decision": layout.labels})


def _constant(layout: PanelLayout) -> xr.Dataset:
    import xarray as xr

    said = [entry.decision for entry in layout.entries]
    return xr.Dataset(
        {
            "date": ("decision", np.array([d.date for d in said], "datetime64[ns]")),
            "decision_case": ("decision", np.array([e.case for e in layout.entries], str)),
            "decision_state": ("decision", np.array([d.state for d in said], str)),
            "decision_rule": ("decision", np.array([d.rule for d in said], str)),
            "kind": ("decision", np.array([d.kind for d in said], str)),
            "depth": ("decision", np.array([e.depth for e in layout.entries])),
            "miscoding": ("decision", layout.error),
            "n_outcomes": ("decision", layout.n_outcomes),
        },
        coords={"decision": layout.labels},
    )
