"""Packed run files are read as what they hold, and every fault names the packed file."""

from __future__ import annotations

import bz2
import gc
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow
import pytest

from discrimen.errors import DataError, FormatError, MissingExtraError
from discrimen.formats import packed, unpacking
from discrimen.formats.base import ListModeReader
from discrimen.formats.table import open_reader, open_writer
from discrimen.formats.unpacking import unpack
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings


def zstd(content: bytes) -> bytes:
    return pyarrow.compress(content, codec="zstd", asbytes=True)


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lambda content: lzma.compress(content, preset=0),
    ".zst": zstd,
}
SAMPLES = np.random.default_rng(3).integers(0, 2**14, (300, 40)).astype(np.uint16)


def packed_run(folder: Path, suffix: str, name: str = "run.BIN") -> Path:
    """Write a run whose settings lie beside it, and pack the run alone."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with open_writer(path, DetectorSettings(polarity="negative")) as writer:
        writer.write(Pulses(samples=SAMPLES, sample_period_ns=2.0))
    target = folder / f"{name}{suffix}"
    target.write_bytes(PACK[suffix](path.read_bytes()))
    path.unlink()
    return target


@pytest.mark.parametrize("suffix", PACK)
def test_a_packed_run_is_read_with_its_settings(tmp_path: Path, suffix: str) -> None:
    path = packed_run(tmp_path / "RAW", suffix)
    reader = open_reader(path)
    np.testing.assert_array_equal(concatenate(reader.chunks()).samples, SAMPLES)
    assert (reader.info.path, reader.info.format) == (path, "compass-bin")
    assert reader.info.settings.polarity == "negative"
    assert reader.info.settings_source["polarity"] == "run_settings.xml"
    assert not isinstance(reader, ListModeReader)


def test_settings_one_folder_up_are_found(tmp_path: Path) -> None:
    path = packed_run(tmp_path / "daq" / "RAW", ".gz")
    (path.parent / "run_settings.xml").rename(tmp_path / "daq" / "settings.xml")
    assert open_reader(path).info.settings.polarity == "negative"


def test_the_ending_of_the_name_does_not_matter(tmp_path: Path) -> None:
    path = packed_run(tmp_path, ".gz", name="run.csv").rename(tmp_path / "run_of_today")
    assert open_reader(path).info.format == "compass-csv"


def test_a_packed_list_stays_a_list(tmp_path: Path) -> None:
    path = tmp_path / "list.csv.gz"
    lines = ["TIMETAG;ENERGY;ENERGYSHORT;FLAGS", *(f"{1000 * i};{100 + i};{50 + i};0x4000" for i in range(30))]
    path.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    reader = open_reader(path)
    assert isinstance(reader, ListModeReader)
    assert sum(len(events) for events in reader.event_chunks()) == 30
    with pytest.raises(DataError, match=rf"^{path}: holds .*without waveforms"):
        list(reader.chunks())


def torn_run(folder: Path, suffix: str) -> Path:
    """Write a packed run whose end is missing; bzip2 and Zstandard give nothing before a block is whole."""
    path = folder / f"run.npy{suffix}"
    samples = np.random.default_rng(3).integers(0, 2**14, (12_000, 60)).astype(np.uint16)
    np.save(folder / "run.npy", samples)
    content = PACK[suffix]((folder / "run.npy").read_bytes())
    path.write_bytes(content[: len(content) * 4 // 5])
    return path


@pytest.mark.parametrize("suffix", PACK)
def test_of_a_file_that_ends_early_what_is_there_is_read(tmp_path: Path, suffix: str) -> None:
    path = torn_run(tmp_path, suffix)
    whole = np.load(tmp_path / "run.npy")
    reader = open_reader(path)
    pulses = concatenate(reader.chunks())
    assert 1000 < len(pulses) < 11_500
    np.testing.assert_array_equal(pulses.samples, whole[: len(pulses)])
    (kind,) = (kind for kind in reader.report.damaged if kind.startswith("packed file ends early"))
    assert reader.report.damaged[kind].count == 1
    assert reader.report.n_read == len(pulses)


@pytest.mark.parametrize("suffix", PACK)
def test_a_file_that_ends_at_once_is_refused_by_its_own_name(tmp_path: Path, suffix: str) -> None:
    path = packed_run(tmp_path, suffix)
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(FormatError, match=rf"^{path}: cannot be unpacked: "):
        open_reader(path)


def test_an_error_says_that_the_file_ends_early(tmp_path: Path) -> None:
    (tmp_path / "run.lh5").write_bytes(b"\x89HDF\r\n\x1a\n" + SAMPLES.tobytes() * 200)
    path = tmp_path / "run.lh5.gz"
    path.write_bytes(gzip.compress((tmp_path / "run.lh5").read_bytes())[:-9])
    with pytest.raises(FormatError, match=rf"^{path}: .*; the packed file ends early$"):
        open_reader(path)


@pytest.mark.parametrize("number", range(20))
def test_one_bit_wrong_is_never_read_in_silence(tmp_path: Path, number: int) -> None:
    content = bytearray(gzip.compress(SAMPLES.tobytes(), 1))
    rng = np.random.default_rng(number)
    content[rng.integers(0, len(content) if number % 2 else 300)] ^= 1 << int(rng.integers(0, 8))
    (tmp_path / "run.gz").write_bytes(content)
    try:
        ends_early = unpack(tmp_path / "run.gz", unpacking.PACKINGS[0][2], tmp_path / "run")
    except FormatError:
        return
    assert ends_early or (tmp_path / "run").read_bytes() == SAMPLES.tobytes()


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])  # .zst has a checksum only if whoever packed it wished so
def test_a_damaged_file_is_refused(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temporary").mkdir()
    path = packed_run(tmp_path, suffix)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)
    with pytest.raises(FormatError, match=rf"^{path}: cannot be unpacked"):
        open_reader(path)
    gc.collect()
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize("suffix", PACK)
def test_several_parts_behind_each_other_are_one_file(tmp_path: Path, suffix: str) -> None:
    path = packed_run(tmp_path, suffix)
    with open_writer(tmp_path / "other.BIN", DetectorSettings(polarity="negative")) as writer:
        writer.write(Pulses(samples=SAMPLES, sample_period_ns=2.0))
    content = (tmp_path / "other.BIN").read_bytes()
    path.write_bytes(b"".join(PACK[suffix](content[at : at + 7000]) for at in range(0, len(content), 7000)))
    np.testing.assert_array_equal(concatenate(open_reader(path).chunks()).samples, SAMPLES)


def test_a_file_opened_twice_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed_run(tmp_path, ".gz")
    calls: list[Path] = []
    monkeypatch.setattr(packed, "unpack", lambda *given: calls.append(given[0]) or unpack(*given))
    first, second = open_reader(path), open_reader(path)
    assert len(calls) == 1
    del first
    assert len(concatenate(second.chunks())) == len(SAMPLES)
    del second
    gc.collect()
    open_reader(path)
    assert len(calls) == 2


@pytest.mark.parametrize(("capacity", "most_written"), [(4_000_000, 0), (5_300_000, 4_000_000), (7_000_000, None)])
def test_a_file_that_will_not_fit_is_refused_before_it_fills_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capacity: int, most_written: int | None
) -> None:
    path, unpacked = tmp_path / "run.npy.gz", tmp_path / "run.npy"
    content = np.random.default_rng(1).integers(0, 64, 6_000_000, np.uint8).tobytes()
    path.write_bytes(gzip.compress(content, 1))
    assert 4_300_000 < path.stat().st_size < 5_000_000

    def usage(_: Path) -> SimpleNamespace:
        return SimpleNamespace(free=capacity - unpacked.stat().st_size)

    monkeypatch.setattr(unpacking, "_LOOK_BYTES", 2**20)
    monkeypatch.setattr(unpacking.shutil, "disk_usage", usage)
    if most_written is None:
        assert not unpack(path, unpacking.PACKINGS[0][2], unpacked)
        assert unpacked.read_bytes() == content
        return
    with pytest.raises(FormatError, match=r"needs at least .* GB for a copy below .*; TMPDIR names a folder"):
        unpack(path, unpacking.PACKINGS[0][2], unpacked)
    assert unpacked.stat().st_size <= most_written


def test_what_is_inside_is_refused_by_the_name_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "song.gz"
    path.write_bytes(gzip.compress(b"RIFF    WAVE" + bytes(range(200))))
    with pytest.raises(FormatError, match=rf"^{path}: this is a sound file"):
        open_reader(path)


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed_run(tmp_path, ".zst")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="pyarrow"):
        open_reader(path)


def test_nothing_is_left_when_the_reader_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    reader = open_reader(packed_run(tmp_path / "RAW", ".gz"))
    assert len(list(scratch.iterdir())) == 1
    list(reader.chunks())
    del reader
    assert list(scratch.iterdir()) == []
