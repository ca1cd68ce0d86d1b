"""Exit status and standard error where the standard output cannot be written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_full_disk_under_the_standard_output_is_one_line(options: tuple[str, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "run.npy", np.full((100, 50), 7, np.uint16))
    command = [sys.executable, "-m", "discrimen", "inspect", str(tmp_path / "run.npy"), *options]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "discrimen: standard output: No space left on device\n")
