"""A watch of signal quality: false alarms as wished, faults found in how many pulses, and their names.

Simulated BC501A read by NUMEXO2 (20 to 2000 keVee, an exponential with a mean of 300, pulses above a trigger threshold
of 100 ADC counts), a dense auto-encoder (75-128-8-128-75) run by the native engine. Photosensor and ADC gain, spectrum
and share of neutrons are changed in the simulation itself, all other faults are planted into other simulated records
and digitised again.

False alarms: the statistics of good pulses that the reference has not seen are drawn at random, window by window; the
windows that result are judged as the watch does. Faults: good pulses, then faulty ones from a random pulse on.

Usage: python benchmarks/quality.py -o FOLDER [--windows 1000000] [--trials 200] [--seed 1] [--json]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import discrimen
from discrimen.formats.table import open_reader, open_writer
from discrimen.inference.load import Model
from discrimen.metrics.intervals import wilson_interval
from discrimen.pulses import Pulses
from discrimen.reconstruction.quality.reference import ChannelReference
from discrimen.reconstruction.quality.run import learn_quality
from discrimen.reconstruction.quality.watch import ChannelWatch, Verdict
from discrimen.reconstruction.quality.windows import (
    BLOCKS_A_WINDOW,
    FALSE_ALARM_RATE,
    MARKS,
    SCALES,
    WINDOW,
    Limits,
    block_of,
    limits_of,
    step_of,
)
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.distortion import Digitisation
from discrimen.simulation.faults import plant
from discrimen.simulation.settings import detector_settings
from discrimen.training import Reconstruction
from quality_cases import CASES, Case
from quality_pool import drawn_blocks

LIGHT = {"energy_min_kevee": 20.0, "energy_max_kevee": 2000.0}
TRIGGER_ADC = 100.0
DIGITISATION = Digitisation(sample_period_ns=10.0, baseline_start=0, baseline_stop=13, adc_bits=14)
BLOCK = block_of(WINDOW)


@dataclass(frozen=True, eq=False)
class Pool:
    """Statistics of pulses."""

    statistics: NDArray[np.float64]
    score: NDArray[np.float32]
    marks: NDArray[np.uint16]

    def stretch(self, start: int, n_pulses: int) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.uint16]]:
        """Return pulses in their order; statistics are those of the usable ones alone."""
        at = (start + np.arange(n_pulses)) % len(self.score)
        score = self.score[at]
        return self.statistics[at][np.isfinite(score)], score, self.marks[at]


class Bench:
    """Model, reference and good pulses."""

    def __init__(self, folder: Path, *, n_reference: int, n_good: int, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.model = self._model()
        reference = self._run("reference", n_reference, 1)
        started = time.process_time()
        readers = [open_reader(reference)]
        (self.reference,) = learn_quality(readers, self.model, seed=seed).channels.values()
        self.learning_s = time.process_time() - started
        self.good_samples = self.simulated(n_good, 2)
        started = time.process_time()
        self.good = self.pool(self.good_samples)
        self.us_a_pulse = (time.process_time() - started) / len(self.good_samples) * 1e6

    def _model(self) -> Model:
        frozen = self.folder / "autoencoder.discrimen"
        if not frozen.exists():
            discrimen.simulate(self.folder / "train.lh5", 60_000, seed=100 * self.seed, **LIGHT)
            config: Any = {
                "task": Reconstruction(),
                "architecture": "dense_autoencoder",
                "options": {"hidden": 128, "code": 8},
                "epochs": 15,
                "batch_size": 256,
                "learning_rate_decay": "cosine",
                "seed": self.seed,
            }
            model = discrimen.train(discrimen.read(self.folder / "train.lh5"), self.folder / "model", **config)
            discrimen.freeze(model, frozen)
        return discrimen.load(frozen)

    def _pulses(self, n_pulses: int, number: int, **changes: Any) -> Pulses:
        """Simulate pulses above the threshold of the trigger, which stays where it is."""
        path = self.folder / "simulated.lh5"
        wishes = {**LIGHT, **changes, "seed": 100 * self.seed + number}
        discrimen.simulate(path, n_pulses, **wishes)
        pulses = discrimen.read(path).pulses
        path.unlink()
        before = pulses.samples[:, : DIGITISATION.baseline_stop].mean(axis=1)
        return pulses[before - pulses.samples.min(axis=1) > TRIGGER_ADC]

    def simulated(self, n_pulses: int, number: int, **changes: Any) -> NDArray[Any]:
        """Simulate records of pulses above the threshold of the trigger."""
        samples: NDArray[Any] = self._pulses(n_pulses, number, **changes).samples
        return samples

    def _run(self, name: str, n_pulses: int, number: int) -> Path:
        path = self.folder / f"{name}.lh5"
        settings = detector_settings(SimulationConfig(n_pulses=1))
        with open_writer(path, settings) as writer:
            writer.write(self._pulses(n_pulses, number))
        return path

    def watch(self) -> ChannelWatch:
        """Return a new watch."""
        return ChannelWatch(
            self.reference, self.model.predictor, window=WINDOW, false_alarm_rate=FALSE_ALARM_RATE, adc_bits=14
        )

    def pool(self, samples: NDArray[Any]) -> Pool:
        """Measure pulses; those without statistics have zeros."""
        found, score, marks = self.watch().measure(samples)
        statistics = np.zeros((len(score), found.shape[1]))
        statistics[np.isfinite(score)] = found
        return Pool(statistics, score, marks)

    def faulty(self, case: Case, number: int) -> Pool:
        """Return pulses with a fault."""
        n_pulses = max(40_000, 6 * case.within)
        samples = self.simulated(int(1.1 * n_pulses), 10 + number, **case.simulated)
        if case.planted is not None:
            name, size, options = case.planted
            rng = np.random.default_rng(self.seed)
            samples = plant(samples, name, size, DIGITISATION, rng=rng, **options)
        return self.pool(samples)


def trial(bench: Bench, bad: Pool, case: Case, rng: np.random.Generator) -> tuple[int | None, str, str]:
    """Return pulses from the fault to the alarm within its time, and the names at the alarm and at the end of that."""
    watch = bench.watch()
    n_good = int(rng.integers(1000, 3000)) + (20_000 if case.within > 5000 else 5000 if case.within > 1000 else 0)
    before = watch.take(*bench.good.stretch(int(rng.integers(len(bench.good.score))), n_good))
    after = watch.take(*bad.stretch(int(rng.integers(len(bad.score))), case.within))
    alarms = [verdict for verdict in after if verdict.is_alarm]
    if not alarms or any(verdict.is_alarm for verdict in before):
        return None, "none", "none"
    return alarms[0].n_pulses - n_good, _name(alarms[0]), _name(max(alarms, key=lambda verdict: verdict.score))


def _name(verdict: Verdict) -> str:
    assert verdict.fault is not None
    return verdict.fault.fault


def found(bench: Bench, *, n_trials: int) -> list[dict[str, Any]]:
    """Return for each fault how often and when it was found, and its names."""
    rows = []
    for number, case in enumerate(CASES):
        bad, rng = bench.faulty(case, number), np.random.default_rng([bench.seed, number])
        trials = [trial(bench, bad, case, rng) for _ in range(n_trials)]
        after = [pulses for pulses, _, _ in trials if pulses is not None]
        share = wilson_interval(len(after), n_trials)
        rows.append(
            {
                "case": case.name,
                "fault": case.fault,
                "within": case.within,
                "found": len(after) / n_trials,
                "low": share.low,
                "high": share.high,
                "median_pulses": float(np.median(after)) if after else None,
                "first_name": dict(Counter(first for _, first, _ in trials)),
                "name": dict(Counter(last for _, _, last in trials)),
            }
        )
        print(rows[-1], flush=True)
    return rows


def false_alarms(bench: Bench, *, n_windows: int) -> list[dict[str, Any]]:
    """Return for some wished rates how many alarms windows of good pulses raised."""
    rates = (1e-2, 1e-3, 1e-4, 1e-5)
    limits = {rate: limits_of(bench.reference, window=WINDOW, false_alarm_rate=rate) for rate in rates}
    counts = {rate: np.zeros(2, np.int64) for rate in rates}
    by_scale: Counter[tuple[float, int]] = Counter()
    for blocks in _stretches(bench, n_windows):
        over: dict[float, list[NDArray[np.int64]]] = {rate: [] for rate in rates}
        for scale in limits[rates[0]]:
            window = _windows(bench.reference, blocks, scale)
            for rate in rates:
                over[rate].append(window.beyond(limits[rate][scale]))
                by_scale[rate, scale] += len(over[rate][-1])
        for rate in rates:
            counts[rate] += _episodes(np.sort(np.concatenate(over[rate])))
    print({"verdicts beyond a limit by rate and blocks of the window": dict(by_scale)}, flush=True)
    return [
        {"wished": rate, "n_windows": n_windows, "expected_at_most": rate * n_windows, "alarms": int(counts[rate][0]),
         "verdicts": int(counts[rate][1])}
        for rate in rates
    ]  # fmt: skip


def _stretches(bench: Bench, n_windows: int) -> Iterator[NDArray[np.float64]]:
    """Yield sums over blocks of good pulses that are drawn at random: tested, usable, marks."""
    rows = np.column_stack(
        [
            bench.good.statistics @ bench.reference.weights,
            np.isfinite(bench.good.score),
            (bench.good.marks[:, np.newaxis] & np.array(MARKS, np.uint16)) != 0,
        ]
    ).astype(np.float32)
    rows[~np.isfinite(bench.good.score), : len(bench.reference.tested)] = 0
    n_left, number = n_windows * BLOCKS_A_WINDOW, 0
    while n_left > 0:
        n_blocks = min(n_left, 200_000)
        yield drawn_blocks(rows, n_blocks, BLOCK, seed=1000 * bench.seed + number)
        n_left, number = n_left - n_blocks, number + 1


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of some length: after which block each ends, how far its means went, and its marked pulses."""

    ends: NDArray[np.int64]
    sigmas: NDArray[np.float64]
    marked: NDArray[np.float64]

    def beyond(self, limits: Limits) -> NDArray[np.int64]:
        """Return after which blocks a window is beyond a limit, as the watch judges it."""
        over = ((self.sigmas > limits.upper) | (self.sigmas < -limits.lower)).any(axis=1)
        places: NDArray[np.int64] = self.ends[over | (self.marked > limits.marked + 0.5).any(axis=1)]
        return places


def _windows(reference: ChannelReference, blocks: NDArray[np.float64], scale: int) -> Windows:
    sums = np.concatenate([np.zeros((1, blocks.shape[1])), blocks.cumsum(axis=0)])
    ends = np.arange(scale, len(blocks) + 1)
    ends = ends[ends % step_of(scale) == 0]
    window = sums[ends] - sums[ends - scale]
    n_tested = len(reference.tested)
    mean, spread = (np.array([getattr(each, name) for each in reference.values]) for name in ("mean", "spread"))
    n_usable = window[:, [n_tested]]
    sigmas = (window[:, :n_tested] / n_usable - mean) / spread * np.sqrt(n_usable)
    return Windows(ends, sigmas, window[:, n_tested + 1 :])


def _episodes(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count alarms, those within the longest step of each other being one, and verdicts."""
    apart = np.diff(places, prepend=-(10**9)) > step_of(max(SCALES))
    return np.array([np.count_nonzero(apart), len(np.unique(places))])


def told(result: Mapping[str, Any]) -> str:
    """Return the tables as text."""
    lines = [f"reference of {result['n_reference']} pulses; {result['us_a_pulse']:.1f} us a pulse, one core"]
    lines += ["", "  wished   windows  at most   alarms  verdicts"]
    for row in result["false_alarms"]:
        numbers = f"{row['wished']:8g} {row['n_windows']:9} {row['expected_at_most']:8g} {row['alarms']:8}"
        lines.append(f"{numbers} {row['verdicts']:9}")
    lines.append(f"\n{'':42}{'within':>7} {'found':>22} {'median':>7}  names")
    for row in result["found"]:
        share = f"{100 * row['found']:.1f} ({100 * row['low']:.1f}-{100 * row['high']:.1f}) %"
        names = ", ".join(f"{name} {count}" for name, count in Counter(row["name"]).most_common())
        lines.append(f"{row['case']:42}{row['within']:>7} {share:>22} {row['median_pulses'] or '-':>7}  {names}")
    return "\n".join(lines)


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--reference", type=int, default=200_000)
    parser.add_argument("--good", type=int, default=300_000)
    parser.add_argument("--windows", type=int, default=1_000_000)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    bench = Bench(options.output, n_reference=options.reference, n_good=options.good, seed=options.seed)
    result = {
        "n_reference": bench.reference.n_pulses,
        "n_good": len(bench.good.score),
        "us_a_pulse": bench.us_a_pulse,
        "learning_s": bench.learning_s,
        "found": found(bench, n_trials=options.trials),
        "false_alarms": false_alarms(bench, n_windows=options.windows),
    }
    (options.output / "quality.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2) if options.json else told(result))


if __name__ == "__main__":
    main()
