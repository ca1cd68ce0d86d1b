from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from discrimen.errors import DataError, FormatError, MissingExtraError
from discrimen.pulses.hits import Hits
from discrimen.runs.hits_file import HitsWriter, hits_chunks, hits_info, is_hits_file, read_hits


def hits(n: int, *, n_samples: int = 6, seed: int = 0) -> Hits:
    rng = np.random.default_rng(seed)
    return Hits(
        samples=rng.integers(-200, 200, (n, 4, n_samples)).astype(np.int16),
        sample_period_ns=10.0,
        present=rng.random((n, 4)) < 0.8,
        columns={"x_mm": rng.normal(size=n), "energy_kev": np.full(n, 300.0)},
        channels=("A1", "A2", "B1", "core"),
    )


def written(path: Path, *parts: Hits, packed: bool = False) -> Path:
    with HitsWriter(path, {"source": "test"}, packed=packed) as writer:
        for part in parts:
            writer.write(part)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_what_was_written_comes_back_in_pieces_of_any_size(tmp_path: Path, packed: bool) -> None:
    first, second = hits(5), hits(8, seed=1)
    path = written(tmp_path / "run.hits", first, second, packed=packed)
    assert is_hits_file(path)
    found = hits_info(path)
    assert (found.n_hits, found.channels, found.provenance) == (13, first.channels, {"source": "test"})
    pieces = list(hits_chunks(path, chunk_bytes=3 * 4 * 6 * 2))
    assert [len(piece) for piece in pieces] == [3, 3, 3, 3, 1]
    whole = read_hits(path)
    assert np.array_equal(whole.samples, np.concatenate([first.samples, second.samples]))
    assert whole.present is not None
    assert np.array_equal(whole.present[5:], second.present)
    assert np.array_equal(whole.column("x_mm")[:5], first.column("x_mm"))


def test_hits_unlike_the_first_are_not_appended_and_nothing_stays(tmp_path: Path) -> None:
    path = tmp_path / "run.hits"
    with pytest.raises(DataError, match=r"other samples of a hit: expected \(4, 6\), got \(4, 7\)"):
        written(path, hits(2), hits(2, n_samples=7))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_none_or_contradicts_itself_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    other.write_bytes(b"nothing")
    assert not is_hits_file(other)
    with pytest.raises(FormatError, match="file of hits"):
        hits_info(other)
    path = written(tmp_path / "run.hits", hits(5))
    with h5py.File(path, "r+") as file:
        file["columns/x_mm"].resize(4, axis=0)
    with pytest.raises(FormatError, match=r"expected 5 values of 'x_mm'"):
        read_hits(path)


@pytest.mark.parametrize("packed", [False, True])
def test_a_bit_that_fell_over_is_found_by_the_checksum(tmp_path: Path, packed: bool) -> None:
    path = written(tmp_path / "run.hits", hits(5000), packed=packed)
    with h5py.File(path, "r") as file:
        chunk = file["samples"].id.get_chunk_info(0)
    with path.open("r+b") as stream:
        stream.seek(chunk.byte_offset + chunk.size // 2)
        before = stream.read(1)[0]
        stream.seek(-1, 1)
        stream.write(bytes([before ^ 1]))
    with pytest.raises(FormatError, match="cannot be read as a file of hits"):
        read_hits(path)


def test_packing_makes_a_quiet_file_smaller(tmp_path: Path) -> None:
    quiet = [hits(5000), hits(5000)]
    sizes = [written(tmp_path / f"{packed}.h5", *quiet, packed=packed).stat().st_size for packed in (False, True)]
    assert sizes[1] < 0.75 * sizes[0]


def test_a_packed_file_says_what_is_missing_to_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "run.hits", hits(50), packed=True)
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda code: code != 32008)
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    assert hits_info(path).n_hits == 50
    with pytest.raises(MissingExtraError, match="codes"):
        read_hits(path)
