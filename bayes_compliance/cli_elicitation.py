"""Commands on judgements: `check` and `new`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from typing import Any


def add(commands: Any, command: Callable[..., argparse.ArgumentParser], day: Callable[[str], date]) -> None:
    """Add the commands to the parser."""
    check = command(commands, "check", _check, "a case's problems, or what its judgements alone imply; in seconds")
    check.add_argument("case", metavar="CASE", help="a case folder")
    check.add_argument("--model", default="coalition", help="a shipped model, or the path of a .py file")
    pool_option(check)
    check.add_argument("--seed", type=int, default=1)
    check.add_argument("--as-of", type=day, metavar="DATE", help="use only what was known on this date")
    check.add_argument("--without", metavar="ANALYST", help="leave an analyst's judgements out")
    check.add_argument("--json", action="store_true", help="print JSON")

    new = command(commands, "new", _new, "write a case to fill in, with the questions that an analyst is asked")
    new.add_argument("folder", metavar="FOLDER", help="new or empty")


def pool_option(command: argparse.ArgumentParser) -> None:
    """The option that chooses how several analysts are pooled."""
    command.add_argument(
        "--pool", default="linear", help="several analysts of one quantity: linear, log or cooke (by seeds.csv)"
    )


def _check(options: argparse.Namespace) -> int:
    import json

    from bayes_compliance.check import check

    chosen = {name: getattr(options, name) for name in ("model", "pool", "seed", "as_of", "without")}
    found = check(options.case, **chosen)
    print(json.dumps(found.as_dict(), indent=2) if options.json else found)
    return 0


def _new(options: argparse.Namespace) -> int:
    from bayes_compliance.newcase import new

    for path in new(options.folder):
        print(path)
    return 0
