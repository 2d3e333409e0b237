"""The report of a panel: one self-contained page in the look of a case's report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from bayes_compliance import models
from bayes_compliance.analysis import reputation as words_of
from bayes_compliance.analysis.reputation import points
from bayes_compliance.case.vocabulary import LEVELS
from bayes_compliance.errors import Unwritten
from bayes_compliance.inference.diagnostics import failed
from bayes_compliance.panel import plots, words
from bayes_compliance.panel.fitting import draws_of
from bayes_compliance.report import sentences, tried, unwritten
from bayes_compliance.report.parts import (
    Cell,
    Number,
    Section,
    bullets,
    figure,
    heading,
    join,
    page,
    paragraph,
    table,
)
from bayes_compliance.report.sections.diagnostics import diagnostics
from bayes_compliance.report.sections.provenance import provenance
from bayes_compliance.report.sentences import percent

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.panel.command import PanelRun
    from bayes_compliance.panel.holding import HeldOut

MOST_DRAWN = 60
"""Rules of which bands are drawn; of more, the ends."""

MOST_ROWS = 25
"""States on rules of which the forecast stands on the page."""


def render(run: PanelRun) -> str:
    """One HTML page that needs no network and no script; its first line says which diagnostics failed.

    Raises
    ------
    Unwritten
        If sections fail; it holds the page without them, which says so.
    """
    missed = failed(run.checks)
    each = (_ranking, _rules, _covariates, _ahead, _record, _left_out, _limits, diagnostics, provenance)
    made = {section.__name__.lstrip("_"): tried(section, run) for section in each}  # type: ignore[arg-type]
    why = {name: one for name, one in made.items() if isinstance(one, str)}
    html = page(
        title="Which states are readier to comply?",
        subtitle=words.subtitle(run.layout),
        verdict=sentences.verdict_of(missed, len(run.checks)),
        failed=bool(missed),
        notices=unwritten(why),
        sections=(one for one in made.values() if isinstance(one, Section)),
    )
    if why:
        raise Unwritten(html, why)
    return html


def _ranking(run: PanelRun) -> Section:
    found = run.reputation
    if run.layout.pooling == "complete":
        alike = (words.POOLED["complete"], words.caution(run.layout))
        return Section("The answer", "answer", join(paragraph(text, "lead") for text in alike))
    told = found["told_apart"].sel(kind="compliance").values
    lead = (words_of.verdict(found), *words.across(run.layout, told), words.caution(run.layout))
    said = [*(paragraph(text, "lead") for text in lead), paragraph(words_of.ends(found))]
    said += [paragraph(text) for text in (words.meaning(run.layout), *words.apart(run.layout))]
    said.append(paragraph(words.POOLED[run.layout.pooling]))
    if run.layout.paths:
        said += map(paragraph, words.moved(run.layout, draws_of(run.tree)["drift"]))
    caption = (
        "States by the median of P2 + G2. Much of a band is the level that all states share: two that overlap may "
    )
    caption += "yet be told apart. Which are, the probability of each pair says, not the order here."
    said += [figure(plots.bands(found), caption)]
    if found.sizes["state"] <= plots.MOST_CELLS:
        said += [figure(plots.pairs(found), "Probability in percent that the state of the row is readier to comply "
                        "than that of the column; bold where one is above 80%."),
                 plots.pairs_in_numbers(found)]  # fmt: skip
    said += [paragraph(f"To adhere: {words_of.verdict(found, 'adherence')} {_steps(run)}"), _table(run)]
    return Section("The answer: who is readier", "answer", join(said))


def _steps(run: PanelRun) -> str:
    draws, model = draws_of(run.tree), models.load_panel()
    about = np.log(draws["step"] / model.step_median(draws))
    seen = [run.layout.state_index[state] for state in run.layout.panel.observed_states]
    return words.steps(about.std(axis=(0, 1))[seen], model.STEP_SPREAD)


def _table(run: PanelRun) -> Markup:
    """States in the order of their names: a table to look one up, not to read down."""
    columns = ["State", Number("Compliance decisions"), Number("P2 + G2, sigma"), Number("5% to 95%"),
               Number("Mean rank"), Number("P1 + G1, sigma"), Number("5% to 95%")]  # fmt: skip
    by, count = {k: run.reputation.sel(kind=k) for k in words_of.KINDS}, _compliances(run)
    rows: list[list[Cell]] = []
    for i, state in enumerate(map(str, run.reputation["state"].values)):
        cells: list[list[Cell]] = [
            [points(one["median"][i]), f"{points(one['lower'][i])} to {points(one['upper'][i])}"] for one in by.values()
        ]
        rank = f"{float(by['compliance']['mean_rank'][i]):.1f}"
        rows.append([state, count.get(state, 0), *cells[0], rank, *cells[1]])
    return table("States, by name. Medians; rank 1 is the readiest", columns, rows)


def _compliances(run: PanelRun) -> dict[str, int]:
    states = [e.decision.state for e in run.layout.entries if e.decision.kind == "compliance"]
    return {state: states.count(state) for state in set(states)}


def _rules(run: PanelRun) -> Section:
    flat = draws_of(run.tree)["interest"].reshape(-1, len(run.layout.rules))
    count = Counter(e.key for e in run.layout.entries if e.decision.kind == "compliance")
    names, quantiles = [str(rule) for rule in run.layout.rules], np.quantile(flat, LEVELS, axis=0)
    said = words.easiest(names, flat)
    names = [f"{name} ({count[rule]})" for name, rule in zip(names, run.layout.rules, strict=True)]
    note = "Medians, 5% to 95%; in brackets the compliance decisions on record. The higher, the more those who gain "
    note += f"outweigh those who lose, whatever the state; 0 is {words.average(run.layout)}."
    if len(names) > MOST_DRAWN:
        order = np.argsort(quantiles[1], kind="stable")
        some = np.concatenate([order[: MOST_DRAWN // 2], order[-MOST_DRAWN // 2 :]])
        note += f" The {MOST_DRAWN // 2} lowest and the {MOST_DRAWN // 2} highest of {len(names)} rules."
        names, quantiles = [names[i] for i in some], quantiles[:, some]
    label = "net interest J − K + w q L, in units of sigma, against the average rule"
    drawn = figure(plots.intervals("rules", "Net interest of each rule", names, quantiles, label), note)
    return Section("Which rules are easier", "rules", join([paragraph(said), drawn]))


def _covariates(run: PanelRun) -> Section | None:
    if run.effects is None and not run.layout.panel.rules.columns:
        return None
    said = [paragraph("Effects are associations between states, not causes; their signs were left open.")]
    if run.effects is not None:
        said += [bullets(words_of.effect_words(run.effects)), _effect_plot(run)]
    if run.layout.panel.rules.columns:
        effect = draws_of(run.tree)["rule_effect"]
        found = words_of.effects(effect.reshape(-1, effect.shape[-1]), run.layout.panel.rules.columns)
        said += [heading("Of rules"), _rule_effects(found)]
    return Section("What goes with it", "covariates", join([*said, bullets(words.missing(run.layout))]))


def _rule_effects(found: xr.Dataset) -> Markup:
    rows = [
        [str(name), *(points(found[k].sel(covariate=name)) for k in ("lower", "median", "upper")),
         percent(float(found["p_positive"].sel(covariate=name)))]
        for name in found["covariate"].values
    ]  # fmt: skip
    columns = ["Covariate", Number("5%"), Number("Median"), Number("95%"), Number("P(above 0)")]
    return table("Net interest per standard deviation, in units of sigma", columns, rows)


def _effect_plot(run: PanelRun) -> Markup:
    assert run.effects is not None
    names = [str(name) for name in run.effects["covariate"].values]
    quantiles = np.stack([run.effects[k].values for k in ("lower", "median", "upper")])
    label = "P2 + G2 per standard deviation of the covariate, in units of sigma"
    return figure(plots.intervals("effects", "Covariates of states", names, quantiles, label), "Medians, 5% to 95%.")


def _ahead(run: PanelRun) -> Section:
    until = run.layout.panel.until
    last = [row for row in run.forecast.table if row["date"] == until.isoformat()]
    last.sort(key=lambda row: row["state"] == "*")
    told = (*words.ahead(run.layout, last), words.movement(run.layout, run.forecast.table))
    said = [paragraph(text) for text in told]
    columns = ["State", Number("p comply"), Number("p partial"), Number("p violate"), Number("p comply, 5% to 95%")]
    rows = [
        [_who(run, row["state"]), percent(row["p_comply"]), percent(row["p_partial"]),
         percent(row["p_violate"]), f"{percent(row['p_lower'])} to {percent(row['p_upper'])}"]
        for row in last if row["rule"] == "*"
    ]  # fmt: skip
    caption = f"A new rule, falling due on {sentences.day(until)}"
    return Section("What to expect", "ahead", join([*said, _on_record(run, last), table(caption, columns, rows)]))


def _who(run: PanelRun, state: str) -> str:
    seen = state in run.layout.panel.observed_states
    return "a new state" if state == "*" else state if seen else f"{state} (no decision on record)"


def _on_record(run: PanelRun, last: list[dict]) -> Markup:
    """States on rules that they are on record on, the likeliest violations first."""
    count = Counter((e.decision.state, str(e.key)) for e in run.layout.entries if e.decision.kind == "compliance")
    pairs = [row for row in last if (row["state"], row["rule"]) in count]
    shown = sorted(pairs, key=lambda row: (-row["p_violate"], row["state"], row["rule"]))[:MOST_ROWS]
    of = "" if len(shown) == len(pairs) else f"; the first {len(shown)} of {len(pairs)}"
    until = sentences.day(run.layout.panel.until)
    caption = (
        f"Rules on record: a decision falling due on {until}, the likeliest violations first{of}. All dates are in "
        "forecast.csv. Rules on which decisions fall due more often have more chances of a violation."
    )
    rate = {str(rule): run.layout.panel.per_year.get(rule, 1.0) for rule in run.layout.rules}
    columns = ["State", "Rule", Number("On record"), Number("p comply"), Number("5% to 95%"), Number("p violate"),
               Number("Decisions a year"), Number("No violation until then")]  # fmt: skip
    rows: list[list[Cell]] = [
        [row["state"], row["rule"], count[row["state"], row["rule"]], percent(row["p_comply"]),
         f"{percent(row['p_lower'])} to {percent(row['p_upper'])}", percent(row["p_violate"]),
         f"{rate[row['rule']]:g}", percent(row["p_no_violation"])]
        for row in shown
    ]  # fmt: skip
    return table(caption, columns, rows)


def _record(run: PanelRun) -> Section:
    return Section(
        "What it rests on",
        "record",
        bullets([*words.record(run.layout), *words.tilt(run.layout, draws_of(run.tree)["bias_share"])]),
    )


def _left_out(run: PanelRun) -> Section | None:
    if run.left_out is None:
        return None
    mean, error = run.left_out.better
    said = [words.scored(mean, error, len(run.left_out.score), len(set(run.left_out.state)))]
    if run.left_out.counts:
        said.append(words.covered(run.left_out.counts))
    return Section("States that it had not seen", "left-out", join([*map(paragraph, said), _counts(run.left_out)]))


def _counts(found: HeldOut) -> Markup:
    columns = ["State", Number("Compliance decisions"), Number("Complied"), Number("Expected"), Number("5% to 95%")]
    rows: list[list[Cell]] = [
        [c.state, c.rows, c.complied, f"{c.expected:.1f}", f"{c.lower:.0f} to {c.upper:.0f}"] for c in found.counts
    ]
    return table("States left out, each forecast from the others and from its covariates", columns, rows)


def _limits(run: PanelRun) -> Section:
    return Section("What it does not know", "limits", bullets(words.LIMITS))
