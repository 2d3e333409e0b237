"""A sealed ledger: forecasts that nobody can better afterwards.

Each line of the ledger holds a forecast of the future, the SHA-256 of every file it was made from, the time, and the
SHA-256 of the line before; its own seal is the SHA-256 of all that. To change, drop or insert a line breaks every seal
after it. A chain alone cannot prove *when* it was made, nor that no other chain was kept beside it: publish the last
seal (`head`) where others can see its date.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bayes_compliance import disk, store
from bayes_compliance.arguments import check_path
from bayes_compliance.errors import Refused

if TYPE_CHECKING:
    from os import PathLike

    import xarray as xr

    from bayes_compliance.case import Case

FIRST = "0" * 64
"""What the first line has for the line before."""

KEPT = ("state", "rule", "date", "p_violate", "p_partial", "p_comply")
SUMMARY = ("case", "version", "versions", "settings", "inputs", "passed")

HALF_A_DIGIT = 5.1e-7
"""By which a number of six decimals may differ from what it was rounded from."""

PATIENCE = 5.0
"""Seconds to wait for another process that adds to the ledger."""

BEYOND = 2**30
"""Where a ledger is locked: on Windows nobody else may read what is locked, so a byte that no ledger has."""


class Entry(NamedTuple):
    """A sealed forecast: when it was sealed, and its rows as `KEPT` has them."""

    number: int
    sealed: datetime
    case: str
    forecast: list[dict[str, Any]]


class Scored(NamedTuple):
    """A decision that came after a forecast was sealed: probabilities (violate, partial, comply), and the scores."""

    entry: int
    state: str
    rule: str
    date: date
    decision: str
    p: tuple[float, float, float]
    scores: dict[str, float]


def seal(line: dict[str, Any]) -> str:
    """SHA-256 of a line without its own seal, keys sorted."""
    content = {name: value for name, value in line.items() if name != "seal"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def add(ledger: str | PathLike[str], run: str | PathLike[str], now: datetime | None = None) -> str:
    """Seal the forecast of a RUN; rows for dates that are past are left out. Returns the new seal.

    Parameters
    ----------
    ledger : path
        A file of JSON lines, made if it is not there; it must be whole.
    run : path
        A RUN folder with its forecast.csv.
    now : datetime or None
        With a time zone; default the clock.

    Raises
    ------
    Refused
        If the ledger is broken, cannot be opened or is held by another process, the RUN has no forecast, its
        forecast.csv is not what its forecast.nc says, none of its dates is ahead, or the ledger has the same forecast
        already.
    OSError
        If the disk takes no more; the ledger is as it was.
    """
    check_path("ledger", ledger, "a ledger")
    folder, book = Path(run), Path(ledger)
    store.check_kind(folder, store.RUN)
    summary = store.read_summary(folder)
    every = _forecast(folder / "forecast.csv")
    _check_told(folder, every)
    _ahead(folder, every, _utc(now))  # what is refused here makes no ledger
    with _alone(book) as file:
        sealed = _utc(now)  # once it is our turn, since times rise
        line: dict[str, Any] = {
            "sealed": sealed.isoformat(timespec="seconds"),
            "before": verify(book),
            "forecast_sha256": store.sha256(folder / "forecast.csv"),
            **{name: summary.get(name) for name in SUMMARY},
            "forecast": _ahead(folder, every, sealed),
        }
        _check_new(book, folder, line)
        line["seal"] = seal(line)
        _append(file, book, (json.dumps(line, sort_keys=True) + "\n").encode())
    return line["seal"]


def _utc(now: datetime | None) -> datetime:
    return (now or datetime.now(UTC)).astimezone(UTC)


def _ahead(folder: Path, rows: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Rows for dates that are still to come; refused where there are none."""
    found = [{name: row[name] for name in KEPT} for row in rows if _day(row) > now.date()]
    if not found:
        raise Refused(
            f"{folder}: every date of its forecast is past on {now.date()}; allowed: a forecast of the future"
        )
    return found


@contextmanager
def _alone(book: Path) -> Iterator[IO[bytes]]:
    """A ledger to add to, made if it is not there, and locked: two lines after the same one would break the chain."""
    try:
        handle = os.open(book, os.O_CREAT | os.O_APPEND | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o666)
    except (OSError, ValueError) as error:
        raise Refused(f"{book} cannot be written ({error}); allowed: a file in a folder that is there") from error
    with os.fdopen(handle, "a+b", buffering=0) as file:
        _lock(file, book)
        yield file


def _lock(file: IO[bytes], book: Path) -> None:
    file.seek(BEYOND)
    until = time.monotonic() + PATIENCE
    while not disk.held(file.fileno()):
        if time.monotonic() > until:
            raise Refused(f"{book}: another process is adding to it; allowed: one at a time")
        time.sleep(0.05)


def _append(file: IO[bytes], book: Path, line: bytes) -> None:
    """Write a line, on a line of its own also where the last one has no end."""
    if size := file.seek(0, os.SEEK_END):
        file.seek(size - 1)
        line = line if file.read(1) == b"\n" else b"\n" + line
    disk.append(file, book, line)


def _forecast(path: Path) -> list[dict[str, Any]]:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            _day(row), [float(row[name]) for name in KEPT[3:]]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise Refused(f"{path} cannot be read ({error}); allowed: a RUN with its forecast") from error
    return rows


def _day(row: dict[str, Any]) -> date:
    return date.fromisoformat(row["date"])


def _check_told(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Refuse a forecast.csv that is not, row for row and to its digits, what forecast.nc says."""
    import xarray as xr

    try:
        with xr.open_dataset(folder / "forecast.nc", engine="h5netcdf") as found:
            told = found.load()
        says = {name: told[f"{name}_mean" if f"{name}_mean" in told else name] for name in KEPT[3:]}
    except (OSError, KeyError, ValueError) as error:
        raise Refused(f"{folder}: forecast.nc cannot be read ({error}); allowed: a whole RUN") from error
    keys = [(row["state"], row["rule"], row["date"]) for row in rows]
    for number, (row, key) in enumerate(zip(rows, keys, strict=True), start=2):
        for name, values in says.items():
            if not _is(values, key, float(row[name])):
                what = f"{row[name]} is not what forecast.nc says"
                raise Refused(f"{folder}/forecast.csv:{number}: {name}: {what}; allowed: a forecast as it was written")
    if len(keys) != len(set(keys)) or len(keys) != int(says["p_comply"].notnull().sum()):
        raise Refused(f"{folder}/forecast.csv: not all rows of forecast.nc once; allowed: a forecast as it was written")


def _is(values: xr.DataArray, key: tuple[str, str, str], number: float) -> bool:
    state, rule, day = key
    try:
        own = float(values.sel(state=state, rule=rule, time=day).item())
    except (KeyError, ValueError):
        return False
    return abs(own - number) < HALF_A_DIGIT


def _check_new(book: Path, folder: Path, line: dict[str, Any]) -> None:
    """Refuse a forecast that is sealed already: it would count twice."""
    for number, other in _lines(book):
        same = any(other.get(name) == line[name] for name in ("forecast_sha256", "forecast"))
        if same and other.get("case") == line["case"]:
            raise Refused(
                f"{folder}: its forecast is sealed already, on {book}:{number}; allowed: a forecast that is not there"
            )


def verify(ledger: str | PathLike[str], head: str | None = None) -> str:
    """Check every seal and the chain; returns the last seal, or `FIRST` where the ledger holds no forecast.

    Parameters
    ----------
    ledger : path
    head : str or None
        A seal that was published: the ledger must contain it, so that no line up to it was changed since.

    Raises
    ------
    Refused
        Naming the first line that was changed, inserted or dropped, or a published seal that is missing.
    """
    last, seals = FIRST, []
    when = None
    for number, line in _lines(ledger):
        place = f"{ledger}:{number}"
        if line.get("seal") != seal(line):
            raise Refused(f"{place}: seal: the line was changed after it was sealed; allowed: the line as it was")
        if line["before"] != last:
            raise Refused(f"{place}: before: the line before was dropped, moved or changed; allowed: the whole chain")
        sealed = datetime.fromisoformat(line["sealed"])
        if when is not None and sealed < when:
            raise Refused(f"{place}: sealed: {sealed} is before the line above, {when}; allowed: times that rise")
        when, last = sealed, line["seal"]
        seals.append(last)
    if head is not None and head not in seals:
        raise Refused(f"{ledger}: no line has the seal {head}; allowed: the ledger that was published with it")
    return last


def _lines(ledger: str | PathLike[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    check_path("ledger", ledger, "a ledger")
    path = Path(ledger)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read ({error}); allowed: a ledger") from error
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            found = json.loads(line)
        except json.JSONDecodeError as error:
            raise Refused(f"{path}:{number}: no JSON ({error}); allowed: one sealed forecast a line") from error
        if not isinstance(found, dict) or not {"seal", "before", "sealed", "forecast"} <= set(found):
            raise Refused(f"{path}:{number}: no sealed forecast; allowed: one sealed forecast a line")
        yield number, found


def entries(ledger: str | PathLike[str]) -> list[Entry]:
    """The sealed forecasts of a whole ledger."""
    verify(ledger)
    return [
        Entry(number, datetime.fromisoformat(line["sealed"]), str(line.get("case")), line["forecast"])
        for number, line in _lines(Path(ledger))
    ]


@dataclass(frozen=True)
class Settled:
    """All sealed forecasts of decisions that have come.

    Attributes
    ----------
    scored : tuple of Scored
    waiting : tuple of str
        Decisions of the case that are of days to come, and so not scored.
    """

    scored: tuple[Scored, ...]
    waiting: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([*(f"{one}: not come yet, and not scored" for one in self.waiting), self._told()])

    def _told(self) -> str:
        if not self.scored:
            return "No decision has come since any forecast was sealed."
        means = {name: np.mean([one.scores[name] for one in self.scored]) for name in self.scored[0].scores}
        said = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
        lines = [
            f"{one.date} {one.state} {one.rule}: {one.decision}; foretold p_comply {one.p[2]:.2f} (line {one.entry})"
            for one in self.scored
        ]
        return "\n".join([*lines, f"Mean scores of {len(self.scored)} forecasts, lower is better: {said}"])


def score(ledger: str | PathLike[str], case: Case, now: datetime | None = None) -> Settled:
    """Score sealed forecasts against the decisions that a case has by now.

    Each compliance decision whose day (or month, or year, if no more is known) began after an entry's sealing is scored
    with that entry, linearly between its forecast dates; before the first and after the last of them it is not. Every
    entry counts, not the best or the last one. What is dated after today has not come yet.

    Parameters
    ----------
    ledger : path
        Verified first.
    case : Case
        With the decisions that have come.
    now : datetime or None
        With a time zone; default the clock.

    Raises
    ------
    Refused
        If the ledger is broken, or has no forecast of the case.
    """
    from bayes_compliance.validation.origins import compliances

    sealed = entries(ledger)
    if not sealed:
        raise Refused(f"{ledger}: holds no forecast; allowed: a ledger in which `ledger add` has sealed one")
    own = [entry for entry in sealed if entry.case == case.name]
    if not own:
        named = ", ".join(sorted({entry.case for entry in sealed}))
        raise Refused(
            f"{ledger}: has no forecast of the case {case.name!r}; allowed: a case of which it has one: {named}"
        )
    today, decided = _utc(now).date(), compliances(case)
    found = [
        scored
        for entry in own
        for decision in decided
        if entry.sealed.date() < decision.first_day <= today
        for scored in _settle(entry, decision)
    ]
    waiting = (f"{d.date} {d.state} {d.rule}: {d.decision}" for d in decided if d.first_day > today)
    return Settled(tuple(found), tuple(waiting))


def _settle(entry: Entry, decision: Any) -> list[Scored]:
    from bayes_compliance.layout import OUTCOME
    from bayes_compliance.validation.scores import each

    p = _between(entry.forecast, decision.state, decision.rule, decision.date)
    if p is None:
        return []
    outcome = OUTCOME[decision.decision]
    held = np.array(p)
    held[outcome] = max(held[outcome], HALF_A_DIGIT)
    scores = {name: float(values[0]) for name, values in each([held], [outcome]).items()}
    return [Scored(entry.number, decision.state, decision.rule, decision.date, decision.decision, p, scores)]


def _between(rows: Sequence[dict[str, Any]], state: str, rule: str, day: date) -> tuple[float, float, float] | None:
    """Probabilities on a date, linear between the forecast's own dates; None outside them."""
    own = sorted((date.fromisoformat(row["date"]), row) for row in rows if (row["state"], row["rule"]) == (state, rule))
    days = [one.toordinal() for one, _ in own]
    if not days or not days[0] <= day.toordinal() <= days[-1]:
        return None
    found = [np.interp(day.toordinal(), days, [float(row[name]) for _, row in own]) for name in KEPT[3:]]
    return float(found[0]), float(found[1]), float(found[2])
