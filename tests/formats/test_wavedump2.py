"""WaveDump 2 binary files."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.formats.table import find_format, open_reader
from discrimen.pulses import concatenate

N_SAMPLES = 50


def write(path: Path, mv: NDArray[np.float32], *, named_channels: bool = True) -> Path:
    """Write events of shape (event, channel, sample)."""
    with path.open("wb") as file:
        for number, event in enumerate(mv):
            file.write(struct.pack("<IQIQ", number, 125_000 * number, event.shape[1], 8))
            file.write(struct.pack("<i", len(event)) if named_channels else b"")
            file.write(event.astype("<f4").tobytes())
    return path


def some_mv(n_events: int, n_channels: int) -> NDArray[np.float32]:
    return np.random.default_rng(5).normal(0, 100, (n_events, n_channels, N_SAMPLES)).astype(np.float32)


@pytest.mark.parametrize(("n_channels", "named_channels"), [(3, True), (1, True), (1, False)])
@pytest.mark.parametrize("n_events", [1, 7])
def test_every_channel_of_an_event_is_a_pulse(
    tmp_path: Path, n_channels: int, named_channels: bool, n_events: int
) -> None:
    mv = some_mv(n_events, n_channels)
    path = write(tmp_path / "run.bin", mv, named_channels=named_channels)
    assert find_format(path).name == "wavedump2"
    reader = open_reader(path)
    assert reader.info.settings.sample_period_ns == 8
    pulses = concatenate(list(reader.chunks()))
    np.testing.assert_array_equal(pulses.samples, mv.reshape(-1, N_SAMPLES))
    np.testing.assert_array_equal(pulses.column("channel"), np.tile(np.arange(n_channels), n_events))
    np.testing.assert_array_equal(pulses.column("entry"), np.arange(n_events * n_channels))


def test_damaged_events_are_left_out_and_counted(tmp_path: Path) -> None:
    mv = some_mv(6, 2)
    mv[3, 1, 10] = np.nan
    path = write(tmp_path / "run.bin", mv)
    content = bytearray(path.read_bytes())
    event_bytes = len(content) // 6
    content[2 * event_bytes + 12] ^= 0xFF
    path.write_bytes(content[: 5 * event_bytes + 100])
    reader = open_reader(path)
    pulses = concatenate(list(reader.chunks()))
    assert pulses.column("entry").tolist() == [0, 1, 2, 3, 8, 9]
    assert {kind: found.count for kind, found in reader.report.damaged.items()} == {
        "header of another kind": 2,
        "NaN or infinite samples": 2,
        "truncated last event": 1,
    }


def test_a_header_alone_is_of_no_known_format(tmp_path: Path) -> None:
    (tmp_path / "header_only.bin").write_bytes(struct.pack("<IQII", 24, 0, 0, 1))
    with pytest.raises(FormatError, match=r"no CoMPASS binary file|of no known format"):
        open_reader(tmp_path / "header_only.bin")
