"""Known truth: a synthetic panel's P2 + G2 is found again, and partial pooling foretells best; slow job.

How many of a panel's 90% intervals hold their truths varies more than a binomial count, since all states share what is
not known of the level. Its law under a right posterior is known, though: each draw in turn stands for the truth. The
number for the real truth is tested against that at a false-alarm rate of 1e-3.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from bayes_compliance import seeds
from bayes_compliance.inference.diagnostics import failed
from bayes_compliance.panel.fitting import Fitter, diagnose, grow
from bayes_compliance.panel.holding import by_state, held_out
from bayes_compliance.panel.layout import PanelLayout
from bayes_compliance.panel.synthetic import Synthetic, synthetic

FALSE_ALARM = 1e-3
LEVEL = (0.05, 0.95)
RANK_CORRELATION = 0.8
ERRORS = 2.0


@pytest.fixture(scope="module")
def fitted() -> tuple[Synthetic, PanelLayout, dict, list]:
    made = synthetic(60, 60, 2600, seed=7)
    layout = PanelLayout(made.panel)
    draws, stats, _ = Fitter(layout).sample(seed=1)
    return made, layout, draws, diagnose(layout, grow(layout, draws, stats, 1, {}))


def held(draws: np.ndarray, truth: np.ndarray) -> int:
    low, high = np.quantile(draws, LEVEL, axis=0)
    return int(((low <= truth) & (truth <= high)).sum(axis=-1))


@pytest.mark.slow
def test_diagnostics_pass(fitted):
    assert not failed(fitted[3])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["p2_g2", "interest"])
def test_intervals_hold_the_truth_as_often_as_they_should(fitted, name):
    made, _, draws, _ = fitted
    flat = draws[name].reshape(-1, draws[name].shape[-1])
    low, high = np.quantile(flat, LEVEL, axis=0)
    law = ((low <= flat) & (flat <= high)).sum(axis=1)
    least, most = np.quantile(law, [FALSE_ALARM / 2, 1 - FALSE_ALARM / 2])
    assert least <= held(flat, made.truth[name]) <= most
    wrong = np.roll(made.truth[name], 1)
    assert held(flat, wrong) < least, "a control: each item beside its neighbour's truth"


@pytest.mark.slow
def test_states_come_in_the_order_of_their_truths(fitted):
    made, _, draws, _ = fitted
    mean = draws["p2_g2"].mean(axis=(0, 1))
    assert spearmanr(mean, made.truth["p2_g2"]).statistic > RANK_CORRELATION
    assert abs(spearmanr(mean, np.roll(made.truth["p2_g2"], 1)).statistic) < RANK_CORRELATION, "a control"


@pytest.mark.slow
def test_partial_pooling_foretells_held_out_rows_best():
    """Paired gains in log score on rows that no fit had seen, more than two standard errors over states above 0."""
    panel = synthetic(150, 20, 1200, seed=3).panel
    score = {}
    for pooling in ("partial", "none", "complete"):
        layout = PanelLayout(panel, pooling)
        fold = seeds.generator(1, "folds of rows").permutation(len(layout.outcome)) % 2
        score[pooling] = held_out(Fitter(layout), fold, seed=1, draws=500, tune=500, chains=2)
    best = score["partial"]
    assert best.better[0] > ERRORS * best.better[1], "better than base rates"
    for rival in ("none", "complete"):
        gain, error = best._replace(base=score[rival].score).better
        assert gain > ERRORS * error, (rival, gain, error)


@pytest.mark.slow
def test_covariates_foretell_states_that_were_left_out():
    made = synthetic(60, 20, 1200, seed=3, missing=0.0, truth={"state_effect": 0.8, "state_spread": 0.3})
    layout = PanelLayout(made.panel)
    found = held_out(Fitter(layout), by_state(layout, 3, 1), seed=1, draws=500, tune=500, chains=2)
    mean, error = found.better
    assert mean > ERRORS * error, (mean, error)
