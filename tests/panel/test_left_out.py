"""States left out: each fold is a task that any worker can do, entered when it is done."""

import json
import pickle
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from bayes_compliance import cli, sweeps
from bayes_compliance.errors import Refused
from bayes_compliance.panel.fitting import Fitter, prior
from bayes_compliance.panel.holding import (
    COLUMNS,
    Count,
    Folds,
    HeldOut,
    _scored,
    begun,
    by_state,
    by_state_table,
    held_out,
)  # fmt: skip
from bayes_compliance.panel.layout import PanelLayout
from bayes_compliance.panel.synthetic import synthetic, write
from tests.panel import plain

SAMPLER = {"seed": 1, "draws": 50, "tune": 100, "chains": 2}
SMALL = ["--draws", "50", "--tune", "100", "--chains", "2", "--leave-out", "3"]


@pytest.fixture(scope="module")
def made():
    return synthetic(6, 8, 80, seed=3)


@pytest.fixture(scope="module")
def layout(made):
    return PanelLayout(made.panel)


def test_a_job_goes_to_workers_without_what_was_compiled(layout):
    fold = tuple(by_state(layout, 3, 1).tolist())
    job = Folds(layout.panel, "partial", False, layout.centred, fold, tuple(SAMPLER.items()), (), object())
    there = pickle.loads(pickle.dumps(job))
    assert there.fitter is None
    assert there == job, "a worker stays ready for the tasks of one job"
    assert there != Folds(layout.panel, "none", False, layout.centred, fold, tuple(SAMPLER.items()), ())


def test_folds_that_are_there_are_not_fitted_again(layout, tmp_path):
    fold = by_state(layout, 3, 1)
    fitter = Fitter(layout)
    whole = held_out(fitter, fold, **SAMPLER, journal=begun(layout, fold, SAMPLER, tmp_path / "a"))
    lines = (tmp_path / "a").read_text().splitlines(keepends=True)
    assert len(lines) == 4
    (tmp_path / "b").write_text("".join(lines[:3]))
    fitted = []

    class Counted:
        def __getattr__(self, name):
            return getattr(fitter, name)

        def sample(self, **settings):
            fitted.append(settings["held_out"])
            return fitter.sample(**settings)

    again = held_out(Counted(), fold, **SAMPLER, journal=begun(layout, fold, SAMPLER, tmp_path / "b"))
    assert [out.tolist() for out in fitted] == [(fold == 2).tolist()]
    np.testing.assert_array_equal(again.score, whole.score)
    assert again.counts == whole.counts
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with pytest.raises(Refused, match=r"another panel was begun here \(other seed\)"):
        begun(layout, fold, SAMPLER | {"seed": 2}, tmp_path / "a")


@pytest.mark.slow
def test_two_workers_write_what_one_does(made, tmp_path):
    folder = tmp_path / "panel"
    write(folder, made)
    written = []
    for workers in ("1", "2"):
        out = tmp_path / f"by {workers}"
        assert cli.main(["panel", str(folder), "--out", str(out), *SMALL, "--workers", workers]) in (0, 1)
        assert not (tmp_path / f"by {workers}.left-out.jsonl").exists(), "done with once the RUN is there"
        written.append([(out / name).read_bytes() for name in ("left_out.csv", "forecast.csv")])
    assert written[0] == written[1]


def test_refits_of_another_panel_are_refused_before_any_fit(made, tmp_path, capsys):
    folder, beside = tmp_path / "panel", tmp_path / "run.left-out.jsonl"
    write(folder, made)
    sweeps.Journal(beside, {"seed": 7}, "panel")
    before = beside.read_bytes()
    assert cli.main(["panel", str(folder), "--out", str(tmp_path / "run"), *SMALL]) == cli.REFUSED
    assert "run.left-out.jsonl: line 1: another panel was begun here" in capsys.readouterr().err
    assert beside.read_bytes() == before
    assert json.loads(before)["seed"] == 7
    assert not (tmp_path / "run").exists()


def test_workers_below_one_are_refused(tmp_path, capsys):
    assert cli.main(["panel", str(tmp_path), "--out", str(tmp_path / "run"), "--workers", "0"]) == cli.REFUSED
    assert "--workers: 0 is too few" in capsys.readouterr().err


@pytest.mark.parametrize("outcomes", [2, 3])
def test_a_fold_is_scored_as_loops_over_its_rows_and_draws(made, outcomes):
    """The log of a row's mean probability over draws, and of its outcome's rate among the rows that were seen."""
    panel = made.panel
    kept = tuple(e for e in panel.entries if outcomes == 3 or e.decision.decision not in ("partial", "comply_late"))
    layout = PanelLayout(replace(panel, entries=kept, outcomes=dict.fromkeys(panel.outcomes, outcomes)))
    out, compliance = by_state(layout, 3, 1) == 2, [e.decision.kind == "compliance" for e in layout.entries]
    x = prior(layout, 6, np.random.default_rng(1))
    fitted = SimpleNamespace(draws={name: values.reshape(2, 3, -1) for name, values in x.items()})
    found = _scored(SimpleNamespace(layout=layout, sample=lambda **_: fitted), out, "1", SAMPLER)
    each = np.exp([plain.log_probabilities(layout, {name: v[i] for name, v in x.items()}) for i in range(6)])
    np.testing.assert_allclose(found["score"], np.log(each.mean(axis=0))[out])
    checked = 0
    for i, base in zip(np.flatnonzero(out), found["base"], strict=True):
        seen = [layout.outcome[j] for j in np.flatnonzero(~out & compliance)]
        if compliance[i]:
            assert base == pytest.approx(np.log((seen.count(layout.outcome[i]) + 0.5) / (len(seen) + outcomes / 2)))
            checked += 1
    assert checked > 5


def test_the_table_of_states_left_out_is_of_their_own_rows():
    states = np.array([0, 2, 0, 2, 2])
    score, base = np.array([-1.0, -0.5, -2.0, -0.7, -0.9]), np.array([-1.2, -0.4, -1.4, -0.4, -0.4])
    counts = (Count("A", 2, 1, 1.25, 0, 2), Count("C", 3, 3, 2.5, 1, 3))
    one, other = by_state_table(HeldOut(np.arange(5), states, score, base, counts), ("A", "B", "C"))
    assert set(one) == set(other) == set(COLUMNS)
    assert (one["state"], one["rows"], one["complied"], one["lower"], one["upper"]) == ("A", "2", "1", "0", "2")
    assert [one[k] for k in ("expected", "log_score", "base_rate_log_score", "gain")] == pytest.approx(
        [1.25, -1.5, -1.3, -0.2]
    )
    assert [other[k] for k in ("expected", "log_score", "base_rate_log_score", "gain")] == pytest.approx(
        [2.5, -0.7, -0.4, -0.3]
    )
