"""Case folders at random, of everything that a case may hold, for tests that must pass on any case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bayes_compliance.case.vocabulary import CONFIDENCES
from tests.builders import known, normal, quantiles, to_toml, write_case

Dicts = list[dict[str, Any]]

START, YEARS = date(2000, 1, 1), 20
ROLES = ("J", "K", "L", "P", "G", "other")
OF_A_STATE = {"decision_noise": 40.0, "partial_width": 20.0, "trust": 3.0, "shock_scale": 3.0, "rule_spread": 0.4}


class Chooser(np.random.Generator):
    """A random generator with the few choices that a case is made of."""

    def maybe(self, p: float = 0.5) -> bool:
        return bool(self.random() < p)

    def one(self, of: Sequence[Any]) -> Any:
        return of[int(self.integers(len(of)))]

    def some(self, of: Sequence[Any]) -> list[Any]:
        """One of them or more, in their order."""
        kept = [item for item in of if self.maybe()]
        return kept or [self.one(of)]

    def day(self, low: float = 0, high: float = YEARS) -> date:
        return START + timedelta(days=int(365.25 * self.uniform(low, high)))


def any_case(folder: Path, seed: int) -> Path:
    """Write a case at random; the same seed, the same case. A few ask what a model refuses."""
    rng = Chooser(np.random.PCG64(seed))
    rules = _rules(rng, [f"S{i}" for i in range(int(rng.integers(1, 4)))])
    owing = sorted({state for rule in rules for state in rule["states"]})
    scale, outcomes = rng.one(["log", "linear"]), rng.one([2, 3])
    states = [_state(rng, state, owing) for state in owing]
    lobbies = [lobby for state in states for lobby in _lobbies(rng, state, rules)]
    head = {
        "adherence_date": START,
        "scale": scale,
        "outcomes": outcomes,
        "horizon": {"until": rng.day(YEARS + 1, YEARS + 12), "step_years": rng.one([0.5, 1, 3.7, 50])},
        "reference_date": rng.day() if rng.maybe() else None,
        "q_kind": rng.one(["conduct", "conduct", "type"]),
        "status_quo_includes": rng.some(["P", "G"]) if rng.maybe(0.3) else None,
        "measure_proxies": True if rng.maybe(0.4) else None,
    }
    more: dict[str, Any] = {}
    if rng.maybe(0.3):
        more["dynamics"] = {"mean_reversion_half_life": float(rng.uniform(2, 20))}
    if rng.maybe(0.3):
        more["shocks"] = [{"date": rng.day(), "states": rng.some(owing), "scale": 3.0}]
    if len(owing) > 1 and rng.maybe(0.3):
        more["counterparty_sets"] = [{"id": "some", "states": rng.some(owing)}, {"id": "everyone", "states": owing}]
    judgements = [
        *(row for lobby in lobbies for row in _of_lobby(rng, lobby, lobby.get("scale", scale) == "linear")),
        *(row for state in states for row in _of_state(rng, state, outcomes)),
    ]
    return write_case(
        folder,
        states=states,
        rules=rules,
        lobbies=lobbies,
        judgements=judgements,
        decisions=_decisions(rng, rules, outcomes),
        proxies=_proxies(rng, owing, lobbies) if rng.maybe() else [],
        tables=more,
        scenarios=_scenarios(rng, owing, lobbies) if rng.maybe(0.6) else "",
        **head,
    )


def _rules(rng: Chooser, states: list[str]) -> Dicts:
    found = []
    for i in range(int(rng.integers(1, 4))):
        rule: dict[str, Any] = {"id": f"rule {i}", "states": rng.some(states), "depth": rng.maybe(0.3) or None}
        if rng.maybe(0.3):
            rule["decisions_per_year"] = rng.one([0.05, 0.5, 2.0, 12.0])
        if rng.maybe(0.2):
            rule["performance"] = [[rng.day(0, 5), 0.0], [rng.day(6, 10), 1.0]]
        if rng.maybe(0.2):
            rule |= {"last_period": rng.day(YEARS - 2, YEARS + 12), "unravelling": rng.maybe(0.3) or None}
        if rng.maybe(0.1):
            rule["adherence_date"] = rng.day(0, 3)
        found.append(rule)
    return found


def _state(rng: Chooser, state: str, states: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": state}
    others = [other for other in states if other != state]
    if others and rng.maybe(0.7):
        found["counterparties"] = rng.some(others)
        if rng.maybe(0.3):
            found["counterparty_weights"] = [float(rng.uniform(0.5, 2)) for _ in found["counterparties"]]
    if rng.maybe(0.3):
        found["threshold"] = float(rng.normal(0, 30))
    return found


def _lobbies(rng: Chooser, state: dict[str, Any], rules: Dicts) -> Dicts:
    """A K on every rule, from which defaults have their unit, and up to four more."""
    own, found = [rule["id"] for rule in rules if state["id"] in rule["states"]], []
    for i, role in enumerate(["K", *(rng.one(ROLES) for _ in range(int(rng.integers(1, 5))))]):
        lobby: dict[str, Any] = {"id": f"{state['id']} {role} {i}", "state": state["id"], "role": role}
        if role == "other":
            lobby["stage_weights"] = {"status_quo": 0.0, "adherence": 0.5, "compliance": 1.0}
            lobby["side"] = rng.one(["+", "-"])
        if role in ("P", "G"):
            lobby["scale"] = "linear"
        elif rng.maybe(0.2):
            lobby["scale"] = rng.one(["log", "linear"])
        if i and rng.maybe(0.4):
            lobby["rules"] = rng.some(own)
        if i and rng.maybe(0.15):
            lobby["from"] = rng.day(0, YEARS)
        if i and rng.maybe(0.15):
            lobby["until"] = rng.day(YEARS, YEARS + 10)
        if role == "L" and "counterparties" in state and rng.maybe(0.3):
            lobby["counterparties"] = rng.some(state["counterparties"])
        if rng.maybe(0.1):
            lobby["mean_reversion_half_life"] = 5.0
        found.append(lobby)
    return found


def _of_lobby(rng: Chooser, lobby: dict[str, Any], linear: bool) -> Dicts:
    rows, role, own = [], lobby["role"], {"state": lobby["state"], "lobby": lobby["id"]}
    if not linear and rng.maybe(0.1):
        rows.append(known("magnitude", float(rng.uniform(20, 100)), **own))
    else:
        for analyst in rng.some(["a", "b"]):
            at = float(rng.uniform(20, 100))
            if linear:
                at *= rng.one([1, 0.2] if role == "K" else [1, 0.2, -0.2, 0])
                rows.append(normal(mean=at, sd=20.0, analyst=analyst, **own))
            else:
                rows.append(quantiles("magnitude", at / 2, at, at * 3, analyst=analyst, **own))
    if rng.maybe(0.15):
        rows.append(known("volatility", rng.one([0.0, 0.05]), **own))
    if role in ("J", "K", "L") and rng.maybe(0.2):
        unit = 1.0 if linear else 0.01
        rows.append(quantiles("entrenchment", unit, 2 * unit, 5 * unit, **own))
    if role == "L" and rng.maybe(0.2):
        rows.append(quantiles("specificity", 0.1, 0.4, 0.8, **own))
    return rows


def _of_state(rng: Chooser, state: dict[str, Any], outcomes: int) -> Dicts:
    rows, own = [], {"state": state["id"]}
    unread = {"trust": "counterparties" not in state, "partial_width": outcomes == 2}
    for quantity, mid in OF_A_STATE.items():
        if rng.maybe(0.2) and not unread.get(quantity):
            fixed, free = known(quantity, mid, **own), quantiles(quantity, mid / 3, mid, mid * 3, **own)
            rows.append(fixed if rng.maybe(0.3) else free)
    if rng.maybe(0.2):
        rows.append(quantiles("discount", 0.6, 0.8, 0.95, **own))
        if rng.maybe():
            rows.append(quantiles("punishment_periods", 1, 3, 10, **own))
    elif rng.maybe(0.2):
        rows.append(known("shadow", rng.one([0.0, 0.5, 1.0]), **own))
    if "counterparties" not in state:
        fixed = known("reciprocity", rng.one([0.0, 0.5, 1.0]), **own)
        rows.append(fixed if rng.maybe() else quantiles("reciprocity", 0.1, 0.5, 0.8, **own))
    if rng.maybe(0.2):
        rows.append(known("shock_hazard", rng.one([0.0, 0.1]), **own))
    return rows


def _decisions(rng: Chooser, rules: Dicts, outcomes: int) -> Dicts:
    pairs, rows = [(state, rule["id"]) for rule in rules for state in rule["states"]], []
    if rng.maybe():
        for state in sorted({state for state, _ in pairs}):
            what = rng.one(["adhere", "adhere", "not_adhere"])
            rows.append({"date": START, "state": state, "rule": "*", "kind": "adherence", "decision": what})
    for _ in range(int(rng.integers(0, 9))):
        (state, rule), kind = rng.one(pairs), rng.one(["compliance"] * 8 + ["status_quo"])
        words = ["comply", "violate"]
        if kind == "compliance":
            words += ["pending", *["comply_late", "partial"] * (outcomes == 3)]
        row = {"date": rng.day(3), "state": state, "rule": rule, "kind": kind, "decision": rng.one(words)}
        rows.append(row | {"confidence": rng.one(CONFIDENCES)})
    return rows


def _proxies(rng: Chooser, states: list[str], lobbies: Dicts) -> Dicts:
    rows = []
    for _ in range(int(rng.integers(0, 4))):
        share = {"kind": "vote_share", "value": float(rng.uniform(0.1, 0.9)), "unit": "share", "reliability": 0.5}
        rows.append({"date": rng.day(), "state": rng.one(states)} | share)
    for _ in range(int(rng.integers(0, 5))):
        lobby, kind = rng.one(lobbies), rng.one(["stake", "spending"])
        row = {"date": rng.day(), "state": lobby["state"], "lobby": lobby["id"], "kind": kind, "unit": "USD"}
        rows.append(row | {"value": float(rng.uniform(1, 9)), "reliability": rng.one([0.2, 0.8, 1.0])})
    return rows


def _scenarios(rng: Chooser, states: list[str], lobbies: Dicts) -> str:
    tables = []
    for i in range(int(rng.integers(1, 5))):
        state, lobby = rng.one(states), rng.one(lobbies)["id"]
        change = rng.one([
            {"lobby": lobby, "scale": rng.one([0.0, 0.5, 2.0])},
            {"lobby": lobby, "remove": True},
            {"add": {"id": f"new {i}", "state": state, "role": rng.one(ROLES[:5]), "magnitude": 30.0}},
            {"state": state, "q": 0.0},
            {"state": state, "w": 1.0},
            {"state": state, "volatility_scale": 2.0},
            {"state": state, "shock": 3.0},
        ])  # fmt: skip
        start = rng.day(0, YEARS + 15)
        tables.append({"id": f"what if {i}", "title": "What if", "from": start, "changes": [change]})
    return to_toml({}, {"scenarios": tables})
