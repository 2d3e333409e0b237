"""From a PyMC model to what nutpie samples, by the shortest way that gives the same draws.

In full that way is: build the model, have PyTensor simplify its density and gradient, have numba compile them. The
machine code is kept on disk by the graph (`bayes_compliance.inference.machine`). Where what the model was built from is
known by a key, so is all else that sampling needs, and neither PyMC nor PyTensor has anything to do. Judgements are no
part of the key: the priors' parameters are data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import disk
from bayes_compliance.inference import home, machine, origin
from bayes_compliance.inference.machine import Array, Callbacks, Form
from bayes_compliance.latents import JUDGED, flat, starts

if TYPE_CHECKING:
    import pymc as pm

    from bayes_compliance.layout import Layout

home.give()  # before anything imports PyTensor


@dataclass(frozen=True, eq=False)
class Compiled:
    """A compiled model.

    Attributes
    ----------
    names : tuple of str
        Variables whose draws are kept.
    arrays : dict of array
        Data that the density reads, by name; others of the same shapes may take their place.
    """

    names: tuple[str, ...]
    arrays: dict[str, NDArray]
    _parts: dict[str, Any]

    def with_data(self, **arrays: NDArray) -> Compiled:
        """The same model with other data.

        Raises
        ------
        ValueError
            If an array has another shape than it was compiled for (the sampler would panic), or is not known.
        """
        found = dict(self.arrays)
        for name, values in arrays.items():
            if name not in found:
                raise ValueError(f"{name} is no data of the model; allowed: {', '.join(found)}")
            if np.shape(values) != found[name].shape:
                raise ValueError(f"{name} has shape {np.shape(values)}; compiled for {found[name].shape}")
            found[name] = np.array(values, dtype=found[name].dtype, order="C")
        return replace(self, arrays=found)

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Shape of a draw of a variable."""
        shape: tuple[int, ...] = self._parts["_shapes"][name]
        return shape

    def for_nutpie(self) -> Any:
        """The model as nutpie takes it."""
        from nutpie.compile_pymc import CompiledPyMCModel

        places = np.array([array.ctypes.data for array in self.arrays.values()] or [0], np.uintp)
        return CompiledPyMCModel(
            dims={}, _coords={}, shared_data=self.arrays, shared_var_keys={}, user_data=places, logp_func=None,
            expand_func=None, **self._parts,
        )  # fmt: skip


def of_model(built: pm.Model, names: list[str]) -> Compiled:
    """A model of PyMC compiled, its code from the disk where the same graph was compiled before.

    Parameters
    ----------
    built : pm.Model
        With one free variable or more.
    names : list of str
        Variables whose draws are kept; the free ones are in any case.
    """
    return _made(built, names)[0]


def of_layout(
    model: ModuleType, layout: Layout, build: Callable[[], pm.Model], data: Mapping[str, NDArray] | None = None
) -> Compiled | None:
    """A model of a layout, with its judgements for data; None where it has no free variable.

    Where a layout of like form was compiled before, with other judgements perhaps, nothing is built.

    Parameters
    ----------
    model : module
    layout : Layout
    build : callable
        Builds the model.
    data : dict of array or None
        What it reads beside the judgements, by name.
    """
    given = {JUDGED: flat(layout), **(data or {})}
    start = Start(starts(layout))
    key = origin.built_from(model, layout)
    if key is not None:
        key = machine.digest(key, [(name, values.shape) for name, values in given.items()])
        if (found := _recalled(key, start, given)) is not None:
            return found
    built = build()
    names = [variable.name for variable in built.free_RVs]
    if not names:
        return None
    known = start if set(names) == set(start.support) else None
    compiled, graph, form = _made(built, names, known)
    if key is not None and graph is not None and known is not None:
        _remember(key, compiled, graph, form)
    return compiled


@contextmanager
def _sources() -> Iterator[None]:
    """A folder for what PyTensor writes and numba reads: else dozens of files of each model stay in the system's."""
    import pytensor

    with TemporaryDirectory() as folder, pytensor.config.change_flags(generated_src_dir=folder):
        yield


@_sources()
def _made(built: pm.Model, names: list[str], start: Start | None = None) -> tuple[Compiled, str | None, Form]:
    from importlib.metadata import version

    import pytensor
    from nutpie.compile_pymc import _make_functions
    from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS

    # fast-math code differs between a fresh compilation and one read from numba's cache, and so would the draws
    pytensor.config.numba__fastmath = False
    size, expanded, density, expansion, initial, shapes, moved = _make_functions(
        built, mode="NUMBA", compute_grad=True, join_expanded=True, var_names=names,
        pymc_initial_point_fn=_initial_point(built),
    )  # fmt: skip
    if start is not None:
        initial = partial(start, names)
    shared = list(dict.fromkeys(v for function in (density, expansion) for v in function.get_shared()))
    names_of = [v.name for v in shared]
    called = [name if name and names_of.count(name) == 1 else f"data {i}" for i, name in enumerate(names_of)]
    arrays = {name: np.array(v.get_value(), order="C") for name, v in zip(called, shared, strict=True)}

    def read_by(function: Any) -> tuple[Array, ...]:
        places = [shared.index(v) for v in function.get_shared()]
        return tuple(Array(i, arrays[called[i]].shape, arrays[called[i]].dtype.name) for i in places)

    form = Form(int(size), int(expanded), read_by(density), read_by(expansion))
    compiled = [function.vm.jit_fn for function in (density, expansion)]
    graphs = [CACHED_SRC_FUNCTIONS.get(one.py_func) for one in compiled]
    made_by = [version(name) for name in ("nutpie", "numba", "llvmlite", "pytensor")]
    graph = None if None in graphs else machine.digest(graphs, form, form.source, made_by)
    callbacks = machine.compiled(graph, form, *compiled)
    return Compiled(tuple(names), arrays, _parts(callbacks, form, shapes, initial, moved)), graph, form


def _parts(callbacks: Callbacks, form: Form, shapes: Any, initial: Any, moved: list[str]) -> dict[str, Any]:
    """What nutpie's compiled model holds, but for data."""
    return {
        "_n_dim": form.size, "n_expanded": form.expanded, "compiled_logp_func": callbacks.logp,
        "compiled_expand_func": callbacks.expand, "initial_point_func": initial, "shape_info": shapes,
        "_shapes": {name: tuple(shape) for name, _, shape in zip(*shapes, strict=True)},
        "reparameterized_names": moved,
    }  # fmt: skip


def _initial_point(built: pm.Model) -> Callable[[int], dict[str, NDArray]]:
    """The support point of each variable on the unconstrained scale with jitter U(-1, 1), as PyMC starts from."""
    from nutpie.compile_pymc import _wrap_with_lock
    from pymc.initial_point import make_initial_point_fn

    found: Callable[[int], dict[str, NDArray]] = _wrap_with_lock(
        make_initial_point_fn(model=built, jitter_rvs=set(built.free_RVs))
    )
    return found


class Start:
    """Initial points: prior medians on the unconstrained scale with jitter U(-1, 1).

    Parameters
    ----------
    support : dict of array
        The medians, by variable.
    """

    def __init__(self, support: Mapping[str, NDArray]) -> None:
        self.support = support

    def __call__(self, names: list[str], seed: int | None = None) -> NDArray:
        """A point of the variables, one after the other."""
        at = np.concatenate([self.support[name] for name in names])
        return at + np.random.default_rng(seed).uniform(-1, 1, len(at))


def _remember(key: str, compiled: Compiled, graph: str, form: Form) -> None:
    """Keep what sampling needs beside the machine code."""
    place, (names, slices, shapes) = machine.folder(), compiled._parts["shape_info"]
    if place is None:
        return
    record = {
        "graph": graph, "form": form, "kept": compiled.names, "names": names,
        "slices": [[int(one.start), int(one.stop)] for one in slices],
        "shapes": [list(map(int, shape)) for shape in shapes], "moved": compiled._parts["reparameterized_names"],
        "arrays": [[name, list(values.shape), values.dtype.name] for name, values in compiled.arrays.items()],
    }  # fmt: skip
    with suppress(OSError):
        disk.replace(place / graph / f"{key}.json", json.dumps(record))


def _recalled(key: str, start: Start, given: Mapping[str, NDArray]) -> Compiled | None:
    place = machine.folder()
    if place is None or not place.is_dir():
        return None
    file = next(iter(place.glob(f"*/{key}.json")), None)
    if file is None:
        return None
    with suppress(OSError, ValueError, KeyError, TypeError):
        record: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        size, expanded, *read = record["form"]
        form = Form(size, expanded, *(tuple(Array(i, tuple(shape), kind) for i, shape, kind in each) for each in read))
        shapes = (record["names"], [slice(*one) for one in record["slices"]], [tuple(s) for s in record["shapes"]])
        arrays = {name: np.zeros(shape, kind) for name, shape, kind in record["arrays"]}
        initial = partial(start, record["kept"])
        if (callbacks := machine.known(record["graph"], form)) is not None:
            parts = _parts(callbacks, form, shapes, initial, record["moved"])
            return Compiled(tuple(record["kept"]), arrays, parts).with_data(**{name: given[name] for name in arrays})
    return None
