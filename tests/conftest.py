"""Fixtures that all tests share."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discrimen.output.pictures import Picture

# The same networks are trained again and again: each program is compiled once, for all workers and their commands. So
# is each module of Python, in a folder of this run alone where the environment wants no bytecode beside the sources.
if "PYTEST_XDIST_WORKER" not in os.environ:
    _COMPILED = tempfile.mkdtemp(prefix="discrimen-compiled-")
    atexit.register(shutil.rmtree, _COMPILED, ignore_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _COMPILED
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    if sys.dont_write_bytecode:
        sys.dont_write_bytecode, sys.pycache_prefix = False, f"{_COMPILED}/python"
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or by -B
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


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


def _dot(*_: Any, name: str, caption: str, **__: Any) -> Picture:
    return Picture(name=name, caption=caption, png=b".", pdf=b".")


@pytest.fixture(scope="module", autouse=True)
def _undrawn(request: pytest.FixtureRequest) -> Iterator[None]:
    """Trainings and reports here are mostly a means: a dot stands for their pictures, which take longer than they do.

    A module that is about these pictures says so by the marker `drawn`.
    """
    if request.node.get_closest_marker("drawn"):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("discrimen.training.run.write_training_curve", lambda *_, path, **__: path.write_bytes(b"."))
        for name in ("roc_image", "score_image"):
            patch.setattr(f"discrimen.training.shown.{name}", lambda *_: np.zeros((1, 1, 3), np.uint8))
        patch.setattr("discrimen.training.shown.ShownCodes.figures", lambda *_: {})
        patch.setattr("discrimen.evaluation.waveforms.page.draw_waveform_plots", lambda *_, **__: {})
        for page in ("evaluation.page", "comparison.page", "reconstruction.separated_page"):
            patch.setattr(f"discrimen.{page}.picture", _dot)
        yield
