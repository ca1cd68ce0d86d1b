"""What predictors on ONNX runtimes must do beyond the contract of all predictors; their tests inherit this class."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from tests.inference.predictor_contract import PredictorContract
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.freezing.freeze import freeze, golden_pulses
from discrimen.freezing.from_keras import layers_of
from discrimen.inference.base import Predictor
from discrimen.inference.reference_predictor import ReferencePredictor, score_exactly
from discrimen.keras_jax import load_keras
from discrimen.models import ARCHITECTURES, build_model
from discrimen.network.frozen_file import FrozenModel, GoldenVectors, read_frozen, write_frozen
from discrimen.network.layers import Dense, Layer
from discrimen.network.model_spec import ModelSpec
from discrimen.network.preparation import Alignment, Preparation
from discrimen.training import TrainingConfig, train

ALIGNED = replace(PREPARATION, window_length=40, alignment=Alignment(position=6, interpolate=True), scale="area")


@cache
def trained(architecture: str) -> bytes:
    """Train on toy pulses until the classes come apart, and freeze; return the frozen file."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        config = TrainingConfig(architecture=architecture, epochs=25, learning_rate=0.01)
        train(toy_pulses(400), PREPARATION, config, folder=place / "model")
        freeze(place / "model", place / "model.discrimen")
        return (place / "model.discrimen").read_bytes()


@cache
def random_layers(architecture: str, window_length: int) -> tuple[Layer, ...]:
    session = load_keras("cpu")
    with session.on_device():
        model = build_model(session.keras, architecture, {}, window_length=window_length)
        rng = np.random.default_rng(5)
        for variable in model.trainable_variables:
            variable.assign(rng.normal(0, 0.5, variable.shape))
        return layers_of(model)


def write_random(path: Path, architecture: str, preparation: Preparation) -> FrozenModel:
    """Write a frozen model of random weights that keeps its promise."""
    return write_model(path, random_layers(architecture, preparation.window_length), preparation)


def write_model(path: Path, layers: tuple[Layer, ...], preparation: Preparation) -> FrozenModel:
    spec = ModelSpec(preparation=preparation)
    samples = golden_pulses(preparation)
    model = FrozenModel(spec, layers, GoldenVectors(samples, score_exactly(layers, spec, samples), 1e-5))
    write_frozen(model, path)
    return model


@pytest.fixture(scope="module", params=ARCHITECTURES)
def frozen_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frozen model of each architecture."""
    path = tmp_path_factory.mktemp("random") / f"{request.param}.discrimen"
    write_random(path, request.param, PREPARATION)
    return path


@pytest.fixture(scope="module")
def samples() -> NDArray[Any]:
    return toy_pulses(60, seed=1).samples


class OnnxPredictorContract(PredictorContract):
    """Needs the fixtures `predictor`, made from `frozen_path`, and `samples`, and the attribute `kind`."""

    kind: ClassVar[type[Any]]

    def test_gives_the_scores_of_the_reference(
        self, predictor: Predictor, frozen_path: Path, samples: NDArray[Any]
    ) -> None:
        expected = ReferencePredictor(frozen_path).predict(samples)
        assert expected.std() > 0.01
        assert_allclose(predictor.predict(samples), expected, atol=1e-5)
        assert_allclose(predictor.predict(samples.astype(np.int16)), expected, atol=1e-5)

    def test_carries_the_whole_description(self, predictor: Predictor, frozen_path: Path) -> None:
        assert predictor.spec == read_frozen(frozen_path).spec

    def test_samples_of_16_bits_score_right(
        self, predictor: Predictor, frozen_path: Path, samples: NDArray[Any]
    ) -> None:
        high = samples + np.uint16(25500)
        assert high.min() < 2**15 - 1000 < 2**15 + 500 < high.max()
        assert_allclose(predictor.predict(high), ReferencePredictor(frozen_path).predict(high), atol=1e-5)

    def test_samples_of_8_bits_score_right(
        self, predictor: Predictor, frozen_path: Path, samples: NDArray[Any]
    ) -> None:
        coarse = (samples // 32).astype(np.uint8)
        assert_allclose(predictor.predict(coarse), ReferencePredictor(frozen_path).predict(coarse), atol=1e-5)

    def test_samples_beyond_24_bits_keep_their_last_count(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        far = samples.astype(np.int32) - np.int32(2**31 - 1001)
        assert_allclose(predictor.predict(far), predictor.predict(samples.astype(np.int32)), atol=1e-6)

    def test_waveform_with_a_sample_that_is_no_number_scores_nan(
        self, predictor: Predictor, samples: NDArray[Any]
    ) -> None:
        broken = samples.astype(np.float32)
        broken[[2, 4], [3, 40]] = np.nan, np.inf
        assert_array_equal(np.isnan(predictor.predict(broken)).any(axis=1).nonzero()[0], [2, 4])

    def test_long_samples_are_refused(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        for dtype in (np.int64, np.float64, np.float16, np.complex64):
            with pytest.raises(DataError, match="up to 32 bits or float32, got"):
                predictor.predict(samples.astype(dtype))

    def test_samples_that_are_no_table_are_refused(self, predictor: Predictor) -> None:
        with pytest.raises(DataError, match="shape"):
            predictor.predict(np.zeros(75, dtype=np.uint16))

    @pytest.mark.parametrize("batch_size", [1, 7, 40])
    def test_size_of_the_batch_does_not_matter(self, frozen_path: Path, samples: NDArray[Any], batch_size: int) -> None:
        few = self.kind(frozen_path, batch_size=batch_size, threads=1).predict(samples[:40])
        assert_allclose(few, self.kind(frozen_path).predict(samples[:40]), atol=1e-6)

    @pytest.mark.parametrize("preparation", [PREPARATION, ALIGNED], ids=["fixed", "aligned"])
    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    def test_random_weights_score_as_the_reference_says(
        self, tmp_path: Path, samples: NDArray[Any], architecture: str, preparation: Preparation
    ) -> None:
        model = write_random(tmp_path / "m.discrimen", architecture, preparation)
        expected = score_exactly(model.layers, model.spec, samples)
        assert_allclose(self.kind(tmp_path / "m.discrimen").predict(samples), expected, atol=1e-5)

    @pytest.mark.parametrize(
        "architecture",
        [name if name == "mlp" else pytest.param(name, marks=pytest.mark.slow) for name in ARCHITECTURES],
    )
    def test_trained_weights_score_as_the_reference_says(
        self, tmp_path: Path, samples: NDArray[Any], architecture: str
    ) -> None:
        path = tmp_path / "m.discrimen"
        path.write_bytes(trained(architecture))
        expected = ReferencePredictor(path).predict(samples)
        assert expected.std() > 0.05
        assert_allclose(self.kind(path).predict(samples), expected, atol=1e-5)

    def test_onnx_file_scores_as_the_frozen_one(
        self, predictor: Predictor, frozen_path: Path, tmp_path: Path, samples: NDArray[Any]
    ) -> None:
        from_onnx = self.kind(written_onnx(read_frozen(frozen_path), tmp_path))
        assert from_onnx.spec == predictor.spec
        for dtype in (np.int16, np.uint16, np.int32, np.float32):
            assert_array_equal(from_onnx.predict(samples.astype(dtype)), predictor.predict(samples.astype(dtype)))

    def test_onnx_file_takes_no_sample_that_is_no_number(
        self, frozen_path: Path, tmp_path: Path, samples: NDArray[Any]
    ) -> None:
        self.test_waveform_with_a_sample_that_is_no_number_scores_nan(
            self.kind(written_onnx(read_frozen(frozen_path), tmp_path)), samples
        )

    def test_model_that_breaks_its_promise_is_refused(self, tmp_path: Path) -> None:
        model = write_random(tmp_path / "m.discrimen", "mlp", PREPARATION)
        golden = replace(model.golden, scores=model.golden.scores[:, ::-1])
        write_frozen(FrozenModel(model.spec, model.layers, golden), tmp_path / "liar.discrimen")
        with pytest.raises(FormatError, match="off the golden vectors of the model by"):
            self.kind(tmp_path / "liar.discrimen")

    def test_layers_that_do_not_fit_are_refused(self, tmp_path: Path) -> None:
        model = write_random(tmp_path / "m.discrimen", "mlp", PREPARATION)
        wrong = Dense(kernel=np.zeros((9, 2), np.float32), bias=np.zeros(2, np.float32))
        write_frozen(FrozenModel(model.spec, (wrong,), model.golden), tmp_path / "m.discrimen")
        with pytest.raises(FormatError, match=r"cannot be computed: layer 0 \(Dense\)"):
            self.kind(tmp_path / "m.discrimen")

    @pytest.mark.parametrize(
        ("content", "reason"),
        [(b"", "does not say what it is"), (b"\x08\x08", "does not say what it is"), (b"\xff" * 99, "no ONNX model")],
    )
    def test_file_that_is_none_of_ours_is_refused(self, tmp_path: Path, content: bytes, reason: str) -> None:
        (tmp_path / "m.onnx").write_bytes(content)
        with pytest.raises(FormatError, match=reason):
            self.kind(tmp_path / "m.onnx")

    @pytest.mark.parametrize("length", [100, 1000, -1])
    def test_truncated_onnx_file_is_refused(self, tmp_path: Path, length: int) -> None:
        path = written_onnx(write_random(tmp_path / "m.discrimen", "mlp", PREPARATION), tmp_path)
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(FormatError):
            self.kind(path)

    @pytest.mark.parametrize("text", ["{", "[]", "{}", '{"discrimen_model": 2}'])
    def test_description_that_cannot_be_read_is_refused(self, tmp_path: Path, text: str) -> None:
        path = with_description(
            written_onnx(write_random(tmp_path / "m.discrimen", "mlp", PREPARATION), tmp_path), text
        )
        with pytest.raises(FormatError, match=r"its description .* cannot be read"):
            self.kind(path)

    def test_description_of_another_network_is_refused(self, tmp_path: Path) -> None:
        model = write_random(tmp_path / "m.discrimen", "mlp", PREPARATION)
        other = replace(model.spec, classes=("gamma", "neutron", "muon"))
        path = with_description(written_onnx(model, tmp_path), json.dumps(other.as_dict()))
        with pytest.raises(FormatError, match=r"3 classes, .* of \[2\] values"):
            self.kind(path)

    def test_missing_file_is_one_error(self, tmp_path: Path) -> None:
        for name in ("m.onnx", "m.discrimen"):
            with pytest.raises(FormatError, match="cannot read"):
                self.kind(tmp_path / name)

    @pytest.mark.parametrize("options", [{"batch_size": 0}, {"threads": 0}])
    def test_nothing_to_compute_with_is_refused(self, frozen_path: Path, options: dict[str, int]) -> None:
        with pytest.raises(SettingsError, match="at least 1, got 0"):
            self.kind(frozen_path, **options)


def written_onnx(model: FrozenModel, folder: Path) -> Path:
    from discrimen.network.export.onnx import write_onnx

    write_onnx(model, folder / "m.onnx")
    return folder / "m.onnx"


def with_description(path: Path, text: str) -> Path:
    import onnx

    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"discrimen": text})
    onnx.save(model, path)
    return path
