"""The command `scenario`: side by side on standard output, and its exit codes; nothing is written."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from bayes_compliance import api, cli, forecast
from bayes_compliance.inference.tree import draws_of
from tests.builders import complied, known, normal, write_case

WHAT_IFS = """
[[scenarios]]
id = "stronger"
title = "The losers double"
from = 2006-01-01
changes = [{ lobby = "k", scale = 2.0 }]

[[scenarios]]
id = "gone"
title = "The losers vanish"
from = 2007-06-01
changes = [{ lobby = "k", remove = true }]
"""


def small(place, scenarios=WHAT_IFS):
    """A case for the engine that needs no compilation."""
    judged = [normal("j", 1.5, 0.7), known("magnitude", 1.0, "k"), known("volatility", 0.3, "j")]
    judged += [known("volatility", 0.0, "k"), known("rule_spread_points", 0.0), known("decision_noise", 0.6)]
    return write_case(
        place, lobbies=[{"id": name, "state": "H", "role": name.upper()} for name in "jk"], judgements=judged,
        decisions=[complied("2001-05-01"), complied("2003-05-01", "violate"), complied("2004-05-01")],
        horizon={"until": date(2010, 1, 1), "step_years": 2}, scenarios=scenarios,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = tmp_path_factory.mktemp("what if")
    case, out = small(place / "case"), place / "run"
    return case, out, api.fit(case, out, engine="exact", seed=5)


def test_base_and_scenario_stand_side_by_side(finished, capsys):
    before = {file: file.stat().st_mtime_ns for file in finished[1].iterdir()}
    code = cli.main(["scenario", str(finished[0]), str(finished[1])])
    out = capsys.readouterr().out
    found = api.scenario(*finished[:2])
    assert code == (cli.FAILED_DIAGNOSTIC if found.attrs["failed"] else cli.DONE)
    assert [block.splitlines()[0] for block in out.split("\n\n")] == [
        "gone: The losers vanish (from 2007-06-01)", "stronger: The losers double (from 2006-01-01)",
    ]  # fmt: skip
    last = out.split("\n\n")[1].splitlines()[-1].split()
    one = found.sel(scenario="stronger", state="H", rule="r").isel(time=-1)
    assert last[:3] == ["H", "r", "2010-01-01"]
    assert float(last[3]) == pytest.approx(one["p_base"].item(), abs=6e-4)
    assert float(last[4]) == pytest.approx(one["p_scenario"].item(), abs=6e-4)
    assert (
        one["p_scenario"] < one["p_base"] < found["p_scenario"].sel(scenario="gone", state="H", rule="r").isel(time=-1)
    )
    assert {file: file.stat().st_mtime_ns for file in finished[1].iterdir()} == before


def test_the_base_is_the_run_s_own_forecast(finished):
    case, out, done = finished
    ahead = forecast.simulate(done.prepared.model, done.prepared.layout, *draws_of(done.tree), seed=5)
    found = api.scenario(case, out, id="gone")
    assert found["scenario"].values.tolist() == ["gone"]
    for row in ahead.table:
        at = {"state": row["state"], "rule": row["rule"], "time": np.datetime64(row["date"])}
        assert found["p_base"].sel(at).item() == pytest.approx(row["p_comply"], abs=1e-12)


@pytest.mark.parametrize(
    ("scenarios", "arguments", "refusal"),
    [
        (WHAT_IFS, ["--id", "nobody"], "--id: 'nobody' is not a scenario; allowed: gone, stronger"),
        ("", [], "scenarios.toml: the case has no scenario; allowed: at least one [[scenarios]]"),
        (WHAT_IFS.replace("2.0", "1.0"), [], "scenario 'stronger' changes nothing: 'k' is scaled by 1;"),
        (WHAT_IFS.replace("2006-01-01", "2010-01-02"), ["--id", "stronger"], "after the horizon 2010-01-01;"),
    ],
)  # fmt: skip
def test_refusals_end_with_2(finished, tmp_path, capsys, scenarios, arguments, refusal):
    case = small(tmp_path / "case", scenarios)
    assert cli.main(["scenario", str(case), str(finished[1]), *arguments]) == cli.REFUSED
    said = capsys.readouterr()
    assert refusal in said.err
    assert said.out == ""
    assert "Traceback" not in said.err
