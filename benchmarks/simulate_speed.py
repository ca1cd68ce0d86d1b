"""Measure how many pulses a second the simulator makes on one core.

Run from the repository: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/simulate_speed.py
"""

from __future__ import annotations

import time

from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.simulate import simulate_blocks

N_PULSES = 40_960


def main() -> None:
    for digitizer, spectrum in (
        ("NUMEXO2", "exponential"),
        ("NUMEXO2", "flat"),
        ("DT5730", "exponential"),
        ("DT5751", "exponential"),
    ):
        config = SimulationConfig(n_pulses=N_PULSES, digitizer=digitizer, spectrum=spectrum)
        cpu, wall = time.process_time(), time.perf_counter()
        n_pulses = sum(len(block) for block in simulate_blocks(config))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(
            f"BC501A {digitizer:8s} {spectrum:12s} {config.energy_min_kevee:g}-{config.energy_max_kevee:g} keVee: "
            f"{n_pulses / cpu:8.0f} pulses/s of processor time, {n_pulses / wall:8.0f} of wall time, tables included"
        )


if __name__ == "__main__":
    main()
