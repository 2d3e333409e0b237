"""Errors planted between simulator and fit: a calibration that is any good must catch each of them."""

from __future__ import annotations

import copy

import numpy as np

from bayes_compliance import worlds
from bayes_compliance.models import Prepared
from bayes_compliance.rows import RowBuilder
from bayes_compliance.validation.calibration import World, drawn
from bayes_compliance.validation.shared import history_of


class _Turned(RowBuilder):
    """K pulls towards compliance."""

    def stage_weight(self, lobby, stage):
        weight = super().stage_weight(lobby, stage)
        return -weight if lobby.role == "K" else weight


def sign_of_k(prepared: Prepared, rng: np.random.Generator) -> World:
    """The simulator takes K for a lobby that gains."""
    layout = copy.copy(prepared.layout)
    pairs = {pair: i for i, pair in enumerate(layout.pairs)}
    layout.builder = _Turned(layout.case, pairs, layout.obligation_index)
    truth, outcome = drawn(prepared._replace(layout=layout), rng)
    return World(truth, outcome, history_of(prepared.layout, outcome))


def noise_halved(prepared: Prepared, rng: np.random.Generator) -> World:
    """The simulator decides with half the noise that the fit assumes."""
    truth, _ = drawn(prepared, rng)
    made = {name: values[None] for name, values in truth.items()} | {
        "decision_noise": truth["decision_noise"][None] / 2
    }
    outcome = worlds.replay(prepared.model, prepared.layout, made, rng, as_coded=True)[0]
    return World(truth, outcome, history_of(prepared.layout, outcome))


def conduct_frozen(prepared: Prepared, rng: np.random.Generator) -> World:
    """The fit is told the conduct of the real decisions, whatever was simulated."""
    truth, outcome = drawn(prepared, rng)
    return World(truth, outcome, prepared.layout.history)


PLANTED = {"sign of K": sign_of_k, "noise halved": noise_halved, "conduct frozen": conduct_frozen}


def decided_with_half_the_noise(given):
    """For a calibration given the decisions: the copies are decided with half the noise that the fit assumes."""

    def world(prepared: Prepared, rng: np.random.Generator) -> World:
        truth = {name: values[None] for name, values in given._world(rng).truth.items()}
        loud = truth | {"decision_noise": truth["decision_noise"] / 2}
        outcome = worlds.replay(prepared.model, prepared.layout, loud, rng, as_coded=True)[0]
        outcome[prepared.layout.depth] = prepared.layout.outcome[prepared.layout.depth]
        return World({k: v[0] for k, v in truth.items()}, outcome, history_of(prepared.layout, outcome))

    return world
