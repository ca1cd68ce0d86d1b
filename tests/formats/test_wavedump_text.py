"""WaveDump text files: headers, x742 fractions, files without headers, damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from discrimen.errors import DiscrimenError, FormatError, SettingsError
from discrimen.formats.base import ReadOptions, ReadReport
from discrimen.formats.wavedump import text as wavedump_text
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings

TWO_NS = DetectorSettings(sample_period_ns=2.0)


def waveforms(count: int = 12, length: int = 15) -> NDArray[np.uint16]:
    samples = np.random.default_rng(3).normal(800, 3, (count, length)).astype(np.uint16)
    samples[:, 0] = np.arange(count)
    return samples


def event(
    samples: NDArray[np.generic], number: int, *, channel: object = 2, cell: bool = False, end: str = "\n"
) -> str:
    lines = [
        f"Record Length: {len(samples)}",
        "BoardID: 31",
        f"Channel: {channel}",
        f"Event Number: {number}",
        "Pattern: 0x0000",
        f"Trigger Time Stamp: {number * 125}",
        "DC offset (DAC): 0x1999",
        *(["Start Index Cell: 512"] if cell else []),
        *(f"{value:f}" if samples.dtype.kind == "f" else str(value) for value in samples),
    ]
    return "".join(line + end for line in lines)


def read_all(path: Path, options: ReadOptions | None = None) -> tuple[list[Pulses], ReadReport]:
    reader = wavedump_text.FORMAT.open_reader(path, options or ReadOptions())
    chunks = list(reader.chunks())
    assert reader.report.n_read == sum(map(len, chunks))
    return chunks, reader.report


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "wave2.txt"
    path.write_text("".join(event(row, k) for k, row in enumerate(waveforms())))
    return path


@pytest.mark.parametrize("chunk_bytes", [1, 6000, 10**7])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_reads_samples_and_header(tmp_path: Path, chunk_bytes: int, end: str) -> None:
    path = tmp_path / "wave2.txt"
    rows = waveforms(400)
    path.write_bytes("".join(event(row, k, end=end) for k, row in enumerate(rows)).encode())
    chunks, report = read_all(path, ReadOptions(settings=TWO_NS, chunk_bytes=chunk_bytes))
    pulses = concatenate(chunks)
    np.testing.assert_array_equal(pulses.samples, rows)
    assert pulses.samples.dtype == np.uint16
    np.testing.assert_array_equal(pulses.column("entry"), np.arange(400))
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), np.arange(400) * 1_000_000)
    assert set(pulses.column("board")) == {31}
    assert set(pulses.column("channel")) == {2}
    assert report.damaged == {}


def test_time_stamps_are_left_out_while_the_step_of_the_tag_is_unknown(plain: Path) -> None:
    assert read_all(plain)[0][0].timestamp_ps is None


def test_x742_fractions_and_trigger_channel(tmp_path: Path) -> None:
    samples = (waveforms() + 0.25).astype(np.float32)
    path = tmp_path / "TR_0_1.txt"
    path.write_text("".join(event(row, k, channel="TR_0_1", cell=True) for k, row in enumerate(samples)))
    (pulses,), _ = read_all(path)
    np.testing.assert_array_equal(pulses.samples, samples)
    assert set(pulses.column("channel")) == {16}
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), np.arange(12) * 125 * 25600 // 3)


def test_mixed_lengths_give_one_chunk_each(tmp_path: Path) -> None:
    path = tmp_path / "w.txt"
    path.write_text("".join(event(waveforms(1, n)[0], k) for k, n in enumerate((15, 20, 15))))
    chunks, _ = read_all(path)
    assert {chunk.n_samples: chunk.column("entry").tolist() for chunk in chunks} == {15: [0, 2], 20: [1]}


def test_truncated_last_event_is_counted(plain: Path) -> None:
    text = plain.read_text()
    plain.write_text(text[:-30])
    (pulses,), report = read_all(plain)
    assert len(pulses) == 11
    assert report.damaged["truncated or too short event"].first_offset == text.rfind("Record Length")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Record Length: 15", "Record Length: 14"),
        ("Record Length: 15", "Record Length: 16"),
        ("Record Length: 15", "Record Length: -1"),
        ("Record Length: 15", "Record Length: 99999999999999999999"),
        ("Channel: 2", "Channel: two"),
        ("Trigger Time Stamp", "Trigger Time Stomp"),
    ],
)
def test_a_damaged_header_costs_that_event_only(plain: Path, old: str, new: str) -> None:
    events = [event(row, k) for k, row in enumerate(waveforms())]
    events[5] = events[5].replace(old, new)
    plain.write_text("".join(events))
    (pulses,), report = read_all(plain)
    assert pulses.column("entry").tolist() == [k for k in range(12) if k != 5]
    assert report.n_damaged == 1


def test_an_illegible_header_does_not_cost_the_event_before(plain: Path) -> None:
    events = [event(row, k) for k, row in enumerate(waveforms())]
    events[5] = events[5].replace("Record Length", "Racord Length")
    plain.write_text("".join(events))
    (pulses,), report = read_all(plain)
    assert pulses.samples[:, 0].tolist() == [k for k in range(12) if k != 5]
    assert report.n_damaged == 1


@pytest.mark.parametrize("word", ["x", "-3", "70000", "99999999999999999999999", "", "1.5"])
def test_a_damaged_sample_costs_that_event_only(plain: Path, word: str) -> None:
    events = [event(row, k) for k, row in enumerate(waveforms())]
    lines = events[5].split("\n")
    lines[10] = word
    events[5] = "\n".join(lines)
    plain.write_text("".join(events))
    (pulses,), report = read_all(plain)
    assert pulses.samples[:, 0].tolist() == [k for k in range(12) if k != 5]
    assert report.n_damaged == 1


@pytest.mark.parametrize("chunk_bytes", [7, 100, 10**6])
def test_files_without_headers_are_cut_by_the_record_length(tmp_path: Path, chunk_bytes: int) -> None:
    path = tmp_path / "wave0.txt"
    path.write_text("".join(f"{value}\n" for value in waveforms().ravel()))
    head = path.read_bytes()[:4096]
    assert not wavedump_text.recognises(path, head)
    with pytest.raises(FormatError, match="OUTPUT_FILE_HEADER NO"):
        wavedump_text.FORMAT.open_reader(path, ReadOptions())
    config = tmp_path / "WaveDumpConfig.txt"
    config.write_text("OUTPUT_FILE_HEADER NO\n")
    with pytest.raises(SettingsError, match="RECORD_LENGTH"):
        wavedump_text.FORMAT.open_reader(path, ReadOptions())
    config.write_text("OUTPUT_FILE_HEADER NO\nRECORD_LENGTH 15\n")
    assert wavedump_text.recognises(path, head)
    chunks, _ = read_all(path, ReadOptions(chunk_bytes=chunk_bytes))
    np.testing.assert_array_equal(concatenate(chunks).samples, waveforms())
    np.testing.assert_array_equal(concatenate(chunks).column("entry"), np.arange(12))
    config.write_text("OUTPUT_FILE_HEADER NO\nRECORD_LENGTH 14\n")
    with pytest.raises(FormatError, match="rounded the length"):
        wavedump_text.FORMAT.open_reader(path, ReadOptions())


def test_polarity_comes_from_the_configuration(plain: Path) -> None:
    plain.with_name("WaveDumpConfig.txt").write_text("PULSE_POLARITY NEGATIVE\nPOST_TRIGGER 80\n")
    settings_read = wavedump_text.FORMAT.open_reader(plain, ReadOptions(settings=TWO_NS)).info.settings
    assert settings_read.polarity == "negative"
    assert settings_read.pretrigger_ns is None


def test_recognises_only_its_own(plain: Path) -> None:
    assert wavedump_text.recognises(plain, plain.read_bytes()[:4096])
    for data in (b"", b"12\n13\n", b"BOARD;CHANNEL\n", bytes(100)):
        assert not wavedump_text.recognises(plain.with_name("other.txt"), data)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 1500), junk=st.binary(max_size=9), dropped=st.integers(0, 30))
def test_mutations_give_clear_errors_or_counted_damage(plain: Path, position: int, junk: bytes, dropped: int) -> None:
    good = "".join(event(row, k) for k, row in enumerate(waveforms())).encode()
    plain.write_bytes(good[:position] + junk + good[position + dropped :])
    try:
        chunks, report = read_all(plain, ReadOptions(chunk_bytes=200))
    except DiscrimenError:
        return
    assert all(chunk.n_samples == 15 for chunk in chunks) or report.n_damaged


def test_a_byte_order_mark_is_no_damage(plain: Path) -> None:
    plain.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes().replace(b"\n", b"\r\n"))
    assert wavedump_text.recognises(plain, plain.read_bytes()[:4096])
    assert "15 in the first event" in wavedump_text.FORMAT.open_reader(plain, ReadOptions()).info.layout
    chunks, report = read_all(plain, ReadOptions())
    np.testing.assert_array_equal(concatenate(chunks).samples, waveforms())
    assert report.damaged == {}
