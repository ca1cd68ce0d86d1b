"""Run files with awkward names, a model, and batches of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.scoring.small_model import long_records, write_run, write_small_model

NAMES = ("run 1.BIN", "it's $HOME; run 2.BIN", 'run "3" & *.BIN', "run-4.BIN", "run\\5.BIN")


def write_inputs(folder: Path) -> tuple[Path, list[Path]]:
    """Write a model and run files whose names would mislead a careless script."""
    model = write_small_model(folder / "the model.discrimen")
    runs = folder / "runs of today"
    runs.mkdir()
    return model, [write_run(runs / name, long_records()) for name in NAMES]


def submit(jobs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script that submits."""
    return subprocess.run(
        ["sh", jobs / "submit", *arguments], capture_output=True, text=True, timeout=60, check=False, cwd="/"
    )
