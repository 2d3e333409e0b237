"""Posterior calibration: the decisions that were taken, and once more as they were simulated."""

import numpy as np
import pytest

from bayes_compliance import cli, models
from bayes_compliance.case import load_case
from bayes_compliance.latents import Latents
from bayes_compliance.validation import given
from bayes_compliance.validation.calibration import RANK_DRAWS, quantities
from bayes_compliance.validation.commands import shipped
from bayes_compliance.validation.ranks import judge
from bayes_compliance.validation.shared import history_of
from tests.models.cases import two_states
from tests.validation.planted import decided_with_half_the_noise


class Prior:
    """In the place of the sampler: draws from the prior, and what it was given."""

    def __init__(self, prepared):
        self.layout, self.seen = prepared.layout, []

    def sample(self, data, *, draws, tune, chains, seed):
        self.seen.append(data)
        found = Latents(self.layout).draw_all(draws * chains, np.random.default_rng(seed))
        return {k: v.reshape(chains, draws, -1) for k, v in found.items()}, {"diverging": np.zeros((chains, draws))}


@pytest.fixture
def ready(tmp_path, monkeypatch):
    monkeypatch.setattr(given, "Shared", Prior)
    prepared = models.prepare("coalition", two_states(tmp_path))
    return given.Given(prepared, seed=1, draws=60, tune=10, chains=2)


def test_truths_are_drawn_with_nothing_said_of_the_copies(ready):
    layout, (data,) = ready.prepared.layout, ready.shared.seen
    n, copies = len(layout.rows), int((~layout.depth).sum())
    assert len(data.outcome) == n + copies == len(ready.shared.layout.rows)
    np.testing.assert_array_equal(data.error[:n], layout.error)
    assert data.error[n:] == pytest.approx(((layout.rows.n_outcomes - 1) / layout.rows.n_outcomes)[~layout.depth])


def test_a_fit_sees_the_decisions_taken_and_a_copy_with_the_conduct_of_its_own_world(ready):
    layout = ready.prepared.layout
    world = ready._world(np.random.default_rng(3))
    ranks, _ = ready.one(0, lambda prepared, rng: world)
    data, n, copied = ready.shared.seen[-1], len(layout.rows), ~layout.depth
    np.testing.assert_array_equal(data.outcome, [*layout.outcome, *world.outcome[copied]])
    np.testing.assert_array_equal(world.outcome[layout.depth], layout.outcome[layout.depth])
    assert layout.depth.any()
    np.testing.assert_array_equal(data.error, [*layout.error, *layout.error[copied]])
    for part, taken, lived in zip(data.history, layout.history, history_of(layout, world.outcome), strict=True):
        np.testing.assert_array_equal(part[:n], taken)
        np.testing.assert_array_equal(part[n:], lived[copied])
    assert len(ranks) == len(quantities(ready.prepared))
    assert ready.shared.layout.knots == layout.knots  # copies fall on the dates of the decisions


def test_a_case_that_measures_is_calibrated_given_its_decisions_only(tmp_path, capsys):
    asked = ["calibrate", str(shipped("nafta")), "--out", str(tmp_path / "out")]
    assert cli.main(asked) == 2
    assert "allowed: none, or --given" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_coalition_is_calibrated_given_the_decisions_and_a_planted_error_is_caught():
    """Family-wise false-alarm rate 5% at a fixed seed; the error: copies decided with half the noise."""
    prepared = models.prepare("coalition", load_case(shipped("bananas")))
    ready = given.Given(prepared, seed=1, draws=250, tune=500, chains=2)
    for world_of, passes in ((None, True), (decided_with_half_the_noise(ready), False)):
        ranks = np.array([ready.one(i, world_of)[0] for i in range(200)])
        found = judge(ranks, quantities(prepared), RANK_DRAWS)
        assert found.passed is passes, str(found)
