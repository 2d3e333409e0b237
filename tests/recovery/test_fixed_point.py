"""What one state's decisions say of another's lobbies: known truth through the fixed point (slow).

Only F decides on record, and complies by its chance in equilibrium with H. That chance answers H's, and so tells of H's
K, of which observed conduct knows nothing: H has no record. A well-calibrated fit fails to cover for 1 in 100 seeds,
and the seed is fixed.
"""

import numpy as np
import pytest
from scipy.special import ndtr

from bayes_compliance import inference, models
from bayes_compliance.case import load_case
from bayes_compliance.inference import trial
from bayes_compliance.joint import JointLayout
from tests.builders import known, quantiles, write_case
from tests.recovery.test_models import decided, recovers

pytestmark = pytest.mark.slow

TRUTH, WRONG, L, F_K = 1.7, 4.0, 1.5, 1.6
PRIOR = (0.7, 1.7, 4.1)


def chances(k):
    """The two chances in equilibrium, by plain iteration: margins 1 + L p - K at a noise of 1."""
    h = f = 0.0
    for _ in range(1000):
        h, f = ndtr(1 + L * f - k), ndtr(1 + L * h - F_K)
    return h, f


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    sharp = {"H J": 1.0, "H L": L, "F J": 1.0, "F K": F_K, "F L": L}
    place = write_case(
        tmp_path_factory.mktemp("one"),
        states=[{"id": "H", "counterparties": ["F"]}, {"id": "F", "counterparties": ["H"]}],
        rules=[{"id": "r", "states": ["H", "F"]}],
        lobbies=[{"id": f"{s} {r}", "state": s, "role": r} for s in "HF" for r in "JKL"],
        judgements=[
            known("decision_noise", 1.0), known("shadow", 1.0), known("trust", 1.0), known("rule_spread", 0.0),
            *(known("volatility", 0.0, f"{s} {r}") for s in "HF" for r in "JKL"),
            *(known("magnitude", value, name) for name, value in sharp.items()), quantiles("magnitude", *PRIOR, "H K"),
        ],
        decisions=decided({"F": chances(TRUTH)[1]}, 1, 1),
        scale="log",
    )  # fmt: skip
    return models.prepare("reciprocity", load_case(place))


def fitted(case):
    """Log magnitudes of H's K in a fit as it is given, (draw,)."""
    tree = inference.fit(case, seed=1, draws=1000, tune=1000, chains=2)
    failed = [check for check in inference.diagnose(case, tree) if not check.passed]
    assert not failed, "; ".join(map(str, failed))
    return np.log(tree["posterior"]["magnitude"].sel(lobby="H K")).values.ravel()


def test_conduct_abroad_tells_of_the_lobbies_that_it_answers(case):
    found, drawn = trial.settled(case, engine="nuts", seed=1, draws=1000, tune=1000, chains=2)
    assert isinstance(found.layout, JointLayout)
    place = [lobby.id for lobby in found.case.lobbies].index("H K")
    prior_sd = np.log(PRIOR[2] / PRIOR[0]) / 3.29
    recovers(np.log(drawn.draws["magnitude"][..., place]).ravel(), np.log(TRUTH), np.log(WRONG), prior_sd)
    # negative control: observed conduct has learnt nothing
    assert np.std(fitted(case)) > 0.9 * prior_sd
