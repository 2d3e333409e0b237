"""Sincerity against a plain loop, and against the integral of one normal magnitude."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import integrate, stats

from bayes_compliance import asking, worlds
from bayes_compliance.analysis.ahead import joined
from bayes_compliance.analysis.sincerity import sincerity
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.rows import Item
from tests.analysis import plain
from tests.builders import complied, known, normal, write_case

SIGNED = {"date": "2001-01-01", "state": "H", "rule": "r", "kind": "adherence", "decision": "adhere"}


def test_sincerity_is_the_loop_over_worlds(rich):
    """The days of adherence, with every draw's own weight: observed rows of H and of F's quotas, none on oranges."""
    found = sincerity(*rich, seed=plain.SEED)
    after = Item("H", "bananas", date(2005, 4, 15), "compliance")
    prepared, draws = joined(rich[0], draws_of(rich[1])[0], plain.SEED, [after])
    layout = prepared.layout
    days = {("H", "bananas"): date(2001, 1, 1), ("H", "quotas"): date(2001, 1, 1), ("F", "oranges"): date(2002, 2, 2)}
    days[("F", "quotas")] = date(2002, 2, 2)
    observed = asking.ask_observed(prepared.model, layout, draws).p_comply
    row = {pair: i for i, item in enumerate(layout.rows.items) if item.stage == "adherence" for pair in days
           if item.state == pair[0] and item.rule in (pair[1], "*")}  # fmt: skip
    assert sorted(row) == [("F", "quotas"), ("H", "bananas"), ("H", "quotas")]
    error = {("F", "quotas"): 0.15, ("H", "bananas"): 0.01, ("H", "quotas"): 0.01}
    drawn = asking.related(layout, draws)
    for pair, day in days.items():
        share = [0.0, 0.0]
        rows, signing = (layout.rows_for([Item(*pair, day, stage)]) for stage in ("compliance", "adherence"))
        met = worlds.met(layout, rows, layout.record_before(day), layout.time(day))
        w, z = plain.on_day(layout, draws, day)
        for d in range(len(w)):
            x = {name: values[d] for name, values in drawn.items()}
            world = plain.World(x, w[d], z[d], met.credit, met.count, met.accrued)
            broken = plain.support(plain.lobbies(layout, rows, 0, world)) < rows.threshold[0]
            if pair in row:
                p, e = observed[d, row[pair]], error[pair]
                weight = p * (1 - e) / (p * (1 - e) + (1 - p) * e)
            else:
                s = plain.support(plain.lobbies(layout, signing, 0, world))
                weight = plain.phi((s - signing.threshold[0]) / x["decision_noise"][signing.state[0]])
            share[0] += weight * broken
            share[1] += weight
        state, rule = pair
        assert found["p_insincere"].sel(state=state, rule=rule).item() == pytest.approx(share[0] / share[1])
        assert found["adherence_date"].sel(state=state, rule=rule).values == np.datetime64(day)
    assert found["p_insincere"].sel(rule="*").isnull().all()


def test_after_performance_is_the_first_due_date_once_the_share_is_one(rich):
    found = sincerity(*rich, seed=plain.SEED)
    # bananas fall due .7 times a year from 2001-01-01, and F has performed by 2005: the past
    assert found["date_after_performance"].sel(state="H", rule="bananas").values == np.datetime64("2005-04-15")
    # oranges yearly from the last decision, 2010-03-01, by days of 365.25 a year, and H has performed by 2012: ahead
    assert found["date_after_performance"].sel(state="F", rule="oranges").values == np.datetime64("2012-02-29")
    for state, rule in (("H", "bananas"), ("F", "oranges")):
        assert 0 < found["p_insincere_after_performance"].sel(state=state, rule=rule).item() < 1
    assert found["p_insincere_after_performance"].sel(rule="quotas").isnull().all()


def _pro_law(place, decisions=(), sd=4.0, **more):
    """P ~ N(0, sd^2) alone against constants: SA = P - 2, SC = P + 3 - 2, noise 3."""
    lobbies = [{"id": b.lower(), "state": "H", "role": b} for b in "JKP"]
    judged = [known("magnitude", 10.0, "j"), known("magnitude", 12.0, "k"), normal("p", 0.0, sd)]
    judged += [known("volatility", 0.0, b) for b in "jkp"] + [known("step", 1.0, "p"), known("decision_noise", 3.0)]
    judged += [known("rule_spread_points", 0.0)]
    return write_case(
        place, lobbies=lobbies, judgements=judged, decisions=decisions, adherence_date=date(2001, 1, 1), **more
    )


def _integral(sd=4.0):
    """P(P - 1 < 0 given P - 2 + 3 e > 0), by quadrature."""

    def both(p):
        return stats.norm.pdf(p, 0, sd) * stats.norm.cdf((p - 2) / 3)

    return integrate.quad(both, -40, 1)[0] / integrate.quad(both, -40, 40)[0]


def test_where_no_row_says_so_adherence_is_given_all_the_same(tmp_path):
    """False-alarm rate 1e-5; the share without the condition would be seen."""
    prepared, tree = plain.standin(_pro_law(tmp_path), draws=1000)
    found = sincerity(prepared, tree)["p_insincere"].sel(state="H", rule="r").item()
    assert abs(found - _integral()) < 4.5 * _error(2000)
    assert abs(stats.norm.cdf(1 / 4) - _integral()) > 4.5 * _error(2000)


@pytest.mark.parametrize("confidence", ["certain", "low"])
def test_a_row_of_adherence_is_taken_for_what_it_is_worth(tmp_path, confidence):
    """Draws of the posterior given the row, by resampling; weights then undo the miscoding. False-alarm rate 1e-5."""
    prepared, tree = plain.standin(_pro_law(tmp_path, [SIGNED | {"confidence": confidence}]), draws=1000)
    likelihood = np.exp(tree["log_likelihood"].to_dataset().to_array().values.reshape(-1))
    chosen = np.random.default_rng(2).choice(2000, size=2000, p=likelihood / likelihood.sum())
    posterior = tree["posterior"].to_dataset()
    flat = posterior["magnitude"].values.reshape(2000, -1)[chosen]
    tree["posterior"] = posterior.assign(magnitude=(posterior["magnitude"].dims, flat.reshape(2, 1000, -1)))
    found = sincerity(prepared, tree)["p_insincere"].sel(state="H", rule="r").item()
    assert abs(found - _integral()) < 4.5 * np.sqrt(2) * _error(2000)


def _error(n):
    # weights in [0, 1] with mean near .35: the effective number of draws is at least a third of them
    return np.sqrt(_integral() * (1 - _integral()) / (n / 3))


def test_a_state_that_is_coded_as_staying_out_made_no_promise(tmp_path):
    row = SIGNED | {"decision": "not_adhere"}
    found = sincerity(*plain.standin(_pro_law(tmp_path, [row, complied("2003-01-01")])))
    assert found["p_insincere"].isnull().all()


@pytest.mark.parametrize(
    ("done", "due"),
    [
        (date(2004, 6, 1), "2005-01-01"),  # a date with the record of two violations
        (date(2006, 1, 1), "2006-01-01"),  # ahead, with all three
        (date(2007, 6, 1), "2008-01-01"),  # ahead, with what is simulated until then
    ],
)
def test_a_record_of_conduct_counts_only_before_the_day(tmp_path, done, due):
    """The counterparty violates after t1: at t1 trust is whole, and the promise is sincere in every world."""
    lobbies = [{"id": f"{s}{b}".lower(), "state": s, "role": b} for s in "HF" for b in "JKL"]
    judged = [known("magnitude", m, s + b) for s in "hf" for b, m in (("j", 8.0), ("k", 10.0), ("l", 3.0))]
    judged += [known("volatility", 0.0, b["id"]) for b in lobbies]
    judged += [known("shadow", 1.0), known("trust", 1.0), known("rule_spread_points", 0.0)]
    betrayed = [complied(f"{year}-01-01", "violate", "F") for year in (2003, 2004, 2005)]
    place = write_case(
        tmp_path, lobbies=lobbies, judgements=judged, decisions=betrayed, adherence_date=date(2001, 1, 1),
        states=[{"id": "H", "counterparties": ["F"]}, {"id": "F", "counterparties": ["H"]}],
        rules=[{"id": "r", "states": ["H", "F"],
                "performance": [[date(2002, 1, 1), 0.0], [done, 1.0]]}],
    )  # fmt: skip
    found = sincerity(*plain.standin(place)).sel(state="H", rule="r")
    assert found["p_insincere"].item() == 0  # 8 + 3 - 10
    assert found["p_insincere_after_performance"].item() == 1  # 8 + 3 q - 10 with q at most 1/2
    assert found["date_after_performance"].values == np.datetime64(due)


def test_a_rule_joined_after_the_last_decision_is_asked_about_on_its_own_date(tmp_path):
    """It falls due on none of the dates that count from that decision; false-alarm rate 1e-5."""
    late = {"id": "r", "states": ["H"], "adherence_date": date(2010, 3, 10)}
    late["performance"] = [[date(2011, 1, 1), 0.0], [date(2013, 1, 1), 1.0]]
    place = _pro_law(tmp_path, [complied("2008-03-01", rule="s")], rules=[late, {"id": "s", "states": ["H"]}])
    found = sincerity(*plain.standin(place, draws=1000)).sel(state="H", rule="r")
    assert found["date_after_performance"].values == np.datetime64("2013-03-09")
    assert abs(found["p_insincere_after_performance"].item() - _integral()) < 4.5 * _error(2000)


@pytest.mark.parametrize(("spread", "volatility"), [(30.0, 0.0), (0.0, 8.0)])
def test_a_world_ahead_is_the_one_in_which_the_state_joined(tmp_path, spread, volatility):
    """On a rule with no row of its own nothing fixes the lobby's spread, nor its path on t1. False-alarm rate 1e-5."""
    judged = [known("magnitude", 30.0, "k"), known("magnitude", 35.0, "g"), known("volatility", volatility, "k"),
              known("volatility", 0.0, "g"), known("step", 1.0, "g"), known("decision_noise", 5.0),
              known("rule_spread_points", spread), known("shock_hazard", 0.0)]  # fmt: skip
    place = write_case(
        tmp_path,
        rules=[{"id": "q", "states": ["H"]},
               {"id": "r", "states": ["H"], "performance": [[date(2000, 1, 1), 0.0], [date(2004, 1, 1), 1.0]]}],
        lobbies=[{"id": "k", "state": "H", "role": "K"}, {"id": "g", "state": "H", "role": "G", "rules": ["q", "r"]}],
        judgements=judged, decisions=[complied("2000-06-01", "comply", "H", "q")],
        adherence_date=date(2000, 1, 1), reference_date=date(1990, 1, 1), horizon={"until": date(2010, 1, 1)},
    )  # fmt: skip
    found = sincerity(*plain.standin(place, draws=2000)).sel(state="H", rule="r")
    due = found["date_after_performance"].values
    years = (due - np.datetime64("2000-01-01")) / np.timedelta64(1, "D") / 365.25
    rng, n = np.random.default_rng(4), 400_000
    then = spread * rng.standard_normal(n) + volatility * np.sqrt(10) * rng.standard_normal(n)
    later = then + volatility * np.sqrt(years) * rng.standard_normal(n)
    weight = stats.norm.cdf((35 - 30 - then) / 5)
    share = (weight * (later > 6)).sum() / weight.sum()
    plainly = (later > 6).mean()
    error = 4.5 * np.sqrt(share * (1 - share) / 1000)
    assert abs(found["p_insincere_after_performance"].item() - share) < error
    assert abs(plainly - share) > error
