"""The words and quantities of a case folder: what each may be, and where each may stand."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Scale = Literal["log", "linear"]
Role = Literal["J", "K", "L", "P", "G", "other"]
Stage = Literal["status_quo", "adherence", "compliance"]
Outcome = Literal["adhere", "not_adhere", "comply", "comply_late", "partial", "violate", "pending"]
Confidence = Literal["certain", "high", "medium", "low"]
ProxyKind = Literal["stake", "membership", "survey", "spending", "vote_share"]
Family = Literal["normal", "lognormal", "gamma", "beta", "student-t", "skew-normal", "logit-normal"]

SeedScale = Literal["uniform", "log"]

CONFIDENCES: tuple[str, ...] = get_args(Confidence)
PROXY_KINDS: tuple[str, ...] = get_args(ProxyKind)
AMOUNTS: tuple[ProxyKind, ...] = ("stake", "membership", "spending")
"""Kinds of proxies that count money or heads, and are never below 0."""
SEED_SCALES: tuple[str, ...] = get_args(SeedScale)

OUTCOMES: dict[str, tuple[str, ...]] = {
    "status_quo": ("comply", "violate", "pending"),
    "adherence": ("adhere", "not_adhere", "pending"),
    "compliance": ("comply", "comply_late", "partial", "violate", "pending"),
}
"""Decisions that each kind of row may have."""

ALL = "all"
"""All counterparties together, beside the sets that a case declares; no set may be called so."""

ANY_RULE = "*"
"""Stands for all rules of a state in an adherence row, and for a new one in a forecast; no id may be this."""

PER_YEAR = (0.01, 365.0)
"""Decisions that may fall due in a year under a rule: one in a century, up to one a day, so that each has its own."""

LEVELS = (0.05, 0.5, 0.95)
"""Levels of the quantiles that are judged, and of those that are told of what came of it."""

INFINITY = float("inf")


class Support(NamedTuple):
    """An interval; `closed_low` and `closed_high` say whether a *known constant* may lie on its ends."""

    low: float
    high: float
    closed_low: bool = False
    closed_high: bool = False

    def holds(self, value: float, constant: bool) -> bool:
        """Whether a value lies inside, or on an end where a constant may."""
        on_end = constant and ((self.closed_low and value == self.low) or (self.closed_high and value == self.high))
        return self.low < value < self.high or on_end

    def within(self, other: Support) -> bool:
        """Whether this interval leaves the other nowhere."""
        return self.low >= other.low and self.high <= other.high

    @property
    def scale(self) -> str:
        """Where a quantity spreads evenly: in logits between 0 and 1, in logs above 0, else as it is."""
        return "logit" if self.high == 1 else "log" if self.low == 0 else "linear"

    def words(self) -> str:
        """The interval in words, such as `above 0 and below 1, or 0 as a known constant (three equal quantiles)`."""
        bounds = [f"above {self.low:g}" if self.low > -INFINITY else "", f"below {self.high:g}"]
        inside = " and ".join(filter(None, bounds[: 1 if self.high == INFINITY else 2])) or "any number"
        ends = [f"{self.low:g}"] * self.closed_low + [f"{self.high:g}"] * self.closed_high
        return inside + (f", or {' or '.join(ends)} as a known constant (three equal quantiles)" if ends else "")


REAL = Support(-INFINITY, INFINITY)
POSITIVE = Support(0, INFINITY)
FROM_ZERO = Support(0, INFINITY, closed_low=True)
SHARE = Support(0, 1, closed_low=True, closed_high=True)
HAZARD = Support(0, 1, closed_low=True)


class Quantity(NamedTuple):
    """What may be judged: its support, and the roles of the lobbies it is about (empty: it is about a state)."""

    support: Support
    roles: tuple[str, ...] = ()


QUANTITIES: dict[str, Quantity] = {
    "magnitude": Quantity(REAL, get_args(Role)),
    "step": Quantity(POSITIVE, ("P", "G")),
    "volatility": Quantity(FROM_ZERO, get_args(Role)),
    "entrenchment": Quantity(FROM_ZERO, ("J", "K", "L")),
    "specificity": Quantity(SHARE, ("L",)),
    "dilution": Quantity(SHARE, ("L",)),
    "monitoring": Quantity(SHARE, get_args(Role)),
    "decision_noise": Quantity(POSITIVE),
    "rule_spread": Quantity(FROM_ZERO),
    "rule_spread_points": Quantity(FROM_ZERO),
    "shadow": Quantity(SHARE),
    "discount": Quantity(SHARE),
    "detection_lag": Quantity(FROM_ZERO),
    "punishment_periods": Quantity(POSITIVE),
    "end_hazard": Quantity(HAZARD),
    "detection": Quantity(SHARE),
    "sincerity": Quantity(SHARE),
    "reciprocity": Quantity(SHARE),
    "trust": Quantity(POSITIVE),
    "partial_width": Quantity(POSITIVE),
    "shock_hazard": Quantity(FROM_ZERO),
    "shock_scale": Quantity(FROM_ZERO),
}
"""Quantities by name. The magnitude of a lobby on the log scale must be above 0."""

STATEMENTS: dict[str, Quantity] = {
    "ratio": Quantity(POSITIVE, ("J", "K", "L", "other")),
    "p_adhere": Quantity(SHARE),
    "p_comply": Quantity(SHARE),
}
"""What may be judged and is no latent variable: a magnitude as a multiple of another lobby's, and what decisions the
priors should imply (`check` says where they do not)."""

IMPLIED: tuple[str, ...] = ("p_adhere", "p_comply")
"""Judgements of decisions: of a state, a rule and a date."""

JUDGEABLE = QUANTITIES | STATEMENTS

WITH_DISCOUNT = ("detection_lag", "punishment_periods", "end_hazard")
"""Quantities that say nothing without a discount factor."""

FAMILIES: dict[str, Support] = {
    "normal": REAL,
    "lognormal": POSITIVE,
    "gamma": POSITIVE,
    "beta": Support(0, 1),
    "student-t": REAL,
    "skew-normal": REAL,
    "logit-normal": Support(0, 1),
}
"""Where each family of distributions has its mass."""

SOME_MODELS_ONLY: tuple[str, ...] = ("detection", "monitoring", "sincerity")
"""Quantities that only the models that name them in `USES` read."""

WORDS = ("rationale", "source", "note", "url", "row")
"""Columns of a table's row, and its place in the file, on which no number depends."""
