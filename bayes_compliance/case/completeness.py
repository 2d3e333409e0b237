"""What must be judged before a case says anything: a magnitude of each lobby, and what others rest on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bayes_compliance.case.schema import Lobby, State
from bayes_compliance.case.vocabulary import WITH_DISCOUNT

Key = tuple[str, str, str]
"""What a judgement is about: quantity, lobby or blank, and state or blank (blank where there is a lobby)."""


class Gap(NamedTuple):
    """Something that is not judged: what, what would do, and the judgements that would fill it."""

    what: str
    allowed: str
    filled_by: frozenset[Key]


def incomplete(states: Iterable[State], lobbies: Iterable[Lobby], judged: set[Key]) -> Iterator[Gap]:
    """What is missing from the judgements.

    Each lobby needs a magnitude; a state whose L lobby waits for conduct that is not modelled needs `reciprocity`; and
    what qualifies a discount factor needs one.
    """
    states, lobbies = list(states), list(lobbies)
    for lobby in lobbies:
        key = ("magnitude", lobby.id, "")
        if key not in judged:
            what = f"no magnitude of lobby {lobby.id!r} is judged"
            yield Gap(what, f"a row with quantity magnitude and lobby {lobby.id}", frozenset({key}))
    reciprocal = {lobby.state for lobby in lobbies if lobby.role == "L"}
    for state in states:
        if state.counterparties is None and state.id in reciprocal and not is_judged("reciprocity", state.id, judged):
            what = f"state {state.id!r} has an L lobby and no counterparties, and no reciprocity (q) is judged"
            yield Gap(what, f"a row with quantity reciprocity and state {state.id}", _either("reciprocity", state.id))
    yield from _without_discount([state.id for state in states], judged)


def _without_discount(states: list[str], judged: set[Key]) -> Iterator[Gap]:
    with_discount = [state for state in states if is_judged("discount", state, judged)]
    for quantity in WITH_DISCOUNT:
        for state in states:
            if (quantity, "", state) in judged and state not in with_discount:
                what = f"{quantity} of state {state!r} is judged without a discount"
                yield Gap(what, f"a row with quantity discount and state {state}", _either("discount", state))
        if (quantity, "", "") in judged and not with_discount:
            what = f"{quantity} of all states is judged without a discount"
            yield Gap(what, "a row with quantity discount", frozenset({("discount", "", state) for state in states}))


def is_judged(quantity: str, state: str, judged: set[Key]) -> bool:
    """Whether a quantity of a state is judged, for itself or for all states."""
    return not _either(quantity, state).isdisjoint(judged)


def _either(quantity: str, state: str) -> frozenset[Key]:
    return frozenset({(quantity, "", state), (quantity, "", "")})
