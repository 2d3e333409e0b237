"""Worlds ahead: support by kinds of slots, the record that all watch, and threads that change nothing."""

import os
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bayes_compliance import asking, forecast, models
from bayes_compliance.alterations import Alteration
from bayes_compliance.analysis.ahead import Ahead
from bayes_compliance.case import load_case
from bayes_compliance.history import Record
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.watched import Watched
from bayes_compliance.worlds import met
from tests.analysis import plain
from tests.builders import complied, known, normal, write_case


@pytest.fixture(scope="module", params=["coalition", "information", "opportunism", "unitary"])
def fitted(request, tmp_path_factory):
    """A case in which everything moves, with random draws in the place of a posterior."""
    return plain.standin(plain.folder(tmp_path_factory.mktemp("rich")), model=request.param)


def moments(prepared, tree, model=None, paths=4):
    horizon, layout = prepared.case.horizon, prepared.layout
    days = forecast.plan(layout, horizon.until, horizon.step_years)
    draws, _ = forecast.thin(*draws_of(tree))
    for _, future in forecast.futures(model or prepared.model, layout, days, draws, plain.SEED, paths=paths):
        yield from ((future, moment) for moment in future.run())


def test_support_by_kinds_is_that_of_whole_rows(fitted):
    prepared, tree = fitted
    for future, moment in moments(prepared, tree):
        rows = moment.day.rows
        whole = prepared.model.support(prepared.layout, rows, future.x, moment.walk, moment.spread, moment.history)
        assert_allclose(moment.answer.support, whole, rtol=1e-12, atol=1e-12 * abs(whole).max())


def test_a_model_that_is_not_taken_apart_gives_the_same_worlds(fitted):
    prepared, tree = fitted
    whole = SimpleNamespace(support=prepared.model.support)
    for (_, one), (_, other) in zip(moments(prepared, tree), moments(prepared, tree, whole), strict=True):
        assert_allclose(one.answer.p_comply, other.answer.p_comply, rtol=1e-9)
        assert_array_equal(one.outcome, other.outcome)
        assert one.answer.support.shape == other.answer.support.shape == one.outcome.shape


def test_a_slot_without_weight_adds_nothing(fitted):
    prepared, tree = fitted
    future, moment = next(moments(prepared, tree))
    silent = replace(moment.day.rows, weight=np.zeros_like(moment.day.rows.weight))
    arguments = (prepared.model, prepared.layout, silent, asking.kinds_of(silent), future.x)
    assert not asking.support_of_worlds(*arguments, moment.paths, moment.pairs, moment.history).any()


def test_what_all_watch_is_what_each_would_see():
    """Random decisions of four obligations in five worlds, some twice on a date, against viewer by viewer."""
    rng = np.random.default_rng(3)
    known, plainly = Record(4, 3), Record(4, 3, (5,))
    for own, outcome in ((0, 2), (2, 1), (0, 0)):
        viewers = rng.random(3) < 0.5
        known.add(own, 1.0 + own, outcome, viewers)
        plainly.add(own, 1.0 + own, np.full(5, outcome), viewers)
    quickly = Watched(known, (5,))
    answering, viewer = rng.random((6, 2, 4)) < 0.4, rng.integers(0, 3, 6)
    for time in (4.0, 4.5, 7.0, 9.5):
        decided = rng.integers(0, 4, rng.integers(1, 6))
        outcome = rng.integers(0, 3, (5, len(decided)))
        for i, own in enumerate(decided):
            plainly.add(own, time, outcome[:, i], np.ones(3, bool))
        quickly.add(decided, time, outcome)
        for one, other in zip(plainly.conduct(answering, viewer), quickly.conduct(answering, viewer), strict=True):
            assert_array_equal(one, other)
        assert_array_equal(plainly.accrued(np.arange(4), time + 1), quickly.accrued(np.arange(4), time + 1))
    assert quickly.credit.any()
    assert not np.array_equal(known.credit, plainly.credit[0])


@pytest.mark.parametrize("cores", [1, 2, 5])
def test_the_number_of_cores_changes_no_byte(tmp_path, monkeypatch, cores):
    monkeypatch.setattr(forecast, "CHUNK", 3)
    prepared, tree = plain.standin(plain.folder(tmp_path))

    def table(seed: int) -> str:
        return forecast.to_csv(forecast.simulate(prepared.model, prepared.layout, *draws_of(tree), seed=seed).table)

    as_it_is = table(1)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert table(1) == as_it_is
    assert table(2) != as_it_is, "the comparison must be able to fail"


def test_a_plan_is_made_once_for_a_layout(tmp_path):
    prepared, _ = plain.standin(plain.folder(tmp_path))
    horizon = prepared.case.horizon
    first, again = (forecast.plan(prepared.layout, horizon.until, horizon.step_years) for _ in range(2))
    assert [id(day) for day in first] == [id(day) for day in again]
    first.clear()
    assert forecast.plan(prepared.layout, horizon.until, horizon.step_years) == again
    assert len(forecast.plan(prepared.layout, horizon.until, 5.0)) < len(again)


def test_every_row_meets_the_years_kept_by_then(tmp_path):
    """An adherence after years of compliance as well, in the fit as in the worlds that are simulated."""
    lobbies = [{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}]
    judged = [normal("j", 1.0, 0.3), normal("k", 1.0, 0.3), known("entrenchment", 0.3, "j")]
    decided = [complied("2001-01-01"), complied("2005-01-01", "adhere", kind="adherence"), complied("2006-01-01")]
    layout = models.prepare(
        "coalition", load_case(write_case(tmp_path, lobbies=lobbies, judgements=judged, decisions=decided))
    ).layout
    assert layout.entrenches
    assert_allclose(layout.history.accrued, [0, 4, 5], atol=0.01)
    for i, item in enumerate(layout.rows.items):
        there = met(layout, layout.rows_for([item]), layout.record_before(item.date), layout.time(item.date))
        assert_allclose(layout.history.accrued[i], there.accrued[0])


def test_decisions_of_one_day_on_one_rule_have_names_of_their_own(tmp_path):
    lobbies = [{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}]
    days = [("2001-01-01", "a"), ("2001-01-01", "b"), ("2001-01-01", "c"), ("2002-01-01", "")]
    decided = [complied(day, note=note) for day, note in days]
    judged = [normal("j", 1.0, 0.3), normal("k", 1.0, 0.3)]
    case = load_case(write_case(tmp_path, lobbies=lobbies, judgements=judged, decisions=decided))
    name = "2001-01-01 H r compliance"
    assert models.prepare("coalition", case).layout.labels == [
        name, f"{name} (2)", f"{name} (3)", "2002-01-01 H r compliance",
    ]  # fmt: skip


@pytest.mark.parametrize("step", [10.0, 2.5, 0.5])
@pytest.mark.parametrize("half_life", [None, 2.0])
def test_shocks_leave_what_their_law_says_whatever_the_step(tmp_path, step, half_life):
    """Variance hazard scale^2 (1 - exp(-2 theta t)) / (2 theta), t for a random walk.

    4,000 worlds in pairs: the variance of a compound Poisson with so many shocks has a standard error of 5%; five of
    them. With the whole of each shock on the later date a step of ten years would have seven times as much.
    """
    place = write_case(
        tmp_path, lobbies=[{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}],
        judgements=[normal("j", 1, 0.3), normal("k", 1, 0.3), known("shock_hazard", 0.5), known("shock_scale", 3.0)],
        decisions=[complied("2001-01-01")], horizon={"until": date(2011, 1, 1), "step_years": step},
        rules=[{"id": "r", "states": ["H"], "decisions_per_year": 1 / step}],
        tables={"dynamics": {"mean_reversion_half_life": half_life}} if half_life else {},
    )  # fmt: skip
    prepared, tree = plain.standin(place, draws=1000)
    *_, (_, last) = moments(prepared, tree)
    rate, years = (np.log(2) / half_life if half_life else 1e-9), 3652 / 365.25
    expected = 0.5 * 3.0**2 * -np.expm1(-2 * rate * years) / (2 * rate)
    assert last.jumps[..., 0].var() == pytest.approx(expected, rel=0.25)


def test_a_what_if_in_which_nothing_moves_stands_still(tmp_path):
    """From its day on, whatever the law; and with twice the pace shocks count twice from then on, not before."""
    prepared, tree = plain.standin(plain.folder(tmp_path))
    last = prepared.case.last_decision_date()
    quiet = Alteration(last, pace={"H": 0.0, "F": 0.0})
    seen: dict[str, list] = {"as it is": [], "still": []}
    for name, alteration in (("as it is", None), ("still", quiet)):
        ahead = Ahead(prepared, tree, seed=plain.SEED)
        for _, future in forecast.futures(
            prepared.model, prepared.layout, ahead.days, ahead.draws, plain.SEED, alteration
        ):
            seen[name] += [moment.paths for moment in future.run()]
    moved, still = (np.array(paths) for paths in seen.values())
    years = np.array([prepared.layout.time(day.date) for day in ahead.days])
    decay = np.exp(-np.log(2) / 12.0 * (years[-1] - years[0]))
    assert_allclose(still[-1], still[0] * decay, atol=1e-9)
    assert abs(moved[-1] - moved[0] * decay).max() > 1
