"""A case folder as data: what the case is, what analysts judge, and what was observed."""

from __future__ import annotations

from bayes_compliance.case.case import Case
from bayes_compliance.case.loading import load_case
from bayes_compliance.case.problems import CaseError, Problem
from bayes_compliance.case.schema import CounterpartySet, Dynamics, Horizon, Lobby, Rule, Shock, StageWeights, State
from bayes_compliance.case.schema_rows import Decision, Judgement, Proxy, Seed
from bayes_compliance.case.schema_scenarios import AddedLobby, Change, Scenario
from bayes_compliance.case.writing import write_case

__all__ = [
    "AddedLobby",
    "Case",
    "CaseError",
    "Change",
    "CounterpartySet",
    "Decision",
    "Dynamics",
    "Horizon",
    "Judgement",
    "Lobby",
    "Problem",
    "Proxy",
    "Rule",
    "Scenario",
    "Seed",
    "Shock",
    "StageWeights",
    "State",
    "load_case",
    "write_case",
]
