"""Seconds, in one process, for one decision more and one judgement changed on NAFTA: by weights, and by a fit.

``python updating.py [CASE]`` prints one line for each: what, and seconds. The fit is without compiling again.
"""

from __future__ import annotations

import sys
import tempfile
import time

import numpy as np

from bayes_compliance import api
from bayes_compliance.case import load_case
from bayes_compliance.inference import CHAINS, DRAWS, TUNE
from bayes_compliance.models import prepare
from bayes_compliance.validation.shared import Shared, seen


def changed(case):
    """The case with its last decision taken once more a year later, and with one judgement half as strong."""
    last = case.decisions[-1]
    day = last.date.replace(year=last.date.year + 1)
    later = last.model_copy(update={"date": day, "date_end": day})
    judged = next(j for j in case.judgements if j.quantity == "magnitude" and j.p05 > 0)
    halved = judged.model_copy(update={name: getattr(judged, name) / 2 for name in ("p05", "p50", "p95")})
    others = tuple(halved if j is judged else j for j in case.judgements)
    return {
        "one decision more, by weights": case.model_copy(update={"decisions": (*case.decisions, later)}),
        "one judgement changed, by weights": case.model_copy(update={"judgements": others}),
    }


def main(folder: str = "case_studies/nafta") -> None:
    with tempfile.TemporaryDirectory() as out:
        done = api.run(folder, f"{out}/run")
    assert done.forecast is not None
    done.forecast.dataset  # noqa: B018
    case = load_case(folder)
    for what, other in changed(case).items():
        for _ in range(3):
            start = time.perf_counter()
            found = api.update(done, other, refit=False)
            print(f"{what} ({found.how}, k {found.pareto_k:.2f})|{time.perf_counter() - start:.2f}", flush=True)
    prepared = prepare("coalition", case)
    shared = Shared(prepared)
    data = seen(prepared.layout, np.ones(len(prepared.layout.rows), bool))
    for seed in range(3):
        start = time.perf_counter()
        shared.sample(data, draws=DRAWS, tune=TUNE, chains=CHAINS, seed=seed)
        print(f"a fit without compiling again|{time.perf_counter() - start:.2f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
