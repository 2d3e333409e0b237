"""Work in threads, one for each core: NumPy lets others run while it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from threading import Lock

from bayes_compliance.threads import cores, one_thread


class _Shared:
    """How many hold BLAS to one thread: the first sets the limit and the last lifts it, in whatever order they go."""

    lock, holders = Lock(), 0
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


def in_threads[Task, Done](work: Callable[[Task], Done], tasks: Iterable[Task]) -> list[Done]:
    """What `work` makes of each task, in the order of the tasks, whatever the number of cores.

    Parameters
    ----------
    work : callable
        Independent for each task: it may write to places of its own, and adds to nothing that others add to.
    tasks : iterable
    """
    tasks, most = list(tasks), cores()
    with single():
        if len(tasks) < 2 or most < 2:
            return [work(task) for task in tasks]
        with ThreadPoolExecutor(min(len(tasks), most)) as pool:
            return list(pool.map(work, tasks))
