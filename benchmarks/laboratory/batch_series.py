"""Time per signal of a network in one place (one core, all cores, a GPU) against batch size, and where lines cross."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from discrimen.benchmark.timing import LEAST_ROUNDS, time_in_turns
from discrimen.network.made_up import made_up_pulses
from laboratory.limits import available_memory_bytes
from laboratory.random_networks import Network

Task = Literal["inference", "training"]
TASKS: tuple[Task, ...] = ("inference", "training")
DECADES = tuple(10**power for power in range(7))
"""Batch sizes from 1 to 1,000,000."""

_SHARE_OF_MEMORY = 0.25
_MOST_CALLS = 2.0
"""A call that takes more than so many times a batch size's share of the time is left out."""
_N_PULSES = 1024
_NOISE = math.log(1.05)
_STEPS, _MOST_SIGNALS = 64, 200_000
"""Of an epoch: as many steps as Keras makes between two callbacks, or one of more signals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint:
    """Time per signal at one batch size: the least and the median of the rounds."""

    batch_size: int
    best_ns_per_signal: float
    median_ns_per_signal: float


def inference_points(
    path: Path, network: Network, *, device: str, threads: int, batch_sizes: Sequence[int], seconds: float
) -> Iterator[SeriesPoint | str]:
    """Time the native engine from raw int16 samples to outputs; a sentence says why it ends early.

    Parameters
    ----------
    path : Path
        The frozen network.
    network : Network
        What it is.
    device, threads
        As :func:`discrimen.inference.load.load_model` takes them.
    batch_sizes : sequence of int
        Growing.
    seconds : float
        For each batch size, about.
    """
    from discrimen.inference.load import load_model

    predictor = load_model(path, device=device, threads=threads, backend="native").predictor
    pulses = made_up_pulses(network.preparation, _N_PULSES).astype(np.int16)
    out_bytes = 4 * sum(math.prod(output.shape) for output in network.outputs)

    def call(size: int) -> Callable[[], object]:
        return partial(predictor.run, np.resize(pulses, (size, *pulses.shape[1:])))

    yield from _points(call, batch_sizes, bytes_per_signal=2 * pulses[0].nbytes + out_bytes, seconds=seconds)


def training_points(
    network: Network, *, device: str, batch_sizes: Sequence[int], seconds: float
) -> Iterator[SeriesPoint | str]:
    """Time steps of the optimizer (Adam) as the package trains, shuffled epochs by Keras on JAX; see above."""
    from discrimen.keras_jax import load_keras
    from discrimen.training import TrainingConfig
    from discrimen.training.fit import compiled_model
    from discrimen.training.tasks import Learning

    session = load_keras(device)
    config = TrainingConfig(architecture=network.architecture)
    learning = Learning(loss=network.loss, loss_label=network.loss)
    shape, rng = network.preparation.shape, np.random.default_rng(0)
    n_bytes = 4 * math.prod(shape) * (3 if network.outputs[0].kind == "waveform" else 2)
    with session.on_device():
        model = compiled_model(session, config, shape=shape, outputs=network.outputs, learning=learning).taught

        def call(size: int) -> Callable[[], object]:
            n_signals = _signals_of_epoch(size)
            waveforms = rng.standard_normal((n_signals, *shape), np.float32)
            targets = network.targets(waveforms, rng)
            return partial(model.fit, waveforms, targets, batch_size=size, epochs=1, shuffle=True, verbose=0)

        yield from _points(call, batch_sizes, bytes_per_signal=n_bytes, seconds=seconds, of_call=_signals_of_epoch)


def _signals_of_epoch(batch_size: int) -> int:
    return batch_size * max(1, min(_STEPS, _MOST_SIGNALS // batch_size))


def _points(
    call: Callable[[int], Callable[[], object]],
    batch_sizes: Sequence[int],
    *,
    bytes_per_signal: int,
    seconds: float,
    of_call: Callable[[int], int] = lambda size: size,
) -> Iterator[SeriesPoint | str]:
    step_ns: dict[int, float] = {}
    for size in batch_sizes:
        n_signals = of_call(size)
        needed, there = n_signals * bytes_per_signal, _SHARE_OF_MEMORY * available_memory_bytes()
        if needed > there:
            yield f"from batch {size} on: its signals take {needed / 1e9:.1f} GB, a quarter of the free memory is less"
            return
        expected_s = _expected_ns(step_ns, size) * n_signals / size / 1e9
        if expected_s > _MOST_CALLS * seconds:
            yield f"from batch {size} on: one call would take about {expected_s:.1f} s; give more --seconds"
            return
        ready = call(size)
        ready()  # compiles
        start_ns = time.perf_counter_ns()
        ready()
        once_ns = time.perf_counter_ns() - start_ns
        times_ns = np.array([once_ns])
        if once_ns * LEAST_ROUNDS < 1e9 * _MOST_CALLS * seconds:
            times_ns = time_in_turns({"": ready}, seconds=seconds)[""]
        step_ns[size] = float(times_ns.min()) * size / n_signals
        yield SeriesPoint(
            batch_size=size,
            best_ns_per_signal=step_ns[size] / size,
            median_ns_per_signal=float(np.median(times_ns)) / n_signals,
        )


def _expected_ns(step_ns: Mapping[int, float], size: int) -> float:
    """Return about how long a batch of this size takes: on the straight line through the last two."""
    (first, first_ns), (last, last_ns) = [(0, 0.0), (0, 0.0), *step_ns.items()][-2:]
    slope = 0.0 if first == 0 else max(0.0, (last_ns - first_ns) / (last - first))
    return last_ns + slope * (size - last)


def crossing(slower: Sequence[SeriesPoint], faster: Sequence[SeriesPoint]) -> float | None:
    """Return from which batch size on the second line lies 5 % and more below the first, up to the largest of both.

    Less may be noise. Between two batch sizes the logarithms of the times are taken as straight lines.

    Returns
    -------
    float or None
        The smallest batch size measured where it always lies below; None where it does not at the largest one.
    """
    first = {point.batch_size: math.log(point.best_ns_per_signal) for point in slower}
    second = {point.batch_size: math.log(point.best_ns_per_signal) for point in faster}
    sizes = sorted(first.keys() & second.keys())
    gains = [first[size] - second[size] - _NOISE for size in sizes]
    if not gains or gains[-1] <= 0:
        return None
    for (left, right), (low, high) in reversed(list(zip(pairwise(sizes), pairwise(gains), strict=True))):
        if low <= 0:
            return float(left * (right / left) ** (-low / (high - low)))
    return float(sizes[0])
