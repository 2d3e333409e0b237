"""Sentences of a panel's report against the panel."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from bayes_compliance.panel import RuleKey, words
from bayes_compliance.panel.ahead import forecast
from bayes_compliance.panel.fitting import prior
from bayes_compliance.panel.holding import Count, HeldOut, _counts, by_state
from bayes_compliance.panel.layout import PanelLayout
from bayes_compliance.panel.loading import load_panel
from bayes_compliance.panel.synthetic import synthetic
from tests.panel.plain import write_table

ALONE = """a,2001-01-01,X,*,adherence,adhere,,high,,,
a,2003-01-01,X,r,compliance,comply,,high,,,
a,2004-01-01,Y,r,compliance,partial,,low,,,
b,2006,Z,r,compliance,violate,,certain,,,
"""


def test_the_record_is_counted(tmp_path):
    layout = PanelLayout(load_panel(write_table(tmp_path / "p", ALONE)))
    said = words.record(layout)
    assert said[0] == "3 decisions to comply or not, 1 to adhere or not, none on the status quo."
    assert "Every adherence row is of a state that joined" in said[1]
    assert "3 states with fewer than 10 compliance decisions: X (1), Y (1) and Z (1)." in said
    assert words.groups(layout) == [["X", "Y"], ["Z"]]
    assert words.subtitle(layout).startswith("Panel p, partial pooling of states: 3 states, 2 rules of 2 cases, 4 dec")


def test_what_0_means_is_what_net_interest_sums_to():
    """Seven rules of one area and two of another: areas balance, and rules do not."""
    made = synthetic(4, 9, 60, seed=3).panel
    area = {rule: "trade" if i < 7 else "rights" for i, rule in enumerate(made.areas)}
    whole, parted = (PanelLayout(replace(made, areas=areas)) for areas in ({}, area))
    assert "on the average rule of the panel a state at 0 is as likely" in words.meaning(whole)
    assert "on an average rule of the average area (areas count alike, however many rules" in words.meaning(parted)
    x = prior(whole, 200, np.random.default_rng(1))
    assert np.abs(x["interest"].mean(axis=1)).max() < 1e-9
    x = prior(parted, 200, np.random.default_rng(1))
    assert np.abs(x["area_interest"].mean(axis=1)).max() < 1e-9
    assert np.abs(x["interest"].mean(axis=1)).max() > 0.1


def test_pairs_that_share_no_rule_are_not_read_as_comparisons(tmp_path):
    rows = ALONE + "b,2007,W,s,compliance,comply,,low,,,\nc,2008,W,t,compliance,comply,,low,,,\n"
    rows += "c,2008,V,t,compliance,comply,,low,,,\n"
    layout = PanelLayout(load_panel(write_table(tmp_path / "p", rows)))
    states = layout.panel.observed_states
    assert words.groups(layout) == [["V", "W"], ["X", "Y"], ["Z"]]
    told = np.zeros((5, 5), bool)
    for one, other in (("V", "W"), ("V", "X"), ("Z", "Y"), ("X", "Y")):
        told[states.index(one), states.index(other)] = True
    assert "3 groups that share no rule: V and W; X and Y; Z." in words.apart(layout)[0]
    (lead,) = words.across(layout, told)
    assert lead.startswith(
        "2 of the 4 pairs told apart are of states that share no rule, not even through others, and so"
    )
    one = np.zeros((5, 5), bool)
    assert words.across(layout, one) == []
    one[states.index("V"), states.index("X")] = True
    assert words.across(layout, one)[0].startswith("The pair told apart is of states that share no rule")
    one = np.zeros((5, 5), bool)
    one[states.index("V"), states.index("W")] = True
    assert "so that none rests on rules being alike" in words.across(layout, one)[0]
    chain = rows + "b,2009,X,s,compliance,comply,,low,,,\nb,2009,Z,s,compliance,comply,,low,,,\n"
    joined = PanelLayout(load_panel(write_table(tmp_path / "q", chain)))
    assert words.groups(joined) == [["V", "W", "X", "Y", "Z"]]
    assert words.apart(joined) == []
    assert words.across(joined, told) == []


def test_the_lead_says_why_a_case_of_its_own_says_other_things():
    made = synthetic(4, 9, 60, seed=3)
    said = words.caution(PanelLayout(made.panel))
    assert "since here lobbies are not judged, nothing moves after " in said
    assert said.endswith("its own record is short. Where a case has a run of its own, go by that.")
    assert "all states are taken to be alike" in words.caution(PanelLayout(made.panel, pooling="complete"))


def test_a_record_without_adherence_says_so(tmp_path):
    rows = "".join(ALONE.splitlines(keepends=True)[1:])
    said = words.record(PanelLayout(load_panel(write_table(tmp_path / "p", rows))))
    assert any("no adherence row: P1 + G1 is P2 + G2 less a step that rests on its prior" in text for text in said)


def test_the_tilt_is_the_share_of_draws_above_one_half(tmp_path):
    layout = PanelLayout(load_panel(write_table(tmp_path / "p", ALONE)))
    share = np.where(np.arange(100) < 73, 0.6, 0.4)
    assert "Yes with probability 73%, for the state and the rule in the middle" in words.tilt(layout, share)[0]
    rows = "".join(ALONE.splitlines(keepends=True)[1:])
    assert words.tilt(PanelLayout(load_panel(write_table(tmp_path / "q", rows))), share) == []


def test_missing_cells_are_counted():
    layout = PanelLayout(synthetic(20, 8, 60, seed=3, missing=0.3).panel)
    values = np.array(list(layout.panel.states.values.values()))
    for column, said in zip(np.isnan(values).sum(axis=0), words.missing(layout), strict=True):
        assert f"is missing for {column} of 20 states: there it may be any number" in said
    assert words.missing(PanelLayout(synthetic(20, 8, 60, seed=3, missing=0.0).panel)) == []


@pytest.mark.parametrize(
    ("mean", "error", "states", "words_said"),
    [
        (0.1, 0.02, 12, "does better than base rates by 0.10 nats"),
        (-0.1, 0.02, 12, "does worse than base rates by 0.10 nats"),
        (0.03, 0.02, 12, "cannot be told from base rates: its gain is 0.03 nats"),
        (0.1, 0.02, 4, "too few states for a verdict"),
    ],
)
def test_the_verdict_on_states_left_out_follows_its_error(mean, error, states, words_said):
    assert words_said in words.scored(mean, error, 100, states)


def test_error_over_states_is_that_of_a_ratio_of_sums():
    rng = np.random.default_rng(1)
    state = rng.integers(0, 30, 400)
    score = rng.normal(size=30)[state] * 0.3 + rng.normal(size=400) * 0.01 + 0.2
    mean, error = HeldOut(np.arange(400), state, score, np.zeros(400)).better
    drawn = [rng.integers(0, 30, 30) for _ in range(3000)]
    sums, sizes = np.bincount(state, score), np.bincount(state)
    resampled = [sums[d].sum() / sizes[d].sum() for d in drawn]
    assert mean == pytest.approx(score.mean())
    assert error == pytest.approx(np.std(resampled), rel=0.15)


def test_error_over_states_of_one_row_each_is_that_of_a_mean():
    gain = np.array([0.3, -0.1, 0.7])
    _, error = HeldOut(np.arange(3), np.arange(3), gain, np.zeros(3)).better
    assert error == pytest.approx(gain.std(ddof=1) / np.sqrt(3))


def test_folds_hold_whole_states():
    layout = PanelLayout(synthetic(12, 8, 60, seed=3).panel)
    for folds in (3, 12):
        fold = by_state(layout, folds, seed=1)
        assert set(fold) == set(range(folds))
        assert all(len(set(fold[layout.state == s])) == 1 for s in set(layout.state))


def test_the_outlook_names_the_likeliest_and_the_least_likely():
    layout = PanelLayout(synthetic(3, 8, 60, seed=3).panel)
    table = [
        {"state": s, "rule": "*", "p_comply": p, "p_lower": p - 0.1, "p_upper": p + 0.1}
        for s, p in (("S000", 0.5), ("S001", 0.82), ("S002", 0.3), ("S999", 0.9), ("*", 0.6))
    ]
    first, last, *rest = words.ahead(layout, table)
    assert re.search(r"S001 is very likely to comply .* is 82%\. .* from 72% to 92%", first)
    assert re.search(r"S002 is unlikely to comply .* is 30%", last)
    assert rest == [
        "S999, of whom no decision is on record, by what states.csv says of it and by the others: 90% on a new rule, "
        "80% to over 99%."
    ]


def test_a_rule_not_seen_is_forecast_for_every_state():
    made = synthetic(3, 8, 60, seed=3).panel
    panel = replace(made, areas={**made.areas, RuleKey("case 00", "not seen"): "trade"})
    layout = PanelLayout(panel)
    draws = {k: v[None] for k, v in prior(layout, 300, np.random.default_rng(1)).items()}
    table = [r for r in forecast(layout, draws, 1).table if r["date"] == panel.until.isoformat()]
    on = {row["state"]: row["p_comply"] for row in table if row["rule"] == "case 00: not seen"}
    assert set(on) == {"S000", "S001", "S002", "*"}
    del on["*"]
    low, high = min(on, key=lambda s: on[s]), max(on, key=lambda s: on[s])
    said = words.ahead(layout, table)[-1]
    assert said.startswith("On case 00: not seen, of which no decision is on record")
    assert said.endswith(f"from {100 * on[low]:.0f}% ({low}) to {100 * on[high]:.0f}% ({high}).")


def test_movement_is_told_as_it_is_modelled():
    panel = synthetic(3, 8, 60, seed=3).panel
    assert words.movement(PanelLayout(panel), []).startswith("Nothing moves here after")
    layout = PanelLayout(panel, paths=True)
    draws = {k: v[None] for k, v in prior(layout, 500, np.random.default_rng(1)).items()}
    table = forecast(layout, draws, 1).table
    widths = [
        np.mean([row["support_upper"] - row["support_lower"] for row in rows])
        for rows in zip(
            *([r for r in table if (r["state"], r["rule"]) == (s, "*")] for s in layout.states), strict=True
        )
    ]
    assert widths[0] < widths[-1]
    assert f"widens from {widths[0]:.2f} to {widths[-1]:.2f} sigma" in words.movement(layout, table)
    for row in table:
        row["support_lower"], row["support_upper"] = -row["support_upper"], -row["support_lower"]
    backwards = [row | {"date": other["date"]} for row, other in zip(table, table[::-1], strict=True)]
    assert "narrows from" in words.movement(layout, [r for r in backwards if r["state"] != "*" and r["rule"] == "*"])


@pytest.mark.parametrize(("left", "said"), [(0.39, "hardly tell"), (0.33, "hardly tell"), (0.2, "known of it by 50%")])
def test_steps_that_decisions_do_not_tell_are_not_read(left, said):
    assert said in words.steps(np.full(4, left), 0.4)


def test_the_easiest_rule_is_told_only_above_four_fifths():
    interest = np.tile([0.0, 1.0, 0.5], (100, 1))
    assert words.easiest(["a", "b", "c"], interest) == (
        "That b is easier to comply with than a has the probability over 99%."
    )
    interest[:30, 0] = 2.0
    assert words.easiest(["a", "b", "c"], interest).endswith("70%, which is not above 80%: it cannot be told.")
    assert "one rule" in words.easiest(["a"], interest[:, :1])


def test_states_without_a_compliance_decision_are_named(tmp_path):
    rows = ALONE + "a,2001-01-01,V,*,adherence,not_adhere,,high,,,\n"
    said = words.record(PanelLayout(load_panel(write_table(tmp_path / "p", rows))))
    assert (
        "1 state with no compliance decision, ranked by its decisions to adhere and by what is known of the others "
        "alone: V." in said
    )
    assert not any("V (0)" in text for text in said)


def test_coverage_counts_states():
    counts = [Count("A", 10, 5, 5.2, 3, 7), Count("B", 10, 8, 5.2, 3, 7), Count("C", 4, 3, 2.0, 1, 3)]
    assert "for 2 of 3 states; 2.7 would be right on average" in words.covered(counts)


def test_counts_of_states_left_out_as_a_loop_has_them():
    """Every simulated world by hand; a state half of whose rows were held out is not counted."""
    layout = PanelLayout(synthetic(6, 8, 80, seed=3).panel)
    fold = by_state(layout, 2, seed=1) == 0
    simulated = np.random.default_rng(1).integers(0, 3, (200, len(layout.outcome)))
    found = {one.state: one for one in _counts(layout, fold, simulated)}
    for state in {layout.states[s] for s in layout.state[fold]}:
        rows = [
            i for i, e in enumerate(layout.entries) if e.decision.state == state and e.decision.kind == "compliance"
        ]
        if not rows:
            continue
        worlds = sorted(sum(int(world[i] == 2) for i in rows) for world in simulated)
        one = found.pop(state)
        assert one.complied == sum(layout.entries[i].decision.decision == "comply" for i in rows)
        assert (one.rows, one.expected) == (len(rows), pytest.approx(sum(worlds) / 200))
        assert (one.lower, one.upper) == (worlds[9], worlds[189])
    assert not found
    whole = {one.state: one.rows for one in _counts(layout, fold, simulated)}
    half = next(state for state, rows in whole.items() if rows > 1)
    kept = [layout.states[s] == half for s in layout.state] & (layout.n_outcomes == 3)
    fold[np.flatnonzero(kept)[0]] = False
    assert {one.state for one in _counts(layout, fold, simulated)} == whole.keys() - {half}
