"""A back-test on disk: predictions and scores as CSV, and one HTML page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from bayes_compliance.disk import replace, write_csv
from bayes_compliance.inference.remedies import remedy
from bayes_compliance.report import drawing
from bayes_compliance.report.parts import Cell, Number, Section, bullets, figure, join, page, paragraph, table, when
from bayes_compliance.theory import COMPLY, PARTIAL, VIOLATE
from bayes_compliance.validation import backtest_words as words
from bayes_compliance.validation.backtest import Prediction
from bayes_compliance.validation.scores import SCORES

if TYPE_CHECKING:
    from bayes_compliance.validation.backtest import Backtest

OUTCOMES = {VIOLATE: "violate", PARTIAL: "partial", COMPLY: "comply"}


def write(found: Backtest, folder: Path) -> None:
    """predictions.csv, scores.csv and backtest.html."""
    predictions = [
        [*one[:3], one.state, one.rule, one.date, OUTCOMES[one.outcome], *(f"{p:.6f}" for p in one[-3:])]
        for one in found.predictions
    ]
    write_csv(folder / "predictions.csv", Prediction._fields, predictions)
    write_csv(folder / "scores.csv", SCORE_COLUMNS, score_table(found))
    replace(folder / "backtest.html", render(found))


SCORE_COLUMNS = ("forecaster", "step", "decisions", "score", "mean", "skill", "skill_lower", "skill_upper", "verdict")


def score_table(found: Backtest) -> list[list[Any]]:
    """Mean scores of each forecaster at each step, and the model's skill over it."""
    rows = []
    for step in found.steps:
        for name in found.forecasters:
            each = found.scores(name, step)
            for score in SCORES:
                row = [name, step, len(each[score]), score, f"{each[score].mean():.6f}"]
                skill = [] if name == found.model else list(found.skill(name, score, step))[:3]
                verdict = "" if name == found.model else found.skill(name, score, step).verdict
                rows.append([*row, *(f"{x:.6f}" for x in skill), *[""] * (3 - len(skill)), verdict])
    return rows


def render(found: Backtest) -> str:
    """One self-contained page."""
    missed = [check for check in found.checks if not check.passed]
    failed = f"Failed: {'; '.join(map(str, missed))}. {remedy(missed)}"
    verdict = failed if missed else "Every diagnostic of every fit met its mark."
    return page(
        title=f"Back-test of {found.model} on {found.case}",
        subtitle="Each decision from what was known the day before it was taken, beside simple baselines",
        verdict=verdict,
        failed=bool(missed),
        sections=(section(found) for section in (_scores, _reliability, *_further(found), _decisions, _how)),
    )


def _scores(found: Backtest) -> Section:
    columns = ["Forecaster", "What it says", *(Number(words.SCORE_NAMES[s]) for s in SCORES), "Skill of the theory"]
    rows = []
    for name in found.forecasters:
        each = found.scores(name)
        skill = "" if name == found.model else words.skill_words(found.skill(name))
        rows.append([name, words.MEANING.get(name, "this model"), *(f"{each[s].mean():.3f}" for s in SCORES), skill])
    said = [
        paragraph(words.headline(found)),
        table("Mean scores one decision date ahead; lower is better", columns, rows),
        paragraph(words.skill_note(found)),
    ]
    return Section("Who forecast better", "scores", join(said))


def _reliability(found: Backtest) -> Section:
    text = words.reliability_words(found)
    return Section(
        "Did the probabilities mean what they said", "reliability",
        join([paragraph(text), figure(_curve(found, text), "Forecast probability of compliance, and how often it came "
              "(isotonic regression); shaded: at each probability, where 90% of honest curves would lie."),
              paragraph(words.coverage_words(found))]),
    )  # fmt: skip


def _curve(found: Backtest, text: str) -> Markup:
    corp = found.reliability()
    with drawing.canvas([3.2], frame=drawing.Frame(left=0.6, bottom=0.5)) as (fig, axes):
        ax = axes[0, 0]
        ax.plot([0, 1], [0, 1], color=drawing.SOFT, linewidth=0.8, linestyle="--")
        ax.fill_between(corp.forecast, corp.lower, corp.upper, facecolor=drawing.PALE, **drawing.edge())
        ax.plot(corp.forecast, corp.recalibrated, color=drawing.BLUE, marker="o", markersize=3)
        ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="forecast probability of compliance", ylabel="how often it came")
        return drawing.svg(fig, "reliability", "Reliability", text)


def _further(found: Backtest) -> list[Callable[[Backtest], Section]]:
    """The section on dates further ahead, where any was asked for: one row of one date says what stands above."""
    return [_ahead] if len(found.steps) > 1 else []


def _ahead(found: Backtest) -> Section:
    columns = ["Decision date ahead", Number("Decisions"), *(Number(name) for name in found.forecasters)]
    rows: list[list[Cell]] = [
        [str(step), len(found.of(found.model, step)[1]),
         *(f"{found.scores(name, step)['rps'].mean():.3f}" for name in found.forecasters)]
        for step in found.steps
    ]  # fmt: skip
    return Section("Further ahead", "ahead", table("Mean ranked probability score by steps ahead", columns, rows))


def _decisions(found: Backtest) -> Section:
    columns = ["Date", "State", "Rule", "Came", Number("p comply"), Number("p partial"), Number("p violate")]
    rows = [
        [when(one.date), one.state, one.rule, OUTCOMES[one.outcome], f"{one.p_comply:.2f}", f"{one.p_partial:.2f}",
         f"{one.p_violate:.2f}"]
        for one in found.of(found.model)[2]
    ]  # fmt: skip
    return Section("Decision by decision", "decisions", table("What was foretold the day before", columns, rows))


def _how(found: Backtest) -> Section:
    used = ", ".join(f"{name} {value}" for name, value in found.settings.items() if value is not None)
    judged = (
        "Judgements are those known at each origin."
        if found.settings["renew"]
        else "Judgements are those known at the first origin, throughout."
    )
    checks = [f"{'passed' if check.passed else 'FAILED'}: {check}" for check in found.checks]
    items = [used, words.fits_words(found), *checks]
    return Section("How it was done", "how", join([paragraph(f"{words.HINDSIGHT} {judged}"), bullets(items)]))
