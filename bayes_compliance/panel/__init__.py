"""Many states, many rules: which states are readier to comply, whatever the rule?"""

from __future__ import annotations

from bayes_compliance.panel.loading import load_panel
from bayes_compliance.panel.records import Covariates, Entry, Panel, RuleKey

__all__ = ["Covariates", "Entry", "Panel", "RuleKey", "load_panel"]
