"""Sections of the page, in its order. A section is a function of a run; one that fails is left out.

A section that does not apply to the run is None and left out; `unanswered` says which and why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bayes_compliance.report.parts import Section
from bayes_compliance.report.sections.agreement import agreement
from bayes_compliance.report.sections.answer import answer
from bayes_compliance.report.sections.choice import equilibria, insincerity
from bayes_compliance.report.sections.data import data
from bayes_compliance.report.sections.diagnostics import diagnostics
from bayes_compliance.report.sections.duration import duration
from bayes_compliance.report.sections.forecasts import forecasts
from bayes_compliance.report.sections.foresight import foresight
from bayes_compliance.report.sections.guide import limits, reading
from bayes_compliance.report.sections.hanging import hanging
from bayes_compliance.report.sections.judgements import judgements
from bayes_compliance.report.sections.learning import learning
from bayes_compliance.report.sections.partners import partners
from bayes_compliance.report.sections.pooling import pooling
from bayes_compliance.report.sections.provenance import provenance
from bayes_compliance.report.sections.record import record
from bayes_compliance.report.sections.research import research
from bayes_compliance.report.sections.rules import rules
from bayes_compliance.report.sections.shadow import shadow
from bayes_compliance.report.sections.sincere import sincere
from bayes_compliance.report.sections.turning import turning
from bayes_compliance.report.sections.unanswered import unanswered
from bayes_compliance.report.sections.uncertainty import uncertainty
from bayes_compliance.report.sections.what_if import what_if

if TYPE_CHECKING:
    from bayes_compliance.runs import Run

Write = Callable[["Run"], Section | None]

SECTIONS: tuple[Write, ...] = (
    answer, rules, forecasts, record, uncertainty, research, what_if, turning, agreement, sincere, insincerity, shadow,
    equilibria, partners, foresight, duration, unanswered, hanging, learning, pooling, reading, limits, judgements,
    diagnostics, data, provenance,
)  # fmt: skip

ANSWERING: frozenset[Write] = frozenset({
    answer, uncertainty, research, what_if, turning, agreement, sincere, insincerity, shadow, equilibria, partners,
    foresight, unanswered,
})  # fmt: skip
"""Those that the same answers of the analyses serve."""

DIAGNOSED: tuple[Write, ...] = (diagnostics, provenance)
"""Those that say how the diagnostics came out; the others can be written meanwhile."""
