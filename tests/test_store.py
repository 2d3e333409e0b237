"""The RUN folder is whole or not there, whatever happens to the process that writes it."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bayes_compliance import disk, store
from bayes_compliance.errors import Refused
from bayes_compliance.store import RunFolderError, check_target, new_run, read_summary, recover, sha256

NAMES = ("posterior.nc", "summary.json")
STEPS = ("open", "fsync", "rename", "mkdir", "unlink", "rmdir", "write")
SETTINGS = {  # what stands at the target before, and whether names can be exchanged in one step
    "absent": (False, True),
    "exchange": (True, True),
    "two renames": (True, False),
    "no parents": (False, True),
}
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")


def fill(folder: Path, mark: str) -> None:
    """Write a small RUN, all files with one mark, by system calls that a test can count."""
    text = json.dumps({"tool": store.TOOL, "mark": mark}).encode()
    for name in NAMES:
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.write(handle, text[:9])
        os.write(handle, text[9:])
        os.close(handle)


def write_run(run: Path, mark: str) -> None:
    with new_run(run) as folder:
        fill(folder, mark)


def mark_of(run: Path) -> str | None:
    """The mark of a whole run; None where nothing stands."""
    if not run.exists():
        return None
    assert sorted(os.listdir(run)) == sorted(NAMES)
    (mark,) = {json.loads((run / name).read_text())["mark"] for name in NAMES}
    return mark


def tree(base: Path) -> set[str]:
    return {str(path.relative_to(base)) for path in base.rglob("*")}


def no_exchange(new: Path, target: Path) -> bool:
    return False


def make_run(folder: Path, mark: str = "old") -> Path:
    folder.mkdir(parents=True)
    fill(folder, mark)
    return folder


# ---------------------------------------------------------------- crash at every step


def crash_at(step: int) -> None:
    """From here on, the step-th system call that can change the disk ends the process before it is made."""
    count = itertools.count(1)

    def counted(call):
        def wrapper(*args, **kwargs):
            if next(count) == step:
                os._exit(9)
            return call(*args, **kwargs)

        return wrapper

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    disk.exchange = counted(disk.exchange)


def in_child(action, *args) -> int:
    """Start a fork that does one thing and ends: 0 if it came through, 1 if it raised."""
    child = os.fork()
    if child:
        return child
    try:
        action(*args)
    except BaseException:
        os._exit(1)
    os._exit(0)


def came_through(child: int) -> bool:
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), code
    return code == 0


def crashing(step: int, action, *args) -> bool:
    def action_that_crashes():
        crash_at(step)
        action(*args)

    return came_through(in_child(action_that_crashes))


def crash_everywhere(base: Path, setting: str) -> tuple[int, int]:
    """Crash a writer at each step, then its recovery at each of its steps; give both numbers of crashes."""
    existing, exchange = SETTINGS[setting]
    before = "old" if existing else None
    run = base / ("runs/deep/run" if setting == "no parents" else "run")
    recoveries = 0
    for step in itertools.count(1):
        for second in itertools.count(1):
            shutil.rmtree(base, ignore_errors=True)
            make_run(run) if existing else base.mkdir()
            if crashing(step, write_run, run, "new"):
                assert mark_of(run) == "new"
                return step - 1, recoveries
            assert not exchange or mark_of(run) in (before, "new")
            recovered = crashing(second, recover, run)
            recover(run)
            found = mark_of(run)
            assert found in (before, "new")
            assert tree(base) == (whole_tree(run, base) if found else set())
            if recovered:
                break
            recoveries += 1
    raise AssertionError


def whole_tree(run: Path, base: Path) -> set[str]:
    places = [run, *(run / name for name in NAMES), *(place for place in run.parents if base in place.parents)]
    return {str(place.relative_to(base)) for place in places}


def driven(*args: object) -> str:
    """Run this file as a program: forks belong in a process of their own, not in pytest's."""
    command = [sys.executable, __file__, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_fork
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_crash_at_any_step_leaves_the_old_run_or_the_new_one(tmp_path, setting):
    crashes, recoveries = map(int, driven("crash", tmp_path / "base", setting).split())
    assert crashes > 4 * len(NAMES)
    assert recoveries > crashes


# ---------------------------------------------------------------- kill -9 and two writers


def write_often(run: Path, mark: str, times: int) -> None:
    for number in range(times):
        write_run(run, f"{mark}{number}")


def begin_writing(begun: int, run: Path, mark: str, times: int) -> None:
    os.write(begun, b".")
    write_often(run, mark, times)


def kill_often(base: Path, setting: str) -> tuple[int, int]:
    """Kill a busy writer at random moments; give how many different runs and unfinished ones it left."""
    run, chance, whole, unfinished = base / "run", random.Random(7), set(), 0
    base.mkdir()
    told, begun = os.pipe()
    for number in range(500):  # on a busy machine a writer may get no turn before it is killed
        if number >= 10 and len(whole) > 2 and unfinished > 1:
            break
        child = in_child(begin_writing, begun, run, f"{number} ", 10_000)
        os.read(told, 1)
        time.sleep(chance.uniform(0.001, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        unfinished += os.listdir(base) not in ([], ["run"])
        if SETTINGS[setting][1]:
            mark_of(run)
        recover(run)
        whole.add(mark_of(run))
        assert os.listdir(base) in ([], ["run"])
    return len(whole), unfinished


@needs_fork
@pytest.mark.parametrize("setting", ["exchange", "two renames"])
def test_a_writer_killed_at_random_moments_leaves_a_whole_run(tmp_path, setting):
    whole, unfinished = map(int, driven("kill", tmp_path / "base", setting).split())
    assert whole > 1
    assert unfinished > 1


@needs_fork
@pytest.mark.parametrize("setting", ["exchange", "two renames"])
def test_of_two_writers_the_last_one_wins_whole(tmp_path, setting):
    assert driven("race", tmp_path / "base", setting) in ("a29\n", "b29\n")
    assert os.listdir(tmp_path / "base") == ["run"]


def race(base: Path) -> str | None:
    base.mkdir()
    children = [in_child(write_often, base / "run", mark, 30) for mark in "ab"]
    assert [came_through(child) for child in children] == [True, True]
    return mark_of(base / "run")


# ---------------------------------------------------------------- exceptions


def write_and_raise(run: Path, error: BaseException) -> None:
    with new_run(run) as folder:
        fill(folder, "new")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("existing", [True, False])
def test_an_exception_leaves_the_old_run_and_no_litter(tmp_path, error, existing):
    run = tmp_path / "run"
    if existing:
        make_run(run)
    with pytest.raises(error, match="stop"):
        write_and_raise(run, error("stop"))
    assert mark_of(run) == ("old" if existing else None)
    assert os.listdir(tmp_path) == (["run"] if existing else [])


def failing(call, on_call: int, error: BaseException):
    count = itertools.count(1)

    def wrapper(*args, **kwargs):
        if next(count) == on_call:
            raise error
        return call(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize("error", [OSError(errno.EIO, "disk"), KeyboardInterrupt("disk")])
@pytest.mark.parametrize("on_call", [1, 2, 3])
def test_a_failed_rename_moves_the_old_run_back(tmp_path, monkeypatch, error, on_call):
    run = make_run(tmp_path / "run")
    monkeypatch.setattr(disk, "exchange", no_exchange)
    monkeypatch.setattr(os, "rename", failing(os.rename, on_call, error))
    with pytest.raises(type(error), match="disk"):
        write_run(run, "new")
    assert mark_of(run) == "old"
    assert os.listdir(tmp_path) == ["run"]


def test_a_failed_sync_keeps_the_old_run(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run")
    monkeypatch.setattr(os, "fsync", failing(os.fsync, 3, OSError(errno.ENOSPC, "full")))
    with pytest.raises(OSError, match="full"):
        write_run(run, "new")
    assert mark_of(run) == "old"
    assert os.listdir(tmp_path) == ["run"]


# ---------------------------------------------------------------- the ordinary way


@pytest.mark.parametrize("exchange", [True, False])
def test_a_new_run_replaces_the_old_one_and_its_strange_files(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(disk, "exchange", no_exchange)
    run = make_run(tmp_path / "run")
    (run / "left over").mkdir()
    write_run(run, "new")
    assert mark_of(run) == "new"
    assert os.listdir(tmp_path) == ["run"]


def test_linux_exchanges_two_folders_in_one_step(tmp_path):
    if sys.platform != "linux":
        pytest.skip("renameat2 is Linux's")
    a, b = make_run(tmp_path / "a", "a"), make_run(tmp_path / "b", "b")
    assert disk.exchange(a, b)
    assert (mark_of(a), mark_of(b)) == ("b", "a")
    with pytest.raises(FileNotFoundError, match="absent"):
        disk.exchange(a, tmp_path / "absent")


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EINVAL, errno.EPERM])
def test_a_system_that_refuses_the_exchange_gets_two_renames(tmp_path, monkeypatch, number):
    monkeypatch.setattr(disk, "_system_call", lambda: lambda a, b: number)
    run = make_run(tmp_path / "run")
    write_run(run, "new")
    assert mark_of(run) == "new"
    assert os.listdir(tmp_path) == ["run"]


def test_the_fresh_folder_stands_beside_its_target(tmp_path):
    with new_run(tmp_path / "run") as folder:
        assert folder.parent == tmp_path
        assert folder.name.startswith(".run.new-")
        assert list(folder.iterdir()) == []
        fill(folder, "new")
    assert mark_of(tmp_path / "run") == "new"


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "run").mkdir()
    write_run(tmp_path / "run", "new")
    assert mark_of(tmp_path / "run") == "new"


def test_missing_parents_come_with_the_run_and_not_before(tmp_path):
    run = tmp_path / "a" / "b" / "run"
    with pytest.raises(ValueError, match="stop"):
        write_and_raise(run, ValueError("stop"))
    assert os.listdir(tmp_path) == []
    with new_run(run) as folder:
        assert not (tmp_path / "a").exists()
        assert folder.name == "run"
        fill(folder, "first")
    write_run(run, "new")
    assert mark_of(run) == "new"
    assert os.listdir(tmp_path) == ["a"]


def test_parents_that_another_process_makes_meanwhile_are_kept(tmp_path):
    run = tmp_path / "a" / "b" / "run"
    with new_run(run) as folder:
        fill(folder, "new")
        make_run(tmp_path / "a" / "other", "other")
    assert (mark_of(run), mark_of(tmp_path / "a" / "other")) == ("new", "other")
    assert os.listdir(tmp_path) == ["a"]


def write_while_another_fills(run: Path) -> None:
    with new_run(run) as folder:
        fill(folder, "new")
        run.mkdir()
        (run / "thesis.txt").write_text("mine")


def test_a_target_that_fills_with_foreign_files_meanwhile_is_kept(tmp_path):
    run = tmp_path / "run"
    with pytest.raises(RunFolderError, match="run is a folder with files in it and no RUN"):
        write_while_another_fills(run)
    assert (run / "thesis.txt").read_text() == "mine"
    assert os.listdir(tmp_path) == ["run"]


def test_a_link_keeps_pointing_to_its_run(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "run")
    write_run(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert mark_of(tmp_path / "there" / "run") == "new"


# ---------------------------------------------------------------- recovery


def test_recovery_leaves_a_writer_at_work_alone(tmp_path):
    run = tmp_path / "run"
    with new_run(run) as folder:
        fill(folder, "first")
        recover(run)
        write_run(run, "second")
        assert sorted(os.listdir(folder)) == sorted(NAMES)
    assert mark_of(run) == "first"
    assert os.listdir(tmp_path) == ["run"]


def test_recovery_puts_an_orphaned_old_run_back(tmp_path):
    make_run(tmp_path / ".run.old-0123abcd")
    make_run(tmp_path / ".run.new-0123abcd", "unfinished")
    (tmp_path / ".run.lock-0123abcd").touch()
    recover(tmp_path / "run")
    assert mark_of(tmp_path / "run") == "old"
    assert os.listdir(tmp_path) == ["run"]


def test_recovery_keeps_what_has_replaced_an_old_run(tmp_path):
    make_run(tmp_path / ".run.old-0123abcd")
    make_run(tmp_path / "run", "new")
    recover(tmp_path / "run")
    assert mark_of(tmp_path / "run") == "new"
    assert os.listdir(tmp_path) == ["run"]


def test_recovery_leaves_other_names_alone(tmp_path):
    names = [".run.new-notours", ".other.new-0123abcd", "run.new-0123abcd", ".run.newer-0123abcd", ".run"]
    for name in names:
        (tmp_path / name).mkdir()
    recover(tmp_path / "run")
    assert sorted(os.listdir(tmp_path)) == sorted(names)


def test_without_locks_nothing_is_taken_for_abandoned(tmp_path, monkeypatch):
    def no_locks(lock: int) -> bool:
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(disk, "try_lock", no_locks)
    with new_run(tmp_path / "run") as folder:
        recover(tmp_path / "run")
        fill(folder, "new")
    assert mark_of(tmp_path / "run") == "new"
    assert os.listdir(tmp_path) == ["run"]


# ---------------------------------------------------------------- refusals and reading


def test_check_target_gives_the_resolved_path_and_writes_nothing(tmp_path):
    make_run(tmp_path / "run")
    (tmp_path / "empty").mkdir()
    for name in ("run", "empty", "new", "a/b/c"):
        assert check_target(tmp_path / name) == (tmp_path / name).resolve()
    assert sorted(os.listdir(tmp_path)) == ["empty", "run"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("file", "file is no folder; allowed: a new folder, an empty one or an earlier RUN"),
        ("full", "full is a folder with files in it and no RUN"),
        ("broken", "broken is a folder with files in it and no RUN"),
        ("foreign", "foreign is a folder with files in it and no RUN"),
        ("file/run", "lies below .*file, which is no folder"),
        ("file/a/b", "lies below .*file, which is no folder"),
        ("n" * 241, "has a name of more than 240 bytes"),
        ("/", "is a mount point"),
    ],
)
def test_a_target_that_cannot_be_is_refused(tmp_path, name, message):
    (tmp_path / "file").touch()
    for folder, text in (("full", None), ("broken", "{"), ("foreign", '{"tool": "other"}')):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ("thesis.txt" if text is None else "summary.json")).write_text(text or "mine")
    with pytest.raises(RunFolderError, match=message):
        check_target(tmp_path / name)
    with pytest.raises(Refused, match=message), new_run(tmp_path / name):
        pass
    assert sorted(os.listdir(tmp_path)) == ["broken", "file", "foreign", "full"]


def test_a_parent_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(RunFolderError, match=f"cannot be written: {tmp_path} is not writable"):
        check_target(tmp_path / "run")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no place here whose rights promise too much")
def test_a_place_that_takes_no_folder_is_refused_before_the_work():
    """Even of root, who may write anywhere."""
    with pytest.raises(
        RunFolderError, match=r"/proc/x cannot be written: (no folder can be made in )?/proc .*allowed: a new"
    ):
        check_target("/proc/x")


def test_what_is_tried_out_is_gone(tmp_path):
    check_target(tmp_path / "run")
    check_target(make_run(tmp_path / "old"))
    assert os.listdir(tmp_path) == ["old"]


@pytest.mark.parametrize(
    ("name", "what"), [("tasks.jsonl", "back-test, calibration or sweep"), ("backtest.html", "back-test")]
)
def test_other_work_is_no_run_and_is_not_replaced(tmp_path, name, what):
    """Hours of fits, in a folder whose summary names our tool as well."""
    work = make_run(tmp_path / "bt")
    (work / name).touch()
    with pytest.raises(RunFolderError, match=rf"bt is a folder with files in it and no RUN \(those of a {what}\)"):
        write_run(work, "new")
    with pytest.raises(RunFolderError, match=f"bt is no RUN: it is the folder of a {what}; allowed"):
        read_summary(work)
    assert sorted(os.listdir(work)) == sorted([*NAMES, name])


def test_a_folder_without_a_posterior_is_not_replaced(tmp_path):
    (make_run(tmp_path / "run") / "posterior.nc").unlink()
    with pytest.raises(RunFolderError, match=r"no RUN \(no posterior\.nc\)"):
        check_target(tmp_path / "run")


def test_a_run_of_one_case_and_that_of_a_panel_do_not_replace_each_other(tmp_path):
    run, panel = make_run(tmp_path / "run"), make_run(tmp_path / "panel")
    (panel / "reputation.nc").touch()
    with pytest.raises(RunFolderError, match="panel is a RUN of a panel, which one of one case does not replace"):
        check_target(panel, store.RUN)
    with pytest.raises(RunFolderError, match="run is a RUN of one case, which one of a panel does not replace"):
        check_target(run, store.PANEL)
    with pytest.raises(RunFolderError, match="panel is a RUN of a panel; allowed: one of one case"):
        store.check_kind(panel, store.RUN)
    with pytest.raises(RunFolderError, match="panel is a RUN of a panel"):  # whoever did not say what it would write
        write_run(panel, "new")
    assert mark_of(run) == "old"
    assert sorted(os.listdir(tmp_path)) == ["panel", "run"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_summary_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "summary.json")
    with pytest.raises(RunFolderError, match=r"its summary.json is no regular file; allowed"):
        read_summary(tmp_path)


@pytest.mark.parametrize("name", ["", " ", "a\0b"])
def test_what_names_no_folder_is_refused(name):
    with pytest.raises(RunFolderError, match="is no name of a folder; allowed: a new folder"):
        check_target(name)


def test_work_goes_on_only_where_the_same_was_begun(tmp_path):
    make_run(tmp_path / "run")
    (tmp_path / "file").touch()
    for name, files in (("begun", ["tasks.jsonl"]), ("done", ["tasks.jsonl", "calibration.html"]), ("empty", [])):
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).touch()
    before = tree(tmp_path)
    for name in ("begun", "empty", "new", "a/b"):
        store.check_work(tmp_path / name, "back-test")
    store.check_work(tmp_path / "done", "calibration")
    for name, why in (
        ("done", "holds a calibration"), ("run", "holds other files"), ("file", "is no folder"),
        ("file/a", "lies below .*file, which is no folder"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=f"--out: .*{why}; allowed: a new folder, or one in which the same back-test"):
            store.check_work(tmp_path / name, "back-test")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"tool": "other"}', "\udcff", "[" * 100_000, None])
def test_a_folder_without_our_summary_is_no_run(tmp_path, text):
    if text is not None:
        (tmp_path / "summary.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(RunFolderError, match=f"{tmp_path} is no RUN: it.*; allowed: a folder that"):
        read_summary(tmp_path)


def test_read_summary_gives_what_was_written(tmp_path):
    assert read_summary(make_run(tmp_path / "run")) == {"tool": "bayes_compliance", "mark": "old"}


def test_sha256_is_of_the_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"a\r\n\x00")
    assert sha256(tmp_path / "x") == hashlib.sha256(b"a\r\n\x00").hexdigest()
    assert sha256(os.devnull) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def main(action: str, base: str, setting: str) -> None:
    if not SETTINGS[setting][1]:
        disk.exchange = no_exchange
    if action == "race":
        print(race(Path(base)))
    else:
        print(*{"crash": crash_everywhere, "kill": kill_often}[action](Path(base), setting))


if __name__ == "__main__":
    main(*sys.argv[1:])
