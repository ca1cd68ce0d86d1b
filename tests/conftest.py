"""Fixtures that all tests share."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

# The same networks are trained again and again: each process compiles a program once, commands that it starts included.
_COMPILED = tempfile.mkdtemp(prefix="discrimen-compiled-")
atexit.register(shutil.rmtree, _COMPILED, ignore_errors=True)
os.environ["JAX_COMPILATION_CACHE_DIR"] = _COMPILED
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"


def _real_data_folder() -> Path:
    given = os.environ.get("DISCRIMEN_REAL_DATA")
    return Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real detector files; skips loudly where it is absent."""
    folder = _real_data_folder()
    if not (folder / "README.md").is_file():
        pytest.skip(f"NO REAL DATA at {folder}: set DISCRIMEN_REAL_DATA to the folder that holds it")
    return folder
