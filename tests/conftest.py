"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
