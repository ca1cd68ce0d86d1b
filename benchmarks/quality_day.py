"""A run in which noise, a delay and a loss of gain come one after the other, watched: the picture of docs/quality.md.

Usage: python benchmarks/quality_day.py -o FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import discrimen
from discrimen.formats.table import open_writer
from discrimen.pulses import Pulses
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.faults import plant
from discrimen.simulation.settings import detector_settings
from quality import DIGITISATION, Bench
from quality_cases import GAIN


def write_day(bench: Bench, path: Path) -> None:
    """Write 38,000 pulses with three faults: 3000 pulses with more noise, 3000 that come late, 8000 with less gain."""
    good, rng = bench.good_samples, np.random.default_rng(bench.seed)
    weak = bench.simulated(10_000, 90, gain_adc_per_kevee=0.9 * GAIN)
    samples = np.concatenate(
        [
            good[:8000],
            plant(good[8000:11_000], "noise", 0.3, DIGITISATION, rng=rng),
            good[11_000:19_000],
            plant(good[19_000:22_000], "delay", 2.0, DIGITISATION, rng=rng),
            good[22_000:30_000],
            weak[:8000],
        ]
    )
    number = np.arange(len(samples))
    with open_writer(path, detector_settings(SimulationConfig(n_pulses=1))) as writer:
        writer.write(Pulses(samples=samples, sample_period_ns=10.0, entry=number, timestamp_ps=10**9 * number))


def main() -> None:
    """Write, watch and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(folder, n_reference=200_000, n_good=40_000, seed=1)
    write_day(bench, folder / "today.lh5")
    reference = discrimen.learn_quality(bench.model, folder / "reference.lh5", folder / "quality.json")
    discrimen.quality(bench.model, reference, folder / "today.lh5", folder=folder / "report")


if __name__ == "__main__":
    main()
