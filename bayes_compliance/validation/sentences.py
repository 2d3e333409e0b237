"""Plain sentences on sensitivity and on posterior predictive checks, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayes_compliance.models import DEFAULT
from bayes_compliance.proposals import sweep
from bayes_compliance.validation.otherwise import CANNOT_TELL
from bayes_compliance.validation.sensitivity import CONFLICT, COUNTS, WEAK
from bayes_compliance.wording import listed, pareto, percent, rule_name

if TYPE_CHECKING:
    from bayes_compliance.validation.noise import AtNoise
    from bayes_compliance.validation.predictive import Check
    from bayes_compliance.validation.sensitivity import Conflict, Hang, Sensitivity
    from bayes_compliance.validation.without import Without

NAMES = {
    "magnitude": "weight", "step": "step at adherence", "volatility": "volatility", "entrenchment": "entrenchment",
    "specificity": "specificity", "decision_noise": "decision noise", "rule_spread": "spread between rules",
    "rule_spread_points": "spread between rules", "shadow": "shadow of the future", "trust": "trust at adherence",
    "reciprocity": "expected conduct abroad", "partial_width": "width of partial compliance",
}  # fmt: skip

MARK = f"{COUNTS:.2f}".removeprefix("0")
NAMED = 3
"""Priors named at most, of those of which weights cannot tell."""


def name(quantity: str, of: str, judged: bool = True) -> str:
    """A quantity in words, with the lobby or state that it is of, and that its prior is a default where it is."""
    return f"the {NAMES.get(quantity, quantity.replace('_', ' '))} of {of}{'' if judged else ' (a default)'}"


def _of(hang: Hang) -> str:
    return name(hang.quantity, hang.of, hang.judged)


def hangs_on(found: Sensitivity, all_tested: bool = True) -> str:
    """Which prior the answer hangs on, and by how much it would move.

    Parameters
    ----------
    found : Sensitivity
    all_tested : bool
        Whether whatever else is asked on the page (another noise, an analyst left out) could be told.
    """
    head = f"{found.state}, {found.rule}, {found.date}:"
    if not found.hangs:
        return f"{head} nothing has a prior with uncertainty."
    told, untold = counting(found)
    unsaid = f"whether {'it' if told else 'the answer'} hangs on {_some(untold)} cannot be told without a new fit"
    if told:
        first, *others = told
        most = "of what can be told, the answer hangs most" if untold else "the answer hangs most"
        next_ = f"; next on {listed([_of(hang) for hang in others[:2]])}" if others else ""
        said = f"{most} on {_of(first)}: the probability of {percent(found.p)} would be {_moved(first)}{next_}"
        said += f"; {unsaid}" * bool(untold)
    elif untold:
        said = f"{unsaid}; no other prior has a sensitivity of {MARK} or more"
    else:
        which = "" if all_tested and not _not_reweighted(found) else " that could be reweighted"
        said = f"the answer hangs on no single prior{which}: none has a sensitivity of {MARK} or more"
    return f"{head} {said}. {_rests(found)}"


def counting(found: Sensitivity) -> tuple[list[Hang], list[Hang]]:
    """Priors whose sensitivity counts: those that can be weighted both ways, and those of which weights cannot tell."""
    strong = [hang for hang in found.hangs if hang.sensitivity >= COUNTS]
    able = [hang.half.trusted and hang.double.trusted for hang in strong]
    return ([hang for hang, can in zip(strong, able, strict=True) if can],
            [hang for hang, can in zip(strong, able, strict=True) if not can])  # fmt: skip


def _some(hangs: Sequence[Hang]) -> str:
    names = [_of(hang) for hang in hangs]
    return listed(names, "or") if len(names) <= NAMED else f"{', '.join(names[:NAMED])} or {len(names) - NAMED} others"


def _not_reweighted(found: Sensitivity) -> list[str]:
    """Priors whose weights could not carry the forecast, with how they were to count."""
    ways = [(h, [how for how, to in (("half", h.half), ("twice", h.double)) if not to.trusted]) for h in found.hangs]
    return sorted(f"{_of(hang)} counted {' or '.join(how)}" for hang, how in ways if how)


def untested(found: Sequence[Sensitivity], noises: Sequence[AtNoise], analysts: Sequence[Without]) -> str:
    """What could not be tested, since weights on the draws cannot carry it; blank where all could."""
    parts = [f"if {what}" for what in dict.fromkeys(what for one in found for what in _not_reweighted(one))]
    parts += [f"at {one.scale:g} times the decision noise" for one in noises if one.how == CANNOT_TELL]
    parts += [f"without {one.analyst}" for one in analysts if not one.p]
    if not parts:
        return ""
    return (
        "What the forecast would be is not told here, since the draws cannot be weighted that far or the case cannot "
        f"do without, {'; '.join(parts)}."
    )


def _rests(found: Sensitivity) -> str:
    """What moves a forecast if its weight is changed a little: the decisions, all priors together, both or neither."""
    parts = [("the decisions", found.likelihood), ("all priors together", found.prior)]
    (first, most), (second, least) = sorted(parts, key=lambda part: -part[1])
    if most < COUNTS:
        return "A small change in the weight of the decisions, or of all priors together, moves it little."
    moves = f"A small change in the weight of {first} moves it"
    if least < COUNTS:
        return f"{moves}; one in that of {second} moves it little."
    return f"{moves}, and so does one in that of {second}."


def _moved(hang: Hang) -> str:
    return f"{percent(hang.half.mean)} if that prior counted half, {percent(hang.double.mean)} if it counted twice"


def unknown(judged: int, default: int) -> str:
    """`84 unknown quantities (33 judged, 51 defaults)`: how many have a prior, and whose it is."""
    n = judged + default
    return f"{n} unknown {'quantity' if n == 1 else 'quantities'} ({both(judged, default)})"


def both(judged: int, default: int) -> str:
    """`33 judged, 51 defaults`."""
    return f"{judged} judged, {default} {'default' if default == 1 else 'defaults'}"


def pulls(found: Sequence[Conflict]) -> str:
    """Where priors and decisions pull apart, and where the prior alone decides, with the mark of either."""
    judged, alone = sum(c.judged for c in found), [c.judged for c in found if c.verdict == WEAK]
    whose = both(sum(alone), len(alone) - sum(alone))
    said = (
        f"Of {unknown(judged, len(found) - judged)} {len(alone)} ({whose}) move with the weight of their own prior (a "
        f"sensitivity of {MARK} or more) and not with that of the decisions (a sensitivity below {MARK}). This is not "
        "the count of those that the data hardly moved, which goes by how far spread and mean moved."
    )
    apart = [f"{name(c.quantity, c.of, c.judged)} ({c.shift:+.1f})" for c in found if c.verdict == CONFLICT]
    if not apart:
        return f"{said} Prior and decisions pull apart on none."
    named = ", ".join(apart[:4]) + (" and others" if len(apart) > 4 else "")
    return (
        f"{said} Prior and decisions pull apart on {named}: moved by so many standard deviations of the prior, which "
        "resists."
    )


def noise(
    found: Sequence[AtNoise], now: dict[tuple[str, str], float], what: str = "judged", learnt: bool = False,
    model: str = DEFAULT,
) -> str:  # fmt: skip
    """What the forecast would be under half and twice the decision noise: the pair that moves most.

    Parameters
    ----------
    found : sequence of AtNoise
    now : dict
        Probabilities as they are, by state and rule.
    what : str
        `judged`, or `a default`.
    learnt : bool
        Whether the decisions could move any of it: it has a prior and is no constant.
    model : str
        Whose fits at other noises are proposed where this one cannot tell.
    """
    parts = []
    for one in found:
        if one.how == CANNOT_TELL:
            parts.append(f"at {one.scale:g} times the noise this fit cannot tell (Pareto k {pareto(one.pareto_k)})")
            continue
        pair = max(one.p, key=lambda key: (abs(one.p[key] - now[key]), key))
        parts.append(
            f"at {one.scale:g} times the noise the forecast that moves most, {pair[0]} on {rule_name(pair[1])}, goes "
            f"from {percent(now[pair])} to {percent(one.p[pair])} ({one.how})"
        )
    unknown = any(one.how == CANNOT_TELL for one in found)
    anew = f" A fit at each noise: {sweep(model)}" if unknown else ""
    known = ", with a prior that the decisions can move" if learnt else " and not learnt"
    return f"Decision noise is {what}{known}: {'; '.join(parts)}.{anew}"


def replicates(found: Sequence[Check]) -> str:
    """What the decisions have that replicates of them have not."""
    strange = [str(check) for check in found if check.strange]
    if not strange:
        counts = "this count" if len(found) == 1 else f"these {len(found)} counts"
        return f"In {counts} the decisions look like replicates from the model."
    return (
        f"In {len(strange)} of these {len(found)} counts the decisions do not look like replicates: {' '.join(strange)}"
    )
