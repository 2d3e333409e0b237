"""The command line: exit codes, what is written and what is not, and how little it imports."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import xarray as xr

from bayes_compliance import __version__, api, cli, report, runs, store
from bayes_compliance.errors import Unwritten
from bayes_compliance.forecast import COLUMNS
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
    tree, summary = runs.read(finished[1])
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
    assert done.stderr == "", "silent in a pipe"


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


def test_a_folder_that_is_no_run_is_left_alone(folder, tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert cli.main(["run", str(folder), "--out", str(tmp_path), "--engine", "exact"]) == cli.REFUSED
    assert "no RUN" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt, cli.INTERRUPTED, "interrupted; nothing was written"),
        (ZeroDivisionError, cli.INTERNAL, "Traceback"),
    ],
)
def test_an_interrupted_or_broken_run_leaves_the_old_one(folder, finished, monkeypatch, capsys, error, code, words):
    before = {path.name: store.sha256(path) for path in finished[1].iterdir()}

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("bayes_compliance.report.render", fail)
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


def test_no_command_is_a_usage_error(capsys):
    assert cli.main([]) == cli.REFUSED
    assert "COMMAND" in capsys.readouterr().err
