"""Information and compliance (Dai 2005): a lobby presses only as far as it can see.

X. Dai, "Why Comply? The Domestic Constituency Mechanism", International Organization 59 (2005), lets a group's leverage
rest on its electoral weight and on what it can monitor. The article counts both in the magnitude; here they are apart:

    pressure of a lobby     m_b times what it presses with in `coalition`, m_b in [0, 1] its monitoring
    L at compliance         D w q, D in [0, 1] the chance that a violation is detected abroad

    SC = m_J J + D w q m_L L + m_P P2 + m_G G2 - m_K K         SA and S0 likewise, without D w q

With m = 1 and D = 1 it is `coalition` exactly, and both are 1 where they are not judged. Priors are the judgements of
`monitoring` (by lobby) and `detection` (by state). Decisions see only the products m_b times magnitude and D w, so how
a product parts into its factors stays as it was judged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayes_compliance import theory
from bayes_compliance.models import load

if TYPE_CHECKING:
    import pymc as pm

    from bayes_compliance.layout import Layout
    from bayes_compliance.parts import Parts
    from bayes_compliance.rows import History, Rows

coalition = load("coalition")
USES = ("monitoring", "detection")
OBSERVED_BY_SUPPORT = True


def support(layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History) -> Any:
    """Net support of each row as each lobby can press for it, shape (..., row); arguments as in `coalition`."""
    return parts(layout, rows, x, walk, spread, history).support


def parts(layout: Layout, rows: Rows, x: dict[str, Any], walk: Any, spread: Any, history: History) -> Parts:
    """What each lobby adds to the support of each row, by its factors; D counts with w q."""
    seen = replace(rows, weight=rows.weight * x["monitoring"][..., rows.lobby])
    return answered(coalition.parts(layout, seen, x, walk, spread, history), rows, x)


def answered(taken: Parts, rows: Rows, x: dict[str, Any]) -> Parts:
    """The parts with the answer to conduct abroad cut to what is detected."""
    detection = x["detection"][..., rows.state, None]
    detected = theory.namespace(detection).where(rows.answers, detection, 1.0)
    return taken._replace(answer=taken.answer * detected) if rows.answers.any() else taken


def build(layout: Layout) -> pm.Model:
    """The model in PyMC."""
    return coalition.build(layout, support)
