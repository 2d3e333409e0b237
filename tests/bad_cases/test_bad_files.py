"""Files that are missing, unreadable, too large or full of rubbish; and several problems at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from bayes_compliance.case import CaseError, load_case
from bayes_compliance.case.problems import MOST

REQUIRED = ("case.toml", "judgements.csv", "decisions.csv")
EVERY = (*REQUIRED, "proxies.csv", "scenarios.toml")


@pytest.mark.parametrize("name", REQUIRED)
def test_missing(name: str, folder: Path, check: Callable[..., None]) -> None:
    (folder / name).unlink()
    check(f"{name}:1: file .. there is no such file .. in UTF-8, not empty, of at most 10 MB")


@pytest.mark.parametrize("slip", ["judgments.csv", "Judgements.csv", "judgement.csv"])
def test_missing_and_there_under_another_name(slip: str, folder: Path, check: Callable[..., None]) -> None:
    (folder / "judgements.csv").rename(folder / slip)
    check(f"judgements.csv:1: file .. there is no such file .. (rename {slip!r} to judgements.csv?)")


@pytest.mark.parametrize("name", ["proxies.csv", "scenarios.toml", "README.md"])
def test_may_be_missing(name: str, folder: Path, check: Callable[..., None]) -> None:
    (folder / name).unlink()
    check()


@pytest.mark.parametrize("text", [b"", b"\xef\xbb\xbf", b" \r\n\n"], ids=["nothing", "a BOM", "blanks"])
@pytest.mark.parametrize("name", EVERY)
def test_empty(name: str, text: bytes, folder: Path, check: Callable[..., None]) -> None:
    (folder / name).write_bytes(text)
    check(f"{name}:1: file .. the file is empty .. not empty")


@pytest.mark.parametrize("name", EVERY)
def test_not_utf8(name: str, folder: Path, check: Callable[..., None]) -> None:
    lines = (folder / name).read_bytes().split(b"\n")
    lines[1] += " é".encode("latin-1")
    (folder / name).write_bytes(b"\n".join(lines))
    save = "save it as 'CSV UTF-8'" if name.endswith(".csv") else "save it as UTF-8"
    check(f"{name}:2: file .. byte 0xe9 is not UTF-8 .. in UTF-8 .. ({save})")


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_with_its_mark_or_without(name: str, encoding: str, folder: Path, check: Callable[..., None]) -> None:
    (folder / name).write_bytes((folder / name).read_text(encoding="utf-8").encode(encoding))
    check(f"{name}:1: file .. this is UTF-16 and not UTF-8 .. in UTF-8 .. (save it as")


@pytest.mark.parametrize("name", EVERY)
def test_a_link_that_leads_nowhere(name: str, folder: Path, check: Callable[..., None]) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to("nowhere")
    check(f"{name}:1: file .. this is a link, and there is nothing where it leads .. file")


@pytest.mark.parametrize("name", EVERY)
def test_a_folder_instead_of_a_file(name: str, folder: Path, check: Callable[..., None]) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    check(f"{name}:1: file .. no regular file .. file")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_not_waited_for(folder: Path, check: Callable[..., None]) -> None:
    (folder / "decisions.csv").unlink()
    os.mkfifo(folder / "decisions.csv")
    check("decisions.csv:1: file .. no regular file .. file")


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"nowhere:1: folder: there is no such folder; allowed: .*case\.toml"):
        load_case(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("state,rule", "state,rules", "column 'rules' is unknown (did you mean 'rule'?); column rule is missing"),
        ("state,rule", "rule,state", "columns in another order"),
        ("note,source,url", "note,source", "column url is missing"),
        ("note,source,url", "note,source,url,url", "column url stands twice"),
        ("note,source,url", "note,,source,url,", "the header is blank in column 9"),
        ("date,state,rule", "date,,", "the header is blank in column 2 and 3; column state is missing; column rule is"),
        ("date,state", "sep=,\ndate,state", "a line for a spreadsheet, 'sep=,', stands above the header"),
        ("date,state,rule,kind", "date;state;rule;kind", "column 'date;state;rule;kind' is unknown"),
    ],
)
def test_wrong_header(old: str, new: str, words: str, edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit("decisions.csv", old, new)
    check(f"decisions.csv:1: header .. {words} .. date,state,rule,kind,decision,counterparty,confidence,note")


@pytest.mark.parametrize("name", ["judgements.csv", "decisions.csv", "proxies.csv"])
@pytest.mark.parametrize("header", [",,", ""], ids=["header too", "rows only"])
def test_blank_cells_behind_the_last_column_make_no_difference(
    name: str, header: str, folder: Path, check: Callable[..., None]
) -> None:
    case, (first, *others) = load_case(folder), (folder / name).read_text(encoding="utf-8").splitlines()
    rows = [first + header, *(f"{line},," for line in others), ",,,"]
    (folder / name).write_text("\n".join(rows), encoding="utf-8")
    check()
    assert load_case(folder) == case


def test_a_cell_under_no_name_is_refused(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit("decisions.csv", "note,source,url", "note,source,url,,")
    edit("decisions.csv", "violate,,low,,Gazette,", "violate,,low,,Gazette,,,x")
    check("decisions.csv:5: row .. 12 cells .. 10 cells (one with a comma in it needs quotation marks): date,state")


def test_a_comma_without_quotation_marks_is_no_blank_cell(edit: Callable[..., int], check: Callable[..., None]) -> None:
    """The cells behind it move on, and the last of them may well be blank."""
    edit("decisions.csv", '"tariff cut, in part",Gazette,', "tariff cut, in part,Gazette,")
    check("decisions.csv:3: row .. 11 cells .. 10 cells (one with a comma in it needs quotation marks)")


def test_cells_missing_at_the_end_may_be_those_that_may_be_blank(folder: Path, check: Callable[..., None]) -> None:
    case = load_case(folder)
    for name in ("judgements.csv", "decisions.csv"):
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text("\n".join(line.rstrip(",") for line in text.splitlines()), encoding="utf-8")
    check()
    assert load_case(folder) == case


def test_other_cells_may_not_be_missing(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit(
        "decisions.csv",
        "2005-02-03,F,labels,compliance,violate,,low,,Gazette,",
        "2005-02-03,F,labels,compliance,violate",
    )
    check("decisions.csv:5: row .. 5 cells .. 10 cells: date,state,rule")


def test_a_letter_and_its_accent_are_one_however_they_are_written(folder: Path) -> None:
    """As systems differ: é is one character, or e with an accent after it."""
    for path in (*folder.glob("*.csv"), *folder.glob("*.toml")):
        path.write_text(path.read_text(encoding="utf-8").replace("consumers", "caf\u00e9s"), encoding="utf-8")
    case = load_case(folder)
    assert case.lobby("caf\u00e9s").state == "H"
    name = folder / "judgements.csv"
    name.write_text(name.read_text(encoding="utf-8").replace("\u00e9", "e\u0301"), encoding="utf-8")
    assert load_case(folder) == case
    assert load_case(folder).inputs["judgements.csv"] == sha256(name.read_bytes()).hexdigest()
    for decomposed in ("e\u0301", r"e\u0301"):
        toml = (folder / "case.toml").read_text(encoding="utf-8")
        (folder / "case.toml").write_text(toml.replace("\u00e9", decomposed), encoding="utf-8")
        assert load_case(folder) == case
        (folder / "case.toml").write_text(toml, encoding="utf-8")


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
@pytest.mark.parametrize("first", ["", "\ufeff"], ids=["plain", "BOM"])
def test_another_separator(mark: str, name: str, first: str, folder: Path, check: Callable[..., None]) -> None:
    text = (folder / "proxies.csv").read_text(encoding="utf-8")
    (folder / "proxies.csv").write_text(first + text.replace(",", mark), encoding="utf-8")
    check(f"proxies.csv:1: header .. cells are parted by {name}, not by commas .. date,state,lobby .. comma as sep")


def test_a_file_instead_of_a_folder(folder: Path) -> None:
    with pytest.raises(CaseError, match=rf"case\.toml:1: folder: this is a file; allowed: the folder .*{folder}$"):
        load_case(folder / "case.toml")


@pytest.mark.parametrize("name", ["judgements.csv", "decisions.csv", "proxies.csv"])
def test_header_only(name: str, folder: Path, problems: Callable[[], list[str]]) -> None:
    header = (folder / name).read_text(encoding="utf-8").splitlines()[0]
    (folder / name).write_text(header + "\n", encoding="utf-8")
    missing = [f"no magnitude of lobby {lobby!r}" for lobby in
               ("consumers", "growers", "exporters", "lawyers", "court", "packers", "shippers")]  # fmt: skip
    expected = [*missing, "no reciprocity (q)"] if name == "judgements.csv" else []
    found = problems()
    assert len(found) == len(expected)
    assert all(any(words in line for line in found) for words in expected)


def test_scenarios_that_are_all_comments(folder: Path, check: Callable[..., None]) -> None:
    (folder / "scenarios.toml").write_text("# [[scenarios]]\n", encoding="utf-8")
    check()
    assert load_case(folder).scenarios == ()


def test_a_row_on_two_lines_counts_both(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit("decisions.csv", '"tariff cut, in part"', '"tariff cut,\nin part"')
    edit("decisions.csv", "F,labels", "F,label")
    check("decisions.csv:6: rule .. unknown rule 'label' .. mean 'labels'")


def test_several_problems_in_different_files(edit: Callable[..., int], check: Callable[..., None]) -> None:
    edit("case.toml", 'role = "J"', 'role = "Z"')
    edit("case.toml", "threshold = 0.1", "treshold = 0.1")
    edit("judgements.csv", "2,3,5", "5,3,2")
    edit("judgements.csv", "lawyers,step", "lawyer,step")
    edit("decisions.csv", "2004,F", "2004-13,X")
    edit("proxies.csv", "stake", "steak")
    edit("scenarios.toml", 'id = "strike"', 'id = ""')
    check(
        "case.toml:15: states[H].treshold .. unknown key 'treshold' .. did you mean 'threshold'",
        "case.toml:42: lobbies[consumers].role .. 'Z' is unknown",
        "decisions.csv:4: date .. '2004-13' is not in the calendar .. ISO date",
        "decisions.csv:4: state .. unknown state 'X' .. H or F",
        "judgements.csv:3: p05 .. above p95",
        "judgements.csv:10: lobby .. unknown lobby 'lawyer' .. did you mean 'lawyers'",
        "proxies.csv:2: kind .. 'steak' is unknown",
        "scenarios.toml:2: scenarios[].id .. '' cannot be an id",
    )


def test_csv_rows_are_told_even_where_case_toml_cannot_be_read(edit: Callable[..., int], check: Callable) -> None:
    edit("case.toml", "outcomes = 3", "outcomes :")
    edit("judgements.csv", "2,3,5", "2,x,5")
    edit("scenarios.toml", "scale = 2.0", "scale = -2.0")
    check(
        "case.toml:7: file .. not TOML", "judgements.csv:3: p50 .. 'x' is refused",
        "scenarios.toml:6: scenarios[strike].changes[1].scale .. -2.0 is out of range .. at least 0",
    )  # fmt: skip


def test_every_problem_is_one_printable_line(edit: Callable[..., int], problems: Callable[[], list[str]]) -> None:
    edit("decisions.csv", "F,labels", '"F\n\u202e\x1b[31m",labels')
    edit("judgements.csv", "H,growers,volatility", "H,gro\u2028wers,volatility")
    found = problems()
    assert len(found) == 2
    assert all(line.isprintable() for line in found)


def test_rubbish_is_listed_up_to_a_bound(folder: Path, problems: Callable[[], list[str]]) -> None:
    with (folder / "decisions.csv").open("a", encoding="utf-8") as file:
        file.write("x\n" * 100_000)
    found = problems()
    assert len(found) == MOST + 1
    assert f"{MOST} problems up to here" in found[-1]


LOAD = """
import resource, sys, time
from bayes_compliance.case import CaseError, load_case
resource.setrlimit(resource.RLIMIT_AS, (300 * 2**20, 300 * 2**20))
start = time.process_time()
try:
    load_case(sys.argv[1])
except CaseError as error:
    print(error)
    sys.exit(2 if time.process_time() - start < 2 else 4)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="memory is limited through the resource module")
@pytest.mark.parametrize("name", EVERY)
def test_50_mb_are_refused_unread(name: str, folder: Path) -> None:
    with (folder / name).open("ab") as file:
        file.truncate(50_000_000)
    done = subprocess.run([sys.executable, "-c", LOAD, str(folder)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(rf"{name}:1: file: the file has 50\.0 MB; allowed: .* at most 10 MB\n", done.stdout)
