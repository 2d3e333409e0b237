"""Work side by side: in threads where NumPy computes, in copies of the process where Python does.

NumPy lets other threads run while it computes; Python's own work takes turns, unless another process does it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from multiprocessing import current_process, get_context
from typing import TYPE_CHECKING, Any

from bayes_compliance.threads import CORES, cores, one_thread

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess


_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


class _Shared:
    """How many hold BLAS to one thread: the first sets the limit and the last lifts it, in whatever order they go."""

    lock, holders = threading.Lock(), 0
    limit: AbstractContextManager[object] | None = None


@contextmanager
def single() -> Iterator[None]:
    """While any thread is within, linear algebra takes one thread."""
    with _Shared.lock:
        _Shared.holders += 1
        if _Shared.holders == 1:
            _Shared.limit = one_thread()
            _Shared.limit.__enter__()
    try:
        yield
    finally:
        with _Shared.lock:
            _Shared.holders -= 1
            if _Shared.holders == 0 and _Shared.limit is not None:
                _Shared.limit.__exit__(None, None, None)


def in_threads[Task, Done](work: Callable[[Task], Done], tasks: Iterable[Task], *, gains: bool = True) -> list[Done]:
    """What `work` makes of each task, in the order of the tasks, whatever the number of cores.

    Parameters
    ----------
    work : callable
        Independent for each task: it may write to places of its own, and adds to nothing that others add to.
    tasks : iterable
    gains : bool
        Whether NumPy computes for longer than it takes Python to ask it; else one thread is as fast.
    """
    tasks, most = list(tasks), cores() if gains else 1
    with single():
        if len(tasks) < 2 or most < 2:
            return [work(task) for task in tasks]
        with ThreadPoolExecutor(min(len(tasks), most)) as pool:
            return list(pool.map(work, tasks))


@contextmanager
def beside[Task, Done](work: Callable[[Task], Done], tasks: Iterable[Task]) -> Iterator[Callable[[], list[Done]]]:
    """What `work` makes of each task, done in copies of this process while the block goes on.

    Parameters
    ----------
    work : callable
        What it returns can be pickled; what else it changes in memory is lost with the copy.
    tasks : iterable
        Begun in this order; the longest first end soonest.

    Yields
    ------
    callable
        Waits for the results and gives them in the order of the tasks. What no copy has done, since none could be
        made (see `copies`), the work failed or a copy was killed, is done then and here, and fails here.
    """
    tasks = list(tasks)
    begun = _begin(work, tasks, copies(len(tasks)))

    def done() -> list[Done]:
        known: dict[int, Done] = {}
        for _, from_copy in begun:
            with suppress(EOFError):
                known |= from_copy.recv()
        with single():
            return [known[place] if place in known else work(task) for place, task in enumerate(tasks)]

    try:
        yield done
    finally:
        for copy, from_copy in begun:
            copy.terminate()
            copy.join()
            from_copy.close()


def copies(tasks: int) -> int:
    """How many copies of this process do so many tasks: one for each core, or none.

    A process is copied as it stands on Linux alone, and only while no other thread of Python may hold a lock, which
    would stay locked in the copy.
    """
    fit = sys.platform == "linux" and threading.active_count() == 1 and not current_process().daemon
    return min(tasks, cores()) if fit and cores() > 1 else 0


def _begin(work: Callable[[Any], Any], tasks: Sequence[Any], copies: int) -> list[tuple[ForkProcess, Connection]]:
    """Copies at work, each with where its results come from; a pipe of tickets tells each which task is next."""
    if not copies:
        return []
    context, begun = get_context("fork"), []
    tickets, printed = os.pipe()
    os.write(printed, bytes(range(len(tasks))))
    os.close(printed)
    for _ in range(copies):
        from_copy, to_here = context.Pipe(duplex=False)
        copy = context.Process(target=_work, args=(work, tasks, tickets, to_here, os.getpid()))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # BLAS has threads, and knows what to do
            copy.start()
        to_here.close()
        begun.append((copy, from_copy))
    os.close(tickets)
    return begun


def _work(work: Callable[[Any], Any], tasks: Sequence[Any], tickets: int, to_here: Connection, parent: int) -> None:
    """A copy takes one core, does tasks as long as there are tickets, and ends without a word whatever happens."""
    _end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ[CORES] = "1"
    try:
        with single():
            to_here.send({ticket[0]: work(tasks[ticket[0]]) for ticket in iter(lambda: os.read(tickets, 1), b"")})
    except BaseException:
        os._exit(1)


def _end_with(parent: int) -> None:
    """Have this process killed when the one that made it ends, however that ends.

    It would wait for ever to be listened to, and hold what it has inherited: the lock of a RUN that is being written.
    """
    import ctypes

    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it was sooner
        os._exit(1)
