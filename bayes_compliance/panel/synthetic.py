"""Panels whose truth is known: decisions drawn from the model itself, to see what a fit finds again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import seeds
from bayes_compliance.case.schema_rows import Decision
from bayes_compliance.disk import new_folder, write_csv
from bayes_compliance.errors import Refused
from bayes_compliance.panel.fitting import prior, simulate
from bayes_compliance.panel.layout import DIMS, PanelLayout
from bayes_compliance.panel.loading import HEADER, RULES, STATES, TABLE
from bayes_compliance.panel.records import Covariates, Entry, Panel, RuleKey

FIRST, LAST = date(1990, 1, 1), date(2020, 1, 1)
STATES_ALLOWED = (2, 150)
RULES_PER_CASE, MOST_CASES = 8, 10
AREAS = ("environment", "human rights", "trade")
COLUMNS = ("bar members per 1000", "other legal rights held")
CONFIDENCES = ("certain", "high", "medium", "low")
WORDS = {"adherence": ("not_adhere", "", "adhere"), "compliance": ("violate", "partial", "comply")}
TRUTH = {
    "level": 0.5, "state_spread": 0.7, "rule_spread": 0.8, "area_spread": 0.4, "stakes": 0.7, "bias_share": 0.5,
}  # fmt: skip
"""Set rather than drawn, so that the panels of all seeds are of one kind; the rest is drawn from the prior."""


@dataclass(frozen=True, eq=False)
class Synthetic:
    """A panel and what its decisions were drawn from: quantities by name, (item,), along the layout of the panel."""

    panel: Panel
    truth: dict[str, NDArray]


def synthetic(
    states: int = 40, rules: int = 60, decisions: int = 1200, *, seed: int = 1, outcomes: int = 3,
    missing: float = 0.1, paths: bool = False, truth: dict[str, float] | None = None,
) -> Synthetic:  # fmt: skip
    """A panel drawn from the model.

    Parameters
    ----------
    states : int
        2 to 150. Each joins, or does not join, each of the cases (of eight rules, or at most ten cases).
    rules : int
        At least one.
    decisions : int
        Compliance decisions that are drawn; those of states that did not join are then left out.
    seed : int
    outcomes : 2 or 3
    missing : float in [0, 1)
        Share of covariates that are blank.
    paths : bool
        Whether P2 + G2 moves.
    truth : dict or None
        Quantities that are set instead of `TRUTH`.

    Returns
    -------
    Synthetic
    """
    if not STATES_ALLOWED[0] <= states <= STATES_ALLOWED[1] or rules < 1 or decisions < 1:
        what = f"{states} states, {rules} rules, {decisions} decisions"
        raise Refused(f"--simulate: {what}; allowed: 2 to 150 states, and one rule and one decision at least")
    rng = seeds.generator(seed, "synthetic panel")
    blank = _blank(states, rules, decisions, outcomes, missing, rng)
    layout = PanelLayout(blank, paths=paths)
    fixed = {name: np.array([value]) for name, value in (TRUTH | (truth or {})).items()}
    x = prior(layout, 1, rng, fixed)
    outcome = simulate(layout, x, rng)[0]
    decided = [_decided(entry, int(k)) for entry, k in zip(layout.entries, outcome, strict=True)]
    joined = {(e.case, e.decision.state) for e in decided if e.decision.decision == "adhere"}
    kept = [e for e in decided if e.decision.kind == "adherence" or (e.case, e.decision.state) in joined]
    made = replace(blank, entries=tuple(sorted(kept, key=lambda e: (e.case, e.depth, e.decision.order))))
    return Synthetic(made, {name: values[0] for name, values in x.items()})


def _blank(states: int, rules: int, decisions: int, outcomes: int, missing: float, rng: np.random.Generator) -> Panel:
    """The panel before anything is decided: who takes how many decisions on what and when."""
    names = [f"S{i:03d}" for i in range(states)]
    each = max(RULES_PER_CASE, -(-rules // MOST_CASES))
    keys = [RuleKey(f"case {r // each:02d}", f"rule {r:03d}") for r in range(rules)]
    owed = {key.case: tuple(k.rule for k in keys if k.case == key.case) for key in keys}
    entries = [_entry(case, FIRST, name, "*", "adherence", "certain") for case in owed for name in names]
    days = (LAST - FIRST).days
    for state, rule, day, sure in zip(
        rng.integers(states, size=decisions), rng.integers(rules, size=decisions),
        rng.integers(1, days + 1, size=decisions), rng.integers(len(CONFIDENCES), size=decisions), strict=True,
    ):  # fmt: skip
        when = FIRST + timedelta(days=int(day))
        entries.append(_entry(keys[rule].case, when, names[state], keys[rule].rule, "compliance", CONFIDENCES[sure]))
    blank = rng.random((states, 2)) < missing
    blank[:2] = False  # a column of fewer than two numbers says nothing
    values = np.where(blank, np.nan, rng.normal(size=(states, 2)) * [2, 5] + [6, 20])
    return Panel(
        name="synthetic", entries=tuple(entries), outcomes=dict.fromkeys(owed, outcomes),
        owed={(case, name): of for case, of in owed.items() for name in names},
        states=Covariates(COLUMNS, {n: tuple(map(float, row)) for n, row in zip(names, values.round(3), strict=True)}),
        rules=Covariates(), areas={key: AREAS[int(rng.integers(len(AREAS)))] for key in keys},
        until=LAST + timedelta(days=1826), inputs={},
    )  # fmt: skip


def _entry(case: str, day: date, state: str, rule: str, kind: Any, confidence: Any) -> Entry:
    word: Any = WORDS[kind][2]
    made = Decision(
        date=day, date_end=day, state=state, rule=rule, kind=kind, decision=word, confidence=confidence,
        note="drawn from the model", source="synthetic",
    )  # fmt: skip
    return Entry(case, made)


def _decided(entry: Entry, outcome: int) -> Entry:
    word = WORDS[entry.decision.kind][outcome]
    return entry._replace(decision=entry.decision.model_copy(update={"decision": word}))


def write(folder: str | PathLike[str], made: Synthetic) -> list[Path]:
    """The panel as a folder that `load_panel` reads, with the truth beside it in truth.csv.

    Raises
    ------
    Refused
        If the folder is not new or empty, or cannot be written.
    """
    panel = made.panel
    tables: dict[str, tuple[Sequence[str], Iterable[Sequence[Any]]]] = {
        TABLE: (HEADER, [_row(entry, i) for i, entry in enumerate(panel.entries)]),
        STATES: (("state", *panel.states.columns), _numbers(panel.states)),
        RULES: (("case", "rule", "area"), [(*key, area) for key, area in panel.areas.items()]),
        "truth.csv": (("quantity", "item", "value"), _truth(made)),
    }
    with new_folder(folder) as place:
        for name, (header, rows) in tables.items():
            write_csv(place / name, header, rows)
    return [place / name for name in tables]


def _row(entry: Entry, number: int) -> tuple[Any, ...]:
    """A row; its number in the note keeps apart decisions that were the same on one day."""
    d = entry.decision
    note = f"{d.note}, {number}"
    return entry.case, d.date, d.state, d.rule, d.kind, d.decision, "", d.confidence, note, d.source, d.url


def _numbers(covariates: Covariates) -> list[tuple[Any, ...]]:
    return [(key, *("" if v != v else f"{v:g}" for v in values)) for key, values in covariates.values.items()]


def _truth(made: Synthetic) -> list[tuple[str, str, str]]:
    coords = PanelLayout(made.panel).coords
    return [
        (name, label, f"{value:.6f}")
        for name, values in made.truth.items() if name != "walk"
        for label, value in zip(coords[DIMS[name]] if name in DIMS else [""], values, strict=True)
    ]  # fmt: skip
