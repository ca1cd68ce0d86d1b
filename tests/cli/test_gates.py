"""``discrimen gates``: a detector file from a mixed run, that the other commands take."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from discrimen.cli.main import main
from discrimen.errors import DataError
from discrimen.labelling.gate_search import GateChoice, Reached
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings, GatesNs, read_settings
from discrimen.runs.simulated import simulate_run
from discrimen.simulation.config import SimulationConfig

FOUND = Reached(figure_of_merit=1.5, error=0.02, n_slices=4, n_poor_fits=0, evidence=None, problem="")


@pytest.fixture
def mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Simulate two channels; the search itself, which is tested elsewhere, finds gates in the first one only."""

    def search(pulses: Pulses, settings: DetectorSettings, *, rng: np.random.Generator) -> GateChoice:
        if pulses.column("channel")[0] == 1:
            raise DataError("no gates show two species")
        before = None if settings.gates is None else FOUND
        gates = GatesNs(gate_start_ns=-20, short_gate_end_ns=25, long_gate_end_ns=200)
        return GateChoice(gates=gates, chosen_on=FOUND, reached=FOUND, before=before, n_tried=9, n_pulses=len(pulses))

    monkeypatch.setattr("discrimen.cli.gates.choose_gates", search)
    simulate_run(SimulationConfig(n_pulses=60, n_channels=2), tmp_path / "run.lh5")
    return tmp_path / "run.lh5"


def gates(*arguments: object) -> int:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["discrimen", "gates", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0)


def test_gates_go_into_the_detector_file_by_channel(
    mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "detector.yaml"
    assert gates(mixed, "-o", output, "--gates", "-20:30:300") == 0
    out, err = capsys.readouterr()
    assert "board 0 channel 0: --gates -20:25:200 of 9 tried; figure of merit 1.500 +- 0.020" in out
    assert "the gates of before reach 1.500" in out
    assert "board 0 channel 1: no gates show two species" in err
    written = read_settings(output)
    ends = [getattr(written.of(0, channel).gates, "short_gate_end_ns", None) for channel in (0, 1)]
    assert ends == [25, 30]
    assert gates(mixed, "-o", output) == 1
    assert "there already" in capsys.readouterr().err


def test_one_channel_needs_no_list_and_json_has_all(
    mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "detector.yaml"
    assert gates(mixed, "-o", output, "--channel", "0", "--json") == 0
    (channel,) = json.loads(capsys.readouterr().out)["channels"]
    assert (channel["channel"], channel["n_tried"], channel["before"]["figure_of_merit"]) == (0, 9, 1.5)
    written = read_settings(output)
    assert written.channels is None
    assert written.gates is not None
    assert gates(mixed, "--channel", "1") == 1
    assert gates(mixed, "--gates", "30:20:10") == 2
