"""Was joining sincere?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from bayes_compliance.analysis.sentences_a import sincerity_sentences
from bayes_compliance.kept import day_of
from bayes_compliance.report.answers import answers
from bayes_compliance.report.comparison import pairs
from bayes_compliance.report.parts import Number, Section, bullets, join, paragraph, table, when
from bayes_compliance.report.sentences import percent

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.case import Case
    from bayes_compliance.runs import Run

INTRODUCTION = (
    "A state may join for what the other side gives at once, meaning to break its word. Joining is called sincere "
    "where the lobbies of that very day would have carried compliance too; what nobody can see are thoughts. Where the "
    "other side's performance has an end, the question is put again on the first day on which nothing more can be "
    "lost."
)


def sincere(run: Run) -> Section | None:
    """The probability that a state would not have complied on the day it joined, by rule."""
    found, case = answers(run).found.get("sincerity"), run.prepared.case
    if found is None:
        return None
    said = [sentence for one, rules in joined_on_one_day(found, case) for sentence in sincerity_sentences(one, rules)]
    if not said:
        return Section("Was joining sincere?", "sincerity", paragraph("No state is on record as having joined."))
    body = join([paragraph(INTRODUCTION), bullets(said), _table(found, case)])
    return Section("Was joining sincere?", "sincerity", body)


def joined_on_one_day(found: xr.Dataset, case: Case) -> Iterator[tuple[xr.Dataset, dict[str, float]]]:
    """Means over the rules that a state joined on one day, and whose other side has performed by one day, if any.

    With them the probability of each of these rules.
    """
    together: dict[tuple[Any, ...], list[str]] = {}
    for state, rule, here in pairs(found, case):
        if not np.isnan(here["p_insincere"]):
            days = here["adherence_date"].values, here["date_after_performance"].values
            together.setdefault((state, *map(str, days)), []).append(rule)
    for (state, *_), rules in together.items():
        own = found.sel(state=[state], rule=rules)
        name = rules[0] if len(rules) == 1 else f"over {_some(len(rules), len(case.state(state).rules))} rules"
        days_alone = own.isel(rule=[0])[["adherence_date", "date_after_performance"]]
        numbers = (
            own[["p_insincere", "p_insincere_after_performance"]].mean("rule").expand_dims(rule=[rules[0]], axis=1)
        )
        each = {rule: own["p_insincere"].sel(state=state, rule=rule).item() for rule in rules}
        yield days_alone.merge(numbers).assign_coords(rule=[name]), each


def _some(n: int, owed: int) -> str:
    return f"its {n}" if n == owed else f"{n} of its {owed}"


def _table(found: xr.Dataset, case: Case) -> Markup:
    later = bool(found["p_insincere_after_performance"].notnull().any())
    columns = ["State", "Rule", "Joined on", Number("Would not have complied")]
    columns += ["Other side had performed by", Number("Would not have complied then")] * later
    rows = [
        [state, rule, when(day_of(here["adherence_date"].values)), _percent(here["p_insincere"]),
         *([_day(here["date_after_performance"]), _percent(here["p_insincere_after_performance"])] * later)]
        for state, rule, here in pairs(found, case)
        if not np.isnan(here["p_insincere"])
    ]  # fmt: skip
    return table("The probability that a state which joined would not have complied, by rule", columns, rows)


def _percent(p: xr.DataArray) -> str:
    return "–" if np.isnan(p) else percent(float(p))


def _day(day: xr.DataArray) -> Markup | str:
    return "–" if np.isnat(day.values) else when(day_of(day.values))
