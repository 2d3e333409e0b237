"""nutpie without ArviZ: in processes of their own, since others have imported it here."""

import subprocess
import sys

import pytest

BEFORE = """
import sys
from bayes_compliance.inference.sampler import nutpie
"""
LOADED = """
assert nutpie() is sys.modules["nutpie"] is nutpie()
of_nutpie = sys.modules["nutpie.sample"].arviz
"""
THERE = "\nprint('arviz' in sys.modules, 'matplotlib.pyplot' in sys.modules)"


def said(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", BEFORE + code + THERE], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_nutpie_is_imported_without_arviz():
    assert said(LOADED) == ["False", "False"]


@pytest.mark.parametrize("first", ["of_nutpie.from_dict", "import arviz"])
def test_who_asks_for_arviz_gets_it(first):
    asked = f"\n{first}\nimport arviz\nassert of_nutpie.from_dict is arviz.from_dict"
    assert said(LOADED + asked) == ["True", "True"]


def test_arviz_that_is_there_stays():
    assert said(f"import arviz\n{LOADED}\nassert of_nutpie is arviz") == ["True", "True"]


def test_an_import_that_fails_leaves_no_stand_in():
    tried = "sys.modules['nutpie._lib'] = None\ntry: nutpie()\nexcept ImportError as e: print(e.name)"
    assert said(tried) == ["nutpie._lib", "False", "False"]
