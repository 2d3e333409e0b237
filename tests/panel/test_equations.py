"""The model's equations against a loop over the rows; density of PyMC against NumPy; recovered without a sampler."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.stats import norm

from bayes_compliance import models
from bayes_compliance.inference.diagnostics import failed
from bayes_compliance.panel.ahead import forecast
from bayes_compliance.panel.fitting import diagnose, grow, log_likelihood, log_prior, prior, simulate
from bayes_compliance.panel.layout import PanelLayout
from bayes_compliance.panel.loading import load_panel
from bayes_compliance.panel.synthetic import synthetic, write
from tests.panel import plain

FALSE_ALARM_Z = 5.0
"""Standard errors that a right mean exceeds with probability 6e-7."""


@pytest.fixture(scope="module", params=[False, True], ids=["constant", "paths"])
def layout(request) -> PanelLayout:
    return PanelLayout(synthetic(12, 20, 150, seed=4, paths=request.param).panel, paths=request.param)


def test_every_row_as_a_loop_has_it(layout):
    x = prior(layout, 3, np.random.default_rng(1))
    found = log_likelihood(layout, x)
    for i in range(3):
        expected = plain.log_probabilities(layout, {name: values[i] for name, values in x.items()})
        np.testing.assert_allclose(found[i], expected, rtol=1e-6)


def test_a_status_quo_row_and_two_outcomes(tmp_path):
    rows = "a,2001-01-01,X,r,status_quo,violate,,high,,,\na,2003-01-01,Y,r,compliance,comply,,low,,,\n"
    layout = PanelLayout(load_panel(plain.write_table(tmp_path, rows), outcomes=2))
    assert "partial_width" not in layout.sizes
    x = prior(layout, 2, np.random.default_rng(1))
    expected = plain.log_probabilities(layout, {name: values[1] for name, values in x.items()})
    np.testing.assert_allclose(log_likelihood(layout, x)[1], expected, rtol=1e-9)


def test_the_walk_and_the_steps():
    layout = PanelLayout(synthetic(12, 20, 150, seed=4, paths=True).panel, paths=True)
    model, z = models.load_panel(), np.random.default_rng(2).standard_normal(len(layout.knots))
    found = model.walk(layout, {"drift": np.array([0.3])}, z)
    np.testing.assert_allclose(found, plain.walk(layout, 0.3, z), rtol=1e-10)
    found = model.steps({"stakes": np.array([0.5]), "bias_share": np.array([0.6])}, z[:2])
    np.testing.assert_allclose(found, [plain.step(0.3, model.STEP_SPREAD, v) for v in z[:2]])


def test_exporters_by_rule_and_area(layout):
    """Against a loop; and the median rule's L is what the stakes leave beside the bias."""
    rng, x = np.random.default_rng(2), prior(layout, 2, np.random.default_rng(1))
    z, z_area = rng.standard_normal((2, len(layout.rules))), rng.standard_normal((2, len(layout.areas)))
    found = models.load_panel().exporters(layout, x, z, z_area)
    for i in range(2):
        one = {name: values[i] for name, values in x.items()}
        np.testing.assert_allclose(found[i], plain.exporters(layout, one, z[i], z_area[i]), rtol=1e-10)
    forgone = models.load_panel().exporters_median(x) * (1 - x["answered"])
    np.testing.assert_allclose(forgone, x["stakes"] * (1 - x["bias_share"]))


def test_missing_covariates_count_as_free_numbers():
    layout = PanelLayout(synthetic(12, 20, 60, seed=4, missing=0.4).panel)
    design, rng = layout.about_states, np.random.default_rng(1)
    effect, missing = rng.standard_normal(2), rng.standard_normal(len(design.item))
    filled = design.known.copy()
    filled[design.item, design.column] = missing
    assert len(missing) > 4
    np.testing.assert_allclose(design.times(effect, missing), filled @ effect)


def a_point(layout: PanelLayout, names: list[str], seed: int) -> tuple[dict[str, np.ndarray], float]:
    """Values of PyMC's variables, and their log density (up to a constant) by NumPy."""
    rng, model = np.random.default_rng(seed), models.load_panel()
    x = prior(layout, 1, rng)
    size = {
        "area_z": len(layout.areas),
        "exporters_area_z": len(layout.areas),
        "step_z": len(layout.states),
        "p2_g2_z": len(layout.states),
    }
    z = {name: rng.standard_normal(size.get(name, len(layout.rules))) for name in names if name.endswith("_z")}
    x["area_interest"], x["step"] = model.areas(x, z["area_z"]), model.steps(x, z["step_z"])
    x["exporters"] = model.exporters(layout, x, z["exporters_z"], z["exporters_area_z"])
    deviation = z["interest_free_z"] if "interest_free_z" in z else rng.standard_normal(len(layout.rules))
    x["interest_free"] = model.rule_mean(layout, x) + x["rule_spread"] * deviation
    x["interest"] = model.interests(layout, x, x["interest_free"])
    if "p2_g2_z" in z:
        x["p2_g2"] = model.state_mean(layout, x) + model.state_spread(layout, x) * z["p2_g2_z"]
    parts = log_prior(layout, x)
    parts["interest_free"] = norm.logpdf(x["interest_free"], model.rule_mean(layout, x), x["rule_spread"])
    free = [*layout.sizes, *({"p2_g2", "interest_free"} & set(names))]
    total = sum(parts[name].sum() for name in free) - sum((v**2).sum() / 2 for v in z.values())
    point = {name: z[name] if name in z else as_sampled(name, x) for name in names}
    return point, float(total + log_likelihood(layout, x).sum())


def as_sampled(name: str, x: dict[str, np.ndarray]) -> np.ndarray:
    """A variable on the scale that PyMC samples on."""
    base, _, scale = name.partition("_log")
    value = x[base][0]
    if scale == "odds__":
        return np.log(value / (1 - value))
    return np.log(value) if scale else value


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("pooling", ["partial", "none", "complete"])
def test_pymc_has_the_same_density(pooling, centred):
    """Differences of log density between two points, which constants leave alone."""
    layout = PanelLayout(synthetic(5, 9, 40, seed=2, missing=0.3).panel, pooling, centred=centred)
    model = models.load_panel().build(layout)
    density, names = model.compile_logp(jacobian=False, mode="FAST_COMPILE"), list(model.initial_point())
    (one, expected), (other, expected_other) = (a_point(layout, names, seed) for seed in (1, 2))
    assert ("p2_g2" in names) == (centred and pooling != "complete")
    assert density(one) - density(other) == pytest.approx(expected - expected_other, rel=1e-8)


def test_simulated_decisions_are_as_likely_as_the_likelihood_says():
    """The mean log probability of simulated rows is minus their entropy: both by the same draws, within 5 errors."""
    layout = PanelLayout(synthetic(6, 9, 60, seed=4).panel)
    x = {name: np.repeat(v, 4000, axis=0) for name, v in prior(layout, 1, np.random.default_rng(3)).items()}
    outcome = simulate(layout, x, np.random.default_rng(4))
    same = (outcome == layout.outcome).mean(axis=0)
    p = np.exp(log_likelihood(layout, {name: v[:1] for name, v in x.items()})[0])
    z = (same - p) / np.sqrt(np.maximum(p * (1 - p), 1e-6) / 4000)
    assert np.abs(z).max() < FALSE_ALARM_Z


def test_forecast_is_the_outcome_probability_and_paths_widen_only_the_day():
    layout = PanelLayout(synthetic(6, 9, 60, seed=4, paths=True).panel, paths=True)
    draws = {name: v[None] for name, v in prior(layout, 400, np.random.default_rng(3)).items()}
    draws["drift"] = np.full_like(draws["drift"], 2.0)
    found = forecast(layout, draws, 1)
    rows = {(row["state"], row["rule"]): row for row in found.table}
    assert {("*", str(rule)) for rule in layout.rules} | {(s, "*") for s in layout.states} <= set(rows)
    for row in found.table:
        assert row["p_comply"] + row["p_partial"] + row["p_violate"] == pytest.approx(1)
        assert row["p_upper"] - row["p_lower"] > row["p_today_upper"] - row["p_today_lower"]
    d = next(e for e in layout.entries if e.decision.kind == "compliance")
    s, r = layout.state_index[d.decision.state], layout.rule_index[d.key]
    support = draws["p2_g2"][0, :, s] + draws["interest"][0, :, r] - draws["partial_width"][0, :, 0]
    years = (layout.panel.until - layout.panel.last).days / 365.25
    expected = np.mean([plain.PHI(m / np.sqrt(1 + 4 * years / 5)) for m in support])
    assert rows[d.decision.state, str(d.key)]["p_comply"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("rules", [1, 9])
def test_what_is_the_same_in_every_draw_by_construction_is_not_diagnosed(rules):
    """An only rule has no net interest beside the average rule, an only area none beside the others."""
    made = synthetic(5, rules, 60, seed=4).panel
    layout = PanelLayout(replace(made, areas=dict.fromkeys(made.areas, "trade")))
    assert "area_spread" not in layout.sizes
    draws = {k: v.reshape(2, 1000, -1) for k, v in prior(layout, 2000, np.random.default_rng(1)).items()}
    assert (np.ptp(draws["interest"], axis=(0, 1)) > 0).all() == (rules > 1)
    stats = {"diverging": np.zeros((2, 1000), bool)}
    assert not failed(diagnose(layout, grow(layout, draws, stats, 1, {})))
    draws["p2_g2"] = draws["p2_g2"] * [1, 0, 1, 1, 1]
    rhat, *_ = failed(diagnose(layout, grow(layout, draws, stats, 1, {})))
    assert rhat.where == "p2_g2[S001]"


def test_a_synthetic_panel_comes_back_from_disk(tmp_path):
    made = synthetic(5, 9, 40, seed=2)
    assert {p.name for p in write(tmp_path / "p", made)} == {"decisions.csv", "states.csv", "rules.csv", "truth.csv"}
    back = load_panel(tmp_path / "p")

    def said(panel):
        return [
            (e.case, e.decision.date, e.decision.state, e.decision.rule, e.decision.decision) for e in panel.entries
        ]

    assert said(back) == said(made.panel)
    assert back.areas == made.panel.areas
    assert back.all_states == made.panel.all_states
    assert back.last <= date(2020, 1, 1)
    again = synthetic(5, 9, 40, seed=2)
    np.testing.assert_array_equal(again.truth["p2_g2"], made.truth["p2_g2"])
    assert said(synthetic(5, 9, 40, seed=3).panel) != said(made.panel)
