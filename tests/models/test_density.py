"""The PyMC model's log density equals the NumPy computation at random points; special cases equal `coalition`'s."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pytensor.compile import Mode
from scipy import stats

from bayes_compliance import asking, models
from bayes_compliance.latents import AHEAD_ONLY, Latents, groups, starts
from tests.builders import known, quantiles
from tests.models.cases import constants, prior_draws, two_states

JUDGED = [
    *(known("volatility", 0.0, f"{s} {r}") for s in "HF" for r in "JLPG"),
    known("volatility", 0.0, "F K"), quantiles("volatility", 0.1, 0.2, 0.4, "H K"),
    quantiles("monitoring", 0.3, 0.6, 0.9, "H K"), quantiles("detection", 0.5, 0.7, 0.9),
    quantiles("sincerity", 0.5, 0.8, 0.95), *constants(rule_spread_points=0.0, decision_noise=0.8, trust=2.0),
]  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return two_states(tmp_path_factory.mktemp("case"), judgements=JUDGED)


def compiled(name, layout):
    """The model and its log density, run operation by operation: compiling would take longer than all the tests."""
    built = models.load(name).build(layout)
    return built, built.compile_logp(mode=Mode(linker="py", optimizer=None), jacobian=False)


def natural(latents, draws, d):
    """One draw by the names of the PyMC variables: each holds the items of one form of prior."""
    found = {"innovation": draws["innovation"][d], "spread": draws["spread"][d]}
    for name in latents.names:
        for label, where in groups(latents, name).items() if len(latents.free[name]) else ():
            found[label] = draws[name][d][where]
    return found


def point(built, values):
    """The same on the sampler's unconstrained scale."""
    found = {}
    for variable in built.free_RVs:
        transform, value = built.rvs_to_transforms[variable], built.rvs_to_values[variable]
        free = values[variable.name]
        ends = upper_end(transform, variable) if type(transform).__name__ == "Interval" else ()
        found[value.name] = free if transform is None else BACK[type(transform).__name__](free, *ends)
    return found


def upper_end(transform, variable):
    """Of a variable that has one."""
    return (transform.args_fn(*variable.owner.inputs)[1].eval(mode=Mode(linker="py", optimizer=None)),)


BACK = {
    "LogTransform": np.log,
    "LogOddsTransform": lambda p: np.log(p) - np.log1p(-p),
    "Interval": lambda x, high: np.log(x) - np.log(high - x),
}


def by_numpy(name, layout, draws):
    """Log prior plus log likelihood, (draw,), without PyMC."""
    latents = Latents(layout)
    prior = sum(v.sum(axis=-1) for k, v in latents.log_prior(draws).items() if k not in AHEAD_ONLY)
    prior = prior + stats.norm.logpdf(draws["innovation"]).sum(-1) + stats.norm.logpdf(draws["spread"]).sum(-1)
    if name != "opportunism":
        return prior + likelihood(name, layout, draws).sum(axis=-1)
    no, yes = (np.exp(likelihood(name, layout, draws | {"sincere": np.full((8, 2), float(t))})) for t in (0, 1))
    pi = draws["sincerity"]
    return prior + np.log((1 - pi) * no + pi * yes).sum(axis=-1)


def likelihood(name, layout, x):
    """Log likelihood of each state's decisions, (draw, state), by the normal distribution function itself."""
    rows, n, e = layout.rows, layout.rows.n_outcomes, layout.error
    margin = asking.ask_observed(models.load(name), layout, x).support - rows.threshold
    noise, width = x["decision_noise"][:, rows.state], x["partial_width"][:, rows.state] * (n == 3)
    comply, violate = stats.norm.cdf((margin - width) / noise), stats.norm.cdf((-width - margin) / noise)
    # the band from the nearer tail, where nothing cancels
    partial = stats.norm.cdf((width - abs(margin)) / noise) - stats.norm.cdf((-width - abs(margin)) / noise)
    p = np.where(layout.outcome == 2, comply, np.where(layout.outcome == 0, violate, partial))
    coded = np.log((1 - e) * p + e * (1 - p) / (n - 1))
    return np.stack([coded[:, rows.state == s].sum(axis=1) for s in range(2)], axis=-1)


def agrees(built, logp, layout, draws, expected):
    """Assert that the log density is the expected one at the draws, with a gradient."""
    points = [point(built, natural(Latents(layout), draws, d)) for d in range(8)]
    assert_allclose([float(logp(at)) for at in points], expected, rtol=1e-9, atol=1e-9)
    slope = built.compile_dlogp(mode=Mode(linker="py", optimizer=None))
    assert all(np.isfinite(slope(at)).all() for at in points)


@pytest.mark.parametrize("name", ["coalition", "information", "opportunism", "spells", "unitary", "managerial"])
def test_the_log_density_is_that_of_plain_numpy(case, name):
    prepared = models.prepare(name, case)
    layout, draws = prepared.layout, prior_draws(prepared, 8, seed=4)
    built, logp = compiled(name, layout)
    expected = by_numpy(name, layout, draws)
    latents = Latents(layout)
    found = [float(logp(point(built, natural(latents, draws, d)))) for d in range(8)]
    assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    # negative control: the densities of two points differ by far more
    assert np.ptp(expected) > 0.1


def test_neutral_quantities_give_the_log_density_of_coalition(tmp_path):
    """Monitoring, detection and sincerity of 1: no free variable more, and the same density at the same points."""
    case = two_states(tmp_path, judgements=constants(sincerity=1.0))
    prepared = models.prepare("coalition", case)
    draws, latents = prior_draws(prepared, 8, seed=4), Latents(prepared.layout)
    reference, logp = compiled("coalition", prepared.layout)
    points = [natural(latents, draws, d) for d in range(8)]
    expected = [float(logp(point(reference, values))) for values in points]
    for name in ("information", "opportunism"):
        built, other = compiled(name, models.prepare(name, case).layout)
        assert {v.name for v in built.free_RVs} == {v.name for v in reference.free_RVs}
        assert_allclose([float(other(point(built, values))) for values in points], expected, rtol=1e-12)


def test_pools_of_any_number_of_analysts_are_one_variable_for_each_family(tmp_path):
    """Whoever has fewer analysts has components of weight 0; these neither count nor spoil the gradient."""
    pooled = [
        *(quantiles("magnitude", *q, "H K", analyst=f"analyst {i}") for i, q in enumerate([(1, 3, 5), (2, 4, 9)])),
        quantiles("magnitude", 0.5, 2, 3, "F K", analyst="analyst 1"),
        quantiles("magnitude", -1, 0.2, 1, "H G", analyst="analyst 1"),
        quantiles("magnitude", 1, 2, 4, "H J", analyst="analyst 1", family="gamma"),
    ]
    prepared = models.prepare("coalition", two_states(tmp_path, judgements=[*pooled, *JUDGED]))
    layout, draws = prepared.layout, prior_draws(prepared, 8, seed=4)
    latents = Latents(layout)
    sizes = {label: len(where) for label, where in groups(latents, "magnitude").items()}
    assert sizes == {"magnitude_lognormal": 5, "magnitude_lognormal_gamma": 1, "magnitude_normal": 4}
    expected = by_numpy("coalition", layout, draws)
    agrees(*compiled("coalition", layout), layout, draws, expected)
    # negative control: the second analyst of H K counts
    draws["magnitude"][:, layout.coords["lobby"].index("H K")] *= 1.01
    assert abs(by_numpy("coalition", layout, draws) - expected).min() > 1e-4


def test_shares_judged_as_logit_normals_are_of_the_logit_scale_alone_and_in_a_pool(tmp_path):
    """PyMC knows no transform of a logit-normal, and takes none into a mixture: a chain would meet walls at 0 and 1."""
    odd = {"family": "logit-normal"}
    judged = [
        quantiles("shadow", 0.9, 0.97, 0.99, state="H", **odd),
        quantiles("shadow", 0.2, 0.5, 0.9, state="F", analyst="analyst 1", **odd),
        quantiles("shadow", 0.5, 0.7, 0.9, state="F", analyst="analyst 2", **odd),
        quantiles("specificity", 0.2, 0.4, 0.7, "H L", analyst="analyst 1", **odd),
        quantiles("specificity", 0.1, 0.2, 0.5, "H L", analyst="analyst 2", family="beta"),
    ]
    prepared = models.prepare("coalition", two_states(tmp_path, judgements=[*judged, *JUDGED]))
    layout, draws = prepared.layout, prior_draws(prepared, 8, seed=4)
    built, logp = compiled("coalition", layout)
    transforms = {v.name: type(t).__name__ for v, t in built.rvs_to_transforms.items()}
    assert transforms["shadow"] == transforms["specificity"] == "LogOddsTransform"
    assert starts(layout)["shadow"][1] == pytest.approx(np.log(0.97 / 0.03), abs=0.1)
    expected = by_numpy("coalition", layout, draws)
    agrees(built, logp, layout, draws, expected)
    # negative control: both analysts of F count
    draws["shadow"][:, layout.coords["state"].index("F")] *= 0.99
    assert abs(by_numpy("coalition", layout, draws) - expected).min() > 1e-4
