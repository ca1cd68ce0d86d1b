"""How a model's domain does: false alarms on 50 clean runs, mismatches caught, and statistics of the shape compared.

A clean run is of the same simulated detector with another seed, of one of four spectra and of 20, 500, 2000 or 5000
pulses. A run is refused where surely more than 1 % of its pulses are outside, or where all together have another gain
or light for their height. A mismatch is a run of the same detector with something changed, or a real file whose
metadata nobody reads: only the samples speak, cut to the length that the model needs. What `classify` refuses by the
settings alone is not looked at.

    python benchmarks/domain.py [--runs 50] [--real FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader
from discrimen.network.domain import Domain, OutsideTally, exceeds, learn_domain, outside
from discrimen.network.domain.measure import measure
from discrimen.network.domain.shape import shape_of
from discrimen.network.preparation import Alignment, Preparation
from discrimen.network.prepare import choose_preparation
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate

ALLOWED = 0.01
N_TRAINING = 20_000
N_ODD = 1000
SPECTRA = ("exponential", "Cf-252", "Co-60", "Cs-137")
SIZES = (20, 500, 2000, 5000)
ALIGNMENT = Alignment(fraction=0.3, position=10)
REAL_FILES = (
    "bc501a/bc501a_gamma_first5.csv",
    "bc501a/bc501a_neutron_first5.csv",
    "compass/compass_test_data.BIN",
    "lh5/LDQTA_r117_20200110T105115Z_cal_geds_raw.lh5",
    "lh5/l200-p03-r001-cal-20230318T012144Z-tier_raw.lh5",
    "cases/wrong_polarity/gamma.BIN",
    "cases/wrong_polarity/neutron.BIN",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A detector, and the domain of a model that was trained on it."""

    name: str
    config: SimulationConfig
    preparation: Preparation
    domain: Domain

    def judge(self, samples: NDArray[Any]) -> OutsideTally:
        tally = OutsideTally(self.domain, self.preparation)
        tally.add(samples, outside(samples, self.preparation, self.domain))
        return tally


def known(name: str, *, aligned: bool = False, **changes: Any) -> Known:
    config = SimulationConfig(n_pulses=N_TRAINING, seed=1, **changes)
    settings, samples = detector_settings(config), simulate(config).samples
    preparation = choose_preparation(
        settings,
        n_samples=samples.shape[1],
        alignment=ALIGNMENT if aligned else None,
        window_length=samples.shape[1] // 2 if aligned else None,
    )
    domain = learn_domain(samples, preparation, adc_bits=settings.adc_bits)
    assert domain is not None
    return Known(name=name, config=config, preparation=preparation, domain=domain)


def clean_runs(model: Known, n_runs: int) -> Iterator[OutsideTally]:
    for number in range(n_runs):
        config = replace(
            model.config,
            n_pulses=SIZES[number % len(SIZES)],
            spectrum=SPECTRA[number // len(SIZES) % len(SPECTRA)],
            seed=1000 + number,
        )
        yield model.judge(simulate(config).samples)


def changed(model: Known, **changes: Any) -> NDArray[Any]:
    return simulate(replace(model.config, **{"n_pulses": N_ODD, "seed": 77, **changes})).samples


def slower(model: Known) -> NDArray[Any]:
    """Return pulses of a digitizer of half the sampling rate: every second sample, the pulse where it was."""
    samples = changed(model)
    edge = model.domain.ranges[-1].edge[1] + model.preparation.only.window_start
    at = edge + 2 * (np.arange(samples.shape[1]) - edge)
    return samples[:, np.clip(at, 0, samples.shape[1] - 1)]


def mismatches(model: Known) -> Mapping[str, Callable[[], NDArray[Any]]]:
    settings = detector_settings(model.config)
    pretrigger, period = settings.pretrigger_ns, model.preparation.sample_period_ns
    assert pretrigger is not None
    other = {"BC501A": "EJ-276", "EJ-276": "EJ-309", "EJ-309": "EJ-276"}[model.config.detector]
    noise = model.domain.quiet_adc / 12
    adc_per_kevee = model.config.digitizer_as_run.gain_adc_per_kevee
    light = model.config.scintillator.photoelectrons_per_kev
    return {
        "pulse in the baseline window": lambda: changed(model, pretrigger_ns=0.4 * pretrigger),
        "pulse 3 samples earlier": lambda: changed(model, pretrigger_ns=pretrigger - 3 * period),
        "pulse 3 samples later": lambda: changed(model, pretrigger_ns=pretrigger + 3 * period),
        "gain x 0.5": lambda: changed(model, gain_adc_per_kevee=0.5 * adc_per_kevee),
        "gain x 2": lambda: changed(model, gain_adc_per_kevee=2 * adc_per_kevee),
        "noise x 2": lambda: changed(model, noise_adc=2 * noise),
        "other polarity": lambda: 2 ** (settings.adc_bits or 14) - 1 - changed(model).astype(np.int32),
        "half the sampling rate": lambda: slower(model),
        f"{other} instead": lambda: changed(model, detector=other),
        "half the light": lambda: changed(model, photoelectrons_per_kev=0.5 * light),
    }


def real_records(folder: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Read up to 200 records of each channel length of real files, whatever they say of themselves."""
    waves = sorted(path.relative_to(folder).as_posix() for path in (folder / "wavedump").rglob("*.dat"))
    for name in (*REAL_FILES, *waves):
        try:
            reader = open_reader(folder / name, ReadOptions())
            yield name, next(iter(reader.chunks())).samples[:200]
        except Exception as error:  # noqa: BLE001 - a file that cannot be read is told, and costs no other
            print(f"  {name}: not read: {error}")


def long_enough(samples: NDArray[Any], n_samples: int) -> NDArray[Any]:
    """Return records of a length: cut, or with their last sample repeated."""
    missing = max(0, n_samples - samples.shape[1])
    return np.pad(samples, ((0, 0), (0, missing)), mode="edge")[:, :n_samples]


def refused(tally: OutsideTally) -> bool:
    change = tally.photon_change()
    return exceeds(tally.n_outside, tally.n_pulses, ALLOWED) or (change is not None and change.is_outside)


def ratio_of(tally: OutsideTally) -> float | None:
    """Return the variance by photoelectrons over that of the training; None where it cannot be told."""
    change = tally.photon_change()
    return None if change is None else change.ratio


def row(model: Known, tally: OutsideTally) -> dict[str, Any]:
    counts = {name: count for name, count in tally.counts().items() if count}
    return {
        "model": model.name,
        "n_pulses": tally.n_pulses,
        "share": tally.share,
        "refused": refused(tally),
        "photons": ratio_of(tally),
        "by_reason": counts,
    }


def statistics(model: Known) -> dict[str, dict[str, float]]:
    """Compare statistics of the shape: share of odd pulses beyond what one of a thousand trained ones reaches."""
    shapes = {"trained": (changed(model, n_pulses=N_TRAINING, seed=5))}
    wanted = ("pulse 3 samples later", "half the sampling rate", "half the light")
    shapes |= {name: make() for name, make in mismatches(model).items() if name in wanted or "instead" in name}
    measured = {name: measure(samples, model.preparation) for name, samples in shapes.items()}
    found: dict[str, dict[str, float]] = {}
    for statistic, of in {
        "residual, 12 samples, 2 components": lambda shape: residual_of(shape, 12, 2),
        "residual, all samples, 2 components": lambda shape: residual_of(shape, shape.shape[1], 2),
        "residual, all samples, 4 components": lambda shape: residual_of(shape, shape.shape[1], 4),
        "Mahalanobis, 8 samples": mahalanobis_of,
    }.items():
        compute = of(measured["trained"].shape[:10_000])
        limits = _limits(model, compute(measured["trained"].shape[10_000:]), measured["trained"].height_adc[10_000:])
        found[statistic] = {
            name: float((compute(each.shape) > limits[model.domain.range_of(each.height_adc)]).mean())
            for name, each in measured.items()
        }
    return found


def _limits(model: Known, values: NDArray[Any], height: NDArray[Any]) -> NDArray[np.float64]:
    at = model.domain.range_of(height)
    return np.array([np.quantile(values[at == number], 0.999) for number in range(len(model.domain.ranges))])


def residual_of(trained: NDArray[Any], n_rows: int, n_components: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
    found = shape_of(trained, n_rows=n_rows, n_components=n_components)

    def compute(shape: NDArray[Any]) -> NDArray[Any]:
        off = (shape[:, list(found.rows)] - found.mean) * found.weight
        return (off**2).sum(axis=1) - ((off @ found.components.T) ** 2).sum(axis=1)

    return compute


def mahalanobis_of(trained: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    rows = list(shape_of(trained, n_rows=8).rows)
    mean, inverse = trained[:, rows].mean(axis=0), np.linalg.inv(np.cov(trained[:, rows].T))
    return lambda shape: np.einsum("ij,jk,ik->i", shape[:, rows] - mean, inverse, shape[:, rows] - mean)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    models = [
        known("BC501A, NUMEXO2"),
        known("EJ-276, DT5730", detector="EJ-276", digitizer="DT5730"),
        known("EJ-309, DT5751", detector="EJ-309", digitizer="DT5751"),
        known("EJ-276, DT5730, aligned", aligned=True, detector="EJ-276", digitizer="DT5730"),
    ]
    result: dict[str, Any] = {"clean": [], "mismatches": [], "real": [], "statistics": {}}
    for model in models:
        tallies = list(clean_runs(model, options.runs))
        result["clean"].append(
            {
                "model": model.name,
                "n_runs": len(tallies),
                "refused": sum(map(refused, tallies)),
                "photons": [ratio for ratio in map(ratio_of, tallies) if ratio is not None],
                "share": sum(each.n_outside for each in tallies) / sum(each.n_pulses for each in tallies),
                "largest_share": max(each.share for each in tallies if each.n_pulses == max(SIZES)),
            }
        )
        result["mismatches"] += [
            {"run": name, **row(model, model.judge(make()))} for name, make in mismatches(model).items()
        ]
        result["statistics"][model.name] = statistics(model)
    if options.real is not None:
        for name, samples in real_records(options.real):
            for model in models:
                n_samples = detector_records(model)
                result["real"].append({"run": name, **row(model, model.judge(long_enough(samples, n_samples)))})
    if options.json:
        print(json.dumps(result, indent=1))
        return
    tell(result)


def detector_records(model: Known) -> int:
    return int(changed(model, n_samples=None)[:1].shape[1])


def tell(result: Mapping[str, Any]) -> None:
    print("clean runs")
    for each in result["clean"]:
        print(
            f"  {each['model']:26} {each['refused']} of {each['n_runs']} refused, {each['share']:.3%} of the pulses "
            f"outside, at most {each['largest_share']:.2%} of a run of {max(SIZES)}; photoelectrons in "
            f"{len(each['photons'])} runs {min(each['photons']):.2f} to {max(each['photons']):.2f} of the training"
        )
    for kind in ("mismatches", "real"):
        print(kind)
        for each in result[kind]:
            reasons = ", ".join(f"{name} {count / each['n_pulses']:.0%}" for name, count in each["by_reason"].items())
            verdict = "refused" if each["refused"] else "TAKEN"
            photons = "" if each["photons"] is None else f"photoelectrons x {each['photons']:.2f}  "
            print(f"  {each['model']:26} {each['run']:52} {verdict:8} {each['share']:7.1%}  {photons}{reasons}")
    print("share of pulses that a statistic of the shape tells, at 0.1 % of the trained ones")
    for model, found in result["statistics"].items():
        for statistic, shares in found.items():
            told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
            print(f"  {model:26} {statistic:36} {told}")


if __name__ == "__main__":
    main()
