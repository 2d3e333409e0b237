"""Scores and differences against ArviZ, and the rule by which the data can or cannot tell."""

import json

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from bayes_compliance import api, cli, models
from bayes_compliance.errors import Refused
from bayes_compliance.validation import comparison
from bayes_compliance.validation.comparison import BEST, CANNOT_TELL, SAME, WORSE, Score
from tests.builders import complied
from tests.models.cases import DECISIONS, two_states


def of(model, elpd_i, k=0.1) -> Score:
    elpd_i = np.asarray(elpd_i, float)
    return Score(model, elpd_i, np.broadcast_to(k, elpd_i.shape), 0.7, ())


def verdicts(*scores):
    found = comparison.compared("a case", [str(i) for i in range(len(scores[0].elpd_i))], scores)
    return {s.model: d.verdict for s, d in zip(found.scores, found.differences, strict=True)}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return models.prepare("coalition", two_states(tmp_path_factory.mktemp("case")))


def tree_of(prepared, seed, level=0.0) -> xr.DataTree:
    """Made-up log likelihoods of every row, depth rows too, (chain, draw, decision)."""
    rng = np.random.default_rng(seed)
    log_p = -np.abs(rng.normal(0.7 + level, 0.2, (2, 400, len(prepared.layout.rows))))
    data = xr.Dataset({"outcome": (("chain", "draw", "decision"), log_p)}, coords={"decision": prepared.layout.labels})
    return xr.DataTree.from_dict({"log_likelihood": data})


def test_scores_and_differences_are_those_of_arviz_without_the_depth_rows(prepared):
    from arviz_stats import compare, loo

    trees = {name: tree_of(prepared, seed, level) for name, seed, level in (("a", 1, 0.0), ("b", 2, 0.3))}
    found = comparison.compared("c", [], [comparison.score(prepared, tree, name) for name, tree in trees.items()])
    assert prepared.layout.depth.sum() == 2
    elpds = {}
    for name, tree in trees.items():
        kept = tree["log_likelihood"].to_dataset().isel(decision=~prepared.layout.depth)
        elpds[name] = loo(xr.DataTree.from_dict({"log_likelihood": kept}), pointwise=True, reff=1.0)
    table = compare(elpds, round_to="none")
    for score, d in zip(found.scores, found.differences, strict=True):
        # the effective sample size of independent draws is 800 but for noise, which the tail's smoothing sees
        assert_allclose(score.elpd, table.loc[score.model, "elpd"], atol=2e-3)
        assert_allclose(score.se, table.loc[score.model, "se"], atol=2e-3)
        assert_allclose(d.difference, table.loc[score.model, "elpd_diff"], atol=4e-3)
        assert_allclose(d.se, table.loc[score.model, "dse"], atol=4e-3)
        assert_allclose(d.weight, table.loc[score.model, "weight"], atol=5e-3)


def test_stacking_weights_are_the_best_of_a_grid():
    # two models, each better on some decisions: the optimum lies inside
    elpd = np.log(np.random.default_rng(3).uniform(0.1, 0.9, (2, 60)))
    grid = np.linspace(0, 1, 10_001)
    value = np.log(grid[:, None] * np.exp(elpd[0]) + (1 - grid[:, None]) * np.exp(elpd[1])).sum(axis=1)
    best = grid[value.argmax()]
    assert 0.01 < best < 0.99
    assert_allclose(comparison.stacking(elpd), [best, 1 - best], atol=2e-4)


def test_a_fit_that_two_models_share_has_one_weight():
    base = np.linspace(-1, 0, 50)
    found = comparison.compared("c", ["x"] * 50, [of("a", base), of("b", base), of("c", base[::-1])])
    assert found.differences[1].verdict == SAME
    assert found.differences[1].weight == 0
    assert sum(d.weight for d in found.differences) == pytest.approx(1)
    worse = comparison.compared("c", ["x"] * 50, [of("a", base), of("c", base - 1), of("d", base - 1)])
    assert worse.differences[2].weight == 0


def test_a_row_that_is_the_same_in_every_draw_is_its_own_score(prepared):
    tree = tree_of(prepared, 1)
    tree["log_likelihood"]["outcome"][..., -1] = -0.5
    found = comparison.score(prepared, tree, "a")
    assert (found.elpd_i[-1], found.pareto_k[-1]) == (-0.5, 0.0)


def test_twice_the_standard_error_decides():
    base = np.linspace(-1, 0, 100)
    wobble = np.tile([1.0, -1.0], 50)  # standard error 10 over 100 rows
    assert verdicts(of("a", base), of("b", base - 0.21 + wobble)) == {"a": BEST, "b": WORSE}
    assert verdicts(of("a", base), of("b", base - 0.19 + wobble)) == {"a": BEST, "b": CANNOT_TELL}


def test_few_decisions_cannot_tell_by_two_standard_errors():
    """Models that are equally good on average, told apart in 2.3% of cases: 4% of 2,000 has a chance below 1e-5."""
    rng = np.random.default_rng(9)
    for n in (1, 2, 3, 5, 12):
        each, zero = rng.normal(size=(2000, n)), np.zeros(n)
        told = sum(comparison.tells(one, zero) for one in each)
        assert told < 0.04 * 2000
        assert comparison.tells(np.full(n, -1.0) + 0.01 * each[0], zero) == (n > 1)
    assert verdicts(of("a", [-0.5]), of("b", [-0.5001])) == {"a": BEST, "b": CANNOT_TELL}


def test_what_lies_within_the_error_of_the_draws_is_not_told():
    base = np.linspace(-1, 0, 60)
    near = of("b", base - 0.01)
    assert verdicts(of("a", base), near)["b"] == WORSE
    assert verdicts(of("a", base), near._replace(mc_error=np.full(60, 0.05)))["b"] == CANNOT_TELL
    assert verdicts(of("a", base), of("b", base - 1e-15))["b"] == SAME


def test_stacking_goes_by_what_some_model_holds_possible():
    elpd = np.array([[-0.5, -np.inf, -0.2], [-0.7, -np.inf, -1.0]])
    assert_allclose(comparison.stacking(elpd), [1.0, 0.0], atol=1e-3)


def test_what_rests_on_a_row_that_cannot_be_left_out_does_not_count():
    base = np.full(50, -0.5)
    gap = np.where(np.arange(50) < 25, 1.0, 0.0) + np.tile([0.01, -0.01], 25)
    k = np.where(gap > 0.5, 0.9, 0.1)
    assert verdicts(of("a", base), of("b", base - gap))["b"] == WORSE
    assert verdicts(of("a", base), of("b", base - gap, k))["b"] == CANNOT_TELL
    assert verdicts(of("a", base, k), of("b", base - gap))["b"] == CANNOT_TELL
    # nothing is left, so nothing can be said; a NaN is bad too
    assert verdicts(of("a", base), of("b", base - 1, 0.9))["b"] == CANNOT_TELL
    assert of("a", base, np.nan).bad.all()


def test_models_of_one_fit_are_the_same_and_named_so():
    base = np.linspace(-1, 0, 20)
    found = comparison.compared("c", [str(i) for i in range(20)], [of("coalition", base), of("reciprocity", base)])
    assert [d.verdict for d in found.differences] == [BEST, SAME]
    assert "Fitted as coalition is, so that the past cannot tell them apart: reciprocity." in str(found)


def test_the_table_says_what_the_numbers_say():
    base = np.linspace(-1, 0, 40)
    k = np.where(np.arange(40) == 3, 0.8, 0.1)
    scores = [of("unitary", base - 0.5), of("coalition", base), of("managerial", base - 0.001 * np.arange(40), k)]
    found = comparison.compared("c", [f"row {i}" for i in range(40)], scores)
    text = str(found)
    assert [s.model for s in found.scores] == ["coalition", "managerial", "unitary"]
    assert "Expected log predictive density of 40 decisions" in text
    assert "coalition expects these decisions better than" in text
    assert "exceeds 2 of its standard errors" in text
    assert "With fewer than 100 decisions" in text
    assert "bad k: " in text
    as_json = json.loads(json.dumps(found.as_dict()))
    assert as_json["decisions"] == 40
    assert as_json["models"][1]["decisions_with_bad_k"] == ["row 3"]
    assert as_json["models"][2]["difference"] == pytest.approx(-20)


def test_models_must_have_the_same_decisions(tmp_path, prepared):
    other = models.prepare("unitary", two_states(tmp_path / "other", decisions=DECISIONS[:4]))
    with pytest.raises(
        Refused, match=r"--models: unitary has other decisions than coalition; allowed: models of the same"
    ):
        comparison.same_decisions([("coalition", prepared), ("unitary", other)])
    none = models.prepare(
        "unitary", two_states(tmp_path / "none", decisions=[complied("2002-01-01", "pending", "H", "bananas")])
    )
    with pytest.raises(Refused, match=r"no decision with an outcome; allowed in compare: at least one"):
        comparison.same_decisions([("unitary", none)])


def test_rivals_have_the_same_decisions_as_coalition(prepared, tmp_path):
    case = two_states(tmp_path)
    ready = [(name, models.prepare(name, case)) for name in ("coalition", "unitary", "managerial", "opportunism")]
    assert len(comparison.same_decisions(ready)) == len(DECISIONS)


@pytest.mark.parametrize("names", [["coalition"], ["coalition", "coalition"], []])
def test_fewer_than_two_models_are_refused(tmp_path, names):
    with pytest.raises(Refused, match=r"--models: .*; allowed: two or more models, each once"):
        api.compare(tmp_path, names)


def test_the_command_refuses_an_unknown_model(tmp_path, capsys):
    two_states(tmp_path)
    assert cli.main(["compare", str(tmp_path), "--models", "coalition,unitarian"]) == cli.REFUSED
    assert "'unitarian' is not a model; allowed: coalition," in capsys.readouterr().err
