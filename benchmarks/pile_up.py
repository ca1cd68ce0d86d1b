"""How many second pulses are found in records, by distance and height, and how many single pulses are taken for two.

Three simulated set-ups: single pulses of a run of their own give the false alarms, records with one second pulse the
efficiency. With --others FOLDER also the X-ray pulses of another simulation (Allpix Squared; Lin, "NPPD: An Open
Dataset Covering Nuclear Pulse for Pile-up Correction", records of type III).

Usage: python benchmarks/pile_up.py [--pulses 40000] [--others ../shared/data/pileup] [--json]
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network.prepare import choose_preparation, constant_fraction_crossing
from discrimen.pulse_shape.second_pulses import clean_pulses, learn_single_pulses
from discrimen.pulse_shape.upright import CROSSING_FRACTION
from discrimen.pulses import concatenate
from discrimen.scoring.pile_up import PileUp, learn_pile_up
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate_blocks, simulate_blocks_with_truth

SET_UPS = (("BC501A", "NUMEXO2"), ("EJ-276", "DT5730"), ("BC501A", "DT5751"))
DELAYS_NS = (0, 20, 40, 60, 80, 120, 200, 700)
BY_RUN = "efficiency_from_the_run"
RATIOS = (0.03, 0.1, 0.3, 1, 3, 30)


def simulated(detector: str, digitizer: str, n_pulses: int) -> dict[str, Any]:
    """Return false alarms, efficiency in all, and by distance and ratio of the heights."""

    def config(seed: int, share: float) -> SimulationConfig:
        return SimulationConfig(
            n_pulses=n_pulses, detector=detector, digitizer=digitizer, pileup_fraction=share, seed=seed
        )

    singles = list(simulate_blocks(config(1, 0.0)))
    settings = detector_settings(config(1, 0.0))
    preparation = choose_preparation(settings, n_samples=singles[0].n_samples)
    alone = learn_pile_up(singles, preparation)(concatenate(singles))
    blocks = list(simulate_blocks_with_truth(config(2, 0.1)))
    search = learn_pile_up((block.pulses for block in blocks), preparation)
    found, delay, ratio = [], [], []
    for block in blocks:
        second = block.pile_up
        found.append(search(block.pulses)[second.pulse] & PileUp.IN_RECORD != 0)
        delay.append(second.delay_ns)
        ratio.append(second.second_adc.max(axis=1) / second.first_adc.max(axis=1))
    seen, at_ns, height = map(np.concatenate, (found, delay, ratio))
    assert search.others is not None
    return {
        "set_up": f"{detector}, {digitizer}",
        "false_alarms": int((alone & PileUp.IN_RECORD != 0).sum()),
        "n_single": len(alone),
        "efficiency": float(seen.mean()),
        "n_second": len(seen),
        BY_RUN: search.others.seen_share,
        "table": _table(seen, at_ns, height),
    }


def others(folder: Path) -> dict[str, Any]:
    """Return the same for records of the other simulation, whose labels say when each pulse arrived."""
    waves, energy = (
        np.loadtxt(folder / "Type3" / f"{name}_train.csv", delimiter=",", dtype=np.float32)
        for name in ("feature", "label")
    )
    arrivals = (energy > 0).sum(axis=1)
    measured = {
        "crossing": constant_fraction_crossing(waves, fraction=CROSSING_FRACTION),
        "height_adc": waves.max(axis=1),
    }
    single = learn_single_pulses(
        waves,
        **measured,
        clean=clean_pulses(waves, **measured, noise_adc=0.0),
        baseline_samples=slice(0, 40),
        noise_adc=0.0,
    )
    assert single is not None
    found = single.found(waves, **measured)
    two = np.flatnonzero(arrivals == 2)
    times = np.array([np.flatnonzero(each > 0) for each in energy[two]])
    heights = np.take_along_axis(energy[two], times, axis=1)
    return {
        "set_up": f"{folder.name}, 1 ns",
        "false_alarms": int(found[arrivals == 1].sum()),
        "n_single": int((arrivals == 1).sum()),
        "efficiency": float(found[two].mean()),
        "n_second": len(two),
        "table": _table(found[two], np.diff(times)[:, 0].astype(float), heights[:, 1] / heights[:, 0]),
    }


def _table(seen: NDArray[np.bool_], delay: NDArray[Any], ratio: NDArray[Any]) -> list[dict[str, Any]]:
    rows = []
    for low, high in itertools.pairwise(DELAYS_NS):
        cells = []
        for least, most in itertools.pairwise(RATIOS):
            inside = (delay >= low) & (delay < high) & (ratio >= least) & (ratio < most)
            cells.append(float(seen[inside].mean()) if inside.sum() >= 10 else None)
        rows.append({"delay_ns": [low, high], "efficiency": cells})
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pulses", type=int, default=40_000)
    parser.add_argument("--others", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = [simulated(*names, options.pulses) for names in SET_UPS]
    if options.others is not None:
        results += [others(folder) for folder in sorted(options.others.iterdir()) if (folder / "Type3").is_dir()]
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for result in results:
        print(
            f"{result['set_up']}: {result['false_alarms']} false alarms of {result['n_single']} single pulses; "
            f"{result['efficiency']:.1%} of {result['n_second']} second pulses found"
            + (f" ({result[BY_RUN]:.1%} by the run itself)" if BY_RUN in result else "")
        )
        print(
            "  ns between      " + "".join(f"{a:g}-{b:g}".rjust(9) for a, b in itertools.pairwise(RATIOS)) + " heights"
        )
        for row in result["table"]:
            low, high = row["delay_ns"]
            cells = "".join(("-" if cell is None else f"{cell:.0%}").rjust(9) for cell in row["efficiency"])
            print(f"  {low:>5}-{high:<10}{cells}")


if __name__ == "__main__":
    main()
