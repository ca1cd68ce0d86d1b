"""NEDA as it is: what sampling, unknowns of the detector and physics left out of the simulator do to the leakage.

Simulated BC501A; each row changes one thing. The reference network (MLP 10-4) is trained on pulses of that row (of two
seeds the one with the lower validation loss) and judged on others of it: gamma leakage at 95 % neutron efficiency, the
threshold chosen anew in each range of true light, with its 95 % interval. A row that is in the folder is not made
again.

    OMP_NUM_THREADS=1 python benchmarks/neda.py [-o bench-output/neda] [--only NAME ...] [--pulses 300000] [--json]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.metrics import EnergyBin, leakage_at_efficiency
from discrimen.network.prepare import choose_preparation
from discrimen.pulses import Pulses
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import DIGITIZERS, Digitizer
from discrimen.simulation.own_detector import OwnDetector
from discrimen.simulation.scintillator import DETECTORS, relative_tail
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate
from discrimen.simulation.sources import LightSpectrum
from discrimen.training import TrainingConfig, train
from neda_effects import Effects, model_with
from neda_neutrons import recoils_in_a_cell

EFFICIENCY = 0.95
RANGES_KEVEE = ((30.0, 50.0), (50.0, 100.0), (100.0, 200.0), (200.0, 2000.0))
TRAINING_SLOPE_KEVEE = 100.0
"""Of the spectrum of light that is trained on: softer than the simulator's, for enough pulses at low light."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one row changes.

    Parameters
    ----------
    simulation : mapping
        Options of the simulator.
    digitizer : mapping
        Changes of NUMEXO2 that the simulator has no option for.
    effects : callable
        What is added to the physics.
    threshold_adc : float
        Pulses that are not as high are lost.
    """

    simulation: Mapping[str, Any] = field(default_factory=dict)
    digitizer: Mapping[str, Any] = field(default_factory=dict)
    effects: Callable[[], Effects] = Effects
    threshold_adc: float = 0.0


def falling_tail(proton_energy_mev: np.ndarray) -> np.ndarray:
    """Go on falling below 0.57 MeV as between 1.33 and 0.57 MeV."""
    below = np.log(np.minimum(proton_energy_mev, 0.57) / 0.57)
    slope = (relative_tail(np.array([1.33])) - relative_tail(np.array([0.57])))[0] / np.log(1.33 / 0.57)
    return relative_tail(proton_energy_mev) + slope * below


def level_tail(proton_energy_mev: np.ndarray) -> np.ndarray:
    """Below 1.33 MeV all as at 1.33 MeV, the highest that was measured."""
    return relative_tail(np.maximum(proton_energy_mev, 1.33))


def in_a_cell() -> Effects:
    return Effects(recoils=recoils_in_a_cell(DETECTORS["BC501A"].light_output, n_neutrons=1_000_000, seed=7))


def low_passed(n_points: int = 64) -> tuple[float, ...]:
    """White noise behind the pole of the front end, 32 MHz."""
    return tuple(1 / (1 + (np.linspace(0, 50, n_points) / 32) ** 2))


ROWS: dict[str, Row] = {
    "reference": Row(),
    "reference, other pulses": Row(simulation={"seed": 900}),
    "5 ns, equal noise density": Row(simulation={"digitizer": "NUMEXO2-5ns"}),
    "5 ns, equal noise a sample": Row(simulation={"digitizer": "NUMEXO2-5ns", "noise_adc": 3.0}),
    "1.35 pe/keV": Row(simulation={"photoelectrons_per_kev": 1.35}),
    "1.0 pe/keV": Row(simulation={"photoelectrons_per_kev": 1.0}),
    "neutron tail falls below 0.57 MeV": Row(effects=lambda: Effects(neutron_tail=falling_tail)),
    "neutron tail level below 1.33 MeV": Row(effects=lambda: Effects(neutron_tail=level_tail)),
    "pile-up 0.5 %": Row(simulation={"pileup_fraction": 0.005}),
    "pile-up 1 %": Row(simulation={"pileup_fraction": 0.01}),
    "gamma tail +5 % a factor e": Row(simulation={"gamma_tail_rise": 0.05}),
    "gamma tail +10 % a factor e": Row(simulation={"gamma_tail_rise": 0.10}),
    "several recoils, carbon": Row(effects=in_a_cell),
    "several recoils, carbon, tail falls": Row(effects=lambda: replace(in_a_cell(), neutron_tail=falling_tail)),
    "gamma with 1 % of neutrons": Row(effects=lambda: Effects(gamma_with_neutron=0.01)),
    "afterpulses 5 %": Row(effects=lambda: Effects(afterpulses=0.05)),
    "saturation": Row(effects=lambda: Effects(saturation_pe_per_ns=500.0)),
    "noise of the front end": Row(digitizer={"noise_power": low_passed()}),
    "1/f noise from 0.3 MHz": Row(simulation={"noise_corner_mhz": 0.3}),
    "1/f noise from 1 MHz": Row(simulation={"noise_corner_mhz": 1.0}),
    "1/f noise from 10 MHz": Row(simulation={"noise_corner_mhz": 10.0}),
    "threshold 100 ADC": Row(threshold_adc=100.0),
    "leading edge at 100 ADC": Row(digitizer={"trigger": "leading_edge", "threshold_adc": 100.0}),
    "EJ-309": Row(simulation={"detector": "EJ-309"}),
    "stilbene": Row(simulation={"detector": "stilbene"}),
    "EJ-276": Row(simulation={"detector": "EJ-276"}),
}


def configured(row: Row, *, n_pulses: int, seed: int, **spectrum: float) -> SimulationConfig:
    values = dict(row.simulation) | spectrum
    values["seed"] = values.get("seed", 0) + seed
    config = SimulationConfig(n_pulses=n_pulses, **values)
    if not row.digitizer:
        return config
    digitizer: Digitizer = replace(DIGITIZERS[config.digitizer], **row.digitizer)
    nothing = LightSpectrum(np.array([30.0, 2000.0]), np.array([0.0, 1.0]))
    own = OwnDetector(name="changed", scintillator=DETECTORS[config.detector], digitizer=digitizer, light=nothing)
    return replace(config, own=own)


def simulated(row: Row, config: SimulationConfig) -> Pulses:
    effects = row.effects()
    pulses = simulate(config, model=None if effects == Effects() else model_with(config, effects))
    if not row.threshold_adc:
        return pulses
    before = pulses.samples[:, :12].mean(axis=1)
    return pulses[np.flatnonzero(before - pulses.samples.min(axis=1) > row.threshold_adc)]


def trained(row: Row, place: Path, *, n_pulses: int, epochs: int) -> KerasPredictor:
    config = configured(row, n_pulses=n_pulses, seed=301, exponential_slope_kevee=TRAINING_SLOPE_KEVEE)
    pulses, settings = simulated(row, config), detector_settings(config)
    preparation = choose_preparation(settings, n_samples=pulses.n_samples)
    found = []
    for seed in (0, 1):
        training = TrainingConfig(
            architecture="mlp",
            learning_rate=0.002,
            learning_rate_decay="cosine",
            epochs=epochs,
            batch_size=250,
            patience=None,
            split="pulse",
            seed=seed,
        )
        folder = place / f"seed{seed}"
        result = train(pulses, preparation, training, folder=folder, settings=settings, overwrite=True)
        found.append((result.best.val_loss, folder))
    return KerasPredictor(min(found)[1])


def judged(row: Row, place: Path, options: argparse.Namespace) -> list[dict[str, float]]:
    predictor = trained(row, place, n_pulses=options.pulses, epochs=options.epochs)
    test = simulated(row, configured(row, n_pulses=options.pulses, seed=302))
    scores = predictor.predict(test.samples)[:, 1]
    light, labels = test.column("energy_kevee"), test.column("label")
    cells = []
    for low, high in RANGES_KEVEE:
        here = EnergyBin(low, high).contains(light)
        found = leakage_at_efficiency(scores[here], labels[here], efficiency=EFFICIENCY)
        cells.append({"leakage": found.leakage, "low": found.low, "high": found.high, "n_gamma": found.n_gamma})
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("bench-output/neda"))
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--pulses", type=int, default=300_000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = {}
    for name in options.only:
        place = options.output / name.replace(" ", "_").replace("/", "_").replace("%", "percent")
        record = place / "leakage.json"
        if not record.exists():
            place.mkdir(parents=True, exist_ok=True)
            record.write_text(json.dumps(judged(ROWS[name], place, options)))
        results[name] = json.loads(record.read_text())
        if not options.json:
            print(f"| {name} | {' | '.join(percent(cell) for cell in results[name])} |", flush=True)
    if options.json:
        print(json.dumps(results, indent=1))


def percent(cell: Mapping[str, float]) -> str:
    return f"{100 * cell['leakage']:.3g} ({100 * cell['low']:.3g}-{100 * cell['high']:.3g})"


if __name__ == "__main__":
    main()
