"""Time and memory of `panel` against the number of decisions: a plot and the fitted exponents, written here.

``python scaling.py``: synthetic panels of 150 states and 400 rules with about 100, 1,000 and 10,000 decisions, each
fitted in a process of its own with the default settings. Writes scaling.svg and scaling.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import h5py
import matplotlib as mpl
import numpy as np

mpl.use("svg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
TOOL = [sys.executable, "-m", "bayes_compliance", "panel"]
SIZES = ((30, 110), (150, 1100), (150, 13500))


def measured(states: int, decisions: int, out: Path) -> tuple[int, float, float, float, bool, bool]:
    """Decisions kept, seconds in all and of sampling, gigabytes at most; whether all passed, and was sampled twice."""
    folder, run = out / f"in {decisions}", out / f"out {decisions}"
    asked = ["--simulate", str(states), "--decisions", str(decisions)]
    subprocess.run([*TOOL, str(folder), *asked], check=True, stdout=subprocess.DEVNULL)
    rows = (folder / "decisions.csv").read_text(encoding="utf-8").count("\n") - 1
    start = time.perf_counter()
    running = subprocess.Popen([*TOOL, str(folder), "--out", str(run)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(running.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"panel ended with {status}")
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    with h5py.File(run / "posterior.nc") as kept:
        twice = "diverged_at" in kept.attrs
    return rows, seconds, summary["seconds"]["fit"], used.ru_maxrss / 1e6, summary["passed"], twice


def page(found: list[list[float]], on: str, load: float) -> str:
    """The plot, scaling.svg, and what is said of it."""
    rows, seconds, fits, memory = (np.array(column, float) for column in list(zip(*found, strict=True))[:4])
    slope = {name: np.polyfit(np.log(rows), np.log(y), 1)[0] for name, y in (("all", seconds), ("sampling", fits))}
    last = np.log(fits[-1] / fits[-2]) / np.log(rows[-1] / rows[-2])
    fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    left.loglog(rows, seconds, "o-", label=f"in all (exponent {slope['all']:.2f})")
    left.loglog(rows, fits, "s-", label=f"sampling (exponent {slope['sampling']:.2f})")
    left.set(ylabel="seconds")
    left.legend(frameon=False)
    right.semilogx(rows, memory, "o-")
    right.set(ylabel="gigabytes at most", ylim=(0, None))
    for axes in (left, right):
        axes.set(xlabel="decisions", xlim=(200, 15000))
        axes.set_xticks([300, 1000, 3000, 10000], ["300", "1,000", "3,000", "10,000"])
        axes.xaxis.set_minor_formatter("")
    fig.savefig(HERE / "scaling.svg", metadata={"Date": None})
    lines = [
        f"| {r:,.0f} | {s:.0f} | {f:.0f} | {m:.2f} | {'yes' if ok else 'no'} | {'yes' if twice else 'no'} |"
        for r, s, f, m, ok, twice in found
    ]
    return "\n".join([
        "# Panel: time and memory against decisions", "",
        f"`python tests/benchmarks/scaling.py`, {on}, {os.cpu_count()} cores; load at the end {load:.1f}.", "",
        "| decisions | seconds | of which sampling | gigabytes at most | diagnostics passed | sampled twice |",
        "|---|---|---|---|---|---|", *lines, "",
        "Chains with a draw that diverges are run once more with shorter steps: such a row holds both.", "",
        f"Fitted exponents: {slope['all']:.2f} in all, {slope['sampling']:.2f} of sampling ({last:.2f} from the second "
        "size to the third; 1 is linear).", "", "![time and memory](scaling.svg)", "",
    ])  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as out:
        found = [list(measured(*size, Path(out))) for size in SIZES]
    text = page(found, str(date.today()), os.getloadavg()[0])
    (HERE / "scaling.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
