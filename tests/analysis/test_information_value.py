"""Value of information against closed forms, nested simulation, a plain regression, and lobbies that tell nothing."""

from __future__ import annotations

from math import exp, sqrt

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from bayes_compliance import forecast
from bayes_compliance.analysis.information_value import centred, regressors_of, share_explained, value_of_information
from bayes_compliance.latents import Latents
from tests.analysis import plain
from tests.builders import known, normal, write_case

SD = {"j": 4.0, "k": 2.0, "p": 1.0}


def linear(place):
    """Three lobbies, a linear scale, known noise of 3 and known movement of K: S is normal."""
    lobbies = [{"id": name, "state": "H", "role": name.upper(), "rules": ["r"]} for name in SD]
    lobbies += [{"id": "elsewhere", "state": "F", "role": "K", "rules": ["s"]}]
    judged = [normal(name, 10.0, sd) for name, sd in SD.items()] + [normal("elsewhere", 10.0, 3.0)]
    judged += [known("volatility", 1.0 if name == "k" else 0.0, name) for name in (*SD, "elsewhere")]
    judged += [known("step", 1.0, "p"), known("decision_noise", 3.0), known("shock_hazard", 0.0)]
    return write_case(
        place, states=[{"id": "H"}, {"id": "F"}], rules=[{"id": "r", "states": ["H"]}, {"id": "s", "states": ["F"]}],
        lobbies=lobbies, judgements=judged,
    )  # fmt: skip


@pytest.fixture(scope="module")
def normal_case(tmp_path_factory):
    return plain.standin(linear(tmp_path_factory.mktemp("linear")), draws=1000)


def closed_form(sd: float, t: float) -> float:
    """Var E[p | m] / Var p for S ~ N(11, 4^2 + 2^2 + 1 + t), noise 3, by quadrature."""
    z, weight = np.polynomial.hermite_e.hermegauss(120)
    weight = weight / weight.sum()
    total = sum(v**2 for v in SD.values()) + t

    def variance(known: float) -> float:
        p = ndtr((11 + sqrt(known) * z) / sqrt(9 + total - known))
        return float((weight * p**2).sum() - (weight * p).sum() ** 2)

    return variance(sd**2) / variance(total)


def test_the_regression_finds_the_closed_form(normal_case):
    found = value_of_information(*normal_case, draws=2000)["voi"].sel(state="H", rule="r").isel(time=0)
    for name, sd in SD.items():
        # over 200 seeds of 2,000 draws the standard deviation was below .02: false-alarm rate 1e-5
        assert found.sel(lobby=name).item() == pytest.approx(closed_form(sd, 5.0), abs=0.09)
    assert closed_form(4.0, 5.0) > 0.4 > closed_form(2.0, 5.0) + 0.25


def explained(signal: np.ndarray, p: np.ndarray) -> float:
    return share_explained(regressors_of(signal), centred(p)).item()


def test_a_lobby_that_tells_nothing_has_no_value_on_average():
    rng = np.random.default_rng(1)
    p = ndtr(rng.standard_normal((300, 1, 100, 1)) + 0.5 * rng.standard_normal((300, 1, 100, 8)))
    signal = np.repeat(rng.standard_normal((300, 100, 1)), 8, axis=-1)
    shares = np.array([explained(m, each) for m, each in zip(signal, p, strict=True)])
    error = shares.std() / sqrt(len(shares))
    assert abs(shares.mean()) < 4.5 * error  # false-alarm rate 1e-5
    raw = np.mean([_least_squares(m, each)[0] for m, each in zip(signal, p, strict=True)])
    assert raw > 10 * error  # what the correction takes out


def _least_squares(signal, p) -> tuple[float, float]:
    """Explained share before the correction, and the correction, in plain loops."""
    rank = (2 * rankdata(signal.ravel()) - 1) / signal.size - 1
    score = ndtri((1 + rank) / 2)
    design = np.stack([rank**0, rank, rank**2, rank**3, rank**4, rank**5, score, score**2], axis=1)
    y = p.ravel() - p.mean()
    fitted = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    root = np.linalg.qr(np.column_stack([design[:, 1:] - design[:, 1:].mean(axis=0)]))[0]
    paths, by_chance = signal.shape[1], 0.0
    for d in range(signal.shape[0]):
        at = slice(d * paths, (d + 1) * paths)
        left_out = np.linalg.solve(np.eye(paths) - root[at] @ root[at].T, (y - fitted)[at])
        by_chance += (root[at].T @ (y - fitted)[at]) @ (root[at].T @ left_out)
    return float(fitted @ fitted / (y @ y)), float(by_chance / (y @ y))


@pytest.mark.usefixtures("in_chunks")
def test_the_value_is_the_plain_regression_on_the_magnitude_of_the_last_decision(rich):
    prepared, tree = rich
    found, case, layout = (
        value_of_information(prepared, tree, seed=plain.SEED, paths=None),
        prepared.case,
        prepared.layout,
    )
    from bayes_compliance.rows import Item
    from bayes_compliance.worlds import Day

    last, pairs = case.last_decision_date(), forecast.owed(case)
    rows, no = layout.rows_for([Item(*pair, last, "compliance") for pair in pairs]), np.zeros(len(pairs), bool)
    days = [Day(last, rows, no, no), *forecast.plan(layout, case.horizon.until, case.horizon.step_years)]
    n = 2 * plain.DRAWS
    strength, p = plain.gather(), plain.gather()
    for moment, _, _, world in plain.every_world(prepared, tree, days):
        for i, item in enumerate(moment.day.rows.items):
            parts = plain.lobbies(layout, moment.day.rows, i, world)
            if moment.day.date == last:
                there = {part.lobby: abs_of(part, moment.day.rows, i) for part in parts}
                for b, lobby in enumerate(case.lobbies):
                    m, moved = world.x["magnitude"][b], world.x["volatility"][b] * world.w[b]
                    general = m + moved if case.is_linear(lobby) else m * exp(moved)
                    strength[item[:2], b].append(there.get(b, general))
            elif moment.day.date == case.horizon.until:
                p[item[:2]].append(plain.p_comply(moment.day.rows, i, world, plain.support(parts)))
    for pair in pairs:
        y, where = np.array(p[pair]).reshape(1, n, -1), (*pair, np.datetime64(case.horizon.until, "ns"))
        assert plain.at(found, "variance", where) == pytest.approx(y.var())
        for b, lobby in enumerate(case.lobbies):
            explained, by_chance = _least_squares(np.array(strength[pair, b]).reshape(n, -1), y)
            got = plain.at(found, "voi", where, lobby=lobby.id)
            assert got == pytest.approx(explained - by_chance, abs=1e-6), (pair, lobby.id)


def abs_of(part, rows, i):
    """Magnitude with its step, without sign or weight."""
    k = next(k for k in np.flatnonzero(rows.weight[i]) if rows.lobby[i, k] == part.lobby)
    return (part.magnitude + part.step) / rows.weight[i, k]


def test_brute_force_nested_simulation_agrees(tmp_path):
    prepared, tree = plain.standin(linear(tmp_path), draws=1000)
    got = value_of_information(prepared, tree, draws=2000)["voi"].sel(state="H", rule="r", lobby="j").isel(time=-1)
    latents, rng = Latents(prepared.layout), np.random.default_rng(2)
    j = [b.id for b in prepared.case.lobbies].index("j")
    inner, outer = [], []
    for value in latents.draw_all(150, rng)["magnitude"][:, j]:
        x = latents.draw(200, rng, ("magnitude",))
        x["magnitude"][:, j] = value
        s = x["magnitude"] @ [{"j": 1, "k": -1, "p": 1}.get(b.id, 0) for b in prepared.case.lobbies] + 1
        s = s + sqrt(30) * rng.standard_normal(200)  # K moves a point a year's root, for 30 years
        p = ndtr(s / 3)
        outer.append(p.mean())
        inner.append(p.var(ddof=1))
    between = np.var(outer, ddof=1) - np.mean(inner) / 200
    brute = between / (between + np.mean(inner))
    # the nested estimate has a relative se of sqrt(2 / 150) = .12, the regression .02: false-alarm rate 1e-5
    assert got.item() == pytest.approx(brute, abs=4.5 * 0.12 * brute)
    assert brute > 0.15


def test_a_known_magnitude_and_another_state_s_lobby_tell_nothing(normal_case):
    found = value_of_information(*normal_case)["voi"]
    assert (abs(found.sel(state="H", rule="r", lobby="elsewhere")) < 0.06).all()
    assert (abs(found.sel(state="F", rule="s").drop_sel(lobby="elsewhere")) < 0.06).all()
    assert (found.sel(state="F", rule="s", lobby="elsewhere") > 0.9).all()
    assert explained(np.ones((50, 8)), np.random.default_rng(0).random((1, 50, 8))) == 0
    assert explained(np.arange(400.0).reshape(50, 8), np.ones((1, 50, 8))) == 0


def test_a_step_may_be_asked_for(normal_case):
    case = normal_case[0].case
    found = value_of_information(*normal_case, step_years=forecast.HORIZON_ONLY, draws=200)
    assert found["time"].values.astype("datetime64[D]").tolist() == [case.horizon.until]
    assert found["variance"].sel(state="H", rule="r").item() > 0
