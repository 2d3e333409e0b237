"""The report of a panel: one self-contained page in the look of a case's report."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from bayes_compliance.analysis import reputation as words_of
from bayes_compliance.inference.diagnostics import failed
from bayes_compliance.panel import plots, words
from bayes_compliance.panel.fitting import draws_of
from bayes_compliance.report import sentences
from bayes_compliance.report.parts import (
    Cell,
    Number,
    Section,
    bullets,
    figure,
    heading,
    join,
    paragraph,
    table,
    template,
)
from bayes_compliance.report.sections.diagnostics import diagnostics
from bayes_compliance.report.sections.provenance import provenance
from bayes_compliance.report.sentences import number, percent

if TYPE_CHECKING:
    import xarray as xr

    from bayes_compliance.panel.command import PanelRun

MOST_DRAWN = 60
"""Rules of which bands are drawn; of more, the ends."""


def render(run: PanelRun) -> str:
    """One HTML page that needs no network and no script; its first line says which diagnostics failed."""
    missed = failed(run.checks)
    sections = [_ranking(run), _rules(run), _covariates(run), _ahead(run), _record(run), _left_out(run)]
    return template("page.html.j2").render(
        title="Which states are readier to comply?",
        subtitle=words.subtitle(run.layout),
        verdict=sentences.verdict([str(check) for check in missed], len(run.checks)),
        failed=bool(missed),
        style=Markup(files("bayes_compliance.report").joinpath("templates/style.css").read_text(encoding="utf-8")),
        sections=[s for s in sections if s is not None] + [_limits(run), diagnostics(run), provenance(run)],  # type: ignore[arg-type]
    )


def _ranking(run: PanelRun) -> Section:
    found = run.reputation
    if run.layout.pooling == "complete":
        return Section("The answer", "answer", paragraph(words.POOLED["complete"], "lead"))
    said = [paragraph(words_of.verdict(found), "lead"), paragraph(words_of.ends(found))]
    said += [paragraph(words.POOLED[run.layout.pooling])]
    if run.layout.paths and "drift" in run.tree["posterior"]:
        said += map(paragraph, words.moved(run.layout, draws_of(run.tree)["drift"]))
    said += [figure(plots.bands(found), "States by the median of P2 + G2. The order is read from the bands: where two "
                    "overlap, it may as well be the other way round.")]  # fmt: skip
    if found.sizes["state"] <= plots.MOST_CELLS:
        said += [figure(plots.pairs(found), "Probability in percent that the state of the row is readier to comply "
                        "than that of the column; bold where one is above 80%.")]  # fmt: skip
    said += [paragraph(f"To adhere (P1 + G1): {words_of.verdict(found, 'adherence')}"), _table(run)]
    return Section("The answer: who is readier", "answer", join(said))


def _table(run: PanelRun) -> Markup:
    """States in the order of their names: a table to look one up, not to read down."""
    columns = ["State", Number("Compliance rows"), Number("P2 + G2, sigma"), Number("5% to 95%"), Number("Mean rank"),
               Number("P1 + G1, sigma"), Number("5% to 95%")]  # fmt: skip
    by, count = {k: run.reputation.sel(kind=k) for k in words_of.KINDS}, _compliances(run)
    rows: list[list[Cell]] = []
    for i, state in enumerate(map(str, run.reputation["state"].values)):
        cells: list[list[Cell]] = [
            [number(float(one["median"][i])), f"{number(float(one['lower'][i]))} to {number(float(one['upper'][i]))}"]
            for one in by.values()
        ]
        rank = f"{float(by['compliance']['mean_rank'][i]):.1f}"
        rows.append([state, count.get(state, 0), *cells[0], rank, *cells[1]])
    return table("States, by name", columns, rows)


def _compliances(run: PanelRun) -> dict[str, int]:
    states = [e.decision.state for e in run.layout.entries if e.decision.kind == "compliance"]
    return {state: states.count(state) for state in set(states)}


def _rules(run: PanelRun) -> Section:
    flat = draws_of(run.tree)["interest"].reshape(-1, len(run.layout.rules))
    names, quantiles = [str(rule) for rule in run.layout.rules], np.quantile(flat, [0.05, 0.5, 0.95], axis=0)
    note = "The higher, the more its winners at home outweigh its losers, whatever the state."
    if len(names) > MOST_DRAWN:
        order = np.argsort(quantiles[1], kind="stable")
        some = np.concatenate([order[: MOST_DRAWN // 2], order[-MOST_DRAWN // 2 :]])
        note += f" The {MOST_DRAWN // 2} lowest and the {MOST_DRAWN // 2} highest of {len(names)} rules."
        names, quantiles = [names[i] for i in some], quantiles[:, some]
    label = "net interest J − K + w q L, in units of sigma, against the average rule"
    drawn = figure(plots.intervals("rules", "Net interest of each rule", names, quantiles, label), note)
    return Section("Which rules are easier", "rules", drawn)


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
        [str(name), *(number(float(found[k].sel(covariate=name))) for k in ("lower", "median", "upper")),
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
    said = [paragraph(text) for text in words.ahead(run.layout, run.forecast.table)]
    columns = ["State", Number("p comply"), Number("p partial"), Number("p violate"), Number("5% to 95%")]
    rows = [
        ["a new state" if row["state"] == "*" else row["state"], percent(row["p_comply"]), percent(row["p_partial"]),
         percent(row["p_violate"]), f"{percent(row['p_lower'])} to {percent(row['p_upper'])}"]
        for row in run.forecast.table if row["rule"] == "*"
    ]  # fmt: skip
    caption = f"A new rule, falling due on {run.layout.panel.until}; every pair of state and rule is in forecast.csv"
    return Section("What to expect", "ahead", join([*said, table(caption, columns, rows)]))


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
    text = words.scored(mean, error, len(run.left_out.score), len(set(run.left_out.state)))
    return Section("States that it had not seen", "left-out", paragraph(text))


def _limits(run: PanelRun) -> Section:
    return Section("What it does not know", "limits", bullets(words.LIMITS))
