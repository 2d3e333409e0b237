"""Anticipation against a plain loop, and the closed form of a case without doubt."""

from __future__ import annotations

from datetime import date
from math import exp

import numpy as np
import pytest

from bayes_compliance import forecast
from bayes_compliance.analysis.ahead import joined
from bayes_compliance.analysis.anticipation import anticipation
from bayes_compliance.asking import related
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.rows import Item
from tests.analysis import plain
from tests.builders import complied, known, write_case


def at_adherence(prepared, tree) -> dict:
    """SA less the threshold, and K, of every world, by state and rule; `*` the treaty as a whole."""
    case, found = prepared.case, plain.gather()
    prepared, draws = joined(prepared, forecast.thin(*draws_of(tree))[0], plain.SEED)
    layout, draws = prepared.layout, related(prepared.layout, draws)
    for pair in [*layout.obligations, ("F", "*"), ("H", "*")]:
        day = case.adherence_of(*pair)
        rows, w, z = layout.rows_for([Item(*pair, day, "adherence")]), *plain.on_day(layout, draws, day)
        for d in range(len(w)):
            x = {name: values[d] for name, values in draws.items()}
            parts = plain.lobbies(layout, rows, 0, plain.World(x, w[d], z[d], None, None, np.zeros(1)))
            k = -sum(part.total for part in parts if case.lobbies[part.lobby].role == "K")
            found[pair] += [(plain.support(parts) - rows.threshold[0], k)] * forecast.PATHS
    return found


def test_anticipation_is_the_loop_over_worlds(rich):
    prepared, tree = rich
    found, lobbies = anticipation(prepared, tree, seed=plain.SEED), prepared.case.lobbies
    room, taken, from_k, full = at_adherence(prepared, tree), plain.gather(), plain.gather(), plain.gather()
    for moment, draw, path, world in plain.every_world(prepared, tree, joining=True):
        if not moment.day.reported.any():
            continue
        for i, item in enumerate(moment.day.rows.items):
            now = plain.lobbies(prepared.layout, moment.day.rows, i, world)
            never = plain.lobbies(prepared.layout, moment.day.rows, i, world._replace(accrued=0 * world.accrued))
            is_k = [lobbies[part.lobby].role == "K" for part in now]
            gain = [a.total - b.total for a, b in zip(now, never, strict=True)]
            for rule in (item.rule, "*") if item.rule != "*" else ():
                where = (item.state, rule, np.datetime64(item.date, "ns"), draw, path)
                taken[where].append(sum(gain))
                from_k[where].append(sum(g for g, k in zip(gain, is_k, strict=True) if k))
                full[where].append(-sum(b.total for b, k in zip(never, is_k, strict=True) if k))
    for (state, rule), worlds in room.items():
        short, k = np.array(worlds).T
        here = found.sel(state=state, rule=rule)
        factor = 1 + short / k
        assert here["p_blocks"].item() == pytest.approx(np.mean(factor <= 1))
        assert here["needed"].item() == pytest.approx(np.median(np.maximum(short, 0)))
        assert here["factor"].values == pytest.approx(np.quantile(factor, [0.05, 0.5, 0.95], method="nearest"))
        for day in found["time"].values:
            each = [(np.mean(taken[w]), np.mean(from_k[w]), np.mean(full[w]))
                    for w in sorted(taken) if w[:3] == (state, rule, day)]  # fmt: skip
            gain, lost, k_then = np.array(each).T
            assert len(each) == plain.WORLDS
            at = here.sel(time=day)
            assert at["taken"].item() == pytest.approx(np.median(gain), rel=1e-5)
            assert at["taken_from_k"].item() == pytest.approx(np.median(lost), rel=1e-5)
            assert at["k_left"].item() == pytest.approx(np.mean(1 - lost / k_then), rel=1e-5)
            assert at["p_worth"].item() == pytest.approx(np.mean(gain > np.maximum(short, 0)))
    assert float(found["taken"].max()) > 1
    assert 0 < float(found["p_worth"].mean()) < 1


def test_on_the_last_date_alone_it_is_the_same_where_the_worlds_are(rich):
    found = anticipation(*rich, step_years=forecast.HORIZON_ONLY)
    whole = anticipation(*rich)
    assert found["time"].values.tolist() == whole["time"].values[-1:].tolist()
    # what K could do at t1 asks nothing of the worlds ahead
    assert found["p_blocks"].equals(whole["p_blocks"])


def test_without_doubt_it_is_arithmetic(tmp_path):
    lobbies = [{"id": name, "state": "H", "role": name.upper(), "rules": ["r"]} for name in ("j", "k")]
    judged = [known("magnitude", 15.0, "j"), known("magnitude", 12.0, "k"), known("entrenchment", 0.1, "k"),
              known("volatility", 0.0, "j"), known("volatility", 0.0, "k"), known("decision_noise", 1e-3),
              known("shock_hazard", 0.0)]  # fmt: skip
    place = write_case(
        tmp_path, scale="log", lobbies=lobbies, judgements=judged,
        decisions=[complied("2001-01-01", "comply", "H", "r")],
    )  # fmt: skip
    found = anticipation(*plain.standin(place)).sel(state="H").isel(time=-1)
    years = (found["time"].values - np.datetime64("2001-01-01")) / np.timedelta64(1, "D") / 365.25
    for rule in ("r", "*"):
        one = found.sel(rule=rule)
        # K would have to grow from 12 to 15; it is left with exp(-.1 t) of 12
        assert one["factor"].values == pytest.approx(15 / 12)
        assert one["needed"].item() == pytest.approx(3)
        assert one["k_left"].item() == pytest.approx(exp(-0.1 * years), rel=1e-5)
        assert one["taken"].item() == pytest.approx(12 * (1 - exp(-0.1 * years)), rel=1e-5)
        assert one["p_blocks"].item() == 0
        assert one["p_worth"].item() == 1


def test_without_entrenchment_nothing_is_taken_and_without_k_nothing_blocks(tmp_path):
    lobbies = [
        {"id": "j", "state": "H", "role": "J", "rules": ["r"]},
        {"id": "k", "state": "F", "role": "K", "rules": ["s"]},
    ]
    judged = [known(name, value, b) for name, value in (("magnitude", 5.0), ("volatility", 0.1)) for b in "jk"]
    judged += [known("decision_noise", 1.0), known("rule_spread_points", 0.0)]
    place = write_case(
        tmp_path, states=[{"id": "H"}, {"id": "F"}], rules=[{"id": "r", "states": ["H"]}, {"id": "s", "states": ["F"]}],
        lobbies=lobbies, judgements=judged,
    )  # fmt: skip
    found = anticipation(*plain.standin(place))
    assert (found["taken"].fillna(0) == 0).all()
    assert (found["factor"].sel(state="H", rule="r") == np.inf).all()
    assert (found["p_blocks"].sel(state="F", rule="s") == 1).all()
    assert found["k_left"].sel(state="H", rule="r").isnull().all()
    assert (found["k_left"].sel(state="F", rule="s") == 1).all()


def test_what_is_taken_and_what_was_needed_are_those_of_one_world(tmp_path):
    """J on a rule without a row: its spread alone decides both. False-alarm rate 1e-5."""
    judged = [known("magnitude", 5.0, "k"), known("magnitude", 30.0, "j"), known("volatility", 0.0, "k"),
              known("volatility", 0.0, "j"), known("entrenchment", 0.1, "j"), known("decision_noise", 3.0),
              known("rule_spread", 1.0), known("shock_hazard", 0.0)]  # fmt: skip
    place = write_case(
        tmp_path, scale="log", rules=[{"id": "q", "states": ["H"]}, {"id": "r", "states": ["H"]}],
        lobbies=[{"id": "k", "state": "H", "role": "K", "rules": ["q", "r"]}, {"id": "j", "state": "H", "role": "J"}],
        judgements=judged, decisions=[complied("2000-06-01", "comply", "H", "q")],
        adherence_date=date(2000, 1, 1), horizon={"until": date(2012, 1, 1), "step_years": 12},
    )  # fmt: skip
    found = anticipation(*plain.standin(place, draws=1000)).sel(state="H", rule="r").isel(time=-1)
    rng, n = np.random.default_rng(3), 40_000
    j, kept, accrued, before = 30 * np.exp(rng.standard_normal(n)), np.zeros(n, bool), np.zeros(n), date(2000, 6, 1)
    for due in [*forecast.decision_dates(before, date(2012, 1, 1), 1.0), date(2012, 1, 1)]:
        accrued += kept * (due - before).days / 365.25
        before, kept = due, j * np.exp(0.1 * accrued) - 5 + 3 * rng.standard_normal(n) > 0
    taken, needed = j * np.expm1(0.1 * accrued), np.maximum(j - 5, 0)
    share, apart = (taken > needed).mean(), (taken > rng.permutation(needed)).mean()
    error = 4.5 * np.sqrt(share * (1 - share) / 2000) + 0.002
    assert abs(found["p_worth"].item() - share) < error
    assert abs(apart - share) > error
