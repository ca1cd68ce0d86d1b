"""A watch of signal quality on real pulses: dark pulses of a SiPM (WaveDump) and 1000 pulses of a DRS4 board.

The first quarter of each run trains an auto-encoder, the next 40 % are the reference, the rest is watched: as it is,
and with a fault planted into its second half. Sizes are in units of the noise before the pulse.

Usage: python benchmarks/quality_real.py ../shared/data -o FOLDER [--json]
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import discrimen
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader, open_writer
from discrimen.freezing.freeze import freeze
from discrimen.network.prepare import choose_preparation
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings, WindowNs
from discrimen.reconstruction.quality.run import learn_quality, watch_quality
from discrimen.reconstruction.quality.text import named
from discrimen.simulation.distortion import Digitisation
from discrimen.simulation.faults import plant
from discrimen.training import Reconstruction, TrainingConfig, train

FAULTS = (
    ("noise", 0.3, False),
    ("noise", 1.0, False),
    ("oscillation", 1.0, True),
    ("slope", 3.0, True),
    ("delay", 2.0, False),
    ("baseline", 2.0, True),
    ("adc_gain", -0.2, False),
    ("zeroed_samples", 0.2, False),
    ("polarity", 0.2, False),
)
"""Name, size, and whether the size is in units of the noise."""


@dataclass(frozen=True)
class RealRun:
    """Pulses of a run, and the windows that it is long enough for."""

    name: str
    pulses: Pulses
    settings: DetectorSettings
    window: int
    code: int


def sipm(data: Path) -> RealRun:
    """Dark pulses of a SiPM: 293 records of 406 samples of 1 ns."""
    settings = DetectorSettings(sample_period_ns=1.0, polarity="positive", baseline=WindowNs(start_ns=0, stop_ns=40))
    reader = open_reader(data / "wavedump/SiPM/2006272158/wave0.dat", ReadOptions(settings=settings))
    return RealRun("SiPM", concatenate(reader.chunks()), settings, 20, 4)


def drs4(data: Path) -> RealRun:
    """Pulses of a DRS4 board: 1000 records of 1024 samples, as if evenly 0.5 ns apart, which they nearly are."""
    content = (data / "drs4/pydrs4_test.dat").read_bytes()
    first, length = content.find(b"EHDR"), 40 + 2048
    events = np.frombuffer(content[first:], np.uint8)
    events = events[: len(events) // length * length].reshape(-1, length)
    samples = events[:, 40:].copy().view("<u2").astype(np.uint16)
    settings = DetectorSettings(sample_period_ns=0.5, polarity="negative", baseline=WindowNs(start_ns=20, stop_ns=260))
    return RealRun("DRS4", Pulses(samples=samples, sample_period_ns=0.5), settings, 80, 6)


def watched(run: RealRun, folder: Path) -> list[dict[str, Any]]:
    """Return what was seen in the rest of a run, as it is and with faults."""
    first, second = len(run.pulses) // 4, 65 * len(run.pulses) // 100
    parts = run.pulses[:first], run.pulses[first:second], run.pulses[second:]
    half = len(parts[2]) // 2
    preparation = choose_preparation(run.settings, n_samples=run.pulses.n_samples)
    config = TrainingConfig(
        task=Reconstruction(),
        architecture="dense_autoencoder",
        options={"hidden": 64, "code": run.code},
        epochs=100,
        batch_size=16,
        seed=1,
    )
    where: Any = {"folder": folder / run.name, "settings": run.settings, "overwrite": True}
    train(parts[0], preparation, config, **where)
    freeze(folder / run.name, folder / f"{run.name}.discrimen")
    model = discrimen.load(folder / f"{run.name}.discrimen")
    reference = learn_quality([_reader(folder / "good.lh5", parts[1], run)], model, window=run.window)
    digitisation = Digitisation(
        sample_period_ns=preparation.sample_period_ns,
        baseline_start=preparation.only.baseline_start,
        baseline_stop=preparation.only.baseline_stop,
    )
    noise_adc = digitisation.noise_adc(parts[2].samples)
    rows = []
    for name, size, in_noise in (("", 0.0, False), *FAULTS):
        samples = parts[2].samples.copy()
        if name:
            rng = np.random.default_rng(2)
            samples[half:] = plant(samples[half:], name, size * (noise_adc if in_noise else 1), digitisation, rng=rng)
        reader = _reader(folder / "watched.lh5", parts[2].replace(samples=samples), run)
        (channel,) = watch_quality(reader, model, reference).channels
        rows.append(
            {
                "run": run.name,
                "fault": name or "none",
                "size": size * (noise_adc if in_noise else 1),
                "n_good_before": half if name else len(parts[2]),
                "alarms": [(each.begins_at, each.statistic, named(each.fault)) for each in channel.alarms],
                "largest_score": channel.history.largest,
            }
        )
        print(rows[-1], flush=True)
    restless = reference.channels[channel.place].restless
    rows[0]["restless"] = {str(window): max(factors) for window, factors in restless.items()}
    return rows


def _reader(path: Path, pulses: Pulses, run: RealRun) -> Any:
    with open_writer(path, run.settings) as writer:
        writer.write(pulses.replace(entry=None))
    return open_reader(path, ReadOptions(settings=run.settings))


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    rows = [row for source in (sipm, drs4) for row in watched(source(options.data), options.output)]
    if options.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
