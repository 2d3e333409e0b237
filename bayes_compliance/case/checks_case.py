"""Rules across the tables of case.toml."""

from __future__ import annotations

from bayes_compliance.case.case import answers
from bayes_compliance.case.names import Names
from bayes_compliance.case.problems import one_of, suggest
from bayes_compliance.case.schema import Lobby, Rule, State
from bayes_compliance.case.tables import Path, Tables


def check_case(names: Names) -> None:
    """Ids that are unique and declared; who owes, answers and cares about what."""
    for name in ("states", "rules", "lobbies", "counterparty_sets"):
        unique(names.tables, name)
    for path, state in names.each("states"):
        _state(names, path, state)
    for path, rule in names.each("rules"):
        _rule(names, path, rule)
    for path, lobby in names.each("lobbies"):
        _lobby(names, path, lobby)
    for name in ("shocks", "counterparty_sets"):
        for path, part in names.each(name):
            for id in part.states:
                names.known("states", id, names.at(*path, "states"))
    _coverage(names)
    _head(names)


def unique(tables: Tables, name: str) -> None:
    """Refuse a second entry of one id in an array of tables."""
    seen: dict[str, int] = {}
    entries = tables.data.get(name, ())
    for i, entry in enumerate(entries if isinstance(entries, tuple) else ()):
        id = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(id, str):
            continue
        if id in seen:
            tables.add((name, i, "id"), f"{id!r} is also the id of entry {seen[id]} of {name}", "each id once")
        seen.setdefault(id, i + 1)


def _state(names: Names, path: Path, state: State) -> None:
    for other in state.counterparties or ():
        refuse = names.at(*path, "counterparties")
        if other == state.id:
            refuse(f"state {other!r} is named as its own counterparty", one_of(_others(names, state.id)))
        else:
            names.known("states", other, refuse)


def _others(names: Names, state: str) -> list[str]:
    return [id for id in names.all["states"] if id != state]


def _rule(names: Names, path: Path, rule: Rule) -> None:
    if not rule.states:
        names.at(*path, "states")(f"nobody owes rule {rule.id!r}", f"states that owe it: {one_of(names.all['states'])}")
    for id in rule.states:
        names.known("states", id, names.at(*path, "states"))
    refuse = names.at(*path, "answered_by")
    others = _counterparties(names, rule)
    for id in rule.answered_by or ():
        if not names.known("rules", id, refuse) or any(state not in names.states for state in rule.states):
            continue
        if not set(names.rules[id].states) & set(others):
            if not others:
                refuse(f"no state that owes {rule.id!r} has counterparties", "no answered_by, or counterparties of one")
                continue
            answering = sorted({owed for other in others for owed in names.owed.get(other, ())})
            what = f"rule {id!r} is owed by no counterparty of the states that owe {rule.id!r} ({one_of(others)})"
            refuse(what, one_of(answering))


def _counterparties(names: Names, rule: Rule) -> list[str]:
    found = {other for id in rule.states if id in names.states for other in names.states[id].counterparties or ()}
    return sorted(found)


def _lobby(names: Names, path: Path, lobby: Lobby) -> None:
    if not names.known("states", lobby.state, names.at(*path, "state")):
        return
    for id in lobby.rules or ():
        if names.known("rules", id, names.at(*path, "rules")):
            names.owes(lobby.state, id, names.at(*path, "rules"))
    modelled = names.states[lobby.state].counterparties
    for id in lobby.counterparties or ():
        refuse = names.at(*path, "counterparties")
        if names.known("states", id, refuse) and (id == lobby.state or (modelled and id not in modelled)):
            refuse(
                f"{id!r} is no counterparty of state {lobby.state!r}",
                suggest(id, modelled or _others(names, lobby.state)),
            )
    if lobby.role == "L" and modelled and (others := set(lobby.counterparties or modelled).intersection(modelled)):
        _answered(names, path, lobby, sorted(others))


def _answered(names: Names, path: Path, lobby: Lobby, others: list[str]) -> None:
    """Each rule of an L lobby with modelled conduct needs one that answers it: else q would be nothing at all."""
    for id in names.owed.get(lobby.state, ()) if names.sound["rules"] else ():
        if lobby.rules is not None and id not in lobby.rules:
            continue
        if not any(answers(names.rules[id], names.owed.get(other, ())) for other in others):
            what = f"lobby {lobby.id!r} waits for an answer to rule {id!r}, and {one_of(others)} owes none"
            names.at(*path)(what, "a rule that a counterparty owes, in the rule's answered_by if it has one")


def _coverage(names: Names) -> None:
    lobbies = list(names.lobbies.values())
    for path, state in names.each("states"):
        if names.sound["rules"] and not names.owed[state.id]:
            names.at(*path)(f"state {state.id!r} owes no rule", "a state that at least one rule names in `states`")
        if not names.sound["lobbies"]:
            continue
        own = [lobby for lobby in lobbies if lobby.state == state.id]
        if not own:
            names.at(*path)(f"state {state.id!r} has no lobby", f'a [[lobbies]] entry with state = "{state.id}"')
        for rule in names.owed[state.id] if own else ():
            if not any(lobby.rules is None or rule in lobby.rules for lobby in own):
                names.at(*path)(f"no lobby of state {state.id!r} cares about rule {rule!r}", "at least one")
    if names.sound["lobbies"] and lobbies and not any(lobby.role == "K" for lobby in lobbies):
        names.at("lobbies")("there is no lobby of role K: nobody loses from compliance", "at least one with role K")


def _head(names: Names) -> None:
    head = names.tables.head
    if head is None:
        return
    if head.reference_date and head.reference_date > head.horizon.until:
        what = f"{head.reference_date} is after the horizon {head.horizon.until}"
        names.at("reference_date")(what, f"{head.horizon.until} or earlier, or a later horizon")
    for stage in {p for p in head.status_quo_includes if head.status_quo_includes.count(p) > 1}:
        names.at("status_quo_includes")(f"{stage!r} stands twice", "P, G, each at most once")
