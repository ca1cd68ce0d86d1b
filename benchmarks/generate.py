"""A generator of pulses, judged: speed, networks that tell real from generated, two-sample tests, discriminators.

Simulated BC501A read by NUMEXO2 stands for the real detector: one run trains the generator, another judges it, a third
judges discriminators that were trained on as many real or generated pulses. Both priors of the code are judged, and
Gaussian noise or none in the place of the library's residuals, to see what each is good for.

Usage: OMP_NUM_THREADS=1 python benchmarks/generate.py -o FOLDER [--training 200000] [--judging 60000] [--json]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import discrimen
from discrimen.freezing.freeze import freeze
from discrimen.metrics import leakage_at_efficiency
from discrimen.network.prepare import choose_preparation
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings
from discrimen.reconstruction.generate import PulseGenerator
from discrimen.reconstruction.generated_page import write_judgement
from discrimen.reconstruction.generated_run import generate_run
from discrimen.reconstruction.generation_options import GenerationOptions
from discrimen.reconstruction.judge_generated import GeneratorJudgement, JudgingOptions, apart, judge_generator
from discrimen.runs.simulated import simulate_run
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.simulate import simulate_blocks
from discrimen.training import Classification, Generation, TrainingConfig, train

LIGHT_KEVEE = {"energy_min_kevee": 30.0, "energy_max_kevee": 550.0}
RANGES_KEVEE = ((50.0, 100.0), (100.0, 200.0))
EFFICIENCY = 0.95
N_TIMED = 400_000


class Bench:
    """Three runs of one detector, and a generator trained on the first."""

    def __init__(
        self, folder: Path, *, n_training: int, n_judging: int, n_testing: int, epochs: int, seed: int
    ) -> None:
        self.folder, self.seed = folder, seed
        numbers = {"training": n_training, "judging": n_judging, "testing": n_testing}
        self.runs = {name: self._simulated(name, n, 10 * seed + at) for at, (name, n) in enumerate(numbers.items())}
        self.settings: DetectorSettings = discrimen.read(folder / "training.lh5").settings
        self.preparation = choose_preparation(self.settings, n_samples=self.runs["training"].n_samples)
        self.generator = self._generator(epochs)

    def _simulated(self, name: str, n_pulses: int, seed: int) -> Pulses:
        path = self.folder / f"{name}.lh5"
        simulate_run(SimulationConfig(n_pulses=n_pulses, seed=seed, **LIGHT_KEVEE), path)
        return discrimen.read(path).pulses

    def _generator(self, epochs: int) -> Path:
        config = TrainingConfig(
            task=Generation(),
            architecture="dense_autoencoder",
            options={"code": 8, "hidden": (64, 64)},
            epochs=epochs,
            batch_size=256,
            learning_rate=0.002,
            learning_rate_decay="cosine",
            patience=None,
            seed=self.seed,
        )
        folder = self.folder / "generator"
        train(self.runs["training"], self.preparation, config, folder=folder, settings=self.settings, overwrite=True)
        return freeze(folder, self.folder / "generator.discrimen").path

    def leakage(self, name: str, pulses: Pulses) -> dict[str, list[float]]:
        """Train the default discriminator on pulses, and return what it leaks of real ones, with its interval."""
        config = TrainingConfig(
            task=Classification(),
            epochs=25,
            batch_size=256,
            learning_rate_decay="cosine",
            patience=None,
            seed=self.seed,
        )
        where: dict[str, Any] = {"folder": self.folder / name, "settings": self.settings, "overwrite": True}
        train(pulses, self.preparation, config, **where)
        tested = self.runs["testing"]
        score = discrimen.load(self.folder / name).predictor.predict(tested.samples)[:, 1]
        light, label = tested.column("energy_kevee"), tested.column("label")
        found = {}
        for low, high in RANGES_KEVEE:
            inside = (light >= low) & (light < high)
            leaked = leakage_at_efficiency(score[inside], label[inside], efficiency=EFFICIENCY)
            found[f"{low:g}-{high:g}"] = [leaked.leakage, leaked.low, leaked.high]
        return found


def pulses_per_s(make: Callable[[], int], *, repeats: int = 3) -> float:
    """Return pulses in a second of processor time, the best of some tries: neighbours on the machine only slow down."""
    best = 0.0
    for _ in range(repeats):
        began = time.process_time()
        n_pulses = make()
        best = max(best, n_pulses / (time.process_time() - began))
    return best


def speeds(bench: Bench) -> dict[str, float]:
    """Return pulses per second of processor time, generated and simulated in turns, in memory and into a file."""
    maker = PulseGenerator(bench.generator)
    simulated = SimulationConfig(n_pulses=40_960, **LIGHT_KEVEE)
    output = bench.folder / "timed.lh5"

    def generated_file() -> int:
        generate_run(bench.generator, output, options=GenerationOptions(n_pulses=N_TIMED))
        return N_TIMED

    def simulated_file() -> int:
        simulate_run(simulated, output)
        return simulated.n_pulses

    found = {
        f"generated, {prior} prior": pulses_per_s(
            lambda prior=prior: sum(map(len, maker.blocks(GenerationOptions(n_pulses=N_TIMED, prior=prior))))
        )
        for prior in ("posterior", "normal")
    }
    found["simulated"] = pulses_per_s(lambda: sum(map(len, simulate_blocks(simulated))))
    found["generated into a file"] = pulses_per_s(generated_file)
    found["simulated into a file"] = pulses_per_s(simulated_file)
    return found


def noise_compared(bench: Bench, judged: GeneratorJudgement) -> dict[str, float]:
    """Return how well generated pulses are told apart with other noise than the library's residuals."""
    found = {}
    rng = np.random.default_rng(bench.seed)
    halves = np.array_split(rng.permutation(judged.n_real), 2)
    for name in ("none", "Gaussian"):
        maker = PulseGenerator(bench.generator)
        shape = maker._residual.shape
        # Of the spread of each sample.
        spread = maker._residual.std(axis=0) if name == "Gaussian" else np.float32(0)
        maker._residual = (spread * rng.standard_normal(shape)).astype(np.float32)
        made = maker.like(judged.real[halves[1]])
        areas = apart(judged.real.samples[halves[0]], made.samples, maker.generator, JudgingOptions(seed=bench.seed))
        found[name] = max(each.value for each in areas.values())
    return found


def measure(bench: Bench) -> dict[str, Any]:
    """Return all figures, and leave the page."""
    real = bench.runs["judging"]
    options = {prior: JudgingOptions(prior=prior, seed=bench.seed) for prior in ("posterior", "normal")}
    judged = {
        name: judge_generator(bench.generator, real, bench.settings, options=each) for name, each in options.items()
    }
    write_judgement(
        judged["posterior"], bench.folder, model=bench.generator, real="judging.lh5", settings=bench.settings
    )
    n_training = len(bench.runs["training"])
    blocks = PulseGenerator(bench.generator).blocks(GenerationOptions(n_pulses=n_training, seed=bench.seed))
    generated = concatenate(blocks)
    rate = speeds(bench)
    return {
        "judged": {prior: each.as_dict() for prior, each in judged.items()},
        "other_noise": noise_compared(bench, judged["posterior"]),
        "leakage": {
            "trained on real": bench.leakage("of_real", bench.runs["training"]),
            "trained on generated": bench.leakage("of_generated", generated),
        },
        "pulses_per_s": rate,
        "times_simulator": rate["generated, posterior prior"] / rate["simulated"],
    }


def told(result: Mapping[str, Any]) -> str:
    """Return the figures as text."""
    lines = []
    for prior, judged in result["judged"].items():
        for name, area in judged["real_against_generated"].items():
            beside = judged["real_against_real"][name]
            lines.append(
                f"{prior} prior, {name}: AUC {area['value']:.3f} ({area['low']:.3f}-{area['high']:.3f}); "
                f"real against real {beside['value']:.3f} ({beside['low']:.3f}-{beside['high']:.3f})"
            )
        tests = judged["two_sample_tests"]
        small = sum(test["p_value"] < 0.01 for test in tests)
        lines.append(f"{prior} prior: {small} of {len(tests)} two-sample tests with p < 0.01")
        for quantity in dict.fromkeys(test["quantity"] for test in tests):
            own = [test for test in tests if test["quantity"] == quantity]
            worst = max(own, key=lambda test: test["distance"])
            lines.append(
                f"  {quantity}: distance up to {worst['distance']:.3f} (p {worst['p_value']:.2g}, "
                f"{worst['class_name']}, {worst['range_kevee']}), p from {min(test['p_value'] for test in own):.2g}"
            )
    lines += [f"noise {name}: AUC {value:.3f}" for name, value in result["other_noise"].items()]
    for name, ranges in result["leakage"].items():
        cells = (
            f"{each}: {100 * v:.2f} % ({100 * low:.2f}-{100 * high:.2f})" for each, (v, low, high) in ranges.items()
        )
        lines.append(f"discriminator {name}: " + ", ".join(cells))
    lines += [f"{name}: {rate:,.0f} pulses/s" for name, rate in result["pulses_per_s"].items()]
    lines.append(f"times simulator: {result['times_simulator']:.1f}")
    return "\n".join(lines)


def main() -> None:
    """Measure, draw and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--training", type=int, default=200_000)
    parser.add_argument("--judging", type=int, default=60_000)
    parser.add_argument("--testing", type=int, default=200_000)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    sizes = {"n_training": options.training, "n_judging": options.judging, "n_testing": options.testing}
    bench = Bench(options.output, epochs=options.epochs, seed=options.seed, **sizes)
    result = measure(bench)
    (options.output / "figures.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2) if options.json else told(result))


if __name__ == "__main__":
    main()
