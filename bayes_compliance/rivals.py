"""Rival theories on the same machinery: each state gets one pseudo-lobby, judged by the model itself.

A rival has the case's states, rules, decisions and outcomes, and nothing of its lobbies. Its scale is its own: the
decision noise is 1 and thresholds are 0, so a pull of m is a probability of Phi(m). The priors that it states are
judgements like any other and are listed with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Judgement, Lobby

Quantiles = tuple[float, float, float]

NOISE = (1.0, 1.0, 1.0)
PULL = (-1.6448536, 0.0, 1.6448536)
"""Standard normal: with noise 1 the prior probability of a decision is uniform between 0 and 1."""

PARTIAL_WIDTH = (1 / 3, 2 / 3, 4 / 3)
"""The default of every model, .2/.4/.8 at a noise of .6, in units of the noise."""

NONE = (0.0, 0.0, 0.0)
UNIT_FREE = ("shock_hazard", "shock_scale")
"""Judgements of the case that hold on any scale: rates per year, and yearly standard deviations."""


def one_pull_per_state(case: Case, name: str, what: str, stated: Mapping[str, Quantiles], why: str) -> Case:
    """The case with one pseudo-lobby for each state on all its rules, and the model's own priors.

    Parameters
    ----------
    case : Case
    name : str
        The model's name; its judgements are by the analyst ``model NAME``.
    what : str
        What the pseudo-lobby is, such as ``national interest``.
    stated : dict of str to (p05, p50, p95)
        Priors of `volatility` and `rule_spread_points`, in units of the noise.
    why : str
        The rationale of the priors.

    Returns
    -------
    Case
        Without depth rows, counterparties, proxies, sets of counterparties and scenarios: nothing in a rival reads
        them.
    """
    lobbies = tuple(_lobby(what, state.id) for state in case.states)
    judgements = [j for j in case.judgements if j.quantity in UNIT_FREE]
    judgements += [judgement(case, name, why, q, quantiles) for q, quantiles in _state_priors(case, stated).items()]
    for lobby in lobbies:
        for quantity, quantiles in (("magnitude", PULL), ("volatility", stated["volatility"])):
            judgements.append(judgement(case, name, why, quantity, quantiles, lobby))
    return case.restated(
        lobbies=lobbies,
        judgements=tuple(judgements),
        states=tuple(s.model_copy(update=ALONE) for s in case.states),
        rules=tuple(rule.model_copy(update={"depth": False}) for rule in case.rules),
        proxies=(), counterparty_sets=(), scenarios=(),
    )  # fmt: skip


ALONE = {"counterparties": None, "counterparty_weights": (), "threshold": 0.0}


def _state_priors(case: Case, stated: Mapping[str, Quantiles]) -> dict[str, Quantiles]:
    found = {
        "decision_noise": NOISE,
        "rule_spread_points": stated["rule_spread_points"],
        "shadow": NONE,
    }
    return found | ({"partial_width": PARTIAL_WIDTH} if case.outcomes == 3 else {})


def _lobby(what: str, state: str) -> Lobby:
    from bayes_compliance.case import Lobby, StageWeights

    always = StageWeights(status_quo=1.0, adherence=1.0, compliance=1.0)
    return Lobby(id=f"{what} of {state}", state=state, role="other", scale="linear", stage_weights=always)


def by_model(name: str) -> str:
    """The analyst of what a model itself judges."""
    return f"model {name}"


def judgement(
    case: Case, name: str, why: str, quantity: str, quantiles: Quantiles, lobby: Lobby | None = None
) -> Judgement:
    """What a model itself judges of a quantity, of a lobby or of every state; by the analyst ``model NAME``."""
    from bayes_compliance.case import Judgement

    low, mid, high = quantiles
    return Judgement(
        analyst=by_model(name), date=case.reference_date, date_end=case.reference_date,
        state=lobby.state if lobby else "", lobby=lobby.id if lobby else "",
        quantity=quantity, p05=low, p50=mid, p95=high, rationale=why,
    )  # fmt: skip
