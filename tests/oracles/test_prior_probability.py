"""Prior probabilities of decisions: the theory on prior draws against sums of independent normals, in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from bayes_compliance import asking, models, worlds
from bayes_compliance.case import load_case
from bayes_compliance.latents import Latents
from tests.builders import complied, known, normal, write_case

DRAWS = 200_000
MEAN = {"j": 0.9, "k": 1.0, "l": 0.5, "p": 0.2}
SD = {"j": 0.4, "k": 0.5, "l": 0.3, "p": 0.25}
VOLATILITY = {"j": 0.2, "k": 0.1, "l": 0.0, "p": 0.15}
STEP, W, Q, NOISE, WIDTH, THRESHOLD, SPREAD = 0.1, 0.7, 0.8, 0.6, 0.3, 0.15, 0.25
YEARS = (0.0, 0.0, 4.0, 12.0)
WEIGHTS = (
    {"j": 1.0, "k": -1.0},
    {"j": 1.0, "k": -1.0, "l": 1.0, "p": 1.0},
    {"j": 1.0, "k": -1.0, "l": W * Q, "p": 1.0},
    {"j": 1.0, "k": -1.0, "l": W * Q, "p": 1.0},
)
"""S0, SA, and SC on two dates."""


def margin(row: int, weights: dict[str, float]) -> tuple[float, float]:
    """Mean and standard deviation of the noisy margin, by adding up."""
    step = STEP if row > 1 else 0.0
    mean = sum(weight * MEAN[lobby] for lobby, weight in weights.items()) + step - THRESHOLD
    variance = sum(c**2 * (SD[b] ** 2 + VOLATILITY[b] ** 2 * YEARS[row]) for b, c in weights.items()) + NOISE**2
    # j covers all rules: it has a spread on each
    return mean, float(np.sqrt(variance + SPREAD**2))


def closed_form(row: int, weights: dict[str, float]) -> tuple[float, float]:
    """Probabilities of comply and of violate."""
    mean, sd = margin(row, weights)
    width = WIDTH if row > 1 else 0.0
    return float(norm.cdf((mean - width) / sd)), float(norm.cdf((-width - mean) / sd))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    roles = {"j": "J", "k": "K", "l": "L", "p": "P"}
    lobbies = [{"id": b, "state": "H", "role": role, "rules": None if b == "j" else ["r"]} for b, role in roles.items()]
    folder = write_case(
        tmp_path_factory.mktemp("prior"),
        states=[{"id": "H", "threshold": THRESHOLD}],
        lobbies=lobbies,
        judgements=[
            *(normal(lobby, MEAN[lobby], SD[lobby]) for lobby in roles),
            *(known("volatility", v, lobby) for lobby, v in VOLATILITY.items()),
            known("step", STEP, "p"), known("shadow", W), known("reciprocity", Q), known("decision_noise", NOISE),
            known("partial_width", WIDTH), known("rule_spread_points", SPREAD),
        ],
        decisions=[
            {"date": "2000-01-01", "state": "H", "rule": "r", "kind": "status_quo", "decision": "violate"},
            {"date": "2000-01-01", "state": "H", "rule": "r", "kind": "adherence", "decision": "adhere"},
            complied("2004-01-01"),
            complied("2012-01-01"),
        ],
        outcomes=3,
    )  # fmt: skip
    return models.prepare("coalition", load_case(folder))


@pytest.fixture(scope="module")
def draws(prepared):
    return Latents(prepared.layout).draw_all(DRAWS, np.random.default_rng(1))


def positions(prepared) -> list[int]:
    """Rows of the layout in the order of `WEIGHTS`."""
    stages = [(item.stage, item.date.year) for item in prepared.layout.rows.items]
    wanted = [("status_quo", 2000), ("adherence", 2000), ("compliance", 2004), ("compliance", 2012)]
    return [stages.index(stage) for stage in wanted]


def test_probabilities_are_those_of_sums_of_normals(prepared, draws):
    answer = asking.ask_observed(prepared.model, prepared.layout, draws)
    for row, at in enumerate(positions(prepared)):
        for k, name in enumerate(("p_comply", "p_violate")):
            p = getattr(answer, name)[:, at]
            limit = 4.5 * p.std() / np.sqrt(DRAWS)  # false-alarm rate 1e-5 for each of 8
            assert abs(p.mean() - closed_form(row, WEIGHTS[row])[k]) < limit
            assert abs(p.mean() - closed_form(row, WEIGHTS[row] | {"k": 1.0})[k]) > limit


def test_support_has_the_mean_and_variance_of_the_sum(prepared, draws):
    support = asking.ask_observed(prepared.model, prepared.layout, draws).support
    for row, at in enumerate(positions(prepared)):
        mean, sd = margin(row, WEIGHTS[row])
        variance = sd**2 - NOISE**2
        limit = 4.5 * np.sqrt(variance / DRAWS)  # false-alarm rate 1e-5 for each of 4
        assert abs(support[:, at].mean() - THRESHOLD - mean) < limit
        assert abs(support[:, at].var() - variance) < 4.5 * variance * np.sqrt(2 / DRAWS)  # and for each of 4


def test_simulated_decisions_fall_as_often_as_the_closed_form_says(prepared, draws):
    decided = worlds.replay(prepared.model, prepared.layout, draws, np.random.default_rng(2))
    for row, at in enumerate(positions(prepared)):
        for outcome, p in zip((2, 0), closed_form(row, WEIGHTS[row]), strict=True):
            share = (decided[:, at] == outcome).mean()
            assert abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / DRAWS)  # false-alarm rate 1e-5 for each of 8
