"""Draws carried to another layout: what is shared stays, what is new has its law given the rest."""

import numpy as np
import pytest

from bayes_compliance import models
from bayes_compliance.case import load_case
from bayes_compliance.inference.carry import carry
from bayes_compliance.latents import Latents
from tests.inference.linear_cases import walk

N = 40_000


def layouts(tmp_path, old=(0, 3), new=(0, 1, 2, 3, 4)):
    """Layouts of the same walk with decisions on some of its dates."""
    whole = load_case(walk(tmp_path, ["comply"] * 5))
    cases = [whole.model_copy(update={"decisions": tuple(whole.decisions[i] for i in at)}) for at in (old, new)]
    return [models.prepare("coalition", case).layout for case in cases]


def paths(layout, draws):
    return layout.walk(draws["innovation"])


def test_shared_dates_keep_their_paths(tmp_path):
    old, new = layouts(tmp_path)
    draws = Latents(old).draw_all(50, np.random.default_rng(1))
    carried = carry(draws, old, new, np.random.default_rng(2))
    np.testing.assert_allclose(paths(new, carried)[:, [0, 3]], paths(old, draws), atol=1e-12)
    back = carry(carried, new, old)
    np.testing.assert_allclose(back["innovation"], draws["innovation"], atol=1e-10)


def test_new_dates_are_a_bridge_between_old_ones_and_a_walk_after_them(tmp_path):
    """W at years .5 and .75 given those at .25 and 1, and at 1.25; 5 standard errors (false alarm below 1e-5)."""
    old, new = layouts(tmp_path)
    innovation = np.broadcast_to([[1.0, -2.0]], (N, 2))
    draws = Latents(old).draw_all(N, np.random.default_rng(1)) | {"innovation": innovation}
    told = paths(old, draws)[0]
    found = paths(new, carry(draws, old, new, np.random.default_rng(2)))
    # in units of yearly standard deviations; dates are whole days, hence the hundredth
    for at, mean, variance in [
        (1, told[0] + (told[1] - told[0]) / 3, 1 / 6),
        (2, told[0] + (told[1] - told[0]) * 2 / 3, 1 / 6),
        (4, told[1], 0.25),
    ]:
        assert found[:, at].mean() == pytest.approx(mean, abs=5 * np.sqrt(variance / N) + 0.01)
        assert found[:, at].var() == pytest.approx(variance, rel=5 * np.sqrt(2 / N) + 0.01)
    assert np.cov(found[:, 1], found[:, 2])[0, 1] == pytest.approx(1 / 12, abs=0.005)


def test_prior_draws_stay_prior_draws(tmp_path):
    """Covariances of N standard normals: 6 standard errors, false alarm below 1e-7."""
    old, new = layouts(tmp_path)
    draws = Latents(old).draw_all(N, np.random.default_rng(1))
    carried = carry(draws, old, new, np.random.default_rng(2))["innovation"]
    assert np.abs(np.cov(carried.T) - np.eye(carried.shape[1])).max() < 6 * np.sqrt(2 / N)


def test_new_dates_without_chance_are_an_error(tmp_path):
    old, new = layouts(tmp_path)
    with pytest.raises(ValueError, match="rng is needed"):
        carry(Latents(old).draw_all(3, np.random.default_rng(1)), old, new)
