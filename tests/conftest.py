"""Hypothesis profiles: `fast` in every run, `nightly` on request (HYPOTHESIS_PROFILE=nightly)."""

import os

from hypothesis import settings

settings.register_profile("fast", max_examples=30, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
