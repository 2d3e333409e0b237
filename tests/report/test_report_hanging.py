"""The section on what the answer hangs on, against the functions it speaks of."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest

from bayes_compliance.case.vocabulary import ANY_RULE
from bayes_compliance.importance import Reweighted
from bayes_compliance.report.facts import by_state
from bayes_compliance.report.parts import join
from bayes_compliance.report.sections.hanging import OWN_RULES, _by_rule, hanging, with_own_rules
from bayes_compliance.validation import predictive, sensitivity, sentences
from bayes_compliance.validation.sensitivity import Hang, Sensitivity


@pytest.fixture(scope="module")
def text(oranges):
    return html.unescape(re.sub("<[^>]+>", "", str(hanging(oranges).html)))


def test_its_rules_are_the_mean_of_those_owed(oranges):
    p, found = oranges.forecast.dataset["p_draw"], with_own_rules(oranges.forecast.dataset)["p_draw"]
    for state in p["state"].values:
        owed = [p.sel(state=state, rule=r).values for r in p["rule"].values if r != ANY_RULE]
        owed = [values for values in owed if np.isfinite(values).all()]
        assert found.sel(state=state, rule=OWN_RULES).values == pytest.approx(np.mean(owed, axis=0))


def test_a_forecast_has_a_row_where_a_prior_counts_and_no_new_rule_has(oranges, text):
    found = sensitivity.of_forecast(oranges.prepared, oranges.tree, oranges.forecast.dataset)
    owed = [one for one in found if one.rule != ANY_RULE]
    strong = [one for one in owed if any(sentences.counting(one))]
    assert strong
    for one in strong:
        assert f"{one.hangs[0].sensitivity:.3g}" in text
    assert ("not in the table" in text) == (len(strong) < len(owed))
    assert ANY_RULE not in text


def test_by_rule_the_table_names_no_prior_below_the_mark_and_says_what_it_cannot_tell():
    def one(rule, sensitivity_, half=0.4):
        first = Hang("magnitude", "farmers", sensitivity_, Reweighted(half, 0.1), Reweighted(0.7, 0.1))
        return Sensitivity("H", rule, "2030-01-01", 0.6, 0.2, 0.3, (first,))

    told = str(join(_by_rule([one("weak", 0.04), one("strong", 0.4), one("open", 0.4, float("nan"))])))
    assert "weak" not in told
    assert "Of 3 forecasts by rule, 1 is not in the table: there no single prior has a sensitivity of .05" in told
    rows = re.findall(r"<th[^>]*>H</th><th[^>]*>(\w+)</th><td[^>]*>60%</td><td>([^<]*)</td>", told)
    assert rows == [
        ("strong", "the weight of farmers"), ("open", "cannot tell without a new fit: the weight of farmers")
    ]  # fmt: skip
    assert "<table" not in str(join(_by_rule([one("weak", 0.04)])))


def test_the_counts_of_the_record_are_those_of_the_checks(oranges, text):
    for check in predictive.checks(oranges.prepared, oranges.tree):
        assert check.name in text
    assert "Would the model make such a record?" in text


def test_a_state_s_probability_is_the_mean_over_what_it_owes():
    p = {("H", "r"): 0.2, ("H", "s"): 0.6, ("H", ANY_RULE): 0.9, ("F", "r"): 0.5}
    assert by_state(p) == pytest.approx({"H": 0.4, "F": 0.5})
