"""The feedback as text for a terminal, and as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from bayes_compliance.case.doubts import told
from bayes_compliance.case.vocabulary import ANY_RULE
from bayes_compliance.elicitation.build import TOLERANCE
from bayes_compliance.wording import WHOLE, plural, short

if TYPE_CHECKING:
    from bayes_compliance.feedback import Conflict, Feedback, Implied, Move

RARE = 0.1
"""An outcome that the priors give less than this is surprising."""

MOST = 20
MOVES = 3


def text(found: Feedback) -> str:
    """All that `check` says, in lines."""
    parts = (
        _head(found), _doubts(found), _questions(found), _joins(found), _keeps(found), _record(found), _judged(found),
        _bent(found), _analysts(found), _defaults(found), _notes(found),
    )  # fmt: skip
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part)))


def _head(found: Feedback) -> Iterator[str]:
    yield f"{found.case.name}: {found.case.title}"
    yield (
        "The case is sound. This is what its judgements alone imply, no decision on record being used\n"
        f"(model {found.model}, pool {found.pool}, {found.draws} draws, seed {found.seed})."
    )


def _doubts(found: Feedback) -> Iterator[str]:
    yield from told(found.doubts)


def _questions(found: Feedback) -> Iterator[str]:
    if found.questions:
        yield f"Still to answer ({len(found.questions)}): a row is answered once its analyst is named"
        yield from (f"  {question}" for question in found.questions)


def _joins(found: Feedback) -> Iterator[str]:
    yield from table(
        "Would it join?", ("date", "state", "rule", "P(adhere)", "5% to 95%", "net support, points"),
        [(*_about(one), short(one.p), band(one.p_lower, one.p_upper), _support(one)) for one in found.adherence],
    )  # fmt: skip


def _keeps(found: Feedback) -> Iterator[str]:
    yield from table(
        "Would it comply? At the first decision, at the horizon, and where it is judged",
        ("date", "state", "rule", "P(comply)", "5% to 95%", "net support, points", "harmony / dilemma / deadlock"),
        [
            (*_about(one), short(one.p), band(one.p_lower, one.p_upper), _support(one),
             " / ".join(map(short, one.preference.values())))
            for one in found.compliance
        ],
    )  # fmt: skip


def _record(found: Feedback) -> Iterator[str]:
    rows, surprises, expected, least, depth = found.record
    if not rows:
        return
    of = f"{plural(rows - depth, 'decision')} and {plural(depth, 'row')} of declared depth" if depth else rows
    yield (
        f"Decisions on record that the priors give less than {RARE:.0%}: {len(surprises)} of {of} "
        f"(if the priors were right, {expected:.1f} by chance)"
    )
    if not surprises:
        yield "  none; least expected are"
        yield from (f"  {short(one.p)}  {one.label}: {one.outcome}" for one in least)
    yield from (f"  {short(one.p)}  {one.label}: {one.outcome}" for one in surprises[:MOST])
    if len(surprises) > MOST:
        yield f"  and {len(surprises) - MOST} more"


def _judged(found: Feedback) -> Iterator[str]:
    if found.conflicts:
        yield "Judged decisions beside what the priors imply"
    for one in found.conflicts:
        low, mid, high = one.judged
        verb = "adheres" if one.item.stage == "adherence" else "complies"
        rule = WHOLE if one.item.rule == ANY_RULE else one.item.rule
        yield (
            f"  judgements.csv:{one.row}: {one.analyst}: {one.item.state} {verb} ({rule}, {one.item.date}) with "
            f"{short(mid)} ({short(low)} to {short(high)}); the priors imply {short(one.implied)}: "
            f"{'they agree' if one.agrees else 'conflict'}"
        )
        yield from _reconciled(one)


def _reconciled(one: Conflict) -> Iterator[str]:
    if one.agrees:
        return
    if not one.told:
        yield "    which magnitude would reconcile them cannot be told: the model does not say what each lobby adds"
        return
    if not one.moves:
        yield f"    no single magnitude, moved as far as a hundredfold, brings it to {short(one.judged[1])}"
        return
    told = " or ".join(_move(move) for move in one.moves[:MOVES])
    yield f"    to reconcile them at {short(one.judged[1])}, all else held: {told}"


def _move(move: Move) -> str:
    how = f"times {move.factor:.2g}" if move.factor is not None else f"{move.points:+.3g} points"
    far = f"{move.sds:.1f} of its sd" if isfinite(move.sds) else "a known constant"
    return f"{move.lobby} {how} ({far})"


def _bent(found: Feedback) -> Iterator[str]:
    if found.bent:
        yield f"Judgements that their family does not meet within {TOLERANCE:.0%} of their width: stated, then used"
    for item in found.bent:
        j = item.judgement
        pairs = ", ".join(
            f"{100 * level:g}% {value:g} -> {used:.4g}"
            for (level, value), used in zip(j.stated, item.reached, strict=True)
        )
        yield f"  judgements.csv:{j.row}: {j.analyst}: {j.quantity} of {j.lobby or j.state or 'all states'}: {pairs}"


def _analysts(found: Feedback) -> Iterator[str]:
    if found.performance is None:
        return
    scored = found.performance
    yield from table(
        f"Analysts by their seed questions (threshold {scored.threshold:.3g}; the pool itself: calibration "
        f"{scored.calibration:.3g}, information {scored.information:.3g})",
        ("analyst", "questions", "calibration", "information", "weight"),
        [
            (one.analyst, str(one.questions), f"{one.calibration:.3g}", f"{one.information:.3g}", f"{one.weight:.3g}")
            for one in scored.analysts
        ],
    )


def _defaults(found: Feedback) -> Iterator[str]:
    if not found.defaults:
        return
    units = ", ".join(f"{state} {k:.4g}" for state, k in sorted(found.k_ref.items()))
    yield f"Defaults in force where nothing is judged (K_ref in points: {units or 'none'})"
    by_value: dict[tuple[str, str], list[str]] = {}
    for default in found.defaults:
        value = " / ".join(f"{q:.3g}" for q in dict.fromkeys(default.quantiles))
        value += "" if default.high is None else f", at most {default.high:.3g}"
        by_value.setdefault((default.quantity, value), []).append(default.name)
    for (quantity, value), names in by_value.items():
        yield f"  {quantity} {value}: {_some(names)}"


def _notes(found: Feedback) -> Iterator[str]:
    if found.notes:
        yield "Taken otherwise than judged"
        yield from (f"  {note}" for note in found.notes)


def _about(one: Implied) -> tuple[str, str, str]:
    return one.date.isoformat(), one.state, WHOLE if one.rule == ANY_RULE else one.rule


def _support(one: Implied) -> str:
    median, lower, upper = (_whole(x) for x in (one.support_median, one.support_lower, one.support_upper))
    return f"{median} ({lower} to {upper})"


def _whole(x: float) -> str:
    """A number of points without decimals.

    >>> _whole(-1.6), _whole(-0.4)
    ('-2', '0')
    """
    return f"{round(x, 0) + 0.0:.0f}"


def band(low: float, high: float) -> str:
    return f"{short(low)} to {short(high)}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    rows = list(rows)
    if not rows:
        return
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    yield title
    for row in [header, *rows]:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def plain(found: Feedback) -> dict[str, Any]:
    """The feedback as plain values: numbers, texts, lists and tables."""
    return {
        "case": found.case.name, "model": found.model, "pool": found.pool, "draws": found.draws, "seed": found.seed,
        "adherence": [_row(one) for one in found.adherence],
        "compliance": [_row(one) for one in found.compliance],
        "record": {
            "rows": found.record.rows, "expected": found.record.expected,
            "surprises": [one._asdict() for one in found.record.surprises],
            "least": [one._asdict() for one in found.record.least],
        },
        "judged": [_judged_row(one) for one in found.conflicts],
        "bent": [
            {"row": item.judgement.row, "stated": [list(point) for point in item.judgement.stated],
             "used": list(item.reached), "gap": item.gap}
            for item in found.bent
        ],
        "defaults": [default._asdict() for default in found.defaults],
        "k_ref": found.k_ref,
        "analysts": [] if found.performance is None else [one._asdict() for one in found.performance.analysts],
        "notes": list(found.notes), "questions": list(found.questions),
        "doubts": list(found.doubts),
    }  # fmt: skip


def _row(one: Implied) -> dict[str, Any]:
    return one._asdict() | {"date": one.date.isoformat()}


def _judged_row(one: Conflict) -> dict[str, Any]:
    moves = [move._asdict() | {"sds": move.sds if isfinite(move.sds) else None} for move in one.moves]
    return {
        "row": one.row, "analyst": one.analyst, "state": one.item.state, "rule": one.item.rule,
        "stage": one.item.stage, "date": one.item.date.isoformat(), "judged": list(one.judged),
        "implied": one.implied, "agrees": one.agrees, "moves": moves, "told": one.told,
    }  # fmt: skip
