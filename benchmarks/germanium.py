"""Time and accuracy of the simulation of a segmented germanium crystal, as docs/germanium.md states them.

python benchmarks/germanium.py [--detector greta-a] [--spacing-mm 1] [--finer-mm 0.5]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from discrimen.simulation.germanium.basis import BasisWish, build_basis
from discrimen.simulation.germanium.cloud import clouds
from discrimen.simulation.germanium.crystal import read_crystal
from discrimen.simulation.germanium.electronics import TIME_CONSTANT_NS
from discrimen.simulation.germanium.interactions import follow
from discrimen.simulation.germanium.potentials import residual, sum_rule_error
from discrimen.simulation.germanium.signals import Charges, Field, Window, build_field, induce
from discrimen.simulation.germanium.simulate import FULL_PHYSICS, GermaniumConfig, simulate_hits

WINDOW = Window()
RESPONSE_NS = TIME_CONSTANT_NS


@contextmanager
def timed(what: str) -> Iterator[None]:
    wall, processor = time.perf_counter(), time.process_time()
    yield
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{what}: {wall:.1f} s, {processor:.1f} s of processor time")


def random_points(field: Field, n: int) -> np.ndarray:
    crystal = field.crystal
    box = np.array([2 * crystal.radius_mm, 2 * crystal.radius_mm, crystal.length_mm])
    points = (np.random.default_rng(0).random((4 * n, 3)) - [0.5, 0.5, 0]) * box
    return points[field.depths_and_segments(points)[0] > 0.05][:n]


def tell_difference(what: str, some: np.ndarray, other: np.ndarray) -> None:
    rms = 100 * np.sqrt(np.mean((some - other) ** 2, axis=(1, 2)))
    print(
        f"{what}: rms over 37 channels, median {np.median(rms):.3f} %, 95 % of positions {np.percentile(rms, 95):.3f} %"
    )


def checks(field: Field, spacing_mm: float) -> None:
    print(f"sum rule {sum_rule_error(field.potentials):.1e}, residual {residual(field.potentials).max():.1e}")
    with timed("basis of 2 mm, whole crystal, two threads"):
        basis = build_basis(field.crystal, BasisWish(spacing_mm=2.0, field_spacing_mm=spacing_mm), electric=field)
    across = np.mean(field.depths_and_segments(basis.positions_mm)[1] != basis.segment)
    print(f"{len(basis)} positions, {basis.n_left_out} left out, {100 * across:.0f} % collected by a segment beside")
    bare = induce(field, Charges.single(basis.positions_mm), window=WINDOW)
    ends = bare.traces[:, :, -1].copy()
    ends[np.arange(len(basis)), bare.segment] -= 1
    ends[:, 36] -= 1
    print(f"charge at the end beside the full one of the hit segment and core: at most {np.abs(ends).max():.1e}")
    energies = np.full(20_000, 1500.0)
    done = follow(field, energies, rng=np.random.default_rng(1))
    left = np.bincount(done.gamma, weights=done.energy_kev, minlength=len(energies))
    print(f"energy of gamma rays: kept within {np.abs(left + done.lost_kev - energies).max():.1e} keV")


def cloud_effect(field: Field, points: np.ndarray) -> None:
    point = induce(field, Charges.single(points), window=WINDOW, time_constants_ns=RESPONSE_NS).traces
    for energy_kev in (100.0, 1000.0, 3000.0):
        first = np.arange(len(points) + 1)
        rng = np.random.default_rng(2)
        wide = clouds(field, points, np.full(len(points), energy_kev), first, n_parts=40, rng=rng)
        traces = induce(field, wide, window=WINDOW, time_constants_ns=RESPONSE_NS).traces / energy_kev
        tell_difference(f"cloud of {energy_kev:g} keV against a point", traces, point)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detector", default="greta-a")
    parser.add_argument("--spacing-mm", type=float, default=1.0)
    parser.add_argument("--finer-mm", type=float, help="compare with this grid; 0.5 mm takes a minute and 1 GB")
    given = parser.parse_args()
    crystal = read_crystal(given.detector)
    build_field(crystal, spacing_mm=4.0)  # compile
    with timed(f"potentials and velocities at {given.spacing_mm:g} mm, two threads"):
        field = build_field(crystal, spacing_mm=given.spacing_mm)
    checks(field, given.spacing_mm)
    cloud_effect(field, random_points(field, 500))
    for config in (
        GermaniumConfig(detector=given.detector, n_hits=4096, energy_kev=(300.0, 300.0)),
        GermaniumConfig(detector=given.detector, n_hits=1024, electronics=FULL_PHYSICS, cloud_parts=8),
    ):
        with timed(f"{config.n_hits} hits, {'single' if config.energy_kev else 'gamma rays, clouds of 8 parts'}"):
            sum(len(hits) for hits in simulate_hits(config, electric=field))
    if given.finer_mm:
        with timed(f"potentials and velocities at {given.finer_mm:g} mm, two threads"):
            finer = build_field(crystal, spacing_mm=given.finer_mm)
        print(f"sum rule {sum_rule_error(finer.potentials):.1e}")
        charges = Charges.single(random_points(field, 4000))
        coarse, fine = (
            induce(each, charges, window=WINDOW, time_constants_ns=RESPONSE_NS).traces for each in (field, finer)
        )
        tell_difference(f"grid of {given.spacing_mm:g} mm against {given.finer_mm:g} mm", coarse, fine)


if __name__ == "__main__":
    main()
