"""Hits of a toy crystal: 36 segments and a core, transients whose size tells the position; no physics beyond that."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from discrimen.pulses.hits import Hits
from discrimen.runs.hits_file import HitsWriter

N_SECTORS, N_RINGS, N_SAMPLES, PERIOD_NS = 6, 6, 60, 10.0
CHANNELS = (*(f"{'ABCDEF'[sector]}{ring + 1}" for ring in range(N_RINGS) for sector in range(N_SECTORS)), "core")
RADIUS_MM, LENGTH_MM = 36.0, 90.0
START = 16.0
"""Sample of the first movement."""


def toy_hits(
    n_hits: int,
    *,
    seed: int = 0,
    energies_kev: tuple[float, float] = (300.0, 1000.0),
    noise_adc: float = 3.0,
    energy_scale: float = 2.0,
) -> Hits:
    """Hits spread evenly over the toy crystal; 2 ADC counts a keV, white noise, a trigger within one sample."""
    rng = np.random.default_rng(seed)
    angle, z_mm = rng.uniform(0, 2 * np.pi, n_hits), rng.uniform(0, LENGTH_MM, n_hits)
    radius_mm = np.sqrt(rng.uniform(10.0**2, RADIUS_MM**2, n_hits))
    energy_kev = rng.uniform(*energies_kev, n_hits)
    late = rng.uniform(0, 1, n_hits)
    shapes = energy_scale * energy_kev[:, np.newaxis, np.newaxis] * _shapes(angle, radius_mm, z_mm, late)
    samples = 100 + shapes + rng.normal(0, noise_adc, shapes.shape)
    sector, ring = _segment(angle, z_mm)
    return Hits(
        samples=samples.round().astype(np.int16),
        sample_period_ns=PERIOD_NS,
        columns={
            "energy_kev": energy_kev,
            "segment": (sector + N_SECTORS * ring).astype(np.int16),
            "x_mm": radius_mm * np.cos(angle),
            "y_mm": radius_mm * np.sin(angle),
            "z_mm": z_mm,
            "n_interactions": np.ones(n_hits, np.int8),
            "time_offset_ns": PERIOD_NS * late,
        },
        channels=CHANNELS,
    )


def write_toy(path: Path, hits: Hits) -> Path:
    """Write hits into a file."""
    with HitsWriter(path, {"source": "toy"}) as writer:
        writer.write(hits)
    return path


def _segment(angle: np.ndarray, z_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sector = (angle // (2 * np.pi / N_SECTORS)).astype(int) % N_SECTORS
    return sector, np.minimum((z_mm // (LENGTH_MM / N_RINGS)).astype(int), N_RINGS - 1)


def _shapes(angle: np.ndarray, radius_mm: np.ndarray, z_mm: np.ndarray, late: np.ndarray) -> np.ndarray:
    """Traces in units of the energy, shape (hit, channel, sample)."""
    time = np.arange(N_SAMPLES) - START - late[:, np.newaxis]
    depth = (radius_mm / RADIUS_MM)[:, np.newaxis]
    electrons, holes = np.clip(time / (3 + 22 * depth), 0, 1), np.clip(time / (28 - 22 * depth), 0, 1)
    rise = depth * electrons + (1 - depth) * holes
    pulse = np.exp(-0.5 * np.square((time - 9) / 4))
    sector, ring = _segment(angle, z_mm)
    shapes = np.zeros((len(angle), len(CHANNELS), N_SAMPLES))
    row = np.arange(len(angle))
    shapes[row, sector + N_SECTORS * ring] = rise
    shapes[:, -1] = rise
    along = (angle / (2 * np.pi / N_SECTORS)) % 1
    deep = (z_mm / (LENGTH_MM / N_RINGS)) % 1
    for step, near in ((1, along), (-1, 1 - along)):
        size = (0.4 * near * (1.2 * depth[:, 0] - 0.6))[:, np.newaxis]
        shapes[row, (sector + step) % N_SECTORS + N_SECTORS * ring] = size * pulse
    for step, near in ((1, deep), (-1, 1 - deep)):
        there = (ring + step >= 0) & (ring + step < N_RINGS)
        size = (0.4 * near * (1.2 * depth[:, 0] - 0.6))[:, np.newaxis]
        shapes[row[there], (sector + N_SECTORS * (ring + step))[there]] = (size * pulse)[there]
    return shapes
