"""Malformed scenarios.toml: one edit of the good folder each, and everything that is said of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

FIRST, SECOND, THIRD, FOURTH = (f"{5 + n}: scenarios[strike].changes[{n}]" for n in range(1, 5))
ALL_CALM = 'changes = [{ state = "H", volatility_scale = 0 }, { state = "H", w = 1 }, { state = "H", shock = 2.5 }]'
Q = '{ state = "F", q = 0.0 }'

SCENARIOS = {
    "unknown lobby": (
        '"growers", scale', '"grower", scale', [f"{FIRST} .. unknown lobby 'grower' .. mean 'growers'"]),
    "removed before it is added": (
        'lobby = "growers", scale = 2.0', 'lobby = "greens", remove = true', [f"{FIRST} .. unknown lobby 'greens'"]),
    "unknown state": (Q, Q.replace("F", "G"), [f"{FOURTH} .. unknown state 'G' .. H or F"]),
    "two of one id": (
        'id = "calm"', 'id = "strike"',
        ["13: scenarios[strike].id .. 'strike' is also the id of entry 1 of scenarios .. once"]),
    "no changes": (ALL_CALM, "changes = []", ["16: scenarios[calm].changes .. 0 items .. at least 1"]),
    "two things at once": (
        Q, Q.replace(" }", ", w = 1.0 }"), [f"{FOURTH} .. a change with q, state, w .. one of lobby + scale"]),
    "nothing at all": (Q, "{ }", [f"{FOURTH} .. a change with nothing .. one of"]),
    "q above 1": (Q, Q.replace("0.0", "1.5"), [f"{FOURTH}.q .. 1.5 is out of range .. at most 1"]),
    "unknown key": (
        Q, Q.replace("q", "qq"), [f"{FOURTH} .. a change with state", f"{FOURTH}.qq .. unknown key 'qq' .. mean 'q'"]),
    "adds what there is": (
        'id = "greens", state', 'id = "court", state',
        [f"{SECOND} .. there is a lobby 'court' already", f"{THIRD} .. unknown lobby 'greens'"]),
    "removed and scaled": (
        'lobby = "greens", scale', 'lobby = "growers", remove = true }, { lobby = "greens", scale',
        ["8: scenarios[strike].changes[3] .. removes 'growers', which change 1 scales already .. one of the two"]),
    "added and removed": (
        'lobby = "greens", scale = 0.5', 'lobby = "greens", remove = true',
        [f"{THIRD} .. removes 'greens', which change 2 adds already .. one of the two"]),
    "added, scaled and scaled": (
        Q, '{ lobby = "greens", scale = 2.0 }', [f"{FOURTH} .. scales 'greens', which change 3 scales already"]),
    "scaled twice": (
        'lobby = "greens", scale', 'lobby = "growers", scale',
        [f"{THIRD} .. 'growers', which change 1 scales already"]),
    "two values of q": (
        Q, Q + ', { state = "F", q = 0.5 }',
        ["9: scenarios[strike].changes[5] .. sets q of 'F', which change 4 sets q already .. one of the two"]),
    "before adherence": (
        "from = 2010-01-01", "from = 2000-12-31",
        ["4: scenarios[strike].from .. 2000-12-31 is before anybody adhered, on 2001-01-01 .. from 2001-01-01 on"]),
    "every change is refused": (
        ALL_CALM, 'changes = [{ state = "H", q = 2 }, { state = "H" }]',
        ["16: scenarios[calm].changes[1].q .. 2 is out of range", "16: scenarios[calm].changes[2] .. a change with"]),
    "unknown names beside other problems": (
        Q, '{ lobby = "grower", scale = -1 }, { state = "G", q = 2 }, { lobby = "court", scale = 1e999 }',
        [f"{FOURTH} .. unknown lobby 'grower' .. mean 'growers'", f"{FOURTH}.scale .. -1 is out of range",
         "9: scenarios[strike].changes[5] .. unknown state 'G'", "9: scenarios[strike].changes[5].q .. out of range",
         "9: scenarios[strike].changes[6].scale .. a finite number"]),
    "named after it is added, refused": (
        "magnitude = 1.0", "magnitude = nan", [f"{SECOND}.add.magnitude .. a finite number"]),
    "adds to an unknown state": (
        'id = "greens", state = "H"', 'id = "greens", state = "G"', [f"{SECOND} .. unknown state 'G'"]),
    "adds on a rule not owed": (
        '["bananas"]', '["oranges"]', [f"{SECOND} .. 'H' does not owe rule 'oranges' .. bananas or labels"]),
    "adds nothing on the log scale": (
        "magnitude = 1.0", "magnitude = 0", [f"{SECOND} .. magnitude 0 .. log scale .. above 0"]),
    "adds an unknown key": (
        "magnitude = 1.0", "magnitud = 1.0",
        [f"{SECOND}.add.magnitud .. unknown key .. mean 'magnitude'", f"{SECOND}.add.magnitude .. missing"]),
    "no title": ('title = "Nothing moves"\n', "", ["12: scenarios[calm].title .. 'title' is missing"]),
    "a blank title": ('"Nothing moves"', '" "', ["14: scenarios[calm].title .. the text is blank"]),
    "from a text": (
        "from = 2006-01-01", 'from = "2006"', ["15: scenarios[calm].from .. '2006' does not fit .. a date"]),
    "an unknown table": (
        '[[scenarios]]\nid = "calm"', '[[scenario]]\nid = "calm"',
        ["12: scenario .. unknown key 'scenario' .. scenarios"]),
    "not TOML": (Q, "{ state }", ["9: file .. not TOML"]),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_edit_of_scenarios(name: str, edit: Callable[..., int], check: Callable[..., None]) -> None:
    old, new, expected = SCENARIOS[name]
    edit("scenarios.toml", old, new)
    check(*(f"scenarios.toml:{text}" for text in expected))
