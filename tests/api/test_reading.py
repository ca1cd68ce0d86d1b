"""Run files by name: lists of them, options that they do not hold, labels of each."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.training.toy_pulses import toy_pulses

import discrimen
from discrimen.api import options
from discrimen.api.inputs import inputs_of
from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_writer
from discrimen.pulses.detector import DetectorSettings, GatesNs


def write(path: Path, *, label: bool = True, seed: int = 0) -> Path:
    pulses = toy_pulses(20, seed=seed)
    channel = np.arange(40, dtype=np.int32) % 2
    with open_writer(path, DetectorSettings(polarity="negative", pretrigger_ns=150)) as writer:
        writer.write(pulses.replace(channel=channel, board=0 * channel, label=pulses.label if label else None))
    return path


def test_several_files_are_one_data_set_with_labels_of_each(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a.lh5"), write(tmp_path / "b.lh5", seed=1)]
    both = discrimen.read(paths)
    assert [file["n_pulses"] for file in both.files] == [40, 40]
    assert both.labels_from == tuple(paths)
    each = discrimen.read(paths, label_by=["gamma", "file"])
    assert each.count(discrimen.Label.GAMMA) == 60
    assert each.labels_from == (paths[1],)
    with pytest.raises(SettingsError, match="1 ways for 2 files"):
        discrimen.read(paths, label_by=["gamma"])
    with pytest.raises(SettingsError, match="no file is given"):
        discrimen.read([])


def test_labels_are_never_lost_in_silence(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a.lh5"), write(tmp_path / "b.lh5", label=False)]
    with pytest.raises(DataError, match=r"of a\.lh5, b\.lh5 some have labels and some have none"):
        discrimen.read(paths)
    assert len(discrimen.read(paths, label_by=["file", "neutron"])) == 80


def test_what_a_file_does_not_say_is_given_by_name(tmp_path: Path) -> None:
    np.save(tmp_path / "bare.npy", toy_pulses(20).samples)
    known = discrimen.read(
        tmp_path / "bare.npy", sample_period_ns=2, polarity="negative", baseline=(0, 20), gates=(-4, 10, 60)
    )
    assert known.pulses.sample_period_ns == 2.0
    assert known.settings.gates == GatesNs(gate_start_ns=-4, short_gate_end_ns=10, long_gate_end_ns=60)
    write(tmp_path / "run.lh5")
    assert len(discrimen.read(tmp_path / "run.lh5", channel=1)) == 20
    assert discrimen.read(tmp_path / "run.lh5", record_samples=50).pulses.n_samples == 50


def test_a_detector_file_and_options_together_win_in_that_order(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text("sample_period_ns: 4\nadc_bits: 12\n")
    told = inputs_of(ReadOptions(chunk_bytes=7), settings=tmp_path / "d.yaml", sample_period_ns=8.0).read
    assert (told.settings.sample_period_ns, told.settings.adc_bits, told.chunk_bytes) == (8.0, 12, 7)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"poalrity": "negative"}, "there is no option poalrity of a reader; expected: adc_bits, "),
        ({"polarity": "up"}, "polarity"),
        ({"gates": (1, 2)}, r"expected gates=\(start, short end, long end\) in ns that ascend, got \(1, 2\)"),
        ({"baseline": (20, 10)}, "expected baseline="),
        ({"channel": -1}, "channel numbers start at 0, got -1"),
    ],
)
def test_a_wrong_option_is_named(given: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        inputs_of(**given)


def test_every_option_of_a_reader_has_a_name() -> None:
    named = set(options.ReaderOptions.__annotations__)
    assert {each.name for each in fields(ReadOptions)} - named == {"growth"}  # for files that still grow
