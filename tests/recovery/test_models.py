"""Known truth is recovered by each model from 20 to 80 decisions of a state, made up with plain arithmetic (slow).

Each posterior must cover the truth by its 99% interval, shut out a wrong value and be at most half as wide as its
prior. A well-calibrated fit fails the first for 1 in 100 seeds, and the seeds are fixed.
"""

import numpy as np
import pytest
from scipy.special import ndtr

from bayes_compliance import inference, models
from bayes_compliance.case import load_case
from tests.builders import complied, known, quantiles, write_case

pytestmark = pytest.mark.slow

DATES = [f"{year}-{month:02d}-15" for year in range(2000, 2020) for month in (2, 5, 8, 11)]
ROLES = "JKL"
SHARP = {"J": 1.0, "K": 2.0, "L": 1.5}
CONSTANTS = [
    known("decision_noise", 0.5), known("shadow", 1.0), known("reciprocity", 0.9), known("rule_spread", 0.0),
    *(known("volatility", 0.0, f"{s} {r}") for s in "HF" for r in ROLES),
]  # fmt: skip


def decided(chances: dict[str, float], seed: int, every: int) -> list[dict]:
    """Rows of each state on every so many dates, each compliance with the state's chance."""
    rng = np.random.default_rng(seed)
    owed = [(day, state, p) for state, p in chances.items() for day in DATES[::every]]
    return [complied(day, "comply" if rng.random() < p else "violate", state=state) for day, state, p in owed]


def fitted(folder, name, chances, judged=(), seed=1, every=1):
    """The fit of a model to two states of known magnitudes, but for what is judged otherwise."""
    other = {j["lobby"] for j in judged if j["quantity"] == "magnitude"}
    sharp = [known("magnitude", SHARP[r], f"{s} {r}") for s in "HF" for r in ROLES if f"{s} {r}" not in other]
    place = write_case(
        folder,
        states=[{"id": "H"}, {"id": "F"}],
        rules=[{"id": "r", "states": ["H", "F"]}],
        lobbies=[{"id": f"{s} {r}", "state": s, "role": r} for s in "HF" for r in ROLES],
        judgements=[*CONSTANTS, *sharp, *judged],
        decisions=decided(chances, seed, every),
        scale="log",
    )
    prepared = models.prepare(name, load_case(place))
    tree = inference.fit(prepared, seed=seed, draws=1000, tune=1000, chains=2)
    failed = [check for check in inference.diagnose(prepared, tree) if not check.passed]
    assert not failed, "; ".join(map(str, failed))
    return tree


def recovers(values, truth, wrong, prior_sd):
    low, high = np.quantile(values, (0.005, 0.995))
    assert low < truth < high
    assert not low < wrong < high
    assert np.std(values) < prior_sd / 2


def support_of(tree, state, group="posterior"):
    """Support of a state's decision half-way through."""
    rows = np.flatnonzero(tree["constant_data"]["decision_state"].values == state)
    return tree[group]["support"].isel(decision=rows[len(rows) // 2])


@pytest.mark.parametrize("name", ["coalition", "reciprocity"])
def test_a_magnitude(tmp_path, name):
    # K = 1.7 leaves SC = 1 + .9 * 1.5 - 1.7 = .65, at a noise of .5
    judged = [quantiles("magnitude", 0.7, 1.7, 4.1, "H K")]
    tree = fitted(tmp_path, name, {"H": ndtr(0.65 / 0.5), "F": ndtr(0.35 / 0.5)}, judged)
    prior_sd = np.log(4.1 / 0.7) / 3.29
    recovers(np.log(tree["posterior"]["magnitude"].sel(lobby="H K")), np.log(1.7), np.log(3.4), prior_sd)


def test_managerial_capacities(tmp_path):
    tree = fitted(tmp_path, "managerial", {"H": ndtr(0.8), "F": ndtr(-0.8)}, every=4)
    for state, truth in (("H", 0.8), ("F", -0.8)):
        recovers(support_of(tree, state), truth, -truth, 1.0)


def test_a_unitary_interest(tmp_path):
    tree = fitted(tmp_path, "unitary", {"H": ndtr(1.0), "F": ndtr(-1.0)}, every=2)
    for state, truth in (("H", 1.0), ("F", -1.0)):
        prior_sd = float(support_of(tree, state, "prior").std())
        recovers(support_of(tree, state), truth, -truth, prior_sd)


def test_what_a_lobby_sees(tmp_path):
    # m_K = .6: SC = 1 + .9 * 1.5 - .6 * 2 = 1.15; detection .5 for F: SC = 1 + .5 * .9 * 1.5 - 2 = -.325
    judged = [quantiles("monitoring", 0.1, 0.5, 0.9, "H K"), quantiles("detection", 0.1, 0.5, 0.9, state="F")]
    tree = fitted(tmp_path, "information", {"H": ndtr(1.15 / 0.5), "F": ndtr(-0.325 / 0.5)}, judged)
    recovers(tree["posterior"]["monitoring"].sel(lobby="H K"), 0.6, 1.0, 0.5)
    recovers(tree["posterior"]["detection"].sel(state="F"), 0.5, 0.9, 0.25)


def test_which_state_is_insincere(tmp_path):
    # both have SC = .35 if sincere and -1 if not
    judged = [quantiles("sincerity", 0.3, 0.5, 0.7)]
    tree = fitted(tmp_path, "opportunism", {"H": ndtr(-1 / 0.5), "F": ndtr(0.35 / 0.5)}, judged)
    p = tree["posterior"]["p_insincere"].mean(("chain", "draw"))
    assert p.sel(state="H") > 0.99
    assert p.sel(state="F") < 0.01
    prior = tree["prior"]["p_insincere"].mean(("chain", "draw"))
    assert abs(prior - 0.5).max() < 0.05
