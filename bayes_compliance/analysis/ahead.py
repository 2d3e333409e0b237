"""One pass through the worlds ahead, shared by all the questions that are put to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_compliance import forecast, seeds
from bayes_compliance.arguments import check_above_0, day_of, flag, shown
from bayes_compliance.asking import answered, on_slots
from bayes_compliance.case.horizon import check_until
from bayes_compliance.case.vocabulary import ANY_RULE, LEVELS
from bayes_compliance.errors import Refused
from bayes_compliance.inference import check_seed, enough
from bayes_compliance.inference.carry import carry
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.models import Prepared
from bayes_compliance.parts import Game, Parts, stage_game
from bayes_compliance.rows import Item, Rows
from bayes_compliance.worlds import Day, Future, Moment

if TYPE_CHECKING:
    from bayes_compliance.alterations import Alteration
    from bayes_compliance.case import Case
    from bayes_compliance.latents import Draws
    from bayes_compliance.layout import Layout


JOINING = ("adherence", "compliance")
"""What is asked of the day on which a state joined: whether it would, and whether it would have complied."""


class Scene:
    """A date in a chunk of worlds, as a question sees it: `at` is the chunk's place among the draws."""

    def __init__(self, at: slice, future: Future, moment: Moment) -> None:
        self.at, self.future, self.moment = at, future, moment
        self.rows, self.x = moment.day.rows, future.x

    @cached_property
    def parts(self) -> Parts:
        """Support on the date, taken apart by lobby."""
        moment = self.moment
        split = parts_of(self.future.model)
        return split(self.future.layout, self.rows, self.x, moment.walk, moment.spread, moment.history)

    @cached_property
    def game(self) -> Game:
        """The stage game: L counts in full, what asset specificity leaves of it."""
        return stage_game(self.rows, self.parts)

    def probability(self, support: NDArray) -> NDArray:
        """Probability of compliance at any support of the rows, with the noise and the band of partial outcomes."""
        return p_comply(self.future, self.rows, support)


class Watcher(Protocol):
    """What is shown every date of every chunk of worlds."""

    def see(self, scene: Scene) -> None: ...


class Question(Watcher, Protocol):
    """A watcher with an answer at the end."""

    def result(self) -> xr.Dataset: ...


class Options(TypedDict, total=False):
    """What `Ahead` may be told."""

    seed: int
    until: date | None
    step_years: float | None
    draws: int
    paths: int | None
    joining: bool


class Ahead:
    """The worlds ahead of a posterior, the same for every question and the same as the forecast's.

    Parameters
    ----------
    prepared : Prepared
    tree : DataTree
        A fit: `prepared` and `tree` of a run.
    seed : int
        That of the run, for the very worlds of its forecast.
    until, step_years
        Default to the case's horizon. `until` is after the last decision, a step above 0 years; with one of
        `forecast.HORIZON_ONLY` questions are answered for the last date alone, in other worlds than the forecast's,
        which go by fewer dates.
    draws : int
        At most so many posterior draws, evenly spaced (one of each chain at least); by default those of the forecast.
    paths : int or None
        Future paths for each draw, an even number; by default those of the forecast. Fewer are other worlds.
    joining : bool
        Whether the worlds know what each state weighed when it joined: other worlds where the fit does not (`joined`).

    Raises
    ------
    Refused
        If any of these cannot be.
    """

    def __init__(
        self,
        prepared: Prepared,
        tree: xr.DataTree,
        *,
        seed: int = 1,
        until: date | None = None,
        step_years: float | None = None,
        draws: int = forecast.MAX_DRAWS,
        paths: int | None = None,
        joining: bool = False,
    ) -> None:
        check_fit(prepared, tree)
        self.paths, self.seed = forecast.PATHS if paths is None else _even(paths), check_seed(seed)
        thinned, self.chains = forecast.thin(*draws_of(tree), most=enough("draws", draws, 1))
        self.prepared, self.draws = (
            joined(prepared, thinned, self.seed) if flag("joining", joining) else (prepared, thinned)
        )
        self.layout = self.prepared.layout
        self.days = forecast.plan(self.layout, *_asked_for(prepared.case, until, step_years))
        self.grid = Grid(prepared, [day.date for day in self.days if day.reported[0]])

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Pairs of state and rule, dates, draws and future paths."""
        return len(self.grid.pairs), len(self.grid.times), len(self.draws["innovation"]), self.paths

    def put(
        self, questions: Iterable[Watcher], alteration: Alteration | None = None, before: Sequence[Day] = ()
    ) -> None:
        """Let every question see every date of every world, as it is or under an alteration; days `before` first."""
        days = [*before, *self.days]
        walk_through(self.prepared, days, self.draws, self.seed, questions, alteration, self.paths)

    def answer(self, question: Question) -> xr.Dataset:
        """The answer to one question."""
        self.put([question])
        return question.result()


def check_fit(prepared: Any, tree: Any) -> None:
    """Refuse what is not a model and its fit, in this order."""
    if not isinstance(prepared, Prepared):
        raise Refused(f"prepared: {shown(prepared)} is no Prepared; allowed: that of a run, `run.prepared`")
    if not isinstance(tree, xr.DataTree) or "posterior" not in tree.children:
        raise Refused(f"tree: {shown(tree)} is no fit; allowed: that of a run, `run.tree`")


def _even(paths: Any) -> int:
    number = enough("paths", paths, 2)
    if number % 2:
        raise Refused(f"--paths: {number} is odd; allowed: an even number, since paths come in antithetic pairs")
    return number


def _asked_for(case: Case, until: Any, step_years: Any) -> tuple[date, float]:
    """The last date and the step that are asked for, or the case's own, which are checked already."""
    day = day_of("until", until)
    if step_years is not None:
        check_above_0("step_years", step_years)
    if day or step_years is not None:
        check_until(case, day or case.horizon.until, step_years)
    return day or case.horizon.until, step_years or case.horizon.step_years


def joined(prepared: Prepared, draws: Draws, seed: int, items: Iterable[Item] = ()) -> tuple[Prepared, Draws]:
    """A model that knows what each state weighed when it joined, and on other rows of the past; and its draws so told.

    What no row of the record fixes is drawn once, given the rest, so that past and future are those of one world.
    """
    case, layout = prepared.case, prepared.layout
    whole = [Item(state.id, ANY_RULE, case.adherence_of(state.id, ANY_RULE), "adherence") for state in case.states]
    each = [Item(*pair, case.adherence_of(*pair), stage) for pair in layout.obligations for stage in JOINING]
    told = layout.knowing(layout.rows_for([*(item for item in whole if case.state(item.state).rules), *each, *items]))
    return prepared._replace(layout=told), carry(draws, layout, told, seeds.generator(seed, "joining"))


def known_on(layout: Layout, rows: Rows, draws: Draws) -> tuple[NDArray, NDArray]:
    """W and spreads on the slots of rows that a layout knows, (draw, row, slot) each."""
    walk = layout.walk(draws["innovation"])
    return on_slots(walk, layout.knot_slot_of(rows)), on_slots(draws["spread"], layout.pair_slot_of(rows))


def undecided(ahead: Ahead) -> Day:
    """The last decision's date, with every pair to be asked about and nothing decided on it."""
    day = ahead.prepared.case.last_decision_date()
    rows = ahead.layout.rows_for([Item(*pair, day, "compliance") for pair in ahead.grid.pairs])
    none = np.zeros(len(rows), bool)
    return Day(day, rows, none, none)


def walk_through(
    prepared: Prepared,
    days: list[Day],
    draws: Draws,
    seed: int,
    watchers: Iterable[Watcher],
    alteration: Alteration | None = None,
    paths: int | None = None,
) -> None:
    """Show the worlds ahead on any days, as they are or under an alteration."""
    watchers = list(watchers)
    for at, future in forecast.futures(prepared.model, prepared.layout, days, draws, seed, alteration, paths):
        for moment in future.run():
            scene = Scene(at, future, moment)
            for watcher in watchers:
                watcher.see(scene)


class Grid:
    """Where answers go: pairs of state and rule by reported date.

    Parameters
    ----------
    prepared : Prepared
    times : sequence of date
    """

    def __init__(self, prepared: Prepared, times: Sequence[date]) -> None:
        self.pairs, self.times = forecast.owed(prepared.case), list(times)
        self.states = [state.id for state in prepared.case.states]
        self.rules = sorted({rule for _, rule in self.pairs})
        self._pair = {pair: i for i, pair in enumerate(self.pairs)}
        self._time = {day: j for j, day in enumerate(self.times)}

    def time(self, scene: Scene) -> int | None:
        """Position of the scene's date; None where it is not reported."""
        return self._time.get(scene.moment.day.date) if scene.moment.day.reported.any() else None

    def pair(self, rows: Rows) -> NDArray:
        """Positions of the rows' pairs."""
        return np.array([self._pair[item.state, item.rule] for item in rows.items], int)

    def dataset(self, data: Mapping[str, tuple[Sequence[str], NDArray]], **coords: Any) -> xr.Dataset:
        """A Dataset on state and rule from arrays whose first axis is the pair; blank where a rule is not owed.

        Parameters
        ----------
        data : dict of (dims after the pair, array)
        **coords
            Labels of dims other than state, rule and time.
        """
        variables = {
            name: (("state", "rule", *dims), self._spread_out(values)) for name, (dims, values) in data.items()
        }
        labels = {"state": self.states, "rule": self.rules} | coords
        if any("time" in dims for dims, _ in data.values()):
            labels["time"] = np.array(self.times, "datetime64[ns]")
        return xr.Dataset(variables, coords=labels)

    def _spread_out(self, values: NDArray) -> NDArray:
        blank = np.datetime64("NaT", "ns") if values.dtype.kind == "M" else np.nan
        kind = values.dtype if values.dtype.kind == "M" else float
        full = np.full((len(self.states), len(self.rules), *values.shape[1:]), blank, kind)
        for (state, rule), value in zip(self.pairs, values, strict=True):
            full[self.states.index(state), self.rules.index(rule)] = value
        return full


class Kept:
    """Values of every world on every reported date, (pair, time, draw, path), by name; in single precision."""

    def __init__(self, ahead: Ahead, *names: str) -> None:
        self.grid = ahead.grid
        self.values = {name: np.zeros(ahead.shape, np.float32) for name in names}

    def keep(self, scene: Scene, **values: NDArray) -> None:
        """Keep what a scene came to, (draw, path, row); on dates that are not reported, nothing."""
        j, where = self.grid.time(scene), self.grid.pair(scene.rows)
        if j is None:
            return
        for name, value in values.items():
            shape = (*scene.moment.outcome.shape[:2], len(where))
            self.values[name][where, j, scene.at] = np.moveaxis(np.broadcast_to(value, shape), -1, 0)

    def __getitem__(self, name: str) -> NDArray:
        return self.values[name]

    def mean_and_band(self, *names: str) -> dict[str, tuple[tuple[str, ...], NDArray]]:
        """For each name its mean, and `_median`, `_lower` and `_upper` (5% and 95%) over draws and future paths."""
        found: dict[str, NDArray] = {}
        for name in names:
            values = self.values[name]
            lower, median, upper = np.quantile(values, LEVELS, axis=(2, 3))
            found |= {name: values.mean(axis=(2, 3), dtype=float), f"{name}_median": median}
            found |= {f"{name}_lower": lower, f"{name}_upper": upper}
        return {label: (("time",), value) for label, value in found.items()}


def parts_of(model: ModuleType) -> Callable[..., Parts]:
    """The model's `parts`.

    Raises
    ------
    Refused
        If the model does not take its support apart.
    """
    split = getattr(model, "parts", None)
    if split is None:
        raise Refused(f"model {model.__name__} does not say what each lobby adds; allowed: a model with parts()")
    return split


def p_comply(future: Future, rows: Rows, support: NDArray) -> NDArray:
    """Probability that a decision at this support is full compliance, by the state's noise and band, (..., row)."""
    return answered(rows, future.x, support).p_comply
