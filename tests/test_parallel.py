"""Work side by side: order, errors, copies that fail or are killed, and none where none may be made."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bayes_compliance import parallel

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")


@pytest.fixture(autouse=True)
def three_cores(monkeypatch):
    """Threads that other tests left behind hold no lock that matters here."""
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.delenv("BAYES_COMPLIANCE_CORES", raising=False)


def beside(work, tasks):
    with parallel.beside(work, tasks) as done:
        return done()


@pytest.mark.parametrize("cores", [1, 3])
def test_threads_keep_the_order_and_pass_an_error_on(monkeypatch, cores):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert parallel.in_threads(lambda i: i * i, range(20)) == [i * i for i in range(20)]
    assert parallel.in_threads(lambda i: i, ()) == []
    with pytest.raises(ZeroDivisionError, match="division"):
        parallel.in_threads(lambda i: 1 // i, (1, 0, 2))


def test_linear_algebra_has_its_threads_again_after_the_last():
    """Entered and left out of order, as threads do."""
    from threadpoolctl import threadpool_info

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before = threads()
    one, other = parallel.single(), parallel.single()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert threads() == {1}
    other.__exit__(None, None, None)
    assert threads() == before


@pytest.mark.parametrize("cores", [1, 3])
def test_copies_keep_the_order_and_an_error_is_raised_here(monkeypatch, cores):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert beside(lambda i: i * i, range(20)) == [i * i for i in range(20)]
    assert beside(lambda i: i, ()) == []
    with pytest.raises(ZeroDivisionError, match="division"):
        beside(lambda i: 1 // i, (1, 0, 2))


@linux
def test_work_is_done_in_copies_of_one_core_each_while_the_block_goes_on():
    each_has_one = multiprocessing.get_context("fork").Barrier(3)
    with parallel.beside(lambda _: (each_has_one.wait(60), os.getpid(), os.environ[parallel.CORES]), range(6)) as done:
        here = os.getpid()
        found = done()
    assert here not in {pid for _, pid, _ in found}
    assert len({pid for _, pid, _ in found}) == 3
    assert {cores for _, _, cores in found} == {"1"}
    assert parallel.CORES not in os.environ


@linux
@pytest.mark.parametrize("how", ["killed", "raises", "no pickle"])
def test_what_a_copy_does_not_finish_is_done_here(how):
    here, each_has_one = os.getpid(), multiprocessing.get_context("fork").Barrier(3)

    def work(i):
        if os.getpid() == here:
            return i, "here"
        each_has_one.wait(60)
        if i == 2 and how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if i == 2 and how == "raises":
            raise RuntimeError("in the copy alone")
        return (i, "copy") if i != 2 or how != "no pickle" else (lambda: i)

    assert beside(work, range(3)) == [(0, "copy"), (1, "copy"), (2, "here")]


@linux
def test_copies_end_with_the_block():
    def broken():
        with parallel.beside(time.sleep, [600, 600]):
            assert len(multiprocessing.active_children()) == 2
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert multiprocessing.active_children() == []


@linux
def test_no_copies_while_another_thread_may_hold_a_lock(monkeypatch):
    assert parallel.copies(2) == 2
    assert parallel.copies(20) == 3
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert parallel.copies(2) == 0
    assert beside(lambda _: os.getpid(), [0]) == [os.getpid()]
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    assert parallel.copies(2) == 2
    monkeypatch.setattr(sys, "platform", "darwin")
    assert parallel.copies(2) == 0


KILLED = """
import os, time
from bayes_compliance import parallel

def work(_):
    os.write(1, f"{os.getpid()}\\n".encode())  # in one piece, where print may take two
    time.sleep(600)

with parallel.beside(work, range(2)) as done:
    done()
"""


@linux
def test_copies_of_a_process_that_is_killed_end_with_it():
    """They would hold the lock of the RUN that it was writing."""
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        try:
            copies = [int(parent.stdout.readline()) for _ in range(2)]
            assert all(running(pid) for pid in copies)
        finally:
            parent.kill()
    end = time.monotonic() + 60
    while any(running(pid) for pid in copies) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(running(pid) for pid in copies)


def running(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
