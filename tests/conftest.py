"""Hypothesis profiles: `fast` in every run, `nightly` on request (HYPOTHESIS_PROFILE=nightly); compiled models."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from bayes_compliance.inference import origin

settings.register_profile("fast", max_examples=30, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

os.environ["BAYES_COMPLIANCE_CACHE"] = str(Path(__file__).parents[1] / ".pytest_cache" / "compiled")


@pytest.fixture(autouse=True)
def build_each_model(monkeypatch):
    """Tests alter the equations under a model: in this process none is taken for one that was built before."""
    monkeypatch.setattr(origin, "built_from", lambda model, layout: None)
