"""The same results here, in processes and on a cluster; a killed worker loses nothing."""

import os
import re
from concurrent.futures.process import BrokenProcessPool

import pytest

from bayes_compliance import sweeps
from bayes_compliance.errors import Refused
from bayes_compliance.sweeps import Journal, Schedule, scheduling
from tests.sweeps.jobs import Cubes, Deadly


def run(*given):
    return list(sweeps.run(*given))


KEYS = [str(i) for i in range(12)]


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (Schedule(workers=0), "--workers: 0 is too few"),
        (Schedule("localhost:8786"), "--scheduler: 'localhost:8786' is no scheduler; allowed: local, or the address"),
        (Schedule("tcp://"), "is no scheduler"),
        (Schedule("tcp://[x"), "is no scheduler"),
        (Schedule("tcp://127.0.0.1:1", 2), "--workers: 2 with a cluster, which has its own"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(schedule, said):
    with pytest.raises(Refused, match=re.escape(said)):
        schedule.check()


def test_two_processes_give_what_one_gives(tmp_path):
    here = run(Cubes(), KEYS, Journal(tmp_path / "a", {}))
    there = run(Cubes(), KEYS, Journal(tmp_path / "b", {}), Schedule(workers=2))
    assert [value for value, _ in here] == [value for value, _ in there] == [int(key) ** 3 for key in KEYS]
    assert {who for _, who in here} == {os.getpid()}
    assert os.getpid() not in {who for _, who in there}


def test_a_killed_process_loses_nothing(tmp_path):
    found = run(Deadly(tmp_path, "5"), KEYS, Journal(tmp_path / "t", {}), Schedule(workers=2))
    assert found == [int(key) + 1 for key in KEYS]
    assert int((tmp_path / "killed").read_text()) != os.getpid()


def test_a_task_that_kills_every_worker_is_given_up(tmp_path):
    with pytest.raises(BrokenProcessPool):
        run(Deadly(tmp_path, "5", always=True), KEYS, Journal(tmp_path / "t", {}), Schedule(workers=2))


def test_a_cluster_that_does_not_answer_is_refused(tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(Refused, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        run(Cubes(), KEYS, Journal(tmp_path / "t", {}), Schedule("tcp://127.0.0.1:1"))


@pytest.fixture
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as running:
        yield running


@pytest.fixture
def threads():
    """A cluster within this process: it starts no others."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=None
    ) as running:
        yield running


def test_a_cluster_gives_what_one_process_gives(tmp_path, cluster):
    found = run(Cubes(), KEYS, Journal(tmp_path / "t", {}), Schedule(cluster.scheduler_address))
    assert [value for value, _ in found] == [int(key) ** 3 for key in KEYS]
    assert os.getpid() not in {who for _, who in found}


@pytest.mark.parametrize("times", [1, scheduling.TRIES])
def test_what_a_cluster_has_forgotten_is_sent_again_and_not_for_ever(tmp_path, threads, monkeypatch, times):
    """As when a worker dies that alone held the job: its tasks are cancelled, for no fault of theirs."""
    from distributed import CancelledError, Future

    once, forgotten = Future.result, []

    def result(future, timeout=None):
        if future.key.startswith("3 of ") and len(forgotten) < times:
            forgotten.append(future.key)
            raise CancelledError(future.key)
        return once(future, timeout)

    monkeypatch.setattr(Future, "result", result)
    asked = Cubes(), KEYS, Journal(tmp_path / "t", {}), Schedule(threads.scheduler_address)
    if times == scheduling.TRIES:
        with pytest.raises(CancelledError):
            run(*asked)
    else:
        assert [value for value, _ in run(*asked)] == [int(key) ** 3 for key in KEYS]
    assert len(set(forgotten)) == times


def test_a_killed_worker_of_a_cluster_loses_nothing(tmp_path, cluster):
    found = run(Deadly(tmp_path, "5"), KEYS, Journal(tmp_path / "t", {}), Schedule(cluster.scheduler_address))
    assert found == [int(key) + 1 for key in KEYS]
    assert (tmp_path / "killed").exists()
