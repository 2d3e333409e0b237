"""`panel` beside the same model as one would write it after PyMC's documentation: effective draws a second.

``python panel.py [STATES DECISIONS]`` writes panel.md: both on one synthetic panel, each in a process of its own. The
figure is the smallest bulk ESS of P2 + G2 over states (ArviZ), by seconds of sampling and by seconds of the process.
``python panel.py plain FOLDER OUT`` is the plain script alone.
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

import arviz as az
import numpy as np

HERE = Path(__file__).parent
TOOL = [sys.executable, "-m", "bayes_compliance", "panel"]


def plain(folder: str, out: str) -> None:
    """A hierarchical ordered probit with non-centred effects and the defaults of `pm.sample`."""
    import pymc as pm
    import pytensor.tensor as pt

    from bayes_compliance.panel import load_panel
    from bayes_compliance.panel.layout import PanelLayout

    layout = PanelLayout(load_panel(folder))  # rows in arrays: those of the tool, so that only the fit differs
    areas, design = layout.in_area, layout.about_states
    with pm.Model():
        level, answered = pm.Normal("level", 0, 1.5), pm.Beta("answered", 4, 3)
        stakes, share = pm.LogNormal("stakes", np.log(0.7), 0.5), pm.Beta("bias_share", 2, 2)
        tau, omega = pm.LogNormal("state_spread", np.log(0.6), 0.6), pm.LogNormal("rule_spread", np.log(0.8), 0.6)
        width = pm.LogNormal("partial_width", np.log(0.67), 0.45)
        beta = pm.Normal("state_effect", 0, 0.5, shape=design.known.shape[1])
        x = design.known
        if len(design.item):
            x = pt.as_tensor(x)[design.item, design.column].set(pm.Normal("missing", shape=len(design.item)))
        p2_g2 = pm.Deterministic("p2_g2", level + x @ beta + tau * pm.Normal("state_z", shape=len(layout.states)))
        of_area = pm.LogNormal("area_spread", np.log(0.4), 0.6) * pm.ZeroSumNormal("area_z", shape=areas.shape[1])
        interest = areas @ of_area + omega * pm.ZeroSumNormal("rule_z", shape=len(layout.rules))
        step = stakes * share * pt.exp(0.4 * pm.Normal("step_z", shape=len(layout.states)))
        exporters = stakes * (1 - share) / (1 - answered) * pt.exp(
            0.3 * areas @ pm.Normal("exporters_area_z", shape=areas.shape[1])
            + 0.45 * pm.Normal("exporters_z", shape=len(layout.rules))
        )  # fmt: skip
        for i, block in enumerate(layout.blocks):
            whole = np.eye(len(layout.rules)) if block.whole is None else block.whole
            n, gain = (whole @ interest)[block.rule], (whole @ exporters)[block.rule]
            if block.kind == "compliance":
                margin = n + p2_g2[block.state]
            elif block.kind == "adherence":
                margin = n + (1 - answered) * gain + p2_g2[block.state] - step[block.state]
            else:
                margin = n - answered * gain
            c = width * (block.n_outcomes == 3)
            comply, violate = pm.math.invprobit(margin - c), pm.math.invprobit(-margin - c)
            p = pt.stack([violate, pt.clip(1 - comply - violate, 0, 1), comply], axis=1)
            pm.Categorical(f"decided_{i}", p=pt.clip(p, 1e-12, 1), observed=block.outcome)
        start = time.perf_counter()
        tree = pm.sample(1000, tune=500, chains=4, random_seed=1, progressbar=False)
        seconds = tree["posterior"].attrs.get("sampling_time", time.perf_counter() - start)
    tree.to_netcdf(Path(out), engine="h5netcdf")
    print(json.dumps({"sampling": float(seconds), "diverging": int(tree["sample_stats"]["diverging"].sum())}))


def effective(file: Path) -> float:
    """Smallest bulk ESS of P2 + G2 over states."""
    posterior = az.from_netcdf(str(file), engine="h5netcdf")["posterior"]
    return float(az.ess(posterior["p2_g2"].to_dataset(), method="bulk")["p2_g2"].min())


def timed(command: list[str]) -> tuple[float, float, str]:
    """Seconds, gigabytes at most, and what the command printed."""
    start = time.perf_counter()
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert running.stdout is not None
    said = running.stdout.read()
    _, status, used = os.wait4(running.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"{command} ended with {status}")
    return time.perf_counter() - start, used.ru_maxrss / 1e6, said


def row(name: str, ess: float, sampling: float, seconds: float, memory: float, diverging: float) -> str:
    speeds = f"{ess / sampling:.1f} | {ess / seconds:.1f}"
    return f"| {name} | {ess:,.0f} | {sampling:.0f} | {seconds:.0f} | {speeds} | {memory:.2f} | {diverging:.0f} |"


def main(states: str = "150", decisions: str = "11000") -> None:
    with tempfile.TemporaryDirectory() as place:
        folder, run, other = f"{place}/panel", Path(place, "run"), Path(place, "plain.nc")
        subprocess.run([*TOOL, folder, "--simulate", states, "--decisions", decisions], check=True, capture_output=True)
        rows = Path(folder, "decisions.csv").read_text(encoding="utf-8").count("\n") - 1
        mine, my_memory, _ = timed([*TOOL, folder, "--out", str(run)])
        summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
        divergences = next(check["value"] for check in summary["diagnostics"] if check["name"] == "divergences")
        theirs, memory, said = timed([sys.executable, "-W", "ignore", __file__, "plain", folder, str(other)])
        found = json.loads(said.splitlines()[-1])
        ess = effective(run / "posterior.nc"), effective(other)
    ours = row("`panel`", ess[0], summary["seconds"]["fit"], mine, my_memory, divergences)
    text = [
        "# Panel beside a plain PyMC script", "",
        f"`python tests/benchmarks/panel.py {states} {decisions}`, {date.today()}, {os.cpu_count()} cores; load at the "
        f"end {os.getloadavg()[0]:.1f}. A synthetic panel of {states} states and {rows:,} rows; both 4 chains of "
        "500 + 1,000. The process of `panel` also forecasts, checks and writes its report; the plain script only "
        "samples and saves.", "",
        "| | smallest bulk ESS of P2 + G2 | seconds of sampling | of the process | ESS a second of sampling | of the "
        "process | gigabytes at most | divergences |", "|---|---|---|---|---|---|---|---|",
        ours, row("plain script", ess[1], found["sampling"], theirs, memory, found["diverging"]),
    ]  # fmt: skip
    (HERE / "panel.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))


if __name__ == "__main__":
    plain(*sys.argv[2:]) if sys.argv[1:2] == ["plain"] else main(*sys.argv[1:])
