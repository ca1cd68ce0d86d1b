"""Train on simulated BC501A pulses of a DT5751 digitizer, then name the ten real ones.

The real pulses of the two classes differ in baseline (892 and 877 ADC counts) and ADC step (4 and 1), so baseline and
gain are varied widely in the training, and preparation subtracts the baseline and scales to the peak: the network can
only see the shape. The window of 150 samples follows the constant-fraction crossing, because a leading-edge trigger
walks with the amplitude; --plain takes the whole record as it is instead. Gates are those of the simulated detector,
charge comparison's threshold is the one that leaks and loses equally on the simulated test run.

Usage: python benchmarks/real_bc501a.py [--data FOLDER] [--plain] [--json]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

import discrimen
from discrimen.formats.base import ReadOptions
from discrimen.network.preparation import Alignment
from discrimen.network.prepare import choose_preparation, constant_fraction_crossing, subtract_baseline
from discrimen.pulse_shape.charge import PSD_DEFINITION, charge_comparison
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.dataset import Dataset
from discrimen.simulation.digitizer import CROSSING_FRACTION

REAL = {"gamma": "bc501a_gamma_first5.csv", "neutron": "bc501a_neutron_first5.csv"}
N_PULSES = 60_000
VARIED = {"digitizer": "DT5751", "baseline_spread_adc": 15.0, "gain_spread": 0.3}


def psd(dataset: Dataset, settings: DetectorSettings, baseline_stop: int) -> np.ndarray:
    """Return charge comparison's parameter with the simulated detector's gates."""
    waveforms, _ = subtract_baseline(dataset.pulses.samples, start=0, stop=baseline_stop, polarity=-1)
    charges = charge_comparison(
        waveforms,
        crossing=constant_fraction_crossing(waveforms, fraction=CROSSING_FRACTION),
        sample_period_ns=1.0,
        gates=settings.gates,
    )
    return charges.psd


def equal_error_threshold(values: np.ndarray, labels: np.ndarray) -> float:
    """Return the threshold at which as large a share of gammas passes as of neutrons fails."""
    candidates = np.nanquantile(values, np.linspace(0.01, 0.99, 981))
    passing = values[:, np.newaxis] >= candidates
    leaked, lost = passing[labels == 0].mean(axis=0), 1 - passing[labels == 1].mean(axis=0)
    return float(candidates[np.abs(leaked - lost).argmin()])


def main() -> None:
    """Train, score and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared/data/bc501a")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        train_run, test_run = Path(folder) / "train.lh5", Path(folder) / "test.lh5"
        discrimen.simulate(train_run, N_PULSES, seed=11, **VARIED)
        discrimen.simulate(test_run, N_PULSES // 3, seed=12, **VARIED)
        train_set, test_set = discrimen.read(train_run), discrimen.read(test_run)
        preparation = choose_preparation(
            train_set.settings,
            n_samples=train_set.pulses.n_samples,
            window_length=None if arguments.plain else 150,
            alignment=None if arguments.plain else Alignment(position=12, interpolate=True),
        )
        model = discrimen.train(
            train_set, Path(folder) / "model", preparation=preparation, architecture="mlp", epochs=40, seed=1
        )
        report = discrimen.evaluate(model, test_set)
        settings = train_set.settings
        baseline_stop = model.description.preparation.only.baseline_stop
        threshold = equal_error_threshold(psd(test_set, settings, baseline_stop), test_set.pulses.column("label"))
        rows = []
        for kind, name in REAL.items():
            options = ReadOptions(settings=DetectorSettings(sample_period_ns=1.0, polarity="negative"))
            real = discrimen.read(arguments.data / name, options=options)
            scores = model.predictor.predict(real.pulses.samples)[:, model.description.neutron_class]
            for number, (score, value) in enumerate(zip(scores, psd(real, settings, baseline_stop), strict=True)):
                rows.append(
                    {
                        "pulse": f"{kind} {number + 1}",
                        "neutron_score": round(float(score), 6),
                        "network_says": "neutron" if score >= 0.5 else "gamma",
                        "psd": round(float(value), 4),
                        "charge_comparison_says": "neutron" if value >= threshold else "gamma",
                    }
                )
    result = {
        "psd_definition": PSD_DEFINITION,
        "psd_threshold": threshold,
        "gates_ns": settings.gates.model_dump(),
        "auc_simulated_network": report.overall.methods["network"].auc.value,
        "auc_simulated_charge": report.overall.methods["charge_nominal"].auc.value,
        "n_right_network": sum(row["pulse"].startswith(row["network_says"]) for row in rows),
        "n_right_charge_comparison": sum(row["pulse"].startswith(row["charge_comparison_says"]) for row in rows),
        "pulses": rows,
    }
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(f"PSD = {PSD_DEFINITION}, gates {result['gates_ns']} ns, neutron from {threshold:.4f}")
    print(f"{'real pulse':<12}{'neutron score':>14}{'network':>10}{'PSD':>9}{'charge comparison':>20}")
    for row in rows:
        print(
            f"{row['pulse']:<12}{row['neutron_score']:>14.6f}{row['network_says']:>10}"
            f"{row['psd']:>9.4f}{row['charge_comparison_says']:>20}"
        )
    print(f"right: network {result['n_right_network']} of 10, charge {result['n_right_charge_comparison']} of 10")


if __name__ == "__main__":
    main()
