"""What the two models with more to say have to say: one equilibrium or several, sincere or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from bayes_compliance.analysis import equilibria as joint
from bayes_compliance.analysis import opportunism
from bayes_compliance.inference.trial import HOW, STANDS
from bayes_compliance.kept import horizon
from bayes_compliance.report.answers import answers
from bayes_compliance.report.comparison import by_rule
from bayes_compliance.report.parts import Number, Section, bullets, figure, join, paragraph, table
from bayes_compliance.report.plots import compare
from bayes_compliance.report.sentences import day, number, percent, shown

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.runs import Run

SAME_TIME = (
    "In this model states choose at the same time, each by what it expects of the others. Expectations may bear each "
    "other out in more than one way: all comply because all are expected to, or none does."
)
OTHERWISE = (
    "So the record was read as if each side had gone by the other's past conduct, and the equilibrium is played from "
    "tomorrow on. Had it been played all along, the same record would say other things of the lobbies, and the answer "
    "might be far from this one where the two equilibria are far apart."
)
MOST = 8
"""Decisions named of those that tell of a state's type."""

TWO_TYPES = (
    "In this model a state is sincere or not, and nobody can see which. One that is not joins for the same reasons, "
    "but no longer counts those who gain from the other side's compliance once it has joined."
)


def equilibria(run: Run) -> Section | None:
    """Least and greatest equilibrium, where they differ."""
    found = answers(run).found.get("equilibria")
    if found is None:
        return None
    apart = run.tree.attrs.get(HOW) != STANDS
    fitted = paragraph(f"The model was {run.prepared.model.NOTE}.{f' {OTHERWISE}' if apart else ''}")
    parts = [paragraph(SAME_TIME), fitted, bullets(joint.sentences(found)), _least_and_greatest(run, found)]
    return Section("One equilibrium or several?", "equilibria", join(parts))


def _least_and_greatest(run: Run, found: xr.Dataset) -> Markup:
    panels = [
        compare.Panel(panel.title, {rule: ps for rule, ps in panel.rows.items() if len(set(map(shown, ps))) > 1})
        for panel in by_rule(found.isel(time=-1), run.prepared.case, ["p_least", "p_greatest"])
    ]
    panels = [panel for panel in panels if panel.rows]
    if not panels:
        return Markup("")
    title = f"Probability of compliance on {day(horizon(found))} in the least and the greatest equilibrium"
    drawn = compare.dots("equilibria", title, ["least", "greatest"], panels)
    return figure(drawn, f"{title}, by rule where they differ.")


def insincerity(run: Run) -> Section | None:
    """Probability of insincerity before and after the decisions, and what one decision can say."""
    found = answers(run).found.get("insincerity")
    if found is None:
        return None
    rows = [
        [str(state), *(percent(float(found[name].sel(state=state))) for name in ("prior", "posterior"))]
        for state in found["state"].values
    ]
    columns = ["State", Number("Insincere, before its decisions"), Number("after them")]
    telling = _telling(found)
    said = bullets(opportunism.sentences(found))
    parts = [paragraph(TWO_TYPES), said, table("Probability of insincerity", columns, rows), telling]
    return Section("Sincere or not", "insincerity", join(parts))


def _telling(found: xr.Dataset) -> Markup:
    """The decisions that say most."""
    order = abs(found["ratio"].to_series().map(lambda ratio: max(ratio, 1 / ratio))).nlargest(MOST).index
    rows = [[str(label), number(float(found["ratio"].sel(decision=label)))] for label in order]
    columns = ["Decision", Number("Odds of insincerity multiplied by")]
    return table("The decisions that say most about the type of a state: medians over draws", columns, rows)
