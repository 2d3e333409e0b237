"""What is worked out once for a run, whoever asks first: a section, or the page that begins the longest work early."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from bayes_compliance.runs import Run


class Once[Found]:
    """A function of a run that is called once for each run, and from one thread at a time.

    Parameters
    ----------
    work : callable
        An error of it is raised to whoever asks, each time.
    """

    def __init__(self, work: Callable[[Run], Found]) -> None:
        self.work, self._lock = work, Lock()
        self._known: WeakKeyDictionary[Run, Found] = WeakKeyDictionary()

    def __call__(self, run: Run) -> Found:
        with self._lock:
            if run not in self._known:
                self._known[run] = self.work(run)
            return self._known[run]
