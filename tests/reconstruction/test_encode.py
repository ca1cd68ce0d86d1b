"""Codes of run files: what comes back, what is kept as recorded, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from tests.reconstruction.coding_model import COUNTS, write_coding_model
from tests.reconstruction.copying_model import falling_pulses, write_copying_model
from tests.reconstruction.test_denoise import CLIPPED, FLAT, LATE, SETTINGS, odd_pulses, read, written
from tests.training.toy_pulses import PREPARATION

from discrimen.errors import DataError, FormatError, OutputError, SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader, open_writer
from discrimen.network.preparation import Preparation
from discrimen.pulses import Pulses
from discrimen.reconstruction.codes_file import HEADER_ATTRIBUTE, open_codes, unzigzag, zigzag
from discrimen.reconstruction.decode import decode_file
from discrimen.reconstruction.encode import encode_runs
from discrimen.reconstruction.encoding import Encoding, EncodingOptions
from discrimen.reconstruction.stage_run import StageRun

NOISE_ADC = 3.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_coding_model(tmp_path_factory.mktemp("model") / "coder.discrimen")


def encoded(folder: Path, model: Path, *runs: Path, chunk_bytes: int = 2**24, **options: Any) -> Encoding:
    readers = [open_reader(run, ReadOptions(chunk_bytes=chunk_bytes)) for run in runs]
    chosen = EncodingOptions(**{"most_outside": 1.0, "threads": 1, **options})
    return encode_runs(readers, model, folder / "run.codes", options=chosen)


def there_and_back(folder: Path, model: Path, pulses: Pulses, **options: Any) -> tuple[StageRun, Pulses]:
    done = encoded(folder, model, written(folder / "run.lh5", pulses), **options)
    decode_file(folder / "run.codes", model, folder / "back.lh5", threads=1)
    return done.runs[0], read(folder / "back.lh5")


@pytest.mark.parametrize("preparation", [COUNTS, PREPARATION, replace(PREPARATION, scale="area")])
def test_records_come_back_within_their_noise_and_columns_exactly(tmp_path: Path, preparation: Preparation) -> None:
    model = write_coding_model(tmp_path / "coder.discrimen", preparation=preparation)
    pulses = falling_pulses(300)
    run, back = there_and_back(tmp_path, model, pulses, step=None if preparation.scale != "none" else 2.0)
    assert run.counts.as_dict() == dict.fromkeys(run.counts.as_dict(), 0) | {"n_encoded": 300}
    assert back.samples.dtype == pulses.samples.dtype
    error_adc = back.samples.astype(float) - pulses.samples
    assert NOISE_ADC / 2 < np.sqrt(np.square(error_adc).mean()) < 1.5 * NOISE_ADC
    assert set(back.columns()) == set(pulses.columns())
    for name, values in pulses.columns().items():
        np.testing.assert_array_equal(back.column(name), values)


def test_a_finer_step_costs_bits_and_gains_accuracy(tmp_path: Path, model: Path) -> None:
    run = written(tmp_path / "run.lh5", falling_pulses(2000))
    records = read(run).samples.astype(float)
    found = []
    for step in (1.0, 64.0):
        done = encoded(tmp_path, model, run, step=step)
        decode_file(tmp_path / "run.codes", model, tmp_path / "back.lh5")
        found.append((done.bits_a_pulse, np.square(read(tmp_path / "back.lh5").samples - records).mean()))
    (fine_bits, fine), (coarse_bits, coarse) = found
    # Height and tail make two of the four numbers; noise makes the others, which the coarse step rounds to nothing.
    noise_bits = np.log2(NOISE_ADC * np.sqrt(2 * np.pi * np.e))
    assert fine_bits - coarse_bits == pytest.approx(2 * np.log2(64) + 2 * noise_bits, rel=0.35)
    # An error of the codes is one of the records, as the components are orthonormal.
    assert 75 * (coarse - fine) == pytest.approx(2 * 64**2 / 12 + 2 * NOISE_ADC**2, rel=0.1)


def test_what_cannot_be_encoded_is_kept_as_recorded_and_counted(tmp_path: Path, model: Path) -> None:
    pulses = odd_pulses()
    run, back = there_and_back(tmp_path, model, pulses, step=2.0)
    counts = run.counts
    assert (counts["n_encoded"], counts["n_unprepared"], counts["n_saturated"], counts["n_outside"]) == (57, 1, 1, 1)
    same = (back.samples == pulses.samples).all(axis=1)
    assert np.flatnonzero(same).tolist() == [FLAT, CLIPPED, LATE]
    with open_codes(tmp_path / "run.codes") as codes:
        assert codes.counts["n_not_encoded"] == 3
        assert codes.file["kept/position"][:].tolist() == [FLAT, CLIPPED, LATE]


def test_a_model_that_knows_no_domain_still_keeps_what_is_flat_or_saturated(tmp_path: Path) -> None:
    model = write_coding_model(tmp_path / "coder.discrimen", domain=False)
    run, back = there_and_back(tmp_path, model, odd_pulses(), step=2.0)
    assert (run.counts["n_unprepared"], run.counts["n_saturated"], run.counts["n_outside"]) == (1, 1, 0)
    np.testing.assert_array_equal(back.samples[FLAT], 8000)


def test_a_flat_pulse_does_not_cost_the_others_their_baselines(tmp_path: Path) -> None:
    model = write_coding_model(tmp_path / "coder.discrimen", preparation=PREPARATION)
    pulses = odd_pulses()
    _, back = there_and_back(tmp_path, model, pulses, step=0.01)
    np.testing.assert_allclose(back.samples[0], pulses.samples[0], atol=8 * NOISE_ADC)


def test_codes_beyond_what_is_stored_are_kept_as_records(tmp_path: Path, model: Path) -> None:
    pulses = falling_pulses(200)
    run, back = there_and_back(tmp_path, model, pulses, step=0.05)
    same = (back.samples == pulses.samples).all(axis=1)
    assert 0 < run.counts["n_too_large"] == same.sum() < 200


def test_what_cannot_be_encoded_may_be_left_out(tmp_path: Path, model: Path) -> None:
    run, back = there_and_back(tmp_path, model, odd_pulses(), step=2.0, leave_out=True)
    assert run.counts["n_not_encoded"] == 3
    np.testing.assert_array_equal(back.column("entry"), np.setdiff1d(np.arange(60), [FLAT, CLIPPED, LATE]))


def test_chunks_of_several_runs_give_what_the_whole_gives(tmp_path: Path, model: Path) -> None:
    first, second = falling_pulses(200), odd_pulses()
    second = second.replace(timestamp_ps=second.column("timestamp_ps")[::-1])
    runs = [written(tmp_path / f"{name}.lh5", each) for name, each in (("a", first), ("b", second))]
    done = encoded(tmp_path, model, *runs, chunk_bytes=4000, step=2.0)
    decode_file(tmp_path / "run.codes", model, tmp_path / "back.lh5")
    small, back = done.stored_bytes, read(tmp_path / "back.lh5")
    assert small.keys() == encoded(tmp_path, model, *runs, step=2.0).stored_bytes.keys()
    decode_file(tmp_path / "run.codes", model, tmp_path / "whole.lh5")
    np.testing.assert_array_equal(back.samples, read(tmp_path / "whole.lh5").samples)
    assert back.column("run").tolist() == [0] * 200 + [1] * 60
    for name in ("timestamp_ps", "entry"):
        np.testing.assert_array_equal(back.column(name), np.r_[first.column(name), second.column(name)])


def test_the_step_of_the_training_is_taken(tmp_path: Path) -> None:
    trained = {"training": {"task": {"name": "compression", "step": 3.0}}}
    model = write_coding_model(tmp_path / "coder.discrimen", provenance=trained)
    assert encoded(tmp_path, model, written(tmp_path / "run.lh5", falling_pulses(40))).header.step == 3.0


def test_sizes_are_those_of_the_file(tmp_path: Path, model: Path) -> None:
    pulses = falling_pulses(20_000)
    done = encoded(tmp_path, model, written(tmp_path / "run.lh5", pulses), step=2.0)
    whole = (tmp_path / "run.codes").stat().st_size
    assert done.waveform_bytes + done.column_bytes < whole < done.waveform_bytes + done.column_bytes + 50_000
    assert done.ratio == pulses.samples.nbytes / done.waveform_bytes > 10


def test_codes_of_another_model_are_refused(tmp_path: Path, model: Path) -> None:
    encoded(tmp_path, model, written(tmp_path / "run.lh5", falling_pulses(40)), step=2.0)
    other = write_coding_model(tmp_path / "other.discrimen", turned=True)
    with pytest.raises(DataError, match="codes of another model"):
        decode_file(tmp_path / "run.codes", other, tmp_path / "back.lh5")
    assert not (tmp_path / "back.lh5").exists()


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, model: Path, share: float) -> None:
    encoded(tmp_path, model, written(tmp_path / "run.lh5", falling_pulses(400)), step=2.0)
    content = (tmp_path / "run.codes").read_bytes()
    (tmp_path / "run.codes").write_bytes(content[: int(share * len(content))])
    with pytest.raises(FormatError, match="no codes file, or only a part"):
        decode_file(tmp_path / "run.codes", model, tmp_path / "back.lh5")


def test_an_altered_byte_is_refused(tmp_path: Path, model: Path) -> None:
    encoded(tmp_path, model, written(tmp_path / "run.lh5", falling_pulses(400)), step=2.0)
    with h5py.File(tmp_path / "run.codes") as file:
        place = file["codes"].id.get_chunk_info(0).byte_offset
    content = bytearray((tmp_path / "run.codes").read_bytes())
    content[place + 20] ^= 0x10
    (tmp_path / "run.codes").write_bytes(content)
    with pytest.raises(FormatError, match="damaged"):
        decode_file(tmp_path / "run.codes", model, tmp_path / "back.lh5")
    assert not (tmp_path / "back.lh5").exists()


def _shorter_codes(file: h5py.File) -> None:
    codes = file["codes"][:, 1:]
    del file["codes"]
    file["codes"] = codes


def _fewer_baselines(file: h5py.File) -> None:
    file["baseline"].resize(10, axis=0)


def _other_layout(file: h5py.File) -> None:
    file.attrs["discrimen_codes"] = 9


def _no_header(file: h5py.File) -> None:
    del file.attrs[HEADER_ATTRIBUTE]


def _none_at_all(file: h5py.File) -> None:
    del file.attrs["discrimen_codes"]


def _beyond_the_end(file: h5py.File) -> None:
    file["kept/position"][0] = 10**6


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_shorter_codes, "codes of 3 numbers .* header says 4"),
        (_fewer_baselines, "damaged"),
        (_other_layout, "its layout is 9"),
        (_no_header, "damaged"),
        (_none_at_all, "this is no codes file"),
        (_beyond_the_end, "damaged"),
    ],
)
def test_files_that_contradict_themselves_are_refused(tmp_path: Path, model: Path, damage: Any, message: str) -> None:
    encoded(tmp_path, model, written(tmp_path / "run.lh5", odd_pulses()), step=2.0)
    with h5py.File(tmp_path / "run.codes", "r+") as file:
        damage(file)
    with pytest.raises(FormatError, match=message):
        decode_file(tmp_path / "run.codes", model, tmp_path / "back.lh5")
    assert not (tmp_path / "back.lh5").exists()


@pytest.mark.parametrize("longer", [10, -10])
def test_records_of_another_length_are_refused(tmp_path: Path, model: Path, longer: int) -> None:
    pulses = falling_pulses(40)
    samples = np.pad(pulses.samples, ((0, 0), (0, 10)), mode="edge") if longer > 0 else pulses.samples[:, :longer]
    run = written(tmp_path / "run.lh5", pulses.replace(samples=samples))
    with pytest.raises(DataError, match=f"records of {75 + longer} samples"):
        encoded(tmp_path, model, run)
    assert not (tmp_path / "run.codes").exists()


def test_runs_of_other_types_or_columns_are_refused(tmp_path: Path, model: Path) -> None:
    pulses = falling_pulses(40)
    first = written(tmp_path / "a.lh5", pulses)
    wide = written(tmp_path / "b.lh5", pulses.replace(samples=pulses.samples.astype(np.int32)))
    bare = written(tmp_path / "c.lh5", pulses.replace(flags=None))
    with pytest.raises(DataError, match="samples of int32, those before are uint16"):
        encoded(tmp_path, model, first, wide, step=2.0)
    with pytest.raises(DataError, match="the same columns"):
        encoded(tmp_path, model, first, bare, step=2.0)
    assert not (tmp_path / "run.codes").exists()


def test_a_run_unlike_the_training_is_refused(tmp_path: Path, model: Path) -> None:
    pulses = falling_pulses(60)
    run = written(tmp_path / "run.lh5", pulses.replace(samples=np.roll(pulses.samples, 20, axis=1)))
    with pytest.raises(DataError, match="60 of 60 pulses"):
        encoded(tmp_path, model, run, most_outside=0.01)
    with pytest.raises(DataError, match=r"none of 60 pulses could be encoded: 60 unlike those of the training"):
        encoded(tmp_path, model, run)
    assert not (tmp_path / "run.codes").exists()


def test_models_without_a_code_and_models_that_are_not_frozen_are_refused(tmp_path: Path) -> None:
    run = written(tmp_path / "run.lh5", falling_pulses(20))
    with pytest.raises(SettingsError, match="give the code of an auto-encoder"):
        encoded(tmp_path, write_copying_model(tmp_path / "copy.discrimen"), run)
    with pytest.raises(FormatError, match="expected a frozen model"):
        encoded(tmp_path, tmp_path / "folder", run)


def test_outputs_are_no_inputs(tmp_path: Path, model: Path) -> None:
    run = written(tmp_path / "run.lh5", odd_pulses())
    with pytest.raises(OutputError, match="this is an input"):
        encode_runs([open_reader(run)], model, run)
    encoded(tmp_path, model, run, step=2.0)
    (tmp_path / "run.codes").rename(tmp_path / "codes.lh5")
    with pytest.raises(OutputError, match="this is an input"):
        decode_file(tmp_path / "codes.lh5", model, tmp_path / "codes.lh5")


def test_a_step_must_be_positive_and_a_code_must_vary(tmp_path: Path, model: Path) -> None:
    with pytest.raises(SettingsError, match="must be positive"):
        EncodingOptions(step=0.0)
    one = falling_pulses(1)
    run = written(tmp_path / "run.lh5", one)
    with pytest.raises(DataError, match="all the same"):
        encoded(tmp_path, model, run)


def test_floats_come_back_on_request(tmp_path: Path, model: Path) -> None:
    encoded(tmp_path, model, written(tmp_path / "run.lh5", falling_pulses(40)), step=2.0)
    decode_file(tmp_path / "run.codes", model, tmp_path / "back.lh5", as_float=True)
    back = read(tmp_path / "back.lh5").samples
    assert back.dtype == np.float32
    assert (back != np.rint(back)).any()


def test_float_records_are_encoded(tmp_path: Path, model: Path) -> None:
    pulses = falling_pulses(40)
    pulses = pulses.replace(samples=pulses.samples.astype(np.float32) + np.float32(0.25))
    _, back = there_and_back(tmp_path, model, pulses, step=2.0)
    assert back.samples.dtype == np.float32
    assert np.abs(back.samples - pulses.samples).mean() < NOISE_ADC


def test_columns_that_a_format_cannot_hold_are_told(tmp_path: Path, model: Path) -> None:
    encoded(tmp_path, model, written(tmp_path / "run.lh5", falling_pulses(40)), step=2.0)
    done = decode_file(tmp_path / "run.codes", model, tmp_path / "back.dat")
    assert done.columns_left_out == ("flags",)
    assert done.as_dict()["n_decoded"] == 40


def test_settings_of_the_detector_are_kept(tmp_path: Path, model: Path) -> None:
    with open_writer(tmp_path / "run.lh5", SETTINGS) as writer:
        writer.write(falling_pulses(40))
    encoded(tmp_path, model, tmp_path / "run.lh5", step=2.0)
    decode_file(tmp_path / "run.codes", model, tmp_path / "back.lh5")
    assert open_reader(tmp_path / "back.lh5").info.settings.adc_bits == SETTINGS.adc_bits


def test_zigzag_puts_small_sizes_first() -> None:
    values = np.array([0, -1, 1, -2, 2, 32767, -32767])
    assert zigzag(values).tolist() == [0, 1, 2, 3, 4, 65534, 65533]
    np.testing.assert_array_equal(unzigzag(zigzag(values).astype(np.uint16)), values)
