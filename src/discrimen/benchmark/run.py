"""One frozen model on every backend that is present: time per signal against batch size."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from discrimen.benchmark.timing import time_in_turns
from discrimen.errors import DeviceError, FormatError, MissingExtraError, SettingsError
from discrimen.inference.base import Predictor
from discrimen.inference.load import BackendName, load_model
from discrimen.keras_jax import Device, gpu_number
from discrimen.network.frozen_file import require_frozen
from discrimen.network.made_up import made_up_pulses
from discrimen.output.provenance import command_line, sha256_of_file, software_versions, utc_now
from discrimen.output.summary import Summarised

BATCH_SIZES = (1, 10, 100, 1000, 10_000, 100_000)
LARGEST_BATCH = 1_000_000
_DEFAULT_BYTES = 256_000_000
_NATIVE: BackendName = "native"
_RIVAL: BackendName = "onnxruntime"
"""What is timed on a GPU beside the engine."""
WITH_DOMAIN = "native and domain"
_BACKENDS: tuple[BackendName, ...] = tuple(name for name in get_args(BackendName) if name != "keras")
"""All that compute a frozen model; the native engine is the first."""
_N_PULSES = 4096
"""Different pulses; larger batches repeat them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTime:
    """Time per signal of one backend at one batch size, from raw samples to scores.

    Parameters
    ----------
    backend : str
        Its name.
    batch_size : int
        Signals to a call.
    median_ns_per_signal, low_ns_per_signal, high_ns_per_signal : float
        Median and quartiles of the rounds.
    n_rounds : int
        In which all backends took turns.
    ratio_to_native : float
        How many times longer than the native engine, by the medians.
    """

    backend: str
    batch_size: int
    median_ns_per_signal: float
    low_ns_per_signal: float
    high_ns_per_signal: float
    n_rounds: int
    ratio_to_native: float

    @property
    def signals_per_s(self) -> float:
        """How many signals a second, by the median."""
        return 1e9 / self.median_ns_per_signal


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A backend that has no time, at one batch size or (None) at all; and why, in one line."""

    backend: str
    batch_size: int | None
    reason: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Bench(Summarised):
    """What was measured of a model.

    Parameters
    ----------
    model, sha256 : str
        The frozen file.
    n_channels, n_samples : int
        Of each signal, and of each raw record. A signal of many channels is a hit.
    threads : int
        How many compute at once.
    n_cores, load_average
        Of the machine as it began: where others compute, too, backends suffer differently.
    backends : mapping of str to str
        What computed, by the name of the backend.
    times : tuple of BatchTime
        Batch size after batch size.
    left_out : tuple of LeftOut
        What has no time.
    """

    model: str
    sha256: str
    n_channels: int
    n_samples: int
    threads: int
    n_cores: int
    load_average: float
    backends: Mapping[str, str]
    times: tuple[BatchTime, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def of_hits(self) -> bool:
        """Whether the signals are hits: the traces of many channels."""
        return self.n_channels > 1

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        result = {
            **asdict(self),
            "versions": software_versions("numpy", "onnxruntime", "openvino"),
            "date": utc_now(),
            "command_line": command_line(),
        }
        if self.of_hits:
            result["times"] = [{**asdict(row), "hits_per_s": row.signals_per_s} for row in self.times]
        return result


def bench(
    path: Path | str,
    *,
    batch_sizes: Sequence[int] | None = None,
    threads: int = 1,
    device: Device = "cpu",
    seconds: float = 20.0,
    seed: int = 0,
    on_step: Callable[[str], None] = lambda _: None,
) -> Bench:
    """Time a frozen model on every backend that is present, as the package calls it, all of them in turns.

    Parameters
    ----------
    path : Path
        A ``*.discrimen``.
    batch_sizes : sequence of int, optional
        Signals to a call, growing; by default those of :data:`BATCH_SIZES` whose samples fit 256 MB.
    threads : int
        How many compute at once.
    device : str
        A GPU, which is timed beside the CPU: by the native engine, and by ONNX Runtime where it has CUDA.
    seconds : float
        For the timed calls, about; each batch size gets the same share.
    seed : int
        Of the made-up pulses.
    on_step : callable
        Hears of each batch size.

    Raises
    ------
    FormatError
        If the file is no frozen model, or does not reproduce its golden vectors.
    SettingsError
        If an option does not fit.
    DeviceError
        If the device is not there, or cannot compute the model.
    """
    path = Path(path)
    require_frozen(path)
    _check(BATCH_SIZES if batch_sizes is None else batch_sizes, threads, seconds)
    predictors, left_out = _backends(path, threads, device)
    pulses = made_up_pulses(predictors[_NATIVE].description.preparation, _N_PULSES, seed=seed)
    if pulses.dtype.kind == "i":
        pulses = pulses.astype(np.int16)
    if batch_sizes is None:
        batch_sizes = [size for size in BATCH_SIZES if size * pulses[0].nbytes <= _DEFAULT_BYTES]
    backends = _names(predictors)
    load_average = os.getloadavg()[0]
    allowance_s = seconds / len(batch_sizes)
    times: dict[tuple[str, int], BatchTime] = {}
    last_ns = dict.fromkeys(backends, 0.0)
    for size in batch_sizes:
        on_step(f"batch {size}")
        samples = np.resize(pulses, (size, *pulses.shape[1:]))
        calls: dict[str, Callable[[], object]] = {}
        for name, predictor in predictors.items():
            expected_s = last_ns[name] * size / 1e9
            if name != _NATIVE and expected_s > allowance_s / 2:
                reason = f"one call would take about {expected_s:.1f} s: give more seconds"
                left_out.append(LeftOut(backend=name, batch_size=size, reason=reason))
            else:
                calls[name] = partial(predictor.run, samples)
        if WITH_DOMAIN in backends:
            calls[WITH_DOMAIN] = partial(predictors[_NATIVE].judge, samples)
        per_signal_ns = {name: ns / size for name, ns in time_in_turns(calls, seconds=allowance_s).items()}
        for name, ns in per_signal_ns.items():
            times[name, size] = _row(name, size, ns, native_ns=float(np.median(per_signal_ns[_NATIVE])))
            last_ns[name] = times[name, size].median_ns_per_signal
    return Bench(
        model=str(path),
        sha256=sha256_of_file(path),
        n_channels=pulses.shape[1],
        n_samples=pulses.shape[2],
        threads=threads,
        n_cores=len(os.sched_getaffinity(0)),
        load_average=load_average,
        backends=backends,
        times=tuple(times.values()),
        left_out=tuple(left_out),
    )


def _check(batch_sizes: Sequence[int], threads: int, seconds: float) -> None:
    if not batch_sizes or list(batch_sizes) != sorted(set(batch_sizes)) or not batch_sizes[0] >= 1:
        raise SettingsError(f"batch sizes must be positive and grow, got {', '.join(map(str, batch_sizes)) or 'none'}")
    if batch_sizes[-1] > LARGEST_BATCH:
        raise SettingsError(f"batch sizes must not exceed {LARGEST_BATCH:,}, got {batch_sizes[-1]:,}")
    if threads < 1:
        raise SettingsError(f"threads must be at least 1, got {threads}")
    if not 0 < seconds < float("inf"):
        raise SettingsError(f"seconds must be positive, got {seconds:g}")


def _backends(path: Path, threads: int, device: Device) -> tuple[dict[str, Predictor], list[LeftOut]]:
    """Load what is present and gives the golden scores; the native engine comes first, its faults are the model's."""
    predictors: dict[str, Predictor] = {}
    left_out = []
    for name in _BACKENDS:
        try:
            predictors[name] = load_model(path, backend=name, threads=threads).predictor
        except (MissingExtraError, DeviceError, FormatError) as error:
            if name == _NATIVE:
                raise
            left_out.append(LeftOut(backend=name, batch_size=None, reason=str(error)))
    if gpu_number(device) is not None:
        predictors[f"{_NATIVE} on {device}"] = load_model(path, backend=_NATIVE, device=device).predictor
        try:
            predictors[f"{_RIVAL} on {device}"] = load_model(path, backend=_RIVAL, device=device).predictor
        except (MissingExtraError, DeviceError, FormatError) as error:
            left_out.append(LeftOut(backend=f"{_RIVAL} on {device}", batch_size=None, reason=str(error)))
    return predictors, left_out


def _names(predictors: Mapping[str, Predictor]) -> dict[str, str]:
    """Return what computes by the name of each call; the flags of the domain are timed apart."""
    names = {name: predictor.backend for name, predictor in predictors.items()}
    description = predictors[_NATIVE].description
    if description.domain is not None and any(output.kind == "classes" for output in description.outputs):
        names[WITH_DOMAIN] = f"{names[_NATIVE]}, flags of the domain too"
    return names


def _row(name: str, size: int, per_signal_ns: NDArray[np.float64], *, native_ns: float) -> BatchTime:
    low, median, high = (float(value) for value in np.quantile(per_signal_ns, (0.25, 0.5, 0.75)))
    return BatchTime(
        backend=name,
        batch_size=size,
        median_ns_per_signal=median,
        low_ns_per_signal=low,
        high_ns_per_signal=high,
        n_rounds=len(per_signal_ns),
        ratio_to_native=median / native_ns,
    )
