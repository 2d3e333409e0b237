"""What was run, with what, on which bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from bayes_compliance.report.parts import Number, Section, join, paragraph, table

if TYPE_CHECKING:
    from bayes_compliance.runs import Run


def provenance(run: Run) -> Section:
    """Seed, settings, versions, SHA-256 of every input, and seconds by stage."""
    summary = run.summary
    parts = [
        paragraph(
            f"Made by {summary['tool']} {summary['version']}. The same seed, inputs and versions give the same "
            f"forecast, byte for byte, on machines of one kind ({summary.get('machine', 'not recorded')}); another "
            "may draw other draws of the same posterior."
        ),
        table("Settings", ["Setting", "Value"], [[name, _said(value)] for name, value in summary["settings"].items()]),
        table("Versions", ["Library", "Version"], list(summary["versions"].items())),
        table("Inputs", ["File", "SHA-256"], [[name, code(sha)] for name, sha in summary["inputs"].items()]),
        table("Time", ["Stage", Number("Seconds")], [[k, f"{s:.1f}"] for k, s in summary["seconds"].items()]),
    ]
    return Section("Provenance", "provenance", join(parts))


def code(text: str) -> Markup:
    """Text in a fixed width."""
    return Markup("<code>{}</code>").format(text)


def _said(value: Any) -> str:
    return "not set" if value is None else str(value)
