"""A case on the log scale from judgement to forecast, against a simulation that shares no equation with the package.

Lobbies on the log scale, a spread between rules, three outcomes, a step, and a judged answer from abroad. The posterior
is the prior weighed by the likelihood.
"""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from bayes_compliance import models
from bayes_compliance.case import load_case
from bayes_compliance.forecast import simulate
from bayes_compliance.inference import fit
from bayes_compliance.inference.tree import draws_of
from tests.builders import complied, known, normal, quantiles, write_case

SEEN = (("2002-03-01", "r", "comply"), ("2003-05-01", "s", "violate"), ("2005-01-15", "r", "violate"),
        ("2006-09-01", "s", "partial"), ("2008-02-01", "r", "violate"))  # fmt: skip
JUDGED = {"j": (0.5, 1.1, 2.4), "k": (0.6, 1.0, 1.7), "l": (0.2, 0.5, 1.2)}
VOLATILITY = {"j": 0.15, "k": 0.1, "l": 0.05, "p": 0.12}
P_MEAN, P_SD, STEP, W, Q, NOISE, WIDTH, OMEGA = 0.1, 0.3, 0.1, 0.7, 0.8, 0.5, 0.25, 0.4
START, AHEAD = date(2000, 1, 1), date(2014, 1, 1)
N, CHUNKS = 100_000, 8


def years(day: str) -> float:
    return (date.fromisoformat(day) - START).days / 365.25


def world(rng: np.random.Generator, volatile: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Likelihood of what was seen, and the chance of compliance with r on the date ahead, in N prior worlds."""
    times = np.array([0.0, *(years(day) for day, _, _ in SEEN), years(AHEAD.isoformat())])
    steps = np.sqrt(np.diff(times))[:, None]
    moved = {
        b: volatile * v * np.vstack([np.zeros(N), np.cumsum(steps * rng.normal(size=(len(steps), N)), axis=0)])
        for b, v in VOLATILITY.items()
    }
    base = {b: np.exp(rng.normal(np.log(m), np.log(h / lo) / (2 * 1.644854), N)) for b, (lo, m, h) in JUDGED.items()}
    p, differs = rng.normal(P_MEAN, P_SD, N), {rule: OMEGA * rng.normal(size=N) for rule in "rs"}

    def margin(at: int, rule: str, weight_of_l: float, step: float) -> np.ndarray:
        j = base["j"] * np.exp(moved["j"][at] + differs[rule])
        k, ell = base["k"] * np.exp(moved["k"][at]), base["l"] * np.exp(moved["l"][at])
        return j + weight_of_l * ell + p + moved["p"][at] + step - k

    likelihood = ndtr(margin(0, "r", 1.0, 0.0) / NOISE)
    for i, (_, rule, decision) in enumerate(SEEN, start=1):
        m = margin(i, rule, W * Q, STEP)
        comply, violate = ndtr((m - WIDTH) / NOISE), ndtr((-WIDTH - m) / NOISE)
        likelihood *= {"comply": comply, "violate": violate, "partial": 1 - comply - violate}[decision]
    return likelihood, ndtr((margin(len(times) - 1, "r", W * Q, STEP) - WIDTH) / NOISE)


def brute_force(seed: int, **changed: float) -> tuple[float, float, float]:
    """Posterior mean chance, its standard error, and the prior mean chance."""
    rng = np.random.default_rng(seed)
    weight, chance = map(np.concatenate, zip(*(world(rng, **changed) for _ in range(CHUNKS)), strict=True))
    share = weight / weight.sum()
    mean = float(share @ chance)
    return mean, float(np.sqrt(share**2 @ (chance - mean) ** 2)), float(chance.mean())


def case_folder(folder: Path) -> Path:
    return write_case(
        folder,
        scale="log",
        outcomes=3,
        horizon={"until": AHEAD, "step_years": 50},
        rules=[{"id": "r", "states": ["H"]}, {"id": "s", "states": ["H"]}],
        lobbies=[
            {"id": "j", "state": "H", "role": "J"},
            *({"id": b, "state": "H", "role": b.upper(), "rules": ["r", "s"]} for b in "klp"),
        ],
        judgements=[
            *(quantiles("magnitude", *judged, lobby) for lobby, judged in JUDGED.items()),
            normal("p", P_MEAN, P_SD), known("step", STEP, "p"),
            *(known("volatility", v, lobby) for lobby, v in VOLATILITY.items()),
            known("rule_spread", OMEGA), known("shadow", W), known("reciprocity", Q), known("decision_noise", NOISE),
            known("partial_width", WIDTH), known("shock_hazard", 0.0),
        ],
        decisions=[
            {"date": START, "state": "H", "rule": "r", "kind": "adherence", "decision": "adhere"},
            *(complied(day, decision, rule=rule) for day, rule, decision in SEEN),
        ],
    )  # fmt: skip


def test_nuts_and_the_forecast_agree_with_brute_force(tmp_path):
    case = models.prepare("coalition", load_case(case_folder(tmp_path)))
    draws, chains = draws_of(fit(case, seed=1))
    ahead = simulate(case.model, case.layout, draws, chains, seed=1)
    (found,) = [row for row in ahead.table if (row["rule"], row["date"]) == ("r", AHEAD.isoformat())]
    expected, error, before = brute_force(1)
    limit = 4 * np.hypot(ahead.mc_error, error)  # false-alarm rate 6e-5
    assert limit < 0.02
    assert abs(found["p_comply"] - expected) < limit
    assert abs(found["p_comply"] - before) > limit


def test_brute_force_tells_a_wrong_case_apart():
    right, error, _ = brute_force(1)
    wrong, other, _ = brute_force(2, volatile=3.0)
    assert abs(wrong - right) > 4 * np.hypot(error, other)
    again, third, _ = brute_force(3)
    assert abs(again - right) < 4 * np.hypot(error, third)


def test_this_file_imports_neither_the_equations_nor_the_movement():
    tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    ours = {name for name in names if name.startswith(("bayes_compliance", "tests"))}
    assert {name.rpartition(".")[0] for name in ours} == {
        "bayes_compliance", "bayes_compliance.case", "bayes_compliance.forecast", "bayes_compliance.inference",
        "bayes_compliance.inference.tree", "tests.builders",
    }  # fmt: skip
    assert not [name for name in names if {"theory", "dynamics", "worlds"} & set(name.split("."))]
    # nor reaches them through a name that is imported
    reached = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not {"theory", "dynamics", "worlds", "support", "log_likelihood"} & reached
