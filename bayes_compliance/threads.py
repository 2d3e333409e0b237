"""How many cores to use, and one thread for linear algebra.

Many small products are slower on several threads, and their last bits then vary.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

CORES = "BAYES_COMPLIANCE_CORES"
"""Environment variable: cores for a process that shares the machine with others; no result depends on it."""


def cores() -> int:
    """Cores that this process may use: those of the machine, or fewer where the environment says so."""
    said = os.environ.get(CORES, "")
    return int(said) if said.isdigit() and int(said) else os.cpu_count() or 1


def one_thread() -> AbstractContextManager[object]:
    """While this holds, BLAS takes one thread; what runs in parallel is whole chains."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="blas")
