"""A run brought up to date by weights says what a new run says."""

from datetime import date

import numpy as np
import pytest
from scipy import stats

from bayes_compliance import api, inference, models
from bayes_compliance.case import Judgement, Proxy, Seed, load_case
from bayes_compliance.changes import changes
from bayes_compliance.errors import Refused
from bayes_compliance.forecast import simulate
from bayes_compliance.importance import weights_of
from bayes_compliance.inference.carry import carry
from bayes_compliance.inference.density import log_likelihood, log_prior, of_rows
from bayes_compliance.inference.diagnostics import Check
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.latents import AHEAD_ONLY, Latents
from bayes_compliance.runs import Run
from bayes_compliance.updating import update
from bayes_compliance.validation.known import only_rows_differ, only_there
from tests.inference.linear_cases import walk
from tests.models.cases import two_states
from tests.models.test_density import JUDGED, by_numpy

WORDS = ["comply", "comply", "violate", "comply", "comply"]
SIZE = {"engine": "exact", "draws": 1000, "chains": 2}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("done")


@pytest.fixture(scope="module")
def done(place):
    return api.run(walk(place / "was", WORDS), place / "run", **SIZE)


def at_the_end(run):
    return last_of(run.forecast)


def last_of(forecast):
    last = forecast.dataset["p_draw"].isel(time=-1).squeeze()
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
        assert 0 < found.errors["H", "r"] < 0.03
        assert found.after["H", "r"] == pytest.approx(anew, abs=5 * np.hypot(2 * error, found.errors["H", "r"]))
        assert abs(found.after["H", "r"] - before) > 4 * found.errors["H", "r"]  # else the test could not tell


def test_a_decision_less_is_taken_back(tmp_path, done):
    case = walk(tmp_path / "less", WORDS[:-1])
    anew, error = at_the_end(api.run(case, tmp_path / "run less", **SIZE))
    found = update(done, load_case(case), refit=False)
    assert found.after["H", "r"] == pytest.approx(anew, abs=5 * np.hypot(2 * error, found.errors["H", "r"]))


def test_a_depth_that_has_become_known_is_what_a_run_of_the_new_case_says(tmp_path):
    deep = [{"id": "r", "states": ["H"], "depth": True, "adherence_date": date(2000, 12, 31)}]
    was, is_now = (walk(tmp_path / name, WORDS[:3], rules=deep) for name in ("was", "now"))
    done = api.run(was, tmp_path / "run", **SIZE, as_of=date(2000, 12, 30))
    assert not done.prepared.layout.depth.any()
    anew, error = at_the_end(api.run(is_now, tmp_path / "run now", **SIZE))
    found = update(done, load_case(is_now), refit=False)
    assert found.how == "reweighted"
    assert found.after["H", "r"] == pytest.approx(anew, abs=10 * np.hypot(error, found.errors["H", "r"]))
    assert found.before["H", "r"] - found.after["H", "r"] > 10 * error, "the comparison must be able to fail"


def test_a_judgement_changed_is_what_a_run_of_the_new_case_says(tmp_path, done):
    case = walk(tmp_path / "case", WORDS, mean=0.8)
    anew, error = at_the_end(api.run(case, tmp_path / "run judged", **SIZE))
    found = update(done, load_case(case), refit=False)
    assert found.how == "reweighted"
    assert found.after["H", "r"] == pytest.approx(anew, abs=10 * error)
    assert found.after["H", "r"] - found.before["H", "r"] > 5 * error


def test_a_judgement_of_the_future_alone_is_what_a_run_of_the_new_case_says(tmp_path):
    """Shocks after the last decision, which no likelihood knows of; 4.5 Monte Carlo errors, one in 150,000."""
    was = walk(tmp_path / "was", WORDS, hazard=(0.05, 0.1, 0.2))
    done = api.run(was, tmp_path / "run", **SIZE)
    case = walk(tmp_path / "case", WORDS, hazard=(0.1, 0.2, 0.4))
    anew, error = at_the_end(api.run(case, tmp_path / "run judged", **SIZE))
    found = update(done, load_case(case), refit=False)
    assert found.how == "reweighted"
    assert found.pareto_k != 0
    assert found.after["H", "r"] == pytest.approx(anew, abs=4.5 * np.hypot(error, found.errors["H", "r"]))
    nothing = update(done, load_case(was), refit=False)
    assert nothing.pareto_k == 0


def test_other_proxies_weigh(tmp_path):
    """A vote share that is measured is part of the likelihood."""
    votes = [{"date": "2000-06-01", "state": "H", "kind": "vote_share", "value": v, "unit": "share",
              "reliability": 0.9, "source": "roll call", "url": ""} for v in (0.55, 0.35)]  # fmt: skip
    was, is_now = (
        walk(tmp_path / f"case{i}", WORDS, proxies=[vote], measure_proxies=True) for i, vote in enumerate(votes)
    )
    done = api.run(was, tmp_path / "run", engine="smc", draws=200, chains=2)
    one, other = done.prepared, models.prepare("coalition", load_case(is_now))
    draws = {name: v.reshape(400, -1) for name, v in draws_of(done.tree)[0].items()}
    expected = log_likelihood(other, draws) - log_likelihood(one, draws)
    assert np.ptp(expected) > 0.1
    found = update(done, load_case(is_now), refit=False)
    assert found.pareto_k == pytest.approx(weights_of(expected).pareto_k)
    assert found.after != found.before


@pytest.mark.parametrize(
    "change", [{"states": [{"id": "H", "threshold": 1.0}]}, {"tables": {"dynamics": {"mean_reversion_half_life": 3}}}]
)
def test_what_else_differs_is_refused(tmp_path, done, change):
    """Neither a weight nor the run's forecast would know of it."""
    what = "states" if "states" in change else "dynamics"
    ids = r" \(H\)" if what == "states" else ""
    with pytest.raises(Refused, match=f"not that of the run in {what}{ids}; allowed: the same, or a new run"):
        update(done, load_case(walk(tmp_path / "other", WORDS, **change)))


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
    assert said.errors == {}


def test_a_new_fit_has_an_error_beside_that_of_the_run(tmp_path, done):
    """Independent draws: the effective sample size is their number, give or take a tenth."""
    found = update(done, load_case(walk(tmp_path / "case", WORDS, mean=2.0, sd=0.05)))
    assert found.how == "fitted anew"
    prepared = models.prepare("coalition", load_case(tmp_path / "case"))
    draws, chains = draws_of(inference.fit(prepared, **SIZE))
    anew = simulate(prepared.model, prepared.layout, draws, chains, seed=1, until=found.until)
    (_, of_the_run), (p, of_the_fit) = at_the_end(done), last_of(anew)
    assert found.after["H", "r"] == pytest.approx(p, abs=5 * of_the_fit)
    assert found.errors["H", "r"] == pytest.approx(np.hypot(of_the_run, of_the_fit), rel=0.15)
    assert of_the_run > of_the_fit > 0


def test_another_case_is_refused(tmp_path, done):
    with pytest.raises(Refused, match=r"case.toml: not that of the run in scale; allowed"):
        update(done, two_states(tmp_path / "other"))


def test_a_folder_is_as_good_as_the_case_in_it(tmp_path, done):
    folder = walk(tmp_path / "more", [*WORDS, "violate"])
    assert api.update(done, folder, refit=False) == api.update(done, load_case(folder), refit=False)
    assert api.update(done, str(folder), refit=False).before.keys() == {("H", "r")}
    with pytest.raises(Refused, match="none:1: folder: there is no such folder"):
        api.update(done, tmp_path / "none")


def test_a_run_on_disk_is_as_good_as_the_run_in_memory(tmp_path, place, done):
    folder = walk(tmp_path / "more", [*WORDS, "violate"])
    assert api.update(place / "run", folder) == api.update(done, folder)


def test_the_stated_error_is_that_of_runs_with_other_seeds(tmp_path, done):
    """The spread of 25 changes beside their errors, whose ratio leaves .57 to 1.47 for one test in a thousand."""
    prepared, new = done.prepared, load_case(walk(tmp_path / "new", [*WORDS, "violate"]))
    changes, errors = [], []
    for seed in range(25):
        tree = inference.fit(prepared, engine="exact", draws=250, chains=2, seed=seed)
        forecast = simulate(prepared.model, prepared.layout, *draws_of(tree), seed=seed)
        summary = {"settings": done.summary["settings"] | {"seed": seed}}
        found = update(Run(prepared, tree, forecast, [], summary), new, refit=False)
        changes.append(found.after["H", "r"] - found.before["H", "r"])
        errors.append(found.errors["H", "r"])
    assert 0.57 < np.std(changes) / np.sqrt(np.mean(np.square(errors))) < 1.47
    assert np.mean(changes) < -3 * np.mean(errors), "the changes are more than their errors"


def test_rows_of_every_table_are_told():
    """A vote on the whole agreement, a survey of a lobby, a seed question and a judgement of a state."""
    case = load_case("case_studies/bananas")
    day = {"date": date(2003, 1, 1), "date_end": date(2003, 1, 1)}
    vote = Proxy(**day, state="H", kind="vote_share", value=0.54, unit="share", reliability=0.9)
    survey = Proxy(**day, state="H", lobby="banana growers", kind="survey", value=31, unit="percent", reliability=0.5)
    seed = Seed(**day, analyst="a", question="seats", p05=1, p50=2.5, p95=4, realisation=3)
    noise = Judgement(**day, analyst="a", state="H", quantity="decision_noise", p05=1, p50=2, p95=3)
    more = {"proxies": (vote, survey), "seeds": (seed,), "judgements": (*case.judgements, noise)}
    assert changes(case, case.model_copy(update=more)) == [
        "+ judgements.csv: a: decision_noise of H: 5% 1, 50% 2, 95% 3",
        "+ proxies.csv: 2003-01-01 H: vote_share 0.54 share",
        "+ proxies.csv: 2003-01-01 banana growers: survey 31 percent",
        "+ seeds.csv: a: seats: 1, 2.5, 4, realised 3",
    ]


def test_columns_that_a_row_is_not_told_by_are_told_where_they_change():
    case = load_case("case_studies/bananas")
    doubted = case.decisions[-1].model_copy(update={"confidence": "low", "counterparty": ("H", "F")})
    judged = case.judgements[0].model_copy(update={"weight": 2.0})
    more = {
        "decisions": (*case.decisions[:-1], doubted), "judgements": (judged, *case.judgements[1:]),
        "measure_proxies": ("stake", "survey"),
    }  # fmt: skip
    first, second, third = changes(case, case.model_copy(update=more))
    assert first == "~ case.toml: measure_proxies none -> stake and survey"
    assert second.startswith(f"~ decisions.csv: {doubted.date} {doubted.state} {doubted.rule}: {doubted.decision} (")
    assert "confidence " in second
    assert second.endswith(" -> low)")
    assert "counterparty none -> H;F, " in second or "counterparty H" in second
    assert third.endswith(" (weight 1.0 -> 2.0)")


def test_decisions_of_a_day_that_the_forecast_does_not_reach_are_refused(tmp_path, done):
    until = done.prepared.case.horizon.until
    late = done.prepared.case.decisions[-1].model_copy(update={"date": until, "date_end": until})
    case = done.prepared.case.model_copy(update={"decisions": (*done.prepared.case.decisions, late)})
    with pytest.raises(Refused, match=rf"decisions.csv: {until} is not before {until}, the last date of the run's"):
        update(done, case)


def test_a_new_fit_is_diagnosed(tmp_path, done):
    case = load_case(walk(tmp_path / "case", WORDS, mean=20.0, sd=0.1))
    assert update(done, case, refit=False).checks == tuple(done.checks)
    found = update(done, case)
    assert [check.name for check in found.checks[len(done.checks) :]] == ["R-hat", "bulk ESS", "tail ESS"]
    bad = Check("divergences", 3.0, "none", "", False)
    assert not found._replace(checks=(*found.checks, bad)).passed
    assert found._replace(checks=()).passed
    assert found._replace(checks=(*found.checks, bad)).as_dict()["diagnostics_failed"] == [f"the new fit: {bad}"]
    assert found._replace(checks=(bad, *found.checks)).as_dict()["diagnostics_failed"] == [f"the RUN: {bad}"]


def test_what_has_changed_is_told_row_by_row(tmp_path, done):
    old = load_case(walk(tmp_path / "was", WORDS))
    new = load_case(walk(tmp_path / "new", [*WORDS[:-1], "violate"], mean=0.5))
    assert changes(old, old) == []
    last = old.decisions[-1].date
    assert changes(old, new) == [
        f"- decisions.csv: {last} H r: comply", f"+ decisions.csv: {last} H r: violate",
        "- judgements.csv: a: magnitude of j: 5% -0.0158829, 50% 1.3, 95% 2.61588",
        "+ judgements.csv: a: magnitude of j: 5% 0.184117, 50% 1.5, 95% 2.81588",
    ]  # fmt: skip
    told = old.model_copy(
        update={"decisions": tuple(d.model_copy(update={"note": "more", "row": 99}) for d in old.decisions)}
    )
    assert changes(old, told) == []


@pytest.mark.parametrize(
    ("draws", "why"),
    [
        (-1, "--draws: -1 is too few; allowed: 4 or more"),
        (0, "--draws: 0 is too few; allowed: 4 or more"),
        (1.5, "--draws: 1.5 is no whole number; allowed: one, such as 1"),
        ("a", "--draws: 'a' is no whole number"),
    ],
)
def test_draws_that_are_no_number_of_them_are_refused(place, done, draws, why):
    with pytest.raises(Refused, match=why):
        api.update(done, place / "was", draws=draws)
    assert api.update(done, place / "was", draws=np.int64(4)).after


def test_a_run_without_a_forecast_is_refused(tmp_path):
    fitted = api.fit(walk(tmp_path / "case", WORDS), tmp_path / "run", **SIZE)
    with pytest.raises(Refused, match="the run has no forecast"):
        update(fitted, fitted.prepared.case)


@pytest.mark.parametrize("name", ["coalition", "opportunism"])
def test_the_density_of_draws_is_that_of_the_normal_distribution_function(tmp_path, name):
    """But for innovations and spreads, whose density is the same under any prior, and what the fit does not see."""
    prepared = models.prepare(name, two_states(tmp_path, judgements=JUDGED))
    draws = Latents(prepared.layout).draw_all(8, np.random.default_rng(1))
    each = Latents(prepared.layout).log_prior(draws)
    ours = log_prior(prepared, draws) + log_likelihood(prepared, draws) - sum(each[k].sum(-1) for k in AHEAD_ONLY)
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
