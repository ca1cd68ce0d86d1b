"""Packed run files are read as what they hold, and every fault names the packed file."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pytest

from discrimen.errors import DataError, FormatError, MissingExtraError
from discrimen.formats.base import ListModeReader
from discrimen.formats.table import open_reader, open_writer
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings


def zstd(content: bytes) -> bytes:
    return pyarrow.compress(content, codec="zstd", asbytes=True)


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd,
}
SAMPLES = np.random.default_rng(3).integers(0, 2**14, (300, 40)).astype(np.uint16)


def packed_run(folder: Path, suffix: str, name: str = "run.BIN") -> Path:
    """Write a run whose settings lie beside it, and pack the run alone."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with open_writer(path, DetectorSettings(polarity="negative")) as writer:
        writer.write(Pulses(samples=SAMPLES, sample_period_ns=2.0))
    packed = folder / f"{name}{suffix}"
    packed.write_bytes(PACK[suffix](path.read_bytes()))
    path.unlink()
    return packed


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


@pytest.mark.parametrize("suffix", PACK)
def test_a_torn_file_is_refused_by_its_own_name(tmp_path: Path, suffix: str) -> None:
    path = packed_run(tmp_path, suffix)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(FormatError, match=rf"^{path}: cannot be unpacked"):
        open_reader(path)


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
