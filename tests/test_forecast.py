"""forecast.csv: its dates and rows, its two bands against closed forms, and what does not depend on the step."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from bayes_compliance import models
from bayes_compliance.case import load_case
from bayes_compliance.case.vocabulary import PER_YEAR
from bayes_compliance.forecast import (
    COLUMNS,
    HORIZON_ONLY,
    Forecast,
    dates_ahead,
    decision_dates,
    owed,
    per_year,
    simulate,
    thin,
    to_csv,
    written,
)  # fmt: skip
from bayes_compliance.kept import without_path_noise
from bayes_compliance.latents import Latents
from tests.builders import complied, known, normal, write_case

NOISE, SD, VOLATILITY = 0.6, 0.7, 0.3


def walk(folder: Path, **more) -> Path:
    """S(t) = 0.5 + N(0, .7^2) + .3 W(t), decisions with noise .6; no shocks."""
    return write_case(
        folder,
        lobbies=[{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}],
        judgements=[
            normal("j", 1.5, SD), known("magnitude", 1.0, "k"), known("volatility", VOLATILITY, "j"),
            known("volatility", 0.0, "k"), known("rule_spread_points", 0.0), known("decision_noise", NOISE),
            known("shock_hazard", 0.0),
        ],
        **more,
    )  # fmt: skip


def from_priors(folder: Path, n: int = 2000, **settings) -> Forecast:
    case = models.prepare("coalition", load_case(folder))
    draws = Latents(case.layout).draw_all(n, np.random.default_rng(1))
    return simulate(case.model, case.layout, draws, 2, seed=1, **settings)


def test_dates_are_whole_steps_after_the_last_decision_then_the_end():
    start, until = date(2020, 1, 1), date(2023, 6, 1)
    assert dates_ahead(start, until, 1.0) == [date(2020, 12, 31), date(2021, 12, 31), date(2022, 12, 31), until]
    assert dates_ahead(start, date(2020, 3, 1), 1.0) == [date(2020, 3, 1)]
    assert dates_ahead(start, until, HORIZON_ONLY) == [until]
    assert decision_dates(start, date(2022, 1, 1), 1.0) == [date(2020, 12, 31), date(2021, 12, 31)]
    assert decision_dates(start, date(2020, 12, 31), 1.0) == [date(2020, 12, 31)]


@pytest.mark.parametrize("rate", [364.9, PER_YEAR[1]])
def test_the_fastest_decisions_fall_due_one_a_day_from_the_next_day_on(rate):
    start = date(2020, 1, 1)
    found = decision_dates(start, date(2030, 1, 1), rate)
    assert found[0] == date(2020, 1, 2)
    assert len(set(found)) == len(found)
    assert len(found) == pytest.approx(10 * rate, abs=2)


def test_probability_and_bands_are_those_of_the_random_walk(tmp_path):
    found = from_priors(walk(tmp_path), until=date(2030, 1, 1), step_years=10)
    for row in [r for r in found.table if r["rule"] == "r"]:
        years = (date.fromisoformat(row["date"]) - date(2000, 1, 1)).days / 365.25
        spread = np.sqrt(SD**2 + VOLATILITY**2 * years)
        assert row["p_comply"] == pytest.approx(norm.cdf(0.5 / np.hypot(spread, NOISE)), abs=0.02)
        wide = norm.cdf((0.5 + spread * norm.ppf([0.05, 0.95])) / NOISE)
        assert (row["p_lower"], row["p_upper"]) == pytest.approx(tuple(wide), abs=0.02)
        # within a draw, over its future paths: Phi(s / sqrt(sigma^2 + v^2 t))
        today = norm.cdf((0.5 + SD * norm.ppf([0.05, 0.95])) / np.hypot(VOLATILITY * np.sqrt(years), NOISE))
        assert (row["p_today_lower"], row["p_today_upper"]) == pytest.approx(tuple(today), abs=0.03)
        assert row["p_partial"] == pytest.approx(0, abs=1e-12)
        assert row["support_mean"] == pytest.approx(0.5, abs=4 * spread / np.sqrt(2000))


def test_one_band_widens_and_the_other_narrows(tmp_path):
    table = [r for r in from_priors(walk(tmp_path), until=date(2030, 1, 1), step_years=10).table if r["rule"] == "r"]
    wide = [r["p_upper"] - r["p_lower"] for r in table]
    today = [r["p_today_upper"] - r["p_today_lower"] for r in table]
    assert (np.diff(wide) > -1e-3).all()
    assert (np.diff(today) < 0.01).all()
    assert today[-1] < today[0] - 0.1


def test_no_violation_does_not_depend_on_the_reporting_step(tmp_path):
    rules = [{"id": "r", "states": ["H"], "decisions_per_year": 2}]
    folder = walk(tmp_path, rules=rules, horizon={"until": date(2006, 1, 1)})
    end = {
        step: next(r["p_no_violation"] for r in from_priors(folder, step_years=step).table[::-1] if r["rule"] == "r")
        for step in (1.0, 0.5, 0.25)
    }
    # worlds of one draw share its magnitudes: at least 2,000 independent ones; false-alarm rate 6e-5
    error = np.sqrt(2 * 0.25 / 2000)
    assert max(end.values()) - min(end.values()) < 4 * error
    fewer = walk(tmp_path / "fewer", horizon={"until": date(2006, 1, 1)})
    once = from_priors(fewer, step_years=1.0).table[-1]["p_no_violation"]
    assert once > max(end.values()) + 0.02, "half as many decisions are kept more often"


def test_no_violation_of_one_decision_is_that_it_is_no_violation(tmp_path):
    folder = walk(tmp_path, horizon={"until": date(2001, 1, 1), "step_years": 1})
    row = next(r for r in from_priors(folder).table if r["rule"] == "r")
    assert row["p_no_violation"] == pytest.approx(1 - row["p_violate"], abs=1e-12)


def test_a_new_rule_needs_both_sides_on_all_rules(tmp_path):
    assert owed(load_case(walk(tmp_path / "both"))) == [("H", "*"), ("H", "r")]
    lobbies = [{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K", "rules": ["r"]}]
    one_sided = write_case(tmp_path / "one", lobbies=lobbies, judgements=[normal("j", 1.5, SD), normal("k", 1.0, SD)])
    assert owed(load_case(one_sided)) == [("H", "r")]


@pytest.mark.parametrize(("side", "rules"), [("-", ["*", "r"]), ("+", ["r"])])
def test_another_body_is_on_the_side_of_its_weight(tmp_path, side, rules):
    weights = {"status_quo": 0.0, "adherence": 0.0, "compliance": 1.0}
    lobbies = [{"id": "j", "state": "H", "role": "J"},
               {"id": "o", "state": "H", "role": "other", "side": side, "stage_weights": weights},
               {"id": "k", "state": "H", "role": "K", "rules": ["r"]}]  # fmt: skip
    judged = [normal(name, 1.0, SD) for name in "jok"]
    assert owed(load_case(write_case(tmp_path, lobbies=lobbies, judgements=judged))) == [("H", rule) for rule in rules]


def test_something_falls_due_from_the_first_date_on(tmp_path):
    """Half a year after the last decision on r, and a year after it on a new rule."""
    rules = [{"id": "r", "states": ["H"], "decisions_per_year": 2}]
    case = load_case(walk(tmp_path, rules=rules, decisions=[complied("2001-01-01")]))
    first = {"r": date(2001, 7, 2), "*": date(2002, 1, 1)}
    for rule, day in first.items():
        until = [day + timedelta(days=late) for late in (-1, 0)]
        due = [decision_dates(case.last_decision_date(), each, per_year(case, rule)) for each in until]
        assert due == [[], [day]]


def test_draws_are_thinned_evenly_within_each_chain():
    draws = {"innovation": np.arange(22)[:, None], "other": -np.arange(22)}
    for most, kept in ((7, [0, 5, 10, 11, 16, 21]), (22, list(range(22))), (100, list(range(22))), (1, [0, 11])):
        found, chains = thin(draws, 2, most)
        assert (found["innovation"].ravel().tolist(), chains) == (kept, 2)
        assert found["other"].tolist() == [-i for i in kept]


def test_nothing_is_written_as_minus_nothing():
    assert written({"state": "H", "a": -4e-7, "b": -6e-7}, ("state", "a", "b")) == ["H", "0.000000", "-0.000001"]


def test_csv_has_the_columns_six_decimals_and_sorted_rows(tmp_path):
    table = from_priors(walk(tmp_path), n=100, until=date(2003, 1, 1), step_years=1).table
    header, *lines = to_csv(table).splitlines()
    assert header == ",".join(COLUMNS)
    assert lines == sorted(lines)
    assert all(len(cell.split(".")[1]) == 6 for line in lines for cell in line.split(",")[3:])
    assert len(lines) == 2 * 4


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path):
    folder = walk(tmp_path)
    case = models.prepare("coalition", load_case(folder))
    draws = Latents(case.layout).draw_all(100, np.random.default_rng(1))
    texts = [to_csv(simulate(case.model, case.layout, draws, 2, seed=seed).table) for seed in (1, 1, 2)]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_conduct_moves_with_the_counterpartys_simulated_decisions(tmp_path):
    """F never performs; H's L is worth w q, so its support must fall as violations come in."""

    def forecast_with(k_of_f: float) -> list[float]:
        folder = write_case(
            tmp_path / str(k_of_f),
            states=[{"id": "F"}, {"id": "H", "counterparties": ["F"]}],
            rules=[{"id": "o", "states": ["F"]}, {"id": "r", "states": ["H"]}],
            lobbies=[
                {"id": "l", "state": "H", "role": "L"}, {"id": "k", "state": "H", "role": "K"},
                {"id": "f", "state": "F", "role": "K"},
            ],
            judgements=[
                known("magnitude", 10.0, "l"), known("magnitude", 1.0, "k"), known("magnitude", k_of_f, "f"),
                *(known("volatility", 0.0, b) for b in "lkf"), known("rule_spread_points", 0.0),
                known("decision_noise", 0.01), known("shock_hazard", 0.0), known("shadow", 0.5), known("trust", 2.0),
            ],
            horizon={"until": date(2004, 1, 2), "step_years": 1},
        )  # fmt: skip
        return [r["support_mean"] for r in from_priors(folder, n=20).table if r["rule"] == "r"]

    # a = 2 and one decision a year: q = 2 / (2 + n) where none performs
    assert forecast_with(5.0)[:4] == pytest.approx([0.5 * 10 * 2 / (2 + n) - 1 for n in range(4)], abs=1e-6)
    assert forecast_with(-5.0)[:4] == pytest.approx([4.0] * 4, abs=1e-6)


def test_the_band_of_today_is_freed_from_the_noise_of_few_paths():
    rng = np.random.default_rng(1)
    truth = 0.5 + 0.05 * rng.standard_normal(4000)
    each = truth[:, None] + 0.15 * rng.standard_normal((4000, 8))
    averaged = each.mean(axis=-1)
    freed = without_path_noise(averaged[None], each[None])[0]
    assert freed.mean() == pytest.approx(averaged.mean())
    assert freed.std() == pytest.approx(0.05, rel=0.05)
    assert averaged.std() > 1.3 * 0.05, "without it the band would be too wide"


def test_the_band_of_today_has_the_shape_that_few_paths_blur():
    """p = Phi(theta + w) with skew: 5% and 95% of E[p | theta] by 8 antithetic paths; their sd over seeds is .002."""
    rng = np.random.default_rng(3)
    theta, half = 0.8 + 0.7 * rng.standard_normal(40_000), 1.5 * rng.standard_normal((40_000, 4))
    each = norm.cdf(theta[:, None] + np.concatenate([half, -half], axis=1))
    averaged = each.mean(axis=-1)
    freed = without_path_noise(averaged, each)
    wanted = norm.cdf((0.8 + 0.7 * norm.ppf([0.05, 0.95])) / np.hypot(1, 1.5))
    assert np.quantile(freed, [0.05, 0.95]) == pytest.approx(wanted, abs=0.014)
    assert abs(np.quantile(averaged, [0.05, 0.95]) - wanted).max() > 0.025, "else there is nothing to be freed from"
    drawn_together = averaged.mean() + freed.std() / averaged.std() * (averaged - averaged.mean())
    assert abs(np.quantile(drawn_together, [0.05, 0.95]) - wanted).max() > 0.016, "nor is the spread all"
    assert (np.argsort(freed, kind="stable") == np.argsort(averaged, kind="stable")).mean() > 0.9


def test_probabilities_without_doubt_stay_what_they_are():
    sure = np.repeat([[0.25], [1.0]], 10, axis=1)
    assert without_path_noise(sure, np.repeat(sure[..., None], 8, axis=-1)) == pytest.approx(sure, abs=1e-15)


def test_a_case_before_any_decision_is_forecast_from_adherence(tmp_path):
    adhered = {"date": "2000-01-01", "state": "H", "rule": "r", "kind": "adherence", "decision": "adhere"}
    folder = walk(tmp_path, decisions=[adhered, complied("2001-01-01", "pending")])
    assert from_priors(folder, n=50).table[0]["date"] == "2004-12-31"
