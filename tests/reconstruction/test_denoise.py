"""Denoised runs: the records are new, the columns are kept, and what cannot be denoised is counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
from tests.reconstruction.copying_model import FALLING, falling_pulses, write_copying_model
from tests.scoring.small_model import write_small_model

from discrimen.errors import DataError, OutputError, SettingsError
from discrimen.formats.base import ReadReport
from discrimen.formats.table import open_reader, open_writer
from discrimen.inference.native import NativePredictor
from discrimen.network.preparation import Alignment
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings
from discrimen.reconstruction.denoise import Denoising, DenoisingOptions, denoise_runs
from discrimen.reconstruction.stage_run import StageRun

SETTINGS = DetectorSettings(polarity="negative", adc_bits=14)
FLAT, CLIPPED, LATE = 3, 7, 11


def odd_pulses() -> Pulses:
    """Pulses of which one is flat, one reaches the rail and one comes late."""
    pulses = falling_pulses(60)
    samples = pulses.samples.copy()
    samples[FLAT] = 8000
    samples[CLIPPED] = np.maximum(8000 - 5 * (8000 - samples[CLIPPED].astype(int)), 0)
    samples[CLIPPED, 15] = 0
    samples[LATE] = np.roll(samples[LATE], 20)
    return pulses.replace(samples=samples)


def written(path: Path, pulses: Pulses) -> Path:
    with open_writer(path, SETTINGS) as writer:
        writer.write(pulses)
    return path


def read(path: Path) -> Pulses:
    return concatenate(open_reader(path).chunks())


def denoised(folder: Path, *runs: Path, model: dict[str, Any] | None = None, **options: Any) -> Denoising:
    predictor = NativePredictor(write_copying_model(folder / "copy.discrimen", **(model or {})), threads=1)
    chosen = DenoisingOptions(**{"most_outside": 1.0, **options})
    return denoise_runs([open_reader(run) for run in runs], predictor, folder / "out.lh5", options=chosen)


def counts_of(run: StageRun) -> tuple[int, ...]:
    return tuple(run.counts[name] for name in ("n_denoised", "n_unprepared", "n_saturated", "n_outside"))


def test_a_copied_record_and_its_columns_come_back(tmp_path: Path) -> None:
    pulses = falling_pulses(40)
    (run,) = denoised(tmp_path, written(tmp_path / "run.lh5", pulses)).runs
    back = read(tmp_path / "out.lh5")
    assert counts_of(run) == (40, 0, 0, 0)
    assert back.samples.dtype == pulses.samples.dtype
    np.testing.assert_array_equal(back.samples, pulses.samples)
    assert set(back.columns()) == set(pulses.columns())
    for name, values in pulses.columns().items():
        np.testing.assert_array_equal(back.column(name), values)


@pytest.mark.parametrize(("domain", "outside"), [(True, (LATE,)), (False, ())])
def test_what_cannot_be_denoised_is_left_out_and_counted(
    tmp_path: Path, domain: bool, outside: tuple[int, ...]
) -> None:
    run = written(tmp_path / "run.lh5", odd_pulses())
    (done,) = denoised(tmp_path, run, model={"domain": domain}).runs
    assert counts_of(done) == (58 - len(outside), 1, 1, len(outside))
    assert done.as_dict()["n_not_denoised"] == 2 + len(outside)
    entries = read(tmp_path / "out.lh5").column("entry")
    np.testing.assert_array_equal(entries, np.setdiff1d(np.arange(60), [FLAT, CLIPPED, *outside]))


def test_what_cannot_be_denoised_may_be_kept_as_it_is(tmp_path: Path) -> None:
    pulses = odd_pulses()
    (done,) = denoised(tmp_path, written(tmp_path / "run.lh5", pulses), keep=True).runs
    assert counts_of(done) == (57, 1, 1, 1)
    np.testing.assert_array_equal(read(tmp_path / "out.lh5").samples, pulses.samples)


def test_floats_are_written_on_request(tmp_path: Path) -> None:
    denoised(tmp_path, written(tmp_path / "run.lh5", falling_pulses(20)), as_float=True)
    back = read(tmp_path / "out.lh5").samples
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, falling_pulses(20).samples, atol=0.01)


def test_several_runs_are_told_apart(tmp_path: Path) -> None:
    runs = [written(tmp_path / f"{name}.lh5", falling_pulses(20, seed=seed)) for seed, name in enumerate("ab")]
    assert len(denoised(tmp_path, *runs).runs) == 2
    assert read(tmp_path / "out.lh5").column("run").tolist() == [0] * 20 + [1] * 20


def test_a_run_unlike_the_training_is_refused(tmp_path: Path) -> None:
    pulses = falling_pulses(60)
    run = written(tmp_path / "run.lh5", pulses.replace(samples=np.roll(pulses.samples, 20, axis=1)))
    with pytest.raises(DataError, match="60 of 60 pulses"):
        denoised(tmp_path, run, most_outside=0.01)
    with pytest.raises(DataError, match=r"none of 60 pulses could be denoised: 60 unlike those of the training"):
        denoised(tmp_path, run)
    assert not (tmp_path / "out.lh5").exists()


def test_a_run_of_unknown_length_is_refused_at_its_end(tmp_path: Path) -> None:
    pulses = falling_pulses(60)
    samples = pulses.samples.copy()
    samples[:20] = np.roll(samples[:20], 20, axis=1)
    reader = open_reader(written(tmp_path / "run.lh5", pulses.replace(samples=samples)))
    unsized = SimpleNamespace(
        info=replace(reader.info, n_entries=None), chunks=reader.chunks, report=ReadReport(n_read=60)
    )
    predictor = NativePredictor(write_copying_model(tmp_path / "copy.discrimen"), threads=1)
    with pytest.raises(DataError, match="20 of 60 pulses"):
        denoise_runs([unsized], predictor, tmp_path / "out.lh5")
    assert not (tmp_path / "out.lh5").exists()


def test_records_of_another_length_are_refused(tmp_path: Path) -> None:
    pulses = falling_pulses(20)
    longer = pulses.replace(samples=np.pad(pulses.samples, ((0, 0), (0, 5)), mode="edge"))
    with pytest.raises(DataError, match="records of 80 samples, but the model gives 75"):
        denoised(tmp_path, written(tmp_path / "run.lh5", longer))


@pytest.mark.parametrize(
    "preparation",
    [replace(FALLING, alignment=Alignment(fraction=0.3, position=10)), FALLING.with_only(window_start=4)],
)
def test_a_window_that_is_not_the_record_is_refused(tmp_path: Path, preparation: Any) -> None:
    run = written(tmp_path / "run.lh5", falling_pulses(20))
    with pytest.raises(SettingsError, match="train without --align and --window"):
        denoised(tmp_path, run, model={"preparation": preparation, "domain": False})


def test_the_output_knows_its_model(tmp_path: Path) -> None:
    reader = open_reader(written(tmp_path / "run.lh5", falling_pulses(20)))
    predictor = NativePredictor(write_copying_model(tmp_path / "copy.discrimen"), threads=1)
    denoise_runs([reader], predictor, tmp_path / "out.lh5", model_sha256="abc")
    with h5py.File(tmp_path / "out.lh5") as file:
        told = json.loads(file.attrs["discrimen_provenance"])
    assert (told["made_by"], told["model_sha256"], told["inputs"]) == ("denoise", "abc", ["run.lh5"])
    with h5py.File(tmp_path / "run.lh5") as file:
        assert "discrimen_provenance" not in file.attrs


def test_a_classifier_denoises_nothing(tmp_path: Path) -> None:
    predictor = NativePredictor(write_small_model(tmp_path / "small.discrimen"), threads=1)
    reader = open_reader(written(tmp_path / "run.lh5", falling_pulses(20)))
    with pytest.raises(SettingsError, match="give a waveform"):
        denoise_runs([reader], predictor, tmp_path / "out.lh5")


def test_the_input_is_never_the_output(tmp_path: Path) -> None:
    run = written(tmp_path / "out.lh5", falling_pulses(20))
    with pytest.raises(OutputError, match="this is an input"):
        denoised(tmp_path, run)
