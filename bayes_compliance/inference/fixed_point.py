r"""Equilibria of simultaneous choice as a function that NUTS can differentiate.

The chances p of a joint system solve p = F(p; theta). They are found without a gradient, by the monotone iteration of
`bayes_compliance.equilibria` and a few Newton steps to the last digit, with p and F' = dF/dp held constant in

.. math:: \hat p(\theta) = p + (I - F')^{-1} (F(p; \theta) - p)

whose value is p, a Newton step from it, and whose gradient is that of the implicit function theorem,
:math:`(I - F')^{-1} \partial F / \partial \theta`. It is right where p is the only equilibrium; where two of them meet
the least one jumps, and F' has an eigenvalue of 1.

Systems of several dates are solved side by side, as blocks that pad to the largest.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from bayes_compliance import theory
from bayes_compliance.equilibria import MOST, NEARLY_CERTAIN, PHI_0, TOLERANCE
from bayes_compliance.inference.paths import at_knots
from bayes_compliance.inference.variables import on_slots

if TYPE_CHECKING:
    from bayes_compliance.joint import JointLayout, Margins


SQRT_HALF = math.sqrt(0.5)
VERSION = 1
"""Of `solve`, for numba's cache on disk: to be raised whenever it changes."""


class Blocks(NamedTuple):
    """Where the rows and answering lobbies of flat systems stand in blocks by date, and where the rows stand there.

    Attributes
    ----------
    row, lobby : int array (block, n), (block, slot)
        Positions in the flat arrays, 0 in pads.
    owner : int array (block, slot)
        The row, within its block, that each lobby bears on; -1 in pads.
    looks : array (block, slot, n)
        Weights of the rows that each lobby looks at; 0 in pads.
    back : (int array, int array)
        Block and place of each flat row.
    """

    row: NDArray
    lobby: NDArray
    owner: NDArray
    looks: NDArray
    back: tuple[NDArray, NDArray]


def blocks(day: NDArray, owner: NDArray, looks: NDArray) -> Blocks:
    """Blocks of flat systems.

    Parameters
    ----------
    day : int array (row,)
        Number of each row's date, 0, 1, ...
    owner : int array (slot,)
    looks : array (slot, row)
        0 across dates.
    """
    rows = [np.flatnonzero(day == d) for d in range(day.max() + 1)]
    slots = [np.flatnonzero(day[owner] == d) for d in range(len(rows))]
    place = np.concatenate([np.arange(len(at)) for at in rows])[np.argsort(np.concatenate(rows))]
    n, most = max(map(len, rows)), max(map(len, slots))
    row, lobby = np.zeros((len(rows), n), int), np.zeros((len(rows), most), int)
    owners, seen = np.full((len(rows), most), -1), np.zeros((len(rows), most, n))
    for d, (at, by) in enumerate(zip(rows, slots, strict=True)):
        row[d, : len(at)], lobby[d, : len(by)] = at, by
        owners[d, : len(by)] = place[owner[by]]
        seen[d, : len(by), : len(at)] = looks[np.ix_(by, at)]
    return Blocks(row, lobby, owners, seen, (day, place))


class Equilibrium(Op):
    """Least equilibrium of each block, (block, n), and the inverse of I - F' there, (block, n, n); no gradient.

    Inputs: base and noise (block, n), gain and bend (block, slot), owner (block, slot) and looks (block, slot, n).
    """

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        base, noise, gain, bend, looks = (pt.as_tensor(one).astype("float64") for one in (*inputs[:4], inputs[5]))
        owner = pt.as_tensor(inputs[4]).astype("int64")
        out = [pt.tensor(dtype="float64", shape=(None,) * ndim) for ndim in (2, 3)]
        return Apply(self, [base, noise, gain, bend, owner, looks], out)

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        for out, value in zip(outputs, solve(*inputs), strict=True):
            out[0] = value

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple[Any, ...]]:
        block, n = shapes[0]
        return [(block, n), (block, n, n)]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False, False] for _ in node.inputs]


@register_funcify_default_op_cache_key(Equilibrium)
def _funcified(op: Equilibrium, node: Apply, **_: Any) -> tuple[Any, int]:
    return numba_njit(solve), VERSION


def solve(
    base: NDArray, noise: NDArray, gain: NDArray, bend: NDArray, owner: NDArray, looks: NDArray
) -> tuple[NDArray, NDArray]:
    """What `Equilibrium` computes, in loops that numba compiles.

    I - F' is inverted without pivoting: at the least equilibrium F' >= 0 has no eigenvalue above 1, so that every pivot
    is positive but where two equilibria meet.
    """
    dates, n = base.shape
    slots = gain.shape[1]
    p, inverse = np.zeros((dates, n)), np.zeros((dates, n, n))
    z, slope = np.zeros(n), np.zeros((n, n))
    for d in range(dates):
        moved, steps = 1.0, 0
        while moved > TOLERANCE and steps < MOST:
            z[:] = base[d]
            for s in range(slots):
                if owner[d, s] >= 0:
                    q = 0.0
                    for j in range(n):
                        q += looks[d, s, j] * p[d, j]
                    z[owner[d, s]] += gain[d, s] * q / (1 - bend[d, s] + bend[d, s] * q)
            moved = 0.0
            for i in range(n):
                new = 0.5 * math.erfc(-z[i] / noise[d, i] * SQRT_HALF)
                moved = max(moved, abs(new - p[d, i]))
                p[d, i] = new
            steps += 1
        z[:] = base[d]
        slope[:] = 0.0
        for s in range(slots):
            if owner[d, s] >= 0:
                q = 0.0
                for j in range(n):
                    q += looks[d, s, j] * p[d, j]
                below = 1 - bend[d, s] + bend[d, s] * q
                z[owner[d, s]] += gain[d, s] * q / below
                for j in range(n):
                    slope[owner[d, s], j] += gain[d, s] * (1 - bend[d, s]) / below**2 * looks[d, s, j]
        for i in range(n):
            density = PHI_0 * math.exp(-0.5 * (z[i] / noise[d, i]) ** 2) / noise[d, i]
            for j in range(n):
                slope[i, j] = (1.0 if i == j else 0.0) - density * slope[i, j]
            inverse[d, i, i] = 1.0
        for k in range(n):
            pivot = slope[k, k]
            for i in range(n):
                if i != k and slope[i, k] != 0.0:
                    factor = slope[i, k] / pivot
                    for j in range(k, n):
                        slope[i, j] -= factor * slope[k, j]
                    for j in range(n):
                        inverse[d, i, j] -= factor * inverse[d, k, j]
            for j in range(n):
                inverse[d, k, j] /= pivot
            slope[k, k:] /= pivot
    return p, inverse


equilibrium = Equilibrium()


def chances(layout: JointLayout, found: Margins) -> Any:
    """Chances of compliance of the `joint` rows in equilibrium, a differentiable vector (joint row,).

    Parameters
    ----------
    layout : JointLayout
    found : Margins
        Of the joint rows, as tensors or arrays.
    """
    at = blocks(layout.day, found.row, layout.looks_of(found.row, found.slot))
    n, slots = len(layout.day), len(found.row)
    return solved(at, *map(_vector, found[:4], (n, n, slots, slots)))


def solved(at: Blocks, base: Any, noise: Any, gain: Any, bend: Any) -> Any:
    """Least equilibrium of flat systems, a differentiable vector (row,).

    Parameters
    ----------
    at : Blocks
    base, noise : vector (row,)
        Margins without the lobbies that answer, and sigma; points. See `bayes_compliance.equilibria.System`.
    gain, bend : vector (slot,)
    """
    base, noise, there = base[at.row], noise[at.row], (at.owner >= 0).astype(float)
    gain, bend = gain[at.lobby] * there, pt.minimum(bend[at.lobby], NEARLY_CERTAIN)
    solution: list[Any] = equilibrium.make_node(base, noise, gain, bend, at.owner, at.looks).outputs
    p, inverse = solution
    q = (at.looks * p[:, None, :]).sum(-1)
    bears = (at.owner[:, None, :] == np.arange(at.row.shape[1])[:, None]).astype(float)
    margin = base + (bears * (gain * q / (1 - bend + bend * q))[:, None, :]).sum(-1)
    response = theory.namespace(margin).ndtr(margin / noise)
    stepped = p + (inverse * (response - p)[:, None, :]).sum(-1)
    return stepped[at.back]


def _vector(values: Any, size: int) -> Any:
    return pt.broadcast_to(pt.as_tensor(values), (size,))


def on_joint(layout: JointLayout) -> tuple[Any, Any]:
    """W and z on the slots of the joint rows, from the innovations and spreads of the model in whose context it is."""
    named = pm.modelcontext(None).named_vars
    innovation = named.get("innovation")
    walk = on_slots(None if innovation is None else at_knots(layout, innovation), layout.joint.knot)
    return walk, on_slots(named.get("spread"), layout.joint.pair)
