"""A RUN is whole in itself: it can be loaded without its case folder, and asked what has become known since."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
import xarray as xr

from bayes_compliance import api, cli, running, runs, store
from bayes_compliance.case import load_case
from bayes_compliance.case.records import HEADERS
from bayes_compliance.errors import Refused
from bayes_compliance.runs import Run
from tests.test_cli import linear_case, process

SIZE = {"engine": "exact", "draws": 200, "chains": 2, "seed": 5}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path, Run]:
    """A case, its RUN, and the run as it was returned."""
    place = tmp_path_factory.mktemp("made")
    case = linear_case(place / "small")
    return case, place / "run", api.run(case, place / "run", **SIZE)


@pytest.fixture
def folder(made, tmp_path) -> Path:
    return shutil.copytree(made[0], tmp_path / "small")


@pytest.fixture
def done(made, tmp_path) -> Run:
    shutil.copytree(made[1], tmp_path / "run")
    return made[2]


def with_a_violation(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    with (to / "decisions.csv").open("a") as file:
        file.write("2005-05-01,H,r,compliance,violate,,certain,,none,\n")
    return to


def test_a_run_is_loaded_without_its_case_folder(folder, done, tmp_path):
    case = load_case(folder)
    shutil.rmtree(folder)
    found = api.load(tmp_path / "run")
    assert found.prepared.case == case
    assert found.prepared.case.inputs == case.inputs
    assert found.checks == done.checks
    assert found.forecast is not None
    assert found.forecast.table == done.forecast.table
    assert found.forecast.mc_error == done.forecast.mc_error
    xr.testing.assert_identical(found.forecast.dataset, done.forecast.dataset)
    xr.testing.assert_identical(found.tree["posterior"].to_dataset(), done.tree["posterior"].to_dataset())
    assert found.summary == json.loads((tmp_path / "run" / "summary.json").read_text())


def test_the_files_of_the_case_are_held_byte_for_byte(folder, tmp_path):
    """Line ends, a mark of byte order and letters beyond ASCII included."""
    rows = (folder / "decisions.csv").read_text(encoding="utf-8").replace(",none,", ",Übereinkommen № 1,")
    (folder / "decisions.csv").write_bytes(b"\xef\xbb\xbf" + rows.replace("\n", "\r\n").encode())
    api.run(folder, tmp_path / "run", **SIZE)
    tree = runs.read_posterior(tmp_path / "run")
    with runs.kept_case(tree, "run") as held:
        there = {path.name: path.read_bytes() for path in held.iterdir()}
    assert there == {name: (folder / name).read_bytes() for name in load_case(folder).inputs}
    assert api.load(tmp_path / "run").prepared.case == load_case(folder)


def test_a_forecast_anew_holds_the_case_as_it_is_now(folder, done, tmp_path):
    text = (folder / "case.toml").read_text()
    assert "A small case" in text
    (folder / "case.toml").write_text(text.replace("A small case", "A case"))
    api.forecast(folder, tmp_path / "run")
    assert api.load(tmp_path / "run").prepared.case.title == "A case"


def test_a_run_of_a_day_is_loaded_as_of_that_day(folder, tmp_path):
    api.run(folder, tmp_path / "run", **SIZE, as_of=date(2003, 12, 31))
    found = api.load(tmp_path / "run")
    assert [d.date.year for d in found.prepared.case.decisions] == [2001, 2003]
    more = with_a_violation(folder, tmp_path / "more")
    assert api.update(found, more, refit=False).changed == (), "what came later was not known on that day"


def test_update_says_what_a_decision_more_makes_of_the_forecast(folder, done, tmp_path, capsys):
    more, out = with_a_violation(folder, tmp_path / "more"), tmp_path / "run"
    before = {file: file.stat().st_mtime_ns for file in out.iterdir()}
    assert cli.main(["update", str(more), str(out)]) == (cli.DONE if done.passed else cli.FAILED_DIAGNOSTIC)
    lines = capsys.readouterr().out.splitlines()
    found = api.update(done, load_case(more), refit=False, draws=2000)
    row = next(line.split() for line in lines if line.startswith("H      r "))
    numbers = (found.before["H", "r"], found.after["H", "r"], found.after["H", "r"] - found.before["H", "r"])
    assert lines[:3] == ["+ decisions.csv: 2005-05-01 H r: violate", "", lines[2]]
    assert lines[2].startswith("P(comply) on 2010-01-01: reweighted (Pareto k of the weights ")
    assert [float(cell) for cell in row[2:]] == pytest.approx([*numbers, found.errors["H", "r"]], abs=6e-4)
    assert float(row[4]) < 0, "a violation more speaks against compliance here"
    assert {file: file.stat().st_mtime_ns for file in out.iterdir()} == before


@pytest.mark.parametrize(
    ("file", "header", "row"),
    [
        ("decisions.csv", "", "2006-05-01,H,r,compliance,pending,,certain,,none,\n"),
        ("proxies.csv", ",".join(HEADERS["proxies.csv"]) + "\n", "2006,H,j,survey,1,percent,0.9,s,\n"),
    ],
)
def test_what_is_no_evidence_changes_nothing_that_is_forecast(folder, done, tmp_path, capsys, file, header, row):
    with (folder / file).open("a") as to:
        to.write(header + row)
    cli.main(["update", str(folder), str(tmp_path / "run")])
    said = capsys.readouterr()
    first, _, last = said.out.splitlines()
    assert first.startswith(f"+ {file}: 2006-")
    assert last.startswith("nothing that is forecast has changed: 2 probabilities of compliance on 2010-01-01 stay")
    assert "renews" not in said.err


def test_what_else_lies_in_the_folder_is_no_change(folder, done, tmp_path, capsys):
    more = with_a_violation(folder, tmp_path / "more")
    for name in ("README.md", "scenario.toml", "proxy.csv"):  # a RUN holds none of them
        (more / name).write_text("what the analyst keeps there\n")
    said = (more / "case.toml").read_text()
    (more / "case.toml").write_text(said.replace('id = "r"', 'id = "r"\ntitle = "Said to readers"', 1))
    assert load_case(more).rule("r").title == "Said to readers"
    assert cli.main(["update", str(more), str(tmp_path / "run")]) in (cli.DONE, cli.FAILED_DIAGNOSTIC)
    assert "reweighted" in capsys.readouterr().out


def test_update_as_json(folder, done, tmp_path, capsys):
    cli.main(["update", str(folder), str(tmp_path / "run"), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["how"], found["until"], found["changed"]) == ("reweighted", "2010-01-01", [])
    assert {(one["state"], one["rule"]): one["after"] for one in found["forecasts"]} == pytest.approx(
        {(row["state"], row["rule"]): row["p_comply"] for row in done.forecast.table if row["date"] == "2010-01-01"}
    )
    assert [one["error"] for one in found["forecasts"]] == pytest.approx([0.0] * len(found["forecasts"]), abs=1e-12)


def test_what_weights_cannot_carry_ends_with_1_or_is_fitted_anew(folder, done, tmp_path, capsys):
    other = shutil.copytree(folder, tmp_path / "other")
    rows = (other / "judgements.csv").read_text()
    (other / "judgements.csv").write_text(rows.replace(",k,magnitude,1.0,1.0,1.0", ",k,magnitude,9.0,9.0,9.0"))
    assert rows != (other / "judgements.csv").read_text()
    command = ["update", str(other), str(tmp_path / "run")]
    assert cli.main(command) == cli.FAILED_DIAGNOSTIC
    said = capsys.readouterr()
    assert "cannot tell without a new fit" in said.out
    assert "--refit fits anew" in said.err
    cli.main([*command, "--refit"])
    assert "fitted anew" in capsys.readouterr().out


def test_runs_that_cannot_be_asked_are_refused(folder, tmp_path, capsys):
    out = tmp_path / "fitted"
    api.fit(folder, out, **SIZE)
    assert cli.main(["update", str(folder), str(out)]) == cli.REFUSED
    assert "has no forecast; allowed: a RUN of `run`, or `forecast` first" in capsys.readouterr().err
    assert cli.main(["update", str(folder), str(tmp_path / "none")]) == cli.REFUSED
    assert "is no RUN: it has no summary.json" in capsys.readouterr().err
    tree = runs.read_posterior(out)
    old = tree.assign({"constant_data": xr.DataTree(tree["constant_data"].to_dataset().drop_dims("file"))})
    runs.write_posterior(out, old)
    with pytest.raises(Refused, match=r"posterior.nc does not hold the case; allowed: a RUN that `run`, `fit`"):
        api.load(out)


def test_a_run_holds_no_files_but_a_case_s(folder, done, tmp_path):
    """They are written somewhere to be read, and a RUN may come from anybody."""
    tree = runs.read_posterior(tmp_path / "run")
    evil = tmp_path / "evil.txt"
    with runs.kept_case(tree, "run") as held:
        files = {path.name: path.read_bytes() for path in sorted(held.iterdir())}
    runs.write_posterior(tmp_path / "run", runs.keep_case(tree, files | {str(evil): b"!"}))
    with pytest.raises(
        Refused, match=r"run: posterior.nc holds a file '.*evil.txt'; allowed: case.toml, judgements.csv"
    ):
        api.load(tmp_path / "run")
    assert not evil.exists()


def test_a_held_case_that_is_refused_is_said_to_be_the_run_s(folder, done, tmp_path):
    tree = runs.read_posterior(tmp_path / "run")
    runs.write_posterior(tmp_path / "run", runs.keep_case(tree, {"case.toml": b"name = 1"}))
    with pytest.raises(Refused, match=r"run: the case that it holds: case.toml:1: name") as refused:
        api.load(tmp_path / "run")
    assert all("run: the case that it holds: " in line for line in str(refused.value).splitlines())


def test_a_user_s_own_model_must_be_there_as_it_was(folder, tmp_path, monkeypatch):
    model = tmp_path / "my.py"
    model.write_text("from bayes_compliance.models.coalition import build, parts, support\n")
    monkeypatch.chdir(tmp_path)
    made = api.run(folder, tmp_path / "run", **SIZE, model="my.py")
    assert made.summary["model_sha256"] == store.sha256(model)
    assert api.load("run").prepared.case == load_case(folder)
    model.write_text(model.read_text() + "\n# another\n")
    with pytest.raises(Refused, match=r"run: fitted with another my.py; allowed: the model as it was, or a new run"):
        api.load("run")
    with pytest.raises(Refused, match=r"fitted with another my.py"):
        api.report(folder, "run")
    model.unlink()
    with pytest.raises(Refused, match=r"run: fitted with my.py, which is not here; allowed: where it lies"):
        api.load("run")


def test_a_forecast_anew_has_seconds_of_its_own(folder, done, tmp_path):
    before = done.summary["seconds"]
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    summary["seconds"] |= {"forecast": 1e6, "diagnose": 1e6}
    runs.write_summary(tmp_path / "run", summary)
    after = api.forecast(folder, tmp_path / "run").summary["seconds"]
    assert after["fit"] == before["fit"]
    assert max(after["forecast"], after["diagnose"]) < 1e6
    assert list(after) == list(before), "and stages are named as before"


def test_a_held_case_that_was_edited_is_refused(folder, done, tmp_path):
    tree = runs.read_posterior(tmp_path / "run")
    with runs.kept_case(tree, "run") as held:
        files = {path.name: path.read_bytes() for path in sorted(held.iterdir())}
    files["decisions.csv"] = files["decisions.csv"].replace(b"violate", b"comply")
    runs.write_posterior(tmp_path / "run", runs.keep_case(tree, files))
    with pytest.raises(Refused, match=r"fitted to another decisions.csv"):
        api.load(tmp_path / "run")


def test_a_case_that_changes_while_it_is_read_is_refused(folder, monkeypatch, tmp_path):
    """Between the reading that is fitted and the one that is kept."""
    once = running.load_case

    def edited(place):
        found = once(place)
        (folder / "case.toml").write_text((folder / "case.toml").read_text() + "\n# edited\n")
        return found

    monkeypatch.setattr(running, "load_case", edited)
    with pytest.raises(Refused, match=r"case.toml: changed while it was read; allowed: to begin again"):
        api.run(folder, tmp_path / "run", **SIZE)
    assert not (tmp_path / "run").exists()


def test_nothing_heavy_is_imported_for_a_refusal(folder, done, tmp_path):
    for case, run, why in ((folder, "none", "is no RUN"), ("nowhere", "run", "there is no such folder")):
        found = process("update", case, tmp_path / run, PYTHONPROFILEIMPORTTIME="1")
        assert found.returncode == cli.REFUSED
        assert "xarray" not in found.stderr
        assert found.stderr.count(why) == 1
