"""NAFTA as one would write it after PyMC's documentation: lobbies, yearly random walks, an ordered probit, ArviZ plots.

Run as a script: ``python plain.py CASE FOLDER``. The model is the one of `coalition` in its own words, with a step of
a year in the walks and one lognormal for each magnitude in place of pooled analysts. It is what `run` is timed against.
"""

from __future__ import annotations

import sys
from pathlib import Path

import arviz as az
import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_compliance import models
from bayes_compliance.case import load_case


def data(folder: str):
    """Rows and judgements in arrays: those of the tool itself, so that only the fit and its plots differ."""
    prepared = models.prepare("coalition", load_case(folder))
    layout, priors = prepared.layout, prepared.priors.quantities
    start = min(item.date.year for item in layout.rows.items)
    year = np.array([item.date.year - start for item in layout.rows.items])
    return layout, priors, year


def quantiles(priors, name):
    return np.array([[np.nan] * 3 if p is None else p.quantile((0.05, 0.5, 0.95)) for p in priors[name].priors])


def lognormal(name, q):
    return pm.LogNormal(name, mu=np.log(q[:, 1]), sigma=np.log(q[:, 2] / q[:, 0]) / 3.29, shape=len(q))


def model(folder: str) -> pm.Model:
    layout, priors, year = data(folder)
    rows, log = layout.rows, layout.log_scale
    magnitudes, states = quantiles(priors, "magnitude"), len(layout.case.states)
    noise = quantiles(priors, "decision_noise")[:, 1]
    with pm.Model() as built:
        weight = pm.Normal("weight", 0, 1, shape=len(log))
        sd = (
            np.where(log, np.log(np.where(log, magnitudes[:, 2] / magnitudes[:, 0], 1)), np.ptp(magnitudes, axis=1))
            / 3.29
        )
        volatility = lognormal("volatility", quantiles(priors, "volatility"))
        walk = pm.GaussianRandomWalk(
            "walk", sigma=1.0, init_dist=pm.Normal.dist(0, 0.1), shape=(len(log), int(year.max()) + 1)
        )
        pairs = int(rows.pair.max()) + 1
        spread = pm.Normal("spread", 0, 1, shape=pairs)
        omega = lognormal("rule_spread", quantiles(priors, "rule_spread"))
        shadow, trust = pm.Beta("shadow", 4, 1.6, shape=states), lognormal("trust", quantiles(priors, "trust"))
        width = lognormal("partial_width", quantiles(priors, "partial_width"))
        steps = quantiles(priors, "step")
        moving = ~np.isnan(steps[:, 1])
        step = pt.zeros(len(log))[np.flatnonzero(moving)].set(lognormal("step", steps[moving]))

        lobby, state = rows.lobby, rows.state
        change = volatility[lobby] * walk[lobby, year[:, None]]
        change += np.where(rows.pair >= 0, 1, 0) * omega[state][:, None] * spread[np.maximum(rows.pair, 0)]
        base = np.where(log, 0.0, magnitudes[:, 1])
        size = pt.where(
            log[lobby], np.where(log, magnitudes[:, 1], 1)[lobby] * pt.exp(sd[lobby] * weight[lobby] + change),
            base[lobby] + sd[lobby] * weight[lobby] + change,
        )  # fmt: skip
        size += rows.steps * step[lobby]
        q = (trust[state][:, None] + layout.history.credit) / (trust[state][:, None] + layout.history.count)
        seen = sum(rows.sees[..., c] * q[:, c, None] for c in range(rows.sees.shape[-1]))
        answer = pt.where(rows.answers, shadow[state][:, None] * seen, 1.0)
        margin = pm.Deterministic("margin", (rows.weight * size * answer).sum(axis=1) - rows.threshold)
        c = width[state] * (layout.rows.n_outcomes == 3)
        comply, violate = (pm.math.invprobit((s * margin - c) / noise[state]) for s in (1, -1))
        p = pt.stack([violate, pt.clip(1 - comply - violate, 0, 1), comply], axis=1)
        error, n = layout.error[:, None], layout.rows.n_outcomes[:, None]
        p = (1 - error) * p + error * (1 - p) / (n - 1) * (n > (np.arange(3) == 1) * 2)
        pm.Categorical("outcome", p=pt.clip(p, 1e-12, 1), observed=layout.outcome)
    return built


def main(folder: str, out: str) -> None:
    with model(folder):
        tree = pm.sample(1000, tune=500, chains=4, random_seed=1, progressbar=False)
        tree.update(pm.sample_posterior_predictive(tree, random_seed=1, progressbar=False))
    Path(out).mkdir(parents=True, exist_ok=True)
    az.summary(tree, var_names=["weight", "volatility", "margin"]).to_csv(Path(out, "summary.csv"))
    judged = ["weight", "shadow", "trust", "partial_width", "rule_spread", "step"]
    az.plot_trace_dist(tree, var_names=["shadow", "trust", "partial_width"]).savefig(str(Path(out, "trace.png")))
    az.plot_forest(tree, var_names=judged).savefig(str(Path(out, "forest.png")))
    az.plot_forest(tree, var_names=["margin"]).savefig(str(Path(out, "margin.png")))
    tree.to_netcdf(Path(out, "posterior.nc"), engine="h5netcdf")


if __name__ == "__main__":
    main(*sys.argv[1:])
