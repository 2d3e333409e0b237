"""A rival: the state as one actor with one national interest, and no lobbies.

The article sets the coalitions against theories in which "the state" complies as its interest bids. Here each state
has one latent interest on one scale, in units of the decision noise, that moves over time and bears alike on every
decision: each rule, each stage, whoever the counterparty is.

    S(t) = I(t),   I(t) = I0 + v W(t),   p(t) = Phi(I(t))

with W a Brownian motion or an Ornstein-Uhlenbeck process that is 0 on the reference date. No step between adherence
and compliance, no conduct abroad, no depth.

Priors, in units of the noise: I0 ~ N(0, 1), so that the prior probability of a decision is uniform; v lognormal with
5%, 50% and 95% quantiles .05, .15, .45 per sqrt(year): at .15 an interest at 0 gives after ten years, with 90%
probability, a chance of compliance between .22 and .78. Partial outcomes as for `coalition`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_compliance import rivals
from bayes_compliance.models import load

if TYPE_CHECKING:
    from bayes_compliance.case import Case

coalition = load("coalition")
support, parts, build = coalition.support, coalition.parts, coalition.build

TARGET_ACCEPT = 0.99
STATED = {"volatility": (0.05, 0.15, 0.45), "rule_spread_points": rivals.NONE}
WHY = "one national interest for all rules of the state, in units of the decision noise"


def recast(case: Case) -> Case:
    """The case with one national interest for each state, in place of its lobbies."""
    return rivals.one_pull_per_state(case, "unitary", "national interest", STATED, WHY)
