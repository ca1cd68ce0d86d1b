"""The whole way of every kind of model: trained or adopted, frozen, and run by each engine as Keras does in float64."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.freezing.whole_way import MODELS, Made
from tests.network.export.cpp.compiler import compile_strictly
from tests.network.export.cpp.compiler import run as run_program

from discrimen.freezing.freeze import freeze
from discrimen.freezing.to_onnx import freeze_to_onnx
from discrimen.inference.base import Predictor
from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.inference.native import NativePredictor
from discrimen.inference.onnxruntime_predictor import OnnxRuntimePredictor
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.keras_jax import KerasSession, load_keras
from discrimen.network.export.cpp import write_cpp_header
from discrimen.network.prepare import arranged, arrangement_for, prepare
from discrimen.training import load_model_folder

PROGRAM = """
#include "model.hpp"

#include <cstdio>
#include <cstdlib>
#include <vector>

template <class T>
std::vector<T> read(const char* path, std::size_t count) {
    std::vector<T> values(count);
    std::FILE* file = std::fopen(path, "rb");
    if (!file || std::fread(values.data(), sizeof(T), count, file) != count) std::exit(1);
    std::fclose(file);
    return values;
}

int main(int, char** argv) {
    const whole_way::Model model = whole_way::embedded();
    whole_way::Workspace workspace(model);
    const std::size_t n_pulses = std::strtoul(argv[3], nullptr, 10), n_samples = std::strtoul(argv[4], nullptr, 10);
    const auto samples = read<std::int32_t>(argv[1], n_pulses * model.n_channels() * n_samples);
    const auto present = read<std::uint8_t>(argv[2], n_pulses * model.n_channels());
    auto pulses = whole_way::contiguous(samples.data(), n_pulses, model.n_channels(), n_samples);
    pulses.present = present.data();
    pulses.present_stride = static_cast<std::ptrdiff_t>(model.n_channels());
    std::vector<std::vector<float>> values;
    std::vector<float*> places;
    for (const auto& output : model.outputs()) values.emplace_back(n_pulses * output.n_values);
    for (auto& one : values) places.push_back(one.data());
    whole_way::Results results{};
    results.size = sizeof results;
    results.outputs = places.data();
    if (model.run(pulses, workspace, results) != whole_way::DISCRIMEN_OK) return 2;
    std::FILE* file = std::fopen(argv[5], "wb");
    for (const auto& one : values) std::fwrite(one.data(), sizeof(float), one.size(), file);
    return std::fclose(file);
}
"""
ENGINES = {
    "reference": ReferencePredictor,
    "native": NativePredictor,
    "onnxruntime": OnnxRuntimePredictor,
}
TOLERANCE = 2e-5
"""Of a score, or of the largest value of another output."""


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """A model, its files, and what Keras gives in float64."""

    made: Made
    path: Path
    onnx: Path
    exact: tuple[NDArray[np.float64], ...]


def in_float64(session: KerasSession, made: Made) -> tuple[NDArray[np.float64], ...]:
    """Compute a model by Keras in double precision, from the same preparation in double precision."""
    keras = session.keras
    with session.on_device(), session.jax.enable_x64(True):
        model, description = load_model_folder(made.folder, session=session)
        double = type(model).from_config(_with_dtype(model.get_config()))
        for to, weight in zip(double.weights, model.weights, strict=True):
            to.assign(np.asarray(weight.value).astype(np.float64))
        assert all(variable.dtype == "float64" for variable in double.trainable_variables)
        prepared = prepare(made.samples, description.preparation, present=made.present, dtype=np.float64)
        assert prepared.valid.all()
        shape = tuple(double.input_shape[1:])
        given = double(keras.ops.array(arranged(prepared.waveforms, arrangement_for(shape, description.preparation))))
        values = [np.asarray(each) for each in (given if isinstance(given, list | tuple) else [given])]
    assert all(each.dtype == np.float64 for each in values)
    flat = [each.reshape(len(each), -1) for each in values]
    return tuple(
        np.concatenate([1 - each, each], axis=1) if output.kind == "classes" and each.shape[1] == 1 else each
        for each, output in zip(flat, description.outputs, strict=True)
    )


def _with_dtype(config: Any) -> Any:
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {"name": "float64"}}
        return {
            name: "float64" if name == "dtype" and isinstance(value, str) else _with_dtype(value)
            for name, value in config.items()
        }
    return [_with_dtype(each) for each in config] if isinstance(config, list | tuple) else config


FAST = {"mlp", "place in mm with errors", "adopted from Keras 2", "adopted from scikit-learn"}
"""The others take ten seconds and more each to train and compile; fast tests hold their layers in all engines."""


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=[pytest.mark.slow] * (name not in FAST)) for name in MODELS]
)
def frozen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    folder = tmp_path_factory.mktemp("whole_way")
    made = MODELS[request.param](folder / "model")
    done = freeze(made.folder, folder / "model.discrimen")
    freeze_to_onnx(done.path, folder / "model.onnx")
    return Frozen(made, done.path, folder / "model.onnx", in_float64(load_keras("cpu"), made))


def assert_as_exact(predictor: Predictor, frozen: Frozen) -> None:
    found = predictor.run(frozen.made.samples, present=frozen.made.present)
    assert len(found) == len(frozen.exact)
    for output, one, exact in zip(predictor.description.outputs, found, frozen.exact, strict=True):
        scale = 1.0 if output.kind == "classes" else np.abs(exact).max()
        assert exact.std() > 1e-4 * scale, "values that all pulses share prove nothing"
        assert np.abs(one - exact).max() <= TOLERANCE * scale, output.name


@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_gives_what_keras_gives_in_float64(frozen: Frozen, engine: str) -> None:
    assert_as_exact(ENGINES[engine](frozen.path), frozen)


def test_the_onnx_file_gives_it_too(frozen: Frozen) -> None:
    assert_as_exact(OnnxRuntimePredictor(frozen.onnx), frozen)


@pytest.mark.slow
def test_the_header_gives_it_too(frozen: Frozen, tmp_path: Path) -> None:
    write_cpp_header(frozen.path, tmp_path / "model.hpp", namespace="whole_way")
    (tmp_path / "main.cpp").write_text(PROGRAM)
    compile_strictly([tmp_path / "main.cpp"], "-std=c++17", "-O1", "-march=native", "-o", tmp_path / "program")
    samples, n_channels = frozen.made.samples.astype(np.int32), frozen.made.samples.shape[1]
    samples.tofile(tmp_path / "samples.raw")
    present = np.ones(samples.shape[:2]) if frozen.made.present is None else frozen.made.present
    present.astype(np.uint8).tofile(tmp_path / "present.raw")
    run_program(
        tmp_path / "program",
        tmp_path / "samples.raw",
        tmp_path / "present.raw",
        str(len(samples)),
        str(samples.shape[2]),
        tmp_path / "values.raw",
    )
    values = np.fromfile(tmp_path / "values.raw", np.float32)
    start = 0
    for exact in frozen.exact:
        found = values[start : start + exact.size].reshape(exact.shape)
        start += exact.size
        assert np.abs(found - exact).max() <= TOLERANCE * max(1.0, np.abs(exact).max())
    assert start == len(values)
    assert n_channels in (1, 2, 37)


def test_keras_gives_it_in_float32(frozen: Frozen) -> None:
    assert_as_exact(KerasPredictor(frozen.made.folder), frozen)
