"""The machine's own limits, measured with the engine's own loops: multiply-adds and copied bytes a second."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from discrimen.inference import engine
from laboratory.result import Limits, Machine

INSTRUCTION_SETS = ("avx512", "avx2", "baseline")
LEAST_BUFFERS_BYTES = 2**30
"""Of both buffers of the copy from memory to memory, unless the last cache is larger or memory is short."""
_SMALLEST_COPY_BYTES = 4096
_CPU_FOLDER = Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


def measure_machine(model: engine.Model, thread_counts: Iterable[int]) -> Machine:
    """Measure what so many threads can do at most.

    Parameters
    ----------
    model : Model
        Loaded for the best instruction set; any model will do.
    thread_counts : iterable of int
        Numbers of threads.
    """
    return Machine(
        cpu=cpu_name(),
        n_cores=len(os.sched_getaffinity(0)),
        last_cache_bytes=last_cache_bytes(),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        instruction_set=model.instruction_set,
        load_average=os.getloadavg()[0],
        limits=tuple(_limits(model, threads) for threads in sorted(set(thread_counts))),
    )


def better_limits(first: Machine, second: Machine) -> Machine:
    """Join two measurements of one machine: a limit is the best that was seen."""
    joined = tuple(
        Limits(
            threads=one.threads,
            peak_multiply_adds_hz=max(one.peak_multiply_adds_hz, other.peak_multiply_adds_hz),
            copy_bytes_hz=max(one.copy_bytes_hz, other.copy_bytes_hz),
            copy_size_bytes=one.copy_size_bytes,
        )
        for one, other in zip(first.limits, second.limits, strict=True)
    )
    return Machine(
        cpu=first.cpu,
        n_cores=first.n_cores,
        last_cache_bytes=first.last_cache_bytes,
        memory_bytes=first.memory_bytes,
        instruction_set=first.instruction_set,
        load_average=max(first.load_average, second.load_average),
        limits=joined,
    )


def copy_bytes_hz(n_bytes: int, *, threads: int) -> float:
    """Measure the bytes a second that threads copy together when `n_bytes` are read and written in all."""
    size = max(_SMALLEST_COPY_BYTES, n_bytes // 2 // threads)
    return _together(lambda: engine.copy_bytes_hz(size), threads)


def present_instruction_sets(path: Path) -> tuple[str, ...]:
    """Return the instruction sets of this machine that the engine knows, the best first."""
    return tuple(name for name in INSTRUCTION_SETS if _loads(path, name))


def available_memory_bytes() -> int:
    """Return the memory that can be taken without pushing anything out."""
    try:
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    except OSError:
        found = None
    return int(found.group(1)) * 1024 if found else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")


def cpu_name() -> str:
    """Return the name of the CPU, as it gives it."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def last_cache_bytes() -> int:
    """Return the size of the largest cache that the first core can use; 0 if the system does not say."""
    sizes = [0]
    for path in _CPU_FOLDER.glob("index*/size"):
        found = re.fullmatch(r"(\d+)([KMG]?)", path.read_text().strip())
        if found:
            sizes.append(int(found.group(1)) * _UNITS[found.group(2)])
    return max(sizes)


def _limits(model: engine.Model, threads: int) -> Limits:
    buffers = min(max(LEAST_BUFFERS_BYTES, 2 * last_cache_bytes()), available_memory_bytes() // 4)
    return Limits(
        threads=threads,
        peak_multiply_adds_hz=_together(model.peak_multiply_adds_hz, threads),
        copy_bytes_hz=copy_bytes_hz(buffers, threads=threads),
        copy_size_bytes=buffers,
    )


def _together(measure: Callable[[], float], threads: int) -> float:
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(lambda _: measure(), range(threads)))


def _loads(path: Path, instruction_set: str) -> bool:
    try:
        engine.Model.load(os.fspath(path), instruction_set)
    except engine.EngineError as error:
        if "instruction set" not in str(error):
            raise
        return False
    return True
