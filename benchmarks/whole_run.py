"""`discrimen run` on simulated CoMPASS projects: how long its two commands take, and what the truth says of the names.

    python benchmarks/whole_run.py whole-run-output [--mixed 100000] [--gamma 60000] [--later 50000] [--without-gamma]

Simulates a Cf-252 and a Co-60 run of BC501A with NUMEXO2 and a later Cf-252 run into CoMPASS folders, gives the two
commands that a newcomer gives, and compares the classes of the later run with the truth, in ranges of true light.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import discrimen
from discrimen.metrics import wilson_interval
from discrimen.pulses import Label
from discrimen.scoring.scores import read_scores
from discrimen.simulation.truth import read_truth, truth_path

RANGES_KEVEE = ((30, 50), (50, 100), (100, 200), (200, 400), (400, 2000), (30, 2000))


def main() -> None:
    """Simulate, run, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a new folder")
    parser.add_argument("--mixed", type=int, default=100_000, help="pulses of the mixed source")
    parser.add_argument("--gamma", type=int, default=60_000, help="pulses of the gamma source")
    parser.add_argument("--later", type=int, default=50_000, help="pulses of the later run")
    parser.add_argument("--without-gamma", action="store_true", help="labels from the bands alone")
    options = parser.parse_args()
    later = simulated(options.folder / "LATER", 3, options.later, spectrum="Cf-252")
    simulated(options.folder / "CF252", 1, options.mixed, spectrum="Cf-252")
    sources = ["CF252"]
    if not options.without_gamma:
        simulated(options.folder / "CO60", 2, options.gamma, spectrum="Co-60")
        sources.append("CO60")
    command(options.folder, "run", *sources, "-o", "out")
    command(options.folder, "rerun", "out", "--classify", "LATER")
    compare(later, options.folder / "out" / "scores" / "LATER_run_3_DataR_run_3.h5")


def simulated(project: Path, number: int, n_pulses: int, *, spectrum: str) -> Path:
    """Simulate a run into the folders of CoMPASS."""
    raw = project / "DAQ" / f"run_{number}" / "RAW"
    raw.mkdir(parents=True)
    run = raw / f"DataR_run_{number}.BIN"
    discrimen.simulate(run, n_pulses, spectrum=spectrum, seed=number)
    return run


def command(folder: Path, *arguments: str) -> None:
    """Give a command, and say how long it took."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "discrimen", *arguments], cwd=folder, check=True)
    print(f"{time.monotonic() - began:.0f} s: discrimen {' '.join(arguments)}")


def compare(run: Path, scores: Path) -> None:
    """Print which share of the neutrons was kept and of the gammas leaked, with 95 % intervals."""
    truth, table = read_truth(truth_path(run)).columns, read_scores(scores)
    columns = table.rows.columns(table.classes)
    light, label = (truth[name][columns["entry"]] for name in ("energy_kevee", "label"))
    named_neutron = columns["class_number"] == table.classes.index("neutron")
    print("keVee, true | neutrons kept | gammas leaked")
    for low, high in RANGES_KEVEE:
        inside = (light >= low) & (light < high)
        told = []
        for true in (Label.NEUTRON, Label.GAMMA):
            chosen = named_neutron[inside & (label == true)]
            found = wilson_interval(int(chosen.sum()), len(chosen))
            told.append(f"{found.value:.2%} ({found.low:.2%}-{found.high:.2%})")
        print(f"{low}-{high} | {' | '.join(told)}")


if __name__ == "__main__":
    main()
