"""Where tasks are done: here, in processes of this machine, or on a Dask cluster that the user runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any, NamedTuple, Protocol

from bayes_compliance.arguments import shown, split_address
from bayes_compliance.errors import Refused
from bayes_compliance.inference import enough
from bayes_compliance.threads import CORES, cores

LOCAL = "local"
TRIES = 4
"""So often is a task begun whose worker is killed."""

ADDRESSES = ("tcp", "tls", "ucx", "ws", "wss")


class Job(Protocol):
    """What every task of a sweep does. It is sent to workers, so it can be pickled."""

    def open(self) -> Callable[[str], Any]:
        """Make ready, once in each worker: what does the task of a key and gives a result that JSON holds."""


class Schedule(NamedTuple):
    """Where tasks are done.

    Attributes
    ----------
    scheduler : str
        ``local``, or the address of a Dask scheduler such as ``tcp://10.0.0.1:8786``.
    workers : int
        Processes of this machine; 1 does the tasks in the calling process. A cluster has its own number.
    """

    scheduler: str = LOCAL
    workers: int = 1

    def check(self) -> None:
        """Refuse what nothing can be done with."""
        enough("workers", self.workers, 1)
        if self.scheduler == LOCAL:
            return
        parts = split_address(self.scheduler if isinstance(self.scheduler, str) else "")
        if parts.scheme not in ADDRESSES or not parts.hostname:
            allowed = "local, or the address of a Dask scheduler such as tcp://10.0.0.1:8786"
            raise Refused(f"--scheduler: {shown(self.scheduler)} is no scheduler; allowed: {allowed}")
        if self.workers != 1:
            raise Refused(f"--workers: {self.workers} with a cluster, which has its own; allowed: without --scheduler")


def each(job: Job, keys: Sequence[str], schedule: Schedule) -> Iterator[tuple[str, Any]]:
    """Keys and results, in the order in which the tasks end.

    Parameters
    ----------
    job : Job
    keys : sequence of str
    schedule : Schedule

    Raises
    ------
    Refused
        If there is no such cluster, or Dask is not installed.
    """
    schedule.check()
    if not keys:
        return iter(())
    if schedule.scheduler != LOCAL:
        return _on_cluster(job, keys, schedule.scheduler)
    return _in_processes(job, keys, schedule.workers) if schedule.workers > 1 else _here(job, keys)


def _here(job: Job, keys: Sequence[str]) -> Iterator[tuple[str, Any]]:
    do = job.open()
    for key in keys:
        yield key, do(key)


_opened: tuple[Job, Callable[[str], Any]] | None = None
_one_at_a_time = Lock()
"""A worker of Dask may have several threads; a compiler has none to spare."""


def _do(job: Job, key: str) -> Any:
    """A task in a worker, which stays ready for the last job that it had."""
    global _opened
    with _one_at_a_time:
        if _opened is None or _opened[0] != job:
            _opened = job, job.open()
        return _opened[1](key)


def _in_processes(job: Job, keys: Sequence[str], workers: int) -> Iterator[tuple[str, Any]]:
    """A killed worker takes its pool with it: what was not done goes to a new one."""
    from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    left = dict.fromkeys(keys, TRIES)
    while left:
        with ProcessPoolExecutor(min(workers, len(left)), get_context("spawn"), _share, (workers,)) as pool:
            waiting: dict[Future[Any], str] = {pool.submit(_do, job, key): key for key in left}
            try:
                while waiting:
                    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                        key = waiting[future]
                        result = future.result()
                        del waiting[future], left[key]
                        yield key, result
            except BrokenProcessPool:
                for key in left:
                    left[key] -= 1
                if not all(left.values()):
                    raise
            finally:
                pool.shutdown(cancel_futures=True)


def _share(workers: int) -> None:
    """Each of several workers on one machine takes its share of the cores; draws do not depend on it."""
    os.environ[CORES] = str(max(1, cores() // workers))


def _on_cluster(job: Job, keys: Sequence[str], address: str) -> Iterator[tuple[str, Any]]:
    try:
        from distributed import CancelledError, Client, as_completed
    except ImportError:
        raise Refused(
            "--scheduler: Dask is not installed; allowed: local, or after `pip install 'bayes-compliance[cluster]'`"
        ) from None
    try:
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise Refused(
            f"--scheduler: no Dask scheduler answers at {address} ({error}); allowed: one that runs"
        ) from None
    left = dict.fromkeys(keys, TRIES)
    with client:
        while left:
            # the job goes to each worker once; a task whose worker is lost is begun again on another
            sent = client.scatter(job, broadcast=True, hash=False)
            futures = {client.submit(_do, sent, key, key=f"{key} of {sent.key}", pure=False): key for key in left}
            try:
                for future in as_completed(futures, loop=client.loop):
                    key = futures.pop(future)
                    try:
                        result = future.result()
                    except CancelledError:  # what was sent may be lost with the worker: then all is sent again
                        left[key] -= 1
                        if not left[key]:
                            raise
                        continue
                    del left[key]
                    future.release()
                    yield key, result
            finally:
                with contextlib.suppress(Exception):
                    client.cancel(list(futures))
