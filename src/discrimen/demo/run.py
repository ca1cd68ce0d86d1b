"""The whole path on a simulated run of NEDA: simulate, calibrate, audit, train, freeze, evaluate, classify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discrimen import api
from discrimen.audit import Audit, write_audit
from discrimen.calibration.calibrate import CalibrationOptions, calibrate_runs
from discrimen.calibration.detector_file import calibrated_settings, settings_yaml
from discrimen.calibration.gamma_sources import source_named
from discrimen.demo.contents import INDEX, write_index
from discrimen.demo.next_steps import next_steps
from discrimen.evaluation import Report
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader
from discrimen.inference.load import Model
from discrimen.output.files import complete_or_absent
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.dataset import Dataset
from discrimen.runs.inspection import Inspection, inspect_run
from discrimen.scoring.classification import Classification
from discrimen.scoring.classify import classify_run
from discrimen.scoring.discriminator import choose_thresholds, discriminators_of
from discrimen.scoring.run_sample import RunSample
from discrimen.training.tasks import Reconstruction

EFFICIENCY = 0.95
"""Share of the neutrons that the frozen model's threshold keeps."""

_N_CALIBRATION = 30_000
_CODE = 4


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DemoResult:
    """What the demo made.

    Parameters
    ----------
    folder : Path
        Where everything lies.
    inspection : Inspection
        Of the test run.
    audit : Audit
        Of the labelled pulses that the network learns from.
    model : Model
        The reference network, trained.
    frozen : Model
        The same as one file with a temperature and a threshold, computed by the native engine.
    report : Report
        Of the frozen model on the test run.
    classification : Classification
        Of the test run, from its CoMPASS file by the frozen model.
    autoencoder : Model
        A small auto-encoder of the same pulses, frozen; its pictures lie in the folder that it was trained in.
    """

    folder: Path
    inspection: Inspection
    audit: Audit
    model: Model
    frozen: Model
    report: Report
    classification: Classification
    autoencoder: Model

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "folder": str(self.folder),
            "index": str(self.folder / INDEX),
            "next": [{"ability": each.ability, "command": each.command} for each in next_steps(self.folder)],
            "audit": {"n_errors": len(self.audit.errors), "n_findings": len(self.audit.findings)},
            "model": self.model.description.as_dict(),
            "frozen": {
                "path": str(self.frozen.path),
                "sha256": self.frozen.sha256,
                "n_bytes": self.frozen.path.stat().st_size,
                "backend": self.frozen.predictor.backend,
            },
            "report": self.report.as_dict(),
            "classification": self.classification.as_dict(),
            "autoencoder": {
                "path": str(self.autoencoder.path),
                "latents": self.autoencoder.description.provenance["latents"],
            },
        }


def run_demo(
    folder: Path,
    *,
    n_train: int = 126_000,
    n_test: int = 100_000,
    epochs: int = 120,
    seed: int = 1,
    on_step: Callable[[str], None] = lambda _: None,
) -> DemoResult:
    """Take a simulated run of BC501A cells with NUMEXO2 digitizers through the whole path.

    Parameters
    ----------
    folder : Path
        Where to leave run files, model, frozen model, report, scores and plots; what an earlier demo left is replaced.
    n_train, n_test : int
        Pulses of the runs to train and to judge on, half of them neutrons; the run that the threshold is chosen on has
        as many as the first.
    epochs : int
        At most so many.
    seed : int
        Of the first run and of the training; the others have the next ones.
    on_step : callable
        Called with what is being done.
    """
    # Matplotlib belongs to the extras of training; a plain import of this module does not need it.
    from discrimen.demo.picture import draw_demo
    from discrimen.runs.inspection.plot import draw_inspection

    train_run, test_run, threshold_run = (folder / f"{name}.BIN" for name in ("train", "test", "threshold"))
    on_step(f"simulating {n_train}, {n_test} and {n_train} pulses of BC501A with NUMEXO2 into CoMPASS files")
    for number, (run, n_pulses) in enumerate(((train_run, n_train), (test_run, n_test), (threshold_run, n_train))):
        api.simulate(run, n_pulses, seed=seed + number)
    on_step("calibrating the detector by the Compton edge of Cs-137")
    options = ReadOptions(settings=_calibrated(folder, seed=seed + 3))
    on_step("reading them back, labelled from the truth")
    train_set, test_set, threshold_set = (
        api.read(run, label_by="truth", options=options) for run in (train_run, test_run, threshold_run)
    )
    inspection = inspect_run(open_reader(test_run))
    with complete_or_absent(folder / "inspect.png") as part:
        draw_inspection(inspection, part)
    on_step("looking for what a network could cheat from")
    audit = api.audit_dataset(train_set)
    write_audit(audit, folder / "audit")
    on_step("training the reference network 75-10-4-2")
    model = api.train(train_set, folder / "model", architecture="mlp", epochs=epochs, seed=seed, overwrite=True)
    on_step(f"freezing it, with a threshold by height for {EFFICIENCY:.0%} of the neutrons from the third run")
    frozen = api.freeze(model, folder / "demo.discrimen", calibration=threshold_set, neutron_efficiencies=(EFFICIENCY,))
    on_step("evaluating it on the second run, together with charge comparison and the photon-level bound")
    report = api.evaluate(frozen, test_set, tuning=train_set, folder=folder / "report")
    on_step("classifying the second run by the native engine")
    classification = _named(frozen, test_run, folder, options=options)
    on_step(f"training an auto-encoder: {_CODE} numbers for each pulse, and the pulse again from them")
    autoencoder = _autoencoder(train_set, folder, seed=seed)
    with complete_or_absent(folder / "demo.png") as part:
        draw_demo(report, test_set, model.description.preparation, part)
    result = DemoResult(
        folder=folder,
        inspection=inspection,
        audit=audit,
        model=model,
        frozen=frozen,
        report=report,
        classification=classification,
        autoencoder=autoencoder,
    )
    write_index(
        folder, report=report, classification=classification, audit=audit, n_frozen_bytes=frozen.path.stat().st_size
    )
    return result


def _named(model: Model, run: Path, folder: Path, *, options: ReadOptions) -> Classification:
    """Name the pulses of a run, and draw them."""
    from discrimen.scoring.picture import draw_run

    models = {"": model}
    sample = RunSample()
    found = classify_run(
        open_reader(run, options),
        discriminators_of(model.path, models, choose_thresholds(models)),
        folder / "test.scores.h5",
        sample=sample,
    )
    with complete_or_absent(folder / "named.png") as part:
        draw_run(sample, part, title=f"{run.name}: {found.n_neutron} neutrons, {found.n_gamma} gammas")
    return found


def _autoencoder(dataset: Dataset, folder: Path, *, seed: int) -> Model:
    """Train a small auto-encoder whose latents should not say the same, and freeze it."""
    trained = api.train(
        dataset,
        folder / "autoencoder",
        task=Reconstruction(),
        architecture="dense_autoencoder",
        options={"code": _CODE, "decorrelation": 1e-3},
        epochs=6,
        batch_size=256,
        learning_rate=0.003,
        learning_rate_decay="cosine",
        seed=seed,
        overwrite=True,
    )
    return api.freeze(trained, folder / "autoencoder.discrimen")


def _calibrated(folder: Path, *, seed: int) -> DetectorSettings:
    """Simulate a run of Cs-137, calibrate the detector with it, and leave its file."""
    run = folder / "cs137.BIN"
    api.simulate(run, _N_CALIBRATION, seed=seed, spectrum="Cs-137")
    reader = open_reader(run)
    found = calibrate_runs([(reader, source_named("Cs-137"))], options=CalibrationOptions(through_zero=True))
    settings, _ = calibrated_settings(found, reader.info.settings)
    with complete_or_absent(folder / "detector.yaml") as part:
        part.write_text(settings_yaml(settings, remarks=["from the simulated run cs137.BIN"]), encoding="utf-8")
    return settings
