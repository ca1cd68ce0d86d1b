"""``discrimen evaluate``: a model, with charge comparison and the physical bound."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.evaluate_positions import PositionWish, report_grid_search, report_positions
from discrimen.cli.evaluate_traces import report_traces
from discrimen.cli.evaluate_waveforms import WaveformWish, report_waveforms
from discrimen.cli.given_options import refuse_idle
from discrimen.cli.grid_search import OF_MODELS, PosteriorOption
from discrimen.cli.input_options import parse_numbers, with_input_options
from discrimen.cli.judged_report import write_and_tell
from discrimen.cli.read_dataset import read_dataset, require_labels
from discrimen.cli.train_clean import JudgingCleanOption
from discrimen.evaluation import evaluate_dataset, report_text, write_report
from discrimen.evaluation.loss_curve import loss_curve
from discrimen.evaluation.positions import judged_by_position
from discrimen.evaluation.report import NotComputed
from discrimen.evaluation.waveforms import judged_by_waveform
from discrimen.formats.inputs import InputOptions
from discrimen.inference.compatible import require_compatible
from discrimen.inference.load import Model, load_model
from discrimen.runs.dataset import Dataset
from discrimen.simulation.germanium.basis import is_basis_file
from discrimen.training.seen_pulses import seen_of

_OF_CLASSES = ("tuning", "efficiencies", "energy_edges_kevee")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(evaluate))


def evaluate(
    model: common.ModelArgument,
    datasets: Annotated[
        list[Path], typer.Argument(help="Labelled data sets that the model has not seen.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the report.", show_default=False)],
    context: typer.Context,
    tuning: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled data set to search the best charge gates on, for example that of the training."),
    ] = None,
    energy_edges_kevee: common.EnergyEdgesOption = "30,50,100,200,400,2000",
    efficiencies: common.EfficienciesOption = "0.9,0.95,0.99",
    confidence: common.ConfidenceOption = 0.95,
    seed: Annotated[int, typer.Option(help="Chooses among the tuning pulses.", min=0)] = 0,
    clean: JudgingCleanOption = None,
    detector: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|YAML",
            help="Of positions: the crystal with its walls; simulated hits know theirs. docs/positions.md",
            show_default=False,
        ),
    ] = None,
    posterior: PosteriorOption = False,
    device: common.DeviceOption = "cpu",
    backend: common.BackendOption = None,
    threads: common.ThreadsOption = None,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Judge a model on labelled pulses, together with charge comparison and the photon-level bound.

    A model that gives a waveform, and no classes, is judged by its waveforms; labels are not needed then. One that
    gives a position is judged in mm, on files of hits; so is the grid search of a basis instead of a model.
    """
    if is_basis_file(model):
        refuse_idle(context, (*_OF_CLASSES, "clean", *OF_MODELS), without="a model")
        wish = PositionWish(files=datasets, detector=detector, confidence=confidence, seed=seed)
        report_grid_search(model, wish, output, inputs, posterior=posterior, json=json)
        return
    refuse_idle(context, ("posterior",), without="a basis")
    loaded = load_model(model, device=device, backend=backend, threads=threads)
    if judged_by_waveform(loaded.description):
        refuse_idle(context, ("tuning", "efficiencies"), without="a model that gives classes")
        refuse_idle(context, ("detector",), without="a model that gives a position")
        waveform_wish = WaveformWish(
            datasets=datasets,
            clean=clean or (),
            energy_edges_kevee=energy_edges_kevee,
            confidence=confidence,
            seed=seed,
        )
        if loaded.description.preparation.n_channels > 1:
            refuse_idle(context, ("energy_edges_kevee",), without="a model of one channel")
            report_traces(loaded, waveform_wish, output, inputs, json=json)
        else:
            report_waveforms(loaded, waveform_wish, output, inputs, json=json)
        return
    refuse_idle(context, ("clean",), without="a model that gives a waveform")
    if judged_by_position(loaded.description):
        refuse_idle(context, _OF_CLASSES, without="a model that gives classes")
        wish = PositionWish(files=datasets, detector=detector, confidence=confidence, seed=seed)
        report_positions(loaded, wish, output, inputs, json=json)
        return
    refuse_idle(context, ("detector",), without="a model that gives a position")
    require_labels([*datasets, *(tuning or [])], inputs)
    dataset = _load(datasets, loaded, inputs)
    tuning_set = _load(tuning, loaded, inputs) if tuning else None
    seen = seen_of(loaded.description.provenance, dataset)
    report = evaluate_dataset(
        loaded.predictor,
        dataset,
        seen=seen,
        tuning=tuning_set,
        energy_edges_kevee=parse_numbers(energy_edges_kevee, "--energy-edges-kevee"),
        efficiencies=parse_numbers(efficiencies, "--efficiencies"),
        confidence=confidence,
        seed=seed,
        loss=loss_curve(loaded.path, loaded.description.provenance),
    )
    warnings = [*seen.warnings()]
    if not isinstance(report.outside, NotComputed) and report.outside["warning"] is not None:
        warnings.append(str(report.outside["warning"]))
    common.log_unknown_domain(model, loaded.description)
    again = seen.training_pulses
    write_and_tell(
        report,
        output,
        write=write_report,
        text=report_text,
        warnings=warnings,
        json=json,
        besides={
            "seen_in_training": seen.in_training,
            "training_pulses_seen": again and asdict(again),
            "seen_in_calibration": seen.in_calibration,
        },
    )


def _load(files: list[Path], loaded: Model, inputs: InputOptions) -> Dataset:
    dataset = read_dataset(files, inputs)
    names = ", ".join(str(path) for path in files)
    require_compatible(loaded.description, dataset.pulses, dataset.settings, where=names)
    return dataset
