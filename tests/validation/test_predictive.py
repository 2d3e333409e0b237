"""Counts by hand, and a check that sees what it is for."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from bayes_compliance import models
from bayes_compliance.case import load_case
from bayes_compliance.report.parts import join
from bayes_compliance.report.sections.hanging import _returns
from bayes_compliance.validation import predictive, sentences
from tests.builders import complied, known, normal, write_case

V, P, C = 0, 1, 2


def test_the_longest_run_is_of_violations_one_after_the_other():
    rows = np.array([[V, V, C, V], [C, V, V, V], [C, C, C, C], [V, P, V, V]])
    assert list(predictive.longest_run(rows)) == [2, 3, 0, 2]


def test_years_until_return_by_hand():
    times = np.array([0.0, 1.0, 3.0, 6.0])
    rows = np.array([[V, C, V, C], [V, P, C, C], [C, C, C, C], [C, V, V, V]])
    total, runs = predictive.years_until_return(rows, times)
    # 1 + 3; from the violation over the partial step to compliance: 3; none; open from 1 to the end at 6
    assert list(total) == [4.0, 3.0, 0.0, 5.0]
    assert list(runs) == [2, 1, 0, 1]


@pytest.fixture
def prepared(tmp_path):
    lobbies = [{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}]
    judgements = [normal("j", 1.0, 0.1), normal("k", 1.0, 0.1), known("partial_width", 0.1)]
    words = ["comply", "violate", "violate", "comply", "comply", "violate"]
    rows = [complied(f"20{10 + i}-01-01", word) for i, word in enumerate(words)]
    adhered = {"date": "2001-01-01", "state": "H", "rule": "*", "kind": "adherence", "decision": "not_adhere"}
    case = write_case(tmp_path, lobbies=lobbies, judgements=judgements, decisions=[*rows, adhered], outcomes=3)
    return models.prepare("coalition", load_case(case))


def replicated(prepared, outcome):
    values = ("chain", "draw", "decision"), np.asarray(outcome)[None]
    return xr.DataTree.from_dict({"posterior_predictive": xr.Dataset({"outcome": values})})


def test_counts_are_of_compliance_rows_only(prepared):
    outcome = prepared.layout.outcome
    found = {check.name: check for check in predictive.checks(prepared, replicated(prepared, [outcome] * 10))}
    # of comply violate violate comply comply violate the third and the fifth repeat the one before
    assert [check.observed for check in found.values()] == [3, 2, pytest.approx(1.0, abs=0.01), 2]
    assert all(check.below == 0.5 and not check.strange for check in found.values())
    assert sentences.replicates(list(found.values())) == (
        "In these 4 counts the decisions look like replicates from the model."
    )


def test_a_check_has_the_quantiles_of_the_replicates_that_have_the_number():
    """Of 202 replicates 101 have the numbers 0 to 100; 60 lies above 60 of them, and shares one."""
    numbers = np.concatenate([np.arange(101.0), np.full(101, np.nan)])
    found = predictive._check("n", lambda y: y, np.array(60.0), numbers)
    assert found[1:] == pytest.approx((60, 50, 5, 95, 60.5 / 101, 0.5))
    assert not found.strange
    assert [found._replace(below=p).strange for p in (0.024, 0.025, 0.975, 0.976)] == [True, False, False, True]


def test_years_until_return_are_of_replicates_with_a_violation(prepared):
    """Of ten replicates four violate, on the first of six yearly dates, and return a year later."""
    rows = len(prepared.layout.rows)
    at = [i for i in range(rows) if prepared.layout.rows.compliance[i]]
    replicates = np.full((10, rows), C)
    first = min(at, key=lambda i: prepared.layout.rows.items[i].date)
    replicates[:4, first] = V
    found = {check.name: check for check in predictive.checks(prepared, replicated(prepared, replicates))}
    years = found[predictive.RETURN]
    assert years.having == pytest.approx(0.4)
    assert (years.lower, years.median, years.upper) == pytest.approx((1, 1, 1), abs=0.01)
    assert {check.having for name, check in found.items() if name != predictive.RETURN} == {1.0}
    said = str(join(_returns(list(found.values()))))
    assert "of replicates that have a violation at all, 40% of them." in said
    assert "counts up to the last decision on its rule" in said


def test_without_a_violation_on_record_there_are_no_years_until_return(prepared):
    replicates = np.full((10, len(prepared.layout.rows)), V)
    prepared.layout.outcome = np.full(len(prepared.layout.rows), C)
    found = predictive.checks(prepared, replicated(prepared, replicates))
    assert predictive.RETURN not in {check.name for check in found}
    assert _returns(found) == []


def test_decisions_unlike_their_replicates_are_strange(prepared):
    never = np.full((200, len(prepared.layout.rows)), C)
    found = predictive.checks(prepared, replicated(prepared, never))
    assert predictive.RETURN not in {check.name for check in found}  # nor does any replicate have one
    assert all(check.strange for check in found)
    assert "more than the model expects" in str(found[0])
    assert "violations by H" in sentences.replicates(found)
    assert "less than the model expects" in str(found[-1])  # who never violates repeats compliance every time


def test_half_measures_that_stay_half_measures_are_seen(prepared):
    """As many of each outcome as in the replicates, but one after the other: only the count of repeats sees it."""
    rng = np.random.default_rng(3)
    replicates = rng.choice([V, P, C], size=(2000, len(prepared.layout.rows)))
    at = [i for i in range(len(prepared.layout.rows)) if prepared.layout.rows.compliance[i]]
    prepared.layout.outcome = np.full(len(prepared.layout.rows), C)
    prepared.layout.outcome[at] = [P, P, P, P, P, P]
    found = {check.name: check for check in predictive.checks(prepared, replicated(prepared, replicates))}
    assert found[predictive.REPEATS].observed == 5
    assert "more than the model expects" in str(found[predictive.REPEATS])


def test_one_decision_repeats_nothing():
    assert predictive.repeats(np.array([[P], [V]])).tolist() == [0, 0]
    assert predictive.repeats(np.array([[P, P, V, V, V], [P, V, P, V, C]])).tolist() == [3, 0]


@pytest.mark.parametrize(("decided", "asked"), [(1, False), (2, True)])
def test_two_decisions_can_repeat_each_other(tmp_path, decided, asked):
    lobbies = [{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}]
    judged, rows = [normal("j", 1.0, 0.1), normal("k", 1.0, 0.1)], [complied(f"201{i}-01-01") for i in range(decided)]
    layout = models.prepare("coalition", load_case(write_case(tmp_path, lobbies=lobbies, judgements=judged,
                                                              decisions=rows))).layout  # fmt: skip
    assert (predictive.REPEATS in dict(predictive.counts(layout))) == asked


def test_right_replicates_are_strange_as_rarely_as_stated(prepared):
    """500 true worlds: more than 8% beyond tails of 5% in all has probability < 1e-3 (the counts are discrete)."""
    rng = np.random.default_rng(1)
    worlds = rng.choice([V, P, C], size=(500, len(prepared.layout.rows)), p=[0.3, 0.2, 0.5])
    tree = replicated(prepared, rng.choice([V, P, C], size=(2000, worlds.shape[1]), p=[0.3, 0.2, 0.5]))
    layout = prepared.layout
    strange = 0
    for world in worlds:
        layout.outcome = world
        strange += predictive.checks(prepared, tree)[0].strange
    assert strange / 500 < 0.08


def test_a_case_without_decisions_has_no_checks(tmp_path):
    lobbies = [{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}]
    case = write_case(tmp_path, lobbies=lobbies, judgements=[normal("j", 1.0, 0.1), normal("k", 1.0, 0.1)])
    empty = models.prepare("coalition", load_case(case))
    assert list(predictive.counts(empty.layout)) == []
    assert SimpleNamespace(layout=empty.layout).layout.outcome.size == 0
