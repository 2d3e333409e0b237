"""Labels that fit and stay apart, dates that say what they are, and one colour for one source."""

from __future__ import annotations

import re
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from bayes_compliance import models
from bayes_compliance.analysis.decomposition import CONDUCT, ENTRENCHMENT, MOVING, NOISE, SHOCKS, TODAY
from bayes_compliance.analysis.side_by_side import side_by_side
from bayes_compliance.case import load_case
from bayes_compliance.elicitation import TOLERANCE
from bayes_compliance.forecast import dates_ahead
from bayes_compliance.report.drawing import ACROSS, WIDTH, on_lines, room_for
from bayes_compliance.report.parts import join
from bayes_compliance.report.plots import compare, timeline
from bayes_compliance.report.plots.compare import colours_of, dates_on_axis
from bayes_compliance.report.sections.hanging import _not_ended, _observed
from bayes_compliance.report.sections.judgements import _bent
from bayes_compliance.report.sections.shadow import _sides
from bayes_compliance.report.sections.what_if import _table
from bayes_compliance.updating import Updated
from bayes_compliance.validation import predictive
from tests.builders import complied, known, normal, write_case

LONG = "limits on enrichment level and stockpile and centrifuge numbers and research & development (Annex I section {})"


def test_short_names_stay_and_long_ones_are_cut_in_the_middle() -> None:
    short, two, long = on_lines(["inspections", "word " * 12, LONG.format("F")])
    assert short == "inspections"
    assert two.split() == ["word"] * 12
    assert two.count("\n") == 1
    first, second = long.split("\n")
    assert first.startswith("limits on enrichment level")
    assert first.endswith("…")
    assert second.startswith("…")
    assert second.endswith("(Annex I section F)")


@pytest.mark.parametrize("names", [
    [LONG.format(letter) for letter in "ABCDEF"],
    ["x" * 50 + letter + "y" * 60 for letter in "abc"],
    ["Ä" * 109 + letter for letter in "ab"],
])  # fmt: skip
def test_labels_of_different_names_differ_and_fit(names: list[str]) -> None:
    labels = on_lines([*names, names[0]])
    assert labels[-1] == labels[0]
    assert len(set(labels)) == len(names)
    assert all(len(line) <= ACROSS for label in labels for line in label.split("\n"))
    assert room_for(labels) < WIDTH / 3


def test_a_drawing_shows_no_line_of_a_name_that_is_too_long() -> None:
    panels = [compare.Panel(LONG.format("of a state"), {LONG.format(letter): [0.2, 0.4] for letter in "FG"})]
    drawn = compare.dots("x", "X", ["without", "with"], panels)
    shown = re.findall(r"<text[^>]*>([^<]*)</text>", str(drawn))
    assert any("section F)" in line for line in shown)
    assert any("section G)" in line for line in shown)
    assert max(map(len, shown)) <= 100
    assert LONG.format("F").replace("&", "&amp;") in str(drawn)  # in words it stands whole


@pytest.mark.parametrize(
    ("until", "step", "first", "last"),
    [
        (date(2027, 6, 9), 1.0, "2023", "2027"),
        (date(2025, 10, 18), 1.0, "Jun\n2023", "Oct\n2025"),
        (date(2027, 6, 30), 0.25, "8 Sep\n2022", "30 Jun\n2027"),
        (date(2027, 7, 30), 0.25, "Sep\n2022", "Jul\n2027"),
        (date(2030, 1, 1), 1.5, "Dec\n2023", "Jan\n2030"),
        (date(2022, 6, 20), 0.01, "12 Jun\n2022", "20 Jun\n2022"),
    ],
)
def test_dates_are_bare_years_only_where_these_tell_them_apart(until: date, step: float, first: str, last: str) -> None:
    labels = dates_on_axis(dates_ahead(date(2022, 6, 9), until, step))
    assert (labels[0], labels[-1]) == (first, last)
    assert len(set(labels)) == len(labels)


def test_a_source_has_one_colour_whichever_others_a_page_shows() -> None:
    every = [TODAY, MOVING, SHOCKS, CONDUCT, ENTRENCHMENT, NOISE]
    whole = dict(zip(every, colours_of(every), strict=True))
    assert len(set(whole.values())) == len(every)
    for some in ([TODAY, NOISE], [TODAY, MOVING, NOISE], [CONDUCT, ENTRENCHMENT, NOISE]):
        assert colours_of(some) == [whole[one] for one in some]
    assert timeline.MARKS["comply"].colour


def test_what_a_family_meets_is_said_with_its_tolerance() -> None:
    priors = SimpleNamespace(bent=list)
    said = str(join(_bent(priors)))  # type: ignore[arg-type]
    assert f"to within {TOLERANCE:.0%} of the width of the judgement" in said


def both(**p: float) -> xr.Dataset:
    names = sorted({name for pair in p for name in pair.split("_")})
    values = np.full((len(names), 1, len(names), 1), np.nan)
    for pair, value in p.items():
        one, other = (names.index(name) for name in pair.split("_"))
        values[one, 0, other, 0] = value
    coords = {"state": names, "rule": ["r"], "counterparty": names, "time": [0]}
    preference = xr.DataArray(np.full((len(names), 1, 1), 0.5), dims=("state", "rule", "time"))
    both = (("state", "rule", "counterparty", "time"), values)
    return xr.Dataset({"p_both_dilemma": both, "p_preference": preference}, coords)


def test_two_numbers_for_two_states_in_a_dilemma_are_explained() -> None:
    said = str(join(_sides(both(IRN_USA=0.17, USA_IRN=0.2))))
    assert "are two events" in said
    assert said.count("IRN and USA") == 1
    assert _sides(both(IRN_USA=0.17, USA_IRN=0.17)) == []
    assert _sides(both(IRN_USA=0.17)) == []


def test_every_scenario_that_does_anything_has_its_numbers() -> None:
    numbers = {name: (("scenario", "state", "rule"), [[[a], [b]], [[a], [a]]]) for name, a, b in (
        ("p_base", 0.21, 0.31), ("p_scenario", 0.12, 0.293), ("difference_lower", -0.2, -0.1),
        ("difference_upper", 0.0, 0.0),
    )}  # fmt: skip
    coords = {"scenario": ["s", "still"], "state": ["IRN", "USA"], "rule": ["r"], "idle": ("scenario", ["", "why"])}
    said = re.sub(r"<[^>]+>|\s+", " ", str(join(_table(xr.Dataset(numbers, coords), date(2025, 10, 18)))))
    assert re.search(r"s +IRN +21% +12% +−9\.0", said)
    assert re.search(r"s +USA +31% +29% +−1\.7", said)
    assert "still" not in said


@pytest.mark.parametrize(
    ("words", "found", "said"),
    [
        (
            "comply violate violate",
            (1, 1, 0),
            "No return to compliance is on record. Not ended on record: 1 of 1",
        ),
        (
            "violate comply violate",
            (2, 1, 1),
            "1 of 2 spells of violations, and 1 of these began with the last",
        ),
        ("violate partial violate", (1, 1, 0), "Not ended on record: 1 of 1 spell of violations."),
        ("violate comply", (1, 0, 0), ""),
        ("comply partial", (0, 0, 0), ""),
    ],
)
def test_violations_that_have_not_ended_are_counted(tmp_path, words: str, found: tuple, said: str) -> None:
    lobbies = [{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}]
    judged = [normal("j", 1.0, 0.1), normal("k", 1.0, 0.1), known("partial_width", 0.1)]
    rows = [complied(f"20{10 + i}-01-01", word) for i, word in enumerate(words.split())]
    case = write_case(tmp_path, lobbies=lobbies, judgements=judged, decisions=rows, outcomes=3)
    layout = models.prepare("coalition", load_case(case)).layout
    assert predictive.spells(layout) == found
    told = _not_ended(predictive.spells(layout))
    assert said in told
    assert bool(told) == bool(said)
    check = predictive.Check(predictive.RETURN, 0.5, 1, 0, 2, 0.5)
    assert _observed(check, predictive.Spells(3, 3, 1)) == "0.5 (3 of 3 not ended)"
    assert _observed(check._replace(name="x"), predictive.Spells(3, 3, 1)) == "0.5"


def test_the_new_rule_is_called_that_in_tables() -> None:
    p = {("H", "*"): 0.5, ("H", "r"): 0.4}
    told = str(Updated("reweighted", 0.1, date(2030, 1, 1), p, p))
    assert re.search(r"^H      a new rule +0\.500", told, re.M)
    assert "*" not in told
    names = ("p_base", "p_scenario", "difference", "difference_lower", "difference_upper")
    data = {name: (("scenario", "state", "rule", "time"), np.full((1, 1, 2, 1), 0.5)) for name in names}
    days = np.array(["2030-01-01"], "datetime64[ns]")
    coords = {"scenario": ["s"], "state": ["H"], "rule": ["*", "r"], "time": days, "title": ("scenario", ["S"]),
              "since": ("scenario", days)}  # fmt: skip
    lines = side_by_side(xr.Dataset(data, coords)).splitlines()
    assert lines[2].startswith("H      a new rule  2030-01-01")
    assert lines[3].startswith("H      r           2030-01-01")
