"""HDF5 files on a disk that fills up."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from discrimen.output.hdf5 import FailureKeeper, hdf5_output

ROWS = np.arange(100_000)


def test_what_is_written_can_be_read_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with hdf5_output(path) as output:
        output.file.create_dataset("rows", data=ROWS, chunks=(1000,), compression="lzf")
        output.check()
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["rows"][:], ROWS)


@pytest.mark.parametrize("n_good_writes", [0, 1, 3, 50])
def test_a_failed_write_is_raised_when_the_block_ends(
    n_good_writes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk_after(n_good_writes, monkeypatch)
    with pytest.raises(OSError, match="No space"), hdf5_output(tmp_path / "a.h5") as output:
        output.file.create_dataset("rows", data=ROWS, chunks=(1000,))


def test_check_raises_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk_after(10, monkeypatch)
    reached = False
    with pytest.raises(OSError, match="No space"), hdf5_output(tmp_path / "a.h5") as output:
        output.file.create_dataset("rows", data=ROWS, chunks=(1000,))
        output.check()
        reached = True
    assert not reached


def fill_disk_after(n_writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter(range(n_writes))

    class Disk:
        def __init__(self, file: Any) -> None:
            self._file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def write(self, data: Any) -> int:
            if next(left, None) is None:
                raise OSError(errno.ENOSPC, "No space left on device")
            return int(self._file.write(data))

    original = FailureKeeper.__init__

    def open_on_disk(self: Any, path: Path) -> None:
        original(self, path)
        self._file = Disk(self._file)

    monkeypatch.setattr(FailureKeeper, "__init__", open_on_disk)
