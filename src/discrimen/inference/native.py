"""Frozen models computed by the native engine: the default for everything that scores pulses."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, DeviceError, DiscrimenError, FormatError, SettingsError
from discrimen.inference import engine
from discrimen.inference.base import Encoded, Judgement, Reconstructed, ScoresOfRun, restored
from discrimen.keras_jax import Device, gpu_number
from discrimen.network.frozen_file import read_frozen
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import Restoration, require_present, with_channels

SMALLEST_SHARE = 250_000
"""Samples that are worth a thread of their own."""

_GPU_THREADS = 2
"""That feed a GPU, each by buffers of its own: one packs samples while the other waits."""

_NATIVE_TYPES = (np.int16, np.uint16, np.int32, np.float32)


class NativePredictor(ScoresOfRun):
    """A frozen model behind the :class:`~discrimen.inference.base.Predictor` protocol.

    Samples of 16 bits are read where they lie, whatever the strides: a view of a memory map is not copied.

    Parameters
    ----------
    path : Path
        A ``*.discrimen`` file.
    threads : int, optional
        How many compute at once; by default one for each core that this process may use, or two that feed a GPU.
    device : str
        What computes: ``cpu``, ``cuda``, or ``cuda:1`` for the second GPU. Without a GPU, its driver or the engine's
        library for it this is an error.
    instruction_set : {"", "baseline", "avx2", "avx512"}
        By default the best one that this machine has.

    Raises
    ------
    FormatError
        If the file is no frozen model, or does not reproduce its golden vectors.
    SettingsError
        If `threads` is not positive, the machine lacks the instruction set, or the device is none.
    DeviceError
        If the device is not there, or cannot compute the model.
    """

    def __init__(
        self, path: Path | str, *, threads: int | None = None, device: Device = "cpu", instruction_set: str = ""
    ) -> None:
        gpu = gpu_number(device)
        n_cores = len(os.sched_getaffinity(0))
        usual = n_cores if gpu is None else min(_GPU_THREADS, n_cores)
        self._threads = usual if threads is None else threads
        if self._threads < 1:
            raise SettingsError(f"threads must be at least 1, got {threads}")
        self._description = read_frozen(path).description
        try:
            self._model = engine.Model.load(os.fspath(path), instruction_set, "cpu" if gpu is None else f"cuda:{gpu}")
        except engine.EngineError as error:
            raise _translated(error, path) from error
        self._pool = ThreadPoolExecutor(self._threads)
        self._workspaces: SimpleQueue[Any] = SimpleQueue()  # those that no thread has; made when one is missing

    @property
    def description(self) -> ModelDescription:
        """What the model is: preparation, outputs, provenance."""
        return self._description

    @property
    def backend(self) -> str:
        """What computes."""
        plural = "s" if self._threads > 1 else ""
        return f"native ({self._model.instruction_set}, {self._threads} thread{plural})"

    def run(self, samples: NDArray[Any], *, present: NDArray[Any] | None = None) -> tuple[NDArray[np.float32], ...]:
        """Compute all outputs; see :meth:`discrimen.inference.base.Predictor.run`."""
        return self._run(samples, present=present)

    def judge(self, samples: NDArray[Any]) -> Judgement:
        """Score raw waveforms, compared with the domain; see :meth:`discrimen.inference.base.Predictor.judge`."""
        outside = np.empty(len(samples), dtype=np.uint16) if self._model.knows_domain else None
        height_adc = np.empty(len(samples), dtype=np.float32) if self._description.follows_height else None
        outputs = self._run(samples, outside=outside, height_adc=height_adc)
        return Judgement(outputs[self._description.scores_at], outside, height_adc)

    def reconstruct(self, samples: NDArray[Any], *, present: NDArray[Any] | None = None) -> Reconstructed:
        """Give waveforms, compared with the domain; see :meth:`discrimen.inference.base.Predictor.reconstruct`."""
        values, restoration, outside = self._with_way_back(samples, self._description.waveform_at, present=present)
        return Reconstructed(restored(values, self._description, restoration), outside)

    def encode(self, samples: NDArray[Any]) -> Encoded:
        """Give codes, compared with the domain; see :meth:`discrimen.inference.base.Predictor.encode`."""
        return self._with_way_back(samples, self._description.code_at)

    def _with_way_back(self, samples: NDArray[Any], at: int, *, present: NDArray[Any] | None = None) -> Encoded:
        """Return the values of an output, the way back of each pulse, and which ones are outside."""
        outside = np.empty(len(samples), dtype=np.uint16) if self._model.knows_domain else None
        way_back = np.empty((len(samples), 2 + self._description.preparation.n_channels))
        values = self._run(samples, present=present, outside=outside, restoration=way_back)[at]
        start, divisor, *_ = way_back.T
        return Encoded(values, Restoration(start.astype(np.float32), divisor, way_back[:, 2:]), outside)

    def _run(
        self, samples: NDArray[Any], *, present: NDArray[Any] | None = None, **besides: NDArray[Any] | None
    ) -> tuple[NDArray[np.float32], ...]:
        samples = with_channels(samples, self._description.preparation)
        by_pulse = {
            "present": None if present is None else _as_mask(present, samples, self._description.preparation),
            **besides,
        }
        outputs = [np.empty((len(samples), output.n_values), dtype=np.float32) for output in self._description.outputs]
        n_shares = max(1, min(self._threads, samples.size // SMALLEST_SHARE))
        bounds = np.linspace(0, len(samples), n_shares + 1, dtype=int)
        shares = [slice(start, stop) for start, stop in pairwise(bounds)]

        def compute(share: slice) -> None:
            rows = {name: values[share] for name, values in by_pulse.items() if values is not None}
            self._compute(samples[share], [output[share] for output in outputs], rows)

        running = [self._pool.submit(compute, share) for share in shares[1:]]
        compute(shares[0])
        for share in running:
            share.result()
        return tuple(outputs)

    def _compute(
        self, samples: NDArray[Any], outputs: list[NDArray[np.float32]], by_pulse: dict[str, NDArray[Any]]
    ) -> None:
        try:
            workspace = self._workspaces.get_nowait()
        except Empty:
            workspace = self._new_workspace()
        wanted: dict[str, Any] = dict(by_pulse)
        try:
            engine.run(self._model, workspace, self._as_native(samples), outputs, **wanted)
        except engine.EngineError as error:
            raise DeviceError(str(error)) from error
        finally:
            self._workspaces.put(workspace)

    def _new_workspace(self) -> Any:
        try:
            return engine.Workspace(self._model)
        except MemoryError as error:
            needed = f"{self._model.workspace_bytes / 1e6:.0f} MB for each thread"
            raise DeviceError(f"no memory is left for {self.backend}, which takes {needed}") from error

    def _as_native(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Return samples of a type that the engine reads: themselves where they are, converted ones otherwise."""
        if samples.dtype.isnative and samples.dtype.type in _NATIVE_TYPES:
            return samples
        if samples.dtype.kind not in "buif":
            raise DataError(f"samples must be integers or floats, got {samples.dtype}")
        if samples.dtype.kind == "f":
            return samples.astype(np.float32)
        if samples.dtype.itemsize == 2:
            return samples.astype(samples.dtype.newbyteorder("="))
        if samples.dtype.itemsize == 1:
            return samples.astype(np.int16)
        return _as_int32(samples, self._description.preparation)


def _as_int32(samples: NDArray[Any], preparation: Preparation) -> NDArray[np.int32]:
    """Return longer integers as 32 bits; where a baseline is subtracted, only differences count."""
    limits = np.iinfo(np.int32)
    wide = samples.astype(np.int64)
    for number, channel in enumerate(preparation.channels):
        if channel.baseline_start < channel.baseline_stop:
            wide[:, number] -= samples[:, number, :1].astype(np.int64)
    if wide.size and not limits.min <= wide.min() <= wide.max() <= limits.max:
        raise DataError("samples of one waveform differ by more than 32 bits can hold")
    return wide.astype(np.int32)


def _as_mask(present: NDArray[Any], samples: NDArray[Any], preparation: Preparation) -> NDArray[np.uint8]:
    there = require_present(present, samples, preparation)
    return np.ascontiguousarray(there, dtype=np.uint8)


def _translated(error: Exception, path: Path | str) -> DiscrimenError:
    reason = str(error).removeprefix(f"{os.fspath(path)}: ")
    if "CUDA" in reason or "no memory for a workspace" in reason:
        return DeviceError(reason)
    return SettingsError(reason) if "instruction set" in reason else FormatError(reason, Path(path))
