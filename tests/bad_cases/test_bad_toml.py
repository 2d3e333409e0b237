"""Malformed case.toml: one edit of the good folder each, and everything that is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

C = "case.toml"
CASES = {
    "unknown key": (
        'title = "Bananas for oranges"', 'titel = "Bananas for oranges"',
        ["case.toml:1: title .. 'title' is missing .. title = ",
         "case.toml:@: titel .. unknown key 'titel' .. did you mean 'title'"],
    ),
    "unknown key of a table": (
        'side = "-"', 'weight = 1',
        ["case.toml:@: lobbies[court].weight .. unknown key 'weight' .. stage_weights"],
    ),
    "unknown key of an inline table": (
        "step_years = 1 }", "step = 1 }", ["case.toml:@: horizon.step .. unknown key 'step' .. step_years"],
    ),
    "a field that no file has": (
        "threshold = 0.1", 'rules = ["bananas"]', ["case.toml:@: states[H].rules .. unknown key 'rules' .. threshold"],
    ),
    "shocks in the wrong table": (
        "mean_reversion_half_life = 10.0", "shocks = []",
        ["case.toml:@: dynamics.shocks .. unknown key .. mean_reversion_half_life"],
    ),
    "not TOML": ("outcomes = 3", "outcomes = = 3", ["case.toml:@: file .. not TOML"]),
    "a key twice": ("outcomes = 3", 'scale = "log"', ["case.toml:@: file .. not TOML"]),
    "ends too early": ('states = ["F"]\n\n[[rules]]', 'states = ["F"', ["case.toml:@1: file .. not TOML"]),
    "missing table": ("horizon =", "horizons =",
        ["case.toml:1: horizon .. 'horizon' is missing .. horizon = { until",
         "case.toml:@: horizons .. unknown key 'horizons' .. did you mean 'horizon'"],
    ),
    "a date that is a text": (
        "adherence_date = 2001-01-01", 'adherence_date = "2001-01-01"',
        ["case.toml:@: adherence_date .. '2001-01-01' does not fit .. without quotation marks"],
    ),
    "a date with a time": (
        "adherence_date = 2001-01-01", "adherence_date = 2001-01-01T10:00:00",
        ["case.toml:@: adherence_date .. does not fit .. without a time"],
    ),
    "a date out of the calendar": (
        "date = 2006-11-07", "date = 1994-13-41", ["case.toml:@: file .. not TOML"],
    ),
    "a date out of range": (
        "date = 2006-11-07", "date = 9999-12-31", ["case.toml:@: shocks[1].date .. 9999-12-31 .. 1500 to 2999"],
    ),
    "a horizon that no file can hold": (
        "until = 2020-01-01", "until = 2262-04-11",
        ["case.toml:@: horizon.until .. 2262-04-11 is too late to be kept in forecast.nc .. 2262-04-10 at the latest"],
    ),
    "a horizon at the end of the calendar": (
        "until = 2020-01-01", "until = 9999-12-31",
        ["case.toml:@: horizon.until .. 9999-12-31 is too late to be kept in forecast.nc .. 2262-04-10 at the latest"],
    ),
    "a reference date after the horizon": (
        "reference_date = 2001-01-01", "reference_date = 2020-01-02",
        ["case.toml:@: reference_date .. 2020-01-02 is after the horizon 2020-01-01 .. 2020-01-01 or earlier, or a"],
    ),
    "too many steps": (
        "until = 2020-01-01, step_years = 1", "until = 2050-01-01, step_years = 0.003",
        ["case.toml:@: horizon.step_years .. more than 5000 .. longer steps"],
    ),
    "too many decisions": (
        "decisions_per_year = 1", "decisions_per_year = 365",
        ["case.toml:@: rules[bananas].decisions_per_year .. more than 5000 .. fewer"],
    ),
    "more decisions than days": (
        "decisions_per_year = 1", "decisions_per_year = 365.5",
        ["case.toml:@: rules[bananas].decisions_per_year .. 365.5 is out of range .. at most 365"],
    ),
    "no step at all": (
        "step_years = 1", "step_years = 0", ["case.toml:@: horizon.step_years .. 0 is out of range .. at least 0.003"],
    ),
    "horizon before the last decision": (
        "until = 2020-01-01", "until = 2005-02-03",
        ["case.toml:@: horizon.until .. 2005-02-03 is not after the last decision .. row 5 .. a date after 2005-02-03"],
    ),
    "adherence after the horizon": (
        "adherence_date = 2001-01-01", "adherence_date = 2020-01-02",
        ["case.toml:@: adherence_date .. 2020-01-02 is after the horizon 2020-01-01 .. or earlier",
         "decisions.csv:3: date .. before state 'H' adhered", "decisions.csv:4: date .. before state 'F' adhered",
         "decisions.csv:5: date .. before state 'F' adhered",
         "scenarios.toml:4: scenarios[strike].from .. before anybody adhered",
         "scenarios.toml:15: scenarios[calm].from .. before anybody adhered"],
    ),
    "a state that adheres after the horizon": (
        "threshold = 0.1", "adherence_date = 2021-01-01",
        ["case.toml:@: states[H].adherence_date .. 2021-01-01 is after the horizon 2020-01-01 .. a later horizon",
         "decisions.csv:3: date .. is before state 'H' adhered"],
    ),
    "a rule that binds after the horizon": (
        'depth_reason = "H had a quota before"', "adherence_date = 2021-01-01",
        ["case.toml:@: rules[bananas].adherence_date .. 2021-01-01 is after the horizon .. 2020-01-01 or earlier"],
    ),
    "names in refused tables": (
        'id = "shippers"\nstate = "F"\nrole = "L"',
        'id = "shippers"\nstate = "Ff"\nrole = "Q"\nrules = ["orange", "labels"]',
        ["case.toml:@1: lobbies[shippers].state .. unknown state 'Ff' .. mean 'F'",
         "case.toml:@2: lobbies[shippers].role .. 'Q' is unknown",
         "case.toml:@3: lobbies[shippers].rules .. unknown rule 'orange' .. mean 'oranges'"],
    ),
    "every key of the head": (
        'title = "Bananas for oranges"', 'title = "Bananas for oranges"\nxyz = 1',
        ["case.toml:@1: xyz .. unknown key 'xyz' .. measure_proxies, states, rules, lobbies, shocks or"],
    ),
    "proxies that are measured by a word": (
        "outcomes = 3", 'outcomes = 3\nmeasure_proxies = "yes"',
        ["case.toml:@1: measure_proxies .. 'yes' does not fit .. true, or a list of kinds: stake"],
    ),
    "unknown scale": (
        'scale = "log"', 'scale = "logg"', ["case.toml:@: scale .. 'logg' is unknown .. did you mean 'log'"],
    ),
    "five outcomes": ("outcomes = 3", "outcomes = 5", ["case.toml:@: outcomes .. 5 is unknown .. 2 or 3"]),
    "outcomes undeclared": (
        "outcomes = 3\n", "", ["case.toml:1: outcomes .. 'outcomes' is missing .. outcomes = 2 or 3"],
    ),
    "unknown kind of q": (
        'q_kind = "conduct"', 'q_kind = "typ"', ["case.toml:@: q_kind .. 'typ' is unknown .. did you mean 'type'"],
    ),
    "K in the status quo": (
        '["P"]', '["P", "K"]', ["case.toml:@: status_quo_includes[2] .. 'K' is unknown .. P or G"],
    ),
    "P twice": ('["P"]', '["P", "P"]', ["case.toml:@: status_quo_includes .. 'P' stands twice .. at most once"]),
    "a counterparty unknown": (
        'counterparties = ["F"]\ncounterparty_weights', 'counterparties = ["Ff"]\ncounterparty_weights',
        ["case.toml:@: states[H].counterparties .. unknown state 'Ff' .. H or F",
         "case.toml:@10: rules[bananas].answered_by .. 'oranges' is owed by no counterparty",
         "case.toml:@44: lobbies[exporters].counterparties .. 'F' is no counterparty of state 'H'"],
    ),
    "its own counterparty": (
        'counterparties = ["F"]\ncounterparty_weights', 'counterparties = ["F", "H"]\ncounterparty_weights',
        ["case.toml:@1: states[H].counterparty_weights .. 1 weights for 2 counterparties .. one weight"],
    ),
    "its own counterparty, with weights": (
        'counterparties = ["F"]\ncounterparty_weights = [2]', 'counterparties = ["F", "H"]',
        ["case.toml:@: states[H].counterparties .. 'H' is named as its own counterparty .. F"],
    ),
    "no counterparty": (
        'counterparties = ["F"]\ncounterparty_weights = [2]', "counterparties = []",
        ["case.toml:@: states[H].counterparties .. the list is empty .. at least one id"],
    ),
    "a weight of nothing": (
        "counterparty_weights = [2]", "counterparty_weights = [0]",
        ["case.toml:@: states[H].counterparty_weights[1] .. 0 is out of range .. above 0"],
    ),
    "threshold nan": (
        "threshold = 0.1", "threshold = nan", ["case.toml:@: states[H].threshold .. nan .. a finite number"],
    ),
    "threshold infinite": (
        "threshold = 0.1", "threshold = inf", ["case.toml:@: states[H].threshold .. inf .. a finite number"],
    ),
    "threshold true": (
        "threshold = 0.1", "threshold = true", ["case.toml:@: states[H].threshold .. true does not fit .. number"],
    ),
    "a rule nobody owes": (
        'states = ["F", "H"]', "states = []",
        ["case.toml:@: rules[labels].states .. nobody owes rule 'labels' .. H or F",
         "case.toml:@6: lobbies[consumers].rules .. 'H' does not owe rule 'labels' .. bananas",
         "decisions.csv:5: rule .. state 'F' does not owe rule 'labels' .. oranges",
         "decisions.csv:7: rule .. state 'H' does not owe rule 'labels' .. bananas"],
    ),
    "owed by an unknown state": (
        'states = ["F", "H"]', 'states = ["F", "H", "G"]',
        ["case.toml:@: rules[labels].states .. unknown state 'G' .. H or F"],
    ),
    "a state that owes nothing": (
        '[[states]]\nid = "F"', '[[states]]\nid = "F"\n\n[[states]]\nid = "X"',
        ["case.toml:@3: states[X] .. state 'X' has no lobby", "case.toml:@3: states[X] .. state 'X' owes no rule"],
    ),
    "answered by nothing": (
        'states = ["F", "H"]', 'states = ["F", "H"]\nanswered_by = []',
        ["case.toml:@1: rules[labels].answered_by .. the list is empty .. no such key"],
    ),
    "answered by what no counterparty owes": (
        'answered_by = ["oranges"]', 'answered_by = ["oranges", "bananas"]',
        ["case.toml:@: rules[bananas].answered_by .. 'bananas' is owed by no counterparty .. labels or oranges"],
    ),
    "answered by an unknown rule": (
        'answered_by = ["oranges"]', 'answered_by = ["orange"]',
        ["case.toml:@: rules[bananas].answered_by .. unknown rule 'orange' .. did you mean 'oranges'",
         "case.toml:@29: lobbies[exporters] .. F owes none"],
    ),
    "performance out of order": (
        "[2006-01-01, 1.0]", "[2000-01-01, 1.0]",
        ["case.toml:@: rules[bananas].performance .. 2000-01-01 does not come after 2001-01-01 .. order"],
    ),
    "performance twice on a day": (
        "[2006-01-01, 1.0]", "[2001-01-01, 1.0]",
        ["case.toml:@: rules[bananas].performance .. 2001-01-01 does not come after 2001-01-01 .. order"],
    ),
    "performance above all": (
        "[2006-01-01, 1.0]", "[2006-01-01, 1.5]",
        ["case.toml:@: rules[bananas].performance[2][2] .. 1.5 is out of range .. at most 1"],
    ),
    "performance without a share": (
        "[2006-01-01, 1.0]", "[2006-01-01]",
        ["case.toml:@: rules[bananas].performance[2][2] .. missing .. [date, share]"],
    ),
    "unravelling for ever": (
        "last_period = 2030-01-01\n", "",
        ["case.toml:20: rules[bananas] .. unravelling = true without a last period .. last_period"],
    ),
    "two rules of one id": (
        'id = "labels"', 'id = "oranges"',
        ["case.toml:@: rules[oranges].id .. 'oranges' is also the id of entry 2 of rules .. once",
         "case.toml:@7: lobbies[consumers].rules .. unknown rule 'labels'",
         "decisions.csv:5: rule .. unknown rule 'labels' .. allowed: bananas or oranges",
         "decisions.csv:7: rule .. unknown rule 'labels'"],
    ),
    "two lobbies of one id": (
        'id = "shippers"\nstate = "F"\nrole = "L"',
        'id = "shippers"\nstate = "F"\nrole = "L"\n[[lobbies]]\nid = "shippers"\nstate = "F"\nrole = "K"',
        ["case.toml:@4: lobbies[shippers].id .. 'shippers' is also the id of entry 7 of lobbies .. once"],
    ),
    "two states of one id": (
        '[[states]]\nid = "F"', '[[states]]\nid = "F"\n\n[[states]]\nid = "F"',
        ["case.toml:@4: states[F].id .. 'F' is also the id of entry 2 of states"],
    ),
    "an id that is the whole agreement": (
        'id = "F alone"', 'id = "*"', ["case.toml:@: counterparty_sets[*].id .. whole agreement .. any other name"],
    ),
    "a set that is called as all are": (
        'id = "F alone"', 'id = "all"',
        ["case.toml:@: counterparty_sets[all].id .. all counterparties .. any other name"],
    ),
    "an id with a semicolon": (
        'id = "F alone"', 'id = "F; alone"',
        ["case.toml:@: counterparty_sets[F; alone].id .. cannot be an id .. none of"],
    ),
    "an id that is a formula": (
        'id = "F alone"', 'id = "=F"',
        ["case.toml:@: counterparty_sets[=F].id .. '=F' would be a formula in a spreadsheet .. none of = + - @"],
    ),
    "a title that moves the terminal": (
        'title = "Bananas for oranges"', 'title = "\\u001b[2J"',
        ["case.toml:@: title .. the control character '\\x1b' .. printable text and line ends"],
    ),
    "a title turned around": (
        'title = "Bananas for oranges"', 'title = "\u2067Bananas"', ["case.toml:@: title .. character '\\u2067'"],
    ),
    "an id that is a number": (
        'id = "F alone"', "id = 7", ["case.toml:@: counterparty_sets[1].id .. 7 does not fit .. a text"],
    ),
    "a lobby of another state": (
        'id = "packers"\nstate = "F"', 'id = "packers"\nstate = "H"',
        ["judgements.csv:8: state .. lobby 'packers' is of state 'H', not 'F' .. H"],
    ),
    "a lobby of an unknown state": (
        'id = "shippers"\nstate = "F"', 'id = "shippers"\nstate = "f"',
        ["case.toml:@1: lobbies[shippers].state .. unknown state 'f' .. did you mean 'F'"],
    ),
    "unknown role": (
        'role = "J"', 'role = "Q"',
        ["case.toml:@: lobbies[consumers].role .. 'Q' is unknown .. J, K, L, P, G or other"],
    ),
    "a lobby on a rule that its state does not owe": (
        '["labels", "bananas"]', '["labels", "oranges"]',
        ["case.toml:@: lobbies[consumers].rules .. state 'H' does not owe rule 'oranges' .. bananas or labels"],
    ),
    "a rule named twice": (
        '["labels", "bananas"]', '["labels", "labels"]',
        ["case.toml:@: lobbies[consumers].rules .. 'labels' is named twice .. each id once"],
    ),
    "until before from": (
        "until = 2040-01-01", "until = 2000-01-01",
        ["case.toml:39: lobbies[consumers] .. until 2000-01-01 is not after from 2000-01-01 .. from before until"],
    ),
    "counterparties of a K": (
        'id = "growers"\nstate = "H"', 'id = "growers"\ncounterparties = ["F"]\nstate = "H"',
        ["case.toml:47: lobbies[growers] .. counterparties on a lobby of role K .. role L"],
    ),
    "a side of a K": (
        'id = "growers"\nstate = "H"', 'id = "growers"\nside = "-"\nstate = "H"',
        ["case.toml:47: lobbies[growers] .. side on a lobby of role K .. role other"],
    ),
    "other without weights": (
        "stage_weights = { status_quo = 0, adherence = 0, compliance = 1 }", "",
        ["case.toml:64: lobbies[court] .. other without stage_weights .. status_quo = ..."],
    ),
    "half the weights": (
        "adherence = 0, compliance = 1 }", "compliance = 1 }",
        ["case.toml:@: lobbies[court].stage_weights.adherence .. 'adherence' is missing"],
    ),
    "P on the log scale": (
        'role = "P"', 'role = "P"\nscale = "log"',
        ["case.toml:59: lobbies[lawyers] .. scale log on a lobby of role P .. linear"],
    ),
    "no half-life": (
        "= 10.0", "= -1", ["case.toml:@: dynamics.mean_reversion_half_life .. -1 is out of range .. above 0"],
    ),
    "a shock to nobody known": (
        'states = ["H"]\nscale = 3.0', 'states = ["HH"]\nscale = 3.0',
        ["case.toml:@: shocks[1].states .. unknown state 'HH' .. H or F"],
    ),
    "a shock of no size": (
        "scale = 3.0", "scale = 0", ["case.toml:@: shocks[1].scale .. 0 is out of range .. above 0"],
    ),
    "a set of nobody known": (
        'id = "F alone"\nstates = ["F"]', 'id = "F alone"\nstates = ["Fr"]',
        ["case.toml:@1: counterparty_sets[F alone].states .. unknown state 'Fr'"],
    ),
    "states that are no tables": (
        'name = "bananas"', 'name = "bananas"\nshocks = 3', ["case.toml:@85: file .. not TOML"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_edit_of_case_toml(name: str, edit: Callable[..., int], check: Callable[..., None]) -> None:
    old, new, expected = CASES[name]
    line = edit(C, old, new)
    check(*(re.sub(r"^case\.toml:@(\d*)", lambda m: f"{C}:{line + int(m[1] or 0)}", text) for text in expected))


def test_a_state_with_no_lobby(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(C, 'id = "packers"\nstate = "F"', 'id = "packers"\nstate = "H"')
    edit(C, 'id = "shippers"\nstate = "F"', 'id = "shippers"\nstate = "H"')
    check(
        "case.toml:17: states[F] .. state 'F' has no lobby .. state = \"F\"",
        "judgements.csv:8: state .. lobby 'packers' is of state 'H'",
        "judgements.csv:9: state .. lobby 'shippers' is of state 'H'",
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("reference_date = 2001-01-01", "reference_date = 2020-01-01"),  # the horizon
        ('depth_reason = "H had a quota before"', "adherence_date = 2020-01-01"),
        ("threshold = 0.1", "adherence_date = 2000-06-01\nthreshold = 0.1"),
        ('role = "L"\nrules = ["bananas"]', 'role = "L"\nrules = ["bananas", "labels"]'),  # F owes both
    ],
)
def test_what_is_just_allowed(old: str, new: str, edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(C, old, new)
    check()


def test_the_only_k_is_not_missed_where_it_is_refused(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(C, 'id = "growers"\nstate = "H"\nrole = "K"', 'id = "growers"\nstate = "H"\nrole = "J"')
    line = edit(C, 'id = "packers"\nstate = "F"\nrole = "K"', 'id = "packers"\nstate = "F"\nrole = "k"')
    check(f"case.toml:{line + 2}: lobbies[packers].role .. 'k' is unknown")


def test_a_lobby_waits_for_no_answer_to_a_rule_that_it_does_not_care_about(
    edit: Callable[..., int], check: Callable[..., None]
) -> None:
    edit(C, 'states = ["F", "H"]', 'states = ["F", "H"]\nanswered_by = ["bananas"]')  # F does not owe bananas
    edit(C, '[[states]]\nid = "F"', '[[states]]\nid = "F"\ncounterparties = ["H"]')
    edit(C, 'id = "shippers"\nstate = "F"\nrole = "L"', 'id = "shippers"\nstate = "F"\nrole = "L"\nrules = ["labels"]')
    edit("judgements.csv", "trade,2000,F,,reciprocity,0.5,0.7,0.9,,,record,\n", "")
    check()  # of H, whose exporters care about bananas only


def test_a_state_is_no_counterparty_of_its_own_lobby(edit: Callable[..., int], check: Callable[..., None]) -> None:
    """Nor where nobody's conduct towards it is modelled, and any other state may be one."""
    new = 'id = "shippers"\nstate = "F"\nrole = "L"\ncounterparties = '
    line = edit(C, 'id = "shippers"\nstate = "F"\nrole = "L"', f'{new}["F", "H"]')
    check(f"case.toml:{line + 3}: lobbies[shippers].counterparties .. 'F' is no counterparty of state 'F' .. H")


def test_no_k_anywhere(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(C, 'id = "growers"\nstate = "H"\nrole = "K"', 'id = "growers"\nstate = "H"\nrole = "J"')
    edit(C, 'id = "packers"\nstate = "F"\nrole = "K"', 'id = "packers"\nstate = "F"\nrole = "J"')
    check("case.toml:39: lobbies .. there is no lobby of role K .. at least one with role K")


def test_an_owed_rule_that_no_lobby_cares_about(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(C, 'id = "packers"', 'rules = ["oranges"]\nid = "packers"')
    edit(C, 'id = "shippers"', 'rules = ["oranges"]\nid = "shippers"')
    check("case.toml:17: states[F] .. no lobby of state 'F' cares about rule 'labels' .. at least one")


def test_answered_where_nobody_has_counterparties(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(C, 'counterparties = ["F"]\ncounterparty_weights', "#")
    check(
        "case.toml:22: rules[bananas].answered_by .. no state that owes 'bananas' has counterparties .. no answered_by",
        "judgements.csv:1: quantity .. no reciprocity",
        "judgements.csv:17: quantity .. trust is judged",
    )


def test_a_table_that_is_refused_hides_no_wrong_name(edit: Callable[..., int], check: Callable[..., None]) -> None:
    shock = '[[shocks]]\ndate = 2006-11-07\nstates = ["Q"]\nscale = -3.0\n\n'
    edit(
        C,
        '[[rules]]\nid = "bananas"',
        f'{shock}[[counterparty_sets]]\nid = "all"\nstates = ["Z"]\n\n[[rules]]\nid = "bananas"',
    )
    edit(C, 'answered_by = ["oranges"]', 'answered_by = ["nope"]')
    edit(C, "decisions_per_year = 1", "decisions_per_year = 0")
    check(
        "case.toml:22: shocks[1].states .. unknown state 'Q'",
        "case.toml:23: shocks[1].scale .. -3.0",
        "case.toml:26: counterparty_sets[all].id .. 'all' stands for all",
        "case.toml:27: counterparty_sets[all].states .. unknown state 'Z'",
        "case.toml:32: rules[bananas].answered_by .. unknown rule 'nope'",
        "case.toml:35: rules[bananas].decisions_per_year .. 0",
    )


def test_a_lobby_that_waits_for_a_counterparty_without_an_answer(
    edit: Callable[..., int], check: Callable[..., None]
) -> None:
    edit(C, '[[states]]\nid = "F"', '[[states]]\nid = "F"\ncounterparties = ["H"]')
    edit(C, 'states = ["F", "H"]', 'states = ["F"]')
    edit(C, '["labels", "bananas"]', '["bananas"]')
    edit(C, 'id = "oranges"', 'id = "oranges"\nanswered_by = ["labels"]')
    edit("judgements.csv", "trade,2000,F,,reciprocity,0.5,0.7,0.9,,,record,\n", "")
    edit("decisions.csv", "2025-01-01,H,labels,compliance,pending,,low,,Gazette,\n", "")
    check(
        "case.toml:34: rules[oranges].answered_by .. 'labels' is owed by no counterparty .. bananas",
        "case.toml:79: lobbies[shippers] .. an answer to rule 'oranges', and H owes none",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('name = "x"', "case.toml:1: states .. there are no states .. at least one [[states]]"),
        ('[[states]]\nid = "H"', "case.toml:1: rules .. there are no rules .. at least one [[rules]]"),
        ('[[states]]\nid = "H"', "case.toml:1: lobbies .. there are no lobbies .. at least one [[lobbies]]"),
        ('name = "x"\n\ntitle = ', "case.toml:3: file .. not TOML in 'title ='"),
        ("states = 3", "case.toml:1: states .. 3 is no list of tables .. [[states]]"),
        ('states = ["H"]', "case.toml:1: states[1] .. 'H' does not fit .. a table"),
        ("[states]\nid = 3", "case.toml:1: states .. a table is no list of tables .. [[states]]"),
        ("horizon = 2020-01-01", "case.toml:1: horizon .. 2020-01-01 does not fit .. a table"),
        ("a = [" + "[" * 30_000, "case.toml:1: file .. not TOML"),
        ("a." * 100 + "a = 1", "case.toml:1: file .. a key below 99 others"),
        ("threshold = " + "9" * 5000, "case.toml:1: file .. not TOML"),
    ],
)
def test_one_problem_of_a_case_toml_that_is_hardly_one(
    text: str, expected: str, folder: Path, problems: Callable[[], list[str]]
) -> None:
    (folder / C).write_text(text, encoding="utf-8")
    place, *words = expected.split(" .. ")
    (line,) = [line for line in problems() if line.startswith(f"{place}: ")]
    assert all(word in line for word in words), line


def test_numbers_beyond_floats(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(C, "threshold = 0.1", f"threshold = {'9' * 400}")
    check("case.toml:15: states[H].threshold .. 999999 .. a finite number")
