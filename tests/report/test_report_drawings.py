"""Labels that fit and stay apart, dates that say what they are, and one colour for one source."""

from __future__ import annotations

import re
from datetime import date
from importlib.resources import files
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
from bayes_compliance.report import drawing, labels, marks
from bayes_compliance.report.drawing import WIDTH
from bayes_compliance.report.facts import Recorded
from bayes_compliance.report.labels import ACROSS, UNBROKEN, on_lines, room_for, rows_for
from bayes_compliance.report.marks import apart
from bayes_compliance.report.parts import join
from bayes_compliance.report.plots import bars, compare, density, fan, timeline
from bayes_compliance.report.plots.compare import dates_on_axis, looks_of
from bayes_compliance.report.sections.hanging import _not_ended, _observed
from bayes_compliance.report.sections.judgements import _bent
from bayes_compliance.report.sections.shadow import _sides
from bayes_compliance.report.sections.what_if import _table
from bayes_compliance.report.sentences import Pull
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
    whole = dict(zip(every, looks_of(every), strict=True))
    assert len({colour for colour, _ in whole.values()}) == len({hatch for _, hatch in whole.values()}) == len(every)
    for some in ([TODAY, NOISE], [TODAY, MOVING, NOISE], [CONDUCT, ENTRENCHMENT, NOISE]):
        assert looks_of(some) == [whole[one] for one in some]
    assert timeline.MARKS["comply"].colour


MEANT = ("BLUE", "SKY", "GREEN", "OCHRE", "BROWN", "RED", "PURPLE", "INK", "SOFT", "GREY")
OKLAB = (
    [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.63]],
    [[0.2105, 0.7936, -0.0041], [1.978, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]],
)
# what is seen without the cones of long, middle or short waves, in linear RGB (Machado, Oliveira and Fernandes 2009)
SEEN = {
    "all": np.eye(3).tolist(),
    "protan": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.052]],
    "deutan": [[0.3673, 0.8606, -0.228], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritan": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


def linear(colour: str) -> np.ndarray:
    shares = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    dark, light = sorted(0.05 + linear(colour) @ [0.2126, 0.7152, 0.0722] for colour in (one, other))
    return float(light / dark)


def nearest(colours: tuple[str, ...], seen: list[list[float]]) -> float:
    rgb = np.clip(np.array(seen) @ np.transpose([linear(colour) for colour in colours]), 0, 1)
    lab = (np.array(OKLAB[1]) @ np.cbrt(np.array(OKLAB[0]) @ rgb)).T
    between = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return float(between[~np.eye(len(lab), dtype=bool)].min())


def test_contrast_is_that_of_the_definition() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#f0e442", "#ffffff") == pytest.approx(1.32, abs=0.01)  # a yellow that cannot be seen


@pytest.mark.parametrize("name", MEANT)
def test_what_carries_meaning_stands_out_from_its_ground(name: str) -> None:
    assert contrast(getattr(drawing, name), drawing.PAPER) >= 3
    assert contrast(getattr(drawing, name), drawing.SHADE) >= 3


def test_lines_stand_out_from_the_bands_under_them() -> None:
    assert contrast(drawing.BLUE, drawing.PALE) >= 3
    assert contrast(drawing.BLUE, drawing.MIDDLE) >= 3


@pytest.mark.parametrize("seen", SEEN)
def test_colours_are_told_apart_by_all_readers(seen: str) -> None:
    assert nearest(tuple(getattr(drawing, name) for name in MEANT[:8]), SEEN[seen]) > 0.095
    # negative control: the palette of Okabe and Ito, which colour-blind readers tell apart, is no better
    okabe = ("#0072b2", "#56b4e9", "#009e73", "#f0e442", "#e69f00", "#d55e00", "#cc79a7", "#1b1f24")
    assert seen == "all" or nearest(okabe, SEEN[seen]) < 0.1


def strokes(drawn: object) -> set[str]:
    """Colours of lines, areas and rims in a drawing that are not those of its frame, grid and text."""
    marks = re.sub(r"<text.*?</text>", "", str(drawn), flags=re.S)
    return set(re.findall(r"(?:stroke|fill): (#\w{6})", marks)) - {drawing.LINE, drawing.PAPER}


def recorded(day: date, decision: str = "comply", rule: str = "r") -> Recorded:
    return Recorded("H", rule, day, "compliance", decision, (0.5, 0.2, 0.8), (1.0, -9.0, 9.0), 0.5, False)


def fans(*tops: float) -> list[fan.Fan]:
    names = ("p_lower", "p_upper", "p_today_lower", "p_today_upper", "p_comply")
    bands = dict(zip(names, (0.1, 0.9, 0.3, 0.6, 0.5), strict=True))
    return [
        fan.Fan(
            f"rule {top}",
            [{"date": f"{year}-01-01", "support_lower": -top, "support_upper": top, **bands} for year in (2021, 2030)],
            [0.0, 0.0], [recorded(date(2015, 3, 1)), recorded(date(2015, 4, 1), "violate")],
        )
        for top in tops
    ]  # fmt: skip


def test_every_mark_of_the_fans_is_of_the_palette_and_every_pale_area_has_a_rim() -> None:
    today = date(2020, 1, 1)
    for drawn in (fan.probability("p", "H", fans(50.0), today), fan.support("s", "H", fans(50.0), 0.0, today)):
        assert strokes(drawn) <= {getattr(drawing, name) for name in (*MEANT, "PALE", "MIDDLE")}
        for pale in (drawing.PALE, drawing.MIDDLE):
            for style in re.findall(rf'style="fill: {pale};[^"]*"', str(drawn)):
                rim = re.search(r"stroke: (#\w+)", style)
                assert rim
                assert contrast(rim[1], drawing.PAPER) >= 3
        assert ">today</text>" in drawn


def test_today_is_on_the_axis_where_nothing_has_been_decided() -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    bare = [one._replace(past=[]) for one in fans(50.0)]
    fan._years(axes, bare, date(2001, 1, 1))
    low, high = axes.get_xlim()
    assert low < marks.days_of([date(2001, 1, 1)])[0] < high
    fan._years(axes, bare, date(2020, 1, 1))
    assert marks.days_of([date(2001, 1, 1)])[0] < axes.get_xlim()[0], "negative control"


def test_panels_of_support_say_whether_their_scales_are_alike() -> None:
    today = date(2020, 1, 1)
    assert "all panels have one scale" in fan.support("s", "H", fans(50.0, 150.0), 0.0, today)
    assert "each panel has a scale of its own" in fan.support("s", "H", fans(50.0, 500.0), 0.0, today)
    alone = fan.support("s", "H", fans(50.0), 0.0, today)
    assert "one scale" not in alone
    assert "scale of its own" not in alone
    assert fan.one_scale(fans(50.0, 150.0), 0.0) == pytest.approx((-174, 174))
    low, high = fan.one_scale(fans(50.0), 90.0) or (0, 0)
    assert low < -50 < 90 < high


def test_near_marks_stand_a_gap_apart_and_others_where_they_were() -> None:
    found = apart([5, 5, 5, 20, 21, 40], 2)
    assert found.tolist() == [3, 5, 7, 19.5, 21.5, 40]
    assert apart([7], 2).tolist() == [7]
    assert apart([], 2).tolist() == []
    assert apart([9, 1, 5], 2).tolist() == [9, 1, 5]  # whatever their order
    many = apart([5] * 40, 2)
    assert np.abs(many - 5).max() <= marks.MOVED * 2  # nearer to one another rather than far from their date
    assert np.diff(many).min() > 0


def test_marks_of_one_rule_do_not_hide_one_another_while_their_bands_stay_on_the_day() -> None:
    day = date(2020, 7, 1)
    rows = [recorded(day), recorded(day, "violate"), recorded(date(2000, 1, 1), "partial")]
    drawn = str(timeline.timeline("t", "H", rows, (2000, 2020)))
    body = drawn.split("</desc>")[1]
    used = dict(re.findall(r'xlink:href="#(\w+)" x="([\d.]+)" y="[\d.]+" style="fill: (?!#57)', body))
    at = sorted(map(float, used.values()))
    assert at[-1] - at[-2] >= timeline.SIZE
    bands = [float(x) for x in re.findall(r"M ([\d.]+) [\d.]+ \nL \1 [\d.]+ \n\" clip[^>]*stroke: #838c96", body)]
    assert bands[0] == bands[1] == pytest.approx((at[-1] + at[-2]) / 2, abs=0.02)
    assert {"2000", "2008", "2020"} <= set(re.findall(r">(\d{4})</text>", body))


def test_a_label_of_two_lines_makes_its_own_row_taller_and_keeps_its_role() -> None:
    name = "Canadian unions and protected producers"
    label, short = on_lines([f"{name}{UNBROKEN}(K)", f"growers{UNBROKEN}(K)"])
    assert label.split("\n")[1] == "producers (K)"
    assert short == "growers (K)"
    assert on_lines([f"{LONG}{UNBROKEN}(K)"])[0].endswith("(K)")
    at, tall = rows_for([short, label, short], 0.2)
    assert at[1] - at[0] == pytest.approx(at[2] - at[1])
    assert at[1] - at[0] > 0.25
    assert tall == pytest.approx(0.4 + 0.34 + 2 * labels.ENDS)
    only, _ = rows_for([short] * 3, 0.2)
    assert np.diff(only) == pytest.approx(0.2)
    pulls = [Pull("H", name, "K", -1.0, -2.0), Pull("H", "growers", "J", 1.0, 2.0)]
    assert ">producers (K)</text>" in bars.pulls("p", "H", pulls, "now", "then")


def test_names_of_lobbies_stand_across_zero_from_their_bars_and_fit() -> None:
    pulls = [Pull("H", "consumers and importers", "J", 30.0, 33.0), Pull("H", "growers", "K", -9.0, -60.0)]
    wide = 6.2
    labels = on_lines([f"{p.lobby}{UNBROKEN}({p.role})" for p in pulls], bars.ACROSS)
    low, high = bars._limits(pulls, labels, wide)
    per = wide / (high - low)
    assert -low * per >= max(room_for(labels[:1]), 60 * per)
    assert high * per >= max(room_for(labels[1:]), 33 * per)
    assert bars._limits(pulls[:1], labels[:1], wide)[0] < 0 < 33 < bars._limits(pulls[:1], labels[:1], wide)[1]
    assert bars._limits([], [], wide)[0] < 0 < bars._limits([], [], wide)[1]
    drawn = str(bars.pulls("p", "H", pulls, "now", "then"))
    anchors = {name: side for side, name in re.findall(r"text-anchor: (\w+)[^>]*>(consumers|growers)", drawn)}
    assert anchors == {"consumers": "end", "growers": "start"}
    style = files("bayes_compliance.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    ((width, share),) = re.findall(r'width\^="(\d+)"\] \{ max-width: (\d+)rem', style)
    assert f' width="{width}.' in drawn  # the page makes it as much narrower, with its text of the same size
    assert int(share) / 72 == pytest.approx(drawing.NARROW / WIDTH)


def test_analysts_of_one_panel_share_neither_colour_nor_dashes() -> None:
    found = density.styles([f"analyst {i}" for i in range(56)])
    assert len(set(found.values())) == 56
    first = list(found.values())[:7]
    assert len({colour for colour, _ in first}) == len({dashes for _, dashes in first}) == 7


def test_layers_of_a_stack_are_told_apart_without_colour() -> None:
    layers = [TODAY, MOVING, SHOCKS, CONDUCT, NOISE]
    drawn = str(compare.stacks("s", "S", layers, {"H": np.full((2, 5), 0.2)}, [date(2020, 1, 1), date(2021, 1, 1)]))
    patterns = re.findall(r"<pattern.*?</pattern>", drawn, re.S)
    assert len(patterns) == len(layers) - 1  # and one is plain
    assert len(set(re.findall(r'<path d="(.*?)"', "".join(patterns), re.S))) == len(layers) - 1
    assert max(map(len, patterns)) < 3000
    assert "stroke: #ffffff; stroke-width: 0.4" in drawn  # what keeps two layers apart


def test_marks_of_one_kind_need_no_key() -> None:
    panels = [compare.Panel("", {"a": [0.2], "b": [0.4]})]
    assert ">probability</text>" not in compare.dots("x", "X", ["probability"], panels)
    assert ">one</text>" in compare.dots("x", "X", ["one", "two"], [compare.Panel("", {"a": [0.2, 0.4]})])


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
