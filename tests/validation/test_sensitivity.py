"""Power-scaling against closed forms and ArviZ; the noise by weights against an exact fit."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from bayes_compliance import importance, inference, models
from bayes_compliance.case import load_case
from bayes_compliance.elicitation import build_priors
from bayes_compliance.forecast import simulate
from bayes_compliance.importance import Reweighted
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.validation import noise, otherwise, sensitivity, sentences
from bayes_compliance.validation.sensitivity import Conflict, Hang, Sensitivity
from bayes_compliance.validation.without import Without
from tests.builders import quantiles
from tests.inference.linear_cases import walk
from tests.models.cases import prior_draws, two_states
from tests.models.test_density import by_numpy

WORDS = ["violate", "violate", "comply", "violate", "violate"]
UNTIL = date(2002, 1, 1)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    prepared = models.prepare("coalition", load_case(walk(tmp_path_factory.mktemp("case"), WORDS, mean=0.8, sd=0.5)))
    tree = inference.fit(prepared, engine="exact", draws=1000, chains=2, seed=4)
    draws, chains = draws_of(tree)
    return SimpleNamespace(
        prepared=prepared,
        tree=tree,
        forecast=simulate(prepared.model, prepared.layout, draws, chains, seed=4, until=UNTIL),
    )


@pytest.mark.parametrize("alpha", [0.5, 2.0])
def test_reweighted_mean_is_that_of_the_conjugate_posterior(alpha):
    """Prior N(0, 1) to the power alpha, one datum y = 1 with unit noise: mean 1 / (1 + alpha); 5 standard errors."""
    rng = np.random.default_rng(1)
    theta = rng.normal(0.5, np.sqrt(0.5), 4000)
    found = importance.weights_of((alpha - 1) * -(theta**2) / 2).mean(theta)
    assert found.trusted
    assert found.mean == pytest.approx(1 / (1 + alpha), abs=5 * np.sqrt(0.5 / 4000) * 1.5)


def test_weights_that_cannot_carry_a_mean_are_said_to_be_none():
    theta = np.random.default_rng(2).normal(size=1000)
    found = importance.weights_of(40 * theta).mean(theta)
    assert not found.trusted
    assert found.pareto_k > importance.good_k(1000)


@pytest.mark.parametrize("off", [0.01, 0.001])
def test_a_rate_is_what_arviz_s_differences_tend_to(off):
    """Their error is of the order of the step times the spread of a density, 40 at most here."""
    from arviz_stats.base import array_stats

    rng = np.random.default_rng(5)
    values = rng.normal(size=400).round(1)  # ties
    densities = [-(values**2), rng.normal(size=400), -40 * abs(values), rng.gamma(1, size=400), np.exp(values)]
    found = sensitivity.rates(values, densities)
    for density, rate in zip(densities, found, strict=True):
        lower, upper = (np.exp(sign * off * (density - density.mean()))[None] for sign in (-1, 1))
        sense = array_stats.power_scale_sense(values[None], lower, upper, lower_alpha=1 - off, upper_alpha=1 + off)
        assert rate == pytest.approx(float(sense), rel=off)
    assert found == pytest.approx(sensitivity.rates(-values, densities), rel=1e-9)
    assert found.min() > 0.01
    assert abs(found[0] - found[3]) > 0.1, "densities must differ"


def test_the_rate_of_a_normal_prior_on_its_own_quantity_is_the_integral():
    """Density -x^2 / 2 of a standard normal x: G(x) = x phi(x) / 2, by quadrature; within 1% at 100,000 draws."""
    from scipy.integrate import quad
    from scipy.stats import norm

    x = norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    over = quad(lambda x: (x * norm.pdf(x) / 2) ** 2 / norm.cdf(x), -8, 8)[0]
    # both integrals over what the draws span
    (found,) = sensitivity.rates(x, [-(x**2) / 2])
    expected = np.sqrt(np.log(2) / 8 * over / quad(norm.cdf, x[0], x[-1])[0])
    assert found == pytest.approx(expected, rel=0.01)


def test_a_rate_is_arviz_s(fitted):
    """The same number as `psense` on the same tree, for a magnitude and all of its prior."""
    from arviz_stats import psense

    dataset = xr.Dataset({"m": fitted.tree["posterior"]["magnitude"].sel(lobby="j", drop=True)})
    log_prior = xr.Dataset({"m": fitted.tree["log_prior"]["magnitude"].sel(lobby="j", drop=True)})
    tree = xr.DataTree.from_dict(
        {"posterior": dataset, "log_prior": log_prior, "log_likelihood": fitted.tree["log_likelihood"].to_dataset()}
    )
    parts = sensitivity.components(fitted.prepared, fitted.tree)
    values = dataset["m"].values.ravel()
    theirs = {group: float(psense(tree, group=group)["m"]) for group in ("prior", "likelihood")}
    found = sensitivity.rates(values, [parts["magnitude", "j"], sensitivity.log_likelihood(fitted.tree)])
    assert found == pytest.approx([theirs["prior"], theirs["likelihood"]], rel=0.05)


def test_a_constant_moves_nothing_and_is_not_moved():
    draws = np.random.default_rng(1).normal(size=400)
    assert sensitivity.rates(np.full(400, 0.1), [draws, draws**2]).tolist() == [0, 0]
    moved, still = sensitivity.rates(draws, [draws, np.full(400, 0.1)])
    assert (moved > 0.05, still) == (True, 0)
    assert importance.weights_of(np.ones(400)).mean(draws).mean == pytest.approx(draws.mean())


def test_the_forecast_hangs_on_the_only_judgement_that_is_uncertain(fitted):
    (found,) = sensitivity.of_forecast(fitted.prepared, fitted.tree, fitted.forecast.dataset)
    assert (found.state, found.rule, found.date) == ("H", "r", UNTIL.isoformat())
    first, idle = found.hangs
    assert (first.quantity, first.of) == ("magnitude", "j")
    # there is no L, so nothing hangs on the shadow
    assert (idle.quantity, idle.of) == ("shadow", "H")
    assert idle.sensitivity < sensitivity.COUNTS < first.sensitivity
    assert found.p == pytest.approx(fitted.forecast.table[-1]["p_comply"], abs=1e-9)
    assert first.half.trusted
    assert "the answer hangs most on the weight of j" in sentences.hangs_on(found)


def test_judgement_and_decisions_of_that_case_both_count(fitted):
    found = {one.quantity: one for one in sensitivity.conflicts(fitted.prepared, fitted.tree)}
    assert list(found) == ["magnitude", "shadow"]
    # five decisions, four of them violations, against a judged margin of +.8 with sd .5
    assert found["magnitude"].verdict == sensitivity.CONFLICT
    assert found["magnitude"].shift < -sensitivity.SHIFT
    assert found["shadow"].verdict == sensitivity.WEAK
    assert found["shadow"].likelihood < sensitivity.COUNTS


@pytest.mark.parametrize(
    ("prior", "likelihood", "shift", "verdict"),
    [
        (0.049, 0.9, 9.0, sensitivity.SETTLED),
        (0.05, 0.049, 9.0, sensitivity.WEAK),
        (0.05, 0.05, -1.0, sensitivity.BOTH),
        (0.05, 0.05, -1.01, sensitivity.CONFLICT),
        (0.05, 0.05, 1.01, sensitivity.CONFLICT),
    ],
)
def test_what_counts_is_the_mark_or_more_and_what_pulls_apart_has_moved_by_more_than_one_sd(
    prior, likelihood, shift, verdict
):
    assert sensitivity._verdict(prior, likelihood, shift) == verdict


@pytest.mark.parametrize("scale", [0.5, 1.4])
def test_the_noise_by_weights_is_the_noise_by_an_exact_fit(fitted, scale):
    """2,000 draws each: 6 standard errors of a probability whose spread over draws is below .3."""
    weighted = noise.at_noise(fitted.prepared, fitted.tree, seed=5, scale=scale, until=UNTIL)
    assert weighted.how == otherwise.REWEIGHTED
    other = models.prepare("coalition", fitted.prepared.case, scale)
    draws, chains = draws_of(inference.fit(other, engine="exact", draws=1000, chains=2, seed=6))
    exact = simulate(other.model, other.layout, draws, chains, seed=6, until=UNTIL).table[-1]["p_comply"]
    assert weighted.p["H", "r"] == pytest.approx(exact, abs=6 * 0.3 / np.sqrt(1000))
    now = fitted.forecast.table[-1]["p_comply"]
    assert scale == 1.4 or abs(now - exact) > 6 * 0.3 / np.sqrt(1000), "the comparison must be able to fail"


@pytest.mark.parametrize("family", ["gamma", "lognormal"])
@pytest.mark.parametrize("pool", ["linear", "log"])
@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_ratio_is_that_of_the_whole_densities(tmp_path, family, pool, scale):
    """Of two analysts' uncertain noise in two states; log s is what scaling does to a density, in each."""
    noises = [
        quantiles("decision_noise", *given, analyst=analyst, family=family)
        for analyst, given in {"a": (0.3, 0.7, 1.6), "b": (0.5, 0.9, 1.3)}.items()
    ]
    case = two_states(tmp_path / "case", judgements=noises)
    prepared, other = (models.prepare("coalition", case, by, pool) for by in (1.0, scale))
    draws = prior_draws(prepared, 20, seed=6)
    moved = by_numpy("coalition", other.layout, noise.scaled(draws, scale)) + 2 * np.log(scale)
    expected = moved - by_numpy("coalition", prepared.layout, draws)
    np.testing.assert_allclose(noise.log_ratio(prepared, draws, scale), expected, rtol=0, atol=1e-9)
    assert np.ptp(expected) > 0.1


@pytest.mark.parametrize("family", ["beta", "logit-normal"])
def test_a_noise_whose_multiple_is_of_no_family_keeps_its_quantiles_nearly(tmp_path, family):
    case = two_states(tmp_path / "case", judgements=[quantiles("decision_noise", 0.3, 0.4, 0.52, family=family)])
    prior, moved = (build_priors(case, by).quantities["decision_noise"].priors[0] for by in (1.0, 3.0))
    np.testing.assert_allclose(moved.quantile(), 3 * prior.quantile(), rtol=0.02)
    assert moved.components[0].family == "lognormal"


def test_without_trusted_weights_the_noise_is_not_told_or_fitted_anew(fitted):
    """At twice the noise the posterior is too wide for weights on the present one."""
    told = noise.at_noise(fitted.prepared, fitted.tree, seed=5, scale=2.0, until=UNTIL)
    assert (told.how, told.p) == (otherwise.CANNOT_TELL, {})
    assert told.pareto_k > importance.good_k(2000)
    other = models.prepare("coalition", fitted.prepared.case, 2.0)
    again = otherwise.otherwise(None, other, fitted.tree, seed=5, until=UNTIL, refit=True)
    assert again.how == otherwise.REFITTED
    draws, chains = draws_of(inference.fit(other, engine="exact", draws=1000, chains=2, seed=6))
    exact = simulate(other.model, other.layout, draws, chains, seed=6, until=UNTIL).table[-1]["p_comply"]
    assert again.p["H", "r"] == pytest.approx(exact, abs=6 * 0.3 / np.sqrt(1000))


def hang(sensitivity, half=0.4, double=0.7, quantity="magnitude", of="farmers"):
    return Hang(quantity, of, sensitivity, Reweighted(half, 0.1), Reweighted(double, 0.2))


def foretold(*hangs, prior=0.2, likelihood=0.3):
    return Sensitivity("H", "r", "2030-01-01", 0.6, prior, likelihood, hangs)


def test_the_sentence_names_the_judgement_and_both_ways():
    found = foretold(hang(0.4), hang(0.1, of="exporters"), hang(0.01))
    assert sentences.hangs_on(found) == (
        "H, r, 2030-01-01: the answer hangs most on the weight of farmers: the probability of 60% would be 40% if that "
        "prior counted half, 70% if it counted twice; next on the weight of exporters. A small change in the weight of "
        "the decisions moves it, and so does one in that of all priors together."
    )


def test_what_weights_cannot_tell_is_not_what_the_answer_hangs_on():
    unable = hang(0.4, half=np.nan, of="borrowers")
    said = sentences.hangs_on(foretold(unable, hang(0.01)))
    assert said.startswith(
        "H, r, 2030-01-01: whether the answer hangs on the weight of borrowers cannot be told without a new fit; no "
        "other prior has a sensitivity of .05 or more. "
    )
    said = sentences.hangs_on(foretold(unable, hang(0.2), hang(0.1, of="exporters")))
    assert "of what can be told, the answer hangs most on the weight of farmers: the probability of 60%" in said
    assert said.count("the weight of exporters") == 1
    assert "; whether it hangs on the weight of borrowers cannot be told without a new fit. " in said
    many = [hang(0.4, half=np.nan, of=f"lobby {i}") for i in range(5)]
    assert "the weight of lobby 2 or 2 others cannot be told" in sentences.hangs_on(foretold(*many))


@pytest.mark.parametrize(
    ("prior", "likelihood", "words"),
    [
        (0.0, 0.2, "the decisions moves it; one in that of all priors together moves it little."),
        (0.2, 0.0, "all priors together moves it; one in that of the decisions moves it little."),
        (0.3, 0.2, "all priors together moves it, and so does one in that of the decisions."),
        (0.0, 0.0, "the decisions, or of all priors together, moves it little."),
    ],
)
def test_a_prior_below_the_mark_is_not_named_and_the_rest_is_of_small_changes(prior, likelihood, words):
    text = sentences.hangs_on(foretold(hang(0.049), prior=prior, likelihood=likelihood))
    assert "hangs on no single prior: none has a sensitivity of .05 or more. A small change in the weight of" in text
    assert text.endswith(words)
    assert "farmers" not in text
    assert "farmers" in sentences.hangs_on(foretold(hang(0.05)))  # negative control


def test_what_was_not_tested_is_not_said_to_move_nothing():
    unable = hang(0.001, half=np.nan, quantity="volatility", of="exporters")._replace(judged=False)
    found = foretold(hang(0.01), unable)
    assert "hangs on no single prior that could be reweighted: none" in sentences.hangs_on(found)
    assert "no single prior that could be reweighted" in sentences.hangs_on(foretold(hang(0.01)), all_tested=False)
    noises = [noise.AtNoise(0.5, otherwise.REWEIGHTED, 0.2, {("H", "r"): 0.9}),
              noise.AtNoise(2.0, otherwise.CANNOT_TELL, 1.3, {})]  # fmt: skip
    analysts = [Without("polls", otherwise.REWEIGHTED, 0.1, {("H", "r"): 0.5}),
                Without("trade", otherwise.CANNOT_TELL, 1.2, {})]  # fmt: skip
    assert sentences.untested([found, found], noises, analysts) == (
        "What the forecast would be is not told here, since the draws cannot be weighted that far or the case cannot "
        "do without, if the volatility of exporters (a default) counted half; at 2 times the decision noise; without "
        "trade."
    )
    assert sentences.untested([foretold(hang(0.01))], noises[:1], analysts[:1]) == ""


def test_a_default_is_not_called_judged(fitted):
    default = {(d.quantity, d.name) for d in fitted.prepared.priors.defaults}
    for one in sensitivity.conflicts(fitted.prepared, fitted.tree):
        assert one.judged == ((one.quantity, one.of) not in default)
    (found,) = sensitivity.of_forecast(fitted.prepared, fitted.tree, fitted.forecast.dataset)
    assert {(h.quantity, h.of): h.judged for h in found.hangs} == {
        (h.quantity, h.of): (h.quantity, h.of) not in default for h in found.hangs
    }


def test_sentences_on_conflict_and_noise():
    found = [
        Conflict("magnitude", "farmers", 0.2, 0.3, -1.44, sensitivity.CONFLICT),
        Conflict("shadow", "H", 0.2, 0.0, 0.1, sensitivity.WEAK, judged=False),
    ]
    assert sentences.pulls(found).startswith(
        "Of 2 unknown quantities (1 judged, 1 default) 1 (0 judged, 1 default) move with the weight of their own prior "
        "(a sensitivity of .05 or more) and not with that of the decisions (a sensitivity below .05). This is not the "
        "count of those that the data hardly moved"
    )
    assert "pull apart on the weight of farmers (-1.4)" in sentences.pulls(found)
    assert "pull apart on none" in sentences.pulls(found[1:])
    at = [noise.AtNoise(0.5, otherwise.REWEIGHTED, 0.2, {("H", "r"): 0.9, ("H", "s"): 0.5}),
          noise.AtNoise(2.0, otherwise.CANNOT_TELL, 1.3, {})]  # fmt: skip
    text = sentences.noise(at, {("H", "r"): 0.6, ("H", "s"): 0.5})
    assert "H on r, goes from 60% to 90%" in text
    assert "at 2 times the noise this fit cannot tell (Pareto k 1.30)" in text
    assert text.startswith("Decision noise is judged and not learnt")
    assert sentences.noise(at, {("H", "r"): 0.6, ("H", "s"): 0.5}, "a default").startswith(
        "Decision noise is a default"
    )
    assert text.endswith("A fit at each noise: bayes-compliance sweep CASE --noise .5,1,2 --out FOLDER")
