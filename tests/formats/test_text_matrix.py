"""Text with one pulse a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import FormatError
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import find_format, open_reader
from discrimen.formats.text_matrix.reader import TextMatrixReader
from discrimen.pulses import concatenate

SAMPLES = np.random.default_rng(8).integers(-50, 16000, (30, 40))


@pytest.mark.parametrize("separator", [",", ";", " ", "\t", ", "])
def test_rows_are_pulses_whatever_parts_the_numbers(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "waves.txt"
    np.savetxt(path, SAMPLES, fmt="%d", delimiter=separator, header="a remark")
    assert find_format(path).name == "text-matrix"
    pulses = concatenate(list(open_reader(path, ReadOptions(chunk_bytes=20_000)).chunks()))
    np.testing.assert_array_equal(pulses.samples, SAMPLES)
    assert pulses.samples.dtype == np.int32
    assert pulses.column("entry").tolist() == list(range(30))


@pytest.mark.parametrize("separator", [",", ";", " ", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_regular_text_is_not_read_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, separator: str, end: str
) -> None:
    path = tmp_path / "waves.txt"
    rows = [separator.join(map(str, row)) for row in abs(SAMPLES)]
    path.write_bytes(b"\xef\xbb\xbf" + end.join(rows).encode())
    reader = open_reader(path, ReadOptions(chunk_bytes=10_000))
    monkeypatch.setattr("discrimen.formats.text_matrix.reader._rows", None)
    pulses = concatenate(list(reader.chunks()))
    np.testing.assert_array_equal(pulses.samples, abs(SAMPLES))
    assert pulses.samples.dtype == np.int32
    assert pulses.column("entry").tolist() == list(range(30))


def test_one_odd_row_changes_nothing_for_the_others(tmp_path: Path) -> None:
    path = tmp_path / "waves.txt"
    rows = [",".join(map(str, row)) for row in abs(SAMPLES)]
    rows[20] = rows[20].replace(",", ",-", 1)
    rows[25] += ",7"
    rows[27] = rows[27].replace(",", ",70000,", 1).rpartition(",")[0]
    path.write_text("\n".join(rows))
    for chunk_bytes in (1, 8 * len(rows[0]), 10**6):
        reader = open_reader(path, ReadOptions(chunk_bytes=chunk_bytes))
        pulses = concatenate(list(reader.chunks()))
        wanted = abs(SAMPLES)[np.arange(30) != 25]
        wanted[20, 1] *= -1
        wanted[26, 1:] = 70000, *wanted[26, 1:-1]
        np.testing.assert_array_equal(pulses.samples, wanted)
        assert reader.report.damaged["unusual number of samples"].first_offset == sum(len(row) + 1 for row in rows[:25])


def test_volts_are_floats(tmp_path: Path) -> None:
    path = tmp_path / "volts.csv"
    np.savetxt(path, SAMPLES * 1e-4, delimiter=",")
    (pulses,) = open_reader(path).chunks()
    np.testing.assert_allclose(pulses.samples, SAMPLES * 1e-4, rtol=1e-6)
    assert pulses.samples.dtype == np.float32


def test_damaged_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "waves.csv"
    rows = [",".join(map(str, row)) for row in SAMPLES]
    rows[4] = rows[4].replace(",", ",x", 1)
    rows[9] = rows[9][: len(rows[9]) // 2]
    rows.insert(12, "")
    path.write_text("\n".join(rows) + "\n")
    reader = open_reader(path)
    pulses = concatenate(list(reader.chunks()))
    assert len(pulses) == 28
    assert {4, 9}.isdisjoint(pulses.column("entry").tolist())
    assert {kind: found.count for kind, found in reader.report.damaged.items()} == {
        "not a whole number": 1,
        "unusual number of samples": 1,
    }


def test_few_numbers_a_row_are_no_pulses(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    np.savetxt(path, SAMPLES[:, :3], fmt="%d", delimiter=",")
    with pytest.raises(FormatError, match="8 numbers or more"):
        TextMatrixReader(path, ReadOptions())
