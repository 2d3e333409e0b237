"""What stands where nothing is judged, in units of K_ref or as it is: 5%, 50% and 95% quantiles."""

from __future__ import annotations

from typing import NamedTuple


class Default(NamedTuple):
    """Quantiles of a default, whether they are multiples of K_ref, and the upper end if it has one.

    Exponents have an upper end: with any tail of omega or of volatility beyond that of a normal, the mean of a
    magnitude exp(omega z) is infinite.
    """

    p05: float
    p50: float
    p95: float
    in_k_ref: bool = False
    high: float | None = None


def _known(value: float, in_k_ref: bool = False) -> Default:
    return Default(value, value, value, in_k_ref)


STATE_DEFAULTS: dict[str, Default] = {
    "decision_noise": _known(0.6, in_k_ref=True),
    "rule_spread": Default(0.2, 0.45, 1.0, high=1.5),
    "rule_spread_points": _known(0.15, in_k_ref=True),
    "partial_width": Default(0.2, 0.4, 0.8, in_k_ref=True),
    "shadow": Default(0.5, 0.75, 0.92),
    "trust": Default(1.0, 3.0, 10.0),
    "shock_hazard": _known(0.03),
    "shock_scale": _known(4.0),
}
VOLATILITY = Default(0.03, 0.08, 0.22, high=0.5)
STEP = Default(0.04, 0.10, 0.27, in_k_ref=True)


def lobby_default(quantity: str, role: str, linear: bool) -> Default | None:
    """Default of a lobby's quantity: volatility for all (in K_ref where it moves linearly), steps for P and G."""
    if quantity == "volatility":
        return VOLATILITY._replace(in_k_ref=True, high=None) if linear else VOLATILITY
    if quantity == "step" and role in ("P", "G"):
        return STEP
    return None
