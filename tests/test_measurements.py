"""Proxies as measurements: explicit covariances, closed forms of their effect, and the sampler's own density."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytensor.tensor as pt
import pytest
from scipy import integrate, stats

from bayes_compliance import measurements, models
from bayes_compliance.case import load_case
from bayes_compliance.check import check
from bayes_compliance.errors import Refused
from bayes_compliance.inference import exact, origin
from bayes_compliance.latents import Latents
from bayes_compliance.measurements import error_sd, normal
from bayes_compliance.models import prepare
from tests.builders import known, quantiles, write_case
from tests.builders import normal as gaussian
from tests.models.test_density import compiled, natural, point

BUILT_FROM = origin.built_from
LOBBIES = ({"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"})
STILL = [known("volatility", 0.0, "j"), known("volatility", 0.0, "k"), known("decision_noise", 1.0)]
LINEAR = [gaussian("j", 1.0, 0.8), gaussian("k", 1.5, 0.0001), known("rule_spread_points", 0.0), *STILL]
LOG = [quantiles("magnitude", 20, 40, 80, "j"), quantiles("magnitude", 60, 100, 167, "k"), known("rule_spread", 0.0),
       *STILL]  # fmt: skip


def vote(value: float, reliability: float = 0.9, day: str = "2000-01-01", unit: str = "share") -> dict:
    return {"date": day, "state": "H", "kind": "vote_share", "value": value, "unit": unit, "reliability": reliability}


def stake(lobby: str, value: float, reliability: float = 0.9, day: str = "2000-01-01", unit: str = "USD") -> dict:
    return {"date": day, "state": "H", "lobby": lobby, "kind": "stake", "value": value, "unit": unit,
            "reliability": reliability}  # fmt: skip


def prepared(folder, judgements, proxies, measure=True, model="coalition", **more):
    place = write_case(
        folder, lobbies=LOBBIES, judgements=judgements, proxies=proxies, measure_proxies=measure,
        **{"scale": "log" if judgements[0].get("family") is None else "linear"} | more,
    )  # fmt: skip
    return prepare(model, load_case(place))


def weighed(ready, n=200_000, seed=1):
    """Prior draws with weights that make them draws of what the proxies leave."""
    draws = Latents(ready.layout).draw_all(n, np.random.default_rng(seed))
    weights = weights_of(ready, draws)
    return draws["magnitude"], weights


def weights_of(ready, draws):
    log_p = measurements.log_densities_of(ready.layout, draws, ready.model.support).sum(axis=0)
    weights = np.exp(log_p - log_p.max())
    return weights / weights.sum()


def test_the_density_is_the_multivariate_normal_with_that_covariance():
    rng = np.random.default_rng(1)
    u, residual, variance = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.uniform(0.1, 1, 4)
    for level in (0.0, 10.0):
        by_hand = [
            stats.multivariate_normal(np.zeros(4), np.diag(variance) + level**2 + 0.04 * np.outer(row, row)).logpdf(r)
            for row, r in zip(u, residual, strict=True)
        ]
        assert normal(u + residual, u, variance, level) == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize("level", [0.0, 10.0])
def test_far_from_the_data_the_density_keeps_its_digits(level):
    """Beside exact fractions; where u is large the slope explains it all, and the square is about (1 / .2)^2."""
    value, variance = np.array([0.5, -1.0, 2.0]), np.array([0.25, 0.5, 1.0])
    for size in (1.0, 1e4, 1e9, 1e14):
        u = size * np.array([1.0, -0.5, 0.25])
        exact = _exactly(value, u, variance, level)
        assert normal(value, u, variance, level) == pytest.approx(exact, rel=1e-6)
        at = pt.as_tensor(u)
        assert float(normal(value, at, variance, level).eval()) == pytest.approx(exact, rel=1e-6)


def _exactly(value, u, variance, level):
    """The log density by Woodbury's formula in fractions."""
    y, u, v = ([Fraction(x) for x in some] for some in (value, u, variance))
    a, b = Fraction(level) ** 2, Fraction(measurements.SLOPE_SD) ** 2
    r = [one - other for one, other in zip(y, u, strict=True)]
    s1, su, suu, sr, sur, srr = (
        sum((p * q / w for p, q, w in zip(some, other, v, strict=True)), Fraction(0))
        for some, other in ((3 * [1], 3 * [1]), (3 * [1], u), (u, u), (3 * [1], r), (u, r), (r, r))
    )
    determinant = (1 + a * s1) * (1 + b * suu) - a * b * su**2
    explained = ((1 + b * suu) * a * sr**2 - 2 * a * b * su * sr * sur + (1 + a * s1) * b * sur**2) / determinant
    return -(3 * np.log(2 * np.pi) + np.log(variance).sum() + np.log(float(determinant)) + float(srr - explained)) / 2


def test_the_slope_is_integrated_out():
    # log share: z ~ N(b m, s^2), b ~ N(1, .2)
    z, m, s = 0.8, 1.7, 0.4
    total, _ = integrate.quad(lambda b: stats.norm.pdf(z, b * m, s) * stats.norm.pdf(b, 1, 0.2), -1, 3)
    assert normal(np.array([z]), np.array([m]), np.array([s**2]), 0.0) == pytest.approx(np.log(total), rel=1e-8)


def test_a_vote_share_moves_support_as_the_gaussian_closed_form_says(tmp_path, monkeypatch):
    monkeypatch.setattr(measurements, "SLOPE_SD", 0.0)
    magnitude, weights = weighed(prepared(tmp_path, LINEAR, [vote(0.9, 0.8)]))
    # J ~ N(1, .8^2), z = probit(.9) = J - 1.5 + e, e of variance .2 / .8
    gain = 0.64 / (0.64 + 0.25)
    mean = 1 + gain * (stats.norm.ppf(0.9) + 1.5 - 1)
    assert weights @ magnitude[:, 0] == pytest.approx(mean, abs=0.01)
    sd = np.sqrt(weights @ (magnitude[:, 0] - mean) ** 2)
    assert sd == pytest.approx(np.sqrt(0.64 * (1 - gain)), abs=0.01)


def test_two_stakes_tell_the_ratio_and_not_the_level(tmp_path, monkeypatch):
    monkeypatch.setattr(measurements, "SLOPE_SD", 0.0)
    ready = prepared(tmp_path, LOG, [stake("j", 3.0), stake("k", 3.0)])
    magnitude, weights = weighed(ready)
    j, k = np.log(magnitude).T
    sd_j, sd_k = np.log(2) / 1.6448536, np.log(167 / 60) / 3.2897073
    # log j - log k: prior N(log .4, sd_j^2 + sd_k^2), measured 0 with twice the error variance
    variance, error = sd_j**2 + sd_k**2, 2 * error_sd(0.9) ** 2
    prior = np.log(40) - np.log(np.sqrt(60 * 167 * 100) ** (2 / 3))
    assert weights @ (j - k) == pytest.approx(prior * error / (variance + error), abs=0.02)
    # what the two have in common, weighed by their priors, stays
    common = (j / sd_j**2 + k / sd_k**2) / (1 / sd_j**2 + 1 / sd_k**2)
    assert weights @ common == pytest.approx(common.mean(), abs=0.01)


def test_the_unit_of_a_kind_says_nothing(tmp_path):
    a, b = (prepared(tmp_path / n, LOG, [stake("j", 3.0 * f), stake("k", 5.0 * f)]) for n, f in (("a", 1), ("b", 1000)))
    (in_a,), (in_b,) = a.layout.measured.groups, b.layout.measured.groups
    assert in_a.value == pytest.approx(in_b.value, abs=1e-12)


def test_lobbies_at_their_medians_compare_as_these_whatever_the_slope(tmp_path, monkeypatch):
    """b stretches how far a lobby stands from its own median, and no distance between the medians."""
    ready = prepared(tmp_path, LOG, [stake("j", 3.0), stake("k", 5.0)])
    draws = Latents(ready.layout).draw_all(2, np.random.default_rng(1))
    medians = [prior.median for prior in ready.priors.quantities["magnitude"].priors]
    draws["magnitude"] = np.array([medians, [medians[0], 2 * medians[1]]])
    found = []
    for sd in (0.0, 0.2, 0.6):
        monkeypatch.setattr(measurements, "SLOPE_SD", sd)
        found.append(measurements.log_densities_of(ready.layout, draws, ready.model.support).sum(axis=0))
    at_medians, beside = np.array(found).T
    assert at_medians == pytest.approx(at_medians[0], abs=1e-9)
    assert np.ptp(beside) > 0.1
    ratio, variance = np.log(5 / 3) - np.log(medians[1] / medians[0]), error_sd(0.9) ** 2 * 2
    by_hand = stats.norm.logpdf(ratio, 0, np.sqrt(variance)) - stats.norm.logpdf(ratio, np.log(2), np.sqrt(variance))
    assert at_medians[0] - beside[0] == pytest.approx(by_hand, abs=1e-3)


def test_a_series_tells_how_a_lobby_moved(tmp_path):
    moving = [*LOG[:3], known("volatility", 0.1, "j"), known("volatility", 0.1, "k"), known("decision_noise", 1.0)]
    ready = prepared(tmp_path, moving, [stake("j", 10.0, day="2000-01-01"), stake("j", 20.0, day="2010-01-01")])
    assert [day.year for _, day in ready.layout.knots] == [2010]
    draws = Latents(ready.layout).draw_all(100_000, np.random.default_rng(2))
    weights = weights_of(ready, draws)
    change = 0.1 * ready.layout.walk(draws["innovation"])[:, 0]
    moved = weights @ change
    # prior sd .1 sqrt(10) = .32 against an error of .17 sqrt(2): most of log 2 is believed
    gain = 0.1 / (0.1 + 2 * error_sd(0.9) ** 2)
    assert moved == pytest.approx(gain * np.log(2), rel=0.15)


def test_what_a_group_moved_is_the_distance_to_the_fit_without_it(tmp_path):
    ready = prepared(tmp_path, LOG, [stake("j", 5.0, 0.4), stake("k", 3.0, 0.4)])
    draws = Latents(ready.layout).draw_all(50_000, np.random.default_rng(3))
    kept = np.random.default_rng(4).choice(50_000, 20_000, p=weights_of(ready, draws))
    found = {one.lobby: one for one in measurements.moved(
        ready.layout, {name: values[kept] for name, values in draws.items()}, ready.model.support)}  # fmt: skip
    # without its only group the posterior is the prior: medians 40 and about 100
    assert found["j"].without == pytest.approx(40, rel=0.05)
    assert found["k"].without == pytest.approx(100, rel=0.05)
    assert found["j"].median > 44
    assert found["k"].median < 96
    assert found["j"].effective > 1000
    assert (found["j"].kind, found["j"].unit) == ("stake", "USD")


def test_what_one_vote_moved_is_the_distance_to_the_fit_with_the_others(tmp_path):
    both = [vote(0.9, 0.6), vote(0.5, 0.5, day="2001-01-01")]
    ready, alone = (prepared(tmp_path / n, LINEAR, votes) for n, votes in (("both", both), ("alone", both[1:])))
    draws = Latents(ready.layout).draw_all(50_000, np.random.default_rng(3))
    kept = np.random.default_rng(4).choice(50_000, 50_000, p=weights_of(ready, draws))
    found = measurements.moved(ready.layout, {name: x[kept] for name, x in draws.items()}, ready.model.support)
    assert {one.unit for one in found} == {"2000-01-01 H", "2001-01-01 H"}
    (first,) = [one for one in found if (one.unit, one.lobby) == ("2000-01-01 H", "j")]
    magnitude, weights = weighed(alone, 200_000)
    j = [lobby.id for lobby in alone.case.lobbies].index("j")
    median = np.quantile(magnitude[:, j], 0.5, method="inverted_cdf", weights=weights)
    # 5 standard errors of a median of sd .7 on 3,000 effective draws
    assert first.effective > 3000
    assert first.without == pytest.approx(median, abs=5 * 1.25 * 0.7 / np.sqrt(3000))
    assert abs(first.median - median) > 0.2, "the comparison must be able to fail"


def test_a_median_may_change_its_sign(tmp_path):
    ready = prepared(tmp_path, [gaussian("j", 0.3, 0.8), gaussian("k", 0.0, 0.0001), *LINEAR[2:]], [vote(0.2)])
    draws = Latents(ready.layout).draw_all(50_000, np.random.default_rng(3))
    kept = np.random.default_rng(4).choice(50_000, 50_000, p=weights_of(ready, draws))
    found = measurements.moved(ready.layout, {name: x[kept] for name, x in draws.items()}, ready.model.support)
    (j,) = [one for one in found if one.lobby == "j"]
    assert j.median < 0 < j.without
    # without the vote the posterior is the prior, of which so much lies above the median with it
    assert j.shift == pytest.approx(stats.norm.sf(j.median, 0.3, 0.8) - 0.5, abs=0.03)
    assert j.shift > 0.2, "the comparison must be able to fail"


def test_only_the_kinds_asked_for_are_measured(tmp_path):
    ready = prepared(tmp_path, LOG, [stake("j", 3.0), stake("k", 3.0), vote(0.6)], measure=["vote_share"])
    assert (len(ready.layout.measured.groups), ready.layout.measured.left_out) == (0, ())
    assert ready.layout.measured.votes.row == (4,)


def test_without_the_switch_nothing_is_measured(tmp_path):
    proxies = [stake("j", 3.0, day="1995"), stake("k", 3.0, day="1996"), vote(0.6)]
    off = prepared(tmp_path / "off", LOG, proxies, measure=False)
    none = prepared(tmp_path / "none", LOG, [], measure=False)
    assert not off.layout.measured
    assert off.layout.knots == none.layout.knots
    assert prepared(tmp_path / "on", LOG, proxies).layout.measured


def test_what_cannot_be_measured_is_told(tmp_path):
    proxies = [stake("j", 3.0), stake("k", 0.0), stake("j", 1.0, unit="GBP"), vote(1.0), vote(0.6, 1.0),
               vote(55, unit="percent of seats")]  # fmt: skip
    ready = prepared(tmp_path, LOG, proxies)
    told = " ".join(ready.layout.measured.left_out)
    for words in ("0 has no logarithm", "the only stake in USD", "the only stake in GBP",
                  "1 is no share with a probit: the vote was unanimous", "reliability 1 leaves no error"):  # fmt: skip
        assert words in told
    assert ready.layout.measured.votes.value == pytest.approx([stats.norm.ppf(0.55)])
    assert len(ready.layout.measured.left_out) == 5
    linear = prepared(tmp_path / "linear", LINEAR, [stake("j", 3.0), stake("k", 2.0)])
    assert "'j' moves in points and has no logarithm" in linear.layout.measured.left_out[0]
    assert check(tmp_path).notes == ready.layout.measured.left_out


def test_the_exact_engine_refuses_measurements(tmp_path):
    with pytest.raises(Refused, match="measure_proxies: proxies are measurements, which engine exact does not weigh"):
        exact.sample(prepared(tmp_path, LINEAR, [vote(0.6)]), draws=10, chains=1, seed=1)


@pytest.mark.parametrize("model", ["coalition", "opportunism"])
def test_the_samplers_model_has_the_same_density(model, tmp_path):
    judged = [*LOG[:2], quantiles("volatility", 0.05, 0.1, 0.2, "j"), known("volatility", 0.1, "k"),
              known("decision_noise", 30.0), known("rule_spread", 0.3)]  # fmt: skip
    proxies = [stake("j", 3.0, day="1995-01-01"), stake("k", 4.0, 0.5), vote(0.6, day="2001-02-03"), vote(0.7, 0.4)]
    with_, without = (prepared(tmp_path / str(on), judged, proxies, on, model) for on in (True, False))
    assert len(with_.layout.knots) > len(without.layout.knots)
    draws = Latents(with_.layout).draw_all(3, np.random.default_rng(1))
    log_p = measurements.log_densities_of(with_.layout, draws, models.load(model).support).sum(axis=0)
    built, logp = compiled(model, with_.layout)
    prior = sum(v.sum(axis=-1) for k, v in Latents(with_.layout).log_prior(draws).items() if "shock" not in k)
    prior = prior + stats.norm.logpdf(draws["innovation"]).sum(-1) + stats.norm.logpdf(draws["spread"]).sum(-1)
    for d in range(3):
        found = logp(point(built, natural(Latents(with_.layout), draws, d)))
        assert found == pytest.approx(prior[d] + log_p[d], rel=1e-9)


def test_where_magnitudes_are_measured_a_compiled_model_is_for_its_own_judgements(tmp_path):
    """The proxies' level is taken from prior medians, which the model holds as constants."""
    larger = [quantiles("magnitude", 30, 50, 80, "j"), *LOG[1:]]

    def keys(measure):
        both = [
            prepared(tmp_path / f"{measure}{i}", one, [stake("j", 3.0), stake("k", 3.0)], measure)
            for i, one in enumerate((LOG, larger))
        ]
        return {BUILT_FROM(ready.model, ready.layout) for ready in both}

    assert len(keys(True)) == 2
    assert len(keys(False)) == 1
