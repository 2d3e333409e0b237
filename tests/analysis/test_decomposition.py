"""Shares of variance and the tilt against plain loops, and against closed forms."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import xarray as xr

from bayes_compliance import forecast
from bayes_compliance.analysis.ahead import Ahead
from bayes_compliance.analysis.decomposition import DRIFT, NOISE, TODAY, Shares, shares_of_variance, tilt
from bayes_compliance.rows import Item
from bayes_compliance.worlds import Day, met
from tests.analysis import plain
from tests.builders import complied, known, normal, write_case


def _with_today(prepared):
    """The last decision's date, on which nothing is decided, before the dates ahead."""
    case, layout = prepared.case, prepared.layout
    day = case.last_decision_date()
    rows = layout.rows_for([Item(*pair, day, "compliance") for pair in forecast.owed(case)])
    none = np.zeros(len(rows), bool)
    return [Day(day, rows, none, none), *forecast.plan(layout, case.horizon.until, case.horizon.step_years)]


@pytest.mark.usefixtures("in_chunks")
@pytest.mark.parametrize("of", ["support", "outcome"])
def test_shares_are_the_covariances_of_a_loop_over_worlds(rich, of):
    prepared, tree = rich
    found = shares_of_variance(prepared, tree, of, seed=plain.SEED)
    layout, days = prepared.layout, _with_today(prepared)
    ids = [lobby.id for lobby in prepared.case.lobbies]
    names = list(found["source"].values)
    parts, noise, now = plain.gather(), plain.gather(), {}
    for moment, draw, path, world in plain.every_world(prepared, tree, days):
        if moment.day.date == days[0].date:
            now[draw, path] = world.w
        if not moment.day.reported.any():
            continue
        rows = moment.day.rows
        known_then = met(layout, rows, layout.record, layout.time(days[0].date))
        before = world._replace(w=now[draw, path], **{k: getattr(known_then, k) for k in known_then._fields})
        jumps = moment.jumps[draw % 7, path]
        for i, item in enumerate(rows.items):
            steps = (before, before._replace(w=world.w - jumps), before._replace(w=world.w),
                     world._replace(accrued=before.accrued), world)  # fmt: skip
            today, drifted, *rest = (
                {part.lobby: part.total for part in plain.lobbies(layout, rows, i, step)} for step in steps
            )
            kept = {b: drifted[b] - today[b] for b in drifted}
            shocked, answered, final = (sum(parts.values()) for parts in rest)
            start, moved = sum(today.values()), sum(drifted.values())

            def p(s, rows=rows, i=i, world=world):
                return s if of == "support" else plain.p_comply(rows, i, world, s)

            sources = {TODAY: p(start), "shocks": p(shocked) - p(moved)}
            sources |= {"conduct": p(answered) - p(shocked), "entrenchment": p(final) - p(answered)}
            for order in (list(kept), list(kept)[::-1]):
                reached = start
                for b in order:
                    source = f"drift of {ids[b]}"
                    sources[source] = sources.get(source, 0.0) + (p(reached + kept[b]) - p(reached)) / 2
                    reached += kept[b]
            parts[plain.key(item)].append([sources.get(name, 0.0) for name in names])
            alone = world.x["decision_noise"][rows.state[i]] ** 2
            noise[plain.key(item)].append(alone if of == "support" else p(final) * (1 - p(final)))
    assert len(parts) == 6 * found.sizes["time"]
    for where, each in parts.items():
        each = np.array(each)
        together = np.cov(each.T, each.sum(axis=1), ddof=0)
        covariance = together[-1, :-1]
        covariance[names.index(NOISE)] = np.mean(noise[where])
        if of == "outcome":
            whole = each.sum(axis=1).mean()
            assert covariance.sum() == pytest.approx(whole * (1 - whole)), "the variance of an outcome of 0 or 1"
        assert plain.at(found, "variance", where) == pytest.approx(covariance.sum())
        assert plain.at(found, "variance_today", where) == pytest.approx(each[:, names.index(TODAY)].var())
        assert plain.at(found, "share", where) == pytest.approx(covariance / covariance.sum(), abs=1e-9)


@pytest.mark.parametrize("of", ["support", "outcome"])
def test_nothing_is_left_over(rich, of):
    found = shares_of_variance(*rich, of)
    owed = found["variance"].notnull()
    assert int(owed.sum()) == 6 * found.sizes["time"]
    assert found["share"].sum("source").where(owed, 1.0).values == pytest.approx(1.0, abs=1e-12)
    for source in ("shocks", "conduct", "entrenchment", "drift of hk", NOISE):
        assert abs(found["share"].sel(source=source)).max() > 1e-4, source


@pytest.mark.parametrize("model", ["information", "opportunism", "reciprocity", "spells", "unitary", "managerial"])
def test_nothing_is_left_over_in_the_other_models(tmp_path, model):
    found = shares_of_variance(*plain.standin(plain.folder(tmp_path), model=model), draws=4, paths=4)
    owed = found["variance"].notnull()
    assert owed.any()
    assert found["share"].sum("source").where(owed, 1.0).values == pytest.approx(1.0, abs=1e-12)
    assert (found["share"].sel(source=[TODAY, NOISE]).where(owed, 1.0) != 0).all()


@pytest.mark.usefixtures("in_chunks")
@pytest.mark.parametrize("of", ["support", "outcome"])
def test_lobbies_that_are_not_told_apart_are_told_together(rich, of):
    """On the horizon alone: the same as with every lobby on every date, but for the lobbies before it."""
    found = []
    for horizon_only in (False, True):
        ahead = Ahead(*rich, seed=plain.SEED, draws=10, paths=4)
        question = Shares(ahead, of, horizon_only)
        ahead.put([question], before=[question.today])
        found.append(question.result())
    whole, short = found
    lobbies = [name for name in whole["source"].values if name.startswith(DRIFT)]
    for name in ("drift", "variance", "variance_today", "drift_error"):
        xr.testing.assert_allclose(short[name], whole[name], rtol=1e-9, atol=1e-12)
    xr.testing.assert_allclose(
        whole["drift"], whole["share"].sel(source=lobbies).sum("source", skipna=False), atol=1e-9
    )
    xr.testing.assert_identical(short.isel(time=-1), whole.isel(time=-1))
    rest = [name for name in whole["source"].values if name not in lobbies]
    xr.testing.assert_allclose(short["share"].sel(source=rest), whole["share"].sel(source=rest), rtol=1e-9, atol=1e-12)
    assert short["share"].sel(source=lobbies).isel(time=slice(-1)).isnull().all()


@pytest.mark.usefixtures("in_chunks")
def test_the_error_of_a_share_is_that_of_leaving_out_chunks(rich):
    found = shares_of_variance(*rich)
    error = found["share_error"].where(found["variance"].notnull(), drop=True)
    assert (error.fillna(0) >= 0).all()
    assert (error.sel(source=TODAY).max() > 0.001).all()


@pytest.mark.usefixtures("in_chunks")
def test_the_error_of_the_drifts_together_is_that_of_their_sum(rich, tmp_path):
    found = shares_of_variance(*rich)
    drifts = [name for name in found["source"].values if name.startswith(DRIFT)]
    each, together = found["share_error"].sel(source=drifts), found["drift_error"]
    slack = 1e-12 + each.sum("source") - together
    assert (slack.where(found["variance"].notnull(), 0) >= 0).all()
    assert (slack > 1e-4).any(), "errors that offset each other do not add up"
    alone = shares_of_variance(*plain.standin(_linear(tmp_path, volatility=(0.0, 3.0)))).sel(state="H")
    k = alone["share_error"].sel(source="drift of k")
    assert alone["drift_error"].values == pytest.approx(k.values, nan_ok=True)
    assert (k > 0).any()


def test_one_chunk_has_no_error(rich):
    found = shares_of_variance(*rich)
    assert found["share_error"].isnull().all()
    assert found["drift_error"].isnull().all()


def _linear(place, volatility=(2.0, 3.0), half_life=None, hazard=0.0, sd=4.0):
    """J and K on the linear scale, with known volatilities."""
    lobbies = [{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}]
    judged = [normal("j", 10, sd), normal("k", 8, sd), known("decision_noise", 5.0), known("rule_spread_points", 0.0)]
    judged += [known("volatility", v, b) for b, v in zip("jk", volatility, strict=True)]
    judged += [known("shock_hazard", hazard)]
    return write_case(
        place, lobbies=lobbies, judgements=judged, decisions=[complied("2005-01-01"), complied("2010-01-01")],
        tables={"dynamics": {"mean_reversion_half_life": half_life}} if half_life else None,
        horizon={"until": date(2025, 1, 1), "step_years": 5},
    )  # fmt: skip


def test_variance_grows_by_the_squared_volatilities_on_the_linear_scale(tmp_path):
    """Var(S(t) | data) = Var(S(T) | data) + (t - T) sum c^2 v^2; false-alarm rate 1e-5 for each date.

    Antithetic paths make today and drift uncorrelated exactly, and leave half of the paths independent.
    """
    n = 2000
    prepared, tree = plain.standin(_linear(tmp_path), draws=n // plain.CHAINS)
    found = shares_of_variance(prepared, tree).sel(state="H", rule="r")
    years = (found["time"].values - np.datetime64("2010-01-01")) / np.timedelta64(1, "D") / 365.25
    grown = found["variance"] - found["variance_today"] - 25.0
    expected = years * (2.0**2 + 3.0**2)
    error = expected * np.sqrt(2 / (forecast.PATHS // 2 * n))
    assert (abs(grown - expected) < 4.5 * error).all()
    assert (abs(grown - years * (2.0**2 + 2.0**2)) > 4.5 * error).all()  # another volatility would be seen
    assert (found["share"].sel(source="drift of j") * found["variance"]).values == pytest.approx(
        years * 4.0, rel=4.5 * np.sqrt(2 / (forecast.PATHS // 2 * n)) + 0.05
    )
    assert found["share"].sel(source=["shocks", "conduct", "entrenchment"]).values == pytest.approx(0)


def test_random_shocks_add_their_hazard_times_their_size(tmp_path):
    """Var grows by h s^2 v^2 a year more; the kurtosis of few large jumps is in the bound (false-alarm rate 1e-5)."""
    n = 2000
    prepared, tree = plain.standin(_linear(tmp_path, hazard=0.5), draws=n // plain.CHAINS)
    found = shares_of_variance(prepared, tree).sel(state="H", rule="r").isel(time=-1)
    per_year = 0.5 * 4.0**2 * 13.0
    expected = 15 * per_year  # both lobbies of the state jump together, by independent sizes
    kurtosis = 3 * (1 + 1 / (15 * 0.5))
    error = expected * np.sqrt((kurtosis - 1) / (forecast.PATHS // 2 * n)) * np.sqrt(2)
    shocks = (found["share"] * found["variance"]).sel(source="shocks").item()
    assert abs(shocks - expected) < 4.5 * error
    assert abs(shocks - expected / 2) > 4.5 * error


def test_a_lobby_that_reverts_undoes_what_is_not_known_of_today(tmp_path):
    prepared, tree = plain.standin(_linear(tmp_path, half_life=1.0, volatility=(8.0, 0.0)), draws=200)
    share = shares_of_variance(prepared, tree).sel(state="H", rule="r").isel(time=-1)["share"]
    # after 15 half-lives W(t) is independent of W(T): Cov(drift, S) = V - V, so about 0 and today's part is I0's
    assert share.sel(source="drift of j").item() == pytest.approx(
        _stationary(8.0) / (_stationary(8.0) + 2 * 16 + 25), abs=0.1
    )
    assert share.sel(source="drift of k").item() == 0


def _stationary(volatility):
    return volatility**2 / (2 * np.log(2))


@pytest.mark.usefixtures("in_chunks")
def test_tilt_is_the_loop_over_worlds(rich):
    prepared, tree = rich
    found = tilt(prepared, tree, seed=plain.SEED)
    bias, temptation = plain.gather(), plain.gather()
    for moment, _, _, world in plain.every_world(prepared, tree):
        if not moment.day.reported.any():
            continue
        for i, item in enumerate(moment.day.rows.items):
            parts = plain.lobbies(prepared.layout, moment.day.rows, i, world)
            bias[plain.key(item)].append(sum(part.step for part in parts))
            lost = (part.magnitude * (1 - part.wq * part.kept) for part in parts)
            temptation[plain.key(item)].append(sum(lost))
    for where, added in bias.items():
        net = np.array(added) - temptation[where]
        assert plain.at(found, "bias", where) == pytest.approx(np.mean(added))
        assert plain.at(found, "temptation_median", where) == pytest.approx(np.median(temptation[where]))
        assert plain.at(found, "tilt_lower", where) == pytest.approx(np.quantile(net, 0.05))
        assert plain.at(found, "p_positive", where) == pytest.approx(np.mean(net > 0))


@pytest.mark.parametrize(("step", "towards"), [(1.9, 0.0), (2.1, 1.0)])
def test_the_promise_must_be_worth_more_than_the_answer_that_is_not_certain(tmp_path, step, towards):
    lobbies = [{"id": b.lower(), "state": "H", "role": b} for b in "JKLP"]
    judged = [known("magnitude", m, b) for b, m in (("j", 9.0), ("k", 7.0), ("l", 4.0), ("p", 1.0))]
    judged += [known("volatility", 0.0, b) for b in "jklp"] + [known("step", step, "p")]
    judged += [known("shadow", 0.8), known("reciprocity", 0.625), known("rule_spread_points", 0.0)]
    found = tilt(*plain.standin(write_case(tmp_path, lobbies=lobbies, judgements=judged)))
    assert found["bias"].values == pytest.approx(step)
    assert found["temptation"].values == pytest.approx(4.0 * (1 - 0.5))
    assert (found["p_positive"] == towards).all()
