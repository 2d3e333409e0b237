"""A journal keeps what was done, through interruptions, and refuses to mix two things."""

import json

import pytest

from bayes_compliance import sweeps
from bayes_compliance.errors import Refused
from bayes_compliance.store import JOURNAL
from bayes_compliance.sweeps import Journal, at_work


def test_the_journal_keeps_whole_lines_and_drops_a_torn_one(tmp_path):
    path = tmp_path / "t.jsonl"
    book = Journal(path, {"seed": 1})
    book.add("0", [1, 2])
    book.add("2", {"p": 0.1 + 0.2})
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"task": "3", "re')
    again = Journal(path, {"seed": 1})
    assert (again["0"], again["2"]) == ([1, 2], {"p": 0.1 + 0.2})
    assert "3" not in again
    assert path.read_bytes() == whole
    again.add("3", [5])
    assert [json.loads(line)["task"] for line in path.read_text().splitlines()[1:]] == ["0", "2", "3"]


def test_a_journal_of_something_else_is_refused_and_says_what_differs(tmp_path):
    Journal(tmp_path / "t.jsonl", {"seed": 1, "model": "a"}, "back-test")
    with pytest.raises(Refused, match=r"t\.jsonl: line 1: another back-test was begun here \(other seed\); allowed"):
        Journal(tmp_path / "t.jsonl", {"seed": 2, "model": "a"}, "back-test")


def run(*given, **more):
    return list(sweeps.run(*given, **more))


class Squares:
    """A job that counts what it is asked for, and stops where it is told to."""

    def __init__(self, stop=None):
        self.stop, self.opened, self.asked = stop, 0, []

    def open(self):
        self.opened += 1

        def do(key):
            if key == self.stop:
                raise KeyboardInterrupt
            self.asked.append(key)
            return int(key) ** 2

        return do


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"seed": 2', "line 1: this is no file of a sweep"), ("notes\n", "line 1: this is no line of a sweep"),
        ("[1]\n", "line 1: this is no line of a sweep"), ('{"seed": 1}\nnotes\n', "line 2: this is no line of a sweep"),
        ('{"seed": 1}\n{"result": 3}\n', "line 2: this is no result of a sweep"),
        ('{"seed": 1}\n' + "[" * 100_000 + "\n", "line 2: this is no line of a sweep"),
    ],
)  # fmt: skip
def test_a_file_of_somebody_else_is_refused_and_stays_as_it_was(tmp_path, text, why):
    path = tmp_path / "t.jsonl"
    path.write_text(text)
    with pytest.raises(Refused, match=rf"t.jsonl: {why}; allowed: the same one, or a new folder"):
        Journal(path, {"seed": 1})
    assert path.read_text() == text


@pytest.mark.parametrize("cut", ["", '{"seed', '{"seed": 1}'])
def test_a_journal_whose_first_line_was_cut_short_is_begun_anew(tmp_path, cut):
    path = tmp_path / "t.jsonl"
    path.write_text(cut)
    Journal(path, {"seed": 1}).add("a", 2)
    assert path.read_text() == '{"seed": 1}\n{"task": "a", "result": 2}\n'
    assert Journal(path, {"seed": 1})["a"] == 2


def test_a_place_where_nothing_can_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match=r"t.jsonl: cannot be written \(.*\); allowed: a place where folders can be made"):
        Journal(tmp_path / "file" / "t.jsonl", {})


def test_an_interrupted_sweep_does_only_what_is_missing(tmp_path):
    keys = [str(i) for i in range(6)]
    with pytest.raises(KeyboardInterrupt):
        sweeps.run(Squares(stop="4"), keys, Journal(tmp_path / "t.jsonl", {}))
    again, said = Squares(), []
    found = run(again, keys, Journal(tmp_path / "t.jsonl", {}), tell=lambda *told: said.append(told))
    assert again.asked == ["4", "5"]
    assert found == [0, 1, 4, 9, 16, 25]
    assert said == [(4, 6, "already there"), (5, 6, "4"), (6, 6, "5")]


def test_a_sweep_that_is_done_opens_nothing(tmp_path):
    book = Journal(tmp_path / "t.jsonl", {})
    first, again = Squares(), Squares()
    assert run(first, ["1", "2"], book) == run(again, ["1", "2"], book) == [1, 4]
    assert (first.opened, again.opened) == (1, 0)


def refused_at_work(place, done):
    with at_work(place, "sweep") as folder:
        book = Journal(folder / JOURNAL, {"seed": 1})
        for key in range(done):
            book.add(str(key), 0)
        raise Refused("no more")


@pytest.mark.parametrize("done", [0, 1])
def test_of_work_refused_before_its_first_task_was_done_nothing_stays(tmp_path, done):
    place = tmp_path / "above" / "work"
    with pytest.raises(Refused, match="no more"):
        refused_at_work(place, done)
    assert (tmp_path / "above").exists() == (place / JOURNAL).exists() == bool(done)


def test_what_was_begun_before_stays_where_it_is_refused_to_go_on(tmp_path):
    Journal(tmp_path / JOURNAL, {"seed": 1})
    before = (tmp_path / JOURNAL).read_bytes()
    with pytest.raises(Refused, match="another sweep was begun here"), at_work(tmp_path, "sweep") as folder:
        Journal(folder / JOURNAL, {"seed": 2})
    assert (tmp_path / JOURNAL).read_bytes() == before


def test_results_are_in_the_order_of_the_keys_not_of_the_journal(tmp_path):
    book = Journal(tmp_path / "t.jsonl", {})
    sweeps.run(Squares(), ["3", "1"], book)
    assert run(Squares(), ["1", "2", "3"], book) == [1, 4, 9]


def test_elsewhere_than_on_a_terminal_progress_is_told_now_and_then(capsys):
    tell = sweeps.say("tasks")
    for i in range(1, 51):
        tell(i, 50, f"noise {i}" if i == 1 else f"t|{i}")
    assert capsys.readouterr().err.splitlines() == ["1 of 50 tasks done (noise 1)", "50 of 50 tasks done"]
