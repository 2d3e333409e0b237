"""The page as HTML: self-contained, escaped, whole, and the same whenever it is written."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from bayes_compliance import report
from bayes_compliance.errors import Unwritten
from bayes_compliance.inference.diagnostics import Check
from bayes_compliance.report import render, sentences
from bayes_compliance.report.parts import Number, Section, Status, table
from bayes_compliance.report.sections.diagnostics import diagnostics
from bayes_compliance.runs import Run

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Elements with their attributes, the text in reading order, and whether tags nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data
        elif data.strip() and self.open[-1] not in ("title", "style"):
            self.words.append(data.strip())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def html(oranges: Run) -> str:
    return render(oranges)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def external(page: Page, html: str) -> list[str]:
    """What a browser would fetch to show the page."""
    found = [tag for tag, _ in page.elements if tag in {"script", "link", "img", "iframe", "object", "embed", "base"}]
    for tag, attributes in page.elements:
        for name in ("src", "srcset", "data", "poster", "href", "xlink:href", "action"):
            value = attributes.get(name, "")
            if value and not value.startswith("#") and tag != "a":
                found.append(f"{tag} {name}={value}")
    return found + re.findall(r"@import|url\((?!#)[^)]*\)|<!DOCTYPE svg|<\?xml", html)


def test_nothing_is_fetched(page: Page, html: str) -> None:
    assert external(page, html) == []
    assert not page.open


@pytest.mark.parametrize(
    "planted",
    ['<img src="https://a.invalid/x.png">', "<script>1</script>", "<style>a{background:url(x.png)}</style>",
     '<svg><image href="x.png"/></svg>'],
)  # fmt: skip
def test_what_would_be_fetched_is_found(html: str, planted: str) -> None:
    changed = html.replace("</main>", planted + "</main>")
    assert external(Page(changed), changed) != []


def test_links_lead_to_sources_or_inside(page: Page) -> None:
    targets = [attributes["href"] for attributes in page.all("a")]
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    inside = [target[1:] for target in targets if target.startswith("#")]
    assert inside.pop(0) == "main"  # past the contents
    assert len(inside) == len(page.all("section")) > 15
    assert [i for i in inside if ids[i] != 1] == []
    assert [i for i, count in ids.items() if count > 1] == []
    assert {t for t in targets if not t.startswith("#")} == {f"https://gazette.invalid/{i}" for i in (1, 2)}


def test_marks_inside_drawings_are_found(page: Page, html: str) -> None:
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    used = set(re.findall(r"(?:url\(#|xlink:href=\"#)([^)\"]+)", html))
    assert used
    assert used <= ids


def test_text_of_the_case_is_escaped(page: Page, html: str, tools: SimpleNamespace) -> None:
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert not page.all("script")
    assert not page.all("b")
    assert any(tools.script in cell for row in page.rows for cell in row)
    assert "many <b>buyers</b>" in {cell for row in page.rows for cell in row}
    assert "Oranges & <lemons>: will they comply?" in page.words


def test_drawings_have_texts(page: Page, oranges: Run) -> None:
    drawings = page.all("svg")
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    # pulls, p, support, record and magnitudes of two states; variance, information, lock-in, the answer and the pool
    assert len(drawings) == 15
    for attributes in drawings:
        assert attributes["role"] == "img"
        assert set(attributes["aria-labelledby"].split()) <= ids
    said = " ".join(page.words)
    row = next(
        r for r in oranges.forecast.table if (r["state"], r["rule"], r["date"]) == ("F", "oranges", "2012-01-01")
    )
    assert f"{sentences.percent(row['p_comply'])} on 2012-01-01" in said


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of diagnostics alone, where the rest does not matter."""
    monkeypatch.setattr(report, "SECTIONS", (diagnostics,))


@pytest.mark.usefixtures("short")
def test_first_line_says_that_all_passed(oranges: Run) -> None:
    passed = [check._replace(passed=True) for check in oranges.checks]
    first = Page(render(replace(oranges, checks=passed))).words[0]
    assert first == f"All {len(passed)} diagnostics passed."


@pytest.mark.usefixtures("short")
def test_failures_stand_first(oranges: Run) -> None:
    checks = [
        Check("bulk ESS", 900.0, "> 400", "", True),
        Check("R-hat", float("nan"), "< 1.01", "magnitude[<b>]", False),
        Check("divergences", 3.0, "none", "", False),
    ]
    html = render(replace(oranges, checks=checks))
    page = Page(html)
    assert page.words[0] == (
        "2 diagnostics of 3 failed, so do not rely on this page: R-hat nan (magnitude[<b>]), mark < 1.01; "
        "divergences 3, mark none. What to do: fit it again with more draws (--draws, twice as many) and more tuning "
        "(--tune, twice as many)."
    )
    body = [(tag, attributes) for tag, attributes in page.elements if tag in ("body", "p", "h1", "nav")]
    assert body[1] == ("p", {"class": "verdict failed", "role": "alert"})
    table = [row for row in page.rows if row[0] in ("passed", "FAILED")]
    assert [row[:2] for row in table] == [["FAILED", "R-hat"], ["FAILED", "divergences"], ["passed", "bulk ESS"]]


@pytest.mark.usefixtures("short")
def test_the_page_says_that_chains_were_run_again(oranges: Run) -> None:
    said = (
        "Chains at a target acceptance of 0.9 had draws that diverged; what is reported are chains with shorter steps"
    )
    tree = oranges.tree.copy()
    tree.attrs |= {"target_accept": 0.98, "diverged_at": 0.9}
    assert f"{said}, at 0.98." in Page(render(replace(oranges, tree=tree))).words
    # negative control: as the fit was
    assert said not in " ".join(Page(render(oranges)).words)


@pytest.mark.usefixtures("short")
def test_a_standard_error_is_of_one_run_and_not_what_two_differ_by(oranges: Run) -> None:
    said = " ".join(Page(render(oranges)).words)
    assert "the largest standard error of a probability in this one run" in said
    assert "standard deviation √2 times (1.4 times) as large" in said
    assert "would move the probabilities by" not in said


def test_answers_are_those_of_the_table(page: Page, oranges: Run) -> None:
    rows = [row for row in oranges.forecast.table if row["state"] == "F"]
    text = next(words for words in page.words if words.startswith("F is "))
    assert f"the probability is {sentences.percent(rows[-1]['p_comply'])}" in text
    assert f"(outright violation: {sentences.percent(rows[-1]['p_violate'])})" in text
    bands = next(words for words in page.words[page.words.index(text) :] if words.startswith("If we could see"))
    assert sentences.span(rows[-1]["p_lower"], rows[-1]["p_upper"]) in bands
    assert sentences.span(rows[-1]["p_today_lower"], rows[-1]["p_today_upper"]) in bands


def test_every_row_of_the_case_is_there(page: Page, oranges: Run) -> None:
    case = oranges.prepared.case
    dated = [row for row in page.rows if len(row) == 9 and re.fullmatch(r"\d{4}-\d\d-\d\d", row[0])]
    for decision in case.decisions:
        source = decision.source + (f" {decision.url}" if decision.url.startswith("javascript") else "")
        expected = [str(decision.date), decision.state, decision.kind.replace("_", " "), decision.confidence, source]
        assert expected in [[row[i] for i in (0, 1, 3, 6, 8)] for row in dated]
    cells = Counter(row[-2] for row in page.rows if len(row) == 9)
    for judgement in case.judgements:
        assert cells[judgement.rationale] >= 1
    flat = {cell for row in page.rows for cell in row}
    assert {default.quantity.replace("_", " ") for default in oranges.prepared.priors.defaults} <= flat
    assert set(case.inputs.values()) <= flat


def test_bent_judgements_stand_beside_what_was_used(page: Page, oranges: Run) -> None:
    (bent,) = oranges.prepared.priors.bent()
    row = next(row for row in page.rows if len(row) == 10 and row[0] == "right")
    assert row[3:6] == ["30", "90", "100"]
    assert row[6:9] == [sentences.number(q) for q in bent.achieved]


def test_tables_are_whole(html: str) -> None:
    tables = re.findall(r"<table.*?</table>", html, flags=re.S)
    assert len(tables) > 15
    for whole in tables:
        found = Page(whole)
        assert len({len(row) for row in found.rows}) == 1


def unread(html: str) -> list[str]:
    """What of a page cannot be reached or read aloud: headers without words or scope, scrollers, headings alike."""
    page, found = Page(html), []
    for tag, attributes in page.elements:
        kind = set(attributes.get("class", "").split())
        if tag == "th" and attributes.get("scope") not in ("row", "col"):
            found.append("a header without its scope")
        told = (attributes.get("tabindex"), attributes.get("role"), bool(attributes.get("aria-label")))
        if kind & {"wide", "scroll"} and told != ("0", "group", True):
            found.append(f"a scroller that cannot be reached: {told}")
    for head in re.findall(r"<thead>(.*?)</thead>", html, re.S):
        found += ["a column without words"] * sum(not title for title in re.findall(r"<th[^>]*>(.*?)</th>", head))
    for body in re.findall(r"<tbody>(.*?)</tbody>", html, re.S):
        found += ["a row without a name"] * sum('scope="row"' not in row for row in body.split("<tr>")[1:])
    headings = Counter(re.sub(r"<[^>]+>", "", text) for text in re.findall(r"<h[1-3]>(.*?)</h[1-3]>", html))
    return found + [f"{n} headings “{text}”" for text, n in headings.items() if n > 1]


def test_what_scrolls_can_be_reached_and_what_names_is_read_aloud(html: str) -> None:
    assert unread(html) == []
    assert html.count('class="wide"') == 15
    assert html.index('href="#main"') < html.index("<nav")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [(' scope="row"', "", "a header without its scope"), (' tabindex="0"', "", "a scroller that cannot"),
     ('class="n">k<', 'class="n"><', "a column without words"), (": the record<", "<", "headings “F")],
)  # fmt: skip
def test_what_cannot_be_read_aloud_is_found(html: str, old: str, new: str, said: str) -> None:
    assert old in html
    changed = html.replace(old, new).replace(": forecast by rule<", "<")
    assert any(said in one for one in unread(changed))


def test_a_row_is_named_by_the_columns_that_say_of_what_it_is() -> None:
    def made(columns: list[str], row: list[str]) -> tuple[str, list[str], list[str]]:
        whole = str(table("c", columns, [row]))
        head, body = whole.split("<tbody>")
        return (*re.findall(r"--first: (\d+)\"", head), *[""])[0], re.findall(r"stay\d|\bn\b", head), re.findall(
            r"<(t[hd])[ >]", body
        )  # fmt: skip

    assert made(["State", "Rule", Number("p")], ["H", "r", "1"]) == ("5", ["stay1", "stay2", "n"], ["th", "th", "td"])
    assert made(["State", "Rule", "How"], ["a state of long name", "r", "x"]) == (
        "", ["stay1", "stay2"], ["th", "th", "td"]
    )  # fmt: skip
    assert made([Status("Result"), "Mark"], ["passed", "m"]) == ("", ["stay1"], ["td", "th"])
    assert made(["Setting", "State"], ["a", "H"]) == ("", ["stay1"], ["th", "td"])
    with pytest.raises(ValueError, match="a column has no title; allowed"):
        table("c", ["State", ""], [])


def test_the_page_is_light_on_purpose_and_paper_wastes_little(html: str) -> None:
    assert '<meta name="color-scheme" content="light">' in html
    assert "color-scheme: light" in html
    printed = html.split("@media print")[1].split("</style>")[0]
    assert ".wide, tr { break-inside: avoid; }" in printed  # a drawing and not its caption, a row and not its list
    assert ".stay1, .stay2, tbody tr th, caption span { position: static !important;" in printed


@pytest.mark.parametrize("cores", [1, 2])
def test_same_run_same_page(html: str, oranges: Run, monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert render(oranges) == html


def test_small_enough(html: str) -> None:
    assert len(html.encode()) < 500_000


def test_a_section_that_fails_fails_the_page(oranges: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(run: Run) -> Section:
        raise ZeroDivisionError("no such number")

    monkeypatch.setattr(report, "SECTIONS", (diagnostics, broken))
    with pytest.raises(Unwritten, match="ZeroDivisionError: no such number") as told:
        render(oranges)
    assert list(told.value.why) == ["broken"]
    assert "broken (ZeroDivisionError: no such number)" in told.value.page
    assert 'id="diagnostics"' in told.value.page


def test_without_a_forecast_there_is_nothing_to_report(oranges: Run) -> None:
    with pytest.raises(ValueError, match=r"has no forecast.*allowed: a run with its forecast"):
        render(replace(oranges, forecast=None))


def test_a_case_without_decisions(tmp_path: object, tools: SimpleNamespace) -> None:
    header = tools.decisions.splitlines()[0] + "\n"
    case = tools.case.replace("depth = true", "")
    run = tools.make_run(tools.write_case(tmp_path, case=case, decisions=header), draws=20)
    words = " ".join(Page(render(run)).words)
    assert "No compliance decision is on record" in words
    assert "No decision is on record" in words
