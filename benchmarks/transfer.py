"""What a model loses on another detector or another gain, and what each kind of adaptation brings back.

A network is trained on simulated BC501A (NUMEXO2: 75 samples of 10 ns, 3.75 ADC counts a keVee, 3 ADC counts of noise)
and used on

- EJ-276, read by the same digitizer;
- BC501A with 0.4 times the gain and twice the noise.

For every way of adapting: the gamma leakage at 95 % neutron efficiency in each bin of light (what the network can do
there, whatever its threshold), and what the one threshold that the way chooses for 95 % of the neutrons really does,
known from the simulation, for pulses higher than those of 100 keVee gammas. Every seed has its own source training,
own pulses to adapt to, and own test pulses. Intervals are 95 % of Student's t over the seeds.

Usage: nice -n 15 taskset -c 0 python benchmarks/transfer.py [--seeds N] [-o RESULT.json] [--picture PNG]
       python benchmarks/transfer.py --from RESULT.json [--picture PNG]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

import discrimen
from discrimen.adaptation.adapt import adapt
from discrimen.adaptation.fine_tune import fine_tune
from discrimen.adaptation.recalibrate import Wishes
from discrimen.errors import DataError
from discrimen.formats.table import open_reader
from discrimen.freezing.freeze import freeze
from discrimen.inference.load import load_model
from discrimen.keras_jax import load_keras
from discrimen.metrics import leaked_share, neutron_logits, threshold_for_efficiency
from discrimen.network.prepare import subtract_baseline
from discrimen.output.style import COLOURS, house_style, new_figure
from discrimen.pulses import Label
from discrimen.runs.dataset import Dataset

EFFICIENCY = 0.95
LEAST_KEVEE = 100.0
BINS_KEVEE = ((30, 50), (50, 100), (100, 200), (200, 400), (400, 2000))
TARGETS: dict[str, dict[str, Any]] = {
    "BC501A to EJ-276": {"detector": "EJ-276"},
    "gain x 0.4, noise x 2": {"gain_adc_per_kevee": 1.5, "noise_adc": 6.0},
}
ADC_PER_KEVEE = {"BC501A to EJ-276": 3.75, "gain x 0.4, noise x 2": 1.5}
_BASELINE_STOP = 13
N_LABELLED = (200, 1000, 5000)
N_TRAINING, N_UNLABELLED, N_TEST = 60_000, 60_000, 60_000


def main() -> None:
    """Run all seeds, or read what an earlier run left, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--from", dest="source", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "discrimen-transfer-compiled")
    arguments = parser.parse_args()
    if arguments.source is not None:
        rows = json.loads(arguments.source.read_text())
    else:
        rows = []
        _compile_once(arguments.cache)
        for seed in range(arguments.seeds):
            for row in _one_seed(seed):
                rows.append(row)
                if arguments.output is not None:
                    arguments.output.write_text(json.dumps(rows, indent=1) + "\n")
    for target in TARGETS:
        _print_table(target, [row for row in rows if row["target"] == target])
    if arguments.picture is not None:
        _draw(rows, arguments.picture)


def _compile_once(folder: Path) -> None:
    """Keep what JAX compiles: every training of the same shape compiles the same program."""
    config = load_keras("cpu").jax.config
    config.update("jax_compilation_cache_dir", str(folder))
    config.update("jax_persistent_cache_min_compile_time_secs", 0)


def _one_seed(seed: int) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        discrimen.simulate(folder / "source.lh5", N_TRAINING, seed=1000 + seed)
        _train(_read(folder / "source.lh5"), folder / "source", seed)
        freeze(folder / "source", folder / "source.discrimen")
        for number, (target, options) in enumerate(TARGETS.items()):
            for part, n_pulses in (("train", N_TRAINING), ("unlabelled", N_UNLABELLED), ("test", N_TEST)):
                first = 2000 + 100 * seed + 10 * number + len(part)
                discrimen.simulate(folder / f"{part}.lh5", n_pulses, seed=first, **options)
            for way, row in _ways(folder, target, seed):
                print(f"seed {seed}: {target}: {way}: {json.dumps(row)}", flush=True)
                yield {"seed": seed, "target": target, "way": way, **row}


def _ways(folder: Path, target: str, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    test, labelled = _read(folder / "test.lh5"), _read(folder / "train.lh5")
    source, gain = folder / "source.discrimen", ADC_PER_KEVEE[target]
    own = _read(folder / "source.lh5")
    source_logit, source_chosen = _logits(source, own), _high(own, 3.75)
    threshold = _labelled_threshold(source_logit[source_chosen], own.pulses.column("label")[source_chosen])
    yield "source model and its threshold", _judged(source, test, threshold, gain)
    yield "threshold, unlabelled", _unlabelled(folder, target, test, seed)
    for n_pulses in N_LABELLED:
        few = _first(labelled, n_pulses)
        chosen = _high(few, gain)
        logit = _logits(source, few)[chosen]
        threshold = _labelled_threshold(logit, few.pulses.column("label")[chosen])
        yield f"threshold, {n_pulses} labelled", _judged(source, test, threshold, gain)
        start_s = time.perf_counter()
        fine_tune(folder / "source", few, folder / "tuned", overwrite=True)
        seconds = time.perf_counter() - start_s
        tuned_logit = _logits(folder / "tuned", few)[chosen]
        threshold = _labelled_threshold(tuned_logit, few.pulses.column("label")[chosen])
        yield (
            f"fine-tuned, {n_pulses} labelled",
            _judged(folder / "tuned", test, threshold, gain) | {"seconds": seconds},
        )
    _train(labelled, folder / "ceiling", seed)
    chosen = _high(labelled, gain)
    threshold = _labelled_threshold(_logits(folder / "ceiling", labelled)[chosen], _labels(labelled)[chosen])
    yield f"trained anew, {N_TRAINING} labelled", _judged(folder / "ceiling", test, threshold, gain)


def _unlabelled(folder: Path, target: str, test: Dataset, seed: int) -> dict[str, Any]:
    """Let the command's function choose; its threshold holds for pulses as high as those of 100 keVee and more."""
    wishes = Wishes(
        neutron_efficiencies=(EFFICIENCY,), peak_range_adc=(LEAST_KEVEE * ADC_PER_KEVEE[target], 1e9), rescale=False
    )
    reader = open_reader(folder / "unlabelled.lh5")
    try:
        done = adapt(folder / "source.discrimen", [reader], folder / "adapted.discrimen", wishes=wishes, seed=seed)
    except DataError as error:
        return {"refused": str(error)}
    (found,) = done.recalibration.thresholds.values()
    logit = float(np.log(found.value) - np.log1p(-found.value))
    result = _judged(folder / "adapted.discrimen", test, logit, ADC_PER_KEVEE[target])
    claimed = {"efficiency_low": found.efficiency.low, "efficiency_high": found.efficiency.high}
    return result | {"claimed": claimed}


def _train(dataset: Dataset, folder: Path, seed: int) -> None:
    discrimen.train(dataset, folder, architecture="mlp", epochs=25, patience=10, seed=seed, overwrite=True, accept=True)


def _read(path: Path) -> Dataset:
    return discrimen.read(path, label_by="truth")


def _first(dataset: Dataset, n_pulses: int) -> Dataset:
    return Dataset(pulses=dataset.pulses[:n_pulses], settings=dataset.settings, files=dataset.files, n_unlabelled=0)


def _labels(dataset: Dataset) -> NDArray[Any]:
    return dataset.pulses.column("label")


def _high(dataset: Dataset, adc_per_kevee: float) -> NDArray[np.bool_]:
    """By the measured height, as the command selects: a neutron of the same light is a little lower than a gamma."""
    upright, _ = subtract_baseline(dataset.pulses.samples, start=0, stop=_BASELINE_STOP, polarity=-1)
    high: NDArray[np.bool_] = upright.max(axis=1) >= LEAST_KEVEE * adc_per_kevee
    return high


def _logits(model: Path, dataset: Dataset) -> NDArray[np.float64]:
    return neutron_logits(load_model(model).predictor.predict(dataset.pulses.samples), neutron_class=Label.NEUTRON)


def _labelled_threshold(logit: NDArray[Any], labels: NDArray[Any]) -> float:
    return threshold_for_efficiency(logit, labels, efficiency=EFFICIENCY).value


def _judged(model: Path, test: Dataset, threshold: float, gain: float) -> dict[str, Any]:
    logit, energy = _logits(model, test), test.pulses.column("energy_kevee")
    neutron, high = _labels(test) == Label.NEUTRON, _high(test, gain)
    leakage = {}
    for low, above in BINS_KEVEE:
        inside = (energy >= low) & (energy < above)
        leakage[f"{low}-{above}"] = leaked_share(
            logit[inside & ~neutron], logit[inside & neutron], efficiency=EFFICIENCY
        )
    passing = logit >= threshold
    return {
        "leakage": leakage,
        "efficiency_reached": float(passing[high & neutron].mean()),
        "leakage_reached": float(passing[high & ~neutron].mean()),
    }


def _interval(values: list[float]) -> tuple[float, float]:
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan")
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, half


def _print_table(target: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{target}: gamma leakage in % at 95 % efficiency by bin of keVee | one threshold, high pulses, in %")
    names = [f"{low}-{high}" for low, high in BINS_KEVEE]
    print(f"{'':32s}" + "".join(f"{name:>15s}" for name in names) + f"{'efficiency':>15s}{'leakage':>15s}")
    for way in dict.fromkeys(row["way"] for row in rows):
        ours = [row for row in rows if row["way"] == way and "leakage" in row]
        refused = sum(row["way"] == way and "refused" in row for row in rows)
        if not ours:
            print(f"{way:32s} refused in all {refused} seeds")
            continue
        columns = [[row["leakage"][name] for row in ours] for name in names]
        columns += [[row[what] for row in ours] for what in ("efficiency_reached", "leakage_reached")]
        cells = "".join(f"{f'{100 * mean:.2f} +- {100 * half:.2f}':>15s}" for mean, half in map(_interval, columns))
        print(f"{way:32s}{cells}" + (f"  refused {refused}" if refused else ""))
        claims = [row["claimed"] for row in ours if "claimed" in row]
        if claims:
            told = ", ".join(f"{100 * c['efficiency_low']:.1f}-{100 * c['efficiency_high']:.1f}" for c in claims)
            print(f"{'':32s} claimed efficiency of each seed: {told}")


def _draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Efficiency and leakage that one threshold reaches for high pulses, for every way."""
    with house_style():
        figure = new_figure(12, 4.8)
        axes = figure.subplots(1, len(TARGETS), sharey=True)
        for place, target in zip(axes, TARGETS, strict=True):
            ours = [row for row in rows if row["target"] == target and "leakage" in row]
            for number, way in enumerate(dict.fromkeys(row["way"] for row in ours)):
                points = [row for row in ours if row["way"] == way]
                place.plot(
                    [row["efficiency_reached"] for row in points],
                    [max(row["leakage_reached"], 1e-5) for row in points],
                    "osD^vP*Xh"[number % 9],
                    color=COLOURS[number % len(COLOURS)],
                    label=way,
                    markersize=8,
                    markerfacecolor="none" if number >= len(COLOURS) else None,
                )
            place.axvline(EFFICIENCY, color="0.6", linestyle="--", zorder=0)
            place.set(title=target, xlabel="neutron efficiency reached, high pulses", yscale="log")
            place.grid()
        axes[0].set_ylabel("gamma leakage reached, high pulses")
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside right upper", fontsize=9)
        figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
