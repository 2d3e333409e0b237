"""Whatever the bytes of a folder are, there is a case or a refusal, never anything else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayes_compliance.case import Case, CaseError, load_case

GOOD = Path(__file__).parent / "bad_cases" / "good"
FILES = ("case.toml", "judgements.csv", "decisions.csv", "proxies.csv", "scenarios.toml")
CELLS = st.sampled_from(
    ["", "H", "F", "*", "nan", "-inf", "1e308", "-0", "0", "1", "1994-13-41", "0001", "9999", "2001-02-29", "growers",
     "step", '"', "\x00", "\ufeff", "\u2028", ";", "beta", "[", "{", "}", "]]", "=", "#", "[[states]]", '"""', "'''",
     "9" * 5000]
)  # fmt: skip
FUZZ = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path_factory.mktemp("fuzz") / "case"))


def _load(folder: Path, name: str, data: bytes) -> None:
    original = (GOOD / name).read_bytes()
    (folder / name).write_bytes(data)
    found = _outcome(folder)
    (folder / name).write_bytes(original)
    assert isinstance(found, Case) or found
    if isinstance(found, list):
        assert all(line.isprintable() and "; allowed: " in line for line in found)


def _outcome(folder: Path) -> Case | list[str]:
    try:
        return load_case(folder)
    except CaseError as error:
        return str(error).splitlines()


@FUZZ
@given(name=st.sampled_from(FILES), data=st.binary(max_size=400))
def test_any_bytes(folder: Path, name: str, data: bytes) -> None:
    _load(folder, name, data)


@FUZZ
@given(name=st.sampled_from(FILES), data=st.data())
def test_any_edit(folder: Path, name: str, data: st.DataObject) -> None:
    text = (GOOD / name).read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(CELLS | st.text(max_size=6)) + text[end:]
    _load(folder, name, text.encode("utf-8", "surrogatepass"))


@FUZZ
@given(name=st.sampled_from(FILES[1:4]), data=st.data())
def test_any_cell(folder: Path, name: str, data: st.DataObject) -> None:
    lines = (GOOD / name).read_text(encoding="utf-8").splitlines()
    row = data.draw(st.integers(1, len(lines) - 1))
    cells = lines[row].split(",")
    cells[data.draw(st.integers(0, len(cells) - 1))] = data.draw(CELLS)
    lines[row] = ",".join(cells)
    _load(folder, name, "\n".join(lines).encode())


@FUZZ
@given(data=st.data())
def test_any_value_of_a_key(folder: Path, data: st.DataObject) -> None:
    values = [
        "0", "-1", "nan", "inf", "1e308", '""', '"H"', "true", "[]", "{}", "[[]]", "2001-01-01", "07:30:00",
        "2001-01-01T00:00:00", "9999-12-31", "0001-01-01", '["H", "F"]', "[[2001-01-01, 0.5]]", "9" * 400,
    ]  # fmt: skip
    name = data.draw(st.sampled_from(["case.toml", "scenarios.toml"]))
    lines = (GOOD / name).read_text(encoding="utf-8").splitlines()
    row = data.draw(st.sampled_from([i for i, line in enumerate(lines) if " = " in line]))
    lines[row] = lines[row].partition(" = ")[0] + " = " + data.draw(st.sampled_from(values))
    _load(folder, name, "\n".join(lines).encode())
