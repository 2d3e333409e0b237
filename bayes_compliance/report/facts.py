"""Numbers that the page speaks of, read from a run."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from datetime import date
from math import exp
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import seeds
from bayes_compliance.case.vocabulary import ANY_RULE, LEVELS
from bayes_compliance.forecast import BAND, HORIZON_ONLY, n_due, plan, thin
from bayes_compliance.importance import each_left_out, good_k
from bayes_compliance.inference.tree import draws_of
from bayes_compliance.kept import day_of
from bayes_compliance.layout import OUTCOME
from bayes_compliance.report.sentences import Outlook, Point, Pull, Rate, percent, plural, width
from bayes_compliance.validation.otherwise import means
from bayes_compliance.validation.sensitivity import defaults
from bayes_compliance.wording import NONE_DUE
from bayes_compliance.wording import rule_name as rule_name
from bayes_compliance.worlds import Future

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Lobby
    from bayes_compliance.forecast import Forecast
    from bayes_compliance.runs import Run

PULL_DRAWS, PULL_PATHS = 200, 4


class Recorded(NamedTuple):
    """A decision on record with what the model says of it.

    `chance` is the probability of compliance (or adherence), one step ahead given the conduct before it: its mean over
    the posterior, 5% and 95% quantiles. `support` is net support: its median and quantiles. `observed` is the mean
    probability of the outcome as coded, miscoding included.
    """

    state: str
    rule: str
    date: date
    kind: str
    decision: str
    chance: tuple[float, float, float]
    support: tuple[float, float, float]
    observed: float
    depth: bool


def ahead(run: Run) -> Forecast:
    """The forecast of a run."""
    if run.forecast is None:
        raise ValueError("the run has no forecast, so there is nothing to report; allowed: a run with its forecast")
    return run.forecast


def has_lobbies(case: Case) -> bool:
    """Whether the case, as the model sees it, has lobbies with a part in the theory: a rival's pulls have none."""
    return any(lobby.role != "other" for lobby in case.lobbies)


def series(run: Run) -> dict[tuple[str, str], list[dict]]:
    """Rows of the forecast's table by state and rule, each in date order, a new rule last within its state."""
    found: dict[tuple[str, str], list[dict]] = {}
    for row in ahead(run).table:
        found.setdefault((row["state"], row["rule"]), []).append(row)
    return dict(sorted(found.items(), key=lambda item: (item[0][0], item[0][1] == ANY_RULE, item[0][1])))


def no_violation(run: Run, row: dict) -> str:
    """The probability of no violation up to a row's date, and of how many decisions, where any falls due by then."""
    due = n_due(run.prepared.case, row["rule"], date.fromisoformat(row["date"]))
    return f"{percent(row['p_no_violation'])} ({due})" if due else NONE_DUE


def outlooks(run: Run) -> list[Outlook]:
    """Each state's overall picture: a decision on one of its rules, taken at random; its new rule apart."""
    return [_overall(run, state.id) for state in run.prepared.case.states if state.rules]


def _overall(run: Run, state: str) -> Outlook:
    rules = [rule for of, rule in series(run) if of == state and rule != ANY_RULE]
    first, last = (_point(run, state, rules, at) for at in (0, -1))
    subject = f"“{rules[0]}”" if len(rules) == 1 else f"one of its {len(rules)} rules, taken at random"
    narrower = width(last.lower, last.upper) < width(first.lower, first.upper)
    reason = _why_narrower(run.prepared.case, state, [first.width, last.width], last.date) if narrower else ""
    return Outlook(state, subject, first, last, reason)


def _point(run: Run, state: str, rules: list[str], at: int) -> Point:
    """A date's forecast on one rule, as it stands in the table, or on one of several taken at random.

    Of several: the mean over rules of p, world by world, and its bands over worlds and over draws; likewise of support.
    """
    found = ahead(run).dataset.sel(state=state, rule=rules).isel(time=at)
    support = found["support"].mean("rule").values
    low, middle, high = np.quantile(support, LEVELS).tolist()
    if len(rules) == 1:
        row = series(run)[state, rules[0]][at]
        bands = [row[name] for name in ("p_lower", "p_upper", "p_today_lower", "p_today_upper")]
        p, violate, low, high = (row[name] for name in ("p_comply", "p_violate", "support_lower", "support_upper"))
    else:
        worlds, today = (found[name].mean("rule").values for name in ("p_comply", "p_today"))
        bands = [float(q) for values in (worlds, today) for q in np.quantile(values, BAND)]
        p, violate = (float(found[name].mean("rule")) for name in ("p_comply_mean", "p_violate_mean"))
    return Point(day_of(found["time"].values), p, violate, *bands)._replace(support=middle, width=high - low)


def _why_narrower(case: Case, state: str, support_widths: list[float], until: date) -> str:
    before, after = support_widths
    if after >= before:
        return "support does not narrow, but more worlds lie where the noise of a decision counts for little"
    reasons = []
    own = any(b.mean_reversion_half_life is not None for b in case.lobbies if b.state == state)
    if own or case.dynamics.mean_reversion_half_life is not None:
        reasons.append("magnitudes return to their means")
    lobbies = [b for b in case.lobbies if b.state == state and b.until is not None and b.until <= until]
    if lobbies:
        reasons.append(f"{plural(len(lobbies), 'lobby', 'lobbies')} will have ended")
    if any(r.last_period is not None and r.last_period <= until for r in case.rules if state in r.states):
        reasons.append("a rule has a last period, after which nothing ahead weighs")
    return " and ".join(reasons) or "support itself varies less between worlds"


def rate(case: Case, state: str | None = None) -> Rate:
    """Outcomes of the compliance decisions on record, of one state or of all."""
    coded = Counter(
        OUTCOME[d.decision]
        for d in case.decisions
        if d.kind == "compliance" and d.decision != "pending" and state in (None, d.state)
    )
    return Rate(coded[2], coded[1], coded[0])


def recorded(run: Run) -> list[Recorded]:
    """Every row that has a likelihood, those of depth first, in the order of the layout."""
    layout = run.prepared.layout
    posterior = run.tree["posterior"]
    chance = _three(np.asarray(posterior["p_comply"]), np.mean)
    support = _three(np.asarray(posterior["support"]), np.median)
    observed = np.exp(np.asarray(run.tree["log_likelihood"]["outcome"])).mean(axis=(0, 1))
    decisions = ["violate"] * int(layout.depth.sum()) + [d.decision for d in layout.decisions]
    return [
        Recorded(item.state, item.rule, item.date, item.stage, decision, chance[i], support[i],
                 float(observed[i]), bool(layout.depth[i]))
        for i, (item, decision) in enumerate(zip(layout.rows.items, decisions, strict=True))
    ]  # fmt: skip


def left_out(run: Run) -> list[tuple[float, float]]:
    """Probability of each coded outcome had the fit not seen it, and the Pareto k of its importance weights.

    Pareto-smoothed importance sampling, as `compare` does it; a decision whose likelihood is the same in every draw has
    k = 0.
    """
    log_p = run.tree["log_likelihood"].to_dataset()["outcome"].transpose("decision", "chain", "draw").values
    return [(exp(one.log_p), one.pareto_k) for one in each_left_out(log_p)]


def largest_k(run: Run) -> float:
    """The largest Pareto k with which as many draws as a run has carry what is left out."""
    sizes = run.tree["posterior"].sizes
    return float(good_k(sizes["chain"] * sizes["draw"]))


def _three(values: NDArray, middle: Callable[..., NDArray]) -> list[tuple[float, float, float]]:
    """Middle, 5% and 95% quantiles over chains and draws of (chain, draw, item)."""
    if not values.size:
        return []
    lower, upper = np.quantile(values, BAND, axis=(0, 1))
    return [(float(a), float(b), float(c)) for a, b, c in zip(middle(values, axis=(0, 1)), lower, upper, strict=True)]


def pulls(run: Run, last: Weights) -> list[Pull]:
    """Median weight of each lobby in the decisions of its state, averaged over the rules that the state owes.

    On the first date, and as `pulls_by_rule` has it on the last; empty where that is.
    """
    if not last:
        return []
    case, ends = run.prepared.layout.case, (_on_day(run, _ends(run)[0]), last)
    return [Pull(b.state, b.id, b.role, *(_over_rules(case, b, found) for found in ends)) for b in case.lobbies]


def pulls_by_rule(run: Run) -> Weights:
    """Median weight of each lobby at the horizon by state and rule.

    Medians, since a magnitude on the log scale has a mean that few worlds carry. Empty for a model without parts or
    without lobbies.
    """
    return _on_day(run, _ends(run)[1]) if _tells_lobbies_apart(run) else {}


def _tells_lobbies_apart(run: Run) -> bool:
    return hasattr(run.prepared.model, "parts") and has_lobbies(run.prepared.layout.case)


Weights = dict[tuple[str, str], dict[str, float]]


def _ends(run: Run) -> tuple[date, date]:
    reported = sorted({date.fromisoformat(row["date"]) for row in ahead(run).table})
    return reported[0], reported[-1]


def _over_rules(case: Case, lobby: Lobby, found: Weights) -> float:
    own = [by_lobby.get(lobby.id, 0.0) for (state, _), by_lobby in found.items() if state == lobby.state]
    return sum(own) / max(len(case.state(lobby.state).rules), 1)


def _on_day(run: Run, day: date) -> Weights:
    """Signed median weight of each lobby on a date, by state and rule, over a few draws and paths."""
    model, layout = run.prepared.model, run.prepared.layout
    draws, _ = thin(*draws_of(run.tree), PULL_DRAWS)
    days = plan(layout, day, HORIZON_ONLY)
    seed = seeds.sequence(run.summary["settings"]["seed"], f"pulls {day}")
    future = Future(model, layout, days, draws, PULL_PATHS, seed)
    (moment,) = deque(future.run(), maxlen=1)
    rows = moment.day.rows
    parts = model.parts(layout, rows, future.x, moment.walk, moment.spread, moment.history)
    names, weight = [lobby.id for lobby in layout.case.lobbies], np.median(parts.contributions, axis=(0, 1))
    found: Weights = {}
    for i, item in enumerate(rows.items):
        if item.rule != ANY_RULE:
            own = found.setdefault((item.state, item.rule), {})
            for slot, value in zip(rows.lobby[i].tolist(), weight[i].tolist(), strict=True):
                own[names[slot]] = own.get(names[slot], 0.0) + value
    return found


def at_the_end(run: Run) -> dict[tuple[str, str], float]:
    """The forecast's probability of compliance on its last date, by state and rule."""
    return means(ahead(run).dataset["p_draw"].isel(time=-1))


def by_state(p: dict[tuple[str, str], float]) -> dict[str, float]:
    """Probability on one of the rules that a state owes, taken at random."""
    states = dict.fromkeys(state for state, _ in p)
    return {state: float(np.mean([p[key] for key in p if key[0] == state and key[1] != ANY_RULE])) for state in states}


def by_default(run: Run, quantity: str) -> set[str]:
    """Lobbies or states of which nobody judged a quantity."""
    return {of for what, of in defaults(run.prepared) if what == quantity}


def whose(run: Run, quantity: str, default: str = "default") -> str:
    """Whether a quantity was judged for the states that owe something: `judged`, `default`, or both."""
    unjudged = by_default(run, quantity)
    said = {default if state.id in unjudged else "judged" for state in run.prepared.case.states if state.rules}
    return " or ".join(sorted(said, reverse=True))
