"""The command line: exit codes, what is written and what is not, and how little it imports."""

from __future__ import annotations

import csv
import html
import json
import os
import re
import shutil
import subprocess
import sys
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path

import pytest
import xarray as xr

from bayes_compliance import __version__, api, cli, report, runs, store
from bayes_compliance.case import load_case
from bayes_compliance.cli import options
from bayes_compliance.errors import Refused, Unwritten
from bayes_compliance.forecast import COLUMNS
from bayes_compliance.inference.diagnostics import Check
from tests.builders import complied, known, normal, write_case

FILES = sorted(store.FILES)
GROUPS = {
    "prior", "prior_predictive", "posterior", "posterior_predictive", "sample_stats", "log_likelihood", "log_prior",
    "observed_data", "constant_data",
}  # fmt: skip


def linear_case(folder: Path) -> Path:
    """A case for the engine that needs no compilation."""
    return write_case(
        folder,
        lobbies=[{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}],
        judgements=[
            normal("j", 1.5, 0.7), known("magnitude", 1.0, "k"), known("volatility", 0.3, "j"),
            known("volatility", 0.0, "k"), known("rule_spread_points", 0.0), known("decision_noise", 0.6),
        ],
        decisions=[complied("2001-05-01"), complied("2003-05-01", "violate"), complied("2004-05-01")],
        horizon={"until": date(2010, 1, 1), "step_years": 2},
    )  # fmt: skip


DOUBTED = [
    "Accepted as it stands, but was it meant (1)?",
    "  decisions.csv: kind: no row of kind adherence for 'H', whose compliance is on record; that a state joined is "
    "evidence too, and known to the fit by such a row only",
]
"""What is doubted of it on any day."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return linear_case(tmp_path_factory.mktemp("case") / "small")


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory) -> tuple[int, Path]:
    out = tmp_path_factory.mktemp("runs") / "small"
    return cli.main(["run", str(folder), "--out", str(out), "--engine", "exact", "--seed", "5"]), out


def process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bayes_compliance", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


def test_a_run_leaves_the_five_files(finished):
    code, out = finished
    assert code == cli.DONE
    assert sorted(path.name for path in out.iterdir()) == FILES


def test_forecast_csv_has_the_designs_columns(finished):
    with open(finished[1] / "forecast.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [(r["rule"], r["date"]) for r in rows] == [
        (rule, day) for rule in ("*", "r") for day in ("2006-05-01", "2008-05-01", "2010-01-01")
    ]
    for row in rows:
        total = sum(float(row[name]) for name in ("p_comply", "p_partial", "p_violate"))
        assert total == pytest.approx(1, abs=2e-6)


def test_the_posterior_has_all_groups_and_comes_back_equal(finished, folder):
    tree, summary = runs.read_posterior(finished[1]), store.read_summary(finished[1])
    assert set(tree.children) == GROUPS
    again = api.fit(folder, finished[1].parent / "again", engine="exact", seed=5).tree
    xr.testing.assert_identical(tree["posterior"].to_dataset(), again["posterior"].to_dataset())
    xr.testing.assert_identical(tree["prior_predictive"].to_dataset(), again["prior_predictive"].to_dataset())
    assert tree.attrs["seed"] == summary["settings"]["seed"] == 5


def test_the_summary_says_what_was_run(finished, folder):
    summary = json.loads((finished[1] / "summary.json").read_text())
    assert summary["version"] == __version__
    assert summary["inputs"]["decisions.csv"] == store.sha256(folder / "decisions.csv")
    assert {"pymc", "arviz", "numpy", "nutpie"} <= set(summary["versions"])
    assert {"R-hat", "bulk ESS", "tail ESS", "Monte Carlo error of p_comply"} == {
        d["name"] for d in summary["diagnostics"]
    }
    assert all(d["mark"] for d in summary["diagnostics"])


def test_the_same_seed_gives_the_same_bytes_in_another_process(finished, folder, tmp_path):
    done = process("run", folder, "--out", tmp_path / "run", "--engine", "exact", "--seed", 5, PYTHONHASHSEED="7")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run/forecast.csv").read_bytes() == (finished[1] / "forecast.csv").read_bytes()
    assert done.stderr.splitlines() == DOUBTED, "but for what is doubted, silent in a pipe"


def test_a_failed_diagnostic_ends_with_1_and_stands_first_in_the_report(folder, tmp_path, capsys):
    out = tmp_path / "few"
    code = cli.main(["run", str(folder), "--out", str(out), "--engine", "exact", "--draws", "20"])
    assert code == cli.FAILED_DIAGNOSTIC
    assert "bulk ESS" in capsys.readouterr().err
    body = (out / "report.html").read_text().split("<body", 1)[1]
    words = re.sub(r"<[^>]*>", " ", body).split(">", 1)[1].split()
    assert "ESS" in words[:40]


def test_a_refused_case_names_every_problem_and_writes_nothing(folder, tmp_path, capsys):
    bad = linear_case(tmp_path / "bad")
    for name, old, new in (("decisions.csv", "violate", "violat"), ("judgements.csv", "magnitude", "magnitud")):
        (bad / name).write_text((bad / name).read_text().replace(old, new, 1))
    assert cli.main(["run", str(bad), "--out", str(tmp_path / "out")]) == cli.REFUSED
    shown = capsys.readouterr().err
    assert re.search(r"decisions\.csv:3: decision: .*'violat'.*did you mean 'violate'", shown)
    assert re.search(r"judgements\.csv:2: quantity: .*'magnitud'", shown)
    assert "Traceback" not in shown
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "coalitoin"], "--model: 'coalitoin' is not a model; allowed: .*coalition"),
        (["--engine", "gibbs"], "--engine: 'gibbs' is no engine; allowed: nuts, exact"),
        (["--seed", "-1"], "--seed: -1 is out of range; allowed: 0 to"),
        (["--draws", "0"], "--draws: 0 is too few; allowed"),
        (["--chains", "1", "--engine", "exact"], "--chains: 1 is too few; allowed: 2 or more, which R-hat compares"),
        (["--until", "2004-05-01", "--engine", "exact"], "--until: 2004-05-01 is not after the last decision"),
        (["--until", "soon"], "'soon' is no date; allowed: an ISO date"),
        (["--as-of", "1990-01-01", "--engine", "exact"], "judgements.csv"),
    ],
)
def test_settings_out_of_range_are_refused(folder, tmp_path, capsys, arguments, words):
    assert cli.main(["run", str(folder), "--out", str(tmp_path / "out"), *arguments]) == cli.REFUSED
    assert re.search(words, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_all_settings_out_of_range_are_named_at_once(folder, tmp_path, capsys):
    asked = ["--draws", "-3", "--chains", "1", "--tune", "-1", "--seed", "-1", "--engine", "gibbs"]
    assert cli.main(["run", str(folder), "--out", str(tmp_path / "out"), *asked]) == cli.REFUSED
    options = [line.partition(":")[0] for line in capsys.readouterr().err.splitlines() if line.startswith("--")]
    assert options == ["--engine", "--seed", "--draws", "--tune", "--chains"]


@pytest.mark.parametrize("seed", ["-1", "4294967296"])
def test_a_seed_out_of_range_is_refused_by_what_fits_nothing_too(folder, tmp_path, capsys, seed):
    for asked in (["check", str(folder)], ["panel", str(tmp_path / "panel"), "--simulate", "5"]):
        assert cli.main([*asked, "--seed", seed]) == cli.REFUSED
        assert f"--seed: {seed} is out of range; allowed: 0 to 4294967295" in capsys.readouterr().err
    assert not (tmp_path / "panel").exists()


@pytest.mark.parametrize("name", ["draws", "tune", "chains"])
def test_more_than_memory_holds_is_refused(folder, tmp_path, capsys, name):
    asked = ["run", str(folder), "--out", str(tmp_path / "out"), "--engine", "exact", f"--{name}", "9" * 20]
    assert cli.main(asked) == cli.REFUSED
    assert f"--{name}: {'9' * 20} is too many; allowed: " in capsys.readouterr().err


def test_as_much_as_memory_holds_is_taken():
    assert options.up_to(1000)("1000") == 1000
    with pytest.raises(ArgumentTypeError, match="1001 is too many; allowed: 1000 at most"):
        options.up_to(1000)("1001")


def test_what_failed_is_said_with_what_it_is_of(capsys):
    good, bad = (Check("R-hat", value, "< 1.01", "", value < 1.01) for value in (1.0, 1.2))
    options.say_failures([good, bad], "unitary: ")
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"diagnostic failed: unitary: {bad}"
    assert second.startswith("unitary: ")
    options.say_failures([good])
    assert capsys.readouterr().err == ""


def test_a_sweep_up_to_what_is_past_or_of_noise_that_is_none_is_refused(folder, tmp_path, capsys):
    out = tmp_path / "sweep"
    assert cli.main(["sweep", str(folder), "--out", str(out), "--until", "1960-01-01"]) == cli.REFUSED
    assert "--until: 1960-01-01 is not after the last decision" in capsys.readouterr().err
    for noise in ("1e-300", "1e300"):
        assert cli.main(["sweep", str(folder), "--out", str(out), "--noise", noise]) == cli.REFUSED
        assert "is out of range; allowed: 0.001 to 1000" in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_that_is_no_run_is_left_alone(folder, tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert cli.main(["run", str(folder), "--out", str(tmp_path), "--engine", "exact"]) == cli.REFUSED
    assert "no RUN" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt, cli.INTERRUPTED, "interrupted; no RUN was changed, and tasks that were done are kept"),
        (ZeroDivisionError, cli.INTERNAL, "Traceback"),
    ],
)
def test_an_interrupted_or_broken_run_leaves_the_old_one(folder, finished, monkeypatch, capsys, error, code, words):
    before = {path.name: store.sha256(path) for path in finished[1].iterdir()}

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("bayes_compliance.report.begun", fail)
    assert cli.main(["run", str(folder), "--out", str(finished[1]), "--engine", "exact"]) == code
    assert words in capsys.readouterr().err
    assert {path.name: store.sha256(path) for path in finished[1].iterdir()} == before
    assert [p.name for p in finished[1].parent.iterdir() if p.name.startswith(".")] == []


def test_a_section_that_fails_does_not_take_the_forecast_with_it(folder, finished, tmp_path, monkeypatch, capsys):
    """Everything is there, the page says first what is not, and the exit code that something is wrong with us."""

    def ours(_):
        raise ZeroDivisionError("a fault")

    out = tmp_path / "run"
    monkeypatch.setattr(report, "SECTIONS", (*report.SECTIONS, ours))
    assert cli.main(["run", str(folder), "--out", str(out), "--engine", "exact", "--seed", "5"]) == cli.INTERNAL
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert (out / "forecast.csv").read_bytes() == (finished[1] / "forecast.csv").read_bytes()
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.splitlines()[-1] == "the report was written without: ours; all else is whole"
    page, whole = ((one / "report.html").read_text(encoding="utf-8") for one in (out, finished[1]))
    notice = "A section could not be written, by a fault of bayes_compliance and not of the case: ours (ZeroDivision"
    assert notice in page[: page.index("<header>")]
    assert "could not be written" not in whole
    assert re.findall(r"<h2>.*</h2>", page) == re.findall(r"<h2>.*</h2>", whole)
    with pytest.raises(Unwritten, match="a fault") as told:
        api.report(folder, out)
    assert told.value.run is not None
    assert told.value.run.summary["settings"]["seed"] == 5


@pytest.mark.parametrize("command", ["check", "run"])
def test_nobody_need_read_what_is_printed(folder, tmp_path, command):
    """As after `| head -0`: no traceback, and a run is written all the same."""
    out = tmp_path / "run"
    more = ["--out", str(out), "--engine", "exact", "--draws", "50", "--chains", "2"] if command == "run" else []
    reads, writes = os.pipe()
    os.close(reads)
    asked = [sys.executable, "-m", "bayes_compliance", command, str(folder), *more]
    done = subprocess.run(asked, stdout=writes, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writes)
    assert "Traceback" not in done.stderr
    assert "Broken pipe" not in done.stderr
    assert done.returncode in (cli.DONE, cli.FAILED_DIAGNOSTIC)
    assert (out / "report.html").is_file() == (command == "run")


@pytest.mark.parametrize(("case", "code"), [("small", cli.FAILED_DIAGNOSTIC), ("none", cli.REFUSED)])
def test_a_reader_who_leaves_does_not_take_the_exit_code_along(folder, tmp_path, case, code):
    """As after `2>&1 | head -0`: nobody hears which diagnostic failed, or what was refused, and the code tells."""
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "bayes_compliance", "run", str(folder.with_name(case))]
    command += ["--out", str(tmp_path / "run"), "--engine", "exact", "--draws", "20"]
    done = subprocess.run(command, stdout=writes, stderr=writes, check=False)
    os.close(writes)
    assert done.returncode == code


def test_what_is_doubted_is_said_by_what_fits_too_and_stands_on_the_page(folder, fitted, tmp_path, capsys):
    """The page says only what does not depend on the day on which it is made."""
    case, out = shutil.copytree(folder, tmp_path / "case"), tmp_path / "out"
    text = (case / "judgements.csv").read_text()
    (case / "judgements.csv").write_text(text.replace("1999-12-01,,,decision_noise", "2999-12-01,,,decision_noise"))
    heading, line = DOUBTED[0].replace("1", "2"), DOUBTED[1]
    for asked in (["fit", "--out", str(out)], ["run", "--out", str(out)], ["forecast", str(out)]):
        arguments = [asked[0], str(case), *asked[1:]]
        if asked[0] != "forecast":
            arguments += ["--engine", "exact", "--draws", "50", "--chains", "2"]
        assert cli.main(arguments) in (cli.DONE, cli.FAILED_DIAGNOSTIC)
        of_fits = ("diagnostic failed", "What to do")
        said = [one for one in capsys.readouterr().err.splitlines() if not one.startswith(of_fits)]
        assert said[:2] == [heading, line]
        assert said[2].startswith("  judgements.csv:7: date: 2999-12-01 is after today, ")
        assert len(said) == 3
    page = html.unescape((out / "report.html").read_text(encoding="utf-8"))
    assert page.count(DOUBTED[0]) == 1
    assert page.count(line.strip()) == 1
    assert "is after today" not in page


def test_a_day_to_come_is_doubted_of_what_is_asked_too(folder, tmp_path, capsys):
    asked = ["fit", str(folder), "--out", str(tmp_path / "run"), "--engine", "exact", "--as-of", "2999-01-01"]
    assert cli.main([*asked, "--draws", "50", "--chains", "2"]) in (cli.DONE, cli.FAILED_DIAGNOSTIC)
    assert "\n  --as-of: 2999-01-01 is after today, " in capsys.readouterr().err


def test_only_what_was_known_is_doubted_and_nothing_before_a_refusal(folder, tmp_path, capsys):
    case = shutil.copytree(folder, tmp_path / "case")
    text = (case / "judgements.csv").read_text()
    (case / "judgements.csv").write_text(text.replace("1999-12-01,,,decision_noise", "2999-12-01,,,decision_noise"))
    asked = ["fit", str(case), "--out", str(tmp_path / "run"), "--engine", "exact", "--draws", "50", "--chains", "2"]
    for known_by in ([*asked, "--as-of", "2004-06-01"], ["forecast", str(case), str(tmp_path / "run")]):
        cli.main(known_by)
        said = capsys.readouterr().err.splitlines()
        assert [one for one in said if not one.startswith(("diagnostic", "What to do"))] == DOUBTED
    assert cli.main([*asked, "--as-of", "1990-01-01"]) == cli.REFUSED
    assert "was it meant" not in capsys.readouterr().err
    cli.main([*asked, "--as-of", "2999-12-31"])
    assert "judgements.csv:7: date: 2999-12-01 is after today" in capsys.readouterr().err, "negative control"


def test_the_page_names_the_cases_own_notes_where_there_are_any(folder, finished, fitted, tmp_path):
    words = "Read the case's own notes too: the README in its folder."
    assert words not in html.unescape((finished[1] / "report.html").read_text(encoding="utf-8"))
    with_notes = shutil.copytree(folder, tmp_path / "case")
    (with_notes / "README.md").write_text("Why these lobbies.")
    api.report(with_notes, fitted)
    assert words in html.unescape((fitted / "report.html").read_text(encoding="utf-8"))


@pytest.fixture
def fitted(folder, tmp_path) -> Path:
    out = tmp_path / "fitted"
    api.fit(folder, out, engine="exact", draws=50, chains=2)
    return out


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ("1960-01-01", "--until: 1960-01-01 is not after the last decision; allowed: a date after 2004-05-01"),
        ("2262-04-11", "--until: 2262-04-11 is too late to be kept in forecast.nc; allowed: 2262-04-10 at the latest"),
        ("9999-12-31", "--until: 9999-12-31 is too late"),
    ],
)
def test_an_until_that_cannot_be_is_refused_and_not_kept(folder, fitted, capsys, until, words):
    before = {path.name: store.sha256(path) for path in fitted.iterdir()}
    assert cli.main(["forecast", str(folder), str(fitted), "--until", until]) == cli.REFUSED
    assert words in capsys.readouterr().err
    assert {path.name: store.sha256(path) for path in fitted.iterdir()} == before
    assert cli.main(["run", str(folder), "--out", str(fitted), "--until", until]) == cli.REFUSED
    assert words in capsys.readouterr().err


def test_a_new_until_is_judged_and_not_the_one_that_is_kept(folder, fitted):
    summary = json.loads((fitted / "summary.json").read_text())
    summary["settings"]["until"] = "1960-01-01"
    (fitted / "summary.json").write_text(json.dumps(summary))
    assert cli.main(["report", str(folder), str(fitted)]) == cli.REFUSED
    done = api.forecast(folder, fitted, until=date(2006, 1, 1))
    assert done.forecast is not None
    assert {row["date"] for row in done.forecast.table} == {"2006-01-01"}


def test_more_dates_than_a_case_may_have_are_refused(tmp_path):
    often = linear_case(tmp_path / "often")
    text = (often / "case.toml").read_text()
    (often / "case.toml").write_text(text.replace("[[rules]]", "[[rules]]\ndecisions_per_year = 365"))
    with pytest.raises(Refused, match=r"--until: 13[0-9]{3} dates from the last decision .*5000 dates at most"):
        api.run(often, tmp_path / "run", engine="exact", until=date(2040, 1, 1))


def test_a_horizon_that_no_file_can_hold_is_refused_before_the_fit(tmp_path):
    far = linear_case(tmp_path / "far")
    (far / "case.toml").write_text((far / "case.toml").read_text().replace("2010-01-01", "2300-01-01"))
    with pytest.raises(Refused, match=r"case.toml:4: horizon.until: 2300-01-01 is too late to be kept in forecast.nc"):
        api.run(far, tmp_path / "run", engine="exact")


def test_a_run_does_not_replace_a_back_test(folder, tmp_path, capsys):
    out = tmp_path / "bt"
    out.mkdir()
    files = ("backtest.html", "predictions.csv", "scores.csv", "summary.json", "tasks.jsonl")
    for name in files:
        (out / name).write_text('{"tool": "bayes_compliance"}')
    for command in ("run", "fit"):
        assert cli.main([command, str(folder), "--out", str(out), "--engine", "exact"]) == cli.REFUSED
        assert "no RUN (those of a back-test); allowed: a new folder" in capsys.readouterr().err
    for command in ("forecast", "report", "scenario", "update"):
        assert cli.main([command, str(folder), str(out)]) == cli.REFUSED
        assert "bt is no RUN: it is the folder of a back-test" in capsys.readouterr().err
    assert cli.main(["panel", str(folder), "--out", str(out)]) == cli.REFUSED
    assert "no RUN (those of a back-test)" in capsys.readouterr().err
    assert sorted(path.name for path in out.iterdir()) == sorted(files)


def test_back_tests_calibrations_and_sweeps_do_not_replace_a_run(folder, fitted, capsys):
    before = sorted(fitted.iterdir())
    for command in ("backtest", "calibrate", "sweep"):
        assert cli.main([command, str(folder), "--out", str(fitted)]) == cli.REFUSED
        assert "holds other files; allowed: a new folder" in capsys.readouterr().err
    assert sorted(fitted.iterdir()) == before


def test_a_panel_is_no_run_of_one_case(folder, fitted, capsys):
    (fitted / "reputation.nc").touch()
    assert cli.main(["run", str(folder), "--out", str(fitted), "--engine", "exact"]) == cli.REFUSED
    assert "is a RUN of a panel, which one of one case does not replace" in capsys.readouterr().err
    assert cli.main(["report", str(folder), str(fitted)]) == cli.REFUSED
    assert "is a RUN of a panel; allowed: one of one case" in capsys.readouterr().err
    (fitted / "reputation.nc").unlink()
    assert cli.main(["panel", str(folder), "--out", str(fitted)]) == cli.REFUSED
    assert "is a RUN of one case, which one of a panel does not replace" in capsys.readouterr().err


def test_what_no_fit_depends_on_may_change(folder, fitted, tmp_path):
    """Title, comments, a longer horizon, sources and notes, a proxy that is only shown."""
    changed = shutil.copytree(folder, tmp_path / "changed")
    text = (changed / "case.toml").read_text().replace("A small case", "Small").replace("2010-01-01", "2012-01-01")
    (changed / "case.toml").write_text(f"# seen again\n{text}")
    rows = (changed / "decisions.csv").read_text().splitlines()
    (changed / "decisions.csv").write_text("\n".join([rows[0], *rows[:0:-1]]) + "\n")
    shown = {"date": "2000-06-01", "state": "H", "lobby": "j", "kind": "survey", "value": 0.5, "unit": "share",
             "reliability": 0.9, "source": "s", "url": ""}  # fmt: skip
    (changed / "proxies.csv").write_text(",".join(shown) + "\n" + ",".join(map(str, shown.values())) + "\n")
    done = api.forecast(changed, fitted)
    assert done.forecast is not None
    assert done.forecast.table[-1]["date"] == "2012-01-01"
    assert done.summary["inputs"]["case.toml"] == store.sha256(changed / "case.toml")
    assert done.summary["fitted_to"] == runs.fitted_to(load_case(folder))
    assert runs.fitted_to(load_case(changed)) == runs.fitted_to(load_case(folder))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("case.toml", 'name = "small"', 'name = "other"'), ("case.toml", "2000-01-01", "2000-01-02"),
        ("judgements.csv", ",0.6,0.6,0.6,", ",0.7,0.7,0.7,"), ("decisions.csv", "violate", "comply"),
    ],
)  # fmt: skip
def test_what_a_fit_depends_on_may_not(folder, fitted, tmp_path, file, old, new):
    changed = shutil.copytree(folder, tmp_path / "changed")
    text = (changed / file).read_text()
    assert old in text
    (changed / file).write_text(text.replace(old, new))
    with pytest.raises(Refused, match=f"fitted to another {file}; allowed: a RUN of this case as it is now"):
        api.report(changed, fitted)


def test_a_summary_without_what_it_was_fitted_to_goes_by_the_files(folder, fitted, tmp_path):
    """A RUN of an earlier version, or of a user's own model."""
    summary = json.loads((fitted / "summary.json").read_text())
    del summary["fitted_to"]
    (fitted / "summary.json").write_text(json.dumps(summary))
    changed = shutil.copytree(folder, tmp_path / "changed")
    (changed / "case.toml").write_text("# seen again\n" + (changed / "case.toml").read_text())
    with pytest.raises(Refused, match=r"fitted to another case.toml"):
        api.report(changed, fitted)


SCENARIO = """
[[scenarios]]
id = "{0}"
title = "{0}"
from = {1}
changes = [ {{ lobby = "j", scale = 2.0 }} ]
"""


def test_scenarios_that_were_not_known_are_said_to_be_hidden(folder, tmp_path):
    case, out = shutil.copytree(folder, tmp_path / "case"), tmp_path / "run"
    what_if = case / "scenarios.toml"
    what_if.write_text(SCENARIO.format("later", "2006-01-01") + SCENARIO.format("last", "2007-01-01"))
    api.fit(case, out, engine="exact", draws=50, chains=2, as_of=date(2004, 6, 1))
    hidden = r"not known on 2004-06-01, as of which the RUN was made \(--as-of\); allowed: a RUN without --as-of"
    with pytest.raises(Refused, match=rf"'last' \(from 2007-01-01\), 'later' \(from 2006-01-01\): {hidden}"):
        api.scenario(case, out)
    what_if.write_text(what_if.read_text() + SCENARIO.format("known", "2004-06-01"))
    with pytest.raises(Refused, match=rf"'later' \(from 2006-01-01\): {hidden}"):
        api.scenario(case, out, id="later")
    with pytest.raises(Refused, match="--id: 'none' is not a scenario; allowed: known"):
        api.scenario(case, out, id="none")
    assert api.scenario(case, out)["scenario"].values.tolist() == ["known"]


def test_forecast_and_report_reuse_the_posterior(folder, finished, tmp_path):
    out = tmp_path / "parts"
    assert cli.main(["fit", str(folder), "--out", str(out), "--engine", "exact", "--seed", "5"]) == cli.DONE
    assert sorted(path.name for path in out.iterdir()) == ["posterior.nc", "summary.json"]
    assert cli.main(["forecast", str(folder), str(out)]) == cli.DONE
    assert (out / "forecast.csv").read_bytes() == (finished[1] / "forecast.csv").read_bytes()
    assert cli.main(["forecast", str(folder), str(out), "--until", "2020-01-01"]) == cli.DONE
    assert "2020-01-01" in (out / "forecast.csv").read_text()
    assert cli.main(["report", str(folder), str(out)]) == cli.DONE
    assert "2020-01-01" in (out / "forecast.csv").read_text()


def test_a_run_of_other_inputs_is_refused(finished, tmp_path, capsys):
    changed = linear_case(tmp_path / "case")
    (changed / "decisions.csv").write_text((changed / "decisions.csv").read_text().replace("2001-05-01", "2001-06-01"))
    assert cli.main(["report", str(changed), str(finished[1])]) == cli.REFUSED
    assert "fitted to another decisions.csv" in capsys.readouterr().err


def test_as_of_knows_only_what_was_known(folder, tmp_path):
    run = api.run(folder, tmp_path / "run", engine="exact", as_of=date(2002, 1, 1))
    assert [d.date for d in run.prepared.case.decisions] == [date(2001, 5, 1)]
    assert run.forecast.table[0]["date"] == "2003-05-01"


def run_and_list(arguments: list[str], code: int, heavy: set[str]) -> str:
    """What a command says in a process of its own; it must end with the code and have imported nothing heavy."""
    program = (
        "import sys\nfrom bayes_compliance.cli import main\n"
        f"assert main({arguments!r}) == {code}\n"
        f"heavy = {heavy!r} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


HEAVY = {"numpy", "pymc", "arviz", "xarray", "scipy", "matplotlib"}


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_asking_what_it_is_imports_nothing_heavy(argument):
    assert "bayes-compliance" in run_and_list([argument], 0, {*HEAVY, "pydantic"})


def test_bad_input_is_refused_without_anything_heavy(tmp_path):
    asked = ["run", str(tmp_path / "none"), "--out", str(tmp_path / "out")]
    run_and_list(asked, 2, {*HEAVY, "multiprocessing"})


def test_forecast_says_what_date_it_goes_to_by_default(capsys):
    assert cli.main(["forecast", "--help"]) == cli.DONE
    told = " ".join(capsys.readouterr().out.split())
    assert "forecast up to this date (default: what the RUN was last asked for, else the case's horizon)" in told


def test_no_command_is_a_usage_error(capsys):
    assert cli.main([]) == cli.REFUSED
    assert "COMMAND" in capsys.readouterr().err
