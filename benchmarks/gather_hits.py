"""How fast traces of segmented crystals become hits: python benchmarks/gather_hits.py.

Two GEB streams are written into a temporary folder, of type 100 (37 traces of 300 samples) and of mode 3 (200 samples).
Each is read as bytes, as pulses, put together to hits, and written as a file of hits, plain and packed, which is read
again; seconds of one core, best of three, and the shares of the bytes' rate are of the same run. Disks are left out.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from discrimen.formats.geb.traces import traces_as_bytes
from discrimen.formats.table import open_reader, open_writer
from discrimen.pulses import Pulses
from discrimen.runs.gather_hits import gather_hits
from discrimen.runs.gather_options import GatherOptions
from discrimen.runs.gather_runs import write_hits
from discrimen.runs.hits_file import hits_chunks

N_HITS, N_BLOCKS, N_ROUNDS = 500, 28, 3


def main() -> None:
    """Write the streams, read them and print a table."""
    print("file       MB  step          MB/s  of the bytes' rate   hits/s")
    with tempfile.TemporaryDirectory() as folder:
        for make in (type_100, mode_3):
            path = Path(folder) / f"{make.__name__}.geb"
            make(path)
            size_mb = path.stat().st_size / 1e6
            plain, packed = Path(folder) / "plain.h5", Path(folder) / "packed.h5"
            steps: dict[str, Callable[[], object]] = {
                "bytes": path.read_bytes,
                "pulses": lambda path=path: [len(chunk) for chunk in open_reader(path).chunks()],
                "hits": lambda path=path: [len(hits) for hits in gather_hits(open_reader(path))],
                "file": partial(gathered, path, plain),
                "packed": partial(gathered, path, packed, packed=True),
                "file again": lambda plain=plain: [len(hits) for hits in hits_chunks(plain)],
                "packed again": lambda packed=packed: [len(hits) for hits in hits_chunks(packed)],
            }
            seconds = {name: best(step) for name, step in steps.items()}
            for name, took in seconds.items():
                print(
                    f"{make.__name__:9} {size_mb:4.0f}  {name:12} {size_mb / took:5.0f} {seconds['bytes'] / took:19.3f}"
                    f" {N_HITS * N_BLOCKS / took:8.0f}"
                )
            sizes = (
                f"{name} {file.stat().st_size / size_mb / 1e6:.2f}"
                for name, file in (("plain", plain), ("packed", packed))
            )
            print(f"{make.__name__:9} bytes of the stream: {', '.join(sizes)}")


def gathered(path: Path, output: Path, *, packed: bool = False) -> None:
    """Write the hits of a stream."""
    write_hits([open_reader(path)], output, options=GatherOptions(), packed=packed)


def best(step: Callable[[], object]) -> float:
    """Return the seconds of one core that a step takes."""
    took = []
    for _ in range(N_ROUNDS):
        begin = time.process_time()
        step()
        took.append(time.process_time() - begin)
    return min(took)


def some_traces() -> np.ndarray:
    """Return traces with a step of a few counts from sample to sample."""
    rng = np.random.default_rng(1)
    return np.cumsum(rng.normal(0, 3, (N_HITS, 37, 300)), axis=2).astype(np.int16)


def type_100(path: Path) -> None:
    """Write frames of whole crystals, 1 us apart."""
    traces, energies = some_traces(), np.full((N_HITS, 37), 300.0)
    with path.open("wb") as stream:
        for block in range(N_BLOCKS):
            ticks = 1000 + 100 * np.arange(N_HITS) + 100 * N_HITS * block
            stream.write(traces_as_bytes(traces, energies=energies, ticks=ticks))


def mode_3(path: Path) -> None:
    """Write the same hits, cut to 200 samples, as packets of mode 3."""
    samples = some_traces()[:, :, :200].reshape(-1, 200)
    with open_writer(path) as writer:
        for block in range(N_BLOCKS):
            times_ps = 10**7 + 10**6 * (np.arange(N_HITS) + N_HITS * block)
            writer.write(
                Pulses(
                    samples=samples,
                    sample_period_ns=10.0,
                    channel=np.tile(np.arange(37), N_HITS),
                    board=np.repeat(np.arange(N_HITS) % 120, 37),
                    timestamp_ps=np.repeat(times_ps, 37),
                    energy=np.full(37 * N_HITS, 300.0),
                )
            )


if __name__ == "__main__":
    main()
