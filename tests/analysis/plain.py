"""A case with all that moves, a stand-in posterior, and the theory as a plain loop over the lobbies of one row.

`lobbies` writes the equations out again with `math`, for one world at a time: the tests compare the analyses with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from math import erf, exp, sqrt
from typing import Any, NamedTuple

import numpy as np

from bayes_compliance import forecast, models
from bayes_compliance.analysis.ahead import joined
from bayes_compliance.case import load_case
from bayes_compliance.inference.tree import draws_of, grow
from bayes_compliance.latents import Latents
from tests.builders import complied, known, quantiles, write_case

CHAINS, DRAWS, SEED = 2, 10, 5
WORLDS = CHAINS * DRAWS * forecast.PATHS


def folder(place):
    """Two states, a rule each and one in common; entrenchment, specificity, an end, shocks, reversion, courts."""
    stages = {"status_quo": 0.2, "adherence": 0.1, "compliance": 0.5}
    lobbies = [
        {"id": "hj", "state": "H", "role": "J", "rules": ["bananas", "quotas"], "until": date(2013, 1, 1)},
        {"id": "hk", "state": "H", "role": "K"},
        {"id": "hl", "state": "H", "role": "L"},
        {"id": "hp", "state": "H", "role": "P"},
        {"id": "hg", "state": "H", "role": "G", "rules": ["bananas"]},
        {"id": "court", "state": "H", "role": "other", "rules": ["bananas"], "stage_weights": stages},
        {"id": "union", "state": "H", "role": "other", "rules": ["quotas"], "stage_weights": stages, "side": "-"},
        {"id": "fj", "state": "F", "role": "J"},
        {"id": "fk", "state": "F", "role": "K"},
        {"id": "fl", "state": "F", "role": "L", "counterparties": ["H"]},
        {"id": "fp", "state": "F", "role": "P", "rules": ["oranges"]},
    ]
    judgements = [
        *(quantiles("magnitude", 5, 10, 20, b["id"]) for b in lobbies if b["role"] not in "PG"),
        *(quantiles("magnitude", -2, 3, 8, b["id"]) for b in lobbies if b["role"] in "PG"),
        *(quantiles("volatility", 0.05, 0.15, 0.3, name) for name in ("hj", "hk", "hl", "fj", "fk", "fl")),
        *(quantiles("entrenchment", 0.01, 0.03, 0.06, name) for name in ("hj", "hk", "fk")),
        quantiles("specificity", 0.1, 0.4, 0.8, "hl"),
        quantiles("decision_noise", 3, 6, 9),
        quantiles("discount", 0.5, 0.8, 0.95, state="F"),
        quantiles("punishment_periods", 2, 4, 8, state="F"),
        quantiles("end_hazard", 0.01, 0.05, 0.1, state="F"),
        quantiles("shock_hazard", 0.05, 0.2, 0.5),
        known("shock_scale", 2.0),
    ]
    signed = {"state": "H", "rule": "*", "kind": "adherence", "decision": "adhere", "date": "2001-01-01"}
    decisions = [
        signed | {"confidence": "high"},
        signed | {"state": "F", "rule": "quotas", "confidence": "low"},
        complied("2003-05-01", "comply", "H", "bananas"),
        complied("2004-05-01", "violate", "F", "oranges"),
        complied("2006-05-01", "partial", "F", "quotas"),
        complied("2009-05-01", "comply", "H", "quotas"),
        complied("2010-03-01", "violate", "H", "bananas"),
    ]
    performed = [[date(2001, 1, 1), 0.0], [date(2005, 1, 1), 1.0]]
    late = [[date(2001, 1, 1), 0.0], [date(2012, 1, 1), 1.0]]
    return write_case(
        place,
        states=[
            {"id": "H", "counterparties": ["F"], "threshold": 1.5},
            {"id": "F", "counterparties": ["H"], "adherence_date": date(2002, 2, 2)},
        ],
        rules=[
            {"id": "bananas", "states": ["H"], "answered_by": ["oranges"], "depth": True, "depth_reason": "a tariff",
             "decisions_per_year": 0.7, "performance": performed},
            {"id": "oranges", "states": ["F"], "performance": late},
            {"id": "quotas", "states": ["H", "F"], "last_period": date(2014, 1, 1)},
        ],
        lobbies=lobbies, judgements=judgements, decisions=decisions, scale="log", outcomes=3,
        adherence_date=date(2001, 1, 1), horizon={"until": date(2016, 1, 1), "step_years": 1.5},
        tables={
            "dynamics": {"mean_reversion_half_life": 12.0},
            "shocks": [{"date": date(2012, 1, 1), "states": ["H"], "scale": 2.0}],
        },
    )  # fmt: skip


def standin(place, draws: int = DRAWS, seed: int = 3, model: str = "coalition"):
    """A prepared model, and draws from its prior in the place of a posterior: random, and correlated with nothing."""
    prepared = models.prepare(model, load_case(place))
    drawn = Latents(prepared.layout).draw_all(CHAINS * draws, np.random.default_rng(seed))
    shaped = {name: values.reshape(CHAINS, draws, -1) for name, values in drawn.items()}
    return prepared, grow(prepared, shaped, {}, seed, {})


class World(NamedTuple):
    """One draw and path on one date: quantities, W by lobby, z by pair, and what each row met."""

    x: dict[str, Any]
    w: Any
    z: Any
    credit: Any
    count: Any
    accrued: Any


def on_day(layout, draws, day):
    """W by lobby on a day, (draw, lobby), and z by pair, (draw, pair), as a layout knows them; else NaN."""
    walk = layout.walk(draws["innovation"])
    w = np.full((len(walk), len(layout.case.lobbies)), 0.0 if day == layout.case.reference_date else np.nan)
    for i, (lobby, when) in enumerate(layout.knots):
        if when == day:
            w[:, lobby] = walk[:, i]
    z = np.full((len(walk), len(layout.pairs)), np.nan)
    z[:, layout.pairs_used] = draws["spread"]
    return w, z


def every_world(prepared, tree, days=None, seed=SEED, joining=False) -> Iterator[tuple[Any, int, int, World]]:
    """Date, draw, path and world, for all of them, as the forecast of this seed has them, or those that know t1."""
    draws = forecast.thin(*draws_of(tree))[0]
    if joining:
        prepared, draws = joined(prepared, draws, seed)
    layout, horizon = prepared.layout, prepared.case.horizon
    days = days or forecast.plan(layout, horizon.until, horizon.step_years)
    for at, future in forecast.futures(prepared.model, layout, days, draws, seed):
        for moment in future.run():
            for d in range(future.n_draws):
                x = {name: values[d] for name, values in future.draws.items()}
                for p in range(future.paths):
                    h = moment.history
                    world = World(x, moment.paths[d, p], moment.pairs[d, p], h.credit[d, p], h.count, h.accrued[d, p])
                    yield moment, at.start + d, p, world


class Lobby(NamedTuple):
    """One lobby's part in one row: its position, signed magnitude, step, w q and what specificity leaves."""

    lobby: int
    magnitude: float
    step: float
    wq: float
    kept: float

    @property
    def total(self) -> float:
        return (self.magnitude + self.step) * self.wq * self.kept


def lobbies(layout, rows, i: int, world: World) -> list[Lobby]:
    """The lobbies of row i in a world."""
    x, s, found = world.x, rows.state[i], []
    for k in np.flatnonzero(rows.weight[i]):
        b, pair, weight = rows.lobby[i, k], rows.pair[i, k], rows.weight[i, k]
        z = world.z[pair] if pair >= 0 else 0.0
        kept_years = x["entrenchment"][b] * rows.kept_sign[i, k] * world.accrued[i]
        if rows.log[i, k]:
            m = x["magnitude"][b] * exp(x["volatility"][b] * world.w[b] + x["rule_spread"][s] * z + kept_years)
        else:
            m = x["magnitude"][b] + x["volatility"][b] * world.w[b] + x["rule_spread_points"][s] * z + kept_years
        step = x["step"][b] * weight if rows.steps[i, k] else 0.0
        wq, kept = 1.0, 1.0
        if rows.answers[i, k]:
            a = x["trust"][s]
            seen = zip(rows.sees[i, k], world.credit[i], world.count[i], strict=True)
            q = sum(share * (a + credit) / (a + count) for share, credit, count in seen)
            wq = x["shadow"][s] * q
            if rows.ending[i]:
                wq = 0.0 if rows.ended[i] else x["discount"][s] * q
            kept = 1 - x["specificity"][b] * rows.share[i, k]
        found.append(Lobby(int(b), weight * m, step, wq, kept))
    return found


def support(parts: list[Lobby]) -> float:
    return sum(part.total for part in parts)


def phi(u: float) -> float:
    return (1 + erf(u / sqrt(2))) / 2


def p_comply(rows, i: int, world: World, s: float) -> float:
    """Three outcomes: above the band of partial ones."""
    state = rows.state[i]
    return phi((s - rows.threshold[i] - world.x["partial_width"][state]) / world.x["decision_noise"][state])


def gather() -> dict[tuple[str, str, Any], list[float]]:
    return defaultdict(list)


def key(item) -> tuple[str, str, Any]:
    """State, rule and date as a Dataset has them."""
    return item.state, item.rule, np.datetime64(item.date, "ns")


def at(found, name: str, where: tuple[str, str, Any], **more: Any):
    state, rule, day = where
    return found[name].sel(state=state, rule=rule, time=day, **more).values
