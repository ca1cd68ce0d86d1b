"""The native engine behind the Predictor protocol: the contract, every layer and output, every instruction set."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from tests.inference.predictor_contract import PredictorContract
from tests.network.networks import NETWORKS
from tests.network.pulses import channels_there, raw_pulses
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import DataError, DeviceError, FormatError, SettingsError
from discrimen.inference import engine
from discrimen.inference.base import Predictor
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import run_exactly
from discrimen.network.frozen_file import FrozenModel, read_frozen, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import Network, chain
from discrimen.network.layers import Dense, Flatten
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import Output
from discrimen.network.preparation import Alignment, Preparation, Scale, one_channel

TOLERANCE = 1e-5
"""How far the engine's float32 may be off the float64 reference, in units of an output's largest value."""

INSTRUCTION_SETS = ("baseline", "avx2", "avx512")


def reference_network(length: int, seed: int = 1) -> Network:
    """Return dense layers as 75-10-4-2 has them, of random weights."""
    rng = np.random.default_rng(seed)
    sizes = (length, 10, 4, 2)
    layers = [
        Dense(
            kernel=rng.normal(0, 0.7, (n_in, n_out)).astype(np.float32),
            bias=rng.normal(0, 0.7, n_out).astype(np.float32),
            activation="linear" if n_out == 2 else "relu",
        )
        for n_in, n_out in pairwise(sizes)
    ]
    return chain([Flatten(), *layers])


def write_model(path: Path, preparation: Preparation) -> Path:
    """Freeze a network of random weights."""
    network, description = reference_network(preparation.window_length), ModelDescription(preparation=preparation)
    write_frozen(
        FrozenModel(description, network, golden_vectors(network, description, made_up_pulses(preparation, 64))), path
    )
    return path


def on_this_machine(path: Path, instruction_set: str) -> NativePredictor:
    """Load a model; a set of instructions that this machine lacks is skipped by name."""
    try:
        return NativePredictor(path, instruction_set=instruction_set)
    except SettingsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def mlp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("native") / "mlp.discrimen", PREPARATION)


@pytest.fixture(scope="module", params=INSTRUCTION_SETS)
def predictor(request: pytest.FixtureRequest, mlp: Path) -> Predictor:
    return on_this_machine(mlp, request.param)


@pytest.fixture(scope="module")
def samples() -> NDArray[Any]:
    return toy_pulses(60, seed=1).samples


def exact_scores(path: Path, samples: NDArray[Any]) -> NDArray[np.float64]:
    (scores,) = run_exactly(read_frozen(path), samples)
    return scores


class TestNativePredictor(PredictorContract):
    def test_gives_the_scores_of_the_reference(self, predictor: Predictor, mlp: Path, samples: NDArray[Any]) -> None:
        assert_allclose(predictor.predict(samples), exact_scores(mlp, samples), atol=TOLERANCE)

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


@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_output_is_that_of_the_reference(
    name: str, instruction_set: str, frozen_networks: Callable[[str], Path]
) -> None:
    path = frozen_networks(name)
    model, predictor = read_frozen(path), on_this_machine(path, instruction_set)
    preparation = model.description.preparation
    for n_pulses in (1, 37):
        samples = raw_pulses(preparation, n_pulses, seed=9)
        present = channels_there(preparation, n_pulses)
        exact = run_exactly(model, samples, present=present)
        found = predictor.run(samples, present=present)
        for output, one, other in zip(model.description.outputs, found, exact, strict=True):
            assert one.shape == (n_pulses, output.n_values)
            assert_allclose(one, other, atol=TOLERANCE * max(1.0, float(np.nanmax(np.abs(other)))), err_msg=output.name)


@pytest.mark.parametrize("polarity", [-1, 1])
@pytest.mark.parametrize("scale", ["peak", "area", "none"])
@pytest.mark.parametrize("alignment", [None, Alignment(position=4), Alignment(position=4, interpolate=True)])
def test_every_preparation_is_that_of_the_reference(
    tmp_path: Path, polarity: int, scale: Scale, alignment: Alignment | None
) -> None:
    preparation = one_channel(
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
    raw = made_up_pulses(preparation, 64)[:, 0]
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


def test_gpu_is_refused_with_the_reason(mlp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCRIMEN_CUDA_LIBRARY", "/no/such/library.so")
    with pytest.raises(DeviceError, match=r"no CUDA backend: /no/such/library\.so cannot be loaded"):
        NativePredictor(mlp, device="gpu")


def test_unknown_instruction_set_is_refused(mlp: Path) -> None:
    with pytest.raises(SettingsError, match=r"no instruction set 'mmx' on this machine; it has .*baseline"):
        NativePredictor(mlp, instruction_set="mmx")


def test_no_threads_are_refused(mlp: Path) -> None:
    with pytest.raises(SettingsError, match="at least 1"):
        NativePredictor(mlp, threads=0)


def test_model_that_breaks_its_promise_is_refused(mlp: Path, tmp_path: Path) -> None:
    honest = read_frozen(mlp)
    golden = replace(honest.golden, values=(honest.golden.values[0][:, ::-1],))
    write_frozen(replace(honest, golden=golden), tmp_path / "liar.discrimen")
    with pytest.raises(FormatError, match="off its own golden vectors"):
        NativePredictor(tmp_path / "liar.discrimen")


def test_threads_cost_memory_only_where_they_work(mlp: Path) -> None:
    predictor = NativePredictor(mlp, threads=1_000_000)
    assert predictor.predict(toy_pulses(5, seed=2).samples).shape == (10, 2)


@pytest.mark.parametrize("dtype", [np.complex64, object])
def test_samples_that_are_no_real_numbers_are_refused(mlp: Path, dtype: Any) -> None:
    with pytest.raises(DataError, match="integers or floats"):
        NativePredictor(mlp).predict(toy_pulses(5, seed=2).samples.astype(dtype))


@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
@pytest.mark.parametrize("n_values", [7, 16, 33, 150])
def test_outputs_of_any_width_come_in_their_places(tmp_path: Path, instruction_set: str, n_values: int) -> None:
    rng = np.random.default_rng(n_values)
    kernel = rng.normal(0, 1, (PREPARATION.window_length, n_values)).astype(np.float32)
    network = chain([Flatten(), Dense(kernel=kernel, bias=rng.normal(0, 1, n_values).astype(np.float32))])
    output = Output(name="numbers", kind="code", shape=(n_values,), unit="1")
    description = ModelDescription(preparation=PREPARATION, outputs=(output,))
    model = FrozenModel(description, network, golden_vectors(network, description, made_up_pulses(PREPARATION, 64)))
    write_frozen(model, tmp_path / "wide.discrimen")
    predictor = NativePredictor(tmp_path / "wide.discrimen", threads=1, instruction_set=instruction_set)
    samples = toy_pulses(70).samples
    samples[5] = samples[5, 0]  # cannot be prepared
    (wanted,) = run_exactly(model, samples[:, np.newaxis])
    for n_pulses in (1, 6, 15, 17, 31, 33, 70):
        (found,) = predictor.run(samples[:n_pulses])
        assert_allclose(found, wanted[:n_pulses], atol=TOLERANCE * np.nanmax(np.abs(wanted)))


def test_shared_offset_of_the_golden_pulses_does_not_matter(tmp_path: Path) -> None:
    # A baseline far up costs single precision its last digits: the file must not be refused for that.
    honest = read_frozen(write_model(tmp_path / "model.discrimen", PREPARATION))
    golden = golden_vectors(honest.network, honest.description, honest.golden.samples + 50_000)
    assert golden.tolerances[0] < 1e-4
    write_frozen(replace(honest, golden=golden), tmp_path / "high.discrimen")
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
    samples = made_up_pulses(PREPARATION, 3)[:, 0].astype(np.int16)
    before = scores.copy()
    with pytest.raises((TypeError, ValueError)):
        engine.classify(model, engine.Workspace(model), samples, scores)
    assert_array_equal(scores, before)
