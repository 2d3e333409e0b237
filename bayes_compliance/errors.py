"""The errors that mean: your input was refused and nothing was written, or a page was written but for some sections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayes_compliance.panel.command import PanelRun
    from bayes_compliance.runs import Run


class Refused(ValueError):
    """Bad input. The text holds one problem a line, each ``place: what is wrong; what is allowed``.

    The command line prints those lines without a traceback and ends with exit code 2.
    """


class Unwritten(RuntimeError):
    """Sections of a page could not be written, by a fault of ours; all else is whole.

    The command line prints the text and ends with exit code 3. The RUN folder holds posterior, forecast, summary and
    the page without these sections, which says so.

    Parameters
    ----------
    page : str
        The page without them.
    why : dict of str to str
        Traceback of each section.

    Attributes
    ----------
    run : Run, PanelRun or None
        The run that was written, where a command raises this.
    """

    def __init__(self, page: str, why: Mapping[str, str]) -> None:
        each = [f"{name} could not be written:\n{text}" for name, text in why.items()]
        super().__init__("\n".join([*each, f"the report was written without: {', '.join(why)}; all else is whole"]))
        self.page, self.why = page, dict(why)
        self.run: Run | PanelRun | None = None
