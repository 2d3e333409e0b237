"""The stage game against plain loops and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_compliance.analysis.games import (
    Punishment,
    ceiling_of_reciprocity,
    critical_discount,
    delimited,
    discount_needed,
    preference_types,
    quantiles,
)
from tests.analysis import plain
from tests.builders import known, write_case

SHARE = st.floats(0.01, 0.99)


def _games(prepared, tree):
    """Row, world and the plain game (X, K', L) and support of each, on reported dates."""
    for moment, draw, path, world in plain.every_world(prepared, tree):
        if moment.day.reported.any():
            rows = moment.day.rows
            games = {}
            for i, item in enumerate(rows.items):
                parts = plain.lobbies(prepared.layout, rows, i, world)
                roles = [prepared.case.lobbies[part.lobby] for part in parts]
                x = sum(
                    p.magnitude + p.step
                    for p, b in zip(parts, roles, strict=True)
                    if b.role in "JPG" or b.id == "court"
                )
                k = -sum(p.magnitude for p, b in zip(parts, roles, strict=True) if b.role == "K" or b.id == "union")
                ell = sum(p.magnitude * p.kept for p, b in zip(parts, roles, strict=True) if b.role == "L")
                games[item.state, item.rule] = x, k + rows.threshold[i], ell, plain.support(parts)
            yield rows, (draw, path), world, games


def _kind(x, k, ell):
    return "harmony" if x >= k else "dilemma" if k < x + ell else "deadlock"


@pytest.mark.usefixtures("in_chunks")
def test_types_are_counted_in_the_loop_over_worlds(rich):
    prepared, tree = rich
    found = preference_types(prepared, tree, seed=plain.SEED)
    kinds, both = plain.gather(), plain.gather()
    faces = {
        ("H", "bananas"): [("F", "oranges")],
        ("F", "oranges"): [("H", "bananas"), ("H", "quotas")],  # all that H owes answers oranges
        ("H", "quotas"): [("F", "quotas")],
        ("F", "quotas"): [("H", "quotas")],
        ("H", "*"): [("F", "*")],
        ("F", "*"): [("H", "*")],
    }
    for rows, _, _, games in _games(prepared, tree):
        for item in rows.items:
            x, k, ell, _ = games[item.state, item.rule]
            pooled = [sum(games[other][side] for other in faces[item.state, item.rule]) for side in range(3)]
            kinds[plain.key(item)].append(_kind(x, k, ell))
            both[plain.key(item)].append(_kind(x, k, ell) == _kind(*pooled) == "dilemma")
    assert len(kinds) == 6 * found.sizes["time"]
    for where, seen in kinds.items():
        for kind in ("harmony", "dilemma", "deadlock"):
            share = np.mean([k == kind for k in seen])
            assert plain.at(found, "p_preference", where, preference=kind) == pytest.approx(share)
        other = {"H": "F", "F": "H"}[where[0]]
        assert plain.at(found, "p_both_dilemma", where, counterparty=other) == pytest.approx(np.mean(both[where]))
        assert np.isnan(plain.at(found, "p_both_dilemma", where, counterparty=where[0]))


@pytest.mark.usefixtures("in_chunks")
def test_the_ceiling_is_the_loop_with_l_in_full(rich):
    prepared, tree = rich
    found = ceiling_of_reciprocity(prepared, tree, seed=plain.SEED)
    p, most = plain.gather(), plain.gather()
    for rows, _, world, games in _games(prepared, tree):
        for i, item in enumerate(rows.items):
            x, k_prime, ell, s = games[item.state, item.rule]
            full = x + ell - (k_prime - rows.threshold[i])  # the article's inequality
            p[plain.key(item)].append(plain.p_comply(rows, i, world, s))
            most[plain.key(item)].append(plain.p_comply(rows, i, world, full))
    for where, ceiling in most.items():
        room = np.array(ceiling) - p[where]
        assert plain.at(found, "p_ceiling", where) == pytest.approx(np.mean(ceiling))
        assert plain.at(found, "p_comply", where) == pytest.approx(np.mean(p[where]))
        assert plain.at(found, "room_upper", where) == pytest.approx(np.quantile(room, 0.95), abs=1e-7)
    assert (found["room"].min() >= 0) & (found["room"].max() > 0.05)


@pytest.mark.usefixtures("in_chunks")
def test_the_critical_discount_is_the_loop_over_worlds(rich):
    prepared, tree = rich
    punishments = {
        "grim": Punishment(),
        "late": Punishment(lag=2),
        "two": Punishment(periods=2),
        "of four": delimited(4),
    }
    found = critical_discount(prepared, tree, seed=plain.SEED, punishments=punishments)
    ratios, enough = plain.gather(), plain.gather()
    for rows, _, _, games in _games(prepared, tree):
        for i, item in enumerate(rows.items):
            x, k, ell, s = games[item.state, item.rule]
            if _kind(x, k, ell) == "dilemma":
                ratios[plain.key(item)].append((k - x) / ell)
                enough[plain.key(item)].append(s >= rows.threshold[i])
    assert len(ratios) >= 4 * found.sizes["time"]
    for where, ratio in ratios.items():
        r = np.array(ratio)
        assert plain.at(found, "p_dilemma", where) == pytest.approx(len(r) / plain.WORLDS)
        assert plain.at(found, "p_enough", where) == pytest.approx(np.mean(enough[where]))
        # two periods: d^2 + d over 1 + d + d^2 is r, so d^2 + d = r / (1 - r)
        a = r / (1 - r)
        two = np.where(r <= 2 / 3, (np.sqrt(1 + 4 * a) - 1) / 2, np.inf)
        for name, d in (("grim", r), ("late", np.sqrt(r)), ("two", two)):
            expected = np.quantile(d, (0.05, 0.5, 0.95), method="inverted_cdf")
            assert plain.at(found, "discount", where, punishment=name) == pytest.approx(expected, abs=1e-6)
        assert plain.at(found, "p_possible", where, punishment="of four") == pytest.approx(np.mean(r <= 3 / 4))
        assert plain.at(found, "p_possible", where, punishment="grim") == 1


@given(SHARE, st.integers(1, 4), st.one_of(st.none(), st.integers(1, 30)))
def test_the_discount_needed_gives_just_the_ratio(d, lag, n):
    """The weight of a punishment as its sums: B / (C + B)."""
    before = sum(d**k for k in range(lag))
    ahead = d**lag / (1 - d) if n is None else sum(d**k for k in range(lag, lag + n))
    ratio = np.array(ahead / (before + ahead))
    found = discount_needed(ratio, Punishment(float(lag), n))
    assert found == pytest.approx(d, abs=1e-5)


@given(st.floats(0.01, 0.99), st.integers(1, 10))
def test_a_punishment_that_is_too_short_is_never_enough(ratio, n):
    needed = discount_needed(np.array(ratio), Punishment(periods=n))
    assert np.isinf(needed) == (ratio > n / (1 + n) + 1e-8)


@given(st.integers(2, 12), SHARE)
def test_an_assessment_delimited_to_t_periods_punishes_for_t_less_one(periods, d):
    a = sum(d**k for k in range(1, periods))
    assert discount_needed(np.array(a / (1 + a)), delimited(periods)) == pytest.approx(d, abs=1e-5)


def test_what_is_no_dilemma_needs_no_discount():
    assert np.isnan(discount_needed(np.array([np.nan]), Punishment(periods=3))).all()
    assert np.isnan(quantiles(np.full((1, 5), np.nan), np.array([0]))).all()


@given(
    st.lists(st.one_of(st.just(float("nan")), SHARE), min_size=1, max_size=30).filter(lambda v: not np.isnan(v).all())
)
def test_quantiles_are_values_that_occur(values):
    v = np.array(values)
    found = quantiles(v[None], np.array([(~np.isnan(v)).sum()]))[0]
    assert found == pytest.approx(np.quantile(v[~np.isnan(v)], (0.05, 0.5, 0.95), method="inverted_cdf"))


@pytest.mark.parametrize(
    ("k_of_h", "k_of_f", "kind", "both"),
    [(6.0, 12.0, "harmony", 0), (12.0, 12.0, "dilemma", 1), (12.0, 6.0, "dilemma", 0), (16.0, 12.0, "deadlock", 0)],
)
def test_a_prisoners_dilemma_takes_two(tmp_path, k_of_h, k_of_f, kind, both):
    found = preference_types(*plain.standin(_two_states(tmp_path, k_of_h, k_of_f), draws=2))
    assert (found["p_preference"].sel(state="H", preference=kind) == 1).all()
    assert (found["p_both_dilemma"].sel(state="H", counterparty="F") == both).all()
    assert (found["p_both_dilemma"].sel(state="F", counterparty="H") == both).all()


def test_the_article_s_inequality_is_the_ceiling(tmp_path):
    # X = 8 + 2, L = 5, K = 12: w q = .5 leaves it short by one half, w q = 1 carries it by 3
    prepared, tree = plain.standin(_two_states(tmp_path, 12.0, 12.0), draws=2)
    found = ceiling_of_reciprocity(prepared, tree).isel(time=0).sel(state="H", rule="r")
    assert found["p_ceiling"].item() == pytest.approx(plain.phi((8 + 5 + 2 - 12) / 3))
    assert found["p_comply_upper"].item() <= plain.phi((8 + 0.5 * 5 + 2 - 12) / 3) + 1e-7
    needed = critical_discount(prepared, tree).sel(state="H", rule="r", punishment="for ever")["discount"]
    assert needed.values == pytest.approx((12 - 10) / 5)


def _two_states(place, k_of_h, k_of_f):
    lobbies = [{"id": f"{s}{b}".lower(), "state": s, "role": b} for s in "HF" for b in "JKLP"]
    judged = []
    for s, k in (("h", k_of_h), ("f", k_of_f)):
        judged += [known("magnitude", m, s + b) for b, m in (("j", 8.0), ("k", k), ("l", 5.0), ("p", 0.5))]
        judged += [known("volatility", 0.0, s + b) for b in "jklp"] + [known("step", 1.5, s + "p")]
    judged += [known("shadow", 0.5), known("trust", 3.0), known("decision_noise", 3.0), known("shock_hazard", 0.0)]
    return write_case(
        place, lobbies=lobbies, judgements=[*judged, known("rule_spread_points", 0.0)],
        states=[{"id": "H", "counterparties": ["F"]}, {"id": "F", "counterparties": ["H"]}],
        rules=[{"id": "r", "states": ["H", "F"]}],
    )  # fmt: skip
