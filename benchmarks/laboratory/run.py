"""One benchmark run: limits, then every model on every backend, then the limits again."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.inference import engine
from discrimen.inference.reference_predictor import ReferencePredictor, run_exactly
from discrimen.network.frozen_file import FrozenModel, read_frozen
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import ModelDescription
from discrimen.output.provenance import sha256_of_file, software_versions, utc_now
from laboratory.find_backends import Found, find_backends
from laboratory.fitting import require_memory, require_same_model
from laboratory.latency import time_single_pulses
from laboratory.limits import better_limits, copy_bytes_hz, measure_machine
from laboratory.result import Benchmark, LatencyRow, LeftOut, Machine, ModelTimes, TrainingRow
from laboratory.shares import CopyRates, rows_of
from laboratory.timing import Pulses, Sweep, time_batches
from laboratory.training_times import architecture_of, time_training
from laboratory.work import multiply_adds

BATCH_SIZES = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
TRAINING_BATCH_SIZES = (1, 10, 100, 1000, 10_000, 100_000)
LARGEST_BATCH = 10_000_000
N_PULSES = 4096
"""Different pulses; larger batches repeat them."""
_LATENCY_SHARE = 0.2
"""Of the time for a model: single pulses; the rest goes to the batches."""
NOTES = (
    "best_ns_per_signal is the best of several rounds in which all backends took turns",
    "times through Python include its call; least_call_p50_ns is the same call with a graph that computes next to "
    "nothing",
    "a batch is scored again and again: small ones lie in the caches, and copy_bytes_hz is measured accordingly",
    "multiply-adds are those of the network alone; preparation, activations and pooling are not counted",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkConfig:
    """How to measure.

    Parameters
    ----------
    threads : int or None
        For the second pass, beside one thread; by default all cores that this process may use.
    seconds : float
        For the timed calls of each model, about; what is measured beside them comes on top.
    batch_sizes : tuple of int
        Signals to a call.
    keras : Path or None
        Folder of the same model in Keras.
    train : bool
        Whether training is timed, too.
    all_instruction_sets : bool
        Whether the native engine is timed with the lesser instruction sets, too.
    seed : int
        For made-up pulses.
    """

    threads: int | None = None
    seconds: float = 60.0
    batch_sizes: tuple[int, ...] = BATCH_SIZES
    keras: Path | None = None
    train: bool = False
    all_instruction_sets: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise SettingsError(f"threads must be at least 1, got {self.threads}")
        if not self.seconds > 0:
            raise SettingsError(f"seconds must be positive, got {self.seconds}")
        sizes = self.batch_sizes
        if not sizes or min(sizes) < 1 or list(sizes) != sorted(set(sizes)):
            raise SettingsError(f"batch sizes must be positive and grow, got {', '.join(map(str, sizes)) or 'none'}")
        if sizes[-1] > LARGEST_BATCH:
            raise SettingsError(f"batch sizes must not exceed {LARGEST_BATCH:,}, got {sizes[-1]:,}")

    @property
    def thread_counts(self) -> tuple[int, ...]:
        """One thread, and all that were asked for."""
        return tuple(sorted({1, self.threads or len(os.sched_getaffinity(0))}))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {**asdict(self), "keras": None if self.keras is None else str(self.keras)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPulses:
    """Raw pulses to score, and where they come from."""

    samples: NDArray[Any]
    source: str


def run_benchmark(
    paths: Sequence[Path],
    config: BenchmarkConfig,
    *,
    pulses: RawPulses | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> Benchmark:
    """Time frozen models on every backend that is present.

    Parameters
    ----------
    paths : sequence of Path
        ``*.discrimen`` files.
    config : BenchmarkConfig
        How to measure.
    pulses : RawPulses, optional
        By default made-up ones that suit each model.
    on_step : callable
        Hears what is measured now.

    Raises
    ------
    FormatError
        If a file is no frozen model, or does not reproduce its golden vectors.
    DataError
        If the pulses do not suit a model.
    SettingsError
        If training is wanted of a model that does not say its architecture.
    """
    tasks = [_task(path, config, pulses) for path in paths]  # all faults come before the first measurement
    on_step("limits of the machine")
    model = engine.Model.load(os.fspath(paths[0]))
    machine = measure_machine(model, config.thread_counts)
    measured = []
    for task in tasks:
        say = partial(_say, on_step, task.path.stem)
        measured.append(_measure(task, config, on_step=say))
        say("limits of the machine, again")
        # The machine may have been busy with something else: the best of several measurements counts, as for times.
        machine = better_limits(machine, measure_machine(model, config.thread_counts))
    return Benchmark(
        machine=machine,
        models=tuple(one.judged(machine) for one in measured),
        config=config.as_dict(),
        versions=software_versions("numpy", "onnxruntime", "openvino", "keras", "jax"),
        date=utc_now(),
        notes=NOTES,
    )


def _say(on_step: Callable[[str], None], name: str, step: str) -> None:
    on_step(f"{name}: {step}")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Task:
    """A model that can be measured: it reproduces its golden vectors, and its pulses and training suit it."""

    path: Path
    frozen: FrozenModel
    pulses: Pulses
    source: str
    to_train: ModelDescription | None


def _task(path: Path, config: BenchmarkConfig, given: RawPulses | None) -> _Task:
    ReferencePredictor(path)  # checks the golden vectors
    frozen = read_frozen(path)
    if given is None:
        made_up = made_up_pulses(frozen.description.preparation, N_PULSES, seed=config.seed)[:, 0]
        given = RawPulses(samples=made_up, source="made up")
    if config.keras is not None:
        require_same_model(frozen.description, config.keras)
    pulses = with_scores(frozen, given)
    require_memory(pulses, config.batch_sizes[-1])
    return _Task(
        path=path,
        frozen=frozen,
        pulses=pulses,
        source=given.source,
        to_train=_description_to_train(frozen.description, config) if config.train else None,
    )


def _description_to_train(description: ModelDescription, config: BenchmarkConfig) -> ModelDescription:
    if config.keras is not None:
        from discrimen.training import load_model_folder

        description = load_model_folder(config.keras)[1]
    architecture_of(description)
    return description


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Measured:
    """A model's times before the limits are known for good."""

    times: ModelTimes
    sweeps: tuple[Sweep, ...]
    copy_rates: CopyRates

    def judged(self, machine: Machine) -> ModelTimes:
        raw = [time for sweep in self.sweeps for time in sweep.times]
        known = self.times
        rows = rows_of(
            raw,
            machine,
            self.copy_rates,
            multiply_adds=known.multiply_adds,
            bytes_in=known.bytes_in,
            bytes_out=known.bytes_out,
        )
        return replace(known, rows=rows)


def _measure(task: _Task, config: BenchmarkConfig, *, on_step: Callable[[str], None]) -> _Measured:
    sweeps: list[Sweep] = []
    latencies: tuple[LatencyRow, ...] = ()
    left_out: list[LeftOut] = []
    for threads in config.thread_counts:
        found = find_backends(
            task.path,
            task.frozen,
            threads=threads,
            keras=config.keras,
            all_instruction_sets=config.all_instruction_sets,
        )
        sweeps.append(_swept(found, task.pulses, config, on_step))
        left_out += [*found.left_out, *sweeps[-1].left_out]
        if threads == 1:
            on_step("single pulses")
            right = [backend for backend in found.backends if not sweeps[-1].refused(backend)]
            seconds = _LATENCY_SHARE * config.seconds
            latencies = time_single_pulses(task.path, right, task.pulses, seconds=seconds)
    description, samples = task.frozen.description, task.pulses.samples
    bytes_in, bytes_out = samples.itemsize * samples.shape[1], 4 * len(description.classes)
    times = ModelTimes(
        model=str(task.path),
        sha256=sha256_of_file(task.path),
        pulses=task.source,
        n_samples=samples.shape[1],
        multiply_adds=multiply_adds(task.frozen.network, description.preparation.shape),
        bytes_in=bytes_in,
        bytes_out=bytes_out,
        rows=(),
        latencies=latencies,
        training=_trained(task, config, on_step),
        left_out=tuple(left_out),
    )
    return _Measured(times=times, sweeps=tuple(sweeps), copy_rates=_copy_rates(config, bytes_in + bytes_out))


def with_scores(frozen: FrozenModel, raw: RawPulses) -> Pulses:
    """Return some raw pulses, as 16-bit integers, with the scores of the reference.

    Raises
    ------
    DataError
        If there are none, the samples do not fit into 16 bits, or the records are too short.
    """
    samples = raw.samples[:N_PULSES]
    if not len(samples):
        raise DataError(f"{raw.source}: no pulses to score")
    for kind in (np.int16, np.uint16):
        narrow = samples.astype(kind)
        if np.array_equal(narrow, samples):
            return Pulses(narrow, run_exactly(frozen, narrow)[frozen.description.scores_at])
    raise DataError(
        f"{raw.source}: expected integer samples of 16 bits, got {samples.dtype} from "
        f"{samples.min()} to {samples.max()}"
    )


def _swept(found: Found, pulses: Pulses, config: BenchmarkConfig, on_step: Callable[[str], None]) -> Sweep:
    seconds = (1 - _LATENCY_SHARE) * config.seconds / len(config.thread_counts)
    return time_batches(found.backends, pulses, batch_sizes=config.batch_sizes, seconds=seconds, on_step=on_step)


def _trained(task: _Task, config: BenchmarkConfig, on_step: Callable[[str], None]) -> tuple[TrainingRow, ...]:
    if task.to_train is None:
        return ()
    return time_training(
        task.to_train,
        batch_sizes=TRAINING_BATCH_SIZES,
        seconds=config.seconds / 2,
        rng=np.random.default_rng(config.seed),
        on_step=on_step,
    )


def _copy_rates(config: BenchmarkConfig, bytes_per_signal: int) -> Mapping[tuple[int, int], float]:
    return {
        (threads, size): copy_bytes_hz(size * bytes_per_signal, threads=threads)
        for threads in config.thread_counts
        for size in config.batch_sizes
    }
