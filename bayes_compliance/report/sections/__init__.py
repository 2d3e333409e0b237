"""Sections of the page, in its order. A section is a function of a run; one that fails fails the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bayes_compliance.report.parts import Section
from bayes_compliance.report.sections.answer import answer
from bayes_compliance.report.sections.data import data
from bayes_compliance.report.sections.diagnostics import diagnostics
from bayes_compliance.report.sections.forecasts import forecasts
from bayes_compliance.report.sections.guide import limits, reading
from bayes_compliance.report.sections.judgements import judgements
from bayes_compliance.report.sections.learning import learning
from bayes_compliance.report.sections.provenance import provenance
from bayes_compliance.report.sections.record import record

if TYPE_CHECKING:
    from bayes_compliance.runs import Run

SECTIONS: tuple[Callable[[Run], Section], ...] = (
    answer, forecasts, record, learning, reading, limits, judgements, diagnostics, data, provenance,
)  # fmt: skip
