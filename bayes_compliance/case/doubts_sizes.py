"""Numbers of a sound case that are far from those beside them: of another scale, in another unit, or in percent."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import exp, log
from statistics import median
from typing import TYPE_CHECKING

from bayes_compliance.case.doubts_rows import cell, column

if TYPE_CHECKING:
    from bayes_compliance.case.case import Case
    from bayes_compliance.case.schema_rows import Judgement, Proxy

NOISE = (0.05, 20.0)
"""Decision noise as a multiple of K_ref, outside which it looks like a probability, or like points of another scale."""

FAR = 100.0
"""How many times K_ref a magnitude may be, or (on the log scale) K_ref a magnitude; and one proxy the one before it."""

HIGH = 20.0
"""How many times K_ref a threshold may be, and how many times as strong a scenario may make a lobby."""

APART = 10.0
"""How many times the one analyst's median may be the other's, of one lobby on the log scale."""


def size_doubts(case: Case) -> Iterator[str]:
    """Doubts about judgements and thresholds beside K_ref, analysts beside each other, scenarios and proxies."""
    k_ref = {state.id: k for state in case.states if (k := _k_ref(case, state.id)) > 0}
    for row in sorted(case.judgements, key=lambda j: j.row):
        if row.quantity == "decision_noise":
            yield from _noise(row, k_ref)
        elif row.quantity == "magnitude":
            yield from _magnitude(case, row, k_ref)
    yield from _thresholds(case, k_ref)
    yield from _analysts_apart(case)
    yield from _scaled(case)
    yield from _leaps(case)


def _k_ref(case: Case, state: str) -> float:
    """The sum of the K medians of a state's first rule that has any K, nearly as the priors have it; else 0."""
    for rule in case.state(state).rules:
        weight = sum(abs(_median(case, lobby.id)) for lobby in case.lobbies_on(state, rule) if lobby.role == "K")
        if weight:
            return weight
    return 0.0


def _median(case: Case, lobby: str, ratios: bool = True) -> float:
    """The middle of the analysts' medians of a magnitude; a ratio is one of the magnitude that it is of."""
    rows = [j for j in case.judgements if j.lobby == lobby]
    found = [j.p50 for j in rows if j.quantity == "magnitude"]
    found += [j.p50 * _median(case, j.of, False) for j in rows if ratios and j.quantity == "ratio"]
    if found and min(found) > 0 and not case.is_linear(case.lobby(lobby)):
        return exp(median(map(log, found)))
    return median(found) if found else 0.0


def _noise(row: Judgement, k_ref: dict[str, float]) -> Iterator[str]:
    told = [
        state for state, k in k_ref.items() if row.state in ("", state) and not k * NOISE[0] <= row.p50 <= k * NOISE[1]
    ]
    if told:
        k = k_ref[told[0]]
        of = "" if row.state else f" of {told[0]!r}"
        yield (
            f"judgements.csv:{row.row}: {column(row, 'p50')}: a decision_noise of {row.p50:g}, and K_ref{of} is "
            f"{k:.4g}: {_as_much(row.p50 / k)}; it is in points, and no probability"
        )


def _magnitude(case: Case, row: Judgement, k_ref: dict[str, float]) -> Iterator[str]:
    k = k_ref.get(case.lobby(row.lobby).state)
    if k and (abs(row.p50) > FAR * k or (row.p50 < k / FAR and not case.is_linear(case.lobby(row.lobby)))):
        yield (
            f"judgements.csv:{row.row}: {column(row, 'p50')}: a magnitude of {row.p50:g} for {row.lobby!r}, and K_ref "
            f"is {k:.4g}: {_as_much(abs(row.p50) / k)}; are both on one scale?"
        )


def _as_much(times: float) -> str:
    return f"{times:.3g} times as much" if times > 1 else f"{100 * times:.2g}% of it"


def _thresholds(case: Case, k_ref: dict[str, float]) -> Iterator[str]:
    for state in case.states:
        k = k_ref.get(state.id)
        if k and abs(state.threshold) > HIGH * k:
            yield (
                f"case.toml: states[{state.id}].threshold: {state.threshold:g}, and K_ref is {k:.4g}: "
                f"{_as_much(abs(state.threshold) / k)}; it is in points, as magnitudes are"
            )


def _analysts_apart(case: Case) -> Iterator[str]:
    for lobby in case.lobbies:
        rows = [j for j in case.judgements if (j.quantity, j.lobby) == ("magnitude", lobby.id)]
        if len(rows) < 2 or case.is_linear(lobby):
            continue
        low, high = (choose(rows, key=lambda j: (j.p50, j.row)) for choose in (min, max))
        if high.p50 > APART * low.p50:
            first, second = sorted((low, high), key=lambda j: j.row)
            yield (
                f"judgements.csv:{second.row}: {column(second, 'p50')}: a magnitude of {second.p50:g} for {lobby.id!r} "
                f"by {second.analyst!r}, and of {first.p50:g} by {first.analyst!r} in row {first.row}: do both mean "
                "one scale?"
            )


def _scaled(case: Case) -> Iterator[str]:
    for scenario in case.scenarios:
        for change in scenario.changes:
            if change.scale is not None and change.scale > HIGH:
                yield (
                    f"scenarios.toml: scenarios[{scenario.id}].changes: {change.lobby!r} with scale = {change.scale:g} "
                    f"is {change.scale:g} times as strong; {change.scale:g}% is scale = {change.scale / 100:g}"
                )


def _leaps(case: Case) -> Iterator[str]:
    """Proxies of one thing in one unit, each beside the one before it."""
    by_unit: dict[tuple[str, ...], list[Proxy]] = {}
    for row in sorted(case.proxies, key=lambda p: (p.date, p.row)):
        by_unit.setdefault((row.state, row.lobby, row.kind, row.unit), []).append(row)
    for rows in by_unit.values():
        for before, row in pairwise(rows):
            low, high = sorted((abs(before.value), abs(row.value)))
            if 0 < low < high / FAR:
                yield (
                    f"proxies.csv:{row.row}: value: {row.value:g} for {row.lobby or row.state!r} on {cell(row)}, and "
                    f"{before.value:g} in row {before.row}, both {row.kind} in {row.unit or 'no unit'}: are they in "
                    "one unit?"
                )
