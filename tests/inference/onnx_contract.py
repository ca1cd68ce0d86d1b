"""What predictors on ONNX runtimes must do beyond the contract of all predictors; their tests inherit this class."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from tests.inference.predictor_contract import PredictorContract
from tests.network.models import FLAT, MODELS, STEPS, Built
from tests.network.pulses import FALLING, channels_there, frozen, raw_pulses
from tests.network.weights import Weights

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.inference.base import Predictor
from discrimen.inference.reference_predictor import ReferencePredictor, run_exactly
from discrimen.network.frozen_file import FrozenModel, read_frozen, write_frozen
from discrimen.network.graph import chain
from discrimen.network.layers import Layer
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import class_scores

STILL = FALLING.with_only(window_start=9)
STILL = replace(STILL, alignment=None, scale="area")


def _scoring(make: Callable[[Weights], tuple[Layer, ...]]) -> Callable[[], Built]:
    return lambda: (chain(make(Weights(11))), ModelDescription(preparation=STILL))


SCORING: dict[str, Callable[[], Built]] = {
    "aligned": MODELS["two classes"],
    "convolution": _scoring(lambda w: (STEPS, w.conv(4, 1, 3, activation="relu"), FLAT, w.dense(51, 2))),
    "strided": _scoring(lambda w: (STEPS, w.conv(4, 1, 3, stride=4, activation="relu"), FLAT, w.dense(15, 2))),
    "lstm": _scoring(lambda w: (STEPS, w.lstm(1, 4), w.dense(4, 2))),
}
"""Models of one channel that give the probabilities of two classes."""


def write_model(path: Path, built: Built) -> FrozenModel:
    model = frozen(*built)
    write_frozen(model, path)
    return model


@pytest.fixture(scope="module", params=SCORING)
def frozen_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frozen model of each kind."""
    path = tmp_path_factory.mktemp("scoring") / "m.discrimen"
    write_model(path, SCORING[request.param]())
    return path


@pytest.fixture(scope="module")
def samples() -> NDArray[Any]:
    return raw_pulses(FALLING, 60, seed=1)[:, 0].astype(np.uint16)


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

    @pytest.mark.parametrize("name", MODELS)
    def test_gives_all_outputs_of_the_reference(self, tmp_path: Path, name: str) -> None:
        model = write_model(tmp_path / "m.discrimen", MODELS[name]())
        preparation = model.description.preparation
        samples, present = raw_pulses(preparation, 33), channels_there(preparation, 33)
        expected = run_exactly(model, samples, present=present)
        predictor = self.kind(tmp_path / "m.discrimen", threads=1, batch_size=10)
        for dtype in (np.int32, np.int16, np.float32):
            given = predictor.run(samples.astype(dtype), present=present)
            assert len(given) == len(expected)
            for found, wanted in zip(given, expected, strict=True):
                assert found.dtype == np.float32
                assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())

    def test_pulse_without_its_channels_gives_nan(self, tmp_path: Path) -> None:
        model = write_model(tmp_path / "m.discrimen", MODELS["everything at once"]())
        samples = raw_pulses(model.description.preparation, 6)
        present = np.ones((6, 3), dtype=bool)
        present[2] = False
        for found in self.kind(tmp_path / "m.discrimen").run(samples, present=present):
            assert_array_equal(np.isnan(found).any(axis=1).nonzero()[0], [2])

    def test_all_channels_are_there_where_nothing_is_said(self, tmp_path: Path) -> None:
        model = write_model(tmp_path / "m.discrimen", MODELS["channels as steps"]())
        samples = raw_pulses(model.description.preparation, 6)
        predictor = self.kind(tmp_path / "m.discrimen")
        (said,) = predictor.run(samples, present=np.ones((6, 3), dtype=bool))
        assert_array_equal(predictor.run(samples)[0], said)

    def test_absent_channel_that_the_model_needs_is_refused(self, tmp_path: Path) -> None:
        model = write_model(tmp_path / "m.discrimen", MODELS["two channels"]())
        samples = raw_pulses(model.description.preparation, 6)
        with pytest.raises(DataError, match="this model needs all of them"):
            self.kind(tmp_path / "m.discrimen").run(samples, present=np.zeros((6, 2), dtype=bool))

    def test_carries_the_whole_description(self, predictor: Predictor, frozen_path: Path) -> None:
        assert predictor.description == read_frozen(frozen_path).description

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
        far = samples.astype(np.int32) - np.int32(2**31 - 10001)
        assert_allclose(predictor.predict(far), predictor.predict(samples.astype(np.int32)), atol=1e-6)

    def test_waveform_with_a_sample_that_is_no_number_scores_nan(
        self, predictor: Predictor, samples: NDArray[Any]
    ) -> None:
        broken = samples.astype(np.float32)
        broken[[2, 4], [3, 20]] = np.nan, np.inf
        assert_array_equal(np.isnan(predictor.predict(broken)).any(axis=1).nonzero()[0], [2, 4])

    def test_long_samples_are_refused(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        for dtype in (np.int64, np.float64, np.float16, np.complex64, np.bool_):
            with pytest.raises(DataError, match="up to 32 bits or float32, got"):
                predictor.predict(samples.astype(dtype))

    def test_samples_that_are_no_table_are_refused(self, predictor: Predictor) -> None:
        with pytest.raises(DataError, match="shape"):
            predictor.predict(np.zeros(75, dtype=np.uint16))

    @pytest.mark.parametrize("batch_size", [1, 7, 64, 100])
    def test_size_of_the_batch_does_not_matter(self, frozen_path: Path, samples: NDArray[Any], batch_size: int) -> None:
        many = np.tile(samples, (3, 1))
        few = self.kind(frozen_path, batch_size=batch_size, threads=1).predict(many)
        assert_allclose(few, self.kind(frozen_path).predict(many), atol=1e-6)

    def test_onnx_file_scores_as_the_frozen_one(
        self, predictor: Predictor, frozen_path: Path, tmp_path: Path, samples: NDArray[Any]
    ) -> None:
        from_onnx = self.kind(written_onnx(read_frozen(frozen_path), tmp_path))
        assert from_onnx.description == predictor.description
        for dtype in (np.int16, np.uint16, np.int32, np.float32):
            assert_allclose(from_onnx.predict(samples.astype(dtype)), predictor.predict(samples), atol=1e-6)

    def test_onnx_file_takes_no_sample_that_is_no_number(
        self, frozen_path: Path, tmp_path: Path, samples: NDArray[Any]
    ) -> None:
        self.test_waveform_with_a_sample_that_is_no_number_scores_nan(
            self.kind(written_onnx(read_frozen(frozen_path), tmp_path)), samples
        )

    def test_onnx_file_of_several_channels_and_outputs_gives_the_same(self, tmp_path: Path) -> None:
        model = write_model(tmp_path / "m.discrimen", MODELS["everything at once"]())
        golden = model.golden
        given = self.kind(written_onnx(model, tmp_path)).run(golden.samples, present=golden.present)
        for output, found, values in zip(model.description.outputs, given, golden.values, strict=True):
            wanted = output.finish(values)
            assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())

    @pytest.mark.parametrize("output", [0, 2, 5])
    def test_each_output_keeps_its_promise_or_is_refused(self, tmp_path: Path, output: int) -> None:
        model = frozen(*MODELS["everything at once"]())
        values = list(model.golden.values)
        values[output] = values[output].copy()
        values[output][3, -1] += 3 * model.golden.tolerances[output]
        write_frozen(replace(model, golden=replace(model.golden, values=tuple(values))), tmp_path / "liar.discrimen")
        name = model.description.outputs[output].name
        with pytest.raises(FormatError, match=f"off its own golden vectors: output '{name}' by"):
            self.kind(tmp_path / "liar.discrimen")

    def test_scores_that_are_all_but_certain_still_feel_the_weights(self, tmp_path: Path) -> None:
        network, description = MODELS["two classes"]()
        last = network.nodes[-1]
        certain = replace(last, layer=replace(last.layer, bias=last.layer.bias + np.array([0, 200], np.float32)))
        network = replace(network, nodes=(*network.nodes[:-1], certain))
        model = frozen(network, description)
        kernel = certain.layer.kernel + np.float32(0.02)
        other = replace(certain, layer=replace(certain.layer, kernel=kernel))
        other_network = replace(network, nodes=(*network.nodes[:-1], other))
        scores = [run_exactly(each, model.golden.samples)[0] for each in (model, replace(model, network=other_network))]
        assert_allclose(*scores, rtol=0, atol=1e-30)
        write_frozen(replace(model, network=other_network), tmp_path / "other.discrimen")
        with pytest.raises(FormatError, match="off its own golden vectors"):
            self.kind(tmp_path / "other.discrimen")

    def test_layers_that_do_not_fit_are_refused(self, tmp_path: Path) -> None:
        model = frozen(*MODELS["two classes"]())
        write_frozen(replace(model, network=chain((FLAT, Weights().dense(9, 2)))), tmp_path / "m.discrimen")
        with pytest.raises(FormatError, match=r"cannot be computed: layer 1 \(Dense\)"):
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
        path = written_onnx(frozen(*MODELS["two classes"]()), tmp_path)
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(FormatError):
            self.kind(path)

    @pytest.mark.parametrize("text", ["{", "[]", "{}", '{"discrimen_model": 2}', '{"discrimen_model": 1}'])
    def test_description_that_cannot_be_read_is_refused(self, tmp_path: Path, text: str) -> None:
        path = with_description(written_onnx(frozen(*MODELS["two classes"]()), tmp_path), text)
        with pytest.raises(FormatError, match=r"its description .* cannot be read"):
            self.kind(path)

    def test_description_of_another_network_is_refused(self, tmp_path: Path) -> None:
        model = frozen(*MODELS["two classes"]())
        other = replace(model.description, outputs=(class_scores(("gamma", "neutron", "muon")),))
        path = with_description(written_onnx(model, tmp_path), json.dumps(other.as_dict()))
        with pytest.raises(FormatError, match=r"promises .*, scores \(any, 3\), the graph has .*, scores \(any, 2\);"):
            self.kind(path)

    def test_description_of_other_channels_is_refused(self, tmp_path: Path) -> None:
        model = frozen(*MODELS["two channels"]())
        other = replace(model.description, preparation=replace(model.description.preparation, masked=True))
        path = with_description(written_onnx(model, tmp_path), json.dumps(other.as_dict()))
        with pytest.raises(FormatError, match=r"samples \(any, 2, any\), present \(any, 2\), .* the graph has samples"):
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
