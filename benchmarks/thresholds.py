"""What a threshold by height does to fresh runs, in measured light, beside one number for all heights; and its cost.

    discrimen demo -o demo-output
    python benchmarks/thresholds.py demo-output [--runs 3] [--n-pulses 100000] [--json]

Takes the trained model, the calibration and the run of the thresholds that the demo left, chooses both kinds of
threshold on that run, and judges further simulated runs. Intervals are Wilson's at 95 %. The cost is that of the engine
on one core in batches of 4096 pulses, `run` for the scores alone against `run` for scores and heights with `decide`
after it, in turns.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen import api
from discrimen.benchmark.timing import time_in_turns
from discrimen.demo.run import EFFICIENCY
from discrimen.freezing.calibrate import efficiency_name
from discrimen.inference import engine
from discrimen.inference.load import Model
from discrimen.metrics import DEFAULT_ENERGY_EDGES_KEVEE, wilson_interval
from discrimen.network.height_curve import thresholds_of
from discrimen.pulse_shape.upright import calibrated_light_kevee
from discrimen.pulses import Label, Pulses
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.simulate import simulate

FIRST_SEED = 100
BATCH_PULSES = 4096
NAME = efficiency_name(EFFICIENCY)
Row = dict[str, Any]


def shares(passes: NDArray[np.bool_], members: NDArray[np.bool_]) -> list[float]:
    """Return the share that passes and its interval."""
    found = wilson_interval(int((passes & members).sum()), int(members.sum()))
    return [found.value, found.low, found.high]


def judged(models: dict[str, Model], pulses: Pulses, run: int) -> list[Row]:
    """Return what each threshold does to one run, in ranges of light as the charge and as the height tell it."""
    description = models["by height"].description
    settings = description.settings
    assert settings.calibration is not None
    charge = calibrated_light_kevee(
        pulses, settings.calibration, preparation=description.preparation, gates=settings.gates
    )
    scores, _, heights = models["by height"].predictor.judge(pulses.samples)
    assert heights is not None
    lights = {"charge": charge, "height": heights * np.nanmedian(charge / heights)}
    labels, neutron = pulses.column("label"), scores[:, description.neutron_class]
    rows: list[Row] = []
    for (by, light), (low, high) in product(lights.items(), pairwise(DEFAULT_ENERGY_EDGES_KEVEE)):
        inside = (light >= low) & (light < high)
        row: Row = {
            "run": run,
            "by": by,
            "kevee": [low, high],
            "n_neutron": int((inside & (labels == Label.NEUTRON)).sum()),
        }
        for kind, model in models.items():
            cut = model.description.thresholds[NAME]
            passes = neutron >= thresholds_of(cut, heights, n_pulses=len(neutron))
            for what, label in (("efficiency", Label.NEUTRON), ("leakage", Label.GAMMA)):
                row[f"{kind}: {what}"] = shares(passes, inside & (labels == label))
        rows.append(row)
    return rows


def cost(path: Path, pulses: Pulses, *, seconds: float) -> dict[str, float]:
    """Return the time of scores alone and of decisions by height, in ns a pulse, and their ratio."""
    model = engine.Model.load(str(path))
    workspace = engine.Workspace(model)
    samples = np.ascontiguousarray(pulses.samples[:BATCH_PULSES])
    scores = np.empty((BATCH_PULSES, model.n_classes), np.float32)
    heights, passes = np.empty(BATCH_PULSES, np.float32), np.empty(BATCH_PULSES, np.uint8)

    def scored() -> None:
        engine.run(model, workspace, samples, [scores])

    def decided() -> None:
        engine.run(model, workspace, samples, [scores], height_adc=heights)
        engine.decide(model, 0, 0, scores, heights, passes)

    times = time_in_turns({"scores": scored, "decisions": decided}, seconds=seconds)
    alone, decisions = (float(np.min(times[name])) / BATCH_PULSES for name in ("scores", "decisions"))
    return {"scores_ns": alone, "decisions_ns": decisions, "ratio": decisions / alone}


def text(rows: list[Row]) -> str:
    """Return the rows as a table."""
    lines = ["| run | light by | keVee | neutrons | by height: keeps | leaks | one threshold: keeps | leaks |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for row in rows:
        cells = [
            f"{100 * value:.3g} % ({100 * low:.3g}-{100 * high:.3g})"
            for value, low, high in (row[name] for name in row if ": " in name)
        ]
        low, high = row["kevee"]
        lines.append(f"| {row['run']} | {row['by']} | {low:g}-{high:g} | {row['n_neutron']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--n-pulses", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=10.0, help="for the cost")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    chosen_on = api.read(options.folder / "threshold.BIN", label_by="truth")
    with tempfile.TemporaryDirectory() as scratch:
        models = {
            kind: api.freeze(
                options.folder / "model",
                Path(scratch) / f"{kind}.discrimen",
                calibration=chosen_on,
                neutron_efficiencies=(EFFICIENCY,),
                by_height=kind == "by height",
            )
            for kind in ("by height", "one threshold")
        }
        rows = []
        for run in range(options.runs):
            pulses = simulate(SimulationConfig(n_pulses=options.n_pulses, seed=FIRST_SEED + run))
            rows += judged(models, pulses, run + 1)
        times = cost(models["by height"].path, pulses, seconds=options.seconds)
    if options.json:
        json.dump({"rows": rows, "cost": times}, sys.stdout)
        return
    print(text(rows))
    print(", ".join(f"{name} {value:.4g}" for name, value in times.items()))


if __name__ == "__main__":
    main()
