"""A rival: compliance as capacity. No interests; states keep the rules that they can keep.

The managerial school holds that states mean to comply with what they join, and that lapses come from unclear rules
and a lack of means. Each state has a capacity for each rule, which does not move between t1 and t2:

    S[state, rule] = C[state] + omega z[state, rule],   p = Phi(S)

C is the state's capacity at large, z ~ N(0, 1) what is peculiar to the rule, omega the spread between rules. A treaty
joined whole meets the mean capacity over its rules. No step, no conduct abroad, no depth, no drift.

Priors, in units of the noise: C ~ N(0, 1), so that the prior probability of a decision under an average rule is
uniform; omega lognormal with 5%, 50% and 95% quantiles .25, .7, 2. Partial outcomes as for `coalition`.
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
STATED = {"volatility": rivals.NONE, "rule_spread_points": (0.25, 0.7, 2.0)}
WHY = "a constant capacity to comply for each state and rule, in units of the decision noise"


def recast(case: Case) -> Case:
    """The case with one capacity for each state and rule, in place of its lobbies."""
    return rivals.one_pull_per_state(case, "managerial", "capacity", STATED, WHY)
