"""Judgements to priors: families fitted to quantiles, analysts pooled, defaults listed, stated beside achieved."""

from bayes_compliance.elicitation.build import (
    TOLERANCE,
    DefaultUsed,
    Fitted,
    Priors,
    Quantity,
    build_priors,
    default_family,
    fit_judgement,
)
from bayes_compliance.elicitation.families import LEVELS, Component, fit
from bayes_compliance.elicitation.priors import Prior, pool

__all__ = [
    "LEVELS", "TOLERANCE", "Component", "DefaultUsed", "Fitted", "Prior", "Priors", "Quantity", "build_priors",
    "default_family", "fit", "fit_judgement", "pool",
]  # fmt: skip
