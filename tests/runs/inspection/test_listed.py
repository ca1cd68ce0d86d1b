"""Inspection of lists: counts, rates and charges of each channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.formats.base import ListModeReader, ReadOptions
from discrimen.formats.table import open_reader
from discrimen.runs.inspection.listed import ListInspection, inspect_list


def inspected(path: Path, text: str, *, chunk_bytes: int = 2**20) -> ListInspection:
    path.write_text(text)
    reader = open_reader(path, ReadOptions(chunk_bytes=chunk_bytes))
    assert isinstance(reader, ListModeReader)
    return inspect_list(reader)


def test_counts_rates_and_charges_are_those_of_each_channel(tmp_path: Path) -> None:
    times = np.arange(1000) * 10**9  # 1 ms apart
    rows = [f"{number % 4 == 0:d},{time},{number}" for number, time in enumerate(times)]
    found = inspected(tmp_path / "run.csv", "channel,timestamp_ps,energy\n" + "\n".join(rows) + "\n", chunk_bytes=2000)
    assert [(one.board, one.channel, one.n_pulses) for one in found.channels] == [(None, 0, 750), (None, 1, 250)]
    assert found.channels[1].rate_hz == pytest.approx(250)
    assert found.channels[0].n_saturated is None
    assert found.channels[1].quantiles["long_charge"] == pytest.approx((48, 498, 948), abs=3)
    assert "psd" not in found.channels[0].quantiles


def test_saturation_is_counted_where_there_are_flags(tmp_path: Path) -> None:
    found = inspected(tmp_path / "run.csv", "flags,psd\n128,0.1\n0,0.2\n1024,0.3\n")
    assert (found.channels[0].n_saturated, found.channels[0].rate_hz) == (2, None)


def test_a_list_without_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no events to look at: 1 fake"):
        inspected(tmp_path / "run.csv", "flags,psd\n8,0.1\n")
