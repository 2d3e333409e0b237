"""A RUN opened again: from its folder alone, or beside the case that it was fitted to."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_compliance import runs, store
from bayes_compliance.arguments import day_of
from bayes_compliance.case import CaseError, load_case
from bayes_compliance.errors import Refused
from bayes_compliance.running import check_horizon
from bayes_compliance.runs import Run

if TYPE_CHECKING:
    from os import PathLike

    import xarray as xr

    from bayes_compliance.models import Prepared


def summary_of(run: Run | str | PathLike[str]) -> dict[str, Any]:
    """The summary of a RUN of one case, on disk or in memory, with the settings that it was asked for."""
    if isinstance(run, Run):
        return run.summary
    summary = store.read_summary(run)
    store.check_kind(run, store.RUN)
    if "settings" not in summary:
        raise store.RunFolderError(f"{run}: its summary.json has no settings; allowed: a whole RUN")
    return summary


def whole(run: str | PathLike[str]) -> Run:
    """A RUN by the case that it holds; see `bayes_compliance.api.load`."""
    from bayes_compliance.inference.diagnostics import FORECAST, Check

    summary, folder = summary_of(run), Path(run)
    settings = summary["settings"]
    if settings["model"].endswith(".py") and not Path(settings["model"]).is_file():
        raise store.RunFolderError(f"{run}: fitted with {settings['model']}, which is not here; allowed: where it lies")
    tree = runs.read_posterior(folder)
    with runs.kept_case(tree, run) as case:
        try:
            prepared = runs.as_fitted(_prepared(case, summary, folder), tree)
        except CaseError as bad:
            lines = [f"{run}: the case that it holds: {line}" for line in str(bad).splitlines()]
            raise store.RunFolderError("\n".join(lines)) from bad
    checks = [Check.recalled(one) for one in summary["diagnostics"]]
    error = next((check.value for check in checks if check.name == FORECAST), float("nan"))
    forecast = runs.read_forecast(folder, error)
    return Run(prepared, tree, forecast, checks, summary)


def fit_of(
    case: str | PathLike[str], run: Run | str | PathLike[str], until: date | None = None
) -> tuple[Prepared, xr.DataTree, dict]:
    """The fit of a RUN, and its summary: asked for up to a new date, if one is given, whatever it was before."""
    day = day_of("until", until)
    summary = summary_of(run)
    if day:
        summary = summary | {"settings": summary["settings"] | {"until": day.isoformat()}}
    prepared = _prepared(case, summary, runs.IN_MEMORY if isinstance(run, Run) else Path(run))
    tree = run.tree if isinstance(run, Run) else runs.read_posterior(Path(run))
    return runs.as_fitted(prepared, tree), tree, summary


def refuse_hidden(case: str | PathLike[str], as_of: str | None, id: str | None) -> None:
    """Refuse scenarios that begin after the day as of which a RUN knows its case: they were not known then."""
    every = load_case(case).scenarios if as_of else ()
    later = [scenario for scenario in every if as_of and scenario.from_ > date.fromisoformat(as_of)]
    asked = [scenario for scenario in later if id in (None, scenario.id)]
    if asked and (id is not None or len(later) == len(every)):
        named = ", ".join(f"{scenario.id!r} (from {scenario.from_})" for scenario in asked)
        raise Refused(
            f"scenarios.toml: {named}: not known on {as_of}, as of which the RUN was made (--as-of); allowed: a RUN "
            "without --as-of, or of a later day"
        )


def _prepared(case: str | PathLike[str], summary: dict[str, Any], of: Path | str) -> Prepared:
    """A case as the model of a RUN sees it, whose forecast goes on to a date that can be."""
    prepared = runs.prepared_again(case, summary, of)
    check_horizon(prepared.case, summary["settings"])
    return prepared
