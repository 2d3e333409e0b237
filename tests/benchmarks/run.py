"""How long from a command to what it says: medians and ranges of repetitions, side by side; writes README.md here.

``python tests/benchmarks/run.py [--repetitions 3] [--only a,e,d,b,c,f,g,h]``. Rows that were not asked for are said not
to be measured.
"""

from __future__ import annotations

import argparse
import csv
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

from bayes_compliance.inference.machine import CACHE

HERE = Path(__file__).parent
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


OTHERS = """The plain script's walks step by years and mix worse than paths at the dates of decisions: most of its time
is sampling.

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


def measured(only: list[str], repetitions: int, cold: int) -> list[str]:
    lines = []
    for key, rows in ROWS.items():
        for name, command, goal in rows:
            if key not in only:
                lines.append(f"| {key} | {name} | not measured | | {goal} |")
                continue
            if key == "f":
                lines += _in_process(command, goal)
                continue
            if key == "h":
                STAGES.update({kept: _stages(command, kept) for kept in ("on", "off")})
                continue
            often = cold if key == "c" else repetitions
            times = [seconds(command, name.startswith("answer"), key == "c") for _ in range(often)]
            middle, ends = statistics.median(times), f"{min(times):.2f} to {max(times):.2f}"
            MEDIANS[name] = middle
            lines.append(f"| {key} | {name} | {middle:.2f} | {ends} | {goal}{verdict(middle, goal)} |")
            print(lines[-1], flush=True)
    return lines


MEDIANS: dict[str, float] = {}
STAGES: dict[str, dict[str, float]] = {}
RATIOS = (
    ("run by NUTS with report, warm", "plain script, warm", 1),
    ("run by NUTS with report, first ever", "plain script, first ever", 1),
    ("back-test, NAFTA, 20 origins", "plain script, warm", 20),
)


def ratios() -> list[str]:
    """What a user waits for beside the plain script, or beside so many of them."""
    found = []
    for mine, other, times in RATIOS:
        if mine in MEDIANS and other in MEDIANS:
            of = f"{times} times the {other}" if times > 1 else f"the {other}"
            found.append(f"- {mine}: {MEDIANS[mine] / (times * MEDIANS[other]):.2f} of {of}")
    return found


def _in_process(command: list[str], goal: str) -> list[str]:
    """Lines of a script that prints what it timed, and seconds."""
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    times: dict[str, list[float]] = {}
    for line in said.splitlines():
        what, _, number = line.rpartition("|")
        times.setdefault(what, []).append(float(number))
    lines = []
    for what, each in times.items():
        aim = goal if "weights" in what else ""
        middle = statistics.median(each)
        lines.append(
            f"| f | {what} | {middle:.2f} | {min(each):.2f} to {max(each):.2f} | {aim}{verdict(middle, aim)} |"
        )
        print(lines[-1], flush=True)
    return lines


def _stages(command: list[str], kept: str) -> dict[str, float]:
    """Seconds by stage, with compiled models kept from an earlier run, or with none kept."""
    env = os.environ | ({CACHE: "off"} if kept == "off" else {})
    for _ in range(2):
        said = subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout
    return {stage: float(seconds) for stage, _, seconds in (line.rpartition("|") for line in said.splitlines())}


def stages() -> list[str]:
    """Where the time of `run` on NAFTA goes, with and without what is kept of compiled models."""
    if not STAGES:
        return []
    return [
        "", "Where the seconds of one `run` on NAFTA go, with compiled models kept on disk and without:", "",
        "| stage | kept | not kept |", "|---|---|---|",
        *(f"| {stage} | {seconds:.1f} | {STAGES['off'][stage]:.1f} |" for stage, seconds in STAGES["on"].items()),
    ]  # fmt: skip


def verdict(median: float, goal: str) -> str:
    """Whether a goal that is a number of seconds was met."""
    number = goal.removesuffix(" s")
    return (": met" if median <= float(number) else ": missed") if number.replace(".", "").isdigit() else ""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--repetitions", type=int, default=3)
    options.add_argument("--cold-repetitions", type=int, default=3)
    options.add_argument("--only", default="a,e,d,b,c,f,g,h")
    given = options.parse_args()
    before = os.getloadavg()[0]
    lines = measured(given.only.split(","), given.repetitions, given.cold_repetitions)
    versions = ", ".join(f"{name} {version(name)}" for name in ("pymc", "nutpie", "arviz", "numpy", "scipy"))
    text = f"""# Benchmarks

`make bench`; {date.today()}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()},
{versions}. Load of the machine at the start {before:.1f}, at the end {os.getloadavg()[0]:.1f}:
above 1 the seconds are too many.
Seconds, median and range of {given.repetitions} repetitions ({given.cold_repetitions} of `c`); `d` is until the answer
is on screen.

| | what | median | range | goal |
|---|---|---|---|---|
"""
    shares = "\n".join(["", "Ratios of medians:", "", *ratios(), ""]) if ratios() else ""
    more = "\n".join([*stages(), "", OTHERS])
    (HERE / "README.md").write_text(text + "\n".join(lines) + "\n" + shares + more, encoding="utf-8")


if __name__ == "__main__":
    main()
