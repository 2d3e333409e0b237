"""One state on one rule ahead: probabilities on each date, bands, and no violation up to it."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance import theory
from bayes_compliance.case.dates import years_between
from bayes_compliance.forecast import BAND, dates_ahead, decision_dates
from bayes_compliance.panel.layout import PERIOD_YEARS
from bayes_compliance.panel.records import Panel

SAMPLED = ("p_comply", "p_partial", "p_violate", "support", "p_today")


class Days:
    """Dates ahead of a panel: those reported, and those on which a decision falls due whatever the step.

    Attributes
    ----------
    reported, every : list of date
    years : array (date,)
        From the panel's last decision to each of `every`.
    at : int array
        Where the reported dates stand among all.
    """

    def __init__(self, panel: Panel) -> None:
        self.last, self.until = panel.last, panel.until
        self.reported = dates_ahead(panel.last, panel.until, panel.step_years)
        due = (decision_dates(panel.last, panel.until, rate) for rate in {1.0, *panel.per_year.values()})
        self.every = sorted({*self.reported, *(day for days in due for day in days)})
        self.years = np.array([years_between(panel.last, day) for day in self.every])
        self.at = np.searchsorted(np.array(self.every, "datetime64[D]"), np.array(self.reported, "datetime64[D]"))
        self._due: dict[float, NDArray] = {}

    def due(self, per_year: float) -> NDArray:
        """Whether a decision of a rule with so many a year falls due on each of `every`."""
        if per_year not in self._due:
            days: set[date] = {*decision_dates(self.last, self.until, per_year)}
            self._due[per_year] = np.array([day in days for day in self.every])
        return self._due[per_year]


def walk(drift: NDArray, days: Days, rng: np.random.Generator) -> NDArray | None:
    """What P2 + G2 of a state moves until each date, one path for each draw, (sample, date); None if it does not.

    Parameters
    ----------
    drift : array (sample,)
        Standard deviation of five years, in sigma.
    """
    if not drift.any():
        return None
    apart = np.sqrt(np.diff(days.years, prepend=0) / PERIOD_YEARS)
    return (drift[:, None] * apart * rng.standard_normal((len(drift), len(apart)))).cumsum(axis=1)


class Outlook(NamedTuple):
    r"""A state on a rule.

    With the dates t_i on which decisions fall due and paths w of P2 + G2, one for each draw theta,

    .. math:: p_{no\ violation}(t) = E_{\theta, w} \prod_{t_i \le t} \{1 - p_{violate}(t_i | \theta, w)\};

    partial is no violation. Where nothing moves every date has the same probability, and the product is a power.

    Attributes
    ----------
    support : array (sample,)
        Net support after the last decision, in sigma.
    half : array (sample,) or float
        Half-width of the band of partial outcomes.
    drift : array (sample,)
    walk : array (sample, date) or None
        See `walk`.
    days : Days
    due : bool array (date,)
    """

    support: NDArray
    half: NDArray
    drift: NDArray
    walk: NDArray | None
    days: Days
    due: NDArray

    def told(self) -> tuple[dict[str, NDArray], dict[str, NDArray]]:
        """Columns of forecast.csv, each (reported date,), and `SAMPLED` in each draw.

        The latter on one path ahead, (sample, reported date), or (sample, 1) where nothing moves; `p_today` averaged
        over all paths, exactly: a normal step of variance v makes Phi(m) into Phi(m / sqrt(1 + v)).
        """
        then, at = self._then, self.days.at
        comply, violate = theory.outcome_probabilities(then, 1.0, self._half)
        no_violation = self._no_violation(violate)
        if self.walk is not None:
            then, comply, violate = (values[:, at] for values in (then, comply, violate))
        today, not_today = (comply, violate) if self.walk is None else self._today()
        path = dict(zip(SAMPLED, (comply, np.maximum(1 - comply - violate, 0), violate, then, today), strict=True))
        p, q = today.mean(axis=0), not_today.mean(axis=0)
        said = {
            "p_comply": p, "p_partial": np.clip(1 - p - q, 0, 1), "p_violate": q, **_band("p", comply),
            **_band("p_today", today), "p_no_violation": no_violation, "support_mean": then.mean(axis=0),
            **_band("support", then),
        }  # fmt: skip
        return {name: np.broadcast_to(values, len(at)) for name, values in said.items()}, path

    def _today(self) -> tuple[NDArray, NDArray]:
        later = self.drift[:, None] * np.sqrt(self.days.years[self.days.at] / PERIOD_YEARS)
        return theory.outcome_probabilities(self.support[:, None], np.sqrt(1 + later**2), self._half)

    def _no_violation(self, violate: NDArray) -> NDArray:
        """Up to each reported date, by the probabilities (sample, date) of violation."""
        if self.walk is None:
            return ((1 - violate) ** self.due.cumsum()[self.days.at]).mean(axis=0)
        return np.where(self.due, 1 - violate, 1).cumprod(axis=1)[:, self.days.at].mean(axis=0)

    @property
    def _then(self) -> NDArray:
        return self.support[:, None] + (0 if self.walk is None else self.walk)

    @property
    def _half(self) -> NDArray:
        return np.reshape(self.half, (-1, 1))


def _band(name: str, values: NDArray) -> dict[str, NDArray]:
    lower, upper = np.quantile(values, BAND, axis=0)
    return {f"{name}_lower": lower, f"{name}_upper": upper}
