"""Ranks and their verdict against constructed truths; the journal goes on where a run stopped."""

import json

import numpy as np
import pytest

from bayes_compliance import models, worlds
from bayes_compliance.case import load_case
from bayes_compliance.errors import Refused
from bayes_compliance.latents import Latents
from bayes_compliance.validation import calibration, commands, ranks
from bayes_compliance.validation.calibration import RANK_DRAWS
from bayes_compliance.validation.calibration_page import _leaving, _shares_below
from bayes_compliance.validation.ranks import band, judge, null, p_value, rank, tail
from bayes_compliance.validation.shared import history_of
from tests.inference.linear_cases import walk
from tests.models.cases import two_states
from tests.report.test_report_page import unread
from tests.validation.planted import PLANTED

SIZE = {"seed": 3, "draws": 60, "tune": 10, "chains": 2}


def test_rank_counts_draws_below_and_breaks_ties_at_random():
    drawn = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    rng = np.random.default_rng(1)
    found = np.array([rank(drawn, np.array([2.5, 5.0]), rng) for _ in range(200)])
    assert set(found[:, 0]) == {2}
    assert set(found[:, 1]) == {0, 1, 2, 3}


def test_tail_is_the_smallest_two_sided_binomial_tail():
    from scipy.stats import binom

    ranks = np.array([0, 0, 3, 1])
    by_hand = []
    for k in (1, 2, 3):
        count, p = (ranks < k).sum(), k / 4
        by_hand.append(2 * min(binom.cdf(count, 4, p), binom.sf(count - 1, 4, p)))
    assert tail(ranks, 3) == pytest.approx(min(1.0, *by_hand))


def test_p_values_of_uniform_ranks_are_uniform():
    """400 p-values at 5% and 20%: bounds of 4 standard errors, a false-alarm rate below 1e-3."""
    rng = np.random.default_rng(2)
    calm = null(50, RANK_DRAWS, sets=4000)
    p = p_value(tail(rng.integers(0, RANK_DRAWS + 1, (400, 50)), RANK_DRAWS), calm)
    for level in (0.05, 0.2):
        assert abs(np.mean(p <= level) - level) < 4 * np.sqrt(level * (1 - level) / 400) + 0.01


def test_a_p_value_counts_the_record_itself_and_what_is_as_small():
    assert p_value(np.array([0.05, 0.1, 0.7]), np.array([0.1, 0.3, 0.9])) == pytest.approx([1 / 4, 2 / 4, 3 / 4])


@pytest.mark.parametrize(
    ("p", "rejected"),
    [
        ([0.06, 0.016, 0.012, 0.024], ["2", "1", "3"]),  # four, three and two times them are .048, .048, .048
        ([0.06, 0.016, 0.013, 0.024], []),  # four times the least is .052: what comes after it is not asked about
        ([0.06, 0.018, 0.012, 0.024], ["2"]),
        ([0.05, 0.05 / 3, 0.0125, 0.025], ["2", "1", "3", "0"]),
    ],
)
def test_the_verdicts_are_holm_s(monkeypatch, p, rejected):
    monkeypatch.setattr(ranks, "p_value", lambda value, calm: np.array(p))
    found = judge(np.zeros((5, 4), int), list("0123"), RANK_DRAWS)
    assert [v.p for v in found.verdicts] == sorted(p)
    assert [v.name for v in found.verdicts if v.rejected] == rejected
    assert found.passed == (not rejected)


def test_the_family_wise_false_alarm_rate_is_as_stated():
    """60 right calibrations of 20 quantities at 5%: more than 9 alarms have probability < 1e-3."""
    rng = np.random.default_rng(3)
    names = [str(i) for i in range(20)]
    alarms = sum(not judge(rng.integers(0, RANK_DRAWS + 1, (100, 20)), names, RANK_DRAWS).passed for _ in range(60))
    assert alarms <= 9


@pytest.mark.parametrize(
    ("wrong", "draw"),
    [
        ("too narrow", lambda rng: rng.beta(0.6, 0.6, 200)),
        ("too wide", lambda rng: rng.beta(2.5, 2.5, 200)),
        ("to one side", lambda rng: rng.beta(1.5, 1.0, 200)),
    ],
)
def test_wrong_posteriors_are_caught_among_many_right_ones(wrong, draw):
    """The negative control: 200 simulations, 29 right quantities beside the wrong one."""
    rng = np.random.default_rng(4)
    ranks = rng.integers(0, RANK_DRAWS + 1, (200, 30))
    ranks[:, 7] = np.floor(draw(rng) * (RANK_DRAWS + 1))
    found = judge(ranks, [f"q{i}" for i in range(30)], RANK_DRAWS)
    assert not found.passed
    assert found.verdicts[0].name == "q7"
    assert [v.name for v in found.verdicts if v.rejected] == ["q7"]
    assert "NOT calibrated" in str(found)
    assert "5%" in str(found)
    assert "(mark of the least p 0.0017): q7 (p = " in str(found)


def test_the_band_is_arviz_s():
    """Simultaneous 95% bands of ArviZ (its own simulation): within two counts at every point."""
    from arviz_stats.ecdf_utils import ecdf_pit

    n = RANK_DRAWS + 1
    points, lower, upper = band(n, RANK_DRAWS)
    theirs = ecdf_pit(np.random.default_rng(1).uniform(size=n), 0.95, 3000)
    assert points == pytest.approx(theirs[0][1:-1])
    assert np.abs(lower - theirs[2][1:-1]).max() <= 2 / n + 1e-9
    assert np.abs(upper - theirs[3][1:-1]).max() <= 2 / n + 1e-9


class Fake:
    """A fit that needs no compiler, and stops where it is told to."""

    stop, calls = None, 0

    def __init__(self, prepared, **size):
        self.n = len(calibration.quantities(prepared))

    def one(self, number):
        type(self).calls += 1
        if number == self.stop:
            raise KeyboardInterrupt
        return np.random.default_rng(number).integers(0, RANK_DRAWS + 1, self.n), 0


def test_an_interrupted_calibration_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "Calibrator", Fake)
    case = two_states(tmp_path / "case")
    whole = calibration.run(case, 25, tmp_path / "a.jsonl", model="coalition", **SIZE)
    Fake.stop = 9
    with pytest.raises(KeyboardInterrupt):
        calibration.run(case, 25, tmp_path / "b.jsonl", model="coalition", **SIZE)
    Fake.stop, Fake.calls = None, 0
    resumed = calibration.run(case, 25, tmp_path / "b.jsonl", model="coalition", **SIZE)
    assert Fake.calls == 25 - 9
    np.testing.assert_array_equal(resumed.ranks, whole.ranks)
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_calibrate_writes_its_page_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "Calibrator", Fake)
    Fake.stop, Fake.calls = None, 0
    done = commands.calibrate(tmp_path / "out", simulations=np.int64(20), given=np.False_, **SIZE)
    assert repr(done).startswith("<Calibration: bananas, coalition, simulations: 20, quantities: ")
    assert done.settings["case"] == "bananas"
    page = (tmp_path / "out" / "calibration.html").read_text()
    assert unread(page) == []
    assert page.count(str(done.verdict)) == 2  # the first line, and the drawing for those who cannot see it
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["passed"] is done.passed
    commands.calibrate(tmp_path / "out", simulations=22, **SIZE)
    assert Fake.calls == 22


def test_curves_outside_the_band_are_named():
    """Ranks all in the lowest tenth, beside ranks as even as can be."""
    even = np.arange(200) * (RANK_DRAWS + 1) // 200
    names, ranks = ("even", "low"), np.stack([even, even // 10], axis=1)
    found = calibration.Calibration(names, ranks, judge(ranks, names, RANK_DRAWS), 0, {})
    _, lower, upper = band(200, RANK_DRAWS)
    assert _leaving(_shares_below(found), lower, upper) == "Outside it somewhere: low."
    alone = calibration.Calibration(names[:1], ranks[:, :1], found.verdict, 0, {})
    assert _leaving(_shares_below(alone), lower, upper) == "None leaves it."


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(Refused, match="holds other files"):
        commands.calibrate(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize(("wrong", "match"), [({"simulations": 3}, "--simulations: 3"), ({"draws": 2}, "--draws: 2 ")])
def test_too_few_is_refused(tmp_path, wrong, match):
    with pytest.raises(Refused, match=match):
        commands.calibrate(tmp_path / "out", **(SIZE | wrong))


def test_conduct_in_a_simulated_world_is_that_of_its_coded_decisions(tmp_path):
    """Row by row: what each row met is the credit of the counterparty's simulated rows before it."""
    prepared = models.prepare("coalition", two_states(tmp_path))
    world = calibration.simulate(prepared, np.random.default_rng(5))
    items = prepared.layout.rows.items
    for i, item in enumerate(items):
        before = [
            world.outcome[k] / 2
            for k, other in enumerate(items)
            if item.stage == other.stage == "compliance" and other.state != item.state and other.date < item.date
        ]
        assert world.history.credit[i, 0] == pytest.approx(sum(before))
        assert world.history.count[i, 0] == len(before)


def test_the_record_that_is_seen_is_the_coded_one_when_asked_for(tmp_path):
    """With certain miscoding conduct abroad turns round: seen as coded, the other side's support follows the code."""
    case = load_case(walk(tmp_path, ["comply"] * 4))
    prepared = models.prepare("coalition", case)
    layout = prepared.layout
    layout.error = np.ones(len(layout.rows))
    draws = Latents(layout).draw_all(4, np.random.default_rng(1))
    plain = worlds.replay(prepared.model, layout, draws, np.random.default_rng(2))
    coded = worlds.replay(prepared.model, layout, draws, np.random.default_rng(2), as_coded=True)
    assert plain.shape == coded.shape == (4, 4)
    assert set(np.unique(coded)) <= {0, 2}


def test_history_of_other_outcomes_leaves_the_layout_as_it_was(tmp_path):
    layout = models.prepare("coalition", two_states(tmp_path)).layout
    before = [part.copy() for part in layout.history]
    turned = history_of(layout, np.zeros(len(layout.rows), int))
    assert turned.credit.sum() == 0
    for part, old in zip(layout.history, before, strict=True):
        np.testing.assert_array_equal(part, old)


def test_a_right_fit_s_truth_and_draws_are_the_same_function(tmp_path):
    """Posterior draws that are the truth itself tie with it everywhere, whatever the world."""
    prepared = models.prepare("coalition", two_states(tmp_path))
    calibrator = object.__new__(calibration.Calibrator)
    calibrator.prepared = prepared
    world = calibration.simulate(prepared, np.random.default_rng(6))
    copies = {name: np.repeat(values[None], 9, axis=0) for name, values in world.truth.items()}
    ranks = np.array([calibrator._ranked(copies, world, np.random.default_rng(i)) for i in range(40)])
    assert len(calibration.quantities(prepared)) == ranks.shape[1]
    assert ranks.min() == 0
    assert ranks.max() == 9
    assert (ranks.std(axis=0) > 1.5).all()


def test_conduct_frozen_at_the_real_decisions_is_seen_in_what_rows_met(tmp_path):
    """The planted error's own quantity: where simulated conduct differs from the real one its rank is extreme."""
    prepared = models.prepare("coalition", two_states(tmp_path))
    calibrator = object.__new__(calibration.Calibrator)
    calibrator.prepared = prepared
    names = calibration.quantities(prepared)
    at = [i for i, name in enumerate(names) if name.startswith("conduct[")]
    assert len(at) == 2
    extreme = 0
    for seed in range(30):
        world = PLANTED["conduct frozen"](prepared, np.random.default_rng(seed))
        drawn = Latents(prepared.layout).draw_all(99, np.random.default_rng(100 + seed))
        extreme += np.isin(calibrator._ranked(drawn, world, np.random.default_rng(1))[at], [0, 99]).any()
    assert extreme > 5
