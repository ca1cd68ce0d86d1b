"""How well `discrimen calibrate` recovers the gain: all simulated detectors, and cells of several sizes.

    python benchmarks/calibration.py            # the tables of docs/calibration.md

The truth of a simulated detector is the ratio of true light to charge of its own pulses near the edge. Cells: deposits
from `compton_transport.py` (every scattering followed), resolution 5 % at 400 keVee, on an exponential of a mean of
150 keVee with half as many pulses.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from compton_transport import deposits_kev
from discrimen.calibration.edge_fit import EdgeFit, fit_edges
from discrimen.calibration.edge_search import find_edges
from discrimen.calibration.gamma_sources import source_named
from discrimen.calibration.light_line import light_line
from discrimen.calibration.spectrum import spectrum_of
from discrimen.network.prepare import choose_preparation
from discrimen.pulse_shape.upright import charges_of
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import DIGITIZERS
from discrimen.simulation.scintillator import DETECTORS
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate

SOURCES = ("Cs-137", "Co-60", "Na-22")


def detector(name: str, digitizer: str, *, n_pulses: int) -> None:
    """Print a row: gain of each source alone, and of all together with the offset free."""
    all_edges: list[EdgeFit] = []
    cells = []
    for seed, source in enumerate(SOURCES):
        charge, light = simulated(name, digitizer, source, n_pulses=n_pulses, seed=seed)
        fits = edges_of(charge, source)
        all_edges += fits
        near = light > 0.8 * fits[-1].group.edge_kev
        cells.append(cell(light_line(fits[-1:], through_zero=True), light[near].sum() / charge[near].sum()))
    line = light_line(sorted(all_edges, key=lambda fit: fit.position), through_zero=False)
    truth = light.sum() / charge.sum()
    cells += [
        cell(line, truth),
        f"{line.offset_kevee:+.1f} ± {line.offset_error:.1f}",
        f"{line.chi2:.1f}/{line.freedom}",
    ]
    print(f"| {name}, {digitizer} | {' | '.join(cells)} |", flush=True)


def simulated(name: str, digitizer: str, source: str, *, n_pulses: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    config = SimulationConfig(n_pulses=n_pulses, detector=name, digitizer=digitizer, spectrum=source, seed=seed)
    pulses, settings = simulate(config), detector_settings(config)
    assert settings.gates is not None
    preparation = choose_preparation(settings, n_samples=pulses.n_samples)
    charge = charges_of(pulses, preparation, settings.gates).long_charge_adc_ns.astype(np.float64)
    whole = np.isfinite(charge) & (pulses.column("flags") == 0)
    return charge[whole], pulses.column("energy_kevee")[whole].astype(np.float64)


def edges_of(charge: np.ndarray, source: str) -> Sequence[EdgeFit]:
    nothing = np.zeros(len(charge), bool)
    spectrum = spectrum_of([charge], [nothing], limits=None, rng=np.random.default_rng(0))
    return fit_edges(spectrum, find_edges(spectrum, source_named(source)))


def cell(line: object, truth: float) -> str:
    gain, error = line.gain_kevee_per_unit, line.gain_error  # type: ignore[attr-defined]
    return f"{100 * (gain / truth - 1):+.2f} ± {100 * error / truth:.2f}"


def cells(diameter_cm: float, source: str, *, n_spectra: int, n_pulses: int) -> None:
    """Print a row: mean shift and spread of the gain, its stated error, and how often the intervals hold."""
    shifts, errors = [], []
    for seed in range(n_spectra):
        rng = np.random.default_rng([seed, round(10 * diameter_cm)])
        group = source_named(source).groups[0]
        parts = [
            deposits_kev(line, 12 * n_pulses, radius_cm=diameter_cm / 2, length_cm=diameter_cm, rng=rng)[
                : n_pulses // len(group.lines_kev)
            ]
            for line in group.lines_kev
        ]
        light = np.append(np.concatenate(parts), rng.exponential(150.0, n_pulses // 2))
        light += rng.normal(size=len(light)) * 0.05 * np.sqrt(400 * light)
        fit = edges_of(light[light > 30], source)[0]
        shifts.append(group.edge_kev / fit.position - 1)
        errors.append(fit.error / fit.position)
    shift, error = 100 * np.array(shifts), 100 * np.array(errors)
    held = [float((np.abs(shift) < width * error).mean()) for width in (1, 1.96)]
    print(
        f"| {diameter_cm:g} cm, {source} | {shift.mean():+.2f} | {shift.std():.2f} | {np.median(error):.2f} | "
        f"{100 * held[0]:.0f} % | {100 * held[1]:.0f} % |",
        flush=True,
    )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-pulses", type=int, default=20_000)
    parser.add_argument("--n-spectra", type=int, default=40)
    given = parser.parse_args()
    print(
        "| detector | Cs-137, % | Co-60, % | Na-22, % | all, % | offset, keVee | chi2 |\n|---|---|---|---|---|---|---|"
    )
    for name in DETECTORS:
        for digitizer in DIGITIZERS:
            if name != "EJ-301":
                detector(name, digitizer, n_pulses=given.n_pulses)
    print("\n| cell, source | mean shift, % | spread, % | stated error, % | 68 % holds | 95 % holds |")
    print("|---|---|---|---|---|---|")
    for source in SOURCES:
        for diameter_cm in (2.54, 5.08, 12.7):
            cells(diameter_cm, source, n_spectra=given.n_spectra, n_pulses=given.n_pulses)


if __name__ == "__main__":
    main()
