"""``discrimen evaluate`` of positions: those of a model, or of a grid search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from discrimen.cli import common
from discrimen.cli.grid_search import grid_search
from discrimen.cli.train_hits import read_hits_files
from discrimen.errors import DataError
from discrimen.evaluation.positions import (
    Judged,
    PositionReport,
    evaluate_positions,
    judge_positions,
    position_text,
    write_position_report,
)
from discrimen.formats.inputs import InputOptions
from discrimen.inference.load import Model
from discrimen.output.plain import plain
from discrimen.runs.hits_dataset import HitsDataset, are_hits_files
from discrimen.training.seen_pulses import seen_in_training


def report_positions(
    loaded: Model,
    files: Sequence[Path],
    output: Path,
    inputs: InputOptions,
    *,
    confidence: float,
    seed: int,
    json: bool,
) -> None:
    """Judge the positions of a model, write the report, and tell.

    Raises
    ------
    DataError
        If the files hold no hits.
    """
    dataset = _read(files, inputs, channels=loaded.description.preparation.channel_names)
    warnings = _seen(loaded, dataset)
    report = evaluate_positions(
        loaded.predictor, dataset.hits, confidence=confidence, seed=seed, files=dataset.files, notes=warnings
    )
    for warning in warnings:
        common.log(f"WARNING: {warning}")
    _write_and_tell(report, output, json=json)


def report_grid_search(
    basis: Path,
    files: Sequence[Path],
    output: Path,
    inputs: InputOptions,
    *,
    confidence: float,
    seed: int,
    json: bool,
) -> None:
    """Judge the positions that a full grid search of a basis finds, write the report, and tell.

    Raises
    ------
    DataError
        If the files hold no hits.
    """
    method, told = grid_search(basis, adaptive=False, interpolate=True, latest_ns=10.0, noise_adc=None)
    dataset = _read(files, inputs, channels=method.basis.channels)
    with common.progress("searching", total=None):
        found = method.locate(dataset.hits)
    judged = Judged.of_hits(dataset.hits)
    report = judge_positions(found, judged, model=told, confidence=confidence, seed=seed, files=dataset.files)
    _write_and_tell(report, output, json=json)


def _read(files: Sequence[Path], inputs: InputOptions, *, channels: tuple[str, ...]) -> HitsDataset:
    if not are_hits_files(files):
        raise DataError(f"{files[0]}: positions are judged on files of hits; 'discrimen hits' makes them")
    return read_hits_files(files, inputs, channels=channels)


def _write_and_tell(report: PositionReport, output: Path, *, json: bool) -> None:
    with common.progress("drawing", total=None):
        written = write_position_report(report, output)
    if json:
        common.emit_json(plain(report.as_dict()))
        return
    console = common.stdout_console()
    console.print(position_text(report, width=min(console.width, 100)), markup=False, end="")
    console.print(f"report: {written[1]}; data in report.json, plots as PNG and PDF beside it", markup=False)


def _seen(loaded: Model, dataset: HitsDataset) -> list[str]:
    """Say what makes the figures look better than they are."""
    provenance = loaded.description.provenance
    known = {file["sha256"] for file in provenance.get("files", [])}
    again = [str(file["name"]) for file in dataset.files if file["sha256"] in known]
    if again:
        return [f"the model was trained on {', '.join(again)}: these figures are too good"]
    samples = dataset.hits.samples
    share = seen_in_training(provenance, samples.reshape(len(samples), -1))
    if share is not None and share.n_counted:
        return [f"{share.value:.1%} of the hits that the model was trained on are among these: figures are too good"]
    return []
