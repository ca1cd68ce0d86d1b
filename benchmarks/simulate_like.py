"""Train on pulses simulated like a run, and name pulses of its detector; beside the default simulation.

Two detectors: the ten real BC501A pulses (labels unused in the fit), and a plastic that this program makes up, far from
the defaults (EJ-276 behind 4 ns and a ringing, 496 samples of 2 ns that begin 40 ns before the pulse), known by ten or
by 2000 unlabelled pulses and judged on 4000 others. The network sees the whole record, baseline and peak scaled away.

Usage: python benchmarks/simulate_like.py [--data FOLDER] [--pulses N] [--json]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

import discrimen
from discrimen.detector_fit import Records, fit_detector, read_records
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader
from discrimen.network.prepare import choose_preparation
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.simulated import simulate_run
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import DIGITIZERS, FrontEnd, Ringing
from discrimen.simulation.own_detector import OwnDetector
from discrimen.simulation.scintillator import DETECTORS
from discrimen.simulation.simulate import simulate
from discrimen.simulation.sources import LightSpectrum

REAL = ("bc501a_gamma_first5.csv", "bc501a_neutron_first5.csv")
EPOCHS = 25


def plastic(n_pulses: int, seed: int) -> SimulationConfig:
    """Return a set-up that no default knows."""
    front_end = FrontEnd(
        time_constant_ns=4.0,
        sigma_ns=1.0,
        ringing=Ringing(cosine_per_ns=-0.02, sine_per_ns=0.02, decay_ns=18.0, period_ns=31.0),
    )
    digitizer = replace(
        DIGITIZERS["DT5730"], n_samples=496, pretrigger_ns=40.0, noise_power=(4.0, 1.0, 0.5, 0.2), front_end=front_end
    )
    light = LightSpectrum(np.array([100.0, 1500.0]), np.array([0.0, 1.0]))
    own = OwnDetector(name="plastic", scintillator=DETECTORS["EJ-276"], digitizer=digitizer, light=light)
    return SimulationConfig(n_pulses=n_pulses, own=own, trigger_jitter_ns=2.0, seed=seed, energy_min_kevee=100.0)


def fitted_config(records: Records, scintillator: str | None, n_pulses: int) -> SimulationConfig:
    return fit_detector(records, scintillator=scintillator).file.config(n_pulses, seed=11)


def trained(config: SimulationConfig, folder: Path):
    run = folder / "train.lh5"
    simulate_run(config, run)
    dataset = discrimen.read(run)
    preparation = choose_preparation(dataset.settings, n_samples=dataset.pulses.n_samples)
    return discrimen.train(
        dataset, folder / "model", preparation=preparation, architecture="mlp", epochs=EPOCHS, seed=1
    )


def judged(config: SimulationConfig, samples: np.ndarray, is_neutron: np.ndarray) -> dict[str, float]:
    """Train on a configuration and name pulses: how many are right, the highest gamma, the lowest neutron."""
    with tempfile.TemporaryDirectory() as folder:
        model = trained(config, Path(folder))
        scores = model.predictor.predict(samples)[:, model.description.neutron_class]
    right = (scores >= 0.5) == is_neutron
    low, high = (0.0, 1.0) if len(samples) <= 10 else (0.01, 0.99)
    return {
        "n_right": int(right.sum()),
        "n_pulses": len(samples),
        "highest_gamma": float(np.quantile(scores[~is_neutron], high)),
        "lowest_neutron": float(np.quantile(scores[is_neutron], low)),
    }


def real_rows(data: Path, n_pulses: int) -> dict[str, dict[str, float]]:
    options = ReadOptions(settings=DetectorSettings(sample_period_ns=1.0))
    records = read_records([open_reader(data / name, options) for name in REAL])
    is_neutron = records.file == 1
    configs = {
        "ten real BC501A pulses, like them, BC501A named": fitted_config(records, "BC501A", n_pulses),
        "ten real BC501A pulses, like them, best fit": fitted_config(records, None, n_pulses),
        "ten real BC501A pulses, default BC501A with DT5751": SimulationConfig(
            n_pulses=n_pulses, digitizer="DT5751", seed=11
        ),
    }
    return {name: judged(config, records.samples, is_neutron) for name, config in configs.items()}


def plastic_rows(n_pulses: int) -> dict[str, dict[str, float]]:
    judge = simulate(plastic(4000, seed=99))
    is_neutron = judge.column("label") == 1
    settings = DetectorSettings(sample_period_ns=2.0, adc_bits=14)
    configs = {}
    for n_known in (10, 2000):
        known = simulate(plastic(n_known, seed=5)).samples
        records = Records(samples=known, file=np.zeros(n_known, int), settings=settings, sources=("plastic",), notes=())
        configs[f"made-up plastic, like {n_known} pulses of it, EJ-276 named"] = fitted_config(
            records, "EJ-276", n_pulses
        )
    configs["made-up plastic, default EJ-276 with DT5730"] = SimulationConfig(
        n_pulses=n_pulses, detector="EJ-276", digitizer="DT5730", n_samples=496, seed=11
    )
    configs["made-up plastic, its own simulation"] = plastic(n_pulses, seed=11)
    return {name: judged(config, judge.samples, is_neutron) for name, config in configs.items()}


def main() -> None:
    """Fit, train, name and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared/data/bc501a")
    parser.add_argument("--pulses", type=int, default=20_000, help="simulated for each training")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = real_rows(arguments.data, arguments.pulses) | plastic_rows(arguments.pulses)
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'trained on':<54}{'right':>14}{'gammas to':>12}{'neutrons from':>15}")
    for name, row in rows.items():
        right = f"{row['n_right']} of {row['n_pulses']}"
        print(f"{name:<54}{right:>14}{row['highest_gamma']:>12.3g}{row['lowest_neutron']:>15.4f}")


if __name__ == "__main__":
    main()
