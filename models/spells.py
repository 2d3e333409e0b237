"""The article's theory with spells: what holds a rule up, or down, for a while and is no lobby.

In `coalition` a decision goes by net support and by noise of its own, independent from one decision to the next, while
lobbies drift for decades. Between the two lies what lasts for some years and passes: a quarrel under way, a recession,
a habit of half measures, an official who stays. Each state has on each rule that it owes a disturbance u

    S[state, rule] = SC + u[state, rule](t),   u Ornstein-Uhlenbeck about 0, half-life 2 years, 0 at the reference date

that enters decisions to comply and neither the status quo nor adherence. Its standard deviation in the long run is
judged as any volatility is: for each state and rule a lognormal one with 5%, 50% and 95% quantiles .12, .36, 1.1 K_ref
(volatility .1, .3, .9 K_ref per sqrt(year)), the median as a part of the decision noise of .6 K_ref. All else is as in
`coalition`, and with volatilities of 0 it is `coalition` exactly.

The reason for it is in the back-tests: `coalition` is beaten by those who say that the last outcome comes again
(`case_studies/nafta/README.md`, `case_studies/stability_pact/README.md`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_compliance import rivals
from bayes_compliance.models import load

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Lobby

coalition = load("coalition")
support, parts, build = coalition.support, coalition.parts, coalition.build

OBSERVED_BY_SUPPORT = True
HALF_LIFE = 2.0
"""Years."""
VOLATILITY = (0.1, 0.3, 0.9)
"""Of u, in K_ref per sqrt(year): 5%, 50%, 95%."""
WHY = "what lasts for a while and passes"


def recast(case: Case) -> Case:
    """The case with one pseudo-lobby of magnitude 0 for each state and rule, which moves and comes back.

    A case that has them stays as it is.

    Raises
    ------
    CaseError
        If a state with rules has no K, and so no K_ref.
    """
    from bayes_compliance.elicitation import build_priors, unit_of

    if any(j.analyst == rivals.by_model("spells") for j in case.judgements):
        return case
    k_ref = build_priors(case).k_ref
    lobbies, judgements = [], []
    for state in case.states:
        for rule in state.rules:
            lobby = _lobby(state.id, rule)
            unit = unit_of(k_ref, state.id, "the volatility of spells", "another model")
            low, mid, high = (unit * q for q in VOLATILITY)
            scaled = low, mid, high
            lobbies.append(lobby)
            judgements.append(rivals.judgement(case, "spells", WHY, "magnitude", rivals.NONE, lobby))
            judgements.append(rivals.judgement(case, "spells", WHY, "volatility", scaled, lobby))
    return case.restated(lobbies=(*case.lobbies, *lobbies), judgements=(*case.judgements, *judgements))


def _lobby(state: str, rule: str) -> Lobby:
    from bayes_compliance.case import Lobby, StageWeights

    return Lobby(
        id=f"spell of {rule} in {state}", state=state, role="other", scale="linear", rules=(rule,),
        stage_weights=StageWeights(status_quo=0.0, adherence=0.0, compliance=1.0), mean_reversion_half_life=HALF_LIFE,
    )  # fmt: skip
