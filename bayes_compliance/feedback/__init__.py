"""What an analyst's judgements imply, before any fit: `check` says it in the terms of decisions.

    judgements -> priors -> worlds -> P(adhere at t1), P(comply) at the first decision and at the horizon,
    decisions on record that the priors find surprising, judged decisions that they contradict

No chain is run: independent draws of the priors, some seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_compliance.asking import ask_observed
from bayes_compliance.case.vocabulary import LEVELS
from bayes_compliance.feedback import imagined
from bayes_compliance.feedback.conflicts import Conflict, Move, conflict, judged_items
from bayes_compliance.feedback.questions import unanswered
from bayes_compliance.feedback.words import RARE, plain, text
from bayes_compliance.inference import check_seed
from bayes_compliance.kept import BAND
from bayes_compliance.latents import in_use
from bayes_compliance.models import DEFAULT
from bayes_compliance.parts import PREFERENCES

if TYPE_CHECKING:
    from bayes_compliance.case import Case
    from bayes_compliance.elicitation import DefaultUsed, Fitted
    from bayes_compliance.elicitation.cooke import Classical
    from bayes_compliance.latents import Draws
    from bayes_compliance.models import Prepared
    from bayes_compliance.rows import Item

__all__ = ["Conflict", "Feedback", "Implied", "Move", "Record", "Surprise", "feedback"]


class Implied(NamedTuple):
    """What the priors alone say of one decision.

    `p` is its probability (adhere, or full compliance), `p_lower` and `p_upper` 5% and 95% over prior worlds; support
    in points; `preference` the probability of each type of the state's own preferences, empty at adherence and where
    the model does not take its support apart.
    """

    state: str
    rule: str
    stage: str
    date: date
    p: float
    p_lower: float
    p_upper: float
    support_median: float
    support_lower: float
    support_upper: float
    preference: dict[str, float]


class Surprise(NamedTuple):
    """A row with what was decided, and what the priors gave it, given the conduct observed until then."""

    label: str
    outcome: str
    p: float


class Record(NamedTuple):
    """How the record looks to the priors.

    `least` are the rows that they give the least, `surprises` those below `RARE`; `expected` is how many of the `rows`
    would be surprises if the priors were right; `depth` of them are no decisions but declared.
    """

    rows: int
    surprises: tuple[Surprise, ...]
    expected: float
    least: tuple[Surprise, ...]
    depth: int = 0


@dataclass(frozen=True, repr=False)
class Feedback:
    """What the judgements of a case imply.

    Attributes
    ----------
    case : Case
    model, pool : str
    draws, seed : int
    adherence, compliance : tuple of Implied
    record : Record
    conflicts : tuple of Conflict
        Every judged decision beside the implied one.
    bent : tuple of Fitted
        Judgements that no member of their family meets.
    defaults : tuple of DefaultUsed
    k_ref : dict of str to float
    performance : Classical or None
        Analysts' scores on seed questions.
    notes : tuple of str
    questions : tuple of str
        What `bayes-compliance new` asked and nobody has answered yet.
    doubts : tuple of str
        What the case says and may not mean, with its place.
    """

    case: Case
    model: str
    pool: str
    draws: int
    seed: int
    adherence: tuple[Implied, ...]
    compliance: tuple[Implied, ...]
    record: Record
    conflicts: tuple[Conflict, ...]
    bent: tuple[Fitted, ...]
    defaults: tuple[DefaultUsed, ...]
    k_ref: dict[str, float]
    performance: Classical | None
    notes: tuple[str, ...]
    questions: tuple[str, ...]
    doubts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        said = {"conflicts": self.conflicts, "questions": self.questions, "doubts": self.doubts}
        counts = ", ".join(f"{name}: {len(several)}" for name, several in said.items())
        return f"<Feedback: {self.case.name}, model {self.model}, pool {self.pool}, seed {self.seed}, {counts}>"

    def __str__(self) -> str:
        return text(self)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return plain(self)


def feedback(prepared: Prepared, name: str = DEFAULT, *, seed: int = 1, doubts: Iterable[str] = ()) -> Feedback:
    """What the priors alone say of every decision, on record and judged.

    Parameters
    ----------
    prepared : Prepared
    name : str
        The model, as it was asked for.
    seed : int
    doubts : iterable of str
        What the case's files say and may not mean.
    """
    check_seed(seed)
    case, priors = prepared.case, prepared.priors
    drawn = imagined.prior_draws(prepared, seed)
    judged, kept = judged_items(case), _keeping(prepared, drawn, case.horizon.until, seed)
    asked = sorted({*imagined.joining(prepared), *(item for _, item in judged if item.stage == "adherence")})
    found = kept | dict(zip(asked, imagined.adherence(prepared, drawn, asked, seed), strict=True))
    return Feedback(
        case, name, priors.pool, imagined.DRAWS, seed,
        adherence=tuple(_implied(found[item]) for item in asked),
        compliance=tuple(_implied(one) for one in kept.values()),
        record=_record(prepared, drawn),
        conflicts=tuple(conflict(prepared, judgement, found[item]) for judgement, item in judged),
        bent=tuple(priors.bent()), defaults=in_use(prepared.layout), k_ref=priors.k_ref, performance=priors.performance,
        notes=(*priors.notes, *prepared.layout.measured.left_out), questions=tuple(unanswered(case)),
        doubts=tuple(doubts),
    )  # fmt: skip


def at_the_horizon(prepared: Prepared, until: date, *, seed: int = 1) -> dict[tuple[str, str], Implied]:
    """What the priors alone say of compliance on a last date, by state and rule; at the horizon as `feedback`."""
    found = _keeping(prepared, imagined.prior_draws(prepared, seed), until, seed)
    return {(item.state, item.rule): _implied(one) for item, one in found.items() if item.date == until}


def _keeping(prepared: Prepared, draws: Draws, until: date, seed: int) -> dict[Item, imagined.Imagined]:
    """Compliance decisions that are judged, the first of each state and rule and the last one, sorted."""
    judged = [item for _, item in judged_items(prepared.case) if item.stage == "compliance"]
    asked = sorted({*imagined.first_and_last(prepared, until), *judged})
    return dict(zip(asked, imagined.compliance(prepared, draws, asked, seed), strict=True))


def _implied(one: imagined.Imagined) -> Implied:
    low, high = np.quantile(one.p_comply, BAND)
    s_low, s_mid, s_high = np.quantile(one.support, LEVELS)
    kinds = (
        {} if one.preference is None else {k: float((one.preference == i).mean()) for i, k in enumerate(PREFERENCES)}
    )
    return Implied(
        one.item.state, one.item.rule, one.item.stage, one.item.date, float(one.p_comply.mean()), float(low),
        float(high), float(s_mid), float(s_low), float(s_high), kinds,
    )  # fmt: skip


def _record(prepared: Prepared, draws: dict[str, NDArray]) -> Record:
    layout = prepared.layout
    if not len(layout.rows):
        return Record(0, (), 0.0, ())
    p = _coded(prepared, draws)
    taken = p[np.arange(len(p)), layout.outcome]
    words = {False: ("not_adhere", "", "adhere"), True: ("violate", "partial", "comply")}
    told = [words[layout.rows.items[i].stage != "adherence"][layout.outcome[i]] for i in range(len(p))]
    least = [Surprise(layout.labels[i], told[i], float(taken[i])) for i in np.argsort(taken, kind="stable")]
    surprises = tuple(one for one in least if one.p < RARE)
    return Record(len(p), surprises, float(np.where(p < RARE, p, 0).sum()), tuple(least[:3]), int(layout.depth.sum()))


def _coded(prepared: Prepared, draws: dict[str, NDArray]) -> NDArray:
    """Probability of each coded outcome of each row, miscoding included: (row, 3), 0 where there is no partial."""
    layout = prepared.layout
    answer = ask_observed(prepared.model, layout, draws)
    comply, violate = answer.p_comply.mean(axis=0), answer.p_violate.mean(axis=0)
    partial = np.where(layout.rows.n_outcomes == 3, np.maximum(1 - comply - violate, 0), 0)
    p = np.stack([violate, partial, comply], axis=-1)
    error = layout.error[:, None]
    coded = (1 - error) * p + error * (1 - p) / (layout.rows.n_outcomes[:, None] - 1)
    return np.where((layout.rows.n_outcomes == 2)[:, None] & (np.arange(3) == 1), 0.0, coded)
