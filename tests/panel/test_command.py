"""The command `panel`: what it refuses, and (slow) what it leaves behind; the same seed gives the same bytes."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bayes_compliance import api, cli, store
from bayes_compliance.forecast import COLUMNS, to_csv
from bayes_compliance.inference import nuts
from bayes_compliance.panel import fitting, page
from bayes_compliance.panel.ahead import forecast
from bayes_compliance.panel.fitting import prior
from bayes_compliance.panel.layout import PanelLayout
from bayes_compliance.panel.loading import load_panel
from bayes_compliance.panel.synthetic import synthetic
from tests.panel.plain import write_table
from tests.panel.test_loading import GOOD, RULES, STATES
from tests.report.test_report_page import unread

SMALL = ("--draws", "200", "--tune", "300", "--chains", "2", "--seed", "5")
GROUPS = {
    "prior", "prior_predictive", "posterior", "posterior_predictive", "sample_stats", "log_likelihood", "log_prior",
    "observed_data", "constant_data",
}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pooling", "some"], "--pooling: 'some' is unknown; allowed: partial, none, complete"),
        (["--leave-out", "9"], "--leave-out: 9 is out of range; allowed: 0, or 2 to 2"),
        (["--draws", "1"], "--draws: 1 is too few"),
        (["--seed", "-1"], "--seed: -1 is out of range"),
        (["--outcomes", "4"], "--outcomes:1: number: 4 is refused; allowed: 2 or 3"),
        (["--until", "1999-01-01"], "--until:1: date: 1999-01-01 is not after the last decision"),
        (["--until", "9999-01-01"], "--until:1: date: 7992 dates from the last decision .*; allowed: an earlier date"),
        (
            ["--until", "2262-04-11"],
            "--until:1: date: 2262-04-11 is too late to be kept in forecast.nc; allowed: 2262-04-1",
        ),
        (["--decisions", "9"], "--decisions: stands without --simulate"),
        (["--simulate", "5"], "--out: stands beside --simulate"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(tmp_path, capsys, arguments, words):
    folder = write_table(tmp_path / "p", GOOD)
    assert cli.main(["panel", str(folder), "--out", str(tmp_path / "out"), *arguments]) == cli.REFUSED
    assert re.search(words, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


LINES = {
    "an unknown column": ("decisions.csv", "url\n", "url,hue\n", "decisions.csv:1: header: column 'hue' is unknown"),
    "a wrong date": ("decisions.csv", "2003-01-01", "2003-02-30", "decisions.csv:3: date: '2003-02-30' is not in the"),
    "a row twice": (
        "decisions.csv", "a,2004-01-01", "a,2003-01-01,X,r,compliance,comply,,high,,,\na,2004-01-01",
        "decisions.csv:4: row: the same as row 3",
    ),
    "a state without its row": (
        "states.csv", "Y,,12\n", "",
        "states.csv:1: state: no row for 'Y', of which 2 decisions are on record; allowed: a row for each state",
    ),
    "a slip in a state's name": (
        "states.csv", "X,1.5", "x,1.5", "states.csv:1: state: no row for 'X', of which 3 decisions are on record",
    ),
    "a state twice": ("states.csv", "Z,3.5", "X,3.5", "states.csv:4: state: 'X' stands in row 2 already"),
    "a word for a number": ("states.csv", "3.5", "high", "states.csv:4: bar: 'high' is refused; allowed: a finite"),
    "a rule without its row": (
        "rules.csv", "a,s,\n", "", "rules.csv:1: rule: no row for 'a: s', of which 1 decision is on record",
    ),
    "a rate out of range": (
        "rules.csv", None, "case,rule,area,decisions_per_year\na,r,x,\na,s,x,-1\nb,r,,2\n",
        "rules.csv:3: decisions_per_year: '-1' is refused; allowed: 0.01 to 365, or blank for 1",
    ),
    "an empty file": ("decisions.csv", None, "", "decisions.csv:1: file: the file is empty"),
    "no rows": ("decisions.csv", GOOD, "", "p:1: folder: decisions of 0 states; allowed: decisions, not pending"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "line"), LINES.values(), ids=LINES)
def test_each_problem_is_one_line_with_its_place(tmp_path, capsys, file, old, new, line):
    """File, row, column, what, allowed; the good panel itself is not refused; nothing is written."""
    folder = write_table(tmp_path / "p", GOOD, STATES, RULES)
    load_panel(folder)
    text = (folder / file).read_text()
    if old is not None:
        assert old in text
    (folder / file).write_text(new if old is None else text.replace(old, new, 1))
    assert cli.main(["panel", str(folder), "--out", str(tmp_path / "out")]) == cli.REFUSED
    shown = capsys.readouterr().err.splitlines()
    assert any(line in one for one in shown), shown
    assert all(re.search(r"\S+:\d+: [^:]+: .+; allowed: .+", one) for one in shown), shown
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p"]


def test_an_empty_folder_is_one_line(tmp_path, capsys):
    (tmp_path / "p").mkdir()
    assert cli.main(["panel", str(tmp_path / "p"), "--out", str(tmp_path / "out")]) == cli.REFUSED
    (line,) = capsys.readouterr().err.splitlines()
    assert "p:1: folder: neither decisions.csv nor case folders; allowed: a folder of case folders, or one" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p"]


def test_every_bad_row_is_a_line(tmp_path, capsys):
    folder = write_table(tmp_path / "p", GOOD.replace("low", "lwo").replace("comply,", "compyl,"))
    assert cli.main(["panel", str(folder), "--out", str(tmp_path / "out")]) == cli.REFUSED
    shown = capsys.readouterr().err
    assert "decisions.csv:3: decision: 'compyl'" in shown
    assert "decisions.csv:4: confidence: 'lwo'" in shown


def test_run_names_the_command_that_runs_the_panel(tmp_path, capsys):
    code = cli.main(["run", "case_studies/bananas", "--out", str(tmp_path / "out"), "--model", "panel"])
    assert code == cli.REFUSED
    assert "bayes-compliance panel FOLDER --out RUN" in capsys.readouterr().err


def test_a_folder_that_is_no_run_is_refused(tmp_path, capsys):
    folder = write_table(tmp_path / "p", GOOD)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    assert cli.main(["panel", str(folder), "--out", str(tmp_path / "out")]) == cli.REFUSED
    assert "no RUN" in capsys.readouterr().err
    assert (tmp_path / "out/thesis.txt").read_text() == "mine"


def test_what_is_simulated_has_as_many_outcomes_as_are_asked_for(tmp_path):
    for outcomes, there in ((2, False), (3, True)):
        folder = tmp_path / str(outcomes)
        assert cli.main(["panel", str(folder), "--simulate", "8", "--outcomes", str(outcomes)]) == cli.DONE
        assert (",partial," in (folder / "decisions.csv").read_text()) == there


def test_simulate_writes_a_panel_into_a_new_folder_only(tmp_path, capsys):
    assert cli.main(["panel", str(tmp_path / "p"), "--simulate", "6", "--seed", "2"]) == cli.DONE
    assert "truth.csv" in capsys.readouterr().out
    first = (tmp_path / "p/decisions.csv").read_bytes()
    assert cli.main(["panel", str(tmp_path / "p"), "--simulate", "6"]) == cli.REFUSED
    assert cli.main(["panel", str(tmp_path / "q"), "--simulate", "151"]) == cli.REFUSED
    assert "2 to 150 states" in capsys.readouterr().err
    assert cli.main(["panel", str(tmp_path / "q"), "--simulate", "6", "--outcomes", "4"]) == cli.REFUSED
    assert "--outcomes: 4 is refused; allowed: 2 or 3" in capsys.readouterr().err
    assert cli.main(["panel", str(tmp_path / "q"), "--simulate", "6", "--decisions", "0"]) == cli.REFUSED
    assert "one decision at least" in capsys.readouterr().err
    assert not (tmp_path / "q").exists()
    assert cli.main(["panel", str(tmp_path / "q"), "--simulate", "6", "--seed", "2"]) == cli.DONE
    assert (tmp_path / "q/decisions.csv").read_bytes() == first


def test_the_same_draws_and_seed_give_the_same_forecast_bytes():
    layout = PanelLayout(synthetic(5, 9, 40, seed=2).panel)
    draws = {name: v.reshape(2, 100, -1) for name, v in prior(layout, 200, np.random.default_rng(1)).items()}
    one, again, other = (to_csv(forecast(layout, draws, seed).table) for seed in (3, 3, 4))
    assert one == again
    assert one != other
    assert one.splitlines()[0] == ",".join(COLUMNS)


class PriorDraws:
    """In the place of the sampler: independent draws of the priors."""

    def __init__(self, layout):
        self.layout, self.names = layout, [*layout.sizes, *fitting.derived(layout)]

    def sample(self, *, seed, draws, chains, **_):
        rng = np.random.default_rng(seed)
        found = prior(self.layout, draws * chains, rng)
        stats = {name: np.zeros((chains, draws)) for name in nuts.STATS} | {"energy": rng.random((chains, draws))}
        return {name: v.reshape(chains, draws, -1) for name, v in found.items()}, stats, {}


@pytest.fixture
def unfitted(monkeypatch):
    monkeypatch.setattr(fitting, "Fitter", PriorDraws)


def test_the_folder_that_one_is_in_takes_a_run(tmp_path, monkeypatch, unfitted):
    folder, out = write_table(tmp_path / "p", GOOD, STATES, RULES), tmp_path / "out"
    out.mkdir()
    monkeypatch.chdir(out)
    assert cli.main(["panel", str(folder), "--out", ".", *SMALL]) == cli.FAILED_DIAGNOSTIC
    assert (out / "reputation.nc").is_file()


def test_a_section_that_fails_leaves_the_run_whole(tmp_path, monkeypatch, capsys, unfitted):
    def _record(run):
        raise ZeroDivisionError("never")

    monkeypatch.setattr(page, "_record", _record)
    folder, out = write_table(tmp_path / "p", GOOD, STATES, RULES), tmp_path / "out"
    assert cli.main(["panel", str(folder), "--out", str(out), *SMALL]) == cli.INTERNAL
    said = capsys.readouterr().err
    assert "ZeroDivisionError: never" in said
    assert "the report was written without: record; all else is whole" in said
    assert {file.name for file in out.iterdir()} >= {"posterior.nc", "forecast.csv", "reputation.nc", "report.html"}
    assert "ZeroDivisionError" in (out / "report.html").read_text()


def test_a_place_below_a_file_takes_no_synthetic_panel(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert cli.main(["panel", str(tmp_path / "file/p"), "--simulate", "2", "--decisions", "5"]) == cli.REFUSED
    assert "allowed: a new or an empty folder" in capsys.readouterr().err


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[int, Path, Path]:
    place = tmp_path_factory.mktemp("panel")
    folder = write_table(place / "p", GOOD, STATES, RULES)
    code = cli.main(["panel", str(folder), "--out", str(place / "run"), "--leave-out", "2", "--paths", *SMALL])
    return code, folder, place / "run"


@pytest.mark.slow
def test_a_run_is_whole(finished):
    code, folder, out = finished
    assert {path.name for path in out.iterdir()} == {*store.FILES, "reputation.nc", "left_out.csv"}
    summary = json.loads((out / "summary.json").read_text())
    assert summary["inputs"]["states.csv"] == store.sha256(folder / "states.csv")
    assert summary["settings"]["model"] == "panel"
    assert (code == cli.DONE) == summary["passed"]
    with xr.open_datatree(out / "posterior.nc", engine="h5netcdf") as tree:
        assert set(tree.children) == GROUPS
        assert list(tree["posterior"]["state"].values) == ["X", "Y", "Z"]
    page = (out / "report.html").read_text()
    assert "http" not in page.replace("http://www.w3.org", "")
    assert unread(page) == []
    assert "<summary>The same as a table</summary>" in page
    assert "have more chances of a violation." in page
    assert "“bar” is missing for 1 of 3 states" in page
    assert "Z, of whom no decision is on record" in page
    assert "On states that the fit had not seen" in page
    assert (out / "forecast.csv").read_text().splitlines()[0] == ",".join(COLUMNS)
    left = (out / "left_out.csv").read_text().splitlines()
    assert [row.split(",")[:3] for row in left[1:]] == [["X", "2", "1"], ["Y", "1", "0"]]
    with xr.open_dataset(out / "forecast.nc", engine="h5netcdf") as data:
        assert list(data["state"].values) == ["X", "Y", "Z", "*"]
        assert data["p_comply"].dims == ("state", "rule", "time", "sample")
    rows = {
        (r["state"], r["rule"], r["date"]): r for r in csv.DictReader((out / "forecast.csv").read_text().splitlines())
    }
    at = max(date for _, _, date in rows)
    wide = {s: float(rows[s, "*", at]["p_upper"]) - float(rows[s, "*", at]["p_lower"]) for s in "XZ"}
    assert wide["Z"] > wide["X"], "a state that is not seen has the wider band"


@pytest.mark.slow
def test_a_panel_is_no_run_of_a_case(finished, capsys):
    assert cli.main(["report", "case_studies/bananas", str(finished[2])]) == cli.REFUSED
    assert "is a RUN of a panel; allowed: one of one case" in capsys.readouterr().err


@pytest.mark.slow
def test_a_failed_diagnostic_ends_with_1_and_stands_first(finished, tmp_path, capsys):
    _, folder, _ = finished
    few = ("--draws", "20", "--tune", "50", "--chains", "2")
    assert cli.main(["panel", str(folder), "--out", str(tmp_path / "few"), *few]) == cli.FAILED_DIAGNOSTIC
    assert "bulk ESS" in capsys.readouterr().err
    body = (tmp_path / "few/report.html").read_text().split("<body", 1)[1]
    assert "ESS" in re.sub(r"<[^>]*>", " ", body)[:400]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_another_process(finished, tmp_path):
    _, folder, out = finished
    command = [sys.executable, "-m", "bayes_compliance", "panel", str(folder), "--out", str(tmp_path / "again")]
    done = subprocess.run(
        [*command, "--leave-out", "2", "--paths", *SMALL], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert done.returncode in (cli.DONE, cli.FAILED_DIAGNOSTIC), done.stderr
    assert (tmp_path / "again/forecast.csv").read_bytes() == (out / "forecast.csv").read_bytes()
    other = api.panel(folder, tmp_path / "other", seed=6, draws=200, tune=300, chains=2)
    assert to_csv(other.forecast.table).encode() != (out / "forecast.csv").read_bytes()
