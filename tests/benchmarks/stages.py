"""Where the seconds of one `run` go, in its own process: ``python stages.py [CASE]`` prints one line for each stage.

Stages follow one another: what is imported within one counts there.
"""

from __future__ import annotations

import sys
import tempfile
import time
from typing import Any

START = time.perf_counter()
SPENT: dict[str, float] = {}


def timed(place: Any, name: str, stage: str) -> None:
    """Have a function enter its seconds under a stage."""
    work = getattr(place, name)

    def wrapped(*args: Any, **settings: Any) -> Any:
        start = time.perf_counter()
        try:
            return work(*args, **settings)
        finally:
            SPENT[stage] = SPENT.get(stage, 0.0) + time.perf_counter() - start

    setattr(place, name, wrapped)


def main(case: str = "case_studies/nafta") -> None:
    from bayes_compliance import api, running
    from bayes_compliance.inference import nuts

    timed(nuts, "of_layout", "import, build and compile the model, or read it back")
    timed(nuts, "run", "sample")
    timed(running, "_foretold", "forecast")
    timed(running, "_written", "diagnostics, report and all files, side by side")
    with tempfile.TemporaryDirectory() as out:
        api.run(case, f"{out}/run")
    whole = time.perf_counter() - START
    for stage, seconds in SPENT.items():
        print(f"{stage}|{seconds:.2f}")
    print(f"all else|{whole - sum(SPENT.values()):.2f}")
    print(f"in all|{whole:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
