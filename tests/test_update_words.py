"""What `update` says where nothing has changed, and of the page that stays as it is."""

from __future__ import annotations

from bayes_compliance import cli
from bayes_compliance.cli.fitting import _updated
from bayes_compliance.updating import Updated

KEY = ("H", "r")


def made(after: float, changed: tuple[str, ...] = ()) -> Updated:
    return Updated("reweighted", 0.1, "2010-01-01", {KEY: 0.5}, {KEY: after}, {KEY: 0.0}, changed, ())


def test_where_nothing_has_changed_that_is_said_instead_of_zeros() -> None:
    assert _updated(made(0.5)) == (
        "no decision, judgement or proxy has changed, and so nothing changes: reweighted, 1 probability of compliance "
        "on 2010-01-01 stays as in the RUN"
    )
    # negative controls: what moves, or a row that has changed and moves nothing, has its table
    assert _updated(made(0.51)) == str(made(0.51))
    assert _updated(made(0.5, ("+ decisions.csv: a row",))) == str(made(0.5, ("+ decisions.csv: a row",)))


def test_how_the_page_is_renewed_is_said_where_something_has_changed(monkeypatch, capsys) -> None:
    from bayes_compliance import api, reopening

    monkeypatch.setattr(api, "update", lambda *_, **__: made(0.6, ("+ decisions.csv: a row",)))
    settings = {"model": "coalition", "engine": "nuts", "seed": 1, "draws": 1000, "until": None, "as_of": None}
    monkeypatch.setattr(reopening, "summary_of", lambda run: {"settings": settings})
    assert cli.main(["update", "case", "a RUN"]) == cli.DONE
    assert "bayes-compliance run case --out 'a RUN' renews both" in capsys.readouterr().err
    settings |= {"model": "unitary", "seed": 7, "as_of": "2003-12-31"}  # what it was asked for is asked for again
    cli.main(["update", "case", "RUN"])
    command = "bayes-compliance run case --out RUN --model unitary --seed 7 --as-of 2003-12-31 renews both"
    assert command in capsys.readouterr().err
    monkeypatch.setattr(api, "update", lambda *_, **__: made(0.5))
    cli.main(["update", "case", "RUN"])
    assert "renews" not in capsys.readouterr().err
