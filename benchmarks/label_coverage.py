"""How often the intervals of labels hold: purity of band labels, contamination of labels by time of flight.

Bands: simulated BC501A with NUMEXO2 from 20 keVee on, with a half, three and one in ten of neutrons. The true purity of
each slice and class that got labels is compared with its interval.

Time of flight: prompt pulses of Cf-252 over 1.5 m, a fifth of the pulses accidental. Accidental gammas are those of
Co-60, and in soft runs of Cs-137: not of the spectrum of the prompt ones. The true contamination of both windows and
the accuracy against the labels are compared with their intervals, and in slices of energy, where the spectrum matters,
the share of accidentals. What the share of all energies would say of each slice is counted beside it.

    OMP_NUM_THREADS=1 python benchmarks/label_coverage.py [--only band|tof] [--seeds 6] [--runs 60]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.labelling.band import BandOptions, find_bands
from discrimen.labelling.flight_figures import SliceContamination, contamination_by_energy
from discrimen.labelling.flight_run import FlightTimes, find_run_flight
from discrimen.labelling.plane import plane_of_pulses
from discrimen.labelling.time_of_flight import FlightOptions
from discrimen.metrics import wilson_interval
from discrimen.pulses import Label
from discrimen.pulses.detector import GatesNs
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate

GATES = GatesNs(gate_start_ns=-20, short_gate_end_ns=30, long_gate_end_ns=300)
PATH_M = 1.5
ACCIDENTALS = 0.2


@dataclass
class Held:
    """How many intervals held."""

    held: int = 0
    total: int = 0
    too_high: int = 0

    def add(self, low: float, truth: float, high: float) -> None:
        self.total += 1
        self.held += low <= truth <= high
        self.too_high += truth > high

    def __str__(self) -> str:
        if not self.total:
            return "none"
        share = wilson_interval(self.held, self.total)
        missed = self.total - self.held
        return (
            f"{self.held} of {self.total} ({share.value:.1%}, {share.low:.1%}-{share.high:.1%}); "
            f"truth above in {self.too_high}, below in {missed - self.too_high}"
        )


def bands(n_pulses: int, share: float, seeds: int) -> None:
    held, refused, widths, above = Held(), 0, [], []
    for seed in range(seeds):
        config = SimulationConfig(n_pulses=n_pulses, seed=500 + seed, energy_min_kevee=20, neutron_fraction=share)
        pulses = simulate(config)
        plane = plane_of_pulses(pulses, detector_settings(config).merged(gates=GATES))
        try:
            found = find_bands(plane.energy, plane.psd, options=BandOptions(), rng=np.random.default_rng(seed))
        except Exception as error:  # noqa: BLE001 - a run without labels is counted
            refused += 1
            print(f"  {error}")
            continue
        labels = found.labels(plane.energy, plane.psd)
        for part in found.slices:
            inside = (plane.energy >= part.fit.low) & (plane.energy < part.fit.high)
            for label, cut in ((Label.GAMMA, part.gamma), (Label.NEUTRON, part.neutron)):
                ours = inside & (labels == label)
                if cut.labelled and ours.any():
                    truth = float((pulses.column("label")[ours] == label).mean())
                    held.add(cut.purity_low, truth, cut.purity_high)
                    widths.append(cut.purity_high - cut.purity_low)
                    above.append(truth - cut.purity)
    print(
        f"bands, {share:.0%} neutrons, {seeds} runs of {n_pulses}: {held}; {refused} refused; "
        f"truth - estimate {np.mean(above):+.4f}, interval {np.mean(widths):.4f} wide",
        flush=True,
    )


def flown(
    n_pulses: int, seed: int, *, accidental: str, neutrons: float
) -> tuple[FlightTimes, NDArray[np.int8], NDArray[np.bool_]]:
    """Return times and energies, the truth, and which pulses are accidental."""
    n_accidental = int(np.random.default_rng(seed).binomial(n_pulses, ACCIDENTALS))
    flight = {"flight_path_m": PATH_M, "seed": 2 * seed}
    prompt = SimulationConfig(n_pulses=n_pulses - n_accidental, spectrum="Cf-252", **flight)
    others = [(round(n_accidental * (1 - neutrons)), accidental, 0.0), (round(n_accidental * neutrons), "Cf-252", 1.0)]
    parts = [simulate(prompt)]
    for number, (count, spectrum, share) in enumerate(others):
        wishes = {**flight, "seed": 2 * seed + 100_000 * (number + 1), "neutron_fraction": share}
        parts.append(simulate(SimulationConfig(n_pulses=count, spectrum=spectrum, accidental_fraction=1.0, **wishes)))

    def column(name: str) -> NDArray:
        return np.concatenate([part.column(name) for part in parts])

    zero = np.zeros(sum(map(len, parts)), np.int32)
    times = FlightTimes(tof_ns=column("tof_ns"), board=zero, channel=zero, energy=column("energy_kevee").astype(float))
    return times, column("label"), np.arange(len(zero)) >= len(parts[0])


def flights(n_pulses: int, runs: int, accidental: str) -> None:
    neutrons = 0.3
    held = {name: Held() for name in ("gamma", "neutron", "accuracy", "slices", "slices by the share of all energies")}
    options = FlightOptions(flight_path_m=PATH_M, accidental_neutron_share=neutrons)
    for seed in range(runs):
        times, label, is_accidental = flown(n_pulses, seed, accidental=accidental, neutrons=neutrons)
        rng = np.random.default_rng(seed)
        flight = find_run_flight(times, options=options, rng=rng)
        labels, found = flight.labels(times), flight.found
        for kind, window in ((Label.GAMMA, found.gamma), (Label.NEUTRON, found.neutron)):
            wrong = float((label[labels == kind] != kind).mean())
            held[kind.name.lower()].add(window.contamination_low, wrong, window.contamination_high)
        known = labels != Label.UNKNOWN
        held["accuracy"].add(
            found.accuracy_ceiling_low, float((labels == label)[known].mean()), found.accuracy_ceiling_high
        )
        _slices(times, labels, is_accidental, contamination_by_energy(times, flight, rng=rng), held)
    print(f"time of flight, accidental gammas of {accidental}, {runs} runs of {n_pulses}")
    for name, counted in held.items():
        print(f"  {name}: {counted}", flush=True)


def _slices(
    times: FlightTimes,
    labels: NDArray[np.int8],
    is_accidental: NDArray[np.bool_],
    slices: Sequence[SliceContamination],
    held: dict[str, Held],
) -> None:
    for kind in (Label.GAMMA, Label.NEUTRON):
        name = kind.name.lower()
        counts, shares = ([getattr(part, each) for part in slices] for each in (f"n_{name}", name))
        overall = float(np.average(shares, weights=counts))
        for part, share in zip(slices, shares, strict=True):
            ours = (labels == kind) & (times.energy >= part.energy_low) & (times.energy < part.energy_high)
            wrong, shift = float(is_accidental[ours].mean()), overall - share
            low, high = getattr(part, f"{name}_low"), getattr(part, f"{name}_high")
            held["slices"].add(low, wrong, high)
            held["slices by the share of all energies"].add(low + shift, wrong, high + shift)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("band", "tof"))
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--runs", type=int, default=60)
    options = parser.parse_args()
    if options.only != "tof":
        for n_pulses, share in ((40_000, 0.5), (40_000, 0.1), (10_000, 0.3)):
            bands(n_pulses, share, options.seeds)
    if options.only != "band":
        for accidental in ("Co-60", "Cs-137"):
            flights(15_000, options.runs, accidental)


if __name__ == "__main__":
    main()
