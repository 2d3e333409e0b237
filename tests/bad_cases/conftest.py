"""A good case folder, and what is said of it after an edit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bayes_compliance.case import CaseError, load_case

GOOD = Path(__file__).parent / "good"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "case"))


@pytest.fixture
def edit(folder: Path) -> Callable[..., int]:
    """Replace a text of a file; the result is the line on which it starts."""

    def replace(name: str, old: str, new: str) -> int:
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        (folder / name).write_text(text.replace(old, new), encoding="utf-8", newline="")
        return text.partition(old)[0].count("\n") + 1

    return replace


@pytest.fixture
def problems(folder: Path) -> Callable[[], list[str]]:
    def load() -> list[str]:
        try:
            load_case(folder)
        except CaseError as error:
            return str(error).splitlines()
        return []

    return load


@pytest.fixture
def check(problems: Callable[[], list[str]]) -> Callable[..., None]:
    """Assert that there are exactly these problems: each a place and words, parted by `..`, in this order."""

    def say(*expected: str) -> None:
        found = problems()
        assert len(found) == len(expected), "\n".join(found)
        for line, pattern in zip(found, expected, strict=True):
            place, *words = pattern.split(" .. ")
            assert line.startswith(f"{place}: "), line
            rest = line.removeprefix(f"{place}: ")
            for word in words:
                assert word in rest, f"{word!r} is not in {line!r}"
                rest = rest.partition(word)[2]
            assert "; allowed: " in line

    return say
