"""Commands on judgements: `check` and `new`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayes_compliance.cli import options as shared
from bayes_compliance.cli.options import DONE

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    check = shared.command(
        commands, "check", _check, "a case's problems, or what its judgements alone imply; in seconds", light=True
    )
    check.add_argument("case", metavar="CASE", help="a case folder")
    shared.model(check)
    shared.pool(check)
    shared.seed(check)
    shared.as_of(check)
    check.add_argument("--without", metavar="ANALYST", help="leave an analyst's judgements out")
    check.add_argument("--json", action="store_true", help="print JSON")

    about = "write a case to fill in, with the questions that an analyst is asked"
    new = shared.command(commands, "new", _new, about, light=True)
    new.add_argument("folder", metavar="FOLDER", help="new or empty")


def _check(options: argparse.Namespace) -> int:
    import json

    from bayes_compliance.check import check

    found = check(options.case, **shared.taken(options, "model", "pool", "seed", "as_of", "without"))
    print(json.dumps(found.as_dict(), indent=2) if options.json else found)
    return DONE


def _new(options: argparse.Namespace) -> int:
    from bayes_compliance.newcase import new

    for path in new(options.folder):
        print(path)
    return DONE
