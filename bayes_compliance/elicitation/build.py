"""From a case's judgements to its priors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from bayes_compliance.case.problems import CaseError, Problem, one_of
from bayes_compliance.case.records import HEADERS
from bayes_compliance.case.vocabulary import JUDGEABLE, QUANTITIES, SOME_MODELS_ONLY
from bayes_compliance.elicitation.defaults import STATE_DEFAULTS, Default, lobby_default
from bayes_compliance.elicitation.families import Component, fit, fit_below
from bayes_compliance.elicitation.pooling import check_pool, log_pool
from bayes_compliance.elicitation.priors import Prior, pool
from bayes_compliance.elicitation.ratios import ratio_note, times
from bayes_compliance.errors import Refused
from bayes_compliance.wording import listed

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Judgement, Lobby
    from bayes_compliance.elicitation.cooke import Classical

TOLERANCE = 0.05
"""Largest gap between a stated and an achieved quantile, as a share of p95 - p05, that passes without a remark."""


class Fitted(NamedTuple):
    """A judgement and the distribution it became: the component, or the constant, and its 5%, 50% and 95% quantiles."""

    judgement: Judgement
    member: Component | float
    achieved: tuple[float, float, float]

    @property
    def reached(self) -> tuple[float, ...]:
        """Quantiles achieved at the levels that were stated."""
        levels, values = zip(*self.judgement.stated, strict=True)
        return tuple(map(float, self.member.quantiles(levels))) if isinstance(self.member, Component) else values

    @property
    def gap(self) -> float:
        """Largest gap between stated and achieved quantiles, as a share of the width of those stated; 0 if constant."""
        values = [value for _, value in self.judgement.stated]
        width = values[-1] - values[0]
        return max(abs(a - s) for a, s in zip(self.reached, values, strict=True)) / (width or 1.0)


class DefaultUsed(NamedTuple):
    """A default in force: the quantity, the lobby or state it stands for, its quantiles, K_ref where it scales, and
    the upper end where it has one."""

    quantity: str
    name: str
    quantiles: tuple[float, float, float]
    k_ref: float | None
    high: float | None = None


class Member(NamedTuple):
    """What an analyst adds to a pool: a distribution or a constant (of a magnitude, if a ratio), and its weight."""

    analyst: str
    value: Component | float
    weight: float


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
    pool : str
        How several analysts of one quantity were pooled.
    performance : Classical or None
        Analysts' scores on seed questions, where these gave the weights.
    notes : tuple of str
        What was taken otherwise than it was judged: weights, ratios, a pool that is approximated.
    members : dict of (quantity, lobby or state) to tuple of Member
        What was pooled, where something was judged.
    """

    quantities: dict[str, Quantity]
    fitted: tuple[Fitted, ...]
    defaults: tuple[DefaultUsed, ...]
    k_ref: dict[str, float]
    pool: str = "linear"
    performance: Classical | None = None
    notes: tuple[str, ...] = ()
    members: dict[tuple[str, str], tuple[Member, ...]] = field(default_factory=dict)

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


def build_priors(case: Case, noise_scale: float = 1.0, pool: str = "linear") -> Priors:
    """Priors of a case from its judgements, and defaults where nothing is judged.

    A row that names a state wins over one that names none. A ratio makes a magnitude: the product of the ratio and of
    the other lobby's magnitude, by the same analyst if there is one. Judged decisions (p_adhere, p_comply) make no
    prior.

    Parameters
    ----------
    case : Case
    noise_scale : float > 0
        Multiplies the decision noise of every state, for sensitivity.
    pool : str
        How several analysts of one quantity are pooled: ``linear`` or ``log`` by their weights, ``cooke`` linearly by
        how they did on the seed questions (`bayes_compliance.elicitation.pooling`).

    Raises
    ------
    CaseError
        If a constant is judged otherwise by another analyst, a default is needed for a state without any K, or an
        analyst has answered no seed question and pool is ``cooke``.
    Refused
        If there is no such pool.
    """
    return _Builder(case, noise_scale, pool).build()


def unit_of(k_ref: Mapping[str, float], state: str, what: str, instead: str = "a judged value") -> float:
    """K_ref of a state, in points, for something that is stated in it.

    Raises
    ------
    CaseError
        If the state has no K of a median other than 0 on any of its rules; `instead` is what would do without one.
    """
    if state not in k_ref:
        why = f"state {state!r} has no K of a median other than 0 on any of its rules, so {what} has no unit"
        raise CaseError([Problem("case.toml", 1, "lobbies", why, f"a lobby of role K, or {instead}")])
    return k_ref[state]


def fit_judgement(case: Case, judgement: Judgement) -> Fitted:
    """Fit one judgement by its family, by default that of the quantity's support."""
    if judgement.is_constant:
        return Fitted(judgement, judgement.p50, (judgement.p05, judgement.p50, judgement.p95))
    levels, values = zip(*judgement.stated, strict=True)
    component = fit(judgement.family or default_family(case, judgement), values, levels)
    low, mid, high = component.quantiles()
    return Fitted(judgement, component, (float(low), float(mid), float(high)))


def default_family(case: Case, judgement: Judgement) -> str:
    """Normal for the whole line, lognormal above 0, beta between 0 and 1."""
    if judgement.quantity == "magnitude":
        return "normal" if case.is_linear(case.lobby(judgement.lobby)) else "lognormal"
    return {"linear": "normal", "log": "lognormal", "logit": "beta"}[JUDGEABLE[judgement.quantity].support.scale]


def performance(case: Case, groups: Iterable[Sequence[Fitted]]) -> Classical:
    """Analysts' scores on the seed questions; all who share a quantity with another need some.

    Raises
    ------
    Refused
    """
    from bayes_compliance.elicitation.cooke import assess

    known = {seed.analyst for seed in case.seeds}
    missing = {item.judgement.analyst for items in groups if len(items) > 1 for item in items} - known
    if not known and "seeds.csv" not in case.inputs:
        of = listed(sorted(missing)) or "every analyst"
        raise Refused(
            "--pool: cooke weighs analysts by seeds.csv, and the case has no such file; allowed: one with the header "
            f"{','.join(HEADERS['seeds.csv'])} and answers of {of}, or pool linear or log"
        )
    if missing or not known:
        who = f"analyst {sorted(missing)[0]!r} answers" if missing else "there is"
        allowed = f"answers of {one_of(sorted(missing))}" if missing else "seeds.csv with answers of every analyst"
        what = f"{who} no seed question, which pool cooke weighs by"
        raise CaseError([Problem("seeds.csv", 1, "analyst", what, f"{allowed}, or pool linear or log")])
    return assess(case.seeds)


def _multiple(component: Component, by: float) -> Component:
    """What a multiple of a quantity above 0 has for its distribution.

    A multiple of a lognormal is lognormal, and of a gamma a gamma. Of a beta or a logit-normal it is of no family: then
    that of the lognormal nearest to its quantiles.
    """
    if component.family == "gamma":
        shape, scale = component.parameters
        return Component("gamma", (shape, scale * by))
    found = times(by, component)
    assert isinstance(found, Component)
    return found


class _Builder:
    def __init__(self, case: Case, noise_scale: float, pool: str) -> None:
        check_pool(pool)
        self.case, self.noise_scale, self.pool = case, noise_scale, pool
        self.notes: list[str] = []
        self.members: dict[tuple[str, str], tuple[Member, ...]] = {}
        self.fitted = tuple(fit_judgement(case, judgement) for judgement in case.judgements)
        self.by_key: dict[tuple[str, str, str], list[Fitted]] = defaultdict(list)
        for item in self.fitted:
            self.by_key[item.judgement.key].append(item)
        self.performance = performance(case, self.by_key.values()) if pool == "cooke" else None
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
        return Priors(
            quantities, self.fitted, tuple(sorted(self.defaults)), self.k_ref, self.pool, self.performance,
            tuple(sorted(set(self.notes))), self.members,
        )  # fmt: skip

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

        members = [one for item in items for one in self._members(item, self._weight(item))]
        members = [one for one in members if one.weight > 0] or self._all_alike(items)
        self.members[quantity, lobby or state] = tuple(members)
        pairs = [(one.value, one.weight) for one in members]
        if self.pool == "log":
            self._note_if_approximate(quantity, lobby or state, pairs)
        return pool(pairs, refuse, self.pool)

    def _weight(self, item: Fitted) -> float:
        if self.performance is None:
            return item.judgement.weight
        return self.performance.weights.get(item.judgement.analyst, 1.0)

    def _all_alike(self, items: list[Fitted]) -> list[Member]:
        j = items[0].judgement
        self.notes.append(f"{j.quantity} of {j.lobby or j.state or 'all states'}: no analyst has weight; all alike")
        return [one for item in items for one in self._members(item, 1.0)]

    def _members(self, item: Fitted, weight: float) -> list[Member]:
        """What an analyst adds to a pool: the fitted judgement, or a ratio times what it is of."""
        if item.judgement.quantity != "ratio":
            return [Member(item.judgement.analyst, item.member, weight)]
        of = self.by_key["magnitude", item.judgement.of, ""]
        of = [other for other in of if other.judgement.quantity == "magnitude"]
        own = [other for other in of if other.judgement.analyst == item.judgement.analyst] or of
        if not own:
            j = item.judgement
            what = f"a ratio of lobby {j.of!r}, of which no magnitude is judged"
            raise CaseError([Problem("judgements.csv", j.row, "values", what, "a judged magnitude of that lobby")])
        self.notes.append(ratio_note(item, own))
        shares = [self._weight(other) for other in own]
        shares = shares if sum(shares) > 0 else [1.0] * len(own)
        return [
            Member(item.judgement.analyst, times(item.member, other.member), weight * share / sum(shares))
            for other, share in zip(own, shares, strict=True)
        ]

    def _note_if_approximate(self, quantity: str, name: str, members: list[tuple[Component | float, float]]) -> None:
        fitted = [(member, weight) for member, weight in members if isinstance(member, Component)]
        if len(fitted) == len(members):
            gap = log_pool(*zip(*fitted, strict=True)).gap
            if gap > 0:
                self.notes.append(
                    f"{quantity} of {name}: no closed form of the logarithmic pool; normals stand for it, and its "
                    f"distribution function is off by at most {ceil(gap * 1000) / 1000:.3f}"
                )

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
        return Prior(tuple(_multiple(component, self.noise_scale) for component in prior.components), prior.weights)

    def _default(self, name: str, key: str, state: str, default: Default | None) -> Prior | None:
        if default is None:
            return None
        k_ref = unit_of(self.k_ref, state, f"the default of {name}") if default.in_k_ref else None
        low, mid, high = (value * (k_ref or 1.0) for value in default[:3])
        self.defaults.append(DefaultUsed(name, key, (low, mid, high), k_ref, default.high))
        if low == high:
            return Prior(value=float(mid))
        if default.high is not None:
            return Prior((fit_below(default.high, (low, mid, high)),), (1.0,))
        return Prior((fit("beta" if QUANTITIES[name].support.high == 1 else "lognormal", (low, mid, high)),), (1.0,))
