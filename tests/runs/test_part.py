"""Parts of a run: together the whole, none twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.training.toy_pulses import toy_pulses

from discrimen.errors import SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader, open_writer
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.part import part_of_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.BIN"
    with open_writer(path, DetectorSettings(sample_period_ns=10.0, polarity="negative")) as writer:
        writer.write(toy_pulses(101))
    return path


def entries(run: Path, first: float, stop: float) -> list[int]:
    reader = open_reader(run, ReadOptions(chunk_bytes=4096))
    assert reader.info.n_entries is None  # so that they are counted
    inside = part_of_run(reader, (first, stop))
    chunks = [inside(pulses) for pulses in reader.chunks()]
    assert len(chunks) > 2
    return np.concatenate([pulses.column("entry") for pulses in chunks]).tolist()


def test_parts_make_up_the_whole_and_share_nothing(run: Path) -> None:
    parts = [entries(run, first, stop) for first, stop in ((0, 0.5), (0.5, 0.75), (0.75, 1))]
    assert [entry for part in parts for entry in part] == list(range(202))
    assert [len(part) for part in parts] == [101, 51, 50]


@pytest.mark.parametrize("share", [(0.5, 0.5), (0.6, 0.5), (-0.1, 0.5), (0, 1.1)])
def test_what_is_no_part_is_refused(run: Path, share: tuple[float, float]) -> None:
    with pytest.raises(SettingsError, match="two shares from 0 to 1 in ascending order"):
        part_of_run(open_reader(run), share)
