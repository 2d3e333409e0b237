"""A model of one's own, from a file: imported, and tried on a few draws, so that what is wrong in it is said."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import TYPE_CHECKING

from bayes_compliance.errors import Refused

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared

NAME = "_user_model_"
DRAWS = 4


def from_file(path: Path) -> ModuleType:
    """The model in a file.

    Raises
    ------
    Refused
        If there is none, it cannot be imported, or lacks what every model has.
    """
    if not path.is_file():
        raise Refused(f"--model: {path} is not a file; allowed: the path of a .py file")
    spec = importlib.util.spec_from_file_location(f"{NAME}{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        with told(module, "the import"):
            spec.loader.exec_module(module)
    except Refused:
        del sys.modules[spec.name]
        raise
    missing = [name for name in ("support", "build") if not hasattr(module, name)]
    if missing:
        raise Refused(f"--model: {path} lacks {', '.join(missing)}; a model has support() and build()")
    return module


def is_own(model: ModuleType) -> bool:
    """Whether a model is a user's."""
    return model.__name__.startswith(NAME)


@contextmanager
def told(model: ModuleType, what: str) -> Iterator[None]:
    """Refuse, with its line, what fails within a user's own model; a shipped one fails as it does."""
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        if not is_own(model):
            raise
        said = error.msg if isinstance(error, SyntaxError) else error
        raise Refused(
            f"--model: {model.__file__}{_line_of(error, model)}: {what} fails: {type(error).__name__}: {said}; "
            "allowed: see help('bayes_compliance.models')"
        ) from error


def _line_of(error: Exception, model: ModuleType) -> str:
    """The last line of a model's file that an error came through, after a colon."""
    if isinstance(error, SyntaxError):
        return f":{error.lineno}" if error.filename == model.__file__ else ""
    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == model.__file__]
    return f":{lines[-1]}" if lines else ""


def tried(prepared: Prepared) -> Prepared:
    """A prepared model, refused if its support of the observed rows is not what the rest goes by.

    Raises
    ------
    Refused
        If it fails under draws of the priors, is no number in any of them, or has not one for each draw and row.
    """
    import numpy as np

    from bayes_compliance.asking import observed_support
    from bayes_compliance.inference import completed
    from bayes_compliance.latents import Latents

    layout, rng = prepared.layout, np.random.default_rng(1)
    shape = (DRAWS, len(layout.rows))
    with told(prepared.model, "support()"):
        draws = completed(prepared, Latents(layout).draw_all(DRAWS, rng), rng, observed=False)
        support = np.asarray(observed_support(prepared.model, layout, draws))
    wrong = ""
    if support.shape != shape:
        wrong = f"has shape {support.shape} for {shape[0]} draws of {shape[1]} rows"
    elif support.dtype.kind != "f":
        wrong = f"is of type {support.dtype}"
    elif support.size and not np.isfinite(support).any():
        wrong = f"is no number under any of {DRAWS} draws of the priors"
    if wrong:
        raise Refused(f"--model: {prepared.model.__file__}: support() {wrong}; allowed: numbers of shape (..., row)")
    return prepared
