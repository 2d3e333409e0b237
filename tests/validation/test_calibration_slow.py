"""Simulation-based calibration of `coalition`, and errors that it must catch at the same size and threshold."""

import numpy as np
import pytest

from bayes_compliance import models
from bayes_compliance.case import load_case
from bayes_compliance.validation.calibration import RANK_DRAWS, Calibrator, quantities, simulate
from bayes_compliance.validation.commands import shipped
from bayes_compliance.validation.ranks import judge
from tests.validation.planted import PLANTED

pytestmark = pytest.mark.slow
N = 200


@pytest.fixture(scope="module")
def calibrator():
    prepared = models.prepare("coalition", load_case(shipped("bananas")))
    return Calibrator(prepared, seed=1, draws=250, tune=500, chains=2)


def verdict(calibrator, world_of):
    ranks = np.array([calibrator.one(i, world_of)[0] for i in range(N)])
    return judge(ranks, quantities(calibrator.prepared), RANK_DRAWS)


def test_coalition_is_calibrated(calibrator):
    """Family-wise false-alarm rate 5%, at a fixed seed."""
    found = verdict(calibrator, simulate)
    assert found.passed, str(found)


@pytest.mark.parametrize("name", PLANTED)
def test_planted_errors_are_caught(calibrator, name):
    found = verdict(calibrator, PLANTED[name])
    assert not found.passed, str(found)
