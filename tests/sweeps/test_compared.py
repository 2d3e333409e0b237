"""The table of a sweep that puts noises side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayes_compliance.cli.sweep import compared

HEADER = "case,model,noise,seed,state,rule,date,p_comply"


def forecasts(folder: Path, *rows: str) -> Path:
    path = folder / "forecasts.csv"
    path.write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    return path


def test_each_case_is_compared_on_its_own_last_date_and_what_moves_most_comes_first(tmp_path):
    path = forecasts(
        tmp_path,
        "a,coalition,0.5,1,H,r,2010-01-01,0.50", "a,coalition,0.5,1,H,r,2015-01-01,0.10",
        "a,coalition,1,1,H,r,2010-01-01,0.99", "a,coalition,1,1,H,r,2015-01-01,0.12",
        "b,coalition,0.5,1,F,*,2020-01-01,0.90", "b,coalition,1,1,F,*,2020-01-01,0.40",
    )  # fmt: skip
    _, header, *rows = (line.split("  ") for line in compared(path))
    assert [cell.strip() for cell in header if cell] == ["case", "state", "rule", "date", "noise 0.5", "noise 1"]
    told = [[cell.strip() for cell in row if cell] for row in rows]
    assert [(row[0], *row[-3:]) for row in told] == [
        ("b", "2020-01-01", "90%", "40%"), ("a", "2015-01-01", "10%", "12%"),
    ]  # fmt: skip


def test_of_one_noise_nothing_is_compared(tmp_path):
    assert compared(forecasts(tmp_path, "a,coalition,1,1,H,r,2010-01-01,0.5")) == []


@pytest.mark.parametrize(("rules", "more"), [(30, []), (31, ["  and 1 more, which noise moves less"])])
def test_thirty_rows_are_shown_and_the_others_counted(tmp_path, rules, more):
    rows = [f"a,coalition,{noise},1,H,r{i},2010-01-01,0.5" for i in range(rules) for noise in (1, 2)]
    _, _, *said = compared(forecasts(tmp_path, *rows))
    assert (len(said[:30]), said[30:]) == (30, more)
