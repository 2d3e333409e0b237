"""What a back-test says, in sentences written from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_compliance.validation.at_origins import PRIOR, SUM
from bayes_compliance.validation.scores import FEW_RULES
from bayes_compliance.wording import listed, pareto, percent, plural

if TYPE_CHECKING:
    from bayes_compliance.validation.backtest import Backtest
    from bayes_compliance.validation.scores import Skill

MEANING = {
    PRIOR: "what the judgements said before any decision",
    SUM: "the judged weights added up, nothing learnt",
    "base rate": "the share of each outcome so far",
    "persistence": "the last outcome on the rule again",
    "unitary": "the state as one actor with one interest",
    "managerial": "compliance as capacity, no interests",
}
SCORE_NAMES = {"brier": "Brier", "log": "logarithmic", "rps": "ranked probability"}
HINDSIGHT = (
    "No decision, judgement or shock of a later date reached a forecast. What hindsight cannot be taken out of is the "
    "case itself: which rules and lobbies it names, and how its decisions were chosen, was settled by people who knew "
    "how the story went on."
)


def headline(found: Backtest) -> str:
    """Whom the model beat, who beat it, and where the decisions cannot tell."""
    others = [name for name in found.forecasters if name != found.model]
    by: dict[str, list[str]] = {"better": [], "worse": [], "cannot tell": []}
    for name in others:
        by[found.skill(name).verdict].append(name)
    n, rules = _size(found)
    said = [f"On {n} decisions under {plural(rules, 'rule')}, each forecast on the day before it was taken:"]
    if by["better"]:
        said.append(f"{found.model} forecast better than {listed(by['better'])};")
    if by["worse"]:
        said.append(f"{found.model} forecast worse than {listed(by['worse'])};")
    if by["cannot tell"]:
        said.append(f"these decisions cannot tell {found.model} from {listed(by['cannot tell'])}.")
    text = " ".join(said)
    text = text[:-1] + "." if text.endswith(";") else text
    few = f" With fewer than {FEW_RULES} rules to resample no verdict is given." if rules < FEW_RULES else ""
    return text + few


def _size(found: Backtest) -> tuple[int, int]:
    every = found.of(found.model)[2]
    return len(every), len({one.rule for one in every})


def skill_words(skill: Skill) -> str:
    """A skill and what may be said of it, with its band where there are rules enough for one."""
    verdicts = {"better": "the theory is better", "worse": "the theory is worse", "cannot tell": "cannot tell"}
    if skill.clusters < FEW_RULES:  # so few rules resampled make a band that is too narrow
        return f"{_signed(skill.value)}: {plural(skill.clusters, 'rule')}, too few to tell"
    return f"{_signed(skill.value)} ({_signed(skill.lower)} to {_signed(skill.upper)}): {verdicts[skill.verdict]}"


def skill_note(found: Backtest) -> str:
    """What skill is, and what its band resamples, where any stands."""
    what = "Skill is the share of the other's ranked probability score that the theory saves"
    if _size(found)[1] < FEW_RULES:
        return f"{what}; with fewer than {FEW_RULES} rules it has no band."
    return f"{what}, with a 90% band, for which whole rules are resampled, since decisions on one rule hang together."


def _signed(share: float) -> str:
    if not np.isfinite(share):  # one score is infinite, or the other 0
        return "no number" if np.isnan(share) else "minus infinity"
    text = f"{share:+.0%}"
    return "0%" if text in ("-0%", "+0%") else text


def reliability_words(found: Backtest) -> str:
    """Whether probabilities meant what they said, and whether they told decisions apart."""
    corp = found.reliability()
    share = f"honest ones would look as miscalibrated in {percent(corp.p_value)} of resamples"
    held = "meant what they said, as far as these decisions can tell" if corp.honest else "did not mean what they said"
    return (
        f"Reliability: the probabilities {held} ({share}). Of the Brier score {corp.uncertainty:.3f} is the decisions' "
        f"own uncertainty; miscalibration adds {corp.miscalibration:.3f} and telling decisions apart takes off "
        f"{corp.discrimination:.3f}."
    )


def fits_words(found: Backtest) -> str:
    """At how many origins the model was fitted, and how the rest was done."""
    of = [trace for trace in found.traces if trace.forecaster == found.model]
    weighted = [trace for trace in of if not trace.fitted]
    if not weighted:
        return f"{found.model} was fitted at each of {len(of)} origins."
    worst = max(trace.pareto_k for trace in weighted)
    return (
        f"{found.model} was fitted at {len(of) - len(weighted)} of {len(of)} origins; at the others the draws of the "
        f"fit before were weighted by what had become known since (largest Pareto k {pareto(worst)}: the higher, the "
        "fewer draws carry the weight; where it was too high, the model was fitted anew)."
    )


def coverage_words(found: Backtest) -> str:
    """How often the number of compliances fell into its interval."""
    covered = found.coverage
    ahead = found.settings["ahead"]
    dates = "the next decision date" if ahead == 1 else f"the next {ahead} decision dates"
    return (
        f"Coverage: for {dates} the number of compliances fell into its 90% interval at {covered.inside} of "
        f"{covered.blocks} origins ({covered.share:.0%}; numbers are whole, so the intervals hold "
        f"{covered.stated:.0%} on average)."
    )
