"""Many independent tasks of one job: on this process, on others, or on a cluster; journalled, so that none is lost.

A `Job` says what a task does and how a worker gets ready for it (a compilation, say), which each worker does once. A
task is named by a key, has chance of its own by that name, and gives a result that JSON holds: so neither the number of
workers nor the order in which they end changes a byte of what is made of the results. Results are entered into a
`Journal` on disk as they come, so that memory stays flat; an interrupted sweep goes on with what is missing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from bayes_compliance.sweeps.journal import Journal, at_work, own_models
from bayes_compliance.sweeps.scheduling import Job, Schedule, each

__all__ = ["Job", "Journal", "Schedule", "Teller", "at_work", "own_models", "run", "say"]

QUIET_SECONDS = 20.0


class Teller(Protocol):
    """Called with the number of tasks that are done, that of all, and the name of the last one."""

    def __call__(self, done: int, of: int, what: str) -> None: ...


def run(
    job: Job, keys: Sequence[str], journal: Journal, schedule: Schedule | None = None, tell: Teller | None = None
) -> Iterator[Any]:
    """Do what the journal lacks; then the results of all tasks, in the order of their keys, read one by one.

    Parameters
    ----------
    job : Job
    keys : sequence of str
        One for each task, each once.
    journal : Journal
    schedule : Schedule or None
        Where the tasks are done; default this process.
    tell : callable or None
    """
    missing = [key for key in keys if key not in journal]
    if tell and len(missing) < len(keys):
        tell(len(keys) - len(missing), len(keys), "already there")
    for i, (key, result) in enumerate(each(job, missing, schedule or Schedule())):
        journal.add(key, result)
        if tell:
            tell(len(keys) - len(missing) + i + 1, len(keys), key)
    return (journal[key] for key in keys)


def say(noun: str) -> Teller:
    """A teller on the standard error: every task on a terminal, one line in so many seconds elsewhere.

    A task is named where its name is one to read, which a bare number or code is not.
    """
    last = [-QUIET_SECONDS]

    def tell(done: int, of: int, what: str) -> None:
        now = time.monotonic()
        if sys.stderr.isatty() or done == of or now - last[0] >= QUIET_SECONDS:
            last[0] = now
            named = f" ({what})" if " " in what else ""
            print(f"{done} of {of} {noun} done{named}", file=sys.stderr, flush=True)

    return tell
