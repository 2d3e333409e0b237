"""The sealed ledger: what was sealed cannot be bettered, and what came is scored by hand-made numbers."""

import json
from datetime import UTC, date, datetime

import numpy as np
import pytest

from bayes_compliance.case import load_case
from bayes_compliance.errors import Refused
from bayes_compliance.validation import ledger
from tests.builders import complied, known, normal, write_case

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HEADER = "state,rule,date,p_comply,p_partial,p_violate\n"


def a_run(folder, p=(0.6, 0.1, 0.3), later=(0.4, 0.1, 0.5)):
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(
        json.dumps({"tool": "bayes_compliance", "case": "small", "inputs": {"a": "b"}})
    )
    rows = [("2025-01-01", (1.0, 0.0, 0.0)), ("2027-01-01", p), ("2029-01-01", later)]
    text = "".join(f"H,r,{day},{c},{q},{v}\n" for day, (c, q, v) in rows)
    (folder / "forecast.csv").write_text(HEADER + text)
    return folder


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "ledger.jsonl"
    for year in range(3):
        ledger.add(path, a_run(tmp_path / f"run{year}"), NOW.replace(year=2026 + year))
    return path


def case(folder, *decisions):
    lobbies = [{"id": "j", "state": "H", "role": "J"}, {"id": "k", "state": "H", "role": "K"}]
    judgements = [normal("j", 1.0, 0.1), normal("k", 1.0, 0.1), known("partial_width", 0.1)]
    head = {"horizon": {"until": date(2040, 1, 1), "step_years": 5}, "outcomes": 3}
    return load_case(write_case(folder, lobbies=lobbies, judgements=judgements, decisions=decisions, **head))


def test_a_whole_ledger_verifies_and_gives_its_head(book):
    lines = [json.loads(line) for line in book.read_text().splitlines()]
    assert ledger.verify(book) == lines[-1]["seal"]
    assert [line["before"] for line in lines] == [ledger.FIRST, lines[0]["seal"], lines[1]["seal"]]
    assert ledger.verify(book, head=lines[1]["seal"]) == lines[-1]["seal"]


def test_only_what_is_ahead_is_sealed(book):
    first, _, last = ledger.entries(book)
    assert [row["date"] for row in first.forecast] == ["2027-01-01", "2029-01-01"]
    assert [row["date"] for row in last.forecast] == ["2029-01-01"]


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(("old", "new"), [('"p_comply": "0.4"', '"p_comply": "0.5"'), ('"a": "b"', '"a": "c"')])
def test_a_changed_line_is_named(book, number, old, new):
    lines = book.read_text().splitlines()
    assert old in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new)
    book.write_text("\n".join(lines) + "\n")
    with pytest.raises(Refused, match=rf"ledger\.jsonl:{number}: seal: the line was changed"):
        ledger.verify(book)


def test_a_line_that_was_sealed_anew_breaks_the_next(book):
    lines = [json.loads(line) for line in book.read_text().splitlines()]
    lines[0]["forecast"][0]["p_comply"] = "0.99"
    lines[0]["seal"] = ledger.seal(lines[0])
    book.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(Refused, match=r"ledger\.jsonl:2: before: the line before was dropped, moved or changed"):
        ledger.verify(book)


@pytest.mark.parametrize(("kept", "bad"), [([1, 2], 1), ([0, 2], 2), ([1, 0, 2], 1)])
def test_a_dropped_or_moved_line_is_found(book, kept, bad):
    lines = book.read_text().splitlines()
    book.write_text("".join(lines[i] + "\n" for i in kept))
    with pytest.raises(Refused, match=rf"ledger\.jsonl:{bad}: before"):
        ledger.verify(book)


def test_a_published_head_finds_a_ledger_that_was_written_again(book, tmp_path):
    published = ledger.verify(book)
    again = tmp_path / "again.jsonl"
    ledger.add(again, a_run(tmp_path / "other", p=(0.9, 0.05, 0.05)), NOW)
    assert ledger.verify(again)
    with pytest.raises(Refused, match=r"no line has the seal [0-9a-f]{64}; allowed"):
        ledger.verify(again, head=published)


def test_dropping_the_end_is_found_by_the_published_head(book):
    published = ledger.verify(book)
    book.write_text(book.read_text().splitlines()[0] + "\n")
    with pytest.raises(Refused, match="no line has the seal"):
        ledger.verify(book, head=published)


def test_nothing_is_added_to_a_broken_ledger(book, tmp_path):
    book.write_text(book.read_text().replace('"a": "b"', '"a": "x"', 1))
    before = book.read_bytes()
    with pytest.raises(Refused, match="was changed after it was sealed"):
        ledger.add(book, a_run(tmp_path / "more"), NOW)
    assert book.read_bytes() == before


def test_times_must_rise(book, tmp_path):
    ledger.add(book, a_run(tmp_path / "early"), NOW)
    with pytest.raises(Refused, match="allowed: times that rise"):
        ledger.verify(book)


def test_a_forecast_of_the_past_is_refused(tmp_path):
    with pytest.raises(Refused, match="every date of its forecast is past on 2031-01-01"):
        ledger.add(tmp_path / "l", a_run(tmp_path / "run"), NOW.replace(year=2031))
    assert not (tmp_path / "l").exists()


def test_what_is_no_ledger_is_refused(tmp_path):
    path = tmp_path / "l"
    path.write_text("{}\n")
    with pytest.raises(Refused, match=r"l:1: no sealed forecast"):
        ledger.verify(path)
    path.write_text("x\n")
    with pytest.raises(Refused, match=r"l:1: no JSON"):
        ledger.verify(path)
    with pytest.raises(Refused, match="cannot be read"):
        ledger.verify(tmp_path / "none")


def test_decisions_that_came_are_scored_between_the_forecast_dates(book, tmp_path):
    came = case(tmp_path / "case", complied("2028-01-01", "violate"), complied("2035-01-01"))
    found = ledger.score(book, came)
    # sealed 2026 and 2027; the third entry was sealed on 2028-01-01 itself
    assert [one.entry for one in found.scored] == [1]
    (one,) = found.scored
    half = 365 / 731
    p = np.array([0.3 + 0.2 * half, 0.1, 0.6 - 0.2 * half])
    assert one.p == pytest.approx(tuple(p), abs=1e-6)
    assert one.scores["log"] == pytest.approx(-np.log(p[0]))
    assert one.scores["brier"] == pytest.approx(p[2] ** 2)
    assert "2028-01-01 H r: violate" in str(found)


def test_a_decision_before_the_sealing_is_not_scored(book, tmp_path):
    found = ledger.score(book, case(tmp_path / "case", complied("2025-06-01")))
    assert found.scored == ()
    assert "No decision has come" in str(found)
