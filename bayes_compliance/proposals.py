"""Commands that a reader is told to give next: whole, for the model and the case at hand, and none that is refused."""

from __future__ import annotations

from shlex import join
from typing import TYPE_CHECKING

from bayes_compliance.errors import Refused
from bayes_compliance.models import DEFAULT

if TYPE_CHECKING:
    from bayes_compliance.case import Case


def command(*words: str) -> str:
    """A command line as it can be pasted.

    >>> command("update", "my case", "runs/mine")
    "bayes-compliance update 'my case' runs/mine"
    """
    return join(["bayes-compliance", *words])


def backtest(model: str, case: str = "CASE") -> str:
    """The back-test of a model.

    >>> backtest("coalition"), backtest("unitary", "mine")
    ('bayes-compliance backtest CASE --out FOLDER', 'bayes-compliance backtest mine --model unitary --out FOLDER')
    """
    return command("backtest", case, *_of("--model", model), "--out", "FOLDER")


def sweep(model: str) -> str:
    """Fits of a model at half the decision noise, at the noise as it is and at twice.

    >>> sweep("coalition")
    'bayes-compliance sweep CASE --noise .5,1,2 --out FOLDER'
    """
    return command("sweep", "CASE", *_of("--models", model), "--noise", ".5,1,2", "--out", "FOLDER")


def _of(option: str, model: str) -> tuple[str, ...]:
    return (option, model) if model != DEFAULT else ()


def can_be_tested(case: Case) -> bool:
    """Whether a back-test of the case has an origin."""
    from bayes_compliance.validation.origins import origins

    try:
        return bool(origins(case))
    except Refused:
        return False


def after_a_run(case: Case, model: str, folder: str, out: str) -> list[str]:
    """What can be done with a new RUN, with the question that it answers.

    Parameters
    ----------
    case : Case
        As the model has it.
    model : str
    folder, out : str
        Where the case and the RUN lie.
    """
    found = [f"what if? {command('scenario', folder, out)}"] if case.scenarios else []
    found.append(f"a decision more? {command('update', folder, out)}")
    if can_be_tested(case):
        found.append(f"how good have such forecasts been? {backtest(model, folder)}")
    return found
