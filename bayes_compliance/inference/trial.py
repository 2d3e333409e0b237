"""A better way to fit, tried first: a model offers one, and says under which draws it is not valid.

A model with `through` and `several` is fitted by NUTS in that way if a posterior like the prior would probably be free
of draws under which it is not valid, and the fit stands if its own posterior is. Otherwise the model is fitted as it
is, and its NOTE says why.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from bayes_compliance import seeds
from bayes_compliance.inference import Drawn, draw
from bayes_compliance.latents import Draws, Latents
from bayes_compliance.models import altered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayes_compliance.models import Prepared

PRIOR_DRAWS = 4000
MOST = 3.0
"""Draws not valid to be expected in a posterior like the prior: with more, it is free of them less than once in 20."""

HOW, NOTE = "fitted", "model_note"
STANDS, AS_IT_IS = "through the fixed point", "as it is"
"""What a tree's attributes say of its fit."""


def settled(prepared: Prepared, **sampler: Any) -> tuple[Prepared, Drawn]:
    """The model as it was fitted in the end, and its posterior: by the better way where that stands, else as it is.

    Parameters
    ----------
    prepared : Prepared
    **sampler
        Arguments of `bayes_compliance.inference.draw`.
    """
    found, drawn = tried(prepared, **sampler)
    if drawn is not None:
        return found, drawn
    drawn = draw(found, **sampler)
    noted = {HOW: AS_IT_IS, NOTE: found.model.NOTE} if _offers(found) else {}
    return found, drawn._replace(attrs=drawn.attrs | noted)


def tried(
    prepared: Prepared, *, engine: str, seed: int, draws: int, chains: int, **sampler: Any
) -> tuple[Prepared, Drawn | None]:
    """The model with its draws where the better way stands; else the model with a NOTE of why not, and None."""
    if not _offers(prepared):
        return prepared, None
    better = _offered(prepared, engine, seed, draws * chains)
    if isinstance(better, str):
        return _noted(prepared, better), None
    drawn = draw(better, engine=engine, seed=seed, draws=draws, chains=chains, **sampler)
    failing = _several(better, drawn.draws)
    if failing:
        why = f"of {draws * chains} posterior draws through the fixed point {failing} had several equilibria"
        return _noted(prepared, why), None
    return better, drawn._replace(attrs=drawn.attrs | {HOW: STANDS, NOTE: better.model.NOTE})


def as_fitted(prepared: Prepared, attrs: Mapping[Any, Any]) -> Prepared:
    """A model, prepared anew, as it was fitted by the attributes of its tree."""
    if HOW not in attrs or not _offers(prepared):
        return prepared
    if attrs[HOW] == STANDS:
        better = prepared.model.through(prepared)
        assert not isinstance(better, str), better
        return better
    return prepared._replace(model=altered(prepared.model, NOTE=attrs[NOTE]))


def still_valid(prepared: Prepared, draws: Draws, attrs: Mapping[Any, Any]) -> bool:
    """Whether draws of a fit by the better way are valid under other decisions, or another case, too."""
    return attrs.get(HOW) != STANDS or not _several(prepared, draws)


def _offers(prepared: Prepared) -> bool:
    return hasattr(prepared.model, "through")


def _offered(prepared: Prepared, engine: str, seed: int, draws: int) -> Prepared | str:
    """The better way, or why it is not to be tried."""
    if engine != "nuts":
        return f"engine {engine} was asked for, and only nuts goes through the fixed point"
    better = prepared.model.through(prepared)
    if isinstance(better, str):
        return better
    prior = Latents(better.layout).draw_all(PRIOR_DRAWS, seeds.generator(seed, "trial"))
    failing = _several(better, prior)
    if failing / PRIOR_DRAWS * draws > MOST:
        return f"of {PRIOR_DRAWS} prior draws {failing} had several equilibria"
    return better


def _several(prepared: Prepared, draws: Draws) -> int:
    """Number of draws, (..., item), under which the better way is not valid."""
    flat = {name: values.reshape(prod(values.shape[:-1]), -1) for name, values in draws.items()}
    return int(prepared.model.several(prepared.layout, flat).sum())


def _noted(prepared: Prepared, why: str) -> Prepared:
    return prepared._replace(model=altered(prepared.model, NOTE=f"{prepared.model.NOTE}: {why}"))
