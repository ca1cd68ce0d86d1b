"""The commands that lead from run files to named pulses, as they could be typed one by one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from discrimen.workflow.plan_judging import steps_of_test_runs
from discrimen.workflow.run_files import FoundRuns, RunFile, short_names
from discrimen.workflow.step import SUFFIX, Reading, Step, gamma_run_options, paths_of
from discrimen.workflow.wishes import Wishes

PARTS = "parts"


def inspections(found: FoundRuns, wishes: Wishes) -> list[Step]:
    """Return the first steps: what is in each run file."""
    names = short_names([each.path for each in found.everything])
    learnt = {each.path for each in found.learnt_from}
    return [_inspection(file, names[file.path], wishes, alone=file.path not in learnt) for file in found.everything]


def the_rest(
    found: FoundRuns, wishes: Wishes, *, gates_known: bool, inspected: Mapping[Path, Mapping[str, Any]]
) -> list[Step]:
    """Return the steps after the inspections.

    Parameters
    ----------
    found : FoundRuns
        The run files.
    wishes : Wishes
        What to do with them.
    gates_known : bool
        Whether the runs or the detector file say the gates of charge comparison; else they are searched.
    inspected : mapping of Path to mapping
        What ``inspect`` says of run files.
    """
    steps: list[Step] = []
    settings = None if wishes.settings is None else str(wishes.settings)
    if not gates_known:
        steps.append(_gates(found, wishes, settings))
        settings = "gates.yaml"
    if found.calibrate:
        steps.append(_calibration(found, wishes, settings))
        settings = "detector.yaml"
    reading = Reading(wishes, settings)
    if wishes.judge == "none":
        steps.append(_part(found, reading, "learn", 0, 1))
        steps += [_learning_labels(found, reading), _audit(reading), _training(reading), _frozen(reading)]
    else:
        tune, stop = wishes.learn_share, round(wishes.learn_share + wishes.tune_share, 12)
        steps += [
            _part(found, reading, "learn", 0, tune),
            _part(found, reading, "tune", tune, stop),
            _part(found, reading, "judge", stop, 1),
            _learning_labels(found, reading),
            _band_labels(found, reading, "tune"),
            _band_labels(found, reading, "judge"),
            _audit(reading),
            _training(reading),
            _frozen(reading),
            _report(reading),
        ]
    names = short_names([each.path for each in found.everything])
    steps += steps_of_test_runs(found, reading, inspected=inspected)
    return [*steps, *(_scores(file, names[file.path], reading) for file in found.classify)]


def _inspection(file: RunFile, name: str, wishes: Wishes, *, alone: bool) -> Step:
    reading = Reading(wishes, None if wishes.settings is None else str(wishes.settings))
    picture = f"inspect/{name}.png"
    return Step(
        name=f"inspect-{name}",
        title=f"look into {name}",
        arguments=("inspect", str(file.path), "--plot", picture, *reading.of_runs),
        run_files=(file,),
        inputs=reading.inputs,
        outputs=(picture,),
        shown=(picture,),
        alone=alone,
    )


def _gates(found: FoundRuns, wishes: Wishes, settings: str | None) -> Step:
    reading = Reading(wishes, settings)
    return Step(
        name="gates",
        title="search the gates of charge comparison, which the runs do not say",
        arguments=("gates", *paths_of(found.mixed), "-o", "gates.yaml", "--overwrite", *reading.of_runs),
        run_files=found.mixed,
        inputs=reading.inputs,
        outputs=("gates.yaml",),
    )


def _calibration(found: FoundRuns, wishes: Wishes, settings: str | None) -> Step:
    reading = Reading(wishes, settings)
    files = [(source, each) for source, files in found.calibrate.items() for each in files]
    sources = [word for source, _ in files for word in ("--source", source)]
    options = ("-o", "detector.yaml", "--plot", "calibration.png", "--overwrite")
    return Step(
        name="calibrate",
        title="light in keVee from Compton edges",
        arguments=("calibrate", *paths_of([each for _, each in files]), *sources, *options, *reading.of_runs),
        run_files=tuple(each for _, each in files),
        inputs=reading.inputs,
        outputs=("detector.yaml",),
        shown=("calibration.png",),
    )


def _part(found: FoundRuns, reading: Reading, name: str, first: float, stop: float) -> Step:
    output = f"{PARTS}/{name}.lh5"
    what = {"learn": "to learn from", "tune": "to choose the threshold on", "judge": "to judge by"}[name]
    share = ("--share", f"{first:g}:{stop:g}")
    return Step(
        name=f"part-{name}",
        title=f"part of the mixed runs {what}",
        arguments=("convert", *paths_of(found.mixed), "-o", output, *share, "--overwrite", *reading.of_runs),
        run_files=found.mixed,
        inputs=reading.inputs,
        outputs=(output,),
    )


def _learning_labels(found: FoundRuns, reading: Reading) -> Step:
    if reading.wishes.labels == "band":
        return _band_labels(found, reading, "learn")
    return Step(
        name="label-learn",
        title="labels to learn by: mixed source against gamma source",
        arguments=(
            *("label", f"{PARTS}/learn.lh5", "--method", "source"),
            *gamma_run_options(found),
            *("-o", "learn.lh5", "--seed", str(reading.wishes.seed)),
            *reading.of_runs,
        ),
        run_files=found.gamma,
        inputs=(f"{PARTS}/learn.lh5", *reading.inputs),
        outputs=("learn.lh5", "learn.lh5.labels.json"),
    )


def _band_labels(found: FoundRuns, reading: Reading, name: str) -> Step:
    wishes = reading.wishes
    what = {"learn": "to learn by", "tune": "for the threshold", "judge": "to judge by"}[name]
    return Step(
        name=f"label-{name}",
        title=f"labels {what}: the two bands of the PSD",
        arguments=(
            *("label", f"{PARTS}/{name}.lh5", "--method", "band", "--purity", f"{wishes.purity:g}"),
            *gamma_run_options(found),
            *("-o", f"{name}.lh5", "--plot", f"{name}.bands.png", "--seed", str(wishes.seed)),
            *reading.of_runs,
        ),
        run_files=found.gamma,
        inputs=(f"{PARTS}/{name}.lh5", *reading.inputs),
        outputs=(f"{name}.lh5", f"{name}.lh5.labels.json"),
        shown=(f"{name}.bands.png",),
    )


def _audit(reading: Reading) -> Step:
    against = () if reading.wishes.judge == "none" else ("judge.lh5",)
    return Step(
        name="audit",
        title="what a network could cheat from",
        arguments=(
            *("audit", "learn.lh5", "-o", "audit"),
            *(word for each in against for word in ("--against", each)),
            *("--seed", str(reading.wishes.seed)),
        ),
        inputs=("learn.lh5", *against),
        outputs=("audit/audit.json", "audit/audit.html"),
        shown=("audit/audit.html",),
    )


def _training(reading: Reading) -> Step:
    wishes = reading.wishes
    numbers = {
        "--architecture": wishes.architecture,
        "--epochs": wishes.epochs,
        "--patience": wishes.patience,
        "--batch-size": wishes.batch_size,
        "--seed": wishes.seed,
    }
    options = [word for option, value in numbers.items() for word in (option, str(value))]
    accept = ("--accept",) if wishes.accept_audit else ()
    return Step(
        name="train",
        title="train the network",
        arguments=("train", "learn.lh5", "-o", "model", *options, *accept, "--overwrite"),
        inputs=("learn.lh5", "learn.lh5.labels.json"),
        outputs=("model/model.keras", "model/model.json", "model/history.csv"),
        shown=("model/training.png",),
        unfinished="model/checkpoints/state.npz",
        going_on=("train", "learn.lh5", "--resume", "model"),
    )


def _frozen(reading: Reading) -> Step:
    wishes = reading.wishes
    tuned = wishes.judge != "none"
    choice = ("--calibrate", "tune.lh5", "--no-temperature", "--neutron-efficiency", f"{wishes.neutron_efficiency:g}")
    return Step(
        name="freeze",
        title="freeze the network into one file, with its threshold" if tuned else "freeze the network into one file",
        arguments=("freeze", "model", "-o", f"model{SUFFIX}", *(choice if tuned else ())),
        inputs=("model/model.keras", "model/model.json", *(("tune.lh5",) if tuned else ())),
        outputs=(f"model{SUFFIX}",),
    )


def _report(reading: Reading) -> Step:
    return Step(
        name="evaluate",
        title="judge it beside charge comparison",
        arguments=(
            *("evaluate", f"model{SUFFIX}", "judge.lh5", "--tuning", "tune.lh5", "-o", "report"),
            *("--seed", str(reading.wishes.seed)),
        ),
        inputs=(f"model{SUFFIX}", "judge.lh5", "tune.lh5"),
        outputs=("report/report.json", "report/report.html"),
        shown=("report/report.html",),
    )


def _scores(file: RunFile, name: str, reading: Reading) -> Step:
    wishes = reading.wishes
    output, picture = f"scores/{name}.{wishes.scores}", f"scores/{name}.png"
    return Step(
        name=f"classify-{name}",
        title=f"names for the pulses of {name}",
        arguments=(
            *("classify", f"model{SUFFIX}", str(file.path), "-o", output, "--plot", picture),
            *("--most-outside", f"{wishes.most_outside:g}", "--overwrite"),
            *reading.of_runs,
        ),
        run_files=(file,),
        inputs=(f"model{SUFFIX}", *reading.inputs),
        outputs=(output, picture),
        shown=(picture,),
        alone=True,
    )
