"""Numbers behind the sentences, against closed forms and counts by hand."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from bayes_compliance.report import facts, learning
from bayes_compliance.report.sentences import Rate, shown
from bayes_compliance.runs import Run


def test_rates_are_counted(oranges: Run) -> None:
    case = oranges.prepared.case
    assert facts.rate(case, "H") == Rate(1, 0, 1)
    assert facts.rate(case, "F") == Rate(0, 2, 0)
    assert facts.rate(case) == Rate(1, 2, 1)


def test_outlook_of_one_rule_is_its_row(oranges: Run) -> None:
    outlook = next(o for o in facts.outlooks(oranges) if o.state == "F")
    rows = [row for row in oranges.forecast.table if row["state"] == "F"]
    assert outlook.subject == "“oranges”"
    for point, row in ((outlook.first, rows[0]), (outlook.last, rows[-1])):
        support = oranges.forecast.dataset["support"].sel(state="F", rule="oranges", time=row["date"])
        assert point == (
            date.fromisoformat(row["date"]), row["p_comply"], row["p_violate"], row["p_lower"], row["p_upper"],
            row["p_today_lower"], row["p_today_upper"], np.median(support), row["support_upper"] - row["support_lower"],
        )  # fmt: skip


def test_outlook_of_several_rules_is_their_mean_in_every_world(oranges: Run) -> None:
    outlook = next(o for o in facts.outlooks(oranges) if o.state == "H")
    dataset = oranges.forecast.dataset.sel(state="H", rule=["lemons", "oranges"]).isel(time=-1)
    table = [r for r in oranges.forecast.table if r["state"] == "H" and r["rule"] != "*" and r["date"] == "2012-01-01"]
    assert len(table) == 2
    assert outlook.last.p == pytest.approx(np.mean([row["p_comply"] for row in table]))
    worlds = dataset["p_comply"].values.mean(axis=0)
    assert (outlook.last.lower, outlook.last.upper) == pytest.approx(tuple(np.quantile(worlds, [0.05, 0.95])))
    # negative control: the mean of the rules' own bands is another, wider band
    assert outlook.last.lower > np.mean([row["p_lower"] for row in table])


@pytest.mark.parametrize(
    ("change", "widths", "reason"),
    [
        ("", [10.0, 20.0], "support does not narrow"),
        ("", [20.0, 10.0], "support itself varies less"),
        ("[dynamics]\nmean_reversion_half_life = 5.0\n", [20.0, 10.0], "magnitudes return to their means"),
    ],
)
def test_why_a_band_narrows(
    change: str, widths: list[float], reason: str, tmp_path: object, tools: SimpleNamespace
) -> None:
    from bayes_compliance.case import load_case

    case = load_case(tools.write_case(tmp_path, case=tools.case + change))
    assert facts._why_narrower(case, "H", widths, date(2012, 1, 1)).startswith(reason)


def test_a_lobby_that_returns_at_its_own_pace_is_a_reason(tmp_path: object, tools: SimpleNamespace) -> None:
    from bayes_compliance.case import load_case

    case = load_case(tools.write_case(tmp_path))
    own = tuple(lobby.model_copy(update={"mean_reversion_half_life": 2.0}) for lobby in case.lobbies)
    reason = facts._why_narrower(case.model_copy(update={"lobbies": own}), "H", [20.0, 10.0], date(2012, 1, 1))
    assert reason == "magnitudes return to their means"


def test_left_out_is_the_conjugate_answer() -> None:
    """Beta-Bernoulli: the exact probability of each outcome given the others; a false alarm is below one in 10,000."""
    a, b, ones, zeros, n = 2.0, 2.0, 7, 3, 8000
    theta = stats.beta(a + ones, b + zeros).rvs((4, n // 4), random_state=np.random.default_rng(7))
    log_p = np.stack([np.log(theta)] * ones + [np.log1p(-theta)] * zeros, axis=-1)
    tree = xr.DataTree.from_dict({"log_likelihood": xr.Dataset({"outcome": (("chain", "draw", "decision"), log_p)})})
    found = facts.left_out(SimpleNamespace(tree=tree))
    total = a + b + ones + zeros - 1
    for (p, k), exact, given_all in (
        (found[0], (a + ones - 1) / total, (a + ones) / (total + 1)),
        (found[-1], (b + zeros - 1) / total, (b + zeros) / (total + 1)),
    ):
        assert p == pytest.approx(exact, abs=0.012)
        assert abs(p - given_all) > 0.012
        assert k < 0.7


def test_left_out_of_a_constant_is_itself() -> None:
    log_p = np.full((2, 50, 1), np.log(0.25))
    tree = xr.DataTree.from_dict({"log_likelihood": xr.Dataset({"outcome": (("chain", "draw", "decision"), log_p)})})
    assert facts.left_out(SimpleNamespace(tree=tree)) == [(pytest.approx(0.25), 0.0)]


def test_record_has_the_coded_rows(oranges: Run) -> None:
    rows = facts.recorded(oranges)
    assert [row.depth for row in rows] == [True, False, False, False, False, False]
    assert [row.decision for row in rows] == ["violate", "adhere", "comply", "violate", "partial", "comply_late"]
    for row in rows:
        assert row.chance[1] <= row.chance[2]
        assert 0 < row.observed < 1


CONSTANTS = """analyst,date,state,lobby,quantity,p05,p50,p95,family,weight,rationale,source
a,2000-01-01,H,{script},magnitude,40,40,40,,,,
a,2000-01-01,H,growers,magnitude,30,30,30,,,,
a,2000-01-01,H,lemon growers,magnitude,10,10,10,,,,
a,2000-01-01,H,exporters,magnitude,20,20,20,,,,
a,2000-01-01,H,court,magnitude,5,5,5,,,,
a,2000-01-01,H,court,step,2,2,2,,,,
a,2000-01-01,F,F buyers,magnitude,40,40,40,,,,
a,2000-01-01,F,F growers,magnitude,40,40,40,,,,
a,2000-01-01,,,rule_spread,0,0,0,,,,
a,2000-01-01,,,rule_spread_points,0,0,0,,,,
a,2000-01-01,,,shadow,0.5,0.5,0.5,,,,
a,2000-01-01,,,shock_hazard,0,0,0,,,,
"""


def test_pulls_of_constants_are_the_article_s_sum(tmp_path: object, tools: SimpleNamespace) -> None:
    judged = CONSTANTS.format(script=tools.script)
    still = [f"a,2000-01-01,{s},{lobby},volatility,0,0,0,,,,\n" for s, lobby in (
        ("H", tools.script), ("H", "growers"), ("H", "lemon growers"), ("H", "exporters"), ("H", "court"),
        ("F", "F buyers"), ("F", "F growers"),
    )]  # fmt: skip
    case = tools.case.replace('counterparties = ["F"]', "")
    reciprocity = "a,2000-01-01,H,,reciprocity,0.6,0.6,0.6,,,,\na,2000-01-01,F,,reciprocity,1,1,1,,,,\n"
    run = tools.make_run(
        tools.write_case(tmp_path, case=case, judgements=judged + "".join(still) + reciprocity), draws=20
    )
    found = {
        pull.lobby: (pull.first, pull.last) for pull in facts.pulls(run, facts.pulls_by_rule(run)) if pull.state == "H"
    }
    expected = {tools.script: 40, "growers": -30, "lemon growers": -10 / 2, "exporters": 0.5 * 0.6 * 20, "court": 7}
    assert found.keys() == expected.keys()
    for lobby, weight in expected.items():
        assert found[lobby] == pytest.approx((weight, weight)), lobby
    by_rule = facts.pulls_by_rule(run)["H", "lemons"]
    assert by_rule["lemon growers"] == pytest.approx(-10)  # on its own rule it weighs all that it has
    assert facts.pulls_by_rule(run)["H", "oranges"].get("lemon growers", 0.0) == 0.0


def test_a_model_without_parts_has_no_pulls(oranges: Run) -> None:
    blunt = oranges.prepared._replace(model=SimpleNamespace(support=None))
    assert facts.pulls(SimpleNamespace(prepared=blunt), {}) == []
    assert facts.pulls_by_rule(SimpleNamespace(prepared=blunt)) == {}


def test_prior_draws_hardly_move(oranges: Run) -> None:
    """Posterior and prior are draws of one law: of 1,000 and 2,000 draws, a fifth is five standard errors or more."""
    found = learning.learnt(oranges)
    assert {item.quantity for item in found} >= {"magnitude", "volatility", "shadow", "trust", "step", "rule_spread"}
    assert [item for item in found if not item.hardly] == []
    assert found[0].quantity == "magnitude"


def test_what_was_moved_is_seen(oranges: Run) -> None:
    """Negative control: one lobby's posterior is halved in logs and moved up by half a unit."""
    tree = oranges.tree.copy(deep=True)
    values = tree["posterior"]["magnitude"].values
    i = [lobby.id for lobby in oranges.prepared.case.lobbies].index("growers")
    log = np.log(values[..., i])
    values[..., i] = np.exp(log.mean() + (log - log.mean()) / 2 + 0.5)
    (item,) = [x for x in learning.learnt(SimpleNamespace(prepared=oranges.prepared, tree=tree)) if not x.hardly]
    assert (item.quantity, item.name, item.state, item.scale) == ("magnitude", "growers", "H", "log")
    assert shown(item.ratio) == pytest.approx(50, abs=4)
    assert item.posterior[1] == pytest.approx(np.median(values[..., i]))
    assert item.shift > 0.2


@pytest.mark.parametrize(
    ("scale", "to"), [("linear", lambda x: x), ("log", np.exp), ("logit", lambda x: 1 / (1 + np.exp(-x)))]
)
def test_spread_and_shift_are_taken_on_the_scale(scale: str, to: object) -> None:
    x = np.linspace(-1, 1, 101)
    assert learning.compare(to(x), to(x / 2 + 0.3), scale) == pytest.approx((0.5, 0.3 / x.std()))
