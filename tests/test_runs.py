"""Files of a RUN on a disk that has no room for them."""

import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="limits of a process are those of POSIX")

FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np, xarray as xr
from bayes_compliance.runs import write_netcdf
data = xr.Dataset({"x": ("i", np.random.default_rng(1).standard_normal(50_000))})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_netcdf(Path(sys.argv[1]), data)
except OSError as error:
    sys.exit(f"said: {error.strerror}")
"""


def test_a_full_disk_is_an_error_and_not_the_end_of_the_process(tmp_path):
    """HDF5, which writes after the error once more as it closes its files, would end it by a signal."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "a.nc")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (1, "said: File too large")
