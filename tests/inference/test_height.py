"""Every engine measures the height of a pulse as the reference does, and decides by it alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.inference.test_judge import PREPARATIONS, odd_records
from tests.network.domain.seen_pulses import N_SAMPLES, PREPARATION, records
from tests.network.models import two_channels
from tests.network.networks import frozen
from tests.network.pulses import raw_pulses

from discrimen.errors import SettingsError
from discrimen.inference import engine
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.height_curve import HeightCurve
from discrimen.network.layers import Dense, Flatten
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import heights_of

CURVE = HeightCurve(height_adc=(40.0, 150.0, 600.0, 5000.0), threshold=(0.1, 0.4, 0.999, 0.97))


def write_model(path: Path, preparation: Preparation, curve: HeightCurve = CURVE) -> Path:
    rng = np.random.default_rng(3)
    kernel = rng.standard_normal((preparation.window_length, 2)).astype(np.float32) / 10
    network = chain([Flatten(), Dense(kernel=kernel, bias=np.zeros(2, np.float32))])
    description = ModelDescription(preparation=preparation).with_thresholds({"by height": curve, "even": 0.5})
    golden = golden_vectors(network, description, odd_records(preparation.only.polarity)[:20, np.newaxis])
    write_frozen(FrozenModel(description, network, golden), path)
    return path


def loaded(path: Path, instruction_set: str, threads: int = 1) -> NativePredictor:
    try:
        return NativePredictor(path, threads=threads, instruction_set=instruction_set)
    except SettingsError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", PREPARATIONS)
@pytest.mark.parametrize("instruction_set", ["baseline", "avx2", "avx512"])
def test_heights_are_those_of_the_reference(tmp_path: Path, name: str, instruction_set: str) -> None:
    path = write_model(tmp_path / "m.discrimen", PREPARATIONS[name])
    native, samples = loaded(path, instruction_set), odd_records(PREPARATIONS[name].only.polarity)
    wanted = ReferencePredictor(path).judge(samples).height_adc
    assert wanted is not None
    assert 0 < np.isnan(wanted).sum() + (wanted <= 0).sum() < len(wanted) / 2
    for dtype in (np.int16, np.uint16, np.int32, np.float32):
        given = samples.astype(dtype)
        heights, scores = native.judge(given).height_adc, native.predict(given)
        np.testing.assert_allclose(heights, wanted, rtol=3e-6, atol=2e-3)
        np.testing.assert_array_equal(np.isnan(heights), np.isnan(scores[:, 0]))
        one_by_one = [native.judge(given[at : at + 1]).height_adc for at in range(0, len(given), 11)]
        np.testing.assert_allclose(np.concatenate(one_by_one), wanted[::11], rtol=3e-6, atol=2e-3)


def test_heights_follow_strides_and_threads(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.discrimen", PREPARATION)
    samples = np.tile(odd_records(1), (6, 1)).astype(np.int16)
    wanted = loaded(path, "").judge(samples).height_adc
    strided = np.repeat(samples, 2, axis=1)[:, ::2]
    np.testing.assert_array_equal(loaded(path, "", threads=3).judge(samples).height_adc, wanted)
    np.testing.assert_allclose(loaded(path, "").judge(strided).height_adc, wanted, rtol=1e-6)
    np.testing.assert_allclose(heights_of(samples, PREPARATION), wanted, rtol=1e-6)


def decided(model: engine.Model, number: int, scores: NDArray[Any], heights: NDArray[Any]) -> NDArray[np.bool_]:
    passes = np.full(len(scores), 7, np.uint8)
    values = np.stack([1 - scores, scores], axis=1)
    engine.decide(model, 0, number, values, heights, passes)
    assert set(passes.tolist()) <= {0, 1}
    return passes.astype(np.bool_)


def test_decisions_are_those_of_the_curve(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.discrimen", PREPARATION)
    model = engine.Model.load(str(path))
    threshold, even = model.outputs[0].thresholds
    assert (threshold.name, even.value) == ("by height", 0.5)
    assert np.isnan(threshold.value)
    knots = np.float32(CURVE.height_adc)
    beside = np.concatenate([np.nextafter(knots, np.float32(way)) for way in (0, np.inf)])
    odd = np.float32([-20, 0, 1e-3, 1e9, np.inf, np.nan])
    between = np.geomspace(10, 20_000, 4000, dtype=np.float32)
    heights = np.concatenate([knots, beside, odd, between])
    at = CURVE.at(heights)
    np.testing.assert_allclose([threshold.at(float(height)) for height in heights], at, rtol=1e-14)
    near = np.nan_to_num(at).astype(np.float32)
    for scores in (
        near,
        np.nextafter(near, np.float32(0)),
        np.nextafter(near, np.float32(1)),
        np.float32(0.7) + 0 * near,
    ):
        np.testing.assert_array_equal(decided(model, 0, scores, heights), scores >= at)
        np.testing.assert_array_equal(decided(model, 1, scores, heights), scores >= np.float64(0.5))
    for score in (np.nan, 0.0, 1.0):
        scores = np.full(len(heights), score, np.float32)
        np.testing.assert_array_equal(decided(model, 0, scores, heights), scores >= at)


def test_pulses_pass_as_python_says(tmp_path: Path) -> None:
    curve = HeightCurve(height_adc=(200.0, 1000.0, 5000.0), threshold=(0.43, 0.437, 0.434))
    path = write_model(tmp_path / "m.discrimen", PREPARATION, curve)
    flat = np.full((3, N_SAMPLES), 2000, np.uint16)
    samples = np.concatenate([records(3000, seed=4), flat])
    model = engine.Model.load(str(path))
    decisions = []
    for predictor in (NativePredictor(path), ReferencePredictor(path)):
        scores, _, heights = predictor.judge(samples)
        assert heights is not None
        passes = scores[:, 1] >= curve.at(heights)
        np.testing.assert_array_equal(decided(model, 0, scores[:, 1], heights), passes)
        decisions.append(passes)
    np.testing.assert_array_equal(*decisions)
    assert 0.1 < decisions[0].mean() < 0.9
    assert not decisions[0][-3:].any()


def test_pulses_of_several_channels_have_no_one_height(tmp_path: Path) -> None:
    network, description = two_channels()
    write_frozen(frozen(network, description), tmp_path / "m.discrimen")
    model, samples = engine.Model.load(str(tmp_path / "m.discrimen")), raw_pulses(description.preparation, 5)
    with pytest.raises(ValueError, match="no one height"):
        engine.run(model, engine.Workspace(model), samples, [None], height_adc=np.empty(5, np.float32))
    with pytest.raises(SettingsError, match="for models of one channel, this one has 2"):
        description.with_thresholds({"by height": CURVE})
