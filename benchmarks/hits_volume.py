"""A campaign of germanium hits as measured parts: python benchmarks/hits_volume.py MODEL.discrimen HITS.h5.

HITS.h5 are hits that fit the model ('discrimen simulate --detector greta-a -n 16384'). They are written as a GEB stream
of mode 3, gathered, stored plain and packed, read and located, and positions are written, on one core. Times are those
of the processor, in turns, medians: what waits for disks is left out, and the bytes are told instead. From these follow
the core hours and the disk of a campaign, and the cores that keep up with an array.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from discrimen.benchmark.timing import time_in_turns
from discrimen.inference.load import Model, load_model
from discrimen.inference.positions import ModelLocator
from discrimen.online.hit_chain import GATHERING, HIT_STEPS, LOCATING, CrystalArray, HitChain, time_hits
from discrimen.pulses.hits import Hits, join_hits
from discrimen.runs.hits_file import HitsWriter, hits_chunks
from discrimen.scoring.locate import locate_files

MOST_HITS = 2**14
"""Hits that are timed together: whole chunks of a file of positions."""

WORDS = {
    "gather": "stream read and hits put together",
    "store": "file of hits written",
    "read": "file of hits read",
    "locate": "located: flags, preparation, network",
    "write": "positions written (HDF5)",
}
KINDS = (".h5", ".parquet", ".root")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("hits", type=Path)
    parser.add_argument("-n", "--n-hits", type=float, default=1e8, help="of the campaign")
    parser.add_argument("--crystals", type=int, default=180)
    parser.add_argument("--rate-hz", type=float, default=20_000.0)
    parser.add_argument("--seconds", type=float, default=30.0, help="of timed calls, about")
    return parser.parse_args()


def some_hits(path: Path) -> Hits:
    """Return the first hits of a file."""
    parts, n_hits = [], 0
    for chunk in hits_chunks(path):
        parts.append(chunk)
        n_hits += len(chunk)
        if n_hits >= MOST_HITS:
            break
    return join_hits(parts)[:MOST_HITS]


def whole(model: Model, hits: Hits, *, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """Time the network alone and `locate` from file to file, us a hit; and tell the bytes of a position."""
    locator = ModelLocator(model.predictor)
    with TemporaryDirectory() as folder:
        stored = {name: Path(folder) / f"{name}.h5" for name in ("plain", "packed")}
        for name, path in stored.items():
            with HitsWriter(path, packed=name == "packed") as writer:
                writer.write(hits)

        def located(source: Path, kind: str) -> Path:
            output = Path(folder) / f"positions{kind}"
            locate_files([source], locator, output, model_sha256="")
            return output

        calls: dict[str, Callable[[], object]] = {
            "preparation and network alone": lambda: model.predictor.run(hits.samples),
            "from a packed file to positions, .h5": lambda: located(stored["packed"], ".h5"),
        }
        for kind in KINDS:
            calls[f"from a plain file to positions, {kind}"] = lambda kind=kind: located(stored["plain"], kind)
        times = time_in_turns(calls, seconds=seconds, clock_ns=time.process_time_ns)
        size = {kind: located(stored["plain"], kind).stat().st_size / len(hits) for kind in KINDS}
    return {name: float(np.median(ns)) / len(hits) / 1000 for name, ns in times.items()}, size


def print_parts(plain: HitChain, packed: HitChain, others: dict[str, float], size: dict[str, float]) -> None:
    """Tell what was measured of a hit."""
    print(f"hits of {plain.n_channels} traces of {plain.n_samples} samples; {plain.backend}")
    print(f"\n{'step':44} {'us/hit':>7} {'hits/s':>9} {'MB/s':>6}")
    moved = {"gather": "run", "store": "hits", "read": "hits", "write": "positions"}
    rows = [(WORDS[step], plain.step_ns[step] / 1000, plain.hit_bytes.get(moved.get(step, ""))) for step in HIT_STEPS]
    rows += [
        (f"{WORDS[step]}, packed", packed.step_ns[step] / 1000, packed.hit_bytes["hits"]) for step in ("store", "read")
    ]
    for name, us, n_bytes in [*rows, *((name, us, None) for name, us in others.items())]:
        print(f"{name:44} {us:7.2f} {1e6 / us:9.0f} {'' if n_bytes is None else f'{n_bytes / us:.0f}':>6}")
    print(f"\n{'bytes a hit':44} {'':7}")
    sizes = {"stream (GEB mode 3)": plain.hit_bytes["run"], "file of hits": plain.hit_bytes["hits"]}
    sizes["file of hits, packed"] = packed.hit_bytes["hits"]
    sizes |= {f"positions, {kind}": each for kind, each in size.items()}
    for name, each in sizes.items():
        print(f"{name:44} {each:7.0f}")


def print_campaign(chains: dict[str, HitChain], array: CrystalArray, n_hits: float) -> None:
    """Tell what a campaign and an array need."""
    print(f"\n{n_hits:.3g} hits, and {array.n_crystals} crystals at {array.rate_hz:g} hits/s")
    print(f"{'':38} {'core hours':>10} {'read, TB':>9} {'written, TB':>11} {'cores for the array':>20}")
    ways: dict[str, Sequence[str]] = {
        "discrimen hits": GATHERING,
        "discrimen locate": LOCATING,
        "both": HIT_STEPS,
    }
    for kind, chain in chains.items():
        size = chain.hit_bytes
        read = {"discrimen hits": size["run"], "discrimen locate": size["hits"], "both": size["run"] + size["hits"]}
        written = {"discrimen hits": size["hits"], "discrimen locate": size["positions"]}
        written["both"] = size["hits"] + size["positions"]
        for way, steps in ways.items():
            hours = chain.total_ns(steps) * 1e-9 * n_hits / 3600
            print(
                f"{f'{way}, files of hits {kind}':38} {hours:10.2f} {read[way] * n_hits / 1e12:9.3f} "
                f"{written[way] * n_hits / 1e12:11.3f} {chain.n_cores(array, steps):20.0f}"
            )


def main() -> None:
    """Measure and print."""
    given = arguments()
    print(f"{len(os.sched_getaffinity(0))} cores, load average {os.getloadavg()[0]:.1f} before")
    model, hits = load_model(given.model, threads=1), some_hits(given.hits)
    chains = {
        name: time_hits(given.model.name, model, hits, packed=name == "packed", seconds=given.seconds / 3)
        for name in ("plain", "packed")
    }
    others, size = whole(model, hits, seconds=given.seconds / 3)
    print_parts(chains["plain"], chains["packed"], others, size)
    array = CrystalArray(n_crystals=given.crystals, rate_hz=given.rate_hz)
    print_campaign(chains, array, given.n_hits)


if __name__ == "__main__":
    main()
