"""What drives the uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from bayes_compliance.analysis.decomposition import DRIFT, MOVING
from bayes_compliance.analysis.sentences_a import shares_of_variance_sentences
from bayes_compliance.kept import day_of
from bayes_compliance.report.answers import answers, by_state_alone, over_rules
from bayes_compliance.report.parts import Section, bullets, figure, join, paragraph
from bayes_compliance.report.plots import compare

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.runs import Run

INTRODUCTION = (
    "Why we are not sure, and why the doubt changes with the horizon: the variance of the outcome, compliance or not, "
    "split by where it comes from. What we do not know of today research can find out; what drifts, shocks and conduct "
    "add only time will tell; the noise of a single decision stays. A share below zero undoes what another adds. "
    "Today is the day of the last decision on record."
)
CAPTION = "Shares of the variance of the outcome by source and date, averaged over the rules that a state owes."


def uncertainty(run: Run) -> Section | None:
    """Shares of the variance by source, over the horizon."""
    if "shares_of_variance" not in answers(run).found:
        return None
    found = over_rules(answers(run).found["shares_of_variance"], run.prepared.case)
    parts = [paragraph(INTRODUCTION), bullets(shares_of_variance_sentences(found)), _figure(found)]
    return Section("What drives the uncertainty", "uncertainty", join(parts))


def _figure(found: xr.Dataset) -> Markup:
    layers, whole = grouped(found)
    days = [day_of(value) for value in found["time"].values]
    present = [i for i in range(len(layers)) if any(np.abs(shares[:, i]).max() >= 0.005 for shares in whole.values())]
    panels = {state: shares[:, present] for state, shares in whole.items()}
    drawn = compare.stacks("shares", "Shares of the variance by source", [layers[i] for i in present], panels, days)
    return figure(drawn, CAPTION)


def grouped(found: xr.Dataset) -> tuple[list[str], dict[str, NDArray]]:
    """Sources with the drifts of all lobbies as one, and by state their shares, (day, source)."""
    names = [str(name) for name in found["source"].values]
    layers = list(dict.fromkeys(MOVING if name.startswith(DRIFT) else name for name in names))
    return layers, {
        state: np.stack([(here["drift"] if name == MOVING else here["share"].sel(source=name)) for name in layers], -1)
        for state, here in by_state_alone(found).items()
    }
