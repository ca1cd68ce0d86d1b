"""The package's own predictors for a benchmark: native engine, NumPy reference, Keras on JAX."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen import engine
from discrimen.benchmark.backend import Backend, BoundBatch, on_one_core
from discrimen.benchmark.result import NATIVE
from discrimen.inference.base import Predictor
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import ReferencePredictor

REFERENCE = "numpy reference"
KERAS = "keras on jax"
_LARGEST_OF_REFERENCE = 10_000


def native(path: Path, *, threads: int, instruction_set: str = "", name: str = NATIVE) -> Backend:
    """Return the native engine: by one thread into scores that are there, by several through the predictor."""
    if threads > 1:
        predictor = NativePredictor(path, threads=threads, instruction_set=instruction_set)
        return Backend(name=name, threads=threads, via="Python, NativePredictor.predict", bind=_bind_to(predictor))
    model = engine.Model.load(os.fspath(path), instruction_set)
    workspace = engine.Workspace(model)

    def bind(samples: NDArray[Any]) -> BoundBatch:
        scores = np.empty((len(samples), model.n_classes), np.float32)
        return BoundBatch(partial(engine.classify, model, workspace, samples, scores), lambda: scores, samples)

    return Backend(name=name, threads=1, via="Python, classify of the engine's binding", bind=bind)


def reference(path: Path) -> Backend:
    """Return the NumPy reference, for small batches."""
    return Backend(
        name=REFERENCE,
        threads=1,
        via="Python, ReferencePredictor.predict",
        bind=_bind_to(ReferencePredictor(path)),
        largest_batch=_LARGEST_OF_REFERENCE,
    )


def keras_on_jax(folder: Path, *, threads: int, n_cores: int) -> Backend:
    """Return the trained Keras model; where not all cores compute, it is held on one."""
    from discrimen.inference.keras_predictor import KerasPredictor

    return Backend(
        name=KERAS,
        threads=threads,
        via="Python, KerasPredictor.predict (preparation by NumPy, outside the graph)",
        bind=_bind_to(KerasPredictor(folder)),
        while_timed=on_one_core if threads == 1 and n_cores > 1 else nullcontext,
    )


def _bind_to(predictor: Predictor) -> Callable[[NDArray[Any]], BoundBatch]:
    def bind(samples: NDArray[Any]) -> BoundBatch:
        latest: list[NDArray[np.float32]] = []

        def score() -> None:
            latest[:] = [predictor.predict(samples)]

        return BoundBatch(score, lambda: latest[0], samples)

    return bind
