"""Plain sentences on sensitivity and on posterior predictive checks, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayes_compliance.validation.otherwise import CANNOT_TELL
from bayes_compliance.validation.sensitivity import CONFLICT, COUNTS, WEAK

if TYPE_CHECKING:
    from bayes_compliance.validation.noise import AtNoise
    from bayes_compliance.validation.predictive import Check
    from bayes_compliance.validation.sensitivity import Conflict, Hang, Reweighted, Sensitivity

NAMES = {
    "magnitude": "weight", "step": "step at adherence", "volatility": "volatility", "entrenchment": "entrenchment",
    "specificity": "specificity", "decision_noise": "decision noise", "rule_spread": "spread between rules",
    "rule_spread_points": "spread between rules", "shadow": "shadow of the future", "trust": "trust at adherence",
    "reciprocity": "expected conduct abroad", "partial_width": "width of partial compliance",
}  # fmt: skip


def name(quantity: str, of: str) -> str:
    """A judged quantity in words, with the lobby or state that it is of."""
    return f"the {NAMES.get(quantity, quantity.replace('_', ' '))} of {of}"


def _percent(p: float) -> str:
    return f"{100 * p:.0f}%"


def hangs_on(found: Sensitivity) -> str:
    """Which judgement the answer hangs on, and by how much it would move."""
    head = f"{found.state}, {found.rule}, {found.date}:"
    if not found.hangs:
        return f"{head} nothing is judged with uncertainty."
    first, *others = found.hangs
    moved = f"the probability of {_percent(found.p)} would be {_moved(first)}"
    if first.sensitivity < COUNTS:
        most = f"the most, though little, on {name(first.quantity, first.of)}"
        return f"{head} the answer hangs on no single judgement, {most}: {moved}. {_rests(found)}"
    next_ = [name(hang.quantity, hang.of) for hang in others[:2] if hang.sensitivity >= COUNTS]
    also = f"; next on {' and '.join(next_)}" if next_ else ""
    return f"{head} the answer hangs most on {name(first.quantity, first.of)}: {moved}{also}. {_rests(found)}"


def _rests(found: Sensitivity) -> str:
    """What moves a forecast: the decisions, all judgements together, both or neither."""
    parts = [("the decisions", found.likelihood), ("all judgements together", found.prior)]
    strong = [name for name, value in sorted(parts, key=lambda part: -part[1]) if value >= COUNTS]
    if not strong:
        return "Neither the decisions nor all judgements together move it much: what is open is the future."
    return f"It rests on {' and on '.join(strong)}."


def _moved(hang: Hang) -> str:
    def said(mean: Reweighted) -> str:
        return _percent(mean.mean) if mean.trusted else "unknown without a new fit"

    return f"{said(hang.half)} if that judgement counted half, {said(hang.double)} if it counted twice"


def pulls(found: Sequence[Conflict]) -> str:
    """Where judgements and decisions pull apart, and where the judgement alone decides."""
    alone = sum(c.verdict == WEAK for c in found)
    said = f"Of {len(found)} judged quantities {alone} stand as they were judged: the decisions do not speak to them."
    apart = [f"{name(c.quantity, c.of)} ({c.shift:+.1f})" for c in found if c.verdict == CONFLICT]
    if not apart:
        return f"{said} Judgement and decisions pull apart on none."
    named = ", ".join(apart[:4]) + (" and others" if len(apart) > 4 else "")
    return f"{said} They pull apart on {named}: moved by so many standard deviations of the judgement, which resists."


def noise(found: Sequence[AtNoise], now: dict[tuple[str, str], float]) -> str:
    """What the forecast would be under half and twice the decision noise: the pair that moves most.

    Parameters
    ----------
    found : sequence of AtNoise
    now : dict
        Probabilities as they are, by state and rule.
    """
    parts = []
    for one in found:
        if one.how == CANNOT_TELL:
            parts.append(f"at {one.scale:g} times the noise this fit cannot tell (Pareto k {one.pareto_k:.2f})")
            continue
        pair = max(one.p, key=lambda key: (abs(one.p[key] - now[key]), key))
        parts.append(
            f"at {one.scale:g} times the noise the forecast that moves most, {pair[0]} on {pair[1]}, goes from "
            f"{_percent(now[pair])} to {_percent(one.p[pair])} ({one.how})"
        )
    unknown = any(one.how == CANNOT_TELL for one in found)
    anew = " A fit at each noise: bayes-compliance sweep CASE --noise .5,1,2." if unknown else ""
    return f"Decision noise is judged and not learnt: {'; '.join(parts)}.{anew}"


def replicates(found: Sequence[Check]) -> str:
    """What the decisions have that replicates of them have not."""
    strange = [str(check) for check in found if check.strange]
    if not strange:
        return f"In all {len(found)} counts the decisions look like replicates from the model."
    return f"In {len(strange)} of {len(found)} counts the decisions do not look like replicates: {' '.join(strange)}"
