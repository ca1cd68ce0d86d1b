"""Hits of many channels are denoised with their columns, or left out and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.reconstruction.copying_hits_model import TRAINED, write_copying_hits_model
from tests.runs.toy_hits import CHANNELS, toy_hits, write_toy

from discrimen.errors import DataError, DiscrimenError, SettingsError
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.prepare import prepare
from discrimen.pulses import PulseFlag
from discrimen.pulses.hit_flags import HitFlag
from discrimen.pulses.hits import Hits, cut_records, in_order_of
from discrimen.reconstruction.denoise import DenoisingOptions
from discrimen.reconstruction.denoise_hits import denoise_hits_files
from discrimen.runs.hits_file import read_hits

ACCEPT = DenoisingOptions(most_outside=1)


@pytest.fixture(scope="module")
def copying(tmp_path_factory: pytest.TempPathFactory) -> NativePredictor:
    return NativePredictor(write_copying_hits_model(tmp_path_factory.mktemp("model") / "copy.discrimen"))


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> NativePredictor:
    return NativePredictor(write_copying_hits_model(tmp_path_factory.mktemp("model") / "m.discrimen", masked=True))


def bad_hits() -> Hits:
    """Six hits: good, saturated, of two segments, too high, of zeros, good."""
    hits = toy_hits(6, seed=2)
    samples = hits.samples.astype(np.int32)
    other = (int(hits.column("segment")[2]) + 14) % 36
    samples[2, other] = 100 + (samples[2, -1] - 100) // 2
    samples[3] = 100 + 4 * (samples[3] - 100)
    samples[4] = 100
    flags = np.zeros(6, np.uint32)
    flags[1] = PulseFlag.SATURATED_INPUT
    return replace(hits, samples=samples.astype(np.int16), columns={**hits.columns, "flags": flags})


def test_traces_come_back_in_counts_in_the_order_of_the_file(copying: NativePredictor, tmp_path: Path) -> None:
    order = CHANNELS[::-1]
    hits = in_order_of(toy_hits(50, seed=1), order)
    done = denoise_hits_files([write_toy(tmp_path / "hits.h5", hits)], copying, tmp_path / "out.h5")
    found = read_hits(done.output)
    assert done.runs[0].counts.as_dict()["n_denoised"] == 50
    assert found.channels == order
    assert found.samples.dtype == np.int16
    np.testing.assert_array_equal(found.samples, hits.samples)
    np.testing.assert_array_equal(found.column("entry"), np.arange(50))
    np.testing.assert_array_equal(found.column("x_mm"), hits.column("x_mm"))
    assert not found.column("flags").any()


def test_hits_unlike_the_training_are_left_out_and_counted(copying: NativePredictor, tmp_path: Path) -> None:
    path = write_toy(tmp_path / "hits.h5", bad_hits())
    done = denoise_hits_files([path], copying, tmp_path / "out.h5", options=ACCEPT)
    counts = done.runs[0].counts
    told = {name: counts[name] for name in ("n_denoised", "n_saturated", "n_several_segments", "n_too_high")}
    assert told == {"n_denoised": 2, "n_saturated": 1, "n_several_segments": 1, "n_too_high": 1}
    assert counts["n_not_denoised"] == 4
    assert "2 of 6 hits denoised; left out: 1 saturated, 1 with net charge in more" in done.runs[0].told()
    assert read_hits(done.output).column("entry").tolist() == [0, 5]


def test_kept_hits_are_as_recorded_and_have_a_flag(copying: NativePredictor, tmp_path: Path) -> None:
    hits = bad_hits()
    options = DenoisingOptions(most_outside=1, keep=True, as_float=True)
    path = write_toy(tmp_path / "hits.h5", hits)
    found = read_hits(denoise_hits_files([path], copying, tmp_path / "out.h5", options=options).output)
    assert found.samples.dtype == np.float32
    kept = (found.column("flags") & HitFlag.NOT_DENOISED) != 0
    assert kept.tolist() == [False, True, True, True, True, False]
    assert found.column("flags")[1] & PulseFlag.SATURATED_INPUT
    np.testing.assert_array_equal(found.samples[kept], hits.samples[kept])


def test_a_file_with_too_many_strange_hits_is_refused(copying: NativePredictor, tmp_path: Path) -> None:
    path = write_toy(tmp_path / "hits.h5", toy_hits(30, energies_kev=(3000.0, 3000.0)))
    with pytest.raises(DataError, match=r"30 of 30 hits are unlike .*30 higher than the training.*--accept"):
        denoise_hits_files([path], copying, tmp_path / "out.h5")
    with pytest.raises(DataError, match="none of 30 hits could be denoised"):
        denoise_hits_files([path], copying, tmp_path / "out.h5", options=ACCEPT)
    assert not (tmp_path / "out.h5").exists()


def test_absent_channels_stay_absent(masked: NativePredictor, tmp_path: Path) -> None:
    hits = toy_hits(4, seed=1)
    present = np.ones((4, 37), bool)
    present[0, 3] = present[1, 4] = present[2, -1] = False
    hits = replace(hits, samples=np.where(present[:, :, np.newaxis], hits.samples, 0).astype(np.int16), present=present)
    path = write_toy(tmp_path / "hits.h5", hits)
    done = denoise_hits_files([path], masked, tmp_path / "out.h5", options=ACCEPT)
    counts = done.runs[0].counts
    assert (counts["n_denoised"], counts["n_missing_channels"], counts["n_no_reference"]) == (2, 1, 1)
    found = read_hits(done.output)
    assert found.present is not None
    np.testing.assert_array_equal(found.present, present[[0, 3]])
    np.testing.assert_array_equal(found.samples, hits.samples[[0, 3]])


def test_several_files_are_told_apart(copying: NativePredictor, tmp_path: Path) -> None:
    paths = [write_toy(tmp_path / f"{seed}.h5", toy_hits(10 + seed, seed=seed)) for seed in (1, 2)]
    found = read_hits(denoise_hits_files(paths, copying, tmp_path / "out.h5").output)
    assert np.bincount(found.column("run")).tolist() == [11, 12]


def test_engine_and_reference_agree_on_hits_with_absent_channels(tmp_path: Path) -> None:
    path = write_copying_hits_model(tmp_path / "m.discrimen", masked=True)
    present = np.ones((40, 37), bool)
    present[:20, 3] = False
    samples = toy_hits(40, seed=3).samples
    engine, exact = (
        kind(path).reconstruct(samples, present=present).waveforms_adc for kind in (NativePredictor, ReferencePredictor)
    )
    np.testing.assert_allclose(engine, exact, atol=0.01)
    divisor = prepare(samples, NativePredictor(path).description.preparation, present=present).restoration.divisor
    assert np.ptp(divisor) > 1000  # each hit has a way back of its own
    np.testing.assert_allclose(engine[present], samples[present], atol=0.01)


@pytest.mark.parametrize(
    ("make", "output", "kind", "message"),
    [
        (lambda: cut_records(toy_hits(5), 0, 55), "out.h5", DataError, "have 55 samples, but the model"),
        (lambda: replace(toy_hits(5), sample_period_ns=4.0), "out.h5", DataError, "sampled every 4 ns"),
        (lambda: toy_hits(5), "out.lh5", SettingsError, r"ends in \.h5"),
    ],
)
def test_what_does_not_fit_is_refused(
    copying: NativePredictor,
    tmp_path: Path,
    make: Callable[[], Hits],
    output: str,
    kind: type[DiscrimenError],
    message: str,
) -> None:
    path = write_toy(tmp_path / "hits.h5", make())
    with pytest.raises(kind, match=message):
        denoise_hits_files([path], copying, tmp_path / output)


def test_a_window_that_is_a_part_is_refused(tmp_path: Path) -> None:
    model = NativePredictor(write_copying_hits_model(tmp_path / "part.discrimen", window_start=10))
    path = write_toy(tmp_path / "hits.h5", TRAINED)
    with pytest.raises(SettingsError, match="window of this model is a part of the record"):
        denoise_hits_files([path], model, tmp_path / "out.h5")
