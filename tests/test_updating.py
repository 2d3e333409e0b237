"""A run brought up to date by weights says what a new run says."""

import numpy as np
import pytest
from scipy import stats

from bayes_compliance import api, models
from bayes_compliance.case import load_case
from bayes_compliance.errors import Refused
from bayes_compliance.inference.carry import carry
from bayes_compliance.inference.density import log_likelihood, log_prior, of_rows
from bayes_compliance.latents import Latents
from bayes_compliance.updating import update
from bayes_compliance.validation.known import only_rows_differ, only_there
from tests.inference.linear_cases import walk
from tests.models.cases import two_states
from tests.models.test_density import JUDGED, by_numpy

WORDS = ["comply", "comply", "violate", "comply", "comply"]
SIZE = {"engine": "exact", "draws": 1000, "chains": 2}


@pytest.fixture
def done(tmp_path):
    return api.run(walk(tmp_path / "was", WORDS), tmp_path / "run", **SIZE)


def at_the_end(run):
    last = run.forecast.dataset["p_today"].isel(time=-1).squeeze()
    return float(last.mean()), float(last.std() / np.sqrt(last.size))


def test_a_decision_more_is_what_a_run_of_the_new_case_says(tmp_path, done):
    """5 Monte Carlo errors of two means of 2,000 draws each: a false-alarm rate below 1e-6 for each of two words."""
    before, error = at_the_end(done)
    for word in ("violate", "comply"):
        case = walk(tmp_path / word, [*WORDS, word])
        anew, _ = at_the_end(api.run(case, tmp_path / f"run {word}", **SIZE, until=done.prepared.case.horizon.until))
        found = update(done, load_case(case), refit=False)
        assert found.how == "reweighted"
        assert found.before == {("H", "r"): pytest.approx(before)}
        assert 0 < found.error < 0.02
        assert found.after["H", "r"] == pytest.approx(anew, abs=5 * np.hypot(2 * error, found.error))
        assert abs(found.after["H", "r"] - before) > 5 * 2 * error  # else the test could not tell


def test_a_decision_less_is_taken_back(tmp_path, done):
    case = walk(tmp_path / "less", WORDS[:-1])
    anew, error = at_the_end(api.run(case, tmp_path / "run less", **SIZE))
    found = update(done, load_case(case), refit=False)
    assert found.after["H", "r"] == pytest.approx(anew, abs=5 * np.hypot(2 * error, found.error))


def test_a_judgement_changed_is_what_a_run_of_the_new_case_says(tmp_path, done):
    case = walk(tmp_path / "case", WORDS, mean=0.6)
    anew, error = at_the_end(api.run(case, tmp_path / "run judged", **SIZE))
    found = update(done, load_case(case), refit=False)
    assert found.how == "reweighted"
    assert found.after["H", "r"] == pytest.approx(anew, abs=10 * error)
    assert found.after["H", "r"] - found.before["H", "r"] > 5 * error


def test_nothing_changed_changes_nothing(done):
    found = update(done, done.prepared.case, refit=False)
    assert (found.how, found.pareto_k) == ("reweighted", 0.0)
    assert found.after == pytest.approx(found.before)


def test_what_weights_cannot_carry_is_fitted_anew_or_said(tmp_path, done):
    case = load_case(walk(tmp_path / "case", WORDS, mean=20.0, sd=0.1))
    said = update(done, case, refit=False)
    assert (said.how, said.after) == ("cannot tell without a new fit", {})
    assert said.pareto_k > 0.7
    fitted = update(done, case)
    assert fitted.how == "fitted anew"
    assert fitted.after["H", "r"] > 1 - 1e-6


def test_another_case_is_refused(tmp_path, done):
    with pytest.raises(Refused, match=r"states are others than those of the run \(F\)"):
        update(done, two_states(tmp_path / "other"))


def test_a_run_without_a_forecast_is_refused(tmp_path):
    fitted = api.fit(walk(tmp_path / "case", WORDS), tmp_path / "run", **SIZE)
    with pytest.raises(Refused, match="the run has no forecast"):
        update(fitted, fitted.prepared.case)


@pytest.mark.parametrize("name", ["coalition", "opportunism"])
def test_the_density_of_draws_is_that_of_the_normal_distribution_function(tmp_path, name):
    """But for innovations and spreads, whose density is the same under any prior."""
    prepared = models.prepare(name, two_states(tmp_path, judgements=JUDGED))
    draws = Latents(prepared.layout).draw_all(8, np.random.default_rng(1))
    ours = log_prior(prepared, draws) + log_likelihood(prepared, draws)
    ours += sum(stats.norm.logpdf(draws[k]).sum(-1) for k in ("innovation", "spread"))
    np.testing.assert_allclose(ours, by_numpy(name, prepared.layout, draws), rtol=1e-8)


@pytest.mark.parametrize("name", ["coalition", "spells"])
@pytest.mark.parametrize("change", ["one more", "one less", "decided otherwise"])
def test_rows_that_differ_weigh_what_all_rows_do(tmp_path, name, change):
    """A row decided otherwise changes the conduct that later rows of others meet: these differ as well."""
    case = two_states(tmp_path, judgements=JUDGED)
    decided = list(case.decisions)
    if change == "one more":
        day = decided[-1].date.replace(year=decided[-1].date.year + 1)
        decided.append(decided[-1].model_copy(update={"date": day, "date_end": day}))
    elif change == "one less":
        del decided[2]
    else:
        first = next(i for i, d in enumerate(decided) if d.kind == "compliance")
        word = "violate" if decided[first].decision == "comply" else "comply"
        decided[first] = decided[first].model_copy(update={"decision": word})
    one, other = (models.prepare(name, c) for c in (case, case.model_copy(update={"decisions": tuple(decided)})))
    assert only_rows_differ(one, other)
    draws = Latents(one.layout).draw_all(50, np.random.default_rng(1))
    moved = carry(draws, one.layout, other.layout, np.random.default_rng(2))
    new, gone = only_there(other.layout, one.layout), only_there(one.layout, other.layout)
    assert len(new) < len(other.layout.rows)
    if change == "decided otherwise":
        assert len(new) > 1
    by_rows = of_rows(other, moved, new) - of_rows(one, draws, gone)
    whole = log_likelihood(other, moved) - log_likelihood(one, draws)
    np.testing.assert_allclose(by_rows, whole, rtol=1e-9, atol=1e-9)


def test_other_judgements_or_types_need_all_rows(tmp_path):
    case = two_states(tmp_path / "a", judgements=JUDGED)
    one = models.prepare("coalition", case)
    assert not only_rows_differ(one, models.prepare("coalition", case, noise_scale=1.1))
    assert not only_rows_differ(*(models.prepare("opportunism", case) for _ in range(2)))
