"""A home that cannot be written to is no reason to fail."""

import os
import subprocess
import sys

import pytest

from bayes_compliance.inference import home

ASKED = "import bayes_compliance.inference.compiled, pytensor; print(pytensor.config.base_compiledir)"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="/proc is Linux's: nobody can write to it")
def test_pytensor_is_given_a_folder_where_the_home_has_none():
    environment = {k: v for k, v in os.environ.items() if k != home.FLAGS} | {"HOME": "/proc"}
    done = subprocess.run([sys.executable, "-c", ASKED], env=environment, capture_output=True, text=True, check=True)
    place = done.stdout.strip()
    assert os.path.basename(place).startswith("bayes_compliance-")
    assert not os.path.exists(place), "it goes with the process"


def test_without_any_folder_pytensor_says_itself_what_it_lacks(monkeypatch):
    def none(**_):
        raise FileNotFoundError("No usable temporary directory")

    monkeypatch.setenv("HOME", "/proc")
    monkeypatch.delitem(sys.modules, "pytensor", raising=False)
    monkeypatch.delenv(home.FLAGS, raising=False)
    monkeypatch.setattr(home.tempfile, "mkdtemp", none)
    home.give()
    assert home.FLAGS not in os.environ


def test_what_somebody_has_named_is_left(monkeypatch):
    monkeypatch.setenv("HOME", "/proc")
    monkeypatch.delitem(sys.modules, "pytensor", raising=False)
    monkeypatch.setenv(home.FLAGS, "base_compiledir=/somewhere")
    home.give()
    assert os.environ[home.FLAGS] == "base_compiledir=/somewhere"
    monkeypatch.setenv(home.FLAGS, "exception_verbosity=high")
    monkeypatch.setenv("PYTENSORRC", "mine")
    home.give()
    assert os.environ[home.FLAGS] == "exception_verbosity=high"
    monkeypatch.delenv("PYTENSORRC")
    home.give()
    first, place = os.environ[home.FLAGS].split(",")
    assert first == "exception_verbosity=high"
    assert os.path.isdir(place.removeprefix("base_compiledir="))
