"""`new`: a case to fill in that is sound as it stands, asks in words, and opens in a spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bayes_compliance.case import load_case
from bayes_compliance.check import check
from bayes_compliance.cli import main
from bayes_compliance.errors import Refused
from bayes_compliance.newcase import FILES, new


def test_a_new_case_is_sound_and_asks(tmp_path):
    written = new(tmp_path / "deep" / "rain forest")
    assert sorted(path.name for path in written) == sorted(FILES)
    case = load_case(tmp_path / "deep" / "rain forest")
    assert case.name == "rain forest"
    found = check(tmp_path / "deep" / "rain forest")
    assert len(found.questions) == len(case.judgements) + 2
    assert all(question.rstrip(".").endswith("?") or "?" in question for question in found.questions)
    assert "Still to answer" in str(found)
    assert 0.05 < found.compliance[0].p < 0.95


def test_a_run_of_a_case_that_nobody_has_filled_in_says_so_first(tmp_path, capsys):
    folder, out = tmp_path / "case", tmp_path / "run"
    new(folder)
    n = len(load_case(folder).judgements)
    small = ["--engine", "smc", "--draws", "100", "--chains", "2"]
    assert main(["run", str(folder), "--out", str(out), *small]) in (0, 1)
    said = capsys.readouterr().out.splitlines()
    assert said[1].startswith(f"judgements still those of the template, which no analyst has taken on: {n} (")
    page = (out / "report.html").read_text(encoding="utf-8")
    notice = f"{n} judgements are still those of the template"
    assert notice in page[: page.index("<header>")]
    text = (folder / "judgements.csv").read_text(encoding="utf-8")
    (folder / "judgements.csv").write_text(text.replace("to be answered", "trade figures"), encoding="utf-8")
    assert main(["run", str(folder), "--out", str(out), *small]) in (0, 1)
    assert "of the template" not in capsys.readouterr().out + (out / "report.html").read_text(encoding="utf-8")


def test_answers_leave_nothing_to_ask(tmp_path):
    (folder,) = {path.parent for path in new(tmp_path / "case")}
    for name, old, more in (
        ("judgements.csv", "to be answered", "trade figures"), ("case.toml", "To be named: will", "Will"),
    ):  # fmt: skip
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, more), encoding="utf-8")
    with (folder / "decisions.csv").open("a", encoding="utf-8") as file:
        file.write("2020-01-01,home,*,adherence,adhere,,certain,Ratified,Official journal,\n")
        file.write("2021-03-05,home,the rule,compliance,comply,,high,First report on time,Secretariat,\n")
    found = check(folder)
    assert found.questions == ()
    assert "Still to answer" not in str(found)
    assert found.record.rows == 2


@pytest.mark.parametrize("name", ['with "quotes" and \\ in it', "naïve", "a{name}b"])
def test_any_folder_name_is_a_case_name(name, tmp_path):
    new(tmp_path / name)
    assert load_case(tmp_path / name).name == name


def test_a_folder_with_files_is_left_alone(tmp_path, capsys):
    (tmp_path / "kept.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(Refused, match="this is no empty folder; allowed: a new or an empty one"):
        new(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    assert main(["new", str(tmp_path)]) == 2
    assert "no empty folder" in capsys.readouterr().err
    with pytest.raises(Refused, match="no empty folder"):
        new(tmp_path / "kept.txt")
    with pytest.raises(Refused, match="cannot be written"):
        new(tmp_path / "kept.txt" / "below")


def test_the_command_lists_what_it_wrote(tmp_path, capsys):
    assert main(["new", str(tmp_path / "case")]) == 0
    assert {Path(line).name for line in capsys.readouterr().out.splitlines()} == set(FILES)
    assert main(["check", str(tmp_path / "case")]) == 0


def test_tables_open_in_a_spreadsheet(tmp_path):
    for path in new(tmp_path / "case"):
        data = path.read_bytes()
        assert b"\r" not in data
        if path.suffix == ".csv":
            rows = list(csv.reader(data.decode("ascii").splitlines(), strict=True))
            assert len({len(row) for row in rows}) == 1
            assert not any(cell.startswith(("=", "+", "@", "#")) for row in rows for cell in row)


def test_questions_stand_beside_numbers_of_each_kind(tmp_path):
    new(tmp_path / "case")
    case = load_case(tmp_path / "case")
    kinds = {judgement.quantity for judgement in case.judgements}
    assert {"magnitude", "step", "volatility", "shadow", "reciprocity", "decision_noise", "p_comply"} <= kinds
    assert {lobby.role for lobby in case.lobbies} == {"J", "K", "L", "P", "G"}
