"""Learning low light from labels at high light: what thinned pulses (`train --extend-down`) are worth.

Simulated BC501A with NUMEXO2 (75 samples of 10 ns, 30-2000 keVee, exponential spectrum, equal classes). The reference
network 75-10-4-2 learns from the truth at all energies, from the truth above 200 keVee alone, from that with a random
gain, from that with thinned pulses down to 30 keVee, from labels by time of flight (a fifth of the pulses are
accidental, the loss is corrected for them) and from band labels with and without thinning. One other run judges by its
truth: leakage at 95 % neutron efficiency in ranges of true light, thresholds chosen in each. Each seed has pulses,
first weights and thinning of its own. Intervals: 95 %, Student's t over the seeds; ratios to the network that learnt
the truth are geometric means, paired seed by seed. With --constant-tails neutrons have the same tail at all light, as
thinning supposes.

    OMP_NUM_THREADS=1 python benchmarks/extend_down.py [--pulses 40000] [--seeds 4] [--epochs 20] [--constant-tails]
        [--architecture mlp]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from discrimen.keras_jax import load_keras
from discrimen.labelling.band import BandOptions, find_bands
from discrimen.labelling.plane import plane_of_pulses
from discrimen.labelling.time_of_flight import FlightOptions, find_flight_labels
from discrimen.metrics import energy_bins, leaked_share
from discrimen.network.domain import outside
from discrimen.network.domain.light_noise import measure_light_noise
from discrimen.network.domain.measure import measure
from discrimen.network.prepare import choose_preparation, prepare
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import DetectorSettings, GatesNs
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import DIGITIZERS
from discrimen.simulation.distortion import Digitisation
from discrimen.simulation.own_detector import OwnDetector
from discrimen.simulation.scintillator import DETECTORS, LightOutput
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate
from discrimen.simulation.sources import LightSpectrum
from discrimen.simulation.thinning import thin
from discrimen.training import TrainingConfig, train

EFFICIENCY = 0.95
EDGES_KEVEE = (30.0, 50.0, 100.0, 200.0, 400.0)
FROM_KEVEE, DOWN_TO_KEVEE = 200.0, 30.0
TEST_SEED = 7001
PATH_M = 1.5
GATES = GatesNs(gate_start_ns=-20, short_gate_end_ns=30, long_gate_end_ns=300)


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyLight(LightOutput):
    """Protons whose tail is that of 2 MeV at all light."""

    def proton_energy_mev(self, light_kevee: Any) -> NDArray[np.float64]:
        return np.full(np.shape(light_kevee), 2.0)


def simulation(n_pulses: int, seed: int, *, constant_tails: bool, **changes: Any) -> SimulationConfig:
    own = None
    if constant_tails:
        known = DETECTORS["BC501A"]
        steady = replace(known, light_output=SteadyLight(a=1.0, b=0.0, c=1.0, d=1.0))
        any_light = LightSpectrum(np.array([30.0, 2000.0]), np.array([0.0, 1.0]))
        own = OwnDetector(name="steady", scintillator=steady, digitizer=DIGITIZERS["NUMEXO2"], light=any_light)
    return SimulationConfig(n_pulses=n_pulses, seed=seed, own=own, **changes)


class Test:
    """One run that judges all models."""

    def __init__(self, n_pulses: int, *, constant_tails: bool) -> None:
        config = simulation(n_pulses, TEST_SEED, constant_tails=constant_tails)
        self.settings, pulses = detector_settings(config), simulate(config)
        self.preparation = choose_preparation(self.settings, n_samples=pulses.n_samples)
        self.samples = pulses.samples
        self.waveforms = prepare(pulses.samples, self.preparation).waveforms
        self.is_neutron = pulses.column("label") == Label.NEUTRON
        self.inside = [part.contains(pulses.column("energy_kevee")) for part in energy_bins(EDGES_KEVEE)]

    def leakage(self, model: Any) -> list[float]:
        with load_keras("cpu").on_device():
            scores = np.asarray(model.predict(self.waveforms, batch_size=8192, verbose=0), np.float64)[:, Label.NEUTRON]
        truth = self.is_neutron
        return [
            leaked_share(scores[inside & ~truth], scores[inside & truth], efficiency=EFFICIENCY)
            for inside in self.inside
        ]


def above(pulses: Pulses, least_kevee: float) -> Pulses:
    known = pulses.column("energy_kevee") >= least_kevee
    return pulses.replace(label=np.where(known, pulses.column("label"), Label.UNKNOWN).astype(np.int8))


def by_flight(config: SimulationConfig, seed: int) -> tuple[Pulses, dict[str, float]]:
    flown = replace(config, flight_path_m=PATH_M, accidental_fraction=0.2, accidental_neutron_fraction=0.5)
    pulses = simulate(flown)
    options = FlightOptions(flight_path_m=PATH_M, accidental_neutron_share=0.5)
    found = find_flight_labels(pulses.column("tof_ns"), options=options, rng=np.random.default_rng(seed))
    wrong = {"gamma": found.gamma.contamination, "neutron": found.neutron.contamination}
    return pulses.replace(label=found.labels(pulses.column("tof_ns"))), wrong


def by_band(pulses: Pulses, settings: DetectorSettings, seed: int) -> Pulses:
    plane = plane_of_pulses(pulses, settings.merged(gates=GATES))
    bands = find_bands(plane.energy, plane.psd, options=BandOptions(), rng=np.random.default_rng(seed))
    return pulses.replace(label=bands.labels(plane.energy, plane.psd))


def variants(config: SimulationConfig, settings: DetectorSettings, seed: int) -> Iterator[tuple[str, Pulses, dict]]:
    pulses = simulate(config)
    high = above(pulses, FROM_KEVEE)
    down = {"extend_down_kevee": DOWN_TO_KEVEE}
    yield "truth at all energies", pulses, {}
    yield "truth above 200 keVee", high, {}
    yield "truth above 200 keVee, random gain", high, {"augment": {"gain": 0.9}}
    yield "truth above 200 keVee, thinned", high, down
    flown, wrong = by_flight(config, seed)
    yield "time of flight, all energies", flown, {"contamination": wrong}
    banded = by_band(pulses, settings, seed)
    yield "bands", banded, {}
    yield "bands, thinned", banded, down


def tails(n_pulses: int = 12_000) -> None:
    """Compare the tail fractions of pulses of 60 keVee with those of thinned ones of 300-600 keVee."""
    for name, share in (("gamma", 0.0), ("neutron", 1.0)):
        ranges = {"thinned": (3, 300.0, 600.0), "simulated": (4, 60.0, 60.01)}
        configs = {
            what: SimulationConfig(
                n_pulses=n_pulses, seed=seed, energy_min_kevee=low, energy_max_kevee=high, neutron_fraction=share
            )
            for what, (seed, low, high) in ranges.items()
        }
        for what, config in configs.items():
            pulses, settings = simulate(config), detector_settings(config)
            preparation = choose_preparation(settings, n_samples=pulses.n_samples)
            samples, channel = pulses.samples, preparation.only
            digitisation = Digitisation(
                sample_period_ns=preparation.sample_period_ns,
                baseline_start=channel.baseline_start,
                baseline_stop=channel.baseline_stop,
                adc_bits=settings.adc_bits,
            )
            kept = np.minimum(60.0 / pulses.column("energy_kevee").astype(float), 1.0)
            if what == "thinned":
                noise = measure_light_noise(samples, preparation)
                rng = np.random.default_rng(1)
                samples = thin(samples, kept, noise, digitisation, polarity=channel.polarity, rng=rng)
            measured = measure(samples, preparation)
            waves = measured.shape * measured.height_adc[:, np.newaxis]
            peak = int(np.median(measured.shape.argmax(axis=1)))
            fraction = waves[:, peak + 2 : peak + 22].sum(axis=1) / np.maximum(waves[:, peak - 2 :].sum(axis=1), 1)
            told = ", ".join(f"{value:.4f}" for value in np.quantile(fraction, [0.16, 0.5, 0.84]))
            print(f"{name} of 60 keVee, {what}: tail fraction at 16, 50 and 84 %: {told}")


def trained(pulses: Pulses, test: Test, folder: Path, **options: Any) -> Any:
    config = TrainingConfig(patience=None, learning_rate=0.003, split="pulse", **options)
    return train(pulses, test.preparation, config, folder=folder, settings=test.settings, overwrite=True)


def run_all(test: Test, options: argparse.Namespace) -> dict[str, list[list[float]]]:
    found: dict[str, list[list[float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        for seed in range(1, options.seeds + 1):
            config = simulation(options.pulses, 100 + seed, constant_tails=options.constant_tails)
            common = {"architecture": options.architecture, "epochs": options.epochs, "seed": seed}
            for what, pulses, wishes in variants(config, test.settings, seed):
                result = trained(pulses, test, Path(name) / "model", **common, **wishes)
                found.setdefault(what, []).append(test.leakage(result.model))
                print(seed, what, *(f"{100 * value:.3g}" for value in found[what][-1]), flush=True)
                if "thinned" in what:
                    print("   ", told_outside(result.description.domain, test), flush=True)
    return found


def told_outside(domain: Any, test: Test) -> str:
    flags = [outside(test.samples[inside][:5000], test.preparation, domain) for inside in test.inside]
    return "outside of its domain: " + ", ".join(f"{(each != 0).mean():.2%}" for each in flags)


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and half width of the 95 % interval."""
    return float(values.mean()), float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))


def table(found: Mapping[str, list[list[float]]], n_ranges: int = 3) -> str:
    ranges = [f"{low:g}-{high:g}" for low, high in pairwise(EDGES_KEVEE)][:n_ranges]
    lines = ["| learnt from | " + " | ".join(f"{each} keVee | ratio" for each in ranges) + " |"]
    lines.append("|---" * (1 + 2 * n_ranges) + "|")
    truth = np.array(found["truth at all energies"])
    for what, leakage in found.items():
        cells = []
        for number in range(n_ranges):
            own = np.array(leakage)[:, number]
            mean, half = interval(100 * own)
            cells.append(f"{mean:.3g} ± {half:.2g}")
            if what == "truth at all energies" or not (own > 0).all() or not (truth[:, number] > 0).all():
                cells.append("")
                continue
            mean, half = interval(np.log(own / truth[:, number]))
            cells.append(f"{np.exp(mean):.2f} ({np.exp(mean - half):.2f}-{np.exp(mean + half):.2f})")
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pulses", type=int, default=40_000)
    parser.add_argument("--test-pulses", type=int, default=200_000)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--architecture", default="mlp")
    parser.add_argument("--constant-tails", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--tails", action="store_true", help="compare tail fractions, train nothing")
    options = parser.parse_args()
    if options.tails:
        tails()
        return
    test = Test(options.test_pulses, constant_tails=options.constant_tails)
    found = run_all(test, options)
    if options.json:
        options.json.write_text(json.dumps(found) + "\n")
    print(table(found))


if __name__ == "__main__":
    main()
