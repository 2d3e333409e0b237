"""A file is written whole or left as it was, whoever else writes it, and nothing stays beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayes_compliance.disk import replace, replacing, write_csv


def test_a_file_is_replaced_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    replace(file, "one")
    write_csv(file, ["x"], [[1], [2]])
    assert file.read_bytes() == b"x\n1\n2\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_block_that_fails_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    replace(file, "whole")

    def rows():
        yield [1]
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_csv(file, ["x"], rows())
    assert file.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [file]


def test_two_that_write_the_same_file_do_not_meet(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    with replacing(file) as one:
        one.write_text("one")
        with replacing(file) as other:
            other.write_text("the other")
        assert file.read_text() == "the other"
        assert one.read_text() == "one"
    assert file.read_text() == "one"
    assert list(tmp_path.iterdir()) == [file]
