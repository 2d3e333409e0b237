"""nutpie, imported without the plots and tables of ArviZ.

It imports all of ArviZ, a second of work, for a conversion of draws that is not asked of it here. Whatever asks for
that conversion all the same gets it.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class Later(ModuleType):
    """Stands for a module that is imported when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        self.make_way()
        return getattr(importlib.import_module(self.__name__), name)

    def make_way(self) -> None:
        """Let others who import the module have it."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]


def nutpie() -> ModuleType:
    """The sampler; where nobody has imported ArviZ yet, it is not imported either."""
    if "nutpie" in sys.modules or "arviz" in sys.modules:
        return importlib.import_module("nutpie")
    later = sys.modules["arviz"] = Later("arviz")
    try:
        return importlib.import_module("nutpie")
    finally:
        later.make_way()
