"""`discrimen convert --share`: a part of each run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.training.toy_pulses import toy_pulses

import discrimen
from discrimen.formats.table import open_writer
from discrimen.pulses.detector import DetectorSettings

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two runs, of 200 and of 80 pulses."""
    paths = [tmp_path / "a.BIN", tmp_path / "b.BIN"]
    for path, n_pulses in zip(paths, (100, 40), strict=True):
        with open_writer(path, DetectorSettings(sample_period_ns=10.0, polarity="negative")) as writer:
            writer.write(toy_pulses(n_pulses))
    return paths


def test_a_share_of_each_file_is_written(run: Run, files: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "part.lh5"
    status, out, err = run("convert", *files, "-o", output, "--share", "0.5:0.75", "--json")
    assert status == 0, err
    assert json.loads(out)["n_pulses"] == 70
    part = discrimen.read(output).pulses
    assert [int((part.column("run") == number).sum()) for number in (0, 1)] == [50, 20]
    whole = discrimen.read(files[0]).pulses.samples
    assert (part.samples[part.column("run") == 0] == whole[100:150]).all()


@pytest.mark.parametrize(("share", "told"), [("half", "expected FIRST:STOP"), ("0.5:0.2", "in ascending order")])
def test_what_is_no_share_is_told(run: Run, files: list[Path], tmp_path: Path, share: str, told: str) -> None:
    status, _, err = run("convert", files[0], "-o", tmp_path / "part.lh5", "--share", share)
    assert status == 1
    assert told in err
    assert not (tmp_path / "part.lh5").exists()
