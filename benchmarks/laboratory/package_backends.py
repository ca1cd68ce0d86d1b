"""The package's own predictors for a benchmark: native engine, NumPy reference, Keras on JAX."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.inference import engine
from discrimen.inference.base import Predictor
from discrimen.inference.reference_predictor import ReferencePredictor
from laboratory.backend import Backend, BoundBatch, on_one_core
from laboratory.result import NATIVE

REFERENCE = "numpy reference"
KERAS = "keras on jax"
_LARGEST_OF_REFERENCE = 10_000
_STREAM_NS = 30_000_000


def native(path: Path, *, threads: int, instruction_set: str = "", name: str = NATIVE) -> Backend:
    """Return the native engine; several threads have a stream of batches each, as those of an acquisition have."""
    model = engine.Model.load(os.fspath(path), instruction_set)
    workspaces = [engine.Workspace(model) for _ in range(threads)]
    if threads > 1:
        via = "Python, classify of the engine's binding, each thread on batches of its own"
        return Backend(name=name, threads=threads, via=via, bind=partial(_bind_streams, model, workspaces))

    def bind(samples: NDArray[Any]) -> BoundBatch:
        scores = np.empty((len(samples), model.n_classes), np.float32)
        return BoundBatch(partial(engine.classify, model, workspaces[0], samples, scores), lambda: scores, samples)

    return Backend(name=name, threads=1, via="Python, classify of the engine's binding", bind=bind)


def _bind_streams(model: engine.Model, workspaces: list[engine.Workspace], samples: NDArray[Any]) -> BoundBatch:
    """Give each thread a copy of the batch, to be scored so often that starting the threads hardly counts."""
    batches = [samples, *(samples.copy() for _ in workspaces[1:])]
    scores = [np.empty((len(samples), model.n_classes), np.float32) for _ in workspaces]
    start_ns = time.perf_counter_ns()
    engine.classify(model, workspaces[0], samples, scores[0])
    n_rounds = max(1, round(_STREAM_NS / (time.perf_counter_ns() - start_ns)))

    def stream(thread: int) -> None:
        for _ in range(n_rounds):
            engine.classify(model, workspaces[thread], batches[thread], scores[thread])

    pool = ThreadPoolExecutor(len(workspaces))
    every = range(len(workspaces))
    return BoundBatch(
        lambda: list(pool.map(stream, every)), lambda: scores[-1], samples, batches=len(workspaces) * n_rounds
    )


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
