"""Jobs that workers in other processes can do."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cubes:
    """Cubes, with who did them."""

    by: int = 3

    def open(self):
        return lambda key: [int(key) ** self.by, os.getpid()]


@dataclass(frozen=True)
class Deadly:
    """The first worker that is given a certain task is killed by its process id; the second lives."""

    place: Path
    fatal: str
    always: bool = False

    def open(self):
        def do(key):
            mark = self.place / "killed"
            if key == self.fatal and (self.always or not mark.exists()):
                mark.write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGKILL)
            return int(key) + 1

        return do
