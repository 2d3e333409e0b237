"""Case folders for tests, as text: give what matters, the rest is a small whole case."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from bayes_compliance.case.records import HEADERS

Table = Mapping[str, Any]

HEAD: dict[str, Any] = {
    "name": "small",
    "title": "A small case",
    "adherence_date": date(2000, 1, 1),
    "horizon": {"until": date(2030, 1, 1), "step_years": 5},
    "scale": "linear",
    "outcomes": 2,
}
Z95 = 1.6448536269514722


def write_case(
    folder: str | Path,
    *,
    states: Sequence[Table] = ({"id": "H"},),
    rules: Sequence[Table] = ({"id": "r", "states": ["H"]},),
    lobbies: Sequence[Table] = (),
    judgements: Iterable[Table] = (),
    decisions: Iterable[Table] = (),
    proxies: Iterable[Table] = (),
    tables: Mapping[str, Any] | None = None,
    scenarios: str = "",
    **head: Any,
) -> Path:
    """Write a case folder and return its path.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    states, rules, lobbies : sequence of dict
        Tables of case.toml.
    judgements, decisions, proxies : iterable of dict
        CSV rows; columns left out are blank, or `analyst` "a", `date` 1999-12-01, `confidence` "certain".
    tables : dict
        Further tables of case.toml: a dict for one table, a list of dicts for an array of tables.
    scenarios : str
        Text of scenarios.toml, if any.
    **head
        Keys at the top of case.toml, over those of `HEAD`; None leaves one out.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    arrays = {"states": states, "rules": rules, "lobbies": lobbies, **(tables or {})}
    (place / "case.toml").write_text(to_toml(HEAD | head, arrays), encoding="utf-8")
    known: dict[str, str] = {"analyst": "a", "date": "1999-12-01"}
    rows = {"judgements.csv": (judgements, known), "decisions.csv": (decisions, {"confidence": "certain"})}
    if proxies := list(proxies):
        rows["proxies.csv"] = (proxies, {})
    for name, (content, blank) in rows.items():
        (place / name).write_text(_csv(HEADERS[name], content, blank), encoding="utf-8")
    if scenarios:
        (place / "scenarios.toml").write_text(scenarios, encoding="utf-8")
    return place


def normal(lobby: str, mean: float, sd: float, quantity: str = "magnitude", **more: Any) -> dict[str, Any]:
    """A judgement whose fitted distribution is exactly N(mean, sd^2)."""
    low, high = mean - Z95 * sd, mean + Z95 * sd
    return {"lobby": lobby, "quantity": quantity, "p05": low, "p50": mean, "p95": high, "family": "normal", **more}


def known(quantity: str, value: float, lobby: str = "", **more: Any) -> dict[str, Any]:
    """A known constant: three equal quantiles."""
    return {"lobby": lobby, "quantity": quantity, "p05": value, "p50": value, "p95": value, **more}


def quantiles(quantity: str, low: float, mid: float, high: float, lobby: str = "", **more: Any) -> dict[str, Any]:
    """A judgement by its 5%, 50% and 95% quantiles."""
    return {"lobby": lobby, "quantity": quantity, "p05": low, "p50": mid, "p95": high, **more}


def complied(day: str, decision: str = "comply", state: str = "H", rule: str = "r", **more: Any) -> dict[str, Any]:
    """A compliance row."""
    return {"date": day, "state": state, "rule": rule, "kind": "compliance", "decision": decision, **more}


def to_toml(head: Mapping[str, Any], tables: Mapping[str, Any]) -> str:
    """TOML of a head and of its tables."""
    lines = [f"{key} = {_value(value)}" for key, value in head.items() if value is not None]
    for name, content in tables.items():
        entries = [content] if isinstance(content, Mapping) else content
        mark = f"[{name}]" if isinstance(content, Mapping) else f"[[{name}]]"
        for entry in entries:
            lines += ["", mark, *(f"{key} = {_value(value)}" for key, value in entry.items() if value is not None)]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(v)}" for key, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return value.isoformat() if isinstance(value, date) else repr(value)


def _csv(columns: Sequence[str], rows: Iterable[Table], blank: Mapping[str, str]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n", restval="")
    writer.writeheader()
    # repr keeps every digit of a number
    writer.writerows({k: repr(v) if isinstance(v, float) else v for k, v in {**blank, **row}.items()} for row in rows)
    return out.getvalue()
