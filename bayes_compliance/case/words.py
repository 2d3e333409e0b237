"""What a refused value of a TOML file means, in words: what is wrong and what is allowed."""

from __future__ import annotations

import re
from typing import Any

from bayes_compliance.case.problems import one_of, show, suggest
from bayes_compliance.case.vocabulary import PROXY_KINDS

EXAMPLES = {
    "name": 'name = "bananas"',
    "title": 'title = "Bananas for oranges"',
    "adherence_date": "adherence_date = 2001-01-01",
    "horizon": "horizon = { until = 2030-01-01, step_years = 1 }",
    "scale": 'scale = "log" or "linear"',
    "outcomes": "outcomes = 2 or 3",
    "until": "until = 2030-01-01",
    "from": "from = 2020-01-01",
    "states": 'a list of state ids, such as ["H"]',
    "role": "J, K, L, P, G or other",
}
"""What a missing key could be."""

KINDS = {
    "string": 'a text in quotation marks, such as "H"',
    "float": "a finite number",
    "int": "a whole number",
    "bool": "true or false",
    "date": "a date without quotation marks and without a time, such as 2001-05-17",
    "tuple": "a list in [ ]",
    "model": "a table",
    "dict": "a table",
    "finite_number": "a finite number",
}
WHOLE_KEYS = {"measure_proxies": f"true, or a list of kinds: {one_of(PROXY_KINDS)}"}
"""What a key allows that takes more than one type."""

BOUNDS = {
    "greater_than": ("gt", "a number above"),
    "greater_than_equal": ("ge", "a number of at least"),
    "less_than": ("lt", "a number below"),
    "less_than_equal": ("le", "a number of at most"),
}


def explain(error: Any) -> tuple[str, str]:
    """What is wrong and what is allowed, of one error of pydantic."""
    kind, context, given = error["type"], error.get("ctx", {}), show(error["input"])
    key = str(error["loc"][-1]) if error["loc"] else ""
    if kind == "case":
        return context["what"], context["allowed"]
    if kind == "missing":
        return ("a value is missing", "[date, share]") if key.isdecimal() else (
            f"the key {key!r} is missing", EXAMPLES.get(key, f"{key} = ...")
        )  # fmt: skip
    if kind == "literal_error":
        return f"{given} is unknown", _words(error["input"], context["expected"])
    if kind in BOUNDS:
        name, words = BOUNDS[kind]
        return f"{given} is out of range", f"{words} {context[name]:g}"
    if kind in ("too_short", "too_long"):
        return f"{context['actual_length']} items", f"at least {context.get('min_length', 1)}, as the key needs"
    stem = kind if kind in KINDS else kind.partition("_")[0]
    return f"{given} does not fit", WHOLE_KEYS.get(key) or KINDS.get(stem, error["msg"])


def _words(given: Any, expected: str) -> str:
    names = re.findall(r"'([^']*)'", expected)
    return suggest(given, names) if names and isinstance(given, str) else expected
