"""Gates searched without labels: what they leak, beside usual gates and those searched on the truth; and gammas alone.

Usage: python benchmarks/gate_search.py [--pulses 20000]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.labelling.gate_search import choose_gates
from discrimen.network.prepare import choose_preparation
from discrimen.pulse_shape.charge import best_gates, charge_comparison
from discrimen.pulse_shape.upright import upright
from discrimen.pulses import Label
from discrimen.pulses.detector import GatesNs
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate

SET_UPS = (
    ("BC501A", "NUMEXO2", 0.5),
    ("EJ-309", "NUMEXO2", 0.2),
    ("stilbene", "DT5730", 0.5),
    ("EJ-276", "DT5730", 0.5),
)
USUAL = GatesNs(gate_start_ns=-20, short_gate_end_ns=30, long_gate_end_ns=300)
JUDGED_KEVEE = (50, 150)
EFFICIENCY = 0.95


def leakage(psd: NDArray[np.float64], labels: NDArray[np.int8]) -> float:
    """Return the share of gammas above the PSD that keeps 95 % of the neutrons."""
    kept = np.nanquantile(psd[labels == Label.NEUTRON], 1 - EFFICIENCY)
    return float((psd[labels == Label.GAMMA] >= kept).mean())


def judged(detector: str, digitizer: str, share: float, n_pulses: int) -> str:
    """Return one line: gates, figure of merit on the other half, leakage of found, usual and best gates."""
    config = SimulationConfig(
        n_pulses=n_pulses, detector=detector, digitizer=digitizer, neutron_fraction=share, seed=3, energy_min_kevee=50
    )
    pulses, settings = simulate(config), detector_settings(config)
    found = choose_gates(pulses, settings, rng=np.random.default_rng(1))
    light = pulses.column("energy_kevee")
    some = pulses[(light > JUDGED_KEVEE[0]) & (light < JUDGED_KEVEE[1])]
    turned = upright(some.samples, choose_preparation(settings, n_samples=some.n_samples))
    known = {"crossing": turned.crossing, "sample_period_ns": pulses.require_sample_period_ns()}
    labels = some.column("label")
    best = best_gates(turned.waveforms, **known, merit=lambda psd: -leakage(psd, labels))
    leaks = [
        leakage(charge_comparison(turned.waveforms, **known, gates=gates).psd.astype(np.float64), labels)
        for gates in (found.gates, USUAL, best.gates)
    ]
    return (
        f"{detector}, {digitizer}: {found.gates} figure of merit {found.reached.figure_of_merit:.3f} +- "
        f"{found.reached.error:.3f}; leakage " + ", ".join(f"{leak:.1%}" for leak in leaks) + " (found, usual, best)"
    )


def gammas_alone() -> Iterator[bool]:
    """Say of runs without neutrons whether gates were given."""
    kinds = ((1, "exponential", 0.0), (2, "Cs-137", 0.0), (3, "Co-60", 0.02))
    for detector, digitizer, (seed, spectrum, pile_up) in product(
        ("BC501A", "EJ-309", "EJ-276", "stilbene"), ("NUMEXO2", "DT5730", "DT5751"), kinds
    ):
        config = SimulationConfig(
            n_pulses=12_000,
            detector=detector,
            digitizer=digitizer,
            neutron_fraction=0.0,
            seed=seed,
            spectrum=spectrum,  # type: ignore[arg-type]
            pileup_fraction=pile_up,
        )
        try:
            choose_gates(simulate(config), detector_settings(config), rng=np.random.default_rng(1))
        except DataError:
            yield False
        else:
            yield True


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pulses", type=int, default=20_000)
    options = parser.parse_args()
    for set_up in SET_UPS:
        print(judged(*set_up, options.pulses))
    given = list(gammas_alone())
    print(f"gammas alone: gates given in {sum(given)} of {len(given)} runs")


if __name__ == "__main__":
    main()
