"""The command line of validation: exit codes, what is written, and nothing where input is refused."""

import csv
import json
from datetime import date

import numpy as np
import pytest

from bayes_compliance import api, cli, sweeps
from bayes_compliance.errors import Refused
from tests.inference.linear_cases import walk
from tests.report.test_report_page import unread

WORDS = ["comply", "comply", "violate", "comply", "violate", "violate", "comply"]
QUICK = ["--engine", "exact", "--draws", "600", "--chains", "2", "--rivals", ""]


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_backtest_writes_its_files(tmp_path, capsys):
    case, out = walk(tmp_path / "case", WORDS), tmp_path / "out"
    assert cli.main(["backtest", str(case), "--out", str(out), "--ahead", "2", *QUICK]) == 0
    assert {p.name for p in out.iterdir()} == {
        "backtest.html", "predictions.csv", "scores.csv", "summary.json", "tasks.jsonl",
    }  # fmt: skip
    said = capsys.readouterr().out
    assert "each forecast on the day before it was taken" in said
    predictions = table(out / "predictions.csv")
    names = {row["forecaster"] for row in predictions}
    assert names == {"coalition", "prior only", "weighted sum", "base rate", "persistence"}
    for row in predictions:
        assert sum(float(row[f"p_{k}"]) for k in ("violate", "partial", "comply")) == pytest.approx(1, abs=3e-6)
    page = (out / "backtest.html").read_text()
    assert "src=" not in page
    assert unread(page) == []
    assert 'href="http' not in page
    assert "No decision, judgement or shock of a later date reached a forecast" in page
    summary = json.loads((out / "summary.json").read_text())
    assert summary["settings"]["ahead"] == 2
    assert len(summary["inputs"]["decisions.csv"]) == 64


def test_scores_csv_is_the_mean_of_the_predictions(tmp_path):
    case, out = walk(tmp_path / "case", WORDS), tmp_path / "out"
    assert cli.main(["backtest", str(case), "--out", str(out), *QUICK]) == 0
    predictions = [row for row in table(out / "predictions.csv") if row["forecaster"] == "base rate"]
    brier = [(float(row["p_comply"]) - (row["outcome"] == "comply")) ** 2 for row in predictions]
    (row,) = (row for row in table(out / "scores.csv") if (row["forecaster"], row["score"]) == ("base rate", "brier"))
    assert float(row["mean"]) == pytest.approx(sum(brier) / len(brier), abs=2e-6)
    assert int(row["decisions"]) == len(brier)


def test_numbers_of_numpy_are_taken_and_what_is_no_model_is_refused(tmp_path):
    case, size = walk(tmp_path / "case", WORDS), {"draws": np.int64(600), "chains": np.uint8(2), "seed": np.int32(3)}
    done = api.backtest(case, tmp_path / "out", engine="exact", rivals=(), ahead=np.int64(1), renew=np.False_, **size)
    assert repr(done).startswith("<Backtest: small, forecasters: coalition, ")
    assert {name: done.settings[name] for name in size} == {"draws": 600, "chains": 2, "seed": 3}
    for option, wrong in (("model", {"model": 3}), ("rivals", {"rivals": [None]})):
        with pytest.raises(Refused, match=rf"--{option}: (3|None) is no name; allowed: that of a model, or the path"):
            api.backtest(case, tmp_path / "other", **wrong)
    with pytest.raises(Refused, match="--model: 3 is no name"):
        api.calibrate(tmp_path / "other", model=3)
    with pytest.raises(Refused, match=r"--draws: 2\.5 is no whole number"):
        api.calibrate(tmp_path / "other", draws=2.5)
    assert not (tmp_path / "other").exists()


def test_refused_input_writes_nothing(tmp_path, capsys):
    case, out = walk(tmp_path / "case", WORDS), tmp_path / "out"
    assert cli.main(["backtest", str(case), "--out", str(out), "--learn", "99", *QUICK]) == 2
    assert "no date with 99 earlier compliance decisions" in capsys.readouterr().err
    assert cli.main(["backtest", str(case), "--out", str(out), "--ahead", "0", *QUICK]) == 2
    assert "--ahead: 0 is too few" in capsys.readouterr().err
    assert cli.main(["backtest", str(case), "--out", str(out), "--engine", "smc"]) == 2
    assert "--engine: 'smc' fits no origins; allowed in backtest: nuts, exact" in capsys.readouterr().err
    assert cli.main(["backtest", str(case), "--out", str(out), "--refit", "never", *QUICK]) == 2
    assert "--refit: 'never' is unknown; allowed: needed, always" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--origins", "0"], "--origins: 0 is too few; allowed: 1 or more"),
        (["--origins", "-1"], "--origins: -1 is too few"),
        (["--learn", "-1"], "--learn: -1 is too few; allowed: 0 or more decisions"),
        (["--rivals", "unitary,foo"], "--rivals: 'foo' is not a model; allowed: coalition"),
        (["--rivals", "unitary,managerial,unitary"], "--rivals: unitary is given twice; allowed: each once"),
        (["--rivals", "coalition,coalition"], "--rivals: coalition is given twice"),
        (["--rivals", "panel"], "--rivals: 'panel' is no model of one case"),
        (["--model", "foo"], "--model: 'foo' is not a model; allowed: coalition"),
        (["--model", "spells"], "allowed to engine exact"),
        (["--scheduler", "tcp://127.0.0.1:1"], "--scheduler: "),
        (["--draws", "9" * 20], "--draws: 99999999999999999999 is too many; allowed: 1000000 at most"),
        (["--chains", "x"], "--chains: 'x' is no whole number"),
        (["--out", "file/below"], "which is no folder; allowed: a new folder, or one in which the same back-test"),
        (["--out", ""], "--out: '' is no name of a folder"),
    ],
)
def test_a_back_test_that_cannot_be_is_refused_before_anything_is_fitted_or_written(
    tmp_path, capsys, monkeypatch, arguments, words
):
    from bayes_compliance.validation.at_origins import Fits

    def fitted(*_):
        raise AssertionError("a model was fitted")

    monkeypatch.setattr(Fits, "at", fitted)
    monkeypatch.chdir(tmp_path)
    case = walk(tmp_path / "case", WORDS)
    (tmp_path / "file").touch()
    assert cli.main(["backtest", str(case), "--out", "deep/out", *QUICK, *arguments]) == 2
    assert words in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"case", "file"}


def test_exact_need_not_do_what_no_origin_knows(tmp_path):
    """The last decision is only foretold: its confidence, which engine exact does not weigh, is met by no fit."""
    case, out = walk(tmp_path / "case", WORDS), tmp_path / "out"
    text = (case / "decisions.csv").read_text()
    at = text.rindex("certain")
    (case / "decisions.csv").write_text(text[:at] + "low" + text[at + len("certain") :])
    assert cli.main(["backtest", str(case), "--out", str(out), *QUICK]) == 0


def test_what_was_refused_by_a_slip_is_no_hindrance(tmp_path):
    case, out = walk(tmp_path / "case", WORDS), tmp_path / "out"
    whole = ["backtest", str(case), "--out", str(out), *QUICK]
    assert cli.main([*whole, "--model", "spells"]) == 2
    assert cli.main([*whole, "--origins", "2", "--learn", "0"]) == 0


def test_work_that_was_begun_stays_where_the_next_is_refused(tmp_path):
    case, out = walk(tmp_path / "case", WORDS), tmp_path / "out"
    assert cli.main(["backtest", str(case), "--out", str(out), *QUICK, "--origins", "2"]) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert cli.main(["backtest", str(case), "--out", str(out), *QUICK, "--model", "spells"]) == 2
    assert cli.main(["backtest", str(case), "--out", str(out), *QUICK]) == 2
    assert cli.main(["calibrate", str(case), "--out", str(out)]) == 2
    assert cli.main(["sweep", str(case), "--out", str(out)]) == 2
    assert cli.main(["run", str(case), "--out", str(out), "--engine", "exact"]) == 2
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_help_offers_the_engines_that_a_back_test_has(capsys):
    assert cli.main(["backtest", "--help"]) == 0
    said = capsys.readouterr().out
    assert "nuts (default); exact" in said
    assert "smc" not in said


@pytest.mark.parametrize("arguments", [["--simulations", "9" * 20], ["--draws", "4"], ["--model", "foo"]])
def test_a_calibration_that_cannot_be_leaves_nothing(tmp_path, capsys, arguments):
    case, out = walk(tmp_path / "case", WORDS), tmp_path / "out"
    assert cli.main(["calibrate", str(case), "--out", str(out), *arguments]) == 2
    assert "allowed" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    "asked",
    [
        ["backtest", "case", *QUICK, "--model", "my.py"],
        ["backtest", "case", *QUICK, "--rivals", "unitary,my.py"],
        ["calibrate", "case", "--model", "my.py"],
        ["sweep", "case", "--models", "coalition,my.py"],
    ],
)
def test_work_that_was_begun_with_another_text_of_a_model_is_refused(tmp_path, capsys, monkeypatch, asked):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(sweeps, "run", stop)
    monkeypatch.chdir(tmp_path)
    walk(tmp_path / "case", WORDS)
    model = tmp_path / "my.py"
    model.write_text("from bayes_compliance.models.coalition import build, parts, support\n")
    assert [cli.main([*asked, "--out", "out"]) for _ in range(2)] == [cli.INTERRUPTED] * 2
    before = (tmp_path / "out" / "tasks.jsonl").read_bytes()
    model.write_text(model.read_text() + "\n# another\n")
    capsys.readouterr()
    assert cli.main([*asked, "--out", "out"]) == cli.REFUSED
    assert "was begun here (other model_sha256); allowed: the same one, or a new folder" in capsys.readouterr().err
    assert (tmp_path / "out" / "tasks.jsonl").read_bytes() == before


def test_the_ledger_s_commands(tmp_path, capsys):
    case, run, book = walk(tmp_path / "case", WORDS), tmp_path / "run", tmp_path / "ledger.jsonl"
    done = api.run(case, run, engine="exact", draws=50, chains=2, until=date(2100, 1, 1))
    assert done.forecast is not None
    assert cli.main(["ledger", "add", str(book), str(run)]) == 0
    seal = capsys.readouterr().out.strip()
    assert cli.main(["ledger", "verify", str(book), "--head", seal]) == 0
    assert seal in capsys.readouterr().out
    assert cli.main(["ledger", "score", str(book), str(case)]) == 0
    assert "No decision has come" in capsys.readouterr().out
    assert cli.main(["ledger", "add", str(book), str(run)]) == 2
    assert "its forecast is sealed already" in capsys.readouterr().err
    assert cli.main(["ledger", "add", str(tmp_path / "none" / "l"), str(run)]) == 2
    assert "cannot be written" in capsys.readouterr().err
    book.write_text(book.read_text().replace('"0.', '"0.0', 1))
    assert cli.main(["ledger", "verify", str(book)]) == 2
    assert "was changed after it was sealed" in capsys.readouterr().err


def test_a_back_test_that_was_stopped_goes_on_to_the_same_bytes(tmp_path, capsys, monkeypatch):
    from bayes_compliance.validation import at_origins

    monkeypatch.setattr(at_origins, "BLOCK", 2)
    case, out = walk(tmp_path / "case", WORDS), tmp_path / "out"
    whole = ["backtest", str(case), *QUICK, "--out"]
    assert cli.main([*whole, str(out)]) == 0
    lines = (out / "tasks.jsonl").read_text().splitlines(keepends=True)
    again = tmp_path / "again"
    again.mkdir()
    (again / "tasks.jsonl").write_text("".join(lines[:2]) + lines[2][:30])
    capsys.readouterr()
    assert cli.main([*whole, str(again)]) == 0
    assert "already there" in capsys.readouterr().err
    for name in ("predictions.csv", "scores.csv", "backtest.html", "tasks.jsonl"):
        assert (again / name).read_bytes() == (out / name).read_bytes()
    assert cli.main([*whole, str(again), "--seed", "2"]) == 2
    assert "another back-test was begun here (other seed)" in capsys.readouterr().err
