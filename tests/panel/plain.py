"""The panel's equations row by row in plain Python, and a small panel on disk."""

from __future__ import annotations

from math import exp, sqrt
from pathlib import Path
from statistics import NormalDist

import numpy as np

from bayes_compliance.panel.layout import PanelLayout

PHI = NormalDist().cdf
ERROR = {"certain": 0.0, "high": 0.01, "medium": 0.05, "low": 0.15}
HEADER = "case,date,state,rule,kind,decision,counterparty,confidence,note,source,url\n"


def log_probabilities(layout: PanelLayout, x: dict[str, np.ndarray]) -> np.ndarray:
    """Log probability of each coded decision under one draw (item,)."""
    found = []
    for entry in layout.entries:
        d = entry.decision
        state = layout.states.index(d.state)
        rules = layout.panel.owed[entry.case, d.state] if d.rule == "*" else [d.rule]
        keys = [(entry.case, rule) for rule in rules]
        interest = np.mean([x["interest"][layout.rules.index(key)] for key in keys])
        wq, ell = x["answered"][0], np.mean([x["exporters"][layout.rules.index(key)] for key in keys])
        p2_g2 = x["p2_g2"][state] + past(layout, x, state, d.date)
        margin = {
            "status_quo": interest - wq * ell,
            "adherence": interest - wq * ell + ell + p2_g2 - x["step"][state],
            "compliance": interest + p2_g2,
        }[d.kind]
        three = d.kind == "compliance" and layout.panel.outcomes[entry.case] == 3
        c = x["partial_width"][0] if three else 0.0
        yes, no = PHI(margin - c), PHI(-c - margin)
        word = {"comply": yes, "adhere": yes, "violate": no, "not_adhere": no}
        p = word.get(d.decision, 1 - yes - no)
        e = ERROR[d.confidence]
        found.append(np.log((1 - e) * p + e * (1 - p) / (2 if three else 1)))
    return np.array(found)


def past(layout: PanelLayout, x: dict[str, np.ndarray], state: int, day) -> float:
    """What P2 + G2 was more on a day than after the last decision."""
    period = int((layout.panel.last - day).days / 365.25 / 5)
    if not layout.paths or not period:
        return 0.0
    return float(x["walk"][layout.knots.index((state, period))])


def walk(layout: PanelLayout, drift: float, z: np.ndarray) -> list[float]:
    """The walk at each knot, one after the other."""
    found: list[float] = []
    for i, (state, period) in enumerate(layout.knots):
        near = i > 0 and layout.knots[i - 1][0] == state
        before, start = (layout.knots[i - 1][1], found[-1]) if near else (0, 0.0)
        found.append(start + drift * sqrt(period - before) * z[i])
    return found


def exporters(layout: PanelLayout, x: dict[str, np.ndarray], z: np.ndarray, z_area: np.ndarray) -> list[float]:
    """L of each rule under one draw (item,)."""
    median = x["stakes"][0] * (1 - x["bias_share"][0]) / (1 - x["answered"][0])
    area = [layout.areas.index(layout.panel.areas[rule]) for rule in layout.rules]
    return [median * exp(0.45 * z[r] + 0.3 * z_area[a]) for r, a in enumerate(area)]


def step(median: float, spread: float, z: float) -> float:
    return median * exp(spread * z)


def write_table(folder: Path, rows: str, states: str = "", rules: str = "") -> Path:
    """A panel as one long table."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "decisions.csv").write_text(HEADER + rows)
    for name, text in (("states.csv", states), ("rules.csv", rules)):
        if text:
            (folder / name).write_text(text)
    return folder
