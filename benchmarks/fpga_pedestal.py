"""What a moved pedestal does to a network on chip: behind its front end, and with the pedestal taken for a constant.

The constant is the median baseline of the windows of the run as it is. Both see the same windows: trigger and alignment
are those of the front end, so that only the subtraction differs. The decision is that of the chip, at its threshold;
the leakage at the efficiency of the training is shown beside it, as if somebody set the threshold anew each time.

Usage: python benchmarks/fpga_pedestal.py CHIP RUN [--move 100] [--json]
CHIP is a folder of `discrimen fpga train`, RUN a labelled run that the training never saw.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen import api
from discrimen.fpga.chip_model import ChipModel, read_chip_model
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.streams import PulseWindows, windows_of_pulses
from discrimen.keras_jax import load_keras
from discrimen.metrics import leakage_at_efficiency
from discrimen.pulses import Label, Pulses

Row = dict[str, Any]


def moved_pulses(pulses: Pulses, by: int, front_end: FrontEnd) -> Pulses:
    """Return records with their pedestal moved by so many counts, cut off at the rails."""
    samples = np.clip(pulses.samples.astype(np.int32) + by, 0, front_end.highest_adc)
    return Pulses(samples=samples.astype(pulses.samples.dtype), sample_period_ns=pulses.sample_period_ns)


def upright_windows(pulses: Pulses, windows: PulseWindows, front_end: FrontEnd) -> NDArray[np.int32]:
    """Return the samples of windows without anything subtracted, shape (window, sample)."""
    upright = front_end.upright(pulses.samples.reshape(-1)).reshape(pulses.samples.shape)
    places = windows.position[:, None] - front_end.before + np.arange(front_end.length)
    samples: NDArray[np.int32] = upright[windows.pulse[:, None], places % upright.shape[1]]
    return samples


def judged(chip: ChipModel, values: NDArray[Any], label: NDArray[Any]) -> Row:
    """Return what the chip decides on windows, and the leakage with a threshold set anew."""
    scores = chip.scores(values)
    kept = scores >= chip.threshold
    again = leakage_at_efficiency(scores, label, efficiency=chip.efficiency)
    return {
        "neutrons_kept": float(kept[label == Label.NEUTRON].mean()),
        "gammas_leaking": float(kept[label == Label.GAMMA].mean()),
        "leakage_threshold_anew": again.leakage,
        "interval": (again.low, again.high),
    }


def measure(chip: ChipModel, pulses: Pulses, *, move: int, low_kevee: float, high_kevee: float) -> list[Row]:
    """Return a row for each pedestal."""
    light, truth = pulses.energy_kevee, pulses.column("label")
    if light is None:
        raise SystemExit("the run has no light (column energy_kevee)")
    rows: list[Row] = []
    constant: NDArray[Any] | None = None
    for by in (0, -move, move):
        there = moved_pulses(pulses, by, chip.front_end)
        windows = windows_of_pulses(there, chip.front_end)
        raw = upright_windows(there, windows, chip.front_end)
        constant = np.median(raw - windows.values) if constant is None else constant
        inside = (light[windows.pulse] >= low_kevee) & (light[windows.pulse] < high_kevee)
        label = truth[windows.pulse][inside]
        rows.append(
            {
                "moved_by_adc": by,
                "n_windows": len(label),
                "front end": judged(chip, windows.values[inside], label),
                "constant": judged(chip, (raw - int(constant))[inside], label),
            }
        )
    return rows


def text(rows: list[Row]) -> str:
    """Return the rows as a table."""
    lines = ["| pedestal moved by | subtracted | neutrons kept | gammas leaking | leakage with a threshold set anew |"]
    lines.append("|---|---|---|---|---|")
    for row in rows:
        for kind in ("front end", "constant"):
            one = row[kind]
            low, high = one["interval"]
            lines.append(
                f"| {row['moved_by_adc']} | {kind} | {one['neutrons_kept']:.2%} | {one['gammas_leaking']:.2%} "
                f"| {one['leakage_threshold_anew']:.2%} [{low:.2%}, {high:.2%}] |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chip", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--move", type=int, default=100, help="counts")
    parser.add_argument("--energy-min-kevee", type=float, default=50.0)
    parser.add_argument("--energy-max-kevee", type=float, default=100.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    chip = read_chip_model(load_keras(), options.chip)
    pulses = api.read(options.run, label_by="truth").pulses
    rows = measure(
        chip, pulses, move=options.move, low_kevee=options.energy_min_kevee, high_kevee=options.energy_max_kevee
    )
    if options.json:
        json.dump(rows, sys.stdout)
        return
    print(text(rows))


if __name__ == "__main__":
    main()
