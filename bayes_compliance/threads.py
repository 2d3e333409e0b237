"""One thread for linear algebra: many small products are slower on several, and their last bits then vary."""

from __future__ import annotations

from contextlib import AbstractContextManager


def one_thread() -> AbstractContextManager[object]:
    """While this holds, BLAS takes one thread; what runs in parallel is whole chains."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="blas")
