"""A run: what was fitted, forecast and checked, on disk and in memory."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bayes_compliance import __version__, disk, store
from bayes_compliance.case.loading import OPTIONAL, REQUIRED
from bayes_compliance.case.schema import Rule
from bayes_compliance.case.vocabulary import WORDS
from bayes_compliance.errors import Refused

if TYPE_CHECKING:
    from os import PathLike

    import xarray as xr

    from bayes_compliance.case import Case
    from bayes_compliance.forecast import Forecast
    from bayes_compliance.inference.diagnostics import Check
    from bayes_compliance.models import Prepared
    from bayes_compliance.panel import Panel

TEXT, FILE = "case_text", "file"
"""The case of a fit, as its files were read, and their names."""

MODEL = "model_sha256"
"""What summary.json calls the SHA-256 of a user's own model."""

COPIED = "a run from a pickle or a copy"
IN_MEMORY = "the run in memory"

LIBRARIES = ("pymc", "pytensor", "nutpie", "numba", "arviz", "arviz-stats", "numpy", "scipy", "xarray")


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A fitted case with its forecast.

    Attributes
    ----------
    prepared : Prepared
        Model, case, priors and layout.
    tree : DataTree
        See `bayes_compliance.inference.tree.grow`.
    forecast : Forecast or None
        None where only the fit was asked for.
    checks : list of Check
        Diagnostics of the draws and of the forecast.
    summary : dict
        What summary.json holds.
    """

    prepared: Prepared
    tree: xr.DataTree
    forecast: Forecast | None
    checks: list[Check]
    summary: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether every diagnostic met its mark."""
        return all(check.passed for check in self.checks)

    @property
    def free(self) -> list[str]:
        """Variables of the posterior that are not known constants in all their items: what there is to look at."""
        from bayes_compliance.latents import Latents

        free = Latents(self.prepared.layout).free
        still = {name for name, where in free.items() if not len(where)} | {"support", "p_comply"}
        return [str(name) for name in self.tree["posterior"].data_vars if name not in still]

    def __repr__(self) -> str:
        asked, missed = self.summary["settings"], sum(not check.passed for check in self.checks)
        sizes = self.tree["posterior"].sizes
        until = "no forecast" if self.forecast is None else f"forecast to {self.forecast.until}"
        return (
            f"<Run: {self.prepared.case.name}, {asked['model']} by {asked['engine']}, seed {asked['seed']}, "
            f"{sizes['chain']} chains of {sizes['draw']} draws, {until}, "
            f"{missed} of {len(self.checks)} diagnostics failed>"
        )

    def __str__(self) -> str:
        """Which diagnostics failed, first, and the answer as `run` prints it."""
        from bayes_compliance.answer import answer

        lines = [repr(self), *(f"diagnostic failed: {check}" for check in self.checks if not check.passed)]
        return "\n".join([*lines, *([] if self.forecast is None else [answer(self.prepared.case, self.forecast)])])

    def __reduce__(self) -> tuple[Any, ...]:
        """Without its model, which is found again as `bayes_compliance.api.load` finds it, by name or path."""
        return _whole_again, (self.tree, self.forecast, self.checks, self.summary)


def _whole_again(tree: xr.DataTree, forecast: Forecast | None, checks: list[Check], summary: dict[str, Any]) -> Run:
    """A run from a pickle or a copy."""
    with kept_case(tree, COPIED) as folder:
        prepared = prepared_again(folder, summary, COPIED)
    return Run(as_fitted(prepared, tree), tree, forecast, checks, summary)


def prepared_again(case: str | PathLike[str], summary: dict[str, Any], of: Path | str) -> Prepared:
    """A case as the model of a run sees it.

    Parameters
    ----------
    case : path
        A case folder.
    summary : dict
        Of the run.
    of : Path or str
        What the run is called where it was fitted to something else, which is refused.
    """
    from bayes_compliance import models, running

    settings = summary["settings"]
    prepared = models.prepare(settings["model"], running.open_case(case, settings), pool=settings.get("pool", "linear"))
    same_inputs(prepared.case, summary, of)
    return prepared


def as_fitted(prepared: Prepared, tree: xr.DataTree) -> Prepared:
    """The same as it was fitted in the end."""
    from bayes_compliance.inference import trial

    return trial.as_fitted(prepared, tree.attrs)


@dataclass
class Timer:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = round(self.seconds.get(stage, 0.0) + time.perf_counter() - start, 3)


def summarise(
    prepared: Prepared, checks: list[Check], settings: dict[str, Any], seconds: dict[str, float]
) -> dict[str, Any]:
    """What summary.json holds: versions, seed, settings, SHA-256 of every input, diagnostics with their marks."""
    note = {"model_note": prepared.model.NOTE} if hasattr(prepared.model, "NOTE") else {}
    # a user's own model may read what no shipped one does: then the files' bytes alone tell
    own = settings["model"].endswith(".py")
    fitted = {MODEL: store.sha256(settings["model"])} if own else {"fitted_to": fitted_to(prepared.case)}
    return done_with(prepared.case, checks, settings) | fitted | {"seconds": seconds} | note


def made_by(case: Case | Panel) -> dict[str, Any]:
    """What made a number: versions, and the SHA-256 of every input."""
    return {
        "version": __version__,
        "case": case.name,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
        "inputs": case.inputs,
    }


def machine() -> str:
    """The architecture and the widest vectors of the processor: others round sums otherwise, and draws part ways.

    Examples
    --------
    >>> "unknown" in machine()
    False
    """
    import numpy as np

    simd = np.show_config(mode="dicts").get("SIMD Extensions", {})
    vectors = [*simd.get("baseline", ()), *simd.get("found", ())]
    return " ".join([platform.machine() or "unknown", *vectors[-1:]])


def done_with(case: Case | Panel, checks: Sequence[Check], settings: dict[str, Any]) -> dict[str, Any]:
    """What was done with a case or panel: `made_by`, machine, settings, diagnostics with their marks."""
    made = made_by(case)
    inputs = made.pop("inputs")
    return {
        "tool": store.TOOL,
        **made,
        "machine": machine(),
        "settings": {k: v.isoformat() if isinstance(v, date) else v for k, v in settings.items()},
        "inputs": inputs,
        "diagnostics": [
            check._asdict() | {"value": check.value if check.value == check.value else None} for check in checks
        ],
        "passed": all(check.passed for check in checks),
    }


def until_of(settings: dict[str, Any]) -> date | None:
    """The last date that a RUN was asked for; None for its case's horizon."""
    return date.fromisoformat(settings["until"]) if settings["until"] else None


def write_posterior(folder: Path, tree: xr.DataTree) -> None:
    """posterior.nc."""
    write_netcdf(folder / "posterior.nc", tree)


def write_summary(folder: Path, summary: dict[str, Any]) -> None:
    """summary.json."""
    disk.replace(folder / "summary.json", json.dumps(summary, indent=2) + "\n")


def write_forecast(folder: Path, forecast: Forecast) -> None:
    """forecast.nc and forecast.csv."""
    from bayes_compliance.forecast import to_csv

    write_netcdf(folder / "forecast.nc", forecast.dataset)
    (folder / "forecast.csv").write_bytes(to_csv(forecast.table).encode())


def write_netcdf(file: Path, data: xr.DataTree | xr.Dataset, **options: Any) -> None:
    """By way of memory: HDF5 ends the process where the disk is full, and plain bytes end in an error."""
    file.write_bytes(data.to_netcdf(None, engine="h5netcdf", **options))


def keep_case(tree: xr.DataTree, files: Mapping[str, bytes]) -> xr.DataTree:
    """A fit that holds the case that it is of, as its files were read: `case_text` (file) among its constant data."""
    import numpy as np
    import xarray as xr

    texts = [data.decode("utf-8") for data in files.values()]
    constant = tree["constant_data"].to_dataset().drop_dims(FILE, errors="ignore")
    held = constant.assign({TEXT: (FILE, np.array(texts, object))}).assign_coords({FILE: list(files)})
    return tree.assign({"constant_data": xr.DataTree(held)})


@contextmanager
def kept_case(tree: xr.DataTree, of: str | PathLike[str]) -> Iterator[Path]:
    """A folder, for as long as the block goes on, with the case that the fit of a RUN holds.

    Raises
    ------
    RunFolderError
        If it holds none.
    """
    held = tree["constant_data"].to_dataset()
    if TEXT not in held:
        raise store.RunFolderError(
            f"{of}: posterior.nc does not hold the case; allowed: a RUN that `run`, `fit` or `forecast` writes now"
        )
    names = held[FILE].values.tolist()
    if unknown := sorted(set(names) - {*REQUIRED, *OPTIONAL}):
        allowed = ", ".join(REQUIRED + OPTIONAL)
        raise store.RunFolderError(f"{of}: posterior.nc holds a file {unknown[0]!r}; allowed: {allowed}")
    with TemporaryDirectory() as folder:
        for name, text in zip(names, held[TEXT].values, strict=True):
            Path(folder, name).write_bytes(text.encode("utf-8"))
        yield Path(folder)


def read_forecast(folder: Path, mc_error: float) -> Forecast:
    """The forecast of a RUN, from forecast.nc.

    Raises
    ------
    RunFolderError
        If the RUN has none, or it cannot be read.
    """
    import xarray as xr

    from bayes_compliance.kept import recalled

    if not (folder / "forecast.nc").exists():
        raise store.RunFolderError(f"{folder}: has no forecast; allowed: a RUN of `run`, or `forecast` first")
    try:
        with xr.open_dataset(folder / "forecast.nc", engine="h5netcdf") as dataset:
            return recalled(dataset.load(), mc_error)
    except (OSError, ValueError, KeyError) as error:
        raise store.RunFolderError(f"{folder}: forecast.nc cannot be read ({error}); allowed: a whole RUN") from error


def read_posterior(folder: Path) -> xr.DataTree:
    """posterior.nc of a RUN of one case.

    Raises
    ------
    RunFolderError
        If it cannot be read.
    """
    import xarray as xr

    try:
        with xr.open_datatree(folder / "posterior.nc", engine="h5netcdf") as tree:
            return tree.load()
    except (OSError, ValueError) as error:
        raise store.RunFolderError(f"{folder}: posterior.nc cannot be read ({error}); allowed: a whole RUN") from error


FITTED = ("case.toml", "judgements.csv", "decisions.csv", "proxies.csv", "seeds.csv")
"""Files that a fit may depend on."""

SHOWN = {"title", "horizon", "scenarios", "inputs"}
"""Parts of a case that no fit depends on, nor on the words beside its rows (`WORDS`) and on proxies not measured."""


def fitted_to(case: Case) -> str:
    """SHA-256 of what a fit depends on in a case: what its files say but for what is only shown or only looks ahead.

    The order of rows and tables is that of the case, which is sorted, and counts.
    """
    said = case.model_dump(mode="json", exclude=SHOWN)
    said["proxies"] = [proxy for proxy in said["proxies"] if proxy["kind"] in said["measure_proxies"]]
    for table in ("judgements", "decisions", "proxies", "seeds"):
        said[table] = [{name: cell for name, cell in row.items() if name not in WORDS} for row in said[table]]
    said["rules"] = [{name: value for name, value in rule.items() if name not in Rule.words} for rule in said["rules"]]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def same_inputs(case: Case, summary: dict[str, Any], folder: Path | str) -> None:
    """Refuse a RUN that was fitted to something else than the case says now.

    Parameters
    ----------
    case : Case
        As the model sees it, known as of the day that the RUN was asked for.
    summary : dict
        Of the RUN.
    folder : Path or str
        What the RUN is called.
    """
    inputs, model = summary.get("inputs", {}), summary["settings"]["model"]
    if MODEL in summary and summary[MODEL] != store.sha256(model):
        raise Refused(f"{folder}: fitted with another {model}; allowed: the model as it was, or a new run")
    changed = [name for name in FITTED if case.inputs.get(name) != inputs.get(name)]
    if changed and summary.get("fitted_to") != fitted_to(case):
        raise Refused(f"{folder}: fitted to another {', '.join(changed)}; allowed: a RUN of this case as it is now")
