"""Net support taken apart: what each lobby adds to each row, and by which factors."""

from __future__ import annotations

from typing import Any, NamedTuple


class Parts(NamedTuple):
    """The parts of net support, each of shape (..., row, slot) or a plain number, for NumPy and PyTensor alike.

    Attributes
    ----------
    moved : array
        Signed stage weight times the magnitude on the date, without the step, in points.
    step : array
        Stage weight times the step between adherence and compliance (dP, dG), in points.
    answer : array in [0, 1]
        Weight w q where L answers the counterparty's conduct, else 1.
    kept : array in [0, 1]
        What asset specificity leaves of L, ``1 - alpha f``, else 1.
    """

    moved: Any
    step: Any = 0.0
    answer: Any = 1.0
    kept: Any = 1.0

    @property
    def contributions(self) -> Any:
        """What each slot adds to net support, in points: ``(moved + step) answer kept``."""
        total = self.moved
        if not _is(self.step, 0.0):
            total = total + self.step
        for factor in (self.answer, self.kept):
            if not _is(factor, 1.0):
                total = total * factor
        return total

    @property
    def support(self) -> Any:
        """Net support S of each row, in points, shape (..., row)."""
        return self.contributions.sum(-1)


def _is(value: Any, number: float) -> bool:
    return isinstance(value, float) and value == number
