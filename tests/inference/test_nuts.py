"""NUTS: chains that diverge are run once more with shorter steps, and no others."""

import numpy as np
import pymc as pm
import pytest

from bayes_compliance.inference import compiled, nuts

CHAINS = {"draws": 300, "tune": 300, "chains": 2, "seed": 5}


@pytest.fixture(scope="module")
def funnel():
    """Neal's, which no step is short enough for at its neck."""
    with pm.Model() as built:
        log_sd = pm.Normal("log_sd", 0, 3)
        pm.Normal("x", 0, pm.math.exp(log_sd / 2), shape=9)
    return compiled.of_model(built, ["log_sd", "x"])


@pytest.fixture(scope="module")
def round_one():
    with pm.Model() as built:
        pm.Normal("x", 0, 1, shape=9)
    return compiled.of_model(built, ["x"])


def test_chains_that_diverge_are_run_again_with_shorter_steps(funnel):
    found = nuts.run(funnel, **CHAINS, progress=False, target_accept=0.6)
    assert found.attrs == {"target_accept": pytest.approx(0.92), "diverged_at": 0.6}
    first, second = (nuts._once(funnel, t, False, **CHAINS) for t in (0.6, found.attrs["target_accept"]))
    assert first.stats["diverging"].any()
    assert second.stats["step_size"].max() < first.stats["step_size"].max()
    # what is reported is the second run, whatever it still has
    assert {name: v.tobytes() for name, v in found.draws.items()} == {n: v.tobytes() for n, v in second.draws.items()}
    assert found.stats["diverging"].tolist() == second.stats["diverging"].tolist()


def test_chains_that_do_not_diverge_are_run_once(round_one, monkeypatch):
    runs, once = [], nuts._once
    monkeypatch.setattr(nuts, "_once", lambda *a, **k: runs.append(a[1]) or once(*a, **k))
    found = nuts.run(round_one, **CHAINS, progress=False)
    assert runs == [nuts.TARGET_ACCEPT]
    assert found.attrs == {"target_accept": nuts.TARGET_ACCEPT}
    assert not found.stats["diverging"].any()
    assert np.isfinite(found.draws["x"]).all()
