"""Did it mean to comply? How likely each state is insincere, and which decisions say so (III.A changes 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from bayes_compliance.analysis.ahead import check_fit
from bayes_compliance.errors import Refused
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.wording import percent

if TYPE_CHECKING:
    from bayes_compliance.models import Prepared


def insincerity(prepared: Prepared, tree: xr.DataTree) -> xr.Dataset:
    """Probability that each state is insincere, and the likelihood ratio of each decision.

    Parameters
    ----------
    prepared, tree
        Model `opportunism` and its fit.

    Returns
    -------
    Dataset
        By state: `prior` and `posterior` probability of insincerity, `posterior` with the type averaged out in each
        draw. By decision: `ratio`, the median over draws of p(decision | insincere) / p(decision | sincere), and
        `ratio_most`, the furthest it can be from 1 in any draw. Both are 1 for an adherence: an insincere state joins
        for the same reasons.

    Raises
    ------
    Refused
        If the model has no types.
    """
    check_fit(prepared, tree)
    if not hasattr(prepared.model, "log_ratio"):
        raise Refused(f"model {prepared.model.__name__} has no types of states; allowed: a model such as opportunism")
    layout = prepared.layout
    draws, _ = draws_of(tree)
    log_ratio = prepared.model.log_ratio(layout, draws)
    furthest = np.abs(log_ratio).argmax(axis=0)
    return xr.Dataset(
        {
            "prior": ("state", tree["prior"]["p_insincere"].mean(("chain", "draw")).values),
            "posterior": ("state", draws["p_insincere"].mean(axis=0)),
            "ratio": ("decision", np.exp(np.median(log_ratio, axis=0))),
            "ratio_most": ("decision", np.exp(np.take_along_axis(log_ratio, furthest[None], axis=0)[0])),
            "decision_state": ("decision", [item.state for item in layout.rows.items]),
            "kind": ("decision", [item.stage for item in layout.rows.items]),
        },
        coords={"state": layout.coords["state"], "decision": layout.labels},
    )


def sentences(found: xr.Dataset) -> list[str]:
    """What `insincerity` found for each state, and how far one decision can move it, in plain words."""
    said = []
    for state in found["state"].values:
        own = found.isel(decision=np.flatnonzero(found["decision_state"].values == state))
        before, after = (percent(float(found[name].sel(state=state))) for name in ("prior", "posterior"))
        said.append(f"{state}: probability of insincerity {before} before its decisions, {after} after them.")
        if "adherence" in own["kind"].values:
            said.append(
                f"That {state} joined says nothing: an insincere state joins for the same reasons, so one adherence "
                "moves the odds by a factor of 1."
            )
        later = own.isel(decision=np.flatnonzero(own["kind"].values == "compliance"))
        if later.sizes["decision"]:
            most = later.isel(decision=int(np.abs(np.log(later["ratio"].values)).argmax()))
            said.append(
                f"Of its decisions {most['decision'].item()} says most: it moves the odds of insincerity by a factor "
                f"of {float(most['ratio']):.2g} in the median draw."
            )
    return said
