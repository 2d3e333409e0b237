"""The sentences of a back-test follow from its numbers."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from bayes_compliance.validation import backtest_page
from bayes_compliance.validation import backtest_words as words
from bayes_compliance.validation.backtest import Backtest, Prediction, Trace
from bayes_compliance.validation.scores import Skill

DAY = date(2001, 1, 1)


def made(mine, others, rules=12, error=0.001):
    """Two decisions under each rule, one complied with and one violated; p_comply on what came is given."""
    rng = np.random.default_rng(1)
    found = []
    for name, sure in {"coalition": mine, **others}.items():
        for k in range(2 * rules):
            outcome = 2 * (k % 2)
            p = np.clip(sure + rng.uniform(-0.02, 0.02), 0, 1)
            comply = p if outcome else 1 - p
            day = DAY + timedelta(days=40 * k)
            entry = Prediction(name, day, 1, "H", f"r{k // 2}", day + timedelta(1), outcome, 1 - comply, 0.0, comply)
            found.append(entry)
    blocks = tuple((DAY, np.arange(10) % 3, 1) for _ in range(4))
    traces = (Trace("coalition", DAY, 0, 1000, error),)
    return Backtest("small", "coalition", tuple(found), blocks, traces, {"seed": 1, "ahead": 1, "renew": False})


def test_the_headline_says_who_won_who_lost_and_who_is_level():
    found = made(0.7, {"base rate": 0.5, "unitary": 0.9, "managerial": 0.7})
    assert words.headline(found) == (
        "On 24 decisions under 12 rules, each forecast on the day before it was taken: coalition forecast better than "
        "base rate; coalition forecast worse than unitary; these decisions cannot tell coalition from managerial."
    )


def test_the_headline_of_one_sort_ends_with_a_full_stop():
    assert words.headline(made(0.7, {"base rate": 0.5})).endswith("coalition forecast better than base rate.")


def test_few_rules_give_no_verdict_and_say_so():
    text = words.headline(made(0.9, {"base rate": 0.5}, rules=5))
    assert "cannot tell coalition from base rate" in text
    assert text.endswith("With fewer than 6 rules to resample no verdict is given.")


@pytest.mark.parametrize(
    ("skill", "text"),
    [
        (Skill(0.2, 0.1, 0.3, 9), "+20% (+10% to +30%): the theory is better"),
        (Skill(-0.2, -0.3, -0.1, 9), "-20% (-30% to -10%): the theory is worse"),
        (Skill(-0.002, -0.3, 0.004, 9), "0% (-30% to 0%): cannot tell"),
        (Skill(0.2, 0.1, 0.3, 3), "+20%: 3 rules, too few to tell"),  # no band where no verdict is given
        (Skill(0.2, -np.inf, np.inf, 1), "+20%: 1 rule, too few to tell"),
        (Skill(-np.inf, -np.inf, -0.4, 9), "minus infinity (minus infinity to -40%): the theory is worse"),
        (Skill(-np.inf, np.nan, 0.1, 9), "minus infinity (no number to +10%): cannot tell"),
    ],
)
def test_a_skill_in_words(skill, text):
    assert words.skill_words(skill) == text


def test_coverage_and_reliability_state_their_numbers():
    found = made(0.7, {"base rate": 0.5})
    assert "at 4 of 4 origins (100%" in words.coverage_words(found)
    assert "Of the Brier score 0.250 is the decisions' own uncertainty" in words.reliability_words(found)


def test_a_missed_mark_is_the_first_line_of_the_page():
    missed = made(0.7, {"base rate": 0.5}, error=0.02)
    assert not missed.passed
    page = backtest_page.render(missed)
    assert 'role="alert">Failed: Monte Carlo error of p_comply 0.02 (coalition, 2001-01-01)' in page
    assert "What to do: fit it again with more draws (--draws, twice as many)." in page
    assert made(0.7, {"base rate": 0.5}).passed


def test_dates_further_ahead_have_a_section_where_any_was_asked_for():
    one = made(0.7, {"base rate": 0.5})
    assert 'id="ahead"' not in backtest_page.render(one)
    two = replace(one, predictions=one.predictions + tuple(each._replace(step=2) for each in one.predictions))
    assert 'id="ahead"' in backtest_page.render(two)


def test_the_note_speaks_of_a_band_where_one_stands():
    assert words.skill_note(made(0.7, {"base rate": 0.5}, rules=6)).endswith(
        "since decisions on one rule hang together."
    )
    assert words.skill_note(made(0.7, {"base rate": 0.5}, rules=5)).endswith("with fewer than 6 rules it has no band.")
