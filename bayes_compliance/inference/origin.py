"""What a model of PyMC is built from, as a key: our code, the libraries, the case, forms of priors, the decisions."""

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
from bayes_compliance.latents import Latents, by_form, form, is_scaled

if TYPE_CHECKING:
    from bayes_compliance.elicitation import Prior
    from bayes_compliance.layout import Layout

NO_PART = {"name", "title", "inputs", "horizon", "judgements", "seeds", "scenarios"}
"""Of a case: what no model is built from, but for the priors that judgements and seeds come to."""

LIBRARIES = ("pymc", "pytensor", "nutpie", "numba", "llvmlite", "numpy", "scipy")


def built_from(model: ModuleType, layout: Layout) -> str | None:
    """A key that two layouts share only if the model would build the same from both, but for the data `JUDGED`.

    None for a user's own model.
    """
    build = model.build
    if not build.__module__.startswith(f"{models.__name__}."):
        return None
    case = json.dumps(layout.case.model_dump(mode="json", exclude=NO_PART), sort_keys=True)
    # proxies of magnitudes are measured from the priors' medians
    known = (lambda name, prior: prior) if layout.measured.groups else _known
    prior = [
        (name, each.dim, [None if one is None else known(name, one) for one in each.priors])
        for name, each in sorted(layout.priors.quantities.items())
    ]
    pooled = [(name, max(len(p.components) for p in each)) for name, each in by_form(Latents(layout)).items()]
    decided = [values.tolist() for values in (layout.outcome, layout.error, layout.rows.n_outcomes)]
    kind = type(layout)
    names = build.__module__, build.__qualname__, kind.__module__, kind.__qualname__
    return digest(_code(), names, case, str(layout.case.reference_date), prior, pooled, decided)


def _known(name: str, prior: Prior) -> object:
    """What the graph has of a prior."""
    if is_scaled(name, prior):
        return "constant"
    return prior.value if prior.is_constant else form(prior)


@cache
def _code() -> str:
    """A digest of all our sources and of the versions of what compiles them."""
    found = sha256(repr([version(name) for name in LIBRARIES]).encode())
    for folder in sorted({Path(__file__).parents[1], *map(Path, models.__path__)}):
        for file in sorted(folder.rglob("*.py")):
            found.update(file.read_bytes())
    return found.hexdigest()
