"""Rules across judgements.csv and what case.toml declares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from bayes_compliance.case.case import linear
from bayes_compliance.case.completeness import Key, incomplete
from bayes_compliance.case.dates import DATE_FORMS, latest_cited
from bayes_compliance.case.names import At, Names
from bayes_compliance.case.problems import Problems, one_of, show, suggest
from bayes_compliance.case.records import QUANTILES
from bayes_compliance.case.schema import Lobby
from bayes_compliance.case.schema_rows import Judgement
from bayes_compliance.case.stated import misplaced
from bayes_compliance.case.vocabulary import ANY_RULE, FAMILIES, IMPLIED, JUDGEABLE, POSITIVE, STATEMENTS, Support


def check_judgements(names: Names, judgements: list[Judgement], mentioned: set[Key] | None, problems: Problems) -> None:
    """Each judgement fits what it is about; none is doubled, none contradicts a constant, none is missing.

    `mentioned` holds what refused rows are about as well; None where the file could not be read.
    """
    for judgement in judgements:
        _judgement(names, judgement, At(problems, "judgements.csv", judgement.row))
    _doubles(judgements, problems)
    _references(names, judgements, mentioned, problems)
    _constants(judgements, problems)
    _exclusive(names, judgements, problems)
    if mentioned is not None:
        for gap in incomplete(names.states.values(), names.lobbies.values(), mentioned):
            problems.add("judgements.csv", 1, "quantity", gap.what, gap.allowed)


def _judgement(names: Names, judgement: Judgement, at: At) -> None:
    lobby = None
    support = JUDGEABLE[judgement.quantity].support
    _only_where_they_speak(judgement, at)
    if JUDGEABLE[judgement.quantity].roles:
        lobby = _lobby_of(names, judgement, at)
        if lobby is None or names.tables.head is None:
            return
        if judgement.quantity == "magnitude" and not linear(lobby, names.tables.head.scale):
            support = POSITIVE
        if judgement.quantity == "ratio":
            _ratio(names, judgement, lobby, at)
    elif judgement.quantity in IMPLIED:
        _decision_of(names, judgement, at)
    else:
        _state_of(names, judgement, at)
    _in_support(judgement, support, lobby, at)
    cited = latest_cited(judgement.source)
    if cited and cited[1] > judgement.date_end:
        at("date", f"{judgement.date_end} is before {cited[0]}, which the source names", f"{cited[0]} or later")


def _only_where_they_speak(judgement: Judgement, at: At) -> None:
    """`of` belongs to a ratio, `rule` and `at` to a judged decision."""
    if judgement.of and judgement.quantity != "ratio":
        at("values", *misplaced(judgement.of, judgement.quantity))
    for column, value in (("rule", judgement.rule), ("at", judgement.at)):
        if value and judgement.quantity not in IMPLIED:
            at(column, f"{show(value)} stands beside {judgement.quantity}", f"blank, or quantity {one_of(IMPLIED)}")


def _ratio(names: Names, judgement: Judgement, lobby: Lobby, at: At) -> None:
    """Both magnitudes are on the log scale, where a ratio of medians is a ratio whatever the spread."""
    assert names.tables.head is not None
    scale = names.tables.head.scale
    on_log = [other.id for other in names.lobbies.values() if other.id != lobby.id and not linear(other, scale)]
    if linear(lobby, scale):
        what = f"a ratio of lobby {lobby.id!r}, which moves in points and may be 0"
        at("lobby", what, f"a lobby on the log scale: {one_of(on_log)}")
    elif not judgement.of:
        at("values", "a ratio, and no lobby that it is of", f"of=LOBBY: {one_of(on_log)}")
    elif judgement.of not in on_log:
        what = f"a ratio of lobby {judgement.of!r}, which is {_why_not(names, judgement.of, lobby)}"
        at("values", what, f"of={suggest(judgement.of, on_log)}")


def _why_not(names: Names, of: str, lobby: Lobby) -> str:
    return "the lobby itself" if of == lobby.id else "on no log scale" if of in names.lobbies else "unknown"


def _decision_of(names: Names, judgement: Judgement, at: At) -> None:
    """A judged decision is one that its state can take, from its adherence on."""
    if judgement.lobby:
        what = f"{judgement.quantity} is judged of a decision, not of lobby {show(judgement.lobby)}"
        at("lobby", what, "a blank cell")
    if not names.known("states", judgement.state, at.column("state")):
        return
    whole = judgement.quantity == "p_adhere" and judgement.rule in ("", ANY_RULE)
    if not whole and names.known("rules", judgement.rule, at.column("rule")):
        names.owes(judgement.state, judgement.rule, at.column("rule"))
    if judgement.quantity == "p_comply" and judgement.at is None:
        at("at", "p_comply is judged of a decision on a date, and none is given", DATE_FORMS)
    start = names.adherence_of(judgement.state, judgement.rule)
    if judgement.at and start and judgement.quantity == "p_comply" and judgement.at < start:
        at("at", f"{judgement.at} is before adherence on {start}", f"{start} or later")


def _lobby_of(names: Names, judgement: Judgement, at: At) -> Lobby | None:
    quantity, roles = judgement.quantity, JUDGEABLE[judgement.quantity].roles
    if judgement.state:
        names.known("states", judgement.state, at.column("state"))
    if not judgement.lobby:
        at("lobby", f"{quantity} is judged of a lobby, and none is named", one_of(names.all["lobbies"]))
        return None
    if not names.known("lobbies", judgement.lobby, at.column("lobby")):
        return None
    lobby = names.lobbies[judgement.lobby]
    if judgement.state != lobby.state and {judgement.state, lobby.state} <= names.states.keys():
        at(
            "state",
            f"lobby {lobby.id!r} is of state {lobby.state!r}, not {judgement.state!r}",
            f"{lobby.state}, or blank",
        )
    if lobby.role not in roles:
        fitting = [other.id for other in names.lobbies.values() if other.role in roles]
        what = f"{quantity} of lobby {lobby.id!r}, which is of role {lobby.role}"
        at("lobby", what, f"a lobby of role {one_of(roles)}: {one_of(fitting)}")
        return None
    return lobby


def _state_of(names: Names, judgement: Judgement, at: At) -> None:
    quantity, head = judgement.quantity, names.tables.head
    if judgement.lobby:
        at("lobby", f"{quantity} is judged of a state, not of lobby {show(judgement.lobby)}", "a blank cell")
    if judgement.state and not names.known("states", judgement.state, at.column("state")):
        return
    if quantity == "partial_width" and head and head.outcomes == 2:
        at(
            "quantity",
            "partial_width is judged, and outcomes = 2 has no partial",
            "outcomes = 3 in case.toml, or no such row",
        )
    needs = {"reciprocity": False, "trust": True}
    about = [names.states[judgement.state]] if judgement.state else list(names.states.values())
    if quantity in needs and about and all(bool(state.counterparties) != needs[quantity] for state in about):
        modelled = "is not" if needs[quantity] else "is"
        what = f"{quantity} is judged where the counterparties' conduct {modelled} modelled"
        allowed = f"a state with{'' if needs[quantity] else 'out'} counterparties in case.toml, or no such row"
        at("quantity", what, allowed)


def _in_support(judgement: Judgement, support: Support, lobby: Lobby | None, at: At) -> None:
    constant = judgement.is_constant
    columns = ["values"] * len(judgement.points) or QUANTILES
    on = (
        f" on the log scale of lobby {lobby.id!r}"
        if lobby and support == POSITIVE and judgement.quantity == "magnitude"
        else ""
    )
    for column, (_, value) in zip(columns, judgement.stated, strict=True):
        if not support.holds(value, constant):
            at(column, f"{value:g} is no {judgement.quantity}{on}", support.words())
            return
    if judgement.family is None or constant:
        return
    family = FAMILIES[judgement.family]
    if not family.within(support):
        fitting = [name for name, other in FAMILIES.items() if other.within(support)]
        at(
            "family",
            f"a {judgement.family} {judgement.quantity}{on} could leave its range ({support.words()})",
            f"{one_of(fitting)}, or blank",
        )
    elif not all(family.holds(value, False) for _, value in judgement.stated):
        low, high = judgement.stated[0][1], judgement.stated[-1][1]
        at(columns[0], f"{low:g} to {high:g} is outside a {judgement.family}", family.words())


def _doubles(judgements: Iterable[Judgement], problems: Problems) -> None:
    seen: dict[tuple[str, Key], int] = {}
    for judgement in judgements:
        first = seen.setdefault((judgement.analyst, judgement.key), judgement.row)
        if first != judgement.row:
            about = judgement.lobby or judgement.state or "all states"
            what = f"{judgement.analyst!r} judges {judgement.quantity} of {about} in row {first} already"
            problems.add("judgements.csv", judgement.row, "analyst", what, "one row for each analyst and quantity")


def _references(names: Names, judgements: Iterable[Judgement], mentioned: set[Key] | None, problems: Problems) -> None:
    """What a ratio is of has a magnitude of its own: a ratio of a ratio could go in circles."""
    own = {j.lobby for j in judgements if j.quantity == "magnitude"}
    for judgement in judgements if mentioned is not None else ():
        if judgement.of in names.lobbies and judgement.of != judgement.lobby and judgement.of not in own:
            what = f"a ratio of lobby {judgement.of!r}, of which no magnitude is judged in its own right"
            problems.add("judgements.csv", judgement.row, "values", what, f"of=LOBBY: {one_of(sorted(own))}")


def _constants(judgements: Iterable[Judgement], problems: Problems) -> None:
    by_key: dict[Key, list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        if judgement.quantity not in STATEMENTS:
            by_key[judgement.key].append(judgement)
    for group in by_key.values():
        stated = {(j.p05, j.p95, j.is_constant) for j in group}
        if len(stated) > 1 and any(constant for *_, constant in stated):
            what = f"{group[-1].quantity} is a known constant to one analyst and not to another"
            allowed = "the same constant from every analyst, or quantiles that differ from every analyst"
            problems.add("judgements.csv", group[-1].row, "p05", what, allowed)


def _exclusive(names: Names, judgements: Iterable[Judgement], problems: Problems) -> None:
    """`shadow` is w itself and `discount` what w follows from: one state has one of them."""
    by_state: dict[tuple[str, str], Judgement] = {}
    for judgement in sorted(judgements, key=lambda j: j.row):
        if judgement.quantity in ("shadow", "discount"):
            by_state.setdefault((judgement.quantity, judgement.state), judgement)
    told: set[int] = set()
    for state in names.all["states"]:
        pair = [by_state.get((q, state)) or by_state.get((q, "")) for q in ("shadow", "discount")]
        if pair[0] and pair[1]:
            row = max(pair[0].row, pair[1].row)
            if row not in told:
                what = f"shadow and discount are both judged for state {state!r}"
                problems.add("judgements.csv", row, "quantity", what, "one of shadow and discount")
            told.add(row)
