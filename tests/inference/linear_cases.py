"""Cases that are linear in normal latents, small and random or long and plain."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bayes_compliance import models
from bayes_compliance.case import load_case
from bayes_compliance.models import Prepared
from tests.builders import complied, known, normal, write_case

NOISE, VOLATILITY = 0.6, 0.3


def prepared(folder: Path) -> Prepared:
    """The case of a folder as `coalition` sees it."""
    return models.prepare("coalition", load_case(folder))


def first(case: Prepared, n: int) -> Prepared:
    """The same case with its first n decisions."""
    shorter = case.case.model_copy(update={"decisions": case.case.decisions[:n]})
    return models.prepare("coalition", shorter)


def step_date(k: int, step_years: float = 0.25) -> date:
    """The date k steps after the reference date."""
    return date(2000, 1, 1) + timedelta(days=round(k * step_years * 365.25))


def walk(
    folder: Path, decisions: list[str], mean: float = 0.3, sd: float = 0.8, step_years: float = 0.25,
    hazard: tuple[float, float, float] = (0.0, 0.0, 0.0), **more: Any,
) -> Path:  # fmt: skip
    """One margin J - K that is a random walk: J ~ N(1 + mean, sd^2) at the reference date, K = 1 known.

    The first decision falls due one step after the reference date, 2000-01-01, and so on.
    """
    days = [str(step_date(i + 1, step_years)) for i in range(len(decisions))]
    return write_case(
        folder,
        lobbies=[{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K", "rules": ["r"]}],
        judgements=[
            normal("j", 1 + mean, sd), known("magnitude", 1.0, "k"), known("volatility", VOLATILITY, "j"),
            known("volatility", 0.0, "k"), known("rule_spread_points", 0.0), known("decision_noise", NOISE),
            {"quantity": "shock_hazard", **dict(zip(("p05", "p50", "p95"), hazard, strict=True))},
            *([known("partial_width", 0.4)] if "partial" in decisions else []),
        ],
        decisions=[complied(day, decision) for day, decision in zip(days, decisions, strict=True)],
        outcomes=3 if "partial" in decisions else 2,
        **more,
    )  # fmt: skip


def random_case(folder: Path, seed: int, flip: bool = False) -> Path:
    """A random case: two rules, five lobbies of which some cover both, depth, a threshold, two or three outcomes.

    Even seeds have two outcomes and a judged q; odd ones three, conduct abroad as observed, and two analysts of J.
    With `flip` every decision of the first state is turned round.
    """
    rng = np.random.default_rng(seed)
    three = seed % 2 == 1
    lobbies: list[dict] = [
        {"id": "j", "state": "H", "role": "J", "rules": ["r"]},
        {"id": "k", "state": "H", "role": "K"},
        {"id": "l", "state": "H", "role": "L"},
        {"id": "p", "state": "H", "role": "P"},
        {"id": "o", "state": "H", "role": "other", "side": "-", "rules": ["s"],
         "stage_weights": {"status_quo": 0.5, "adherence": 0.0, "compliance": 1.0}},
        {"id": "f", "state": "F", "role": "J"},
    ]  # fmt: skip
    return write_case(
        folder,
        states=[{"id": "H", "threshold": 0.2, "counterparties": ["F"] if three else None}, {"id": "F"}],
        rules=[{"id": "r", "states": ["H"], "depth": True}, {"id": "s", "states": ["F", "H"]}],
        lobbies=[*lobbies, {"id": "g", "state": "F", "role": "K"}],
        judgements=_judgements(rng, three),
        decisions=_decisions(rng, three, flip),
        outcomes=3 if three else 2,
    )


def _judgements(rng: np.random.Generator, three: bool) -> list[dict]:
    found = [normal(b, rng.uniform(0.2, 1.5), rng.uniform(0.2, 0.8)) for b in "jklofg"]
    found += [normal("p", rng.uniform(-0.5, 1), 0.5), known("step", 0.1, "p"), known("decision_noise", 0.6)]
    found += [known("volatility", rng.uniform(0.05, 0.3), b) for b in "jklp"]
    found += [known("volatility", 0.0, b) for b in "ofg"]
    found += [known("shadow", 0.7), known("reciprocity", 0.8, state="F")]
    found += [known("rule_spread_points", 0.3)]
    if three:
        found += [known("trust", 2.0, state="H"), known("partial_width", 0.4)]
        found += [normal("j", -0.5, 0.4, analyst="b", weight=0.5)]
    else:
        found += [known("reciprocity", 0.8, state="H")]
    return found


def _decisions(rng: np.random.Generator, three: bool, flip: bool) -> list[dict]:
    words = ["violate", "comply", "partial"] if three else ["violate", "comply"]
    turned = {"violate": "comply", "comply": "violate"} if flip else {}
    days = 2001 + np.sort(rng.choice(15, 4, replace=False))
    rows = [
        complied(f"{day}-03-01", turned.get(word := str(rng.choice(words)), word), rule=str(rng.choice(["r", "s"])))
        for day in days
    ]
    rows.append(complied("2003-09-01", str(rng.choice(words)), state="F", rule="s"))
    adhered = {"date": "2000-01-01", "state": "H", "rule": "*", "kind": "adherence"}
    return [*rows, adhered | {"decision": "not_adhere" if flip else "adhere"}]


def filtered(decisions: list[str], width: float = 0.0, mean: float = 0.3, sd: float = 0.8, step: float = 0.25):
    """The `walk` by a filter on a grid of margins: log evidence, and chances of comply for one step ahead of all.

    Independent of the package: a density carried through steps of a random walk and weighed by each decision.
    """
    from scipy.stats import norm

    grid = np.linspace(-12, 12, 801)
    move = norm.pdf(grid[:, None], grid[None, :], VOLATILITY * np.sqrt(step)) * (grid[1] - grid[0])
    comply, violate = norm.cdf((grid - width) / NOISE), norm.cdf((-width - grid) / NOISE)
    chance = {"comply": comply, "violate": violate, "partial": 1 - comply - violate}
    density = norm.pdf(grid, mean, sd) * (grid[1] - grid[0])
    log_p = 0.0
    for decision in decisions:
        density = (move @ density) * chance[decision]
        log_p += np.log(density.sum())
        density /= density.sum()
    return log_p, float(comply @ (move @ density))
