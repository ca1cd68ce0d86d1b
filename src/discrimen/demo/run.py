"""The whole path on a simulated run of NEDA: simulate, read back, train, evaluate, freeze, classify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discrimen import api
from discrimen.evaluation import Report
from discrimen.formats.table import open_reader
from discrimen.inference.load import Model
from discrimen.output.files import complete_or_absent
from discrimen.runs.inspection import Inspection, inspect_run
from discrimen.scoring.classify import Classification


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DemoResult:
    """What the demo made.

    Parameters
    ----------
    folder : Path
        Where everything lies.
    inspection : Inspection
        Of the test run.
    model : Model
        The reference network, trained.
    frozen : Model
        The same as one file, computed by the native engine.
    report : Report
        On the test run.
    classification : Classification
        Of the test run, from its CoMPASS file by the frozen model.
    """

    folder: Path
    inspection: Inspection
    model: Model
    frozen: Model
    report: Report
    classification: Classification

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "folder": str(self.folder),
            "model": self.model.description.as_dict(),
            "frozen": {
                "path": str(self.frozen.path),
                "sha256": self.frozen.sha256,
                "n_bytes": self.frozen.path.stat().st_size,
                "backend": self.frozen.predictor.backend,
            },
            "report": self.report.as_dict(),
            "classification": self.classification.as_dict(),
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
        Pulses of the two runs, half of them neutrons.
    epochs : int
        At most so many.
    seed : int
        Of the first run and of the training; the second run has the next one.
    on_step : callable
        Told what is being done.
    """
    # Matplotlib belongs to the extras of training; a plain import of this module does not need it.
    from discrimen.demo.picture import draw_demo
    from discrimen.runs.inspection.plot import draw_inspection

    train_run, test_run = folder / "train.BIN", folder / "test.BIN"
    on_step(f"simulating {n_train} and {n_test} pulses of BC501A with NUMEXO2 into CoMPASS files")
    api.simulate(train_run, n_train, seed=seed)
    api.simulate(test_run, n_test, seed=seed + 1)
    on_step("reading them back, labelled from the truth")
    train_set = api.read(train_run, label_by="truth")
    test_set = api.read(test_run, label_by="truth")
    inspection = inspect_run(open_reader(test_run))
    with complete_or_absent(folder / "inspect.png") as part:
        draw_inspection(inspection, part)
    on_step("training the reference network 75-10-4-2")
    model = api.train(train_set, folder / "model", architecture="mlp", epochs=epochs, seed=seed, overwrite=True)
    on_step("evaluating it on the second run, charge comparison and the photon-level bound beside it")
    report = api.evaluate(model, test_set, tuning=train_set, folder=folder / "report")
    on_step("freezing it and classifying the second run by the native engine")
    frozen = api.freeze(model, folder / "demo.discrimen")
    classification = api.classify(frozen, test_run, folder / "test.scores.h5")
    with complete_or_absent(folder / "demo.png") as part:
        draw_demo(report, test_set, model.description.preparation, part)
    return DemoResult(
        folder=folder,
        inspection=inspection,
        model=model,
        frozen=frozen,
        report=report,
        classification=classification,
    )
