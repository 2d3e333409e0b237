"""Work in threads, one for each core: NumPy lets others run while it computes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from bayes_compliance.threads import one_thread


def in_threads[Task, Done](work: Callable[[Task], Done], tasks: Iterable[Task]) -> list[Done]:
    """What `work` makes of each task, in the order of the tasks, whatever the number of cores.

    Parameters
    ----------
    work : callable
        Independent for each task: it may write to places of its own, and adds to nothing that others add to.
    tasks : iterable
    """
    tasks, cores = list(tasks), os.cpu_count() or 1
    with one_thread():
        if len(tasks) < 2 or cores < 2:
            return [work(task) for task in tasks]
        with ThreadPoolExecutor(min(len(tasks), cores)) as pool:
            return list(pool.map(work, tasks))
