"""Dilemma and shadow of the future: which game each state plays, and what reciprocity could do at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from bayes_compliance.analysis.sentences_a import (
    ceiling_of_reciprocity_sentences,
    critical_discount_sentences,
    preference_types_sentences,
)
from bayes_compliance.kept import horizon
from bayes_compliance.report import facts
from bayes_compliance.report.answers import answers, by_state_alone, over_rules, owed
from bayes_compliance.report.comparison import SAMPLE, pairs
from bayes_compliance.report.parts import Number, Section, bullets, heading, join, paragraph, table
from bayes_compliance.report.sentences import day, listed, percent

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.case import Case
    from bayes_compliance.runs import Run

TYPES = (
    "Harmony: the state would comply whatever the others do. Dilemma: it would rather not, but would if that kept the "
    "other side performing. Deadlock: not even the other side's performance is worth it. A prisoner's dilemma needs "
    "both sides in a dilemma; only a dilemma is where reciprocity decides."
)
SIDES = (
    "Between two states the probability that both are in a dilemma depends on the side from which it is asked, as "
    "these are two events: each rule of the state that is named first is set against the same rule of the other state "
    "where that owes it, and else against all rules of the other that answer it, taken together; then the mean is over "
    "the rules of the first."
)
CEILING = (
    "Reciprocity moves those who gain from the other side's compliance. Its ceiling is where they count in full: the "
    "other side certain to answer, the future as heavy as today."
)
DISCOUNT = (
    "How patient a state in a dilemma must be: the discount factor, what next year must be worth to it against 1 for "
    "this one, if punishment by the other side is to keep it to its word. Near 0, hardly any patience is needed; near "
    "1, next year must count almost as much as this one. Beside it stands the state's own shadow of the future: the "
    "weight, as judged or by default, that it gives to the other side's later answer."
)


def shadow(run: Run) -> Section | None:
    """The ceiling of the L channel, preference types, critical discounts, by state and then by rule."""
    found, case = answers(run).found, run.prepared.case
    if "preference_types" not in found:
        return None
    discounts = discounts_over_rules(found["critical_discount"], case)
    rules = {state: len(own) for state, own in owed(case).items()}
    parts = [
        heading("Could reciprocity suffice?"), paragraph(CEILING),
        bullets(ceiling_of_reciprocity_sentences(_answering(over_rules(found["ceiling_of_reciprocity"], case), case))),
        heading("Which game?"), paragraph(TYPES),
        bullets(preference_types_sentences(over_rules(found["preference_types"], case))),
        *_sides(over_rules(found["preference_types"], case)), heading("How patient?"), paragraph(DISCOUNT),
        bullets(critical_discount_sentences(discounts, facts.by_default(run, "shadow"), rules)),
        _by_punishment(discounts), _table(found, case, facts.whose(run, "shadow")), SAMPLE,
    ]  # fmt: skip
    return Section("Dilemma and shadow of the future", "shadow", join(parts))


def _sides(found: xr.Dataset) -> list[Markup]:
    """Why two states may meet in a dilemma with two probabilities, where they do."""
    p = {
        (state, str(other)): float(value)
        for state, here in by_state_alone(found.isel(time=-1)).items()
        for other, value in here["p_both_dilemma"].to_series().dropna().items()
    }
    differ = [f"{a} and {b}" for (a, b), one in p.items() if a < b and percent(p.get((b, a), one)) != percent(one)]
    return [paragraph(f"{SIDES} So it is for {listed(differ)}.", "note")] if differ else []


def _answering(found: xr.Dataset, case: Case) -> xr.Dataset:
    """Of states that have a lobby which gains from the other side's compliance."""
    own = {lobby.state for lobby in case.lobbies if lobby.role == "L"}
    return found.sel(state=[state for state in found["state"].values if str(state) in own])


def discounts_over_rules(found: xr.Dataset, case: Case) -> xr.Dataset:
    """Discounts, their median over rules; the probability that the shadow is enough given a dilemma on one at random.

    Where no world of a state is a dilemma there is nothing to say of it.
    """
    means = over_rules(found.assign(both=found["p_enough"].fillna(0) * found["p_dilemma"]), case)
    middle = over_rules(found, case, middle=True)
    enough = (means["both"] / means["p_dilemma"]).where(means["p_dilemma"] > 0)
    return means.assign(p_enough=enough, discount=middle["discount"]).drop_vars("both")


def _by_punishment(discounts: xr.Dataset) -> Markup:
    """The discount factor that each punishment needs, by state."""
    rows = [
        [state, str(kind), _band(here["discount"].sel(punishment=kind).values), _percent(float(possible))]
        for state, here in by_state_alone(discounts.isel(time=-1)).items()
        for kind, possible in zip(here["punishment"].values, here["p_possible"].values, strict=True)
    ]
    columns = ["State", "Punishment", Number("Discount factor needed"), Number("Possible at all")]
    caption = (
        "The discount factor needed in a dilemma, by punishment: median, 5% to 95%, of each the median over the rules "
        "that the state owes"
    )
    return table(caption, columns, rows)


def _table(found: dict[str, xr.Dataset], case: Case, whose: str) -> Markup:
    ceiling, types, discount = (
        found[name].isel(time=-1) for name in ("ceiling_of_reciprocity", "preference_types", "critical_discount")
    )
    columns = [
        "State", "Rule", *map(Number, ("Complies", "at the ceiling", "Harmony", "Dilemma", "Deadlock",
        "Discount factor needed in a dilemma", f"The {whose} shadow is enough")),
    ]  # fmt: skip
    rows = []
    for state, rule, here in pairs(types["p_preference"].to_dataset(), case):
        on = {"state": state, "rule": rule}
        shares = [percent(float(p)) for p in here["p_preference"]]
        ps = [percent(float(ceiling[name].sel(on))) for name in ("p_comply", "p_ceiling")]
        needed = discount["discount"].sel(on).isel(punishment=0).values
        rows.append([state, rule, *ps, *shares, _band(needed), _percent(float(discount["p_enough"].sel(on)))])
    until = day(horizon(found["preference_types"]))
    caption = f"The game on each rule on {until}; discount factors under punishment for ever, 5% to 95%"
    return table(caption, columns, rows)


def _band(discount: np.ndarray) -> str:
    if np.isnan(discount).any():
        return "–"
    low, middle, high = ("above 1" if np.isinf(d) else f"{d:.2f}" for d in discount)
    return f"{middle} ({low} to {high})"


def _percent(p: float) -> str:
    return "–" if np.isnan(p) else percent(p)
