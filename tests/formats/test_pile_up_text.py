"""Folders of piled-up traces as text, with the clean waveforms that each trace is the sum of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import FormatError
from discrimen.formats.base import ReadOptions
from discrimen.formats.pile_up_text.reader import NAME, parts_beside, traces_in
from discrimen.formats.table import find_format, open_reader
from discrimen.pulses import concatenate
from discrimen.pulses.detector import DetectorSettings

FILES = ("feature_train.csv", "label1_train.csv", "label2_train.csv")


def write_folder(folder: Path, name: str = "train", *, n_traces: int = 6, seed: int = 0) -> Path:
    """Two pulses in each row, of 40 samples."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    time = np.arange(40)
    parts = []
    for _ in range(2):
        late = time - rng.integers(12, 20, (n_traces, 1))
        height = rng.integers(30, 90, (n_traces, 1))
        parts.append(np.rint(height * np.where(late >= 0, np.exp(-late / 6), 0)).astype(int))
    for stem, rows in zip(("feature", "label1", "label2"), (parts[0] + parts[1], *parts), strict=True):
        np.savetxt(folder / f"{stem}_{name}.csv", rows, fmt="%d", delimiter=",")
    return folder


def test_the_layout_tells_period_polarity_and_baseline(tmp_path: Path) -> None:
    reader = open_reader(write_folder(tmp_path) / FILES[0])
    settings = reader.info.settings
    assert (reader.info.format, settings.sample_period_ns, settings.polarity) == (NAME, 1.0, "positive")
    assert settings.baseline is not None
    assert settings.baseline.stop_ns == 10
    pulses = concatenate(reader.chunks())
    assert pulses.samples.shape == (6, 40)
    told = open_reader(tmp_path / FILES[0], ReadOptions(settings=DetectorSettings(sample_period_ns=2.0)))
    assert told.info.settings.sample_period_ns == 2.0


def test_a_folder_stands_for_its_traces(tmp_path: Path) -> None:
    write_folder(write_folder(tmp_path / "As" / "Type2"), "test")
    assert [path.name for path in traces_in(tmp_path / "As" / "Type2")] == ["feature_test.csv", "feature_train.csv"]
    assert traces_in(tmp_path / "run.BIN") == (tmp_path / "run.BIN",)
    with pytest.raises(FormatError, match="give one of its folders: Type2"):
        traces_in(tmp_path / "As")


def test_clean_waveforms_lie_beside(tmp_path: Path) -> None:
    traces = write_folder(tmp_path) / FILES[0]
    assert parts_beside(traces) == (tmp_path / FILES[1], tmp_path / FILES[2])
    (tmp_path / FILES[2]).unlink()
    with pytest.raises(FormatError, match=r"label2_train\.csv is missing"):
        parts_beside(traces)
    (tmp_path / FILES[1]).unlink()
    assert parts_beside(traces) is None


def test_traces_without_labels_are_known_by_their_folder(tmp_path: Path) -> None:
    traces = write_folder(tmp_path / "Type2") / FILES[0]
    for name in FILES[1:]:
        (traces.parent / name).unlink()
    assert find_format(traces).name == NAME
    elsewhere = tmp_path / FILES[0]
    traces.rename(elsewhere)
    assert find_format(elsewhere).name == "text-matrix"
