"""From a case's judgements to its priors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayes_compliance.case.problems import CaseError, Problem
from bayes_compliance.case.vocabulary import QUANTITIES, SOME_MODELS_ONLY
from bayes_compliance.elicitation.defaults import STATE_DEFAULTS, Default, lobby_default
from bayes_compliance.elicitation.families import Component, fit
from bayes_compliance.elicitation.priors import Prior, pool

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Judgement, Lobby

TOLERANCE = 0.05
"""Largest gap between a stated and an achieved quantile, as a share of p95 - p05, that passes without a remark."""


class Fitted(NamedTuple):
    """A judgement and the distribution it became: the component, or the constant, and its achieved quantiles."""

    judgement: Judgement
    member: Component | float
    achieved: tuple[float, float, float]

    @property
    def gap(self) -> float:
        """Largest gap between stated and achieved quantiles, as a share of p95 - p05; 0 for a constant."""
        j = self.judgement
        width = j.p95 - j.p05
        return max(abs(a - s) for a, s in zip(self.achieved, (j.p05, j.p50, j.p95), strict=True)) / (width or 1.0)


class DefaultUsed(NamedTuple):
    """A default in force: the quantity, the lobby or state it stands for, its quantiles, and K_ref where it scales."""

    quantity: str
    name: str
    quantiles: tuple[float, float, float]
    k_ref: float | None


class Quantity(NamedTuple):
    """The priors of one quantity along its dim (`lobby` or `state`); None where it does not apply."""

    dim: str
    priors: tuple[Prior | None, ...]


@dataclass(frozen=True)
class Priors:
    """All priors of a case.

    Attributes
    ----------
    quantities : dict of str to Quantity
    fitted : tuple of Fitted
        Every judgement with its achieved quantiles.
    defaults : tuple of DefaultUsed
    k_ref : dict of str to float
        By state: the sum of the K medians of its first rule that has any K, in points.
    """

    quantities: dict[str, Quantity]
    fitted: tuple[Fitted, ...]
    defaults: tuple[DefaultUsed, ...]
    k_ref: dict[str, float]

    def for_model(self, uses: Sequence[str]) -> Priors:
        """These priors without the quantities that only some models read, other than those that this one uses."""
        quantities = {
            name: quantity._replace(priors=(None,) * len(quantity.priors))
            if name in SOME_MODELS_ONLY and name not in uses
            else quantity
            for name, quantity in self.quantities.items()
        }
        return replace(self, quantities=quantities)

    def bent(self) -> list[Fitted]:
        """Judgements whose family does not meet them within the tolerance."""
        return [item for item in self.fitted if item.gap > TOLERANCE]


def build_priors(case: Case, noise_scale: float = 1.0) -> Priors:
    """Priors of a case from its judgements, and defaults where nothing is judged.

    Several analysts of one quantity are pooled linearly by their weights. A row that names a state wins over one that
    names none.

    Parameters
    ----------
    case : Case
    noise_scale : float > 0
        Multiplies the decision noise of every state, for sensitivity.

    Raises
    ------
    CaseError
        If a constant is judged otherwise by another analyst, or a default is needed for a state without any K.
    """
    return _Builder(case, noise_scale).build()


def fit_judgement(case: Case, judgement: Judgement) -> Fitted:
    """Fit one judgement by its family, by default that of the quantity's support."""
    stated = (judgement.p05, judgement.p50, judgement.p95)
    if judgement.p05 == judgement.p95:
        return Fitted(judgement, judgement.p50, stated)
    component = fit(judgement.family or default_family(case, judgement), stated)
    low, mid, high = component.quantiles()
    return Fitted(judgement, component, (float(low), float(mid), float(high)))


def default_family(case: Case, judgement: Judgement) -> str:
    """Normal for the whole line, lognormal above 0, beta between 0 and 1."""
    if judgement.quantity == "magnitude":
        return "normal" if case.is_linear(case.lobby(judgement.lobby)) else "lognormal"
    support = QUANTITIES[judgement.quantity].support
    if support.high == 1:
        return "beta"
    return "lognormal" if support.low == 0 else "normal"


class _Builder:
    def __init__(self, case: Case, noise_scale: float) -> None:
        self.case, self.noise_scale = case, noise_scale
        self.fitted = tuple(fit_judgement(case, judgement) for judgement in case.judgements)
        self.by_key: dict[tuple[str, str, str], list[Fitted]] = defaultdict(list)
        for item in self.fitted:
            j = item.judgement
            self.by_key[j.quantity, j.lobby, "" if j.lobby else j.state].append(item)
        self.defaults: list[DefaultUsed] = []
        self.k_ref: dict[str, float] = {}

    def build(self) -> Priors:
        magnitude = tuple(self._judged("magnitude", lobby.id, "") for lobby in self.case.lobbies)
        self._find_k_ref(dict(zip([lobby.id for lobby in self.case.lobbies], magnitude, strict=True)))
        quantities = {"magnitude": Quantity("lobby", magnitude)}
        for name, quantity in QUANTITIES.items():
            if name == "magnitude":
                continue
            if quantity.roles:
                quantities[name] = Quantity("lobby", tuple(self._of_lobby(name, lobby) for lobby in self.case.lobbies))
            else:
                quantities[name] = Quantity("state", tuple(self._of_state(name, s.id) for s in self.case.states))
        return Priors(quantities, self.fitted, tuple(sorted(self.defaults)), self.k_ref)

    def _find_k_ref(self, magnitudes: dict[str, Prior | None]) -> None:
        for state in self.case.states:
            for rule in state.rules:
                members = [magnitudes[b.id] for b in self.case.lobbies_on(state.id, rule) if b.role == "K"]
                medians = [abs(prior.median) for prior in members if prior is not None]
                if sum(medians) > 0:
                    self.k_ref[state.id] = float(sum(medians))
                    break

    def _judged(self, quantity: str, lobby: str, state: str) -> Prior | None:
        items = self.by_key.get((quantity, lobby, state)) or ([] if lobby else self.by_key.get((quantity, "", ""), []))
        if not items:
            return None

        def refuse(what: str) -> CaseError:
            j = items[0].judgement
            allowed = "the same constant from every analyst, or quantiles that differ from every analyst"
            return CaseError(
                [Problem("judgements.csv", j.row, "p05", f"{quantity} of {lobby or state}: {what}", allowed)]
            )

        return pool([(item.member, item.judgement.weight) for item in items], refuse)

    def _of_lobby(self, name: str, lobby: Lobby) -> Prior | None:
        default = lobby_default(name, lobby.role, self.case.is_linear(lobby))
        return self._judged(name, lobby.id, "") or self._default(name, lobby.id, lobby.state, default)

    def _of_state(self, name: str, state: str) -> Prior | None:
        if name == "shadow" and self._judged("discount", "", state):
            return None
        if name == "partial_width" and self.case.outcomes == 2:
            return None
        prior = self._judged(name, "", state) or self._default(name, state, state, STATE_DEFAULTS.get(name))
        return self._scaled(prior) if name == "decision_noise" and prior else prior

    def _scaled(self, prior: Prior) -> Prior:
        if self.noise_scale == 1.0:
            return prior
        if prior.is_constant:
            return Prior(value=prior.value * self.noise_scale)
        scaled = [fit("lognormal", tuple(np.asarray(c.quantiles()) * self.noise_scale)) for c in prior.components]
        return Prior(tuple(scaled), prior.weights)

    def _default(self, name: str, key: str, state: str, default: Default | None) -> Prior | None:
        if default is None:
            return None
        k_ref = self._k_ref(name, state) if default.in_k_ref else None
        low, mid, high = (value * (k_ref or 1.0) for value in default[:3])
        self.defaults.append(DefaultUsed(name, key, (low, mid, high), k_ref))
        if low == high:
            return Prior(value=float(mid))
        return Prior((fit("beta" if QUANTITIES[name].support.high == 1 else "lognormal", (low, mid, high)),), (1.0,))

    def _k_ref(self, name: str, state: str) -> float:
        if state not in self.k_ref:
            what = f"state {state!r} has no K on any of its rules, so the default of {name} has no unit"
            raise CaseError([Problem("case.toml", 1, "lobbies", what, "a lobby of role K, or a judged value")])
        return self.k_ref[state]
