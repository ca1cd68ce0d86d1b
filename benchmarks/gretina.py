"""Locate the measured spots and calculated signals of a folder of GRETINA's by a model or a basis.

python benchmarks/gretina.py FOLDER MODEL [--samples 100:174]

The folder holds `cevt_RunA<text>_RunB<text>.dat` (mean signal of run A, of run B, and their sum), `positions.txt` (run,
x, y, z in mm), and calculated signals `<name>.dat` with `<name>_positions.txt` beside, in the same order. The records
are cut to `--samples`: their last ones are no signal. Nothing of the folder is fitted.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

import numpy as np

from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader
from discrimen.grid_search.locate import GridSearch
from discrimen.inference.load import load_model
from discrimen.inference.positions import Locator, ModelLocator
from discrimen.network.hits_domain import FLAG_WORDS
from discrimen.pulses.hits import Hits
from discrimen.runs.gather_options import GatherOptions
from discrimen.runs.gather_runs import write_hits
from discrimen.runs.hits_file import read_hits
from discrimen.simulation.germanium.basis import is_basis_file, read_basis

RUNS = re.compile(r"cevt_Run(\d+)\D.*_Run(\d+)\D")


def table(path: Path) -> list[list[float]]:
    return [[float(each) for each in line.split(",")] for line in path.read_text().splitlines()[1:] if line.strip()]


def hits_of(path: Path, samples: tuple[int, int]) -> Hits:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "hits.h5"
        options = GatherOptions(flat_is_dead=False)
        write_hits([open_reader(path, ReadOptions())], output, options=options, samples=samples)
        return read_hits(output)


def tell(name: str, errors: np.ndarray, flags: np.ndarray) -> None:
    located = np.isfinite(errors).all(axis=1)
    apart = np.linalg.norm(errors[located], axis=1)
    why = [words for bit, words in FLAG_WORDS.items() if (flags & bit).any()]
    print(f"{name}: {located.sum()} of {len(errors)} located" + (f" ({'; '.join(why)})" if why else ""))
    if located.any():
        rms = np.sqrt(np.square(errors[located]).mean(axis=0))
        bias = errors[located].mean(axis=0)
        print(f"  3-D median {np.median(apart):.2f} mm, largest {apart.max():.2f} mm")
        print(f"  rms {rms.round(2)} mm, mean error {bias.round(2)} mm in x, y, z")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--samples", default="100:174")
    given = parser.parse_args()
    start, stop = map(int, given.samples.split(":"))
    locator: Locator
    if is_basis_file(given.model):
        locator = GridSearch(basis=read_basis(given.model), latest_ns=400.0, noise_adc=7.2)
    else:
        locator = ModelLocator(load_model(given.model).predictor)
    spots = {int(run): place for run, *place in table(given.folder / "positions.txt")}
    found: dict[int, list[np.ndarray]] = {}
    flags = []
    for path in sorted(given.folder.glob("cevt_*.dat")):
        match = RUNS.match(path.name)
        if match is None:
            continue
        located = locator.locate(hits_of(path, (start, stop)))
        flags += located.flags[:2].tolist()
        for run, position in zip(map(int, match.groups()), located.position_mm[:2], strict=True):
            found.setdefault(run, []).append(position)
    for run, positions in sorted(found.items()):
        error = np.mean(positions, axis=0) - spots[run]
        print(f"run {run}: {np.mean(positions, axis=0).round(1)} mm, off by {np.linalg.norm(error):.2f} mm")
    errors = np.array([position - spots[run] for run, positions in found.items() for position in positions])
    tell("measured spots", errors, np.array(flags))
    for places in sorted(given.folder.glob("*_positions.txt")):
        signals = places.with_name(places.name.replace("_positions.txt", ".dat"))
        located = locator.locate(hits_of(signals, (start, stop)))
        tell(signals.name, located.position_mm - np.array(table(places))[:, 1:4], located.flags)


if __name__ == "__main__":
    main()
