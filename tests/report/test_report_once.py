"""What a page works out once, and early: the same page whatever the threads, and no error lost."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from bayes_compliance import report
from bayes_compliance.report import render
from bayes_compliance.report.once import Once
from bayes_compliance.runs import Run


def test_two_that_ask_at_once_get_the_same_and_it_is_worked_out_once(oranges: Run) -> None:
    asked, ready = [], Barrier(2)

    def work(run: Run) -> object:
        asked.append(run)
        return object()

    once = Once(work)

    def ask(run: Run) -> object:
        ready.wait(10)
        return once(run)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(ask, (oranges, oranges))
    assert one is other
    assert len(asked) == 1
    assert once(replace(oranges)) is not one


def test_an_error_meets_everyone_who_asks(oranges: Run) -> None:
    def work(run: Run) -> None:
        raise ValueError("no answer")

    once = Once(work)
    for _ in range(2):
        with pytest.raises(ValueError, match="no answer"):
            once(oranges)


@pytest.mark.parametrize("cores", [1, 4])
def test_the_page_does_not_depend_on_the_cores(oranges: Run, monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    here = render(replace(oranges))
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert render(replace(oranges)) == here


def test_what_begins_early_and_fails_fails_the_page(oranges: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(run: Run) -> None:
        raise ValueError("too early")

    early = Once(fails)
    monkeypatch.setattr(report, "EARLY", (early,))
    monkeypatch.setattr(report, "SECTIONS", (early,))
    with pytest.raises(ValueError, match="too early"):
        render(oranges)
