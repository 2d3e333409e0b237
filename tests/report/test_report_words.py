"""Words of single sections, tables and figures, from small inputs."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from types import SimpleNamespace

import numpy as np
import pytest

from bayes_compliance.elicitation.curves import Curves
from bayes_compliance.latents import in_use
from bayes_compliance.measurements import Group, Measured
from bayes_compliance.report.facts import Recorded
from bayes_compliance.report.plots import density
from bayes_compliance.report.plots.timeline import say
from bayes_compliance.report.sections.judgements import judgements
from bayes_compliance.report.sections.learning import _every, after_today
from bayes_compliance.runs import Run
from bayes_compliance.validation import otherwise, sentences
from bayes_compliance.validation.noise import AtNoise

TODAY = date(2019, 7, 1)


def measured_on(*days: date) -> Measured:
    n = np.ones(len(days))
    votes = SimpleNamespace(rows=SimpleNamespace(items=[SimpleNamespace(date=day) for day in days[1:]]))
    return Measured((Group("stake", "bn", (1,), n[:1], days[:1], n[:1], n[:1], n[:1]),), votes)  # type: ignore[arg-type]


def test_measurements_after_today_are_said_to_be() -> None:
    early, late, last = date(1993, 11, 20), date(2019, 12, 19), date(2020, 1, 16)
    assert after_today(measured_on(early, TODAY), TODAY) == []
    assert after_today(measured_on(early, late, last), TODAY) == [
        "Of 3 measurements that the fit uses 2 are dated after what this page calls “today”, 1 July 2019, the last on "
        "16 January 2020: the fit has seen more than that day had."
    ]
    assert (
        "1 is dated after what this page calls “today”, 1 July 2019, on 19 December 2019: the fit"
        in (after_today(measured_on(late, early), TODAY)[0])
    )


def recorded(rule: str, day: date, decision: str = "comply") -> Recorded:
    return Recorded("H", rule, day, "compliance", decision, (0.5, 0.4, 0.6), (1.0, 0.0, 2.0), 0.5, False)


def test_the_whole_agreement_is_no_rule_and_one_date_no_span() -> None:
    first, second = date(2000, 9, 19), date(2001, 1, 1)
    rows = [recorded("*", first, "adhere"), recorded("tariffs", second), recorded("quotas", second)]
    assert say("H", rows) == (
        "3 decisions of H, on 2 rules and the whole agreement, between 2000-09-19 and 2001-01-01: 2 complied and 1 "
        "adhered."
    )
    assert say("H", rows[:1]) == "1 decision of H, on the whole agreement, on 2000-09-19: 1 adhered."


def test_a_new_rule_is_not_called_by_its_sign() -> None:
    at = [AtNoise(0.5, otherwise.REWEIGHTED, 0.2, {("CHN", "*"): 0.9})]
    assert "CHN on a new rule, goes from 60% to 90%" in sentences.noise(at, {("CHN", "*"): 0.6})


@pytest.mark.parametrize(("n", "words"), [(2, "both"), (3, "all 3")])
def test_two_are_both(n: int, words: str) -> None:
    assert _every(n) == words


def test_defaults_that_the_model_never_asks_for_are_not_in_force(tmp_path: object, tools: SimpleNamespace) -> None:
    def names(run: Run) -> set[tuple[str, str]]:
        return {(one.quantity, one.name) for one in in_use(run.prepared.layout)}

    run = tools.make_run(tools.write_case(tmp_path), draws=20)
    before = names(run)
    assert {("trust", "H"), ("rule_spread", "H"), ("rule_spread_points", "H")} <= before
    assert ("rule_spread", "F") not in before  # its lobbies bear on one rule only
    row = '<th scope="row">trust</th><th scope="row">H</th>'
    assert row in judgements(run).html
    # with its conduct judged, H asks for no trust
    case = tools.case.replace('counterparties = ["F"]', "")
    judged = tools.judgements + "left,2000-01-01,H,,reciprocity,.4,.6,.8,,,,\n"
    without = tools.make_run(tools.write_case(tmp_path, case=case, judgements=judged), draws=20)
    assert ("trust", "H") in {(one.quantity, one.name) for one in without.prepared.priors.defaults}
    assert ("trust", "H") not in names(without)
    assert row not in judgements(without).html


def test_titles_of_panels_are_whole() -> None:
    x = np.linspace(1, 2, 5)
    long = "Canadian consumers and importing firms and all who sell to them"
    one = Curves("magnitude", long, "points", True, x, {"a": x, "b": x}, {"a": 0.5, "b": 0.5}, x, {"a": 1, "b": 2}, 1.5)
    drawn = density.curves("c", "C", [one, one._replace(quantity="volatility")])
    assert "…" not in drawn
    for words in (
        "Canadian consumers and importing firms",
        "and all who sell to them",
        "volatility: Canadian consumers",
    ):
        assert words in drawn.split("</desc>")[1]


def test_print_keeps_together_what_belongs_together_and_a_narrow_screen_is_told_to_scroll() -> None:
    style = files("bayes_compliance.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    screen, printed = style.split("@media print")
    assert "h2, h3, caption, thead, thead tr { break-after: avoid; break-inside: avoid; }" in printed
    assert "tbody tr:last-child, .note, figcaption { break-before: avoid; }" in printed
    assert "Scroll sideways to see the whole figure" in screen.split("@media screen and (max-width: 42.5rem)")[1]
