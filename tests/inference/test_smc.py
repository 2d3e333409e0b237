"""Engine smc against PyMC's density, NUTS, the exact engine and importance sampling, each with a planted error."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special, stats

from bayes_compliance import asking, cli, models
from bayes_compliance.case import load_case
from bayes_compliance.elicitation.families import LEVELS
from bayes_compliance.errors import Refused
from bayes_compliance.inference import diagnose, diagnostics, exact, fit, smc
from bayes_compliance.inference.smc import engine, moves, transport
from bayes_compliance.inference.smc.engine import first_of
from bayes_compliance.inference.smc.finish import bridged, collected
from bayes_compliance.inference.smc.reference import at_mode
from bayes_compliance.inference.smc.target import Target
from bayes_compliance.latents import Latents
from tests.builders import complied, known, write_case
from tests.inference.linear_cases import filtered, prepared, walk

FALSE_ALARM = 1e-3
"""Chance that a test of means rejects although the means agree."""


@pytest.fixture(scope="module")
def bananas():
    return models.prepare("coalition", load_case("case_studies/bananas"))


@pytest.fixture(scope="module")
def by_smc(bananas):
    return smc.sample(bananas, draws=1000, chains=4, seed=5)


@pytest.fixture(scope="module")
def weighed(bananas):
    """Prior draws of bananas, and their log weights: importance sampling by the likelihood."""
    draws = Latents(bananas.layout).draw_all(100_000, np.random.default_rng(8))
    return draws, log_likelihood(bananas, draws)


def log_likelihood(case, draws):
    support = asking.ask_observed(case.model, case.layout, draws).support
    return asking.log_likelihood(case.layout, draws, support).sum(axis=-1)


def means_and_errors(draws):
    """Mean and Monte Carlo error of each varying quantity, on a scale without long tails."""
    series = np.concatenate([np.moveaxis(np.arcsinh(draws[name]), 2, 0) for name in sorted(draws)])
    moving = series.max(axis=(1, 2)) > series.min(axis=(1, 2))
    series = np.where(moving[:, None, None], series, 0.0)
    return series.mean(axis=(1, 2)), diagnostics.mean_error(series), moving


def weighted_means(draws, log_weight):
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    values = np.concatenate([np.arcsinh(draws[name]) for name in sorted(draws)], axis=1)
    values = np.where(np.isfinite(values), values, 0.0)
    mean = weight @ values
    return mean, np.sqrt((weight**2) @ (values - mean) ** 2)


def agree(one, other, moving):
    """Whether no standardised difference is too large: Bonferroni over quantities."""
    (a, sa), (b, sb) = one, other
    z = abs(a - b)[moving] / np.sqrt(sa**2 + sb**2)[moving]
    return bool(z.max() < stats.norm.isf(FALSE_ALARM / 2 / moving.sum()))


@pytest.mark.parametrize("power", [1.0, 0.8])
def test_bananas_as_by_importance_sampling_and_not_with_a_tempered_likelihood(power, by_smc, weighed):
    draws, log_weight = weighed
    names = set(by_smc.draws)
    mean, error, moving = means_and_errors(by_smc.draws)
    expected = weighted_means({name: draws[name] for name in names}, power * log_weight)
    assert agree((mean, error), expected, moving) == (power == 1.0)


def test_a_step_accepted_by_the_wrong_sign_is_caught(bananas, weighed, monkeypatch):
    right = moves.log_posterior
    monkeypatch.setattr(moves, "log_posterior", lambda target, z, value: right(target, z, -value))
    found = smc.sample(bananas, draws=250, chains=4, seed=5)
    mean, error, moving = means_and_errors(found.draws)
    draws, log_weight = weighed
    assert not agree((mean, error), weighted_means({n: draws[n] for n in found.draws}, log_weight), moving)


def test_evidence_of_bananas_by_importance_sampling(by_smc, weighed):
    weight = np.exp(weighed[1])
    expected, error = np.log(weight.mean()), weight.std() / weight.mean() / np.sqrt(len(weight))
    z = (by_smc.attrs["log_evidence"] - expected) / np.hypot(error, by_smc.attrs["log_evidence_error"])
    # the error is told from 8 blocks
    assert abs(z) < stats.t.isf(FALSE_ALARM / 2, 7)
    assert abs(by_smc.attrs["log_evidence"] - expected + 0.2) > 0.1


@pytest.mark.parametrize("outcome", ["comply", "partial"])
def test_evidence_and_forecast_of_a_linear_case_as_by_the_exact_engine(outcome, tmp_path):
    decisions = ["comply", "violate", outcome, "comply", "comply", "violate"]
    case = prepared(walk(tmp_path / "case", decisions))
    found = smc.sample(case, draws=1000, chains=4, seed=3)
    log_p, _ = filtered(decisions, width=0.4 if outcome == "partial" else 0.0)
    assert_allclose(exact.evidence(case).log_p, log_p, atol=0.01)
    assert abs(found.attrs["log_evidence"] - log_p) < 4.8 * max(found.attrs["log_evidence_error"], 0.002)


def still(folder, decisions):
    """J and K known and unmoved: no latent is free."""
    return write_case(
        folder,
        lobbies=[{"id": b, "state": "H", "role": b.upper(), "rules": ["r"]} for b in "jk"],
        judgements=[
            known("magnitude", 1.3, "j"), known("magnitude", 1.0, "k"), known("volatility", 0.0, "j"),
            known("volatility", 0.0, "k"), known("decision_noise", 0.6), known("shadow", 0.5),
            known("rule_spread_points", 0.0), known("shock_hazard", 0.0),
        ],
        decisions=[complied(f"200{i + 1}-01-01", decision) for i, decision in enumerate(decisions)],
    )  # fmt: skip


def test_without_decisions_the_draws_are_the_prior_s_and_the_log_evidence_is_0(tmp_path):
    case = prepared(walk(tmp_path / "case", [], mean=0.3, sd=0.8))
    tree = fit(case, engine="smc", draws=1000, chains=2)
    assert tree.attrs["log_evidence"] == tree.attrs["log_evidence_error"] == 0
    j = tree["posterior"]["magnitude"].values[..., 0].ravel()
    assert stats.kstest(j, stats.norm(1.3, 0.8).cdf).pvalue > FALSE_ALARM
    assert stats.kstest(j, stats.norm(1.3, 1.0).cdf).pvalue < FALSE_ALARM
    assert not diagnostics.failed(diagnose(case, tree))


@pytest.mark.parametrize("decisions", [["comply", "violate"], []])
def test_where_every_latent_is_known_the_evidence_is_the_likelihood(decisions, tmp_path):
    case = prepared(still(tmp_path / "case", decisions))
    tree = fit(case, engine="smc", draws=20, chains=2)
    expected = sum(stats.norm.logcdf({"comply": 0.5, "violate": -0.5}[decision]) for decision in decisions)
    assert_allclose(tree.attrs["log_evidence"], expected, atol=1e-12)
    assert_allclose(tree.attrs["log_evidence"], exact.evidence(case).log_p, atol=1e-12)
    assert_allclose(tree["posterior"]["magnitude"].values, np.broadcast_to([1.3, 1.0], (2, 20, 2)))
    assert not diagnostics.failed(diagnose(case, tree))


def test_bridge_between_two_normals():
    rng = np.random.default_rng(1)
    # exp(-(x - 1)^2 / (2 1.5^2)) against a standard normal without its constant: the ratio is 1.5
    ratio = lambda x: -((x - 1) ** 2) / 4.5 + x**2 / 2  # noqa: E731
    here, there = rng.standard_normal(20_000), 1 + 1.5 * rng.standard_normal(20_000)
    assert abs(bridged(ratio(here), ratio(there)) - np.log(1.5)) < 0.02
    assert abs(bridged(ratio(here), ratio(there / 1.5)) - np.log(1.5)) > 0.05


def test_latents_have_their_priors(bananas):
    carried = transport.Transport(bananas.layout)
    z = np.tile(special.ndtri(LEVELS)[:, None], carried.size)
    draws = carried(z)
    for name, position in carried.items:
        prior = carried.latents.prior(name, position)
        assert_allclose(draws[name][:, position], prior.quantile(LEVELS), rtol=2e-5, atol=1e-6, err_msg=name)


def test_components_are_states_and_cross_freely(bananas):
    target = Target(bananas, np.random.default_rng(1))
    states = np.array([name.split("[")[1] for name in target.transport.names])
    assert len(target.columns) == 2
    assert len(states) == target.size
    assert_allclose(
        target.log_likelihood(np.zeros((1, target.size))).sum(),
        log_likelihood(bananas, target.transport(np.zeros((1, target.size))))[0],
    )


def test_components_that_share_a_latent_after_all_are_one(bananas, monkeypatch):
    components = Target.components
    shared = lambda self, z: components(self, z) + 1e-3 * z.sum(axis=1, keepdims=True)  # noqa: E731
    monkeypatch.setattr(Target, "components", shared)
    assert len(Target(bananas, np.random.default_rng(1)).columns) == 1


def test_the_mode_is_a_mode(bananas):
    target = Target(bananas, np.random.default_rng(1))
    reference, rng = at_mode(target), np.random.default_rng(2)

    def log_posterior(z):
        return target.log_likelihood(z).sum(axis=1) - (z**2).sum(axis=1) / 2

    best = log_posterior(reference.center[None])[0]
    near = reference.center + 0.3 * rng.standard_normal((200, target.size))
    assert (log_posterior(near) < best).all()
    xi = rng.standard_normal((5, target.size))
    assert_allclose(reference.back(reference.place(xi)), xi, atol=1e-12)


def test_the_same_seed_gives_the_same_draws_and_another_does_not(bananas):
    one, same, other = (smc.sample(bananas, draws=8, chains=2, seed=seed) for seed in (1, 1, 2))
    for name, values in one.draws.items():
        assert values.tobytes() == same.draws[name].tobytes()
    assert one.attrs == same.attrs
    assert not np.array_equal(one.draws["innovation"], other.draws["innovation"])


def test_a_model_that_may_add_to_the_likelihood_is_refused(bananas):
    own = SimpleNamespace(__name__="own", build=lambda layout: None, support=bananas.model.support)
    with pytest.raises(Refused, match=r"--model: engine smc cannot tell what model 'own' adds"):
        fit(bananas._replace(model=own), engine="smc")


@pytest.mark.parametrize("name", ["information", "reciprocity", "unitary", "managerial"])
def test_other_models_have_the_likelihood_of_their_support(name):
    case = models.prepare(name, load_case("case_studies/bananas"))
    target = Target(case, np.random.default_rng(1))
    z = np.random.default_rng(2).standard_normal((6, target.size))
    assert_allclose(target.log_likelihood(z).sum(axis=1), log_likelihood(case, target.transport(z)))
    assert np.isfinite(smc.sample(case, draws=20, chains=2, seed=1).attrs["log_evidence"])


def test_opportunism_is_marginal_over_every_combination_of_types():
    case = models.prepare("opportunism", load_case("case_studies/bananas"))
    target = Target(case, np.random.default_rng(1))
    z = np.random.default_rng(2).standard_normal((6, target.size))
    draws = target.transport(z)
    each = []
    for types in product((0.0, 1.0), repeat=len(case.case.states)):
        sincere = np.tile(types, (6, 1))
        prior = np.where(sincere, draws["sincerity"], 1 - draws["sincerity"]).prod(axis=1)
        each.append(np.log(prior) + log_likelihood(case, draws | {"sincere": sincere}))
    assert_allclose(target.log_likelihood(z).sum(axis=1), special.logsumexp(each, axis=0))
    assert np.isfinite(fit(case, engine="smc", draws=20, chains=2).attrs["log_evidence"])


def test_runs_that_fail_a_mark_say_so():
    good = {"acceptance": 0.3, "remembered": 0.01, "ancestors": 100, "drift": 2.0, "log_evidence_error": 0.01}
    good["drift_of"] = "x"
    assert diagnostics.failed(diagnostics.check_runs(good)) == []
    bad = {"acceptance": 0.05, "remembered": 0.5, "ancestors": 3, "drift": 9.0, "log_evidence_error": float("nan")}
    for name, value in bad.items():
        assert len(diagnostics.failed(diagnostics.check_runs(good | {name: value}))) == 1, name
    assert diagnostics.check_runs({}) == []


def test_chains_that_have_not_arrived_drift(bananas, monkeypatch):
    """Negative control: chains begin aside, and take few small steps."""
    monkeypatch.setattr(engine, "spacing", lambda *_: 1)
    target = Target(bananas, np.random.default_rng(1))
    runs = engine.Runs(target, [np.random.default_rng(i) for i in range(4)])
    runs.t[:], runs.accepted = 1.0, [np.full((2, len(runs.t)), 0.9)] * 4
    runs.sizes = [np.full((2, len(runs.t)), 0.1)] * 4
    runs.clouds = [aside(target, cloud) for cloud in runs.clouds]
    found = collected(runs.finish(200), 0, 200, np.random.default_rng(1))
    assert found.attrs["drift"] > diagnostics.DRIFT


def aside(target, cloud):
    z = cloud.z[:50] + 1.5
    return first_of(cloud, 50)._replace(z=z, log_p=moves.log_posterior(target, z, target.log_likelihood(z)))


ANSWER_FIRST = """
import sys
from bayes_compliance import cli
from bayes_compliance.cli import fitting
def told(case, forecast):
    heavy = {"pymc", "pytensor", "arviz", "arviz_stats", "numba", "nutpie", "matplotlib"}
    print("ANSWER", len(forecast.table), sorted(heavy & set(sys.modules)))
fitting._tell = told
sys.exit(cli.main(["run", "case_studies/bananas", "--out", sys.argv[1], "--engine", "smc"]))
"""


def test_the_answer_is_there_before_pymc_or_arviz_is_imported(tmp_path, capsys):
    out = str(tmp_path / "run")
    done = subprocess.run([sys.executable, "-c", ANSWER_FIRST, out], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()[0], done.stdout.splitlines()[-1]
    assert first.startswith("ANSWER")
    assert first.endswith("[]")
    assert last.endswith("report.html")
    for command in ("update", "scenario"):  # of a shipped case: its folder holds what a RUN does not
        assert cli.main([command, "case_studies/bananas", out]) == cli.DONE, capsys.readouterr().err
    assert "no decision, judgement or proxy has changed" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nafta", "china_wto"])
def test_means_as_by_nuts(name, monkeypatch):
    """Negative control: the likelihood to the power .5; that to the power .8 shows with some draws, not with all."""
    case = models.prepare("coalition", load_case(f"case_studies/{name}"))
    by_nuts = fit(case, seed=3)["posterior"].to_dataset()
    found = smc.sample(case, draws=1000, chains=4, seed=1)
    assert not diagnostics.failed(diagnostics.check_runs(found.attrs))
    expected = means_and_errors({key: by_nuts[key].values for key in found.draws})[:2]
    mean, error, moving = means_and_errors(found.draws)
    assert agree((mean, error), expected, moving)
    whole = Target.components
    monkeypatch.setattr(Target, "components", lambda self, z: 0.5 * whole(self, z))
    mean, error, moving = means_and_errors(smc.sample(case, draws=1000, chains=4, seed=1).draws)
    assert not agree((mean, error), expected, moving)
