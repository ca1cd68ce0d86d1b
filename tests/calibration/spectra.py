"""Spectra of sources with a known gain, drawn for the tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.calibration.compton import compton_edge_kev, scattered_below
from discrimen.calibration.gamma_sources import source_named
from discrimen.calibration.spectrum import Spectrum, spectrum_of


def scattered_once_kev(source: str, n_pulses: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw electrons of single scatterings of all lines of a source."""
    lines = [line for group in source_named(source).groups for line in group.lines_kev]
    shares = np.array([share for group in source_named(source).groups for share in group.intensities])
    parts = []
    for line, n_line in zip(lines, rng.multinomial(n_pulses, shares / shares.sum()), strict=True):
        at = np.linspace(0, compton_edge_kev(line), 5000)
        parts.append(np.interp(rng.random(n_line), scattered_below(at, line), at))
    return np.concatenate(parts)


def measured(
    light_kevee: NDArray[np.float64],
    *,
    unit_per_kev: float,
    rng: np.random.Generator,
    sigma_at_400: float = 0.05,
    threshold_kevee: float = 30.0,
) -> Spectrum:
    """Smear light with photon statistics, cut it at a threshold, and make it charge."""
    smeared = light_kevee + rng.normal(size=len(light_kevee)) * sigma_at_400 * np.sqrt(400 * light_kevee)
    charge = unit_per_kev * smeared[smeared > threshold_kevee]
    return spectrum_of([charge], [np.zeros(len(charge), bool)], limits=None, rng=rng)
