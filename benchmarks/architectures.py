"""All architectures on the same pulses: gamma leakage per range of energy, parameters, times, robustness.

Simulated BC501A with NUMEXO2 (75 samples of 10 ns). Every architecture is trained at its default options, and two of
them larger, with the same pulses, optimizer, batches, epochs and decay of the learning rate, once for each seed (the
slow ones with the first seed only); the seed with the lowest validation loss is judged, once, on a run that no
training saw. The native times of all networks are taken in turns. A network that is in the folder already is not
trained again.

    python benchmarks/architectures.py [-o bench-output/architectures] [--n-train N] [--epochs N] [--only NAME] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.freezing.freeze import freeze
from discrimen.inference import engine
from discrimen.inference.load import load_model
from discrimen.keras_jax import load_keras
from discrimen.metrics import DEFAULT_ENERGY_EDGES_KEVEE, EnergyBin, Leakage, energy_bins, leakage_at_efficiency
from discrimen.models import ARCHITECTURES
from discrimen.network.prepare import choose_preparation
from discrimen.output.style import BLUE, VERMILION, house_style, new_figure
from discrimen.pulses import Pulses
from discrimen.robustness import robustness, write_robustness
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate
from discrimen.training import TrainingConfig, load_model_folder, train

EFFICIENCY = 0.95
HARDEST_KEVEE = (50.0, 100.0)
"""Where architectures differ most and the leakage is no longer hopeless; robustness is looked at here."""
NETWORKS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    **{name: (name, {}) for name in ARCHITECTURES},
    "mlp 64-16": ("mlp", {"hidden": (64, 16)}),
    "patches 32-8": ("patches", {"hidden": (32, 8)}),
}
"""Architecture and options of each row."""
SLOW = ("cnn", "resnet", "lstm", "gru")
"""Trained with the first seed only."""
BATCH_SIZE, LEARNING_RATE = 250, 0.002
_ROUNDS, _CALLS = 60, 300
_FEWEST_TIMED, _MOST_TIMED, _CALL_NS = 64, 2048, 250_000
"""Batches of a network take about so long: a call of many milliseconds would never be left in peace by others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """One finished training."""

    name: str
    folder: Path
    val_loss: float
    n_parameters: int
    training_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeTime:
    """Time of a pulse in the native engine, preparation included, on one core."""

    batch_ns: float
    single_ns: float


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def trained(
    name: str,
    architecture: str,
    pulses: Pulses,
    simulation: SimulationConfig,
    folder: Path,
    *,
    epochs: int,
    seed: int,
    options: Mapping[str, Any] | None = None,
) -> Trained:
    """Train one network, or take the one that is there; its folder says how long it took."""
    stem = f"{name.replace(' ', '-')}-seed{seed}"
    place, record = folder / stem, folder / f"{stem}.json"
    if not record.exists():
        config = TrainingConfig(
            architecture=architecture,
            options=options or {},
            learning_rate=LEARNING_RATE,
            learning_rate_decay="cosine",
            epochs=epochs,
            batch_size=BATCH_SIZE,
            validation_share=0.1,
            patience=None,
            split="pulse",
            seed=seed,
        )
        settings = detector_settings(simulation)
        preparation = choose_preparation(settings, n_samples=pulses.n_samples)
        started_s = time.process_time()
        result = train(pulses, preparation, config, folder=place, settings=settings, overwrite=True)
        duration_s = time.process_time() - started_s
        record.write_text(json.dumps({"val_loss": result.best.val_loss, "training_s": duration_s}))
    known = json.loads(record.read_text())
    model, _ = load_model_folder(place, session=load_keras("cpu"))
    say(f"{name}, seed {seed}: validation loss {known['val_loss']:.5f}, {known['training_s']:.0f} s of processor time")
    return Trained(name=name, folder=place, n_parameters=int(model.count_params()), **known)


def frozen(trainings: Mapping[str, Trained]) -> dict[str, Path]:
    """Freeze networks beside their folders."""
    return {name: freeze(one.folder, one.folder.with_suffix(".discrimen")).path for name, one in trainings.items()}


def native_times(paths: Mapping[str, Path], samples: NDArray[Any]) -> dict[str, NativeTime]:
    """Time networks in turns, so that whatever else the machine does meets all alike; the best of many rounds."""
    models = {name: engine.Model.load(os.fspath(path), "") for name, path in paths.items()}
    workspaces = {name: engine.Workspace(model) for name, model in models.items()}
    batch_ns, single_ns = (dict.fromkeys(paths, np.inf) for _ in range(2))
    for _ in range(_ROUNDS):
        for name, path in paths.items():
            calls_ns = engine.single_pulse_ns(os.fspath(path), "", samples[:256], _CALLS)
            single_ns[name] = min(single_ns[name], float(np.median(calls_ns)))
            size = int(np.clip(_CALL_NS // single_ns[name], _FEWEST_TIMED, _MOST_TIMED))
            batch, scores = np.ascontiguousarray(samples[:size]), np.empty((size, 2), np.float32)
            start_ns = time.perf_counter_ns()
            engine.classify(models[name], workspaces[name], batch, scores)
            batch_ns[name] = min(batch_ns[name], (time.perf_counter_ns() - start_ns) / size)
    return {name: NativeTime(batch_ns=batch_ns[name], single_ns=single_ns[name]) for name in paths}


def leakages(path: Path, pulses: Pulses, bins: Sequence[EnergyBin]) -> list[Leakage]:
    """Judge one frozen network in each range of energy, the threshold chosen anew in each."""
    model = load_model(path)
    scores = model.predictor.predict(pulses.samples)[:, model.description.neutron_class]
    energy_kevee, labels = pulses.column("energy_kevee"), pulses.column("label")
    inside = [energy.contains(energy_kevee) for energy in bins]
    return [leakage_at_efficiency(scores[here], labels[here], efficiency=EFFICIENCY) for here in inside]


def percent(leakage: Leakage) -> str:
    """Write a leakage with its interval."""
    if leakage.n_gamma_passing == 0:
        return f"0 (below {_two_digits(100 * leakage.high)} %)"
    low, value, high = (_two_digits(100 * share) for share in (leakage.low, leakage.leakage, leakage.high))
    return f"{value} % ({low}-{high})"


def _two_digits(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else np.format_float_positional(value, precision=2, fractional=False, trim="k")


def table(
    trainings: Mapping[str, Trained],
    found: Mapping[str, list[Leakage]],
    times: Mapping[str, NativeTime],
    bins: Sequence[EnergyBin],
) -> str:
    """Return the table in Markdown."""
    head = ["network", *map(str, bins), "parameters", "batch, ns", "single, ns", "training, s"]
    rows = [
        [
            name,
            *map(percent, found[name]),
            str(one.n_parameters),
            f"{times[name].batch_ns:.0f}",
            f"{times[name].single_ns:.0f}",
            f"{one.training_s:.0f}",
        ]
        for name, one in trainings.items()
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


_LABEL_PLACES = {"patches": ((-8, 6), "right"), "patches 32-8": ((8, -16), "left")}
"""Of the names that would lie on each other."""


def draw(found: Mapping[str, list[Leakage]], times: Mapping[str, NativeTime], at: int, path: Path) -> None:
    """Leakage in the hardest range against the time of a pulse."""
    with house_style():
        figure = new_figure(7.5, 5.0)
        axes = figure.subplots()
        for name, results in found.items():
            one, x = results[at], times[name].batch_ns
            error = [[100 * (one.leakage - one.low)], [100 * (one.high - one.leakage)]]
            colour = VERMILION if name == "patches" else BLUE
            axes.errorbar(x, 100 * one.leakage, yerr=error, fmt="o", color=colour, capsize=3)
            offset, side = _LABEL_PLACES.get(name, ((8, 6), "left"))
            axes.annotate(name, (x, 100 * one.leakage), xytext=offset, ha=side, textcoords="offset points")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
        axes.set_xlabel("native time of a pulse in batches (ns)")
        axes.set_ylabel(f"gamma leakage at {EFFICIENCY:.0%} neutron efficiency (%)")
        low, high = HARDEST_KEVEE
        axes.set_title(f"{low:g}-{high:g} keVee, simulated BC501A at 10 ns")
        axes.margins(x=0.2)
        axes.grid(visible=True)
        figure.savefig(path, dpi=110)


def best_of_seeds(name: str, pulses: Pulses, simulation: SimulationConfig, options: argparse.Namespace) -> Trained:
    """Train with each seed and keep the lowest validation loss."""
    architecture, changed = NETWORKS[name]
    runs = [
        trained(
            name,
            architecture,
            pulses,
            simulation,
            options.output,
            epochs=options.epochs,
            seed=seed,
            options=changed,
        )
        for seed in range(1 if architecture in SLOW else options.seeds)
    ]
    return min(runs, key=lambda one: one.val_loss)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("bench-output/architectures"))
    parser.add_argument("--n-train", type=int, default=200_000, help="a tenth of them for validation")
    parser.add_argument("--n-test", type=int, default=400_000)
    parser.add_argument("--n-robustness", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each architecture")
    parser.add_argument("--only", action="append", choices=NETWORKS, help="by default all; repeatable")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    simulation = SimulationConfig(n_pulses=options.n_train, seed=501)
    pulses = simulate(simulation)
    trainings = {name: best_of_seeds(name, pulses, simulation, options) for name in options.only or NETWORKS}
    test = simulate(SimulationConfig(n_pulses=options.n_test, seed=502))
    bins = energy_bins(DEFAULT_ENERGY_EDGES_KEVEE)
    paths = frozen(trainings)
    times = native_times(paths, test.samples)
    found = {name: leakages(path, test, bins) for name, path in paths.items()}
    hardest = EnergyBin(*HARDEST_KEVEE)
    draw(found, times, list(bins).index(hardest), options.output / "architectures.png")
    predictors = {name: load_model(paths[name]).predictor for name in trainings if name in ARCHITECTURES}
    steadiness = robustness(predictors, test, energy=hardest, n_pulses=options.n_robustness)
    write_robustness(steadiness, options.output)
    if options.json:
        rows = {
            name: {
                "leakage": {str(energy): asdict(one) for energy, one in zip(bins, found[name], strict=True)},
                "n_parameters": one.n_parameters,
                "training_s": one.training_s,
                "val_loss": one.val_loss,
                **asdict(times[name]),
            }
            for name, one in trainings.items()
        }
        print(json.dumps({"efficiency": EFFICIENCY, "networks": rows}, indent=1))
        return
    print(table(trainings, found, times, bins))


if __name__ == "__main__":
    main()
