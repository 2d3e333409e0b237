"""The command `check`: a case's problems, or what its judgements alone imply of every decision."""

from __future__ import annotations

from datetime import date
from os import PathLike
from typing import TYPE_CHECKING

from bayes_compliance.arguments import day_of
from bayes_compliance.models import DEFAULT

if TYPE_CHECKING:
    from bayes_compliance.feedback import Feedback


def check(
    case: str | PathLike[str],
    *,
    model: str | PathLike[str] = DEFAULT,
    pool: str = "linear",
    seed: int = 1,
    as_of: date | None = None,
    without: str | None = None,
) -> Feedback:
    """Check a case, and say what its judgements alone imply of every decision; nothing is fitted or written.

    Parameters
    ----------
    case : path
        A case folder.
    model : str
        A shipped model by name, or the path of a .py file.
    pool : str
        How several analysts of one quantity are pooled: ``linear``, ``log`` or ``cooke``.
    seed : int
    as_of : date or None
        Use only what was known on this date.
    without : str or None
        Leave an analyst's judgements out.

    Returns
    -------
    Feedback
        Its text is what the command prints.

    Raises
    ------
    Refused
        Bad input: every problem of the case.
    """
    from bayes_compliance.case import load_case
    from bayes_compliance.case.doubts import doubts, not_yet

    as_of = day_of("as-of", as_of)
    found, today = load_case(case), date.today()
    doubtful = [*not_yet(as_of, today), *doubts(found, today)]
    if as_of:
        found = found.as_of(as_of)
    if without is not None:
        from bayes_compliance.elicitation.analysts import left_out

        found = left_out(found, without)
    from bayes_compliance.feedback import feedback
    from bayes_compliance.models import name_of, prepare

    return feedback(prepare(model, found, pool=pool), name_of(model), seed=seed, doubts=doubtful)
