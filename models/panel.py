"""Many states, many rules: how ready is each state to comply, whatever the rule? (Trachtman 2010, II.D and II.E.)

The article's two forces that belong to the state and not to the rule, the pro-international-law lobby P and the
government G, are what decisions on many rules have in common: "If it were possible to estimate the general magnitudes
of P2 and G2 for each state, we could determine the relative propensity of those states to comply." For state s and rule
r, with noise sigma = 1 as the unit,

    status quo   S0 = N_r - w q L_r                                 N_r - w q L_r is the rule's J - K
    adherence    SA = N_r - w q L_r + L_r + (P1 + G1)_s             at t1 (II.B)
    compliance   SC = N_r + (P2 + G2)_s(t)                          at t2 (II.C): N_r = J - K + w q L_r
                 (P2 + G2)_s = (P1 + G1)_s + step_s, step_s > 0     breaking a promise costs more (II.D, II.E)

Who gains and who loses differs by rule, not by state: N_r and L_r for each rule, pooled by issue area; of J and K only
the difference enters, so they are pooled as one; w q is alike for all. What a state's own lobbies add to that on all
rules, and its threshold, counts as its P2 + G2. P and G are not told apart, so
a case whose status quo includes one of them (`status_quo_includes`) is taken without. What rules have of their own in
N_r (omega z_r) sums to 0 over the panel's rules, and what areas have, where they are told apart, to 0 over areas, each
of which counts alike however many rules it has: P2 + G2 is the support that a state gives to the average rule, of the
panel or (with areas) of the average area, since how far that one stands from all rules to come no decision tells.
Decisions tell ratios to the noise.

    (P2 + G2)_s  = level + x_s beta + tau z_s         partial pooling; x_s: covariates, standardised, signs left open
    N_r          = area_a(r) + u_r gamma + omega z_r  rules pooled by issue area, where several are given
    L_r          = L exp(.3 z_area(r) + .45 z_r)      exporters: of the median rule, of its area and its own
    step_s       = h b exp(kappa z_s), (1 - w q) L = h (1 - b)       stakes h, share b of the bias; kappa = .4
    (P2 + G2)(t) = (P2 + G2) + drift W_s              W_s: steps of five years from the last decision (optional)

Decisions to adhere and to comply tell the article's bias h b against its temptation h (1 - b), the net tilt, and not
how large both are: the stakes rest on their prior. The bias exceeds the temptation where b is above one half.

A missing x is standard normal, as the known ones are on average: a free variable. Outcomes are ordered with a band of
half-width c for partial ones, and miscoded by the confidence of their row. Pooling `none` gives each state a wide prior
of its own, N(0, 2^2), and no covariates; `complete` gives all states one P2 + G2: both are there to be compared.

Priors: below, in units of sigma; the defaults for a case (in K_ref, sigma = .6 K_ref) give those of step, drift, c.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_compliance import theory
from bayes_compliance.elicitation.families import Component
from bayes_compliance.elicitation.priors import Prior

if TYPE_CHECKING:
    import pymc as pm

    from bayes_compliance.panel.layout import Block, PanelLayout

COMMAND = "panel FOLDER --out RUN"
"""What runs this model, in place of `run`."""

UNPOOLED_SD = 2.0
STEP_SPREAD = 0.4
"""kappa, a known constant: nine states in ten have a step within a factor of 1.9 of the median. Left free it was hardly
learnt from 11,000 rows of 150 states (its posterior sd was .25), and was what mixed worst."""


AREA_OF_EXPORTERS, SPREAD_OF_EXPORTERS = 0.3, 0.45
"""Log-sds of L by area, where areas are given, and by rule: known constants, the latter the default rule spread of a
case. Only adherence and the status quo speak of L, and a treaty-wide row only of its mean over the treaty's rules."""


def _prior(family: str, *parameters: float) -> Prior:
    return Prior((Component(family, parameters),), (1.0,))


PRIORS: dict[str, Prior] = {
    "level": _prior("normal", 0.0, 1.5),
    "state_effect": _prior("normal", 0.0, 0.5),
    "rule_effect": _prior("normal", 0.0, 0.5),
    "state_missing": _prior("normal", 0.0, 1.0),
    "rule_missing": _prior("normal", 0.0, 1.0),
    "state_spread": _prior("lognormal", log(0.6), 0.6),
    "rule_spread": _prior("lognormal", log(0.8), 0.6),
    "area_spread": _prior("lognormal", log(0.4), 0.6),
    "stakes": _prior("lognormal", log(0.7), 0.5),
    "bias_share": _prior("beta", 2.0, 2.0),
    "answered": _prior("beta", 4.0, 3.0),
    "partial_width": _prior("lognormal", log(0.67), 0.45),
    "drift": _prior("lognormal", log(0.3), 0.6),
}
"""Level; effects beta, gamma; missing covariates; tau, omega and their like; h; b; w q; c; drift per root of five
years."""


def state_mean(layout: PanelLayout, x: dict[str, Any]) -> Any:
    """Mean of P2 + G2 before a state's own decisions speak, shape (..., state)."""
    if layout.pooling == "none":
        return np.zeros(len(layout.states))
    mean = x["level"] + np.zeros(len(layout.states))
    return mean + layout.about_states.times(x["state_effect"], x.get("state_missing")) if "state_effect" in x else mean


def state_spread(layout: PanelLayout, x: dict[str, Any]) -> Any:
    """Standard deviation of P2 + G2 about its mean: tau, or what the pooling says."""
    return {"none": np.array([UNPOOLED_SD]), "complete": np.zeros(1)}.get(layout.pooling, x.get("state_spread"))


def rule_mean(layout: PanelLayout, x: dict[str, Any]) -> Any:
    """Mean of the net interest before a rule's own decisions speak, shape (..., rule)."""
    mean: Any = np.zeros(len(layout.rules))
    if "area_interest" in x:
        mean = mean + x["area_interest"] @ layout.in_area.T
    return mean + layout.about_rules.times(x["rule_effect"], x.get("rule_missing")) if "rule_effect" in x else mean


def areas(x: dict[str, Any], z: Any) -> Any:
    """What the rules of each area have in common, (..., area), with sum 0: else the level could not be told from it.

    The sum is over areas, not rules: where these are unevenly spread the panel's rules have another mean.
    """
    return x["area_spread"] * about_zero(z)


def about_zero(values: Any) -> Any:
    """Values less their mean, along the last axis."""
    return values - values.mean(axis=-1, keepdims=True)


def interests(layout: PanelLayout, x: dict[str, Any], free: Any) -> Any:
    """Net interest of each rule, (..., rule): what its covariates and area give, and deviations with sum 0 over rules.

    `free` is the same with deviations of any sum.
    """
    mean = rule_mean(layout, x)
    return mean + about_zero(free - mean)


def step_median(x: dict[str, Any]) -> Any:
    """What breaking a promise costs more than never making one, in the median state: h b."""
    return x["stakes"] * x["bias_share"]


def exporters_median(x: dict[str, Any]) -> Any:
    """L of the median rule, by what of it compliance forgoes and adherence does not: (1 - w q) L = h (1 - b)."""
    return x["stakes"] * (1 - x["bias_share"]) / (1 - x["answered"])


def exporters(layout: PanelLayout, x: dict[str, Any], z: Any, z_area: Any = None) -> Any:
    """L of each rule, above 0, shape (..., rule)."""
    own = SPREAD_OF_EXPORTERS * z
    if z_area is not None:
        own = own + AREA_OF_EXPORTERS * (z_area @ layout.in_area.T)
    return exporters_median(x) * theory.namespace(own).exp(own)


def steps(x: dict[str, Any], z: Any) -> Any:
    """P2 + G2 - P1 - G1 of each state, above 0, shape (..., state)."""
    return step_median(x) * theory.namespace(z).exp(STEP_SPREAD * z)


def walk(layout: PanelLayout, x: dict[str, Any], z: Any) -> Any:
    """How P2 + G2 differed at each knot from what it is after the last decision, shape (..., knot)."""
    moved = x["drift"] * np.sqrt(layout.gap) * z
    total = moved.cumsum(axis=-1)
    first = layout.first_knot
    return total - total[..., first] + moved[..., first]


def margin(block: Block, x: dict[str, Any]) -> Any:
    """Net support of each row of a block, in units of sigma, shape (..., row)."""
    interest = x["interest"] if block.whole is None else x["interest"] @ block.whole.T
    interest = interest[..., block.rule]
    later: Any = x["p2_g2"][..., block.state]
    if (block.knot >= 0).any():
        later = later + x["walk"][..., np.maximum(block.knot, 0)] * (block.knot >= 0)
    if block.kind == "compliance":  # w q L stands in the net interest already
        return theory.compliance_support(interest, 0.0, 0.0, later, 0.0)
    ell = x["exporters"] if block.whole is None else x["exporters"] @ block.whole.T
    ell = ell[..., block.rule]
    own = interest - x["answered"] * ell
    if block.kind == "adherence":
        return theory.adherence_support(own, 0.0, ell, later - x["step"][..., block.state], 0.0)
    return own


def log_probability(block: Block, x: dict[str, Any]) -> Any:
    """Log probability of each coded decision of a block, shape (..., row)."""
    width = half_width(block, x)
    return theory.coded_log_probability(margin(block, x), 1.0, width, block.outcome, block.error, block.n_outcomes)


def half_width(block: Block, x: dict[str, Any]) -> Any:
    """Half-width of the band of partial outcomes of each row of a block, in units of sigma; 0 where it has none."""
    three = block.n_outcomes == 3
    return x["partial_width"] * three if three.any() else 0.0


def build(layout: PanelLayout) -> pm.Model:
    """The model in PyMC; `counted` weighs each row's log probability, 0 for what is held out."""
    import pymc as pm

    from bayes_compliance.inference.variables import variable

    with pm.Model() as model:
        x: dict[str, Any] = {name: variable(name, [PRIORS[name]] * n) for name, n in layout.sizes.items()}
        counted = pm.Data("counted", np.ones(len(layout.outcome)))
        if layout.areas:
            z = pm.Normal("area_z", shape=len(layout.areas))
            x["area_interest"] = pm.Deterministic("area_interest", areas(x, z))
        mean, spread = state_mean(layout, x), state_spread(layout, x)
        x["p2_g2"] = _pooled(pm, "p2_g2", mean, spread, len(layout.states), layout.centred)
        free = _pooled(pm, "interest_free", rule_mean(layout, x), x["rule_spread"], len(layout.rules), layout.centred)
        x["interest"] = pm.Deterministic("interest", interests(layout, x, free))
        x["step"] = pm.Deterministic("step", steps(x, pm.Normal("step_z", shape=len(layout.states))))
        if "answered" in x:
            z_area = pm.Normal("exporters_area_z", shape=len(layout.areas)) if layout.areas else None
            z = pm.Normal("exporters_z", shape=len(layout.rules))
            x["exporters"] = pm.Deterministic("exporters", exporters(layout, x, z, z_area))
        if len(layout.gap):
            x["walk"] = pm.Deterministic("walk", walk(layout, x, pm.Normal("walk_z", shape=len(layout.gap))))
        total = sum((counted[block.rows] * log_probability(block, x)).sum() for block in layout.blocks)
        pm.Potential("decisions", total)
    return model


def _pooled(pm: Any, name: str, mean: Any, spread: Any, size: int, centred: bool) -> Any:
    """Items about a mean: as free variables (centred), or as a mean plus standard normals; all alike without spread."""
    if isinstance(spread, np.ndarray) and not spread.any():
        return pm.Deterministic(name, mean)
    if centred:
        return pm.Normal(name, mean, spread, shape=size)
    return pm.Deterministic(name, mean + spread * pm.Normal(f"{name}_z", shape=size))
