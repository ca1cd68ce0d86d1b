"""A night of run files: four formats, one file that is no run any more, and what one process makes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tests.cluster.same_content import content

from discrimen.formats.table import open_writer
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate

MODEL = Path(__file__).parents[2] / "cpp" / "examples" / "sample" / "bc501a_10ns.discrimen"
SUFFIXES = (".BIN", ".lh5", ".root", ".csv")
PART_MB = "2"
"""So that the larger files are scored in parts."""


@dataclass(frozen=True)
class Night:
    """Run files and their scores by one process.

    Parameters
    ----------
    files : tuple of Path
        All of them.
    bad : Path
        The one that is no run.
    alone : Path
        Folder of scores.
    """

    files: tuple[Path, ...]
    bad: Path
    alone: Path

    def command(self, output: Path, *more: str) -> list[str]:
        """Return the command that scores all files into a folder."""
        return command(self.files, output, *more)

    def require_same(self, output: Path) -> None:
        """Compare all scores, and see that nothing else was left."""
        names = sorted(path.name for path in self.alone.iterdir())
        assert len(names) == len(self.files) - 1
        assert sorted(path.name for path in output.iterdir() if path.name != "cluster-logs") == names
        for name in names:
            assert content(output / name) == content(self.alone / name), name


def command(files: Sequence[Path], output: Path, *more: str) -> list[str]:
    """Return a command that scores files into a folder."""
    how = ("-m", "discrimen", "classify", str(MODEL), *map(str, files), "-o", str(output), "--json", *more)
    return [sys.executable, *how]


def make_night(folder: Path, *, n_files: int, n_pulses: int) -> Night:
    """Write run files and let one process score them."""
    config = SimulationConfig(n_pulses=2 * n_pulses, seed=11)
    pulses = simulate(config).replace(label=None)
    files = [_write(folder, number, pulses, detector_settings(config), n_pulses) for number in range(n_files)]
    bad = files[n_files // 2]
    content = bad.read_bytes()
    bad.write_bytes(content[: len(content) // 3] + bytes(len(content) // 3))
    alone = folder / "alone"
    done = subprocess.run(command(files, alone), check=False, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert [failed["input"] for failed in json.loads(done.stdout)["failed"]] == [str(bad)]
    return Night(tuple(files), bad, alone)


def _write(folder: Path, number: int, pulses: Pulses, settings: DetectorSettings, n_pulses: int) -> Path:
    suffix = SUFFIXES[number % len(SUFFIXES)]
    # Text is read a few times slower: its files are smaller, so that each takes about as long.
    n_own = n_pulses // 4 if suffix == ".csv" else n_pulses
    first = 37 * number % n_pulses
    path = folder / f"run{number:03}{suffix}"
    with open_writer(path, settings) as writer:
        for start in range(0, n_own, 5000):
            stop = min(start + 5000, n_own)
            writer.write(pulses[first + start : first + stop].replace(entry=np.arange(start, stop)))
    return path


def result_of(out: str) -> dict[str, Any]:
    """Return what a command printed."""
    result: dict[str, Any] = json.loads(out)
    return result
