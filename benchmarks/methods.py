"""Every method against the photon-level bound in five ranges of energy: simulated BC501A at 10 ns and at 2 ns a sample.

For each setting (10ns: NUMEXO2, 75 samples of 10 ns; 10ns-soft: trained with more pulses of little light; 2ns: DT5730,
400 samples of 2 ns) the reference network and the best architecture are trained on the same pulses in the same way,
once for each seed; of each the seed with the lowest validation loss goes into the table. All classic methods are tuned
on the same training run, for each range anew. All are judged once, on a run that no training and no tuning saw. Also
printed: what every seed leaks on that run in 50-100 keVee, and the native times of both networks in turns. A network
that is in the folder is not trained again.

    python benchmarks/methods.py [-o bench-output/methods] [--setting 10ns] [--json]
    python benchmarks/methods.py --classic template_likelihood --setting 10ns    # one row, no network
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from architectures import (
    EFFICIENCY,
    HARDEST_KEVEE,
    NativeTime,
    Trained,
    frozen,
    leakages,
    native_times,
    percent,
    say,
    trained,
)
from discrimen.evaluation import METHODS, BinReport, Report, evaluate
from discrimen.evaluation.classic_methods import ClassicMethods, tuned_methods
from discrimen.evaluation.tuning import TuningSelection, merit_on, tuning_pulses
from discrimen.inference.load import load_model
from discrimen.metrics import DEFAULT_ENERGY_EDGES_KEVEE, EnergyBin, Leakage, energy_bins, leakage_at_efficiency
from discrimen.network.prepare import choose_preparation
from discrimen.pulse_shape.upright import aligned_preparation
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What one digitizer is judged with; a longer record costs more time a pulse.

    Parameters
    ----------
    digitizer : str
        Its name.
    slope_kevee : float
        Mean of the exponential spectrum of the training run; the test run always has the simulator's 300 keVee.
    n_train, n_test, epochs : int
        Pulses simulated and passes over them.
    options : mapping
        Of the best architecture, where they are not its defaults.
    seed : int
        Of the training run; the test run has the next one.
    """

    digitizer: str
    slope_kevee: float
    n_train: int
    n_test: int
    epochs: int
    options: Mapping[str, Any]
    seed: int


SETTINGS: Mapping[str, Setting] = {
    "10ns": Setting(
        digitizer="NUMEXO2", slope_kevee=300, n_train=800_000, n_test=600_000, epochs=10, options={}, seed=601
    ),
    "10ns-soft": Setting(
        digitizer="NUMEXO2", slope_kevee=80, n_train=800_000, n_test=600_000, epochs=10, options={}, seed=621
    ),
    "2ns": Setting(
        digitizer="DT5730",
        slope_kevee=300,
        n_train=200_000,
        n_test=200_000,
        epochs=8,
        options={"kernel": 16, "stride": 8},
        seed=611,
    ),
}
NETWORKS = {"reference": "mlp", "best": "patches"}
NAMES = {"reference": "Reference network (MLP 10-4)", "best": "Best network (patches)"}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Judged:
    """All that was found with one digitizer."""

    setting: str
    reports: Mapping[str, Report]
    trainings: Mapping[str, list[Trained]]
    by_seed: Mapping[str, list[Leakage]]
    times: Mapping[str, NativeTime]


def training_run(setting: Setting) -> SimulationConfig:
    """Return what the networks are trained and the classic methods tuned on."""
    return SimulationConfig(
        n_pulses=setting.n_train,
        digitizer=setting.digitizer,
        exponential_slope_kevee=setting.slope_kevee,
        seed=setting.seed,
    )


def judge(name_of_setting: str, folder: Path, *, seeds: int) -> Judged:
    """Simulate, train, tune and judge."""
    setting, place = SETTINGS[name_of_setting], folder / name_of_setting
    place.mkdir(parents=True, exist_ok=True)
    simulation = training_run(setting)
    pulses = simulate(simulation)
    trainings = {
        name: [
            trained(
                name,
                architecture,
                pulses,
                simulation,
                place,
                epochs=setting.epochs,
                seed=seed,
                options=setting.options if name == "best" else {},
            )
            for seed in range(seeds)
        ]
        for name, architecture in NETWORKS.items()
    }
    test = simulate(SimulationConfig(n_pulses=setting.n_test, digitizer=setting.digitizer, seed=setting.seed + 1))
    chosen = frozen({name: min(runs, key=lambda run: run.val_loss) for name, runs in trainings.items()})
    say(f"{name_of_setting}: judging {', '.join(path.stem for path in chosen.values())}")
    hardest = EnergyBin(*HARDEST_KEVEE)
    by_seed = {
        name: [leakages(path, test, [hardest])[0] for path in frozen({run.folder.name: run for run in runs}).values()]
        for name, runs in trainings.items()
    }
    reports = {
        "best": evaluate(load_model(chosen["best"]).predictor, test, tuning=pulses),
        "reference": evaluate(load_model(chosen["reference"]).predictor, test),
    }
    times = native_times(chosen, test.samples)
    return Judged(setting=name_of_setting, reports=reports, trainings=trainings, by_seed=by_seed, times=times)


def classic_rows(name_of_setting: str, names: Sequence[str]) -> str:
    """Return the table's rows of some classic methods alone: same pulses, no network."""
    setting = SETTINGS[name_of_setting]
    simulation = training_run(setting)
    tuning = simulate(simulation)
    test = simulate(SimulationConfig(n_pulses=setting.n_test, digitizer=setting.digitizer, seed=setting.seed + 1))
    given = choose_preparation(detector_settings(simulation), n_samples=tuning.n_samples)
    aligned = aligned_preparation(tuning.samples, given, whole_share=0.9)
    chosen = TuningSelection(pulses=tuning, energy_kevee=tuning.column("energy_kevee").astype(np.float64))
    rng, rows = np.random.default_rng(0), {name: [] for name in names}
    for energy in energy_bins(DEFAULT_ENERGY_EDGES_KEVEE):
        part = test[energy.contains(test.column("energy_kevee"))]
        pulses = tuning_pulses(chosen, energy=energy, rng=rng)
        tuned = tuned_methods(pulses, preparation=aligned, merit=merit_on(pulses), seed=0, by_energy=True)
        methods = ClassicMethods(methods={name: tuned[name] for name in names}, preparation=aligned)
        for name, scores in methods.scores(part.samples).items():
            rows[name].append(percent(leakage_at_efficiency(scores, part.column("label"), efficiency=EFFICIENCY)))
            say(f"{name}, {energy}: {rows[name][-1]}, {dict(tuned[name].parameters)}")
    return "\n".join("| " + " | ".join([METHODS[name], *found]) + " |" for name, found in rows.items())


def cell(part: BinReport, method: str) -> str:
    """Write one method's leakage in one range."""
    result = part.computed().get(method)
    leakage = None if result is None else result.leakage_at(EFFICIENCY)
    return "-" if leakage is None else percent(leakage)


def table(judged: Judged) -> str:
    """Return the table of one digitizer in Markdown, the networks first, the bound last."""
    best, reference = judged.reports["best"].bins, judged.reports["reference"].bins
    lines = [["gamma leakage", *map(str, (part.energy for part in best))], ["---"] * (len(best) + 1)]
    lines.append([NAMES["best"], *(cell(part, "network") for part in best)])
    lines.append([NAMES["reference"], *(cell(part, "network") for part in reference)])
    lines += [
        [title, *(cell(part, method) for part in best)] for method, title in METHODS.items() if method != "network"
    ]
    lines.append(["gammas, neutrons judged", *(f"{part.n_gamma}, {part.n_neutron}" for part in best)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def comparison(judged: Judged) -> str:
    """Return what the networks leak seed by seed in the hardest range, and how long they take."""
    lines = []
    for name, found in judged.by_seed.items():
        values = ", ".join(f"{100 * one.leakage:.2f}" for one in found)
        losses = ", ".join(f"{run.val_loss:.5f}" for run in judged.trainings[name])
        mean = 100 * sum(one.leakage for one in found) / len(found)
        time = judged.times[name]
        lines.append(
            f"{NAMES[name]}: {values} % by seed (mean {mean:.2f} %), validation losses {losses}; "
            f"{judged.trainings[name][0].n_parameters} parameters, "
            f"{time.batch_ns:.1f} ns in batches, {time.single_ns:.0f} ns a single pulse"
        )
    best, reference = (chosen_leakage(judged, name) for name in ("best", "reference"))
    means = {name: sum(one.leakage for one in found) / len(found) for name, found in judged.by_seed.items()}
    ratios = [getattr(judged.times["best"], kind) / getattr(judged.times["reference"], kind) for kind in _TIMES]
    lines.append(
        f"best against reference, {EnergyBin(*HARDEST_KEVEE)}: leakage lower by {1 - best / reference:.1%} "
        f"(means over seeds: {1 - means['best'] / means['reference']:.1%}), "
        f"time {ratios[0]:.2f} times in batches, {ratios[1]:.2f} times for a single pulse"
    )
    return "\n".join(lines)


_TIMES = ("batch_ns", "single_ns")


def chosen_leakage(judged: Judged, name: str) -> float:
    """Return the leakage, in the hardest range, of the seed with the lowest validation loss."""
    losses = [run.val_loss for run in judged.trainings[name]]
    return judged.by_seed[name][losses.index(min(losses))].leakage


def as_dict(judged: Judged) -> dict[str, Any]:
    """Return plain data, ready for JSON."""
    return {
        "setting": judged.setting,
        "efficiency": EFFICIENCY,
        "reports": {name: report.as_dict()["bins"] for name, report in judged.reports.items()},
        "leakage_by_seed": {name: [asdict(one) for one in found] for name, found in judged.by_seed.items()},
        "val_loss_by_seed": {name: [run.val_loss for run in runs] for name, runs in judged.trainings.items()},
        "native": {name: asdict(one) for name, one in judged.times.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("bench-output/methods"))
    parser.add_argument("--setting", action="append", choices=SETTINGS, help="by default all")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each network")
    parser.add_argument("--classic", action="append", help="only the rows of this classic method; repeatable")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = []
    for setting in (options.setting or SETTINGS) if options.classic else ():
        print(f"\n{setting}\n\n{classic_rows(setting, options.classic)}", flush=True)
    if options.classic:
        return
    for setting in options.setting or SETTINGS:
        judged = judge(setting, options.output, seeds=options.seeds)
        found.append(as_dict(judged))
        if not options.json:
            print(f"\n{setting}\n\n{table(judged)}\n\n{comparison(judged)}", flush=True)
    if options.json:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
