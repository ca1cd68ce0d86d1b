"""Training with wrong labels: accuracy, calibration and gamma leakage against truth, with and without correction.

Simulated BC501A with NUMEXO2 (75 samples of 10 ns, 30-2000 keVee), classes in equal shares. Of the labels of the
training pulses 2, 5, 10 and 20 % are made wrong: of both classes alike, or only by gammas that are labelled neutron.
The reference network 75-10-4-2 is trained (Adam, learning rate 0.003) with the plain cross-entropy and with the loss
corrected for the contamination, which is given as injected, and judged by the truth of one other run. Each seed has
pulses, wrong labels and first weights of its own. Intervals: 95 %, Student's t over the seeds; gains are paired, seed
by seed.

    taskset -c 0 python benchmarks/label_noise.py [-o docs/pictures/label_noise.png] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from discrimen.keras_jax import load_keras
from discrimen.metrics import calibration_error, energy_bins, leaked_share
from discrimen.network.prepare import choose_preparation, prepare
from discrimen.output.files import complete_or_absent
from discrimen.output.style import BLUE, VERMILION, house_style, new_figure
from discrimen.pulses import Label, Pulses
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate
from discrimen.training import TrainingConfig, train

EFFICIENCY = 0.95
EDGES_KEVEE = (30.0, 50.0, 100.0, 200.0, 400.0, 2000.0)
RATES = (0.02, 0.05, 0.10, 0.20)
KINDS = {"both": "labels of both classes wrong", "neutron": "gammas labelled neutron"}
TEST_SEED = 7001
LEARNING_RATE = 0.003


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One training, judged by truth."""

    seed: int
    kind: str
    contamination: float
    corrected: bool
    accuracy: float
    calibration_error: float
    log_loss: float
    leakage: list[float]


def injected(labels: NDArray[np.int8], *, kind: str, contamination: float, seed: int) -> NDArray[np.int8]:
    """Make labels wrong such that this share of the pulses of a label are of the other class."""
    rng = np.random.default_rng([seed, 1])
    is_neutron = labels == Label.NEUTRON
    # For equal shares: P(wrong | label) = c. Gammas alone: c = f / (1 + f) where f of the gammas are relabelled.
    chance = np.full(len(labels), contamination)
    if kind == "neutron":
        n_wrong = contamination / (1 - contamination) * is_neutron.sum()
        chance = np.where(is_neutron, 0.0, n_wrong / (~is_neutron).sum())
    flipped = rng.random(len(labels)) < chance
    return np.where(flipped, 1 - labels, labels).astype(np.int8)


def known_contamination(kind: str, contamination: float) -> dict[str, float]:
    return {"gamma": contamination if kind == "both" else 0.0, "neutron": contamination}


class Test:
    """One run that judges all models."""

    def __init__(self, n_pulses: int) -> None:
        config = SimulationConfig(n_pulses=n_pulses, seed=TEST_SEED)
        pulses = simulate(config)
        self.preparation = choose_preparation(detector_settings(config), n_samples=pulses.n_samples)
        self.waveforms = prepare(pulses.samples, self.preparation).waveforms
        self.is_neutron = pulses.column("label") == Label.NEUTRON
        energy = pulses.column("energy_kevee")
        self.inside = [part.contains(energy) for part in energy_bins(EDGES_KEVEE)]

    def judge(self, model: object, *, neutron_share: float = 0.5, **what: object) -> Judged:
        """Judge a model that was trained at some share of neutrons; its scores are turned into those at one half."""
        with load_keras("cpu").on_device():
            scores = np.asarray(model.predict(self.waveforms, batch_size=8192, verbose=0), np.float64)[:, Label.NEUTRON]
        odds = scores / np.maximum(1 - scores, 1e-12) * (1 - neutron_share) / neutron_share
        scores = odds / (1 + odds) if neutron_share != 0.5 else scores
        truth = self.is_neutron
        of_truth = np.where(truth, scores, 1 - scores)
        error = calibration_error(scores, truth.astype(np.int8), rng=np.random.default_rng(0))
        return Judged(
            accuracy=float(((scores >= 0.5) == truth).mean()),
            calibration_error=error.value,
            log_loss=float(-np.log(np.maximum(of_truth, 1e-7)).mean()),
            leakage=[
                leaked_share(scores[inside & ~truth], scores[inside & truth], efficiency=EFFICIENCY)
                for inside in self.inside
            ],
            **what,
        )


def trained(pulses: Pulses, test: Test, *, epochs: int, folder: Path, correction: dict[str, float] | None, seed: int):
    config = TrainingConfig(
        architecture="mlp",
        epochs=epochs,
        patience=None,
        learning_rate=LEARNING_RATE,
        contamination=correction,
        split="pulse",
        seed=seed,
    )
    return train(pulses, test.preparation, config, folder=folder, overwrite=True).model


def run_all(test: Test, *, n_train: int, epochs: int, seeds: int) -> list[Judged]:
    judged = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(1, seeds + 1):
            pulses = simulate(SimulationConfig(n_pulses=n_train, seed=100 + seed))
            truth = pulses.column("label")
            clean = trained(pulses, test, epochs=epochs, folder=folder, correction=None, seed=seed)
            judged.append(test.judge(clean, seed=seed, kind="none", contamination=0.0, corrected=False))
            print(judged[-1], flush=True)
            for kind in KINDS:
                for rate in RATES:
                    noisy = pulses.replace(label=injected(truth, kind=kind, contamination=rate, seed=seed))
                    for corrected in (False, True):
                        known = known_contamination(kind, rate) if corrected else None
                        model = trained(noisy, test, epochs=epochs, folder=folder, correction=known, seed=seed)
                        judged.append(test.judge(model, seed=seed, kind=kind, contamination=rate, corrected=corrected))
                        print(judged[-1], flush=True)
    return judged


def interval(values: list[float]) -> tuple[float, float]:
    """Return mean and half width of the 95 % interval."""
    array = np.array(values)
    return float(array.mean()), float(student.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array)))


def chosen(judged: list[Judged], kind: str, rate: float, corrected: bool) -> list[Judged]:
    if rate == 0:
        return [one for one in judged if one.kind == "none"]
    return [one for one in judged if (one.kind, one.contamination, one.corrected) == (kind, rate, corrected)]


QUANTITIES = {
    "accuracy": lambda one: 100 * one.accuracy,
    "calibration error": lambda one: 100 * one.calibration_error,
    **{
        f"leakage {low:g}-{high:g}": lambda one, at=at: 100 * one.leakage[at]
        for at, (low, high) in enumerate(pairwise(EDGES_KEVEE))
    },
}


DECIMALS = {"accuracy": 2, "calibration error": 2, "leakage 30-50": 1, "leakage 50-100": 2}


def table(judged: list[Judged]) -> str:
    """Return one Markdown table for each kind: plain -> corrected, and the paired difference with its interval."""
    lines = []
    clean = chosen(judged, "", 0, False)
    for kind, title in KINDS.items():
        lines += ["", f"{title} (in %; leakage at {EFFICIENCY:.0%} neutron efficiency, keVee)", ""]
        lines.append("| | clean | " + " | ".join(f"{rate:.0%}" for rate in RATES) + " |")
        lines.append("|---" * (len(RATES) + 2) + "|")
        for name, value in QUANTITIES.items():
            mean, half = interval([value(one) for one in clean])
            digits = DECIMALS.get(name, 3)
            cells = [f"{mean:.{digits}f} ± {half:.{digits}f}"]
            for rate in RATES:
                plain, better = ([value(one) for one in chosen(judged, kind, rate, on)] for on in (False, True))
                gain = interval([b - a for a, b in zip(plain, better, strict=True)])
                change = f"({gain[0]:+.{digits}f} ± {gain[1]:.{digits}f})"
                cells.append(f"{np.mean(plain):.{digits}f} → {np.mean(better):.{digits}f} {change}")
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(judged: list[Judged], path: Path, *, title: str) -> None:
    rows = {
        "accuracy": "accuracy (%)",
        "calibration error": "calibration error (%)",
        "leakage 50-100": "gamma leakage (%) at 95 %\nefficiency, 50-100 keVee",
        "leakage 100-200": "gamma leakage (%) at 95 %\nefficiency, 100-200 keVee",
    }
    with house_style():
        figure = new_figure(9, 11)
        figure.suptitle(title)
        grid = figure.subplots(len(rows), len(KINDS), sharex=True, sharey="row")
        for axes, kind_title in zip(grid[0], KINDS.values(), strict=True):
            axes.set_title(kind_title)
        for axes_row, (name, label) in zip(grid, rows.items(), strict=True):
            axes_row[0].set_ylabel(label)
            for axes, kind in zip(axes_row, KINDS, strict=True):
                for corrected, colour, style, marker in ((False, VERMILION, "--", "s"), (True, BLUE, "-", "o")):
                    points = [
                        interval([QUANTITIES[name](one) for one in chosen(judged, kind, rate, corrected)])
                        for rate in (0.0, *RATES)
                    ]
                    axes.errorbar(
                        [100 * rate + (0.15 if corrected else -0.15) for rate in (0.0, *RATES)],
                        [mean for mean, _ in points],
                        [half for _, half in points],
                        color=colour, linestyle=style, marker=marker, capsize=3,
                        label="corrected loss" if corrected else "plain cross-entropy",
                    )  # fmt: skip
                if name == "calibration error":
                    axes.set_yscale("log")
                axes.grid(visible=True)
        for axes in grid[-1]:
            axes.set_xlabel("contamination of the labels (%)")
        grid[0][0].legend(loc="lower left")
        with complete_or_absent(path) as part:
            figure.savefig(part, format="png", dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-train", type=int, default=60_000)
    parser.add_argument("--n-test", type=int, default=300_000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/pictures/label_noise.png"))
    parser.add_argument("--json", type=Path, help="where to write the figures of every training")
    parser.add_argument("--from-json", type=Path, help="draw and print figures written before, train nothing")
    options = parser.parse_args()
    if options.from_json:
        judged = [Judged(**one) for one in json.loads(options.from_json.read_text())]
    else:
        test = Test(options.n_test)
        judged = run_all(test, n_train=options.n_train, epochs=options.epochs, seeds=options.seeds)
    if options.json:
        with complete_or_absent(options.json) as part:
            part.write_text(json.dumps([asdict(one) for one in judged]) + "\n")
    print(table(judged))
    n_seeds = len({one.seed for one in judged})
    draw(judged, options.output, title=f"Wrong labels in training, judged by truth\n95 % intervals, {n_seeds} seeds")


if __name__ == "__main__":
    main()
