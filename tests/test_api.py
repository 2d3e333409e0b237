"""The functions of `api` take what Python users have, and say in words what they do not take."""

import copy
import pickle
from datetime import date, datetime
from pathlib import Path

import arviz as az
import numpy as np
import pytest
import xarray as xr

from bayes_compliance import api, models
from bayes_compliance.analysis.decomposition import shares_of_variance
from bayes_compliance.analysis.games import critical_discount, delimited
from bayes_compliance.analysis.lock_in import lock_in
from bayes_compliance.analysis.opportunism import insincerity
from bayes_compliance.analysis.scenarios import scenarios
from bayes_compliance.analysis.sincerity import sincerity
from bayes_compliance.case import load_case, write_case
from bayes_compliance.errors import Refused
from bayes_compliance.inference import nuts
from bayes_compliance.inference.tree import EMPTY, draws_of
from tests.inference.linear_cases import walk

SIZE = {"engine": "exact", "draws": 100, "chains": 2}
OWN = """
from bayes_compliance.models import load

coalition = load("coalition")
support = coalition.support


def build(layout):
    import pymc as pm

    {body}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("done")


@pytest.fixture(scope="module")
def done(folder):
    return api.run(walk(folder / "case", ["comply", "violate"]), folder / "run", **SIZE)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"draws": "200"}, "--draws: '200' is no whole number; allowed: one, such as 1"),
        ({"draws": 20.0}, "--draws: 20.0 is no whole number"),
        ({"seed": None}, "--seed: None is no whole number"),
        ({"seed": True}, "--seed: True is no whole number"),
        ({"until": "2030-01-01"}, "--until: '2030-01-01' is no datetime.date; allowed: one, such as date"),
        ({"as_of": datetime(2030, 1, 1)}, "--as-of: datetime.datetime.* is no datetime.date"),
        ({"model": models.load("coalition")}, "--model: <module .* is no name; allowed: that of a model, or the path"),
    ],
)
def test_what_is_no_number_date_or_model_is_refused_before_anything_is_read(tmp_path, asked, why):
    with pytest.raises(Refused, match=why):
        api.run(tmp_path / "nowhere", tmp_path / "run", **asked)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda case, out: api.run(case, out, tell=3), "tell: 3 cannot be called; allowed: a function of a case and"),
        (lambda case, out: api.check(case, as_of="2005"), "--as-of: '2005' is no datetime.date; allowed: one, such as"),
        (lambda case, out: api.update(out, case, refit="no"), "--refit: 'no' is a text; allowed: True or False"),
        (lambda case, out: api.backtest(case, out, renew="no"), "--renew: 'no' is a text"),
        (lambda case, out: api.backtest(case, out, ahead="1"), "--ahead: '1' is no whole number"),
        (lambda case, out: api.backtest(case, out, learn=2.5), r"--learn: 2\.5 is no whole number"),
        (lambda case, out: api.backtest(case, out, origins=1.5), r"--origins: 1\.5 is no whole number"),
        (lambda case, out: api.backtest(case, out, workers="2"), "--workers: '2' is no whole number"),
        (lambda case, out: api.backtest(case, out, scheduler=3), "--scheduler: 3 is no scheduler; allowed: local, or"),
        (lambda case, out: api.calibrate(out, case, simulations="20"), "--simulations: '20' is no whole number"),
        (lambda case, out: api.calibrate(out, case, simulations=19), "19 is too few; allowed: 20 or more, for a verdi"),
        (lambda case, out: api.calibrate(out, case, given="no"), "--given: 'no' is a text"),
        (lambda case, out: api.sweep(case, out), "CASE: .*case.* is no list; allowed: a list of case folders"),
        (lambda case, out: api.sweep([case], out, models="coalition"), "--models: 'coalition' is no list"),
        (lambda case, out: api.sweep([case], out, noises=1.0), r"--noise: 1\.0 is no list; allowed: a list of numbers"),
        (
            lambda case, out: api.sweep([case], out, noises=["1"]),
            "--noise: '1' is out of range; allowed: 0.001 to 1000",
        ),
        (lambda case, out: api.sweep([case], out, seeds=1), "--seeds: 1 is no list; allowed: a list of whole numbers"),
        (lambda case, out: api.sweep([case], out, until="2030"), "--until: '2030' is no datetime.date"),
        (lambda case, out: api.panel(case, out, cases=[3]), "--cases: 3 is no name; allowed: that of a case folder"),
        (lambda case, out: api.panel(case, out, until="2030"), "--until: '2030' is no datetime.date"),
        (lambda case, out: api.panel(case, out, paths="no"), "--paths: 'no' is a text"),
        (lambda case, out: api.new(None), "folder: None is no path; allowed: that of a new or an empty folder"),
        (lambda case, out: write_case(load_case(case), None), "folder: None is no path"),
        (lambda case, out: load_case(case).as_of("2005"), "--as-of: '2005' is no datetime.date"),
        (lambda case, out: models.prepare("coalition", case), "case: .*case.* is no Case; allowed: one, such as"),
        (
            lambda case, out: models.prepare("coalition", load_case(case), 0),
            "noise_scale: 0 does not do; allowed",
        ),
        (lambda case, out: api.ledger_verify(None), "ledger: None is no path; allowed: that of a ledger"),
        (lambda case, out: api.ledger_add(3, out), "ledger: 3 is no path"),
        (lambda case, out: api.ledger_score(None, case), "ledger: None is no path"),
    ],
)
def test_an_option_of_another_kind_is_refused_in_words_and_nothing_is_written(folder, done, tmp_path, call, why):
    with pytest.raises(Refused, match=why):
        call(folder / "case", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"seed": None}, "--seed: None is no whole number"),
        ({"until": "2030"}, "--until: '2030' is no datetime.date"),
        ({"until": date(2000, 1, 1)}, "--until: 2000-01-01 is not after the last decision; allowed: a date after"),
        ({"step_years": 0}, "step_years: 0 does not do; allowed: a number above 0"),
        ({"step_years": -1}, "step_years: -1 does not do"),
        ({"step_years": "1"}, "step_years: '1' does not do"),
        ({"step_years": 1e-4}, "--until: .* dates from the last decision .*: 5000 dates at most"),
        ({"draws": 0}, "--draws: 0 is too few; allowed: 1 or more"),
        ({"paths": 0}, "--paths: 0 is too few; allowed: 2 or more"),
        ({"paths": 3}, "--paths: 3 is odd; allowed: an even number"),
        ({"joining": "no"}, "--joining: 'no' is a text"),
    ],
)
def test_an_analysis_is_not_told_what_cannot_be(done, options, why):
    with pytest.raises(Refused, match=why):
        lock_in(done.prepared, done.tree, **options)


@pytest.mark.parametrize("analysis", [lock_in, sincerity, insincerity, scenarios, critical_discount])
def test_an_analysis_is_of_a_model_and_its_fit_in_this_order(done, analysis):
    with pytest.raises(Refused, match=r"prepared: <Run: .* is no Prepared; allowed: that of a run, `run\.prepared`"):
        analysis(done, done.tree)
    with pytest.raises(Refused, match=r"tree: <xarray\.DataTree 'posterior'>\.\.\. is no fit; allowed: .* `run\.tree`"):
        analysis(done.prepared, done.tree["posterior"])


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda *fit: shares_of_variance(*fit, of="Outcome"), "of: 'Outcome' is unknown; allowed: support, outcome"),
        (lambda *fit: scenarios(*fit, ids="s"), "scenarios.toml: the case has no scenario"),
        (lambda *fit: critical_discount(*fit, {}), "punishments: {}; allowed: a dict of one Punishment or more"),
        (lambda *fit: critical_discount(*fit, {"a": 3}), "punishments: a: 3 is no Punishment"),
        (lambda *fit: delimited(0), "periods: 0 does not do"),
        (lambda *fit: delimited(0.5), r"periods: 0\.5 is too few; allowed: 1 or more"),
        (lambda *fit: sincerity(*fit, until=date(2000, 1, 1)), "--until: 2000-01-01 is not after the last decision"),
        (lambda *fit: sincerity(*fit, seed="1"), "--seed: '1' is no whole number"),
    ],
)
def test_what_an_analysis_asks_beyond_is_checked_too(done, call, why):
    with pytest.raises(Refused, match=why):
        call(done.prepared, done.tree)


@pytest.mark.parametrize("until", ["2015", datetime(2015, 1, 1)])
def test_a_forecast_up_to_what_is_no_date_is_refused(folder, done, until):
    with pytest.raises(Refused, match=r"--until: .*2015.* is no datetime.date; allowed: one, such as date"):
        api.forecast(folder / "case", folder / "run", until=until)


@pytest.mark.parametrize("id", [["a"], 3])
def test_a_scenario_that_is_no_text_is_refused(folder, done, id):
    with pytest.raises(Refused, match=r"--id: .* is no text; allowed: the id of one scenario, or None for all"):
        api.scenario(folder / "case", folder / "run", id=id)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (None, "--models: None is no list; allowed: a list of two or more models"),
        (3, "--models: 3 is no list"),
        (Path("own.py"), "--models: 'own.py'; allowed: two or more models"),
    ],
)
def test_models_that_are_no_list_of_names_are_refused(folder, done, asked, why):
    with pytest.raises(Refused, match=why):
        api.compare(folder / "case", asked)


@pytest.mark.parametrize(
    "call",
    [
        lambda case, out: api.run(case, out, **SIZE),
        lambda case, out: api.fit(case, out, **SIZE),
        lambda case, out: api.prior(case),
        lambda case, out: api.check(case),
        lambda case, out: api.backtest(case, out),
        lambda case, out: api.calibrate(out, case),
    ],
    ids=["run", "fit", "prior", "check", "backtest", "calibrate"],
)
def test_a_case_in_memory_is_refused_with_the_way_to_a_folder(done, tmp_path, call):
    with pytest.raises(
        Refused, match=r"case: 'small' is a Case in memory; allowed: .* bayes_compliance.case.write_case"
    ):
        call(done.prepared.case, tmp_path / "out")
    with pytest.raises(Refused, match="case: 3 is no path; allowed: that of a case folder"):
        call(3, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_numbers_of_numpy_and_paths_are_taken(tmp_path):
    own = tmp_path / "own.py"
    own.write_text(OWN.format(body="return coalition.build(layout)") + "\nOBSERVED_BY_SUPPORT = True\n")
    case = walk(tmp_path / "case", ["comply", "violate"])
    size = {"draws": np.int64(20), "tune": np.int32(20), "chains": np.uint8(2), "seed": np.int64(3)}
    done = api.run(case, tmp_path / "run", model=own, **size, until=date(2004, 1, 1))
    assert done.summary["settings"]["draws"] == 20
    assert done.summary["settings"]["model"] == str(own)
    assert done.forecast.until == "2004-01-01"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            "built = coalition.build(layout)\n    with built:\n        pm.Normal('bonus')\n    return built",
            r"--model: own.py: build\(\) has a variable 'bonus', of which support\(\) and so the forecast would know "
            "nothing; allowed: .*magnitude",
        ),
        (
            "with pm.Model() as built:\n        pm.Normal('innovation', shape=len(layout.knots))\n    return built",
            r"--model: own.py: build\(\) lacks the variable 'magnitude'; allowed: all that judged\(layout\) makes",
        ),
        ("return None", r"--model: own.py: build\(\) gives None; allowed: a pymc.Model"),
        (
            "return layout.none",
            r"own.py:11: build\(\) fails: AttributeError: .* has no attribute 'none'; allowed: see help",
        ),
    ],
)
def test_a_model_with_variables_of_its_own_or_without_some_is_refused(tmp_path, body, why):
    own = tmp_path / "own.py"
    own.write_text(OWN.format(body=body))
    prepared = models.prepare(str(own), load_case(walk(tmp_path / "case", ["comply", "violate"])))
    with pytest.raises(Refused, match=why):
        nuts.built(prepared.model, prepared.layout, prepared.layout)
    plain = models.prepare("coalition", prepared.case)
    assert nuts.built(plain.model, plain.layout, plain.layout).free_RVs


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "x = 1\ndef support(:\n",
            r"own.py:2: the import fails: SyntaxError: invalid syntax; allowed: see help",
        ),
        ("\nimport nosuch\n", r"own.py:2: the import fails: ModuleNotFoundError: No module named 'nosuch'; allowed"),
        ("def f():\n    return 1 / 0\n\nf()\n", r"own.py:2: the import fails: ZeroDivisionError: "),
        ("import json\njson.loads('{')\n", r"own.py:2: the import fails: JSONDecodeError: "),
        ("support = None\n", "own.py lacks build; a model has"),
    ],
)
def test_a_model_that_cannot_be_imported_is_refused_with_its_line(tmp_path, text, why):
    own = tmp_path / "own.py"
    own.write_text(text)
    with pytest.raises(Refused, match=why):
        models.load(own)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("x['none']", r"own.py:8: support\(\) fails: KeyError: 'none'; allowed: see help"),
        ("0.0", r"own.py: support\(\) has shape \(\) for 4 draws of 2 rows; allowed: numbers of shape"),
        (
            "coalition.support(layout, rows, x, walk, spread, history) > 0",
            r"own.py: support\(\) is of type bool; allowed",
        ),
        (
            "coalition.support(layout, rows, x, walk, spread, history) * float('nan')",
            r"is no number under any of 4 draws",
        ),
    ],
)
def test_a_support_that_is_none_is_refused_before_anything_is_fitted(tmp_path, body, why):
    own = tmp_path / "own.py"
    own.write_text(
        "from bayes_compliance.models import load\n\ncoalition = load('coalition')\nbuild = coalition.build\n\n\n"
        f"def support(layout, rows, x, walk, spread, history):\n    return {body}\n"
    )
    with pytest.raises(Refused, match=why):
        models.prepare(own, load_case(walk(tmp_path / "case", ["comply", "violate"])))


def test_a_run_shows_itself_in_a_line_and_its_answer_in_words(done):
    missed = sum(not check.passed for check in done.checks)
    assert missed
    assert repr(done) == (
        f"<Run: {done.prepared.case.name}, coalition by exact, seed 1, 2 chains of 100 draws, forecast to "
        f"{done.forecast.until}, {missed} of {len(done.checks)} diagnostics failed>"
    )
    first, second, *rest = str(done).splitlines()
    assert first == repr(done)
    assert second.startswith("diagnostic failed: ")
    assert any("P(comply)" in line for line in rest)
    assert repr(done.forecast).startswith("<Forecast: states and rules: 1, rows: ")
    assert repr(done.prepared.case).startswith("<Case: small, states: 1, rules: 1, lobbies: 2, judgements: ")
    assert repr(done.prepared) == "<Prepared: small, model coalition, states: 1, lobbies: 2, decisions: 2>"


def test_arviz_takes_a_fit_in_which_there_is_nothing_of_a_kind(folder, done):
    posterior = done.tree["posterior"].to_dataset()
    assert posterior.attrs[EMPTY].split() == ["spread"]
    assert all(variable.size for variable in posterior.data_vars.values())
    assert az.extract(done.tree).sizes["sample"] == 200
    for tree in (done.tree, api.load(folder / "run").tree):
        draws, chains = draws_of(tree)
        assert (draws["spread"].shape, draws["magnitude"].shape, chains) == ((200, 0), (200, 2), 2)


def test_the_prior_is_that_of_a_run_of_the_same_seed(folder, done):
    found = api.prior(folder / "case")
    for group in ("prior", "prior_predictive", "observed_data"):
        xr.testing.assert_identical(found[group].to_dataset(), done.tree[group].to_dataset())
    assert set(found.children) == {"prior", "prior_predictive", "observed_data", "constant_data"}
    other = api.prior(folder / "case", seed=2, draws=50)
    assert other["prior"].sizes["draw"] == 50
    with pytest.raises(Refused, match="--model: 'none' is not a model"):
        api.prior(folder / "case", model="none")


def test_what_a_check_finds_shows_itself_in_a_line(folder, done):
    assert repr(api.check(folder / "case")).startswith("<Feedback: small, model coalition, pool linear, seed 1, ")


def test_what_is_free_is_what_moves(done):
    posterior = done.tree["posterior"]
    assert done.free == ["magnitude", "shadow", "innovation"]
    assert all(float(posterior[name].std()) > 0 for name in done.free)
    still = set(posterior.data_vars) - {*done.free, "support", "p_comply"}
    assert still
    assert all((posterior[name].values == posterior[name].values[:1, :1]).all() for name in still)


def test_a_run_of_another_case_is_called_that_whatever_its_last_date(folder, done, tmp_path):
    other = walk(tmp_path / "case", ["comply"] * 60)
    api.forecast(folder / "case", folder / "run", until=date(2004, 1, 1))
    with pytest.raises(Refused, match=r"fitted to another decisions\.csv; allowed: a RUN of this case"):
        api.report(other, folder / "run")
    with pytest.raises(Refused, match=r"scenarios\.toml: the case has no scenario"):
        api.scenario(other, folder / "run")
    # negative control: the day is too early for the other case
    with pytest.raises(Refused, match="--until: 2004-01-01 is not after the last decision"):
        api.run(other, tmp_path / "run", until=date(2004, 1, 1), **SIZE)


OUT = "is no path; allowed: a new folder"
CALLS = [
    (lambda case, run, done: api.update(done.prepared.case, done), "'small' is a Case, not a RUN; .* update.run, case"),
    (lambda case, run, done: api.update(case, run), r"case is a case folder, not a RUN; allowed: update\(run, case\)"),
    (lambda case, run, done: api.update(run, run), r"run is a RUN, not a case; allowed: update\(run, case\)"),
    (lambda case, run, done: api.update(None, done.prepared.case), "run: None is no path; allowed: that of a RUN"),
    (lambda case, run, done: api.scenario(run, case), r"case is a case folder, not a RUN; .*scenario\(case, run\)"),
    (lambda case, run, done: api.scenario(case, None), "run: None is no path; allowed: that of a RUN"),
    (lambda case, run, done: api.forecast(run, case), r"case is a case folder, not a RUN; .*forecast\(case, run\)"),
    (lambda case, run, done: api.report(case, done), "run: <Run: .*> is no path; allowed: that of a RUN"),
    (lambda case, run, done: api.load(done), "run: <Run: .*> is no path; allowed: that of a RUN"),
    (
        lambda case, run, done: api.load(done.tree),
        r"^run: <xarray\.DataTree>\.\.\. is no path; allowed: that of a RUN$",
    ),
    (
        lambda case, run, done: api.load(done.prepared.case),
        r"^run: <Case: small, .*> is no path; allowed: [\w ]*$",
    ),
    (lambda case, run, done: api.load(case), "case is no RUN: it is a case folder; allowed"),
    (lambda case, run, done: api.ledger_add("ledger", done), "run: <Run: .*> is no path; allowed: that of a RUN"),
    (lambda case, run, done: api.run(case, None), f"None {OUT}"),
    (lambda case, run, done: api.backtest(case, 3), f"--out: 3 {OUT}"),
    (lambda case, run, done: api.panel([case], "out"), r"folder: \[.*\] is no path; allowed: that of case folders"),
    (lambda case, run, done: api.panel(case, "out", cases="tk"), "--cases: 'tk' is no list; allowed: a list of names"),
    (
        lambda case, run, done: api.backtest(case, "out", rivals="unitary"),
        "--rivals: 'unitary' is no list; allowed: a list of models",
    ),
    (lambda case, run, done: api.compare(case, ["coalition", "foo"]), "--models: 'foo' is not a model; allowed: coal"),
    (lambda case, run, done: api.compare(case, ["coalition", 3]), "--models: 3 is no name; allowed: that of a model"),
]


@pytest.mark.parametrize(("call", "why"), CALLS)
def test_arguments_of_another_kind_or_in_another_order_are_refused_in_words(folder, done, call, why):
    with pytest.raises(Refused, match=why):
        call(folder / "case", folder / "run", done)


def test_a_scenario_is_told_of_a_run_in_memory_as_of_its_folder(tmp_path):
    case = walk(tmp_path / "case", ["comply", "violate"])
    (case / "scenarios.toml").write_text(
        '[[scenarios]]\nid = "s"\ntitle = "S"\nfrom = 2012-01-01\nchanges = [{ lobby = "j", scale = 0.5 }]\n'
    )
    done = api.run(case, tmp_path / "run", until=date(2014, 1, 1), **SIZE)
    xr.testing.assert_identical(api.scenario(case, done), api.scenario(case, tmp_path / "run"))
    for ids, why in (("s", "--id: 's' is no list; allowed: a list of ids"), ([], "--id: no scenario is named; .*: s")):
        with pytest.raises(Refused, match=why):
            scenarios(done.prepared, done.tree, ids=ids)
    other = walk(tmp_path / "other", ["comply"])
    (other / "scenarios.toml").write_bytes((case / "scenarios.toml").read_bytes())
    with pytest.raises(Refused, match=r"the run in memory: fitted to another decisions\.csv; allowed"):
        api.scenario(other, done)


@pytest.mark.parametrize("again", [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy], ids=["pickle", "copy"])
def test_a_run_comes_back_from_a_pickle_or_a_copy(folder, done, again):
    for one in (done, api.load(folder / "run")):
        found = again(one)
        assert repr(again(one.prepared.priors)) == repr(one.prepared.priors)
        assert str(found) == str(one)
        assert found.summary == one.summary
        assert found.prepared.case == one.prepared.case
        assert found.prepared.model is one.prepared.model
        xr.testing.assert_identical(found.forecast.dataset, one.forecast.dataset)
        assert found.tree is not one.tree
        assert found.tree.identical(one.tree)
        forecast = again(one.forecast)
        assert (forecast.table, forecast.mc_error) == (one.forecast.table, one.forecast.mc_error)
    case = done.prepared.case
    later = case.decisions[-1].model_copy(update={"date": date(2012, 12, 30)})
    more = case.model_copy(update={"decisions": (*case.decisions, later)})
    assert api.update(again(done), more).after == api.update(done, more).after


def test_a_run_of_ones_own_model_comes_back_while_its_file_is_the_same(tmp_path):
    own = tmp_path / "own.py"
    own.write_text(OWN.format(body="return coalition.build(layout)") + "\nOBSERVED_BY_SUPPORT = True\n")
    case = walk(tmp_path / "case", ["comply", "violate"])
    done = api.fit(case, tmp_path / "run", model=own, draws=20, tune=20, chains=2)
    kept = pickle.dumps(done)
    found = pickle.loads(kept)
    assert found.forecast is None
    assert repr(found) == repr(done)
    own.write_text(own.read_text() + "# changed\n")
    with pytest.raises(Refused, match=r"a run from a pickle or a copy: fitted with another .*own\.py; allowed"):
        pickle.loads(kept)
