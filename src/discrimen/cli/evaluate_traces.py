"""``discrimen evaluate`` of a model that gives the clean traces of hits."""

from __future__ import annotations

from pathlib import Path

import typer

from discrimen.cli import common
from discrimen.cli.evaluate_positions import seen_hits
from discrimen.cli.evaluate_waveforms import WaveformWish
from discrimen.cli.judged_report import write_and_tell
from discrimen.cli.train_hits import clean_of_hits, read_hits_files
from discrimen.errors import DataError
from discrimen.evaluation.traces import evaluate_traces, trace_text, write_trace_report
from discrimen.formats.inputs import InputOptions
from discrimen.inference.load import Model
from discrimen.runs.clean_hits import clean_hits_samples
from discrimen.runs.hits_dataset import are_hits_files


def report_traces(loaded: Model, wish: WaveformWish, output: Path, inputs: InputOptions, *, json: bool) -> None:
    """Judge the clean traces of a model, write the report, and tell.

    Raises
    ------
    DataError
        If the files hold no hits.
    typer.BadParameter
        If there are no clean ones to compare with.
    """
    if not are_hits_files(wish.datasets):
        raise DataError(f"{wish.datasets[0]}: this model takes files of hits; 'discrimen hits' makes them")
    if not wish.clean:
        raise typer.BadParameter("denoised hits are judged beside clean ones: give --clean (simulate --clean)")
    dataset = read_hits_files(wish.datasets, inputs, channels=loaded.description.preparation.channel_names)
    clean = clean_of_hits(wish.clean, wish.datasets, dataset, inputs)
    assert clean is not None
    warnings = seen_hits(loaded, dataset)
    with common.progress("judging", total=None):
        report = evaluate_traces(
            loaded.predictor,
            dataset.hits,
            clean_hits_samples(dataset, clean),
            confidence=wish.confidence,
            seed=wish.seed,
            files=dataset.files,
            notes=warnings,
        )
    write_and_tell(report, output, write=write_trace_report, text=trace_text, warnings=warnings, json=json)
