"""`sweep`: a grid of fits on disk, the same bytes by any number of workers."""

import csv
import json
from math import ceil

import numpy as np
import pytest

from bayes_compliance import api, cli
from bayes_compliance.errors import Refused
from bayes_compliance.inference import trial
from bayes_compliance.wording import short
from tests.builders import normal, write_case
from tests.inference.linear_cases import walk

WORDS = ["comply", "violate", "comply"]
QUICK = ["--draws", "100", "--tune", "10", "--chains", "2"]


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


class Exact:
    """In the place of NUTS: independent draws."""

    made = 0

    def __call__(self, prepared, *, engine, seed, draws, tune, chains):
        from bayes_compliance.inference import Drawn, exact, whole

        assert engine == "nuts"
        type(self).made += 1
        found, _ = exact.sample(prepared, draws=draws, chains=chains, seed=seed)
        stats = {"diverging": np.zeros((chains, draws)), "energy": np.random.default_rng(seed).random((chains, draws))}
        return prepared, Drawn(whole(prepared, found, seed), stats, {})


def test_a_grid_is_fitted_and_written_in_its_order(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(trial, "settled", Exact())
    Exact.made = 0
    case, out = walk(tmp_path / "case", WORDS), tmp_path / "out"
    asked = ["sweep", str(case), "--out", str(out), "--noise", "1,2", "--seeds", "3,4", *QUICK]
    code = cli.main(asked)
    assert Exact.made == 4
    assert {p.name for p in out.iterdir()} == {"forecasts.csv", "diagnostics.csv", "summary.json", "tasks.jsonl"}
    rows = table(out / "forecasts.csv")
    last = {(r["noise"], r["seed"]): float(r["p_comply"]) for r in rows}
    assert list(last) == [("1", "3"), ("1", "4"), ("2", "3"), ("2", "4")]
    assert abs(last["2", "3"] - last["1", "3"]) > 0.005
    assert last["1", "3"] != last["1", "4"]
    # 200 draws are too few for the mark of the effective sample size, and each fit says so
    assert code == 1
    said = capsys.readouterr()
    assert said.err.count("diagnostic failed: small | coalition | noise") == 4
    least = min(float(row["value"]) for row in table(out / "diagnostics.csv") if row["name"].endswith("ESS"))
    assert f"What to do: fit it again with more draws (--draws, {ceil(400 / least)} times as many)" in said.err
    # the noises side by side, on the last date
    title, header, *told, path = said.out.splitlines()
    assert title == "P(comply) at each multiple of the decision noise"
    assert header.split() == ["seed", "state", "rule", "date", "noise", "1", "noise", "2"]
    assert {tuple(line.split()[-2:]) for line in told} == {
        (short(last["1", seed]), short(last["2", seed])) for seed in ("3", "4")
    }
    assert path == f"{out}/forecasts.csv"
    failed = [row for row in table(out / "diagnostics.csv") if row["passed"] == "False"]
    assert {row["name"] for row in failed} >= {"bulk ESS"}
    before = (out / "forecasts.csv").read_bytes()
    assert cli.main(asked) == 1
    assert Exact.made == 4
    assert (out / "forecasts.csv").read_bytes() == before


def test_models_by_path_and_numbers_of_numpy_are_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "settled", Exact())
    own = tmp_path / "own.py"
    own.write_text("from bayes_compliance import models\n\nvars().update(vars(models.load('coalition')))\n")
    case, size = walk(tmp_path / "case", WORDS), {"draws": np.int64(100), "tune": np.int32(1), "chains": np.uint8(2)}
    done = api.sweep([case], tmp_path / "out", models=[own, "coalition"], noises=np.ones(1), seeds=np.arange(2), **size)
    assert done["settings"]["models"] == [str(own), "coalition"]
    assert (done["settings"]["seeds"], done["settings"]["draws"]) == ([0, 1], 100)
    rows = table(tmp_path / "out" / "forecasts.csv")
    assert {row["model"] for row in rows} == {str(own), "coalition"}
    with pytest.raises(Refused, match="--model: 3 is no name"):
        api.sweep([case], tmp_path / "other", models=[3])
    with pytest.raises(Refused, match=r"--seed: 1\.5 is no whole number"):
        api.sweep([case], tmp_path / "other", seeds=[1.5])


def test_how_a_model_was_fitted_is_said_of_each_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "settled", Exact())
    own = tmp_path / "own.py"
    lines = (
        "from bayes_compliance import models",
        "vars().update(vars(models.load('coalition')))",
        "NOTE = 'fitted so'",
    )
    own.write_text("\n".join(lines))
    case, size = walk(tmp_path / "case", WORDS), {"draws": 100, "tune": 1, "chains": 2}
    done = api.sweep([case], tmp_path / "out", models=[own, "coalition"], **size)
    assert done["model_notes"] == {f"small | {own} | noise 1 | seed 1": "fitted so"}


@pytest.mark.parametrize("model", ["coalition", "reciprocity"])
def test_a_fit_of_a_sweep_is_that_of_a_run(tmp_path, model):
    """To the last digit, whichever way the model is fitted: bananas by reciprocity goes through the fixed point."""
    case, size = "case_studies/bananas", {"draws": 50, "tune": 50, "chains": 2}
    done = api.sweep([case], tmp_path / "out", models=[model], seeds=[3], **size)
    run = api.run(case, tmp_path / "run", model=model, seed=3, **size)
    own = [{k: v for k, v in row.items() if k not in ("case", "model", "noise", "seed")} for row in
           table(tmp_path / "out" / "forecasts.csv")]  # fmt: skip
    assert own == table(tmp_path / "run" / "forecast.csv")
    note = run.summary.get("model_note")
    assert list(done["model_notes"].values()) == ([note] if note else [])


def test_noises_that_differ_in_the_last_digit_are_two_fits(tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "settled", Exact())
    case, out = walk(tmp_path / "case", WORDS), tmp_path / "out"
    cli.main(["sweep", str(case), "--out", str(out), "--noise", "1,1.0000001", *QUICK])
    told = [row["noise"] for row in table(out / "forecasts.csv")]
    assert told.count("1") == told.count("1.0000001") == len(told) / 2
    tasks = [json.loads(line)["task"] for line in (out / "tasks.jsonl").read_text().splitlines()[1:]]
    assert tasks == [f"small | coalition | noise {noise} | seed 1" for noise in ("1", "1.0000001")]


def test_a_fit_that_cannot_be_prepared_is_refused_before_anything_is_written(tmp_path, capsys):
    """K is 0 in the second case, so the default noise has no unit."""
    lobbies = [{"id": role, "state": "H", "role": role} for role in "JK"]
    judged = [normal("J", 1.0, 0.1), normal("K", 0.0, 0.1)]
    second = write_case(tmp_path / "second", name="second", lobbies=lobbies, judgements=judged)
    out = tmp_path / "out"
    assert cli.main(["sweep", str(walk(tmp_path / "case", WORDS)), str(second), "--out", str(out), *QUICK]) == 2
    assert "state 'H' has no K of a median other than 0" in capsys.readouterr().err
    assert not out.exists()


def test_a_model_that_is_refused_once_it_is_built_leaves_nothing(tmp_path, capsys):
    own, out = tmp_path / "my.py", tmp_path / "deep" / "out"
    own.write_text(
        "from pymc import Normal\nfrom bayes_compliance.models import coalition\nsupport = coalition.support\n"
        "def build(layout):\n    with coalition.build(layout) as model:\n        Normal('luck')\n    return model\n"
    )
    case = walk(tmp_path / "case", WORDS)
    assert cli.main(["sweep", str(case), "--out", str(out), "--models", str(own), *QUICK]) == 2
    assert "my.py: build() has a variable 'luck'" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"case", "my.py"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--noise", "0"], "--noise: 0 is out of range"),
        (["--noise", "0.001,0.0009"], "--noise: 0.0009 is out of range; allowed: 0.001 to 1000"),
        (["--noise", "1000,1000.1"], "--noise: 1000.1 is out of range; allowed: 0.001 to 1000"),
        (["--seeds", "1,1"], "--seeds: 1 is given twice"),
        (["--models", "nobody"], "--model: 'nobody' is not a model"),
        (["--seeds", "-1"], "--seed: -1 is out of range"),
        (["--workers", "0"], "--workers: 0 is too few"),
        (["--noise", "loud"], "'loud': allowed: numbers, parted by commas"),
    ],
)
def test_bad_input_is_refused_and_nothing_written(tmp_path, capsys, more, said):
    case, out = walk(tmp_path / "case", WORDS), tmp_path / "out"
    assert cli.main(["sweep", str(case), "--out", str(out), *more]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_a_case_given_twice_is_refused(tmp_path, capsys):
    case = str(walk(tmp_path / "case", WORDS))
    assert cli.main(["sweep", case, case, "--out", str(tmp_path / "out")]) == 2
    assert "CASE: small is given twice" in capsys.readouterr().err
    other = str(walk(tmp_path / "other", WORDS))
    assert cli.main(["sweep", case, other, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert f"CASE: 'small' is the `name` in the case.toml of {case} and {other}; allowed: a name of its own" in said


@pytest.mark.slow
def test_200_fits_by_one_worker_and_by_two_and_by_a_killed_one_are_the_same_bytes(tmp_path):
    """On a cluster of this machine; the worker that is killed is one that fits, found by its process id."""
    distributed = pytest.importorskip("distributed")
    from bayes_compliance import api

    case = walk(tmp_path / "case", WORDS)
    size = {"seeds": tuple(range(200)), "draws": 50, "tune": 100, "chains": 2}
    written = {}
    for workers in (1, 2):
        with distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
            out = tmp_path / f"by {workers}"
            if workers == 2:
                _kill_one_soon(cluster)
            api.sweep([case], out, **size, scheduler=cluster.scheduler_address)
        written[workers] = [(out / name).read_bytes() for name in ("forecasts.csv", "diagnostics.csv")]
        assert (out / "tasks.jsonl").read_bytes().count(b"\n") == 201
    assert written[1] == written[2]


def _kill_one_soon(cluster):
    """By its process id, once it has begun to fit."""
    import os
    import signal
    import threading
    import time

    from distributed import Client

    def kill():
        with Client(cluster.scheduler_address, set_as_default=False) as client:
            pids = client.run(os.getpid)
            while not any(client.processing().values()):
                time.sleep(0.1)
        time.sleep(20)
        os.kill(next(iter(pids.values())), signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
