"""The table of what the rules ask."""

from dataclasses import replace
from datetime import date

from bayes_compliance.case import load_case
from bayes_compliance.models import prepare
from bayes_compliance.report.sections.rules import rules
from bayes_compliance.runs import Run
from tests.report.test_report_page import Page


def rows(run: Run) -> list[list[str]]:
    return Page(rules(run).html).rows[1:]


def test_each_rule_has_what_it_asks_and_what_would_be_without_it(oranges: Run) -> None:
    assert [row[0] for row in rows(oranges)] == [rule.id for rule in oranges.prepared.case.rules]
    case = load_case("case_studies/bananas")
    told = rows(replace(oranges, prepared=oranges.prepared._replace(case=case)))
    assert told[0][:4] == ["bananas", "Home imports Foreign's bananas without a tariff", "H", "0.7"]
    assert told[0][4] == f"The opposite (declared depth). {case.rule('bananas').depth_reason}"
    bare = case.rule("bananas").model_copy(update={"title": " ", "depth": False, "depth_reason": ""})
    told = rows(replace(oranges, prepared=oranges.prepared._replace(case=case.model_copy(update={"rules": (bare,)}))))
    assert [told[0][1], told[0][4]] == ["the case does not say", "Not declared."]


def test_what_a_model_without_lobbies_does_not_use_is_not_told_of_it(oranges: Run) -> None:
    """A rival's case has depth taken away, which is not that the case did not declare it."""
    prepared = prepare("managerial", load_case("case_studies/bananas"))
    page = Page(rules(replace(oranges, prepared=prepared)).html)
    assert [len(row) for row in page.rows] == [4, 4, 4]
    assert "declared" not in " ".join(page.words).replace("What the case declares", "")


def test_a_known_end_and_what_the_other_side_has_performed_are_told(oranges: Run) -> None:
    case = load_case("case_studies/bananas")
    end, half = date(2030, 1, 1), ((date(2001, 1, 1), 0.0), (date(2006, 1, 1), 1.0))

    def told(**changes: object) -> str:
        rule = case.rule("bananas").model_copy(update={"title": "No tariff", **changes})
        changed = case.model_copy(update={"rules": (rule,)})
        return rows(replace(oranges, prepared=oranges.prepared._replace(case=changed)))[0][1]

    assert told() == "No tariff"
    assert told(last_period=end) == "No tariff; a known end: L counts nothing from 1 January 2030 on"
    foreseen = told(last_period=end, unravelling=True)
    assert foreseen == "No tariff; a known end: L counts nothing from the start, since the end is foreseen"
    shares = "0% on 1 January 2001 and 100% on 1 January 2006"
    assert told(performance=half) == f"No tariff; performed of the other side's part: {shares}"
