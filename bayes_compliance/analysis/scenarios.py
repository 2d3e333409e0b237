"""What if: the same posterior and the same worlds, with a few things changed from a date on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_compliance.alterations import Added, Alteration
from bayes_compliance.analysis.ahead import Ahead, Scene
from bayes_compliance.arguments import check_list
from bayes_compliance.asking import related
from bayes_compliance.case import Lobby
from bayes_compliance.errors import Refused
from bayes_compliance.forecast import BAND, MAX_DRAWS
from bayes_compliance.models import short
from bayes_compliance.parallel import in_threads

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Change, Scenario
    from bayes_compliance.models import Prepared


UNMOVED = "no probability up to the horizon moves"
UNMOVED_IN_THE_END = "no probability at the horizon moves (earlier dates were not asked)"


def scenarios(
    prepared: Prepared,
    tree: xr.DataTree,
    *,
    ids: Iterable[str] | None = None,
    seed: int = 1,
    until: date | None = None,
    step_years: float | None = None,
    draws: int = MAX_DRAWS,
    paths: int | None = None,
    refuse: bool = True,
) -> xr.Dataset:
    r"""What each scenario of the case does to the probability of compliance.

    Base and scenario meet the same draws, paths, random shocks and chances of each decision (common random numbers),
    so their difference is the scenario's doing. With the forecast's seed and draws the base is the forecast.

    Parameters
    ----------
    prepared : Prepared
    tree : DataTree
        A fit; it is not fitted again.
    ids : iterable of str or None
        Scenarios by id; default all, in the case's order.
    seed : int
    until, step_years
        As in `Ahead`.
    draws, paths : int
        At most so many posterior draws, evenly spaced, and future paths for each (None: the forecast's).
    refuse : bool
        Whether to refuse a scenario that changes nothing; else it is shown with the reason.

    Returns
    -------
    Dataset
        `p_base` (state, rule, time) and, by scenario too, `p_scenario`, their `difference` and its 5% to 95% band over
        draws and future paths, `difference_lower` and `difference_upper`; all between -1 and 1. NaN where the state
        does not owe the rule. Coordinates along scenario: `title`, `since`, and `idle`, why it changes nothing, or
        blank.

    Raises
    ------
    Refused
        If the case has no such scenario, one changes nothing, or an argument cannot be.
    """
    ahead = Ahead(prepared, tree, seed=seed, until=until, step_years=step_years, draws=draws, paths=paths)
    chosen = choose(prepared.case, ids)
    idle = [idle_because(scenario, ahead) for scenario in chosen]
    _refuse_some(chosen, idle if refuse else [])
    base = p_of_worlds(ahead)
    asked = [None if why else scenario for scenario, why in zip(chosen, idle, strict=True)]
    each = in_threads(lambda scenario: _compare(ahead, base, scenario), asked)
    names = ("p_scenario", "difference", "difference_lower", "difference_upper")
    data = {
        name: (("scenario", "time"), np.stack(arrays, axis=1))
        for name, arrays in zip(names, zip(*each, strict=True), strict=True)
    }
    unmoved = UNMOVED if len(ahead.grid.times) > 1 else UNMOVED_IN_THE_END
    idle = [why or ("" if found[1].any() else unmoved) for why, found in zip(idle, each, strict=True)]
    _refuse_some(chosen, idle if refuse else [])
    coords = {
        "scenario": [s.id for s in chosen],
        "title": ("scenario", [s.title for s in chosen]),
        "since": ("scenario", np.array([s.from_ for s in chosen], "datetime64[ns]")),
        "idle": ("scenario", idle),
    }
    return ahead.grid.dataset({"p_base": (("time",), base.mean(axis=(2, 3))), **data}, **coords)


def _compare(ahead: Ahead, base: NDArray, scenario: Scenario | None) -> tuple[NDArray, ...]:
    """Mean p, and the difference from the base with its band."""
    if scenario is None:
        still = np.zeros(base.shape[:2])
        return base.mean(axis=(2, 3)), still, still, still
    with_it = p_of_worlds(ahead, alteration_of(scenario))
    p = with_it.mean(axis=(2, 3))
    with_it -= base
    lower, upper = np.quantile(with_it, BAND, axis=(2, 3))
    return p, with_it.mean(axis=(2, 3)), lower, upper


def _refuse_some(chosen: list[Scenario], idle: list[str]) -> None:
    lines = [
        f"scenarios.toml: scenario {scenario.id!r} changes nothing: {why}; allowed: a change that makes a difference"
        for scenario, why in zip(chosen, idle, strict=False)
        if why
    ]
    if lines:
        raise Refused("\n".join(lines))


def p_of_worlds(ahead: Ahead, alteration: Alteration | None = None) -> NDArray:
    """Probability of compliance in each world, (pair, time, draw, path), as it is or under an alteration."""
    asked = _Asked(ahead)
    ahead.put([asked], alteration)
    return asked.p


class _Asked:
    def __init__(self, ahead: Ahead) -> None:
        self.grid, self.p = ahead.grid, np.zeros(ahead.shape)

    def see(self, scene: Scene) -> None:
        if (j := self.grid.time(scene)) is not None:
            self.p[self.grid.pair(scene.rows), j, scene.at] = np.moveaxis(scene.moment.answer.p_comply, -1, 0)


def choose(case: Case, ids: Iterable[str] | None) -> list[Scenario]:
    """Scenarios of a case by id, default all; Refused where there is none."""
    known = {scenario.id: scenario for scenario in case.scenarios}
    if not known:
        raise Refused("scenarios.toml: the case has no scenario; allowed: at least one [[scenarios]]")
    if ids is not None:
        check_list("--id", ids, "ids of scenarios")
    wanted = list(known if ids is None else ids)
    if not wanted:
        raise Refused(f"--id: no scenario is named; allowed: {', '.join(known)}")
    unknown = [id for id in wanted if id not in known]
    if unknown:
        raise Refused(f"--id: {unknown[0]!r} is not a scenario; allowed: {', '.join(known)}")
    return [known[id] for id in wanted]


def alteration_of(scenario: Scenario) -> Alteration:
    """What a scenario changes, for the worlds ahead. Changes of one thing multiply, or the last one holds."""
    factors: dict[str, dict[str, float]] = {
        "lobby": defaultdict(lambda: 1.0),
        "pace": defaultdict(lambda: 1.0),
        "shock": defaultdict(float),
    }
    given: dict[str, dict[str, float]] = {"q": {}, "w": {}}
    added = []
    for change in scenario.changes:
        if change.add is not None:
            lobby = Lobby(id=change.add.id, state=change.add.state, role=change.add.role, rules=change.add.rules)
            added.append(Added(lobby, change.add.magnitude))
        elif change.lobby is not None:
            factors["lobby"][change.lobby] *= 0.0 if change.remove else _value(change.scale)
        elif change.volatility_scale is not None:
            factors["pace"][_state(change)] *= change.volatility_scale
        elif change.shock is not None:
            before = factors["shock"][_state(change)]
            factors["shock"][_state(change)] = float(np.hypot(before, change.shock))
        else:
            name = "q" if change.q is not None else "w"
            given[name][_state(change)] = _value(getattr(change, name))
    return Alteration(
        scenario.from_, factors["lobby"], tuple(added), given["q"], given["w"], factors["pace"], factors["shock"]
    )


def _value(number: float | None) -> float:
    assert number is not None
    return number


def _state(change: Change) -> str:
    assert change.state is not None
    return change.state


def idle_because(scenario: Scenario, ahead: Ahead) -> str:
    """Why a scenario can change nothing, as far as can be told without simulation; blank where it may."""
    until = ahead.days[-1].date
    if scenario.from_ > until:
        return f"it begins on {scenario.from_}, after the horizon {until}"
    added = {change.add.id for change in scenario.changes if change.add is not None}
    known = {lobby.id for lobby in ahead.prepared.case.lobbies} | added
    for change in scenario.changes:
        if change.lobby is not None and change.lobby not in known:
            return f"the model {short(ahead.prepared.model)} has no lobby {change.lobby!r}"
    reasons = [_idle(change, scenario, ahead, added) for change in scenario.changes]
    return ", ".join(reasons) if all(reasons) else ""


def _idle(change: Change, scenario: Scenario, ahead: Ahead, added: set[str]) -> str:
    """Why a change does nothing; blank where it may do something."""
    if change.add is not None:
        return f"{change.add.id!r} is added with a magnitude of 0" if change.add.magnitude == 0 else ""
    if change.lobby is not None:
        return _idle_lobby(change, scenario, ahead, added)
    return _idle_state(change, ahead)


def _idle_lobby(change: Change, scenario: Scenario, ahead: Ahead, added: set[str]) -> str:
    if change.scale == 1:
        return f"{change.lobby!r} is scaled by 1"
    if change.lobby in added:
        return ""
    lobby = ahead.prepared.case.lobby(change.lobby or "")
    if lobby.until is not None and lobby.until <= scenario.from_:
        return f"{change.lobby!r} has ended on {lobby.until} already"
    late = lobby.from_ is not None and lobby.from_ > ahead.days[-1].date
    return f"{change.lobby!r} begins on {lobby.from_}, after the horizon" if late else ""


def _idle_state(change: Change, ahead: Ahead) -> str:
    state = _state(change)
    s = ahead.layout.state_index[state]
    if change.volatility_scale is not None or change.shock is not None:
        still = not ahead.draws["volatility"][:, ahead.layout.lobby_state == s].any()
        if change.volatility_scale == 1:
            return f"the volatility of {state!r} is scaled by 1"
        return f"the lobbies of {state!r} do not move" if still else ""
    if not any(lobby.state == state and lobby.role == "L" for lobby in ahead.prepared.case.lobbies):
        return f"{state!r} has no L lobby, which alone q and w move"
    if change.w is not None and (related(ahead.layout, ahead.draws)["shadow"][:, s] == change.w).all():
        return f"w of {state!r} is {change.w:g} already"
    if change.q is not None and ahead.layout.judged_conduct[s]:
        return f"q of {state!r} is {change.q:g} already" if (ahead.draws["reciprocity"][:, s] == change.q).all() else ""
    return ""
