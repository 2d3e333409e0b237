"""Numbers to words, by one rule set: each word is chosen from the number as it is shown, so the two cannot disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import floor
from typing import NamedTuple

from bayes_compliance import wording
from bayes_compliance.answer import ABOUT, drawn
from bayes_compliance.inference.diagnostics import Check
from bayes_compliance.inference.remedies import remedy
from bayes_compliance.wording import band as band
from bayes_compliance.wording import listed as listed
from bayes_compliance.wording import number as number
from bayes_compliance.wording import plural as plural

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

LIKELIHOOD = (
    (95, "almost certain to comply"),
    (80, "very likely to comply"),
    (wording.LIKELY, "likely to comply"),
    (41, "about as likely to comply as not"),
    (21, "unlikely to comply"),
    (6, "very unlikely to comply"),
    (0, "almost certain not to comply"),
)
"""Least shown percentage of each word; symmetric about one half."""

SURPRISE = ((50, "expected"), (25, "no surprise"), (10, "a surprise"), (0, "a great surprise"))
"""Least shown percentage of each word for the outcome that was observed."""

CLOSE = 10
"""Percentage points within which a forecast is called close to a base rate."""


class Point(NamedTuple):
    """A forecast on one date: probabilities of compliance and of violation, and the two bands of the former.

    With median support, and the width of support's band from 5% to 95%.
    """

    date: date
    p: float
    violate: float
    lower: float
    upper: float
    today_lower: float
    today_upper: float
    support: float = 0.0
    width: float = 0.0


class Outlook(NamedTuple):
    """What is forecast of a state (or of one of its rules): the subject in words, the first date and the horizon.

    `reason` is why the band of the day narrows, where it does.
    """

    state: str
    subject: str
    first: Point
    last: Point
    reason: str = ""


class Pull(NamedTuple):
    """A lobby's median weight in its state's decisions, in points, signed, on the first date and at the horizon."""

    state: str
    lobby: str
    role: str
    first: float
    last: float


class Rate(NamedTuple):
    """Outcomes of the compliance decisions on record."""

    comply: int
    partial: int
    violate: int

    @property
    def n(self) -> int:
        return self.comply + self.partial + self.violate


def shown(p: float) -> int:
    """A probability as the whole percentage that is shown, halves upwards; 0 below 1%, 100 above 99%."""
    if not 0 <= p <= 1:
        raise ValueError(f"{p!r} is no probability; allowed: 0 to 1")
    return wording.rounded(p)


def percent(p: float) -> str:
    """A probability in words that do not claim certainty: `71%`, `under 1%`, `over 99%`."""
    return wording.ENDS.get(shown(p), f"{shown(p)}%")


def likelihood(p: float) -> str:
    """What the shown percentage is called."""
    return next(words for least, words in LIKELIHOOD if shown(p) >= least)


def day(when: date) -> str:
    """A date in words, whatever the locale."""
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def signed(x: float) -> str:
    """A number with its sign."""
    return f"+{number(x)}" if x > 0 else number(x)


def span(lower: float, upper: float) -> str:
    """`from 20% to 98%`, or `at 71%` where both are shown alike."""
    if shown(lower) == shown(upper):
        return f"at {percent(lower)}"
    return f"from {percent(lower)} to {percent(upper)}"


def width(lower: float, upper: float) -> int:
    """Width of a band in percentage points, between its ends as shown."""
    return shown(upper) - shown(lower)


def change_of_width(first: tuple[float, float], last: tuple[float, float], reason: str = "") -> str:
    """`widens from 45 to 78 percentage points`; `narrows from ..., because ...`; `stays 45 percentage points wide`."""
    before, after = width(*first), width(*last)
    points = "percentage point" if after <= 1 else "percentage points"
    if before == after:
        return f"stays {_wide(after)} {points} wide"
    verb = "widens" if after > before else "narrows"
    because = f", because {reason}" if reason and verb == "narrows" else ""
    return f"{verb} from {_wide(before)} to {_wide(after)} {points}{because}"


def _wide(points: int) -> str:
    """A width that claims no certainty: ends shown as `under 1%` and `over 99%` are less than 100 points apart."""
    return {0: "under 1", 100: "over 99"}.get(points, str(points))


def trend(first: Point, last: Point) -> str:
    """The probability against that of the first date: `up from 60% on 30 June 2020`, `down from`, `the same as`.

    Within `ABOUT` points it is about the same. Where it nears one half and support does not move that way by more than
    a little (`drawn` has the rule), that reads as what it is: less is known so far ahead.
    """
    before, after, when = shown(first.p), shown(last.p), day(first.date)
    if before == after:
        return f"the same as on {when}"
    if abs(after - before) < ABOUT:
        return f"about the same as the {percent(first.p)} on {when}"
    if why := drawn((first.p, last.p), (first.support, last.support), (first.width, last.width)):
        return (
            f"against {percent(first.p)} on {when}: median support {why}, but less is known so far ahead, which draws "
            "it towards one half"
        )
    return f"{'up' if after > before else 'down'} from {percent(first.p)} on {when}"


def outside(p: float, lower: float, upper: float) -> bool:
    """Whether a mean is shown outside its band, as it may be where few worlds carry it."""
    return not shown(lower) <= shown(p) <= shown(upper)


def answer(outlook: Outlook, pulls: Sequence[Pull] = ()) -> tuple[str, str]:
    """The answer for a state in two sentences: how likely and what drives it; how sure, and what that means.

    Parameters
    ----------
    outlook : Outlook
    pulls : sequence of Pull
        Of the state; empty where the model does not tell lobbies apart.
    """
    return _how_likely(outlook, pulls), _how_sure(outlook)


def _how_likely(outlook: Outlook, pulls: Sequence[Pull]) -> str:
    first, last = outlook.first, outlook.last
    moved = "" if first.date == last.date else f", {trend(first, last)}"
    driven = drivers(pulls)
    return (
        f"{outlook.state} is {likelihood(last.p)} when a decision falls due on {day(last.date)} on {outlook.subject}: "
        f"the probability is {percent(last.p)}{moved} (outright violation: {percent(last.violate)})"
        f"{'; ' + driven if driven else ''}."
    )


def _how_sure(outlook: Outlook) -> str:
    first, last = outlook.first, outlook.last
    wide = narrow = ""
    if first.date != last.date:
        change = change_of_width((first.lower, first.upper), (last.lower, last.upper), outlook.reason)
        wide = f" (a band that {change})"
        change = change_of_width((first.today_lower, first.today_upper), (last.today_lower, last.today_upper))
        narrow = f" (a band that {change})"
    odd = "; the mean lies outside this band, since few worlds carry it" if _odd(last) else ""
    return (
        f"If we could see the forces at work on that day, nine times in ten the probability would lie "
        f"{span(last.lower, last.upper)}{wide}{odd}; full knowledge of today, with the future left open, would put it "
        f"{span(last.today_lower, last.today_upper)}{narrow}."
    )


def _odd(point: Point) -> bool:
    return outside(point.p, point.lower, point.upper)


def drivers(pulls: Sequence[Pull]) -> str:
    """What pulls hardest for and against at the horizon, with its median weight in points."""
    best = max(pulls, key=lambda pull: pull.last, default=None)
    worst = min(pulls, key=lambda pull: pull.last, default=None)
    parts = []
    if best and best.last > 0:
        parts.append(f"for it is that of {best.lobby} ({signed(best.last)} points on the median)")
    if worst and worst.last < 0:
        median = "" if parts else " points on the median"
        parts.append(f"against it {'' if parts else 'is '}that of {worst.lobby} ({signed(worst.last)}{median})")
    return f"the strongest pull {', the strongest '.join(parts)}" if parts else ""


def reference(state: str, own: Rate, all_states: Rate, forecast: float, joining: int = 0) -> str:
    """The base rates of compliance, the state's own and all states', and where the forecast stands against them.

    `joining` is the number of decisions on record that are about adherence.
    """
    if not all_states.n:
        joined = f"judgement and {plural(joining, 'decision')} on joining" if joining else "judgement alone"
        return f"No compliance decision is on record, so there is no base rate: the forecast rests on {joined}."
    whole = f"of all {plural(all_states.n, 'compliance decision')} on record {_complied(all_states)}"
    if not own.n:
        return f"{state} has no compliance decision on record; {whole}."
    few = "; so short a record says little" if own.n < 10 else ""
    beside = "; no other state has any" if own == all_states else f"; {whole}"
    own_record = f"Of {plural(own.n, 'compliance decision')} of {state} on record {_complied(own)}"
    if own.n == 1:
        outcome = "compliance" if own.comply else "partial or late" if own.partial else "a violation"
        own_record = f"The one compliance decision of {state} on record was {outcome}"
    return (
        f"{own_record}{beside}. "
        f"The forecast of {percent(forecast)} is {against(forecast, own.comply / own.n)} the state's own rate{few}."
    )


def _complied(rate: Rate) -> str:
    if rate.comply == rate.n:
        return "all were compliance" if rate.n > 1 else "was compliance"
    partial = f", {rate.partial} partial or late" if rate.partial else ""
    verb = "was" if rate.comply == 1 else "were"
    share = f" ({percent(rate.comply / rate.n)})" if rate.comply else ""
    return f"{rate.comply or 'none'} {verb} compliance{share}{partial} and {plural(rate.violate, 'violation')}"


def against(p: float, rate: float) -> str:
    """`above`, `below` or `close to`: two percentages as shown, close within ten points."""
    gap = shown(p) - shown(rate)
    return "close to" if abs(gap) <= CLOSE else "above" if gap > 0 else "below"


def verdict_of(missed: Sequence[Check], total: int) -> str:
    """The page's first line, by the diagnostics that missed their marks."""
    return verdict([str(check) for check in missed], total, remedy(missed))


def verdict(failed: Sequence[str], total: int, do: str = "") -> str:
    """The page's first line: which diagnostics failed and what to `do` about it, or that all passed."""
    if failed:
        count = f"{plural(len(failed), 'diagnostic')} of {total} failed"
        return f"{count}, so do not rely on this page: {'; '.join(failed)}. {do}".strip()
    return f"All {total} diagnostics passed." if total else "No diagnostics were run."


def not_judged(n: int) -> list[str]:
    """That so many numbers of a case made by `bayes-compliance new` are still those of its template."""
    if not n:
        return []
    what = "A judgement is still that" if n == 1 else f"{n} judgements are still those"
    return [
        f"{what} of the template, which no analyst has taken on (bayes-compliance check lists what is to be answered): "
        "do not rely on this page."
    ]


def unwritten(why: Mapping[str, str]) -> str:
    """Which sections could not be written, by their names and errors."""
    one = len(why) == 1
    return (
        f"{'A section' if one else f'{len(why)} sections'} could not be written, by a fault of bayes_compliance and "
        f"not of the case: {'; '.join(f'{name} ({error})' for name, error in why.items())}. All else on this page, the "
        "forecast and the posterior stand."
    )


def surprise(p: float) -> str:
    """What an outcome is called that had this probability, as shown."""
    return next(words for least, words in SURPRISE if shown(p) >= least)


def moved(sd_ratio: float, shift: float) -> str:
    """How the data moved a judgement, from the spread left and the shift in standard deviations of the prior."""
    if hardly(sd_ratio, shift):
        return "hardly moved"
    narrower = shown_ratio(sd_ratio) < 80
    parts = []
    if narrower or shown_ratio(sd_ratio) > 120:
        parts.append("narrower" if narrower else "wider")
    if abs(round(shift, 2)) >= 0.2:
        parts.append("higher" if shift > 0 else "lower")
    return " and ".join(parts) or "moved by a fifth"


def hardly(sd_ratio: float, shift: float) -> bool:
    """Whether the data changed the spread by less than 20% and the mean by less than 20% of the prior's spread."""
    return abs(shown_ratio(sd_ratio) - 100) < 20 and abs(round(shift, 2)) < 0.2


def shown_ratio(ratio: float) -> int:
    """A ratio as the whole percentage that is shown."""
    return floor(100 * ratio + 0.5)
