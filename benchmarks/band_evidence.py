"""How often band labels are given where there are no neutrons, and how often they are refused where there are.

Without neutrons: simulated Co-60 and Cs-137 in four scintillators, clean, with pile-up and with saturated pulses; and
lists of one band with a flat top (phase of the sampling clock), with edges (the same, a sine), with the lines of alphas
in the crystal, and of small charges, whose PSD has steps. With neutrons: Cf-252 and AmBe with half, a tenth and three
hundredths of neutrons. A refusal of these is no error of the labels: nothing is labelled.

    python benchmarks/band_evidence.py [--seeds 5] [--pulses 20000] [--first-seed 0] [--json]
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.labelling.band_evidence import find_evidence
from discrimen.labelling.plane import plane_of_pulses
from discrimen.metrics import wilson_interval
from discrimen.pulses.detector import GatesNs
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate

Values = NDArray[np.float64]
GATES = GatesNs(short_gate_end_ns=30, long_gate_end_ns=300)
DETECTORS = ("BC501A", "EJ-309", "EJ-276", "stilbene")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of run: energy, PSD and its steps, for a seed."""

    name: str
    neutrons: bool
    make: Callable[[int, int], tuple[Values, Values, Values]]


def simulated(seed: int, n: int, **changes: Any) -> tuple[Values, Values, Values]:
    """Integrate the gates over simulated pulses."""
    config = SimulationConfig(n_pulses=n, seed=seed, energy_min_kevee=20.0, **changes)
    plane = plane_of_pulses(simulate(config), detector_settings(config).merged(gates=GATES.model_dump()))
    return plane.energy, plane.psd, plane.psd_step


def listed(energy: Values, psd: Values) -> tuple[Values, Values, Values]:
    """Count charges, as list mode does."""
    long = np.maximum(np.rint(energy), 1.0)
    return long, 1 - np.rint(long * (1 - psd)) / long, 1 / long


def flat_top(seed: int, n: int) -> tuple[Values, Values, Values]:
    """Return one band of the phase of the clock, uniform."""
    rng = np.random.default_rng(seed)
    energy = np.exp(rng.uniform(np.log(100), np.log(20_000), n))
    return listed(energy, 0.72 + rng.uniform(-0.012, 0.012, n) + 0.15 * rng.normal(size=n) / np.sqrt(energy))


def edges(seed: int, n: int) -> tuple[Values, Values, Values]:
    """Return one band of the phase of the clock, a sine: dense at both edges."""
    rng = np.random.default_rng(seed)
    energy = np.exp(rng.uniform(np.log(100), np.log(20_000), n))
    phase = np.sin(2 * np.pi * rng.random(n))
    return listed(energy, 0.72 + 0.012 * (phase + rng.uniform(0.02, 0.3) * rng.normal(size=n)))


def alphas(seed: int, n: int) -> tuple[Values, Values, Values]:
    """Return gammas, and alphas of five lines (those of Ac-227 in LaBr3 give 1.6 to 3 MeV of gamma light)."""
    rng = np.random.default_rng(seed)
    energy = rng.exponential(3000, n) + 200
    alpha = rng.random(n) < 0.06
    energy[alpha] = rng.choice([8000, 8700, 9500, 11_000, 13_000], alpha.sum()) * rng.normal(1, 0.02, alpha.sum())
    return listed(energy, np.where(alpha, 0.45, 0.43) + 0.2 * rng.normal(size=n) / np.sqrt(energy))


def small_charges(seed: int, n: int) -> tuple[Values, Values, Values]:
    """Return one band at charges of 8 to 200 counts."""
    rng = np.random.default_rng(seed)
    energy = np.exp(rng.uniform(np.log(8), np.log(200), n))
    return listed(energy, 0.3 + 0.02 * rng.normal(size=n))


def cases() -> Iterator[Case]:
    """Yield every kind of run."""

    def of(**changes: Any) -> Callable[[int, int], tuple[Values, Values, Values]]:
        return lambda seed, n: simulated(seed, n, **changes)

    for detector in DETECTORS:
        for source in ("Co-60", "Cs-137"):
            common = {"detector": detector, "spectrum": source}
            yield Case(name="gammas, clean", neutrons=False, make=of(**common))
            yield Case(name="gammas, 20 % pile-up", neutrons=False, make=of(**common, pileup_fraction=0.2))
            yield Case(
                name="gammas, saturated",
                neutrons=False,
                make=of(**common, pileup_fraction=0.05, gain_adc_per_kevee=60.0),
            )
        for source in ("Cf-252", "AmBe"):
            for share in (0.5, 0.1, 0.03):
                common = {"detector": detector, "spectrum": source}
                mixed = of(**common, neutron_fraction=share, pileup_fraction=0.02)
                yield Case(name=f"{share:.0%} neutrons", neutrons=True, make=mixed)
    for name, make in (
        ("one flat top", flat_top),
        ("one band with edges", edges),
        ("lines of alphas", alphas),
        ("small charges", small_charges),
    ):
        yield Case(name=name, neutrons=False, make=make)


def shows(energy: Values, psd: Values, step: Values) -> bool:
    """Whether there is evidence of two species."""
    known = np.isfinite(energy) & np.isfinite(psd) & (energy > 0)
    low, high = np.quantile(energy[known], [0.05, 0.999])
    try:
        find_evidence(
            energy[known],
            psd[known],
            energy_range=(float(low), float(high)),
            psd_step=step[known],
            rng=np.random.default_rng(0),
        )
    except DataError:
        return False
    return True


def main() -> None:
    """Count, and print one line a kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--pulses", type=int, default=20_000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    runs: Counter[tuple[bool, str]] = Counter()
    found: Counter[tuple[bool, str]] = Counter()
    for number, case in enumerate(cases()):
        for seed in range(arguments.seeds):
            key = (case.neutrons, case.name)
            runs[key] += 1
            found[key] += shows(*case.make(arguments.first_seed + 1000 * number + seed, arguments.pulses))
    rows = [
        {"neutrons": neutrons, "runs": runs[neutrons, name], "name": name, "two_bands": found[neutrons, name]}
        for neutrons, name in runs
    ]
    if arguments.json:
        print(json.dumps(rows))
        return
    for row in sorted(rows, key=lambda row: row["neutrons"]):
        print(f"{row['name']:<24} {row['two_bands']:>4} of {row['runs']:>4} with two bands")
    for neutrons, word in ((False, "without neutrons"), (True, "with neutrons")):
        of = [row for row in rows if row["neutrons"] == neutrons]
        share = wilson_interval(sum(row["two_bands"] for row in of), sum(row["runs"] for row in of), confidence=0.95)
        print(f"{word}: two bands in {share.value:.1%} ({share.low:.1%}-{share.high:.1%})")


if __name__ == "__main__":
    main()
