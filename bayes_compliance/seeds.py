"""One integer from the command line down: every use of chance has a named stream of its own."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def sequence(seed: int, name: str) -> np.random.SeedSequence:
    """The seed sequence of a named stream; streams of other names are independent of it."""
    return np.random.SeedSequence([seed, crc32(name.encode())])


def generator(seed: int, name: str) -> np.random.Generator:
    """A generator on a named stream."""
    return np.random.default_rng(sequence(seed, name))


def integer(seed: int, name: str) -> int:
    """A 32-bit seed for a library that takes an integer."""
    return int(sequence(seed, name).generate_state(1)[0])
