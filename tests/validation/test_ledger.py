"""The sealed ledger: what was sealed cannot be bettered, and what came is scored by hand-made numbers."""

import json
import threading
from datetime import UTC, date, datetime

import numpy as np
import pytest
import xarray as xr

from bayes_compliance import cli, disk
from bayes_compliance.case import load_case
from bayes_compliance.errors import Refused
from bayes_compliance.validation import ledger
from tests.builders import complied, known, normal, write_case

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOW.replace(year=2040)
HEADER = "state,rule,date,p_comply,p_partial,p_violate\n"


def a_run(folder, p=(0.6, 0.1, 0.3), later=(0.4, 0.1, 0.5), first="2027-01-01"):
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(
        json.dumps({"tool": "bayes_compliance", "case": "small", "inputs": {"a": "b"}})
    )
    rows = [("2025-01-01", (1.0, 0.0, 0.0)), (first, p), ("2029-01-01", later)]
    text = "".join(f"H,r,{day},{c:.6f},{q:.6f},{v:.6f}\n" for day, (c, q, v) in rows)
    (folder / "forecast.csv").write_text(HEADER + text)
    names = ("p_comply_mean", "p_partial_mean", "p_violate_mean")
    data = {name: (("state", "rule", "time"), np.array([[[p[i] for _, p in rows]]])) for i, name in enumerate(names)}
    days = np.array([day for day, _ in rows], "datetime64[ns]")
    told = xr.Dataset(data, coords={"state": ["H"], "rule": ["r"], "time": days})
    told.to_netcdf(folder / "forecast.nc", engine="h5netcdf")
    return folder


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "ledger.jsonl"
    for year in range(3):
        run = a_run(tmp_path / f"run{year}", p=(0.6, 0.1, 0.3), later=(0.4, 0.1 - year / 100, 0.5 + year / 100))
        ledger.add(path, run, NOW.replace(year=2026 + year))
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
@pytest.mark.parametrize(("old", "new"), [('"p_comply": "0.400000"', '"p_comply": "0.5"'), ('"a": "b"', '"a": "c"')])
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


def test_a_panel_s_forecast_is_not_sealed(tmp_path):
    """No case could ever score it."""
    run = a_run(tmp_path / "panel")
    for name in ("posterior.nc", "reputation.nc"):
        (run / name).touch()
    with pytest.raises(Refused, match="panel is a RUN of a panel; allowed: one of one case"):
        ledger.add(tmp_path / "own.jsonl", run, NOW)
    assert not (tmp_path / "own.jsonl").exists()


def test_a_ledger_without_its_last_line_break_is_added_to_on_a_new_line(book, tmp_path):
    whole = book.read_bytes()
    book.write_bytes(whole.removesuffix(b"\n"))
    seal = ledger.add(book, a_run(tmp_path / "more", p=(0.2, 0.1, 0.7)), NOW.replace(year=2028, hour=13))
    assert ledger.verify(book) == seal
    assert book.read_bytes().startswith(whole)
    assert len(ledger.entries(book)) == 4


def test_who_adds_waits_for_another_and_goes_on_from_its_line(book, tmp_path):
    own, run, seals = tmp_path / "own.jsonl", a_run(tmp_path / "more", p=(0.2, 0.1, 0.7)), []
    own.touch()
    adding = threading.Thread(target=lambda: seals.append(ledger.add(own, run, NOW)))
    with open(own, "r+b") as file:
        assert disk.try_lock(file.fileno())
        adding.start()
        adding.join(0.5)
        assert own.read_bytes() == b""
        file.write(book.read_bytes().splitlines(keepends=True)[0])
    adding.join()
    assert [ledger.verify(own)] == seals
    assert [entry.number for entry in ledger.entries(own)] == [1, 2]


def test_a_ledger_that_another_process_holds_is_refused(book, tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "PATIENCE", 0.0)
    before = book.read_bytes()
    with open(book, "rb") as file:
        assert disk.try_lock(file.fileno())
        with pytest.raises(Refused, match=r"ledger.jsonl: another process is adding to it; allowed: one at a time"):
            ledger.add(book, a_run(tmp_path / "more", p=(0.2, 0.1, 0.7)), NOW.replace(year=2028))
    assert book.read_bytes() == before


def test_times_must_rise(book, tmp_path):
    ledger.add(book, a_run(tmp_path / "early", p=(0.2, 0.1, 0.7)), NOW)
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


def test_the_command_looks_for_the_published_head(book, capsys):
    first = json.loads(book.read_text().splitlines()[0])["seal"]
    assert cli.main(["ledger", "verify", str(book), "--head", first]) == cli.DONE
    assert cli.main(["ledger", "verify", str(book), "--head", "0" * 64]) == cli.REFUSED
    assert f"no line has the seal {'0' * 64}" in capsys.readouterr().err


def test_of_an_empty_ledger_it_is_said_that_it_holds_no_forecast(book, tmp_path, capsys):
    (tmp_path / "empty").touch()
    assert cli.main(["ledger", "verify", str(tmp_path / "empty")]) == cli.DONE
    assert capsys.readouterr().out == "it holds no forecast, and so no seal\n"
    assert cli.main(["ledger", "verify", str(book)]) == cli.DONE
    assert capsys.readouterr().out == f"whole; the last seal is {ledger.verify(book)}\n"


def test_decisions_that_came_are_scored_between_the_forecast_dates(book, tmp_path):
    came = case(tmp_path / "case", complied("2028-01-01", "violate"), complied("2035-01-01"))
    found = ledger.score(book, came, LATER)
    # sealed 2026 and 2027; the third entry was sealed on 2028-01-01 itself
    assert [one.entry for one in found.scored] == [1]
    (one,) = found.scored
    half = 365 / 731
    p = np.array([0.3 + 0.2 * half, 0.1, 0.6 - 0.2 * half])
    assert one.p == pytest.approx(tuple(p), abs=1e-6)
    assert one.scores["log"] == pytest.approx(-np.log(p[0]))
    assert one.scores["brier"] == pytest.approx(p[2] ** 2)
    assert "2028-01-01 H r: violate" in str(found)


def test_the_first_and_the_last_date_of_a_forecast_are_scored_too(tmp_path):
    path, days = tmp_path / "l", ("2026-12-31", "2027-01-01", "2029-01-01", "2029-01-02")
    ledger.add(path, a_run(tmp_path / "run"), NOW)
    found = ledger.score(path, case(tmp_path / "case", *(complied(day) for day in days)), LATER)
    assert [(str(one.date), one.p) for one in found.scored] == [
        ("2027-01-01", (0.3, 0.1, 0.6)), ("2029-01-01", (0.5, 0.1, 0.4)),
    ]  # fmt: skip
    assert str(found).endswith(
        "Mean scores of 2 forecasts, lower is better: "
        f"brier {(0.4**2 + 0.6**2) / 2:.3f}, log {-np.log(0.6 * 0.4) / 2:.3f}, "
        f"rps {(0.3**2 + 0.4**2 + 0.5**2 + 0.6**2) / 2:.3f}"
    )


def test_what_six_decimals_round_to_nothing_was_not_held_impossible(tmp_path):
    """The log score is that of half a digit, and finite; what was foretold stays what it was."""
    path = tmp_path / "l"
    ledger.add(path, a_run(tmp_path / "run", p=(1.0, 0.0, 0.0), later=(1.0, 0.0, 0.0)), NOW)
    (one,) = ledger.score(path, case(tmp_path / "case", complied("2028-01-01", "violate")), LATER).scored
    assert one.p == (0.0, 0.0, 1.0)
    assert one.scores["log"] == pytest.approx(-np.log(5.1e-7))
    assert one.scores["brier"] == 1


@pytest.mark.parametrize(
    ("day", "scored"), [("2028-01-01", 1), ("2028-01-02", 0), ("2028-01", 1), ("2028-02", 0), ("2028", 1)]
)
def test_a_decision_of_a_day_to_come_is_left_as_not_come_yet(book, tmp_path, day, scored):
    """Of a month or a year that has begun it may have come."""
    came = case(tmp_path / "case", complied(day))
    found = ledger.score(book, came, NOW.replace(year=2028))
    assert len({one.date for one in found.scored}) == scored
    first, *_ = str(found).splitlines()
    (decision,) = came.decisions
    assert (first == f"{decision.date} H r: comply: not come yet, and not scored") == (not scored)


def test_a_decision_before_the_sealing_is_not_scored(book, tmp_path):
    found = ledger.score(book, case(tmp_path / "case", complied("2025-06-01")))
    assert found.scored == ()
    assert "No decision has come" in str(found)


@pytest.mark.parametrize(("day", "scored"), [("2027", [1]), ("2026-07", [1]), ("2026-07-01", [1]), ("2026", [])])
def test_a_decision_of_a_period_that_began_before_the_sealing_is_not_scored(tmp_path, day, scored):
    """A decision of 2026 is dated 1 July, and may have been known when the forecast was sealed, on 1 January."""
    path = tmp_path / "l"
    ledger.add(path, a_run(tmp_path / "run", first="2026-04-01"), NOW)
    found = ledger.score(path, case(tmp_path / "case", complied(day)), LATER)
    assert [one.entry for one in found.scored] == scored


def test_a_case_of_which_the_ledger_has_no_forecast_is_refused(book, tmp_path):
    other = case(tmp_path / "case", complied("2028-01-01")).model_copy(update={"name": "other"})
    with pytest.raises(Refused, match=r"ledger.jsonl: has no forecast of the case 'other'; allowed: .* one: small$"):
        ledger.score(book, other)
    (tmp_path / "empty").touch()
    with pytest.raises(
        Refused, match="empty: holds no forecast; allowed: a ledger in which `ledger add` has sealed one"
    ):
        ledger.score(tmp_path / "empty", other)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("0.600000,0.100000,0.300000", "0.700000,0.100000,0.300000", r"csv:3: p_comply: 0.700000 is not what"),
        ("0.600000,0.100000,0.300000", "0.600001,0.100000,0.299999", r"csv:3: p_violate: 0.299999 is not what"),
        ("2029-01-01", "2029-01-02", r"csv:4: p_violate: .* is not what forecast.nc says"),
        ("H,r,2029-01-01,0.400000,0.100000,0.500000\n", "", "csv: not all rows of forecast.nc once"),
        (
            "H,r,2029-01-01,0.400000,0.100000,0.500000",
            "H,r,2027-01-01,0.600000,0.100000,0.300000",
            "csv: not all rows of forecast.nc once",
        ),
        ("1.000000", "nearly", "csv cannot be read"),
        ("2025-01-01", "soon", "csv cannot be read"),
    ],
)
def test_a_forecast_that_was_edited_is_not_sealed(tmp_path, old, new, words):
    run = a_run(tmp_path / "run")
    text = (run / "forecast.csv").read_text()
    assert old in text
    (run / "forecast.csv").write_text(text.replace(old, new))
    with pytest.raises(Refused, match=words):
        ledger.add(tmp_path / "l", run, NOW)
    assert not (tmp_path / "l").exists()


def test_a_forecast_without_its_draws_is_not_sealed(tmp_path):
    run = a_run(tmp_path / "run")
    (run / "forecast.nc").unlink()
    with pytest.raises(Refused, match=r"forecast.nc cannot be read .*; allowed: a whole RUN"):
        ledger.add(tmp_path / "l", run, NOW)


def test_one_forecast_is_not_sealed_twice(book, tmp_path):
    before = book.read_bytes()
    with pytest.raises(Refused, match=r"run1: its forecast is sealed already, on .*ledger.jsonl:2; allowed"):
        ledger.add(book, tmp_path / "run1", NOW.replace(year=2028))
    again = a_run(tmp_path / "again", later=(0.4, 0.08, 0.52))
    (again / "forecast.csv").write_text((again / "forecast.csv").read_text() + "\n")
    with pytest.raises(Refused, match=r"again: its forecast is sealed already, on .*ledger.jsonl:3; allowed"):
        ledger.add(book, again, NOW.replace(year=2028, hour=13))
    assert book.read_bytes() == before


def test_two_cases_may_have_one_forecast(tmp_path):
    one, other, path = a_run(tmp_path / "one"), a_run(tmp_path / "other"), tmp_path / "l"
    said = json.loads((other / "summary.json").read_text()) | {"case": "other"}
    (other / "summary.json").write_text(json.dumps(said))
    for run in (one, other):
        ledger.add(path, run, NOW)
    assert [entry.case for entry in ledger.entries(path)] == ["small", "other"]


@pytest.mark.parametrize("name", ["none/l", "file/l", "a\0b"])
def test_a_ledger_that_cannot_be_written_is_refused(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match=r"cannot be (written|read) .*; allowed: a"):
        ledger.add(tmp_path / name, a_run(tmp_path / "run"), NOW)
    assert not (tmp_path / "none").exists()
