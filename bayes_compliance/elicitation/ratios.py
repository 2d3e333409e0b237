"""A magnitude judged as a multiple of another lobby's."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, hypot, log
from typing import TYPE_CHECKING

from bayes_compliance.elicitation.families import Component, fit

if TYPE_CHECKING:
    from bayes_compliance.elicitation.build import Fitted


def times(ratio: Component | float, of: Component | float) -> Component | float:
    """The product of two independent quantities above 0, lognormal or constant.

    Medians multiply, and variances of the logs add. A gamma is first taken for the lognormal nearest to its 5%, 50%
    and 95% quantiles.
    """
    (mu, sigma), (other_mu, other_sigma) = _on_log_scale(ratio), _on_log_scale(of)
    spread = hypot(sigma, other_sigma)
    return Component("lognormal", (mu + other_mu, spread)) if spread else exp(mu + other_mu)


def _on_log_scale(member: Component | float) -> tuple[float, float]:
    if not isinstance(member, Component):
        return log(member), 0.0
    if member.family != "lognormal":
        low, mid, high = map(float, member.quantiles())
        member = fit("lognormal", (low, mid, high))
    mu, sigma = member.parameters
    return mu, sigma


def ratio_note(item: Fitted, of: Sequence[Fitted]) -> str:
    """What becomes of a ratio, and what is lost, in words."""
    j = item.judgement
    others = [other.judgement.analyst for other in of if other.judgement.analyst != j.analyst]
    whose = f" as {' and '.join(sorted(set(others)))} judged it" if others else ""
    return (
        f"magnitude of {j.lobby}: {j.analyst} judges it as a multiple of {j.of}{whose}; each has a prior of its own, "
        "and that they would rise and fall together is lost"
    )
