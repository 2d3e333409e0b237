"""The theories, by name: `load("coalition")` finds the folder `models` beside the package or inside it.

A model is a module with `support(layout, rows, x, walk, spread, history)` and `build(layout)`. It may also have

    USES        quantities of a judgement that it reads beyond those that every model reads
    recast      case -> case: a rival that has no lobbies states its own
    complete    (layout, draws, rng, observed) -> draws: latents that the sampler does not see, such as a discrete
                type, given the decisions or (observed False) from their prior
    parts       arguments of support -> Parts: support taken apart by lobby, for the analyses
    expect      arguments of support, all obligations on one date ahead -> Foreseen: what deciders expect of others
    VARIANTS    name -> attributes that differ: `load("model:name")`
    FITTED_AS   the model whose fit this one shares
    OBSERVED_BY_SUPPORT  True for a build() of its own in which, as in coalition, decisions depend on support alone
    log_likelihood  (layout, draws) -> (..., factor): where they do not, the log likelihood in independent factors
    TARGET_ACCEPT  of NUTS, where small steps cost little and spare divergences
    NOTE        how it was fitted, for the summary of a run
    LAYOUT      a layout of its own, (case, priors) -> Layout
    through, several  prepared -> another way to fit, or why there is none; (layout, draws) -> (draw,) where that way
                is not valid: see `bayes_compliance.inference.trial`

The model `panel` is of many cases at once, and has a command of its own.
"""

from __future__ import annotations

import importlib
from os import PathLike, fspath
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from bayes_compliance import own
from bayes_compliance.arguments import check_above_0, is_path, shown
from bayes_compliance.errors import Refused

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.elicitation import Priors
    from bayes_compliance.layout import Layout

_here = Path(__file__).resolve().parent
__path__ = [str(place) for place in (_here.parent / "models", _here / "models") if (place / "coalition.py").is_file()]


class Prepared(NamedTuple):
    """A model with the case as the model sees it, its priors and their layout."""

    model: ModuleType
    case: Case
    priors: Priors
    layout: Layout

    def __repr__(self) -> str:
        case = self.case
        return (
            f"<Prepared: {case.name}, model {short(self.model)}, states: {len(case.states)}, "
            f"lobbies: {len(case.lobbies)}, decisions: {len(case.decisions)}>"
        )


DEFAULT = "coalition"
RIVALS = ("unitary", "managerial")
"""Theories beside which a model is put unless others are named."""

PANEL = "panel"
"""The one model that is of many cases, not of one."""


def short(model: ModuleType) -> str:
    """A model's name without that of this package."""
    return model.__name__.rpartition(".")[2]


def available() -> list[str]:
    """Names of the shipped models of one case."""
    return sorted({file.stem for folder in __path__ for file in Path(folder).glob("[a-z]*.py")} - {PANEL})


def load_panel() -> ModuleType:
    """The model of many states and many rules."""
    return importlib.import_module(f"{__name__}.{PANEL}")


def name_of(model: str | PathLike[str], option: str = "--model") -> str:
    """A model's name, or the path of its file, as text.

    Parameters
    ----------
    model : str or path
    option : str
        Where it was given.

    Raises
    ------
    Refused
        If it is neither.
    """
    if not is_path(model):
        raise Refused(f"{option}: {shown(model)} is no name; allowed: that of a model, or the path of a .py file")
    return fspath(model)


def load(name: str | PathLike[str], option: str = "--model") -> ModuleType:
    """A model by name (with the variant after a colon, if it has any), or a user's own by the path of its file.

    Parameters
    ----------
    name : str or path
    option : str
        Where it was given.

    Raises
    ------
    Refused
        If no shipped model has the name, or the model no such variant, naming those that there are.
    """
    name = name_of(name, option)
    if name.endswith(".py"):
        return own.from_file(Path(name))
    base, _, variant = name.partition(":")
    if base == PANEL:
        raise Refused(
            f"{option}: {name!r} is no model of one case; allowed: {', '.join(available())} here, or the command "
            f"`bayes-compliance {load_panel().COMMAND}`"
        )
    if base not in available():
        allowed = f"{', '.join(available())}, or the path of a .py file"
        raise Refused(f"{option}: {name!r} is not a model; allowed: {allowed}")
    module = importlib.import_module(f"{__name__}.{base}")
    return _variant(module, name, variant, option) if variant else module


def _variant(module: ModuleType, name: str, variant: str, option: str) -> ModuleType:
    variants = getattr(module, "VARIANTS", {})
    if variant not in variants:
        base = name.partition(":")[0]
        allowed = ", ".join([base, *(f"{base}:{one}" for one in sorted(variants))])
        raise Refused(f"{option}: {name!r} is not a model; allowed: {allowed}")
    return _copied(module, f"{module.__name__}:{variant}", variants[variant])


def altered(module: ModuleType, **changes: Any) -> ModuleType:
    """A copy of a model's module, by the same name, with some attributes changed."""
    return _copied(module, module.__name__, changes)


def _copied(module: ModuleType, name: str, changes: dict[str, Any]) -> ModuleType:
    copied = ModuleType(name, module.__doc__)
    vars(copied).update({k: v for k, v in vars(module).items() if not k.startswith("__")} | changes)
    return copied


def prepare(
    model: ModuleType | str | PathLike[str], case: Case, noise_scale: float = 1.0, pool: str = "linear"
) -> Prepared:
    """The case as a model sees it, with priors for what the model reads.

    Parameters
    ----------
    model : module, str or path
    case : Case
    noise_scale : float > 0
        Multiplies the decision noise, for sensitivity.
    pool : str
        How several analysts of one quantity are pooled: ``linear``, ``log`` or ``cooke``.

    Raises
    ------
    Refused
        If there is no such model or pool, the model cannot have this case, or another argument is of the wrong kind.
    """
    from bayes_compliance.case import Case
    from bayes_compliance.elicitation import build_priors
    from bayes_compliance.layout import Layout

    module = model if isinstance(model, ModuleType) else load(model)
    if not isinstance(case, Case):
        raise Refused(f"case: {shown(case)} is no Case; allowed: one, such as bayes_compliance.case.load_case reads")
    check_above_0("noise_scale", noise_scale)
    if hasattr(module, "recast"):
        case = module.recast(case)
    priors = build_priors(case, noise_scale, pool).for_model(getattr(module, "USES", ()))
    prepared = Prepared(module, case, priors, getattr(module, "LAYOUT", Layout)(case, priors))
    return own.tried(prepared) if own.is_own(module) else prepared
