"""Denoising by a network against three filters: signal-to-noise, timing, charge comparison and a classifier, by light.

Simulated BC501A read by NUMEXO2. The networks, run by the native engine, are a dense one (75-512-256-75) that learnt
clean records, and a dense auto-encoder (75-128-8-128-75) that learnt the recorded ones. The filters are fitted to the
same training pulses, anew in each of eight ranges of height: Savitzky-Golay (Anal. Chem. 36 (1964) 1627; window and
order of least error), the Fourier-Wiener filter (one real gain a frequency), and the matrix-Wiener filter (75 x 75 and
an offset: the best linear estimate there is), this also once for all heights.

Usage: python benchmarks/denoise.py -o FOLDER [--training 300000] [--pulses 100000] [--training-kevee 550]
       [--seed 1] [--json]
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import discrimen
from denoise_filters import Waveforms, by_height, fit_fourier_wiener, fit_matrix_wiener, fit_savitzky_golay
from discrimen.formats.table import open_reader
from discrimen.freezing.freeze import freeze
from discrimen.inference.native import NativePredictor
from discrimen.metrics import leakage_at_efficiency
from discrimen.network.prepare import choose_preparation, constant_fraction_crossing, prepare
from discrimen.output.style import GAMMA_COLOUR, NEUTRON_COLOUR, house_style, new_figure
from discrimen.pulse_shape.charge import charge_comparison
from discrimen.pulse_shape.upright import CROSSING_FRACTION
from discrimen.pulses import Label, Pulses, concatenate
from discrimen.reconstruction.denoise import DenoisingOptions, denoise_runs
from discrimen.runs.simulated import simulate_run
from discrimen.simulation.config import SimulationConfig
from discrimen.training import Classification, Reconstruction, TrainingConfig, train

RANGES_KEVEE = (30, 50, 100, 200, 500)
MOST_KEVEE = 550.0
EFFICIENCY = 0.95
RECORDED, NETWORK, NOISY_TARGETS = "as recorded", "network", "network, noisy targets"


@dataclass(frozen=True, eq=False)
class Run:
    """Pulses in a file and in memory, with their clean records."""

    path: Path
    pulses: Pulses
    clean: NDArray[np.float64]

    @classmethod
    def simulated(cls, folder: Path, name: str, n_pulses: int, seed: int, *, most_kevee: float = MOST_KEVEE) -> Run:
        """Simulate a run with a light spectrum that fills all ranges, or those below a light."""
        config = SimulationConfig(n_pulses=n_pulses, energy_min_kevee=20, energy_max_kevee=most_kevee, seed=seed)
        path, clean = folder / f"{name}.lh5", folder / f"{name}.clean.lh5"
        simulate_run(config, path, clean=clean)
        return cls(path, _read(path, label_by="truth"), _read(clean).samples.astype(np.float64))


def _read(path: Path, **options: Any) -> Pulses:
    return discrimen.read(path, **options).pulses


class Bench:
    """The training run, the judged run, and what prepares both."""

    def __init__(self, folder: Path, *, n_training: int, n_pulses: int, seed: int, training_kevee: float) -> None:
        self.folder, self.seed = folder, seed
        self.training = Run.simulated(folder, "training", n_training, 10 * seed, most_kevee=training_kevee)
        self.judged = Run.simulated(folder, "judged", n_pulses, 10 * seed + 1)
        self.settings = discrimen.read(self.training.path).settings
        self.preparation = choose_preparation(self.settings, n_samples=self.training.pulses.n_samples)

    def above(self, records: NDArray[Any]) -> Waveforms:
        """Return records above the mean of their own baseline window, upwards."""
        channel = self.preparation.only
        baseline = records[:, channel.baseline_start : channel.baseline_stop].mean(axis=1, keepdims=True)
        return channel.polarity * (records.astype(np.float64) - baseline)

    def clean_above(self, run: Run) -> Waveforms:
        """Return clean records above the baselines of the recorded ones: what a filter of these should give."""
        channel = self.preparation.only
        noisy = run.pulses.samples[:, channel.baseline_start : channel.baseline_stop].mean(axis=1, keepdims=True)
        return channel.polarity * (run.clean - noisy)

    def network(self, *, hidden: tuple[int, ...], epochs: int, clean: bool) -> Path:
        """Train a denoiser and freeze it: on clean targets, or on noisy ones through a code."""
        architecture, options = (
            ("mlp", {"hidden": hidden}) if clean else ("dense_autoencoder", {"hidden": 128, "code": 8})
        )
        name = "clean" if clean else "noisy"
        config = TrainingConfig(
            task=Reconstruction(),
            architecture=architecture,
            options=options,
            epochs=epochs,
            learning_rate_decay="cosine",
            batch_size=256,
            patience=None,
            seed=self.seed,
        )
        targets = {"waveform": self.training.clean.astype(np.float32)} if clean else {}
        where = {"folder": self.folder / name, "settings": self.settings, "overwrite": True}
        train(self.training.pulses, self.preparation, config, targets=targets, **where)
        path = self.folder / f"{name}.discrimen"
        freeze(self.folder / name, path)
        return path

    def denoised(self, run: Run, model: Path) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return denoised records, by the file that the stage writes, and which pulses are in it."""
        output = self.folder / f"{run.path.stem}.by_{model.stem}.lh5"
        options = DenoisingOptions(as_float=True, most_outside=1.0)
        denoise_runs([open_reader(run.path)], NativePredictor(model), output, options=options)
        found = concatenate(open_reader(output).chunks())
        records = run.pulses.samples.astype(np.float64)
        records[found.column("entry")] = found.samples
        return records, np.isin(np.arange(len(records)), found.column("entry"))


def judged(bench: Bench, waveforms: Waveforms, chosen: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return the figures of one method by range of light.

    Its waveforms stand above the baseline of the recorded pulses; where they are measured, their own is subtracted.
    """
    truth, light = bench.clean_above(bench.judged), bench.judged.pulses.column("energy_kevee")
    noise = np.square(bench.above(bench.judged.pulses.samples) - truth).mean(axis=1)
    left = np.square(waveforms - truth).mean(axis=1)
    late_ns = (_crossing(_own_baseline(bench, waveforms)) - _crossing(_own_baseline(bench, truth))) * 10.0
    tail, true_tail = _tail_fraction(bench, waveforms), _tail_fraction(bench, truth)
    label = bench.judged.pulses.column("label")
    rows = []
    for low, high in itertools.pairwise(RANGES_KEVEE):
        inside = chosen & (light >= low) & (light < high)
        leaked = leakage_at_efficiency(tail[inside], label[inside], efficiency=EFFICIENCY)
        classes = [inside & (label == each) for each in (Label.GAMMA, Label.NEUTRON)]
        pulled = [float(np.nanmean((tail - true_tail)[each])) for each in classes]
        apart = float(np.nanmean(true_tail[classes[1]]) - np.nanmean(true_tail[classes[0]]))
        early, late = np.nanquantile(late_ns[inside], [0.16, 0.84])
        rows.append(
            {
                "range_kevee": [low, high],
                "n_pulses": int(inside.sum()),
                "gain_db": _decibel(noise[inside].mean(), left[inside].mean()),
                "rms_adc": float(np.sqrt(left[inside].mean())),
                "jitter_ns": float((late - early) / 2),
                "leakage": leaked.leakage,
                "leakage_low": leaked.low,
                "leakage_high": leaked.high,
                "tail_of_gammas": pulled[0] / apart,
                "tail_of_neutrons": pulled[1] / apart,
            }
        )
    return rows


def _decibel(noise: float, left: float) -> float | None:
    return float(10 * np.log10(noise / left)) if left > 0 else None


def _own_baseline(bench: Bench, waveforms: Waveforms) -> Waveforms:
    channel = bench.preparation.only
    return waveforms - waveforms[:, channel.baseline_start : channel.baseline_stop].mean(axis=1, keepdims=True)


def _crossing(waveforms: Waveforms) -> NDArray[np.float32]:
    return constant_fraction_crossing(waveforms.astype(np.float32), fraction=CROSSING_FRACTION)


def _tail_fraction(bench: Bench, waveforms: Waveforms) -> NDArray[np.float32]:
    upright, gates = _own_baseline(bench, waveforms).astype(np.float32), bench.settings.gates
    assert gates is not None
    return charge_comparison(upright, crossing=_crossing(upright), sample_period_ns=10.0, gates=gates).psd


def classifier(bench: Bench, name: str, records: NDArray[Any], judged_records: NDArray[Any]) -> list[dict[str, Any]]:
    """Train the default network to part the classes, and return its leakages by range of light."""
    pulses = bench.training.pulses.replace(samples=records.astype(np.float32))
    config = TrainingConfig(task=Classification(), epochs=25, learning_rate_decay="cosine", seed=bench.seed)
    where = {"folder": bench.folder / name, "settings": bench.settings, "overwrite": True}
    train(pulses, bench.preparation, config, **where)
    score = discrimen.load(bench.folder / name).predictor.predict(judged_records.astype(np.float32))[:, 1]
    light, label = (bench.judged.pulses.column(each) for each in ("energy_kevee", "label"))
    rows = []
    for low, high in itertools.pairwise(RANGES_KEVEE):
        inside = (light >= low) & (light < high)
        leaked = leakage_at_efficiency(score[inside], label[inside], efficiency=EFFICIENCY)
        rows.append({"range_kevee": [low, high], "leakage": leaked.leakage, "low": leaked.low, "high": leaked.high})
    return rows


def draw(bench: Bench, waveforms: Mapping[str, Waveforms], path: Path) -> None:
    """Draw a gamma and a neutron side by side: recorded, clean and denoised, and what is left of the noise."""
    light, label = (bench.judged.pulses.column(each) for each in ("energy_kevee", "label"))
    time_ns = 10.0 * np.arange(bench.judged.pulses.n_samples)
    truth = bench.clean_above(bench.judged)
    with house_style():
        figure = new_figure(11, 6.5)
        axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(2, 1))
        kinds = ((Label.GAMMA, "gamma", GAMMA_COLOUR), (Label.NEUTRON, "neutron", NEUTRON_COLOUR))
        for column, (kind, name, colour) in enumerate(kinds):
            pulse = int(np.flatnonzero((label == kind) & (light > 59) & (light < 61))[0])
            above, below = axes[:, column]
            above.plot(time_ns, waveforms[RECORDED][pulse], ".", color="0.5", label="recorded")
            above.plot(time_ns, truth[pulse], "-", color="black", linewidth=1.2, label="clean")
            above.plot(time_ns, waveforms[NETWORK][pulse], "--", color=colour, linewidth=2, label="denoised")
            above.set_title(f"{name}, {light[pulse]:.0f} keVee")
            above.legend(loc="upper right")
            below.plot(time_ns, (waveforms[RECORDED] - truth)[pulse], ".", color="0.5")
            below.plot(time_ns, (waveforms[NETWORK] - truth)[pulse], "--", color=colour, linewidth=2)
            below.axhline(0, color="black", linewidth=1.2)
            below.set_xlabel("time (ns)")
        axes[0, 0].set_ylabel("above the baseline (ADC counts)")
        axes[1, 0].set_ylabel("minus clean\n(ADC counts)")
        figure.savefig(path, dpi=110)


def measure(bench: Bench, *, hidden: tuple[int, ...], epochs: int, classify: bool) -> dict[str, Any]:
    """Return all figures."""
    noisy, clean = bench.above(bench.training.pulses.samples), bench.clean_above(bench.training)
    recorded = bench.above(bench.judged.pulses.samples)
    fits = (
        ("Savitzky-Golay", by_height(fit_savitzky_golay, noisy, clean)),
        ("Fourier-Wiener", by_height(fit_fourier_wiener, noisy, clean)),
        ("matrix-Wiener, ADC counts", fit_matrix_wiener(noisy, clean, scaled=False)),
        ("matrix-Wiener, one for all", fit_matrix_wiener(noisy, clean)),
        ("matrix-Wiener", by_height(fit_matrix_wiener, noisy, clean)),
    )
    waveforms = {RECORDED: recorded} | {name: fitted(recorded) for name, fitted in fits}
    restoration = prepare(bench.judged.pulses.samples, bench.preparation).restoration
    chosen = np.ones(len(recorded), dtype=np.bool_)
    models = {}
    for name, on_clean in ((NOISY_TARGETS, False), (NETWORK, True)):
        models[name] = bench.network(hidden=hidden, epochs=epochs, clean=on_clean)
        records, there = bench.denoised(bench.judged, models[name])
        waveforms[name] = bench.preparation.only.polarity * (records - restoration.baseline_adc)
        chosen &= there
    draw(bench, waveforms, bench.folder / "denoise.png")
    result: dict[str, Any] = {
        "n_training": len(noisy),
        "n_judged": int(chosen.sum()),
        "n_left_out": int((~chosen).sum()),
        "methods": {name: judged(bench, each, chosen) for name, each in waveforms.items()},
    }
    result["methods"]["clean records"] = judged(bench, bench.clean_above(bench.judged), chosen)
    if classify:
        denoised_training, _ = bench.denoised(bench.training, models[NETWORK])
        denoised_judged, _ = bench.denoised(bench.judged, models[NETWORK])
        result["classifier"] = {
            RECORDED: classifier(bench, "of_recorded", bench.training.pulses.samples, bench.judged.pulses.samples),
            "denoised": classifier(bench, "of_denoised", denoised_training, denoised_judged),
        }
    return result


def told(result: Mapping[str, Any]) -> str:
    """Return the tables as text."""
    lines = [f"{result['n_training']} training pulses, {result['n_judged']} judged, {result['n_left_out']} left out"]
    heading = "".join(f"{low:>9}-{high:<4}" for low, high in itertools.pairwise(RANGES_KEVEE))
    tails = (("tail_of_gammas", 100, 1), ("tail_of_neutrons", 100, 1))
    for quantity, scale, digits in (("gain_db", 1, 2), ("jitter_ns", 1, 3), ("leakage", 100, 2), *tails):
        lines.append(f"\n{quantity:28}{heading} keVee")
        for name, rows in result["methods"].items():
            values = (row[quantity] for row in rows)
            cells = (f"{'-' if value is None else f'{scale * value:.{digits}f}':>14}" for value in values)
            lines.append(f"{name:28}" + "".join(cells))
    for name, rows in result.get("classifier", {}).items():
        cells = (f"{100 * row['leakage']:.2f} ({100 * row['low']:.2f}-{100 * row['high']:.2f})" for row in rows)
        lines.append(f"classifier of pulses {name}: " + ", ".join(cells))
    return "\n".join(lines)


def main() -> None:
    """Measure, draw and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--training", type=int, default=300_000)
    parser.add_argument("--pulses", type=int, default=100_000)
    parser.add_argument("--training-kevee", type=float, default=MOST_KEVEE, help="most light of the training pulses")
    parser.add_argument("--hidden", default="512,256")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-classifier", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    bench = Bench(
        options.output,
        n_training=options.training,
        n_pulses=options.pulses,
        seed=options.seed,
        training_kevee=options.training_kevee,
    )
    hidden = tuple(int(width) for width in options.hidden.split(","))
    result = measure(bench, hidden=hidden, epochs=options.epochs, classify=not options.no_classifier)
    (options.output / "denoise.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2) if options.json else told(result))


if __name__ == "__main__":
    main()
