"""One length of record out of a run of several."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.formats.base import ReadReport, RunInfo
from discrimen.formats.record_length import RecordLengthReader
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings


class MixedReader:
    """Two blocks of a file, each handed out as one chunk a length."""

    def __init__(self) -> None:
        self.info = RunInfo(path=Path("mixed.BIN"), format="list", layout="made", settings=DetectorSettings())
        self.report = ReadReport()

    def chunks(self) -> Iterator[Pulses]:
        self.report = ReadReport(n_read=12)
        for first in (0, 6):
            for n_samples, places in ((20, [1, 4]), (10, [0, 2, 3, 5])):
                entry = first + np.array(places)
                samples = (100 * entry[:, None] + np.arange(n_samples)).astype(np.uint16)
                yield Pulses(samples=samples, sample_period_ns=2.0, entry=entry)


def test_longer_records_are_cut_and_the_order_of_the_file_is_kept() -> None:
    reader = RecordLengthReader(MixedReader(), 10)
    chunks = list(reader.chunks())
    assert [len(chunk) for chunk in chunks] == [6, 6]
    pulses = concatenate(chunks)
    assert pulses.column("entry").tolist() == list(range(12))
    np.testing.assert_array_equal(pulses.samples, 100 * np.arange(12)[:, None] + np.arange(10))
    assert (reader.report.n_read, reader.report.n_damaged) == (12, 0)


def test_shorter_records_are_left_out_and_counted() -> None:
    reader = RecordLengthReader(MixedReader(), 20)
    pulses = concatenate(reader.chunks())
    assert pulses.column("entry").tolist() == [1, 4, 7, 10]
    assert reader.report.n_read == 4
    assert reader.report.damaged["shorter than 20 samples"].count == 8


def test_a_length_that_no_record_has_is_refused() -> None:
    with pytest.raises(DataError, match="all 12 records are shorter than 21 samples"):
        list(RecordLengthReader(MixedReader(), 21).chunks())
