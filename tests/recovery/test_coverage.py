"""Known truth: on 200 small synthetic data sets, 90% intervals hold the truth 90% of the time; slow job.

Truths come from the prior and decisions from the truth, in sequence. The number of intervals that hold their truth is
then Binomial(200, .9) for each quantity; it is tested at a false-alarm rate of 1e-4 for each of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from bayes_compliance import asking, models, worlds
from bayes_compliance.case import load_case
from bayes_compliance.inference import exact
from bayes_compliance.latents import Latents
from bayes_compliance.models import Prepared
from tests.builders import complied, known, normal, write_case

N, LEVEL, FALSE_ALARM = 200, 0.9, 1e-4
WORDS = ("violate", "partial", "comply")


def case_of(folder: Path) -> Prepared:
    """Twelve decisions on two rules, five lobbies, one spread over rules; every constant known."""
    days = [f"{2001 + i}-0{1 + i % 9}-01" for i in range(12)]
    lobbies = [{"id": "j", "state": "H", "role": "J", "rules": ["r"]}, {"id": "k", "state": "H", "role": "K"}]
    lobbies += [{"id": "l", "state": "H", "role": "L"}, {"id": "p", "state": "H", "role": "P"}]
    write_case(
        folder,
        rules=[{"id": "r", "states": ["H"]}, {"id": "s", "states": ["H"]}],
        lobbies=lobbies,
        judgements=[
            normal("j", 0.8, 0.6), normal("k", 1.0, 0.5), normal("l", 0.6, 0.4), normal("p", 0.1, 0.3),
            *(known("volatility", v, b) for v, b in ((0.2, "j"), (0.2, "k"), (0.1, "l"), (0.1, "p"))),
            known("step", 0.15, "p"), known("shadow", 0.7), known("reciprocity", 0.8), known("decision_noise", 0.6),
            known("rule_spread_points", 0.2), known("partial_width", 0.3),
        ],
        decisions=[complied(day, rule="rs"[i % 2]) for i, day in enumerate(days)],
        outcomes=3,
    )  # fmt: skip
    return models.prepare("coalition", load_case(folder))


def with_outcomes(case: Prepared, outcome: np.ndarray, noise_scale: float) -> Prepared:
    told = [d.model_copy(update={"decision": WORDS[o]}) for d, o in zip(case.layout.decisions, outcome, strict=True)]
    return models.prepare("coalition", case.case.model_copy(update={"decisions": tuple(told)}), noise_scale)


def held(case: Prepared, noise_scale: float = 1.0) -> dict[str, int]:
    """How many of the N intervals hold their truth, by quantity."""
    truth = Latents(case.layout).draw_all(N, np.random.default_rng(1))
    outcome = worlds.replay(case.model, case.layout, truth, np.random.default_rng(2))
    support = asking.ask_observed(case.model, case.layout, truth).support
    names = [lobby.id for lobby in case.case.lobbies]
    count = dict.fromkeys([*names, "support"], 0)
    for i in range(N):
        fitted = with_outcomes(case, outcome[i], noise_scale)
        draws, _ = exact.sample(fitted, draws=400, chains=1, seed=i)
        flat = {name: values[0] for name, values in draws.items()}
        found = asking.ask_observed(fitted.model, fitted.layout, flat).support[:, -1]
        count["support"] += within(found, support[i, -1])
        for b, name in enumerate(names):
            count[name] += within(flat["magnitude"][:, b], truth["magnitude"][i, b])
    return count


def within(draws: np.ndarray, truth: float) -> bool:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return bool(low <= truth <= high)


@pytest.mark.slow
def test_ninety_percent_intervals_hold_the_truth_ninety_percent_of_the_time(tmp_path):
    low, high = binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], N, LEVEL)
    count = held(case_of(tmp_path))
    assert all(low <= n <= high for n in count.values()), (count, low, high)


@pytest.mark.slow
def test_a_planted_error_is_caught_at_the_same_n_and_rate(tmp_path):
    low, _ = binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], N, LEVEL)
    count = held(case_of(tmp_path), noise_scale=0.1)
    assert count["support"] < low, (count, low)
