"""A random posterior of a case in which everything moves, in several chunks of worlds."""

from __future__ import annotations

import pytest

from bayes_compliance import forecast
from tests.analysis import plain


@pytest.fixture(scope="session")
def rich(tmp_path_factory):
    """A prepared model and its stand-in posterior."""
    return plain.standin(plain.folder(tmp_path_factory.mktemp("rich")))


@pytest.fixture
def in_chunks(monkeypatch):
    """Seven draws at a time, so that chunks are put together."""
    monkeypatch.setattr(forecast, "CHUNK", 7)
