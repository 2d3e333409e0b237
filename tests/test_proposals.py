"""Commands that are proposed after a run: whole, and none that is refused."""

import pytest

from bayes_compliance.case import load_case
from bayes_compliance.models import prepare
from bayes_compliance.proposals import after_a_run


def test_what_a_case_and_a_model_allow_is_proposed():
    case = load_case("case_studies/bananas")
    asked = after_a_run(case, "coalition", "case_studies/bananas", "runs/my run")
    assert asked == [
        "what if? bayes-compliance scenario case_studies/bananas 'runs/my run'",
        "a decision more? bayes-compliance update case_studies/bananas 'runs/my run'",
        "how good have such forecasts been? bayes-compliance backtest case_studies/bananas --out FOLDER",
    ]
    rival = after_a_run(prepare("unitary", case).case, "unitary", "bananas", "run")
    assert [line.partition("? ")[2].split()[1] for line in rival] == ["update", "backtest"]
    assert rival[-1].endswith("backtest bananas --model unitary --out FOLDER")


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_record_that_cannot_be_tested_is_not_proposed_to_be(kept):
    case = load_case("case_studies/bananas")
    bare = case.model_copy(update={"scenarios": (), "decisions": case.decisions[: 2 + kept]})
    assert [line.partition("? ")[2].split()[1] for line in after_a_run(bare, "coalition", "c", "r")] == ["update"]
