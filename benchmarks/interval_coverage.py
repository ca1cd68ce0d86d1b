"""How often the 95 % intervals of a report hold the true value.

Most cases draw scores from distributions whose true figures are known in closed form, or from millions of draws. The
last ones take simulated BC501A pulses of 50-100 keVee: the truth is what a pool of 150,000 pulses shows, and each
repetition judges 3000 of them. With --model a frozen network is judged there, too.

Usage: python benchmarks/interval_coverage.py [--repetitions N] [--only WORD] [--pool N] [--model X.discrimen] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri

from discrimen.metrics import (
    auc,
    auc_difference,
    calibration_error,
    figure_of_merit,
    fit_temperature,
    intervals_for,
    leakage_at_efficiency,
    leaked_share,
    neutron_logits,
    paired_leakage,
    wilson_interval,
)
from discrimen.metrics.figure_of_merit import FWHM_PER_SIGMA
from discrimen.pulse_shape import tune_gatti
from discrimen.pulse_shape.charge import best_gates, charge_comparison

Interval = tuple[float, float]
LOWEST = 0.92
_SEED = 20


@dataclass(frozen=True)
class Case:
    """One interval: what it is of, the truth, and how to make it from a random generator."""

    name: str
    truth: float
    interval: Callable[[np.random.Generator], Interval]
    highest: float = 0.98
    """Few counts come in steps, and their intervals hold more than they promise."""

    def coverage(self, n_repetitions: int) -> tuple[float, int]:
        """Return how often the truth is held, and how many repetitions gave an interval."""
        rng = np.random.default_rng([_SEED, zlib.crc32(self.name.encode())])
        found = [self.interval(rng) for _ in range(n_repetitions)]
        return float(np.mean([low <= self.truth <= high for low, high in found])), len(found)


def two_gaussians(n: int, distance: float, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Scores of n gammas around 0 and n neutrons around `distance`, both of width 1."""
    labels = np.repeat([0, 1], n)
    return rng.normal(distance * labels, 1), labels


def leakage_cases() -> Iterator[Case]:
    """Gamma leakage at a neutron efficiency: the threshold is estimated, too."""
    rare = tuple((3000, float(-ndtri(leaks / 3000) - ndtri(0.05)), 0.95) for leaks in (0.3, 1.0, 3.0))
    common = ((1000, 2.5, 0.95), (10_000, 3.5, 0.9), (500, 1.5, 0.95), (20_000, 4.5, 0.95))
    for n, distance, efficiency in common + rare:

        def interval(
            rng: np.random.Generator, n: int = n, distance: float = distance, efficiency: float = efficiency
        ) -> Interval:
            found = leakage_at_efficiency(*two_gaussians(n, distance, rng), efficiency=efficiency)
            return found.low, found.high

        truth = float(ndtr(-distance - ndtri(1 - efficiency)))
        name = f"leakage at {efficiency:.0%}, {n} of each class, {n * truth:.3g} leak"
        yield Case(name, truth, interval, highest=0.98 if n * truth > 10 else 1.0)


def share_cases() -> Iterator[Case]:
    """Neutron efficiency at a given threshold."""
    for n, truth in ((300, 0.9), (2000, 0.99)):

        def interval(rng: np.random.Generator, n: int = n, truth: float = truth) -> Interval:
            found = wilson_interval(int(rng.binomial(n, truth)), n)
            return found.low, found.high

        yield Case(f"efficiency at a given threshold, {n} neutrons", truth, interval)


def auc_cases() -> Iterator[Case]:
    """Area under the curve."""
    for n, distance in ((200, 1.5), (1000, 2.5), (5000, 4.0)):

        def interval(rng: np.random.Generator, n: int = n, distance: float = distance) -> Interval:
            found = auc(*two_gaussians(n, distance, rng))
            return found.low, found.high

        yield Case(f"AUC, {n} of each class", float(ndtr(distance / np.sqrt(2))), interval)


def merit_cases() -> Iterator[Case]:
    """Figure of merit of two Gaussian bands."""
    for n, means, sigmas in ((3000, (0.1, 0.2), (0.02, 0.03)), (40_000, (0.1, 0.18), (0.02, 0.025))):

        def interval(
            rng: np.random.Generator,
            n: int = n,
            means: tuple[float, float] = means,
            sigmas: tuple[float, float] = sigmas,
        ) -> Interval:
            psd = np.concatenate([rng.normal(*band, n // 2) for band in zip(means, sigmas, strict=True)])
            return merit_interval(psd)

        truth = (means[1] - means[0]) / (FWHM_PER_SIGMA * sum(sigmas))
        yield Case(f"figure of merit, {n} pulses", truth, interval)


def merit_interval(psd: NDArray[np.float64]) -> Interval:
    """Interval of the figure of merit, as the report gives it."""
    found = figure_of_merit(psd)
    return found.low, found.high


def scored(n: int, steepness: float, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Logits that are `steepness` times the true ones, and classes."""
    true = rng.normal(0, 3, n)
    return steepness * true, rng.random(n) < expit(true)


def true_calibration_error(steepness: float) -> float:
    """Error of infinitely many pulses in 15 equally full bins, by the mean over each."""
    true = 3 * ndtri((np.arange(3_000_000) + 0.5) / 3_000_000)
    gaps = (expit(true) - expit(steepness * true)).reshape(-1, 200_000)
    return float(np.abs(gaps.mean(axis=1)).mean())


def calibration_cases() -> Iterator[Case]:
    """Calibration error and temperature."""
    for n, steepness in ((1000, 1.0), (10_000, 1.0), (2000, 1.3), (10_000, 1.3), (5000, 0.7), (20_000, 2.0)):

        def of_error(rng: np.random.Generator, n: int = n, steepness: float = steepness) -> Interval:
            logits, classes = scored(n, steepness, rng)
            found = calibration_error(expit(logits), classes.astype(int), rng=rng)
            return found.low, found.high

        yield Case(f"calibration error, T = {steepness}, {n} pulses", true_calibration_error(steepness), of_error)
    for n, steepness in ((500, 1.0), (5000, 1.5)):

        def of_temperature(rng: np.random.Generator, n: int = n, steepness: float = steepness) -> Interval:
            logits, classes = scored(n, steepness, rng)
            found = fit_temperature(logits, classes.astype(int))
            return found.low, found.high

        yield Case(f"temperature, {n} pulses", steepness, of_temperature)
    yield _mixed_temperature()


def _mixed_temperature() -> Case:
    """No temperature is right: half of the pulses want 0.6, the others 2."""

    def draw(n: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        parts = [scored(n // 2, steepness, rng) for steepness in (0.6, 2.0)]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]).astype(int)

    def interval(rng: np.random.Generator) -> Interval:
        found = fit_temperature(*draw(2000, rng))
        return found.low, found.high

    truth = fit_temperature(*draw(4_000_000, np.random.default_rng(_SEED))).value
    return Case("temperature that differs between pulses, 2000 pulses", truth, interval)


def two_methods(
    n: int, distances: tuple[float, float], shared: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Scores of two methods of width 1 that share a part of their scatter."""
    labels = np.repeat([0, 1], n)
    common, own = rng.normal(0, np.sqrt(shared), 2 * n), rng.normal(0, np.sqrt(1 - shared), (2, 2 * n))
    return distances[0] * labels + common + own[0], distances[1] * labels + common + own[1], labels


def paired_cases() -> Iterator[Case]:
    """Differences and ratios of two methods on the same pulses."""
    for n, distances, shared in ((1000, (2.2, 2.5), 0.8), (5000, (3.0, 3.2), 0.9), (2000, (2.5, 2.5), 0.5)):
        leakage = [float(ndtr(-distance - ndtri(0.05))) for distance in distances]

        def compare(
            rng: np.random.Generator,
            n: int = n,
            distances: tuple[float, float] = distances,
            shared: float = shared,
        ) -> tuple[Interval, Interval, Interval]:
            sample = two_methods(n, distances, shared, rng)
            found, area = paired_leakage(*sample, efficiency=0.95, rng=rng), auc_difference(*sample)
            return (
                (found.difference.low, found.difference.high),
                (found.ratio.low, found.ratio.high),
                (area.low, area.high),
            )

        areas = [float(ndtr(distance / np.sqrt(2))) for distance in distances]
        truths = {
            "difference of leakages": leakage[0] - leakage[1],
            "ratio of leakages": leakage[0] / leakage[1],
            "difference of AUC": areas[0] - areas[1],
        }
        for place, (name, truth) in enumerate(truths.items()):
            yield Case(
                f"paired {name}, {n} of each class, {shared:.0%} shared",
                truth,
                lambda rng, compare=compare, place=place: compare(rng)[place],
            )


Draw = Callable[[int, np.random.Generator], tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]]


def run_cases() -> Iterator[Case]:
    """Runs that differ: intervals must count runs."""
    distance, shift, n = 2.5, 0.25, 500
    width = np.sqrt(1 + shift**2)
    threshold = distance + width * ndtri(0.05)
    truth = float(ndtr(-threshold / width))

    def draw(n_runs: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        run = np.repeat(np.arange(n_runs), 2 * n)
        labels = np.tile(np.repeat([0, 1], n), n_runs)
        return rng.normal(distance * labels + rng.normal(0, shift, n_runs)[run], 1), labels, run

    for n_runs in (6, 20):

        def of_leakage(rng: np.random.Generator, n_runs: int = n_runs) -> Interval:
            scores, labels, run = draw(n_runs, rng)
            found = intervals_for(run, labels, confidence=0.95, rng=rng).leakage(scores, labels, efficiency=0.95)
            return found.low, found.high

        def of_share(rng: np.random.Generator, n_runs: int = n_runs) -> Interval:
            scores, labels, run = draw(n_runs, rng)
            found = intervals_for(run, labels, confidence=0.95, rng=rng).share(scores >= threshold, labels == 1)
            return found.low, found.high

        def of_area(rng: np.random.Generator, n_runs: int = n_runs) -> Interval:
            scores, labels, run = draw(n_runs, rng)
            found = intervals_for(run, labels, confidence=0.95, rng=rng).auc(scores, labels)
            return found.low, found.high

        yield Case(f"leakage at 95%, {n_runs} runs that differ", truth, of_leakage)
        yield Case(f"efficiency at a given threshold, {n_runs} runs that differ", 0.95, of_share)
        yield Case(f"AUC, {n_runs} runs that differ", float(ndtr(distance / np.sqrt(2) / width)), of_area)
    for leaks in (0.3, 1.0, 3.0):
        yield _rare_runs(leaks, shift, n)
    yield from _paired_run_cases(draw)


def _rare_runs(leaks: float, shift: float, n: int) -> Case:
    """Eight runs that differ, of which so few gammas leak that often none does."""
    width, truth = np.sqrt(1 + shift**2), leaks / (8 * n)
    distance = -width * (ndtri(truth) + ndtri(0.05))

    def interval(rng: np.random.Generator) -> Interval:
        run, labels = np.repeat(np.arange(8), 2 * n), np.tile(np.repeat([0, 1], n), 8)
        scores = rng.normal(distance * labels + rng.normal(0, shift, 8)[run], 1)
        found = intervals_for(run, labels, confidence=0.95, rng=rng).leakage(scores, labels, efficiency=0.95)
        return found.low, found.high

    return Case(f"leakage at 95%, 8 runs that differ, {leaks:g} leak", truth, interval, highest=1.0)


def _paired_run_cases(
    draw: Draw,
) -> Iterator[Case]:
    """A second method whose own shift of each run comes on top of that of the first."""
    extra, own = 0.2, 0.5

    def interval(rng: np.random.Generator) -> Interval:
        scores, labels, run = draw(8, rng)
        other = scores + rng.normal(0, extra, 8)[run] + rng.normal(0, own, len(scores))
        intervals = intervals_for(run, labels, confidence=0.95, rng=rng)
        found = intervals.paired_leakage(other, scores, labels, efficiency=0.95).difference
        return found.low, found.high

    widths = np.sqrt(1 + 0.25**2), np.sqrt(1 + 0.25**2 + extra**2 + own**2)
    leakages = [float(ndtr(-(2.5 + width * ndtri(0.05)) / width)) for width in widths]
    yield Case("paired difference of leakages, 8 runs that differ", leakages[1] - leakages[0], interval)


def pulse_cases(n_pool: int, model: Path | None) -> Iterator[Case]:
    """Charge comparison and linear filter on simulated pulses; the truth is that of the whole pool."""
    scores, labels, logits = _pool(n_pool, model)
    n = 3000

    def sample(rng: np.random.Generator) -> NDArray[np.intp]:
        return rng.choice(len(labels), n, replace=False)

    for name, values in scores.items():
        truth = leaked_share(values[labels == 0], values[labels == 1], efficiency=0.95)

        def of_leakage(rng: np.random.Generator, values: NDArray[np.float64] = values) -> Interval:
            at = sample(rng)
            found = leakage_at_efficiency(values[at], labels[at], efficiency=0.95)
            return found.low, found.high

        def of_area(rng: np.random.Generator, values: NDArray[np.float64] = values) -> Interval:
            at = sample(rng)
            found = auc(values[at], labels[at])
            return found.low, found.high

        yield Case(f"simulated pulses, {name}: leakage at 95%", truth, of_leakage)
        yield Case(f"simulated pulses, {name}: AUC", auc(values, labels).value, of_area)
    yield Case(
        "simulated pulses, charge comparison: figure of merit",
        figure_of_merit(scores["charge comparison"]).value,
        lambda rng: merit_interval(scores["charge comparison"][sample(rng)]),
    )
    yield from _pool_pairs(scores, labels, sample)
    if logits is not None:
        yield from _pool_calibration(logits, labels, sample)


def _pool_pairs(
    scores: dict[str, NDArray[np.float64]],
    labels: NDArray[np.int8],
    sample: Callable[[np.random.Generator], NDArray[np.intp]],
) -> Iterator[Case]:
    reference = scores["charge comparison"]
    for name, values in scores.items():
        if values is reference:
            continue
        first, second = (
            leaked_share(each[labels == 0], each[labels == 1], efficiency=0.95) for each in (values, reference)
        )

        def of_leakages(rng: np.random.Generator, values: NDArray[np.float64] = values) -> Interval:
            at = sample(rng)
            found = paired_leakage(values[at], reference[at], labels[at], efficiency=0.95, rng=rng)
            return found.difference.low, found.difference.high

        def of_areas(rng: np.random.Generator, values: NDArray[np.float64] = values) -> Interval:
            at = sample(rng)
            found = auc_difference(values[at], reference[at], labels[at])
            return found.low, found.high

        areas = auc(values, labels).value - auc(reference, labels).value
        yield Case(f"simulated pulses, {name} against charge: leakages", first - second, of_leakages)
        yield Case(f"simulated pulses, {name} against charge: AUC", areas, of_areas)


def _pool_calibration(
    logits: NDArray[np.float64],
    labels: NDArray[np.int8],
    sample: Callable[[np.random.Generator], NDArray[np.intp]],
) -> Iterator[Case]:
    def of_temperature(rng: np.random.Generator) -> Interval:
        at = sample(rng)
        found = fit_temperature(logits[at], labels[at])
        return found.low, found.high

    def of_error(rng: np.random.Generator) -> Interval:
        at = sample(rng)
        found = calibration_error(expit(logits[at]), labels[at], rng=rng)
        return found.low, found.high

    whole = calibration_error(expit(logits), labels, rng=np.random.default_rng(_SEED))
    yield Case("simulated pulses, network: temperature", fit_temperature(logits, labels).value, of_temperature)
    yield Case("simulated pulses, network: calibration error", whole.value, of_error)


def _pool(
    n_pool: int, model: Path | None
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int8], NDArray[np.float64] | None]:
    """Simulate, tune gates and filter on pulses of their own, and score the pool."""
    import discrimen
    from discrimen.inference.load import load_model
    from discrimen.network.prepare import choose_preparation, prepare
    from discrimen.pulse_shape.upright import aligned_preparation, upright

    with tempfile.TemporaryDirectory() as folder:
        sets = []
        for name, n_pulses, seed in (("tuning", 20_000, 7), ("pool", n_pool, 8)):
            path = Path(folder) / f"{name}.lh5"
            discrimen.simulate(
                path, n_pulses, seed=seed, spectrum="flat", energy_min_kevee=50.0, energy_max_kevee=100.0
            )
            sets.append(discrimen.read(path))
    tuning, pool, settings = sets[0].pulses, sets[1].pulses, sets[1].settings
    preparation = choose_preparation(settings, n_samples=pool.n_samples)
    aligned = aligned_preparation(tuning.samples, preparation, whole_share=0.9)
    period_ns, labels = pool.require_sample_period_ns(), tuning.column("label")

    def merit(values: NDArray[np.float64]) -> float:
        return -leaked_share(values[labels == 0], values[labels == 1], efficiency=0.95)

    turned = upright(tuning.samples, preparation)
    gates = best_gates(turned.waveforms, crossing=turned.crossing, sample_period_ns=period_ns, merit=merit).gates
    gatti = tune_gatti(
        prepare(tuning.samples, aligned).waveforms[:, 0], labels == 1, sample_period_ns=period_ns, merit=merit
    )
    whole = upright(pool.samples, preparation)
    charges = charge_comparison(whole.waveforms, crossing=whole.crossing, sample_period_ns=period_ns, gates=gates)
    scores = {
        "charge comparison": charges.psd.astype(np.float64),
        "linear filter": gatti.score(prepare(pool.samples, aligned).waveforms[:, 0]),
    }
    if model is None:
        return scores, pool.column("label"), None
    loaded = load_model(model)
    found = neutron_logits(loaded.predictor.predict(pool.samples), neutron_class=loaded.description.neutron_class)
    return scores | {"network": expit(found)}, pool.column("label"), found


def cases(*, n_pool: int, model: Path | None, only: str) -> Iterator[Case]:
    """All cases whose name holds a word."""
    makers = (leakage_cases, share_cases, auc_cases, merit_cases, calibration_cases, paired_cases, run_cases)
    for maker in makers:
        yield from (case for case in maker() if only in case.name)
    if n_pool:
        yield from (case for case in pulse_cases(n_pool, model) if only in case.name)


def main() -> None:
    """Repeat, count, print; exit status 1 if a coverage lies outside 92-98 %."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--only", default="", help="only cases whose name holds this")
    parser.add_argument("--pool", type=int, default=150_000, help="simulated pulses; 0 leaves those cases out")
    parser.add_argument("--model", type=Path, help="frozen network for 10 ns pulses of the default simulation")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    for case in cases(n_pool=arguments.pool, model=arguments.model, only=arguments.only):
        covered, n = case.coverage(arguments.repetitions)
        good = LOWEST <= covered <= case.highest
        rows.append({"interval": case.name, "truth": case.truth, "coverage": covered, "n_repetitions": n, "good": good})
        if not arguments.json:
            mark = "" if good else "  <- outside 92-98 %"
            print(f"{case.name:<66}{case.truth:>10.5g}{covered:>8.1%}{mark}", flush=True)
    if arguments.json:
        print(json.dumps({"rows": rows}, indent=1))
    sys.exit(not all(row["good"] for row in rows))


if __name__ == "__main__":
    main()
