"""W at the knots as a function of the innovations that NUTS can differentiate, in as many steps as there are knots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import grad_not_implemented
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

if TYPE_CHECKING:
    from bayes_compliance.layout import Layout

VERSION = 1
"""Of `walked` and `pulled_back`, for numba's cache on disk: to be raised whenever they change."""


class Walk(Op):
    """``w[i] = kept[i] w[i - 1] + new[i] e[i]`` from e, kept and new, (n,) each; or its transpose, from w to e.

    One is the other's gradient.
    """

    __props__ = ("transposed",)

    def __init__(self, transposed: bool = False) -> None:
        self.transposed = transposed

    def make_node(self, *inputs: Any) -> Apply:
        vectors = [pt.as_tensor(one).astype("float64") for one in inputs]
        return Apply(self, vectors, [vectors[0].type()])

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        outputs[0][0] = _loop(self)(*inputs)

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        return shapes[:1]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        steps = [grad_not_implemented(self, i, one) for i, one in enumerate(inputs[1:], start=1)]
        return [Walk(not self.transposed)(cotangents[0], *inputs[1:]), *steps]


@register_funcify_default_op_cache_key(Walk)
def _funcified(op: Walk, node: Apply, **_: Any) -> tuple[Any, int]:
    return numba_njit(_loop(op)), VERSION


def _loop(op: Walk) -> Any:
    return pulled_back if op.transposed else walked


def walked(e: NDArray, kept: NDArray, new: NDArray) -> NDArray:
    """What `Walk` computes, in a loop that numba compiles."""
    w = np.empty_like(e)
    last = 0.0
    for i in range(len(e)):
        last = kept[i] * last + new[i] * e[i]
        w[i] = last
    return w


def pulled_back(w: NDArray, kept: NDArray, new: NDArray) -> NDArray:
    """What the transpose computes."""
    e = np.empty_like(w)
    after = 0.0
    for i in range(len(w) - 1, -1, -1):
        own = w[i] + after
        e[i] = new[i] * own
        after = kept[i] * own
    return e


def at_knots(layout: Layout, innovation: Any) -> Any:
    """`layout.walk` of a tensor, (knot,)."""
    return Walk()(innovation, *layout.path_steps)
