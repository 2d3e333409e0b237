"""`check`: what the priors alone imply, against closed forms; conflicts and what reconciles them; nothing heavy."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bayes_compliance import models
from bayes_compliance.case import load_case
from bayes_compliance.case.records import MORE_COLUMNS
from bayes_compliance.check import check
from bayes_compliance.cli import main
from bayes_compliance.elicitation import DefaultUsed, build_priors, curves
from bayes_compliance.feedback import Conflict, Record, Surprise, imagined
from bayes_compliance.feedback.conflicts import judged_items, moves
from bayes_compliance.feedback.words import text
from bayes_compliance.forecast import decision_dates
from bayes_compliance.parts import crossing
from bayes_compliance.rows import Item
from tests.builders import complied, known, normal, quantiles, write_case

CASES = Path(__file__).parents[1] / "case_studies"
SE = 5
"""Standard errors that a Monte Carlo mean may lie off: a false-alarm rate of 6e-7 for each."""

LOBBIES = (
    {"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"},
    {"id": "l", "state": "H", "role": "L"}, {"id": "p", "state": "H", "role": "P"},
)  # fmt: skip
JUDGED = [
    normal("j", 1.0, 0.8), normal("k", 2.0, 0.6), normal("l", 1.5, 0.5), normal("p", 0.3, 0.4),
    *(known("volatility", v, b) for b, v in (("j", 0.2), ("k", 0.3), ("l", 0.1), ("p", 0.0))),
    known("step", 0.4, "p"), known("decision_noise", 1.0), known("rule_spread_points", 0.5), known("shadow", 0.6),
    known("reciprocity", 0.5), known("shock_hazard", 0.0),
]  # fmt: skip


def implied_by_hand(stage: str, years: float, shift: float = 0.0) -> float:
    """E[Phi(S)] = Phi(mean / sqrt(1 + var)) of the linear case; every lobby covers all rules, with spread .5."""
    weight = 0.3 if stage == "compliance" else 1.0
    mean = 1.0 + 1.5 * weight + 0.3 + 0.4 * (stage == "compliance") - (2.0 + shift)
    var = 0.8**2 + 0.6**2 + (0.5 * weight) ** 2 + 0.4**2
    var += years * (0.2**2 + 0.3**2 + (0.1 * weight) ** 2)
    var += 0.5**2 * (1 + 1 + weight**2 + 1)
    return float(stats.norm.cdf(mean / np.sqrt(1 + var)))


def case_of(folder: Path, *more: dict[str, Any], **parts: Any) -> Path:
    place = write_case(folder, **{"lobbies": LOBBIES, "judgements": JUDGED} | parts)
    if more:
        path = place / "judgements.csv"
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        extra = MORE_COLUMNS["judgements.csv"]
        columns = [*header.split(","), *extra]
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(",".join(columns) + "\n" + "".join(f"{row},,,\n" for row in rows))
            csv.DictWriter(file, columns, restval="").writerows(
                {"analyst": "a", "date": "1999-12-01", **row} for row in more
            )
    return place


def judged_p(p05: float, p50: float, p95: float, at: str, quantity: str = "p_comply", **more: Any) -> dict[str, Any]:
    values = {"p05": p05, "p50": p50, "p95": p95} if p05 == p95 else {"values": f"q5={p05};q50={p50};q95={p95}"}
    return {"quantity": quantity, "state": "H", "rule": "r", "at": at, **values} | more


def near(p: float, by_hand: float, draws: int) -> bool:
    return abs(p - by_hand) < SE * 0.5 / np.sqrt(draws)


def test_implied_probabilities_are_the_closed_form(tmp_path):
    found = check(case_of(tmp_path))
    (joins,) = found.adherence
    assert near(joins.p, implied_by_hand("adherence", 0), found.draws)
    first, last = found.compliance
    assert (first.date, last.date) == (date(2000, 12, 31), date(2030, 1, 1))
    assert near(first.p, implied_by_hand("compliance", 1), found.draws)
    assert near(last.p, implied_by_hand("compliance", 30), found.draws)
    # a wrong step must be seen with so many draws: the closed form without dP lies outside
    assert not near(first.p, implied_by_hand("compliance", 1, shift=1.2), found.draws)
    assert first.p_lower < first.p < first.p_upper
    assert last.support_upper - last.support_lower > first.support_upper - first.support_lower
    assert sum(first.preference.values()) == pytest.approx(1)


def test_preference_types_are_the_closed_form(tmp_path):
    found = check(case_of(tmp_path)).compliance[0]
    rng = np.random.default_rng(1)
    n = 200_000
    spread = 0.5 * rng.standard_normal((4, n))
    j = rng.normal(1, 0.8, n) + 0.2 * rng.standard_normal(n) + spread[0]
    k = rng.normal(2, 0.6, n) + 0.3 * rng.standard_normal(n) + spread[1]
    ell = rng.normal(1.5, 0.5, n) + 0.1 * rng.standard_normal(n) + spread[2]
    x = j + rng.normal(0.7, 0.4, n) + spread[3]
    shares = (x >= k).mean(), ((x < k) & (k < x + ell)).mean()
    assert found.preference["harmony"] == pytest.approx(shares[0], abs=SE * 0.5 / np.sqrt(500))
    assert found.preference["dilemma"] == pytest.approx(shares[1], abs=SE * 0.5 / np.sqrt(500))


def test_a_conflict_says_how_far_a_magnitude_would_have_to_move(tmp_path):
    row = judged_p(0.6, 0.7, 0.8, "2000-12-31")
    found = check(case_of(tmp_path, row))
    (conflict,) = found.conflicts
    assert not conflict.agrees
    moves = {move.lobby: move for move in conflict.moves}
    # the mean margin is .15; K by v points makes Phi((.15 - v) / sd) = .7
    sd = 0.15 / stats.norm.ppf(implied_by_hand("compliance", 1))
    v = 0.15 - stats.norm.ppf(0.7) * sd
    assert moves["k"].points == pytest.approx(v, abs=0.3)
    assert moves["j"].points == pytest.approx(-v, abs=0.3)
    assert moves["l"].points == pytest.approx(-v / 0.3, rel=0.3)
    assert moves["k"].sds == pytest.approx(abs(moves["k"].points) / 0.6, rel=1e-3)
    assert [move.sds for move in conflict.moves] == sorted(move.sds for move in conflict.moves)
    assert "conflict" in str(found)
    assert "to reconcile them at 70%" in str(found)


def test_on_the_log_scale_a_move_is_a_factor_and_its_sds_are_of_the_log(tmp_path):
    ends = {"j": (1.0, 4.0), "k": (2.0, 18.0)}
    judged = [quantiles("magnitude", low, (low * high) ** 0.5, high, b) for b, (low, high) in ends.items()]
    place = case_of(
        tmp_path, judged_p(0.9, 0.93, 0.95, "2000-12-31"), lobbies=LOBBIES[:2], judgements=judged, scale="log"
    )
    (conflict,) = check(place).conflicts
    assert conflict.moves
    for move in conflict.moves:
        low, high = ends[move.lobby]
        assert move.points is None
        assert move.sds == pytest.approx(abs(np.log(move.factor)) / (np.log(high / low) / 3.28971), rel=1e-3)


def test_the_move_reconciles(tmp_path):
    row = judged_p(0.6, 0.7, 0.8, "2000-12-31")
    (conflict,) = check(case_of(tmp_path / "a", row)).conflicts
    (move,) = [move for move in conflict.moves if move.lobby == "k"]
    moved = [normal("k", 2.0 + move.points, 0.6) if j["lobby"] == "k" and j["quantity"] == "magnitude" else j
             for j in JUDGED]  # fmt: skip
    (after,) = check(case_of(tmp_path / "b", row, judgements=moved)).conflicts
    assert after.agrees
    assert after.implied == pytest.approx(0.7, abs=1e-3)  # the same draws


@pytest.mark.parametrize(
    ("judged", "implied", "agrees"),
    [
        ((0.4, 0.5, 0.6), 0.6, True), ((0.4, 0.5, 0.6), 0.4, True), ((0.4, 0.5, 0.6), 0.601, False),
        ((0.4, 0.5, 0.6), 0.399, False), ((0.5, 0.5, 0.5), 0.509, True), ((0.5, 0.5, 0.5), 0.491, True),
        ((0.5, 0.5, 0.5), 0.511, False),
    ],
)  # fmt: skip
def test_what_agrees_lies_within_the_judged_range_or_a_hundredth_from_a_constant(judged, implied, agrees):
    item = Item("H", "r", date(2001, 1, 1), "compliance")
    assert Conflict(2, "a", item, judged, implied, ()).agrees is agrees


def test_adherence_is_judged_of_its_own_day_or_of_that_of_the_case(tmp_path):
    rows = [judged_p(0.6, 0.7, 0.8, at, "p_adhere") for at in ("", "2001-03")]
    asked = [item for _, item in judged_items(load_case(case_of(tmp_path, *rows)))]
    assert asked == [Item("H", "r", day, "adherence") for day in (date(2000, 1, 1), date(2001, 3, 15))]


def test_agreement_moves_nothing(tmp_path):
    p = implied_by_hand("adherence", 0)
    row = judged_p(p - 0.2, p, p + 0.2, "", "p_adhere")
    (conflict,) = check(case_of(tmp_path, row)).conflicts
    assert conflict.agrees
    assert conflict.moves == ()
    assert conflict.item.date == date(2000, 1, 1)


def test_nothing_can_reconcile_the_impossible():
    push = np.stack([np.zeros(10), np.full(10, 1e-6)])
    assert np.isnan(crossing(np.zeros(10), push, np.array([False, True]), 0.7)).all()


def test_the_change_needed_is_the_closed_form():
    # margin 0 made of +1 and -1: the factor e^v on the +1 gives Phi(e^v - 1), v points more of it Phi(v)
    z = stats.norm.ppf(0.9)
    found = crossing(np.zeros(5), np.ones((2, 5)), np.array([True, False]), 0.9)
    assert found == pytest.approx([np.log(1 + z), z], rel=1e-9)


def test_a_lobby_in_two_slots_is_moved_in_both(tmp_path):
    prepared = models.prepare("coalition", load_case(case_of(tmp_path)))
    item = Item("H", "r", date(2001, 1, 1), "compliance")
    one = imagined.Imagined(item, np.zeros(4), np.full(4, 0.5), np.zeros(4), np.array([0, 1, 0]), np.ones((3, 4)))
    found = {move.lobby: move.points for move in moves(prepared, one, 0.9)}
    assert found == pytest.approx({"j": stats.norm.ppf(0.9) / 2, "k": stats.norm.ppf(0.9)}, rel=1e-9)


OWN = """from bayes_compliance.models import load

c = load("coalition")


def support(*a):
    return c.support(*a)


def build(layout):
    return c.build(layout, support)
"""


def test_a_model_of_ones_own_need_not_take_support_apart(tmp_path):
    own = tmp_path / "own.py"
    own.write_text(OWN, encoding="utf-8")
    place = case_of(tmp_path / "case", judged_p(0.6, 0.7, 0.8, "2000-12-31"))
    found, told = check(place, model=str(own)), check(place)
    assert found.adherence == told.adherence
    assert [one.preference for one in found.compliance] == [{}, {}]
    for one, other in zip(found.compliance, told.compliance, strict=True):
        assert one.p == pytest.approx(other.p, abs=1e-12)
        assert one.support_median == pytest.approx(other.support_median, abs=1e-12)
    assert found.conflicts[0].moves == ()
    assert "the model does not say what each lobby adds" in str(found)
    assert "no single magnitude" not in str(found)


@pytest.mark.parametrize(
    ("decided", "first"),
    [([], date(2000, 1, 1) + timedelta(days=91)), ([complied("2003-05-01"), complied("2004-05-01")], date(2003, 5, 1))],
)
def test_the_first_decision_is_that_on_record_or_falls_due_at_its_rules_pace(tmp_path, decided, first):
    rules = [{"id": "r", "states": ["H"], "decisions_per_year": 4}]
    case = load_case(case_of(tmp_path, rules=rules, decisions=decided))
    until = date(2030, 1, 1)
    asked = imagined.first_and_last(models.prepare("coalition", case), until)
    assert asked == [Item("H", "r", day, "compliance") for day in (first, until)]


@pytest.mark.parametrize(("rule", "day"), [("*", date(1999, 12, 15)), ("r", date(2000, 2, 1))])
def test_a_state_whose_joining_is_on_record_is_asked_for_that_alone(tmp_path, rule, day):
    row = {"date": day.isoformat(), "state": "H", "rule": rule, "kind": "adherence", "decision": "adhere"}
    on_record, none = (
        imagined.joining(models.prepare("coalition", load_case(case_of(tmp_path / name, decisions=rows))))
        for name, rows in (("on record", [row]), ("none", []))
    )
    assert on_record == [Item("H", rule, day, "adherence")]
    assert none == [Item("H", "*", date(2000, 1, 1), "adherence")]


def test_decisions_fall_due_on_the_days_of_the_forecast(tmp_path):
    rules = [{"id": "r", "states": ["H"], "decisions_per_year": 12}]
    layout = models.prepare("coalition", load_case(case_of(tmp_path, rules=rules))).layout
    for last in (date(2000, 12, 31), date(2003, 7, 9)):
        due = [item.date for item in imagined._deciding(layout, last)]
        assert due == decision_dates(date(2000, 1, 1), last, 12)
    assert len(imagined._deciding(layout, date(2020, 1, 1))) == imagined.MOST_DUE


def test_a_decision_against_strong_priors_is_surprising(tmp_path):
    sure = [normal("j", 9.0, 0.1), *JUDGED[1:]]
    rows = [complied("2001-01-01", "violate"), complied("2002-01-01", "comply")]
    record = check(case_of(tmp_path, judgements=sure, decisions=rows)).record
    assert record.rows == 2
    (one,) = record.surprises
    assert (one.outcome, one.label) == ("violate", "2001-01-01 H r compliance")
    assert one.p < 0.01
    assert record.expected < 0.01
    assert record.least[0] == one


@pytest.mark.parametrize(("outcomes", "others"), [(2, 1), (3, 2)])
def test_a_row_that_may_be_miscoded_is_as_likely_as_it_would_be_coded(tmp_path, outcomes, others):
    """With an error of .15 the decision is another one, and each of the others is coded as likely."""
    sure, unsure = (
        check(
            case_of(
                tmp_path / confidence,
                decisions=[complied("2001-01-01", "violate", confidence=confidence)],
                outcomes=outcomes,
            )
        ).record.least[0]
        for confidence in ("certain", "low")
    )
    assert unsure.p == pytest.approx(0.85 * sure.p + 0.15 * (1 - sure.p) / others, rel=1e-9)


def test_priors_that_are_unsure_are_surprised_by_nothing(tmp_path):
    record = check(case_of(tmp_path, decisions=[complied("2001-01-01", "violate")])).record
    assert record.surprises == ()
    assert record.least[0].p == pytest.approx(1 - implied_by_hand("compliance", 1), abs=SE * 0.5 / np.sqrt(500))


def test_rows_of_depth_are_not_counted_as_decisions(tmp_path):
    rules = [{"id": "r", "states": ["H"], "depth": True, "depth_reason": "a tariff"}]
    found = check(case_of(tmp_path, rules=rules, decisions=[complied("2001-01-01", "comply")]))
    assert (found.record.rows, found.record.depth) == (2, 1)
    assert "of 1 decision and 1 row of declared depth (if the priors were right" in str(found)


def test_conduct_on_the_way_is_simulated_and_not_observed(tmp_path):
    """However the counterparty behaved on record, the priors alone say the same."""
    states = ({"id": "F"}, {"id": "H", "counterparties": ["F"]})
    rules = ({"id": "r", "states": ["H"]}, {"id": "s", "states": ["F"]})
    judged = [j for j in JUDGED if j["quantity"] != "reciprocity"]
    lobbies = (*LOBBIES, {"id": "m", "state": "F", "role": "K"})
    judged += [normal("m", 1.0, 0.5), known("volatility", 0.1, "m")]
    found = []
    for name, decision in (("a", "comply"), ("b", "violate")):
        rows = [complied(f"200{i}-01-01", decision, "F", "s") for i in range(1, 6)]
        parts = {"states": states, "rules": rules, "lobbies": lobbies, "judgements": judged, "decisions": rows}
        found.append(check(case_of(tmp_path / name, **parts)).compliance)
    assert found[0] == found[1]
    assert {one.state for one in found[0]} == {"F", "H"}


def test_the_same_seed_says_the_same_and_another_does_not(tmp_path):
    place = case_of(tmp_path)
    assert check(place, seed=3).as_dict() == check(place, seed=3).as_dict()
    assert check(place, seed=3).compliance != check(place, seed=4).compliance


def test_leaving_an_analyst_out(tmp_path):
    other = normal("k", 5.0, 0.6) | {"analyst": "b"}
    place = case_of(tmp_path, judgements=[*JUDGED, other])
    with_both, without = check(place), check(place, without="b")
    assert without.compliance[0].p > with_both.compliance[0].p + 0.1
    assert main(["check", str(place), "--without", "a"]) == 2
    assert main(["check", str(place), "--without", "nobody"]) == 2


def test_curves_show_each_analyst_and_the_pool(tmp_path):
    other = normal("k", 5.0, 0.6) | {"analyst": "b", "weight": 3}
    case = load_case(case_of(tmp_path, judgements=[*JUDGED, other]))
    (curve,) = [one for one in curves(case, build_priors(case)) if one.name == "k" and one.quantity == "magnitude"]
    assert curve.weights == {"a": 0.25, "b": 0.75}
    assert curve.analysts["b"] == pytest.approx(stats.norm(5, 0.6).pdf(curve.x), rel=1e-6, abs=1e-12)
    assert curve.pool == pytest.approx(0.25 * curve.analysts["a"] + 0.75 * curve.analysts["b"], rel=1e-9)
    assert np.trapezoid(curve.pool, curve.x) == pytest.approx(1, abs=5e-3)
    # known constants have no curve
    assert {one.quantity for one in curves(case, build_priors(case))} == {"magnitude"}


@pytest.mark.parametrize("name", ["bananas", "nafta", "china_wto", "stability_pact"])
@pytest.mark.parametrize("pool", ["linear", "log"])
def test_every_shipped_case_is_told_in_words_and_in_json(name, pool, capsys):
    assert main(["check", str(CASES / name), "--pool", pool, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["pool"] == pool
    assert all(0 <= one["p_lower"] <= one["p"] <= one["p_upper"] <= 1 for one in told["compliance"])
    assert {one["state"] for one in told["adherence"]} == {state.id for state in load_case(CASES / name).states}


@pytest.mark.parametrize("model", ["information", "opportunism", "reciprocity", "spells", "unitary", "managerial"])
def test_every_model_says_what_it_implies(model):
    found = check(CASES / "bananas", model=model)
    assert all(0 < one.p < 1 for one in (*found.adherence, *found.compliance))
    assert f"model {model}" in str(found)


def test_what_is_shortened_says_how_much_is_left_out(tmp_path):
    """Surprises from the 21st on, and names of one default from the fourth on."""
    found = check(case_of(tmp_path))
    one = Surprise("2001-01-01 H r compliance", "violate", 0.05)
    for n, more in ((20, []), (21, ["  and 1 more"])):
        record = Record(n, (one,) * n, 1.0, (one,) * 3)
        part = next(p for p in text(replace(found, record=record)).split("\n\n") if p.startswith("Decisions on record"))
        assert part.splitlines()[21:] == more
    for names, said in (("abc", "a, b, c"), ("abcd", "a, b, c and 1 more")):
        used = tuple(DefaultUsed("trust", name, (1.0, 3.0, 10.0), None) for name in names)
        assert f"\n  trust 1 / 3 / 10: {said}\n" in text(replace(found, defaults=used)) + "\n"


def test_a_judgement_of_all_states_that_is_bent_is_said_to_be_of_all(tmp_path):
    row = {"quantity": "shock_scale", "values": "q5=1;q50=9;q95=10", "family": "gamma", "analyst": "b"}
    assert "b: shock_scale of all states: 5% 1 -> " in str(check(case_of(tmp_path, row)))


def test_the_command_leaves_an_analyst_out(tmp_path, capsys):
    assert main(["check", str(case_of(tmp_path)), "--without", "nobody"]) == 2
    assert "unknown analyst 'nobody'; allowed: a" in capsys.readouterr().err


def test_problems_end_with_2_and_nothing_else(tmp_path, capsys):
    place = case_of(tmp_path)
    path = place / "judgements.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",magnitude,", ",magnitud,", 1), encoding="utf-8")
    assert main(["check", str(place)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "judgements.csv:2: quantity: 'magnitud' is unknown; allowed: " in err
    assert err.count("\n") == 2  # the lobby has lost its magnitude
    assert main(["check", str(CASES / "bananas"), "--pool", "mean"]) == 2
    assert capsys.readouterr().err.startswith("--pool: 'mean' is no pool; allowed: linear, log, cooke")


def test_nothing_heavy_is_imported(tmp_path):
    place = shutil.copytree(CASES / "bananas", tmp_path / "case")
    script = (
        "import sys; from bayes_compliance.cli import main; code = main(['check', sys.argv[1]]); "
        "heavy = ('pymc', 'pytensor', 'arviz', 'arviz_stats', 'xarray', 'pandas', 'scipy.stats', 'scipy.optimize', "
        "'numba', 'matplotlib', 'preliz'); print([name for name in heavy if name in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", script, place], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"
    assert done.stderr == ""
