"""What a benchmark finds, as plain data; units are in the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

NATIVE = "native"
RESULT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a number of threads can do at most, measured in the same run.

    Parameters
    ----------
    threads : int
        Running at once.
    peak_multiply_adds_hz : float
        Fused multiply-adds of float32 a second, from registers.
    copy_bytes_hz : float
        Bytes a second copied from memory to memory, read and written ones counted, far beyond the caches where
        memory allows.
    copy_size_bytes : int
        Of the buffers that were copied from and to, all threads together.
    """

    threads: int
    peak_multiply_adds_hz: float
    copy_bytes_hz: float
    copy_size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where the benchmark ran."""

    cpu: str
    n_cores: int
    last_cache_bytes: int
    memory_bytes: int
    instruction_set: str
    load_average: float
    limits: tuple[Limits, ...]

    def limits_of(self, threads: int) -> Limits:
        """Return the limits of so many threads."""
        return next(limits for limits in self.limits if limits.threads == threads)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A backend, or one of its measurements, that has no result; and why.

    Parameters
    ----------
    backend : str
        Its name.
    reason : str
        One line.
    threads, batch_size : int or None
        Where only these are left out.
    """

    backend: str
    reason: str
    threads: int | None = None
    batch_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTime:
    """Time per signal of one backend at one batch size, over several rounds."""

    backend: str
    threads: int
    batch_size: int
    best_ns_per_signal: float
    median_ns_per_signal: float
    n_rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow(BatchTime):
    """A time with what follows from it; all of the best round.

    Parameters
    ----------
    signals_per_s : float
        Signals scored a second.
    gb_per_s : float
        1e9 bytes of raw samples read a second.
    share_of_peak : float
        Multiply-adds of the network over what the machine can do.
    copy_bytes_hz : float
        What the machine copies a second with buffers of the size of this batch: small ones stay in the caches.
    share_of_copy : float
        Raw samples read and scores written over `copy_bytes_hz`.
    share_of_memory_copy : float
        The same over the copy from memory to memory; above 1 where the batch comes from a cache.
    tighter_limit : {"peak", "copy"}
        Of `share_of_peak` and `share_of_copy` the one that leaves less room.
    ratio_to_native : float or None
        How many times longer it takes than the native engine, same batch size and threads.
    """

    signals_per_s: float
    gb_per_s: float
    share_of_peak: float
    copy_bytes_hz: float
    share_of_copy: float
    share_of_memory_copy: float
    tighter_limit: Literal["peak", "copy"]
    ratio_to_native: float | None

    @property
    def share_of_tighter_limit(self) -> float:
        """How near it comes to the limit that leaves less room."""
        return max(self.share_of_peak, self.share_of_copy)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRow:
    """Time of single calls with one pulse, preparation included; the clock's own time taken off.

    Parameters
    ----------
    backend : str
        Name.
    via : str
        What was called, from what language.
    n_calls : int
        How many.
    p50_ns, p99_ns, p999_ns : float
        Percentiles.
    least_call_p50_ns : float or None
        Median of the same call with a graph that only converts a few samples: the share of the call itself.
    """

    backend: str
    via: str
    n_calls: int
    p50_ns: float
    p99_ns: float
    p999_ns: float
    least_call_p50_ns: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRow:
    """Time per signal of training epochs, all steps of the optimizer included."""

    backend: str
    batch_size: int
    n_signals: int
    best_ns_per_signal: float
    median_ns_per_signal: float
    n_epochs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTimes:
    """All that was measured of one model.

    Parameters
    ----------
    model, sha256 : str
        The frozen file.
    pulses : str
        Where the raw pulses come from.
    n_samples : int
        Of each raw record.
    multiply_adds : int
        Of the network, for one signal.
    bytes_in, bytes_out : int
        Raw samples and scores of one signal.
    rows, latencies, training
        The times.
    left_out : tuple of LeftOut
        What has no result.
    """

    model: str
    sha256: str
    pulses: str
    n_samples: int
    multiply_adds: int
    bytes_in: int
    bytes_out: int
    rows: tuple[BatchRow, ...]
    latencies: tuple[LatencyRow, ...]
    training: tuple[TrainingRow, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def best(self) -> tuple[BatchRow, ...]:
        """Return the row of the best batch size of each backend and number of threads."""
        found: dict[tuple[str, int], BatchRow] = {}
        for row in self.rows:
            key = (row.backend, row.threads)
            if key not in found or row.best_ns_per_signal < found[key].best_ns_per_signal:
                found[key] = row
        return tuple(found.values())

    def best_of(self, backend: str, threads: int) -> BatchRow | None:
        """Return the row of the best batch size of a backend, None if it has no result."""
        return next((row for row in self.best() if (row.backend, row.threads) == (backend, threads)), None)

    def doubts(self) -> tuple[str, ...]:
        """Say where a share of a limit exceeds 1, so that the limit cannot have been measured well."""
        return tuple(
            f"{row.backend}, {row.threads} thread(s), batch {row.batch_size}: {share:.2f} of the {name} limit; "
            "the limit was measured too low, repeat on a quiet machine"
            for row in self.rows
            for name, share in (("peak", row.share_of_peak), ("copy", row.share_of_copy))
            if share > 1
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        best = [
            {**asdict(row), "ratio_of_best_to_native": self._ratio_of_best(row)}
            for row in self.best()  # each at its own best batch size
        ]
        return {**asdict(self), "best": best, "doubts": list(self.doubts())}

    def _ratio_of_best(self, row: BatchRow) -> float | None:
        native = self.best_of(NATIVE, row.threads)
        return None if native is None else row.best_ns_per_signal / native.best_ns_per_signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One run: the machine, its limits and the times of all models."""

    machine: Machine
    models: tuple[ModelTimes, ...]
    config: Mapping[str, Any]
    versions: Mapping[str, str]
    date: str
    notes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "discrimen_benchmark": RESULT_VERSION,
            "date": self.date,
            "versions": dict(self.versions),
            "config": dict(self.config),
            "machine": asdict(self.machine),
            "models": [model.as_dict() for model in self.models],
            "notes": list(self.notes),
        }
