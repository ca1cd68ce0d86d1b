"""A real and a simulated run through all stages by commands alone; three engines give the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import discrimen

_BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "all_stages.py"
_SIPM = ("--sample-period-ns", "1", "--polarity", "positive", "--pretrigger-ns", "100")
_STAGES = ("overlay", "train", "freeze", "evaluate", "denoise", "encode", "decode", "quality", "separate", "generate")


def passes_through(run: Path, folder: Path, *inputs: str) -> None:
    how = ("--epochs", "2", "--records", "1000", "--json")
    command = [sys.executable, str(_BENCHMARK), str(run), "-o", str(folder), *how, "--", *inputs]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert {each["command"].split()[1] for each in told["stages"]} >= set(_STAGES)
    assert len(told["engines"]) == 9
    for row in told["engines"]:
        assert max(row["native_off"], row["onnx_off"]) <= row["tolerance"], row
        assert row["largest"] > 100 * row["tolerance"], row


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.real_data
def test_a_real_run_passes_through_all_stages(real_data: Path, tmp_path: Path) -> None:
    passes_through(real_data / "wavedump" / "SiPM" / "2006272158" / "wave0.dat", tmp_path / "out", *_SIPM)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_simulated_run_passes_through_all_stages(tmp_path: Path) -> None:
    discrimen.simulate(tmp_path / "run.lh5", 400, energy_min_kevee=60.0, energy_max_kevee=1000.0)
    passes_through(tmp_path / "run.lh5", tmp_path / "out")
