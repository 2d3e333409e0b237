"""The latent variables of a case: which judged quantities are free, which constant, and draws from their priors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import theory
from bayes_compliance.elicitation.distributions import Below

if TYPE_CHECKING:
    from bayes_compliance.elicitation import DefaultUsed, Prior
    from bayes_compliance.layout import Layout

WHERE_NOT_JUDGED = {
    "step": 0.0,
    "entrenchment": 0.0,
    "specificity": 0.0,
    "dilution": 1.0,
    "monitoring": 1.0,
    "detection": 1.0,
    "sincerity": 1.0,
    "partial_width": 0.0,
    "trust": 1.0,
    "reciprocity": 1.0,
    "shadow": 0.0,
    "discount": 0.0,
    "detection_lag": 1.0,
    "punishment_periods": np.inf,
    "end_hazard": 0.0,
    "rule_spread": 0.0,
    "rule_spread_points": 0.0,
}
"""What stands in a quantity where it does not apply to a lobby or a state."""

AHEAD_ONLY = ("shock_hazard", "shock_scale")
"""Quantities that the data cannot speak to: they enter the forecast as their priors have them."""

JUDGED = "judged"
"""Name of a compiled model's data that hold the parameters of its priors."""

SCALED = ("decision_noise", "rule_spread_points")
"""Quantities whose defaults are constants in units of K_ref: like what is judged, they change with its judgements."""

Draws = dict[str, NDArray]


def end_to_end(draws: Draws) -> Draws:
    """Draws (chain, draw, ...) as (chain * draw, ...), chains one after the other."""
    return {name: v.reshape(v.shape[0] * v.shape[1], *v.shape[2:]) for name, v in draws.items()}


class Latents:
    """Judged quantities of a layout, with the free ones apart from the constants.

    Attributes
    ----------
    names : tuple of str
        Judged quantities, sorted.
    dims : dict of str to str
        `lobby` or `state`, by quantity.
    free : dict of str to int array
        Positions along the dim that are free variables.
    scaled : dict of str to int array
        Positions of the constants that are data of a compiled model, by quantity of `SCALED`.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        quantities = layout.priors.quantities
        self.names = tuple(sorted(quantities))
        self.dims = {name: quantities[name].dim for name in self.names}
        self._priors = {name: self._applicable(name, quantities[name].priors) for name in self.names}
        self.free = {
            name: np.array([i for i, p in enumerate(priors) if p is not None and not p.is_constant], int)
            for name, priors in self._priors.items()
        }
        self.scaled = {
            name: np.array([i for i, p in enumerate(self._priors[name]) if p is not None and is_scaled(name, p)], int)
            for name in SCALED
        }
        self._fixed = {name: self._constants(name) for name in self.names}

    def _applicable(self, name: str, priors: tuple[Prior | None, ...]) -> list[Prior | None]:
        layout = self.layout
        if name == "trust":
            used = ~layout.judged_conduct
        elif name == "reciprocity":
            used = layout.judged_conduct
        elif name in ("rule_spread", "rule_spread_points"):
            linear = name == "rule_spread_points"
            spread = [b for b in layout.case.lobbies if b.rules is None and layout.case.is_linear(b) == linear]
            used = np.isin(list(layout.state_index), [lobby.state for lobby in spread])
        else:
            return list(priors)
        return [prior if use else None for prior, use in zip(priors, used, strict=True)]

    def prior(self, name: str, position: int) -> Prior:
        """The pooled prior of one free item."""
        prior = self._priors[name][position]
        assert prior is not None
        return prior

    def fixed(self, name: str) -> NDArray:
        """The quantity with its constants in place, and what stands where it does not apply; free items are NaN."""
        return self._fixed[name].copy()

    def _constants(self, name: str) -> NDArray:
        values = [WHERE_NOT_JUDGED.get(name, np.nan) if p is None else np.nan for p in self._priors[name]]
        for i, prior in enumerate(self._priors[name]):
            if prior is not None and prior.is_constant:
                values[i] = prior.value
        return np.array(values, float)

    def fill(self, name: str, free: NDArray) -> NDArray:
        """Whole quantity, shape (..., item), from its free items, shape (..., free item)."""
        constants = self._fixed[name]
        values = np.empty((*free.shape[:-1], len(constants)))
        values[...] = constants
        values[..., self.free[name]] = free
        return values

    def draw(self, n: int, rng: np.random.Generator, names: tuple[str, ...] | None = None) -> Draws:
        """Independent draws of the judged quantities from their priors, shapes (n, item)."""
        return {
            name: self.fill(name, self._draw_free(name, n, rng)) for name in (self.names if names is None else names)
        }

    def _draw_free(self, name: str, n: int, rng: np.random.Generator) -> NDArray:
        columns = [self.prior(name, i).sample(rng, n) for i in self.free[name]]
        return np.stack(columns, axis=-1) if columns else np.zeros((n, 0))

    def draw_all(self, n: int, rng: np.random.Generator) -> Draws:
        """Prior draws of the judged quantities, of the path innovations and of the spreads between rules."""
        draws = self.draw(n, rng)
        draws["innovation"] = rng.standard_normal((n, len(self.layout.knots)))
        draws["spread"] = rng.standard_normal((n, len(self.layout.pairs_used)))
        return draws

    def log_prior(self, draws: Mapping[str, NDArray]) -> Draws:
        """Log prior density of each item, shapes as the draws; 0 for constants. Spreads and innovations excluded."""
        found = {}
        for name in self.names:
            density = np.zeros_like(draws[name])
            for i in self.free[name]:
                density[..., i] = self.prior(name, i).logpdf(draws[name][..., i])
            found[name] = density
        return found


def is_scaled(name: str, prior: Prior) -> bool:
    """Whether the prior is a constant that changes with the judgements of K_ref; 0 does not."""
    return name in SCALED and prior.is_constant and prior.value != 0


def relation(x: Mapping[str, Any], judged_discount: NDArray, for_ever: NDArray) -> tuple[Any, Any]:
    """Shadow weight w and effective discount of each state, (..., state), from whichever of the two was judged.

    Where only w was judged the discount is w itself: a grim trigger with detection after one period.
    """
    if not judged_discount.any():
        return x["shadow"], x["shadow"]
    xp = theory.namespace(*x.values())
    discount, lag, hazard = x["discount"], x["detection_lag"], x["end_hazard"]
    grim = theory.shadow(discount, lag, None, hazard)
    finite = theory.shadow(discount, lag, xp.where(for_ever, 1.0, x["punishment_periods"]), hazard)
    w = xp.where(for_ever, grim, finite)
    return (
        xp.where(judged_discount, w, x["shadow"]),
        xp.where(judged_discount, discount * (1 - hazard), x["shadow"]),
    )


def form(prior: Prior) -> tuple[str, ...]:
    """What priors of one PyMC variable have in common: their family, however many components of it; else each's."""
    families = tuple(component.family for component in prior.components)
    return families[:1] if len(set(families)) == 1 else families


def groups(latents: Latents, name: str) -> dict[str, NDArray]:
    """Names of the PyMC variables of a quantity, and the positions that each holds: one for each form of prior."""
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i in latents.free[name]:
        found[form(latents.prior(name, i))].append(int(i))
    if len(found) == 1:
        return {name: np.array(next(iter(found.values())))}
    return {f"{name}_{'_'.join(forms)}": np.array(where) for forms, where in sorted(found.items())}


def by_form(latents: Latents) -> dict[str, list[Prior]]:
    """The PyMC variables of all judged quantities that the data can speak to, and the priors of each."""
    return {
        label: [latents.prior(name, i) for i in where]
        for name in latents.names if name not in AHEAD_ONLY and len(latents.free[name])
        for label, where in groups(latents, name).items()
    }  # fmt: skip


def parameters(priors: Sequence[Prior]) -> list[NDArray]:
    """Numbers of priors of one form, as PyMC takes them.

    Of one component: its parameters, each (prior,). Of more components of one family: their weights and each parameter,
    (prior, component); whoever has fewer components than others has further ones of weight 0. Else, for one component
    after the other, its weight and its parameters, each (prior,).
    """
    most = max(len(prior.components) for prior in priors)
    if most > 1 and len(form(priors[0])) > 1:
        each = [[[w, *c.parameters] for w, c in zip(p.weights, p.components, strict=True)] for p in priors]
        return [np.array(column, float) for parts in zip(*each, strict=True) for column in zip(*parts, strict=True)]
    padded = [[p.components[k if k < len(p.components) else 0].parameters for k in range(most)] for p in priors]
    numbers = list(np.moveaxis(np.array(padded, float), -1, 0))
    if most == 1:
        return [values[:, 0] for values in numbers]
    weights = [[*prior.weights, *(0.0,) * (most - len(prior.weights))] for prior in priors]
    return [np.array(weights, float), *numbers]


def flat(layout: Layout) -> NDArray:
    """The data `JUDGED` of a model: parameters of the free priors that the data can speak to, in one line.

    Then come the constants in units of K_ref, and last the log of the mass that the distributions with an upper end
    have below it.
    """
    latents = Latents(layout)
    forms = by_form(latents)
    below = [c.distribution for priors in forms.values() for p in priors for c in p.components]
    mass = sum(float(np.log(one.whole.cdf(one.high))) for one in below if isinstance(one, Below))
    constants = [latents.fixed(name)[where] for name, where in latents.scaled.items()]
    numbers = [values.ravel() for priors in forms.values() for values in parameters(priors)]
    return np.concatenate([*numbers, *constants, [mass]])


def starts(layout: Layout) -> dict[str, NDArray]:
    """Prior medians of the PyMC variables on their unconstrained scales, by name."""
    found = {label: np.array([_unconstrained(p) for p in priors]) for label, priors in by_form(Latents(layout)).items()}
    return found | {
        name: np.zeros(n) for name, n in (("innovation", len(layout.knots)), ("spread", len(layout.pairs_used))) if n
    }


def _unconstrained(prior: Prior) -> float:
    x, component = prior.median, prior.components[0]
    if component.family == "lognormal-below":
        return float(np.log(x) - np.log(component.parameters[-1] - x))
    if component.family in ("lognormal", "gamma"):
        return float(np.log(x))
    return float(np.log(x) - np.log1p(-x)) if component.family in ("beta", "logit-normal") else x


def in_use(layout: Layout) -> tuple[DefaultUsed, ...]:
    """Defaults that the model asks for: none of trust where conduct is judged, nor of a spread that no lobby has."""
    latents = Latents(layout)

    def used(default: DefaultUsed) -> bool:
        if default.quantity not in latents.names:
            return False
        labels = layout.coords[latents.dims[default.quantity]]
        at = [str(label) for label in labels].index(default.name)
        prior = layout.priors.quantities[default.quantity].priors[at]
        known = prior is not None and prior.is_constant and latents.fixed(default.quantity)[at] == prior.value
        return known or at in latents.free[default.quantity]

    return tuple(default for default in layout.priors.defaults if used(default))
