"""Somewhere for PyTensor to write: it wants a folder in the home as soon as it is imported, and fails without."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

FLAGS = "PYTENSOR_FLAGS"


def give() -> None:
    """Name a folder that goes with the process, where the home cannot be written to and nobody has named another."""
    named = "base_compiledir" in os.environ.get(FLAGS, "") or "PYTENSORRC" in os.environ
    if "pytensor" in sys.modules or named or _usable():
        return
    try:
        place = tempfile.mkdtemp(prefix="bayes_compliance-")
    except OSError:  # PyTensor says what it lacks
        return
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    os.environ[FLAGS] = ",".join(filter(None, (os.environ.get(FLAGS), f"base_compiledir={place}")))


def _usable() -> bool:
    """Whether PyTensor could use the folder that it has by default; on Windows that is not in the home."""
    if sys.platform == "win32":
        return True
    try:
        place = Path.home() / ".pytensor"
        place.mkdir(exist_ok=True)
        return os.access(place, os.W_OK)
    except (OSError, RuntimeError):
        return False
