"""NUTS: chains that diverge are run again with shorter steps, those that just miss R-hat for longer, and no others."""

from types import SimpleNamespace

import numpy as np
import pymc as pm
import pytest

from bayes_compliance.inference import compiled, nuts
from bayes_compliance.report.sections.diagnostics import _again

CHAINS = {"draws": 500, "tune": 300, "chains": 2, "seed": 5}


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


@pytest.mark.parametrize(
    ("together", "diverging", "targets"),
    [
        (True, 0, [0.9]), (True, 1, [0.9, 0.98]), (True, 2, [0.9, 0.98, 0.996]), (True, 3, [0.9, 0.98, 0.996]),
        (False, 2, [0.9, 0.98]),
    ],
)  # fmt: skip
def test_how_often_chains_that_diverge_are_run_again(round_one, monkeypatch, together, diverging, targets):
    asked, once = [], nuts._once

    def diverge(compiled_one, target, *more, **size):
        asked.append(target)
        found = once(compiled_one, target, *more, **size)
        found.stats["diverging"][0, 0] = len(asked) <= diverging
        return found

    monkeypatch.setattr(nuts, "_once", diverge)
    found = nuts.run(round_one, **CHAINS, progress=False, together=together)
    assert asked == pytest.approx(targets)
    assert [found.attrs["target_accept"], found.attrs.get("diverged_at")] == pytest.approx([None, *targets][:-3:-1])
    assert found.stats["diverging"].any() == (diverging >= len(targets))


def test_chains_that_do_not_diverge_are_run_once(round_one, monkeypatch):
    runs, once = [], nuts._once
    monkeypatch.setattr(nuts, "_once", lambda *a, **k: runs.append(a[1]) or once(*a, **k))
    found = nuts.run(round_one, **CHAINS, progress=False)
    assert runs == [nuts.TARGET_ACCEPT]
    assert found.attrs == {"target_accept": nuts.TARGET_ACCEPT}
    assert not found.stats["diverging"].any()
    assert np.isfinite(found.draws["x"]).all()


def sampled(compiled_one, monkeypatch, rhats):
    """By `sample`, of a model whose latents are its variables, with R-hats as they are told one after the other."""
    monkeypatch.setattr(nuts, "of_layout", lambda *_: compiled_one)
    monkeypatch.setattr(nuts, "collect", lambda layout, draws, shape: draws)
    monkeypatch.setattr(nuts, "worst_rhat", lambda variables: rhats.pop(0))
    return nuts.sample(SimpleNamespace(TARGET_ACCEPT=0.9), None, **CHAINS)


def test_chains_that_just_miss_the_mark_are_run_on(round_one, monkeypatch):
    found = sampled(round_one, monkeypatch, [1.0199])
    plain = nuts._once(round_one, 0.9, False, **CHAINS)
    longer = nuts._once(round_one, 0.9, False, **CHAINS | {"draws": 1000})
    assert found.attrs == {"target_accept": 0.9, "rhat_at_first": 1.0199}
    assert np.array_equal(longer.draws["x"][:, :500], plain.draws["x"]), "the same chains, run on"
    assert np.array_equal(found.draws["x"], longer.draws["x"][:, 1::2])
    assert np.array_equal(found.stats["lp"], longer.stats["lp"][:, 1::2])
    steps = longer.stats["n_steps"]
    assert np.array_equal(found.stats["n_steps"], steps[:, ::2] + steps[:, 1::2])
    assert all(values.shape == (2, 500) for values in found.stats.values())
    (said,) = _again(found.attrs | {"draws": 500})
    assert "Chains of 500 draws had an R-hat of 1.02" in said
    assert _again({"draws": 500}) == []


def test_a_divergence_among_draws_that_are_not_kept_counts():
    assert nuts._whole("diverging", np.array([[True, False, False, False]])).tolist() == [[True, False]]


def test_chains_that_miss_the_mark_by_more_are_tuned_for_longer(round_one, monkeypatch):
    found = sampled(round_one, monkeypatch, [1.0201])
    anew = nuts._once(round_one, 0.9, False, **CHAINS | {"tune": 800})
    assert found.attrs == {"target_accept": 0.9, "rhat_at_first": 1.0201, "tuned": 800}
    assert np.array_equal(found.draws["x"], anew.draws["x"])
    (said,) = _again(found.attrs | {"draws": 500, "tune": 300})
    assert "had an R-hat of 1.02: not all had come" in said
    assert "tuned for 800 draws instead of 300" in said


@pytest.mark.parametrize(("rhat", "least"), [(1.0, 500), (1.0099, 500), (np.inf, 500), (np.nan, 500), (1.015, 501)])
def test_chains_that_meet_the_mark_or_cannot_tell_are_left_as_they_are(round_one, monkeypatch, rhat, least):
    monkeypatch.setattr(nuts, "LEAST", least)
    found = sampled(round_one, monkeypatch, [rhat])
    assert found.attrs == {"target_accept": 0.9}
    assert np.array_equal(found.draws["x"], nuts._once(round_one, 0.9, False, **CHAINS).draws["x"])


def test_chains_that_miss_another_mark_are_not_run_on(round_one, monkeypatch):
    monkeypatch.setattr(nuts, "BFMI", 99.0)
    for rhat in (1.015, 1.2):
        assert "rhat_at_first" not in sampled(round_one, monkeypatch, [rhat]).attrs
