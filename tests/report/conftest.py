"""A small case and a run of it from prior draws: no sampler is needed to write a page."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bayes_compliance import models, runs
from bayes_compliance.case import load_case
from bayes_compliance.forecast import simulate
from bayes_compliance.inference import diagnose
from bayes_compliance.inference.diagnostics import check_forecast
from bayes_compliance.inference.tree import draws_of, grow
from bayes_compliance.latents import Latents
from bayes_compliance.runs import Run

SCRIPT = "<script>alert(1)</script>"

CASE = f"""
name = "oranges"
title = "Oranges & <lemons>: will they comply?"
adherence_date = 2001-01-01
horizon = {{ until = 2012-01-01, step_years = 2 }}
scale = "log"
outcomes = 3

[[states]]
id = "H"
counterparties = ["F"]

[[states]]
id = "F"

[[rules]]
id = "lemons"
states = ["H"]
depth = true

[[rules]]
id = "oranges"
states = ["F", "H"]

[[lobbies]]
id = "{SCRIPT}"
state = "H"
role = "J"

[[lobbies]]
id = "growers"
state = "H"
role = "K"

[[lobbies]]
id = "lemon growers"
state = "H"
role = "K"
rules = ["lemons"]

[[lobbies]]
id = "exporters"
state = "H"
role = "L"

[[lobbies]]
id = "court"
state = "H"
role = "P"

[[lobbies]]
id = "F buyers"
state = "F"
role = "J"
rules = ["oranges"]

[[lobbies]]
id = "F growers"
state = "F"
role = "K"
rules = ["oranges"]
"""

JUDGEMENTS = f"""analyst,date,state,lobby,quantity,p05,p50,p95,family,weight,rationale,source
left,2000-01-01,H,{SCRIPT},magnitude,20,40,80,,,many <b>buyers</b>,Gazette 1999
left,2000-01-01,H,growers,magnitude,20,40,80,,,,
right,2000-01-01,H,growers,magnitude,30,90,100,gamma,2,few but loud,Herald 1999
left,2000-01-01,H,lemon growers,magnitude,5,10,20,,,,
left,2000-01-01,H,exporters,magnitude,20,40,80,,,,
left,2000-01-01,H,court,magnitude,-10,5,20,,,,
left,2000-01-01,F,F buyers,magnitude,20,40,80,,,,
left,2000-01-01,F,F growers,magnitude,20,40,80,,,,
"""

DECISIONS = """date,state,rule,kind,decision,counterparty,confidence,note,source,url
2001-01-01,H,*,adherence,adhere,,certain,signed,Gazette,https://gazette.invalid/1
2002-01-01,H,oranges,compliance,comply,,high,,Gazette,https://gazette.invalid/2
2003-01-01,H,lemons,compliance,violate,,medium,a levy,Gazette,javascript:alert(2)
2004-01-01,F,oranges,compliance,partial,H,low,half of it,Herald,
2005-01-01,F,oranges,compliance,comply_late,H,certain,,Herald,
2006-01-01,H,oranges,compliance,pending,,certain,,Herald,
"""


def write_case(folder: Path, case: str = CASE, judgements: str = JUDGEMENTS, decisions: str = DECISIONS) -> Path:
    for name, text in (("case.toml", case), ("judgements.csv", judgements), ("decisions.csv", decisions)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def make_run(folder: Path, chains: int = 2, draws: int = 500, seed: int = 1, model: str = "coalition") -> Run:
    """A run whose posterior is draws from the prior."""
    prepared = models.prepare(model, load_case(folder))
    rng = np.random.default_rng(seed)
    drawn = Latents(prepared.layout).draw_all(chains * draws, rng)
    shaped = {name: values.reshape(chains, draws, -1) for name, values in drawn.items()}
    stats = {"diverging": np.zeros((chains, draws)), "energy": rng.standard_normal((chains, draws))}
    tree = grow(prepared, shaped, stats, seed, {"case": prepared.case.name})
    forecast = simulate(prepared.model, prepared.layout, *draws_of(tree), seed=seed)
    checks = [*diagnose(prepared, tree), check_forecast(forecast.mc_error)]
    settings = {"model": model, "engine": "nuts", "seed": seed, "draws": draws, "until": None, "as_of": None}
    return Run(prepared, tree, forecast, checks, runs.summarise(prepared, checks, settings, {"fit": 1.25}))


@pytest.fixture(scope="session")
def oranges(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(write_case(tmp_path_factory.mktemp("oranges")))


@pytest.fixture(scope="session")
def tools() -> SimpleNamespace:
    """The makers above, for tests that need a case of their own."""
    return SimpleNamespace(
        write_case=write_case, make_run=make_run, case=CASE, judgements=JUDGEMENTS, decisions=DECISIONS, script=SCRIPT
    )
