"""Hits of which one random coordinate is known, as a scan with collimators gives them: docs/positions.md.

python benchmarks/one_coordinate.py train.h5 one.h5 [--seed 4]

Copies a file of hits; of x_mm, y_mm and z_mm of each hit two become NaN. Train on both files and compare.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import h5py
import numpy as np

from discrimen.pulses.hits import COORDINATES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hits", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--seed", type=int, default=4)
    given = parser.parse_args()
    shutil.copyfile(given.hits, given.output)
    with h5py.File(given.output, "r+") as file:
        columns = file["columns"]
        known = np.random.default_rng(given.seed).integers(0, len(COORDINATES), len(file["samples"]))
        for number, name in enumerate(COORDINATES):
            column = columns[f"{name}_mm"]
            column[:] = np.where(known == number, column[:], np.nan)
        print(f"{given.output}: of {len(known)} hits {np.bincount(known)} know x, y, z")


if __name__ == "__main__":
    main()
