"""The compiled header against the reference, on raw pulses, for every layer, preparation and architecture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from tests.inference.same_scores import randomise
from tests.network.export.cpp import compiler
from tests.network.export.cpp.models import frozen, layer_models, preparation_models, raw_pulses

from discrimen.freezing.freeze import golden_pulses
from discrimen.freezing.from_keras import layers_of
from discrimen.inference.reference_predictor import score_exactly
from discrimen.keras_jax import load_keras
from discrimen.models import ARCHITECTURES, build_model
from discrimen.network.export.cpp import write_cpp_header
from discrimen.network.frozen_file import FrozenModel
from discrimen.network.preparation import Preparation

LAYERS = layer_models()
PREPARATIONS = preparation_models()
BUILDS = {"plain": ["-O2"], "sanitized": compiler.SANITIZED}
TYPES = {"i2": ("std::int16_t", np.int16), "u2": ("std::uint16_t", np.uint16), "f4": ("float", np.float32)}
MASK = 0x3FFF
WIDE_ADC = 2**26
"""So far from zero, float32 does not hold every integer."""


@dataclass(frozen=True)
class Scored:
    """What the programs gave: their folder by build, and what each model said of itself."""

    folders: dict[str, Path]
    healthy: dict[str, dict[str, bool]]


@pytest.fixture(scope="module")
def architectures() -> dict[str, FrozenModel]:
    """Every architecture with random weights."""
    session = load_keras("cpu")
    models = {}
    preparation = Preparation(
        sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=12, window_length=75, scale="peak"
    )
    for name in ARCHITECTURES:
        with session.on_device():
            keras_model = build_model(session.keras, name, {}, window_length=75)
            randomise(keras_model, np.random.default_rng(5))
            layers = layers_of(keras_model)
        models[f"architecture_{name}"] = frozen(layers, preparation, n_outputs=2, golden=golden_pulses(preparation))
    return models


def pulses_for(model: FrozenModel) -> NDArray[np.int32]:
    """Good pulses and hopeless ones: flat, upside down, without a leading edge, at the end of the record."""
    preparation = model.spec.preparation
    n_samples = max(60, preparation.shortest_record)
    good = raw_pulses(40, n_samples, polarity=preparation.polarity, start=9, seed=11)
    late = raw_pulses(8, n_samples, polarity=preparation.polarity, start=n_samples - 12, seed=12)
    flat = np.full((1, n_samples), 8000, np.int32)
    from_start = raw_pulses(4, n_samples, polarity=preparation.polarity, start=-9, seed=13)
    return np.concatenate([good, late, flat, 16000 - good[:6], from_start]).astype(np.int32)


def floats_for(model: FrozenModel) -> NDArray[np.float32]:
    """Also samples that are no numbers, in the baseline, in the pulse and at the end."""
    samples = pulses_for(model).astype(np.float32) + np.float32(0.25)
    for row, (at, value) in enumerate(
        [(2, np.nan), (14, np.nan), (-1, np.nan), (12, np.inf), (-1, -np.inf), (3, np.inf)]
    ):
        samples[row, at] = value
    return samples


def inputs_of(model: FrozenModel) -> dict[str, NDArray[Any]]:
    samples = pulses_for(model)
    flags = np.random.default_rng(14).integers(0, 4, samples.shape) << 14
    return {
        "i2": samples.astype(np.int16),
        "u2": samples.astype(np.uint16),
        "masked": (samples | flags).astype(np.uint16),
        "i4": samples + np.int32(WIDE_ADC),
        "f4": floats_for(model),
        "short": samples[:3, : model.spec.preparation.shortest_record - 1].astype(np.int16),
    }


def statements_for(name: str, suffixes: list[str]) -> list[str]:
    types = {"i4": "std::int32_t", "short": "std::int16_t"} | {key: cpp for key, (cpp, _) in TYPES.items()}
    made = [f"TEST_ITSELF({name})"]
    for suffix in suffixes:
        if suffix == "masked":
            made.append(f'SCORE_MASKED({name}, std::uint16_t, "masked", {MASK})')
        else:
            made.append(f'SCORE_AS({name}, {types[suffix]}, "{suffix}")')
    return made


def altered(header: str, namespace: str) -> str:
    """The header in another namespace, its first weight turned round."""
    moved = header.replace("namespace dense_tanh ", f"namespace {namespace} ").replace("DENSE_TANH_", "ALTERED_")
    return re.sub(r"(kernel\[\d+\] = \{\s*)(-?)", lambda found: found[1] + ("" if found[2] else "-"), moved, count=1)


def write_program(folder: Path, name: str, models: dict[str, FrozenModel], suffixes: list[str]) -> Path:
    statements = []
    for model_name, model in models.items():
        write_cpp_header(model, folder / f"{model_name}.hpp", namespace=model_name)
        for suffix, samples in inputs_of(model).items():
            if suffix in suffixes:
                compiler.write_pulses(folder / f"{model_name}.{suffix}", samples)
        statements += statements_for(model_name, suffixes)
    headers = [f"{model_name}.hpp" for model_name in models]
    if "dense_tanh" in models:
        (folder / "altered.hpp").write_text(altered((folder / "dense_tanh.hpp").read_text(), "altered"))
        headers.append("altered.hpp")
        statements.append("TEST_ITSELF(altered)")
    return compiler.write_main(folder / f"{name}.cpp", headers, statements)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory, architectures: dict[str, FrozenModel]) -> Scored:
    compiler.find_compiler()
    folders, healthy = {}, {}
    running = []
    for build, options in BUILDS.items():
        folder = folders[build] = tmp_path_factory.mktemp(build)
        healthy[build] = {}
        sources = [
            write_program(folder, "layers", LAYERS | architectures, ["i2"]),
            write_program(folder, "preparations", PREPARATIONS, ["i2", "u2", "masked", "i4", "f4", "short"]),
        ]
        for source in sources:
            program = source.with_suffix("")
            running.append((build, program, compiler.start_compiling([source], program, *options)))
    for build, program, compiling in running:
        compiler.finish_compiling(compiling)
        healthy[build] |= compiler.said_of_itself(compiler.run(program, folders[build]))
    return Scored(folders, healthy)


def assert_scores(
    scored: Scored, build: str, name: str, model: FrozenModel, suffix: str, samples: NDArray[Any]
) -> None:
    got, said_valid = compiler.read_scores(scored.folders[build] / f"{name}.{suffix}", len(model.spec.classes))
    with np.errstate(invalid="ignore"):
        expected = score_exactly(model.layers, model.spec, samples)
    assert_array_equal(said_valid, ~np.isnan(expected).any(axis=1))
    # Scores in ADC counts and sums of many random weights are larger than one: relative to the largest of their pulse.
    size = np.maximum(np.abs(expected).max(axis=1), 1)[said_valid, np.newaxis]
    assert_allclose(got[said_valid] / size, expected[said_valid] / size, rtol=0, atol=1e-5)
    assert np.isnan(got[~said_valid]).all()
    assert said_valid.any()


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("name", LAYERS)
def test_layer_gives_the_scores_of_the_reference(scored: Scored, name: str, build: str) -> None:
    assert_scores(scored, build, name, LAYERS[name], "i2", inputs_of(LAYERS[name])["i2"])


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architecture_gives_the_scores_of_the_reference(
    scored: Scored, architectures: dict[str, FrozenModel], name: str, build: str
) -> None:
    model = architectures[f"architecture_{name}"]
    assert_scores(scored, build, f"architecture_{name}", model, "i2", inputs_of(model)["i2"])


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("suffix", ["i2", "u2", "i4", "f4"])
@pytest.mark.parametrize("name", PREPARATIONS)
def test_preparation_gives_the_window_of_the_reference(scored: Scored, name: str, suffix: str, build: str) -> None:
    model = PREPARATIONS[name]
    assert_scores(scored, build, name, model, suffix, inputs_of(model)[suffix])


@pytest.mark.parametrize("name", PREPARATIONS)
def test_masked_bits_do_not_count(scored: Scored, name: str) -> None:
    model = PREPARATIONS[name]
    assert_scores(scored, "sanitized", name, model, "masked", inputs_of(model)["masked"] & MASK)


@pytest.mark.parametrize("name", PREPARATIONS)
def test_short_record_is_refused(scored: Scored, name: str) -> None:
    got, said_valid = compiler.read_scores(scored.folders["sanitized"] / f"{name}.short", 37)
    assert not said_valid.any()
    assert len(got) == 3
    assert np.isnan(got).all()


@pytest.mark.parametrize("build", BUILDS)
def test_every_header_passes_its_own_test_unless_a_weight_was_altered(scored: Scored, build: str) -> None:
    healthy = dict(scored.healthy[build])
    assert healthy.pop("altered") is False
    assert len(healthy) == len(LAYERS) + len(PREPARATIONS) + len(ARCHITECTURES)
    assert [name for name, good in healthy.items() if not good] == []
