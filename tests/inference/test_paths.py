"""W at the knots in PyTensor: the same as in NumPy, with the right gradient."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.gradient import verify_grad

from bayes_compliance import models
from bayes_compliance.inference.paths import Walk, at_knots
from tests.models.cases import two_states


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    return models.prepare("coalition", two_states(tmp_path_factory.mktemp("case"))).layout


@pytest.mark.parametrize("mode", ["NUMBA", "FAST_COMPILE"])
def test_paths_and_their_gradients_are_those_of_the_layout(layout, mode):
    rng = np.random.default_rng(1)
    e, weight = rng.standard_normal((2, len(layout.knots)))
    innovation = pt.vector("innovation", shape=(len(layout.knots),))
    walk = at_knots(layout, innovation)
    gradient = pytensor.grad((weight * walk).sum(), innovation)
    found, slope = pytensor.function([innovation], [walk, gradient], mode=mode)(e)
    assert found == pytest.approx(layout.walk(e), abs=1e-12)
    # W is linear in e: the slope in each direction is the weighted path of the unit innovation
    assert slope == pytest.approx(layout.walk(np.eye(len(e))) @ weight, abs=1e-12)
    assert len({lobby for lobby, _ in layout.knots}) > 1  # paths of several lobbies stand one after the other
    assert np.ptp(layout.path_steps[1]) > 0


@pytest.mark.parametrize("transposed", [False, True])
def test_either_way_has_the_other_for_its_gradient(transposed):
    kept, new = np.array([0.0, 0.5, 0.9, 0.0, 1.0]), np.array([1.0, 2.0, 0.5, 3.0, 0.1])
    point = np.random.default_rng(2).standard_normal(5)
    verify_grad(lambda e: Walk(transposed)(e, kept, new), [point], rng=np.random.default_rng(3))
