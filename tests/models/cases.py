"""Small cases for the models: two states that answer each other, and one state with sharp magnitudes."""

from pathlib import Path
from typing import Any

import numpy as np

from bayes_compliance import asking, models
from bayes_compliance.case import Case, load_case
from bayes_compliance.latents import Draws, Latents
from bayes_compliance.models import Prepared
from tests.builders import complied, known, quantiles, write_case

SIDES = {"H": ("bananas", "oranges"), "F": ("oranges", "bananas")}


def lobbies(state: str) -> list[dict[str, Any]]:
    """One lobby of each role."""
    return [{"id": f"{state} {role}", "state": state, "role": role} for role in "JKLPG"]


def magnitudes(state: str, weights: dict[str, float] | None = None) -> list[dict[str, Any]]:
    """Log-scale lobbies within a factor of 1.5, P and G around 0."""
    size = {"J": 1.0, "K": 2.0, "L": 1.5, "P": 0.2, "G": 0.1} | (weights or {})
    found = [quantiles("magnitude", size[r] / 1.5, size[r], size[r] * 1.5, f"{state} {r}") for r in "JKL"]
    return found + [quantiles("magnitude", size[r] - 0.5, size[r], size[r] + 0.5, f"{state} {r}") for r in "PG"]


DECISIONS = [
    {"date": "2000-01-01", "state": "H", "rule": "*", "kind": "adherence", "decision": "adhere"},
    {"date": "2000-01-01", "state": "F", "rule": "*", "kind": "adherence", "decision": "adhere", "confidence": "high"},
    complied("2002-01-01", "comply", "H", "bananas"),
    complied("2003-01-01", "comply", "F", "oranges", confidence="medium"),
    complied("2004-01-01", "partial", "H", "bananas"),
    complied("2005-01-01", "violate", "F", "oranges"),
    complied("2006-01-01", "violate", "H", "bananas", confidence="low"),
]


def two_states(folder: Path, *, judgements: list = (), decisions: list | None = None, **head: Any) -> Case:
    """H owes bananas, F oranges, and each answers the other; three outcomes unless said otherwise."""
    rules = [{"id": mine, "states": [s], "answered_by": [theirs], "depth": True} for s, (mine, theirs) in SIDES.items()]
    place = write_case(
        folder,
        states=[{"id": "H", "counterparties": ["F"]}, {"id": "F", "counterparties": ["H"]}],
        rules=rules,
        lobbies=[*lobbies("H"), *lobbies("F")],
        judgements=[*magnitudes("H"), *magnitudes("F", {"K": 1.6}), *judgements],
        decisions=DECISIONS if decisions is None else decisions,
        **({"scale": "log", "outcomes": 3} | head),
    )
    return load_case(place)


def prior_draws(prepared: Prepared, n: int = 50, seed: int = 1) -> Draws:
    """Independent prior draws of every latent."""
    return Latents(prepared.layout).draw_all(n, np.random.default_rng(seed))


def supports(name: str, case: Case, draws: Draws | None = None, **more: Any) -> np.ndarray:
    """Support of the observed rows under draws, (draw, row)."""
    prepared = models.prepare(name, case)
    draws = prior_draws(prepared) if draws is None else draws
    return asking.ask_observed(prepared.model, prepared.layout, draws | more).support


def constants(**values: float) -> list[dict[str, Any]]:
    """Known constants of every state."""
    return [known(name, value) for name, value in values.items()]
