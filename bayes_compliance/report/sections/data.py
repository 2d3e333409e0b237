"""The decisions and proxies on record, with their sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes_compliance.case.doubts import ACCEPTED, doubts
from bayes_compliance.report.facts import has_lobbies
from bayes_compliance.report.parts import Number, Section, bullets, join, link, paragraph, table, when
from bayes_compliance.report.sentences import listed, number, plural
from bayes_compliance.theory import MISCODING
from bayes_compliance.wording import recorded_rule

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.measurements import Measured
    from bayes_compliance.runs import Run


def data(run: Run) -> Section:
    """Every row that the fit saw, and the proxies that stand beside the judgements."""
    case = run.prepared.case
    coded = ", ".join(f"{name} {error:.0%}" for name, error in MISCODING.items())
    parts = [
        paragraph(
            f"{plural(len(case.decisions), 'decision')} on record{_pending(case)}. Confidence is that of the coding; "
            f"the chance of a wrong code is by confidence: {coded}. A pending decision tells nothing yet and has no "
            "weight."
        ),
        *_doubts(case),
        _decisions(case),
    ]
    if case.proxies:
        parts.append(_proxies(case, run.prepared.layout.measured))
    return Section("Data and sources", "data", join(parts))


def _pending(case: Case) -> str:
    pending = sum(d.decision == "pending" for d in case.decisions)
    return f", {pending} of them pending" if pending else ""


def _doubts(case: Case) -> list[str]:
    """What `check` doubts, but for what depends on the day; of a model without lobbies, in the case's own rows only."""
    found = [one for one in doubts(case, None) if has_lobbies(case) or one.startswith("decisions.csv")]
    return [paragraph(f"{ACCEPTED} ({len(found)})?"), bullets(found)] if found else []


def _decisions(case: Case) -> str:
    rows = [
        [when(d.date), d.state, recorded_rule(d.rule), d.kind.replace("_", " "),
         d.decision.replace("_", " "), ", ".join(d.counterparty), d.confidence, d.note, link(d.source, d.url)]
        for d in case.decisions
    ]  # fmt: skip
    columns = ["Date", "State", "Rule", "Kind", "Decision", "Counterparty", "Confidence", "Note", "Source"]
    return table("Decisions", columns, rows)


def _proxies(case: Case, used: Measured) -> str:
    rows = [
        [when(p.date), p.state, p.lobby or "net support", p.kind.replace("_", " "), number(p.value), p.unit,
         f"{p.reliability:g}", link(p.source, p.url)]
        for p in case.proxies
    ]  # fmt: skip
    columns = ["Date", "State", "Lobby", "Kind", Number("Value"), "Unit", Number("Reliability"), "Source"]
    return table(_caption(case, used), columns, rows)


def _caption(case: Case, used: Measured) -> str:
    """Which proxies are data of the fit (`measure_proxies`), and which are only shown."""
    kinds = listed([kind.replace("_", " ") for kind in case.measure_proxies], "or")
    if not used:
        return "Proxies: measured stand-ins for magnitudes, shown only; the fit does not see them"
    but = f", but for {len(used.left_out)} that cannot be used" if used.left_out else ""
    return f"Proxies: those of kind {kinds} (measure_proxies) are data of the fit{but}; the rest is shown only"
