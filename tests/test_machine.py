"""A machine that takes no more: what is printed may be lost and the work is not; no file is left half written."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bayes_compliance import cli, disk, newcase
from bayes_compliance.case import load_case
from tests.builders import complied, known, normal, write_case

FULL = Path("/dev/full")
of_posix = pytest.mark.skipif(os.name == "nt", reason="a shell closes the streams")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lobbies = [{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}]
    judgements = [
        normal("j", 1.5, 0.7), known("magnitude", 1.0, "k"), known("volatility", 0.3, "j"),
        known("volatility", 0.0, "k"), known("rule_spread_points", 0.0), known("decision_noise", 0.6),
    ]  # fmt: skip
    folder = tmp_path_factory.mktemp("case") / "small"
    return write_case(folder, title="Élan", lobbies=lobbies, judgements=judgements, decisions=[complied("2001-05-01")])


def full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def half(write: Callable[[Path, str], Any]) -> Callable[..., None]:
    """A way to write the first half of a text, whereupon the disk is full."""

    def written(path: Path, text: str, **_: Any) -> None:
        write(path, text[: len(text) // 2])
        full()

    return written


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_that_is_closed_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    monkeypatch.setattr(sys, stream, None)
    assert cli.main(["--version"]) == cli.DONE
    assert cli.main(["new", str(tmp_path / "new")]) == cli.DONE
    assert cli.main(["check", str(tmp_path / "new")]) == cli.DONE
    assert cli.main(["check", str(tmp_path / "none")]) == cli.REFUSED
    assert getattr(sys, stream) is None


@of_posix
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_no_file_takes_the_number_of_a_stream_that_is_closed(tmp_path: Path, closed: str) -> None:
    command = f'"$0" -m bayes_compliance new "$1" {closed}'
    done = subprocess.run(["sh", "-c", command, sys.executable, tmp_path / "new"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (cli.DONE, b"")
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(newcase.FILES)


@pytest.mark.skipif(not FULL.exists(), reason="no such device")
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_full_disk_under_what_is_printed_does_not_take_the_work_along(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    def run(_: str, out: str, **__: Any) -> Any:
        print("the answer", file=getattr(sys, stream), flush=True)
        Path(out).mkdir()
        made = SimpleNamespace(case=load_case(case)), {"settings": {"model": "coalition"}}
        return SimpleNamespace(checks=(), passed=False, prepared=made[0], summary=made[1])

    monkeypatch.setattr("bayes_compliance.api.run", run)
    with FULL.open("w", buffering=1) as file:
        monkeypatch.setattr(sys, stream, file)
        assert cli.main(["run", str(case), "--out", str(tmp_path / "run")]) == cli.FAILED_DIAGNOSTIC
    assert (tmp_path / "run").is_dir()


def test_letters_that_a_terminal_has_not_are_escaped(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="ascii"))
    assert cli.main(["check", str(case)]) == cli.DONE
    assert printed.getvalue().startswith(b"small: \\xc9lan\n")


def test_a_case_to_fill_in_is_all_there_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(newcase.Path, "write_text", half(Path.write_text))
    for name in ("empty", "below/new"):
        assert cli.main(["new", str(tmp_path / name)]) == cli.REFUSED
        assert "cannot be written (No space left on device)" in capsys.readouterr().err
    monkeypatch.undo()
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]
    for name in ("empty", "below/new"):
        assert cli.main(["new", str(tmp_path / name)]) == cli.DONE


@pytest.mark.parametrize("name", ["", " "])
def test_a_case_to_fill_in_has_a_folder_with_a_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new", name]) == cli.REFUSED
    assert f"{name!r} is no name of a folder; allowed: a new or an empty folder" in capsys.readouterr().err


@pytest.mark.parametrize("old", [b"", b"whole\n"])
def test_a_line_is_appended_whole_or_not_at_all(tmp_path: Path, old: bytes) -> None:
    path = tmp_path / "book"
    path.write_bytes(old)

    class Filling(io.FileIO):
        """A disk that takes three bytes more."""

        left = 3

        def write(self, data: Any) -> int:
            self.left or full()
            took = super().write(bytes(data)[: self.left])
            self.left -= took
            return took

    with Filling(path, "a+b") as file, pytest.raises(OSError, match="No space left") as why:
        disk.append(file, path, b"a line\n")
    assert path.read_bytes() == old
    assert why.value.filename == str(path)
    with open(path, "a+b", buffering=0) as again:
        disk.append(again, path, b"a line\n")
    assert path.read_bytes() == old + b"a line\n"


@pytest.mark.parametrize(
    ("number", "name", "words"),
    [
        (errno.ENOSPC, None, "run could not be written (No space left on device)"),
        (errno.EFBIG, "a.nc", "a.nc could not be written (File too large)"),
        (errno.EACCES, "a.nc", "a.nc could not be opened (Permission denied)"),
    ],
)
def test_what_the_machine_does_not_take_is_said_in_words(
    case: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int,
    name: str | None, words: str,
) -> None:  # fmt: skip
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number), name)

    monkeypatch.setattr("bayes_compliance.api.fit", fail)
    assert cli.main(["fit", str(case), "--out", "run"]) == cli.INTERNAL
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == f"{words}; no RUN was changed, and tasks that were done are kept"


def test_where_no_temporary_file_can_be_made_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")
    monkeypatch.setattr("bayes_compliance.check.check", lambda *_, **__: (_ for _ in ()).throw(error))
    assert cli.main(["check", "any"]) == cli.INTERNAL
    said = capsys.readouterr().err
    assert said.startswith("no temporary file could be written (No usable temporary directory found in ['/tmp']); TMP")


def test_a_file_that_is_ours_to_find_is_a_fault_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = FileNotFoundError(errno.ENOENT, "No such file or directory", "template")
    monkeypatch.setattr("bayes_compliance.check.check", lambda *_, **__: (_ for _ in ()).throw(error))
    assert cli.main(["check", "any"]) == cli.INTERNAL
    assert "Traceback" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_whole_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left") as why:
        disk.replace(tmp_path / "page.html", "text")
    assert why.value.filename == str(tmp_path / "page.html")


def test_without_docstrings_nothing_is_fitted_and_that_is_said_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-OO", "-m", "bayes_compliance", "run", "none", "--out", tmp_path / "run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == cli.REFUSED
    assert done.stderr.startswith("PYTHONOPTIMIZE (-OO): drops the docstrings that ArviZ needs; allowed: ")
    # what is light needs none
    command = [sys.executable, "-OO", "-m", "bayes_compliance", "new", tmp_path / "case"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == cli.DONE
