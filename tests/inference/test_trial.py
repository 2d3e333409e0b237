"""The fit through the fixed point is tried first, stands where every draw has one equilibrium, and else says so."""

import json

import numpy as np
import pytest

from bayes_compliance import api, inference, models
from bayes_compliance.inference import trial
from bayes_compliance.joint import JointLayout
from bayes_compliance.latents import Latents
from tests.builders import known, quantiles
from tests.models.cases import constants, two_states

SETTINGS = {"engine": "nuts", "seed": 1, "draws": 50, "tune": 50, "chains": 2}
STILL = [known("volatility", 0.0, f"{s} {r}") for s in "HF" for r in "JKLPG"]
ONE = [*STILL, *constants(decision_noise=3.0, trust=2.0, shadow=0.5, shock_hazard=0.0, rule_spread_points=0.0)]
SEVERAL = [*STILL, *constants(decision_noise=0.3, trust=2.0, shadow=0.9, shock_hazard=0.0, rule_spread_points=0.0)]


def prepared(folder, judged, **more):
    return models.prepare("reciprocity", two_states(folder, judgements=judged, **more))


@pytest.fixture
def drawn(monkeypatch):
    """Fits are replaced by prior draws; the layouts that were asked for are noted."""
    asked = []

    def draw(one, *, draws, chains, **_):
        asked.append(type(one.layout))
        found = Latents(one.layout).draw_all(draws * chains, np.random.default_rng(1))
        return inference.Drawn({k: v.reshape(chains, draws, v.shape[-1]) for k, v in found.items()}, {}, {"case": "c"})

    monkeypatch.setattr(trial, "draw", draw)
    return asked


def test_where_every_draw_has_one_equilibrium_the_fit_stands(tmp_path, drawn):
    found, fit = trial.settled(prepared(tmp_path, ONE), **SETTINGS)
    assert [one.__name__ for one in drawn] == ["JointLayout"]
    assert isinstance(found.layout, JointLayout)
    assert found.model.NOTE.startswith("fitted through the fixed point")
    assert fit.attrs["fitted"] == "through the fixed point"
    again = trial.as_fitted(prepared(tmp_path, ONE), fit.attrs)
    assert isinstance(again.layout, JointLayout)
    assert (again.model.NOTE, again.layout.knots) == (found.model.NOTE, found.layout.knots)


def test_several_equilibria_in_the_prior_spare_the_fit_and_are_said(tmp_path, drawn):
    found, fit = trial.settled(prepared(tmp_path, SEVERAL), **SETTINGS)
    assert [one.__name__ for one in drawn] == ["Layout"]
    assert found.model.NOTE.startswith(
        "fitted with observed conduct, as coalition; simultaneous choice in the forecast"
    )
    assert "of 4000 prior draws" in found.model.NOTE
    assert fit.attrs["model_note"] == found.model.NOTE
    assert trial.as_fitted(prepared(tmp_path, SEVERAL), fit.attrs).model.NOTE == found.model.NOTE


def test_one_posterior_draw_with_several_equilibria_undoes_the_fit(tmp_path, drawn, monkeypatch):
    monkeypatch.setattr(trial, "MOST", np.inf)
    found, fit = trial.settled(prepared(tmp_path, SEVERAL), **SETTINGS)
    assert [one.__name__ for one in drawn] == ["JointLayout", "Layout"]
    assert not isinstance(found.layout, JointLayout)
    assert "of 100 posterior draws through the fixed point" in found.model.NOTE
    assert fit.attrs["fitted"] == "as it is"


def test_draws_serve_a_later_decision_while_they_have_one_equilibrium_there(tmp_path, drawn):
    """As `update` asks before it weighs them."""
    stands, as_it_is = {"fitted": "through the fixed point"}, {"fitted": "as it is"}
    for judged, valid in ((ONE, True), (SEVERAL, False)):
        found = prepared(tmp_path / str(valid), judged)
        better = found.model.through(found)
        draws = Latents(better.layout).draw_all(500, np.random.default_rng(1))
        assert trial.still_valid(better, draws, stands) == valid
        assert trial.still_valid(found, draws, as_it_is)


@pytest.mark.parametrize(
    ("engine", "judged", "why"),
    [
        ("smc", ONE, "engine smc was asked for"),
        ("nuts", [*ONE, quantiles("entrenchment", 0.01, 0.02, 0.04, "H K")], "entrenchment is judged"),
    ],
)
def test_other_reasons_against_it_are_said(tmp_path, drawn, engine, judged, why):
    found, _ = trial.settled(prepared(tmp_path, judged), **SETTINGS | {"engine": engine})
    assert why in found.model.NOTE
    assert [one.__name__ for one in drawn] == ["Layout"]


def test_without_decisions_there_is_nothing_to_fit_through(tmp_path, drawn):
    found, _ = trial.settled(prepared(tmp_path, ONE, decisions=[]), **SETTINGS)
    assert "no decision on record answers conduct that is modelled" in found.model.NOTE


def test_other_models_are_fitted_as_they_are(tmp_path, drawn):
    plain = models.prepare("coalition", two_states(tmp_path, judgements=ONE))
    found, fit = trial.settled(plain, **SETTINGS)
    assert found is plain
    assert fit.attrs == {"case": "c"}
    assert trial.as_fitted(plain, fit.attrs) is plain


@pytest.mark.slow
@pytest.mark.parametrize(
    ("judged", "said"),
    [(ONE, "fitted through the fixed point"), (SEVERAL, "prior draws")],
    ids=["one equilibrium", "several"],
)
def test_a_run_says_how_it_was_fitted_and_forecasts_alike_from_its_folder(tmp_path, judged, said):
    two_states(tmp_path / "case", judgements=judged)
    done = api.run(tmp_path / "case", tmp_path / "run", model="reciprocity", draws=100, tune=200, chains=2)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert said in summary["model_note"]
    assert summary["model_note"] in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    before = (tmp_path / "run" / "forecast.csv").read_bytes()
    again = api.forecast(tmp_path / "case", tmp_path / "run")
    assert (tmp_path / "run" / "forecast.csv").read_bytes() == before
    assert again.summary["model_note"] == done.summary["model_note"] == summary["model_note"]


@pytest.mark.slow
def test_observed_conduct_gives_the_forecast_that_it_always_gave(tmp_path):
    """What is said of a fit leaves its draws alone."""
    one = prepared(tmp_path, SEVERAL)
    settled = trial.settled(one, **SETTINGS)[1]
    for name, values in inference.draw(one, **SETTINGS).draws.items():
        assert values.tobytes() == settled.draws[name].tobytes()


@pytest.mark.slow
def test_compare_gives_the_fit_through_the_fixed_point_a_score_of_its_own(tmp_path):
    sizes = {"draws": 100, "tune": 200, "chains": 2}
    for judged, same in ((ONE, False), (SEVERAL, True)):
        two_states(tmp_path / str(same), judgements=judged)
        found = api.compare(tmp_path / str(same), ("coalition", "reciprocity"), **sizes)
        assert (found.differences[1].verdict == "same fit") == same
