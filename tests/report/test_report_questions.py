"""What is answered of which model, and that the page says what its numbers say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from bayes_compliance.analysis import overview
from bayes_compliance.analysis.scenarios import scenarios
from bayes_compliance.answer import answer
from bayes_compliance.elicitation.pooling import POOLS
from bayes_compliance.feedback import feedback
from bayes_compliance.forecast import HORIZON_ONLY
from bayes_compliance.measurements import Moved
from bayes_compliance.report import facts, render, sentences
from bayes_compliance.report.answers import DRAWS, answers, by_state_alone, over_rules
from bayes_compliance.report.glossary import terms
from bayes_compliance.report.learning import learnt
from bayes_compliance.report.plots import compare
from bayes_compliance.report.sections.agreement import agreement, left_out
from bayes_compliance.report.sections.answer import answer as of_answer
from bayes_compliance.report.sections.choice import equilibria, insincerity
from bayes_compliance.report.sections.data import data
from bayes_compliance.report.sections.duration import duration
from bayes_compliance.report.sections.foresight import foresight
from bayes_compliance.report.sections.guide import reading
from bayes_compliance.report.sections.judgements import judgements
from bayes_compliance.report.sections.learning import learning
from bayes_compliance.report.sections.pooling import POOLED, pooling
from bayes_compliance.report.sections.record import counted, record
from bayes_compliance.report.sections.research import research
from bayes_compliance.report.sections.shadow import shadow
from bayes_compliance.report.sections.unanswered import QUESTIONS, unanswered
from bayes_compliance.report.sections.uncertainty import MOVING, grouped
from bayes_compliance.report.sections.what_if import what_if
from bayes_compliance.runs import Run
from bayes_compliance.validation.otherwise import means

SETS = '\n[[counterparty_sets]]\nid = "F alone"\nstates = ["F"]\n'
SCENARIOS = """
[[scenarios]]
id = "storm"
title = "The growers double"
from = 2008-01-01
changes = [{ lobby = "growers", scale = 2.0 }]

[[scenarios]]
id = "late"
title = "Too late"
from = 2050-01-01
changes = [{ lobby = "growers", scale = 2.0 }]
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, tools: SimpleNamespace) -> SimpleNamespace:
    """Makes runs of few prior draws of any model, of a case with scenarios and a set of counterparties."""
    folder = tools.write_case(tmp_path_factory.mktemp("questions"), case=tools.case + SETS)
    (folder / "scenarios.toml").write_text(SCENARIOS, encoding="utf-8")
    return SimpleNamespace(run=lambda model: tools.make_run(folder, chains=2, draws=40, model=model))


@pytest.fixture(scope="module")
def coalition(small: SimpleNamespace) -> Run:
    return small.run("coalition")


def html_of(section: object) -> str:
    assert section is not None
    return re.sub(r"&#39;", "'", section.html)  # type: ignore[attr-defined]


def test_every_question_is_answered_or_refused_with_a_reason(coalition: Run) -> None:
    found, missing = answers(coalition)
    assert set(QUESTIONS) == set(found) | set(missing)
    assert not set(found) & set(missing)
    assert set(missing) == {"equilibria", "insincerity", "reputation"}
    assert "Which state keeps its word more readily: one case says too little of it; the command" in html_of(
        unanswered(coalition)
    )
    assert answers(coalition) is answers(coalition)


def test_a_rival_claims_nothing_of_lobbies(small: SimpleNamespace) -> None:
    run = small.run("unitary")
    found, missing = answers(run)
    assert found == {}
    assert set(missing) == set(QUESTIONS)
    words = re.sub(r"<style.*?</style>|<[^>]+>", " ", render(run), flags=re.S)
    denials = ("this model has no lobbies", "This model has no lobbies", "This model has no  lobbies")
    for denial in denials:
        words = words.replace(denial, "")
    assert re.findall(r"[^.]*\blobb(?:y|ies)\b[^.]*", words) == []
    assert "strongest pull" not in words
    assert "this model has no lobbies" in html_of(unanswered(run))


def test_a_model_without_parts_answers_what_needs_none(coalition: Run) -> None:
    bare = ModuleType("a_users_model")
    vars(bare).update({k: v for k, v in vars(coalition.prepared.model).items() if k not in ("parts", "__name__")})
    run = replace(coalition, prepared=coalition.prepared._replace(model=bare))
    found = answers(run).found
    assert set(found) == {"lock_in", "sincerity", "scenarios", "bilateral_or_multilateral"}
    assert "this model does not say what each lobby adds to support" in html_of(unanswered(run))


def test_a_model_of_ones_own_without_parts_has_a_whole_page(tmp_path: Path, tools: SimpleNamespace) -> None:
    own = tmp_path / "own.py"
    own.write_text(
        "from bayes_compliance.models import load\nc = load('coalition')\n\n\n"
        "def support(*a):\n    return c.support(*a)\n\n\ndef build(layout):\n    return c.build(layout, support)\n",
        encoding="utf-8",
    )
    page = render(tools.make_run(tools.write_case(tmp_path), draws=60, model=str(own)))
    assert "the priors alone say" in page
    assert "this model does not say what each lobby adds to support" in page


def test_without_l_lobbies_nothing_is_said_of_reciprocity(tmp_path: object, tools: SimpleNamespace) -> None:
    case = tools.case.replace('id = "exporters"\nstate = "H"\nrole = "L"', 'id = "exporters"\nstate = "H"\nrole = "J"')
    run = tools.make_run(tools.write_case(tmp_path, case=case), draws=20)
    found, missing = answers(run)
    assert "preference_types" not in found
    assert missing["critical_discount"].startswith("no lobby of the case gains from the other side's compliance")


def test_simultaneous_choice_has_its_section(small: SimpleNamespace) -> None:
    run = small.run("reciprocity")
    found = answers(run).found["equilibria"]
    assert (found["p_greatest"] >= found["p_least"] - 1e-6).where(found["p_least"].notnull(), True).all()
    assert "more than one equilibrium" in html_of(equilibria(run)) or "have one equilibrium" in html_of(equilibria(run))


def test_types_have_their_section(small: SimpleNamespace) -> None:
    run = small.run("opportunism")
    found = answers(run).found["insincerity"]
    text = html_of(insincerity(run))
    for state in ("F", "H"):
        p = sentences.percent(float(found["posterior"].sel(state=state)))
        assert re.search(rf"<th[^>]*>{state}</th>\s*(<td[^>]*>[^<]*</td>\s*)<td[^>]*>{p}</td>", text)


def test_what_is_compared_with_the_forecast_starts_from_its_own_probabilities(coalition: Run) -> None:
    found, fewer = answers(coalition).found, overview.fewer(DRAWS)
    p = {pair: [rows[-1]["p_comply"]] for pair, rows in facts.series(coalition).items()}
    levels = (
        found["scenarios"]["p_base"], found["lock_in"]["p_agreement"],
        found["bilateral_or_multilateral"]["p"].sel(set="all", drop=True),
    )  # fmt: skip
    for level in levels:
        for (state, rule), values in p.items():
            assert level.sel(state=state, rule=rule).values == pytest.approx(values, abs=1e-12)
    seed = coalition.summary["settings"]["seed"]
    fewer |= {"step_years": HORIZON_ONLY}
    sampled = scenarios(coalition.prepared, coalition.tree, seed=seed, refuse=False, **fewer)
    change = (found["scenarios"]["p_scenario"] - found["scenarios"]["p_base"]).sel(scenario="storm")
    np.testing.assert_allclose(change, sampled["difference"].sel(scenario="storm"), atol=1e-12)
    # negative control: fewer worlds than the forecast's have other probabilities
    assert float(abs(sampled["p_base"] - found["scenarios"]["p_base"]).max()) > 1e-3


def test_scenarios_say_what_they_do(coalition: Run) -> None:
    found = answers(coalition).found["scenarios"].sel(scenario="storm").isel(time=-1)
    p = {
        name: float(found[name].sel(state="H", rule=["lemons", "oranges"]).mean()) for name in ("p_base", "p_scenario")
    }
    text = html_of(what_if(coalition))
    assert p["p_scenario"] < p["p_base"] - 0.05
    assert f"H down from {sentences.percent(p['p_base'])} to {sentences.percent(p['p_scenario'])}" in text
    assert "late: Too late (from 1 January 2050): nothing changes, since it begins on 2050-01-01" in text


def test_layers_of_the_variance_are_whole(coalition: Run) -> None:
    layers, by_state = grouped(over_rules(answers(coalition).found["shares_of_variance"], coalition.prepared.case))
    assert layers.count(MOVING) == 1
    source = answers(coalition).found["shares_of_variance"]["share"]
    for state, shares in by_state.items():
        np.testing.assert_allclose(shares.sum(-1), 1, atol=1e-6)
        rules = coalition.prepared.case.state(state).rules
        drifts = [name for name in source["source"].values if name.startswith("drift of ")]
        plain = source.sel(state=state, rule=list(rules), source=drifts).isel(time=-1).mean("rule").sum("source")
        np.testing.assert_allclose(shares[-1, layers.index(MOVING)], plain, atol=1e-9)


def test_what_to_find_out_is_in_order(coalition: Run) -> None:
    voi = by_state_alone(over_rules(answers(coalition).found["value_of_information"], coalition.prepared.case))
    best = voi["F"]["voi"].isel(time=-1).to_series().idxmax()
    said = re.search(r"<desc[^>]*>(.*?)</desc>", html_of(research(coalition)))
    assert said is not None
    assert said.group(1).startswith(f"F, {best}: ")


def cells(text: str) -> list[list[str]]:
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", text, flags=re.S)]


def row_of(text: str, state: str, rule: str) -> list[str]:
    """Cells of the first row of a state and rule."""
    return next(row for row in cells(text) if row[:2] == [state, rule])


def told(run: Run, p: dict[str, float]) -> Run:
    """The run with these probabilities of no violation by F on oranges, by date, in its forecast's table."""
    assert run.forecast is not None
    table = [
        row | {"p_no_violation": p[row["date"]]} if (row["state"], row["rule"]) == ("F", "oranges") else row
        for row in run.forecast.table
    ]
    return replace(run, forecast=replace(run.forecast, table=table))


def test_no_violation_in_any_world_is_not_that_nothing_falls_due(coalition: Run) -> None:
    days = [row["date"] for row in facts.series(coalition)["F", "oranges"]]
    text = html_of(duration(told(coalition, dict.fromkeys(days, 1.0))))
    assert set(row_of(text, "F", "oranges")[2:-1]) == {f"over 99% ({n})" for n in (2, 4, 6, 7)}


def test_how_long_a_promise_lasts_is_read_off_the_forecast(coalition: Run) -> None:
    days = [row["date"] for row in facts.series(coalition)["F", "oranges"]]
    first = days[2]
    text = html_of(duration(told(coalition, {day: 0.5 if day < first else 0.49 for day in days})))
    assert "F: a violation becomes more likely than not by 1 January 2012 on “oranges” (by " in text
    row = row_of(text, "F", "oranges")
    assert (row[2], row[-2], re.sub("<[^>]+>", "", row[-1])) == ("50% (2)", "49% (7)", first)
    assert "sample" not in text
    never = html_of(duration(told(coalition, dict.fromkeys(days, 0.5))))
    assert "F: on no rule that it owes does a violation become more likely than not by 1 January 2012." in never
    assert row_of(never, "F", "oranges")[-1] == "not by then"


def test_a_rule_on_which_nothing_falls_due(tmp_path: object, tools: SimpleNamespace) -> None:
    """One decision in five years: nothing by the first date, two years on; something by the last, seven years on."""
    case = tools.case.replace('states = ["F", "H"]', 'states = ["F", "H"]\ndecisions_per_year = 0.2')
    run = tools.make_run(tools.write_case(tmp_path, case=case), draws=40)
    cells = row_of(html_of(duration(run)), "F", "oranges")
    assert cells[2] == "none due"
    assert cells[-2].endswith("% (1)")
    # the terminal says the same on both dates, and the page's table of every rule on the last
    on_terminal = [line for line in answer(run.prepared.case, run.forecast).splitlines() if " F " in f" {line} "]
    assert ["none due" in line for line in on_terminal if "oranges" in line] == [True, False]
    never = tools.case.replace('states = ["F", "H"]', 'states = ["F", "H"]\ndecisions_per_year = 0.05')
    idle = tools.make_run(tools.write_case(tmp_path, case=never), draws=40)
    assert row_of(html_of(of_answer(idle)), "F", "oranges")[-1] == "none due"


def test_what_stands_aside_without_the_agreement_is_said_by_the_case_s_setting(coalition: Run) -> None:
    case = coalition.prepared.case
    assert "the pro-law lobby does not weigh in" in left_out(case)  # the case has no lobby G
    assert "told from a sample of worlds like its own" in html_of(agreement(coalition))
    assert left_out(case.model_copy(update={"status_quo_includes": ("P", "G")})) == ""
    with_g = case.lobbies[0].model_copy(update={"role": "G"})
    both = left_out(case.model_copy(update={"lobbies": (*case.lobbies, with_g)}))
    assert "neither the pro-law lobby nor the government itself weighs in" in both


def test_a_shadow_that_nobody_judged_is_called_the_default(coalition: Run, tmp_path: object, tools) -> None:
    text = html_of(shadow(coalition))
    assert "own shadow of the future, a default, since nobody judged it, is enough" in text
    assert ", the median over its 2 rules;" in text
    assert "The default shadow is enough" in text
    assert "Discount factor needed" in text
    assert "middle rule" not in text
    judgements = tools.judgements + "left,2000-01-01,,,shadow,.4,.6,.8,,,,\n"
    judged = html_of(shadow(tools.make_run(tools.write_case(tmp_path, judgements=judgements), draws=40)))
    assert "The judged shadow is enough" in judged
    assert "own shadow of the future, as judged, is enough" in judged
    assert "default shadow" not in judged


def test_the_losers_of_a_treaty_that_was_joined(coalition: Run) -> None:
    text = html_of(foresight(coalition))
    assert "they outweighed the rest on that day" in text
    assert "and it joined all the same" in text
    assert "had each rule been put to a vote by itself" in text
    assert "could have blocked" not in text


@pytest.mark.parametrize("pool", POOLS)
def test_the_pool_is_called_by_its_name(coalition: Run, pool: str) -> None:
    priors = replace(coalition.prepared.priors, pool=pool)
    run = replace(coalition, prepared=coalition.prepared._replace(priors=priors))
    for section in (pooling(run), judgements(run)):
        text = html_of(section)
        assert [name for name, words in POOLED.items() if words in text] == [pool]


def test_curves_are_of_what_several_judged(coalition: Run) -> None:
    text = html_of(pooling(coalition))
    assert "1 quantity was judged by more than one analyst" in text
    said = re.search(r"<desc[^>]*>(.*?)</desc>", text)
    assert said is not None
    # as stated, and as the table of what was learnt has the pool
    found = re.match(r"magnitude of growers, medians: left (\S+) and right (\S+); the pool (\S+) points", said[1])
    assert found is not None
    assert found.groups()[:2] == ("40", "90")  # a gamma family bends the second
    growers = next(item for item in learnt(coalition) if (item.quantity, item.name) == ("magnitude", "growers"))
    assert found[3] == sentences.number(growers.prior[1])


def test_the_answer_before_the_record_is_what_check_says(coalition: Run) -> None:
    text = html_of(learning(coalition))
    said = {(one.state, one.rule): one.p for one in feedback(coalition.prepared).compliance if one.date.year == 2012}
    told = means(coalition.forecast.dataset["p_draw"].isel(time=-1))  # type: ignore[union-attr]
    h = [said["H", rule] for rule in ("lemons", "oranges")]
    after = (told["H", "lemons"] + told["H", "oranges"]) / 2
    now = sentences.percent(after)
    how = "leaves it there" if now == sentences.percent(sum(h) / 2) else f"makes it {now}"
    before = (
        f"H, over its 2 rules: the priors alone say {sentences.percent(sum(h) / 2)}, and the record {how}; it moves"
    )
    assert before in text
    # drawn by state and rule, the priors first
    drawn = re.search(r"<desc[^>]*>([^<]*the priors alone[^<]*)</desc>", text)
    assert drawn is not None
    assert f"F, oranges: {sentences.percent(said['F', 'oranges'])} the priors alone" in drawn[1]


def test_without_a_record_nothing_moved_the_answer(tmp_path: Path, tools: SimpleNamespace) -> None:
    header = tools.decisions.splitlines()[0] + "\n"
    shallow = tools.case.replace("depth = true\n", "")
    run = tools.make_run(tools.write_case(tmp_path, case=shallow, decisions=header), draws=20)
    assert "the priors alone" not in html_of(learning(run))


def test_what_nobody_judged_is_a_default(coalition: Run) -> None:
    default = {(d.quantity, d.name) for d in coalition.prepared.priors.defaults}
    found = learnt(coalition)
    assert {item.judged for item in found} == {True, False}
    assert all(item.judged == ((item.quantity, item.name) not in default) for item in found)
    judged, text = sum(item.judged for item in found), html_of(learning(coalition))
    assert f"Of {len(found)} unknown quantities ({judged} judged, {len(found) - judged} defaults)" in text
    assert "judged quantities" not in text
    assert row_of(text, "shadow", "H")[2] == "default"
    assert row_of(text, "magnitude", "growers")[2] == "judged"


def measured_run(folder: Path, tools: SimpleNamespace, draws: int) -> Run:
    proxies = (
        "date,state,lobby,kind,value,unit,reliability,source,url\n2001-01-01,H,,vote_share,0.55,share,0.5,Gazette,\n"
    )
    (folder / "proxies.csv").write_text(proxies, encoding="utf-8")
    case = tools.case.replace("outcomes = 3", 'outcomes = 3\nmeasure_proxies = ["vote_share"]')
    return tools.make_run(tools.write_case(folder, case=case), draws=draws)


def test_the_lobby_moved_most_is_named_whatever_its_sign(
    tmp_path: Path, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Moved("vote_share", "share", *one, 500.0) for one in [("growers", 9, 8, -0.1), ("court", -0.2, 0.3, 0.4)]]
    monkeypatch.setitem(learning.__globals__, "moved", lambda *_: found)
    run = measured_run(tmp_path, tools, 40)
    (vote,) = [row for row in cells(html_of(learning(run))) if row[:1] == ["vote share"]]
    assert vote[2:5] == ["court", "−0.2", "0.3"]
    # where too few draws are left to tell how far, they do not tell which lobby either
    monkeypatch.setitem(learning.__globals__, "moved", lambda *_: [one._replace(effective=20.0) for one in found])
    (vote,) = [row for row in cells(html_of(learning(run))) if row[:1] == ["vote share"]]
    assert vote[2:] == ["cannot tell", "", "cannot tell", "20"]


def test_one_posterior_has_one_median(tmp_path: Path, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """More draws than a forecast thins to: the tables on measurements and on what was learnt use them all."""
    monkeypatch.setitem(learning.__globals__, "FEW_DRAWS", 0)  # draws of the prior leave few once weighted
    rows = cells(html_of(learning(measured_run(tmp_path, tools, 1500))))
    (vote,) = [row for row in rows if row[:1] == ["vote share"]]
    (own,) = [row for row in rows if row[:2] == ["magnitude", vote[2]]]
    assert vote[3] == own[5]


def test_more_series_than_can_be_told_apart_are_refused() -> None:
    with pytest.raises(ValueError, match=r"9 series; allowed: at most 7"):
        compare.dots("x", "x", [str(i) for i in range(9)], [])


def test_drawings_say_their_numbers() -> None:
    dots = compare.dots("a", "A", ["without", "with"], [compare.Panel("H", {"lemons": [0.2, float("nan")]})])
    assert "H, lemons: 20% without." in dots
    change = compare.intervals("b", "B", "change", [compare.Panel("", {"storm": [-0.3, -0.1, 0.02]})])
    assert "change: storm: −10 (−30 to +2)." in change
    bars = compare.bars("c", "C", [compare.Panel("H", {"growers": [0.04], "court": [-0.01]})])
    assert "H, growers: 4%; H, court: under 1%." in bars
    shares = {"H": np.array([[1.0, -0.0, 0.0], [0.605, -0.003, 0.398]]), "F": np.array([[0.9, -0.061, 0.161]] * 2)}
    stacks = compare.stacks("d", "D", ["today", "conduct", "noise"], shares, [date(2030, 1, 1), date(2031, 1, 1)])
    assert "H: today 100%, conduct 0% and noise 0% on 2030-01-01, today 61%, conduct 0% and noise 40% on" in stacks
    assert "F: today 90%, conduct −6% and noise 16% on 2030-01-01" in stacks


@pytest.mark.parametrize("model", ["coalition", "unitary"])
def test_terms_are_those_that_the_page_uses(small: SimpleNamespace, model: str) -> None:
    run = small.run(model)
    said = [line.partition(":")[0].partition(" (")[0].partition(",")[0].lower() for line in terms(run)]
    assert len(said) == len(set(said))
    assert {"support", "threshold", "decision noise", "partial width", "sensitivity", "pareto k"} <= set(said)
    assert ("k_ref" in said) == (model == "coalition")
    of_lobbies = {"step", "volatility", "rule spread", "shock hazard", "shock scale", "w", "q", "trust", "period"}
    assert (of_lobbies <= set(said)) == (model == "coalition")
    assert not {"entrenchment", "specificity"} & set(said)  # nobody judged any
    assert all(line in html_of(reading(run)) for line in terms(run))


def test_the_page_says_that_it_does_not_know_its_own_record(coalition: Run) -> None:
    assert "this page does not tell. The command bayes-compliance backtest CASE --out" in html_of(of_answer(coalition))


def test_today_is_the_day_of_the_last_decision(coalition: Run) -> None:
    # the last row, of 2006, is pending
    assert "“Today” and “now” are 1 January 2005" in html_of(reading(coalition))
    page = render(coalition)
    assert "5 decisions on record and 1 pending; forecast to 2012-01-01." in page
    assert (
        "The last decision on record is of 1 January 2005 and no later outcome is known here: “today” on this page"
        in page
    )
    assert "all decisions from now" not in page


def test_dates_that_stand_for_a_month_or_a_year_are_said_to(tmp_path: object, tools: SimpleNamespace) -> None:
    exact = tools.decisions
    known = exact.replace("2005-01-01", "2005").replace("2003-01-01", "2003-01").replace("2004-01-01", "2004-03")
    run = tools.make_run(tools.write_case(tmp_path, decisions=known), draws=40)
    text = html_of(record(run))
    assert (
        "of the 5 decisions on record that are not pending, 1 is known by a year alone, standing on 1 July, and 2 are "
        "known by a month, standing on its 15th." in text
    )
    assert "The last, of 1 July 2005, is one of these" in text
    untold = html_of(record(tools.make_run(tools.write_case(tmp_path, decisions=exact), draws=40)))
    assert "Not all dates" not in untold
    assert "6 decisions on record, 1 of them pending." in html_of(data(run))


def test_rows_of_depth_are_no_decisions(coalition: Run) -> None:
    rows = facts.recorded(coalition)
    assert counted(rows) == "5 decisions and 1 row of declared depth"
    assert counted([row for row in rows if not row.depth]) == "5 decisions"


def test_proxies_are_data_where_the_case_says_so(tmp_path: object, tools: SimpleNamespace) -> None:
    proxies = (
        "date,state,lobby,kind,value,unit,reliability,source,url\n2001-01-01,H,,vote_share,0.6,share,0.8,Gazette,\n"
    )
    (tmp_path / "proxies.csv").write_text(proxies, encoding="utf-8")  # type: ignore[operator]
    shown = html_of(data(tools.make_run(tools.write_case(tmp_path), draws=20)))
    assert "shown only; the fit does not see them" in shown
    case = tools.case.replace("outcomes = 3", 'outcomes = 3\nmeasure_proxies = ["vote_share"]')
    used = html_of(data(tools.make_run(tools.write_case(tmp_path, case=case), draws=20)))
    assert "those of kind vote share (measure_proxies) are data of the fit; the rest is shown only" in used
    assert "read off" not in shown + used
