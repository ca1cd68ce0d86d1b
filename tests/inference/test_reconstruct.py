"""A waveform output leads back to ADC counts, by the engine as by NumPy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.reconstruction.coding_model import write_coding_model
from tests.reconstruction.copying_model import FALLING, falling_pulses, write_copying_model
from tests.scoring.small_model import write_small_model

from discrimen.errors import SettingsError
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.domain import outside
from discrimen.network.frozen_file import read_frozen
from discrimen.network.preparation import Scale


@pytest.mark.parametrize("threads", [1, 3])
def test_the_record_comes_back_from_what_the_network_copies(tmp_path: Path, threads: int) -> None:
    path = write_copying_model(tmp_path / "copy.discrimen")
    samples = np.tile(falling_pulses(300).samples, (40, 1))
    samples[7] = 1000
    waveforms, flags = NativePredictor(path, threads=threads).reconstruct(samples)
    assert waveforms.shape == (len(samples), 1, samples.shape[1])
    assert np.isnan(waveforms[7]).all()
    there = np.arange(len(samples)) != 7
    np.testing.assert_allclose(waveforms[there, 0], samples[there], atol=0.01)
    domain = read_frozen(path).description.domain
    assert domain is not None
    np.testing.assert_array_equal(flags, outside(samples, FALLING, domain))


def test_engine_and_reference_agree(tmp_path: Path) -> None:
    path = write_copying_model(tmp_path / "copy.discrimen")
    samples = falling_pulses(50).samples
    (engine, flags), (exact, same) = (kind(path).reconstruct(samples) for kind in (NativePredictor, ReferencePredictor))
    np.testing.assert_allclose(engine, exact, atol=0.01)
    np.testing.assert_array_equal(flags, same)


def test_a_model_without_a_waveform_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"give a waveform; this one gives scores \(classes\)"):
        NativePredictor(write_small_model(tmp_path / "m.discrimen")).reconstruct(falling_pulses(5).samples)


@pytest.mark.parametrize("scale", ["none", "peak", "area"])
def test_codes_and_their_way_back_agree(tmp_path: Path, scale: Scale) -> None:
    path = write_coding_model(tmp_path / "coder.discrimen", preparation=replace(FALLING, scale=scale))
    samples = falling_pulses(50).samples
    engine, exact = (kind(path).encode(samples) for kind in (NativePredictor, ReferencePredictor))
    np.testing.assert_allclose(engine.codes, exact.codes, rtol=1e-4, atol=1e-3 * np.abs(exact.codes).max())
    np.testing.assert_allclose(engine.restoration.divisor, exact.restoration.divisor, rtol=1e-5)
    np.testing.assert_allclose(engine.restoration.baseline_adc, exact.restoration.baseline_adc)
    np.testing.assert_array_equal(engine.outside, exact.outside)


def test_a_model_without_a_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="give the code of an auto-encoder"):
        NativePredictor(write_copying_model(tmp_path / "copy.discrimen")).encode(falling_pulses(5).samples)
