"""What augmentation brings: leakage of distorted pulses for networks trained with and without it, and what it costs.

Simulated BC501A with NUMEXO2 (75 samples of 10 ns). All variants of the reference network train on the same pulses of
30-2000 keVee and are judged on others of 50-100 keVee. The table has the leakage at 95 % neutron efficiency with the
threshold chosen anew on the distorted pulses, the mean over both signs of a size, geometric mean over the seeds; behind
it, over that of the network without augmentation on the same seeds, Student's 95 % interval of the paired logarithms.

    OMP_NUM_THREADS=1 python benchmarks/augmentation.py [--pulses 40000] [--seeds 3] [--epochs 20]
        [--json FILE] [--picture docs/pictures/robustness.png] [--only-interpolation] [--only-cost]

Before that it compares shifts by part of a sample with pulses that were truly sampled at that phase.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage, stats

from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.metrics import Leakage
from discrimen.network.preparation import Alignment
from discrimen.network.prepare import choose_preparation, prepare
from discrimen.output.files import complete_or_absent
from discrimen.robustness import Robustness, robustness
from discrimen.robustness.picture import draw_robustness
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import DIGITIZERS
from discrimen.simulation.distortion import Digitisation
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate
from discrimen.training import TrainingConfig, train
from discrimen.training.augmentation import Augmentation

ALL = {"gain": 0.2, "time": 20.0, "jitter": 1.0, "slope": 40.0, "noise": 9.0}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "aligned": {"align": True},
    "time=20": {"augment": {"time": 20.0}},
    "noise=9": {"augment": {"noise": 9.0}},
    "slope=40": {"augment": {"slope": 40.0}},
    "all": {"augment": ALL},
    "aligned, all": {"align": True, "augment": ALL},
}
SIZES: dict[str, tuple[float, ...]] = {
    "gain": (-0.2, -0.1, 0.1, 0.2),
    "time": (-20.0, -10.0, 10.0, 20.0),
    "jitter": (0.2, 0.5, 1.0),
    "baseline": (-30.0, 30.0),
    "slope": (-40.0, -10.0, 10.0, 40.0),
    "noise": (1.5, 3.0, 6.0, 9.0),
}
COLUMNS = (
    ("none", 0.0),
    ("gain", 0.2),
    ("time", 10.0),
    ("time", 20.0),
    ("jitter", 1.0),
    ("slope", 40.0),
    ("noise", 9.0),
)


def judge(folder: Path, variant: dict[str, Any], options: argparse.Namespace, seed: int) -> tuple[Robustness, float]:
    simulation = SimulationConfig(n_pulses=options.pulses, seed=200 + seed)
    pulses, settings = simulate(simulation), detector_settings(simulation)
    alignment = Alignment(fraction=0.3, position=12, interpolate=True) if variant.get("align") else None
    length = 70 if alignment else None
    preparation = choose_preparation(settings, n_samples=pulses.n_samples, alignment=alignment, window_length=length)
    config = TrainingConfig(
        architecture="mlp", epochs=options.epochs, patience=None, seed=seed, augment=variant.get("augment", {})
    )
    result = train(pulses, preparation, config, folder=folder, settings=settings)
    test = simulate(
        SimulationConfig(
            n_pulses=options.test_pulses, spectrum="flat", energy_min_kevee=50.0, energy_max_kevee=100.0, seed=9100
        )
    )
    found = robustness({folder.name: KerasPredictor(folder)}, test, settings=settings, sizes=SIZES, seed=1)
    return found, float(np.median(result.epoch_duration_s))


def retuned(found: Robustness, distortion: str, size: float) -> float:
    """Leakage with the threshold chosen anew, the geometric mean over both signs; half a gamma added."""
    name = next(iter(found.models))
    curve = found.curve(name, found.distortions[0] if distortion == "none" else distortion)
    shares = []
    for point in curve.points:
        if abs(point.size) == size:
            assert isinstance(point.retuned, Leakage)
            shares.append(point.retuned.leakage + 0.5 / point.retuned.n_gamma)
    return float(np.exp(np.mean(np.log(shares))))


def interval(logs: list[float]) -> tuple[float, float, float]:
    if len(logs) < 2:
        return float(np.exp(logs[0])), float("nan"), float("nan")
    middle, error = float(np.mean(logs)), float(np.std(logs, ddof=1) / np.sqrt(len(logs)))
    reach = float(stats.t.ppf(0.975, len(logs) - 1)) * error
    return float(np.exp(middle)), float(np.exp(middle - reach)), float(np.exp(middle + reach))


def interpolation() -> list[dict[str, float | str]]:
    """Sample the same pulses at 2 ns, keep one sample in five, shift by 2 or 4 ns, compare with the true samples."""
    fine = replace(DIGITIZERS["NUMEXO2"], name="2 ns", sample_period_ns=2.0, n_samples=375, noise_adc=0.0)
    DIGITIZERS["2 ns"] = fine
    try:
        samples = simulate(SimulationConfig(n_pulses=4000, digitizer="2 ns", energy_min_kevee=100.0, seed=3)).samples
    finally:
        del DIGITIZERS["2 ns"]
    above = samples[:, :40].mean(axis=1, keepdims=True) - samples
    above = above / above.max(axis=1, keepdims=True)
    rows = []
    for order, name in ((1, "linear"), (3, "cubic spline"), (5, "quintic spline")):
        for step in (1, 2):
            wrong = ndimage.shift(above[:, ::5], (0, -step / 5), order=order, mode="reflect") - above[:, step::5]
            rows.append({"interpolation": name, "shift_ns": 2.0 * step, **_parts(wrong)})
    for step in (1, 2):
        wrong = band_limited(above[:, ::5], -step / 5) - above[:, step::5]
        rows.append({"interpolation": "band-limited", "shift_ns": 2.0 * step, **_parts(wrong)})
    return rows


def band_limited(waveforms: np.ndarray, shift: float) -> np.ndarray:
    n_samples = waveforms.shape[1]
    mirrored = np.concatenate([waveforms, waveforms[:, ::-1]], axis=1)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * n_samples) * shift)
    return np.fft.irfft(np.fft.rfft(mirrored, axis=1) * turn, n=2 * n_samples, axis=1)[:, :n_samples]


def cost(n_pulses: int = 40_000) -> dict[str, float]:
    """Processor time in s to distort and prepare 100,000 pulses, by distortion; `nothing` only prepares them."""
    simulation = SimulationConfig(n_pulses=n_pulses, seed=1)
    pulses, settings = simulate(simulation), detector_settings(simulation)
    preparation = choose_preparation(settings, n_samples=pulses.n_samples)
    digitisation = Digitisation(
        sample_period_ns=preparation.sample_period_ns,
        baseline_start=preparation.only.baseline_start,
        baseline_stop=preparation.only.baseline_stop,
        adc_bits=settings.adc_bits,
    )
    waveforms = prepare(pulses.samples, preparation).waveforms
    taken = {}
    for name, largest in {"nothing": {}, **{name: {name: size} for name, size in ALL.items()}, "all": ALL}.items():
        augmentation = Augmentation(
            samples=pulses.samples,
            waveforms=waveforms,
            largest=largest,
            preparation=preparation,
            digitisation=digitisation,
        )
        started_s = time.process_time()
        augmentation.draw(np.arange(n_pulses), rng=np.random.default_rng(0))
        taken[name] = (time.process_time() - started_s) * 100_000 / n_pulses
    return taken


def _parts(wrong: np.ndarray) -> dict[str, float]:
    parts = {"before": wrong[:, :12], "edge": wrong[:, 12:22], "tail": wrong[:, 22:]}
    return {f"{name}_rms": float(np.sqrt((part**2).mean())) for name, part in parts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pulses", type=int, default=40_000)
    parser.add_argument("--test-pulses", type=int, default=30_000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--only-interpolation", action="store_true")
    parser.add_argument("--only-cost", action="store_true")
    options = parser.parse_args()
    if options.only_cost:
        print("processor time in s for 100,000 pulses: " + ", ".join(f"{k} {v:.2f}" for k, v in cost().items()))
        return
    shifts = interpolation()
    for one in shifts:
        told = ", ".join(f"{part} {100 * float(one[f'{part}_rms']):.2f} %" for part in ("before", "edge", "tail"))
        print(f"{one['interpolation']:<16}{one['shift_ns']:g} ns: rms error in shares of the peak: {told}")
    if options.only_interpolation:
        return
    found: dict[str, list[Robustness]] = {name: [] for name in VARIANTS}
    epoch_s: dict[str, list[float]] = {name: [] for name in VARIANTS}
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(options.seeds):
            for name, variant in VARIANTS.items():
                result, duration_s = judge(Path(scratch) / str(seed) / name, variant, options, seed)
                found[name].append(result)
                epoch_s[name].append(duration_s)
                leaks = " ".join(f"{what}{size:g}:{100 * retuned(result, what, size):.3g}%" for what, size in COLUMNS)
                print(f"seed {seed} {name}: {leaks}; {duration_s:.2f} s an epoch", flush=True)
            if seed == 0 and options.picture is not None:
                write_picture(found, options.picture)
            rows = {name: row(found, name) | {"epoch_s": float(np.median(epoch_s[name]))} for name in VARIANTS}
            print(f"{seed + 1} seeds")
            print_table(rows)
            if options.json is not None:
                curves = {name: [one.as_dict() for one in every] for name, every in found.items()}
                options.json.write_text(json.dumps({"rows": rows, "interpolation": shifts, "curves": curves}, indent=1))


def row(found: dict[str, list[Robustness]], name: str) -> dict[str, Any]:
    cells = {}
    for distortion, size in COLUMNS:
        own = [np.log(retuned(one, distortion, size)) for one in found[name]]
        plain = [np.log(retuned(one, distortion, size)) for one in found["plain"]]
        ratio = interval([a - b for a, b in zip(own, plain, strict=True)])
        cells[f"{distortion} {size:g}"] = {"leakage": float(np.exp(np.mean(own))), "over_plain": ratio}
    return cells


def print_table(rows: dict[str, dict[str, Any]]) -> None:
    print(f"{'':<14}" + "".join(f"{distortion + ' ' + format(size, 'g'):>26}" for distortion, size in COLUMNS))
    for name, cells in rows.items():
        told = ""
        for distortion, size in COLUMNS:
            cell = cells[f"{distortion} {size:g}"]
            value, low, high = cell["over_plain"]
            told += f"{100 * cell['leakage']:9.2f} % {value:4.2f} ({low:.2f}-{high:.2f})"
        print(f"{name:<14}{told}  {cells['epoch_s']:.2f} s")


def write_picture(found: dict[str, list[Robustness]], path: Path) -> None:
    """All models of the first seed on one picture."""
    shown = [name for name in ("plain", "all", "aligned", "aligned, all") if name in found]
    first = found[shown[0]][0]
    curves = tuple(replace(curve, model=name) for name in shown for curve in found[name][0].curves)
    merged = replace(first, models={name: {} for name in shown}, curves=curves)
    with complete_or_absent(path) as part:
        draw_robustness(merged).savefig(part, format="png", dpi=110)


if __name__ == "__main__":
    main()
