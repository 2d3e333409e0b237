"""How much faster a sweep is by two workers of a Dask cluster than by one: writes cluster.md here.

``python tests/benchmarks/cluster.py [CASE] [FITS]``: the case fitted with so many seeds, on a cluster of this machine
of one worker and then of two. Each worker has one core; it imports and compiles for itself.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from distributed import LocalCluster

from bayes_compliance import api
from bayes_compliance.threads import CORES

HERE = Path(__file__).parent
WRITTEN = ("forecasts.csv", "diagnostics.csv")


def measured(case: str, fits: int, workers: int, out: Path) -> tuple[float, list[bytes]]:
    """Seconds from the first task to the last file, the cluster being up, and the bytes of what was written."""
    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
        start = time.perf_counter()
        api.sweep(
            [case], out, seeds=tuple(range(fits)), draws=250, tune=500, chains=2, scheduler=cluster.scheduler_address
        )
        return time.perf_counter() - start, [(out / name).read_bytes() for name in WRITTEN]


def main() -> None:
    case = sys.argv[1] if len(sys.argv) > 1 else "case_studies/bananas"
    fits = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    os.environ[CORES] = "1"
    with tempfile.TemporaryDirectory() as folder:
        found = [measured(case, fits, workers, Path(folder) / str(workers)) for workers in (1, 2)]
    (one, first), (two, second) = found
    text = [
        "# A sweep by one worker and by two", "",
        f"`python tests/benchmarks/cluster.py {case} {fits}`, {date.today()}, {os.cpu_count()} cores; load at the end "
        f"{os.getloadavg()[0]:.1f}.", "",
        f"{fits} fits of `{case}` (2 chains of 500 + 250), each worker with one core, from the first task to the last "
        "file; workers start empty, import and compile for themselves.", "",
        "| workers | seconds | fits per second |", "|---|---|---|",
        f"| 1 | {one:.0f} | {fits / one:.2f} |", f"| 2 | {two:.0f} | {fits / two:.2f} |", "",
        f"Speed-up {one / two:.2f}; {' and '.join(WRITTEN)} "
        f"{'are the same bytes' if first == second else 'DIFFER'}.",
    ]  # fmt: skip
    (HERE / "cluster.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))
    if first != second:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
