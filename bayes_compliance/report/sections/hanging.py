"""What the answer hangs on: priors counted half or twice, other noise, and whether the model makes such records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from bayes_compliance.case.vocabulary import ANY_RULE
from bayes_compliance.kept import horizon
from bayes_compliance.latents import Latents
from bayes_compliance.report import facts
from bayes_compliance.report.parts import Number, Section, bullets, heading, join, paragraph, table
from bayes_compliance.report.sentences import number, percent, plural
from bayes_compliance.validation import predictive, sensitivity
from bayes_compliance.validation import sentences as told
from bayes_compliance.validation.known import FEW, FUTURES
from bayes_compliance.validation.noise import SCALES, at_noise
from bayes_compliance.validation.without import without_each

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.report.parts import Cell
    from bayes_compliance.runs import Run
    from bayes_compliance.validation.noise import AtNoise
    from bayes_compliance.validation.sensitivity import Sensitivity
    from bayes_compliance.validation.without import Without

OWN_RULES = "one of its rules, at random"
"""Stands where a rule's id would; no id has a comma."""

INTRODUCTION = (
    "How far would the forecast move if one prior (a judgement, or a default where nobody judged) counted half, or "
    "twice as if a second analyst had said the same? The draws are weighted anew by that prior's density to a power; a "
    "sensitivity of .05 or more counts; below it the largest of so many is chance, and none is named. It asks of the "
    "priors what the value of information asks of the world. A sensitivity is to a small change in a weight: how far "
    "the record as a whole moved the answer, “What the data moved” tells."
)
REPEATS = (
    "Numbers that a reader of the record would count, beside replicates of the same decisions that the fitted model "
    "makes, each one step ahead."
)

WITHOUT = (
    "What an analyst alone judged has its default again, and defaults in units of K_ref follow what is left of K. The "
    "draws are weighted anew; where weights cannot carry the forecast, a run on the case without the analyst tells."
)


def hanging(run: Run) -> Section:
    """Prior sensitivity, conflict of judgements and decisions, other noise, posterior predictive checks."""
    assert run.forecast is not None
    prepared, tree, forecast = run.prepared, run.tree, run.forecast.dataset
    found = sensitivity.of_forecast(prepared, tree, with_own_rules(forecast))
    whole, each = ([one for one in found if (one.rule == OWN_RULES) == alike] for alike in (True, False))
    seed = run.summary["settings"]["seed"]
    noises, analysts = _noise(run), without_each(prepared, tree, forecast, seed=seed)
    all_told = all(one.p for one in noises) and all(one.p for one in analysts)
    missing = told.untested(whole, noises, analysts)
    parts = [paragraph(INTRODUCTION), bullets(told.hangs_on(one, all_told) for one in whole)]
    parts += [*([paragraph(missing)] if missing else []), *_by_rule(each)]
    parts += [heading("Priors against decisions"), paragraph(told.pulls(sensitivity.conflicts(prepared, tree)))]
    parts += [
        heading("Another decision noise"),
        paragraph(
            told.noise(
                noises,
                facts.at_the_end(run),
                facts.whose(run, "decision_noise", "a default"),
                learnt=bool(len(Latents(prepared.layout).free["decision_noise"])),
                model=run.summary["settings"]["model"],
            )
        ),
    ]
    parts += [*_without(run, analysts), *_repeats(run)]
    return Section("What the answer hangs on", "hangs-on", join(parts))


def with_own_rules(forecast: xr.Dataset) -> xr.Dataset:
    """`p_draw` of each rule that a state owes, and of one taken at random among them."""
    import xarray as xr

    p = forecast["p_draw"].sel(rule=[rule for rule in forecast["rule"].values if rule != ANY_RULE])
    return xr.concat([p, p.mean("rule").expand_dims(rule=[OWN_RULES])], "rule").to_dataset(name="p_draw")


def _by_rule(found: list[Sensitivity]) -> list[Markup]:
    """A row for each forecast of which a prior counts, and how many there are of which none does."""
    rows = [row for one in found for row in _rows(one)]
    none = f"no single prior has a sensitivity of {told.MARK} or more"
    if not rows:
        return [paragraph(f"Rule by rule, too, {none}.")] if found else []
    columns = ["State", "Rule", Number("Complies"), "Hangs most on", Number("Sensitivity"), Number("Counted half")]
    drawn = table("What each forecast hangs on most, on the last date", [*columns, Number("Counted twice")], rows)
    rest = len(found) - len(rows)
    if not rest:
        return [drawn]
    few = f"Of {plural(len(found), 'forecast')} by rule, {rest} {'is' if rest == 1 else 'are'} not in the table: there"
    return [drawn, paragraph(f"{few} {none}.", "note")]


def _rows(one: Sensitivity) -> list[list[Cell]]:
    """The prior that counts most among those that weights can tell of, else the first of the others."""
    able, unable = told.counting(one)
    return [
        [one.state, one.rule, percent(one.p),
         f"{'' if able else 'cannot tell without a new fit: '}{told.name(hang.quantity, hang.of, hang.judged)}",
         number(hang.sensitivity),
         *("cannot tell" if not again.trusted else percent(again.mean) for again in (hang.half, hang.double))]
        for hang in [*able, *unable][:1]
    ]  # fmt: skip


def _noise(run: Run) -> list[AtNoise]:
    assert run.forecast is not None
    seed, until = run.summary["settings"]["seed"], horizon(run.forecast.dataset)
    return [at_noise(run.prepared, run.tree, seed=seed, scale=scale, until=until) for scale in SCALES]


def _without(run: Run, found: list[Without]) -> list[Markup]:
    assert run.forecast is not None
    if not found:
        return []
    now = facts.by_state(facts.at_the_end(run))
    rows = [
        [one.analyst, state, percent(p), percent(facts.by_state(one.p)[state]) if one.p else "", one.how]
        for one in found
        for state, p in now.items()
    ]
    columns = ["Without", "State", Number("With all"), Number("Without"), "How"]
    caption = "The probability of compliance on the last date, on one of the state's rules taken at random"
    words = WITHOUT + _paired(max(one.error for one in found))
    return [heading("Each analyst left out"), paragraph(words), table(caption, columns, rows)]


def _paired(error: float) -> str:
    """What is to be said of the Monte Carlo error where constants moved."""
    if error == 0:
        return ""
    return (
        f" Where a default moves, its change to the forecast is that of up to {FEW} draws with {FUTURES} futures each, "
        f"the same before and after: Monte Carlo standard error up to {max(100 * error, 0.1):.1f} percentage points."
    )


def _repeats(run: Run) -> list[Markup]:
    found = predictive.checks(run.prepared, run.tree)
    if not found:
        return []
    spells = predictive.spells(run.prepared.layout)
    rows = [
        [check.name, _observed(check, spells), number(check.median), f"{number(check.lower)} to {number(check.upper)}",
         "strange" if check.strange else ""]
        for check in found
    ]  # fmt: skip
    columns = ["Count", Number("On record"), Number("Replicated: median"), Number("5% to 95%"), "Verdict"]
    return [
        heading("Would the model make such a record?"), paragraph(REPEATS), paragraph(told.replicates(found)),
        table(f"{plural(len(found), 'count')} on record and in replicates", columns, rows),
        *_returns(found, spells),
    ]  # fmt: skip


def _observed(check: predictive.Check, spells: predictive.Spells) -> str:
    unended = f" ({spells.open} of {spells.n} not ended)" if check.name == predictive.RETURN and spells.open else ""
    return f"{number(check.observed)}{unended}"


def _not_ended(spells: predictive.Spells | None) -> str:
    """How many spells of violations on record have not ended, and how many of these count 0 years."""
    if spells is None or not spells.open:
        return ""
    none = " No return to compliance is on record." if spells.open == spells.n else ""
    begun = f", and {spells.just_begun} of these began with the last decision on the rule: 0 years so far"
    open_ = f"Not ended on record: {spells.open} of {plural(spells.n, 'spell')} of violations"
    return f"{none} {open_}{begun if spells.just_begun else ''}."


def _returns(found: list[predictive.Check], spells: predictive.Spells | None = None) -> list[Markup]:
    """Of which replicates the years in violation are, and how a violation counts that nothing ended."""
    return [
        paragraph(
            "Years in violation are no forecast of when a violator returns. They are of replicates that have a "
            f"violation at all, {'all of them' if check.having == 1 else percent(check.having) + ' of them'}. "
            "A violation after which no compliance is on record counts up to the last decision on its rule, and so for "
            f"less than it lasted.{_not_ended(spells)}",
            "note",
        )
        for check in found
        if check.name == predictive.RETURN
    ]
