"""Which backends are made, and that the others are named with the reason."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import MissingExtraError
from discrimen.inference import onnx_source
from discrimen.inference.reference_predictor import run_exactly
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.made_up import made_up_pulses
from discrimen.network.preparation import Alignment
from laboratory.find_backends import Found, find_backends
from laboratory.timing import TOLERANCE, Pulses


def found(path: Path, frozen: FrozenModel, threads: int = 1, **options: bool) -> Found:
    return find_backends(
        path, frozen, threads=threads, keras=None, all_instruction_sets=options.get("all_instruction_sets", False)
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_every_backend_that_is_made_gives_the_scores_of_the_reference(
    frozen_path: Path, frozen: FrozenModel, pulses: Pulses, threads: int
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("openvino")
    backends = found(frozen_path, frozen, threads, all_instruction_sets=True).backends
    names = {backend.name for backend in backends}
    assert {"native", "onnxruntime", "openvino (latency)", "openvino (throughput)"} <= names
    for backend in backends:
        for size in (1, 7, 120):
            bound = backend.bind(pulses.batch(size))
            bound.score()
            assert bound.scores().shape == (size, 2)
            assert pulses.worst_difference(bound.scores()) <= TOLERANCE, backend.name


def test_an_alignment_in_the_graph_is_timed_too(frozen: FrozenModel, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("openvino")
    aligned = dataclasses.replace(frozen.description.preparation, alignment=Alignment(position=10, interpolate=True))
    description = dataclasses.replace(frozen.description, preparation=aligned)
    raw = made_up_pulses(aligned, 20, seed=4)
    model = FrozenModel(description, frozen.network, golden_vectors(frozen.network, description, raw))
    samples = raw[:, 0].astype(np.int16)
    (scores,) = run_exactly(model, samples)
    write_frozen(model, tmp_path / "aligned.discrimen")
    known = Pulses(samples, scores)
    for backend in found(tmp_path / "aligned.discrimen", model).backends:
        bound = backend.bind(known.batch(7))
        bound.score()
        assert known.worst_difference(bound.scores()) <= TOLERANCE, backend.name


@pytest.mark.parametrize("kind", [np.int16, np.uint16])
def test_the_empty_call_converts_the_first_samples(
    frozen_path: Path, frozen: FrozenModel, pulses: Pulses, kind: type
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("openvino")
    samples = pulses.batch(3).astype(kind)
    for backend in found(frozen_path, frozen).backends:
        if backend.least_call is not None:
            bound = backend.least_call(samples)
            bound.score()
            assert np.array_equal(bound.scores(), samples[:, :2].astype(np.float32))


def test_what_is_absent_is_named(frozen_path: Path, frozen: FrozenModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str, *, extra: str) -> None:
        raise MissingExtraError(module, extra)

    monkeypatch.setattr("laboratory.runtime_backends.require_module", missing)
    everything = found(frozen_path, frozen)
    reasons = {entry.backend: entry.reason for entry in everything.left_out}
    assert {backend.name for backend in everything.backends} == {"native", "numpy reference"}
    assert "pip install 'discrimen[onnx]'" in reasons["onnxruntime"]
    assert "openvino" in reasons["openvino (latency)"]
    assert "--keras" in reasons["keras on jax"]
    assert "tensorflow" in reasons


def test_no_backend_is_both_made_and_left_out(frozen_path: Path, frozen: FrozenModel) -> None:
    everything = found(frozen_path, frozen, all_instruction_sets=True)
    made = {backend.name for backend in everything.backends}
    assert not made & {entry.backend for entry in everything.left_out}
    known = made | {entry.backend for entry in everything.left_out}
    assert len({name for name in known if name.startswith("native")}) == 3 or "native (avx512)" in known


def test_samples_of_both_signs_reach_the_runtimes(frozen_path: Path) -> None:
    source = onnx_source.read_onnx_source(frozen_path)
    assert source.serialised("int16") != source.serialised("uint16")
