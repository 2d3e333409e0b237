"""The theories, by name: `load("coalition")` finds the folder `models` beside the package or inside it."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from bayes_compliance.errors import Refused

_here = Path(__file__).resolve().parent
__path__ = [
    str(folder) for folder in (_here.parent / "models", _here / "models") if (folder / "coalition.py").is_file()
]


def available() -> list[str]:
    """Names of the shipped models."""
    return sorted({file.stem for folder in __path__ for file in Path(folder).glob("[a-z]*.py")})


def load(name: str) -> ModuleType:
    """A model by name, or a user's own by the path of its file.

    Raises
    ------
    Refused
        If no shipped model has the name, naming those that there are.
    """
    if name.endswith(".py"):
        return _from_file(Path(name))
    if name not in available():
        raise Refused(f"--model: {name!r} is not a model; allowed: {', '.join(available())}, or the path of a .py file")
    return importlib.import_module(f"{__name__}.{name}")


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise Refused(f"--model: {path} is not a file; allowed: the path of a .py file")
    spec = importlib.util.spec_from_file_location(f"_user_model_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    missing = [name for name in ("support", "build") if not hasattr(module, name)]
    if missing:
        raise Refused(f"--model: {path} lacks {', '.join(missing)}; a model has support() and build()")
    return module
