"""The native engine behind the Predictor protocol: the contract, every architecture, every instruction set."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from tests.inference.predictor_contract import PredictorContract
from tests.inference.same_scores import randomise
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import DataError, DeviceError, FormatError, SettingsError
from discrimen.freezing.freeze import golden_pulses
from discrimen.freezing.from_keras import layers_of
from discrimen.inference import engine
from discrimen.inference.base import Predictor
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import score_exactly
from discrimen.keras_jax import load_keras
from discrimen.models import ARCHITECTURES, build_model
from discrimen.network.frozen_file import FrozenModel, GoldenVectors, read_frozen, write_frozen
from discrimen.network.model_spec import ModelSpec
from discrimen.network.preparation import Alignment, Preparation, Scale

TOLERANCE = 1e-5
"""How far the engine's float32 may be off the float64 reference."""


def write_model(path: Path, preparation: Preparation, architecture: str = "mlp", seed: int = 1) -> Path:
    """Freeze a network of random weights."""
    session = load_keras("cpu")
    network = build_model(session.keras, architecture, {}, window_length=preparation.window_length)
    randomise(network, np.random.default_rng(seed))
    with session.on_device():
        layers = layers_of(network)
    spec = ModelSpec(preparation=preparation, thresholds={"95 %": 0.4})
    samples = golden_pulses(preparation)
    golden = GoldenVectors(samples, score_exactly(layers, spec, samples), TOLERANCE)
    write_frozen(FrozenModel(spec, layers, golden), path)
    return path


def instruction_sets() -> list[str]:
    """Return what this machine has; a set that it lacks is skipped by name."""
    return ["baseline", "avx2", "avx512"]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def frozen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("native") / "model.discrimen", PREPARATION, request.param)


@pytest.fixture(scope="module", params=instruction_sets())
def predictor(request: pytest.FixtureRequest, frozen: Path) -> Predictor:
    try:
        return NativePredictor(frozen, instruction_set=request.param)
    except SettingsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def samples() -> NDArray[Any]:
    return toy_pulses(60, seed=1).samples


def exact_scores(path: Path, samples: NDArray[Any]) -> NDArray[np.float64]:
    model = read_frozen(path)
    return score_exactly(model.layers, model.spec, samples)


class TestNativePredictor(PredictorContract):
    def test_gives_the_scores_of_the_reference(self, predictor: Predictor, frozen: Path, samples: NDArray[Any]) -> None:
        assert_allclose(predictor.predict(samples), exact_scores(frozen, samples), atol=TOLERANCE)

    def test_names_engine_and_instruction_set(self, predictor: Predictor) -> None:
        assert predictor.backend.startswith("native (")

    def test_samples_at_odd_addresses_are_read_where_they_lie(
        self, predictor: Predictor, samples: NDArray[Any]
    ) -> None:
        raw = np.zeros((len(samples), 2 * samples.shape[1] + 25), np.uint8)
        raw[:, 25:] = samples.astype("<u2").view(np.uint8).reshape(len(samples), -1)
        records = np.ndarray(samples.shape, "<u2", raw, 25, (raw.shape[1], 2))
        assert not records.flags.aligned
        assert_array_equal(predictor.predict(records), predictor.predict(samples.astype(np.uint16)))


@pytest.fixture(scope="module")
def mlp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("native") / "mlp.discrimen", PREPARATION)


@pytest.mark.parametrize("polarity", [-1, 1])
@pytest.mark.parametrize("scale", ["peak", "area", "none"])
@pytest.mark.parametrize("alignment", [None, Alignment(position=4), Alignment(position=4, interpolate=True)])
def test_every_preparation_is_that_of_the_reference(
    tmp_path: Path, polarity: int, scale: Scale, alignment: Alignment | None
) -> None:
    preparation = Preparation(
        sample_period_ns=4.0,
        polarity=polarity,
        baseline_start=1,
        baseline_stop=9,
        window_start=6,
        window_length=37,
        alignment=alignment,
        scale=scale,
    )
    path = write_model(tmp_path / "model.discrimen", preparation)
    raw = golden_pulses(preparation)
    for samples in (raw, raw.astype(np.uint16), raw.astype(np.int16), raw.astype(np.float32), raw + (1 << 26)):
        for some in (samples, samples[:3], samples[:33, : preparation.shortest_record + 3]):
            # Where the crossing lies within rounding of a sample, the window may begin one sample later.
            off = np.abs(NativePredictor(path).predict(some) - exact_scores(path, some)).max(axis=1)
            assert (off > TOLERANCE).sum() <= (0 if alignment is None or alignment.interpolate else 1)


def test_many_threads_give_the_scores_of_one(mlp: Path) -> None:
    samples = np.tile(toy_pulses(50, seed=2).samples, (400, 1))
    one, four = NativePredictor(mlp, threads=1), NativePredictor(mlp, threads=4)
    assert samples.size > 4 * 250_000
    assert_array_equal(four.predict(samples), one.predict(samples))


def test_one_predictor_serves_several_threads(mlp: Path) -> None:
    samples = np.tile(toy_pulses(50, seed=2).samples, (100, 1))
    predictor = NativePredictor(mlp, threads=2)
    expected = predictor.predict(samples)
    with ThreadPoolExecutor(6) as pool:
        for scores in pool.map(predictor.predict, [samples] * 12):
            assert_array_equal(scores, expected)


def test_differences_beyond_32_bits_are_refused(mlp: Path) -> None:
    samples = toy_pulses(5, seed=2).samples.astype(np.int64)
    samples[2, 20] += 1 << 40
    with pytest.raises(DataError, match="32 bits"):
        NativePredictor(mlp).predict(samples)


def test_gpu_is_refused_with_the_reason(mlp: Path) -> None:
    with pytest.raises(DeviceError, match="no CUDA backend"):
        NativePredictor(mlp, device="gpu")


def test_unknown_instruction_set_is_refused(mlp: Path) -> None:
    with pytest.raises(SettingsError, match=r"no instruction set 'mmx' on this machine; it has .*baseline"):
        NativePredictor(mlp, instruction_set="mmx")


def test_no_threads_are_refused(mlp: Path) -> None:
    with pytest.raises(SettingsError, match="at least 1"):
        NativePredictor(mlp, threads=0)


def test_model_that_breaks_its_promise_is_refused(mlp: Path, tmp_path: Path) -> None:
    honest = read_frozen(mlp)
    golden = GoldenVectors(honest.golden.samples, honest.golden.scores[:, ::-1], TOLERANCE)
    write_frozen(FrozenModel(honest.spec, honest.layers, golden), tmp_path / "liar.discrimen")
    with pytest.raises(FormatError, match="off its own golden vectors"):
        NativePredictor(tmp_path / "liar.discrimen")


def test_threads_cost_memory_only_where_they_work(mlp: Path) -> None:
    predictor = NativePredictor(mlp, threads=1_000_000)
    assert predictor.predict(toy_pulses(5, seed=2).samples).shape == (10, 2)


@pytest.mark.parametrize("dtype", [np.complex64, object])
def test_samples_that_are_no_real_numbers_are_refused(mlp: Path, dtype: Any) -> None:
    with pytest.raises(DataError, match="integers or floats"):
        NativePredictor(mlp).predict(toy_pulses(5, seed=2).samples.astype(dtype))


def test_shared_offset_of_the_golden_pulses_does_not_matter(tmp_path: Path) -> None:
    # A baseline far up costs single precision its last digits: the file must not be refused for that.
    honest = read_frozen(write_model(tmp_path / "model.discrimen", PREPARATION))
    samples = honest.golden.samples + 50_000
    golden = GoldenVectors(samples, score_exactly(honest.layers, honest.spec, samples), 1e-6)
    write_frozen(FrozenModel(honest.spec, honest.layers, golden), tmp_path / "high.discrimen")
    NativePredictor(tmp_path / "high.discrimen")


@pytest.mark.parametrize(
    "scores",
    [
        np.zeros((3, 2), np.float64),
        np.zeros((2, 2), np.float32),
        np.zeros((3, 3), np.float32),
        np.zeros((3, 4), np.float32)[:, ::2],
        np.zeros((2, 3), np.float32).T,
    ],
    ids=["float64", "too few rows", "too many columns", "every other column", "transposed"],
)
def test_engine_writes_into_no_other_array_of_scores(mlp: Path, scores: NDArray[Any]) -> None:
    model = engine.Model.load(str(mlp))
    samples = golden_pulses(PREPARATION)[:3].astype(np.int16)
    before = scores.copy()
    with pytest.raises((TypeError, ValueError)):
        engine.classify(model, engine.Workspace(model), samples, scores)
    assert_array_equal(scores, before)
