"""What a model of PyMC is built from, as a key: our code, the libraries, the case, the priors and the decisions."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from bayes_compliance import models
from bayes_compliance.inference.machine import digest

if TYPE_CHECKING:
    from bayes_compliance.layout import Layout

LIBRARIES = ("pymc", "pytensor", "nutpie", "numba", "llvmlite", "numpy", "scipy")


def built_from(model: ModuleType, layout: Layout) -> str | None:
    """A key that two layouts share only if the model would build the same from both; None for a user's own model."""
    build = model.build
    if not build.__module__.startswith(f"{models.__name__}."):
        return None
    case = json.dumps(layout.case.model_dump(mode="json"), sort_keys=True)
    prior = [(name, each.dim, each.priors) for name, each in sorted(layout.priors.quantities.items())]
    decided = [values.tolist() for values in (layout.outcome, layout.error, layout.n_outcomes)]
    kind = type(layout)
    names = build.__module__, build.__qualname__, kind.__module__, kind.__qualname__
    return digest(_code(), names, case, prior, decided)


@cache
def _code() -> str:
    """A digest of all our sources and of the versions of what compiles them."""
    found = sha256(repr([version(name) for name in LIBRARIES]).encode())
    for folder in sorted({Path(__file__).parents[1], *map(Path, models.__path__)}):
        for file in sorted(folder.rglob("*.py")):
            found.update(file.read_bytes())
    return found.hexdigest()
