"""How long from a command to what it says: medians and ranges of repetitions, side by side.

``python tests/benchmarks/run.py [--repetitions 3] [--cold-repetitions 3] [--only a,e,d,b,c,f,g,h] [--leave ROW]``
enters what it measures into results.json, where other rows stay as they are, and writes README.md from it.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bayes_compliance.inference.machine import CACHE

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PYTHON, TOOL, CASE = sys.executable, [sys.executable, "-m", "bayes_compliance"], "case_studies/nafta"
OUT = tempfile.mkdtemp()
EDITED = f"{OUT}/edited"
ROWS = {
    "a": [("import of PyMC and ArviZ", [PYTHON, "-c", "import pymc, arviz"], "")],
    "e": [
        ("bare interpreter", [PYTHON, "-c", "pass"], ""),
        ("--version", [*TOOL, "--version"], ".5 s"),
        ("--help", [*TOOL, "--help"], ".5 s"),
        ("a refusal", [*TOOL, "run", "no/such/case", "--out", f"{OUT}/no"], ".5 s"),
    ],
    "d": [
        ("check, NAFTA", [*TOOL, "check", CASE], ""),
        ("answer of run --engine smc, bananas",
         [*TOOL, "run", "case_studies/bananas", "--out", f"{OUT}/bananas", "--engine", "smc"], "2 s"),
        ("answer of run --engine smc, NAFTA", [*TOOL, "run", CASE, "--out", f"{OUT}/smc", "--engine", "smc"], "2 s"),
    ],
    "b": [
        ("plain script, warm", [PYTHON, "-W", "ignore", str(HERE / "plain.py"), CASE, f"{OUT}/plain"], ""),
        ("run by NUTS with report, warm", [*TOOL, "run", CASE, "--out", f"{OUT}/nuts"], "a + 6 s, half of plain"),
        ("answer of run by NUTS, warm", [*TOOL, "run", CASE, "--out", f"{OUT}/nuts"], ""),
        ("run with a judgement that is new, warm", [*TOOL, "run", EDITED, "--out", f"{OUT}/new"], ""),
    ],
    "c": [
        ("plain script, first ever", [PYTHON, "-W", "ignore", str(HERE / "plain.py"), CASE, f"{OUT}/plain"], ""),
        ("run by NUTS with report, first ever", [*TOOL, "run", CASE, "--out", f"{OUT}/nuts"], "half of plain"),
    ],
    "f": [("changes in process", [PYTHON, "-W", "ignore", str(HERE / "updating.py"), CASE], ".2 s")],
    "g": [
        ("back-test, NAFTA, 20 origins",
         [*TOOL, "backtest", CASE, "--out", f"{OUT}/back", "--origins", "20", "--rivals", ""], "30 s"),
    ],
    "h": [("stages", [PYTHON, "-W", "ignore", str(HERE / "stages.py"), CASE], "")],
}  # fmt: skip


OTHERS = """NAFTA's record was read again on 2026-11-28. Since then one draw of its fit by seed 1 diverges, and the fit
is made once more with shorter steps: rows b count that (seconds by stage are from before; by seeds 2 to 6 a fit takes 7
to 8 s, by seed 1 some 20). A decision more and the back-test became faster with it: the last rows are others.

The plain script's walks step by years and mix worse than paths at the dates of decisions: most of its time
is sampling.

Tried on NAFTA (609 dimensions, 31 steps of NUTS a draw) and without gain: target acceptance .8; trees of at most 15
or 7 steps (half and a fifth of the effective draws for each gradient, or chains that do not mix); nutpie's low-rank
and draw-only adaptation; axes turned by the 3 or 12 largest directions of the scores' covariance. These take the
largest curvature from 47 to 23 in the median, but it varies so much from draw to draw (30 to 200 of them) that steps
grow by a tenth, from .13 to .15.

With gain: paths by their Markov steps instead of a triangle of each lobby (sampling 15.2 to 16.9 s of processor time
against 17.5 to 19.6, interleaved on a busy machine, 2026-11-27); diagnostics and report side by side, nutpie without
ArviZ's plots, 8 future paths instead of 16 (a run 27.7 to 30.8 s against 30.1 to 39.2, interleaved; 44.6 s of processor
time in one process against 56.1, 2026-11-27); what the page tells for the horizon alone from worlds that report nothing
else, and sensitivities by their closed limit (processor time of all sections, one after the other in one process, 12.9
and 16.8 s against 17.2 and 17.8; of the overview 5.2 s against 7.3, of the sensitivities .46 against 1.95; a whole run,
interleaved, 23.2 to 27.7 s against 25.2 to 27.6, which is within the noise of the machine; 2026-11-28).

300 draws of tuning instead of 500: a fit of NAFTA 12.3 s of processor time against 15.1 (24 seeds each, on a busy
machine), of a back-test 3.2 against 4.3 (8 seeds); as many effective draws, and as many fits with a divergence (of 24
fits of NAFTA 7 by 500 draws, 6 by 300, 9 by 200; such a fit is made once more with shorter steps, which takes longer
than all that is saved; at target acceptance .93 it is 5 of 24). Worlds asked about all at once: a forecast takes a
tenth less. The answer of smc without xarray: .6 s less (2026-11-28).

What is left of the first goal, import + 6 s on two cores: some 41 to 47 s of processor time, of which sampling is 13,
the report 14, diagnostics and files 5, imports 4, the forecast 3; 9.5 s of two cores are 19. Where the rest lies,
a library does the work: ArviZ's diagnostics of 609 series, matplotlib's axes, h5netcdf's variables. Vectors in the
compiled density (LLVM with glibc's libmvec) change nothing: its loops gather by index.

The table is of one kind of machine, whose speed varies by a fifth from hour to hour; plain script and smc
on NAFTA are of the day before the rest. On one twice as fast, 26 and 27 November, with two cores too and with the code
of those days (before paths by their steps, and with a shorter page):

| | what | median | range | of | goal |
|---|---|---|---|---|---|
| a | import of PyMC and ArviZ | 2.41 | | 1 | |
| d | answer of run --engine smc, bananas | 1.38 | 1.37 to 1.39 | 2 | 2 s: met |
| d | answer of run --engine smc, NAFTA | 45.93 | 43.15 to 48.71 | 2 | 2 s: missed |
| b | plain script, warm | 247.12 | | 1 | |
| b | run by NUTS with report, warm | 19.46 | 19.34 to 19.65 | 3 | a + 6 s: missed, half of plain: met |
| b | answer of run by NUTS, warm | 10.84 | 10.57 to 10.94 | 3 | |
| c | plain script, first ever | 241.66 | | 1 | |
| c | run by NUTS with report, first ever | 62.07 | | 1 | half of plain: met (.26) |
| f | one decision more, by weights | 0.19 | 0.19 to 0.32 | 3 | .2 s: met |
| f | one judgement changed, by weights | 0.03 | 0.03 to 0.04 | 3 | .2 s: met |
| f | a fit without compiling again | 5.18 | 5.11 to 5.21 | 3 | |
| g | back-test, NAFTA, 20 origins | 27.40 | 27.27 to 27.53 | 2 | 30 s: met |

Also measured: [a panel against the number of decisions](scaling.md), [beside a plain script](panel.md), and
[a sweep by one Dask worker and by two](cluster.md).
"""


def edit(number: int) -> None:
    """A copy of the case with its first judgement a little larger, by so many thousandths."""
    shutil.rmtree(EDITED, ignore_errors=True)
    shutil.copytree(CASE, EDITED)
    file = Path(EDITED, "judgements.csv")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    row = next(row for row in rows if row["quantity"] == "magnitude" and float(row["p05"]) > 0)
    row.update({name: f"{float(row[name]) * (1 + number / 1000):.6g}" for name in ("p05", "p50", "p95")})
    with file.open("w", newline="", encoding="utf-8") as to:
        writer = csv.DictWriter(to, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def seconds(command: list[str], answer: bool, cold: bool) -> float:
    """Seconds until a command ends, or until it prints its first line; ``cold`` with no compiled code to reuse."""
    empty = tempfile.mkdtemp()
    places = {"PYTENSOR_FLAGS": f"base_compiledir={empty}", "NUMBA_CACHE_DIR": empty, CACHE: f"{empty}/kept"}
    fresh = places if cold else {}
    if EDITED in command:
        edit(random.randrange(1, 1000))
    shutil.rmtree(f"{OUT}/back", ignore_errors=True)  # a back-test that is there already would be taken over
    start = time.perf_counter()
    with subprocess.Popen(
        command, env=os.environ | fresh, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stdout is not None
        if answer:
            if not running.stdout.readline():
                raise SystemExit(f"no answer from {command}")
            found = time.perf_counter() - start
            running.kill()
            return found
        running.communicate()
    if running.returncode not in (0, 1, 2):
        raise SystemExit(f"{command} ended with {running.returncode}")
    return time.perf_counter() - start


def measure(only: list[str], leave: list[str], repetitions: int, cold: int, found: dict[str, Any]) -> None:
    """Enter what is measured, row by row, but for rows that are left as they are."""
    for key, rows in ROWS.items():
        for name, command, goal in rows if key in only else ():
            if name in leave:
                continue
            if key == "f":
                of_lines = _lines(command)
                times = {what: [float(line) for line in each] for what, each in of_lines.items()}
                goals = {what: goal if "weights" in what else "" for what in times}
                found["f"] = {what: _row(each, goals[what]) for what, each in times.items()}
            elif key == "h":
                found["h"] = {kept: _stages(command, kept) for kept in ("on", "off")}
            else:
                often = cold if key == "c" else repetitions
                each = [seconds(command, name.startswith("answer"), key == "c") for _ in range(often)]
                found.setdefault(key, {})[name] = _row(each, goal)
            print(key, name, json.dumps(found[key]), flush=True)


def _row(times: list[float], goal: str) -> dict[str, Any]:
    low, middle, high = (round(f(times), 3) for f in (min, statistics.median, max))
    load = round(os.getloadavg()[0], 1)
    return {"median": middle, "low": low, "high": high, "of": len(times), "goal": goal, "on": str(date.today()),
            "load": load}  # fmt: skip


def _lines(command: list[str], **more: str) -> dict[str, list[str]]:
    """What a script prints, lines of what and a number, by what."""
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | more).stdout
    found: dict[str, list[str]] = {}
    for what, _, number in (line.rpartition("|") for line in said.splitlines()):
        found.setdefault(what, []).append(number)
    return found


def _stages(command: list[str], kept: str) -> dict[str, float]:
    """Seconds by stage, with compiled models kept from an earlier run, or with none kept; the second time."""
    for _ in range(2):
        found = _lines(command, **({CACHE: "off"} if kept == "off" else {}))
    return {stage: float(each[0]) for stage, each in found.items()}


RATIOS = (
    ("run by NUTS with report, warm", "plain script, warm", 1),
    ("run by NUTS with report, first ever", "plain script, first ever", 1),
    ("back-test, NAFTA, 20 origins", "plain script, warm", 20),
)


def page(found: dict[str, Any]) -> str:
    """The results as README.md."""
    names = ("pymc", "nutpie", "arviz", "numpy", "scipy")
    rows = {(key, what): row for key in ROWS if key != "h" for what, row in found.get(key, {}).items()}
    medians = {what: row["median"] for (_, what), row in rows.items()}
    lines = [f"| {key} | {what} | {' | '.join(_cells(row))} |" for (key, what), row in rows.items()]
    shares = [
        f"- {mine}: {medians[mine] / (n * medians[other]):.2f} of {f'{n} times ' if n > 1 else ''}the {other}"
        for mine, other, n in RATIOS
        if mine in medians and other in medians
    ]
    return "\n".join([
        "# Benchmarks", "",
        f"`make bench`; {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"{', '.join(f'{name} {version(name)}' for name in names)}. Seconds, median and range of repetitions, from "
        "`results.json`; `d` is until the answer is on screen. Load is the machine's, of one minute, when the row was "
        "done: the command alone makes 1 to 2.", "",
        "| | what | median | range | of | goal | on | load |", "|---|---|---|---|---|---|---|---|", *lines, "",
        "Ratios of medians:", "", *shares, "", *stages(found), OTHERS,
    ])  # fmt: skip


def _cells(row: dict[str, Any]) -> list[str]:
    numbers = [f"{row['median']:.2f}", f"{row['low']:.2f} to {row['high']:.2f}", str(row["of"])]
    load = "" if row["load"] is None else str(row["load"])
    return [*numbers, row["goal"] + verdict(row["median"], row["goal"]), row["on"], load]


def stages(found: dict[str, Any]) -> list[str]:
    """Where the time of `run` on NAFTA goes, with and without what is kept of compiled models."""
    if "h" not in found:
        return []
    on, off = found["h"]["on"], found["h"]["off"]
    return [
        "Where the seconds of one `run` on NAFTA go, with compiled models kept on disk and with none:", "",
        "| stage | kept | none |", "|---|---|---|",
        *(f"| {stage} | {seconds:.1f} | {off[stage]:.1f} |" for stage, seconds in on.items()), "",
    ]  # fmt: skip


def verdict(median: float, goal: str) -> str:
    """Whether a goal that is a number of seconds was met."""
    number = goal.removesuffix(" s")
    return (": met" if median <= float(number) else ": missed") if number.replace(".", "").isdigit() else ""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--repetitions", type=int, default=3)
    options.add_argument("--cold-repetitions", type=int, default=3)
    options.add_argument("--only", default=",".join(ROWS))
    options.add_argument("--leave", action="append", default=[], metavar="ROW", help="by its name; it stays as it is")
    given = options.parse_args()
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    measure(given.only.split(",") if given.only else [], given.leave, given.repetitions, given.cold_repetitions, found)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (HERE / "README.md").write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
