"""Judgements to priors: families fitted to quantiles, analysts pooled, defaults listed, stated beside achieved."""

from bayes_compliance.case.vocabulary import LEVELS
from bayes_compliance.elicitation.build import (
    TOLERANCE,
    DefaultUsed,
    Fitted,
    Member,
    Priors,
    Quantity,
    build_priors,
    default_family,
    fit_judgement,
    unit_of,
)
from bayes_compliance.elicitation.curves import Curves, curves
from bayes_compliance.elicitation.families import Component, fit
from bayes_compliance.elicitation.pooling import POOLS, check_pool, log_pool
from bayes_compliance.elicitation.priors import Prior, pool

__all__ = [
    "LEVELS", "POOLS", "TOLERANCE", "Component", "Curves", "DefaultUsed", "Fitted", "Member", "Prior", "Priors",
    "Quantity", "build_priors", "check_pool", "curves", "default_family", "fit", "fit_judgement", "log_pool", "pool",
    "unit_of",
]  # fmt: skip
