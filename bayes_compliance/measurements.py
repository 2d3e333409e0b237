r"""Proxies as measurements, those of the kinds that case.toml names in `measure_proxies`; others are only shown.

    magnitudes   log value = a + c + b (log m(t) - c) + error           error sd .5 sqrt((1-r)/r); a, b by kind and unit
    vote shares  probit share = b (SA(t) - threshold) / sigma + error   error sd sqrt((1-r)/r); one b

r is the judged reliability (.9: a magnitude to within .17 log units), b ~ N(1, .2), and a is open, N(0, 10): a kind
says how lobbies compare and how they move, not how large they are. c is log of the lobby's own prior median: lobbies at
their medians have values in the ratio of these, whatever b, which stretches only how far a lobby stands from its median
and moves. So values that compare otherwise than the medians do speak against the medians, and not for another b.

a and b are integrated out in closed form (`normal`): with u = log m - c and error variances D, log value - c is normal
about u with covariance D + 10^2 1 1' + .2^2 u u'. m(t) is the magnitude on the date without spread between rules and
entrenchment; SA the support for the whole agreement, as at adherence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from math import log, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from bayes_compliance import theory
from bayes_compliance.rows import ANY_RULE, History, Item, Rows

if TYPE_CHECKING:
    from bayes_compliance.case import Case, Proxy
    from bayes_compliance.layout import Layout

ERROR = 0.5
"""Error sd of a magnitude's proxy of reliability one half, in log units."""

SLOPE_SD = 0.2
LEVEL_SD = 10.0
LOG_2PI = 1.8378770664093453


class Group(NamedTuple):
    """Proxies of one kind and unit: rows of proxies.csv, lobbies, dates, log values less c, log prior medians c."""

    kind: str
    unit: str
    row: tuple[int, ...]
    lobby: NDArray
    date: tuple[date, ...]
    value: NDArray
    center: NDArray
    variance: NDArray


class Votes(NamedTuple):
    """Vote shares: rows of proxies.csv, adherence rows of the whole agreement, probits of shares, error variances."""

    row: tuple[int, ...]
    rows: Rows
    value: NDArray
    variance: NDArray


class Measured(NamedTuple):
    """What is measured, and what is not, with the reason."""

    groups: tuple[Group, ...] = ()
    votes: Votes | None = None
    left_out: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.groups or self.votes)

    @property
    def points(self) -> set[tuple[int, date]]:
        """Lobbies with the dates on which a row speaks of them."""
        found = {(int(lobby), day) for group in self.groups for lobby, day in zip(group.lobby, group.date, strict=True)}
        if self.votes:
            rows = self.votes.rows
            found |= {(int(b), rows.items[i].date) for i, s in np.argwhere(rows.weight) for b in [rows.lobby[i, s]]}
        return found


def measured(layout: Layout) -> Measured:
    """The proxies of a case as measurements, of the kinds that it asks for."""
    case = layout.case
    asked = [proxy for proxy in case.proxies if proxy.kind in case.measure_proxies]
    reasons = {proxy.row: _why_not(case, proxy) for proxy in asked}
    by_kind: dict[tuple[str, str], list[Proxy]] = defaultdict(list)
    for proxy in asked:
        if not reasons[proxy.row] and proxy.lobby:
            by_kind[proxy.kind, proxy.unit].append(proxy)
    for alone in (group[0] for group in by_kind.values() if len(group) == 1):
        reasons[alone.row] = f"it is the only {alone.kind} in {alone.unit or 'its unit'}, and says nothing alone"
    groups = [_group(layout, kind, unit, group) for (kind, unit), group in sorted(by_kind.items()) if len(group) > 1]
    votes = [proxy for proxy in asked if proxy.kind == "vote_share" and not reasons[proxy.row]]
    told = tuple(f"proxies.csv:{row}: not measured: {why}" for row, why in sorted(reasons.items()) if why)
    return Measured(tuple(groups), _votes(layout, votes) if votes else None, told)


def _why_not(case: Case, proxy: Proxy) -> str:
    if proxy.reliability == 1:
        return "reliability 1 leaves no error; below 1 it would be"
    if proxy.kind == "vote_share":
        return "" if 0 < proxy.share < 1 else f"{proxy.value:g} is no share with a probit: the vote was unanimous"
    if case.is_linear(case.lobby(proxy.lobby)):
        return f"lobby {proxy.lobby!r} moves in points and has no logarithm"
    return "" if proxy.value > 0 else f"{proxy.value:g} has no logarithm"


def _group(layout: Layout, kind: str, unit: str, proxies: list[Proxy]) -> Group:
    place = {lobby.id: i for i, lobby in enumerate(layout.case.lobbies)}
    lobby = np.array([place[proxy.lobby] for proxy in proxies])
    priors = layout.priors.quantities["magnitude"].priors
    center = np.array([log(prior.median) for i in lobby if (prior := priors[i]) is not None])
    value = np.array([log(proxy.value) for proxy in proxies])
    return Group(
        kind, unit, tuple(p.row for p in proxies), lobby, tuple(p.date for p in proxies),
        value - value.mean() + center.mean() - center, center,
        np.array([error_sd(p.reliability) ** 2 for p in proxies]),
    )  # fmt: skip


def _votes(layout: Layout, proxies: list[Proxy]) -> Votes:
    rows = layout.rows_for([Item(proxy.state, ANY_RULE, proxy.date, "adherence") for proxy in proxies])
    variance = np.array([(1 - p.reliability) / p.reliability for p in proxies])
    return Votes(tuple(p.row for p in proxies), rows, ndtri([proxy.share for proxy in proxies]), variance)


def log_density(
    layout: Layout, x: Mapping[str, Any], at_knots: Any, spread: Any, support: Callable[..., Any], on_slots: Any
) -> Any:
    """Log density of all that is measured, shape (...,), for NumPy and PyTensor alike: the sum of `log_densities`."""
    return sum(log_densities(layout, x, at_knots, spread, support, on_slots))


def log_densities(
    layout: Layout, x: Mapping[str, Any], at_knots: Any, spread: Any, support: Callable[..., Any], on_slots: Any
) -> list[Any]:
    """Log density of each group of proxies, and of the vote shares, each of shape (...,).

    Parameters
    ----------
    layout : Layout
    x : dict
        Judged quantities, (..., lobby) and (..., state).
    at_knots, spread : array (..., knot), (..., pair)
        W of each lobby at its knots, and the spread of each pair.
    support : callable
        The model's.
    on_slots : callable
        Spreads values by an index, 0 where it is -1.
    """
    index = {knot: i for i, knot in enumerate(layout.knots)}
    found: list[Any] = []
    for group in layout.measured.groups:
        knot = np.array([index.get(point, -1) for point in zip(map(int, group.lobby), group.date, strict=True)])
        magnitude = x["magnitude"][..., group.lobby]
        change = x["volatility"][..., group.lobby] * on_slots(at_knots, knot)
        u = theory.namespace(magnitude).log(magnitude) + change - group.center
        found.append(normal(group.value, u, group.variance, LEVEL_SD))
    if layout.measured.votes is None:
        return found
    margin = _margins(layout, x, at_knots, spread, support, on_slots)
    value, variance = layout.measured.votes[2:]
    return [*found, normal(value, margin, variance, 0.0)]


def _margins(
    layout: Layout, x: Mapping[str, Any], at_knots: Any, spread: Any, support: Callable[..., Any], on_slots: Any
) -> Any:
    """Support on the day of each vote less the threshold, in units of the noise, (..., vote)."""
    assert layout.measured.votes is not None
    rows, index = layout.measured.votes.rows, {knot: i for i, knot in enumerate(layout.knots)}
    pairs = [(int(b), item.date) for item, lobbies in zip(rows.items, rows.lobby, strict=True) for b in lobbies]
    walk = on_slots(at_knots, np.array([index.get(pair, -1) for pair in pairs]).reshape(rows.lobby.shape))
    return _margin(layout, rows, x, walk, on_slots(spread, layout.pair_slot_of(rows)), support)


def _margin(layout: Layout, rows: Rows, x: Mapping[str, Any], walk: Any, spread: Any, support: Any) -> Any:
    """Support for adherence less the threshold, in units of the noise; it meets no conduct, whatever a state's type."""
    nothing = np.zeros((len(rows), layout.builder.width))
    x = {"sincere": np.ones(len(layout.case.states)), **x}
    s = support(layout, rows, x, walk, spread, History(nothing, nothing, np.zeros(len(rows))))
    return (s - rows.threshold) / x["decision_noise"][..., rows.state]


def normal(value: Any, u: Any, variance: NDArray, level_sd: float) -> Any:
    r"""Log density of values a + b u + error, (..., row), over a ~ N(0, level_sd^2) and b ~ N(1, .2^2).

    The quadratic form :math:`(y - u)' C^{-1} (y - u)` of the covariance :math:`C = D + A^2 1 1' + B^2 u u'`, with A and
    B the sds of a and b, is the least that :math:`\sum (y - a - b u)^2 / D + a^2 / A^2 + (b - 1)^2 / B^2` can be: a sum
    of squares, which far from the data keeps its digits, where the difference of two large ones would lose all.
    """
    xp = theory.namespace(value, u)
    weight, level, slope = 1 / variance, level_sd**2, SLOPE_SD**2
    total = 1 + level * weight.sum()
    along = (level * (weight.sum() * u - (u * weight).sum(-1)[..., None]) + u) * weight
    steep = total + slope * (along * u).sum(-1)
    b = (total + slope * (along * value).sum(-1)) / steep
    pull = (along * (value - u)).sum(-1) / steep  # (b - 1) / slope, which a slope that is known leaves finite
    a = level * ((value - b[..., None] * u) * weight).sum(-1) / total
    square = ((value - a[..., None] - b[..., None] * u) ** 2 * weight).sum(-1) + slope * pull**2
    if level_sd:
        square = square + a**2 / level
    return -(len(variance) * LOG_2PI + np.log(variance).sum() + xp.log(steep) + square) / 2


def log_densities_of(layout: Layout, draws: Mapping[str, NDArray], support: Callable[..., Any]) -> NDArray:
    """`log_densities` under draws by NumPy, shape (group, draw)."""
    from bayes_compliance.asking import on_slots, related

    if not layout.measured:
        return np.zeros((0, len(draws["innovation"])))

    walk = layout.walk(draws["innovation"])
    return np.array(log_densities(layout, related(layout, draws), walk, draws["spread"], support, on_slots))


def error_sd(reliability: float) -> float:
    """Error sd of a magnitude's proxy, in log units."""
    return ERROR * sqrt((1 - reliability) / reliability)


class Moved(NamedTuple):
    """What a group of proxies, or one vote, did to a lobby's magnitude.

    `median` and `without` are its medians on the reference date with and without it, in points; `shift` is the
    probability without it of a magnitude above `median`, less one half, whatever the scale or sign; `effective` is the
    number of draws that these rest on: below a hundred or so they cannot be told without another fit.
    """

    kind: str
    unit: str
    lobby: str
    median: float
    without: float
    shift: float
    effective: float


def moved(layout: Layout, draws: Mapping[str, NDArray], support: Callable[..., Any]) -> list[Moved]:
    """How much each group of proxies, and each vote, moved each lobby that it speaks of, by weights 1 / p(it | draw).

    Parameters
    ----------
    layout : Layout
    draws : dict
        Posterior draws, (draw, item).
    support : callable
        The model's.

    Returns
    -------
    list of Moved
        A vote's `unit` is its day and state.
    """
    groups = [(g.kind, g.unit, np.unique(g.lobby)) for g in layout.measured.groups]
    each = zip(groups, log_densities_of(layout, draws, support), strict=False)
    found = []
    for (kind, unit, speaks_of), log_p in [*each, *_votes_each(layout, draws, support)]:
        weights = np.exp(log_p.min() - log_p)
        weights /= weights.sum()
        for lobby in speaks_of:
            m = draws["magnitude"][:, lobby]
            median = float(np.median(m))
            without = float(np.quantile(m, 0.5, method="inverted_cdf", weights=weights))
            shift, effective = float(weights[m > median].sum()) - 0.5, float(1 / (weights**2).sum())
            found.append(Moved(kind, unit, layout.case.lobbies[lobby].id, median, without, shift, effective))
    return found


def _votes_each(
    layout: Layout, draws: Mapping[str, NDArray], support: Callable[..., Any]
) -> list[tuple[tuple[str, str, NDArray], NDArray]]:
    """Each vote, the lobbies that it speaks of, and its log density given the other votes, (draw,)."""
    from bayes_compliance.asking import on_slots, related

    if layout.measured.votes is None:
        return []
    walk = layout.walk(draws["innovation"])
    margin = _margins(layout, related(layout, draws), walk, draws["spread"], support, on_slots)
    _, rows, value, variance = layout.measured.votes
    whole = normal(value, margin, variance, 0.0)
    found = []
    for i, item in enumerate(rows.items):
        rest = np.arange(len(value)) != i
        others = normal(value[rest], margin[..., rest], variance[rest], 0.0)
        speaks_of = np.unique(rows.lobby[i][rows.weight[i] != 0])
        found.append((("vote_share", f"{item.date} {item.state}", speaks_of), whole - others))
    return found
