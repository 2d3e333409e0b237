"""What the exact engine cannot do is refused, with every reason and its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bayes_compliance import models
from bayes_compliance.case import load_case
from bayes_compliance.errors import Refused
from bayes_compliance.inference import exact, fit
from bayes_compliance.rows import Item
from tests.builders import complied, known, normal, quantiles, write_case
from tests.inference.linear_cases import prepared, walk

LOBBIES = [
    {"id": "j", "state": "H", "role": "J", "rules": ["r"]},
    {"id": "k", "state": "H", "role": "K", "rules": ["r"]},
]
KNOWN = [known("volatility", 0.2, "j"), known("volatility", 0.2, "k"), known("decision_noise", 0.6)]
NORMAL = [normal("j", 1.0, 0.4), normal("k", 1.0, 0.4)]
DECIDED = [complied("2003-01-01"), complied("2004-01-01", "violate")]


def make(folder, *, lobbies=LOBBIES, judgements=(*NORMAL, *KNOWN), decisions=DECIDED, **head):
    return prepared(write_case(folder, lobbies=lobbies, judgements=judgements, decisions=decisions, **head))


def model(name: str, build: Callable, support: Callable) -> Any:
    return SimpleNamespace(__name__=f"models.{name}", build=build, support=support)


def reasons(case) -> list[str]:
    with pytest.raises(Refused, match="engine exact") as caught:
        exact.evidence(case)
    return str(caught.value).splitlines()


def test_the_plain_case_is_done(tmp_path):
    assert exact.evidence(make(tmp_path)).log_p < 0


def test_a_lobby_on_the_log_scale(tmp_path):
    lobbies = [LOBBIES[0] | {"scale": "log"}, LOBBIES[1]]
    positive = [quantiles("magnitude", 0.5, 1, 2, "j"), *NORMAL[1:], *KNOWN]
    scale, magnitude = reasons(make(tmp_path, lobbies=lobbies, judgements=positive))
    assert scale.startswith("case.toml: lobbies: 'j' on the log scale; allowed to engine exact:")
    assert "magnitude of lobby 'j' is uncertain (lognormal)" in magnitude


def test_what_a_rival_judges_itself_is_told_as_the_model_s_and_in_words(tmp_path):
    case = make(tmp_path).case
    assert reasons(models.prepare("unitary", case)) == [
        "--model: model 'unitary' itself judges volatility of lobby 'national interest of H' to be uncertain "
        "(lognormal); allowed to engine exact: another model, or engine nuts"
    ]


def test_no_family_is_named_that_nobody_can_ask_for(tmp_path):
    lobbies = [LOBBIES[0] | {"scale": "log"}, LOBBIES[1]]
    judged = [quantiles("magnitude", 0.5, 1, 2, "j"), NORMAL[1], *KNOWN[1:]]
    found = " ".join(reasons(make(tmp_path, lobbies=lobbies, judgements=judged)))
    assert "volatility of lobby 'j' is uncertain (lognormal below an upper end, by default)" in found
    assert "lognormal-below" not in found


def test_a_log_lobby_that_neither_moves_nor_is_uncertain_is_done(tmp_path):
    lobbies = [LOBBIES[0] | {"scale": "log"}, LOBBIES[1]]
    constant = [known("magnitude", 1.0, "j"), NORMAL[1], known("volatility", 0.0, "j"), *KNOWN[1:]]
    assert exact.evidence(make(tmp_path, lobbies=lobbies, judgements=constant)).log_p < 0


def test_uncertain_volatility_and_noise_with_the_rows_that_judge_them(tmp_path):
    judged = [*NORMAL, quantiles("volatility", 0.1, 0.2, 0.4, "j"), quantiles("decision_noise", 0.3, 0.6, 1.2)]
    found = reasons(make(tmp_path, judgements=judged))
    assert [line.partition(";")[0] for line in found] == [
        "judgements.csv: quantity: volatility of lobby 'k' is uncertain (lognormal, by default)",
        "judgements.csv:4: quantity: volatility of lobby 'j' is uncertain (lognormal)",
        "judgements.csv:5: quantity: decision_noise of state 'H' is uncertain (lognormal)",
    ]


def test_reasons_of_one_kind_share_a_line(tmp_path):
    judged = [*NORMAL, known("decision_noise", 0.6), *(quantiles("volatility", 0.1, 0.2, 0.4, b) for b in "jk")]
    (found,) = reasons(make(tmp_path, judgements=judged))
    assert found.startswith("judgements.csv:5, 6: quantity: volatility of lobby 'j', 'k' is uncertain (lognormal);")


def test_magnitudes_of_another_family(tmp_path):
    skew = normal("j", 1.0, 0.4) | {"family": "student-t"}
    (found,) = reasons(make(tmp_path, judgements=[skew, NORMAL[1], *KNOWN]))
    assert "magnitude of lobby 'j' is uncertain (student-t); allowed to engine exact: a normal judgement" in found


def test_an_uncertain_step_counts_only_where_a_row_has_one(tmp_path):
    lobbies = [*LOBBIES, {"id": "p", "state": "H", "role": "P", "rules": ["r"]}]
    judged = [*NORMAL, normal("p", 0.2, 0.3), known("volatility", 0.0, "p"), *KNOWN]
    assert "step of lobby 'p' is uncertain" in reasons(make(tmp_path / "a", lobbies=lobbies, judgements=judged))[0]
    adhered = [{"date": "2000-01-01", "state": "H", "rule": "r", "kind": "adherence", "decision": "adhere"}]
    case = make(tmp_path / "b", lobbies=lobbies, judgements=judged, decisions=adhered)
    assert exact.evidence(case).log_p < 0


def test_uncertain_w_and_trust_where_l_answers(tmp_path):
    case = make(
        tmp_path,
        states=[{"id": "F"}, {"id": "H", "counterparties": ["F"]}],
        rules=[{"id": "r", "states": ["F", "H"]}],
        lobbies=[*LOBBIES, LOBBIES[0] | {"id": "l", "role": "L"}, LOBBIES[1] | {"id": "f", "state": "F"}],
        judgements=[
            *NORMAL, normal("l", 1.0, 0.2), normal("f", 0.5, 0.2), *KNOWN,
            known("volatility", 0.0, "l"), known("volatility", 0.0, "f"),
        ],
        decisions=[*DECIDED, complied("2002-01-01", "violate", state="F")],
    )  # fmt: skip
    found = reasons(case)
    assert [line.split("quantity: ")[1].partition(" is")[0] for line in found] == [
        "shadow of state 'H'", "trust of state 'H'",
    ]  # fmt: skip


def test_decisions_that_may_be_miscoded_are_counted_with_their_rows(tmp_path):
    decisions = [DECIDED[0] | {"confidence": "high"}, DECIDED[1], complied("2005-01-01", confidence="low")]
    (found,) = reasons(make(tmp_path, decisions=decisions))
    assert found.startswith(
        "decisions.csv:2, 4: confidence: 2 of 3 decisions may be miscoded; allowed to engine exact:"
    )


def test_the_width_of_three_outcomes_must_be_known(tmp_path):
    (found,) = reasons(make(tmp_path, outcomes=3))
    assert "partial_width of state 'H' is uncertain (lognormal, by default)" in found


def test_a_model_with_a_build_of_its_own(tmp_path):
    case = make(tmp_path)
    own = model("own", lambda layout: None, case.model.support)
    (found,) = reasons(case._replace(model=own))
    assert found.startswith("--model: engine exact cannot tell what model 'own' adds")


def test_a_model_that_is_not_linear_is_caught_by_the_check(tmp_path):
    case = make(tmp_path)
    bent = model("bent", case.model.build, lambda *arguments: np.tanh(case.model.support(*arguments)))
    (found,) = reasons(case._replace(model=bent))
    assert "is not linear in the normal latents" in found


def test_too_many_combinations_of_analysts(tmp_path):
    names = [f"j{i}" for i in range(7)]
    lobbies = [LOBBIES[1], *({"id": name, "state": "H", "role": "J", "rules": ["r"]} for name in names)]
    judged = [normal(name, 0.2, 0.1, analyst=analyst) for name in names for analyst in "ab"]
    judged += [known("volatility", 0.0, name) for name in names]
    (found,) = reasons(make(tmp_path, lobbies=lobbies, judgements=[NORMAL[1], *judged, *KNOWN[1:]]))
    assert "combine in 128 ways" in found


def test_every_reason_at_once_and_before_anything_is_drawn(tmp_path):
    lobbies = [LOBBIES[0] | {"scale": "log"}, LOBBIES[1]]
    judged = [quantiles("magnitude", 0.5, 1, 2, "j"), NORMAL[1]]
    case = make(tmp_path, lobbies=lobbies, judgements=judged, decisions=[DECIDED[0] | {"confidence": "low"}])
    with pytest.raises(Refused, match="on the log scale") as caught:
        fit(case, engine="exact")
    starts = [line.split(" ")[0] for line in str(caught.value).splitlines()]
    # two defaults of volatility: with an upper end on the log scale of j, without one on the linear scale of k
    assert starts == ["case.toml:", "decisions.csv:2:", "judgements.csv:", "judgements.csv:", "judgements.csv:2:"]


def test_a_forecast_of_a_past_date(tmp_path):
    case = prepared(walk(tmp_path, ["comply"]))
    with pytest.raises(Refused, match="2000-01-01 is not after the last decision; allowed: a date after 2000-04-01"):
        exact.forecast(case, [Item("H", "r", date(2000, 1, 1), "compliance")])


def test_rivals_that_share_the_build_are_done(tmp_path):
    folder = walk(tmp_path, ["comply", "violate"])
    rival = models.prepare("managerial", load_case(folder))
    with pytest.raises(Refused, match="itself judges rule_spread_points of state 'H' to be uncertain") as caught:
        exact.evidence(rival)
    assert "build()" not in str(caught.value)
