"""Machine code on disk: what PyTensor compiles for a graph, behind the two calls that nutpie makes of it.

Numba keeps compiled functions on disk by itself, but not the callbacks that a sampler needs, and compiles the whole
density into them anew in every process. Here they are functions of a file of their own, so that numba's cache
(``cfunc(cache=True)``) applies to them as well; the file's folder is named by a digest of the graph.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from bayes_compliance import disk
from bayes_compliance.inference.sampler import nutpie

CACHE = "BAYES_COMPLIANCE_CACHE"
"""Environment variable: folder of compiled models, or ``off``; no result depends on it."""

FILE, LENGTH = "callbacks.py", 32
"""Name of the file, and of digests how many digits make the name of its folder."""

MOST = 60
"""Folders of compiled models that are kept (NAFTA: 3 MB), the latest used."""

UNREADABLE = (Exception,)
"""What numba may raise on reading what was spoilt, or was made elsewhere: unpickling knows no bounds."""

SOURCE = '''\
"""Made by bayes_compliance: callbacks of a compiled model, beside which numba keeps their machine code."""

import numpy as np
from numba import carray
from nutpie.compile_pymc import address_as_void_pointer

density = expansion = None


def logp(dim, x_, out_, logp_, data_):
    x, out = carray(x_, ({size},)), carray(out_, ({size},))
    try:
{density_data}
        value, gradient = density(x{density_names})
        finite = True
        for i in range({size}):
            out[i] = gradient[i]
            finite = finite and np.isfinite(gradient[i])
        logp_[0] = value[()]
        if not finite:
            return 3
        if not np.isfinite(value[()]):
            return 4
    except Exception:
        return 1
    return 0


def expand(dim, expanded, x_, out_, data_):
    x, out = carray(x_, ({size},)), carray(out_, ({expanded},))
    try:
{expansion_data}
        (values,) = expansion(x{expansion_names})
        for i in range({expanded}):
            out[i] = values[i]
    except Exception:
        return -2
    return 0
'''


class Array(NamedTuple):
    """An array that the density reads at an address: its place among the addresses, shape and dtype."""

    place: int
    shape: tuple[int, ...]
    dtype: str


class Form(NamedTuple):
    """What the callbacks are like, beside the graph: length of the point and of the draw, and arrays of each."""

    size: int
    expanded: int
    density: tuple[Array, ...] = ()
    expansion: tuple[Array, ...] = ()

    @property
    def source(self) -> str:
        """Python source of both callbacks."""
        parts: dict[str, Any] = {"size": self.size, "expanded": self.expanded}
        for name, arrays in (("density", self.density), ("expansion", self.expansion)):
            last = max((array.place for array in arrays), default=0) + 1
            lines = [f"places = carray(data_, ({last},), np.uintp)"] if arrays else ["pass"]
            lines += [
                f"a{i} = carray(address_as_void_pointer(places[{a.place}]), {a.shape}, np.dtype('{a.dtype}'))"
                for i, a in enumerate(arrays)
            ]
            parts[f"{name}_data"] = "\n".join(f"        {line}" for line in lines)
            parts[f"{name}_names"] = "".join(f", a{i}" for i in range(len(arrays)))
        return SOURCE.format(**parts)


class Callbacks(NamedTuple):
    """Compiled `logp` and `expand`, as numba has them."""

    logp: Any
    expand: Any


def folder() -> Path | None:
    """Where compiled models are kept; None if they are not."""
    said = os.environ.get(CACHE, "")
    if said == "off":
        return None
    if said:
        return Path(said)
    home = os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else os.environ.get("XDG_CACHE_HOME")
    with suppress(RuntimeError):  # no home
        return (Path(home) if home else Path.home() / ".cache") / "bayes_compliance"
    return None


def digest(*parts: object) -> str:
    """A name for the parts, by their representations."""
    return sha256(repr(parts).encode()).hexdigest()[:LENGTH]


def compiled(key: str | None, form: Form, density: Any, expansion: Any) -> Callbacks:
    """The callbacks of a graph's compiled functions; read from the disk, or kept there, where there is a key."""
    place = folder()
    kept = None if key is None or place is None else _module(place, key, form)
    if kept is not None:
        kept.density, kept.expansion = density, expansion  # type: ignore[attr-defined]
        with suppress(*UNREADABLE):
            return _callbacks(kept, True)
        shutil.rmtree(Path(str(kept.__file__)).parent, ignore_errors=True)
    module = ModuleType("_bayes_compliance_callbacks")
    exec(compile(form.source, "<callbacks>", "exec"), vars(module))
    module.density, module.expansion = density, expansion  # type: ignore[attr-defined]
    return _callbacks(module, False)


def known(key: str, form: Form) -> Callbacks | None:
    """The callbacks as they were kept; None if they are not there, or were made on another kind of processor."""
    place = folder()
    if place is None or not (place / key / FILE).is_file() or (module := _module(place, key, form)) is None:
        return None
    with suppress(*UNREADABLE):
        return _callbacks(module, True)
    return None


def _module(place: Path, key: str, form: Form) -> ModuleType | None:
    """The callbacks' file as a module, written if it is not there; None where it cannot be written or read."""
    file, name = place / key / FILE, f"_bayes_compliance_{key}"
    try:
        if not file.is_file() or file.read_bytes() != form.source.encode():
            file.parent.mkdir(parents=True, exist_ok=True)
            disk.replace(file, form.source)
            _forget(place)
        os.utime(file.parent)
    except OSError:
        return None
    nutpie()  # which the file imports from
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    with suppress(*UNREADABLE):  # Python too keeps what it made of the file beside it
        spec.loader.exec_module(module)
        return module
    del sys.modules[name]
    shutil.rmtree(file.parent, ignore_errors=True)
    return None


def _callbacks(module: ModuleType, keep: bool) -> Callbacks:
    import numba

    t = numba.types
    point, data = t.CPointer(t.double), t.voidptr
    logp = numba.cfunc(t.int64(t.uint64, point, point, point, data), cache=keep)(module.logp)
    return Callbacks(logp, numba.cfunc(t.int64(t.uint64, t.uint64, point, point, data), cache=keep)(module.expand))


def _forget(place: Path) -> None:
    """Remove the compiled models that have not been used for longest, and nothing else that is there."""
    ours = [file.parent for file in place.glob(f"*/{FILE}") if len(file.parent.name) == LENGTH]
    for one in sorted(ours, key=lambda one: one.stat().st_mtime)[:-MOST]:
        shutil.rmtree(one, ignore_errors=True)
