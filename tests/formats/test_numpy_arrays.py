"""NumPy arrays as run files: types, columns, streaming, damage."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from discrimen.errors import DiscrimenError, FormatError
from discrimen.formats.base import ReadOptions, ReadReport
from discrimen.formats.numpy_arrays.reader import NPY_FORMAT, NPZ_FORMAT
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings


def waveforms(count: int = 30, length: int = 20) -> NDArray[np.uint16]:
    return np.random.default_rng(5).integers(0, 16384, (count, length), dtype=np.uint16)


def read_all(path: Path, options: ReadOptions | None = None) -> tuple[list[Pulses], ReadReport]:
    form = NPY_FORMAT if path.suffix == ".npy" else NPZ_FORMAT
    assert form.recognises(path, path.read_bytes()[:4096])
    reader = form.open_reader(path, options or ReadOptions())
    chunks = list(reader.chunks())
    assert reader.report.n_read == sum(map(len, chunks))
    return chunks, reader.report


def saved(path: Path, array: NDArray[np.generic]) -> Path:
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        np.savez_compressed(path, samples=array)
    return path


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("chunk_bytes", [1, 130, 10**7])
def test_reads_what_was_saved(tmp_path: Path, name: str, order: str, chunk_bytes: int) -> None:
    path = saved(tmp_path / name, np.asarray(waveforms(), order=order))
    chunks, report = read_all(path, ReadOptions(chunk_bytes=chunk_bytes))
    pulses = concatenate(chunks)
    np.testing.assert_array_equal(pulses.samples, waveforms())
    np.testing.assert_array_equal(pulses.column("entry"), np.arange(30))
    assert len(chunks) == {1: 30, 130: 10, 10**7: 1}[chunk_bytes]
    assert report.damaged == {}
    assert pulses.sample_period_ns is None


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[-5, 7]], np.int64), np.int16),
        (np.array([[0, 40000]], np.int64), np.uint16),
        (np.array([[-1, 40000]], np.int64), np.int32),
        (np.array([[0, 2**32 - 1]], np.uint64), np.uint32),
        (np.array([[3.0, 900.0]], np.float64), np.int16),
        (np.array([[3.5, 900.0]], np.float64), np.float32),
        (np.array([[3.5, 9.0]], np.float16), np.float32),
        (np.array([[3.0, 9.0]], np.float32), np.float32),
        (np.array([[1, 2]], ">i2"), np.int16),
        (np.array([[1, 2]], np.int8), np.int8),
    ],
)
def test_wide_arrays_become_the_smallest_type_that_holds_them(
    tmp_path: Path, name: str, values: NDArray[np.generic], expected: type
) -> None:
    (pulses,), _ = read_all(saved(tmp_path / name, values))
    assert pulses.samples.dtype == expected
    np.testing.assert_array_equal(pulses.samples, values)


def test_all_chunks_of_a_wide_array_have_one_type(tmp_path: Path) -> None:
    values = np.zeros((10, 4), np.int64)
    values[9, 0] = 40000
    chunks, _ = read_all(saved(tmp_path / "a.npy", values), ReadOptions(chunk_bytes=1))
    assert {chunk.samples.dtype for chunk in chunks} == {np.dtype(np.uint16)}


@pytest.mark.parametrize(
    "values", [np.array([[2**40]], np.int64), np.array([[0.5, 1e300]]), np.array([["a"]]), np.array([[1j]])]
)
def test_values_that_fit_nothing_are_an_error(tmp_path: Path, values: NDArray[np.generic]) -> None:
    with pytest.raises(FormatError):
        read_all(saved(tmp_path / "a.npy", values))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_with_nan_are_damaged(tmp_path: Path, dtype: type) -> None:
    values = waveforms().astype(dtype)
    values[[3, 8], [0, 5]] = np.nan, np.inf
    (pulses,), report = read_all(saved(tmp_path / "a.npy", values))
    assert report.damaged["NaN or infinite samples"].count == 2
    assert pulses.column("entry").tolist() == [k for k in range(30) if k not in (3, 8)]
    assert pulses.samples.dtype == (np.int16 if dtype is np.float64 else np.float32)


def test_truncated_file_gives_the_rows_that_are_there(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", waveforms())
    path.write_bytes(path.read_bytes()[:-50])
    chunks, report = read_all(path, ReadOptions(chunk_bytes=100))
    np.testing.assert_array_equal(concatenate(chunks).samples, waveforms()[:28])
    (damage,) = report.damaged.values()
    assert damage.count == 2
    assert damage.first_offset == 128 + 28 * 40


def test_truncated_column_major_file_is_an_error(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", np.asfortranarray(waveforms()))
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(FormatError, match="column by column"):
        read_all(path)


def test_a_file_longer_than_its_array_is_an_error(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", waveforms())
    path.write_bytes(path.read_bytes() + b"\0\0")
    with pytest.raises(FormatError, match="2 bytes follow"):
        read_all(path)


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (3, 0), ()])
def test_only_two_dimensions_are_waveforms(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(FormatError, match="shape"):
        read_all(saved(tmp_path / "a.npy", np.zeros(shape, np.int16)))


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([[object()]], dtype=object), allow_pickle=True)
    with pytest.raises(FormatError, match="array of numbers"):
        read_all(path)


def test_archive_brings_columns_and_sampling_period(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(
        path,
        wave=waveforms(),
        label=np.ones(30, np.int8),
        ts=np.arange(30) * 1000,
        energy=np.arange(30.0),
        sample_period_ns=4.0,
        comment=np.array("text"),
    )
    options = ReadOptions(branches={"timestamp_ps": "ts"}, chunk_bytes=100)
    chunks, _ = read_all(path, options)
    pulses = concatenate(chunks)
    assert set(pulses.columns()) == {"entry", "timestamp_ps", "label", "energy"}
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), np.arange(30) * 1000)
    assert pulses.sample_period_ns == 4.0
    info = NPZ_FORMAT.open_reader(path, options).info
    assert info.settings_source == {"sample_period_ns": "file"}
    assert info.n_entries == 30


def test_archive_with_several_waveform_arrays_wants_a_name(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, gamma=waveforms(), neutron=waveforms() + 1)
    with pytest.raises(FormatError, match=r"--branch samples=NAME"):
        read_all(path)
    (pulses,), _ = read_all(path, ReadOptions(branches={"samples": "neutron"}))
    np.testing.assert_array_equal(pulses.samples, waveforms() + 1)


def test_archive_with_a_column_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, samples=waveforms(), label=np.zeros(29, np.int8))
    with pytest.raises(FormatError, match="expected 30 values of 'label'"):
        read_all(path)
    np.savez(path, samples=waveforms(), label=np.full(30, 0.5))
    with pytest.raises(FormatError, match="'label' must be int8"):
        read_all(path)
    np.savez(path, samples=waveforms())
    with pytest.raises(FormatError, match="no such array"):
        read_all(path, ReadOptions(branches={"label": "truth"}))


def test_damaged_member_costs_the_rows_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    buffer = io.BytesIO()
    np.save(buffer, waveforms(3000))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("samples.npy", buffer.getvalue())
    data = bytearray(path.read_bytes())
    data[len(data) * 2 // 3] ^= 0xFF
    path.write_bytes(data)
    chunks, report = read_all(path, ReadOptions(chunk_bytes=4000))
    assert chunks
    assert report.n_read + report.n_damaged == 3000
    assert report.n_damaged > 0


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_mutated_files_give_clear_errors_or_counted_damage(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / name, waveforms())
    good = path.read_bytes()

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(position=st.integers(0, len(good) - 1), junk=st.binary(max_size=9), dropped=st.integers(0, 9))
    def mutate(position: int, junk: bytes, dropped: int) -> None:
        path.write_bytes(good[:position] + junk + good[position + dropped :])
        form = NPY_FORMAT if path.suffix == ".npy" else NPZ_FORMAT
        form.recognises(path, path.read_bytes()[:4096])
        try:
            reader = form.open_reader(path, ReadOptions(chunk_bytes=200))
            n_read = sum(map(len, reader.chunks()))
        except DiscrimenError:
            return
        assert n_read + reader.report.n_damaged == reader.info.n_entries

    mutate()


def test_absent_files_are_one_clear_error(tmp_path: Path) -> None:
    for form, name in ((NPY_FORMAT, "a.npy"), (NPZ_FORMAT, "a.npz")):
        with pytest.raises(FormatError, match="cannot be read"):
            form.open_reader(tmp_path / name, ReadOptions())


def test_given_settings_win(tmp_path: Path) -> None:
    given_ns = ReadOptions(settings=DetectorSettings(sample_period_ns=10.0))
    (pulses,), _ = read_all(saved(tmp_path / "a.npy", waveforms()), given_ns)
    assert pulses.sample_period_ns == 10.0


def test_whole_floats_are_taken_as_labels_and_fractions_are_not(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, samples=waveforms(), label=np.arange(30) % 2 * 1.0)
    chunks, _ = read_all(path)
    np.testing.assert_array_equal(concatenate(chunks).column("label"), np.arange(30) % 2)
    for wrong in (0.5, np.nan, np.inf, 1e300):
        np.savez(path, samples=waveforms(), label=np.full(30, wrong))
        with pytest.raises(FormatError, match="'label' must be int8"):
            read_all(path)


@pytest.mark.parametrize(("name", "branches"), [("label", {}), ("kind", {"label": "kind"})])
@pytest.mark.parametrize("dtype", ["U7", object])
def test_labels_in_words_are_an_error_that_tells_the_numbers(
    tmp_path: Path, name: str, branches: dict[str, str], dtype: object
) -> None:
    path = tmp_path / "a.npz"
    words = np.array(["gamma", "neutron"] * 15, dtype=dtype)  # type: ignore[call-overload]
    np.savez(path, **{"samples": waveforms(), name: words})
    with pytest.raises(FormatError, match=r"expected numbers for 'label'.*1 \(neutron\)"):
        read_all(path, ReadOptions(branches=branches))


def test_arrays_that_are_not_used_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, X=waveforms(), y=np.zeros(30), who=np.array(["a"]), sample_period_ns=2.0)
    layout = NPZ_FORMAT.open_reader(path, ReadOptions()).info.layout
    assert "not used: y, who (--branch FIELD=NAME)" in layout
