"""GGP blocks: channels as pulses, what is passed over, and damage that stays where it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.formats.ggp_blocks import block, channel

from discrimen.errors import FormatError
from discrimen.formats.base import Reader, ReadOptions
from discrimen.formats.table import find_format, open_reader
from discrimen.pulses import PulseFlag, concatenate


def waves(n_pulses: int, n_samples: int, *, seed: int = 1) -> NDArray[np.int16]:
    return np.random.default_rng(seed).integers(0, 2**14, (n_pulses, n_samples)).astype(np.int16)


def opened(path: Path, content: bytes, **options: object) -> Reader:
    path.write_bytes(content)
    assert find_format(path).name == "ggp"
    return open_reader(path, ReadOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("unit", [1, 2])
@pytest.mark.parametrize("chunk_bytes", [1, 300, 2**24])
def test_each_channel_of_a_block_is_a_pulse(tmp_path: Path, chunk_bytes: int, unit: int) -> None:
    raw = waves(9, 20)
    content = b"".join(
        block(
            *(channel(row, energy=100.5 * k - 50) for k, row in enumerate(raw[begin : begin + 3])),
            n_samples=20,
            tick=2**40 + begin,
            crystal=4 + begin,
            status=int(begin == 3),
            key=0xDA00 + begin,
            unit=unit,
        )
        for begin in (0, 3, 6)
    )
    reader = opened(tmp_path / "run.ggp", content, chunk_bytes=chunk_bytes)
    pulses = concatenate(reader.chunks())
    assert np.array_equal(pulses.samples, raw)
    assert pulses.column("channel").tolist() == [0, 1, 2] * 3
    assert pulses.column("board").tolist() == [4] * 3 + [7] * 3 + [10] * 3
    assert pulses.column("entry").tolist() == list(range(9))
    assert pulses.column("timestamp_ps")[::3].tolist() == [10_000 * (2**40 + begin) for begin in (0, 3, 6)]
    assert pulses.column("energy")[:3].tolist() == [-50, 50.5, 151]
    assert pulses.column("flags").tolist() == [0] * 3 + [PulseFlag.PILE_UP] * 3 + [0] * 3
    assert (pulses.sample_period_ns, reader.info.settings.adc_bits, reader.report.n_damaged) == (10.0, 14, 0)
    assert f"lengths in {'words' if unit == 2 else 'bytes'}" in reader.info.layout


def test_what_is_not_read_is_counted_by_name(tmp_path: Path) -> None:
    raw = waves(5, 20)
    packed = [channel(raw[0]), channel(raw[0], compression=3, packed=b"some packed bytes."), channel(raw[1])]
    content = block(channel(raw[2]), channel(raw[3]), n_samples=20) + block(*packed, n_samples=20)
    content += block(channel(raw[0]), n_samples=20, status=8) + block(b"what a spectrum is", n_samples=20, key=0xDA60)
    content += block(channel(raw[4]), n_samples=20, key=0xDA50)
    reader = opened(tmp_path / "run.ggp", content)
    pulses = concatenate(reader.chunks())
    assert np.array_equal(pulses.samples, raw[[2, 3, 0, 1, 4]])
    assert pulses.column("channel").tolist() == [0, 1, 0, 2, 0]
    assert pulses.column("entry").tolist() == [0, 1, 2, 4, 6]
    assert reader.report.passed_over == {
        "GGP channel(s): compressed by type 3": 1,
        "GGP block(s): idle": 1,
        "GGP block(s): spectrum": 1,
    }
    assert reader.report.n_damaged == 0


@pytest.mark.parametrize("chunk_bytes", [1, 2**24])
def test_damage_is_counted_and_the_rest_is_read(tmp_path: Path, chunk_bytes: int) -> None:
    raw = waves(6, 20)
    parts = [bytearray(block(channel(row), n_samples=20)) for row in raw]
    parts[1][14] += 1  # its length
    del parts[3][40:46]
    content = b"".join(map(bytes, parts))
    reader = opened(tmp_path / "run.ggp", content[:-10], chunk_bytes=chunk_bytes)
    pulses = concatenate(reader.chunks())
    assert np.array_equal(pulses.samples, raw[[0, 2, 4]])
    assert {kind: found.count for kind, found in reader.report.damaged.items()} == {
        "GGP block that no other one follows": 2,
        "truncated last block": 1,
    }
    assert reader.report.damaged["GGP block that no other one follows"].first_offset == len(parts[0])


def test_compressed_channels_that_do_not_fill_their_block_are_damage(tmp_path: Path) -> None:
    raw = waves(2, 20)
    broken = bytearray(block(channel(raw[0], compression=1, packed=b"sixteen bytes..."), n_samples=20))
    broken[32 + 14] -= 1
    content = block(channel(raw[1]), n_samples=20) + bytes(broken)
    reader = opened(tmp_path / "run.ggp", content)
    assert np.array_equal(concatenate(reader.chunks()).samples, raw[1:])
    assert reader.report.damaged["GGP block whose channels do not fill it"].first_offset == 32 + 16 + 40


def test_what_is_no_block_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.ggp"
    path.write_bytes(b"\x00\xda" + bytes(100))
    with pytest.raises(FormatError, match="expected a GGP block"):
        open_reader(path, format_name="ggp")
