from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discrimen.detector_fit import read_records
from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import Reader, ReadReport, RunInfo
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings


class Made:
    """A reader of pulses that are there already."""

    def __init__(self, *chunks: Pulses, **settings: Any) -> None:
        self._chunks = chunks
        self.info = RunInfo(
            path=Path("run.lh5"),
            format="made",
            layout="",
            settings=DetectorSettings(**settings),
            n_entries=sum(map(len, chunks)),
        )
        self.report = ReadReport()

    def chunks(self) -> Iterator[Pulses]:
        yield from self._chunks


def made(*chunks: Pulses, **settings: Any) -> Reader:
    return Made(*chunks, **settings)


def pulses(n_pulses: int, *, n_samples: int = 20, dtype: type = np.uint16, **columns: Any) -> Pulses:
    return Pulses(samples=np.full((n_pulses, n_samples), 7, dtype), sample_period_ns=2.0, **columns)


def test_the_channel_with_most_pulses_is_taken_and_the_rest_is_told() -> None:
    channel = np.array([0, 1, 1, 1], dtype=np.int32)
    found = read_records([made(pulses(4, channel=channel), pulses(2, n_samples=30))])
    assert found.samples.shape == (3, 20)
    assert "channel 1, 20 samples: 3 pulses of others left out" in found.notes[0]


def test_several_files_are_one_run_and_each_pulse_knows_its_file() -> None:
    found = read_records([made(pulses(2)), made(pulses(3))])
    np.testing.assert_array_equal(found.file, [0, 0, 1, 1, 1])


def test_no_more_than_wished_is_read_and_that_is_told() -> None:
    found = read_records([made(pulses(6), pulses(6))], most=8)
    assert len(found.samples) == 8
    assert found.notes == ("the first 8 of 12 pulses were looked at",)


def test_files_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(DataError, match="differ in polarity"):
        read_records([made(pulses(2), polarity="positive"), made(pulses(2), polarity="negative")])


def test_samples_that_are_no_counts_are_refused() -> None:
    with pytest.raises(DataError, match="no whole ADC counts"):
        read_records([made(pulses(2, dtype=np.float32))])


def test_an_unknown_sampling_period_is_asked_for() -> None:
    with pytest.raises(SettingsError, match="--sample-period-ns"):
        read_records([made(pulses(2).replace(sample_period_ns=None))])


def test_a_run_without_pulses_is_refused() -> None:
    with pytest.raises(DataError, match="no pulses to fit a detector to"):
        read_records([made()])
